"""Conditions of decisions whose day is over: of the programmes an act touches, or of all that are under way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.commands.alerts import Matter, Touched
from pipeline.store.checkpoint_tables import checkpoint_conditions
from pipeline.store.journal import Act
from pipeline.store.nodes import among
from pipeline.store.tables import checkpoints, molecules, programmes, study_molecules
from pipeline.words import AlertKind, Status

_UNDER_WAY = (Status.ACTIVE.value, Status.ON_HOLD.value, Status.STALLED.value)


def conditions_overdue(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the overdue conditions of the molecules an act touched, or that its studies develop."""
    taken, of = study_molecules, programmes
    ids = set(touched.molecules)
    ids |= {row["molecule_id"] for row in act.current(taken, among(taken.c.study_id, sorted(touched.studies)))}
    developed = {row["id"]: row for row in act.current(of, among(of.c.molecule_id, sorted(ids - {None})))}
    yield from _overdue(act, developed, among(checkpoint_conditions.c.programme_id, sorted(developed)))


def all_overdue(act: Act) -> list[Matter]:
    """Return the overdue conditions of all programmes. To be asked from time to time: no act tells."""
    return list(_overdue(act, {}))


def _overdue(act: Act, known: Mapping[int, Mapping[str, Any]], *conditions: Any) -> Iterator[Matter]:
    table = checkpoint_conditions
    for row in act.current(table, table.c.outcome.is_(None), table.c.due_on < act.recorded_at[:10], *conditions):
        programme = known.get(row["programme_id"]) or act.find(programmes, row["programme_id"])
        if programme["status"] not in _UNDER_WAY:
            continue
        checkpoint = act.find(checkpoints, row["checkpoint_id"])
        name = act.find(molecules, programme["molecule_id"])["name"]
        yield Matter(
            AlertKind.CONDITION_OVERDUE,
            f"CONDITION:{row['id']}",
            f"{checkpoint['rule_code']} of {name} was decided CONDITIONAL_GO at {checkpoint['stage']} on the condition "
            f"“{row['condition']}” ({row['owner']}), which was due on {row['due_on']}. The programme does not advance "
            "before it is recorded that it is met or lifted.",
            "CheckpointCondition",
            row["id"],
            molecule_id=programme["molecule_id"],
            programme_id=programme["id"],
        )
