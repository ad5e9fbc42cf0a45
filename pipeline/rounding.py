"""Comparison of a computed number with a printed limit, so that 3 x 40 mg is 120 mg and a 20 % increase is 20 %."""

from __future__ import annotations

import math

DIGITS = 12


def significant(value: float, digits: int = DIGITS) -> float:
    """Return the value rounded to so many significant digits; 0 and what is not finite stay what they are."""
    return float(f"{value:.{digits - 1}e}") if math.isfinite(value) else value


def readable(value: float, digits: int = 3) -> str:
    """Return a number as people write it, to so many significant digits: 1,230 for 1234.5, and 0.0123 for 0.012345."""
    rounded = significant(value, digits)
    return f"{rounded:,.0f}" if 1_000 <= abs(rounded) < 1e15 else f"{rounded:.{digits}g}"


def at_least(value: float, limit: float) -> bool:
    """Return whether value >= limit once both are rounded to 12 significant digits."""
    return significant(value) >= significant(limit)


def above(value: float, limit: float) -> bool:
    """Return whether value > limit once both are rounded to 12 significant digits."""
    return significant(value) > significant(limit)


def at_most(value: float, limit: float) -> bool:
    """Return whether value <= limit once both are rounded to 12 significant digits."""
    return not above(value, limit)


def below(value: float, limit: float) -> bool:
    """Return whether value < limit once both are rounded to 12 significant digits."""
    return not at_least(value, limit)
