"""Records of studies, written as they are read: batch by batch, each row accepted, held, quarantined or known already.

A study that has no records of a kind yet is written without a question. Where it has some, every row is compared with
what its source ever stated: the same is no news; something else under the same name is held with the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from sqlalchemy import select

from pipeline.commands.alerts import Touched, watch
from pipeline.commands.import_known_records import (
    FEW_SUBJECTS,
    KnownRecords,
    are_many,
    content_hashes,
    key_hashes,
)
from pipeline.commands.import_molecules import Molecules, chunks
from pipeline.commands.import_record_analytes import Analytes
from pipeline.commands.import_record_kinds import KINDS, NODES, RecordKind
from pipeline.commands.import_record_people import People
from pipeline.commands.import_record_proposals import held_change, held_doubt
from pipeline.commands.import_related_records import RelatedRecords
from pipeline.commands.import_sources import Sources
from pipeline.commands.import_study_heads import StudyHeads
from pipeline.errors import InputError
from pipeline.exchange.reading import Duplicate, Place, Quarantined, Reading
from pipeline.exchange.study_facts import (
    KEPT,
    AdverseEventFact,
    Batch,
    ConcentrationFact,
    Fact,
    HeldFact,
    QualifierFact,
    RecordLinkFact,
    StudyRecords,
    SubjectFact,
)
from pipeline.store.journal import Act
from pipeline.words import EventKind

MOST_FLAGS = 50_000
"""Flags kept in a reading; every flag stands in its record as well."""
_SHOWN = 5
Columns = dict[str, Sequence[Any]]


@dataclass(slots=True)
class StudyWriter:
    """Writes the records of the studies of one import, and counts what became of their rows."""

    act: Act
    molecules: Molecules
    heads: StudyHeads
    reading: Reading
    sources: Sources
    unchanged_rows: int = 0
    written: dict[str, int] = field(default_factory=dict)
    """Node -> how many records are new."""

    def write(self) -> None:
        """Write all studies of the reading.

        Raises:
            InputError: one study was said, and the files hold several.
        """
        if self.heads.study is not None and len(self.reading.records) > 1:
            codes = ", ".join(records.study.code for records in self.reading.records[:5])
            raise InputError(
                f"the files hold several studies ({codes}), so they cannot all be {self.heads.study[:60]}; send them "
                "one by one, or name no study",
                path=("input", "study"),
            )
        for batch in self.reading.outside:
            self._count(batch)
            self._count_kept(batch)
        for records in self.reading.records:
            _OneStudy(self, records).write()

    def _count(self, batch: Batch, *, shared: bool = False) -> None:
        """Take over what a reader found of some rows. shared: a row is counted by all its facts together."""
        reading = self.reading
        reading.rows += batch.rows
        reading.quarantined += batch.quarantined
        if shared:
            reading.duplicates += batch.duplicates
        else:
            self.unchanged_rows += len(batch.duplicates)
        if len(reading.flags) < MOST_FLAGS:
            reading.flags += batch.flags

    def _count_kept(self, batch: Batch) -> None:
        """Count rows that are only kept with their file as known where the file was kept before."""
        if batch.rows and self.sources.was_kept(batch.file):
            self.unchanged_rows += batch.rows - len(batch.quarantined)


class _OneStudy:
    """The records of one study while they are written."""

    def __init__(self, writer: StudyWriter, records: StudyRecords) -> None:
        self.writer, self.records = writer, records
        self.act, self.reading = writer.act, writer.reading
        self.study_id = writer.heads.write(records)
        given = writer.heads.given_molecule()
        self.analytes = Analytes(
            self.act,
            self.study_id,
            writer.molecules,
            None if given is None else writer.molecules.id_of(given),
            writer.heads.main,
        )
        species = str(records.study.details.get("species") or "human")
        self.people = People(self.act, self.study_id, writer.sources, species)
        self.related = RelatedRecords(self.act, self.study_id, self.people)
        self.known: dict[str, KnownRecords] = {}
        self.many: dict[str, bool] = {}
        """Node -> whether the study has too many records of it to read them all for every file."""
        self.new: dict[str, int] = {}
        self.serious = 0
        self.touched_molecules: set[int] = set()
        self.touched_subjects: set[int] = set()
        self.taken: set[Place] = set()
        """Rows that tell several facts, of which one at least is new."""

    def write(self) -> None:
        """Write people, groups and pools, then the records, and tell the history."""
        self.people.look_up()
        self._write_told(self.records.groups)
        self._write_told(self.records.subjects)
        self._write_told(self.records.pools)
        for batch in self.records.stream():
            self.writer._count(batch, shared=self.records.shared_rows)
            if batch.domain == KEPT:
                self.writer._count_kept(batch)
            self._write_batch(batch)
        self.writer.unchanged_rows += self.writer.heads.unchanged_rows
        self.writer.heads.unchanged_rows = 0
        if self.records.shared_rows:
            self._settle_shared()
        self._tell()

    def _settle_shared(self) -> None:
        """Let each row that tells several facts have one fate: quarantined before held, held before new or known."""
        reading = self.reading
        bad = {item.place for item in reading.quarantined}
        reading.held[:] = [item for item in reading.held if item.place not in bad]
        gone = self.taken.union(bad, (item.place for item in reading.held))
        reading.duplicates[:] = [item for item in reading.duplicates if item.place not in gone]

    def _known_already(self, place: Place, rows: int = 1) -> None:
        """Count a fact that says nothing new."""
        if self.records.shared_rows:
            self.reading.duplicates.append(Duplicate(place, None))
        else:
            self.writer.unchanged_rows += rows

    # ------------------------------------------------------------ people, groups, pools

    def _write_told(self, facts: Sequence[Any]) -> None:
        """Write what is known by a code of its own. What was left open before is filled in; contradictions are held."""
        if not facts:
            return
        kind = KINDS[type(facts[0])]
        table = kind.table
        on_record: dict[str, dict[str, Any]] = {}
        for row in self.act.current(table, table.c.study_id == self.study_id):
            on_record[row["code"]] = row
        new: list[Any] = []
        for fact in facts:
            known = on_record.get(fact.code)
            said = {name: getattr(fact, name) for name in kind.stated if getattr(fact, name) is not None}
            if known is None:
                new.append(fact)
                continue
            changes = {name: value for name, value in said.items() if known[name] != value}
            if not changes:
                self._known_already(fact.place, getattr(fact, "rows", 1))
            elif all(_is_open(name, known[name]) for name in changes):
                self.act.revise(table, known, changes | self._source(fact.place))
            else:
                row = {name: getattr(fact, name) for name in kind.stated}
                self._hold_change(kind, fact.place, row | {n: v for n, v in known.items() if row.get(n) is None}, known)
        names = kind.columns
        extra = {"erased": False, "opposed_to_reuse": False} if kind.fact is SubjectFact else {}
        ids = self.act.add_all(
            table,
            ("study_id", *names, *extra, "source_file", "source_row"),
            [
                (self.study_id, *(getattr(fact, name) for name in names), *extra.values(), *self._place(fact.place))
                for fact in new
            ],
        )
        self.new[kind.node] = len(new)
        codes = {fact.code: id for fact, id in zip(new, ids, strict=True)}
        if kind.fact is SubjectFact:
            self.people.subjects |= codes
        elif kind.node == "Pool":
            self.people.pools |= codes

    def _source(self, place: Place) -> dict[str, Any]:
        file, row = self._place(place)
        return {"source_file": file, "source_row": row}

    def _place(self, place: Place) -> tuple[int | None, int]:
        return self.writer.sources.of(place.file), place.row

    # ------------------------------------------------------------ records

    def _write_batch(self, batch: Batch) -> None:
        kind = KINDS[batch.kind]
        facts: Sequence[Fact] = batch.facts
        held = list(batch.held)
        if kind.fact in (QualifierFact, RecordLinkFact):
            self._write_related(kind, facts)
            return
        everything = [*facts, *(item.fact for item in held)]
        if not everything:
            return
        if kind.fact is not SubjectFact:
            first = everything[0].place
            named = self.people.name_subjects((getattr(fact, "subject", None) for fact in everything), first)
            self.new["Subject"] = self.new.get("Subject", 0) + named
            self.people.name_pools((getattr(fact, "pool", None) for fact in everything), first)
        for item in held:
            self._hold(kind, item)
        again = {fact.place for fact in facts if fact.place in batch.again} if batch.again else set()
        self._take(kind, batch.domain, [fact for fact in facts if fact.place not in again] if again else facts)
        for fact in facts if again else ():
            if fact.place in again:
                # One by one: what it measures again may be such a result itself, and has to be on record before it.
                self._take(kind, batch.domain, [fact], measures_again=batch.again[fact.place])

    def _columns(self, kind: RecordKind, facts: Sequence[Fact]) -> Columns:
        """Return the columns of some facts, with ids in place of codes and keys."""
        turned = dict(zip(kind.fact._fields, zip(*facts, strict=True), strict=True))
        columns: Columns = {}
        for name in kind.fact._fields:
            if name == "subject":
                columns["subject_id"] = list(map(self.people.subjects.get, turned[name]))
            elif name == "pool":
                columns["pool_id"] = list(map(self.people.pools.get, turned[name]))
            elif name == "molecule":
                whose = self.analytes.of(turned)
                needed = kind.fact is ConcentrationFact
                columns["molecule_id"] = whose if needed else [id if _is_id(id) else None for id in whose]
            elif name == "place":
                files = {place.file for place in turned[name]}
                ids = {file: self.writer.sources.of(file) for file in files}
                columns["source_file"] = [ids[place.file] for place in turned[name]]
                columns["source_row"] = [place.row for place in turned[name]]
            else:
                columns[name] = turned[name]
        if kind.fact is ConcentrationFact:
            self._as_entered(columns, len(facts))
        elif kind.fact is SubjectFact:
            columns |= {"erased": [False] * len(facts), "opposed_to_reuse": [False] * len(facts)}
        return columns

    def _as_entered(self, columns: Columns, rows: int) -> None:
        """Add who entered concentrations, and who left out those that the source leaves out."""
        by, at = self.act.actor.name, self.act.recorded_at
        excluded = columns["exclusion_reason"]
        columns["state"] = ["REGISTERED"] * rows
        columns["entered_by"] = [by] * rows
        columns["excluded_by"] = [None if reason is None else by for reason in excluded]
        columns["excluded_at"] = [None if reason is None else at for reason in excluded]

    def _take(
        self, kind: RecordKind, domain: str, facts: Sequence[Fact], *, measures_again: Place | None = None
    ) -> None:
        """Write what is new among some records; measures_again: the row whose sample the only one measures again."""
        if not facts:
            return
        columns = self._columns(kind, facts)
        keep = self._with_molecule(kind, facts, columns)
        known = self._known(kind, columns)
        if not known.empty:
            keep = self._without_known(kind, facts, columns, keep, known)
        if len(keep) < len(facts):
            columns = {name: [cells[at] for at in keep] for name, cells in columns.items()}
            facts = [facts[at] for at in keep]
        if not facts:
            return
        if self.records.shared_rows:
            self.taken.update(fact.place for fact in facts)
        if measures_again is not None:
            columns["retest_of"] = [self._came_from(kind, measures_again)]
        rows = list(zip(repeat(self.study_id, len(facts)), *columns.values(), strict=True))
        ids = self.act.add_all(kind.table, ("study_id", *columns), rows)
        self.related.came(domain, kind.node, ids)
        self.new[kind.node] = self.new.get(kind.node, 0) + len(facts)
        self.touched_subjects.update(id for id in set(columns.get("subject_id", ())) if id is not None)
        self.touched_molecules.update(id for id in set(columns.get("molecule_id", ())) if id is not None)
        if kind.fact is AdverseEventFact:
            self.serious += sum(1 for serious in columns["serious"] if serious)
        if any(columns.get("flag", ())):
            for fact in facts:
                note = getattr(fact, "flag", None)
                if note is not None and len(self.reading.flags) < MOST_FLAGS:
                    self.reading.flags.append(Quarantined(fact.place, None, None, note))

    def _came_from(self, kind: RecordKind, place: Place) -> int | None:
        """Return the record that was written from a row; None where it was on record already."""
        file, row = self._place(place)
        table = kind.table
        statement = select(table.c.id).where(
            table.c.study_id == self.study_id,
            table.c.source_file == file,
            table.c.source_row == row,
            table.c.until_act.is_(None),
        )
        return self.act.connection.execute(statement).scalar()

    def _known(self, kind: RecordKind, columns: Columns) -> KnownRecords:
        """Return what is on record of a kind from before this import: all of it, or of the subjects at hand."""
        if kind.node in self.known:
            return self.known[kind.node]
        if kind.node not in self.many:
            self.many[kind.node] = "subject_id" in columns and are_many(self.act, kind, self.study_id)
        subjects = set(columns.get("subject_id", ()))
        if self.many[kind.node] and len(subjects) <= FEW_SUBJECTS and None not in subjects:
            return KnownRecords(self.act, kind, self.study_id, subjects)
        self.known[kind.node] = KnownRecords(self.act, kind, self.study_id)
        return self.known[kind.node]

    def _without_known(
        self, kind: RecordKind, facts: Sequence[Fact], columns: Columns, keep: list[int], known: KnownRecords
    ) -> list[int]:
        """Return which records are new; count those that were stated before, and hold those stated otherwise."""
        stated = known.stated(content_hashes(kind, columns, len(facts)))
        named = known.named(key_hashes(kind, columns, len(facts)))
        new, changed = [], []
        for at in keep:
            if stated[at]:
                self._known_already(facts[at].place)
            elif (there := named[at]) is not None:
                changed.append((at, there))
            else:
                new.append(at)
        for some in chunks(changed):
            ids = sorted({id for _, id in some})
            before = {row["id"]: row for row in self.act.current(kind.table, kind.table.c.id.in_(ids))}
            for at, id in some:
                self._hold_change(
                    kind, facts[at].place, {name: cells[at] for name, cells in columns.items()}, before[id]
                )
        return new

    def _hold(self, kind: RecordKind, item: HeldFact) -> None:
        """Hold a record that is in doubt."""
        columns = self._columns(kind, [item.fact])
        if self._with_molecule(kind, [item.fact], columns):
            row = {name: cells[0] for name, cells in columns.items()}
            file, _ = self._place(item.fact.place)
            self.reading.held.append(held_doubt(kind, self.study_id, item, row, file))

    def _hold_change(self, kind: RecordKind, place: Place, row: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        """Hold a record that is on record with other values."""
        file, _ = self._place(place)
        self.reading.held.append(held_change(kind, self.study_id, place, row, before, file))

    def _with_molecule(self, kind: RecordKind, facts: Sequence[Fact], columns: Columns) -> list[int]:
        """Return which records have the molecule they need; the others are quarantined."""
        if kind.fact is not ConcentrationFact or all(map(_is_id, set(columns["molecule_id"]))):
            return list(range(len(facts)))
        keep = []
        for at, (fact, molecule) in enumerate(zip(facts, columns["molecule_id"], strict=True)):
            if _is_id(molecule):
                keep.append(at)
            else:
                why = str(molecule or "the analyte belongs to no molecule")
                # A table that is read through a mapping speaks of fields, and knows no variables of SDTM.
                column = "analyte" if self.records.shared_rows else "PCTESTCD"
                self.reading.quarantined.append(Quarantined(fact.place, column, getattr(fact, "analyte", None), why))
        return keep

    # ------------------------------------------------------------ qualifiers and links

    def _write_related(self, kind: RecordKind, facts: Sequence[Fact]) -> None:
        """Write what hangs on records: each is found by its domain, subject or pool, and number."""
        rows: list[dict[str, Any]] = []
        kept: list[Fact] = []
        for fact in facts:
            if not isinstance(fact, QualifierFact | RecordLinkFact):
                continue
            node, id = self.related.find(fact.of)
            if isinstance(fact, QualifierFact):
                if id is None:
                    what = f"{fact.of.domain} {fact.of.sequence or 'without a number'}"
                    why = f"the subject has no {what} to hang {fact.name} on; send or decide it first, then this again"
                    self.reading.quarantined.append(Quarantined(fact.place, "IDVARVAL", fact.of.sequence, why))
                    continue
                row = {"name": fact.name, "label": fact.label, "value": fact.value, "origin": fact.origin}
            else:
                row = {"relation": fact.relation, "reported": fact.reported}
            rows.append({"node": node, "node_id": id, **row} | self._source(fact.place))
            kept.append(fact)
        if not rows:
            return
        columns: Columns = {name: [row[name] for row in rows] for name in rows[0]}
        keep = list(range(len(rows)))
        known = self._known(kind, columns)
        if not known.empty:
            keep = self._without_known(kind, kept, columns, keep, known)
        names = tuple(columns)
        self.act.add_all(
            kind.table,
            ("study_id", *names),
            [(self.study_id, *(columns[name][at] for name in names)) for at in keep],
        )
        self.new[kind.node] = self.new.get(kind.node, 0) + len(keep)

    # ------------------------------------------------------------ the history

    def _tell(self) -> None:
        """Tell the history what came, once for the study, and let the alerts look at it."""
        told = {node: count for node, count in self.new.items() if count}
        for node, count in told.items():
            self.writer.written[node] = self.writer.written.get(node, 0) + count
        if not told:
            return
        code = self.records.study.code
        alike = self.people.alike()
        if alike:
            listed = "; ".join(alike[:_SHOWN]) + (" ..." if len(alike) > _SHOWN else "")
            self.reading.warnings.append(
                f"{code}: subjects whose codes hardly differ are taken for different ones: {listed}. "
                "If they are one, write it in one way before the import, or retract what came in under the other."
            )
        listed = ", ".join(f"{count:,} {NODES[node].title}" for node, count in told.items())
        self._event(EventKind.IMPORTED, f"{code}: {listed} brought in")
        if "MonitoringRecord" in told:
            self._event(EventKind.MONITORING_LOGGED, f"{code}: {told['MonitoringRecord']:,} concentrations logged")
        if "AdverseEvent" in told:
            serious = f", {self.serious:,} of them serious" if self.serious else ""
            self._event(EventKind.ADVERSE_EVENT, f"{code}: {told['AdverseEvent']:,} adverse events{serious}")
        watch(
            self.act,
            Touched(
                frozenset(told),
                frozenset(self.touched_molecules),
                frozenset({self.study_id}),
                frozenset(self.touched_subjects),
            ),
        )

    def _event(self, kind: EventKind, summary: str) -> None:
        about: list[int | None] = list(self.analytes.of_study()) or [None]
        for one in about:
            self.act.event(kind, summary, molecule_id=one, node="Study", node_id=self.study_id)


def _is_id(molecule: object) -> bool:
    return isinstance(molecule, int)


def _is_open(name: str, before: Any) -> bool:
    """Whether nothing was known before: empty, or the species a subject was given when nobody had said it."""
    unsaid = (name == "species" and before in ("human", "unknown")) or (name == "members" and before == "[]")
    return before is None or unsaid
