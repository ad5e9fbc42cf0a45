"""Which columns not everybody may see, as data, and how every way of reading keeps to it.

A masked column is null to whoever may not see it: in planned answers, in plain ones, and among what a computed value
needs. Nor may it decide which rows are found or how they are ordered, since that would tell what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select
from sqlalchemy.sql import visitors

from pipeline.access import Permission
from pipeline.errors import NotPermitted
from pipeline.store.nodes import NODES
from pipeline.store.selection import View


@dataclass(frozen=True, slots=True)
class Mask:
    """Who may see a column: those with a permission, and nobody once a record is marked.

    unless: the flag column that marks it; an unknown mark hides as well, and so does a mark that came later than the
    version of the record that is seen.
    """

    permission: Permission | None = None
    unless: str | None = None


MASKS: dict[str, Mapping[str, Mask]] = {
    "Subject": {"code": Mask(Permission.SEE_PSEUDONYMS, unless="erased")},
    # A source names the subjects of its relations by their codes.
    "RecordLink": {"relation": Mask(Permission.SEE_PSEUDONYMS), "reported": Mask(Permission.SEE_PSEUDONYMS)},
}
"""Masks by node and column."""

Permissions = frozenset[Permission]


def masking() -> Permissions:
    """Return the permissions that decide what an answer shows."""
    return frozenset(mask.permission for masks in MASKS.values() for mask in masks.values() if mask.permission)


def hidden(node: str, permissions: Permissions) -> frozenset[str]:
    """Return the columns of a node that those with these permissions see in no record."""
    return frozenset(
        name for name, mask in MASKS.get(node, {}).items() if mask.permission and mask.permission not in permissions
    )


def marks(node: str) -> frozenset[str]:
    """Return the flag columns of a node that decide what is seen of a record."""
    return frozenset(mask.unless for mask in MASKS.get(node, {}).values() if mask.unless)


def shown_as(node: str, table: str, view: View, permissions: Permissions) -> dict[str, str]:
    """Return SQL for the masked columns of a node, of rows seen as `table`: NULL, or a condition around the column."""
    found: dict[str, str] = {}
    for name, mask in MASKS.get(node, {}).items():
        if name in hidden(node, permissions):
            found[name] = "NULL"
        elif mask.unless:
            marked = f"{table}.{mask.unless}"
            if view.known_at is not None:
                versions = f"{NODES[node].table.name} AS m$ WHERE m$.id = {table}.id AND m$.{mask.unless} IS NOT FALSE"
                marked = f"EXISTS (SELECT 1 FROM {versions})"  # noqa: S608 - names of ours
            found[name] = f"CASE WHEN NOT {marked} THEN {table}.{name} END"
    return found


def mask_rows(
    connection: Connection, node: str, rows: Sequence[dict[str, Any]], view: View, permissions: Permissions
) -> None:
    """Take out of rows of columns what is not to be seen; each holds its id and the marks of the node."""
    never = hidden(node, permissions)
    for name, mask in MASKS.get(node, {}).items():
        if not any(name in row for row in rows):
            continue
        marked: set[int] = set()
        if mask.unless and name not in never:
            marked = {row["id"] for row in rows if row[mask.unless] is not False}
            if view.known_at is not None:
                table = NODES[node].table
                mark = table.c[mask.unless]
                ids = table.c.id.in_([row["id"] for row in rows])
                marked |= set(connection.execute(select(table.c.id).where(ids, or_(mark, mark.is_(None)))).scalars())
        for row in rows:
            if name in never or row["id"] in marked:
                row[name] = None


def refuse_hidden(permissions: Permissions, clauses: Iterable[ColumnElement[Any]]) -> None:
    """Refuse conditions and orderings by columns the actor may not see.

    Raises:
        NotPermitted: one of them is by such a column.
    """
    masked = {
        NODES[node].table.c[name]: mask.permission
        for node, masks in MASKS.items()
        for name, mask in masks.items()
        if mask.permission and mask.permission not in permissions
    }
    if not masked:
        return
    for clause in clauses:
        for part in visitors.iterate(clause):
            for column in getattr(part, "base_columns", ()):
                if column in masked:
                    permission = masked[column]
                    raise NotPermitted(
                        f"nothing is found or ordered by {column.name} without the right to {permission}; ask an "
                        "administrator for a role that has it",
                        permission=permission,
                    )
