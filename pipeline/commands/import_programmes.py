"""Programmes told by a file: each history is read along the state graph and joined to what is on record.

An entry that is on record already is a duplicate, and so is one that was on record and has been corrected: an old file
does not undo a correction. One that the graph cannot follow is quarantined with the reason; one that can only be right
if an earlier entry is wrong is held, with the correction proposed. A row counts as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from pipeline.commands.import_molecules import Molecules, chunks
from pipeline.commands.programmes import (
    Told,
    add_histories,
    as_moved,
    indication_key,
    latest_day,
    position_columns,
    tell_move,
)
from pipeline.dates import PartialDate
from pipeline.exchange.facts import ProgrammeFact, StageEntry
from pipeline.exchange.reading import Duplicate, Held, Place, Quarantined, Reading
from pipeline.names import canonical_key
from pipeline.stages.rules import Moved, infer_path
from pipeline.store.journal import Act
from pipeline.store.tables import programmes, transitions
from pipeline.words import EventKind, MoveKind, Status

_Said = tuple[str, str, str]
"""Stage, status and date of an entry."""


@dataclass(slots=True)
class _Case:
    """One programme of the file beside the one on record."""

    fact: ProgrammeFact
    molecule_id: int
    row: dict[str, Any] | None
    graph_id: int
    history: list[Moved]
    mended: set[_Said]
    """What was on record once and has been corrected."""
    steps: list[tuple[Moved, StageEntry, bool]] = field(default_factory=list)
    filled: dict[str, str] = field(default_factory=dict)
    """What the file adds to the programme itself."""

    def place(self, entry: StageEntry) -> Place:
        """Return where an entry stands."""
        return Place(entry.file or self.fact.file or "", entry.row or self.fact.row or 0)


@dataclass(slots=True)
class Programmes:
    """Writes the programmes of one import; rows it cannot take are added to what the reading quarantines or holds."""

    act: Act
    molecules: Molecules
    reading: Reading
    written: int = 0
    _proposals: list[tuple[_Case, Held]] = field(default_factory=list)

    def write(self, facts: Sequence[ProgrammeFact]) -> None:
        """Write what is new of the facts."""
        cases = self._cases(facts)
        for case in cases.values():
            self._read_along(case)
        self._create([case for case in cases.values() if case.row is None and case.steps])
        further = [case for case in cases.values() if case.history and (case.steps or case.filled)]
        for case in further:
            assert case.row is not None
            moves = [*case.history, *(move for move, _, _ in case.steps)]
            position = position_columns(self.act, case.graph_id, moves)
            self.act.revise(programmes, case.row, position | case.filled)
        self._append([(case, len(case.history) + 1) for case in further])
        self.written += sum(1 for case in cases.values() if case.steps or case.filled)
        self._hold(cases)

    def _create(self, created: Sequence[_Case]) -> None:
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
            source = (self.molecules.sources.of(fact.file), fact.row)
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
        self._append([(case, 1) for case in created])

    # ------------------------------------------------------------ on record

    def _cases(self, facts: Sequence[ProgrammeFact]) -> dict[tuple[int, str], _Case]:
        found: dict[tuple[int, str], dict[str, Any]] = {}
        indications: dict[int, list[str]] = {}
        past: dict[int, list[Moved]] = {}
        mended: dict[int, set[_Said]] = {}
        ids = sorted({id for fact in facts if (id := self.molecules.id_of(fact.molecule)) is not None})
        known_molecules = [id for id in ids if id not in self.molecules.new]
        for some_ids in chunks(known_molecules):
            for row in self.act.current(programmes, programmes.c.molecule_id.in_(some_ids)):
                found.setdefault((row["molecule_id"], row["indication_key"]), row)
                indications.setdefault(row["molecule_id"], []).append(row["indication"] or "")
        for some in chunks(sorted(row["id"] for row in found.values())):
            for row in self.act.current(
                transitions, transitions.c.programme_id.in_(some), order_by=[transitions.c.position]
            ):
                past.setdefault(row["programme_id"], []).append(as_moved(row))
            t = transitions.c
            closed = select(t.programme_id, t.to_stage, t.to_status, t.occurred_on)
            for id, *said in self.act.connection.execute(
                closed.where(t.until_act.is_not(None), t.programme_id.in_(some))
            ):
                mended.setdefault(id, set()).add((said[0], said[1], said[2]))
        in_force, _ = self.act.graphs.in_force(self.act.connection)
        cases: dict[tuple[int, str], _Case] = {}
        for fact in facts:
            molecule_id = self.molecules.id_of(fact.molecule)
            if molecule_id is None:
                self._set_aside(fact, "name", fact.molecule.name, self.molecules.why_refused(fact.molecule))
                continue
            key = (molecule_id, indication_key(fact.indication))
            if key in cases:  # two spellings of one molecule or indication in one file
                _add(cases[key].fact, fact)
                continue
            held = found.get(key)
            if held is None and not key[1] and self.reading.format == "portfolio" and molecule_id in indications:
                self._which_indication(fact, indications[molecule_id])
                continue
            graph_id = in_force if held is None else held["graph_id"]
            id = 0 if held is None else held["id"]
            cases[key] = _Case(fact, molecule_id, held, graph_id, past.get(id, []), mended.get(id, set()))
        return cases

    def _set_aside(self, fact: ProgrammeFact, column: str, value: str, reason: str) -> None:
        for place in _places(fact):
            self.reading.quarantined.append(Quarantined(place, column, value[:200], reason))

    def _which_indication(self, fact: ProgrammeFact, known: Sequence[str]) -> None:
        name = fact.molecule.name
        explanation = f"the row names no indication, and {name} has programmes on record that do; say which it is about"
        for place in _places(fact):
            self.reading.held.append(Held(place, "indication", None, " or ".join(known[:5]), explanation))

    # ------------------------------------------------------------ along the graph

    def _read_along(self, case: _Case) -> None:
        """Find the new moves of a case. A row with one entry that does not fit is left out as a whole."""
        graph = self.act.graphs.of(self.act.connection, case.graph_id)
        today = latest_day(self.act.recorded_at)
        entries: list[StageEntry] = []
        repeated: dict[Place, None] = {}
        refused: set[Place] = set()
        for entry in sorted(case.fact.entries, key=lambda e: e.occurred_on.earliest):
            place = case.place(entry)
            if _on_record(entry, case.history):
                repeated[place] = None
            elif (entry.stage, entry.status.value, entry.occurred_on.text) in case.mended:
                repeated[place] = None
                said = f"{entry.stage} on {entry.occurred_on.text} was on record and has been corrected; it stays so"
                self.reading.flags.append(Quarantined(place, "stage", entry.stage, said))
            elif (entered := self._otherwise_dated(case, entry)) is not None:
                refused.add(place)
                self._propose(case, entry, f"{entry.stage} is on record since {entered.occurred_on.text}", entered)
            else:
                entries.append(entry)
        while True:
            entries = [entry for entry in entries if case.place(entry) not in refused]
            path = infer_path(graph, entries, history=case.history, today=today)
            if not path.problems:
                break
            for problem in path.problems:
                entry = entries[problem.entry]
                if case.place(entry) in refused:
                    continue
                refused.add(case.place(entry))
                if problem.correction and case.history:
                    self._propose(case, entry, problem.sentence, case.history[-1])
                else:
                    quarantined = Quarantined(case.place(entry), "stage", entry.stage, problem.sentence)
                    self.reading.quarantined.append(quarantined)
        case.steps = [(step.moved, entries[step.entry], step.implied) for step in path.steps]
        moved = {case.place(entry) for _, entry, _ in case.steps}
        if case.row is not None and (own := Place(case.fact.file or "", case.fact.row or 0)) not in refused:
            moved |= self._fill(case, own)
        idle = {case.place(entry) for entry in entries} | repeated.keys()
        for place in sorted(idle - moved - refused):
            self.reading.duplicates.append(Duplicate(place, None))

    def _otherwise_dated(self, case: _Case, entry: StageEntry) -> Moved | None:
        """Return the move on record into an entry's stage, where the entry cannot be right beside it.

        A portfolio gives the day a stage was entered; what it says of the stage later on is about its status. A
        snapshot only says that a stage was entered by then: it contradicts a later day, not an earlier one.
        """
        before = (other for other in case.fact.entries if other.stage == entry.stage and other is not entry)
        if entry.status in _STOPS or any(o.occurred_on.earliest < entry.occurred_on.earliest for o in before):
            return None
        entered = [m for m in case.history if m.to_stage == entry.stage and m.from_stage != m.to_stage]
        if not entered or case.history[-1].to_stage != entry.stage:
            return None
        on, said = entered[-1].occurred_on, entry.occurred_on
        left = any(m.to_status in _STOPS for m in case.history[case.history.index(entered[-1]) + 1 :])
        if said.latest < on.earliest:
            return entered[-1]
        if self.reading.format == "portfolio" and not left and on.latest < said.earliest:
            return entered[-1]
        return None

    def _propose(self, case: _Case, entry: StageEntry, sentence: str, wrong: Moved) -> None:
        """Hold a row with the correction it asks for, where the last entry on record is the one it contradicts."""
        place = case.place(entry)
        seen = self.reading.format != "portfolio" and entry.stage != wrong.to_stage
        on = wrong.occurred_on if seen else entry.occurred_on
        proposed = f"correct {wrong.to_stage} ({wrong.occurred_on.text}) to {entry.stage} ({on.text})"
        explanation = f"{self.molecules.names[case.molecule_id]}: {entry.stage} on {entry.occurred_on.text}: {sentence}"
        act: dict[str, object] | None = None
        if wrong is case.history[-1] and wrong.from_stage != wrong.to_stage:
            act = {
                "kind": "correct",
                "from_stage": wrong.to_stage,
                "from_date": wrong.occurred_on.text,
                "to": entry.stage,
                "occurred_on": on.text,
            }
        self._proposals.append((case, Held(place, "stage", entry.stage, proposed, explanation, act)))

    def _hold(self, cases: dict[tuple[int, str], _Case]) -> None:
        """Give every proposed correction the programme it is about, which this import may just have made."""
        held: list[Held] = []
        for item in self.reading.held:
            act = item.act or {}
            key = canonical_key(str(act.get("molecule") or ""))
            molecule_id = self.molecules.id_of_key(key) if act.get("kind") == "correct" else None
            indication = act.get("indication")
            case = cases.get((molecule_id or 0, indication_key(str(indication) if indication else None)))
            if case is not None and case.row is not None:
                item = item._replace(act={**act, "programme": case.row["id"]})
            held.append(item)
        for case, item in self._proposals:
            assert case.row is not None  # what is contradicted is on record
            held.append(item if item.act is None else item._replace(act={**item.act, "programme": case.row["id"]}))
        self.reading.held[:] = held

    # ------------------------------------------------------------ writing

    def _fill(self, case: _Case, place: Place) -> set[Place]:
        """Take over what the programme on record does not say yet; return the place if it says anything new."""
        assert case.row is not None
        for column, said in (("disease_group", case.fact.disease_group), ("biomarker", case.fact.biomarker)):
            if not said or case.row[column] == said:
                continue
            if case.row[column] is None:
                case.filled[column] = said
            else:
                kept = f"on record is {case.row[column][:80]!r}, which is kept"
                self.reading.flags.append(Quarantined(place, column, said[:200], kept))
        return {place} if case.filled or case.molecule_id in self.molecules.completed else set()

    def _append(self, cases: Sequence[tuple[_Case, int]]) -> None:
        """Append the new moves of cases, from a position on, and tell their history."""
        histories: list[tuple[int, int, int, list[Told]]] = []
        for case, first in cases:
            assert case.row is not None
            told: list[Told] = [
                (moved, self._more(case, entry, moved, implied)) for moved, entry, implied in case.steps
            ]
            histories.append((case.row["id"], case.graph_id, first, told))
        ids = iter(add_histories(self.act, histories))
        for (case, _), (_, _, _, told) in zip(cases, histories, strict=True):
            for moved, more in told:
                tell_move(self.act, case.row or {}, next(ids), moved, more)

    def _more(self, case: _Case, entry: StageEntry, moved: Moved, implied: bool) -> dict[str, Any]:
        notes = [entry.note] if entry.note else []
        if implied:
            notes.append("not stated by the source, but presupposed; the date is the latest it can have")
        gives_reason = not implied and (moved.kind is not MoveKind.ADVANCE or entry.reason_verbatim)
        place = case.place(entry)
        return {
            "reason": entry.reason.value if gives_reason and entry.reason else None,
            "reason_verbatim": entry.reason_verbatim if gives_reason else None,
            "note": "; ".join(notes) or None,
            "source_file": self.molecules.sources.of(place.file),
            "source_row": place.row or None,
        }


_STOPS = frozenset({Status.ON_HOLD, Status.DISCONTINUED, Status.COMPLETED, Status.STALLED})


def _on_record(entry: StageEntry, history: Sequence[Moved]) -> bool:
    """Whether a history says what an entry says, at the same or at another precision of the date."""
    for move in history:
        if move.to_stage != entry.stage or not _nested(move.occurred_on, entry.occurred_on):
            continue
        entered = move.from_stage != move.to_stage and entry.status not in _STOPS
        if entered or move.to_status is entry.status:
            return True
    return False


def _nested(one: PartialDate, other: PartialDate) -> bool:
    """Whether two dates can be one: the finer lies within the coarser."""
    return (one.earliest <= other.earliest and other.latest <= one.latest) or (
        other.earliest <= one.earliest and one.latest <= other.latest
    )


def _places(fact: ProgrammeFact) -> list[Place]:
    """Return the rows a fact was read from."""
    own = Place(fact.file or "", fact.row or 0)
    return sorted({Place(entry.file or own.file, entry.row or own.row) for entry in fact.entries}) or [own]


def _add(fact: ProgrammeFact, more: ProgrammeFact) -> None:
    """Add what a second fact says of the same programme."""
    for entry in more.entries:
        entry.file, entry.row = entry.file or more.file, entry.row or more.row
    fact.entries.extend(more.entries)
    fact.disease_group = fact.disease_group or more.disease_group
    fact.biomarker = fact.biomarker or more.biomarker
