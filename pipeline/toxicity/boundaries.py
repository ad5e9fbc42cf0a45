"""Integer boundaries of interval designs: what to do with x toxicities among n patients at a dose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.outcome import Outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

MOST_PATIENTS = 1000
NEVER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries(Outcome):
    """Boundaries by number of patients at the dose; None where no number of toxicities reaches one."""

    n: tuple[int, ...]
    escalate_if_le: tuple[int | None, ...]
    deescalate_if_ge: tuple[int | None, ...]
    eliminate_if_ge: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """Boundaries as arrays, indexed by n from 0 to the largest number of patients.

    Escalate with at most `escalate[n]` toxicities (NEVER for none), de-escalate from `deescalate[n]` and eliminate
    from `eliminate[n]` on (n + 1 for never).
    """

    escalate: Integers
    deescalate: Integers
    eliminate: Integers


def smallest_where(patients: Integers, holds: Callable[[Integers], NDArray[np.bool_]]) -> Integers:
    """Return for each n the smallest x from 0 to n for which `holds`, n + 1 where there is none.

    `holds` takes one x for each n and, once true, has to stay true as x grows, so that a bisection finds it.
    """
    import numpy as np

    low, high = np.zeros_like(patients), patients + 1
    while (low < high).any():
        middle = (low + high) // 2
        true = (middle > patients) | holds(np.minimum(middle, patients))
        low, high = np.where(true, low, np.minimum(middle + 1, high)), np.where(true, middle, high)
    return low


def smallest_over(
    target: float, patients: Integers, cutoff: float, prior: tuple[float, float] = (1.0, 1.0)
) -> Integers:
    """Return for each n the smallest x with P(p > target | x, n) above the cutoff, n + 1 where there is none."""
    from pipeline.toxicity.selection import prob_over

    return smallest_where(patients, lambda x: prob_over(target, x, patients, prior) > cutoff)


def listed(patients: Integers, escalate: Integers, deescalate: Integers, eliminate: Integers) -> Boundaries:
    """Return boundaries as a result, with None where a boundary cannot be reached."""

    def reached(limits: Integers) -> tuple[int | None, ...]:
        pairs = zip(limits.tolist(), patients.tolist(), strict=True)
        return tuple(int(limit) if 0 <= limit <= n else None for limit, n in pairs)

    return Boundaries(
        n=tuple(patients.tolist()),
        escalate_if_le=reached(escalate),
        deescalate_if_ge=reached(deescalate),
        eliminate_if_ge=reached(eliminate),
    )
