"""The search of Simon's two-stage designs: all first stages of one size at once, and only limits that can do."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from pipeline.efficacy.sequential import binomial_pmf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SLACK = 1e-9
"""What is passed over misses its error rate by more than this share, far above the rounding of the sums."""
LARGEST_LOG = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageDesign:
    """Stop after n1 patients with r1 or fewer responses; the drug is rejected with r or fewer in all n."""

    r1: int
    n1: int
    r: int
    n: int
    en_p0: float
    pet_p0: float
    type1: float
    power: float


@dataclass(frozen=True, slots=True)
class _Responses:
    """Responses at one true rate as matrices over the number of patients (rows) and a count k (columns).

    Attributes:
        pmf: P(X = k); 0 beyond the number of patients.
        cdf: P(X <= k).
        tail: P(X >= k), summed from the small end.
    """

    pmf: Floats
    cdf: Floats
    tail: Floats

    @classmethod
    def of(cls, n_max: int, p: float) -> _Responses:
        import numpy as np

        pmf = np.zeros((n_max + 1, n_max + 2))
        for n in range(n_max + 1):
            pmf[n, : n + 1] = binomial_pmf(n, p)
        return cls(pmf, np.cumsum(pmf, axis=1), np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1])

    def exceed(self, n1: Integers, n: int, x1: Integers, r: int) -> Floats:
        """Return P(X1 >= x1 and X > r) over first stages n1 and counts x1, which fall from max(n1) on."""
        import numpy as np

        second = self.tail[(n - n1)[:, None], np.maximum(r + 1 - x1, 0)]
        chance: Floats = np.minimum(np.cumsum(self.pmf[n1[:, None], x1] * second, axis=1), 1.0)
        return chance


class DesignSearch:
    """Designs that keep P(reject | p0) <= alpha and P(not reject | p1) <= beta, by size."""

    def __init__(self, p0: float, p1: float, alpha: float, beta: float, n_max: int) -> None:
        self.alpha, self.beta = alpha, beta
        self.bad, self.good = _Responses.of(n_max, p0), _Responses.of(n_max, p1)
        self.log_ratio_response = log(p0 / p1)
        self.log_ratio_none = log((1 - p0) / (1 - p1))

    def best_of_size(self, n: int, bound: float) -> TwoStageDesign | None:
        """Return the design of n patients with the smallest expected size under p0, if one lies below the bound."""
        import numpy as np

        start = self._largest_limit(n)
        n1 = np.arange(1, n)
        n1 = n1[n1 < bound]
        if start is None or not n1.size:
            return None
        r1 = np.arange(n1[-1])
        early_bad = self.bad.cdf[n1[:, None], r1]
        expected = n1[:, None] + (1 - early_bad) * (n - n1)[:, None]
        candidates = (r1 < n1[:, None]) & (self.good.cdf[n1[:, None], r1] <= self.beta) & (expected < bound)
        rows = np.flatnonzero(candidates.any(axis=1))
        if not rows.size:
            return None
        x1 = np.arange(n1[rows[-1]], int(candidates.any(axis=0).argmax()), -1)
        waiting, size = candidates[rows[:, None], x1 - 1], expected[rows[:, None], x1 - 1]
        limit = np.full(size.shape, -1)
        type1, power = np.zeros_like(size), np.zeros_like(size)
        for r in range(start, -1, -1):
            error = self.bad.exceed(n1[rows], n, x1, r)
            waiting &= error <= self.alpha  # with a smaller limit it is larger still
            kept = self.good.exceed(n1[rows], n, x1, r)
            found = waiting & (kept >= 1 - self.beta)
            limit[found], type1[found], power[found] = r, error[found], kept[found]
            waiting &= ~found
            if not waiting.any():
                break
        size = np.where(limit >= 0, size, np.inf)[:, ::-1]  # of equal sizes the first n1, then the first r1
        row, column = divmod(int(size.argmin()), x1.size)
        place = row, x1.size - 1 - column
        if limit[place] < 0:
            return None
        stage = rows[row], x1[place[1]] - 1
        return TwoStageDesign(
            r1=int(stage[1]),
            n1=int(n1[stage[0]]),
            r=int(limit[place]),
            n=n,
            en_p0=float(expected[stage]),
            pet_p0=float(early_bad[stage]),
            type1=float(type1[place]),
            power=float(power[place]),
        )

    def _largest_limit(self, n: int) -> int | None:
        """Return the largest limit that keeps the power without a stop, None where no design of n patients can do.

        A design rejects for some outcomes of all n patients, so by Neyman and Pearson's lemma its type 1 error is at
        least that of the test which takes the largest totals, the last of them in part, up to the same power.
        """
        import numpy as np

        power = self.good.tail[n, 1 : n + 1]
        enough = np.flatnonzero(power >= 1 - self.beta - SLACK)
        if not enough.size:
            return None
        r = int(enough[-1])
        spare = float(power[r]) - (1 - self.beta) + SLACK
        ratio = (r + 1) * self.log_ratio_response + (n - r - 1) * self.log_ratio_none
        least = float(self.bad.tail[n, r + 1]) * (1 - SLACK) - exp(min(ratio, LARGEST_LOG)) * spare * (1 + SLACK)
        return r if least <= self.alpha * (1 + SLACK) else None
