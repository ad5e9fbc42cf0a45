"""The versions of a record: what it was, who changed it, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import graphene
import orjson
from graphene.utils.str_converters import to_camel_case

from pipeline.store.nodes import NODES
from pipeline.store.reader import Reader
from pipeline.store.record_versions import RecordVersion as Recorded
from pipeline.store.record_versions import record_versions
from pipeline.store.selection import ColumnOf, Computed, Link, Shape
from schema.node import class_of, global_id, is_known
from schema.reading import computed, declared_of, given
from schema.scalars import JSON, DateTime

_LEFT_OUT = {"id", "version"}


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
    columns, before = _told_as(node), dict[str, Any]()
    told = []
    for version in versions:
        changes = [
            {
                "field": as_.field,
                "before": _json(as_, before.get(column)),
                "after": _json(as_, version.content[column]),
            }
            for column, as_ in columns.items()
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


def _json(told: _Told, value: Any) -> str | None:
    """Return a value as JSON text."""
    if value is None or told.is_json:
        return None if value is None else str(value)
    return orjson.dumps(value if told.node is None else global_id(told.node, value)).decode()


@dataclass(frozen=True, slots=True)
class _Told:
    """How a column is told: as which field; by the global id of which node; whether it holds JSON already."""

    field: str
    node: str | None = None
    is_json: bool = False


@cache
def _told_as(node: str) -> dict[str, _Told]:
    """Return how the columns of a node are told; what no field reads is not.

    Columns that only take part in a field worked out are told by their own names.
    """
    kind: Any = class_of(node)
    fields: dict[str, _Told] = {}
    parts: dict[str, _Told] = {}
    for name, field in declared_of(kind).items():
        match getattr(field, "reads", None):
            case ColumnOf(column=column, decode=decode):
                holds_json = decode is orjson.loads or getattr(field.type, "of_type", field.type) is JSON
                fields.setdefault(column, _Told(name, is_json=holds_json))
            case Link(shape=Shape.ONE, parent=(*_, column), child=(*_, "id")) as link:
                fields[column] = _Told(name, link.node)
            case Link(shape=Shape.ONE, parent=(*_, column)):
                fields[column] = _Told(name)
            case Computed(needs=needs):
                parts |= {column: _Told(to_camel_case(column)) for column in needs}
    told = parts | fields
    columns = [column.name for column in NODES[node].table.columns]
    shown = (name for name in columns if name in told and name not in _LEFT_OUT)
    return {name: told[name] for name in shown if told[name].node is None or is_known(told[name].node)}
