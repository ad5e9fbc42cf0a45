"""Areas under concentrations: linear when they rise, logarithmic when they fall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

NEARLY_FLAT = 0.01
FAR_APART = 1e15

Points = Sequence[tuple[float, float]]
"""(time, concentration), times rising."""


def area(points: Points) -> float:
    """Return the area under the curve: linear pieces when rising, equal or from or to 0, else logarithmic ones."""
    return math.fsum(_piece(*first, *second) for first, second in pairwise(points))


def linear_area(points: Points) -> float:
    """Return the area under the curve with linear pieces only."""
    return math.fsum((t2 - t1) * (c1 + c2) / 2 for (t1, c1), (t2, c2) in pairwise(points))


def moment_area(points: Points) -> float:
    """Return the area under concentration times time, with the same choice of pieces as `area`."""
    return math.fsum(_moment_piece(*first, *second) for first, second in pairwise(points))


def falls(c1: float, c2: float) -> bool:
    """Return whether a piece falls with both ends above 0, so that it is taken as logarithmic."""
    return 0 < c2 < c1


def interpolated(points: Points, time: float) -> float:
    """Return the concentration between two points, on the same line or exponential that `area` assumes."""
    for (t1, c1), (t2, c2) in pairwise(points):
        if t1 <= time <= t2:
            share = (time - t1) / (t2 - t1)
            return c1 * math.exp(-share * log_ratio(c1, c2)) if falls(c1, c2) else c1 + (c2 - c1) * share
    raise ValueError(f"{time} lies outside the points")


def log_ratio(c1: float, c2: float) -> float:
    """Return ln(c1 / c2) of a falling piece, exact also when the two are nearly equal or very far apart."""
    return math.log1p((c1 - c2) / c2) if c1 < FAR_APART * c2 else math.log(c1) - math.log(c2)


def _piece(t1: float, c1: float, t2: float, c2: float) -> float:
    if falls(c1, c2):
        return (c1 - c2) * (t2 - t1) / log_ratio(c1, c2)
    return (t2 - t1) * (c1 + c2) / 2


def _moment_piece(t1: float, c1: float, t2: float, c2: float) -> float:
    """Return the moment t1 A + integral of (t - t1) C, which keeps its digits when the piece hardly falls."""
    width = t2 - t1
    if falls(c1, c2):
        x = log_ratio(c1, c2)
        return t1 * (c1 - c2) * width / x + c1 * width**2 * _first_moment(x)
    return width * (t1 * c1 + t2 * c2) / 2


def _first_moment(x: float) -> float:
    """Return (1 - (1 + x) exp(-x)) / x^2, the first moment of an exponential piece that falls by x logs."""
    if x < NEARLY_FLAT:
        return 1 / 2 - x * (1 / 3 - x * (1 / 8 - x * (1 / 30 - x * (1 / 144 - x / 840))))
    return (1 - (1 + x) * math.exp(-x)) / x**2
