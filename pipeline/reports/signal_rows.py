"""The records of studies that can carry a signal, read for many molecules with a fixed number of statements.

Every version that was known is read: a record was known to carry its signal since the first version that did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.attrition.review_times import number_of
from pipeline.attrition.signal_records import bars
from pipeline.store import study_tables, tables
from pipeline.store.columns import Flag
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.species import is_people

ANIMALS = "PRECLINICAL_TOXICOLOGY"
"""The stage of an animal study that names none."""

AT_ONCE = 2_000
"""Rows that are taken from the database at a time."""

MOST_STUDY_DAYS = 40_000
MOST_DAY = 2_000_000
"""Days from 1970-01-01 that are taken for real, of a subject's study day and of its reference start."""

OWN_DATE, STUDY_DAY, STUDY_END, RECORDED = "OWN_DATE", "STUDY_DAY", "STUDY_END", "RECORDED"


@dataclass(frozen=True, slots=True)
class StudyHead:
    """A study as far as signals need it.

    people: whether people were studied. stage: the first it was done for, as far as it says. Days are as recorded.
    """

    id: int
    code: str
    people: bool
    started_on: str | None
    ended_on: str | None
    enrolment: int | None
    stage: str | None
    molecules: frozenset[int]


@dataclass(frozen=True, slots=True)
class Studies:
    """Studies by id; `every`: whether these are all on record."""

    heads: Mapping[int, StudyHead]
    every: bool


def studies_of(reader: Reader, molecules: Collection[int]) -> Studies:
    """Return the studies of molecules, with those of the molecules that were in each."""
    view = View(known_at=reader.view.known_at)
    table, taken = tables.studies, tables.study_molecules
    statement = (
        select(
            *(table.c[name] for name in ("id", "code", "species", "started_on", "ended_on", "enrolment", "phases")),
            taken.c.molecule_id,
        )
        .join(taken, taken.c.study_id == table.c.id)
        .where(visible(table, view), visible(taken, view))
        .order_by(table.c.id)
    )
    rows: dict[int, Any] = {}
    members: dict[int, set[int]] = defaultdict(set)
    every = True
    for row in reader.connection.execute(statement):
        if row.molecule_id in molecules:
            rows[row.id] = row
            members[row.id].add(row.molecule_id)
        else:
            every = False
    heads = {
        id: StudyHead(
            id,
            row.code,
            is_people(row.species),
            row.started_on,
            row.ended_on,
            row.enrolment,
            next(iter(orjson.loads(row.phases)), None if is_people(row.species) else ANIMALS),
            frozenset(members[id]),
        )
        for id, row in rows.items()
    }
    return Studies(heads, every)


@dataclass(slots=True)
class SignalRows:
    """Reads rows of studies for one reader."""

    reader: Reader
    studies: Studies

    @property
    def view(self) -> View:
        """What was known; when it was true is asked of each row."""
        return View(known_at=self.reader.view.known_at)

    def of(self, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """Return the condition that a column names one of the studies; all of them come as one parameter."""
        if self.studies.every:
            return []
        ids = literal(orjson.dumps(sorted(self.studies.heads)).decode())
        if self.reader.connection.dialect.name == "sqlite":
            return [column.in_(select(func.json_each(ids).table_valued("value").c.value))]
        each = func.jsonb_array_elements_text(cast(ids, JSONB)).table_valued("value")
        return [column.in_(select(cast(each.c.value, BigInteger)))]

    def known_versions(self, table: Table, statement: Select[Any]) -> Iterator[list[Mapping[str, Any]]]:
        """Yield the versions of every record of a table that is still seen, oldest first, with `recorded_at`.

        statement: selects columns, meets its own conditions, and names the table it is from.
        """
        acts, of = tables.acts, table.c
        known = self.view.known_at
        statement = statement.add_columns(of.id, of.study_id, of.until_act, acts.c.recorded_at)
        statement = statement.join(acts, acts.c.number == of.since_act).order_by(of.id, of.version)
        if known is not None:
            statement = statement.where(of.since_act <= known)
        found = self.reader.connection.execute(statement)
        names = tuple(found.keys())
        group: list[Mapping[str, Any]] = []
        for some in found.partitions(AT_ONCE):
            for values in some:
                row = dict(zip(names, values, strict=True))
                if group and row["id"] != group[0]["id"]:
                    if _stands(group[-1], known):
                        yield group
                    group = []
                group.append(row)
        if group and _stands(group[-1], known):
            yield group

    def events(self) -> Iterator[list[Mapping[str, Any]]]:
        """Yield the adverse events that may be above the bar."""
        table, of = study_tables.adverse_events, _subjects("AdverseEvent")
        yes = literal(True, Flag)
        in_words = and_(table.c.grade.is_(None), table.c.severity.is_not(None))
        heavy = or_(table.c.grade >= bars().least_grade, table.c.serious == yes, table.c.dlt == yes, in_words)
        statement = self._with_subject(table, of, _OF_EVENT).where(heavy, *self.of(table.c.study_id))
        return self.known_versions(table, statement)

    def examined(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield each study with the organs that were looked at in it, whatever was seen: organ and organ_class."""
        of = study_tables.findings.c
        statement = (
            select(of.study_id, of.organ, of.organ_class)
            .where(visible(study_tables.findings, self.view), of.not_done.is_(None), *self.of(of.study_id))
            .distinct()
        )
        for study, organ, organ_class in self.reader.connection.execute(statement):
            yield study, {"organ": organ, "organ_class": organ_class}

    def findings(self) -> Iterator[list[Mapping[str, Any]]]:
        """Yield what was seen in animals and is not simply normal, and whether each is a control."""
        table, of, groups = study_tables.findings, _subjects("Finding"), study_tables.study_groups
        statement = self._with_subject(table, of, _OF_FINDING).where(
            table.c.not_done.is_(None),
            func.lower(table.c.reported).not_in(sorted(bars().normal)),
            *self.of(table.c.study_id),
        )
        statement = statement.add_columns(groups.c.control).outerjoin(
            groups,
            and_(groups.c.study_id == of.c.study_id, groups.c.code == of.c.group_code, visible(groups, self.view)),
        )
        return self.known_versions(table, statement)

    def laboratory(self) -> Iterator[list[Mapping[str, Any]]]:
        """Yield the laboratory results that may be above the bar."""
        rule = bars()
        table, of = study_tables.laboratory_results, _subjects("LaboratoryResult")
        raised = and_(
            func.upper(table.c.test).in_(rule.liver_enzymes),
            table.c.upper_normal > 0,
            table.c.value > table.c.upper_normal,
        )
        statement = self._with_subject(table, of, _OF_RESULT).where(
            or_(raised, table.c.grade >= rule.least_grade), *self.of(table.c.study_id)
        )
        return self.known_versions(table, statement)

    def plain(self, table: Table, *conditions: ColumnElement[bool]) -> Iterator[list[Mapping[str, Any]]]:
        """Yield the records of a table of studies that has no subjects."""
        columns = [column for column in table.c if column.name not in ("id", "study_id", "until_act")]
        statement = select(*columns).select_from(table).where(*conditions, *self.of(table.c.study_id))
        return self.known_versions(table, statement)

    def responses(self) -> dict[int, list[Mapping[str, Any]]]:
        """Return the overall tumour responses of people by study, in the order they were assessed."""
        table, of = study_tables.tumour_responses, _subjects("TumourResponse")
        statement = self._with_subject(table, of, _OF_RESPONSE).where(
            table.c.response.is_not(None), table.c.subject_id.is_not(None), *self.of(table.c.study_id)
        )
        found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for versions in self.known_versions(table, statement):
            row = versions[-1]
            if row["accepted"] is not False and is_people(row["species"]):
                found[row["study_id"]].append({**row, "recorded_at": versions[0]["recorded_at"]})
        for rows in found.values():
            rows.sort(key=lambda row: (row["sorted_on"] or "9", row["day"] if row["day"] is not None else 0, row["id"]))
        return found

    def _with_subject(self, table: Table, of: Any, names: Sequence[str]) -> Select[Any]:
        """Return columns of a table with the species and reference start of their subject."""
        joined = and_(of.c.id == table.c.subject_id, visible(of, self.view))
        columns = (table.c[name] for name in names)
        return select(*columns, of.c.species, of.c.reference_start).select_from(table.outerjoin(of, joined))


_OF_EVENT = (*("grade", "severity", "serious", "dlt", "organ_class", "coded_term", "term", "sorted_on", "started_day"),)
_OF_FINDING = (
    *("organ", "organ_class", "reported", "severity_rank", "severity_reported", "not_done", "sorted_on", "day"),
)
_OF_RESULT = ("test", "test_name", "value", "upper_normal", "grade", "baseline", "not_done", "sorted_on", "day")
_OF_RESPONSE = ("subject_id", "response", "accepted", "sorted_on", "day")


def _subjects(node: str) -> Any:
    return study_tables.subjects.alias(f"subject_of_{node}")


def _stands(row: Mapping[str, Any], known: int | None) -> bool:
    return row["until_act"] is None or (known is not None and row["until_act"] > known)


# ---------------------------------------------------------------- days


def whole_day(text: str | None) -> int | None:
    """Return the first day that an ISO date or part of one can mean; None where it says none."""
    if not text or len(text) < 4:
        return None
    parts = f"{text[:10]}-01-01"[:10] if len(text) in (4, 7) else text[:10]
    try:
        return number_of(parts)
    except ValueError:
        return None


def last_day(text: str | None) -> int | None:
    """Return the last day that an ISO date or part of one can mean."""
    first = whole_day(text)
    if first is None or text is None or len(text) >= 10:
        return first
    day = date(1970, 1, 1) + timedelta(days=first)
    if day.year == date.max.year:
        return first
    later = day.replace(year=day.year + 1, month=1) if len(text) == 4 or day.month == 12 else None
    after = later or day.replace(month=day.month + 1)
    return first + (after - day).days - 1


def happened(
    row: Mapping[str, Any], study: StudyHead | None, own: Callable[[Mapping[str, Any]], str | None]
) -> tuple[int, str]:
    """Return the day of a record and what says so.

    Its own date; else its study day from the reference start of its subject; else the end of its study, when its
    results can be known at the latest; else the day it was recorded.
    """
    day = whole_day(own(row))
    if day is not None:
        return day, OWN_DATE
    study_day = row.get("started_day", row.get("day"))
    start = whole_day(row.get("reference_start"))
    if study_day is not None and start is not None and abs(study_day) <= MOST_STUDY_DAYS and start < MOST_DAY:
        return start + int(study_day) - (1 if study_day > 0 else 0), STUDY_DAY
    end = last_day(study.ended_on) if study is not None else None
    recorded = number_of(row["recorded_at"])
    return (end, STUDY_END) if end is not None and end <= recorded else (recorded, RECORDED)
