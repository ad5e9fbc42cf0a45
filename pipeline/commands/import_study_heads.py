"""The study records belong to: found or made, with its molecules and arms, and what it said of itself before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import or_, select

from pipeline.commands.import_molecules import Molecules
from pipeline.commands.import_studies import Studies
from pipeline.dates import PartialDate
from pipeline.errors import InputError
from pipeline.exchange.facts import Arm, MoleculeFact, StudyFact, StudyMolecule
from pipeline.exchange.study_facts import StudyRecords
from pipeline.names import canonical_key
from pipeline.store import tables
from pipeline.store.journal import Act
from pipeline.store.nodes import unmerged
from pipeline.words import StudyStatus


@dataclass(slots=True)
class StudyHeads:
    """Puts studies on record for the records that follow. `molecule`: what the person who imports says it is about."""

    act: Act
    molecules: Molecules
    study: str | None = None
    molecule: str | None = None
    written: int = 0
    unchanged_rows: int = 0
    """Rows that say of a study what it said before."""
    main: str | None = None
    """Key of the molecule the study written last is about: the one that was said, where one was."""

    def given_molecule(self) -> MoleculeFact | None:
        """Return the molecule that was said, by its record.

        Raises:
            InputError: there is none of that code or name.
        """
        if self.molecule is None:
            return None
        table, names = tables.molecules, tables.molecule_names
        key = canonical_key(self.molecule)
        synonyms = select(names.c.molecule_id).where(names.c.until_act.is_(None), names.c.name_key == key)
        found = self.act.current(
            table,
            unmerged(table),
            or_(table.c.code == self.molecule, table.c.name_key == key, table.c.id.in_(synonyms)),
        )
        if len(found) != 1:
            many = f"{len(found)} molecules are" if found else "no molecule is"
            raise InputError(
                f"{many} known as {self.molecule[:60]!r}; give the code of one on record", path=("input", "molecule")
            )
        return MoleculeFact(found[0]["name"], found[0]["name_key"], code=found[0]["code"])

    def write(self, records: StudyRecords) -> int:
        """Put a study on record, or add to it what is new, and return its id."""
        fact = records.study
        fact.home = self.study or fact.home or fact.code
        given = self.given_molecule()
        self._name_sole_analyte(records)
        main = self.main = _main_molecule(records)
        for key, molecule in records.molecules.items():
            meant = given if given is not None and key == main else molecule
            if not any(part.name == molecule.name for part in fact.molecules):
                fact.molecules.append(StudyMolecule(meant, molecule.name, row=molecule.row))
        if given is not None and not records.molecules:
            fact.molecules.append(StudyMolecule(given, given.name))
        for group in records.groups:
            label = group.arm or group.label or group.code
            if not any(arm.label == label for arm in fact.arms):
                fact.arms.append(Arm(label, "CONTROL" if group.control else None, row=group.place.row))
        known = self._known(fact)
        if known is None or self._completed(fact, known):
            studies = Studies(self.act, self.molecules)
            studies.write([fact])
            self.written += studies.written
            self.unchanged_rows += studies.unchanged_rows
        else:
            self.unchanged_rows += fact.rows
            for part in fact.molecules:
                self.molecules.want(part.molecule)
            self.molecules.settle()
        after = self._known(fact)
        if after is None:
            raise InputError(f"the study {fact.code} could not be put on record", path=("input", "study"))
        return int(after["study_id"])

    def _name_sole_analyte(self, records: StudyRecords) -> None:
        """Take the analyte for the molecule where a study names no treatment, measures one thing, and has none yet."""
        known = self._known(records.study)
        taken = tables.study_molecules
        if records.molecules or self.molecule is not None or len(records.analytes) != 1:
            return
        if known is None or not self.act.current(taken, taken.c.study_id == known["study_id"]):
            name = next(iter(records.analytes))
            records.molecules[canonical_key(name)] = MoleculeFact(name, canonical_key(name), file=records.study.file)
            self.molecules.warnings.append(
                f"{records.study.code} names no treatment: {name} is taken for the molecule."
            )

    def _known(self, fact: StudyFact) -> dict[str, Any] | None:
        said = tables.study_sources
        found = self.act.current(said, said.c.source == fact.source, said.c.code == fact.code)
        return found[0] if found else None

    def _completed(self, fact: StudyFact, known: dict[str, Any]) -> bool:
        """Add to a fact what its source said before and does not repeat now; return whether it says anything new.

        A study's data sets may come one by one: the concentrations today, the trial summary tomorrow.
        """
        said = orjson.loads(known["statement"])
        new = False
        for name in ("registry_id", "registry_id_reported", "title", "sponsor", "enrolment", "design"):
            before, now = said.get(name), getattr(fact, name)
            new = new or (now is not None and now != before)
            setattr(fact, name, before if now is None else now)
        for name in ("started_on", "ended_on"):
            day: PartialDate | None = getattr(fact, name)
            new = new or (day is not None and day.text != said.get(name))
            if day is None and said.get(name):
                setattr(fact, name, PartialDate.parse(said[name]))
        for name in ("phases", "conditions"):
            listed = getattr(fact, name)
            new = new or (bool(listed) and listed != said.get(name))
            setattr(fact, name, listed or said.get(name) or [])
        if fact.status is None and said.get("status"):
            fact.status = StudyStatus(said["status"])
        details = said.get("details") or {}
        new = new or any(details.get(name) != value for name, value in fact.details.items())
        fact.details = details | fact.details
        return self._with_parts(fact, known) or new

    def _with_parts(self, fact: StudyFact, known: dict[str, Any]) -> bool:
        taken, arms, molecules = tables.study_molecules, tables.arms, tables.molecules
        new = False
        before = self.act.current(taken, taken.c.source_id == known["id"])
        listed = {row["name"] for row in before}
        new = any(part.name not in listed for part in fact.molecules)
        mentioned = {part.name for part in fact.molecules}
        for row in before:
            if row["name"] not in mentioned:
                record = self.act.find(molecules, row["molecule_id"])
                meant = MoleculeFact(record["name"], record["name_key"], code=record["code"])
                fact.molecules.append(StudyMolecule(meant, row["name"], row["arm"], row["route"], row["form"]))
        there = self.act.current(arms, arms.c.source_id == known["id"])
        labels = {row["label"] for row in there}
        new = new or any(arm.label not in labels for arm in fact.arms)
        named = {arm.label for arm in fact.arms}
        fact.arms += [
            Arm(row["label"], row["kind"], row["description"], row["source_row"])
            for row in there
            if row["label"] not in named
        ]
        return new


def _main_molecule(records: StudyRecords) -> str | None:
    """Return the key of the molecule a study is about; None where it is about several."""
    keys = [key for key in records.investigated if key in records.molecules] or list(records.molecules)
    return keys[0] if len(keys) == 1 else None
