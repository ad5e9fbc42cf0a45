"""What the arguments of a connection ask of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, false, literal

from pipeline.dates import instant
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
        if isinstance(value, str) and not _can_be_kept(value):
            return false()
        return kept == literal(getattr(value, "value", value), kept.type)  # type: ignore[no-any-return]

    return make


def filled(column: str) -> Making:
    """Return the condition that a column holds something, or, of the value false, nothing."""

    def make(of: Any, value: bool) -> ColumnElement[bool]:
        return of[column].is_not(None) if value else of[column].is_(None)  # type: ignore[no-any-return]

    return make


def record(column: str, node: str, argument: str) -> Making:
    """Return the condition that a column leads to the record with the global id given as the argument."""

    def make(of: Any, value: str) -> ColumnElement[bool]:
        return of[column] == literal(id_of(value, node, path=(argument,)), of[column].type)  # type: ignore[no-any-return]

    return make


def since(of: Any, value: datetime) -> ColumnElement[bool]:
    """Return the condition that what a row tells was not before an instant, by the earliest moment it can mean."""
    text = instant(value).removesuffix("Z")
    for nothing in (".000000", ":00", "T00:00"):  # what a less precise time leaves away sorts before it
        text = text.removesuffix(nothing)
    return of.sorted_on >= literal(text, of.sorted_on.type)  # type: ignore[no-any-return]


def until(of: Any, value: datetime) -> ColumnElement[bool]:
    """Return the condition that what a row tells was not after an instant; rows without a time are not meant."""
    # All that begins like the instant is still in it, whatever it adds: a zone, or noughts.
    last = instant(value).removesuffix("Z").removesuffix(".000000") + "~"
    return and_(of.sorted_on > "", of.sorted_on <= literal(last, of.sorted_on.type))


def _can_be_kept(text: str) -> bool:
    """Tell whether a text can be in the records at all: no database keeps NUL or half a character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
