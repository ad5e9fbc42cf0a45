"""The records of one study as they are exported: whose they are, what hangs on them, and which are left out.

Left out are subjects that were erased and those that are opposed to reuse, with all that is theirs, pools of nobody
else, and concentrations that were retracted or rejected. Who may not see pseudonyms gets numbers instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Table, select

from pipeline.commands.import_record_kinds import NODES
from pipeline.errors import NotFound
from pipeline.exchange.export_layouts import NOT_EXPORTED, RETEST, STATE, Record
from pipeline.exchange.export_numbers import numbered
from pipeline.exchange.export_records import Beside
from pipeline.reports.exported_rows import BATCH
from pipeline.store import study_tables, tables
from pipeline.store.counted import VALID
from pipeline.store.nodes import visible
from pipeline.store.selection import View
from pipeline.words import MonitoringState

Who = tuple[str | None, str | None]
_FLAGS = frozenset({"below_limit", "dlt", "serious", "baseline", "accepted", "positive", "screen_failure"}) | {
    *("control", "satellite", "recovery")
}


@dataclass(frozen=True, slots=True)
class Held:
    """One record with its id, and the qualifiers its source gave it."""

    id: int
    record: Record
    beside: Sequence[Beside] = ()
    qualifiers: Sequence[tuple[str, str | None, str | None, str | None]] = ()


@dataclass(slots=True)
class StudyOnRecord:
    """A study, opened for an export."""

    connection: Connection
    view: View
    row: Mapping[str, Any]
    codes: dict[int, str] = field(default_factory=dict)
    """Subject -> its code, or the number that stands for it."""
    pools: dict[int, str] = field(default_factory=dict)
    subjects: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)
    """Pool -> the codes of its members."""
    named: dict[str, str] = field(default_factory=dict)
    """Code of a subject or pool -> what stands for it."""
    molecules: dict[int, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    """What is left out, and how much of it."""
    _qualified: frozenset[str] = frozenset()

    @property
    def id(self) -> int:
        """The study."""
        return int(self.row["id"])

    @property
    def code(self) -> str:
        """The code of the study."""
        return str(self.row["code"])

    def rows(self, table: Table, *order: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table that are of the study, in the order of some columns and then of their ids."""
        statement = select(table).where(visible(table, self.view), table.c.study_id == self.id)
        statement = statement.order_by(*(table.c[name] for name in order), table.c.id)
        result = self.connection.execute(statement.execution_options(yield_per=BATCH * 4))
        for row in result.mappings():
            yield dict(row)

    def records(self, node: str) -> Iterator[tuple[Who, list[Held]]]:
        """Yield the records of a node, those of one subject or pool together."""
        table = NODES[node].table
        pooled = "pool_id" in table.c
        together: list[dict[str, Any]] = []
        whose: tuple[int | None, int | None] | None = None
        for row in self.rows(table, "subject_id", *(["pool_id"] if pooled else [])):
            who = (row["subject_id"], row["pool_id"] if pooled else None)
            if together and who != whose:
                yield from self._of(node, whose, together)
                together = []
            whose = who
            together.append(row)
        if together:
            yield from self._of(node, whose, together)

    def _of(
        self, node: str, whose: tuple[int | None, int | None] | None, rows: list[dict[str, Any]]
    ) -> Iterator[tuple[Who, list[Held]]]:
        subject, pool = whose or (None, None)
        if (subject is not None and subject not in self.codes) or (pool is not None and pool not in self.pools):
            self.left_out[f"{NODES[node].title} of subjects left out"] += len(rows)
            return
        if node == "MonitoringRecord":
            standing = [row for row in rows if row["state"] in VALID]
            if len(standing) < len(rows):
                self.left_out["concentrations retracted or rejected"] += len(rows) - len(standing)
            rows = standing
        who = (None if subject is None else self.codes[subject], None if pool is None else self.pools[pool])
        qualifiers = self.qualifiers(node, [row["id"] for row in rows])
        numbers: dict[int, str] = {}
        if any(row.get("retest_of") is not None for row in rows):
            numbers = dict(zip((row["id"] for row in rows), numbered([row["sequence"] for row in rows]), strict=True))
        held = [Held(row["id"], self.record(row), _told(row, numbers), qualifiers.get(row["id"], ())) for row in rows]
        if held:
            yield who, held

    def record(self, row: dict[str, Any]) -> Record:
        """Return a row of the store by the fields of its fact."""
        for name in _FLAGS & row.keys():
            if row[name] is not None:
                row[name] = bool(row[name])
        molecule = row.get("molecule_id")
        row["molecule"] = None if molecule is None else self.molecules.get(molecule)
        return row

    def qualifiers(
        self, node: str, ids: Sequence[int]
    ) -> dict[int, list[tuple[str, str | None, str | None, str | None]]]:
        """Return what sources say beside records: (name, label, value, origin), by record."""
        found: dict[int, list[tuple[str, str | None, str | None, str | None]]] = {}
        if node not in self._qualified:
            return found
        table = study_tables.qualifiers
        for start in range(0, len(ids), BATCH):
            statement = (
                select(table.c.node_id, table.c.name, table.c.label, table.c.value, table.c.origin)
                .where(visible(table, self.view), table.c.node == node, table.c.node_id.in_(ids[start : start + BATCH]))
                .order_by(table.c.id)
            )
            for row in self.connection.execute(statement):
                found.setdefault(row.node_id, []).append((row.name, row.label, row.value, row.origin))
        return found

    def links(self) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """Yield the ends of relations, each with what its source said of it, codes of subjects as they are exported."""
        for row in self.rows(study_tables.record_links):
            said = orjson.loads(row["reported"])
            who = said.get("subject") or said.get("pool")
            if who is not None:
                if who not in self.named:
                    self.left_out["relations of subjects left out"] += 1
                    continue
                code = self.named[who]
                said = {name: code if name in ("subject", "pool") else text for name, text in said.items()}
                row["relation"] = row["relation"].replace(f"{who}/", f"{code}/", 1)
            yield row, said

    def parameters(self) -> list[tuple[str, str]]:
        """Return what the study says of itself, as parameters of a trial summary."""
        said = tables.study_sources
        statement = select(said.c.statement).where(
            visible(said, self.view), said.c.study_id == self.id, said.c.source == "sdtm"
        )
        found = self.connection.execute(statement.order_by(said.c.id)).scalars().first()
        if found is not None:
            told = (orjson.loads(found).get("details") or {}).get("parameters") or {}
            return [
                (name, value)
                for name, values in told.items()
                for value in (values if isinstance(values, list) else [values])
            ]
        row = self.row
        enrolment = None if row["enrolment"] is None else str(row["enrolment"])
        phases = [phase.replace("PHASE_", "").replace("_", "/") for phase in orjson.loads(row["phases"])]
        stated = (
            ("TITLE", row["title"]),
            *(("TRT", name) for name in self.molecules.values()),
            ("TPHASE", f"PHASE {phases[0]} TRIAL" if phases else None),
            ("REGID", row["registry_id"]),
            ("SSTDTC", row["started_on"]),
            ("SENDTC", row["ended_on"]),
            ("SPONSOR", row["sponsor"]),
            ("ACTSUB", enrolment),
        )
        return [(name, text) for name, text in stated if text]


def open_study(connection: Connection, view: View, code: str, *, pseudonyms: bool) -> StudyOnRecord:
    """Open a study by its code.

    Raises:
        NotFound: no study has the code.
    """
    studies = tables.studies
    found = connection.execute(select(studies).where(visible(studies, view), studies.c.code == code)).mappings().first()
    if found is None:
        raise NotFound(f"no study has the code {code[:60]!r}; `moltrail export studies` lists the codes")
    study = StudyOnRecord(connection, view, dict(found))
    _name_subjects(study, pseudonyms=pseudonyms)
    _name_pools(study, pseudonyms=pseudonyms)
    _name_molecules(study)
    table = study_tables.qualifiers
    nodes = select(table.c.node).where(visible(table, view), table.c.study_id == study.id).distinct()
    study._qualified = frozenset(connection.execute(nodes).scalars())
    return study


def _name_subjects(study: StudyOnRecord, *, pseudonyms: bool) -> None:
    # What a subject asked for later holds for what was known before as well.
    table = study_tables.subjects
    now = select(table.c.id, table.c.erased, table.c.opposed_to_reuse).where(
        table.c.until_act.is_(None), table.c.study_id == study.id
    )
    marks = {row.id: (bool(row.erased), bool(row.opposed_to_reuse)) for row in study.connection.execute(now)}
    for row in study.rows(table):
        erased, opposed = marks.get(row["id"], (True, True))
        if erased or row["erased"] or row["code"] is None:
            study.left_out["subjects erased"] += 1
        elif opposed or row["opposed_to_reuse"]:
            study.left_out["subjects opposed to reuse"] += 1
        else:
            code = row["code"] if pseudonyms else f"S{len(study.codes) + 1:04d}"
            study.codes[row["id"]] = code
            study.named[row["code"]] = code
            study.subjects.append(dict(study.record(row)) | {"code": code})


def _name_pools(study: StudyOnRecord, *, pseudonyms: bool) -> None:
    for row in study.rows(study_tables.pools):
        told = [str(code) for code in orjson.loads(row["members"])]
        kept = [study.named[code] for code in told if code in study.named]
        if told and not kept:
            study.left_out["pools of subjects left out"] += 1
            continue
        if len(kept) < len(told):
            study.left_out["members of pools left out"] += len(told) - len(kept)
        code = row["code"] if pseudonyms else f"P{len(study.pools) + 1:04d}"
        study.pools[row["id"]] = code
        study.named.setdefault(row["code"], code)
        study.members[code] = kept


def _name_molecules(study: StudyOnRecord) -> None:
    taken, molecules, records = tables.study_molecules, tables.molecules, study_tables.monitoring_records
    ids = {row["molecule_id"] for row in study.rows(taken)}
    for table in (records, study_tables.reported_parameters, study_tables.administrations):
        statement = select(table.c.molecule_id).where(visible(table, study.view), table.c.study_id == study.id)
        ids.update(id for id in study.connection.execute(statement.distinct()).scalars() if id is not None)
    for start in range(0, len(ids), BATCH):
        some = sorted(ids)[start : start + BATCH]
        statement = select(molecules.c.id, molecules.c.name).where(
            visible(molecules, study.view), molecules.c.id.in_(some)
        )
        study.molecules |= {row.id: row.name for row in study.connection.execute(statement)}


def _told(row: Mapping[str, Any], numbers: Mapping[int, str]) -> list[Beside]:
    """Return what is told of a concentration's standing: that it was verified, and which one it measures again.

    numbers: record of the same subject -> the number it is exported under.
    """
    found = []
    if row.get("state") == MonitoringState.VERIFIED:
        found.append(Beside(STATE, "State of the record", "VERIFIED", "Assigned"))
    if row.get("retest_of") is not None:
        number = numbers.get(row["retest_of"], NOT_EXPORTED)
        found.append(Beside(RETEST, "Number of what it measures again", number, "Assigned"))
    return found
