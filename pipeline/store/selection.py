"""What a query asks of the store, free of GraphQL: nodes, the columns and links under them, and from which moment.

A `Reads` says where a field's value comes from; a `Selection` says which fields of a node are wanted. Two fields
with the same name and arguments share one slot, under whatever aliases they were asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause

if TYPE_CHECKING:
    from pipeline.store.plans import Planned, Twin
    from pipeline.store.reader import Reader


@dataclass(frozen=True, slots=True)
class View:
    """From which moment records are seen: what was true by `as_of` (a day), as known at act `known_at`.

    None means now. Both hold for everything below the field they were given to.
    """

    as_of: str | None = None
    known_at: int | None = None


@dataclass(frozen=True, slots=True)
class ColumnOf:
    """A value kept in a column; `decode` turns the stored text into what is answered."""

    column: str
    decode: Callable[[Any], Any] | None = None


class Shape(Enum):
    """How many rows a link leads to."""

    ONE = "one"
    LIST = "list"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Through:
    """A table between parent and child: parent key = `near`, `far` = child key."""

    table: str
    near: str
    far: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Conditions that are only made where no statement with them is kept: making them takes longer than to run it.

    key: what tells them, among those the same field is read by, from others that are made otherwise. values: those of
    the parameters that come first in what `make` returns, in its order; all others are the same for every request.
    """

    key: object
    values: Sequence[Any]
    make: Callable[[], Sequence[ColumnElement[bool]]]


Conditions = Sequence[ColumnElement[bool]] | Alike
Condition = Callable[[FromClause, Mapping[str, Any]], Conditions]


def made(conditions: Conditions) -> Sequence[ColumnElement[bool]]:
    """Return the conditions themselves."""
    return conditions.make() if isinstance(conditions, Alike) else conditions


@dataclass(frozen=True, slots=True)
class Link:
    """Rows of another node whose `child` columns equal the parent's `parent` columns.

    order: columns that order the rows; the id decides ties. where: further conditions from the field's arguments.
    """

    node: str
    shape: Shape
    parent: tuple[str, ...]
    child: tuple[str, ...]
    order: tuple[str, ...] = ()
    through: Through | None = None
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class AnyNode:
    """A record of any node: one column names the node, another its id."""

    node_column: str
    id_column: str


Row = dict[str, Any]

# Columns of the act that recorded a row version, readable on every node.
OF_THE_ACT = {"recorded_at": "recorded_at", "recorded_by": "actor"}


@dataclass(frozen=True, slots=True)
class Computed:
    """A value worked out in Python for all rows of a level at once.

    compute(reader, rows, arguments, selection) returns one value per row, in the same order; each row holds `needs`.
    twin: the same in SQL, where SQL can say it.
    """

    compute: Callable[[Reader, Sequence[Row], Mapping[str, Any], Selection | None], Sequence[Any]]
    needs: tuple[str, ...] = ("id",)
    twin: Twin | None = None


Reads = ColumnOf | Link | AnyNode | Computed


@dataclass(slots=True)
class Asked:
    """One field wanted: where it is read from, with which arguments, and what below it.

    below: by node name, because a field of an interface may ask different things of different nodes.
    """

    reads: Reads
    arguments: Mapping[str, Any]
    below: dict[str, Selection] = field(default_factory=dict)
    wants_total: bool = False
    wants_rows: bool = True


@dataclass(slots=True)
class Selection:
    """The fields wanted of one node, by slot; or the plan that answers them."""

    node: str
    fields: dict[str, Asked] = field(default_factory=dict)
    planned: Planned | None = None
