"""The continual reassessment method with one parameter (B6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from math import exp, log, sqrt
from typing import TYPE_CHECKING

from pipeline.bounds import above_zero, between, same_length, within
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.toxicity.crm_model import INTERCEPT, LARGEST_INTERCEPT, TIE_DECIMALS, CrmModel, RateModel, posterior

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRIOR_SD = sqrt(1.34)
Z_90 = 1.6448536269514722
CUTOFF_STOP = 0.95
USUAL_HALFWIDTH = 0.05
MOST_LEVELS = 50
MOST_PATIENTS = 1000
NARROWEST_PRIOR, WIDEST_PRIOR = 1e-3, 1e3

CHEUNG = "O'Quigley J et al. Biometrics 1990;46:33-48; Cheung YK. Dose Finding by the CRM, 2011"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmFit(Outcome):
    """Posterior of the parameter, rates at each dose, and the doses that follow; doses count from 1.

    `mtd` is the model's choice; `next_dose` adds the guards and is None where the trial should stop.
    """

    estimate: float
    post_var: float
    ptox: tuple[float, ...]
    ptox_lower90: tuple[float, ...]
    ptox_upper90: tuple[float, ...]
    mtd: int
    next_dose: int | None
    prob_lowest_over_target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton(Outcome):
    """Prior guesses of the toxicity rate at each dose, increasing."""

    skeleton: tuple[float, ...] | None


def closest_dose(ptox: Floats, target: float) -> int:
    """Return the dose, from 0, whose rate is closest to the target; the lowest of equal ones."""
    import numpy as np

    if (ptox <= target).all():
        return len(ptox) - 1
    return 0 if (ptox >= target).all() else int(np.argmin(np.round(np.abs(ptox - target), TIE_DECIMALS)))


def guarded_dose(mtd: int, level: Sequence[int], dlt: Sequence[int], target: float, latest_cohort: int | None) -> int:
    """Return the next dose, all from 0: no untried dose is skipped, none is raised after a toxic cohort.

    Without its size the latest cohort is the run of latest patients at one dose. No patient yet means the lowest dose.
    """
    if not level:
        return 0
    current = level[-1]
    size = latest_cohort or sum(1 for _ in takewhile(lambda dose: dose == current, reversed(level)))
    allowed = min(mtd, max(level) + 1)
    return min(allowed, current) if sum(dlt[-size:]) / size >= target else allowed


def check_skeleton(skeleton: Sequence[float], level: Sequence[int], dlt: Sequence[int]) -> None:
    """Refuse a skeleton that does not increase within (0, 1), and patients that do not fit it."""
    within(1, MOST_LEVELS, n_levels=len(skeleton))
    for guess in skeleton:
        between(0, 1, skeleton=guess)
    if any(low >= high for low, high in pairwise(skeleton)):
        raise InputError("the skeleton must increase from dose to dose", path=("skeleton",))
    same_length(level=level, dlt=dlt)
    within(0, MOST_PATIENTS, patients=len(level))
    for dose, toxic in zip(level, dlt, strict=True):
        within(1, len(skeleton), level=dose)
        within(0, 1, dlt=toxic)


def fit(
    model: RateModel,
    target: float,
    level: Sequence[int],
    dlt: Sequence[int],
    weight: Sequence[float],
    prior_sd: float,
    latest_cohort: int | None = None,
) -> CrmFit:
    """Fit the model to weighted patients; see `continual_reassessment` for the meaning of the result."""
    import numpy as np

    levels = [dose - 1 for dose in level]
    found = posterior(
        model,
        np.asarray(levels, dtype=np.int64),
        np.asarray(dlt, dtype=np.int64),
        np.asarray(weight, dtype=float),
        target,
        prior_sd,
    )
    spread = Z_90 * sqrt(found.variance)
    rates = model.rates(np.asarray([found.mean, found.mean + spread, found.mean - spread]))
    mtd = closest_dose(rates[0], target)
    stop = found.prob_lowest_over > CUTOFF_STOP
    return CrmFit(
        estimate=found.mean,
        post_var=found.variance,
        ptox=tuple(rates[0].tolist()),
        ptox_lower90=tuple(rates[1].tolist()),
        ptox_upper90=tuple(rates[2].tolist()),
        mtd=mtd + 1,
        next_dose=None if stop else guarded_dose(mtd, levels, dlt, target, latest_cohort) + 1,
        prob_lowest_over_target=found.prob_lowest_over,
        flags=("stop_lowest_dose_too_toxic",) if stop else (),
    )


@method("B6_crm", version=1, title="Continual reassessment method", source=CHEUNG)
def continual_reassessment(
    skeleton: Sequence[float],
    target: float,
    level: Sequence[int],
    dlt: Sequence[int],
    model: CrmModel = CrmModel.EMPIRIC,
    prior_sd: float = PRIOR_SD,
    intercept: float = INTERCEPT,
    latest_cohort: int | None = None,
) -> CrmFit:
    """Estimate toxicity rates and the dose closest to the target from the patients so far.

    Models with one parameter a: empiric F = p^exp(a); logistic F = 1 / (1 + exp(-c - exp(a) x)), x = logit(p) - c.
    Prior Normal(0, sd^2). The estimate is the posterior mean of a over [-10, 10] and the rates are F at that mean
    (plug-in); the 90 % limits are F at the mean -+ 1.645 posterior standard deviations. The model's dose is the
    highest if no rate is above the target, the lowest if none is below, else the closest, the lower of equal ones.

    The next dose adds guards: no untried dose is skipped, the dose is not raised right after a cohort with a rate at
    or above the target, and the trial stops if the probability that the lowest
    dose is above the target exceeds 0.95.

    Args:
        skeleton: prior guesses of the toxicity rate at each dose, increasing, between 0 and 1.
        target: target rate of dose-limiting toxicity, between 0 and 1.
        level: dose of each patient, from 1, in order of entry, (n,). Empty before the first patient.
        dlt: 1 for a patient with a dose-limiting toxicity, else 0, (n,).
        model: empiric or logistic.
        prior_sd: standard deviation of the normal prior of a, from 0.001 to 1000.
        intercept: intercept of the logistic model, from -10 to 10.
        latest_cohort: patients in the latest cohort, for the guards; by default the latest patients at one dose.

    Raises:
        InputError: the skeleton does not increase within (0, 1), a dose does not exist, or a number is out of range.
    """
    between(0, 1, target=target)
    within(NARROWEST_PRIOR, WIDEST_PRIOR, prior_sd=prior_sd)
    within(-LARGEST_INTERCEPT, LARGEST_INTERCEPT, intercept=intercept)
    check_skeleton(skeleton, level, dlt)
    within(1, max(len(level), 1), latest_cohort=latest_cohort)
    return fit(
        RateModel(tuple(skeleton), model, intercept), target, level, dlt, [1.0] * len(level), prior_sd, latest_cohort
    )


@method(
    "B6_crm_skeleton",
    version=1,
    title="CRM skeleton from an indifference interval",
    source="Lee SM, Cheung YK. Clin Trials 2009;6:227-238",
)
def crm_skeleton(
    halfwidth: float,
    target: float,
    nu: int,
    n_levels: int,
    model: CrmModel = CrmModel.EMPIRIC,
    intercept: float = INTERCEPT,
) -> Skeleton:
    """Choose prior guesses so that the method settles within target -+ halfwidth.

    With g = log for the empiric model and g = logit - intercept for the logistic one: g(p_nu) = g(target);
    downwards g(p_(k-1)) = g(target - h) g(p_k) / g(target + h), upwards the inverse ratio.

    Args:
        halfwidth: half-width h of the indifference interval.
        target: target rate of dose-limiting toxicity.
        nu: dose thought to be the maximum tolerated one, from 1.
        n_levels: number of doses.
        model: empiric or logistic.
        intercept: intercept of the logistic model, from -10 to 10.

    Returns:
        Guesses, (n_levels,). None for `outside_domain` where they would not increase within (0, 1).

    Raises:
        InputError: target -+ halfwidth is not within (0, 1), or nu is not one of the doses.
    """
    between(0, 1, target=target)
    above_zero(halfwidth=halfwidth)
    between(0, 1, target_minus_halfwidth=target - halfwidth, target_plus_halfwidth=target + halfwidth)
    within(1, MOST_LEVELS, n_levels=n_levels)
    within(1, n_levels, nu=nu)
    within(-LARGEST_INTERCEPT, LARGEST_INTERCEPT, intercept=intercept)
    empiric = model is CrmModel.EMPIRIC

    def scale(p: float) -> float:
        return log(p) if empiric else log(p / (1 - p)) - intercept

    middle, below, above = scale(target), scale(target - halfwidth), scale(target + halfwidth)
    if not below or not above:
        return Skeleton(skeleton=None, reason=Reason.OUTSIDE_DOMAIN)
    scaled = [middle * (below / above) ** (nu - k) for k in range(1, n_levels + 1)]
    guesses = tuple(exp(g) if empiric else 1 / (1 + exp(-intercept - g)) for g in scaled)
    bounded = (0.0, *guesses, 1.0)
    if any(low >= high for low, high in pairwise(bounded)):
        return Skeleton(skeleton=None, reason=Reason.OUTSIDE_DOMAIN)
    return Skeleton(skeleton=guesses)


def usual_skeleton(
    target: float,
    n_levels: int,
    halfwidth: float | None = None,
    model: CrmModel = CrmModel.EMPIRIC,
    intercept: float = INTERCEPT,
) -> tuple[float, ...]:
    """Return the guesses where none are stated: the middle dose is thought to be right; none where none increase."""
    half = min(USUAL_HALFWIDTH, target / 4) if halfwidth is None else halfwidth
    return crm_skeleton(half, target, (n_levels + 1) // 2, n_levels, model, intercept).skeleton or ()
