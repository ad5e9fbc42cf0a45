"""Workbooks (.xlsx), streamed: cell text, formulas beside their stored results, dates at the precision shown.

Read with expat instead of openpyxl, which would need two passes to see a formula and its result, keeps no limits
while it reads, and drops the precision a date format shows.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from xml.parsers import expat

from pipeline.errors import FileRefused

MAX_UNPACKED_BYTES = 200_000_000
MAX_RATIO = 100
MAX_ENTRIES = 1_000
MAX_ROWS = 500_000
MAX_COLUMNS = 500
MAX_CELL = 32_767
_MAX_MERGES = 20_000
_MAX_STRING_BYTES = 150_000_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_QUOTED_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_BUILTIN_DATES = {
    **dict.fromkeys((14, 15, 22, 27, 30, 31, 36, 50, 53, 54, 57, 58), "d m y"),
    16: "d m",
    17: "m y",
    **dict.fromkeys((28, 29, 51, 52, 55, 56), "d m y"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47), "h"),
}
FORMULA, NO_RESULT, ERROR_VALUE = "formula", "formula without a stored result", "error value"


@dataclass(slots=True)
class Sheet:
    """One sheet: rows by their number (sparse rows skipped), cells as text, and marks on unusual cells."""

    name: str
    rows: dict[int, list[str]] = field(default_factory=dict)
    marks: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    """(row, column index) -> (FORMULA | NO_RESULT | ERROR_VALUE, the formula or the error)."""
    hidden: bool = False


@dataclass(slots=True)
class Workbook:
    """The sheets of a workbook in their order, and how it counts days."""

    sheets: list[Sheet]
    epoch_1904: bool


def read_workbook(data: bytes, filename: str) -> Workbook:
    """Return the cells of every worksheet; refuse what is no workbook, too large, packed too tightly, or has a DTD."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_size(archive, len(data), filename)
            return _workbook(archive, filename)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, expat.ExpatError, EOFError, NotImplementedError) as wrong:
        raise FileRefused(f"{filename} is a damaged workbook ({wrong}); open it and save it again as .xlsx.") from wrong
    except (KeyError, ValueError, IndexError, RuntimeError, OverflowError, zipfile.zlib.error) as wrong:  # type: ignore[attr-defined]
        raise FileRefused(f"{filename} is not a workbook that can be read; save it again as .xlsx or .csv.") from wrong


def _check_size(archive: zipfile.ZipFile, packed: int, filename: str) -> None:
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if "mimetype" in names or "content.xml" in names:
        raise FileRefused(f"{filename} is an OpenDocument file; save it as .xlsx or .csv.")
    if "xl/workbook.bin" in names:
        raise FileRefused(f"{filename} is a binary workbook (.xlsb); save it as .xlsx or .csv.")
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRefused(f"{filename} is an archive but not a workbook; save the table as .xlsx or .csv.")
    if len(entries) > MAX_ENTRIES:
        raise FileRefused(f"{filename} has {len(entries)} parts inside, more than the {MAX_ENTRIES} allowed.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * max(packed, 10_000):
        raise FileRefused(
            f"{filename} unpacks to {unpacked:,} bytes, more than allowed ({MAX_UNPACKED_BYTES:,}, and {MAX_RATIO} "
            f"times its size); delete empty formatted rows and save it again."
        )


def _workbook(archive: zipfile.ZipFile, filename: str) -> Workbook:
    relations: dict[str, str] = {}
    wanted: list[tuple[str, str, bool]] = []
    epoch_1904 = False

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            relations[attributes["Id"]] = attributes["Target"]

    def element(name: str, attributes: dict[str, str]) -> None:
        nonlocal epoch_1904
        if name == "workbookPr":
            epoch_1904 = attributes.get("date1904") in ("1", "true")
        elif name == "sheet":
            hidden = attributes.get("state", "visible") != "visible"
            identity = next(value for key, value in attributes.items() if key.rpartition(":")[2] == "id")
            wanted.append((attributes["name"], identity, hidden))

    _parse(archive, "xl/workbook.xml", filename, start=element)
    _parse(archive, "xl/_rels/workbook.xml.rels", filename, start=relation)
    strings = _shared_strings(archive, filename)
    formats = _date_formats(archive, filename)
    sheets = []
    for name, identity, hidden in wanted:
        target = relations.get(identity, "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if PurePosixPath(part).parent.name == "worksheets" and part in archive.namelist():
            reader = _SheetReader(Sheet(name, hidden=hidden), filename, strings, formats, epoch_1904)
            _parse(archive, part, filename, start=reader.start, end=reader.end, text=reader.text)
            reader.fill_merged()
            sheets.append(reader.sheet)
    if not sheets:
        raise FileRefused(f"{filename} is a workbook without a worksheet; put the table on a sheet.")
    return Workbook(sheets, epoch_1904)


def _ignore(_: str) -> None:
    return None


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    filename: str,
    *,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] = _ignore,
    text: Callable[[str], None] = _ignore,
) -> None:
    """Stream one part through expat, names without their prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def doctype(*_: object) -> None:
        raise FileRefused(f"{filename} carries a document type declaration, which no spreadsheet program writes.")

    def started(name: str, attributes: dict[str, str]) -> None:
        start(name.rpartition(":")[2], attributes)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = started
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    with archive.open(part) as stream:
        while chunk := stream.read(1 << 16):
            parser.Parse(chunk)
        parser.Parse(b"", True)


def _shared_strings(archive: zipfile.ZipFile, filename: str) -> list[str]:
    strings: list[str] = []
    pieces: list[str] = []
    wanted = phonetic = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal wanted, phonetic
        if name == "si":
            pieces.clear()
        elif name == "rPh":
            phonetic = True
        elif name == "t":
            wanted = not phonetic

    def end(name: str) -> None:
        nonlocal wanted, phonetic
        if name == "t":
            wanted = False
        elif name == "rPh":
            phonetic = False
        elif name == "si":
            strings.append(_unescaped("".join(pieces)))

    def text(chunk: str) -> None:
        if wanted:
            pieces.append(chunk)

    if "xl/sharedStrings.xml" in archive.namelist():
        _parse(archive, "xl/sharedStrings.xml", filename, start=start, end=end, text=text)
    return strings


def _date_formats(archive: zipfile.ZipFile, filename: str) -> list[str]:
    """Return for each cell style what of a date it shows ("d m y", "m y", "y", "h", "" for none)."""
    custom: dict[int, str] = {}
    styles: list[str] = []
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == "numFmt":
            custom[int(attributes["numFmtId"])] = date_parts(attributes.get("formatCode", ""))
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside:
            number = int(attributes.get("numFmtId", "0"))
            styles.append(custom.get(number, _BUILTIN_DATES.get(number, "")))

    def end(name: str) -> None:
        nonlocal inside
        if name == "cellXfs":
            inside = False

    if "xl/styles.xml" in archive.namelist():
        _parse(archive, "xl/styles.xml", filename, start=start, end=end)
    return styles


def date_parts(code: str) -> str:
    """Return what of a date a number format shows: "d m y", "m y", "y", "h" (only a time) or "" (no date)."""
    bare = _QUOTED_FORMAT.sub("", code.partition(";")[0]).lower()
    if "general" in bare or not any(sign in bare for sign in "dmyhsaj"):
        return ""
    has_year = "y" in bare or "aa" in bare  # aaaa and jj: years and days in a French format code
    has_day = "d" in bare or "jj" in bare
    if not has_year and not has_day and "mmm" not in bare:
        return "h" if any(sign in bare for sign in "hs") else ""
    return " ".join(part for part, shown in (("d", has_day), ("m", "m" in bare), ("y", has_year)) if shown)


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


class _SheetReader:
    """Builds one Sheet from the events of its XML."""

    def __init__(self, sheet: Sheet, filename: str, strings: list[str], formats: list[str], epoch_1904: bool) -> None:
        self.sheet = sheet
        self._filename = filename
        self._strings = strings
        self._formats = formats
        self._epoch = datetime(1904, 1, 1) if epoch_1904 else datetime(1899, 12, 30)
        self._row = self._column = 0
        self._cells: list[str] = []
        self._type = self._style = ""
        self._value: list[str] = []
        self._formula: list[str] = []
        self._has_formula = False
        self._into: list[str] | None = None
        self._merges: list[tuple[int, int, int, int]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the opening of an element."""
        if name == "c":
            place = _REFERENCE.match(attributes.get("r", ""))
            self._column = _column(place[1]) if place else self._column + 1
            if self._column > MAX_COLUMNS:
                self._column = MAX_COLUMNS + 1
            self._type = attributes.get("t", "n")
            self._style = attributes.get("s", "")
            self._value, self._formula, self._has_formula = [], [], False
        elif name == "v" or name == "t":
            self._into = self._value
        elif name == "f":
            self._into, self._has_formula = self._formula, True
        elif name == "row":
            self._row = int(attributes["r"]) if attributes.get("r", "").isdigit() else self._row + 1
            self._column, self._cells = 0, []
        elif name == "rPh":
            self._into = None
        elif name == "mergeCell" and len(self._merges) < _MAX_MERGES:
            corners = _REFERENCE.findall(attributes.get("ref", ""))
            if len(corners) == 2:
                (left, top), (right, bottom) = corners
                self._merges.append((int(top), int(bottom), _column(left), _column(right)))

    def text(self, chunk: str) -> None:
        """Take character data."""
        if self._into is not None:
            self._into.append(chunk)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "c":
            self._cell()
        elif name in ("v", "t", "f"):
            self._into = None
        elif name == "row" and any(self._cells):
            self.sheet.rows[self._row] = self._cells
            if len(self.sheet.rows) > MAX_ROWS:
                raise FileRefused(f"{self._filename} has more than {MAX_ROWS:,} rows on one sheet; split it.")

    def _cell(self) -> None:
        raw = "".join(self._value)
        if not raw and not self._has_formula:
            return
        value = self._decoded(raw)
        at = self._column - 1
        if self._has_formula or self._type == "e":
            kind = ERROR_VALUE if self._type == "e" else FORMULA if raw else NO_RESULT
            source = raw if self._type == "e" else "=" + "".join(self._formula)
            self.sheet.marks[self._row, at] = (kind, source)
            value = value or source
        if not value.strip():
            return
        if len(value) > MAX_CELL:
            raise FileRefused(
                f"{self._filename}, row {self._row}: a cell holds {len(value):,} characters, more than {MAX_CELL:,}."
            )
        if at >= MAX_COLUMNS:
            raise FileRefused(f"{self._filename} has more than {MAX_COLUMNS} columns; keep the table's columns only.")
        if at >= len(self._cells):
            self._cells.extend([""] * (at + 1 - len(self._cells)))
        self._cells[at] = value

    def _decoded(self, raw: str) -> str:
        if self._type == "s":
            return self._strings[int(raw)] if raw else ""
        if self._type in ("str", "inlineStr"):
            return _unescaped(raw)
        if self._type == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        if self._type == "d":
            return raw.removesuffix("T00:00:00")
        if self._type == "e":
            return raw
        shown = self._formats[int(self._style)] if self._style and self._style.isdigit() else ""
        if not raw:
            return ""
        return self._date(float(raw), shown) if shown else _number(raw)

    def _date(self, days: float, shown: str) -> str:
        """Return a day count as ISO text, to the day, month or year that its format shows."""
        if shown == "h" or not 0 < days < 2_958_466:
            return _number(repr(days))
        moment = self._epoch + timedelta(seconds=round(days * 86_400))
        if "y" not in shown:
            return f"{moment:%Y-%m-%d}"  # "1-Feb": perhaps a date, perhaps 1/2 that the spreadsheet took for one
        if "d" not in shown and moment.day == 1:
            return f"{moment:%Y-%m}" if "m" in shown else f"{moment:%Y}" if moment.month == 1 else f"{moment:%Y-%m}"
        return f"{moment:%Y-%m-%d}" if moment.time() == datetime.min.time() else f"{moment:%Y-%m-%dT%H:%M:%S}"

    def fill_merged(self) -> None:
        """Repeat the text of a merged block down its rows: each of them says what the block says."""
        budget = 1_000_000
        for top, bottom, left, right in self._merges:
            source = self.sheet.rows.get(top)
            if source is None or left > len(source) or bottom <= top or not source[left - 1] or left != right:
                continue
            for number in range(top + 1, min(bottom, top + budget) + 1):
                cells = self.sheet.rows.get(number)
                if cells is not None:
                    cells.extend([""] * (left - len(cells)))
                    cells[left - 1] = cells[left - 1] or source[left - 1]
            budget -= bottom - top
            if budget <= 0:
                break


def _number(raw: str) -> str:
    """Return a number as a person would type it: 2 for 2.0, no float noise."""
    value = float(raw)
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}"


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
