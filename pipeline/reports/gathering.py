"""Reading one programme's records for one rule: every record version that was seen is noted, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from pipeline.assessment.finding import Seen
from pipeline.errors import InputError
from pipeline.reports.record_versions import Condition, Record, Records
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store.species import is_people
from pipeline.units import convert


@dataclass(slots=True)
class Gathering:
    """One programme's records, read for one rule."""

    records: Records
    programme: Record
    rule: CheckpointRule
    inputs: dict[str, object] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    _studies: Sequence[Record] | None = None

    def rows(self, node: str, key: str, ids: Sequence[int], *where: Condition) -> Sequence[Record]:
        """Return the rows of a node of which the column `key` is among ids and that meet the conditions, by id.

        The conditions are made once, not for each gathering: see `Records`.
        """
        return self.records.rows(node, key, ids, where) if ids else ()

    def of_molecule(self, node: str) -> Sequence[Record]:
        """Return the rows of a node that are of the programme's molecule, by id."""
        return self.rows(node, "molecule_id", [self.programme["molecule_id"]])

    def note(self, node: str, row: Record, label: str, value: object) -> None:
        """Keep that a record version was seen, and what was taken from it."""
        self.seen.append(Seen(node, row["id"], row["version"], label, f"{value}"))

    def studies(self) -> Sequence[Record]:
        """Return the studies of the molecule, read once."""
        if self._studies is None:
            ids = sorted({row["study_id"] for row in self.of_molecule("StudyMolecule")})
            self._studies = self.rows("Study", "id", ids)
        return self._studies

    def animal_studies(self) -> list[int]:
        """Return the ids of the nonclinical studies."""
        return [row["id"] for row in self.studies() if not is_people(row["species"])]

    def clinical_studies(self, *, of_stage: bool = True) -> list[int]:
        """Return the ids of the clinical studies: of the programme's stage where some are and it is asked, else all."""
        clinical = [row for row in self.studies() if is_people(row["species"])]
        if not of_stage:
            return [row["id"] for row in clinical]
        stage = self.programme["stage"]
        here = [row["id"] for row in clinical if stage in orjson.loads(row["phases"])]
        return here or [row["id"] for row in clinical]

    def facts(self) -> dict[str, Record]:
        """Return what is on record of the molecule, by name (and species), the latest of each."""
        found: dict[str, Record] = {}
        for row in self.of_molecule("MoleculeFact"):
            found[f"{row['name']}:{row['species'].lower()}" if row["species"] else row["name"]] = row
        return found

    def fact(self, facts: Mapping[str, Record], name: str, unit: str) -> float | None:
        """Return a fact in a unit, noted as seen; None, noted as missing, where it is not on record."""
        row = facts.get(name)
        if row is None or row["value"] is None:
            self.missing.append(name.replace("_", " ").replace(":", " in "))
            return None
        self.note("MoleculeFact", row, name, row["reported"])
        try:
            return convert(row["value"], row["unit"], unit)
        except InputError as error:
            self.missing.append(f"{name} in a unit that can be used ({error})")
            return None
