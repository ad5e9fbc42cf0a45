"""The course of every programme as it was on a day: what is dated, what is stayed in, what stopped, where it stands.

Everything is worked out for all programmes at once, on columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.attrition.portfolio import KINDS, REASONS, STATUSES, Portfolio, StageOf
from pipeline.attrition.review_settings import KINDS as STOP_KINDS
from pipeline.attrition.review_settings import Settings
from pipeline.words import MoveKind, Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

IN_PHASE, STALLED, STOPPED, UNANNOUNCED, APPROVED = range(5)
STANDINGS = ("IN_PHASE", "STALLED", "STOPPED", "UNANNOUNCED", "APPROVED")
CAUSES = ("ADVANCED", *STOP_KINDS, "UNANNOUNCED")
"""How a stay in a stage ends; a stay that has not ended, or ended otherwise, has the cause CENSORED."""
CENSORED = -1
LEAST_DAYS = 0.5
"""How long a stay is taken to have lasted that began and ended on one day."""

_STATUS = {name: number for number, name in enumerate(STATUSES)}
_DISCONTINUED, _COMPLETED = _STATUS[Status.DISCONTINUED], _STATUS[Status.COMPLETED]
_RESTART = KINDS.index(MoveKind.RESTART)
_SPAN = 1 << 22  # days; more than lie between the years 1 and 9999


@dataclass(frozen=True, slots=True)
class Phases:
    """The phases that are counted, and to which of them each stage belongs.

    codes: stages before approval that are no combined ones. of_stage: stage number -> phase number, `len(codes)` from
    approval on; a combined stage counts as the last phase it combines.
    """

    codes: tuple[str, ...]
    of_stage: tuple[int, ...]
    approvable: bool

    @classmethod
    def of(cls, stages: tuple[StageOf, ...], approval: str) -> Phases:
        """Return the phases of the stages of a graph; without the stage of approval all of them are phases."""
        goal = next((stage.ordinal for stage in stages if stage.code == approval), None)
        before = [stage for stage in stages if goal is None or stage.ordinal < goal]
        single = [stage.code for stage in before if not stage.combines]
        number = {code: place for place, code in enumerate(single)}
        early = {stage.code for stage in before}
        found = []
        for stage in stages:
            parts = [number[code] for code in stage.combines if code in number]
            if stage.code not in early:
                found.append(len(single))
            elif stage.code in number:
                found.append(number[stage.code])
            else:
                found.append(max(parts, default=0))
        return cls(tuple(single), tuple(found), goal is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Stays in a stage, each begun by entering it or by a restart; a hold does not end one.

    Attributes:
        owner: (s,), place of the programme.
        stage: (s,), stage number.
        begun: (s,), the day it began.
        days: (s,), length until it ended or was last seen, at least LEAST_DAYS where it ended.
        least, most: (s,), how short and how long it can have been with the dates as they are known.
        cause: (s,), place in CAUSES, or CENSORED.
        entry: (s,), days after its beginning from which it is observed.
        usable: (s,), whether its beginning and its end are known well enough to be timed, and anything was observed.
    """

    owner: Ints
    stage: Ints
    begun: Days
    days: Days
    least: Days
    most: Days
    cause: Ints
    entry: Days
    usable: Flags

    def only_usable(self) -> Stays:
        """Return those that can be timed."""
        return Stays(*(getattr(self, column.name)[self.usable] for column in fields(Stays)))


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """Stops of programmes: row (k,) of the transition, owner, stage it was in, reason, day, kind as place in CAUSES."""

    row: Ints
    owner: Ints
    stage: Ints
    reason: Ints
    day: Days
    kind: Ints


@dataclass(frozen=True, eq=False)
class Courses:
    """Programmes followed until a day.

    Attributes:
        portfolio: the programmes that had begun by then, with the transitions that count.
        day: until when they are followed.
        earliest, latest: (t,), first and last day of each transition that agree with the order of the moves.
        at: (t,), the day in the middle of both, the one that is counted with.
        conflict: (p,), whether a move lies before the one it follows, whatever the day.
        future: places in the portfolio asked about, of programmes with a move after the day.
        unknown: the same, of programmes with a stage that the graph does not know; they are left out.
    """

    portfolio: Portfolio
    settings: Settings
    phases: Phases
    day: int
    earliest: Ints
    latest: Ints
    at: Days
    conflict: Flags
    future: Ints
    unknown: Ints

    @cached_property
    def first(self) -> Ints:
        """(p,), the first transition of each programme."""
        import numpy as np

        return np.flatnonzero(self._begins)

    @cached_property
    def last(self) -> Ints:
        """(p,), the last transition of each programme."""
        import numpy as np

        return np.append(self.first[1:] - 1, self.portfolio.owner.size - 1)[: self.first.size]

    @cached_property
    def _begins(self) -> Flags:
        import numpy as np

        owner = self.portfolio.owner
        begins = np.ones(owner.size, dtype=bool)
        begins[1:] = owner[1:] != owner[:-1]
        return begins

    @cached_property
    def phase(self) -> Ints:
        """(t,), the phase of the stage after each transition."""
        import numpy as np

        return np.asarray(self.phases.of_stage, dtype=np.int64)[self.portfolio.stage]

    @cached_property
    def top(self) -> Ints:
        """(p,), the furthest phase each programme reached; the number of phases for approval."""
        import numpy as np

        return np.maximum.reduceat(self.phase, self.first) if self.first.size else self.phase

    @cached_property
    def standing(self) -> Ints:
        """(p,), where each programme stands, whatever it reached before: IN_PHASE, STALLED, STOPPED or UNANNOUNCED."""
        import numpy as np

        last, p = self.last, self.portfolio
        status, stage = p.status[last], p.stage[last]
        silent_for = self.day - self.latest[last]
        found = np.full(last.size, IN_PHASE)
        active = status == _STATUS[Status.ACTIVE]
        found[active & (silent_for > self._limits(self.settings.silence_days)[stage])] = STALLED
        found[status == _STATUS[Status.STALLED]] = STALLED
        over = (status == _COMPLETED) & (silent_for > self._limits(self.settings.waiting_days)[stage])
        found[over] = UNANNOUNCED
        found[status == _DISCONTINUED] = STOPPED
        return found

    @cached_property
    def end(self) -> Ints:
        """(p,), how each programme's way ended: APPROVED whatever came later, else where it stands."""
        import numpy as np

        return np.where(self.top >= len(self.phases.codes), APPROVED, self.standing)

    @cached_property
    def late_entry(self) -> Flags:
        """(p,), whether a programme was first on record at a stage where none begins."""
        import numpy as np

        initial = np.array([stage.initial for stage in self.portfolio.stages], dtype=bool)
        return ~initial[self.portfolio.stage[self.first]]

    @cached_property
    def ended(self) -> Days:
        """(p,), the day until which each programme is followed: that of the review, or of falling silent."""
        import numpy as np

        last, p = self.last, self.portfolio
        ended = np.full(last.size, float(self.day))
        stalled, over = self.standing == STALLED, self.standing == UNANNOUNCED
        said = p.status[last] == _STATUS[Status.STALLED]
        limit = np.where(said, 0.0, self._limits(self.settings.silence_days)[p.stage[last]])
        ended[stalled] = (self.at[last] + limit)[stalled]
        ended[over] = (self.at[last] + self._limits(self.settings.waiting_days)[p.stage[last]])[over]
        followed: Days = np.minimum(ended, float(self.day))
        return followed

    @cached_property
    def off(self) -> Flags:
        """(t,), whether the programme was stopped after each transition."""
        off: Flags = self.portfolio.status == _DISCONTINUED
        return off

    @cached_property
    def stops(self) -> Stops:
        """Every stop, also of programmes that were restarted later."""
        import numpy as np

        p, off = self.portfolio, self.off
        before = np.append(False, off[:-1])
        rows = np.flatnonzero(off & (self._begins | ~before))
        came_from = np.where(self._begins[rows], p.stage[rows], p.stage[rows - 1])
        reason = p.reason[rows].astype(np.int64)
        return Stops(rows, p.owner[rows], came_from.astype(np.int64), reason, self.at[rows], self._kinds(rows))

    @cached_property
    def stays(self) -> Stays:
        """Every stay in a stage."""
        return _stays(self)

    def _limits(self, days: Mapping[str, int]) -> Days:
        import numpy as np

        return np.array([float(days.get(stage.code, np.inf)) for stage in self.portfolio.stages])

    def _kinds(self, rows: Ints) -> Ints:
        """Return the place in CAUSES of the reasons of transitions."""
        import numpy as np

        kinds = [self.settings.kind_of(reason) for reason in REASONS] + [self.settings.kind_of(None)]
        return np.array([CAUSES.index(kind) for kind in kinds])[self.portfolio.reason[rows]]


def follow(portfolio: Portfolio, settings: Settings, day: int, as_of: int | None = None) -> Courses:
    """Follow programmes until a day.

    Args:
        portfolio: all that is on record.
        settings: what is taken for granted.
        day: until when programmes are followed; moves after it are left out, and their programmes named.
        as_of: a day as of which to look back, not after `day`: a move counts when it was over by then, or comes before
            one that was, as everywhere in the records. None takes all that is on record.
    """
    import numpy as np

    strange = portfolio.stage < 0
    unknown = np.unique(portfolio.owner[strange])
    after = portfolio.earliest > day
    future = np.unique(portfolio.owner[after]) if as_of is None else np.empty(0, dtype=np.int64)
    keep = _seen(portfolio, ~after if as_of is None else portfolio.latest <= as_of, lead=as_of is not None)
    if unknown.size:
        known = np.ones(portfolio.ids.size, dtype=bool)
        known[unknown] = False
        keep &= known[portfolio.owner]
    begun = np.zeros(portfolio.ids.size, dtype=bool)
    begun[portfolio.owner[keep]] = True
    kept = portfolio.kept(keep).only(begun)
    earliest, latest, conflict = _in_order(kept, day)
    middle = (earliest + latest) / 2
    if conflict.any():
        middle = _rising(kept.owner, middle)
    phases = Phases.of(portfolio.stages, settings.approval)
    return Courses(kept, settings, phases, day, earliest, latest, middle, conflict, future, unknown)


def _seen(portfolio: Portfolio, good: Flags, *, lead: bool) -> Flags:
    """Return which transitions count: those up to the last good one (`lead`), or before the first that is not."""
    import numpy as np

    size = portfolio.owner.size
    if good.all() or not size:
        return np.ones(size, dtype=bool)
    row = np.arange(size)
    limit = np.full(portfolio.ids.size, -1 if lead else size)
    if lead:
        np.maximum.at(limit, portfolio.owner[good], row[good])
        return row <= limit[portfolio.owner]
    np.minimum.at(limit, portfolio.owner[~good], row[~good])
    return row < limit[portfolio.owner]


def _in_order(portfolio: Portfolio, day: int) -> tuple[Ints, Ints, Flags]:
    """Return first and last days narrowed by the order of the moves, and which programmes have none that agree."""
    import numpy as np

    owner = portfolio.owner
    latest = np.minimum(portfolio.latest, day)
    if not owner.size:
        return portfolio.earliest, latest, np.zeros(portfolio.ids.size, dtype=bool)
    offset = owner * _SPAN
    low = np.maximum.accumulate(offset + portfolio.earliest) - offset
    high = np.minimum.accumulate((offset + latest)[::-1])[::-1] - offset
    conflict = np.zeros(portfolio.ids.size, dtype=bool)
    wrong = low > high
    if wrong.any():
        conflict[owner[wrong]] = True
        off = conflict[owner]
        low, high = np.where(off, portfolio.earliest, low), np.where(off, portfolio.latest, high)
    return low, high, conflict


def _rising(owner: Ints, days: Days) -> Days:
    import numpy as np

    offset = owner * float(_SPAN)
    rising: Days = np.maximum.accumulate(offset + days) - offset
    return rising


def _stays(courses: Courses) -> Stays:
    import numpy as np

    p, begins = courses.portfolio, courses._begins
    size = p.owner.size
    if not size:
        none, some = np.empty(0, dtype=np.int64), np.empty(0)
        return Stays(none, none, some, some, some, some, none, some, np.empty(0, dtype=bool))
    off = courses.off
    moved = np.ones(size, dtype=bool)
    moved[1:] = p.stage[1:] != p.stage[:-1]
    opens = ~off & (begins | moved | (p.kind == _RESTART))
    ends = opens | (off & ~np.append(False, off[:-1] & ~begins[1:]))
    edges = np.flatnonzero(ends)
    is_open = opens[edges]
    start = edges[is_open]
    following = np.append(edges[1:], size)[is_open]
    closed = (following < size) & (np.append(p.owner, -1)[following] == p.owner[start])
    end = np.where(closed, following, 0)
    owner = p.owner[start]
    stopped = closed & off[end]
    onward = closed & ~off[end] & (p.kind[end] != _RESTART)
    over = ~closed & (courses.standing[owner] == UNANNOUNCED)
    cause = np.full(start.size, CENSORED)
    cause[onward] = 0
    cause[stopped] = courses._kinds(end[stopped])
    cause[over] = CAUSES.index("UNANNOUNCED")
    until = np.where(closed, courses.at[end], courses.ended[owner])
    exact = courses.ended[owner]
    shortest = np.where(closed, courses.earliest[end], exact) - courses.latest[start]
    longest = np.where(closed, courses.latest[end], exact) - courses.earliest[start]
    happened = np.where(cause >= 0, LEAST_DAYS, 0.0)
    days = np.maximum(until - courses.at[start], happened)
    sighted = begins[start] & p.sighted[owner]
    usable = ~courses.conflict[owner] & ~sighted & (days > 0)
    return Stays(
        owner,
        p.stage[start].astype(np.int64),
        courses.at[start],
        days,
        np.maximum(shortest, happened),
        np.maximum(longest, happened),
        cause,
        np.zeros(start.size),
        usable,
    )


def observed_from(courses: Courses, since: Days) -> Stays:
    """Return the stays as somebody sees them who watches each programme from a day on: left-truncated.

    A stay that had begun by then is at risk from that day on; one that had ended is not seen at all.

    Args:
        courses: the programmes.
        since: (p,), the day from which each programme is observed.
    """
    import numpy as np

    stays = courses.stays
    entry = np.maximum(since[stays.owner] - stays.begun, 0.0)
    return replace(stays, entry=entry, usable=stays.usable & (entry < stays.days))
