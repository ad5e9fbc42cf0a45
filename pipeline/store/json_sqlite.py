"""JSON made by SQLite: objects by json_object, put together as text.

Nested JSON is joined as text, because `json()` would parse it again at every level above it. SQLite writes a REAL with
15 digits: a number is left to it only where six decimals name the very same double; the others are written by Python.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Select, case, func, select, text
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store.json_pieces import Listing, PageRows, Piece, numbered, quoted, sql
from pipeline.store.plans import Form

_NULL = "'null'"
_REFUSED = "char(13) || 'null'"
_PAIRS = 50  # of an object at once: a function takes at most 127 arguments


class JsonOfSqlite:
    """How SQLite writes answers."""

    dialect: Dialect = SQLiteDialect_pysqlite(paramstyle="named")
    deepest: int | None = 86  # of 100 by default

    def connected(self, raw: Any) -> None:
        """Give a connection the function that writes a double exactly."""
        assert isinstance(raw, sqlite3.Connection)
        raw.create_function("exact", 1, float.__repr__, deterministic=True)

    def value(self, key: str, form: Form, column: str, prefix: str, *, required: bool) -> Piece:
        """Return a column's value; texts and numbers are written by json_object."""
        x = column
        match form:
            case Form.TEXT:
                made = x
            case Form.COUNT:
                inside = f"{x} BETWEEN -2147483648 AND 2147483647"
                made = f"CASE WHEN {inside} OR {x} IS NULL THEN {x} ELSE json('-' || {x} || '-') END"
            case Form.REAL:
                short = f"{x} = CAST({x} * 1e6 + 0.5 AS INTEGER) / 1e6 AND {x} BETWEEN 0 AND 1e8"
                made = f"CASE WHEN {short} THEN {x} WHEN {x} IS NOT NULL THEN json(exact({x})) END"
            case Form.TRUTH:
                made = f"CASE {x} WHEN 1 THEN json('true') WHEN 0 THEN json('false') END"
            case Form.JSON:
                return Piece(key, self._filled(f"nullif({x}, 'null')", required=required))
            case Form.GLOBAL_ID:
                made = f"{quoted(prefix)} || {x}"
        if required:
            quote = f"CASE WHEN {x} IS NOT NULL THEN json_quote({made}) END"
            return Piece(key, self._filled(quote, required=True))
        return Piece(key, made, raw=False)

    def constant(self, json: str) -> str:
        """Return JSON text."""
        return quoted(json)

    def truth(self, condition: ColumnElement[bool]) -> ColumnElement[Any]:
        """Return true or false as JSON text."""
        return case((condition, sql("'true'")), else_=sql("'false'"))

    def filled(self, json: ColumnElement[Any], *, required: bool) -> ColumnElement[Any]:
        """Return JSON text that is never NULL."""
        return func.coalesce(json, sql(_REFUSED if required else _NULL))

    def _filled(self, json: str, *, required: bool) -> str:
        return f"coalesce({json}, {_REFUSED if required else _NULL})"

    def marked(self, place: int, content: ColumnElement[Any] | str) -> ColumnElement[Any] | str:
        """Return JSON text between tabs."""
        return _joined(f"char(9) || '[{place},'", content, "']' || char(9)")

    def array(self, columns: Sequence[str]) -> str:
        """Return an array as text."""
        return f"json_array({', '.join(columns)})"

    def bare(self, columns: Sequence[tuple[str, str]]) -> str:
        """Return an object as text."""
        pairs = ", ".join(f"{quoted(name)}, {column}" for name, column in columns)
        return f"json_object({pairs})"

    def object(self, pieces: Sequence[Piece]) -> ColumnElement[Any]:
        """Return an object as text: runs of columns by json_object, without their braces, and JSON between them."""
        runs: list[list[Piece]] = []
        for piece in pieces:
            if runs and not piece.raw and not runs[-1][0].raw and len(runs[-1]) < _PAIRS:
                runs[-1].append(piece)
            else:
                runs.append([piece])
        if len(runs) == 1 and not pieces[0].raw:
            return sql(_object(pieces))
        parts: list[ColumnElement[Any] | str] = []
        for n, run in enumerate(runs):
            comma = "," if n else "{"
            if run[0].raw:
                parts += [quoted(f'{comma}"{run[0].key}":'), run[0].value]
            else:  # holds no nested object, so that the only braces at its ends are its own
                parts += [quoted(comma), f"trim({_object(run)}, '{{}}')"]
        return sql(_joined(*parts, "'}'"))

    def built(self, pieces: Sequence[Piece]) -> ColumnElement[Any]:
        """Return an object of aggregates."""
        return self.object(pieces)

    def one(self, rows: Select[Any], pieces: Sequence[Piece]) -> ColumnElement[Any]:
        """Return the object of a row as text."""
        return rows.add_columns(self.object(pieces)).scalar_subquery()

    def many(self, rows: Select[Any], pieces: Sequence[Piece], name: str) -> ColumnElement[Any]:
        """Return the objects as text."""
        listed = rows.add_columns(self.object(pieces).label("j")).subquery(name)
        return select(sql(_gathered(f"{name}.j"))).select_from(listed).scalar_subquery()

    def values(self, rows: Select[Any], name: str) -> ColumnElement[Any]:
        """Return the values as text; NULL does not occur among them."""
        listed = rows.subquery(name)
        return select(sql(f"json_group_array({name}.value)")).select_from(listed).scalar_subquery()

    def rows(self, found: Select[Any], name: str, inner: str) -> NamedFromClause:
        """Return them as they are: `lists` numbers what it makes of them."""
        return found.subquery(name)

    def lists(self, page: PageRows, lists: Mapping[str, Sequence[Piece]], name: str) -> Listing:
        """Return the arrays from a subquery with one column of JSON for each.

        Rows are numbered when they are JSON already: a window copies every column of every row.
        """
        made = [self.object(pieces).label(label) for label, pieces in lists.items()]
        if not page.numbered:
            rows = select(*made).select_from(page.rows)
            arrays = {label: _gathered(f"{name}.{label}") for label in lists}
            return Listing(rows.subquery(name), arrays, name, f"{name}.key")
        keyed = select(*made, sql(page.key).label("key")).select_from(page.rows).subquery(f"{name}$")
        rows = numbered(keyed)
        if page.backwards:
            rows = rows.order_by(sql("place").desc())
        place = sql(f"{name}.place")
        within = {label: case((place <= page.size, sql(f"{name}.{label}"))) for label in lists}
        return Listing(rows.subquery(name), {k: _gathered_of(v) for k, v in within.items()}, name, f"{name}.key")

    def least(self, one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the lesser of two numbers."""
        return func.min(one, other)

    def handed(self, columns: Sequence[str], name: str) -> Select[Any]:
        """Return the rows by json_each."""
        fields = (sql(f"json_extract(value, '$.{column}')").label(column) for column in columns)
        each = select(sql("key"), *fields).select_from(text("json_each(:handed)")).subquery(name)
        return select().select_from(each).order_by(sql(f"{name}.key"))

    def text(self, json: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return it as it is."""
        return json

    def refuses(self, error: Exception) -> bool:
        """Tell whether a number was out of range or not finite, or the statement nested deeper than SQLite reads."""
        return "malformed JSON" in str(error) or "parser stack overflow" in str(error)


def _joined(*parts: ColumnElement[Any] | str) -> ColumnElement[Any] | str:
    """Return parts joined as text, those that are SQL text already first."""
    runs: list[ColumnElement[Any] | str] = []
    for part in parts:
        if isinstance(part, str) and runs and isinstance(runs[-1], str):
            runs[-1] = f"{runs[-1]} || {part}"
        else:
            runs.append(part)
    if len(runs) == 1:
        return runs[0]
    joined = sql(runs[0])
    for run in runs[1:]:
        joined = joined.concat(sql(run))
    return joined


def _gathered(column: str) -> str:
    return f"'[' || coalesce(group_concat({column}, ','), '') || ']'"


def _gathered_of(value: ColumnElement[Any]) -> ColumnElement[Any]:
    listed = func.coalesce(func.group_concat(value, sql("','")), sql("''"))
    return sql("'['").concat(listed).concat(sql("']'"))


def _object(pieces: Sequence[Piece]) -> str:
    return f"json_object({', '.join(f'{quoted(p.key)}, {p.value}' for p in pieces)})"
