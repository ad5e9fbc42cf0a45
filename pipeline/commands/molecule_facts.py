"""What was measured of a molecule once and for all: the figures its safety margins are computed from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.alerts import Touched, watch
from pipeline.commands.texts import checked
from pipeline.errors import InputError, PipelineError, refuse
from pipeline.store.checkpoint_tables import molecule_facts
from pipeline.store.journal import Act
from pipeline.store.tables import molecules
from pipeline.units import convert

FACTS: Mapping[str, tuple[str, str, bool]] = {
    "HERG_IC50": ("concentration that blocks the hERG current by half", "umol/L", False),
    "CMAX_HUMAN": ("total peak concentration at the highest human dose, projected or measured", "ng/mL", False),
    "FRACTION_UNBOUND": ("fraction unbound in plasma, by species", "1", True),
    "MOLAR_MASS": ("molar mass, of a molecule without a structure on record", "g/mol", False),
    "AUC_NOAEL": ("exposure at the no-observed-adverse-effect level, by species", "h.ng/mL", True),
    "AUC_HNSTD": ("exposure at the highest non-severely toxic dose, by species", "h.ng/mL", True),
    "AUC_EFFICACIOUS": ("exposure at the efficacious dose", "h.ng/mL", False),
}
"""Name -> what it is, the unit it must be convertible to, whether it is of a species."""

_REPORTED = re.compile(r"\s*(<=|>=|<|>|~|=)?\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class RecordMoleculeFact:
    """A figure of a molecule, as its source writes it: "12.5", "> 30"."""

    molecule: int
    name: str
    reported: str
    unit: str
    source: str
    species: str | None = None


@handles(RecordMoleculeFact, Permission.ASSESS_CHECKPOINT)
def record_molecule_fact(act: Act, command: RecordMoleculeFact) -> Mapping[str, Any]:
    """Record the figure, or a new version of it; what rests on the old one is on a changed basis from then on."""
    molecule = act.find(molecules, command.molecule)
    errors: list[PipelineError] = []
    source = checked(command.source, "source", errors, required=True, longest=1_000)
    species = checked(command.species, "species", errors)
    known = FACTS.get(command.name)
    read = _REPORTED.fullmatch(command.reported)
    if known is None:
        errors.append(
            InputError(f"{command.name[:40]!r} is not kept; these are: {', '.join(FACTS)}", path=("input", "name"))
        )
    if read is None:
        errors.append(
            InputError(
                f"{command.reported[:40]!r} is not a number, with <, <=, >, >= or ~ before it where it is a bound",
                path=("input", "reported"),
            )
        )
    if known is not None:
        errors += _unfit(command, known, None if read is None else float(read[2]), species)
    refuse(errors)
    assert read is not None
    row = {
        "molecule_id": molecule["id"],
        "name": command.name,
        "species": species,
        "relation": read[1] or "=",
        "value": float(read[2]),
        "unit": command.unit,
        "reported": command.reported.strip(),
        "source": source,
    }
    table = molecule_facts
    before = [
        each
        for each in act.current(table, table.c.molecule_id == molecule["id"], table.c.name == command.name)
        if (each["species"] or "").lower() == (species or "").lower()
    ]
    id = before[-1]["id"] if before else act.add(table, row)
    if before:
        act.revise(table, before[-1], row)
    revised = {"MoleculeFact": frozenset({id})} if before else None
    touched = Touched(frozenset({"MoleculeFact"}), molecules=frozenset({molecule["id"]}), revised=revised)
    return {"fact": id, "molecule": molecule["id"], "alerts": watch(act, touched)}


def _unfit(
    command: RecordMoleculeFact, known: tuple[str, str, bool], value: float | None, species: str | None
) -> list[PipelineError]:
    errors: list[PipelineError] = []
    what, unit, of_species = known
    if of_species is not (species is not None):
        errors.append(
            InputError(
                f"{command.name} is {what}: {'name the species' if of_species else 'leave the species out'}",
                path=("input", "species"),
            )
        )
    try:
        convert(1.0, command.unit, unit)
    except InputError as error:
        errors.append(InputError(f"{command.name} is in {unit} or a unit like it: {error}", path=("input", "unit")))
    if (
        value is not None
        and command.name == "FRACTION_UNBOUND"
        and not 0 < value <= (100 if "%" in command.unit else 1)
    ):
        errors.append(InputError("a fraction unbound is above 0 and at most 1", path=("input", "reported")))
    return errors
