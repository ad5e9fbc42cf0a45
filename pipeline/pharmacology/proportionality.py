"""Dose proportionality by the power model (D5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.efficacy.response_rate import check_level
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.pharmacology.line import fit_line
from pipeline.rounding import at_least, at_most

LEVELS_FOR_A_VERDICT = 3
FEWEST_FOR_AN_INTERVAL = 3


class Verdict(StrEnum):
    """What the interval of the slope says about proportionality."""

    PROPORTIONAL = "proportional"
    NOT_PROPORTIONAL = "not_proportional"
    INCONCLUSIVE = "inconclusive"
    EXPLORATORY = "exploratory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportionality(Outcome):
    """Slope of ln exposure on ln dose with its interval, and the region in which it is proportional."""

    intercept: float | None = None
    slope: float | None = None
    slope_se: float | None = None
    slope_ci: tuple[float, float] | None = None
    dose_ratio: float | None = None
    critical_region: tuple[float, float] | None = None
    conclusion: Verdict | None = None


@method(
    "D5_dose_proportionality",
    version=1,
    title="Dose proportionality power model",
    source="Smith BP et al. Pharm Res 2000;17:1278-1283",
)
def dose_proportionality(
    dose: Sequence[float],
    exposure: Sequence[float | None],
    ci_level: float = 0.9,
    theta_low: float = 0.8,
    theta_high: float = 1.25,
    subject: Sequence[str] | None = None,
) -> Proportionality:
    """Fit ln(exposure) = a + b ln(dose) and judge whether exposure is proportional to dose.

    With r the ratio of the largest to the smallest dose, exposure is proportional when the t-interval of b lies within
    [1 + ln(theta_low) / ln r, 1 + ln(theta_high) / ln r], not proportional when it lies wholly outside, else
    inconclusive. With two dose levels the verdict is exploratory; two points alone give a slope without an interval.
    With one level there is nothing, for `too_few_points`.

    Args:
        dose: doses, one mass unit, > 0.
        exposure: AUC or Cmax at each, > 0; null where there is none, which leaves the dose out (flag
            `incomplete_left_out`).
        ci_level: level of the interval of the slope.
        theta_low: smallest acceptable ratio of dose-normalised exposures.
        theta_high: largest acceptable ratio.
        subject: who each value belongs to; null when all are different subjects.

    Raises:
        InputError: lists of different length, values not above 0, limits that do not enclose 1, or a subject that
            occurs twice: repeated measures have to be averaged first or need a mixed model.
    """
    from scipy.special import stdtrit

    _check(dose, exposure, theta_low, theta_high, subject)
    check_level(ci_level)
    pairs = [(given, reached) for given, reached in zip(dose, exposure, strict=True) if reached is not None]
    flags = ("incomplete_left_out",) if len(pairs) < len(dose) else ()
    n, doses = len(pairs), [given for given, _ in pairs]
    log_doses = [math.log(value) for value in doses]
    levels = len(set(log_doses))
    if levels < 2:
        return Proportionality(reason=Reason.TOO_FEW_POINTS if n else Reason.NO_DATA, flags=flags)
    line = fit_line(log_doses, [math.log(reached) for _, reached in pairs])
    log_ratio = max(log_doses) - min(log_doses)
    region = (1 + math.log(theta_low) / log_ratio, 1 + math.log(theta_high) / log_ratio)
    interval = None
    if n >= FEWEST_FOR_AN_INTERVAL:
        half = float(stdtrit(n - 2, (1 + ci_level) / 2)) * line.slope_se
        interval = (line.slope - half, line.slope + half)
    return Proportionality(
        intercept=line.intercept,
        slope=line.slope,
        slope_se=None if interval is None else line.slope_se,
        slope_ci=interval,
        dose_ratio=max(doses) / min(doses),
        critical_region=region,
        conclusion=Verdict.EXPLORATORY
        if interval is None or levels < LEVELS_FOR_A_VERDICT
        else _verdict(interval, region),
        missing={} if interval else dict.fromkeys(("slope_se", "slope_ci"), Reason.TOO_FEW_POINTS),
        flags=flags,
    )


def _verdict(interval: tuple[float, float], region: tuple[float, float]) -> Verdict:
    if at_least(interval[0], region[0]) and at_most(interval[1], region[1]):
        return Verdict.PROPORTIONAL
    if not at_least(interval[1], region[0]) or not at_most(interval[0], region[1]):
        return Verdict.NOT_PROPORTIONAL
    return Verdict.INCONCLUSIVE


def _check(
    dose: Sequence[float],
    exposure: Sequence[float | None],
    theta_low: float,
    theta_high: float,
    subject: Sequence[str] | None,
) -> None:
    if len(dose) != len(exposure):
        raise InputError(
            f"every dose needs an exposure; got {len(dose)} doses and {len(exposure)} exposures", path=("exposure",)
        )
    for name, values in (("dose", dose), ("exposure", exposure)):
        if wrong := [value for value in values if value is not None and value <= 0]:
            raise InputError(f"the power model needs values above 0, got {wrong[0]:g}", path=(name,))
    if not 0 < theta_low < 1 < theta_high:
        raise InputError(
            f"the acceptable ratios have to enclose 1, got {theta_low:g} to {theta_high:g}", path=("theta_low",)
        )
    if subject is not None and len(subject) != len(dose):
        raise InputError(f"every value needs a subject: {len(dose)} and {len(subject)}", path=("subject",))
    if subject is not None and len(set(subject)) < len(subject):
        raise InputError(
            "a subject occurs more than once: average its values first, repeated measures need a mixed model",
            path=("subject",),
        )
