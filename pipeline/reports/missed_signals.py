"""The missed-signal review of a centre, and how findings in animals agree with events in people, from its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from pipeline.attrition.concordance import SystemConcordance, by_system
from pipeline.attrition.courses import Courses
from pipeline.attrition.missed_signals import (
    ENROLMENT,
    FIRST_DOSE,
    NOT_COUNTED,
    REFERENCE_START,
    Dosed,
    MissedSignals,
    missed_signals,
)
from pipeline.reports.signal_gathering import SignalGathering
from pipeline.reports.signal_rows import SignalRows, StudyHead, plain_rows, studies_of, whole_day
from pipeline.reports.signal_stops import SignalStops
from pipeline.store import study_tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader

if TYPE_CHECKING:
    from pipeline.attrition.review_settings import Settings


@dataclass(frozen=True, slots=True)
class SignalReview:
    """What the records say of signals: missed ones, and animals against people by organ system."""

    missed: MissedSignals
    concordance: tuple[SystemConcordance, ...]


def signal_review(reader: Reader, courses: Courses, settings: Settings) -> SignalReview:
    """Look for the signals of the programmes followed, in a number of statements that hangs on nothing.

    Args:
        reader: sees the records as they were known.
        courses: the programmes of a review.
        settings: those of the review.
    """
    asked = SignalStops(reader, courses, settings)
    stops = asked.of(asked.followed())
    molecules = set(courses.portfolio.molecule.tolist())
    rows = SignalRows(reader, studies_of(reader, molecules))
    gathering = SignalGathering(rows, courses, settings)
    signals = gathering.gather(asked.told(stops))
    missed = missed_signals(stops, signals, _SubjectsDosed(rows).dosed, settings.fewest)
    return SignalReview(missed, by_system(gathering.studied(), settings.fewest, len(molecules)))


# ---------------------------------------------------------------- subjects


@dataclass(frozen=True, slots=True)
class _SubjectsDosed:
    rows: SignalRows

    def dosed(self, molecules: Collection[int]) -> dict[int, list[Dosed]]:
        """Return, for some molecules, who was dosed in their studies of people."""
        wanted = set(molecules)
        people = {
            id: one
            for id, one in self.rows.studies.heads.items()
            if one.people and not wanted.isdisjoint(one.molecules)
        }
        doses = self._first_doses(people)
        starts = self._reference_starts([id for id in people if id not in doses])
        found: dict[int, list[Dosed]] = defaultdict(list)
        for head in people.values():
            one = _dosed(head, doses, starts)
            for molecule in head.molecules:
                found[molecule].append(one)
        return found

    def _first_doses(self, studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
        table = study_tables.administrations
        statement = (
            select(table.c.study_id, table.c.subject_id, func.min(table.c.sorted_on))
            .where(visible(table, self.rows.view), table.c.subject_id.is_not(None), table.c.sorted_on != "")
            .where(*self.rows.of(table.c.study_id, studies))
            .group_by(table.c.study_id, table.c.subject_id)
        )
        return self._by_study(statement)

    def _reference_starts(self, studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
        table = study_tables.subjects
        statement = select(table.c.study_id, table.c.id, table.c.reference_start).where(
            visible(table, self.rows.view),
            table.c.reference_start.is_not(None),
            *self.rows.of(table.c.study_id, studies),
        )
        return self._by_study(statement)

    def _by_study(self, statement: Select[Any]) -> dict[int, list[tuple[int, int]]]:
        """Return by study the days and subjects, in order, of those rows that tell a day."""
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for study, subject, text in plain_rows(self.rows.reader, statement):
            day = whole_day(text)
            if day is not None:
                found[study].append((day, subject))
        return {study: sorted(those) for study, those in found.items()}


def _dosed(
    head: StudyHead, doses: Mapping[int, list[tuple[int, int]]], starts: Mapping[int, list[tuple[int, int]]]
) -> Dosed:
    """Return who was dosed in a study, by the best that it tells."""
    began = whole_day(head.started_on)
    if head.id in doses:
        return Dosed(head.id, FIRST_DOSE, tuple(doses[head.id]))
    if head.id in starts:
        return Dosed(head.id, REFERENCE_START, tuple(starts[head.id]))
    if head.enrolment is not None and began is not None:
        return Dosed(head.id, ENROLMENT, enrolment=head.enrolment, began=began)
    return Dosed(head.id, NOT_COUNTED)
