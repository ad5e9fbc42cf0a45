"""Studies told by sources: joined by registry number, each source's statement kept beside what we make of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import or_, select

from pipeline.commands.alerts import Touched, watch
from pipeline.commands.import_molecules import Molecules, chunks
from pipeline.commands.import_study_parts import CHILDREN, DOSE_COLUMNS, Parts, content_digest
from pipeline.commands.import_study_statements import STUDY_KINDS, Statement, merge, statement_of, study_events
from pipeline.commands.reasons import verified_reason
from pipeline.exchange.facts import StudyFact
from pipeline.store import tables
from pipeline.store.journal import Act


@dataclass(slots=True)
class Studies:
    """Writes the studies of one import."""

    act: Act
    molecules: Molecules
    written: int = 0
    unchanged_rows: int = 0
    _changed: list[tuple[int, int, StudyFact]] = field(default_factory=list)
    """(study id, source id, fact) of every statement that is new or different."""

    def write(self, facts: Sequence[StudyFact]) -> None:
        """Write what is new or different of the facts; count the rows of those that are neither."""
        known = self._on_record(facts)
        fresh: list[tuple[StudyFact, str]] = []
        changed: list[tuple[StudyFact, str, dict[str, Any]]] = []
        for fact in facts:
            digest = content_digest(fact)
            source = known.get((fact.source, fact.code))
            if source is None:
                fresh.append((fact, digest))
            elif source["content_digest"] == digest:
                self.unchanged_rows += fact.rows
            else:
                changed.append((fact, digest, source))
        for fact in (*(fact for fact, _ in fresh), *(fact for fact, _, _ in changed)):
            self._want_molecules(fact)
        self.molecules.settle()
        self._close_parts([source["id"] for _, _, source in changed])
        moved = [(fact, digest) for fact, digest, source in changed if _moves(fact, source)]
        left = {source["study_id"] for fact, _, source in changed if _moves(fact, source)}
        self._forget([source for fact, _, source in changed if _moves(fact, source)])
        touched = self._replace([item for item in changed if not _moves(item[0], item[2])])
        touched |= self._add([*fresh, *moved])
        self._merge_again(sorted(touched | left))
        self._write_parts()
        changed_studies = {study_id for study_id, _, _ in self._changed} | left
        self._retell(sorted(changed_studies))
        if any(fact.dose_levels for *_, fact in self._changed):
            watch(self.act, Touched(frozenset({"DoseLevel"}), studies=frozenset(changed_studies)))

    def _want_molecules(self, fact: StudyFact) -> None:
        for part in fact.molecules:
            self.molecules.want(part.molecule)
        for level in fact.dose_levels:
            for dose in level.doses:
                if dose.molecule is not None:
                    self.molecules.want(dose.molecule)
        for best in fact.recommended_doses:
            if best.molecule is not None:
                self.molecules.want(best.molecule)

    # ------------------------------------------------------------ on record

    def _on_record(self, facts: Sequence[StudyFact]) -> dict[tuple[str, str], dict[str, Any]]:
        known: dict[tuple[str, str], dict[str, Any]] = {}
        said = tables.study_sources
        for some in chunks([fact.code for fact in facts]):
            for row in self.act.current(said, said.c.code.in_(some)):
                known[row["source"], row["code"]] = row
        return known

    def _homes(self, facts: Sequence[StudyFact]) -> dict[str, int]:
        """Return the studies on record that carry a registry number of the facts or are said to be theirs, by that."""
        homes: dict[str, int] = {}
        studies = tables.studies
        wanted = {code for fact in facts for code in (fact.registry_id, fact.home) if code}
        for some in chunks(sorted(wanted)):
            statement = select(studies.c.id, studies.c.registry_id, studies.c.code).where(
                studies.c.until_act.is_(None), or_(studies.c.registry_id.in_(some), studies.c.code.in_(some))
            )
            for id, number, code in self.act.connection.execute(statement.order_by(studies.c.id)):
                homes.setdefault(number or code, id)
                homes.setdefault(code, id)
        return homes

    # ------------------------------------------------------------ studies and their sources

    def _add(self, facts: Sequence[tuple[StudyFact, str]]) -> set[int]:
        """Add statements to the studies they belong to, made where there is none; return those that had others."""
        studies = tables.studies
        by_registry = self._homes([fact for fact, _ in facts])
        first = self.act.next_id(studies)
        created: list[StudyFact] = []
        homes: list[int] = []
        for fact, _ in facts:
            home = by_registry.get(fact.home or "") or by_registry.get(fact.registry_id or "")
            if home is None:
                home = first + len(created)
                created.append(fact)
                for code in (fact.registry_id, fact.home):
                    if code:
                        by_registry[code] = home
            homes.append(home)
        if created:
            codes = [fact.registry_id or fact.home or fact.code for fact in created]
            merged = [
                merge([Statement(fact.source, fact.code, statement_of(fact))], code)
                for fact, code in zip(created, codes, strict=True)
            ]
            rows = [(code, *columns.values()) for code, columns in zip(codes, merged, strict=True)]
            self.act.add_all(studies, ("code", *merged[0]), rows)
        self.written += len(facts)
        source_ids = self.act.add_all(
            tables.study_sources,
            ("study_id", "source", "code", "statement", "content_digest", "source_file", "source_row"),
            [
                (home, fact.source, fact.code, *self._stated(fact, digest).values())
                for home, (fact, digest) in zip(homes, facts, strict=True)
            ],
        )
        self._changed += [(home, id, fact) for home, id, (fact, _) in zip(homes, source_ids, facts, strict=True)]
        seen: set[int] = set()
        several = {home for home in homes if home in seen or seen.add(home)}  # type: ignore[func-returns-value]
        return several | {home for home in homes if home < first}

    def _stated(self, fact: StudyFact, digest: str) -> dict[str, Any]:
        return {
            "statement": orjson.dumps(statement_of(fact), option=orjson.OPT_SORT_KEYS).decode(),
            "content_digest": digest,
            "source_file": self.molecules.sources.of(fact.file),
            "source_row": fact.row,
        }

    def _replace(self, changed: Sequence[tuple[StudyFact, str, dict[str, Any]]]) -> set[int]:
        """Take in a source's new statement in place of its old one; return the studies it is about."""
        for fact, digest, source in changed:
            self.act.revise(tables.study_sources, source, self._stated(fact, digest))
            self._changed.append((source["study_id"], source["id"], fact))
        self.written += len(changed)
        return {source["study_id"] for _, _, source in changed}

    def _close_parts(self, source_ids: Sequence[int]) -> None:
        """Close what sources said below their studies, before what they say now takes its place."""
        for some in chunks(sorted(source_ids)):
            for table in CHILDREN:
                rows = self.act.current(table, table.c.source_id.in_(some))
                if table is tables.dose_levels:
                    for levels in chunks([row["id"] for row in rows]):
                        for dose in self.act.current(tables.doses, tables.doses.c.dose_level_id.in_(levels)):
                            self.act.close(tables.doses, dose)
                for row in rows:
                    self.act.close(table, row)

    def _forget(self, sources: Sequence[dict[str, Any]]) -> None:
        """Close statements that turn out to be about another study."""
        for source in sources:
            self.act.close(tables.study_sources, source)

    def _merge_again(self, study_ids: Sequence[int]) -> None:
        """Make the study's own columns anew from what its sources say; one that nothing speaks of is closed."""
        studies, said = tables.studies, tables.study_sources
        for some in chunks(study_ids):
            statements: dict[int, list[Statement]] = {}
            for row in self.act.current(said, said.c.study_id.in_(some)):
                statement = Statement(row["source"], row["code"], orjson.loads(row["statement"]))
                statements.setdefault(row["study_id"], []).append(statement)
            for row in self.act.current(studies, studies.c.id.in_(some)):
                if row["id"] not in statements:
                    checkpoints = tables.checkpoints
                    if not self.act.current(checkpoints, checkpoints.c.study_id == row["id"]):
                        self.act.close(studies, row)
                    continue
                columns = merge(statements[row["id"]], row["code"])
                # A verified reason stands as long as the words do that it was verified for.
                if row["reason"] not in (None, columns["reason"]) and row["why_stopped"] == columns["why_stopped"]:
                    columns["reason"] = verified_reason(self.act, row["id"]) or columns["reason"]
                if any(row[name] != value for name, value in columns.items()):
                    self.act.revise(studies, row, columns)

    def _write_parts(self) -> None:
        """Write everything below the changed studies: one bulk insert per table."""
        parts = Parts(self.act.next_id(tables.dose_levels), self.molecules.id_of)
        for study, source, fact in self._changed:
            parts.take(study, source, fact)
        for table, columns in CHILDREN.items():
            self.act.add_all(table, columns, parts.rows[table])
        self.act.add_all(tables.doses, DOSE_COLUMNS, parts.doses)

    # ------------------------------------------------------------ the history

    def _retell(self, study_ids: Sequence[int]) -> None:
        """Tell the history of studies as they now stand: events that no longer hold are closed, new ones are told."""
        events, stops, taken, studies = tables.events, tables.study_stops, tables.study_molecules, tables.studies
        for some in chunks(study_ids):
            stopped: dict[int, list[dict[str, Any]]] = {}
            for row in self.act.current(stops, stops.c.study_id.in_(some)):
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
                day, why = row["occurred_on"], row["reason_for_change"]
                told[row["node_id"], row["kind"], row["molecule_id"], day, row["summary"], why] = row
            for study in self.act.current(studies, studies.c.id.in_(some)):
                for kind, summary, occurred_on, why in study_events(study, stopped.get(study["id"], [])):
                    for molecule in given.get(study["id"], {None: None}):
                        day = occurred_on.text if occurred_on else None
                        if told.pop((study["id"], kind, molecule, day, summary, why), None) is None:
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


def _moves(fact: StudyFact, source: dict[str, Any]) -> bool:
    """Whether a source now gives another registry number than before: it speaks of another study then."""
    return bool(orjson.loads(source["statement"]).get("registry_id") != fact.registry_id)
