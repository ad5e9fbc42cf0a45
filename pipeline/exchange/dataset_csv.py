"""Data sets in CSV: delimited text of any size and encoding, read in constant memory, and written to be read again.

CSV has no types and no way to say "missing": an empty cell, NA and a lone point are read as missing, as R, SAS and
people write it; but NA in a column of codes is a code, and where a file puts some cells between quotation marks and
leaves others bare, "NA" between marks is the text NA, for R and this project's own files write it so.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.errors import FileRefused
from pipeline.exchange.cells import armed, literal
from pipeline.exchange.dataset_csv_text import (
    delimiter_of,
    find_encoding,
    first_lines,
    lines_of,
    marked_cells,
    marks_tell,
)
from pipeline.exchange.dataset_table import (
    CHUNK_ROWS,
    Chunk,
    DataColumn,
    DataSet,
    Source,
    TypeOrigin,
    at,
    tidy,
    visible,
)
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.sheets import MAX_CELL, MAX_COLUMNS
from pipeline.exchange.tables import read_tables

MISSING = frozenset(("", "NA", "."))
"""What stands for "missing" in a cell of a CSV."""

_NOT_AVAILABLE = "NA"
_CODES = ("TESTCD", "PARMCD", "QNAM", "COUNTRY")
"""Ends of the names of columns that hold codes, among which NA is one (sodium, Namibia) and never "missing"."""
_MOST_CACHED = 50_000
_MARKED = frozenset(text for text in MISSING if text)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file is to be read."""

    encoding: str
    by_line: bool
    """Whether lines are decoded one by one: UTF-8 where they are it, else in `encoding`."""
    delimiter: str
    plain_marks: bool
    """Whether quotation marks are part of the text, as they do not pair up."""
    heading_row: int
    skipped_lines: int
    marks_tell: bool
    """Whether quotation marks tell the text NA from a missing value."""
    codes: tuple[int, ...]
    """Columns in which NA is a code."""


def read_csv(source: Source) -> DataSet:
    """Return the data set in a delimited text file, opened.

    Raises:
        FileRefused: the file is empty, no text, or no table; while rows are read, that it breaks off inside a cell.
    """
    encoding, by_line, warnings = find_encoding(source)
    sample = first_lines(source, encoding, by_line)
    [table] = read_tables(sample.encode(), source.place, variable_names)
    skipped = 1 if sample[:4].lower() == "sep=" else 0
    delimiter = sample[4] if skipped else delimiter_of(sample)
    plain = any("do not pair up" in warning for warning in table.warnings)
    telling = not plain and marks_tell(sample, delimiter)
    columns, more = named_columns(table.headings, source.place)
    codes = tuple(index for index, column in enumerate(columns) if column.name.upper().endswith(_CODES))
    layout = _Layout(encoding, by_line, delimiter, plain, table.heading_row, skipped, telling, codes)
    told = [warning for warning in table.warnings if "above the heading" in warning or "pair up" in warning]

    def read() -> Iterator[Chunk]:
        return _chunks(source, layout, columns)

    name = PurePosixPath(source.place).stem.upper()
    return DataSet(name, "", columns, source.place, "csv", read, warnings=(*warnings, *told, *more))


def named_columns(headings: Sequence[str], place: str) -> tuple[tuple[DataColumn, ...], tuple[str, ...]]:
    """Return the columns that headings name, and a warning for those that stand above nothing.

    Raises:
        FileRefused: a heading stands twice.
    """
    names = [heading or f"COLUMN{number}" for number, heading in enumerate(headings, 1)]
    twice = [name for name, count in Counter(name.upper() for name in names).items() if count > 1]
    if twice:
        raise FileRefused(f"{place} has the column {visible(twice[0])[:60]!r} twice; rename one of them.")
    unnamed = [name for name, heading in zip(names, headings, strict=True) if not heading]
    warnings = (f"{place}: columns without a heading were named {', '.join(unnamed[:5])}.",) if unnamed else ()
    return tuple(DataColumn(name, type_origin=TypeOrigin.ABSENT) for name in names), warnings


def variable_names(cells: Sequence[str]) -> int:
    """Return how many cells look like the name of a variable: the row with the most is the heading."""
    return sum(cell.isidentifier() and cell.isascii() and len(cell) <= 40 for cell in cells)


class Cells(dict[str, str | None]):
    """Cells already read: tidied, missing values told, what was made safe for spreadsheets undone."""

    def __missing__(self, cell: str) -> str | None:
        if len(self) >= _MOST_CACHED:
            self.clear()
        text = tidy(cell)
        if text is not None and text[0] in "='":
            inside = literal(text)
            text = armed(text) if inside is None else inside.strip()
        result = self[cell] = None if text is None or text in MISSING else text
        return result


def _chunks(source: Source, layout: _Layout, columns: tuple[DataColumn, ...]) -> Iterator[Chunk]:
    places = at(columns)
    numeric = [False] * len(columns)
    known = Cells()
    bad: list[Quarantined] = []
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    for number, cells in _records(source, layout, len(columns), known, bad):
        rows.append(cells)
        numbers.append(number)
        if len(rows) == CHUNK_ROWS:
            yield Chunk(places, numbers, [list(column) for column in zip(*rows, strict=True)], numeric=numeric, bad=bad)
            rows, numbers, bad[:] = [], [], []
    turned = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
    if rows or bad:
        yield Chunk(places, numbers, turned, numeric=numeric, bad=bad)


def _records(
    source: Source, layout: _Layout, width: int, known: Cells, bad: list[Quarantined]
) -> Iterator[tuple[int, list[str | None]]]:
    """Yield the rows below the heading that fit it, with their numbers; put the others into `bad`."""
    place = source.place
    raw: list[str] = []
    with source.open() as stream:
        lines = lines_of(stream, layout.encoding, layout.by_line, place)
        for _ in range(layout.skipped_lines):
            next(lines, None)
        csv.field_size_limit(MAX_CELL)
        number = 0
        last = ""
        try:
            for number, cells in enumerate(_parsed(_watched(lines, raw), layout), 1):
                if number > layout.heading_row and any(map(str.strip, cells)):
                    fitting = _fitting(cells, width)
                    if fitting is None:
                        bad.append(_misfit(cells, width, Place(place, number)))
                    else:
                        read = _read(fitting, known, raw, layout, Place(place, number), bad)
                        if read is not None:
                            yield number, read
                if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
                    raise FileRefused(f"{place}, row {number}: more than {MAX_COLUMNS} columns; is this a table?")
                last = "".join(raw)
                raw.clear()
        except csv.Error as wrong:
            raise FileRefused(
                f"{place}, row {number + 1}: {wrong}; a quotation mark may be opened there and never closed."
            ) from wrong
        if number and not layout.plain_marks and _breaks_off(last, layout.delimiter):
            raise FileRefused(
                f"{place}, row {number}: a quotation mark is opened and never closed; the file may be cut off there."
            )


def _parsed(lines: Iterator[str], layout: _Layout) -> Iterator[list[str]]:
    if layout.plain_marks:
        return csv.reader(lines, delimiter=layout.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=layout.delimiter)


def _watched(lines: Iterator[str], raw: list[str]) -> Iterator[str]:
    """Pass lines on and remember those of the present record."""
    for line in lines:
        raw.append(line)
        yield line


def _fitting(cells: list[str], width: int) -> list[str] | None:
    if len(cells) == width or (len(cells) > width and not any(cells[width:])):
        return cells[:width]
    return None


def _misfit(cells: list[str], width: int, place: Place) -> Quarantined:
    reason = f"the row has {len(cells)} cells where the heading has {width}; is a separator or quote missing?"
    return Quarantined(place, None, visible(" | ".join(cells)), reason)


def _read(
    cells: list[str], known: Cells, raw: list[str], layout: _Layout, place: Place, bad: list[Quarantined]
) -> list[str | None] | None:
    try:
        texts = list(map(known.__getitem__, cells))
    except ValueError as wrong:
        spoilt = next(cell for cell in cells if not _is_sound(cell))
        bad.append(Quarantined(place, None, visible(spoilt), f"the cell {wrong}"))
        return None
    for index in layout.codes:
        if texts[index] is None and cells[index].strip() == _NOT_AVAILABLE:
            texts[index] = _NOT_AVAILABLE
    if layout.marks_tell and not _MARKED.isdisjoint(cells):
        marked = marked_cells("".join(raw), layout.delimiter)
        if len(marked) == len(cells):
            texts = [
                cell if mark and cell in _MARKED else text
                for cell, text, mark in zip(cells, texts, marked, strict=True)
            ]
    return texts


def _is_sound(cell: str) -> bool:
    try:
        tidy(cell)
    except ValueError:
        return False
    return True


def _breaks_off(record: str, delimiter: str) -> bool:
    try:
        list(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as wrong:
        return "unexpected end of data" in str(wrong)
    return False
