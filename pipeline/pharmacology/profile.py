"""One concentration profile made ready for analysis: checked, below-limit values and the time of dose settled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pipeline.errors import InputError
from pipeline.pharmacology.area import falls

CARRY_OVER_FRACTION = 0.05


class Route(StrEnum):
    """How a dose was given, as far as the analysis differs."""

    EXTRAVASCULAR = "extravascular"
    IV_BOLUS = "iv_bolus"
    IV_INFUSION = "iv_infusion"


class BelowLimit(StrEnum):
    """What becomes of values below the limit of quantification.

    DEFAULT: 0 before the first measurable value, left out between measurable ones, 0 after the last.
    DROP_ALL: left out everywhere. KEEP_ZERO: 0 everywhere.
    """

    DEFAULT = "default"
    DROP_ALL = "drop_all"
    KEEP_ZERO = "keep_zero"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile ready for analysis. Times in h relative to the dose, concentrations in one unit.

    Attributes:
        points: (time, concentration) of the area, from time 0 where the profile reaches it; 0 stands for below limit.
        measured: the measurable samples, times rising; empty when all are below the limit.
        c0: concentration at the end of an IV bolus, measured or extrapolated; None for other routes.
        flags: what was done to the samples.
    """

    points: tuple[tuple[float, float], ...]
    measured: tuple[tuple[float, float], ...]
    c0: float | None
    flags: tuple[str, ...]

    @property
    def from_dose(self) -> bool:
        """Whether the points begin at the dose, so that an area from time 0 exists."""
        return bool(self.points) and self.points[0][0] <= 0


def prepare(
    time_h: Sequence[float],
    conc: Sequence[float | None],
    *,
    lloq: float | None = None,
    route: Route = Route.EXTRAVASCULAR,
    below_limit: BelowLimit = BelowLimit.DEFAULT,
    zero_at_dose: bool = False,
) -> Profile:
    """Check the samples of one dose and settle what stands at its time.

    A sample without a result (None) is left out. 0, and anything below `lloq`, is below the limit. A sample before
    the dose counts as the value at time 0 when there is none (flag `pre_dose_at_zero`), except for an IV bolus.
    `zero_at_dose` adds 0 at time 0 when nothing else stands there (flag `zero_at_dose`). For an IV bolus the
    value at time 0 is the measured one if above the limit, else C0 by log-linear extrapolation of the first two
    measurable samples if they fall, else the first of them (flag `c0_extrapolated`).

    Raises:
        InputError: lists of different length, times that do not rise, or a negative concentration.
    """
    _check(time_h, conc, lloq)
    limit = lloq or 0.0
    samples = [(t, 0.0 if c < limit else c) for t, c in zip(time_h, conc, strict=True) if c is not None]
    flags = []
    before = [sample for sample in samples if sample[0] < 0]
    samples = [sample for sample in samples if sample[0] >= 0]
    starts_at_zero = bool(samples) and samples[0][0] == 0
    if before and route is not Route.IV_BOLUS and not starts_at_zero:
        samples.insert(0, (0.0, before[-1][1]))
        starts_at_zero = True
        flags.append("pre_dose_at_zero")
    measured = [sample for sample in samples if sample[1] > 0]
    c0 = None
    if route is Route.IV_BOLUS and measured:
        if measured[0][0] == 0:
            c0 = measured[0][1]
        else:
            c0 = _back_extrapolated(measured)
            samples = [(0.0, c0), *(sample for sample in samples if sample[0] > 0)]
            flags.append("c0_extrapolated")
    elif zero_at_dose and not starts_at_zero and samples:
        samples.insert(0, (0.0, 0.0))
        flags.append("zero_at_dose")
    return Profile(tuple(_settled(samples, below_limit)), tuple(measured), c0, tuple(flags))


def _check(time_h: Sequence[float], conc: Sequence[float | None], lloq: float | None) -> None:
    if len(time_h) != len(conc):
        raise InputError(
            f"every time needs a concentration; got {len(time_h)} times and {len(conc)} concentrations", path=("conc",)
        )
    for before, after in pairwise(time_h):
        if after <= before:
            raise InputError(
                f"the times must rise without repeats; {after:g} h follows {before:g} h: sort, and settle duplicates",
                path=("time_h",),
            )
    if negative := next((c for c in conc if c is not None and c < 0), None):
        raise InputError(f"a concentration cannot be negative, got {negative:g}", path=("conc",))
    if lloq is not None and lloq < 0:
        raise InputError(f"a limit of quantification cannot be negative, got {lloq:g}", path=("lloq",))


def _settled(samples: list[tuple[float, float]], rule: BelowLimit) -> list[tuple[float, float]]:
    places = [index for index, (_, c) in enumerate(samples) if c > 0]
    if rule is BelowLimit.KEEP_ZERO or not places:
        return samples
    if rule is BelowLimit.DROP_ALL:
        return [samples[index] for index in places]
    return [s for index, s in enumerate(samples) if s[1] > 0 or not places[0] < index < places[-1]]


def _back_extrapolated(measured: list[tuple[float, float]]) -> float:
    (t1, c1), *rest = measured
    if not rest or not falls(c1, rest[0][1]):
        return c1
    t2, c2 = rest[0]
    try:
        return c1 * math.exp(t1 * math.log(c1 / c2) / (t2 - t1))
    except OverflowError:
        return c1
