"""Concentrations typed into a table or sent as JSON lines, for logging: every field as text, under the API's names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from pipeline.errors import FileRefused
from pipeline.exchange.tables import read_tables

FIELDS = (
    *("molecule", "study", "subject", "analyte", "specimen", "reported", "unit"),
    *("sampledAt", "hoursAfterDose", "nominalTime", "lowerLimit", "profile", "day", "referenceDoseAt", "retestOf"),
)
REQUIRED = ("molecule", "study", "analyte", "specimen", "reported", "unit")
_BY_KEY = {field.lower(): field for field in FIELDS}


class LoggedRow(NamedTuple):
    """One record as it was written; `number` counts the records from 1."""

    number: int
    fields: Mapping[str, str]


def read_logged(data: bytes, filename: str) -> list[LoggedRow]:
    """Read a table with a heading (CSV, TSV, xlsx), a JSON array of objects, or one object a line.

    Headings may be written `hoursAfterDose`, `hours_after_dose` or `Hours after dose`.

    Raises:
        FileRefused: no table, no JSON, a column that means nothing here, or one that is missing.
    """
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _from_json(data.removeprefix(b"\xef\xbb\xbf"), filename)
    table, *others = read_tables(data, filename, lambda cells: sum(_key(cell) in _BY_KEY for cell in cells))
    if others:
        raise FileRefused(f"{filename} has several sheets; send one sheet")
    if table.bad:
        first = table.bad[0]
        raise FileRefused(f"{filename}, row {first.place.row}: {first.reason}")
    _check_fields(table.headings, filename)
    names = [_BY_KEY[_key(heading)] for heading in table.headings]
    return [
        LoggedRow(number, {name: cell for name, cell in zip(names, row.cells, strict=False) if cell.strip()})
        for number, row in enumerate(table.rows, start=1)
    ]


def _from_json(data: bytes, filename: str) -> list[LoggedRow]:
    try:
        parsed = orjson.loads(data) if data.lstrip()[:1] == b"[" else [orjson.loads(x) for x in data.splitlines() if x]
    except orjson.JSONDecodeError as error:
        raise FileRefused(f"{filename} is not JSON: {error}; send an array, or one object a line") from None
    rows = []
    for number, record in enumerate(parsed, start=1):
        if not isinstance(record, dict):
            raise FileRefused(f"{filename}, record {number} is no object; write field names and values")
        _check_fields(tuple(record), filename)
        fields = {_BY_KEY[_key(name)]: _text(value) for name, value in record.items() if value is not None}
        rows.append(LoggedRow(number, fields))
    return rows


def _check_fields(names: Sequence[str], filename: str) -> None:
    unknown = [name for name in names if _key(name) not in _BY_KEY]
    if unknown:
        raise FileRefused(
            f"{filename} has a field {unknown[0][:40]!r} that means nothing here; use {', '.join(FIELDS)}"
        )
    missing = [name for name in REQUIRED if name.lower() not in {_key(given) for given in names}]
    if missing:
        raise FileRefused(f"{filename} has no {' and no '.join(missing)}; name the fields in the first row")


def _key(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).lower()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
