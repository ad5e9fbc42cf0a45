"""Bayesian predictive probability of success, and the designs built on it (C6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.efficacy.sequential import count_course
from pipeline.errors import InputError
from pipeline.outcome import Outcome, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SOURCE = "Lee JJ, Liu DD. Clin Trials 2008;5:93-106"
LARGEST_N = 1000
TIE = 1e-12
"""Probabilities that differ by a smaller share are equal: 9 of 10 is not above 0.9."""
WEAKEST_PRIOR, STRONGEST_PRIOR = 1e-6, 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictiveProbability(Outcome):
    """Probability that the trial, carried on to its end, will be a success."""

    pp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictiveDesign(Outcome):
    """Limits at every look, and what they cost and bring.

    At n[i] patients the trial stops for futility with `stop_futility_if_le[i]` responses or fewer (None: never); the
    last entry is the largest number of responses in all patients that is not a success. `stop_efficacy_if_ge` has
    the limits for an early success, None where there is none.
    """

    success_if_ge: int
    n: tuple[int, ...]
    stop_futility_if_le: tuple[int | None, ...]
    stop_efficacy_if_ge: tuple[int | None, ...]
    type1: float
    power: float
    pet_p0: float
    en_p0: float


@method("C6_predictive_probability", version=1, title="Bayesian predictive probability", source=SOURCE)
def predictive_probability(
    x: int, n: int, n_max: int, prior: tuple[float, float], p0: float, theta_t: float
) -> PredictiveProbability:
    """Return the probability, given x responses in n patients, that the trial ends as a success with n_max.

    Success: the posterior probability of a response rate above p0 is at least theta_t. The responses still to come
    are beta-binomial. With n = n_max the result is 0 or 1.

    Args:
        x: responses so far.
        n: patients so far.
        n_max: patients at the end.
        prior: a and b of the Beta(a, b) prior of the response rate, > 0.
        p0: response rate to be beaten.
        theta_t: posterior probability that makes a success.

    Raises:
        InputError: counts that cannot be, or a probability or prior outside its range.
    """
    _check(n_max, prior, p0, theta_t)
    if not 0 <= x <= n <= n_max:
        raise InputError(f"0 <= x <= n <= n_max has to hold, got x = {x}, n = {n}, n_max = {n_max}", path=("x",))
    needed = _success_from(n_max, prior, p0, theta_t)
    chances = next(found for size, found in _predictive(n_max, prior, needed) if size == n)
    return PredictiveProbability(pp=float(chances[x]))


@method("C6_pp_design", version=1, title="Predictive-probability design boundaries", source=SOURCE)
def predictive_design(
    n_max: int,
    prior: tuple[float, float],
    p0: float,
    p1: float,
    theta_t: float,
    theta_l: float,
    n_first_look: int = 10,
    look_every: int = 1,
    theta_u: float = 1.0,
) -> PredictiveDesign:
    """Return the boundaries of a predictive-probability design and its exact operating characteristics.

    The trial stops for futility when the predictive probability is below theta_l (strictly) and for efficacy when it
    is above theta_u (strictly; with 1 never); what is equal at twelve digits is equal. It is looked at from
    n_first_look on, every look_every patients, and at n_max; the looks are in the result as they are.

    Args:
        n_max: largest number of patients.
        prior: a and b of the Beta(a, b) prior of the response rate, > 0.
        p0: response rate to be beaten.
        p1: response rate at which the power is reported, > p0.
        theta_t: posterior probability of a rate above p0 that makes a success.
        theta_l: predictive probability below which the trial stops.
        n_first_look: patients at the first look.
        look_every: patients between looks.
        theta_u: predictive probability above which the trial stops as a success.

    Returns:
        Limits, P(success) under p0 (type 1) and p1 (power), probability to stop before n_max for futility and
        expected number of patients under p0.

    Raises:
        InputError: theta_t is so high that even n_max responses are no success, or an input is outside its range.
    """
    _check(n_max, prior, p0, theta_t)
    if not p0 < p1 < 1:
        raise InputError(f"p0 < p1 < 1 has to hold, got p0 = {p0:g} and p1 = {p1:g}", path=("p1",))
    if not 0 <= theta_l < theta_u <= 1:
        raise InputError(
            f"0 <= theta_l < theta_u <= 1 has to hold, got theta_l = {theta_l:g} and theta_u = {theta_u:g}",
            path=("theta_l",),
        )
    if not 1 <= n_first_look <= n_max or look_every < 1:
        raise InputError(
            f"the first look lies between 1 and n_max = {n_max}, and looks are at least 1 patient apart",
            path=("n_first_look",),
        )
    needed = _success_from(n_max, prior, p0, theta_t)
    if needed > n_max:
        raise InputError(
            f"theta_t = {theta_t:g} cannot be reached: not even {n_max} responses in {n_max} patients are a success; "
            "lower theta_t or enrol more patients",
            path=("theta_t",),
        )
    looks = (*range(n_first_look, n_max, look_every), n_max)
    futile: list[int | None] = []
    effective: list[int | None] = []
    chances_at = dict(_predictive(n_max, prior, needed))
    for look in looks[:-1]:
        chances = chances_at[look]
        low = int((chances < theta_l * (1 - TIE)).sum()) - 1
        high = look + 1 - int((chances > theta_u * (1 + TIE)).sum())
        futile.append(low if low >= 0 else None)
        effective.append(high if high <= look else None)
    bad, good = (count_course(looks, futile, p, effective) for p in (p0, p1))
    return PredictiveDesign(
        success_if_ge=needed,
        n=looks,
        stop_futility_if_le=(*futile, needed - 1 if needed > 0 else None),
        stop_efficacy_if_ge=(*effective, needed),
        type1=sum(bad.stop_high) + float(bad.final[needed:].sum()),
        power=sum(good.stop_high) + float(good.final[needed:].sum()),
        pet_p0=sum(bad.stop_low),
        en_p0=bad.expected_n,
    )


def _check(n_max: int, prior: tuple[float, float], p0: float, theta_t: float) -> None:
    if not 1 <= n_max <= LARGEST_N:
        raise InputError(f"n_max lies between 1 and {LARGEST_N}, got {n_max}", path=("n_max",))
    if not WEAKEST_PRIOR <= min(prior) <= max(prior) <= STRONGEST_PRIOR:
        raise InputError(
            f"both parameters of the beta prior lie between {WEAKEST_PRIOR:g} and {STRONGEST_PRIOR:g}, got {prior}",
            path=("prior",),
        )
    for name, value in (("p0", p0), ("theta_t", theta_t)):
        if not 0 < value < 1:
            raise InputError(f"{name} lies between 0 and 1, got {value:g}", path=(name,))


def _success_from(n_max: int, prior: tuple[float, float], p0: float, theta_t: float) -> int:
    """Return the smallest number of responses in n_max patients that is a success; n_max + 1 when none is."""
    import numpy as np
    from scipy.special import betaincc

    responses = np.arange(n_max + 1)
    posterior = betaincc(prior[0] + responses, prior[1] + n_max - responses, p0)
    reached = np.flatnonzero(posterior >= theta_t)
    return int(reached[0]) if reached.size else n_max + 1


def _predictive(n_max: int, prior: tuple[float, float], needed: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield n, from n_max down to 0, and (n + 1,): the probability to reach `needed` in the end from 0 to n responses.

    The next patient responds with the posterior mean, so what n patients foresee is an average of what n + 1 do: the
    beta-binomial sum without a logarithm of gamma, and in the time of adding.
    """
    import numpy as np

    ahead = (np.arange(n_max + 1) >= needed).astype(float)
    yield n_max, ahead
    for n in range(n_max - 1, -1, -1):
        respond = (prior[0] + np.arange(n + 1)) / (prior[0] + prior[1] + n)
        # from the lower value upwards, so that what is certain stays 0 or 1; rounding must not make it more than 1
        ahead = np.minimum(ahead[:-1] + respond * (ahead[1:] - ahead[:-1]), 1.0)
        yield n, ahead
