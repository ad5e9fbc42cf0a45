"""Simulated dose-escalation trials, all of them side by side, and what they came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.bounds import above_zero, within
from pipeline.outcome import Outcome
from pipeline.toxicity.boundaries import MOST_PATIENTS, DecisionTable
from pipeline.toxicity.crm import MOST_LEVELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

MOST_TRIALS = 50_000
MOST_STEPS = 5_000_000
"""Largest number of trials times cohorts times doses: about a second on one core."""

Advance = Callable[["Integers", "Integers", "Integers", "Integers"], tuple["Integers", "Booleans"]]
"""(dose, n, dlt, toxicities of the latest cohort) -> (next dose, whether the trial stops), for trials at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationCharacteristics(Outcome):
    """How a design behaved in simulated trials; lists have one entry for each dose.

    A `..._mc_error` is the Monte Carlo standard error of the value it is named after.
    """

    prob_select: tuple[float, ...]
    prob_select_mc_error: tuple[float, ...]
    prob_select_none: float
    prob_select_none_mc_error: float
    prob_stop_early: float
    prob_stop_early_mc_error: float
    prob_select_over_target: float
    prob_select_over_target_mc_error: float
    expected_n: tuple[float, ...]
    expected_n_mc_error: tuple[float, ...]
    expected_dlt: tuple[float, ...]
    expected_total_n: float
    expected_total_n_mc_error: float
    trials: int


@dataclass(frozen=True, slots=True)
class Trials:
    """Simulated trials: counts, (trials, doses), the last dose from 0, and which stopped early, (trials,)."""

    n: Integers
    dlt: Integers
    dose: Integers
    stopped: Booleans


def simulate(
    true_p: Sequence[float],
    cohorts: int,
    cohort_size: int,
    start: int,
    trials: int,
    advance: Advance,
    generator: np.random.Generator,
) -> Trials:
    """Run many trials side by side, cohort by cohort; `start` counts doses from 0."""
    import numpy as np

    rates = np.asarray(true_p, dtype=float)
    n = np.zeros((trials, len(true_p)), dtype=np.int64)
    dlt = np.zeros_like(n)
    dose = np.full(trials, start, dtype=np.int64)
    stopped = np.zeros(trials, dtype=bool)
    running = np.arange(trials)
    for _ in range(cohorts):
        here = dose[running]
        toxic = generator.binomial(cohort_size, rates[here])
        n[running, here] += cohort_size
        dlt[running, here] += toxic
        following, stop = advance(here, n[running], dlt[running], toxic)
        dose[running] = following
        stopped[running[stop]] = True
        running = running[~stop]
        if not len(running):
            break
    return Trials(n, dlt, dose, stopped)


def by_table(table: DecisionTable) -> Advance:
    """Return the moves of an interval design; it stops when the lowest dose is eliminated."""
    import numpy as np

    def advance(dose: Integers, n: Integers, dlt: Integers, _latest: Integers) -> tuple[Integers, Booleans]:
        row = np.arange(len(dose))
        here, toxic = n[row, dose], dlt[row, dose]
        gone = np.logical_or.accumulate(dlt >= table.eliminate[n], axis=1)
        top = np.minimum(dose + 1, n.shape[1] - 1)
        up = (toxic <= table.escalate[here]) & (top > dose) & ~gone[row, top]
        down = (toxic >= table.deescalate[here]) & (dose > 0)
        return dose + up - down, gone[:, 0]

    return advance


def summarised(true_p: Sequence[float], target: float, found: Trials, selected: Integers) -> EscalationCharacteristics:
    """Return the characteristics of simulated trials; `selected` is the dose from 0, -1 for none."""
    import numpy as np

    trials = len(selected)

    def error(p: float) -> float:
        return float(np.sqrt(p * (1 - p) / trials))

    doses = np.arange(len(true_p))
    chosen = (selected[:, None] == doses).mean(axis=0)
    none = float((selected < 0).mean())
    early = float(found.stopped.mean())
    over = float(chosen[np.asarray(true_p) > target].sum())
    total = found.n.sum(axis=1)
    spread = max(trials - 1, 1)
    return EscalationCharacteristics(
        prob_select=tuple(chosen.tolist()),
        prob_select_mc_error=tuple(error(p) for p in chosen.tolist()),
        prob_select_none=none,
        prob_select_none_mc_error=error(none),
        prob_stop_early=early,
        prob_stop_early_mc_error=error(early),
        prob_select_over_target=over,
        prob_select_over_target_mc_error=error(over),
        expected_n=tuple(found.n.mean(axis=0).tolist()),
        expected_n_mc_error=tuple(np.sqrt(found.n.var(axis=0) / spread).tolist()),
        expected_dlt=tuple(found.dlt.mean(axis=0).tolist()),
        expected_total_n=float(total.mean()),
        expected_total_n_mc_error=float(np.sqrt(total.var() / spread)),
        trials=trials,
    )


def check_scenario(true_p: Sequence[float], cohorts: int, cohort_size: int, start_dose: int, trials: int) -> None:
    """Refuse a scenario without doses, with rates that are none, or too large to simulate."""
    within(1, MOST_LEVELS, n_doses=len(true_p))
    for rate in true_p:
        within(0, 1, true_dlt_prob=rate)
    above_zero(cohorts=cohorts, cohort_size=cohort_size)
    within(1, MOST_PATIENTS, cohorts_times_cohort_size=cohorts * cohort_size)
    within(1, len(true_p), start_dose=start_dose)
    within(1, MOST_TRIALS, trials=trials)
    within(1, MOST_STEPS, trials_times_cohorts_times_doses=trials * cohorts * len(true_p))
