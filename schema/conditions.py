"""What the arguments of a connection ask of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, false
from sqlalchemy.sql import operators

from pipeline.dates import instant
from pipeline.store.nodes import among, compared
from pipeline.store.selection import Alike, Condition
from schema.node import id_of


@dataclass(frozen=True, slots=True)
class Asks:
    """What the value of an argument asks of rows.

    make: makes the condition, of the rows' columns. values: those of its parameters, in their order. kind: what else
    tells it from what another value of the same argument asks.
    """

    make: Callable[[Any], ColumnElement[bool]]
    values: Sequence[Any] = ()
    kind: object = None


Making = Callable[[Any], Asks]
"""Tells what the value of an argument asks."""


def matching(**arguments: Making) -> Condition:
    """Return what the arguments ask, each by its name: one left out, or null, asks nothing."""

    def where(source: FromClause, given: Mapping[str, Any]) -> Alike:
        asked = {name: ask(given[name]) for name, ask in arguments.items() if given.get(name) is not None}
        key = tuple((name, one.kind) for name, one in asked.items())
        values = [value for one in asked.values() for value in one.values]
        return Alike(key, values, lambda: [one.make(source.c) for one in asked.values()])

    return where


def equal(column: str) -> Making:
    """Return the condition that a column has the value."""

    def ask(value: Any) -> Asks:
        if isinstance(value, str) and not can_be_kept(value):
            return Asks(lambda _: false(), kind="none")
        kept = getattr(value, "value", value)
        return Asks(lambda of: compared(of[column], operators.eq, kept), [kept])

    return ask


def one_of(column: str) -> Making:
    """Return the condition that a column has one of the values."""

    def ask(values: Sequence[Any]) -> Asks:
        kept = [getattr(value, "value", value) for value in values]
        return Asks(lambda of: among(of[column], kept), kept, kind=len(kept))

    return ask


def filled(column: str) -> Making:
    """Return the condition that a column holds something, or, of the value false, nothing."""
    return lambda value: Asks(lambda of: of[column].is_not(None) if value else of[column].is_(None), kind=bool(value))


def empty(column: str) -> Making:
    """Return the condition that a column holds nothing, or, of the value false, something."""
    return lambda value: filled(column)(not value)


def record(column: str, node: str, argument: str) -> Making:
    """Return the condition that a column leads to the record with the global id given as the argument."""

    def ask(value: str) -> Asks:
        id = id_of(value, node, path=(argument,))
        return Asks(lambda of: compared(of[column], operators.eq, id), [id])

    return ask


def since(value: datetime) -> Asks:
    """Return the condition that what a row tells was not before an instant, by the earliest moment it can mean."""
    text = instant(value).removesuffix("Z")
    for nothing in (".000000", ":00", "T00:00"):  # what a less precise time leaves away sorts before it
        text = text.removesuffix(nothing)
    return Asks(lambda of: compared(of.sorted_on, operators.ge, text), [text])


def until(value: datetime) -> Asks:
    """Return the condition that what a row tells was not after an instant; rows without a time are not meant."""
    # All that begins like the instant is still in it, whatever it adds: a zone, or noughts.
    last = instant(value).removesuffix("Z").removesuffix(".000000") + "~"

    def make(of: Any) -> ColumnElement[bool]:
        return and_(compared(of.sorted_on, operators.gt, ""), compared(of.sorted_on, operators.le, last))

    return Asks(make, ["", last])


def can_be_kept(text: str) -> bool:
    """Tell whether a text can be in the records at all: no database keeps NUL or half a character."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))
