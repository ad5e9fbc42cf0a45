"""Conditions of decisions whose day is over: of the programmes an act touches, or of all that are under way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import and_, or_, select

from pipeline.commands.alerts import Matter, Touched
from pipeline.reports.condition_list import UNDER_WAY
from pipeline.store.checkpoint_tables import checkpoint_conditions
from pipeline.store.journal import Act
from pipeline.store.nodes import among
from pipeline.store.tables import checkpoints, molecules, programmes, study_molecules
from pipeline.words import AlertKind


def conditions_overdue(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the overdue conditions of the molecules an act touched, or that its studies develop."""
    taken, of = study_molecules, programmes.c.molecule_id
    developed = select(taken.c.molecule_id).where(
        among(taken.c.study_id, sorted(touched.studies)), taken.c.until_act.is_(None)
    )
    return _overdue(act, or_(among(of, sorted(touched.molecules)), of.in_(developed)))


def all_overdue(act: Act) -> Iterable[Matter]:
    """Return the overdue conditions of all programmes. To be asked from time to time: no act tells."""
    return _overdue(act)


def _overdue(act: Act, *of_programmes: Any) -> Iterator[Matter]:
    of = checkpoint_conditions
    above = ((programmes, of.c.programme_id), (checkpoints, of.c.checkpoint_id), (molecules, programmes.c.molecule_id))
    statement = select(
        *(of.c[name] for name in ("id", "condition", "owner", "due_on", "programme_id")),
        *(checkpoints.c.rule_code, checkpoints.c.stage, programmes.c.molecule_id, molecules.c.name),
    ).where(
        of.c.until_act.is_(None),
        of.c.outcome.is_(None),
        of.c.due_on < act.recorded_at[:10],
        among(programmes.c.status, sorted(UNDER_WAY)),
        *of_programmes,
    )
    for table, key in above:
        statement = statement.join(table, and_(table.c.id == key, table.c.until_act.is_(None)))
    for row in act.connection.execute(statement.order_by(of.c.id)).mappings():
        yield Matter(
            AlertKind.CONDITION_OVERDUE,
            f"CONDITION:{row['id']}",
            f"{row['rule_code']} of {row['name']} was decided CONDITIONAL_GO at {row['stage']} on the condition "
            f"“{row['condition']}” ({row['owner']}), which was due on {row['due_on']}. The programme does not advance "
            "before it is recorded that it is met or lifted.",
            "CheckpointCondition",
            row["id"],
            molecule_id=row["molecule_id"],
            programme_id=row["programme_id"],
        )
