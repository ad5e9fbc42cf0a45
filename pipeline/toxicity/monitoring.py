"""Bayesian monitoring of a toxicity rate during a trial (B8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.bounds import above_zero, between, events_among, within
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.toxicity.selection import prob_over

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CUTOFF = 0.95
MOST_PATIENTS = 1000
MOST_RATES = 100

THALL = "Thall PF, Simon RM, Estey EH. Stat Med 1995;14:357-379; Ivanova A et al. Biometrics 2005;61:540-545"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityPosterior(Outcome):
    """Posterior probability that the toxicity rate is above the target."""

    prob_over_target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringRule(Outcome):
    """Stopping boundary at each look, and what the rule does when the true rates are as assumed.

    `stop_if_dlt_ge` has None at looks where no number of toxicities stops the trial.
    """

    looks: tuple[int, ...]
    stop_if_dlt_ge: tuple[int | None, ...]
    first_look_that_can_stop: int | None
    prob_stop: tuple[float, ...]
    expected_n: tuple[float, ...]


def _prior(target: float, prior: tuple[float, float] | None, prior_size: float) -> tuple[float, float]:
    between(0, 1, target=target)
    above_zero(prior_size=prior_size)
    if prior is None:
        return target * prior_size, (1 - target) * prior_size
    above_zero(prior_a=prior[0], prior_b=prior[1])
    return prior


@method("B8_tox_posterior", version=1, title="Posterior probability of excess toxicity", source=THALL)
def toxicity_posterior(
    dlt: int, n: int, target: float, prior: tuple[float, float] | None = None, prior_size: float = 1.0
) -> ToxicityPosterior:
    """Compute P(p > target) under Beta(a + x, b + n - x), by the survival function.

    Args:
        dlt: patients with a toxicity.
        n: patients; 0 gives the prior probability.
        target: rate that should not be exceeded, between 0 and 1.
        prior: parameters a and b of the Beta prior; by default target and 1 - target times the prior size.
        prior_size: how many patients the default prior is worth, usually 1 to 2.

    Raises:
        InputError: there are more toxicities than patients, or a number is out of range.
    """
    events_among(n, dlt)
    return ToxicityPosterior(prob_over_target=float(prob_over(target, dlt, n, _prior(target, prior, prior_size))))


@method("B8_tox_monitoring", version=1, title="Bayesian toxicity monitoring and its characteristics", source=THALL)
def toxicity_monitoring(
    target: float,
    looks: Sequence[int],
    true_p: Sequence[float] = (),
    prior: tuple[float, float] | None = None,
    cutoff: float = CUTOFF,
    prior_size: float = 1.0,
) -> MonitoringRule:
    """Tabulate when to stop for toxicity, with the exact operating characteristics of the rule.

    At n patients stop with the smallest x for which P(p > target | x, n) is above the cutoff. The distribution of
    toxicities is carried from look to look and the mass at or above the boundary taken out. Looking after each
    patient and after every fifth have different error rates with the same cutoff.

    Args:
        target: rate that should not be exceeded, between 0 and 1.
        looks: numbers of patients at which the rule is applied, increasing; the last is the full trial.
        true_p: true rates, each from 0 to 1, for which to give the characteristics.
        prior: parameters of the Beta prior; by default target and 1 - target times the prior size.
        cutoff: posterior probability above which to stop, usually 0.80 to 0.975.
        prior_size: how many patients the default prior is worth, usually 1 to 2.

    Returns:
        Boundary, (looks,), the first look at which the trial can stop, and for each true rate the probability of
        stopping (at the last look included) and the expected number of patients.

    Raises:
        InputError: the looks do not increase, or a number is out of range.
    """
    a, b = _prior(target, prior, prior_size)
    between(0, 1, cutoff=cutoff)
    for n in looks:
        within(1, MOST_PATIENTS, looks=n)
    if any(earlier >= later for earlier, later in pairwise(looks)):
        raise InputError("the looks must increase", path=("looks",))
    within(0, MOST_RATES, true_rates=len(true_p))
    for rate in true_p:
        within(0, 1, true_p=rate)
    if not looks:
        return MonitoringRule(
            looks=(),
            stop_if_dlt_ge=(),
            first_look_that_can_stop=None,
            prob_stop=(),
            expected_n=(),
            reason=Reason.NO_DATA,
        )
    import numpy as np

    from pipeline.toxicity.boundaries import smallest_over

    boundary = smallest_over(target, np.asarray(looks), cutoff, (a, b)).tolist()
    stop, expected = stopping(looks, boundary, true_p)
    reached = tuple(limit if limit <= n else None for limit, n in zip(boundary, looks, strict=True))
    return MonitoringRule(
        looks=tuple(looks),
        stop_if_dlt_ge=reached,
        first_look_that_can_stop=next((n for n, x in zip(looks, reached, strict=True) if x is not None), None),
        prob_stop=stop,
        expected_n=expected,
        flags=() if any(x is not None for x in reached) else ("can_never_stop",),
    )


def stopping(
    looks: Sequence[int], boundary: Sequence[int], true_p: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return for each true rate P(x >= boundary at some look) and the expected n, by exact recursion."""
    import numpy as np

    rates = np.asarray(true_p, dtype=float)[:, None]
    alive = np.ones((len(true_p), 1))
    stopped, expected = np.zeros(len(true_p)), np.zeros(len(true_p))
    before = 0
    for n, limit in zip(looks, boundary, strict=True):
        step = binomial_masses(n - before, rates)
        shorter, longer = sorted((alive, step), key=lambda masses: masses.shape[1])
        spread = np.zeros((len(true_p), alive.shape[1] + n - before))
        for x in range(shorter.shape[1]):
            spread[:, x : x + longer.shape[1]] += shorter[:, x : x + 1] * longer
        out = spread[:, limit:].sum(axis=1)
        stopped += out
        expected += n * out
        alive, before = spread[:, :limit], n
    expected += before * alive.sum(axis=1)
    return tuple(np.minimum(stopped, 1.0).tolist()), tuple(expected.tolist())


def binomial_masses(n: int, rates: Floats) -> Floats:
    """Return P(X = x) for x = 0 to n, (rates, n + 1), for a column of rates, (rates, 1)."""
    import numpy as np
    from scipy.special import gammaln, xlog1py, xlogy

    x = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    return np.asarray(np.exp(ways + xlogy(x, rates) + xlog1py(n - x, -rates)))
