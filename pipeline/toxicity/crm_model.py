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
COARSE, FALL = 2001, 60.0
PANELS, NODES = 40, 10
LEAST_LOG = -1e-300


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
    the likelihood of a patient without toxicity 1 - wF.
    """
    import numpy as np

    def log_density(a: Floats) -> Floats:
        toxic, safe = model.log_rates(a)
        with np.errstate(divide="ignore"):
            partial = np.where(weight == 1, safe[:, level], np.log1p(-weight * np.exp(toxic[:, level])))
        density = np.where(dlt == 1, toxic[:, level], partial).sum(axis=1) - (a / prior_sd) ** 2 / 2
        return np.asarray(density)

    coarse = np.linspace(-LIMIT, LIMIT, COARSE)
    heights = log_density(coarse)
    peak = heights.max()
    kept = coarse[heights > peak - FALL]
    step = 2 * LIMIT / (COARSE - 1)
    low, high = max(-LIMIT, kept[0] - step), min(LIMIT, kept[-1] + step)
    edges = np.linspace(low, high, PANELS + 1)
    cut = model.parameter_at(target)
    if cut is not None and low < cut < high:
        edges = np.sort(np.append(edges, cut))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges)[:, None] / 2
    a = (edges[:-1, None] + half + half * nodes).ravel()
    mass = (half * weights).ravel() * np.exp(log_density(a) - peak)
    total = mass.sum()
    mean = float((a * mass).sum() / total)
    over = model.rates(a)[:, 0] > target
    return Posterior(mean, float(((a - mean) ** 2 * mass).sum() / total), float(mass[over].sum() / total))
