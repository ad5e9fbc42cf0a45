"""What a stop/go checkpoint does to bad and to good molecules (F1): exactly for counts, by simulation otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.efficacy.sequential import check_looks, count_course
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import significant

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Z_95 = 1.959963984540054
FEWEST_REPLICATES = 10_000
STOP, CONSIDER, GO = -1, 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """Probabilities of each decision at one true rate. `p_stop` includes the early stops."""

    p_go: float
    p_stop: float
    p_consider: float
    p_early_stop: float
    expected_n: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointCharacteristics(Outcome):
    """Error rates of a checkpoint, and what its decisions are worth at a prevalence of good molecules."""

    false_go: float
    false_stop: float
    bad: Characteristics
    good: Characteristics
    ppv_go: float | None
    npv_stop: float | None


@method(
    "F1_checkpoint_oc",
    version=1,
    title="Operating characteristics of a stop/go checkpoint",
    source="Lalonde RL et al. Clin Pharmacol Ther 2007;82:21-32; Frewer P et al. Pharm Stat 2016;15:255-263",
)
def checkpoint_characteristics(
    looks: Sequence[int],
    futility_stop_if_le: Sequence[int | None],
    final_stop_if_le: int,
    final_go_if_ge: int,
    p_bad: float,
    p_good: float,
    prevalence_good: float | None = None,
) -> CheckpointCharacteristics:
    """Return the operating characteristics of a rule on a count of successes, by exact recursion.

    At every look but the last the trial stops with the futility limit or fewer successes; at the last the decision is
    stop up to one limit, go from another, else consider. False go = P(go | bad), false stop = P(stop | good), early
    stops included. With a prevalence of good molecules, PPV(go) = prev P(go | good) / P(go), NPV(stop) likewise.

    Args:
        looks: patients at the looks, rising.
        futility_stop_if_le: limit at every look but the last; null where the rule does not look for futility.
        final_stop_if_le: successes in all up to which the decision is stop.
        final_go_if_ge: successes in all from which the decision is go.
        p_bad: success rate of a molecule that should stop.
        p_good: success rate of a molecule that should go on, > p_bad.
        prevalence_good: share of good molecules among those that come here; null leaves the predictive values out.

    Raises:
        InputError: stop and go overlap, limits do not match the looks, or a probability is outside its range.
    """
    check_looks(looks)
    if final_stop_if_le >= final_go_if_ge:
        raise InputError(
            f"stop up to {final_stop_if_le} and go from {final_go_if_ge} overlap: the go limit must be the higher one",
            path=("final_go_if_ge",),
        )
    if len(futility_stop_if_le) != len(looks) - 1:
        raise InputError(
            f"every look but the last needs a futility limit (null for none): {len(looks) - 1}, "
            f"not {len(futility_stop_if_le)}",
            path=("futility_stop_if_le",),
        )
    _check_rates(p_bad, p_good, prevalence_good)
    bad, good = (
        _characteristics(looks, futility_stop_if_le, final_stop_if_le, final_go_if_ge, p) for p in (p_bad, p_good)
    )
    ppv, npv = predictive_values(bad, good, prevalence_good)
    values = {"ppv_go": ppv, "npv_stop": npv}
    why = Reason.NO_DATA if prevalence_good is None else Reason.UNDEFINED_LIMIT
    return CheckpointCharacteristics(
        false_go=bad.p_go,
        false_stop=good.p_stop,
        bad=bad,
        good=good,
        ppv_go=ppv,
        npv_stop=npv,
        missing={name: why for name, value in values.items() if value is None},
    )


def _check_rates(p_bad: float, p_good: float, prevalence: float | None) -> None:
    if not 0 <= p_bad < p_good <= 1:
        raise InputError(
            f"0 <= p_bad < p_good <= 1 has to hold, got {p_bad:g} and {p_good:g}: the rule separates two truths",
            path=("p_bad",),
        )
    if prevalence is not None and not 0 <= prevalence <= 1:
        raise InputError(f"a prevalence lies between 0 and 1, got {prevalence:g}", path=("prevalence_good",))


def _characteristics(
    looks: Sequence[int], futility: Sequence[int | None], stop: int, go: int, p: float
) -> Characteristics:
    course = count_course(looks, futility, p)
    early = math.fsum(course.stop_low)
    stopped = early + float(course.final[: max(stop + 1, 0)].sum())
    gone = float(course.final[max(go, 0) :].sum())
    considered = float(course.final[max(stop + 1, 0) : max(go, 0)].sum())
    return Characteristics(
        p_go=gone, p_stop=stopped, p_consider=considered, p_early_stop=early, expected_n=course.expected_n
    )


def predictive_values(
    bad: Characteristics, good: Characteristics, prevalence_good: float | None
) -> tuple[float | None, float | None]:
    """Return P(good | go) and P(bad | stop); None without a prevalence or when the decision is never taken."""
    if prevalence_good is None:
        return None, None
    right_go, wrong_go = prevalence_good * good.p_go, (1 - prevalence_good) * bad.p_go
    right_stop, wrong_stop = (1 - prevalence_good) * bad.p_stop, prevalence_good * good.p_stop
    gone, stopped = right_go + wrong_go, right_stop + wrong_stop
    return right_go / gone if gone > 0 else None, right_stop / stopped if stopped > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarloError(Outcome):
    """Standard error of a simulated rate, its 95 % half-width, and the replicates for a wanted half-width."""

    mc_se: float
    ci95_half_width: float
    n_for_half_width: int | None


@method(
    "F1_mc_error",
    version=1,
    title="Monte Carlo error of a simulated rate",
    source="Morris TP, White IR, Crowther MJ. Stat Med 2019;38:2074-2102",
)
def monte_carlo_error(p: float, n_sim: int, target_half_width: float | None = None) -> MonteCarloError:
    """Return how far a simulated rate may be off: sqrt(p (1 - p) / N), and ceil(1.96^2 p (1 - p) / h^2) replicates.

    Args:
        p: the rate.
        n_sim: replicates it was simulated with.
        target_half_width: half-width wanted of its 95 % interval; null for none.

    Raises:
        InputError: a rate outside 0 to 1, no replicates, or a half-width that is not above 0.
    """
    if not 0 <= p <= 1:
        raise InputError(f"a rate lies between 0 and 1, got {p:g}", path=("p",))
    if n_sim < 1:
        raise InputError(f"a simulation has at least 1 replicate, got {n_sim}", path=("n_sim",))
    if target_half_width is not None and target_half_width <= 0:
        raise InputError(f"a half-width must be above 0, got {target_half_width:g}", path=("target_half_width",))
    error = math.sqrt(p * (1 - p) / n_sim)
    needed = None
    if target_half_width is not None:
        needed = math.ceil(significant(Z_95**2 * p * (1 - p) / target_half_width**2))
    return MonteCarloError(
        mc_se=error,
        ci95_half_width=Z_95 * error,
        n_for_half_width=needed,
        missing={} if needed is not None else {"n_for_half_width": Reason.NO_DATA},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCharacteristics(Outcome):
    """Simulated probabilities of each decision, each with its Monte Carlo error."""

    replicates: int
    p_go: float
    p_stop: float
    p_consider: float
    mc_se: Mapping[str, float]


Draw = Callable[["np.random.Generator", int], Mapping[str, Any]]
Decide = Callable[[Mapping[str, Any]], "NDArray[np.int64]"]


def simulated_characteristics(
    draw: Draw, decide: Decide, generator: np.random.Generator, replicates: int = FEWEST_REPLICATES
) -> SimulatedCharacteristics:
    """Simulate a rule that mixes criteria, where no exact recursion exists.

    Args:
        draw: (generator, replicates) -> name -> array over the replicates of what the rule will see, under one truth.
        decide: that mapping -> (replicates,) of STOP, CONSIDER or GO.
        generator: source of chance; the caller keeps its seed with the result.
        replicates: at least 10,000.

    Raises:
        InputError: too few replicates, or decisions of another shape or kind.
    """
    import numpy as np

    if replicates < FEWEST_REPLICATES:
        raise InputError(
            f"a rule is simulated with at least {FEWEST_REPLICATES} replicates, not {replicates}", path=("replicates",)
        )
    decisions = np.asarray(decide(draw(generator, replicates)))
    if decisions.shape != (replicates,) or not np.isin(decisions, (STOP, CONSIDER, GO)).all():
        raise InputError("a rule decides stop (-1), consider (0) or go (1) once for each replicate", path=("decide",))
    rates = {
        name: float((decisions == code).mean())
        for name, code in (("p_go", GO), ("p_stop", STOP), ("p_consider", CONSIDER))
    }
    return SimulatedCharacteristics(
        replicates=replicates,
        p_go=rates["p_go"],
        p_stop=rates["p_stop"],
        p_consider=rates["p_consider"],
        mc_se={name: math.sqrt(rate * (1 - rate) / replicates) for name, rate in rates.items()},
    )
