"""Exact probabilities of a count that is looked at several times and may stop low or high."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


MOST_CASES = 10_000


@dataclass(frozen=True, slots=True)
class CountCourse:
    """What happens to a count over its looks at one true rate.

    Attributes:
        stop_low: probability of stopping low, per look.
        stop_high: probability of stopping high, per look.
        final: (looks[-1] + 1,), probability of ending with each count without having stopped before.
        expected_n: expected number of cases.
    """

    stop_low: tuple[float, ...]
    stop_high: tuple[float, ...]
    final: NDArray[np.float64]
    expected_n: float


def binomial_pmf(n: int, p: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of 0 to n events in n cases, (n + 1,); for a column of rates (m, 1) a row for each."""
    import numpy as np
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(n + 1)
    log: NDArray[np.float64] = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, p) + xlog1py(n - k, -p)
    return np.exp(log)


def check_looks(looks: Sequence[int]) -> None:
    """Refuse looks that are missing, not positive, too large to convolve, or do not rise."""
    rising = all(before < after for before, after in pairwise(looks))
    if not looks or looks[0] < 1 or not rising:
        raise InputError(f"the looks must be rising numbers of cases from 1 on, got {list(looks)}", path=("looks",))
    if looks[-1] > MOST_CASES:
        raise InputError(f"a count is followed over at most {MOST_CASES} cases, got {looks[-1]}", path=("looks",))


def count_course(
    looks: Sequence[int],
    stop_if_le: Sequence[int | None],
    p: float,
    stop_if_ge: Sequence[int | None] | None = None,
) -> CountCourse:
    """Follow a binomial count from look to look by exact convolution.

    Args:
        looks: numbers of cases at the looks, rising.
        stop_if_le: per look but the last, the count up to which it stops low; None never stops there.
        p: true rate of an event.
        stop_if_ge: per look but the last, the count from which it stops high; None for all or one never does.

    Raises:
        InputError: the looks do not rise, the limits do not match the looks, or the rate is outside 0 to 1.
    """
    import numpy as np

    check_looks(looks)
    interim = len(looks) - 1
    high = [None] * interim if stop_if_ge is None else list(stop_if_ge)
    if len(stop_if_le) != interim or len(high) != interim:
        raise InputError(
            f"every look but the last needs one limit (null where it has none): {interim} for {len(looks)} looks",
            path=("stop_if_le",),
        )
    if not 0 <= p <= 1:
        raise InputError(f"a rate lies between 0 and 1, got {p:g}", path=("p",))
    sizes = [after - before for before, after in pairwise((0, *looks))]
    steps = {size: binomial_pmf(size, p) for size in set(sizes)}
    mass, expected = np.ones(1), 0.0
    lows, highs = [], []
    for index, size in enumerate(sizes):
        expected += float(mass.sum()) * size
        mass = np.convolve(mass, steps[size])
        if index == interim:
            break
        low, top = stop_if_le[index], high[index]
        below = mass[: low + 1].sum() if low is not None and low >= 0 else 0.0
        above = mass[top:].sum() if top is not None else 0.0
        lows.append(float(below))
        highs.append(float(above))
        if low is not None and low >= 0:
            mass[: low + 1] = 0.0
        if top is not None:
            mass[top:] = 0.0
    return CountCourse(tuple(lows), tuple(highs), mass, expected)
