"""JSON made by PostgreSQL: rows of subqueries turned to objects, the fastest of its ways to write many."""

# ruff: noqa: S608 - the SQL is put together of names of ours
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from pipeline.store.json_pieces import Listing, PageRows, Piece, numbered, quoted
from pipeline.store.plans import Form
from pipeline.store.skeletons import COLUMNS

_ROW = "q$"  # no key of an answer is called so
_REFUSED = "json E'\\rnull'"
_PLACE = re.compile(r"%\((\w+)\)s|%%")
_LONGEST_NAME = 63  # bytes of a column's name; longer ones would be cut


class JsonOfPostgres:
    """How PostgreSQL writes answers."""

    dialect: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    deepest: int | None = None

    def value(self, key: str, form: Form, column: str, prefix: str, *, required: bool) -> Piece:
        """Return a column's value; the row is turned to JSON as a whole."""
        x = column
        match form:
            case Form.TEXT | Form.TRUTH | Form.REAL:  # the text of a double is exact; no door lets -0 in
                made = x
            case Form.COUNT:
                inside = f"{x} BETWEEN -2147483648 AND 2147483647 OR {x} IS NULL"
                made = f"CASE WHEN {inside} THEN to_json({x}) ELSE json E'\\r0' END"
            case Form.JSON:
                made = f"CAST(nullif({x}, 'null') AS json)"
            case Form.GLOBAL_ID:
                made = f"{quoted(prefix)} || {x}"
        if required:
            json = made if form is Form.JSON else f"CASE WHEN {x} IS NOT NULL THEN to_json({made}) END"
            return Piece(key, f"coalesce({json}, {_REFUSED})")
        return Piece(key, made, raw=False)

    def constant(self, json: str) -> str:
        """Return JSON."""
        return f"json {quoted(json)}"

    def parameter(self, name: str) -> str:
        """Return a parameter by name, with its type."""
        return f"%({name})s::INTEGER"

    def truth(self, condition: str) -> str:
        """Return a boolean."""
        return condition

    def filled(self, json: str, *, required: bool) -> str:
        """Return JSON; a NULL is written as null by itself."""
        return f"coalesce({json}, {_REFUSED})" if required else json

    def marked(self, place: int, content: str) -> str:
        """Return JSON between tabs."""
        return f"CAST(E'\\t[{place},' || {content} || E']\\t' AS json)"

    def array(self, columns: Sequence[str]) -> str:
        """Return an array as text."""
        return f"CAST(json_build_array({', '.join(columns)}) AS text)"

    def bare(self, columns: Sequence[tuple[str, str]]) -> str:
        """Return an object as text."""
        pairs = ", ".join(f"{quoted(name)}, {column}" for name, column in columns)
        return f"CAST(json_build_object({pairs}) AS text)"

    def object(self, pieces: Sequence[Piece]) -> str:
        """Return an object of pieces that need no row of their own."""
        if _too_long(pieces):
            return _built(pieces)
        return f"(SELECT row_to_json({_ROW}) FROM (SELECT {self._labelled(pieces)}) AS {_ROW})"

    def built(self, pieces: Sequence[Piece]) -> str:
        """Return an object of aggregates."""
        return _built(pieces)

    def one(self, rows: str, pieces: Sequence[Piece]) -> str:
        """Return the object of a row."""
        if _too_long(pieces):
            return f"({rows.replace(COLUMNS, self.object(pieces))})"
        row = rows.replace(COLUMNS, self._labelled(pieces))
        return f"(SELECT row_to_json({_ROW}) FROM ({row}) AS {_ROW})"

    def many(self, rows: str, pieces: Sequence[Piece], name: str) -> str:
        """Return the objects in their order."""
        if _too_long(pieces):
            listed = rows.replace(COLUMNS, f"{self.object(pieces)} AS j")
            return f"(SELECT coalesce(json_agg({name}.j), json '[]') FROM ({listed}) AS {name})"
        listed = rows.replace(COLUMNS, self._labelled(pieces))
        # A row with a NULL in it counts as NULL, so that rows are not filtered like single values.
        return f"(SELECT coalesce(json_agg({name}), json '[]') FROM ({listed}) AS {name})"

    def values(self, rows: str, name: str) -> str:
        """Return the values."""
        return f"(SELECT coalesce(json_agg({name}.value), json '[]') FROM ({rows}) AS {name})"

    def rows(self, found: str, name: str, inner: str) -> str:
        """Return them numbered."""
        return f"({numbered(f'({found}) AS {inner}', inner)}) AS {name}"

    def lists(self, page: PageRows, lists: Mapping[str, Sequence[Piece]], name: str) -> Listing:
        """Return the arrays from the rows themselves, each beside the rows that make it."""
        source = page.rows
        place = f"{page.name}.place"
        arrays: dict[str, str] = {}
        for label, pieces in lists.items():
            row = f"{name}_{label}"
            columns = f"{self.object(pieces)} AS j" if _too_long(pieces) else self._labelled(pieces)
            source = f"{source} JOIN LATERAL (SELECT {columns}) AS {row} ON true"
            value = f"{row}.j" if _too_long(pieces) else row
            order = f" ORDER BY {place} DESC" if page.backwards else ""
            within = f" FILTER (WHERE {place} <= {page.size})" if page.numbered else ""
            arrays[label] = f"coalesce(json_agg({value}{order}){within}, json '[]')"
        return Listing(source, arrays, page.name, page.key)

    def furthest(self, key: str, place: str, size: str) -> str:
        """Return the key behind the greatest place: to count the rows first would hold all of them back."""
        keyed = f"CASE WHEN {place} <= {size} THEN CAST({10**9} + {place} AS text) || {key} END"
        return f'substr(max({keyed} COLLATE "C"), 11)'

    def handed(self, columns: Sequence[str], name: str) -> str:
        """Return nothing: statements nest as deep as queries do."""
        raise AssertionError(columns)

    def _labelled(self, pieces: Sequence[Piece]) -> str:
        """Return columns under the keys of the answer."""
        quote = self.dialect.identifier_preparer.quote
        return ", ".join(f"{piece.value} AS {quote(piece.key)}" for piece in pieces)

    def text(self, json: str) -> str:
        """Return the text, as the driver would parse JSON."""
        return f"CAST({json} AS text)"

    def placed(self, statement: str) -> tuple[str, tuple[str, ...]]:
        """Return the statement with numbered places: psycopg looks through a long one for names on every use."""
        numbers: dict[str, int] = {}

        def numbered(found: re.Match[str]) -> str:
            return f"${numbers.setdefault(found[1], len(numbers) + 1)}" if found[1] else "%"

        return _PLACE.sub(numbered, statement), tuple(numbers)

    def cursor(self, raw: Any) -> Any:
        """Return a cursor that hands a statement on as it is."""
        from psycopg import RawCursor

        return RawCursor(raw)

    def refuses(self, error: Exception) -> bool:
        """Tell nothing: no statement fails for what it finds."""
        return False


def _built(pieces: Sequence[Piece]) -> str:
    return f"json_build_object({', '.join(f'{quoted(p.key)}, {p.value}' for p in pieces)})"


def _too_long(pieces: Sequence[Piece]) -> bool:
    return any(len(piece.key) > _LONGEST_NAME for piece in pieces)
