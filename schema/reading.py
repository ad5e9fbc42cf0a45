"""How a GraphQL field says what it reads: a column, a link to other rows, or a value worked out for a whole level.

A type is declared by these and has no resolvers of its own. What a query needs is read before the executor walks it;
the one resolver here only picks a field's value up, by its name and arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import graphene
import orjson
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLResolveInfo

from pipeline.store.plans import Twin
from pipeline.store.selection import AnyNode, ColumnOf, Computed, Condition, Link, Reads, Shape, Through


def slot(name: str, arguments: Mapping[str, Any]) -> str:
    """Return where a field's value stands in its row: fields alike in name and arguments share it."""
    if not arguments:
        return name
    return name + orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS, default=str).decode()


def from_slot(row: Mapping[str, Any], info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """Resolve a field whose value was read already."""
    return row[slot(info.field_name, arguments)] if arguments else row[info.field_name]


class ReadField(graphene.Field):
    """A field that says what it reads."""

    def __init__(self, type_: Any, reads: Reads | None, /, **more: Any) -> None:
        super().__init__(type_, resolver=from_slot, **more)
        self.reads = reads


@lru_cache(maxsize=1024)
def declared_of(kind: type[graphene.ObjectType]) -> dict[str, Any]:
    """Return the fields of a type by the names they are asked by."""
    return {field.name or to_camel_case(name): field for name, field in kind._meta.fields.items()}


def column(
    kind: Any,
    name: str,
    *,
    description: str,
    required: bool = False,
    decode: Callable[[Any], Any] | None = None,
) -> ReadField:
    """Declare a field kept in a column."""
    return ReadField(kind, ColumnOf(name, decode), description=description, required=required)


def given(kind: Any, *, description: str, required: bool = False, **arguments: Any) -> ReadField:
    """Declare a field of a value that comes ready-made from the field above it."""
    return ReadField(kind, None, description=description, required=required, **arguments)


def one(
    kind: Any,
    node: str,
    *,
    parent: str | tuple[str, ...],
    child: str | tuple[str, ...] = "id",
    description: str,
    required: bool = False,
    name: str | None = None,
) -> ReadField:
    """Declare a link to one row; `name` where the field's name is a word of Python."""
    link = Link(node, Shape.ONE, _columns(parent), _columns(child))
    return ReadField(kind, link, description=description, required=required, name=name)


def many(
    kind: Any,
    node: str,
    *,
    child: str,
    parent: str = "id",
    order: tuple[str, ...] = (),
    through: Through | None = None,
    where: Condition | None = None,
    description: str,
) -> ReadField:
    """Declare a link to all rows below, in order; `where` is given no arguments."""
    link = Link(node, Shape.LIST, _columns(parent), _columns(child), order, through, where)
    return ReadField(graphene.List(graphene.NonNull(kind)), link, description=description, required=True)


FORWARD = {
    "first": graphene.Int(default_value=25, description="How many to return, at most 1000."),
    "after": graphene.String(description="Return those after this cursor (endCursor of the page before)."),
}
BACKWARD = {
    "last": graphene.Int(description="How many to return from the end, at most 1000."),
    "before": graphene.String(description="Return those before this cursor (startCursor of the page after)."),
}


def connected(
    kind: Any,
    node: str,
    /,
    *,
    child: str,
    parent: str = "id",
    order: tuple[str, ...] = (),
    through: Through | None = None,
    where: Condition | None = None,
    backwards: bool = False,
    description: str,
    **arguments: Any,
) -> ReadField:
    """Declare a link to rows below, in pages by key."""
    link = Link(node, Shape.CONNECTION, _columns(parent), _columns(child), order, through, where)
    pages = FORWARD | (BACKWARD if backwards else {})
    return ReadField(kind, link, description=description, required=True, **pages, **arguments)


def computed(
    kind: Any,
    compute: Any,
    *,
    needs: tuple[str, ...],
    description: str,
    required: bool = False,
    twin: Twin | None = None,
    **arguments: Any,
) -> ReadField:
    """Declare a value worked out in Python, for all rows of a level at once; `twin` says the same in SQL."""
    return ReadField(kind, Computed(compute, needs, twin), description=description, required=required, **arguments)


def any_node(kind: Any, *, node_column: str, id_column: str, description: str) -> ReadField:
    """Declare a link to a record of any node."""
    return ReadField(kind, AnyNode(node_column, id_column), description=description)


def _columns(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names
