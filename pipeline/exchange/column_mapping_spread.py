"""Tables with a column for each analyte, test or time, taken apart: every group of such columns is a table of its own.

The place of a record is then its column within the file (`results.csv[M1 (ng/mL)]`) and its row. Every filled cell
counts: accepted + quarantined + held + duplicates = cells read. A row that fills none of the columns is put aside as a
whole and counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipeline.exchange.cells import habit_of as date_habit_of
from pipeline.exchange.column_mapping import Mapping, folded
from pipeline.exchange.column_mapping_fields import As
from pipeline.exchange.column_mapping_propose import MARKERS
from pipeline.exchange.dataset_table import Chunk, DataSet, at, visible
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.written_numbers import habit_of

Column = list[str | None]
NUMERIC = (As.NUMBER, As.RESULT, As.HOURS, As.DAYS)
_LISTED = 6


class Part(NamedTuple):
    """A table, or a group of its columns with what all groups have in common, and how it is read."""

    dataset: DataSet
    mapping: Mapping


@dataclass(slots=True)
class _Cells:
    """The cells of a table that are read, by folded heading; empty ones are None."""

    rows: list[int] = field(default_factory=list)
    bad: list[Quarantined] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)


def parts_of(dataset: DataSet, mapping: Mapping) -> tuple[list[Part], list[str]]:
    """Return the tables that a table is read as, and what a reader of the import has to know of that."""
    groups = mapping.parts()
    if groups == [mapping]:
        return [Part(dataset, mapping)], list(dataset.warnings)
    cells = _cells_of(dataset, mapping)
    settled = _with_habits(mapping, cells)
    own = [_measuring(mapping, group) for group in groups]
    filled = [_filled(cells, headings) for headings in own]
    silent = [row for row, *given in zip(cells.rows, *filled, strict=True) if not any(given)]
    why = "none of the columns of results is filled; fill one, or leave the row out"
    cells.bad += [Quarantined(Place(dataset.place, row), None, None, why) for row in silent]
    parts = []
    for number, (group, headings, given) in enumerate(zip(groups, own, filled, strict=True)):
        told = replace(group, decimal_comma=settled.decimal_comma, day_first=settled.day_first)
        label = visible(headings[0])[:80] + (f" {number + 1}" if len(headings[0]) > 80 else "")
        bad = cells.bad if number == 0 else []
        parts.append(Part(_part(dataset, f"{dataset.place}[{label}]", told, cells, given, bad), told))
    return parts, [*dataset.warnings, _note(dataset, own, cells, filled)]


def empty_marks(mapping: Mapping) -> frozenset[str]:
    """Return the texts that stand for an empty cell in a table."""
    return frozenset(mapping.missing) | {marker for marker in MARKERS if len(marker) < 4}


def _cells_of(dataset: DataSet, mapping: Mapping) -> _Cells:
    marks = empty_marks(mapping)
    wanted = {folded(heading) for heading, column in mapping.columns.items() if column.field}
    places = {folded(column.name): index for index, column in enumerate(dataset.columns)}
    cells = _Cells(columns={heading: [] for heading in places if heading in wanted})
    for chunk in dataset.chunks():
        cells.rows += chunk.rows
        cells.bad += chunk.bad
        for heading, column in cells.columns.items():
            column += [None if text in marks else text for text in chunk.texts(places[heading])]
    return cells


def _with_habits(mapping: Mapping, cells: _Cells) -> Mapping:
    """Return a mapping with the habits that all columns together show, where it says none."""
    forms = {
        folded(heading): mapping.about.fields[column.field].form
        for heading, column in mapping.columns.items()
        if column.field
    }
    numbers = habit_of(text for name, column in cells.columns.items() if forms[name] in NUMERIC for text in column)
    days = [text for name, column in cells.columns.items() if forms[name] is As.DATE for text in column if text]
    comma, first = mapping.decimal_comma, mapping.day_first
    return replace(
        mapping,
        decimal_comma=numbers.decimal_comma if comma is None else comma,
        day_first=date_habit_of(days).day_first if first is None else first,
    )


def _measuring(mapping: Mapping, group: Mapping) -> list[str]:
    """Return which columns of a group hold its results: one that fills none of them gives no record."""
    own = [heading for heading in group.columns if mapping.columns[heading].constants]
    fields = mapping.about.fields
    results = [heading for heading in own if fields[mapping.columns[heading].field or ""].form is As.RESULT]
    return results or own


def _filled(cells: _Cells, headings: Sequence[str]) -> list[bool]:
    """Tell for each row whether one of some columns holds something."""
    columns = [cells.columns[name] for name in map(folded, headings) if name in cells.columns]
    found = [any(cell is not None for cell in row) for row in zip(*columns, strict=True)]
    return found or [False] * len(cells.rows)


def _part(
    dataset: DataSet, place: str, mapping: Mapping, cells: _Cells, given: Sequence[bool], bad: Sequence[Quarantined]
) -> DataSet:
    wanted = {folded(heading) for heading, column in mapping.columns.items() if column.field}
    columns = tuple(column for column in dataset.columns if folded(column.name) in wanted)
    which = [index for index, there in enumerate(given) if there]
    values = [[cells.columns[folded(column.name)][index] for index in which] for column in columns]
    numeric = [False] * len(columns)
    chunk = Chunk(at(columns), [cells.rows[index] for index in which], values, numeric=numeric, bad=bad)
    return replace(
        dataset,
        columns=columns,
        place=place,
        read=lambda: iter((chunk,)),
        records=len(which) + len(bad),
        warnings=(),
    )


def _note(dataset: DataSet, own: Sequence[Sequence[str]], cells: _Cells, filled: Sequence[Sequence[bool]]) -> str:
    """Return how many cells were read, in a sentence."""
    listed = ", ".join(repr(visible(headings[0])[:40]) for headings in own[:_LISTED])
    more = f" and {len(own) - _LISTED} more" if len(own) > _LISTED else ""
    read = sum(map(sum, filled))
    told = f"cells read: {read:,}; empty, and no records: {len(own) * len(cells.rows) - read:,}"
    aside = f"; rows put aside as a whole: {len(cells.bad):,}" if cells.bad else ""
    return f"{dataset.place}: each filled cell of {listed}{more} is a record of its own; {told}{aside}."
