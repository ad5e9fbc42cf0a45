"""The Node interface, opaque global ids, and connections: what all types share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import graphene

from pipeline.errors import InputError
from pipeline.store.reader import NODE_KEY
from pipeline.store.selection import Asked, ColumnOf, Selection
from schema.reading import column, declared_of, given

_CLASSES: dict[str, type[graphene.ObjectType]] = {}


@dataclass(frozen=True, slots=True)
class GlobalId:
    """Makes the opaque ids of a node: its name in base64, a dot, and the record's number."""

    node: str

    @property
    def prefix(self) -> str:
        """What stands before the number."""
        return base64.urlsafe_b64encode(self.node.encode()).decode().rstrip("=") + "."

    def __call__(self, id: int) -> str:
        """Return the id of a record."""
        return f"{self.prefix}{id}"


def global_id(node: str, id: int) -> str:
    """Return the opaque id of a record."""
    return GlobalId(node)(id)


def read_id(text: str, node: str | None = None, *, path: tuple[str, ...] = ()) -> tuple[str, int]:
    """Return node name and id of a global id; refuse what is not one, or is one of another node."""
    prefix, _, number = text.partition(".")
    try:
        name = base64.urlsafe_b64decode(prefix + "=" * (-len(prefix) % 4)).decode()
    except (ValueError, binascii.Error):
        name = ""
    id = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
    if not id or not name.isalpha() or (node is not None and name != node) or global_id(name, id) != text:
        raise InputError(f"{text[:60]!r} is not the id of a {node or 'record'}; take it from an id field", path=path)
    return name, id


def id_of(text: str, node: str, *, path: tuple[str, ...] = ()) -> int:
    """Return the number of a global id of one node."""
    return read_id(text, node, path=path)[1]


class Node(graphene.Interface):
    """Anything with a global id; `node(id:)` reads it again."""

    id = graphene.ID(required=True, description="Opaque global id.")

    @classmethod
    def resolve_type(cls, instance: Mapping[str, Any], _info: Any) -> type[graphene.ObjectType]:
        """Return the class of a row by the node it was read from."""
        return _CLASSES[instance[NODE_KEY]]


def is_node(kind: type[graphene.ObjectType]) -> type[graphene.ObjectType]:
    """Register a type whose rows can stand behind the Node interface."""
    _CLASSES[kind.__name__] = kind
    return kind


def is_known(node: str | None) -> bool:
    """Tell whether a node stands behind the Node interface."""
    return node in _CLASSES


def class_of(node: str) -> type[graphene.ObjectType]:
    """Return the type that stands for a node behind the Node interface."""
    return _CLASSES[node]


def columns_alone(node: str) -> Selection:
    """Return a selection of all fields of a node that are columns of its own."""
    kind: Any = class_of(node)
    reads = {name: getattr(field, "reads", None) for name, field in declared_of(kind).items()}
    return Selection(node, {name: Asked(found, {}) for name, found in reads.items() if isinstance(found, ColumnOf)})


def node_id(node: str) -> Any:
    """Declare the id of a node."""
    return column(
        graphene.ID,
        "id",
        decode=GlobalId(node),
        required=True,
        description="Opaque global id; `node(id:)` reads the record again.",
    )


class PageInfo(graphene.ObjectType):
    """Where a page stands in its list."""

    has_next_page = given(graphene.Boolean, required=True, description="Whether more follow: ask with `after`.")
    has_previous_page = given(graphene.Boolean, required=True, description="Whether any stand before this page.")
    start_cursor = given(graphene.String, description="Cursor of the first row of this page.")
    end_cursor = given(graphene.String, description="Cursor of the last row of this page.")


def connection(kind: type[graphene.ObjectType], name: str | None = None) -> type[graphene.ObjectType]:
    """Return the connection type of a node, with its edge type."""
    name = name or kind.__name__
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "__doc__": f"One {kind.__name__} of a page, with its cursor.",
            "node": given(kind, required=True, description=f"The {kind.__name__}."),
            "cursor": given(graphene.String, required=True, description="Stands for this place in the list."),
        },
    )
    return type(
        f"{name}Connection",
        (graphene.ObjectType,),
        {
            "__doc__": f"A page of {kind.__name__} rows.",
            "edges": given(
                graphene.List(graphene.NonNull(edge)), required=True, description="The rows with their cursors."
            ),
            "nodes": given(graphene.List(graphene.NonNull(kind)), required=True, description="The rows alone."),
            "page_info": given(PageInfo, required=True, description="Where the page stands in the list."),
            "total_count": given(
                graphene.Int, required=True, description="How many there are in all; counted only when asked."
            ),
        },
    )
