"""A query as a plan: what stands under every key of the answer, free of GraphQL and of any engine.

A plan is made once for a document and holds no values of a request. Where a field's arguments hang on variables, the
plan has a `Given`, the place of the arguments in the list that each request brings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, literal_column

from pipeline.store.selection import OF_THE_ACT, Computed, Link, Selection, View

if TYPE_CHECKING:
    from pipeline.store.statements import Prepared


class Form(Enum):
    """How a column's value is written in JSON."""

    TEXT = "text"
    COUNT = "count"
    """A whole number that may not fit 32 bits; then the plan refuses, because GraphQL has no such Int."""
    REAL = "real"
    TRUTH = "truth"
    JSON = "json"
    """The column holds JSON text."""
    GLOBAL_ID = "global id"


@dataclass(frozen=True, slots=True)
class Given:
    """The place of a field's arguments among those a request brings."""

    place: int


Arguments = Mapping[str, Any] | Given


@dataclass(frozen=True, slots=True)
class Constant:
    """A text known beforehand."""

    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """A column. prefix: what stands before a global id's number."""

    column: str
    form: Form
    required: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """The fields of a row, by the key of the answer, in the order they were asked."""

    node: str
    fields: tuple[tuple[str, Field], ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """One row, or a list of rows, of another node."""

    link: Link
    below: Level
    required: bool


class Part(Enum):
    """What a connection is asked for."""

    NODES = "nodes"
    EDGES = "edges"
    TOTAL = "totalCount"
    PAGE_INFO = "pageInfo"
    TYPE = "__typename"
    # of an edge
    NODE = "node"
    CURSOR = "cursor"
    # of a page info
    HAS_NEXT = "hasNextPage"
    HAS_PREVIOUS = "hasPreviousPage"
    START = "startCursor"
    END = "endCursor"


@dataclass(frozen=True, slots=True)
class Asking:
    """One key of a connection, an edge or a page info, and what is asked below it."""

    key: str
    part: Part
    below: Level | tuple[Asking, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Paged:
    """A page of rows of another node."""

    link: Link
    arguments: Arguments
    parts: tuple[Asking, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A record of any node, by the name of the node."""

    node_column: str
    id_column: str
    levels: tuple[Level, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Worked:
    """A value worked out in Python. finish: turns it into what is answered, or raises Refused.

    below: what is asked below it, for records that are read where it is worked out.
    """

    reads: Computed
    arguments: Arguments
    finish: Callable[[Any], Any]
    below: Selection | None


@dataclass(frozen=True, slots=True)
class Above:
    """The row above a level: SQL for its columns.

    act: where the columns of its act are found. masked: SQL for columns that not everybody may see.
    """

    table: str
    act: str
    quote: Callable[[str], str]
    masked: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a column as SQL text."""
        if name in self.masked:
            return self.masked[name]
        if name in OF_THE_ACT:
            return f"{self.act}.{OF_THE_ACT[name] if self.act != self.table else name}"
        return f"{self.table}.{self.quote(name)}"

    def __call__(self, name: str) -> ColumnElement[Any]:
        """Return a column."""
        return literal_column(self.text(name))


@dataclass(frozen=True, slots=True)
class Twin:
    """The SQL form of a computed value.

    rows(above, view) returns SELECTs; the first that finds a row is taken. many: all rows of the only SELECT. scalar:
    their only column, `value`, is meant, not an object. rest: where no row is found, Python is asked.
    """

    rows: Callable[[Above, View], Sequence[Select[Any]]]
    many: bool
    scalar: bool = False
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A computed value by its SQL form."""

    twin: Twin
    needs: tuple[str, ...]
    below: Level | None
    rest: Worked | None
    required: bool


Field = Constant | Value | Linked | Paged | Chosen | Worked | Told


@dataclass(slots=True, eq=False)
class Plan:
    """The plan of one root field for one document; its statements are kept by the shape of what a request brings."""

    top: Level | tuple[Asking, ...]
    moving: tuple[tuple[int, Link], ...] = ()
    """The connections whose arguments hang on variables."""
    statements: dict[Any, Prepared] = field(default_factory=dict)


@dataclass(slots=True)
class Planned:
    """A plan with what one request brings to it. plain: what the plain path is asked, where the plan refuses."""

    plan: Plan
    given: Sequence[Mapping[str, Any]]
    plain: Callable[[], Any]


class Refused(Exception):
    """The plan met what only the plain path can tell: a null where none may be, a number GraphQL has no form for."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A finished answer: JSON text, spliced in as it is. key: what tells the record, where it is one."""

    text: str
    key: Any = None


def columns_of(level: Level) -> set[str]:
    """Return the columns of its row that a level needs."""
    wanted = {"id"}
    for _, asked in level.fields:
        match asked:
            case Value(column=column):
                wanted.add(column)
            case Linked(link=link) | Paged(link=link):
                wanted.update(link.parent)
            case Chosen():
                wanted.update((asked.node_column, asked.id_column))
            case Worked(reads=reads):
                wanted.update(reads.needs)
            case Told(needs=needs):
                wanted.update(needs)
    return wanted
