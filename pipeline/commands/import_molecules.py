"""Molecules named by a file: found by code or name where they are on record, put on record where they are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from pipeline.commands.molecules import structure_columns
from pipeline.errors import PipelineError
from pipeline.exchange.facts import MoleculeFact
from pipeline.names import canonical_key, fold, tidy
from pipeline.store.journal import Act
from pipeline.store.tables import external_ids, molecule_names, molecule_targets, molecules
from pipeline.words import EventKind, Modality

CHUNK = 10_000
"""Names looked up in one statement."""


@dataclass(slots=True)
class Molecules:
    """The molecules a file names, by key and by code, with their ids once `settle` has run."""

    act: Act
    source: str
    file_ids: dict[str, int]
    warnings: list[str]
    ids: dict[str, int | None] = field(default_factory=dict)
    """Id by key; None where the name fits several molecules on record."""
    new: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    _facts: dict[str, MoleculeFact] = field(default_factory=dict)

    def want(self, fact: MoleculeFact) -> None:
        """Note a molecule; facts of one key are one molecule and add up."""
        known = self._facts.setdefault(fact.key, fact)
        if known is not fact:
            known.synonyms.extend(name for name in (fact.name, *fact.synonyms) if name not in known.synonyms)
            known.external_ids.extend(pair for pair in fact.external_ids if pair not in known.external_ids)
            known.targets.extend(target for target in fact.targets if target not in known.targets)
            known.smiles = known.smiles or fact.smiles
            known.code = known.code or fact.code
            if known.modality is Modality.UNKNOWN:
                known.modality = fact.modality

    def id_of(self, fact: MoleculeFact | None) -> int | None:
        """Return the id of a molecule that was wanted; None for no molecule, or one that cannot be told."""
        return None if fact is None else self.ids.get(fact.key)

    def settle(self) -> None:
        """Find the molecules on record, and put the others on record."""
        self._find()
        missing = [fact for key, fact in self._facts.items() if key not in self.ids]
        self._register(missing)
        self._complete([fact for fact in self._facts.values() if self.ids[fact.key] not in self.new])

    # ------------------------------------------------------------ finding

    def _find(self) -> None:
        keys = list(self._facts)
        codes = {fact.code: fact.key for fact in self._facts.values() if fact.code}
        by_code: dict[str, int] = {}
        by_name: dict[str, set[int]] = {}
        by_synonym: dict[str, set[int]] = {}
        leads: dict[int, int] = {}
        table, names = molecules, molecule_names
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            some_codes = [code for code, key in codes.items() if key in set(some)]
            statement = select(table.c.id, table.c.code, table.c.name, table.c.name_key).where(
                table.c.until_act.is_(None), or_(table.c.name_key.in_(some), table.c.code.in_(some_codes))
            )
            for id, code, name, key in self.act.connection.execute(statement):
                self.names[id] = name
                by_name.setdefault(key, set()).add(id)
                if code in codes:
                    by_code[codes[code]] = id
            statement_names = select(names.c.molecule_id, names.c.name_key).where(
                names.c.until_act.is_(None), names.c.name_key.in_(some)
            )
            for id, key in self.act.connection.execute(statement_names):
                by_synonym.setdefault(key, set()).add(id)
        merged = select(table.c.id, table.c.merged_into).where(
            table.c.until_act.is_(None), table.c.merged_into.is_not(None)
        )
        leads = {row[0]: row[1] for row in self.act.connection.execute(merged)}
        for key, fact in self._facts.items():
            if key in by_code:
                self.ids[key] = _kept(by_code[key], leads)
                continue
            found = {_kept(id, leads) for id in by_name.get(key, set())}
            found = found or {_kept(id, leads) for id in by_synonym.get(key, set())}
            if len(found) == 1:
                self.ids[key] = found.pop()
            elif found:
                self.ids[key] = None
                self.warnings.append(
                    f"{fact.name!r} names {len(found)} molecules on record (ids {sorted(found)}); "
                    "it was linked to none: give the code, or merge the records"
                )

    # ------------------------------------------------------------ writing

    def _register(self, facts: list[MoleculeFact]) -> None:
        if not facts:
            return
        structures = [self._structure(fact) for fact in facts]
        columns = ("code", "name", "name_key", "modality", *_STRUCTURE, "source_file", "source_row")
        start = self.act.next_id(molecules)
        rows = []
        for id, (fact, structure) in enumerate(zip(facts, structures, strict=True), start=start):
            rows.append(
                (
                    fact.code or f"EXT-{id:06d}",
                    tidy(fact.name),
                    fact.key,
                    fact.modality.value,
                    *(structure.get(name) for name in _STRUCTURE),
                    self.file_ids.get(fact.file or ""),
                    fact.row,
                )
            )
        ids = self.act.add_all(molecules, columns, rows)
        for id, fact in zip(ids, facts, strict=True):
            self.ids[fact.key] = id
            self.names[id] = tidy(fact.name)
            self.new.add(id)
            self.act.event(
                EventKind.REGISTERED,
                f"{tidy(fact.name)} put on record from {self.source}",
                molecule_id=id,
                node="Molecule",
                node_id=id,
            )
        self._hang(facts, {}, {}, {})

    def _complete(self, facts: list[MoleculeFact]) -> None:
        """Add what a file says about molecules on record that was not known of them."""
        ids = sorted({id for fact in facts if (id := self.ids[fact.key]) is not None})
        if not ids:
            return
        known_names: dict[int, set[str]] = {}
        known_ids: dict[int, set[str]] = {}
        known_targets: dict[int, set[str]] = {}
        for start in range(0, len(ids), CHUNK):
            some = ids[start : start + CHUNK]
            for row in self.act.current(molecules, molecules.c.id.in_(some)):
                known_names.setdefault(row["id"], set()).update((fold(row["name"]), fold(row["code"])))
                self.names[row["id"]] = row["name"]
                self._improve(row, facts)
            for table, column, known in (
                (molecule_names, "name", known_names),
                (external_ids, "value", known_ids),
                (molecule_targets, "target", known_targets),
            ):
                for row in self.act.current(table, table.c.molecule_id.in_(some)):
                    known.setdefault(row["molecule_id"], set()).add(
                        fold(row[column]) if column == "name" else row[column]
                    )
        self._hang([fact for fact in facts if self.ids[fact.key] is not None], known_names, known_ids, known_targets)

    def _improve(self, row: dict[str, Any], facts: Iterable[MoleculeFact]) -> None:
        said = next((fact for fact in facts if self.ids[fact.key] == row["id"]), None)
        if said is None:
            return
        changes: dict[str, Any] = {}
        if row["modality"] == Modality.UNKNOWN and said.modality is not Modality.UNKNOWN:
            changes["modality"] = said.modality.value
        if row["smiles"] is None and said.smiles is not None:
            changes |= self._structure(said)
        if changes:
            self.act.revise(molecules, row, changes)

    def _hang(
        self,
        facts: list[MoleculeFact],
        known_names: dict[int, set[str]],
        known_ids: dict[int, set[str]],
        known_targets: dict[int, set[str]],
    ) -> None:
        names: list[tuple[Any, ...]] = []
        others: list[tuple[Any, ...]] = []
        targets: list[tuple[Any, ...]] = []
        for fact in facts:
            id = self.ids[fact.key]
            assert id is not None
            seen = known_names.setdefault(id, {fold(self.names[id])})
            for name in (fact.name, *fact.synonyms):
                spelled = fold(name)
                if spelled and spelled not in seen:
                    seen.add(spelled)
                    names.append((id, tidy(name), canonical_key(name), self.source))
            for scheme, value in fact.external_ids:
                if value not in known_ids.setdefault(id, set()):
                    known_ids[id].add(value)
                    others.append((id, scheme, value, self.source))
            for target in fact.targets:
                if target not in known_targets.setdefault(id, set()):
                    known_targets[id].add(target)
                    targets.append((id, target, self.source))
        self.act.add_all(molecule_names, ("molecule_id", "name", "name_key", "source"), names)
        self.act.add_all(external_ids, ("molecule_id", "scheme", "value", "source"), others)
        self.act.add_all(molecule_targets, ("molecule_id", "target", "source"), targets)

    def _structure(self, fact: MoleculeFact) -> dict[str, Any]:
        """Return the structure's columns; one that cannot be read is kept as given and said aloud."""
        try:
            return structure_columns(fact.smiles)
        except PipelineError as error:
            self.warnings.append(f"{fact.name}: its structure is kept as given, unread: {error.message}")
            return {"smiles": fact.smiles}


_STRUCTURE = (
    "smiles",
    "canonical_smiles",
    "inchi_key",
    "parent_smiles",
    "parent_inchi_key",
    "formula",
    "molar_mass",
    "fingerprint",
    "pattern",
)


def _kept(id: int, leads: dict[int, int]) -> int:
    while id in leads:
        id = leads[id]
    return id
