"""Molecules named by a file: found by code or name where they are on record, put on record where they are not.

A code and a name that belong to different molecules are never linked on the strength of one of them: the molecule is
refused, and `refused` says which records speak against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import or_, select

from pipeline.commands.import_sources import Sources
from pipeline.commands.molecules import structure_columns
from pipeline.errors import PipelineError
from pipeline.exchange.facts import MoleculeFact
from pipeline.names import canonical_key, fold, tidy
from pipeline.store.journal import Act
from pipeline.store.tables import external_ids, molecule_names, molecule_targets, molecules
from pipeline.words import EventKind, Modality

CHUNK = 10_000
"""Values looked up in one statement."""
MADE_UP = "EXT-"
"""How the codes begin that molecules get which a source names without one."""
LONGEST_NAME = 500
LONGEST_CODE = 64

_Item = TypeVar("_Item")


def chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Yield a sequence in pieces that fit one statement."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


@dataclass(slots=True)
class _Known:
    """A molecule on record: its code, its name, and the keys of all its names."""

    id: int
    code: str
    name: str
    merged_into: int | None
    keys: set[str]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


@dataclass(slots=True)
class Molecules:
    """The molecules a file names, by key, with their ids once `settle` has run."""

    act: Act
    source: str
    sources: Sources
    warnings: list[str]
    refused: dict[str, str] = field(default_factory=dict)
    """Why a molecule, by key, could not be told."""
    new: set[int] = field(default_factory=set)
    completed: set[int] = field(default_factory=set)
    """Ids of molecules of which something was learnt."""
    names: dict[int, str] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=dict)
    _facts: dict[str, MoleculeFact] = field(default_factory=dict)
    _known: dict[int, _Known] = field(default_factory=dict)
    _unfit: dict[str, str | None] = field(default_factory=dict)

    def want(self, fact: MoleculeFact, *, unfit: str | None = None) -> None:
        """Note a molecule; facts of one key are one molecule and add up.

        unfit: why nothing can be taken of what the file says beside it; a molecule of which it says nothing else is
        not put on record.
        """
        key = canonical_key(fact.key)
        self._unfit[key] = unfit if key not in self._unfit else self._unfit[key] and unfit
        known = self._facts.setdefault(key, fact)
        if known is fact:
            return
        known.synonyms.extend(name for name in (fact.name, *fact.synonyms) if name not in known.synonyms)
        known.external_ids.extend(pair for pair in fact.external_ids if pair not in known.external_ids)
        known.targets.extend(target for target in fact.targets if target not in known.targets)
        known.smiles = known.smiles or fact.smiles
        if known.code and fact.code and fold(known.code) != fold(fact.code):
            self.refused[key] = (
                f"{fact.name} stands with two codes, {known.code} as {known.name} (row {known.row}) and {fact.code} "
                f"(row {fact.row}); give one molecule one code"
            )
        known.code = known.code or fact.code
        if known.modality is Modality.UNKNOWN:
            known.modality = fact.modality

    def id_of(self, fact: MoleculeFact | None) -> int | None:
        """Return the id of a molecule that was wanted; None for no molecule, or one that cannot be told."""
        return None if fact is None else self.id_of_key(canonical_key(fact.key))

    def id_of_key(self, key: str) -> int | None:
        """Return the id of a molecule that was wanted, by `canonical_key` of its name."""
        return self._ids.get(key)

    def why_refused(self, fact: MoleculeFact) -> str:
        """Return why a molecule that was wanted has no id."""
        return self.refused[canonical_key(fact.key)]

    def settle(self) -> None:
        """Find the molecules on record, and put the others on record."""
        missing = self._find()
        self._register(missing)
        found = {key: fact for key, fact in self._facts.items() if self._ids.get(key, 0) in self._known}
        self._complete([(self._ids[key], fact) for key, fact in found.items()])

    # ------------------------------------------------------------ finding

    def _find(self) -> list[tuple[str, MoleculeFact]]:
        """Give every fact its molecule on record; return those that have none."""
        by_code, by_name, by_synonym = self._look_up()
        self._follow_merges()
        missing: list[tuple[str, MoleculeFact]] = []
        codes: dict[str, MoleculeFact] = {}
        for key, fact in self._facts.items():
            if key in self.refused:
                continue
            coded = self._lead(by_code.get(fact.code or ""))
            named = {self._lead(id) for id in by_name.get(key) or by_synonym.get(key) or ()}
            problem = _overlong(fact) or self._contradiction(key, fact, coded, {id for id in named if id})
            if problem is None and coded is None and not named and fact.code:
                other = codes.setdefault(fact.code, fact)
                if other is not fact:
                    problem = (
                        f"code {fact.code} is given to {other.name} (row {other.row}) and to {fact.name}; "
                        "give each molecule its own"
                    )
            if problem is not None:
                self.refused[key] = problem
            elif id := coded or next(iter(named), None):
                self._ids[key] = id
            elif unfit := self._unfit[key]:
                self.refused[key] = unfit
            else:
                missing.append((key, fact))
        for key in list(self.refused)[:_TOLD]:
            self.warnings.append(f"{self._facts[key].name} was linked to no molecule: {self.refused[key]}.")
        return missing

    def _contradiction(self, key: str, fact: MoleculeFact, coded: int | None, named: set[int]) -> str | None:
        """Return why code and names cannot mean one molecule; None where they can."""
        if coded is None:
            if len(named) > 1:
                records = ", ".join(sorted(str(self._known[id]) for id in named))
                return f"the name {fact.name} is on record for {len(named)} molecules, {records}; give the code"
            for id in named:
                record = self._known[id]
                if fact.code and not record.code.startswith(MADE_UP) and fold(record.code) != fold(fact.code):
                    return (
                        f"the row says code {fact.code}, but {fact.name} is on record as {record}; correct one of them"
                    )
            return None
        record = self._known[coded]
        spoken = {key, *map(canonical_key, fact.synonyms)}
        if coded in named or spoken & record.keys or fold(fact.name) == fold(record.code):
            return None
        others = " and ".join(sorted(str(self._known[id]) for id in named))
        if others:
            return f"code {fact.code} is on record for {record}, but the name {fact.name} for {others}"
        return (
            f"code {fact.code} is on record for {record}, but the row says {fact.name}; correct one of them, or give "
            f"{record.name} among its synonyms"
        )

    def _look_up(self) -> tuple[dict[str, int], dict[str, set[int]], dict[str, set[int]]]:
        by_code: dict[str, int] = {}
        by_name: dict[str, set[int]] = {}
        by_synonym: dict[str, set[int]] = {}
        for some in chunks(list(self._facts)):
            codes = [code for key in some if (code := self._facts[key].code)]
            for record in self._read(or_(molecules.c.name_key.in_(some), molecules.c.code.in_(codes))):
                by_code[record.code] = record.id
                for key in record.keys:
                    by_name.setdefault(key, set()).add(record.id)
            statement = select(molecule_names.c.molecule_id, molecule_names.c.name_key).where(
                molecule_names.c.until_act.is_(None), molecule_names.c.name_key.in_(some)
            )
            for id, key in self.act.connection.execute(statement):
                by_synonym.setdefault(key, set()).add(id)
        unread = {id for ids in by_synonym.values() for id in ids} - self._known.keys()
        for some_ids in chunks(sorted(unread)):
            list(self._read(molecules.c.id.in_(some_ids)))
        return by_code, by_name, by_synonym

    def _read(self, condition: Any) -> Iterator[_Known]:
        table = molecules
        columns = select(table.c.id, table.c.code, table.c.name, table.c.merged_into, table.c.name_key)
        for id, code, name, merged_into, key in self.act.connection.execute(
            columns.where(table.c.until_act.is_(None), condition)
        ):
            self._known[id] = _Known(id, code, name, merged_into, {key})
            self.names[id] = name
            yield self._known[id]

    def _follow_merges(self) -> None:
        """Read the records that those found were merged into, and all names of those that count."""
        while True:
            known = self._known
            unread = {r.merged_into for r in known.values() if r.merged_into is not None and r.merged_into not in known}
            if not unread:
                break
            list(self._read(molecules.c.id.in_(sorted(unread))))
        for some in chunks(sorted(self._known)):
            statement = select(molecule_names.c.molecule_id, molecule_names.c.name_key).where(
                molecule_names.c.until_act.is_(None), molecule_names.c.molecule_id.in_(some)
            )
            for id, key in self.act.connection.execute(statement):
                self._known[id].keys.add(key)

    def _lead(self, id: int | None) -> int | None:
        while id is not None and (onward := self._known[id].merged_into) is not None:
            id = onward
        return id

    # ------------------------------------------------------------ putting on record

    def _register(self, facts: list[tuple[str, MoleculeFact]]) -> None:
        if not facts:
            return
        structures = [self._structure(fact) for _, fact in facts]
        codes = self._codes([fact for _, fact in facts])
        rows = [
            (
                *(code, tidy(fact.name), key, fact.modality.value),
                *(structure.get(name) for name in _STRUCTURE),
                *(self.sources.of(fact.file), fact.row),
            )
            for (key, fact), code, structure in zip(facts, codes, structures, strict=True)
        ]
        columns = ("code", "name", "name_key", "modality", *_STRUCTURE, "source_file", "source_row")
        ids = self.act.add_all(molecules, columns, rows)
        for id, (key, fact) in zip(ids, facts, strict=True):
            self._ids[key] = id
            self.names[id] = tidy(fact.name)
            self.new.add(id)
            self.act.event(
                EventKind.REGISTERED,
                f"{tidy(fact.name)} put on record from {self.source}",
                molecule_id=id,
                node="Molecule",
                node_id=id,
            )
        self._hang([(self._ids[key], fact) for key, fact in facts], {}, {}, {})
        self._same_structures(dict(zip(ids, structures, strict=True)))

    def _codes(self, facts: Sequence[MoleculeFact]) -> list[str]:
        """Return each molecule's code: its own, or one made up that nobody has."""
        first = self.act.next_id(molecules)
        made_up = {f"{MADE_UP}{first + at:06d}" for at, fact in enumerate(facts) if not fact.code}
        taken = {fact.code for fact in facts if fact.code}
        for some in chunks(sorted(made_up)):
            statement = select(molecules.c.code).where(molecules.c.until_act.is_(None), molecules.c.code.in_(some))
            taken.update(self.act.connection.execute(statement).scalars())
        codes = []
        for at, fact in enumerate(facts):
            code = fact.code or f"{MADE_UP}{first + at:06d}"
            while not fact.code and code in taken:
                code += "X"
            codes.append(code)
        return codes

    def _same_structures(self, structures: dict[int, dict[str, Any]]) -> None:
        """Say aloud which new molecules have the structure of another record: to merge is for a person to decide."""
        parents = {found["parent_inchi_key"]: id for id, found in structures.items() if found.get("parent_inchi_key")}
        for some in chunks(list(parents)):
            statement = select(molecules.c.id, molecules.c.code, molecules.c.name, molecules.c.parent_inchi_key).where(
                molecules.c.until_act.is_(None), molecules.c.parent_inchi_key.in_(some)
            )
            for id, code, name, parent in self.act.connection.execute(statement.order_by(molecules.c.id)):
                if id != parents[parent]:
                    self.warnings.append(
                        f"{self.names[parents[parent]]} has the structure of {name} ({code}), or of another salt of "
                        "it; merge the records if they are one molecule."
                    )

    # ------------------------------------------------------------ completing what is on record

    def _complete(self, facts: list[tuple[int, MoleculeFact]]) -> None:
        """Add what a file says about molecules on record that was not known of them."""
        known_names: dict[int, set[str]] = {}
        known_ids: dict[int, set[str]] = {}
        known_targets: dict[int, set[str]] = {}
        said = dict(facts)
        for some in chunks(sorted(said)):
            for row in self.act.current(molecules, molecules.c.id.in_(some)):
                known_names.setdefault(row["id"], set()).update((fold(row["name"]), fold(row["code"])))
                self._improve(row, said[row["id"]])
            for table, column, known in (
                (molecule_names, "name", known_names),
                (external_ids, "value", known_ids),
                (molecule_targets, "target", known_targets),
            ):
                for row in self.act.current(table, table.c.molecule_id.in_(some)):
                    value = row[column]
                    known.setdefault(row["molecule_id"], set()).add(fold(value) if column == "name" else value)
        self.completed |= self._hang(facts, known_names, known_ids, known_targets)

    def _improve(self, row: dict[str, Any], said: MoleculeFact) -> None:
        changes: dict[str, Any] = {}
        if said.code and row["code"].startswith(MADE_UP) and said.code != row["code"]:
            changes["code"] = said.code
            said.external_ids.append(("FORMER_CODE", row["code"]))
        if row["modality"] == Modality.UNKNOWN and said.modality is not Modality.UNKNOWN:
            changes["modality"] = said.modality.value
        if row["smiles"] is None and said.smiles is not None:
            changes |= self._structure(said)
        if changes:
            self.act.revise(molecules, row, changes)
            self.completed.add(row["id"])

    def _hang(
        self,
        facts: list[tuple[int, MoleculeFact]],
        known_names: dict[int, set[str]],
        known_ids: dict[int, set[str]],
        known_targets: dict[int, set[str]],
    ) -> set[int]:
        """Write names, identifiers and targets that are not known yet; return the molecules that got any."""
        names: list[tuple[Any, ...]] = []
        others: list[tuple[Any, ...]] = []
        targets: list[tuple[Any, ...]] = []
        for id, fact in facts:
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
        return {row[0] for row in (*names, *others, *targets)}

    def _structure(self, fact: MoleculeFact) -> dict[str, Any]:
        """Return the structure's columns; one that cannot be read is kept as given and said aloud."""
        try:
            return structure_columns(fact.smiles)
        except PipelineError as error:
            self.warnings.append(f"{fact.name}: its structure is kept as given, unread: {error.message}")
            return {"smiles": fact.smiles}


_TOLD = 20
_STRUCTURE = (
    *("smiles", "canonical_smiles", "inchi_key", "parent_smiles", "parent_inchi_key"),
    *("formula", "molar_mass", "fingerprint", "pattern"),
)


def _overlong(fact: MoleculeFact) -> str | None:
    if len(fact.name) > LONGEST_NAME:
        return f"a name of {len(fact.name):,} characters is not one; at most {LONGEST_NAME} are kept"
    if fact.code and len(fact.code) > LONGEST_CODE:
        return f"a code of {len(fact.code):,} characters is not one; at most {LONGEST_CODE} are kept"
    return None
