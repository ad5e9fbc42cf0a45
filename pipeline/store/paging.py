"""Pages by key: a cursor holds the ordering values of the row it stands for, so that no page repeats or skips a row."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, bindparam, tuple_

from pipeline.errors import InputError

MOST = 1000
DEFAULT = 25
FOREIGN = "the cursor is not one of this list; take endCursor or startCursor of an earlier page of it"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of an ordered list is wanted. `backwards`: the last ones before a cursor."""

    size: int
    cursor: tuple[Any, ...] | None
    backwards: bool

    @classmethod
    def of(cls, arguments: Mapping[str, Any], columns: int) -> Page:
        """Read first/after or last/before; refuse what cannot be meant."""
        first, last = arguments.get("first"), arguments.get("last")
        after, before = arguments.get("after"), arguments.get("before")
        backwards = last is not None or (before is not None and after is None)
        if (last is not None and after is not None) or (before is not None and after is not None):
            raise InputError("page forwards with first and after, or backwards with last and before, not both")
        size = (last if last is not None else first) if backwards else first
        size = DEFAULT if size is None else size
        if not 0 <= size <= MOST:
            raise InputError(f"a page holds 0 to {MOST} rows, not {size}; ask for further pages with after")
        cursor = before if backwards else after
        return cls(size, None if cursor is None else decode(cursor, columns), backwards)


def encode(values: Sequence[Any]) -> str:
    """Return the cursor of a row from its ordering values."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).decode().rstrip("=")


def decode(cursor: str, columns: int) -> tuple[Any, ...]:
    """Return the ordering values a cursor stands for; refuse what is not one of ours."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if (
            isinstance(values, list)
            and len(values) == columns
            and all(isinstance(v, str | int | float) for v in values)
        ):
            return tuple(values)
    except (ValueError, binascii.Error):
        pass
    raise InputError(FOREIGN)


def fit(keys: Sequence[ColumnElement[Any]], page: Page) -> None:
    """Refuse a cursor whose values are not of the kinds the list is ordered by."""
    pairs = zip(page.cursor or (), keys, strict=False)
    if not all(isinstance(value, key.type.python_type) for value, key in pairs):
        raise InputError(FOREIGN)


def beyond(
    keys: Sequence[ColumnElement[Any]], page: Page, *, descending: bool, name: str | None = None
) -> ColumnElement[bool] | None:
    """Return the condition for rows past the cursor in the page's direction; `name` names the cursor's parameters."""
    if page.cursor is None:
        return None
    fit(keys, page)
    values = [
        bindparam(name and f"{name}{n}", value, key.type)
        for n, (value, key) in enumerate(zip(page.cursor, keys, strict=True))
    ]
    cursor, columns = tuple_(*values), tuple_(*keys)
    return columns < cursor if page.backwards is not descending else columns > cursor
