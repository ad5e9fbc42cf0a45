"""JSON made by PostgreSQL: rows of subqueries turned to objects, the fastest of its ways to write many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Dialect, FromClause, Select, Text, cast, func, select, true
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store.json_pieces import Listing, PageRows, Piece, numbered, quoted, sql
from pipeline.store.plans import Form

_ROW = "q$"  # no key of an answer is called so
_REFUSED = "json E'\\rnull'"
_LONGEST_NAME = 63  # bytes of a column's name; longer ones would be cut


class JsonOfPostgres:
    """How PostgreSQL writes answers."""

    dialect: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    deepest: int | None = None

    def connected(self, raw: Any) -> None:
        """Nothing is needed."""

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

    def truth(self, condition: ColumnElement[bool]) -> ColumnElement[Any]:
        """Return a boolean."""
        return condition

    def filled(self, json: ColumnElement[Any], *, required: bool) -> ColumnElement[Any]:
        """Return JSON; a NULL is written as null by itself."""
        return func.coalesce(json, sql(_REFUSED)) if required else json

    def marked(self, place: int, content: ColumnElement[Any] | str) -> ColumnElement[Any] | str:
        """Return JSON between tabs."""
        if isinstance(content, str):
            return f"CAST(E'\\t[{place},' || {content} || E']\\t' AS json)"
        return cast(sql(f"E'\\t[{place},'").concat(content).concat(sql("E']\\t'")), JSON)

    def array(self, columns: Sequence[str]) -> str:
        """Return an array as text."""
        return f"CAST(json_build_array({', '.join(columns)}) AS text)"

    def bare(self, columns: Sequence[tuple[str, str]]) -> str:
        """Return an object as text."""
        pairs = ", ".join(f"{quoted(name)}, {column}" for name, column in columns)
        return f"CAST(json_build_object({pairs}) AS text)"

    def object(self, pieces: Sequence[Piece]) -> ColumnElement[Any]:
        """Return an object of pieces that need no row of their own."""
        if _too_long(pieces):
            return _built(pieces)
        row = select(*self._labelled(pieces)).subquery(_ROW)
        return select(func.row_to_json(sql(_ROW))).select_from(row).scalar_subquery()

    def built(self, pieces: Sequence[Piece]) -> ColumnElement[Any]:
        """Return an object of aggregates."""
        return _built(pieces)

    def one(self, rows: Select[Any], pieces: Sequence[Piece]) -> ColumnElement[Any]:
        """Return the object of a row."""
        if _too_long(pieces):
            return rows.add_columns(self.object(pieces)).scalar_subquery()
        row = rows.add_columns(*self._labelled(pieces)).subquery(_ROW)
        return select(func.row_to_json(sql(_ROW))).select_from(row).scalar_subquery()

    def many(self, rows: Select[Any], pieces: Sequence[Piece], name: str) -> ColumnElement[Any]:
        """Return the objects in their order."""
        if _too_long(pieces):
            listed = rows.add_columns(self.object(pieces).label("j")).subquery(name)
            return select(sql(f"coalesce(json_agg({name}.j), json '[]')")).select_from(listed).scalar_subquery()
        listed = rows.add_columns(*self._labelled(pieces)).subquery(name)
        # A row with a NULL in it counts as NULL, so that rows are not filtered like single values.
        return select(sql(f"coalesce(json_agg({name}), json '[]')")).select_from(listed).scalar_subquery()

    def values(self, rows: Select[Any], name: str) -> ColumnElement[Any]:
        """Return the values."""
        listed = rows.subquery(name)
        return select(sql(f"coalesce(json_agg({name}.value), json '[]')")).select_from(listed).scalar_subquery()

    def rows(self, found: Select[Any], name: str, inner: str) -> NamedFromClause:
        """Return them numbered."""
        return numbered(found.subquery(inner)).subquery(name)

    def lists(self, page: PageRows, lists: Mapping[str, Sequence[Piece]], name: str) -> Listing:
        """Return the arrays from the rows themselves, each beside the rows that make it."""
        source: FromClause = page.rows
        place = sql(f"{page.rows.name}.place")
        arrays: dict[str, ColumnElement[Any] | str] = {}
        for label, pieces in lists.items():
            row = f"{name}_{label}"
            columns = [self.object(pieces).label("j")] if _too_long(pieces) else self._labelled(pieces)
            source = source.join(select(*columns).lateral(row), true())
            value = sql(f"{row}.j" if _too_long(pieces) else row)
            if page.backwards:
                value = aggregate_order_by(value, place.desc())
            gathered = func.json_agg(value)
            within = gathered.filter(place <= page.size) if page.numbered else gathered
            arrays[label] = func.coalesce(within, sql("json '[]'"))
        return Listing(source, arrays, page.rows.name, page.key)

    def least(self, one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the lesser of two numbers."""
        return func.least(one, other)

    def handed(self, columns: Sequence[str], name: str) -> Select[Any]:
        """Return nothing: statements nest as deep as queries do."""
        raise AssertionError(columns)

    def _labelled(self, pieces: Sequence[Piece]) -> list[ColumnElement[Any]]:
        """Return columns under the keys of the answer; those that are text follow each other in one expression."""
        quote = self.dialect.identifier_preparer.quote
        columns: list[ColumnElement[Any] | str] = []
        for piece in pieces:
            if not isinstance(piece.value, str):
                columns.append(piece.value.label(piece.key))
                continue
            column = f"{piece.value} AS {quote(piece.key)}"
            if columns and isinstance(columns[-1], str):
                columns[-1] = f"{columns[-1]}, {column}"
            else:
                columns.append(column)
        return [sql(column) for column in columns]

    def text(self, json: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the text, as the driver would parse JSON."""
        return cast(json, Text)

    def refuses(self, error: Exception) -> bool:
        """Tell nothing: no statement fails for what it finds."""
        return False


def _built(pieces: Sequence[Piece]) -> ColumnElement[Any]:
    return func.json_build_object(*(part for p in pieces for part in (sql(quoted(p.key)), sql(p.value))))


def _too_long(pieces: Sequence[Piece]) -> bool:
    return any(len(piece.key) > _LONGEST_NAME for piece in pieces)
