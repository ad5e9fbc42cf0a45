"""The versions of a record: what it was, who changed it, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import graphene
import orjson
from graphene.utils.str_converters import to_camel_case

from pipeline.store.chain import BOOKKEEPING
from pipeline.store.nodes import NODES
from pipeline.store.reader import Reader
from pipeline.store.record_versions import RecordVersion as Recorded
from pipeline.store.record_versions import record_versions
from pipeline.store.selection import ColumnOf, Link, Shape
from schema.node import class_of, global_id
from schema.reading import ReadField, computed, declared_of, given
from schema.scalars import JSON, DateTime

# What only orders rows, or leads to where a value came from, is no content.
_LEFT_OUT = {*BOOKKEEPING, "id", "version", "sorted_on", "source_file"}


class ValueChange(graphene.ObjectType):
    """One value of a record that a version changed."""

    field = given(graphene.String, required=True, description="The field, as the record calls it.")
    before = given(JSON, description="What the version before held; null where it held nothing.")
    after = given(JSON, description="What this version holds; null where it holds nothing.")


class RecordVersion(graphene.ObjectType):
    """One version of a record, and the act that made it."""

    number = given(graphene.Int, required=True, description="The version, from 1.")
    recorded_at = given(DateTime, required=True, description="When it became known here.")
    recorded_by = given(graphene.String, required=True, description="Who recorded it.")
    role = given(graphene.String, required=True, description="In which role.")
    command = given(graphene.String, required=True, description="By which command.")
    reason_for_change = given(graphene.String, description="Why, where a reason was given.")
    changes = given(
        graphene.List(graphene.NonNull(ValueChange)),
        required=True,
        description="What it changed; of the first version all that it holds.",
    )


def versions_field(node: str) -> Any:
    """Declare the versions of a record of a node."""

    def versions(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
        found = record_versions(reader, node, [row["id"] for row in rows])
        return [_told(node, found[row["id"]]) for row in rows]

    return computed(
        graphene.List(graphene.NonNull(RecordVersion)),
        versions,
        needs=("id",),
        required=True,
        description="All that the record ever said, oldest first: what it was, who changed it, when and why.",
    )


def _told(node: str, versions: Sequence[Recorded]) -> list[dict[str, Any]]:
    names, before = _names(node), dict[str, Any]()
    told = []
    for version in versions:
        changes = [
            {
                "field": name,
                "before": _json(target, before.get(column)),
                "after": _json(target, version.content[column]),
            }
            for column, (name, target) in names.items()
            if before.get(column) != version.content[column]
        ]
        told.append(
            {
                "number": version.number,
                "recordedAt": version.recorded_at,
                "recordedBy": version.recorded_by,
                "role": version.role,
                "command": version.command,
                "reasonForChange": version.reason,
                "changes": changes,
            }
        )
        before = dict(version.content)
    return told


def _json(target: str | None, value: Any) -> str | None:
    """Return a value as JSON text; one that leads to a record of `target` as its global id."""
    if value is None:
        return None
    return orjson.dumps(value if target is None else global_id(target, value)).decode()


@cache
def _names(node: str) -> dict[str, tuple[str, str | None]]:
    """Return, by column, the field it is told as, and the node it leads to where it does."""
    fields: dict[str, tuple[str, str | None]] = {}
    kind: Any = class_of(node)
    for name, field in declared_of(kind).items():
        match field.reads if isinstance(field, ReadField) else None:
            case ColumnOf(column=column):
                fields[column] = (name, None)
            case Link(shape=Shape.ONE, parent=(column,)) as link:
                fields[column] = (name, link.node)
    columns = [column.name for column in NODES[node].table.columns if column.name not in _LEFT_OUT]
    return {name: fields.get(name, (to_camel_case(name), None)) for name in columns}
