"""What the arguments of a connection ask of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, false
from sqlalchemy.sql import operators

from pipeline.dates import instant
from pipeline.store.nodes import compared
from pipeline.store.selection import Condition
from schema.node import id_of

Making = Callable[[Any, Any], ColumnElement[bool]]
"""Makes a condition of the columns of the rows and the value of an argument."""


def matching(**conditions: Making) -> Condition:
    """Return what the arguments ask, each by its name: one left out, or null, asks nothing."""

    def where(source: FromClause, arguments: Mapping[str, Any]) -> Sequence[ColumnElement[bool]]:
        given = {name: arguments.get(name) for name in conditions}
        return [conditions[name](source.c, value) for name, value in given.items() if value is not None]

    return where


def equal(column: str) -> Making:
    """Return the condition that a column has the value."""

    def make(of: Any, value: Any) -> ColumnElement[bool]:
        kept = of[column]
        if isinstance(value, str) and not can_be_kept(value):
            return false()
        return compared(kept, operators.eq, getattr(value, "value", value))

    return make


def filled(column: str) -> Making:
    """Return the condition that a column holds something, or, of the value false, nothing."""

    def make(of: Any, value: bool) -> ColumnElement[bool]:
        return of[column].is_not(None) if value else of[column].is_(None)  # type: ignore[no-any-return]

    return make


def record(column: str, node: str, argument: str) -> Making:
    """Return the condition that a column leads to the record with the global id given as the argument."""

    def make(of: Any, value: str) -> ColumnElement[bool]:
        return compared(of[column], operators.eq, id_of(value, node, path=(argument,)))

    return make


def since(of: Any, value: datetime) -> ColumnElement[bool]:
    """Return the condition that what a row tells was not before an instant, by the earliest moment it can mean."""
    text = instant(value).removesuffix("Z")
    for nothing in (".000000", ":00", "T00:00"):  # what a less precise time leaves away sorts before it
        text = text.removesuffix(nothing)
    return compared(of.sorted_on, operators.ge, text)


def until(of: Any, value: datetime) -> ColumnElement[bool]:
    """Return the condition that what a row tells was not after an instant; rows without a time are not meant."""
    # All that begins like the instant is still in it, whatever it adds: a zone, or noughts.
    last = instant(value).removesuffix("Z").removesuffix(".000000") + "~"
    return and_(compared(of.sorted_on, operators.gt, ""), compared(of.sorted_on, operators.le, last))


def can_be_kept(text: str) -> bool:
    """Tell whether a text can be in the records at all: no database keeps NUL or half a character."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))
