"""JSON made by SQLite: objects by json_object, put together as text.

Nested JSON is joined as text, because `json()` would parse it again at every level above it. SQLite writes a REAL with
15 digits: a number is left to it only where six decimals name the very same double; the others are written by Python.
"""

# ruff: noqa: S608 - the SQL is put together of names of ours
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from pipeline.store.json_pieces import Listing, PageRows, Piece, numbered, quoted
from pipeline.store.plans import Form
from pipeline.store.skeletons import COLUMNS

_NULL = "'null'"
_REFUSED = "char(13) || 'null'"
_PAIRS = 50  # of an object at once: a function takes at most 127 arguments


class JsonOfSqlite:
    """How SQLite writes answers."""

    dialect: Dialect = SQLiteDialect_pysqlite(paramstyle="named")
    deepest: int | None = 86  # of 100 by default

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
                return Piece(key, self.filled(f"nullif({x}, 'null')", required=required))
            case Form.GLOBAL_ID:
                made = f"{quoted(prefix)} || {x}"
        if required:
            quote = f"CASE WHEN {x} IS NOT NULL THEN json_quote({made}) END"
            return Piece(key, self.filled(quote, required=True))
        return Piece(key, made, raw=False)

    def constant(self, json: str) -> str:
        """Return JSON text."""
        return quoted(json)

    def parameter(self, name: str) -> str:
        """Return a parameter by name."""
        return f":{name}"

    def truth(self, condition: str) -> str:
        """Return true or false as JSON text."""
        return f"CASE WHEN {condition} THEN 'true' ELSE 'false' END"

    def filled(self, json: str, *, required: bool) -> str:
        """Return JSON text that is never NULL."""
        return f"coalesce({json}, {_REFUSED if required else _NULL})"

    def marked(self, place: int, content: str) -> str:
        """Return JSON text between tabs."""
        return f"char(9) || '[{place},' || {content} || ']' || char(9)"

    def array(self, columns: Sequence[str]) -> str:
        """Return an array as text."""
        return f"json_array({', '.join(columns)})"

    def bare(self, columns: Sequence[tuple[str, str]]) -> str:
        """Return an object as text."""
        pairs = ", ".join(f"{quoted(name)}, {column}" for name, column in columns)
        return f"json_object({pairs})"

    def object(self, pieces: Sequence[Piece]) -> str:
        """Return an object as text: runs of columns by json_object, without their braces, and JSON between them."""
        runs: list[list[Piece]] = []
        for piece in pieces:
            if runs and not piece.raw and not runs[-1][0].raw and len(runs[-1]) < _PAIRS:
                runs[-1].append(piece)
            else:
                runs.append([piece])
        if len(runs) == 1 and not pieces[0].raw:
            return _object(pieces)
        parts: list[str] = []
        for n, run in enumerate(runs):
            comma = "," if n else "{"
            if run[0].raw:
                parts += [quoted(f'{comma}"{run[0].key}":'), run[0].value]
            else:  # holds no nested object, so that the only braces at its ends are its own
                parts += [quoted(comma), f"trim({_object(run)}, '{{}}')"]
        return " || ".join((*parts, "'}'"))

    def built(self, pieces: Sequence[Piece]) -> str:
        """Return an object of aggregates."""
        return self.object(pieces)

    def one(self, rows: str, pieces: Sequence[Piece]) -> str:
        """Return the object of a row as text."""
        return f"({rows.replace(COLUMNS, self.object(pieces))})"

    def many(self, rows: str, pieces: Sequence[Piece], name: str) -> str:
        """Return the objects as text."""
        listed = rows.replace(COLUMNS, f"{self.object(pieces)} AS j")
        return f"(SELECT {_gathered(f'{name}.j')} FROM ({listed}) AS {name})"

    def values(self, rows: str, name: str) -> str:
        """Return the values as text; NULL does not occur among them."""
        return f"(SELECT json_group_array({name}.value) FROM ({rows}) AS {name})"

    def rows(self, found: str, name: str, inner: str) -> str:
        """Return them as they are: `lists` numbers what it makes of them."""
        return f"({found}) AS {name}"

    def lists(self, page: PageRows, lists: Mapping[str, Sequence[Piece]], name: str) -> Listing:
        """Return the arrays from a subquery with one column of JSON for each.

        Rows are numbered when they are JSON already: a window copies every column of every row.
        """
        made = [f"{self.object(pieces)} AS {label}" for label, pieces in lists.items()]
        if not page.numbered:
            arrays = {label: _gathered(f"{name}.{label}") for label in lists}
            return Listing(f"(SELECT {', '.join(made)} FROM {page.rows}) AS {name}", arrays, name, f"{name}.key")
        keyed = f"(SELECT {', '.join((*made, f'{page.key} AS key'))} FROM {page.rows}) AS {name}$"
        rows = numbered(keyed, f"{name}$") + (" ORDER BY place DESC" if page.backwards else "")
        within = {n: _gathered(f"CASE WHEN {name}.place <= {page.size} THEN {name}.{n} END") for n in lists}
        return Listing(f"({rows}) AS {name}", within, name, f"{name}.key")

    def furthest(self, key: str, place: str, size: str) -> str:
        """Return the key behind the greatest place: to count the rows first would hold all of them back."""
        return f"substr(max(CASE WHEN {place} <= {size} THEN ({10**9} + {place}) || {key} END), 11)"

    def handed(self, columns: Sequence[str], name: str) -> str:
        """Return the rows by json_each."""
        quote = self.dialect.identifier_preparer.quote
        fields = ", ".join(f"json_extract(value, '$.{column}') AS {quote(column)}" for column in columns)
        each = f"(SELECT key, {fields} FROM json_each(:handed)) AS {name}"
        return f"SELECT {COLUMNS} FROM {each} ORDER BY {name}.key"

    def text(self, json: str) -> str:
        """Return it as it is."""
        return json

    def placed(self, statement: str) -> tuple[str, None]:
        """Return the statement: SQLite takes parameters by name."""
        return statement, None

    def cursor(self, raw: Any) -> Any:
        """Return a cursor."""
        return raw.cursor()

    def refuses(self, error: Exception) -> bool:
        """Tell whether a number was out of range or not finite, or the statement nested deeper than SQLite reads."""
        return "malformed JSON" in str(error) or "parser stack overflow" in str(error)


def _gathered(column: str) -> str:
    return f"'[' || coalesce(group_concat({column}, ','), '') || ']'"


def _object(pieces: Sequence[Piece]) -> str:
    return f"json_object({', '.join(f'{quoted(p.key)}, {p.value}' for p in pieces)})"
