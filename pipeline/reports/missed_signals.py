"""The missed-signal review of a centre, and how findings in animals agree with events in people, from its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pipeline.attrition.concordance import OrganPair, Studied, SystemConcordance, by_system
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
from pipeline.attrition.organ_systems import organ_systems
from pipeline.reports.signal_gathering import SignalGathering
from pipeline.reports.signal_rows import (
    SignalRows,
    studies_of,
    whole_day,
)
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
    followed = asked.followed()
    rows = SignalRows(reader, studies_of(reader, set(followed.molecule)))
    stops = asked.of(followed)
    found = SignalGathering(rows, courses, settings)
    found.gather(followed, stops)
    missed = missed_signals(followed, stops, found.signals, _SubjectsDosed(rows).dosed(), settings.fewest)
    animals_people = _Concordance(set(followed.molecule), found)
    return SignalReview(missed, by_system(animals_people.pairs(), settings.fewest, animals_people.unstudied()))


# ---------------------------------------------------------------- subjects


@dataclass(frozen=True, slots=True)
class _SubjectsDosed:
    rows: SignalRows

    def dosed(self) -> dict[int, list[Dosed]]:
        """Return, by molecule, who was dosed in its studies of people."""
        people = {id: head for id, head in self.rows.studies.heads.items() if head.people}
        doses = self._first_doses(people)
        starts = self._reference_starts(people)
        found: dict[int, list[Dosed]] = defaultdict(list)
        for id, head in people.items():
            began = whole_day(head.started_on)
            if doses.get(id):
                one = Dosed(id, FIRST_DOSE, tuple(sorted(doses[id])))
            elif starts.get(id):
                one = Dosed(id, REFERENCE_START, tuple(sorted(starts[id])))
            elif head.enrolment is not None and began is not None:
                one = Dosed(id, ENROLMENT, enrolment=head.enrolment, began=began)
            else:
                one = Dosed(id, NOT_COUNTED)
            for molecule in sorted(head.molecules):
                found[molecule].append(one)
        return found

    def _first_doses(self, studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
        table = study_tables.administrations
        statement = (
            select(table.c.study_id, table.c.subject_id, func.min(table.c.sorted_on))
            .where(visible(table, self.rows.view), table.c.subject_id.is_not(None), table.c.sorted_on != "")
            .where(*self.rows.of(table.c.study_id))
            .group_by(table.c.study_id, table.c.subject_id)
        )
        return _by_study(self.rows.reader.connection.execute(statement), studies)

    def _reference_starts(self, studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
        table = study_tables.subjects
        statement = select(table.c.study_id, table.c.id, table.c.reference_start).where(
            visible(table, self.rows.view), table.c.reference_start.is_not(None), *self.rows.of(table.c.study_id)
        )
        return _by_study(self.rows.reader.connection.execute(statement), studies)


def _by_study(rows: Iterable[Any], studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for study, subject, text in rows:
        day = whole_day(text) if study in studies else None
        if day is not None:
            found[study].append((day, subject))
    return found


# ---------------------------------------------------------------- concordance


@dataclass(frozen=True, slots=True)
class _Concordance:
    molecules: set[int]
    found: SignalGathering

    def pairs(self) -> list[OrganPair]:
        """Return what animals and people say of every organ system that anything was found in, of studied molecules."""
        molecules = sorted(self._studied_at_all())
        found = []
        for system in organ_systems():
            code = system.code
            of = [
                OrganPair(molecule, code, self._animals(molecule, code), self._people(molecule, code))
                for molecule in molecules
            ]
            if any(Studied.FOUND in (one.preclinical, one.clinical) for one in of):
                found += of
        return found

    def unstudied(self) -> int:
        """Return how many molecules were studied neither in animals nor in people."""
        return len(self.molecules) - len(self._studied_at_all())

    def _studied_at_all(self) -> set[int]:
        return self.molecules & {*self.found.in_animals, *self.found.in_people, *self.found.people_studied}

    def _animals(self, molecule: int, code: str) -> Studied:
        seen = self.found.in_animals[molecule].get(code) if molecule in self.found.in_animals else None
        if seen is None:
            return Studied.NOT_STUDIED
        return Studied.FOUND if seen else Studied.NOT_FOUND

    def _people(self, molecule: int, code: str) -> Studied:
        if molecule in self.found.in_people and code in self.found.in_people[molecule]:
            return Studied.FOUND
        return Studied.NOT_FOUND if molecule in self.found.people_studied else Studied.NOT_STUDIED
