"""Stays in stages as counts: how many of each group left a stage after each length, and how many were at risk then.

The lengths that occur in each stage are numbered once. From then on the counts of any way to group the stays are sums
over these numbers: nothing is sorted or searched again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

MOST_TICKS = 4_000_000
"""Up to here distinct numbers are found with a table of all that lie between; beyond, by sorting."""


def distinct(numbers: Ints, below: int) -> tuple[Ints, Ints]:
    """Return the distinct numbers ascending, (m,), and the place in them of each, (n,).

    Args:
        numbers: (n,), from 0.
        below: more than any of them.
    """
    import numpy as np

    if below > MOST_TICKS:
        found, place = np.unique(numbers, return_inverse=True)
        return found, place.astype(np.int64)
    present = np.zeros(below, dtype=bool)
    present[numbers] = True
    return np.flatnonzero(present), np.cumsum(present)[numbers] - 1


@dataclass(frozen=True, slots=True, eq=False)
class Risk:
    """One group of stays in one stage.

    Attributes:
        stays: how many there are.
        late: how many of them are observed only from later than their beginning on.
        events_at: (m,), places of these times among all lengths of the stage.
        times: (m,), lengths in days after which one was left, ascending.
        events: (m,), how many were.
        at_risk: (m,), how many were at risk: observed from before then, and as long or longer.
    """

    stays: int
    late: int
    events_at: Ints
    times: Days
    events: Ints
    at_risk: Ints


@dataclass(frozen=True, slots=True, eq=False)
class RiskTables:
    """The stays of a stage in any number of groups: stays and late (g,), times (m,), events and at_risk (g, m)."""

    stays: Ints
    late: Ints
    times: Days
    events: Ints
    at_risk: Ints

    def group(self, number: int) -> Risk:
        """Return one group, at the times when it was left."""
        return self._at_events(
            int(self.stays[number]), int(self.late[number]), self.events[number], self.at_risk[number]
        )

    def whole(self) -> Risk:
        """Return all groups together, at the times when any was left."""
        return self._at_events(
            int(self.stays.sum()), int(self.late.sum()), self.events.sum(axis=0), self.at_risk.sum(axis=0)
        )

    def _at_events(self, stays: int, late: int, events: Ints, at_risk: Ints) -> Risk:
        import numpy as np

        some = np.flatnonzero(events)
        return Risk(stays, late, some, self.times[some], events[some], at_risk[some])


@dataclass(frozen=True, slots=True, eq=False)
class Lengths:
    """Stays by the place of their length among all lengths of their stage.

    Attributes:
        stage: (s,), stage number of each stay.
        left: places of the stays that ended.
        first: (stages + 1,), where the lengths of each stage begin in `times`, and where the last ends.
        times: (m,), the lengths that occur, by stage and ascending, in days.
        leave: (s,), place in `times` of each stay's length.
        late: places of the stays observed from later than their beginning on.
        enter: for each of these, the place in `times` of the first length at which it is at risk.
    """

    stage: Ints
    left: Ints
    first: Ints
    times: Days
    leave: Ints
    late: Ints
    enter: Ints

    @classmethod
    def of(cls, stage: Ints, days: Days, left: Flags, entry: Days, stages: int) -> Lengths:
        """Return stays with their lengths numbered.

        Args:
            stage: (s,), stage number of each.
            days: (s,), its length, above 0, in whole and half days, as lie between middles of two whole days.
            left: (s,), whether it ended.
            entry: (s,), days after its beginning from which it is observed, below its length.
            stages: how many stages there are.
        """
        import numpy as np

        ticks = (2 * days).astype(np.int64)
        span = int(ticks.max(initial=0)) + 1
        keys, leave = distinct(stage * span + ticks, stages * span)
        first = np.searchsorted(keys, np.arange(stages + 1) * span)
        late = np.flatnonzero(entry > 0)
        enter = np.searchsorted(keys, stage[late] * span + (2 * entry[late]).astype(np.int64), side="right")
        return cls(stage, np.flatnonzero(left), first, (keys % span) / 2, leave, late, enter)

    def tables(self, group: Ints, groups: int) -> list[RiskTables]:
        """Return the counts of every stage; group: (s,), the group of each stay."""
        import numpy as np

        size, base = self.times.size, group * self.times.size
        leave = base + self.leave
        exits = np.bincount(leave, minlength=groups * size).reshape(groups, size)
        events = np.bincount(leave[self.left], minlength=groups * size).reshape(groups, size)
        # At risk from the first length of its stage on, or from a later one, until after its own.
        change = np.zeros((groups, size + 1), dtype=np.int64)
        change[:, 1:] = -exits
        there = np.flatnonzero(np.diff(self.first))
        stays = np.zeros((groups, self.first.size - 1), dtype=np.int64)
        late = np.zeros_like(stays)
        if there.size:
            stays[:, there] = np.add.reduceat(exits, self.first[there], axis=1)
            change[:, self.first[there]] += stays[:, there]
        if self.late.size:
            mine, stage = group[self.late], self.stage[self.late]
            np.add.at(late, (mine, stage), 1)
            np.add.at(change, (mine, self.first[stage]), -1)
            np.add.at(change, (mine, self.enter), 1)
        at_risk = np.cumsum(change[:, :-1], axis=1)
        edges = self.first.tolist()
        return [
            RiskTables(
                stays[:, stage],
                late[:, stage],
                self.times[edges[stage] : edges[stage + 1]],
                events[:, edges[stage] : edges[stage + 1]],
                at_risk[:, edges[stage] : edges[stage + 1]],
            )
            for stage in range(self.first.size - 1)
        ]
