"""The same results the straightforward way: what the tests hold the quick methods against, and the bench beside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.efficacy.sequential import binomial_pmf
from pipeline.efficacy.simon_search import TwoStageDesign
from pipeline.pharmacology.line import Line, fit_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Found = tuple[TwoStageDesign | None, TwoStageDesign | None]


def terminal_lines(points: Sequence[tuple[float, float]]) -> list[Line]:
    """Return the lines of ln concentration on time over the last 3, 4, ... points, each fitted from the start."""
    logs = [(time, math.log(conc)) for time, conc in points]
    return [fit_line(*zip(*logs[-n:], strict=True)) for n in range(3, len(points) + 1)]


def two_stage_designs(p0: float, p1: float, alpha: float, beta: float, n_max: int) -> Found:
    """Return the optimal and the minimax design after judging every first stage of every size by itself."""
    optimal: TwoStageDesign | None = None
    minimax: TwoStageDesign | None = None
    for n in range(2, n_max + 1):
        bound = math.inf if optimal is None else optimal.en_p0
        best = _best_of_size(n, p0, p1, alpha, beta, bound)
        if best is not None:
            optimal, minimax = best, minimax or best
    return optimal, minimax


def predictive_chances(n: int, n_max: int, prior: tuple[float, float], needed: int) -> Floats:
    """Return (n + 1,): the probability to reach `needed` responses of n_max, for 0 to n so far, as a plain sum."""
    import numpy as np
    from scipy.special import betaln, gammaln

    left = n_max - n
    x, y = np.arange(n + 1)[:, None], np.arange(left + 1)[None, :]
    a, b = prior[0] + x, prior[1] + n - x
    log = gammaln(left + 1) - gammaln(y + 1) - gammaln(left - y + 1) + betaln(a + y, b + left - y) - betaln(a, b)
    chances: Floats = np.where(x + y >= needed, np.exp(log), 0.0).sum(axis=1)
    return chances


def _best_of_size(n: int, p0: float, p1: float, alpha: float, beta: float, bound: float) -> TwoStageDesign | None:
    import numpy as np

    best: TwoStageDesign | None = None
    for n1 in range(1, n):
        if n1 >= bound:
            break
        early_bad, early_good = np.cumsum(binomial_pmf(n1, p0))[:-1], np.cumsum(binomial_pmf(n1, p1))[:-1]
        expected = n1 + (1 - early_bad) * (n - n1)
        candidates = (early_good <= beta) & (expected < bound)
        if not candidates.any():
            continue
        power = _exceed(n1, n, p1)
        enough = power >= 1 - beta
        largest = np.where(enough.any(axis=1), n - 1 - np.argmax(enough[:, ::-1], axis=1), -1)
        type1 = _exceed(n1, n, p0)[np.arange(n1), largest]
        candidates &= (largest >= 0) & (type1 <= alpha)
        for r1 in np.flatnonzero(candidates):
            if best is None or expected[r1] < best.en_p0:
                r = int(largest[r1])
                best = TwoStageDesign(
                    r1=int(r1),
                    n1=n1,
                    r=r,
                    n=n,
                    en_p0=float(expected[r1]),
                    pet_p0=float(early_bad[r1]),
                    type1=float(type1[r1]),
                    power=float(power[r1, r]),
                )
                bound = best.en_p0
    return best


def _exceed(n1: int, n: int, p: float) -> Floats:
    """Return P(X1 > r1 and X1 + X2 > r) as a matrix over r1 = 0..n1 - 1 and r = 0..n - 1."""
    import numpy as np

    second = np.append(np.cumsum(binomial_pmf(n - n1, p)[::-1])[::-1], 0.0)
    needed = np.clip(np.arange(n)[None, :] + 1 - np.arange(n1 + 1)[:, None], 0, n - n1 + 1)
    joint = binomial_pmf(n1, p)[:, None] * second[needed]
    from_top: Floats = np.cumsum(joint[::-1], axis=0)[::-1]
    return np.minimum(from_top[1:], 1.0)
