"""The alerts as a list for people, with the codes of what they are about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, select

from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.study_tables import alerts
from pipeline.store.tables import molecules, studies


def alert_list(reader: Reader, *, open_only: bool) -> list[dict[str, Any]]:
    """Return alerts as they were raised, the oldest first."""
    statement = (
        select(
            *(alerts.c[name] for name in ("id", "kind", "message", "value", "threshold", "unit", "raised_at")),
            *(alerts.c[name] for name in ("acknowledged_by", "acknowledged_at", "comment")),
            molecules.c.code.label("molecule"),
            studies.c.code.label("study"),
        )
        .outerjoin(molecules, and_(molecules.c.id == alerts.c.molecule_id, visible(molecules, reader.view)))
        .outerjoin(studies, and_(studies.c.id == alerts.c.study_id, visible(studies, reader.view)))
        .where(visible(alerts, reader.view))
        .order_by(alerts.c.raised_at, alerts.c.id)
    )
    if open_only:
        statement = statement.where(alerts.c.acknowledged_at.is_(None))
    rows = reader.connection.execute(statement).mappings()
    return [{str(name): value for name, value in row.items()} for row in rows]
