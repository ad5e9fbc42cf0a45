"""A straight line through points by least squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """An ordinary least-squares line over n points.

    Attributes:
        slope: 0 when the x do not differ enough to tell.
        r_squared: explained share of the variance; 0 for a flat line.
        slope_se: standard error of the slope; 0 with fewer than 3 points.
    """

    n: int
    intercept: float
    slope: float
    r_squared: float
    slope_se: float

    @property
    def adj_r_squared(self) -> float:
        """R2 corrected for the number of points, of which there are at least 3."""
        return 1 - (1 - self.r_squared) * (self.n - 1) / (self.n - 2)


def fit_line(x: Sequence[float], y: Sequence[float]) -> Line:
    """Fit y = intercept + slope * x over at least 2 points."""
    n = len(x)
    mean_x, mean_y = math.fsum(x) / n, math.fsum(y) / n
    pairs = [(a - mean_x, b - mean_y) for a, b in zip(x, y, strict=True)]
    sxx, syy = math.fsum(a * a for a, _ in pairs), math.fsum(b * b for _, b in pairs)
    sxy = math.fsum(a * b for a, b in pairs)
    slope = sxy / sxx if sxx > 0 else 0.0
    rest = math.fsum((b - slope * a) ** 2 for a, b in pairs)
    error = math.sqrt(rest / (n - 2) / sxx) if n > 2 and sxx > 0 else 0.0
    return Line(n, mean_y - slope * mean_x, slope, slope * sxy / syy if syy > 0 else 0.0, error)
