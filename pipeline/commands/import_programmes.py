"""Programmes told by a file: each history is read along the state graph and joined to what is on record.

An entry that is on record already is a duplicate. One that the graph cannot follow is quarantined with the reason; one
that can only be right if an earlier entry is wrong is held, with the correction proposed. A row counts as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.commands.import_molecules import CHUNK, Molecules
from pipeline.commands.programmes import (
    add_transitions,
    as_moved,
    indication_key,
    latest_day,
    position_columns,
    tell_move,
)
from pipeline.exchange.facts import ProgrammeFact, StageEntry
from pipeline.exchange.reading import Duplicate, Held, Place, Quarantined, Reading
from pipeline.stages.rules import Moved, infer_path
from pipeline.store.journal import Act
from pipeline.store.tables import programmes, transitions
from pipeline.words import EventKind, MoveKind


@dataclass(slots=True)
class _Case:
    """One programme of the file beside the one on record."""

    fact: ProgrammeFact
    molecule_id: int
    row: dict[str, Any] | None
    graph_id: int
    history: list[Moved]
    steps: list[tuple[Moved, StageEntry, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Programmes:
    """Writes the programmes of one import; rows it cannot take are added to the reading's quarantine."""

    act: Act
    molecules: Molecules
    reading: Reading
    file_ids: dict[str, int]
    written: int = 0

    def write(self, facts: Sequence[ProgrammeFact]) -> None:
        """Write what is new of the facts."""
        cases = self._cases(facts)
        for case in cases:
            self._read_along(case)
        created = [case for case in cases if case.row is None and case.steps]
        columns = (
            *("molecule_id", "indication", "indication_key", "disease_group", "biomarker", "graph_id"),
            *("stage", "stage_ordinal", "status", "stage_since", "stage_since_reported", "source_file", "source_row"),
        )
        rows = []
        for case in created:
            fact = case.fact
            moves = [move for move, _, _ in case.steps]
            where = position_columns(self.act, case.graph_id, moves)
            names = (fact.indication, indication_key(fact.indication), fact.disease_group, fact.biomarker)
            source = (self.file_ids.get(fact.file or ""), fact.row)
            rows.append((case.molecule_id, *names, case.graph_id, *where.values(), *source))
        ids = self.act.add_all(programmes, columns, rows)
        for id, case in zip(ids, created, strict=True):
            indication = case.fact.indication
            case.row = {"id": id, "molecule_id": case.molecule_id, "graph_id": case.graph_id}
            self.act.event(
                EventKind.REGISTERED,
                f"{self.molecules.names[case.molecule_id]}: programme for "
                f"{indication or 'an indication still open'} put on record from {self.molecules.source}",
                molecule_id=case.molecule_id,
                programme_id=id,
                node="Programme",
                node_id=id,
                occurred_on=case.steps[0][0].occurred_on,
            )
            self._append(case, 1)
        for case in cases:
            if case.row is not None and case.history and case.steps:
                moves = [*case.history, *(move for move, _, _ in case.steps)]
                self.act.revise(programmes, case.row, position_columns(self.act, case.graph_id, moves))
                self._append(case, len(case.history) + 1)
        self.written += sum(1 for case in cases if case.steps)

    # ------------------------------------------------------------ on record

    def _cases(self, facts: Sequence[ProgrammeFact]) -> list[_Case]:
        found: dict[tuple[int, str], dict[str, Any]] = {}
        past: dict[int, list[Moved]] = {}
        ids = sorted({id for fact in facts if (id := self.molecules.id_of(fact.molecule)) is not None})
        for start in range(0, len(ids), CHUNK):
            for row in self.act.current(programmes, programmes.c.molecule_id.in_(ids[start : start + CHUNK])):
                found.setdefault((row["molecule_id"], row["indication_key"]), row)
        known = sorted(row["id"] for row in found.values())
        for start in range(0, len(known), CHUNK):
            some = known[start : start + CHUNK]
            for row in self.act.current(
                transitions, transitions.c.programme_id.in_(some), order_by=[transitions.c.position]
            ):
                past.setdefault(row["programme_id"], []).append(as_moved(row))
        in_force, _ = self.act.graphs.in_force(self.act.connection)
        cases: dict[tuple[int, str], _Case] = {}
        for fact in facts:
            molecule_id = self.molecules.id_of(fact.molecule)
            if molecule_id is None:
                for number in sorted({entry.row or fact.row or 0 for entry in fact.entries}):
                    self._quarantine(fact, number, "name", fact.molecule.name, "the name fits several molecules")
                continue
            key = (molecule_id, indication_key(fact.indication))
            if key in cases:  # two spellings of one molecule in one file
                cases[key].fact.entries.extend(fact.entries)
                continue
            held = found.get(key)
            graph_id = in_force if held is None else held["graph_id"]
            cases[key] = _Case(fact, molecule_id, held, graph_id, past.get(held["id"], []) if held else [])
        return list(cases.values())

    # ------------------------------------------------------------ along the graph

    def _read_along(self, case: _Case) -> None:
        """Find the new moves of a case. A row with one entry that does not fit is left out as a whole."""
        graph = self.act.graphs.of(self.act.connection, case.graph_id)
        today = latest_day(self.act.recorded_at)
        on_record = {(m.to_stage, m.to_status, m.occurred_on.text) for m in case.history}
        stages_on_record = {(m.to_stage, m.occurred_on.text) for m in case.history if m.from_stage != m.to_stage}
        entries: list[StageEntry] = []
        repeated: dict[int, None] = {}
        for entry in sorted(case.fact.entries, key=lambda e: e.occurred_on.earliest):
            here = (entry.stage, entry.status, entry.occurred_on.text)
            settled = here in on_record or (
                (entry.stage, entry.occurred_on.text) in stages_on_record and entry.status not in _STOPS
            )
            if settled:
                repeated[entry.row or case.fact.row or 0] = None
            else:
                entries.append(entry)
        while True:
            path = infer_path(graph, entries, history=case.history, today=today)
            if not path.problems:
                break
            bad: set[int] = set()
            for problem in path.problems:
                entry = entries[problem.entry]
                number = entry.row or case.fact.row or 0
                if number not in bad:
                    bad.add(number)
                    self._refuse(case, entry, number, problem.sentence, correction=problem.correction)
            entries = [entry for entry in entries if (entry.row or case.fact.row or 0) not in bad]
            for number in bad:
                repeated.pop(number, None)
        case.steps = [(step.moved, entries[step.entry], step.implied) for step in path.steps]
        moved = {_row(case, entry) for _, entry, _ in case.steps}
        idle = {_row(case, entry) for entry in entries} - moved
        for number in sorted((repeated.keys() | idle) - moved):
            self.reading.duplicates.append(Duplicate(Place(case.fact.file or "", number), None))

    def _refuse(self, case: _Case, entry: StageEntry, number: int, sentence: str, *, correction: bool) -> None:
        place = Place(case.fact.file or "", number)
        if correction and case.row is not None:
            proposal: dict[str, object] = {
                "kind": "correct",
                "programme": case.row["id"],
                "to": entry.stage,
                "occurred_on": entry.occurred_on.text,
            }
            proposed = f"correct the last entry to {entry.stage} on {entry.occurred_on.text}"
            self.reading.held.append(Held(place, "stage", entry.stage, proposed, sentence, proposal))
            return
        self._quarantine(case.fact, number, "stage", entry.stage, sentence)

    def _quarantine(self, fact: ProgrammeFact, number: int, column: str, value: str, reason: str) -> None:
        self.reading.quarantined.append(Quarantined(Place(fact.file or "", number), column, value, reason))

    # ------------------------------------------------------------ writing

    def _append(self, case: _Case, first: int) -> None:
        assert case.row is not None
        moves = [(moved, self._more(case, entry, moved, implied)) for moved, entry, implied in case.steps]
        ids = add_transitions(self.act, case.row["id"], case.graph_id, first, moves)
        for id, (moved, more) in zip(ids, moves, strict=True):
            tell_move(self.act, case.row, id, moved, more)

    def _more(self, case: _Case, entry: StageEntry, moved: Moved, implied: bool) -> dict[str, Any]:
        notes = [entry.note] if entry.note else []
        if implied:
            notes.append("not stated by the source, but presupposed; the date is the latest it can have")
        gives_reason = not implied and (moved.kind is not MoveKind.ADVANCE or entry.reason_verbatim)
        return {
            "reason": entry.reason.value if gives_reason and entry.reason else None,
            "reason_verbatim": entry.reason_verbatim if gives_reason else None,
            "note": "; ".join(notes) or None,
            "source_file": self.file_ids.get(case.fact.file or ""),
            "source_row": entry.row or case.fact.row,
        }


_STOPS = frozenset({"ON_HOLD", "DISCONTINUED", "COMPLETED", "STALLED"})


def _row(case: _Case, entry: StageEntry) -> int:
    return entry.row or case.fact.row or 0
