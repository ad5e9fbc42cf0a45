"""Conflicts of interest: who declares one about a molecule has no vote on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.texts import checked
from pipeline.errors import NotPermitted, PipelineError, refuse
from pipeline.store.checkpoint_tables import conflicts_of_interest
from pipeline.store.journal import Act
from pipeline.store.tables import molecules


@dataclass(frozen=True, slots=True)
class DeclareConflict:
    """Declare a conflict of interest of one's own about a molecule: one has no vote on it from then on."""

    molecule: int
    statement: str


@handles(DeclareConflict, Permission.READ)
def declare_conflict(act: Act, command: DeclareConflict) -> Mapping[str, Any]:
    """Record the conflict of whoever declares it."""
    molecule = act.find(molecules, command.molecule)
    errors: list[PipelineError] = []
    statement = checked(command.statement, "statement", errors, required=True, longest=2_000)
    refuse(errors)
    row = {"molecule_id": molecule["id"], "person": act.actor.name, "statement": statement}
    return {"conflict": act.add(conflicts_of_interest, row), "molecule": molecule["id"]}


def excluded(act: Act, molecule_id: int) -> list[PipelineError]:
    """Return why the actor has no vote on a molecule; nothing where no conflict was declared."""
    table = conflicts_of_interest
    declared = act.current(table, table.c.molecule_id == molecule_id, table.c.person == act.actor.name)
    return [
        NotPermitted(
            f"{act.actor.name} declared a conflict of interest about this molecule ({row['statement']}) and has no "
            "vote on it",
            permission=Permission.DECIDE_CHECKPOINT,
        )
        for row in declared[:1]
    ]
