"""Register molecules, and merge two records of one molecule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.programmes import open_programme
from pipeline.commands.texts import checked, checked_list
from pipeline.errors import Conflict, InputError, PipelineError, refuse
from pipeline.names import canonical_key, fold, tidy
from pipeline.store import study_tables
from pipeline.store.journal import Act
from pipeline.store.tables import (
    doses,
    events,
    external_ids,
    molecule_names,
    molecule_targets,
    molecules,
    programmes,
    recommended_doses,
    study_molecules,
)
from pipeline.words import EventKind, Modality

# Every table whose rows hang on a molecule: what is merged moves along.
HANGING_ON_MOLECULES = (
    molecule_names,
    external_ids,
    molecule_targets,
    programmes,
    study_molecules,
    doses,
    recommended_doses,
    events,
    study_tables.administrations,
    study_tables.monitoring_records,
    study_tables.reported_parameters,
    study_tables.exposure_limits,
    study_tables.toxicity_bases,
    study_tables.alerts,
)


@dataclass(frozen=True, slots=True)
class RegisterMolecule:
    """Record a molecule under the centre's own code, and open its first programme."""

    code: str
    name: str
    modality: Modality
    smiles: str | None = None
    synonyms: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    external_ids: tuple[tuple[str, str], ...] = ()
    indication: str | None = None
    disease_group: str | None = None
    biomarker: str | None = None


@dataclass(frozen=True, slots=True)
class MergeMolecules:
    """Say that two records are one molecule: `merge` is kept as it is but leads to `keep` from now on."""

    keep: int
    merge: int
    reason: str


def structure_columns(smiles: str | None) -> dict[str, Any]:
    """Return what a structure says, as columns of `molecules`; refuse a SMILES that cannot be read."""
    if smiles is None:
        return {}
    from pipeline.molecules.structures import read_structure

    structure = read_structure(smiles)
    return {
        "smiles": smiles,
        "canonical_smiles": structure.canonical_smiles,
        "inchi_key": structure.inchi_key,
        "parent_smiles": structure.parent_smiles,
        "parent_inchi_key": structure.parent_inchi_key,
        "formula": structure.formula,
        "molar_mass": structure.molar_mass_g_per_mol,
        "fingerprint": structure.fingerprint,
        "pattern": structure.pattern,
    }


@handles(RegisterMolecule, Permission.REGISTER_MOLECULE)
def register_molecule(act: Act, command: RegisterMolecule) -> Mapping[str, Any]:
    """Register, or refuse with every reason at once; an existing molecule is handed back in the Conflict."""
    errors: list[PipelineError] = []
    code = checked(command.code, "code", errors, required=True, longest=64)
    name = checked(command.name, "name", errors, required=True)
    smiles = checked(command.smiles, "smiles", errors, longest=2000)
    synonyms = checked_list(command.synonyms, "synonyms", errors)
    targets = checked_list(command.targets, "targets", errors)
    name = tidy(name) if name else None
    key = canonical_key(name) if name else ""
    if name and not key:
        errors.append(InputError(f"name {name!r} has neither letter nor digit; give a name", path=("input", "name")))
    structure: dict[str, Any] = {}
    try:
        structure = structure_columns(smiles)
    except PipelineError as error:
        error.path = ("input", "smiles")
        errors.append(error)
    errors += _conflicts(act, code, name, key, structure)
    for synonym in synonyms:
        if (other := canonical_key(synonym)) and other != key:
            for row in act.current(molecules, molecules.c.id.in_(molecules_named(act, other))):
                errors.append(_conflict(act, f"{synonym} names {row['code']} ({row['name']}) already", row, "synonyms"))
    refuse(errors)
    id = act.add(
        molecules,
        {"code": code, "name": name, "name_key": key, "modality": Modality(command.modality).value, **structure},
    )
    source = f"registered by {act.actor.name}"
    _add_names(act, id, [s for s in synonyms if fold(s) != fold(name or "")], source)
    for target in targets:
        act.add(molecule_targets, {"molecule_id": id, "target": target, "source": source})
    for scheme, value in command.external_ids:
        act.add(external_ids, {"molecule_id": id, "scheme": scheme, "value": value, "source": source})
    act.event(EventKind.REGISTERED, f"{name} registered as {code}", molecule_id=id, node="Molecule", node_id=id)
    programme = open_programme(
        act,
        molecule_id=id,
        molecule_name=name or "",
        indication=command.indication,
        disease_group=command.disease_group,
        biomarker=command.biomarker,
    )
    return {"molecule": id, "programme": programme}


def _add_names(act: Act, molecule_id: int, names: list[str], source: str) -> None:
    rows = [(molecule_id, tidy(name), canonical_key(name), source) for name in names if canonical_key(name)]
    act.add_all(molecule_names, ("molecule_id", "name", "name_key", "source"), rows)


def _conflicts(
    act: Act, code: str | None, name: str | None, key: str, structure: Mapping[str, Any]
) -> list[PipelineError]:
    found: list[PipelineError] = []
    if code:
        for row in act.current(molecules, molecules.c.code == code):
            found.append(_conflict(act, f"the code {code} belongs to {row['name']} already", row, "code"))
    if key:
        for row in act.current(molecules, molecules.c.id.in_(molecules_named(act, key))):
            found.append(_conflict(act, f"{name} is registered already as {row['code']} ({row['name']})", row, "name"))
    parent = structure.get("parent_inchi_key") or structure.get("inchi_key")
    if parent:
        same = or_(molecules.c.inchi_key == parent, molecules.c.parent_inchi_key == parent)
        for row in act.current(molecules, same):
            text = f"the structure is registered already as {row['code']} ({row['name']})"
            if row["inchi_key"] != structure["inchi_key"]:
                text += ", as another salt or form of the same parent"
            found.append(_conflict(act, text, row, "smiles"))
    return found


def _conflict(act: Act, text: str, row: Mapping[str, Any], field: str) -> Conflict:
    kept = resolve_merged(act, row["id"])
    return Conflict(
        f"{text}; open a programme for it instead, or merge the records",
        node="Molecule",
        id=kept,
        path=("input", field),
    )


def molecules_named(act: Act, key: str) -> set[int]:
    """Return the ids of the molecules that carry a name or synonym with this key."""
    own = select(molecules.c.id).where(molecules.c.until_act.is_(None), molecules.c.name_key == key)
    others = select(molecule_names.c.molecule_id).where(
        molecule_names.c.until_act.is_(None), molecule_names.c.name_key == key
    )
    ids = {*act.connection.execute(own).scalars(), *act.connection.execute(others).scalars()}
    return {resolve_merged(act, id) for id in ids}


def resolve_merged(act: Act, id: int) -> int:
    """Follow merges to the molecule that was kept."""
    row = act.find(molecules, id)
    while row["merged_into"] is not None:
        row = act.find(molecules, row["merged_into"])
    return int(row["id"])


@handles(MergeMolecules, Permission.MERGE_MOLECULES)
def merge_molecules(act: Act, command: MergeMolecules) -> Mapping[str, Any]:
    """Merge two records; nothing is deleted, the old code and names still find the molecule."""
    errors: list[PipelineError] = []
    reason = checked(command.reason, "reason", errors, required=True, longest=2000)
    keep = act.find(molecules, command.keep)
    merge = act.find(molecules, command.merge)
    for row, field in ((keep, "keep"), (merge, "merge")):
        if row["merged_into"] is not None:
            errors.append(
                InputError(
                    f"{row['code']} was merged into another record already; name that one instead",
                    path=("input", field),
                )
            )
    if keep["id"] == merge["id"]:
        errors.append(InputError("a molecule cannot be merged with itself", path=("input", "merge")))
    refuse(errors)
    if fold(merge["name"]) != fold(keep["name"]):
        _add_names(act, keep["id"], [merge["name"]], f"merged from {merge['code']}")
    moved = 0
    for table in HANGING_ON_MOLECULES:
        for row in act.current(table, table.c.molecule_id == merge["id"]):
            act.revise(table, row, {"molecule_id": keep["id"]})
            moved += 1
    act.revise(molecules, merge, {"merged_into": keep["id"], "merge_reason": reason})
    version = act.revise(molecules, keep, {})
    act.event(
        EventKind.MERGED,
        f"{merge['code']} ({merge['name']}) merged into {keep['code']} ({keep['name']})",
        molecule_id=keep["id"],
        node="Molecule",
        node_id=keep["id"],
        reason_for_change=reason,
    )
    return {"molecule": keep["id"], "version": version, "moved": moved}
