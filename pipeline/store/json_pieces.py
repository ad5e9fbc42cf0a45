"""What the engines' ways of writing JSON share."""

# ruff: noqa: S608 - the SQL is put together of names of ours
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Dialect

from pipeline.store.plans import Form

# Between tabs stands what Python replaces; a carriage return says that only the plain path can tell. Both are white
# space of JSON, and never stand inside a JSON text, where they are escaped.
MARK = "\t"
REFUSAL = "\r"


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands under one key of an object, as SQL. raw: it is JSON already, and never NULL."""

    key: str
    value: str
    raw: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a page to select from, with the aggregates that make its arrays.

    rows: where the column `place` is, if the rows are numbered. key: SQL for the key of a row's cursor.
    """

    source: str
    arrays: Mapping[str, str]
    rows: str
    key: str


@dataclass(frozen=True, slots=True)
class PageRows:
    """Rows of a page in order, as `Json.rows` gave them.

    name: what the rows are called. numbered: places are asked for, and one more than `size` may stand.
    """

    rows: str
    name: str
    numbered: bool
    key: str
    size: str
    backwards: bool


def numbered(rows: str, name: str) -> str:
    """Return a SELECT of all of rows with their `place` among them, from 1 on."""
    return f"SELECT row_number() OVER () AS place, {name}.* FROM {rows}"


def quoted(text: str) -> str:
    """Return a text as an SQL literal; for texts of ours and names of GraphQL only."""
    return "'" + text.replace("'", "''") + "'"


class Json(Protocol):
    """How an engine writes answers, from SQL text to SQL text. A SELECT has a hole where its columns go."""

    dialect: Dialect
    deepest: int | None
    """How many symbols its parser keeps, for levels inside levels."""

    def value(self, key: str, form: Form, column: str, prefix: str, *, required: bool) -> Piece:
        """Return a column's value under a key."""

    def constant(self, json: str) -> str:
        """Return a JSON text known beforehand."""

    def parameter(self, name: str) -> str:
        """Return the place of a whole number a request brings."""

    def truth(self, condition: str) -> str:
        """Return the JSON of a condition."""

    def filled(self, json: str, *, required: bool) -> str:
        """Return JSON with null in the place of NULL; where it is required, with the mark of a refusal."""

    def marked(self, place: int, content: str) -> str:
        """Return JSON for Python to replace."""

    def array(self, columns: Sequence[str]) -> str:
        """Return an array of columns, as text."""

    def bare(self, columns: Sequence[tuple[str, str]]) -> str:
        """Return an object of named columns, as text."""

    def object(self, pieces: Sequence[Piece]) -> str:
        """Return the object of a row as JSON."""

    def built(self, pieces: Sequence[Piece]) -> str:
        """Return an object of aggregates as JSON."""

    def one(self, rows: str, pieces: Sequence[Piece]) -> str:
        """Return the object of the only row of a SELECT, NULL where there is none."""

    def many(self, rows: str, pieces: Sequence[Piece], name: str) -> str:
        """Return an array of the objects of the rows of a SELECT, in its order."""

    def values(self, rows: str, name: str) -> str:
        """Return an array of the only column of a SELECT, in its order."""

    def rows(self, found: str, name: str, inner: str) -> str:
        """Return the rows of a page that are to be numbered, under a name; `inner` is for whatever stands below."""

    def lists(self, page: PageRows, lists: Mapping[str, Sequence[Piece]], name: str) -> Listing:
        """Return the arrays of objects made of the rows of a page, by names of ours."""

    def furthest(self, key: str, place: str, size: str) -> str:
        """Return the aggregate that is the key of the last row within the size of a page."""

    def handed(self, columns: Sequence[str], name: str) -> str:
        """Return a SELECT without columns from the rows in the parameter `handed`, an array of objects, in order."""

    def text(self, json: str) -> str:
        """Return JSON as the text that is fetched."""

    def placed(self, statement: str) -> tuple[str, tuple[str, ...] | None]:
        """Return a statement as its cursor takes it, with its parameters in order; None where they go by name."""

    def cursor(self, raw: Any) -> Any:
        """Return a cursor of a connection of the driver that takes placed statements."""

    def refuses(self, error: Exception) -> bool:
        """Tell whether a statement failed because of what only the plain path can tell."""
