"""A parameter a source reports beside the recomputed one: whether they agree, and what may explain a difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipeline.errors import InputError
from pipeline.units import conversion_factor

TOLERANCE = 0.005
"""Relative difference up to which two programs' answers are taken as the same; a larger one has a cause."""


class Comparison(StrEnum):
    """How a reported parameter stands to the recomputed one."""

    AGREES = "AGREES"
    DISAGREES = "DISAGREES"
    NOT_REPORTED = "NOT_REPORTED"
    NOT_COMPUTED = "NOT_COMPUTED"


@dataclass(frozen=True, slots=True)
class Reported:
    """A parameter as a source gives it. `excluded`: why the source itself leaves it out of its summaries."""

    code: str
    value: float | None
    unit: str | None
    text: str | None = None
    excluded: str | None = None


_FACTORS = (
    (1e3, "a unit 1,000 times as large or small (ng against ug)"),
    (1e6, "a unit a million times as large or small (ng against mg)"),
    (1e9, "a unit 1e9 times as large or small"),
    (24.0, "hours called days, or days called hours"),
    (60.0, "minutes called hours, or hours called minutes"),
    (3600.0, "seconds called hours, or hours called seconds"),
    (100.0, "a percentage against a fraction"),
    (10.0, "a decimal point shifted by one"),
)


def in_its_unit(value: float | None, unit: str, reported_unit: str | None, molar_mass: float | None) -> float | None:
    """Return our value in the unit of the source; None where the two measure different things."""
    if value is None or reported_unit is None:
        return value
    factor = _factor(unit, reported_unit, molar_mass)
    return None if factor is None else value * factor


@lru_cache(maxsize=1024)
def _factor(unit: str, reported_unit: str, molar_mass: float | None) -> float | None:
    try:
        return conversion_factor(unit, reported_unit, molar_mass)
    except InputError:
        return None


def compare(reported: Reported, ours: float | None) -> Comparison:
    """Compare a reported parameter with ours, given in its unit.

    They agree within half a unit of the last digit the source printed, or within 0.5 %, whichever is wider.
    """
    if reported.value is None:
        return Comparison.NOT_REPORTED
    if ours is None:
        return Comparison.NOT_COMPUTED
    allowed = max(_half_digit(reported.text), TOLERANCE * abs(reported.value))
    return Comparison.AGREES if abs(reported.value - ours) <= allowed else Comparison.DISAGREES


def _half_digit(text: str | None) -> float:
    """Return half a unit of the last printed digit: 0.005 for "12.34", 0.5 for "1370"; 0 for what is not printed so."""
    digits = (text or "").strip().lstrip("+-")
    whole, point, decimals = digits.partition(".")
    if not whole.isdigit() or (point and not decimals.isdigit()):
        return 0.0
    # 15 and more digits are a double written out, not a precision.
    return 0.5 * 10.0 ** -len(decimals) if len(decimals) + len(whole) < 15 else 0.0


def likely_cause(
    reported: Reported,
    ours: float,
    others: Mapping[str, float],
    *,
    dose: float | None = None,
    molar_mass: float | None = None,
) -> str:
    """Return what probably explains a difference, in words.

    Args:
        reported: what the source gives.
        ours: our value in its unit, not equal to it.
        others: name -> other values in the same unit it could have been taken for ("AUCIFO", "CMAX of day 29").
        dose: dose, for values divided by it.
        molar_mass: g/mol, for mass called moles.
    """
    if reported.value is None:
        raise InputError("there is nothing reported to explain")
    if reported.excluded:
        return f"the source leaves it out itself: {reported.excluded}"
    if reported.value < 0:
        return "it is negative, which no such parameter can be"
    if ours and reported.value:
        ratio = reported.value / ours
        for factor, words in _FACTORS:
            if _near(ratio, factor) or _near(ratio, 1 / factor):
                return f"{words}: it is {ratio:.4g} times ours"
        if dose and _near(ratio, 1 / dose):
            return "it is divided by the dose"
        if molar_mass and (_near(ratio, molar_mass) or _near(ratio, 1 / molar_mass)):
            return "mass called moles, or moles called mass: the ratio is the molar mass"
    for name, value in others.items():
        if value and _near(reported.value, value):
            return f"it equals {name}: parameters or profiles may have been swapped"
    return "nothing known explains it: look at the samples and at the terminal points"


def _near(value: float, other: float) -> bool:
    return abs(value - other) <= TOLERANCE * abs(other)
