"""Values as both engines hand them back, so that a row's digest is the same when it is read again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Double, LargeBinary, Table, Text

from pipeline.errors import InputError
from pipeline.store.columns import Flag

_LARGEST = 2**63 - 1
_Rows = Sequence[tuple[Any, ...]]


def as_stored(table: Table, columns: Sequence[str], rows: _Rows) -> list[tuple[Any, ...]]:
    """Return, column by column, the values of rows (tuples in the order of `columns`) as they will be read again.

    Raises:
        InputError: a number is not finite, or too large.
        TypeError: a column is given what it does not hold (a bug: one engine would convert it, the other refuse).
    """
    kinds = _kinds(table)
    given = zip(*rows, strict=True)
    return [_kept(kinds[column], f"{table.name}.{column}", of) for column, of in zip(columns, given, strict=True)]


@cache
def _kinds(table: Table) -> dict[str, type]:
    kinds: dict[str, type] = {}
    for column in table.columns:
        match column.type:
            case Flag():
                kinds[column.name] = bool
            case Double():
                kinds[column.name] = float
            case LargeBinary():
                kinds[column.name] = bytes
            case Text():
                kinds[column.name] = str
            case _:
                kinds[column.name] = int
    return kinds


def _kept(kind: type, name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return one column's values in the type it holds; the same tuple where they are already."""
    types = set(map(type, values))
    types.discard(type(None))
    if not types:
        return values
    if kind is float:
        return tuple(None if value is None else _real(name, value) for value in values)
    if types != {kind}:
        values = tuple(None if value is None else _converted(kind, name, value) for value in values)
    if kind is int:
        numbers = values if None not in values else tuple(value for value in values if value is not None)
        if max(numbers) > _LARGEST or min(numbers) < -_LARGEST - 1:
            raise InputError(f"{name} holds whole numbers up to {_LARGEST}; correct the number in the source")
    return values


def _real(name: str, value: Any) -> float:
    if isinstance(value, str | bool | bytes):
        raise TypeError(f"{name} holds numbers, not {value!r}"[:200])
    number = float(value) + 0.0  # SQLite keeps no sign of zero
    if not math.isfinite(number):
        raise InputError(f"{name} has to be a finite number, not {value}")
    return number


def _converted(kind: type, name: str, value: Any) -> Any:
    """Return a close relative (an enumeration's text, another library's whole number) as the plain type."""
    if kind is str and isinstance(value, str):
        return str(value)
    if kind is bytes and isinstance(value, bytearray | memoryview):
        return bytes(value)
    if kind is int and not isinstance(value, bool) and hasattr(value, "__index__"):
        return int(value)
    raise TypeError(f"{name} holds {kind.__name__}, not {value!r}"[:200])
