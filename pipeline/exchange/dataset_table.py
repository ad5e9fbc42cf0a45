"""One data set, whatever file it came in: SAS transport, Dataset-JSON, CSV or a workbook give the same columns.

A cell is a text, or None where the source has nothing. What the source wrote as text is kept as written, without the
blanks around it (a fixed-width field cannot hold them); what it holds as a binary number becomes the shortest text of
at most 15 significant digits. A transport file's 362.29999999999995 and a CSV's 362.3 are so the same text and the
same number: 15 digits are what every IEEE and IBM double carries faithfully, the 16th and 17th are noise of the way
a value was stored. `number` reads texts at the same precision, so a CSV that shows the noise agrees as well.

Rows are counted as a spreadsheet counts the same table with its heading in row 1: the first record of a transport or
JSON file is row 2.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from math import isfinite
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.exchange.reading import Quarantined

CHUNK_ROWS = 8_192
"""Rows handed out at once: small enough for constant memory, large enough that the loop around it costs nothing."""

FIRST_ROW = 2
"""Row of the first record, as a spreadsheet counts: the heading is row 1."""

_NUMBER_SIGNS = "0123456789.+-eE"
_MOST_CACHED = 50_000
_LARGEST = 1.7976e308
"""Beyond this 15 digits may round to infinity."""


_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS = str.maketrans({"\x0b": "\n", "\x0c": "\n"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be opened as often as it has to be read."""

    place: str
    """Its name, unique among the files sent."""
    open: Callable[[], BinaryIO] = field(repr=False)

    @staticmethod
    def of(place: str, content: bytes | Path) -> Source:
        """Return the source for content in memory, or for a file on disk, which is never read as a whole."""
        if isinstance(content, Path):
            return Source(place, lambda: content.open("rb"))
        return Source(place, lambda: io.BytesIO(content))


class ColumnType(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    NUMBER = "number"


class TypeOrigin(StrEnum):
    """Who says what type a column has: the file, or nobody (CSV and workbooks have text only)."""

    DECLARED = "declared"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class DataColumn:
    """One variable as the source describes it. `length` counts bytes in a transport file, characters in JSON."""

    name: str
    label: str = ""
    type: ColumnType = ColumnType.TEXT
    length: int | None = None
    format: str = ""
    type_origin: TypeOrigin = TypeOrigin.DECLARED
    key: int | None = None
    """Place in the key of the data set, 1 first."""
    data_type: str = ""
    """The finer type where the format has one: integer, decimal, datetime ... of Dataset-JSON."""


class _Numbers(dict[str | None, float | None]):
    """Texts already read as numbers: most columns repeat a few values."""

    def __missing__(self, text: str | None) -> float | None:
        if len(self) >= _MOST_CACHED:
            self.clear()
        value = self[text] = None if text is None else _read_number(text)
        return value


class _Texts(dict[float | None, str | None]):
    """Numbers already written as texts."""

    def __missing__(self, value: float | None) -> str | None:
        if len(self) >= _MOST_CACHED:
            self.clear()
        text = self[value] = None if value is None else number_text(value)
        return text


_NUMBERS = _Numbers()
_TEXTS = _Texts()


def number(text: str | None) -> float | None:
    """Return the number a text states in plain notation (-1.5, 3E2) at 15 significant digits; None for anything else.

    Thousands separators, decimal commas, signs such as "<" and units are no part of it: what those mean has to be
    decided where the column is understood.
    """
    return _NUMBERS[text]


def _read_number(text: str) -> float | None:
    text = text.strip(" ")
    if not text or text.strip(_NUMBER_SIGNS):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return rounded(value) if isfinite(value) else None


def rounded(value: float) -> float:
    """Return a finite number at 15 significant digits (unchanged at the very end of what a double can hold)."""
    short = float(f"{value:.15g}") + 0.0
    return short if isfinite(short) else value


def number_text(value: float) -> str:
    """Return the shortest text of a finite number at 15 significant digits: 2 for 2.0, 362.3 for 362.29999999999995."""
    if value == (whole := int(value)) and -1e15 < value < 1e15:
        return str(whole)
    return f"{value:.15g}" if abs(value) < _LARGEST else repr(value)


def tidy(text: str) -> str | None:
    """Return a cell's text without the blanks around it and with plain line ends; None when nothing is left.

    Raises:
        ValueError: it holds control characters, which no text of a table has; the message says so.
    """
    if not text.isprintable():
        if _CONTROL.search(text):
            raise ValueError("holds control characters (NUL or the like); remove them")
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_ENDS)
    return text.strip() or None


def visible(text: str) -> str:
    """Return at most 300 letters of a text, with a sign in place of what cannot be printed: for labels and messages."""
    text = text[:300]
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


class Chunk:
    """Some rows of a data set, by columns."""

    __slots__ = ("_at", "_numbers", "_stated", "_texts", "bad", "rows", "warnings")

    def __init__(
        self,
        at: Mapping[str, int],
        rows: Sequence[int],
        values: Sequence[list[str | None] | list[float | None]],
        *,
        numeric: Sequence[bool],
        bad: Sequence[Quarantined] = (),
        warnings: Sequence[str] = (),
    ) -> None:
        """Take the columns as they were read.

        Args:
            at: folded column name -> its index (`DataSet.at`).
            rows: where each row stands in the source, as a spreadsheet counts.
            values: per column the cells of these rows: texts, or numbers at 15 digits where `numeric` says so.
            numeric: per column whether `values` are numbers.
            bad: rows of the source between these that cannot be read; they are in no column.
            warnings: what was noticed while these rows were read.
        """
        self.rows = rows
        self.bad = tuple(bad)
        self.warnings = tuple(warnings)
        self._at = at
        self._texts: dict[int, list[str | None]] = {}
        self._numbers: dict[int, list[float | None]] = {}
        self._stated = frozenset(index for index, is_number in enumerate(numeric) if is_number)
        for index, is_number in enumerate(numeric):
            cells = values[index]
            if is_number:
                self._numbers[index] = cells  # type: ignore[assignment]  # told apart by `numeric`
            else:
                self._texts[index] = cells  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, column: str | int) -> list[str | None]:
        """Return the texts of a column, by name (any case) or index; None stands for missing."""
        index = column if isinstance(column, int) else self._at[column.upper()]
        found = self._texts.get(index)
        if found is None:
            found = self._texts[index] = list(map(_TEXTS.__getitem__, self._numbers[index]))
        return found

    def states_numbers(self, column: str | int) -> bool:
        """Whether the source states the cells of a column as numbers: then every text of it is a number's."""
        return (column if isinstance(column, int) else self._at[column.upper()]) in self._stated

    def numbers(self, column: str | int) -> list[float | None]:
        """Return the numbers of a column, by name (any case) or index; None where it has none (see `number`)."""
        index = column if isinstance(column, int) else self._at[column.upper()]
        found = self._numbers.get(index)
        if found is None:
            found = self._numbers[index] = list(map(_NUMBERS.__getitem__, self._texts[index]))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """A data set, opened: what its columns are, and a way to read its rows, as often as needed, in constant memory."""

    name: str
    """As the source names it (PC, SUPPPP); for a CSV the file's name without folders and ending."""
    label: str
    columns: tuple[DataColumn, ...]
    place: str
    """The file it is in, unique among those sent: the `file` of a Place."""
    format: str
    """How it came: xpt5, xpt8, dataset-json 1.0, dataset-json 1.1, dataset-ndjson 1.1, dsjc 1.1, csv, xlsx; memory."""
    read: Callable[[], Iterator[Chunk]] = field(repr=False)
    """Begins a new pass over the rows; `chunks` is how to call it."""
    records: int | None = None
    """Rows in the source, good and bad, where that is known before they are read."""
    study: str = ""
    warnings: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the source says of itself: creation date, source system, identifiers."""

    def chunks(self) -> Iterator[Chunk]:
        """Read the rows from the first on. May raise FileRefused where the file turns out to be damaged."""
        return self.read()

    @property
    def at(self) -> dict[str, int]:
        """Column name in capitals -> index."""
        return at(self.columns)

    def __contains__(self, name: str) -> bool:
        return any(column.name.upper() == name.upper() for column in self.columns)

    def column(self, name: str) -> DataColumn | None:
        """Return the column of this name, in any case; None where there is none."""
        return next((column for column in self.columns if column.name.upper() == name.upper()), None)


def at(columns: Sequence[DataColumn]) -> dict[str, int]:
    """Return column name in capitals -> index."""
    return {column.name.upper(): index for index, column in enumerate(columns)}


def made(
    name: str,
    columns: Sequence[DataColumn],
    rows: Callable[[], Iterator[Sequence[str | float | None]]],
    *,
    label: str = "",
    study: str = "",
    details: Mapping[str, str] | None = None,
) -> DataSet:
    """Return a data set made of rows of our own, to be written to a file.

    Args:
        name: name of the data set.
        columns: its columns.
        rows: begins a new pass over the rows, each with a cell per column: text, or a number in NUMBER columns; a
            text there is read as `number` reads it. It is called once for every pass a writer needs.
        label: label of the data set.
        study: identifier of the study.
        details: further particulars for the header of a file.
    """
    columns = tuple(columns)
    places = at(columns)
    numeric = [column.type is ColumnType.NUMBER for column in columns]

    def read() -> Iterator[Chunk]:
        collected: list[Sequence[str | float | None]] = []
        first = FIRST_ROW
        for row in rows():
            collected.append(row)
            if len(collected) == CHUNK_ROWS:
                yield chunk(collected, first)
                first += len(collected)
                collected = []
        yield chunk(collected, first)

    def chunk(collected: Sequence[Sequence[str | float | None]], first: int) -> Chunk:
        turned = list(zip(*collected, strict=True)) if collected else [()] * len(columns)
        cells = [
            [(_number_cell if number_wanted else _text_cell)(cell, name, about.name) for cell in column]
            for column, number_wanted, about in zip(turned, numeric, columns, strict=True)
        ]
        return Chunk(places, range(first, first + len(collected)), cells, numeric=numeric)  # type: ignore[arg-type]

    return DataSet(name, label, columns, name, "memory", read, study=study, details=details or {})


def _number_cell(cell: str | float | None, dataset: str, column: str) -> float | None:
    if cell is None:
        return None
    if not isinstance(cell, str):
        return rounded(cell) if isfinite(cell) else None
    value = number(cell)
    if value is None and cell.strip():
        raise InputError(f"{dataset}.{column}: {visible(cell)[:40]!r} is no number, which the column holds")
    return value


def _text_cell(cell: str | float | None, dataset: str, column: str) -> str | None:
    if cell is None:
        return None
    if not isinstance(cell, str):
        return number_text(cell) if isfinite(cell) else None
    try:
        return tidy(cell)
    except ValueError as wrong:
        raise InputError(f"{dataset}.{column}: {visible(cell)!r} {wrong}") from wrong


def sound_chunks(dataset: DataSet) -> Iterator[Chunk]:
    """Read the rows of a data set that is to be written out, which has to be whole.

    Raises:
        InputError: a row could not be read, or a column of numbers holds something else.
    """
    numeric = [index for index, column in enumerate(dataset.columns) if column.type is ColumnType.NUMBER]
    for chunk in dataset.chunks():
        if chunk.bad:
            place = chunk.bad[0].place
            raise InputError(f"{dataset.name}: row {place.row} of {place.file} could not be read; mend it first")
        for index in numeric:
            if not chunk.states_numbers(index):
                _check_numbers(dataset, chunk, index)
        yield chunk


def _check_numbers(dataset: DataSet, chunk: Chunk, index: int) -> None:
    for row, text, value in zip(chunk.rows, chunk.texts(index), chunk.numbers(index), strict=True):
        if text is not None and value is None:
            where = f"{dataset.name}.{dataset.columns[index].name}, row {row}"
            raise InputError(f"{where}: {visible(text)[:40]!r} is no number, which the column holds")


def difference(one: DataSet, other: DataSet) -> str | None:
    """Return the first thing in which the content of two data sets differs, in words; None for the same content.

    Compared are the columns by name and every cell in its row: by number in columns that either side declares to be
    numbers, else by text. How the files describe their columns beside that is not compared.
    """
    names, others = ([column.name.upper() for column in columns] for columns in (one.columns, other.columns))
    if names != others:
        return f"columns {', '.join(names)} against {', '.join(others)}"
    numeric = [
        ColumnType.NUMBER in (column.type, beside.type)
        for column, beside in zip(one.columns, other.columns, strict=True)
    ]
    for number_of_row, (row, beside_row) in enumerate(zip_longest(_rows(one, numeric), _rows(other, numeric)), 1):
        if row is None or beside_row is None:
            return f"only one of them has a record {number_of_row}"
        if row != beside_row:
            at = next(n for n, (cell, beside) in enumerate(zip(row, beside_row, strict=True)) if cell != beside)
            name = "the row's place" if at == len(names) else names[at]
            return f"record {number_of_row}, {name}: {row[at]!r} against {beside_row[at]!r}"
    return None


def _rows(dataset: DataSet, numeric: Sequence[bool]) -> Iterator[tuple[str | float | int | None, ...]]:
    for chunk in dataset.chunks():
        columns = [chunk.numbers(at) if wanted else chunk.texts(at) for at, wanted in enumerate(numeric)]
        yield from zip(*columns, chunk.rows, strict=True)
