"""Simon's two-stage designs (C4) and the estimate after one (C5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.efficacy.response_rate import check_level
from pipeline.efficacy.sequential import binomial_pmf
from pipeline.efficacy.simon_search import DesignSearch, TwoStageDesign
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

LARGEST_N = 200
LARGEST_TRIAL = 1000
RATES_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SimonDesigns(Outcome):
    """The design with the smallest expected size under p0, and the one with the smallest size."""

    optimal: TwoStageDesign | None
    minimax: TwoStageDesign | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimonCharacteristics(Outcome):
    """For every p: probability to reject H0, to stop early, and the expected number of patients."""

    prob_reject: tuple[float, ...]
    pet: tuple[float, ...]
    expected_n: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageRule(Outcome):
    """The final limit for the numbers actually reached, with the error rates it attains."""

    r1: int
    n1: int
    n: int
    r: int | None = None
    type1: float | None = None
    power: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageEstimate(Outcome):
    """The response rate after a two-stage design, unbiased, with its p-value and confidence limits."""

    stopped_early: bool
    umvue: float
    p_value: float
    ci: tuple[float | None, float | None]


def _tail(n: int, p: Floats) -> Floats:
    """Return P(X >= k) for rates (m,) and k from 0 to n + 1, (m, n + 2), summed from the small end."""
    import numpy as np

    tail = np.zeros((p.size, n + 2))
    tail[:, n::-1] = np.cumsum(binomial_pmf(n, p[:, None])[:, ::-1], axis=1)
    return tail


def _exceed(r1: int, n1: int, n: int, r: ArrayLike, p: ArrayLike) -> Floats:
    """Return P(X1 > r1 and X1 + X2 > r) for rates (m,) and limits (k,), (m, k)."""
    import numpy as np

    rates = np.atleast_1d(np.asarray(p, dtype=float))
    x1 = np.arange(n1, r1, -1)
    needed = np.clip(np.atleast_1d(r) + 1 - x1[:, None], 0, n - n1 + 1)
    joint = binomial_pmf(n1, rates[:, None])[:, x1, None] * _tail(n - n1, rates)[:, needed]
    return np.minimum(np.cumsum(joint, axis=1)[:, -1], 1.0)


@method(
    "C4_simon_two_stage",
    version=1,
    title="Simon optimal and minimax designs",
    source="Simon R. Control Clin Trials 1989;10:1-10",
)
def simon_designs(p0: float, p1: float, alpha: float = 0.05, beta: float = 0.2, n_max: int = 100) -> SimonDesigns:
    """Search the two-stage designs of at most n_max patients that keep both error rates.

    Every (r1/n1, r/n) is judged by exact binomial sums. Optimal: smallest expected number of patients under p0;
    minimax: smallest n, then smallest expected number. Of several final limits r that keep both error rates the
    largest is taken, as in the source: it has the smallest type 1 error.

    Args:
        p0: response rate that is not worth following.
        p1: response rate that would be, > p0.
        alpha: largest P(reject H0 | p0).
        beta: largest P(not reject H0 | p1).
        n_max: largest total number of patients searched, at most 200.

    Returns:
        Both designs; None, for `outside_domain`, where none has at most n_max patients.

    Raises:
        InputError: not 0 < p0 < p1 < 1, an error rate outside 0 to 1, or n_max outside 2 to 200.
    """
    _check_rates(p0, p1, alpha, beta)
    if not 2 <= n_max <= LARGEST_N:
        raise InputError(f"n_max lies between 2 and {LARGEST_N}, got {n_max}", path=("n_max",))
    optimal, minimax = _searched(p0, p1, alpha, beta, n_max)
    missing = {"optimal": Reason.OUTSIDE_DOMAIN, "minimax": Reason.OUTSIDE_DOMAIN} if optimal is None else {}
    why = Reason.OUTSIDE_DOMAIN if optimal is None else None
    return SimonDesigns(optimal=optimal, minimax=minimax, reason=why, missing=missing)


@lru_cache(maxsize=256)
def _searched(
    p0: float, p1: float, alpha: float, beta: float, n_max: int
) -> tuple[TwoStageDesign | None, TwoStageDesign | None]:
    """Return the optimal and the minimax design; a rule is assessed by the same one over and over."""
    search = DesignSearch(p0, p1, alpha, beta, n_max)
    optimal: TwoStageDesign | None = None
    minimax: TwoStageDesign | None = None
    for n in range(2, n_max + 1):
        best = search.best_of_size(n, math.inf if optimal is None else optimal.en_p0)
        if best is not None:
            optimal, minimax = best, minimax or best
    return optimal, minimax


def _check_rates(p0: float, p1: float, alpha: float, beta: float) -> None:
    if not 0 < p0 < p1 < 1:
        raise InputError(f"the rates have to be 0 < p0 < p1 < 1, got p0 = {p0:g} and p1 = {p1:g}", path=("p0",))
    for name, rate in (("alpha", alpha), ("beta", beta)):
        if not 0 < rate < 1:
            raise InputError(f"{name} lies between 0 and 1, got {rate:g}", path=(name,))


def _check_design(r1: int, n1: int, n: int, r: int | None = None) -> None:
    if n > LARGEST_TRIAL:
        raise InputError(f"a two-stage trial has at most {LARGEST_TRIAL} patients here, got {n}", path=("n",))
    if not 1 <= n1 < n or not 0 <= r1 < n1:
        raise InputError(
            f"a two-stage design has 1 <= n1 < n and 0 <= r1 < n1, got r1/n1 = {r1}/{n1} and n = {n}", path=("n1",)
        )
    if r is not None and not r1 <= r < n:
        raise InputError(
            f"the final limit lies between r1 and n - 1, got r = {r} for {r1}/{n1} and n = {n}", path=("r",)
        )


@method(
    "C4_simon_oc",
    version=1,
    title="Simon design operating characteristics",
    source="Simon R. Control Clin Trials 1989;10:1-10",
)
def simon_characteristics(r1: int, n1: int, r: int, n: int, p: Sequence[float]) -> SimonCharacteristics:
    """Return what a two-stage design does at each true response rate, by exact binomial sums.

    Args:
        r1: responses up to which the trial stops after the first stage.
        n1: patients of the first stage.
        r: responses up to which the drug is rejected at the end.
        n: patients of both stages.
        p: true response rates.

    Raises:
        InputError: the design is impossible, or a rate lies outside 0 to 1.
    """
    import numpy as np

    _check_design(r1, n1, n, r)
    for rate in p:
        if not 0 <= rate <= 1:
            raise InputError(f"a response rate lies between 0 and 1, got {rate:g}", path=("p",))
    parts = np.split(np.asarray(p, dtype=float), range(RATES_AT_ONCE, len(p), RATES_AT_ONCE))
    early = np.concatenate([binomial_pmf(n1, part[:, None])[:, : r1 + 1].sum(axis=1) for part in parts])
    stops = np.minimum(early, 1.0).tolist()
    return SimonCharacteristics(
        prob_reject=tuple(np.concatenate([_exceed(r1, n1, n, r, part)[:, 0] for part in parts]).tolist()),
        pet=tuple(stops),
        expected_n=tuple(n1 + (1 - stop) * (n - n1) for stop in stops),
    )


@method(
    "C4_simon_rule",
    version=1,
    title="Final limit of a two-stage trial as it was carried out",
    source="Simon R. Control Clin Trials 1989;10:1-10",
)
def simon_rule(r1: int, n1: int, n: int, p0: float, p1: float, alpha: float = 0.05) -> TwoStageRule:
    """Recompute the final limit when a stage took more or fewer patients than planned.

    The printed r no longer holds then. The smallest r is taken for which P(reject H0 | p0) <= alpha with the first
    stage as it was done: r1 responses or fewer of the actual n1 would have stopped the trial.

    Args:
        r1: responses up to which the first stage, as done, stopped the trial.
        n1: patients the first stage took.
        n: patients both stages took or will take.
        p0: response rate that is not worth following.
        p1: response rate at which the attained power is reported.
        alpha: largest type 1 error.

    Returns:
        The limit and the attained error rates; None, for `outside_domain`, where no limit keeps alpha.

    Raises:
        InputError: the numbers or rates are impossible.
    """
    import numpy as np

    _check_design(r1, n1, n)
    _check_rates(p0, p1, alpha, 0.5)
    type1 = _exceed(r1, n1, n, np.arange(n), p0)[0]
    kept = np.flatnonzero(type1 <= alpha)
    kept = kept[kept >= r1]
    if not kept.size:
        return TwoStageRule(r1=r1, n1=n1, n=n, reason=Reason.OUTSIDE_DOMAIN)
    r = int(kept[0])
    power = float(_exceed(r1, n1, n, r, p1)[0, 0])
    return TwoStageRule(r1=r1, n1=n1, r=r, n=n, type1=float(type1[r]), power=power)


@method(
    "C5_simon_inference",
    version=1,
    title="Estimate after a two-stage design",
    source="Jung SH, Kim KM. Stat Med 2004;23:881-896; Koyama T, Chen H. Stat Med 2008;27:3145-3154",
)
def simon_inference(
    total_responses: int, r1: int, n1: int, n: int, p0: float, conf_level: float = 0.9
) -> TwoStageEstimate:
    """Estimate the response rate after a two-stage trial that followed its stopping rule.

    The raw proportion is biased by the stop. Returned are the uniformly minimum variance unbiased estimate, the
    p-value at p0 in the ordering by stage and responses, and the rates at which that p-value equals the two tails of
    the confidence level. A total of r1 or fewer means that the trial stopped after the first stage.

    Args:
        total_responses: responses in all patients treated.
        r1: responses up to which the trial stopped after the first stage.
        n1: patients of the first stage.
        n: patients of both stages.
        p0: response rate of the null hypothesis.
        conf_level: level of the two-sided limits.

    Returns:
        Estimate, p-value and limits; without a response both limits are None, for `undefined_limit`.

    Raises:
        InputError: the design is impossible, there are more responses than patients, or p0 or the level is outside
            0 to 1.
    """
    _check_design(r1, n1, n)
    check_level(conf_level)
    if not 0 < p0 < 1:
        raise InputError(f"p0 lies between 0 and 1, got {p0:g}", path=("p0",))
    if not 0 <= total_responses <= n:
        raise InputError(f"{total_responses} responses in {n} patients cannot be", path=("total_responses",))
    stopped = total_responses <= r1
    tail = (1 - conf_level) / 2
    lower = upper = None
    if total_responses > 0:
        lower = _rate_with_tail(total_responses, r1, n1, n, tail)
        upper = _rate_with_tail(total_responses, r1, n1, n, 1 - tail)
    return TwoStageEstimate(
        stopped_early=stopped,
        umvue=total_responses / n1 if stopped else _umvue(total_responses, r1, n1, n),
        p_value=_at_least_as_extreme(total_responses, r1, n1, n, p0),
        ci=(lower, upper),
        missing={} if total_responses else {"ci": Reason.UNDEFINED_LIMIT},
    )


def _umvue(s: int, r1: int, n1: int, n: int) -> float:
    n2 = n - n1
    first = range(max(r1 + 1, s - n2), min(n1, s) + 1)
    above = sum(math.comb(n1 - 1, k - 1) * math.comb(n2, s - k) for k in first)
    return above / sum(math.comb(n1, k) * math.comb(n2, s - k) for k in first)


def _at_least_as_extreme(s: int, r1: int, n1: int, n: int, p: float) -> float:
    import numpy as np

    if s <= r1:
        return min(float(_tail(n1, np.array([p]))[0, s]), 1.0)
    return float(_exceed(r1, n1, n, s - 1, p)[0, 0])


def _rate_with_tail(s: int, r1: int, n1: int, n: int, level: float) -> float:
    """Return the rate at which a result at least this extreme has the probability `level`."""
    from scipy.optimize import brentq

    return float(brentq(lambda p: _at_least_as_extreme(s, r1, n1, n, p) - level, 0.0, 1.0, xtol=1e-12))
