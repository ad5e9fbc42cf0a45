"""All versions of records: what each act made of them, who did it, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pipeline.store import tables
from pipeline.store.masks import mask_rows
from pipeline.store.nodes import NODES
from pipeline.store.selection import View

if TYPE_CHECKING:
    from pipeline.store.reader import Reader

_OF_THE_STORE = {"id", "version", "since_act", "until_act", "seal"}


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """A version of a record. content: its columns by name, without those of the store itself."""

    number: int
    content: Mapping[str, Any]
    recorded_at: str
    recorded_by: str
    role: str
    command: str
    reason: str | None


def record_versions(reader: Reader, node: str, ids: Sequence[int]) -> dict[int, list[RecordVersion]]:
    """Return the versions of records of a node by id, oldest first, as far as the reader's view knows them."""
    table, acts, events = NODES[node].table, tables.acts, tables.events
    names = {name: f"act_{name}" for name in ("recorded_at", "actor", "role", "command", "reason")}
    statement = (
        select(table, *(acts.c[name].label(label) for name, label in names.items()))
        .join(acts, acts.c.number == table.c.since_act)
        .where(table.c.id.in_(sorted(set(ids))))
        .order_by(table.c.id, table.c.version)
    )
    told = (
        select(events.c.node_id, events.c.since_act, events.c.reason_for_change)
        .where(events.c.node == node, events.c.node_id.in_(sorted(set(ids))), events.c.reason_for_change.is_not(None))
        .order_by(events.c.id)
    )
    if reader.view.known_at is not None:
        statement = statement.where(table.c.since_act <= reader.view.known_at)
    rows = [dict(row) for row in reader.connection.execute(statement).mappings()]
    # What hides a column of one version hides it in all of them: that is how masks read what was known at an act.
    mask_rows(reader.connection, node, rows, View(known_at=reader.view.known_at or 0), reader.actor.permissions)
    reasons = {(row.node_id, row.since_act): row.reason_for_change for row in reader.connection.execute(told)}
    found: dict[int, list[RecordVersion]] = {id: [] for id in ids}
    for row in rows:
        act = {name: row.pop(label) for name, label in names.items()}
        found[row["id"]].append(
            RecordVersion(
                row["version"],
                {name: value for name, value in row.items() if name not in _OF_THE_STORE},
                act["recorded_at"],
                act["actor"],
                act["role"],
                act["command"],
                reasons.get((row["id"], row["since_act"]), act["reason"]),
            )
        )
    return found
