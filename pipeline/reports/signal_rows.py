"""The records of studies that can carry a signal, read for many molecules with a fixed number of statements.

Every version that was known is read: a record was known to carry its signal since the first version that did. What many
records say in the same words is judged once.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, cast, exists, func, literal, null, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.attrition.review_times import number_of
from pipeline.attrition.signal_columns import DATED_BY, OWN_DATE, RECORDED, STUDY_DAY, STUDY_END, Keys
from pipeline.attrition.signal_records import (
    EVALUATED,
    bars,
    count_keys,
    event_keys,
    fewest_futile,
    finding_keys,
    laboratory_keys,
    limiting_keys,
)
from pipeline.store import study_tables, tables
from pipeline.store.columns import Flag
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.species import is_people

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

ANIMALS = "PRECLINICAL_TOXICOLOGY"
"""The stage of an animal study that names none."""

MOST_STUDY_DAYS = 40_000
MOST_DAY = 2_000_000
"""Days from 1970-01-01 that are taken for real, of a subject's study day and of its reference start."""

AT_ONCE = 500
"""Rows that are taken from the database at a time."""

NO_DAY = -(10**9)
"""Stands for a day that nothing says."""

NEAR = 1 - 1e-9
"""How much below a bar a value is still read, since the bar itself is judged to 12 digits."""


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
            taken.c.molecule_id,
            *(table.c[name] for name in ("id", "code", "species", "started_on", "ended_on", "enrolment", "phases")),
        )
        .join(taken, taken.c.study_id == table.c.id)
        .where(visible(table, view), visible(taken, view))
        .order_by(table.c.id)
    )
    found: dict[int, Sequence[Any]] = {}
    members: dict[int, set[int]] = defaultdict(set)
    every = True
    for molecule, *row in plain_rows(reader, statement):
        if molecule in molecules:
            found[row[0]] = row
            members[row[0]].add(molecule)
        else:
            every = False
    heads = {}
    for id, code, species, started_on, ended_on, enrolment, phases in found.values():
        people = is_people(species)
        stage = next(iter(orjson.loads(phases)), None if people else ANIMALS)
        heads[id] = StudyHead(id, code, people, started_on, ended_on, enrolment, stage, frozenset(members[id]))
    return Studies(heads, every)


def plain_rows(reader: Reader, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Return the driver's own tuples: of tens of thousands of rows every object less counts."""
    cursor = reader.connection.execute(statement).cursor
    return list(cursor.fetchall()) if cursor is not None else []


def plain_columns(reader: Reader, statement: Select[Any]) -> list[list[Any]]:
    """Return the columns of the driver's own tuples; none of these lives long enough for the garbage collector."""
    cursor = reader.connection.execute(statement).cursor
    columns: list[list[Any]] = [[] for _ in statement.selected_columns]
    while cursor is not None and (rows := cursor.fetchmany(AT_ONCE)):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns


# ---------------------------------------------------------------- records


@dataclass(frozen=True, slots=True, eq=False)
class Carrying:
    """Records that carry a signal, as columns (n,).

    content: places in `contents`, what the records say; keys: what each of those is about. known: the day a version was
    first recorded that carried the same. dated_by: places in DATED_BY.
    """

    id: Ints
    study: Ints
    day: Ints
    dated_by: Ints
    known: Ints
    content: Ints
    contents: Sequence[Mapping[str, Any]]
    keys: Sequence[Keys]

    def only(self, studies: Collection[int]) -> Carrying:
        """Return the records of some studies."""
        import numpy as np

        rows = np.isin(self.study, np.fromiter(studies, dtype=np.int64, count=len(studies)))
        columns = (self.id, self.study, self.day, self.dated_by, self.known, self.content)
        id, study, day, dated_by, known, content = (column[rows] for column in columns)
        return Carrying(id, study, day, dated_by, known, content, self.contents, self.keys)


@dataclass(slots=True)
class SignalRows:
    """Reads rows of studies for one reader."""

    reader: Reader
    studies: Studies
    _days: _Days = field(default_factory=lambda: _Days())

    @property
    def view(self) -> View:
        """What was known; when it was true is asked of each row."""
        return View(known_at=self.reader.view.known_at)

    def of(self, column: ColumnElement[Any], studies: Collection[int] | None = None) -> list[ColumnElement[bool]]:
        """Return the condition that a column names one of the studies, or one of some of them."""
        if studies is None and self.studies.every:
            return []
        return [among_many(self.reader, column, self.studies.heads if studies is None else studies)]

    def events(self) -> Carrying:
        """Return the adverse events of people that carry a signal."""
        table, yes = study_tables.adverse_events, literal(True, Flag)
        in_words = and_(table.c.grade.is_(None), table.c.severity.is_not(None))
        heavy = or_(table.c.grade >= bars().least_grade, table.c.serious == yes, table.c.dlt == yes, in_words)
        names = ("grade", "severity", "serious", "dlt", "organ_class", "coded_term", "term")
        return self._of_subjects(table, names, _of_people(event_keys), heavy, day="started_day")

    def findings(self) -> Carrying:
        """Return the findings in treated animals that carry a signal."""
        table, groups = study_tables.findings, study_tables.study_groups
        subject = _subjects(table)
        of_subject = and_(
            groups.c.study_id == subject.c.study_id,
            groups.c.code == subject.c.group_code,
            visible(groups, self.view),
        )
        heavy = (
            table.c.not_done.is_(None),
            func.lower(table.c.reported).not_in(sorted(bars().normal)),
            ~exists().where(of_subject, groups.c.control == literal(True, Flag)),
        )
        names = ("organ", "organ_class", "reported", "severity_rank", "severity_reported", "not_done")
        return self._of_subjects(table, names, _of_treated(finding_keys), *heavy)

    def laboratory(self) -> Carrying:
        """Return the laboratory results of people that carry a signal."""
        rule, table = bars(), study_tables.laboratory_results
        raised = and_(
            func.upper(table.c.test).in_(rule.liver_enzymes),
            table.c.upper_normal > 0,
            table.c.value >= table.c.upper_normal * (rule.liver_multiple * NEAR),
        )
        heavy = or_(raised, table.c.grade >= rule.least_grade)
        names = ("test", "test_name", "value", "upper_normal", "grade", "baseline", "not_done", "day")
        return self._of_subjects(table, names, _of_people(laboratory_keys), heavy)

    def event_counts(self) -> Carrying:
        """Return the counted events that carry a signal."""
        names = ("serious", "affected", "events", "organ_class", "term", "term_reported", "at_risk")
        return self._plain(tables.event_counts, names, count_keys)

    def limiting(self) -> Carrying:
        """Return the dose-limiting toxicities that carry a signal."""
        return self._plain(tables.dlt_observations, ("term", "affected", "affected_reported"), limiting_keys)

    def responses(self) -> dict[int, list[Response]]:
        """Return the overall tumour responses of people by study, in the order they were assessed.

        Only of studies where so many were evaluated that they can tell of inefficacy.
        """
        table = study_tables.tumour_responses
        many = (
            select(table.c.study_id)
            .where(table.c.response.in_(sorted(EVALUATED)), *self.of(table.c.study_id))
            .group_by(table.c.study_id)
            .having(func.count(table.c.subject_id.distinct()) >= fewest_futile())
        )
        conditions = (table.c.response.is_not(None), table.c.subject_id.is_not(None), table.c.study_id.in_(many))
        versions: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in plain_rows(self.reader, self._with_subject(table, _OF_RESPONSE, "day", conditions)):
            versions[row[0]].append(row)
        found: dict[int, list[Response]] = defaultdict(list)
        for first, *rest in versions.values():
            id, study, until, _, sorted_on, day, reference_start, subject, response, accepted, species = [first, *rest][
                -1
            ]
            refused = accepted is not None and not accepted
            if study not in self.studies.heads or not self._stands(until) or refused or not is_people(species):
                continue
            known = self._days[first[3]]
            when = self.happened(self.studies.heads[study], sorted_on, day, reference_start, known)
            order = (sorted_on or "9", day if day is not None else 0, id)
            found[study].append(Response(id, subject, response, *when, known, order))
        return {study: sorted(rows, key=lambda row: row.order) for study, rows in found.items()}

    def examined(self) -> list[tuple[int, str | None, str | None]]:
        """Return each study with the organs that were looked at in it, whatever was seen: organ and organ_class."""
        of = study_tables.findings.c
        statement = (
            select(of.study_id, of.organ, of.organ_class)
            .where(visible(study_tables.findings, self.view), of.not_done.is_(None), *self.of(of.study_id))
            .distinct()
        )
        return [(study, organ, organ_class) for study, organ, organ_class in plain_rows(self.reader, statement)]

    def with_safety_records(self) -> list[int]:
        """Return the studies that have events, counted ones and dose-limiting ones among them."""
        study = tables.studies.c.id
        some = [
            exists().where(table.c.study_id == study, visible(table, self.view))
            for table in (study_tables.adverse_events, tables.event_counts, tables.dlt_observations)
        ]
        statement = select(study).where(visible(tables.studies, self.view), or_(*some), *self.of(study))
        return [id for (id,) in plain_rows(self.reader, statement)]

    # ------------------------------------------------------------ versions

    def _of_subjects(
        self, table: Table, names: Sequence[str], keys_of: KeysOf, *conditions: ColumnElement[bool], day: str = "day"
    ) -> Carrying:
        return self._carrying(self._with_subject(table, names, day, conditions), (*names, "species"), keys_of)

    def _with_subject(
        self, table: Table, names: Sequence[str], day: str, conditions: Sequence[ColumnElement[bool]]
    ) -> Select[Any]:
        """Select columns of a table after those of every record, and the species of the subject after them."""
        of = _subjects(table)
        when = (table.c.sorted_on, table.c[day], of.c.reference_start)
        said = [table.c[name] for name in names]
        return (
            self._versions(table, *when, *said, of.c.species)
            .outerjoin(of, and_(of.c.id == table.c.subject_id, visible(of, self.view)))
            .where(*conditions)
        )

    def _plain(self, table: Table, names: Sequence[str], keys_of: KeysOf) -> Carrying:
        """Return records of a table of studies that has neither subjects nor days."""
        undated = (null(), null(), null())
        statement = self._versions(table, *undated, *(table.c[name] for name in names))
        return self._carrying(statement, names, keys_of)

    def _versions(self, table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select every version that was known: id, study, last act and moment of its first, then columns; by id."""
        acts, of, known = tables.acts, table.c, self.view.known_at
        statement = select(of.id, of.study_id, of.until_act, acts.c.recorded_at, *columns).select_from(table)
        statement = statement.join(acts, acts.c.number == of.since_act).where(*self.of(of.study_id))
        if known is not None:
            statement = statement.where(of.since_act <= known)
        return statement.order_by(of.id, of.version)

    def _carrying(self, statement: Select[Any], names: Sequence[str], keys_of: KeysOf) -> Carrying:
        """Return the records that are still seen and carry a signal; names: of what they say."""
        import numpy as np

        ids, studies, until, recorded, sorted_on, day, start, *said = plain_columns(self.reader, statement)
        if not ids:
            nothing = np.empty(0, dtype=np.int64)
            return Carrying(nothing, nothing, nothing, nothing, nothing, nothing, (), ())
        places = _Places()
        content = np.fromiter(map(places.__getitem__, zip(*said, strict=True)), dtype=np.int64, count=len(ids))
        contents = [dict(zip(names, one, strict=True)) for one in places]
        keys = [keys_of(one) for one in contents]
        id, study = np.array(ids, dtype=np.int64), np.array(studies, dtype=np.int64)
        begins = np.append(True, id[1:] != id[:-1])
        first = np.flatnonzero(begins)
        last = np.append(first[1:] - 1, id.size - 1)
        good = np.array([end is None or self._stands(end) for end in until])
        good &= np.array([bool(one) for one in keys])[content]
        good &= np.isin(study, np.fromiter(self.studies.heads, dtype=np.int64, count=len(self.studies.heads)))
        first, last = first[good[last]], last[good[last]]
        known_by = first.copy()
        for n in np.flatnonzero(first != last).tolist():
            same = set(keys[content[last[n]]])
            known_by[n] = next(row for row in range(first[n], last[n] + 1) if not same.isdisjoint(keys[content[row]]))
        known = np.fromiter((self._days[recorded[row]] for row in known_by.tolist()), np.int64, last.size)
        happened = np.fromiter((self._days[sorted_on[row]] for row in last.tolist()), np.int64, last.size)
        dated_by = np.full(last.size, DATED_BY.index(OWN_DATE))
        for n in np.flatnonzero(happened == NO_DAY).tolist():
            row = int(last[n])
            came = self._days[recorded[row]]
            happened[n], by = self.happened(self.studies.heads[studies[row]], None, day[row], start[row], came)
            dated_by[n] = DATED_BY.index(by)
        return Carrying(id[last], study[last], happened, dated_by, known, content[last], contents, keys)

    def _stands(self, until: int | None) -> bool:
        known = self.view.known_at
        return until is None or (known is not None and until > known)

    def happened(
        self, study: StudyHead, own: str | None, study_day: float | None, reference_start: str | None, recorded: int
    ) -> tuple[int, str]:
        """Return the day of a record and what says so.

        Its own date; else its study day from the reference start of its subject; else the end of its study, when its
        results can be known at the latest; else the day it was recorded.
        """
        day = self._days[own]
        if day != NO_DAY:
            return day, OWN_DATE
        start = self._days[reference_start]
        if study_day is not None and abs(study_day) <= MOST_STUDY_DAYS and NO_DAY < start < MOST_DAY:
            return start + int(study_day) - (1 if study_day > 0 else 0), STUDY_DAY
        end = last_day(study.ended_on)
        return (end, STUDY_END) if end is not None and end <= recorded else (recorded, RECORDED)


KeysOf = Callable[[Mapping[str, Any]], Keys]
_OF_RESPONSE = ("subject_id", "response", "accepted")


@dataclass(frozen=True, slots=True)
class Response:
    """An overall response of a person, when it was assessed and known; order: of assessment."""

    id: int
    subject: int
    response: str
    day: int
    dated_by: str
    known: int
    order: tuple[str, float, int]


class _Places(dict[tuple[Any, ...], int]):
    """Numbers what is looked up, in the order it is first seen."""

    def __missing__(self, what: tuple[Any, ...]) -> int:
        found = self[what] = len(self)
        return found


class _Days(dict[str | None, int]):
    """The first day that each text can mean, NO_DAY where it says none."""

    def __missing__(self, text: str | None) -> int:
        day = whole_day(text)
        found = self[text] = NO_DAY if day is None else day
        return found


@functools.cache
def _subjects(table: Table) -> Any:
    """Return the subjects of a table's records, one and the same wherever a statement speaks of them."""
    return study_tables.subjects.alias(f"subject_of_{table.name}")


def _of_people(keys_of: KeysOf) -> KeysOf:
    """Return the keys of records of people only."""
    return lambda row: keys_of(row) if is_people(row["species"]) else ()


def _of_treated(keys_of: KeysOf) -> KeysOf:
    """Return the keys of animals of which none is a control."""
    return lambda row: keys_of({**row, "control": None})


def among_many(reader: Reader, column: ColumnElement[Any], ids: Collection[int]) -> ColumnElement[bool]:
    """Return the condition that a column has one of many ids, which come as one parameter."""
    listed = literal(orjson.dumps(sorted(ids)).decode())
    if reader.connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(listed).table_valued("value").c.value))
    each = func.jsonb_array_elements_text(cast(listed, JSONB)).table_valued("value")
    return column.in_(select(cast(each.c.value, BigInteger)))


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
