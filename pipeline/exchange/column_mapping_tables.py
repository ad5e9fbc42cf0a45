"""Tables of instruments and laboratories, opened: the heading found below titles, over two rows, above units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from pipeline.errors import FileRefused
from pipeline.exchange.column_mapping_kinds import KINDS
from pipeline.exchange.column_mapping_propose import Proposal, known_headings, split_heading
from pipeline.exchange.column_mapping_wide import proposed
from pipeline.exchange.dataset_json import is_dataset_json, read_dataset_json
from pipeline.exchange.dataset_sheets import chunk_of
from pipeline.exchange.dataset_table import DataColumn, DataSet, Source, TypeOrigin
from pipeline.exchange.reading import SentFile
from pipeline.exchange.tables import Table, read_tables
from pipeline.exchange.written_units import unit_code
from pipeline.exchange.xpt import is_xpt, read_xpt

_START = 8_192
_DIGIT = re.compile(r"\d")


def open_tables(files: Sequence[SentFile]) -> list[DataSet]:
    """Open every table in some files: delimited text, sheets of workbooks, SAS transport and Dataset-JSON.

    Raises:
        FileRefused: a file is none of these, or damaged.
    """
    found: list[DataSet] = []
    for file in files:
        start, source = file.content[:_START], Source.of(file.name, file.content)
        if is_xpt(start):
            found += read_xpt(source)
        elif is_dataset_json(start):
            found += read_dataset_json(source)
        else:
            tables = read_tables(file.content, file.name, _known)
            several = len(tables) > 1
            found += [_dataset(table, several) for table in tables if table.headings and (table.count or not several)]
    if not found:
        raise FileRefused("there is no table with rows in what was sent")
    return found


def _known(cells: Sequence[str]) -> int:
    """Return how many cells of a row are headings of one kind of table."""
    filled = [cell for cell in cells if cell]
    return max(known_headings(code, filled) for code in KINDS)


def _dataset(table: Table, several: bool) -> DataSet:
    _take_second_heading(table)
    _take_units(table)
    columns, warnings = _columns(table)
    chunk = chunk_of(table, columns)
    name = table.file[table.file.rindex("[") + 1 : -1] if several else PurePosixPath(table.file).stem
    return DataSet(
        name,
        "",
        columns,
        table.file,
        "table",
        lambda: iter((chunk,)),
        records=table.count,
        warnings=(*table.warnings, *warnings),
        details={"above": " ".join(table.above)[:2000]},
    )


def _columns(table: Table) -> tuple[tuple[DataColumn, ...], list[str]]:
    """Return the columns; a heading that stands twice is numbered, one that is empty is named by its place."""
    names: list[str] = []
    taken: set[str] = set()
    warnings = []
    for number, heading in enumerate(table.headings, 1):
        name = heading or f"COLUMN{number}"
        count = 1
        while name.upper() in taken:
            count += 1
            name = f"{heading or 'COLUMN'} {count}"
        if count > 1:
            warnings.append(f"{table.file}: {heading!r} stands more than once; the later one is called {name!r}.")
        taken.add(name.upper())
        names.append(name)
    return tuple(DataColumn(name, type_origin=TypeOrigin.ABSENT) for name in names), warnings


def _take_second_heading(table: Table) -> None:
    """Join a second row of headings to the first, where the two together say more than the first alone."""
    if not table.rows or table.rows[0].number != table.heading_row + 1:
        return
    second = table.rows[0].cells
    if sum(map(bool, second)) < 2 or any(_DIGIT.match(cell) for cell in second):
        return
    joined = [
        " ".join(filter(None, (above, below if below != above else "")))
        for above, below in zip(_spread(table.headings, second), second, strict=True)
    ]
    if _known(joined) > _known(table.headings):
        table.warnings.append(
            f"{table.file}: the heading stands in rows {table.heading_row} and {table.heading_row + 1}."
        )
        table.headings = joined
        del table.rows[0]


def _spread(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """Repeat the heading of a group of columns over those it stands above."""
    group = ""
    found = []
    for heading, second in zip(above, below, strict=True):
        group = heading or group
        found.append(heading or (group if second else ""))
    return found


def _take_units(table: Table) -> None:
    """Put a row of units below the heading into the heading."""
    if not table.rows or table.rows[0].number > table.heading_row + 2:
        return
    cells: list[str] = [cell.strip("()[] ") for cell in table.rows[0].cells]
    filled = [cell for cell in cells if cell and cell not in ("-", "--", "text", "none")]
    if not filled or not all(unit_code(cell) is not None for cell in filled):
        return
    table.headings = [
        f"{heading} ({unit})" if unit_code(unit) is not None and split_heading(heading)[1] is None else heading
        for heading, unit in zip(table.headings, cells, strict=True)
    ]
    table.warnings.append(f"{table.file}: row {table.rows[0].number} gives the units of the columns.")
    del table.rows[0]


def proposal_of(name: str, content: bytes, *, sheet: str | None = None) -> Proposal:
    """Return what a file seems to be: its first table that is understood, or the sheet that is named.

    Raises:
        FileRefused: it is no table, or has no such sheet.
    """
    datasets = open_tables([SentFile(name, content, name)])
    if sheet is not None:
        datasets = [dataset for dataset in datasets if dataset.name.casefold() == sheet.casefold()]
        if not datasets:
            raise FileRefused(f"{name} has no sheet {sheet[:60]!r} with rows")
    proposals = list(map(proposed, datasets))
    return next((proposal for proposal in proposals if proposal.kind is not None), proposals[0])
