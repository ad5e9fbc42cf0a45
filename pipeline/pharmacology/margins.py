"""Exposure margins: what animals had at a safe or toxic dose, over what people have at each dose level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.rounding import below
from pipeline.units import convert


@dataclass(frozen=True, slots=True)
class GroupExposure:
    """The mean exposure of a group. `tau_h`: the interval an area is over; None where the parameter has none."""

    label: str
    parameter: str
    value: float
    unit: str
    n: int
    tau_h: float | None = None


@dataclass(frozen=True, slots=True)
class Margin:
    """Animal over human exposure, both in the unit of the human one. `crossed`: below the threshold."""

    animal: float
    human: float
    unit: str
    human_level: str
    margin: float
    threshold: float | None
    crossed: bool


@dataclass(frozen=True, slots=True)
class NoMargin:
    """Why a margin cannot be given, in a sentence."""

    human_level: str
    why: str


def mean_exposure(
    label: str, parameter: str, values: Sequence[tuple[float, str]], tau_h: float | None = None
) -> GroupExposure | None:
    """Return the arithmetic mean of values with units, in the unit of the first; None without values.

    Raises:
        InputError: units that do not measure the same thing.
    """
    if not values:
        return None
    unit = values[0][1]
    converted = [value if of == unit else convert(value, of, unit) for value, of in values]
    return GroupExposure(label, parameter, math.fsum(converted) / len(converted), unit, len(converted), tau_h)


def exposure_margin(
    animal: GroupExposure, human: GroupExposure, *, threshold: float | None, molar_mass: float | None = None
) -> Margin | NoMargin:
    """Divide an animal by a human exposure (METHODS A5): the same parameter, over the same interval.

    Mass and molar units meet through the molar mass, g/mol. The margin is compared with the threshold at twelve
    digits.
    """
    if animal.tau_h != human.tau_h:
        return NoMargin(
            human.label,
            f"{animal.parameter} is over {_hours(animal.tau_h)} in animals and {_hours(human.tau_h)} in people: areas "
            "over different intervals must not be divided",
        )
    try:
        in_unit = convert(animal.value, animal.unit, human.unit, molar_mass)
    except InputError as error:
        return NoMargin(human.label, f"{animal.unit} cannot be set against {human.unit}: {error}")
    if human.value <= 0:
        return NoMargin(human.label, "nothing was measurable in people")
    margin = in_unit / human.value
    crossed = threshold is not None and below(margin, threshold)
    return Margin(in_unit, human.value, human.unit, human.label, margin, threshold, crossed)


def _hours(tau_h: float | None) -> str:
    return "no stated interval" if tau_h is None else f"{tau_h:g} h"
