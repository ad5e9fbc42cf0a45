"""The posterior of a toxicity rate, and the choice of the maximum tolerated dose at the end of a trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

FEWEST_TO_ELIMINATE = 3
CUTOFF_ELIMINATE = 0.95
PSEUDO_EVENTS = 0.05
PSEUDO_PATIENTS = 0.1
TIE_BREAK = 1e-10


def prob_over(target: float, dlt: Any, n: Any, prior: tuple[float, float] = (1.0, 1.0)) -> Any:
    """Return P(p > target) for a Beta prior after `dlt` toxicities in `n` patients; arrays broadcast."""
    from scipy.special import betaincc

    return betaincc(prior[0] + dlt, prior[1] + n - dlt, target)


def eliminated(target: float, n: Integers, dlt: Integers, cutoff: float = CUTOFF_ELIMINATE) -> NDArray[np.bool_]:
    """Return which doses are eliminated, (..., doses): from the first that is too toxic upwards.

    A dose is too toxic with at least 3 patients and P(p > target) above the cutoff under Beta(1, 1).
    """
    import numpy as np

    toxic = (n >= FEWEST_TO_ELIMINATE) & (prob_over(target, dlt, n) > cutoff)
    return np.logical_or.accumulate(toxic, axis=-1)


def isotonic(values: Floats, weights: Floats) -> Floats:
    """Return the weighted least-squares fit that does not decrease along the last axis, (..., doses).

    Doses of weight 0 take no part and come out as NaN. The fit is the largest over starts of the smallest over ends
    of the weighted means between them, which pooling adjacent violators arrives at, for many trials at once.
    """
    import numpy as np

    used = weights > 0
    best = np.full(values.shape, -np.inf)
    for start in range(values.shape[-1]):
        mass = np.cumsum(weights[..., start:], axis=-1)
        moment = np.cumsum((weights * values)[..., start:], axis=-1)
        counted = used[..., start:] & used[..., start, None]
        means = np.where(counted, moment / np.where(counted, mass, 1.0), np.inf)
        least = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
        best[..., start:] = np.maximum(best[..., start:], np.where(used[..., start, None], least, -np.inf))
    return np.where(used, best, np.nan)


def rates_and_weights(n: Integers | Floats, dlt: Integers, included: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return (x+0.05)/(n+0.1) and the inverse of its variance; the weight is 0 where a dose is not included."""
    import numpy as np

    rate = (dlt + PSEUDO_EVENTS) / (n + PSEUDO_PATIENTS)
    patients = n + PSEUDO_PATIENTS
    variance = (dlt + PSEUDO_EVENTS) * (n - dlt + PSEUDO_EVENTS) / (patients**2 * (patients + 1))
    return rate, np.where(included, 1 / variance, 0.0)


def selected_dose(
    target: float, n: Integers, dlt: Integers, cutoff: float = CUTOFF_ELIMINATE, followed: Floats | None = None
) -> tuple[Integers, Floats]:
    """Return the maximum tolerated dose, (...,), from 0 with -1 for none, and the isotonic rates of all tried doses.

    Over the doses tried and not eliminated the rates are made isotonic, 1e-10 is added for each dose in order, and
    the dose closest to the target is taken, so that of equal doses the higher is taken below the target and the
    lower above it. With the lowest dose eliminated there is none. `followed`: patients as far as they were followed,
    by which the rates go; a dose is eliminated only if it is whatever becomes of those pending.
    """
    import numpy as np

    gone = eliminated(target, n, dlt, cutoff)
    size = n if followed is None else followed
    fit = isotonic(*rates_and_weights(size, dlt, (size > 0) & ~gone))
    rank = np.cumsum(~np.isnan(fit), axis=-1)
    distance = np.where(np.isnan(fit), np.inf, np.abs(fit + rank * TIE_BREAK - target))
    none = np.isinf(distance).all(axis=-1) | gone[..., 0]
    chosen = np.where(none, -1, np.argmin(distance, axis=-1))
    return chosen, isotonic(*rates_and_weights(size, dlt, size > 0))


def counts(n: Sequence[int], dlt: Sequence[int]) -> tuple[Integers, Integers]:
    """Return two lists of counts as arrays."""
    import numpy as np

    return np.asarray(n, dtype=np.int64), np.asarray(dlt, dtype=np.int64)
