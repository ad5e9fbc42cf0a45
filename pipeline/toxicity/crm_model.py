"""The model of the continual reassessment method: one parameter between prior guesses and toxicity rates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

INTERCEPT = 3.0
LARGEST_INTERCEPT = 10.0
LIMIT = 10.0
# The posterior is integrated where it is above exp(-FALL) of its peak, found on a coarse grid.
COARSE, FALL = 401, 60.0
PANELS, NODES = 40, 10
LEAST_LOG = -1e-300
LEAST_LOG_RATE = -1e300
# Rates that lie this close to equally far from the target are equally far.
TIE_DECIMALS = 12


class CrmModel(StrEnum):
    """How the toxicity rate depends on the parameter a."""

    EMPIRIC = "empiric"
    LOGISTIC = "logistic"


@dataclass(frozen=True, slots=True)
class RateModel:
    """F(d, a) for a skeleton of prior guesses p.

    empiric: p^exp(a). logistic: 1 / (1 + exp(-c - exp(a) x)) with x = logit(p) - c and the intercept c.
    """

    skeleton: tuple[float, ...]
    kind: CrmModel = CrmModel.EMPIRIC
    intercept: float = INTERCEPT

    def log_rates(self, a: Floats) -> tuple[Floats, Floats]:
        """Return log F and log(1 - F) for every a and every dose, (..., doses), exact near 0 and 1."""
        import numpy as np
        from scipy.special import log_expit, logit

        slope = np.exp(np.asarray(a))[..., None]
        guesses = np.asarray(self.skeleton)
        if self.kind is CrmModel.EMPIRIC:
            toxic = slope * np.log(guesses)
            return toxic, np.log(-np.expm1(np.minimum(toxic, LEAST_LOG)))
        linear = self.intercept + slope * (logit(guesses) - self.intercept)
        return log_expit(linear), log_expit(-linear)

    def rates(self, a: Floats) -> Floats:
        """Return F for every a and every dose, (..., doses)."""
        import numpy as np

        return np.asarray(np.exp(self.log_rates(a)[0]))

    def parameter_at(self, rate: float) -> float | None:
        """Return the a at which the lowest dose has this rate, None where there is none."""
        guess = self.skeleton[0]
        if self.kind is CrmModel.EMPIRIC:
            return log(log(rate) / log(guess))
        slope = log(guess / (1 - guess)) - self.intercept
        ratio = (log(rate / (1 - rate)) - self.intercept) / slope if slope else 0.0
        return log(ratio) if ratio > 0 else None


@dataclass(frozen=True, slots=True)
class Posterior:
    """Mean and variance of the parameter, and the probability that the lowest dose is above the target."""

    mean: float
    variance: float
    prob_lowest_over: float


def posterior(
    model: RateModel, level: Integers, dlt: Integers, weight: Floats, target: float, prior_sd: float
) -> Posterior:
    """Integrate the posterior of the parameter over [-10, 10] by Gauss-Legendre panels.

    Arrays have one entry for each patient, (n,): the dose from 0, the toxicity 0 or 1, and the weight w that makes
    the likelihood of a patient without toxicity 1 - wF. Patients of weight 1 enter by their counts at each dose.
    """
    import numpy as np

    doses = len(model.skeleton)
    toxicities = np.bincount(level[dlt == 1], minlength=doses)
    complete = np.bincount(level[(dlt == 0) & (weight == 1)], minlength=doses)
    pending = (dlt == 0) & (weight < 1)
    pending_level, pending_weight = level[pending], weight[pending]

    def log_density(a: Floats) -> Floats:
        toxic, safe = model.log_rates(a)
        toxic, safe = np.maximum(toxic, LEAST_LOG_RATE), np.maximum(safe, LEAST_LOG_RATE)
        partial = np.log1p(-pending_weight * np.exp(toxic[:, pending_level])).sum(axis=1)
        counted = np.einsum("ij,j->i", toxic, toxicities) + np.einsum("ij,j->i", safe, complete)
        return np.asarray(counted + partial - (a / prior_sd) ** 2 / 2)

    coarse = np.linspace(-LIMIT, LIMIT, COARSE)
    heights = log_density(coarse)
    kept = coarse[heights > heights.max() - FALL]
    step = 2 * LIMIT / (COARSE - 1)
    low, high = max(-LIMIT, kept[0] - step), min(LIMIT, kept[-1] + step)
    edges = np.linspace(low, high, PANELS + 1)
    cut = model.parameter_at(target)
    if cut is not None and low < cut < high:
        edges = np.sort(np.append(edges, cut))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges)[:, None] / 2
    a = (edges[:-1, None] + half + half * nodes).ravel()
    fine = log_density(a)
    mass = (half * weights).ravel() * np.exp(fine - fine.max())
    total = mass.sum()
    mean = float((a * mass).sum() / total)
    over = model.rates(a)[:, 0] > target
    return Posterior(mean, float(((a - mean) ** 2 * mass).sum() / total), float(mass[over].sum() / total))
