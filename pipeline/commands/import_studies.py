"""Studies told by sources: joined by registry number, each source's statement kept beside what we make of all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Table, or_, select

from pipeline.commands.import_molecules import CHUNK, Molecules
from pipeline.dates import PartialDate
from pipeline.exchange.facts import StudyFact
from pipeline.store import tables
from pipeline.store.journal import Act
from pipeline.words import EventKind, StudyStatus

# Whose word counts where two sources speak of one study: registers before publications before lists of stops.
PRECEDENCE = ("ctgov", "phase1-dlt", "trial-stops")

_ROWS = re.compile(rb'"rows?":(?:\d+|null),?')
STUDY_KINDS = (
    EventKind.STUDY_STARTED,
    EventKind.STUDY_STOPPED,
    EventKind.STUDY_RESTARTED,
    EventKind.STUDY_COMPLETED,
    EventKind.IMPORTED,
)
STOPPED = (StudyStatus.TERMINATED, StudyStatus.WITHDRAWN, StudyStatus.SUSPENDED)

_MERGED = ("title", "phases", "status", "why_stopped", "reason", "started_on", "ended_on", "sponsor", "enrolment")


def content_digest(fact: StudyFact) -> str:
    """Return the digest of what a source says of a study, wherever in the file it says it."""
    return sha256(_ROWS.sub(b"", orjson.dumps(fact))).hexdigest()


def statement_of(fact: StudyFact) -> dict[str, Any]:
    """Return a source's statements about the study as a whole, as JSON values."""
    said = {
        "registry_id": fact.registry_id,
        "registry_id_reported": fact.registry_id_reported,
        "title": fact.title,
        "phases": list(fact.phases),
        "status": fact.status,
        "why_stopped": fact.why_stopped,
        "reason": fact.reason,
        "started_on": fact.started_on.text if fact.started_on else None,
        "ended_on": fact.ended_on.text if fact.ended_on else None,
        "sponsor": fact.sponsor,
        "enrolment": fact.enrolment,
        "design": fact.design,
        "population": fact.population,
        "conditions": list(fact.conditions),
        "dlt_window": fact.dlt_window,
        "comment": fact.comment,
        "details": fact.details,
    }
    return {name: value for name, value in said.items() if value not in (None, [], {})}


@dataclass(slots=True)
class Studies:
    """Writes the studies of one import."""

    act: Act
    molecules: Molecules
    file_ids: dict[str, int]
    written: int = 0
    unchanged_rows: int = 0
    _changed: list[tuple[int, int, StudyFact]] = field(default_factory=list)
    """(study id, source id, fact) of every statement that is new or different."""

    def write(self, facts: Sequence[StudyFact]) -> None:
        """Write what is new or different of the facts; count the rows of those that are neither."""
        known, by_registry = self._on_record(facts)
        fresh: list[StudyFact] = []
        changed: list[tuple[StudyFact, dict[str, Any], str]] = []
        digests = {id(fact): content_digest(fact) for fact in facts}
        for fact in facts:
            source = known.get((fact.source, fact.code))
            if source is None:
                fresh.append(fact)
            elif source["content_digest"] == digests[id(fact)]:
                self.unchanged_rows += fact.rows
            else:
                changed.append((fact, source, digests[id(fact)]))
        for fact in (*fresh, *(fact for fact, _, _ in changed)):
            for part in fact.molecules:
                self.molecules.want(part.molecule)
            for level in fact.dose_levels:
                for dose in level.doses:
                    if dose.molecule is not None:
                        self.molecules.want(dose.molecule)
            for dose_found in fact.recommended_doses:
                if dose_found.molecule is not None:
                    self.molecules.want(dose_found.molecule)
        self.molecules.settle()
        self._replace(changed)
        self._add(fresh, by_registry, digests)
        self._children()
        self._retell(sorted({study_id for study_id, _, _ in self._changed}))

    # ------------------------------------------------------------ on record

    def _on_record(self, facts: Sequence[StudyFact]) -> tuple[dict[tuple[str, str], dict[str, Any]], dict[str, int]]:
        known: dict[tuple[str, str], dict[str, Any]] = {}
        by_registry: dict[str, int] = {}
        said, studies = tables.study_sources, tables.studies
        codes = [fact.code for fact in facts]
        for start in range(0, len(codes), CHUNK):
            for row in self.act.current(said, said.c.code.in_(codes[start : start + CHUNK])):
                known[row["source"], row["code"]] = row
        numbers = sorted({fact.registry_id for fact in facts if fact.registry_id})
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            statement = select(studies.c.id, studies.c.registry_id, studies.c.code).where(
                studies.c.until_act.is_(None), or_(studies.c.registry_id.in_(some), studies.c.code.in_(some))
            )
            for id, number, code in self.act.connection.execute(statement.order_by(studies.c.id.desc())):
                by_registry[number or code] = id
        return known, by_registry

    # ------------------------------------------------------------ studies and their sources

    def _add(self, facts: Sequence[StudyFact], by_registry: dict[str, int], digests: dict[int, str]) -> None:
        studies = tables.studies
        first = self.act.next_id(studies)
        created: list[StudyFact] = []
        homes: list[int] = []
        for fact in facts:
            home = by_registry.get(fact.registry_id or "")
            if home is None:
                home = first + len(created)
                created.append(fact)
                if fact.registry_id:
                    by_registry[fact.registry_id] = home
            homes.append(home)
        merged = [merge([(fact.source, statement_of(fact))], fact.registry_id or fact.code) for fact in created]
        if merged:
            columns = ("code", *merged[0])
            rows = [
                (fact.registry_id or fact.code, *columns_of.values())
                for fact, columns_of in zip(created, merged, strict=True)
            ]
            self.act.add_all(studies, columns, rows)
        self.written += len(facts)
        source_ids = self.act.add_all(
            tables.study_sources,
            ("study_id", "source", "code", "statement", "content_digest", "source_file", "source_row"),
            [
                (
                    home,
                    fact.source,
                    fact.code,
                    orjson.dumps(statement_of(fact), option=orjson.OPT_SORT_KEYS).decode(),
                    digests[id(fact)],
                    self.file_ids.get(fact.file or ""),
                    fact.row,
                )
                for home, fact in zip(homes, facts, strict=True)
            ],
        )
        self._changed += list(zip(homes, source_ids, facts, strict=True))
        joined = sorted({home for home in homes if home < first} | _repeated(homes))
        self._merge_again(joined)

    def _replace(self, changed: Sequence[tuple[StudyFact, dict[str, Any], str]]) -> None:
        """Take in a source's new statement in place of its old one: what it said below the study is closed."""
        for fact, source, digest in changed:
            for table in CHILDREN:
                for row in self.act.current(table, table.c.source_id == source["id"]):
                    if table is tables.dose_levels:
                        for dose in self.act.current(tables.doses, tables.doses.c.dose_level_id == row["id"]):
                            self.act.close(tables.doses, dose)
                    self.act.close(table, row)
            self.act.revise(
                tables.study_sources,
                source,
                {
                    "statement": orjson.dumps(statement_of(fact), option=orjson.OPT_SORT_KEYS).decode(),
                    "content_digest": digest,
                    "source_file": self.file_ids.get(fact.file or ""),
                    "source_row": fact.row,
                },
            )
            self._changed.append((source["study_id"], source["id"], fact))
            self.written += 1
        self._merge_again(sorted({source["study_id"] for _, source, _ in changed}))

    def _merge_again(self, study_ids: Sequence[int]) -> None:
        """Make the study's own columns anew from what all its sources say."""
        studies, said = tables.studies, tables.study_sources
        for start in range(0, len(study_ids), CHUNK):
            some = list(study_ids[start : start + CHUNK])
            statements: dict[int, list[tuple[str, dict[str, Any]]]] = {}
            for row in self.act.current(said, said.c.study_id.in_(some)):
                statements.setdefault(row["study_id"], []).append((row["source"], orjson.loads(row["statement"])))
            for row in self.act.current(studies, studies.c.id.in_(some)):
                columns = merge(statements[row["id"]], row["code"])
                if any(row[name] != value for name, value in columns.items()):
                    self.act.revise(studies, row, columns)

    # ------------------------------------------------------------ what hangs below

    def _children(self) -> None:
        """Write everything below the changed studies: one bulk insert per table."""
        id_of = self.molecules.id_of
        rows: dict[Table, list[tuple[Any, ...]]] = {table: [] for table in CHILDREN}
        add = {table: rows[table].append for table in CHILDREN}
        doses: list[tuple[Any, ...]] = []
        first_level = self.act.next_id(tables.dose_levels)
        levels = rows[tables.dose_levels]
        for study, source, fact in self._changed:
            for part in fact.molecules:
                molecule = id_of(part.molecule)
                if molecule is not None:
                    add[tables.study_molecules]((study, source, molecule, *_PART(part)))
            for arm in fact.arms:
                add[tables.arms]((study, source, *_ARM(arm)))
            places: dict[tuple[str | None, str], int] = {}
            for level in fact.dose_levels:
                level_id = places[level.arm, level.label] = first_level + len(levels)
                levels.append((study, source, *_LEVEL(level)))
                doses.extend((level_id, id_of(dose.molecule), *_DOSE(dose)) for dose in level.doses)
            for said in fact.dlt_definitions:
                add[tables.dlt_definitions]((study, source, *_DEFINITION(said)))
            for seen in fact.dlt_observations:
                level_of = places.get((seen.arm, seen.level or ""))
                add[tables.dlt_observations]((study, source, level_of, *_OBSERVATION(seen)))
            for best in fact.recommended_doses:
                add[tables.recommended_doses]((study, source, id_of(best.molecule), *_RECOMMENDED(best)))
            for count in fact.event_counts:
                add[tables.event_counts]((study, source, *_COUNT(count)))
            for stop in fact.stops:
                again = None if stop.restart_status is None else stop.restart_status.value
                days = (_text(stop.stopped_on), _text(stop.restarted_on), stop.status.value, again)
                add[tables.study_stops]((study, source, *days, *_STOP(stop)))
        for table, columns in CHILDREN.items():
            self.act.add_all(table, columns, rows[table])
        self.act.add_all(tables.doses, DOSE_COLUMNS, doses)

    # ------------------------------------------------------------ the history

    def _retell(self, study_ids: Sequence[int]) -> None:
        """Tell the history of studies as they now stand: events that no longer hold are closed, new ones are told."""
        events, stops, taken, studies = tables.events, tables.study_stops, tables.study_molecules, tables.studies
        for start in range(0, len(study_ids), CHUNK):
            some = list(study_ids[start : start + CHUNK])
            stopped: dict[int, list[dict[str, Any]]] = {}
            for row in self.act.current(stops, stops.c.study_id.in_(some), order_by=[stops.c.stopped_on]):
                stopped.setdefault(row["study_id"], []).append(row)
            given: dict[int, dict[int, None]] = {}
            statement = select(taken.c.study_id, taken.c.molecule_id).where(
                taken.c.until_act.is_(None), taken.c.study_id.in_(some)
            )
            for study, molecule in self.act.connection.execute(statement.order_by(taken.c.id)):
                given.setdefault(study, {})[molecule] = None
            told: dict[tuple[Any, ...], dict[str, Any]] = {}
            for row in self.act.current(
                events, events.c.node == "Study", events.c.node_id.in_(some), events.c.kind.in_(STUDY_KINDS)
            ):
                told[row["node_id"], row["kind"], row["molecule_id"], row["occurred_on"], row["summary"]] = row
            for study in self.act.current(studies, studies.c.id.in_(some)):
                for kind, summary, occurred_on, why in study_events(study, stopped.get(study["id"], [])):
                    for molecule in given.get(study["id"], {None: None}):
                        day = occurred_on.text if occurred_on else None
                        if told.pop((study["id"], kind, molecule, day, summary), None) is None:
                            self.act.event(
                                kind,
                                summary,
                                molecule_id=molecule,
                                node="Study",
                                node_id=study["id"],
                                occurred_on=occurred_on,
                                reason_for_change=why,
                            )
            for row in told.values():
                self.act.close(events, row)


def study_events(
    study: Mapping[str, Any], stops: Sequence[Mapping[str, Any]]
) -> list[tuple[EventKind, str, PartialDate | None, str | None]]:
    """Return what happened to a study, from its columns and its stops: (kind, summary, when, why)."""
    name = study["code"]
    found: list[tuple[EventKind, str, PartialDate | None, str | None]] = []
    if study["started_on"]:
        found.append((EventKind.STUDY_STARTED, f"{name} started", PartialDate.parse(study["started_on"]), None))
    for stop in stops:
        day = PartialDate.parse(stop["stopped_on"]) if stop["stopped_on"] else None
        found.append((EventKind.STUDY_STOPPED, f"{name} {stop['status'].lower()}", day, stop["why_stopped"]))
        if stop["restarted_on"]:
            again = PartialDate.parse(stop["restarted_on"])
            became = f" as {stop['restart_status'].lower()}" if stop["restart_status"] else ""
            found.append((EventKind.STUDY_RESTARTED, f"{name} went on{became}", again, None))
    ended = PartialDate.parse(study["ended_on"]) if study["ended_on"] else None
    if study["status"] == StudyStatus.COMPLETED and not stops:
        found.append((EventKind.STUDY_COMPLETED, f"{name} completed", ended, None))
    elif study["status"] in STOPPED and not stops:
        found.append((EventKind.STUDY_STOPPED, f"{name} {study['status'].lower()}", ended, study["why_stopped"]))
    if not found:
        found.append((EventKind.IMPORTED, f"{name} put on record", None, None))
    return found


def merge(statements: Sequence[tuple[str, Mapping[str, Any]]], code: str) -> dict[str, Any]:
    """Return a study's columns from what its sources say: for each, the word of the first source that says it."""
    ranked = sorted(
        statements, key=lambda pair: PRECEDENCE.index(pair[0]) if pair[0] in PRECEDENCE else len(PRECEDENCE)
    )
    found = {name: next((said[name] for _, said in ranked if name in said), None) for name in _MERGED}
    registry_id = next((said["registry_id"] for _, said in ranked if "registry_id" in said), None)
    started = found["started_on"]
    return {
        "title": found["title"] or code,
        "phases": orjson.dumps(found["phases"] or []).decode(),
        "registry_id": registry_id,
        "status": found["status"] or StudyStatus.UNKNOWN.value,
        "why_stopped": found["why_stopped"],
        "reason": found["reason"],
        "started_on": started,
        "started_from": PartialDate.parse(started).earliest if started else None,
        "ended_on": found["ended_on"],
        "sponsor": found["sponsor"],
        "enrolment": found["enrolment"],
    }


def _text(day: PartialDate | None) -> str | None:
    return None if day is None else day.text


def _repeated(homes: Sequence[int]) -> set[int]:
    seen: set[int] = set()
    return {home for home in homes if home in seen or seen.add(home)}  # type: ignore[func-returns-value]


# What is taken over from a fact as it stands: attributes named like their columns, `row` apart.
_PART_FIELDS = ("name", "arm", "route", "form", "row")
_ARM_FIELDS = ("label", "kind", "description", "row")
_LEVEL_FIELDS = ("arm", "ordinal", "label", "treated", "with_dlt", "with_dlt_min", "with_dlt_max", "row")
_DOSE_FIELDS = (
    *("name", "amount_reported", "amount", "unit_reported", "unit"),
    *("schedule", "frequency", "route", "comment", "row"),
)
_DEFINITION_FIELDS = (
    *("arm", "term", "grade_reported", "grade_min", "grade_max"),
    *("duration", "exclusion", "comment", "flag", "row"),
)
_OBSERVATION_FIELDS = (
    *("arm", "level", "term", "grade_reported", "grade_min", "grade_max", "affected_reported", "affected"),
    *("treated_reported", "treated", "duration", "occurrence", "comment", "flag", "row"),
)
_RECOMMENDED_FIELDS = (
    *("arm", "kind", "name", "reported", "amount_low", "amount_high", "unit_reported", "unit"),
    *("frequency", "schedule", "comment", "flag", "row"),
)
_COUNT_FIELDS = (
    *("arm", "term", "term_reported", "organ_class", "vocabulary"),
    *("serious", "affected", "at_risk", "events", "row"),
)
_STOP_FIELDS = ("why_stopped", "restart_status_reported", "flag", "row")
_PART, _ARM, _LEVEL = attrgetter(*_PART_FIELDS), attrgetter(*_ARM_FIELDS), attrgetter(*_LEVEL_FIELDS)
_DOSE, _COUNT, _STOP = attrgetter(*_DOSE_FIELDS), attrgetter(*_COUNT_FIELDS), attrgetter(*_STOP_FIELDS)
_DEFINITION, _OBSERVATION = attrgetter(*_DEFINITION_FIELDS), attrgetter(*_OBSERVATION_FIELDS)
_RECOMMENDED = attrgetter(*_RECOMMENDED_FIELDS)


def _columns(*before: str, fields: Sequence[str]) -> tuple[str, ...]:
    return (*before, *("source_row" if name == "row" else name for name in fields))


_BELOW = ("study_id", "source_id")
CHILDREN: dict[Table, tuple[str, ...]] = {
    tables.study_molecules: _columns(*_BELOW, "molecule_id", fields=_PART_FIELDS),
    tables.arms: _columns(*_BELOW, fields=_ARM_FIELDS),
    tables.dose_levels: _columns(*_BELOW, fields=_LEVEL_FIELDS),
    tables.dlt_definitions: _columns(*_BELOW, fields=_DEFINITION_FIELDS),
    tables.dlt_observations: _columns(*_BELOW, "dose_level_id", fields=_OBSERVATION_FIELDS),
    tables.recommended_doses: _columns(*_BELOW, "molecule_id", fields=_RECOMMENDED_FIELDS),
    tables.event_counts: _columns(*_BELOW, fields=_COUNT_FIELDS),
    tables.study_stops: _columns(
        *_BELOW, "stopped_on", "restarted_on", "status", "restart_status", fields=_STOP_FIELDS
    ),
}
"""The tables below a study, with the columns an import fills, in the order it fills them."""
DOSE_COLUMNS = _columns("dose_level_id", "molecule_id", fields=_DOSE_FIELDS)
