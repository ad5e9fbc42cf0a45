"""Mappings of the columns of tables, confirmed by a person and kept by name; each confirmation makes a new version."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.errors import InputError, NotFound
from pipeline.exchange.column_mapping import Mapping, mapping_from, mapping_text
from pipeline.store.journal import Act
from pipeline.store.study_tables import column_mappings

_NAME = re.compile(r"[\w][\w .+-]{0,59}")
_VERSION = re.compile(r"(.+)@(\d{1,6})")


@dataclass(frozen=True, slots=True)
class ConfirmMapping:
    """Put a mapping in force under a name: a new one, or the next version of the one of that name.

    text: the mapping as JSON, such as a proposal that was looked at.
    """

    name: str
    text: str


@handles(ConfirmMapping, Permission.IMPORT)
def confirm_mapping(act: Act, command: ConfirmMapping) -> Map[str, Any]:
    """Record a mapping; the same one again changes nothing."""
    name = " ".join(command.name.split())
    if not _NAME.fullmatch(name):
        raise InputError(
            "a mapping's name has 1 to 60 letters, digits, blanks, points and hyphens, such as LCMS-1",
            path=("input", "name"),
        )
    text = mapping_text(mapping_from(command.text))
    columns = column_mappings.c
    known = act.current(column_mappings, columns.name == name, order_by=(columns.number,))
    if known and known[-1]["text"] == text:
        return {"mapping": known[-1]["id"], "name": name, "number": known[-1]["number"]}
    number = known[-1]["number"] + 1 if known else 1
    row = {"name": name, "number": number, "text": text, "confirmed_by": act.actor.name}
    return {"mapping": act.add(column_mappings, row), "name": name, "number": number}


def listed_mappings(connection: Connection) -> list[dict[str, Any]]:
    """Return every mapping on record, by name and number."""
    columns = column_mappings.c
    statement = (
        select(columns.id, columns.name, columns.number, columns.text, columns.confirmed_by)
        .where(columns.until_act.is_(None))
        .order_by(columns.name, columns.number)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def saved_mappings(connection: Connection) -> list[Mapping]:
    """Return the mappings in force: the last version of each."""
    latest = {row["name"]: row for row in listed_mappings(connection)}
    return [_read(row) for row in latest.values()]


def mapping_named(connection: Connection, name: str) -> Mapping:
    """Return the mapping of a name: its last version, or the one that is named (LCMS-1@2).

    Raises:
        NotFound: there is none.
    """
    rows = listed_mappings(connection)
    told = _VERSION.fullmatch(name)
    found = [row for row in rows if row["name"] == name]
    if not found and told is not None:
        found = [row for row in rows if row["name"] == told[1] and row["number"] == int(told[2])]
    if not found:
        known = ", ".join(sorted({row["name"] for row in rows})[:10]) or "none is confirmed yet"
        raise NotFound(f"there is no mapping {name[:60]!r}; there are: {known}", path=("input", "mapping"))
    return _read(found[-1])


def _read(row: Map[str, Any]) -> Mapping:
    return mapping_from(row["text"], name=f"{row['name']}@{row['number']}")
