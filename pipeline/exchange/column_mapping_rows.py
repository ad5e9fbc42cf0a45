"""What the data sets of all kinds of mapped tables share: which rows are taken, and what is in doubt about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pipeline.exchange.column_mapping_records import Column, Drafts, Rows
from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.study_facts import Fact
from pipeline.exchange.written_numbers import read_number


class Doubt(NamedTuple):
    """Why a fact of a row waits for a decision, and what it would be."""

    kind: type[Fact]
    column: str | None
    value: str | None
    proposed: str
    why: str
    field: str | None
    instead: dict[str, Any]


def kept(rows: Rows) -> list[int]:
    """Return the places of the rows that can be read so far."""
    return [index for index, row in enumerate(rows.numbers) if row not in rows.bad]


def picked(columns: dict[str, Column], which: Sequence[int]) -> dict[str, Column]:
    """Return some rows of columns."""
    return {name: [cells[index] for index in which] for name, cells in columns.items()}


def first_of(rows: Rows, columns: dict[str, Column], names: Iterable[str], which: Sequence[int]) -> list[int]:
    """Return which rows are the first to say what they say in some columns."""
    told = [columns[name] for name in names if name in columns]
    seen: set[tuple[str | None, ...]] = set()
    found = []
    for index in which:
        said = tuple(cells[index] for cells in told)
        if said not in seen:
            seen.add(said)
            found.append(index)
    return found


def add(drafts: Drafts, rows: Rows, domain: str, columns: dict[str, Column], which: Sequence[int]) -> None:
    """Add a data set of some rows."""
    drafts.add(domain, [rows.numbers[index] for index in which], picked(columns, which))


def number_in(rows: Rows, text: str | None) -> str | None:
    """Return the number a cell states, as plain text; None where it states none."""
    value = read_number(text, rows.habit).value
    return None if value is None else number_text(value)


def ask_for_analytes(rows: Rows, drafts: Drafts, kind: type[Fact]) -> None:
    """Ask of which compound a figure is where the arm gives several and no column says it."""
    analytes = dict(zip(rows.numbers, rows.texts("analyte"), strict=True))
    for row, compounds in rows.unsure.items():
        analyte = analytes[row]
        why = f"the arm gives {' and '.join(compounds)}, and no column says of which the figure is"
        known = drafts.extras.get(row, {}).get("doubt")
        told = Doubt(kind, "analyte", None, analyte or "", why, "analyte", {})
        if known is not None:
            told = known._replace(why=f"{known.why}; {why}")
        drafts.say(row, doubt=told)
