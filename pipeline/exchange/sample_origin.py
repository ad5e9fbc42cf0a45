"""From which dose the planned times of a study count: the one its rows name, or the first of each subject.

Some data sets count PCELTM on from the first dose (PT48.5H half an hour after the third) while PCRFTDTC names the
latest. Hours after the dose are those after the dose that is named; which of the two a study does is told by its clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pipeline.exchange.moments import read_moment
from pipeline.exchange.sample_times import Meaning, Plan, PlannedTime, read_plan

_FAR_H = 4.0
"""From here on a planned time and the clock are not about the same dose."""
_SAME_H = 2.0
"""How far doses and samples stray from their schedule."""
_LOOKED_AT = 20_000
_OF_EACH_CHUNK = 500
_Row = tuple[str, Plan, str, str]


@dataclass(slots=True)
class Origin:
    """What the rows of a study show. `from_first`: planned times count from the first dose of each subject."""

    from_first: bool = False
    _begun: dict[str, str] = field(default_factory=dict)
    """Subject or pool -> the earliest dose its rows name."""
    _rows: list[_Row] = field(default_factory=list)

    def add(
        self,
        whos: Sequence[str | None],
        plans: Iterable[Plan],
        sampled: Sequence[str | None],
        references: Sequence[str | None],
    ) -> None:
        """Look at some rows: whose they are, what was planned, when the sample was taken and after which dose."""
        for who, reference in set(zip(whos, references, strict=True)):
            if who is not None and reference is not None:
                self._begun[who] = min(reference, self._begun.get(who, reference))
        if len(self._rows) < _LOOKED_AT:
            step = max(1, len(whos) // _OF_EACH_CHUNK)
            self._rows += [
                (who, plan, moment, reference)
                for who, plan, moment, reference in islice(
                    zip(whos, plans, sampled, references, strict=True), 0, None, step
                )
                if who is not None and moment is not None and reference is not None
            ]

    def settle(self, meaning: Meaning) -> None:
        """Make up one's mind, given what the numbers of planned times are."""
        from_first = from_named = 0
        for who, plan, sampled, reference in self._rows:
            planned, taken, dosed = read_plan(plan, meaning).hours, read_moment(sampled), read_moment(reference)
            begun = self.begun(who)
            if planned is None or taken.hours is None or dosed.hours is None or begun is None:
                continue
            if not taken.timed or not dosed.timed or dosed.hours - begun < _FAR_H:
                continue
            by_clock = taken.hours - dosed.hours
            from_first += abs(planned - (dosed.hours - begun) - by_clock) < _SAME_H
            from_named += abs(planned - by_clock) < _SAME_H
        self.from_first = from_first > from_named
        self._rows = []

    def begun(self, who: str | None) -> float | None:
        """Return the first dose the rows of a subject or pool name, in hours since 1970."""
        return read_moment(self._begun.get(who or "")).hours


def counted_from(planned: PlannedTime, dosed: float, first: float) -> PlannedTime:
    """Return a time planned after the first dose as one after a later dose; moments are in hours since 1970.

    Doses are planned whole hours apart, whatever the clock says of them.
    """
    apart = float(round(dosed - first))
    if not apart or planned.hours is None:
        return planned
    return planned._replace(
        hours=round(planned.hours - apart, 6),
        end=None if planned.end is None else round(planned.end - apart, 6),
        candidates=tuple((source, round(hours - apart, 6)) for source, hours in planned.candidates),
    )
