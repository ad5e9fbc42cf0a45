"""Maximum-likelihood fit of a logistic regression by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_STEPS = 100
CONVERGED = 1e-11
LARGEST_PREDICTOR = 30.0


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Coefficients (k,), their covariance (k, k), and the log likelihood without its constant."""

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    log_likelihood: float


def fit_logistic(
    design: NDArray[np.float64],
    events: NDArray[np.float64],
    trials: NDArray[np.float64],
    largest_predictor: float = LARGEST_PREDICTOR,
) -> LogisticFit | None:
    """Fit logit P(event) = design @ coefficients.

    Args:
        design: (n, k), covariates, the intercept among them.
        events: (n,), events of each row.
        trials: (n,), trials of each row, >= events.
        largest_predictor: linear predictor beyond which the maximum is taken to lie at infinity.

    Returns:
        The fit; None when the likelihood has no finite maximum that can be found (separation, a covariate without
        variation).
    """
    import numpy as np

    scale = np.abs(design).max(axis=0)
    if not scale.all():
        return None
    scaled = design / scale
    beta = np.zeros(design.shape[1])
    before = _log_likelihood(scaled @ beta, events, trials)
    for _ in range(MOST_STEPS):
        p = 1 / (1 + np.exp(-scaled @ beta))
        information = scaled.T @ (scaled * (trials * p * (1 - p))[:, None])
        try:
            step = np.linalg.solve(information, scaled.T @ (events - trials * p))
        except np.linalg.LinAlgError:
            return None
        while (after := _log_likelihood(scaled @ (beta + step), events, trials)) < before - 1e-12 * abs(before):
            step = step / 2
        beta, before = beta + step, after
        if not np.isfinite(beta).all() or np.abs(scaled @ beta).max() > largest_predictor:
            return None  # fitted probabilities of 0 or 1: the maximum lies at infinity
        if np.abs(step).max() <= CONVERGED * (1 + np.abs(beta).max()):
            covariance = np.linalg.inv(information) / np.outer(scale, scale)
            return LogisticFit(beta / scale, covariance, before)
    return None


def _log_likelihood(predictor: NDArray[np.float64], events: NDArray[np.float64], trials: NDArray[np.float64]) -> float:
    import numpy as np

    return float(np.sum(events * predictor - trials * np.logaddexp(0.0, predictor)))
