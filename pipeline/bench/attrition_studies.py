"""Made-up studies of some made-up programmes: animals, a trial in people, and what was seen in them before the stop.

Every programme chosen has a study in animals that saw its liver and its kidneys, and a trial with events, laboratory
values, doses and responses; every other trial told of the liver a year before the programme ended, or told of nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from pipeline.attrition.portfolio import Portfolio
from pipeline.attrition.review_times import day_of
from pipeline.bench.attrition_lives import LAST_DAY
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act
from pipeline.words import AlertKind, StudyStatus

ONE_IN = 25
"""One programme in so many has studies."""
ANIMALS, PEOPLE = 12, 12
_ORGANS = (("LIVER", "Necrosis"), ("KIDNEY", "NORMAL"))
_EVENTS = (("Hepatitis", "Hepatobiliary disorders"), ("Nausea", "Gastrointestinal disorders"))
_RESPONSES = ("SD", "PR", "PD")

COLUMNS: dict[Table, tuple[str, ...]] = {
    tables.studies: (
        *("code", "title", "species", "phases", "status", "started_on", "started_from", "ended_on", "enrolment"),
    ),
    tables.study_sources: ("study_id", "source", "code", "statement", "content_digest"),
    tables.study_molecules: ("study_id", "source_id", "molecule_id", "name"),
    study_tables.study_groups: ("study_id", "code", "control", "parameters"),
    study_tables.subjects: (
        *("study_id", "code", "species", "group_code", "reference_start", "erased", "opposed_to_reuse"),
    ),
    study_tables.findings: (
        *("study_id", "subject_id", "domain", "test", "organ", "reported", "severity_rank", "sorted_on"),
    ),
    study_tables.adverse_events: (
        *("study_id", "subject_id", "term", "organ_class", "grade", "serious", "dlt", "sorted_on"),
    ),
    study_tables.laboratory_results: ("study_id", "subject_id", "test", "value", "upper_normal", "sorted_on"),
    study_tables.administrations: ("study_id", "subject_id", "treatment", "sorted_on"),
    study_tables.tumour_responses: ("study_id", "subject_id", "criteria", "response", "sorted_on"),
    study_tables.alerts: ("kind", "about", "molecule_id", "study_id", "message", "raised_at"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What was put on record: rows of studies, and the programmes whose trial told of the liver."""

    rows: int
    programmes: tuple[int, ...]


def add_studies(act: Act, portfolio: Portfolio, molecules: Sequence[int], programmes: Sequence[int]) -> Told:
    """Put the studies of every ONE_IN-th programme on record.

    Args:
        act: of the journal.
        portfolio: the programmes, as they were made up.
        molecules: ids they were given, in their order.
        programmes: the same.
    """
    first = {table: act.next_id(table) for table in COLUMNS}
    of: dict[Table, list[tuple[Any, ...]]] = defaultdict(list)
    told = []
    for place, begun, end in _chosen(portfolio):
        study, source = (first[t] + len(of[t]) for t in (tables.studies, tables.study_sources))
        loud = place // ONE_IN % 2 == 0
        if loud:
            told.append(programmes[place])
        _studies(of, study, source, place, molecules[place], begun, end)
        _animals(of, study, first, loud=loud)
        _people(of, study + 1, first, max(begun, end - 365), loud=loud)
        if loud:
            words = (
                AlertKind.MARGIN_CROSSED.value,
                f"bench/{place}",
                molecules[place],
                study + 1,
                "a margin was crossed",
            )
            of[study_tables.alerts].append((*words, f"{day_of(end - 200)}T09:00:00.000000Z"))
    for table, columns in COLUMNS.items():
        act.add_all(table, columns, of[table])
    return Told(sum(map(len, of.values())), tuple(told))


def _chosen(portfolio: Portfolio) -> Iterator[tuple[int, int, int]]:
    """Yield the place of each programme chosen, and the days of its first and its last move."""
    import numpy as np

    size = portfolio.ids.size
    first = np.searchsorted(portfolio.owner, np.arange(size))
    last = np.searchsorted(portfolio.owner, np.arange(size), side="right") - 1
    for place in range(0, size, ONE_IN):
        yield place, int(portfolio.earliest[first[place]]), int(portfolio.earliest[last[place]])


def _studies(
    of: dict[Table, list[tuple[Any, ...]]], study: int, source: int, place: int, molecule: int, begun: int, end: int
) -> None:
    for number, (species, phases) in enumerate((("rat", '["PRECLINICAL_TOXICOLOGY"]'), ("human", '["PHASE_1"]'))):
        code = f"MADE-{place}-{number}"
        over = day_of(min(begun + 90, LAST_DAY)) if species == "rat" else None
        since = day_of(begun if species == "rat" else max(begun, end - 400))
        status = StudyStatus.COMPLETED.value if over else StudyStatus.ACTIVE.value
        of[tables.studies].append((code, "made up", species, phases, status, since, since, over, PEOPLE))
        of[tables.study_sources].append((study + number, "bench", code, "{}", ""))
        of[tables.study_molecules].append((study + number, source + number, molecule, "made up"))
    of[study_tables.study_groups] += [(study, "0", True, "{}"), (study, "1", False, "{}")]


def _animals(of: dict[Table, list[tuple[Any, ...]]], study: int, first: dict[Table, int], *, loud: bool) -> None:
    since = of[tables.studies][-2][5]
    for number in range(ANIMALS):
        subject = first[study_tables.subjects] + len(of[study_tables.subjects])
        group = "0" if number < ANIMALS // 3 else "1"
        of[study_tables.subjects].append((study, f"A-{number}", "rat", group, since, False, False))
        for organ, found in _ORGANS:
            seen, rank = (found, 3) if loud and group == "1" and found != "NORMAL" else ("NORMAL", None)
            of[study_tables.findings].append((study, subject, "MI", "MIEXAM", organ, seen, rank, since))


def _people(
    of: dict[Table, list[tuple[Any, ...]]], study: int, first: dict[Table, int], day: int, *, loud: bool
) -> None:
    for number in range(PEOPLE):
        subject = first[study_tables.subjects] + len(of[study_tables.subjects])
        given, later = day_of(day - 30 + number), day_of(day + number)
        of[study_tables.subjects].append((study, f"P-{number}", "human", None, given, False, False))
        of[study_tables.administrations].append((study, subject, "made up", given))
        for term, organ_class in _EVENTS:
            grade = 3 if loud and term == "Hepatitis" else 1
            of[study_tables.adverse_events].append((study, subject, term, organ_class, grade, False, False, later))
        for test, value in (("ALT", 160.0 if loud else 30.0), ("CREAT", 80.0)):
            of[study_tables.laboratory_results].append((study, subject, test, value, 40.0, later))
        response = _RESPONSES[number % len(_RESPONSES)]
        of[study_tables.tumour_responses].append((study, subject, "RECIST 1.1", response, later))
