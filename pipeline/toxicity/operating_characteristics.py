"""What a dose-escalation design does when the true toxicity rates are as assumed (F1): simulated, with its error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.bounds import between, within
from pipeline.errors import InputError
from pipeline.outcome import method
from pipeline.toxicity.boin import boin_table
from pipeline.toxicity.boundaries import DecisionTable
from pipeline.toxicity.crm import CUTOFF_STOP, PRIOR_SD, check_skeleton
from pipeline.toxicity.crm_grid import PosteriorGrid
from pipeline.toxicity.crm_model import INTERCEPT, LARGEST_INTERCEPT, CrmModel, RateModel
from pipeline.toxicity.keyboard import HALF_WIDTH, keyboard_table
from pipeline.toxicity.selection import CUTOFF_ELIMINATE, selected_dose
from pipeline.toxicity.simulation import EscalationCharacteristics, by_table, check_scenario, simulate, summarised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

TRIALS = 10_000
SEED = 20_240_101
COHORT = 3
NARROWEST_PRIOR, WIDEST_PRIOR = 0.1, 10.0


def _interval_design(
    true_p: Sequence[float],
    target: float,
    table: DecisionTable,
    cohorts: int,
    cohort_size: int,
    start_dose: int,
    cutoff: float,
    trials: int,
    seed: int,
) -> EscalationCharacteristics:
    import numpy as np

    generator = np.random.default_rng(seed)
    found = simulate(true_p, cohorts, cohort_size, start_dose - 1, trials, by_table(table), generator)
    selected, _ = selected_dose(target, found.n, found.dlt, cutoff)
    return summarised(true_p, target, found, np.where(found.stopped, -1, selected))


@method(
    "F1_boin_oc",
    version=1,
    title="Simulated operating characteristics of a BOIN design",
    source="Liu S, Yuan Y. J R Stat Soc C 2015;64:507-523; Morris TP et al. Stat Med 2019;38:2074-2102",
)
def boin_characteristics(
    true_dlt_prob: Sequence[float],
    target: float,
    cohorts: int,
    cohort_size: int = COHORT,
    start_dose: int = 1,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff_eliminate: float = CUTOFF_ELIMINATE,
    trials: int = TRIALS,
    seed: int = SEED,
) -> EscalationCharacteristics:
    """Simulate a BOIN trial many times for assumed true toxicity rates.

    Cohorts are treated at one dose after the other by the boundaries of `boin_boundaries`; an eliminated dose is not
    escalated to, and the trial stops without a dose when the lowest is eliminated. At the end the dose is chosen as
    by `select_mtd`.

    Args:
        true_dlt_prob: true toxicity rate at each dose, lowest first, each from 0 to 1.
        target: target rate of dose-limiting toxicity, from 0.05 to 0.6.
        cohorts: number of cohorts.
        cohort_size: patients in each cohort.
        start_dose: first dose, from 1.
        p_saf: highest rate deemed under-dosing; 0.6 of the target by default.
        p_tox: lowest rate deemed over-dosing; 1.4 of the target by default.
        cutoff_eliminate: posterior probability above which a dose is too toxic.
        trials: simulated trials.
        seed: seed of the random numbers; the same seed gives the same result.

    Returns:
        Probabilities and expected counts, each with its Monte Carlo error.

    Raises:
        InputError: a number is out of range.
    """
    check_scenario(true_dlt_prob, cohorts, cohort_size, start_dose, trials)
    table = boin_table(target, cohorts * cohort_size, p_saf, p_tox, cutoff_eliminate)
    return _interval_design(
        true_dlt_prob, target, table, cohorts, cohort_size, start_dose, cutoff_eliminate, trials, _seed(seed)
    )


@method(
    "F1_keyboard_oc",
    version=1,
    title="Simulated operating characteristics of a keyboard or mTPI-2 design",
    source="Yan F et al. Clin Cancer Res 2017;23:3994-4003; Morris TP et al. Stat Med 2019;38:2074-2102",
)
def keyboard_characteristics(
    true_dlt_prob: Sequence[float],
    target: float,
    cohorts: int,
    cohort_size: int = COHORT,
    start_dose: int = 1,
    margin_left: float = HALF_WIDTH,
    margin_right: float = HALF_WIDTH,
    cutoff_eliminate: float = CUTOFF_ELIMINATE,
    trials: int = TRIALS,
    seed: int = SEED,
) -> EscalationCharacteristics:
    """Simulate a keyboard trial, which decides as mTPI-2 does, many times for assumed true toxicity rates.

    As `boin_characteristics`, with the boundaries of `keyboard_boundaries` under a uniform prior.

    Args:
        true_dlt_prob: true toxicity rate at each dose, lowest first, each from 0 to 1.
        target: target rate of dose-limiting toxicity.
        cohorts: number of cohorts.
        cohort_size: patients in each cohort.
        start_dose: first dose, from 1.
        margin_left: how far the target key reaches below the target (epsilon 1 of mTPI-2).
        margin_right: how far it reaches above (epsilon 2).
        cutoff_eliminate: posterior probability above which a dose is too toxic.
        trials: simulated trials.
        seed: seed of the random numbers; the same seed gives the same result.

    Returns:
        Probabilities and expected counts, each with its Monte Carlo error.

    Raises:
        InputError: a number is out of range.
    """
    import numpy as np

    check_scenario(true_dlt_prob, cohorts, cohort_size, start_dose, trials)
    patients = np.arange(cohorts * cohort_size + 1)
    table = keyboard_table(target, patients, margin_left, margin_right, cutoff_eliminate)
    return _interval_design(
        true_dlt_prob, target, table, cohorts, cohort_size, start_dose, cutoff_eliminate, trials, _seed(seed)
    )


@method(
    "F1_crm_oc",
    version=1,
    title="Simulated operating characteristics of a CRM design",
    source="Cheung YK. Dose Finding by the CRM, 2011; Morris TP et al. Stat Med 2019;38:2074-2102",
)
def crm_characteristics(
    true_dlt_prob: Sequence[float],
    skeleton: Sequence[float],
    target: float,
    cohorts: int,
    cohort_size: int = COHORT,
    start_dose: int = 1,
    model: CrmModel = CrmModel.EMPIRIC,
    prior_sd: float = PRIOR_SD,
    intercept: float = INTERCEPT,
    trials: int = TRIALS,
    seed: int = SEED,
) -> EscalationCharacteristics:
    """Simulate a CRM trial with its guards many times for assumed true toxicity rates.

    After each cohort the model is fitted as by `continual_reassessment`; no untried dose is skipped, the dose is not
    raised after a cohort with a rate at or above the target, and the trial stops without a dose when the probability
    that the lowest is above the target exceeds 0.95. At the end the model's dose is chosen, at most the highest tried.

    Args:
        true_dlt_prob: true toxicity rate at each dose, lowest first, each from 0 to 1.
        skeleton: prior guesses of the toxicity rate at each dose, increasing, between 0 and 1.
        target: target rate of dose-limiting toxicity, between 0 and 1.
        cohorts: number of cohorts.
        cohort_size: patients in each cohort.
        start_dose: first dose, from 1.
        model: empiric or logistic.
        prior_sd: standard deviation of the normal prior of the parameter, from 0.1 to 10.
        intercept: intercept of the logistic model, from -10 to 10.
        trials: simulated trials.
        seed: seed of the random numbers; the same seed gives the same result.

    Returns:
        Probabilities and expected counts, each with its Monte Carlo error.

    Raises:
        InputError: a number is out of range, or the skeleton does not fit the doses.
    """
    import numpy as np

    check_scenario(true_dlt_prob, cohorts, cohort_size, start_dose, trials)
    between(0, 1, target=target)
    within(NARROWEST_PRIOR, WIDEST_PRIOR, prior_sd=prior_sd)
    within(-LARGEST_INTERCEPT, LARGEST_INTERCEPT, intercept=intercept)
    check_skeleton(skeleton, (), ())
    if len(skeleton) != len(true_dlt_prob):
        raise InputError("the skeleton must have one guess for each dose", path=("skeleton",))
    rate_model = RateModel(tuple(skeleton), model, intercept)
    grid = PosteriorGrid(rate_model, target, prior_sd, cohorts * cohort_size)

    def advance(dose: Integers, n: Integers, dlt: Integers, latest: Integers) -> tuple[Integers, Booleans]:
        mtd, over = grid.fit(n, dlt)
        highest = n.shape[1] - 1 - np.argmax(n[:, ::-1] > 0, axis=1)
        allowed = np.minimum(mtd, highest + 1)
        toxic = latest / cohort_size >= target
        return np.where(toxic, np.minimum(allowed, dose), allowed), over > CUTOFF_STOP

    generator = np.random.default_rng(_seed(seed))
    found = simulate(true_dlt_prob, cohorts, cohort_size, start_dose - 1, trials, advance, generator)
    mtd, _ = grid.fit(found.n, found.dlt)
    highest = found.n.shape[1] - 1 - np.argmax(found.n[:, ::-1] > 0, axis=1)
    selected = np.where(found.stopped, -1, np.minimum(mtd, highest))
    return summarised(true_dlt_prob, target, found, selected)


def _seed(seed: int) -> int:
    if not 0 <= seed < 2**63:
        raise InputError("the seed must be a whole number from 0 to 2^63 - 1", path=("seed",))
    return seed
