"""Concentration profiles from the rows of a data set, analysed one by one and all at once."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import numpy as np
import pytest

from pipeline.pharmacology.exposure_table import exposure_table
from pipeline.pharmacology.nca import Exposure, non_compartmental
from pipeline.pharmacology.profile import Route

K = TypeVar("K", bound=Hashable)

IBM_ROUNDING = 1e-12
"""A double written as an IBM float keeps 53 to 56 bits: it comes back equal, or one unit in the last place away."""


class Verdict(StrEnum):
    """What a reported parameter is, beside the recomputed one."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_REPORTED = "not_reported"
    NOT_COMPUTED = "not_computed"


def verdict(reported: float | None, computed: float | None, *, within: float) -> Verdict:
    """Compare a reported with a recomputed parameter; `within` is absolute, in their unit."""
    if reported is None:
        return Verdict.NOT_REPORTED
    if computed is None:
        return Verdict.NOT_COMPUTED
    return Verdict.AGREES if abs(reported - computed) <= within else Verdict.DISAGREES


def same(reported: float | None, computed: float | None) -> Verdict:
    """Compare two numbers that have to be the same, but for the rounding of IBM floats."""
    return verdict(reported, computed, within=IBM_ROUNDING * abs(reported or 0.0))


@dataclass(slots=True)
class Samples:
    """The samples after one dose; 0 is below the limit, None without a result."""

    points: list[tuple[float, float | None]] = field(default_factory=list)
    dose: float | None = None
    route: Route = Route.EXTRAVASCULAR
    infusion_h: float = 0.0
    zero_at_dose: bool = False
    first_period: bool = True

    @property
    def times(self) -> list[float]:
        return [time for time, _ in sorted(self.points, key=lambda point: point[0])]

    @property
    def concentrations(self) -> list[float | None]:
        return [conc for _, conc in sorted(self.points, key=lambda point: point[0])]

    def analysed(self) -> Exposure:
        return non_compartmental(
            self.times,
            self.concentrations,
            dose=self.dose,
            route=self.route,
            infusion_duration_h=self.infusion_h,
            zero_at_dose=self.zero_at_dose,
            first_period=self.first_period,
        )


def analysed(profiles: Mapping[K, Samples]) -> dict[K, Exposure]:
    """Analyse every profile by itself, after checking that the whole lot at once gives the same."""
    found = {key: samples.analysed() for key, samples in profiles.items()}
    for zero_at_dose in (False, True):
        for first_period in (False, True):
            alike = [
                (samples, found[key])
                for key, samples in profiles.items()
                if (samples.zero_at_dose, samples.first_period) == (zero_at_dose, first_period)
            ]
            if alike:
                _check_table(alike, zero_at_dose, first_period)
    return found


def _check_table(alike: Sequence[tuple[Samples, Exposure]], zero_at_dose: bool, first_period: bool) -> None:
    width = max(len(samples.points) for samples, _ in alike)
    time, conc = np.full((2, len(alike), width), np.nan)
    for row, (samples, _) in enumerate(alike):
        time[row, : len(samples.points)] = samples.times
        conc[row, : len(samples.points)] = [np.nan if c is None else c for c in samples.concentrations]
    table = exposure_table(
        time,
        conc,
        [np.nan if samples.dose is None else samples.dose for samples, _ in alike],
        [samples.route for samples, _ in alike],
        [samples.infusion_h for samples, _ in alike],
        zero_at_dose=zero_at_dose,
        first_period=first_period,
    )
    for row, (_, single) in enumerate(alike):
        for name, value in table.row(row).items():
            expected = getattr(single, name)
            assert value == (None if expected is None else pytest.approx(expected, rel=1e-9)), name
        assert table.flags_of(row) == tuple(sorted(single.flags))


def finite(exposure: Exposure) -> bool:
    """Whether everything the analysis gave is a finite number or missing with a reason."""
    return all(
        math.isfinite(value) if value is not None else name in exposure.missing or exposure.reason is not None
        for name, value in exposure.as_reference().items()
    )
