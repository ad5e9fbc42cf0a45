"""Tables as people send them: delimited text in any encoding, or a workbook; every cell as text with its place."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.errors import FileRefused
from pipeline.exchange.encodings import decode
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.sheets import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Sheet, read_workbook

MAX_BYTES = 50_000_000
_SEARCHED_FOR_HEADING = 50
_SAMPLED = 200
_DELIMITERS = ",;\t|"
_NOT_TABLES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"BM\x00", "an image"),
    (b"II*\x00", "an image"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"BZh", "a compressed archive"),
    (b"{\\rtf", "a text document"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet file"),
    (b"HEADER RECORD*******", "a SAS transport file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|table|svg|head|body)", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_LINE_ENDS = str.maketrans({"\x0b": "\n", "\x0c": "\n"})


class Row(NamedTuple):
    """One row of a table: its number as a spreadsheet counts, and as many cells as there are headings."""

    number: int
    cells: list[str]


@dataclass(slots=True)
class Table:
    """A table with its heading found. `rows` excludes blank rows and the quarantined ones, which `bad` lists."""

    file: str
    headings: list[str]
    heading_row: int
    rows: list[Row] = field(default_factory=list)
    bad: list[Quarantined] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    """What stands above the heading: titles, comments."""
    warnings: list[str] = field(default_factory=list)
    marks: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    """(row, column index) -> (what is unusual about a workbook's cell, its formula): see sheets.py."""
    epoch_1904: bool | None = None
    """How the workbook counts days; None for text."""

    @property
    def count(self) -> int:
        """Rows below the heading that are not blank, good or bad."""
        return len(self.rows) + len(self.bad)


Recognise = Callable[[Sequence[str]], int]
"""How many cells of a row are headings the reader knows: the row with the most is the heading."""


def read_tables(data: bytes, filename: str, recognise: Recognise) -> list[Table]:
    """Return the tables of a file: one for text, one per visible sheet for a workbook.

    Refuses by one sentence what is empty, too large, or not a table. Rows that do not fit the heading, or hold control
    characters, are in `bad`.
    """
    filename = shown(filename)
    if len(data) > MAX_BYTES:
        raise FileRefused(f"{filename} has {len(data):,} bytes, more than {MAX_BYTES:,}; split it.")
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise FileRefused(f"{filename} is empty; send a table with a heading row.")
    if data.startswith(b"PK\x03\x04"):
        return _from_workbook(data, filename, recognise)
    _refuse_other_kinds(data, filename)
    return [_from_text(data, filename, recognise)]


def shown(filename: str) -> str:
    """Return the file's own name, without folders or control characters, short enough for a message."""
    name = re.split(r"[/\\]", filename)[-1]
    return "".join(sign for sign in name if sign.isprintable())[:120] or "the file"


def _refuse_other_kinds(data: bytes, filename: str) -> None:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused(
            f"{filename} is an old Excel (.xls) or password-protected file; "
            f"save it as .xlsx without a password, or as .csv."
        )
    for start, kind in _NOT_TABLES:
        if data.startswith(start):
            raise FileRefused(f"{filename} is {kind}, not a table; save the table as .xlsx or .csv.")
    # UTF-16 is half NULs for Western text; anything else with many control characters is not text.
    controls = len(data) - len(data.translate(None, bytes(range(1, 9)) + bytes(range(14, 32)) + b"\x7f"))
    if controls > 16 and controls > len(data) // 100:
        raise FileRefused(f"{filename} is not text ({controls:,} control characters); save the table as .xlsx or .csv.")


# ------------------------------------------------------------------------------------------------- text


def _from_text(data: bytes, filename: str, recognise: Recognise) -> Table:
    decoded = decode(data, filename)
    text = decoded.text.lstrip("\ufeff").removesuffix("\x1a")
    if _MARKUP.match(text):
        raise FileRefused(f"{filename} is a web page or XML, not a table; save the table as .xlsx or .csv.")
    if text.count("\x00") > max(16, len(text) // 10):
        raise FileRefused(f"{filename} is not text (it is full of NUL characters); save the table as .xlsx or .csv.")
    warnings = list(decoded.warnings)
    if _INVISIBLE.search(text):
        text, removed = _INVISIBLE.subn("", text)
        warnings.append(f"{filename}: {removed} invisible characters (zero-width or soft hyphens) were left out.")
    named = re.match(r"sep=(.)\r?\n?", text, re.IGNORECASE)
    if named is not None:
        text = text[named.end() :]
    records, quoting = _records(text, named[1] if named else None, filename)
    if quoting:
        warnings.append(quoting)
    table = _with_heading(records, filename, recognise)
    table.warnings[:0] = warnings
    return table


class _Dialect(NamedTuple):
    delimiter: str
    quote: str | None


def _records(text: str, delimiter: str | None, filename: str) -> tuple[list[Row], str | None]:
    """Split text into records; return them with a warning if quotation marks had to be taken as plain text."""
    sample = _sample(text)
    delimiters = [delimiter] if delimiter else list(_DELIMITERS)
    chosen = max((_Dialect(sign, _quote(sample, sign)) for sign in delimiters), key=lambda d: _regularity(sample, d))
    records, fault = _parsed(text, chosen, filename)
    if fault is None and _regular(records):
        return records, None
    if chosen.quote and chosen.quote in text:
        plain, plain_fault = _parsed(text, _Dialect(chosen.delimiter, None), filename)
        if plain_fault is None and _regular(plain):
            return plain, f"{filename}: quotation marks do not pair up and were taken as part of the text."
    if fault is not None:
        raise FileRefused(fault)
    return records, None


def _sample(text: str) -> str:
    lines = []
    for number, line in enumerate(io.StringIO(text[:400_000], newline="")):
        if number >= _SAMPLED:
            break
        if not line.startswith(("#", "!")) and line.strip():
            lines.append(line)
    return "".join(lines)


def _quote(sample: str, delimiter: str) -> str:
    """Return the quotation mark: double, unless there are none and many cells stand between single ones."""
    if '"' in sample:
        return '"'
    cells = [cell.strip() for line in sample.splitlines() for cell in line.split(delimiter)]
    quoted = sum(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    return "'" if quoted * 2 > sum(map(bool, cells)) else '"'


def _regularity(sample: str, dialect: _Dialect) -> tuple[float, int]:
    """How well a delimiter cuts the sample: the share of rows of the commonest width, and that width."""
    try:
        widths = Counter(len(record) for record in _reader(sample, dialect) if any(record))
    except csv.Error:
        return (0.0, 0)
    if not widths:
        return (0.0, 0)
    width, rows = max(widths.items(), key=lambda item: (item[1] if item[0] > 1 else 0, item[0]))
    return (rows / widths.total() if width > 1 else 0.0, width)


def _reader(text: str, dialect: _Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_CELL)
    stream = io.StringIO(text, newline="")
    if dialect.quote is None:
        return csv.reader(stream, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(stream, delimiter=dialect.delimiter, quotechar=dialect.quote, doublequote=True)


def _parsed(text: str, dialect: _Dialect, filename: str) -> tuple[list[Row], str | None]:
    """Return the records and, if the text breaks off inside a quoted cell or a cell is too long, what to say."""
    records: list[Row] = []
    reader = _reader(text, dialect)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
                raise FileRefused(f"{filename}, row {number}: more than {MAX_COLUMNS} columns; is this a table?")
            if any(cells):
                records.append(Row(number, cells))
                if len(records) > MAX_ROWS:
                    raise FileRefused(f"{filename} has more than {MAX_ROWS:,} rows; split it.")
    except csv.Error:
        return records, (
            f"{filename}, row {number + 1}: a cell is longer than {MAX_CELL:,} characters; "
            f"a quotation mark is opened there and never closed, or this is not a table."
        )
    if records and dialect.quote and _breaks_off(text, records[-1], dialect):
        return records, (
            f"{filename}, row {records[-1].number}: a quotation mark is opened and never closed; "
            f"close it, or double it where it belongs to the text."
        )
    return records, None


def _breaks_off(text: str, last: Row, dialect: _Dialect) -> bool:
    """Whether the last record was still inside quotation marks when the text ended."""
    if not any("\n" in cell or "\r" in cell for cell in last.cells) and text.count(dialect.quote or "") % 2 == 0:
        return False
    stream = io.StringIO(text, newline="")
    strict = csv.reader(stream, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
    while True:
        try:
            next(strict)
        except StopIteration:
            return False
        except csv.Error as wrong:
            if "unexpected end of data" in str(wrong):
                return True


def _regular(records: Sequence[Row]) -> bool:
    """Whether all records are equally wide, from the first of the commonest width on (titles may stand above)."""
    widths = [len(record.cells) for record in records]
    if not widths:
        return True
    width = Counter(widths).most_common(1)[0][0]
    start = widths.index(width)
    return width > 1 and widths.count(width) == len(widths) - start


# ------------------------------------------------------------------------------------------------- workbooks


def _from_workbook(data: bytes, filename: str, recognise: Recognise) -> list[Table]:
    book = read_workbook(data, filename)
    visible = [sheet for sheet in book.sheets if sheet.rows and not sheet.hidden]
    if not visible:
        raise FileRefused(f"{filename} has no visible sheet with anything on it; send a table with a heading row.")
    tables = []
    for sheet in visible:
        name = filename if len(visible) == 1 else f"{filename}[{sheet.name}]"
        table = _with_heading(_sheet_rows(sheet), name, recognise)
        table.marks = sheet.marks
        table.epoch_1904 = book.epoch_1904
        tables.append(table)
    return tables


def _sheet_rows(sheet: Sheet) -> list[Row]:
    width = max(map(len, sheet.rows.values()))
    return [
        Row(number, [_INVISIBLE.sub("", cell) for cell in cells] + [""] * (width - len(cells)))
        for number, cells in sorted(sheet.rows.items())
    ]


# ------------------------------------------------------------------------------------------------- heading and rows


def _with_heading(records: list[Row], filename: str, recognise: Recognise) -> Table:
    """Find the heading among the first rows and fit the rows below to it."""
    if not records:
        raise FileRefused(f"{filename} is empty; send a table with a heading row.")
    searched = records[:_SEARCHED_FOR_HEADING]
    scores = [recognise([_heading(cell) for cell in record.cells]) for record in searched]
    at = scores.index(max(scores))
    if scores[at] == 0:
        at = next((n for n, record in enumerate(searched) if sum(map(bool, record.cells)) > 1), 0)
    headings = [_heading(cell) for cell in records[at].cells]
    while headings and not headings[-1]:
        headings.pop()
    if at and records[at - 1].number == records[at].number - 1:
        headings = _with_groups(headings, [_heading(cell) for cell in records[at - 1].cells])
    table = Table(filename, headings, records[at].number)
    table.above = [" ".join(filter(None, (cell.strip() for cell in record.cells))) for record in records[:at]]
    if table.above:
        table.warnings.append(
            f"{filename}: {at} row(s) above the heading in row {table.heading_row} were not read as data: "
            + "; ".join(repr(line[:60]) for line in table.above[:5])
            + "."
        )
    twice = [name for name, count in Counter(filter(None, headings)).items() if count > 1]
    if twice:
        table.warnings.append(f"{filename}: the heading {', '.join(map(repr, twice[:5]))} stands more than once.")
    _fit(table, records[at + 1 :])
    return table


def _heading(cell: str) -> str:
    return " ".join(cell.lstrip("#!\ufeff ").split())[:200]


def _with_groups(headings: list[str], above: list[str]) -> list[str]:
    """Put the group above before headings that repeat ("Phase 1" over "start", "end"; "Phase 2" over the same)."""
    counts = Counter(filter(None, headings))
    if not any(count > 1 for count in counts.values()) or sum(map(bool, above)) < 2:
        return headings
    group = ""
    joined = []
    for at, heading in enumerate(headings):
        group = (above[at] if at < len(above) else "") or group
        joined.append(f"{group} {heading}" if counts[heading] > 1 and group else heading)
    return joined


def _fit(table: Table, records: list[Row]) -> None:
    """Keep the rows that fit the heading, tidied; quarantine the others with what is wrong."""
    width = len(table.headings)
    keep = table.rows.append
    for number, cells in records:
        joined = "".join(cells)
        if joined.isprintable():  # the usual row: no control character, no line end inside a cell
            tidied = [cell.strip() for cell in cells]
        elif _CONTROL.search(joined):
            _bad(table, number, cells, "the row holds control characters (NUL or the like); remove them")
            continue
        else:
            tidied = [cell.replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_ENDS).strip() for cell in cells]
        if len(tidied) == width:
            if any(tidied):
                keep(Row(number, tidied))
        elif not any(tidied):
            continue
        elif len(tidied) > width and not any(tidied[width:]):
            keep(Row(number, tidied[:width]))
        else:
            reason = f"the row has {len(cells)} cells where the heading has {width}; is a separator or quote missing?"
            _bad(table, number, tidied, reason)


def _bad(table: Table, number: int, cells: Sequence[str], reason: str) -> None:
    at = next((n for n, cell in enumerate(cells) if _CONTROL.search(cell)), None)
    column = table.headings[at] if at is not None and at < len(table.headings) else None
    value = cells[at] if at is not None else " | ".join(cells)
    visible = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in value[:200])
    table.bad.append(Quarantined(Place(table.file, number), column, visible, reason))
