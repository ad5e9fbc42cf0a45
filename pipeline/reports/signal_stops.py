"""The scientific stops of programmes, and how the programmes went, from the records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from pipeline.attrition.courses import IN_PHASE, STALLED, STOPPED, Courses
from pipeline.attrition.lead_time import ACTIVE, ADVANCED, DROPPED, DROPPED_STRATEGIC
from pipeline.attrition.missed_signals import (
    STOPS,
    Followed,
    ScientificStop,
)
from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.review_times import number_of
from pipeline.attrition.signal_records import (
    keys_of_text,
)
from pipeline.store import study_tables, tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.words import Status

if TYPE_CHECKING:
    from pipeline.attrition.review_settings import Settings


@dataclass(frozen=True, slots=True)
class SignalStops:
    """Asks the records for the stops of the programmes of a review."""

    reader: Reader
    courses: Courses
    settings: Settings

    @property
    def view(self) -> View:
        """What was known."""
        return View(known_at=self.reader.view.known_at)

    def of(self, followed: Followed) -> list[ScientificStop]:
        """Return every scientific stop of the programmes, in the order of their records."""
        places = {id: n for n, id in enumerate(followed.programme)}
        first, day = followed.first, followed.day
        ends = [*first[1:], len(day)]
        kinds = {reason: kind for reason in REASONS if (kind := self.settings.kind_of(reason)) in STOPS}
        judged = self._judged()
        found = []
        for id, programme, position, stage, reason, verbatim, note, recorded_at in self._discontinued(list(kinds)):
            place = places.get(programme)
            if place is None or first[place] + position > ends[place]:
                continue
            kind = kinds[reason]
            words = [one for one in (verbatim, note, *judged.get(id, ())) if one]
            found.append(
                ScientificStop(
                    programme=programme,
                    name=self.courses.portfolio.names[place],
                    molecule=followed.molecule[place],
                    transition=id,
                    stage=stage,
                    reason=reason,
                    kind=kind,
                    day=day[first[place] + position - 1],
                    known=number_of(recorded_at),
                    keys=keys_of_text(kind, " ".join(words)),
                )
            )
        return found

    def _discontinued(self, reasons: Sequence[str]) -> Sequence[Any]:
        """Return the moves that stopped a programme for one of some reasons."""
        move, acts, off = tables.transitions, tables.acts, Status.DISCONTINUED.value
        stage = func.coalesce(move.c.from_stage, move.c.to_stage)
        names = (move.c.reason, move.c.reason_verbatim, move.c.note, acts.c.recorded_at)
        statement = (
            select(move.c.id, move.c.programme_id, move.c.position, stage, *names)
            .join(acts, acts.c.number == move.c.since_act)
            .where(visible(move, self.view), move.c.to_status == off, move.c.reason.in_(reasons))
            .where(func.coalesce(move.c.from_status, "") != off)
            .order_by(move.c.id)
        )
        return self._plain_rows(statement)

    def _plain_rows(self, statement: Select[Any]) -> Sequence[Any]:
        """Return the driver's own tuples: of tens of thousands of rows every object less counts."""
        cursor = self.reader.connection.execute(statement).cursor
        return cursor.fetchall() if cursor is not None else []

    def _judged(self) -> dict[int, list[str]]:
        """Return, by move, the words of the reasons that were judged."""
        of = study_tables.attrition_reasons
        statement = (
            select(of.c.transition_id, of.c.verbatim)
            .where(visible(of, self.view), of.c.transition_id.is_not(None), of.c.verbatim.is_not(None))
            .order_by(of.c.id)
        )
        found: dict[int, list[str]] = defaultdict(list)
        for id, verbatim in self.reader.connection.execute(statement):
            found[id].append(verbatim)
        return found

    def followed(self) -> Followed:
        """Return how the programmes went."""
        import numpy as np

        courses, p = self.courses, self.courses.portfolio
        table = tables.programmes
        statement = select(table.c.id, table.c.molecule_id).where(visible(table, self.view))
        molecule_of = dict(self._plain_rows(statement))
        kinds = np.array([self.settings.kind_of(reason) in STOPS for reason in REASONS])
        standing, reason = courses.standing, p.reason[courses.last]
        over = (standing != IN_PHASE) & (standing != STALLED)
        outcome = np.where(over, DROPPED_STRATEGIC, ACTIVE)
        outcome[~over & (courses.top >= len(courses.phases.codes))] = ADVANCED
        outcome[(standing == STOPPED) & (reason >= 0) & kinds[reason]] = DROPPED
        end = np.where(standing == STOPPED, courses.at[courses.last], np.where(over, courses.ended, courses.day))
        ids = p.ids.tolist()
        return Followed(
            programme=ids,
            molecule=[molecule_of[id] for id in ids],
            end=end.astype(int).tolist(),
            outcome=outcome.tolist(),
            first=courses.first.tolist(),
            day=courses.at.astype(int).tolist(),
            stage=p.stage.tolist(),
            stages=tuple(stage.code for stage in p.stages),
        )


def told_alone(followed: Followed, stops: Sequence[ScientificStop]) -> set[int]:
    """Return the molecules whose only stop is the end of their only programme: it tells of nothing else."""
    programmes = Counter(followed.molecule)
    stopped = Counter(stop.molecule for stop in stops)
    return {
        molecule
        for molecule, outcome in zip(followed.molecule, followed.outcome, strict=True)
        if outcome in (DROPPED, DROPPED_STRATEGIC) and programmes[molecule] == stopped[molecule] == 1
    }
