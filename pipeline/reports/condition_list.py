"""The conditions of decisions that nobody settled yet, as a list for people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, select

from pipeline.store.checkpoint_tables import checkpoint_conditions
from pipeline.store.nodes import among, visible
from pipeline.store.reader import Reader
from pipeline.store.tables import checkpoints, molecules, programmes
from pipeline.words import ConditionState, Status

UNDER_WAY = frozenset({Status.ACTIVE.value, Status.ON_HOLD.value, Status.STALLED.value})


def condition_list(reader: Reader, today: str) -> list[dict[str, Any]]:
    """Return the conditions of programmes under way, OPEN or OVERDUE on a day (YYYY-MM-DD), the first due first."""
    of, view = checkpoint_conditions, reader.view
    statement = (
        select(
            *(of.c[name] for name in ("id", "condition", "owner", "agreed_on", "due_on")),
            checkpoints.c.id.label("checkpoint"),
            checkpoints.c.rule_code,
            checkpoints.c.stage,
            programmes.c.id.label("programme"),
            programmes.c.status,
            molecules.c.code.label("molecule"),
        )
        .join(checkpoints, and_(checkpoints.c.id == of.c.checkpoint_id, visible(checkpoints, view)))
        .join(programmes, and_(programmes.c.id == of.c.programme_id, visible(programmes, view)))
        .join(molecules, and_(molecules.c.id == programmes.c.molecule_id, visible(molecules, view)))
        .where(visible(of, view), of.c.outcome.is_(None), among(programmes.c.status, sorted(UNDER_WAY)))
        .order_by(of.c.due_on, of.c.id)
    )
    return [
        {str(name): value for name, value in row.items()}
        | {"state": (ConditionState.OVERDUE if row["due_on"] < today else ConditionState.OPEN).value}
        for row in reader.connection.execute(statement).mappings()
    ]
