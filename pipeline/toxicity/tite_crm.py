"""The continual reassessment method while patients are still being followed (B7)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.bounds import between, within
from pipeline.errors import InputError
from pipeline.outcome import method
from pipeline.toxicity.crm import NARROWEST_PRIOR, PRIOR_SD, WIDEST_PRIOR, CrmFit, check_skeleton, fit
from pipeline.toxicity.crm_model import INTERCEPT, LARGEST_INTERCEPT, CrmModel, RateModel
from pipeline.toxicity.tite import follow_up_weights


class WeightScheme(StrEnum):
    """How follow-up becomes weight: in proportion to time, or by when toxicities came in this trial."""

    LINEAR = "linear"
    ADAPTIVE = "adaptive"


@dataclass(frozen=True, slots=True, kw_only=True)
class TiteCrmFit(CrmFit):
    """The fit of `continual_reassessment`, and the weight of each patient."""

    weights: tuple[float, ...]


@method(
    "B7_titecrm",
    version=1,
    title="Time-to-event continual reassessment method",
    source="Cheung YK, Chappell R. Biometrics 2000;56:1177-1182",
    reference_inputs={"followup": "followup_days", "window": "window_days"},
)
def tite_crm(
    skeleton: Sequence[float],
    target: float,
    level: Sequence[int],
    dlt: Sequence[int],
    followup_days: Sequence[float],
    window_days: float,
    scheme: WeightScheme = WeightScheme.LINEAR,
    model: CrmModel = CrmModel.EMPIRIC,
    prior_sd: float = PRIOR_SD,
    intercept: float = INTERCEPT,
) -> TiteCrmFit:
    """Estimate toxicity rates with pending patients weighted: a patient without toxicity contributes 1 - wF.

    Linear weights are follow-up / window, at most 1. Adaptive ones rise by equal steps at the times of the trial's
    toxicities, and linearly between. A patient with a toxicity weighs 1.

    Args:
        skeleton: prior guesses of the toxicity rate at each dose, increasing, between 0 and 1.
        target: target rate of dose-limiting toxicity, between 0 and 1.
        level: dose of each patient, from 1, in order of entry, (n,).
        dlt: 1 for a patient with a dose-limiting toxicity, else 0, (n,).
        followup_days: days each was followed, (n,); for adaptive weights to the toxicity for those who had one.
        window_days: days over which toxicity is looked for.
        scheme: linear or adaptive weights.
        model: empiric or logistic.
        prior_sd: standard deviation of the normal prior of a, from 0.001 to 1000.
        intercept: intercept of the logistic model, from -10 to 10.

    Raises:
        InputError: as for `continual_reassessment`; a time is negative, or, where the times of the toxicities make the
            weights, one came after the window.
    """
    between(0, 1, target=target)
    within(NARROWEST_PRIOR, WIDEST_PRIOR, prior_sd=prior_sd)
    within(-LARGEST_INTERCEPT, LARGEST_INTERCEPT, intercept=intercept)
    check_skeleton(skeleton, level, dlt)
    weights = follow_up_weights(dlt, followup_days, window_days)
    if scheme is WeightScheme.ADAPTIVE:
        times = sorted(days for toxic, days in zip(dlt, followup_days, strict=True) if toxic)
        if times and times[-1] > window_days:
            raise InputError("a toxicity after the window is not dose-limiting", path=("followup_days",))
        weights = [
            1.0 if toxic else adaptive_weight(days, times, window_days)
            for toxic, days in zip(dlt, followup_days, strict=True)
        ]
    found = fit(RateModel(tuple(skeleton), model, intercept), target, level, dlt, weights, prior_sd)
    return TiteCrmFit(
        estimate=found.estimate,
        post_var=found.post_var,
        ptox=found.ptox,
        ptox_lower90=found.ptox_lower90,
        ptox_upper90=found.ptox_upper90,
        mtd=found.mtd,
        next_dose=found.next_dose,
        prob_lowest_over_target=found.prob_lowest_over_target,
        weights=tuple(weights),
        flags=found.flags,
    )


def adaptive_weight(days: float, toxic_days: Sequence[float], window_days: float) -> float:
    """Return the adaptive weight of a patient without toxicity; `toxic_days` ascend and lie within the window."""
    if days >= window_days:
        return 1.0
    marks = [0.0, *toxic_days, window_days]
    seen = bisect_right(toxic_days, days)
    step = (days - marks[seen]) / (marks[seen + 1] - marks[seen])
    return (seen + step) / (len(toxic_days) + 1)
