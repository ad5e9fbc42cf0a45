"""Reading one programme's records for one rule: every record version that was seen is noted, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Table, select

from pipeline.assessment.finding import Seen
from pipeline.errors import InputError
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store import checkpoint_tables, tables
from pipeline.store.nodes import NODES, among, seen
from pipeline.store.reader import Reader
from pipeline.store.species import is_people
from pipeline.units import convert


@dataclass(slots=True)
class Gathering:
    """One programme's records, read for one rule."""

    reader: Reader
    programme: Mapping[str, Any]
    rule: CheckpointRule
    inputs: dict[str, object] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    _studies: list[dict[str, Any]] | None = None

    def rows(self, node: str, *conditions: Any) -> list[dict[str, Any]]:
        """Return the rows of a node that meet the conditions, by id."""
        table: Table = NODES[node].table
        statement = select(table).where(*seen(node, table, self.reader.view), *conditions).order_by(table.c.id)
        return [dict(row) for row in self.reader.connection.execute(statement).mappings()]

    def note(self, node: str, row: Mapping[str, Any], label: str, value: object) -> None:
        """Keep that a record version was seen, and what was taken from it."""
        self.seen.append(Seen(node, row["id"], row["version"], label, f"{value}"))

    def studies(self) -> list[dict[str, Any]]:
        """Return the studies of the molecule, read once."""
        if self._studies is None:
            table = tables.study_molecules
            named = self.rows("StudyMolecule", table.c.molecule_id == self.programme["molecule_id"])
            ids = sorted({row["study_id"] for row in named})
            self._studies = self.rows("Study", among(tables.studies.c.id, ids))
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

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return what is on record of the molecule, by name (and species), the latest of each."""
        table = checkpoint_tables.molecule_facts
        found: dict[str, dict[str, Any]] = {}
        for row in self.rows("MoleculeFact", table.c.molecule_id == self.programme["molecule_id"]):
            found[f"{row['name']}:{row['species'].lower()}" if row["species"] else row["name"]] = row
        return found

    def fact(self, facts: Mapping[str, dict[str, Any]], name: str, unit: str) -> float | None:
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
