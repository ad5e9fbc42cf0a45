"""The posterior of the CRM for many trials at once, from counts by dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.toxicity.crm_model import FALL, LEAST_LOG_RATE, LIMIT, TIE_DECIMALS, RateModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

PANEL_WIDTH = 0.2
NODES = 6
# Products up to this size stay on one core: where cores are busy, waiting for a second one costs far more.
PRODUCT = 250_000
LARGEST_CODE = 2**62
NEGLIGIBLE = -300.0  # what is smaller still would only make exp slow


class PosteriorGrid:
    """A fixed Gauss-Legendre grid over the parameter; the likelihood of a trial needs only its counts."""

    def __init__(self, model: RateModel, target: float, prior_sd: float, most_patients: int) -> None:
        import numpy as np

        self.model = model
        self.target = target
        # The more patients and the narrower the prior, the narrower the peaks the panels have to resolve.
        width = min(PANEL_WIDTH, prior_sd, 2 / np.sqrt(most_patients))
        edges = np.linspace(-LIMIT, LIMIT, 2 * int(np.ceil(LIMIT / width)) + 1)
        cut = model.parameter_at(target)
        if cut is not None and -LIMIT < cut < LIMIT:
            edges = np.unique(np.append(edges, cut))
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        half = np.diff(edges)[:, None] / 2
        self.a = (edges[:-1, None] + half + half * nodes).ravel()
        self.log_mass = np.log((half * weights).ravel()) - (self.a / prior_sd) ** 2 / 2
        toxic, safe = model.log_rates(self.a)
        self.toxic, self.safe = np.maximum(toxic.T, LEAST_LOG_RATE), np.maximum(safe.T, LEAST_LOG_RATE)
        self.over = (model.rates(self.a)[:, 0] > target).astype(float)

    def fit(self, n: Integers, dlt: Integers) -> tuple[Integers, Floats]:
        """Return for each trial, (trials,), the model's dose from 0 and P(lowest dose above the target).

        Counts are (trials, doses). Trials with equal counts are computed once.
        """
        import numpy as np

        states, place = distinct_rows(np.concatenate([n, dlt], axis=1))
        doses = n.shape[1]
        means, over = np.empty(len(states)), np.empty(len(states))
        rows = max(1, PRODUCT // (doses * len(self.a)))
        for start in range(0, len(states), rows):
            here = slice(start, start + rows)
            part = states[here].astype(float)
            toxic, safe = part[:, doses:], part[:, :doses] - part[:, doses:]
            log_density = self.log_mass + toxic @ self.toxic + safe @ self.safe
            log_density -= log_density.max(axis=1, keepdims=True)
            kept = (log_density > -FALL).any(axis=0)
            mass = np.exp(np.maximum(log_density[:, kept], NEGLIGIBLE))
            total = mass.sum(axis=1)
            means[here] = np.einsum("ij,j->i", mass, self.a[kept]) / total
            over[here] = np.einsum("ij,j->i", mass, self.over[kept]) / total
        rates = self.model.rates(means)
        closest = np.argmin(np.round(np.abs(rates - self.target), TIE_DECIMALS), axis=1)
        closest = np.where((rates <= self.target).all(axis=1), doses - 1, closest)
        mtd = np.where((rates >= self.target).all(axis=1), 0, closest)
        return mtd[place], over[place]


def distinct_rows(counts: Integers) -> tuple[Integers, Integers]:
    """Return the distinct rows of counts from 0 on, in rising order, and the place of each row among them.

    Each row becomes one number to sort by, its counts the digits; numpy compares rows a hundred times as long.
    """
    import numpy as np

    code = np.zeros(len(counts), dtype=np.int64)
    codes = 1
    for column in counts.T:
        base = int(column.max(initial=0)) + 1
        if codes * base > LARGEST_CODE:
            code = np.unique(code, return_inverse=True)[1].reshape(-1)
            codes = int(code.max()) + 1
        code = code * base + column
        codes *= base
    _, first, place = np.unique(code, return_index=True, return_inverse=True)
    return counts[first], place.reshape(-1)
