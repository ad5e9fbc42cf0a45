"""Rows out as CSV, JSON lines or a workbook: one pass, constant memory, the same columns in every format.

CSV and workbooks are opened in spreadsheets, so text that one would compute is defused there. JSON lines are read by
programs and hold every text as it is recorded.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import orjson

from pipeline.exchange.cells import defused
from pipeline.exchange.drop_downs import drop_down

Value = str | int | float | bool | list[str] | None
Row = Sequence[Value]

ROWS_OF_A_SHEET = 1_048_575
"""Rows a worksheet can hold below its heading; what is more goes on in the next sheet."""
LETTERS_OF_A_CELL = 32_767
_CUT = " [cut here: a cell holds no more; export as CSV or JSON lines to get all of it]"
_BETWEEN = "; "
_LISTS = "Lists"
# What neither a workbook nor most readers of CSV can take becomes the visible sign for it.
_VISIBLE = str.maketrans({code: chr(0x2400 + code) for code in range(32) if code not in (9, 10, 13)})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, which names the unit where there is one, and what stands in it.

    choices: what a person may write into it; a workbook offers them in each cell.
    """

    name: str
    meaning: str
    choices: tuple[str, ...] = ()


def write_csv(out: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> int:
    """Write UTF-8 with a byte order mark, as spreadsheets want it; return the number of rows."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    count = 0
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        count += 1
    text.flush()
    text.detach()
    return count


def write_jsonl(out: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> int:
    """Write one JSON object a line, its keys the headings; lists stay lists. Return the number of rows."""
    names = [column.name for column in columns]
    count = 0
    for row in rows:
        out.write(orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE))
        count += 1
    return count


def write_xlsx(
    out: IO[bytes], columns: Sequence[Column], rows: Iterable[Row], *, title: str, about: Mapping[str, object]
) -> int:
    """Write a workbook: first the sheet "About" (what this is, from when, the columns), then the rows.

    Returns the number of rows. Cells longer than a workbook can hold are cut, and say so.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    front = book.create_sheet("About")
    front.column_dimensions["A"].width, front.column_dimensions["B"].width = 26, 100
    count = 0
    sheet: Any = None
    offers = _offers(columns)
    for row in rows:
        if sheet is None or count % ROWS_OF_A_SHEET == 0:
            sheet = book.create_sheet(title if count == 0 else f"{title} {count // ROWS_OF_A_SHEET + 1}")
            _head(sheet, columns)
            sheet.data_validations.dataValidation += offers
        sheet.append([_workbook_cell(value) for value in row])
        count += 1
    if sheet is None:
        _head(book.create_sheet(title), columns)
    for name, value in {**about, "rows": count}.items():
        front.append([name, _workbook_cell(value if isinstance(value, int | float) else _shown(value))])
    front.append([])
    heading = WriteOnlyCell(front, "column")
    heading.font = Font(bold=True)
    front.append([heading, "what stands in it"])
    for column in columns:
        front.append([column.name, column.meaning])
    if offers:
        lists = book.create_sheet(_LISTS)
        lists.sheet_state = "hidden"
        for column in columns:
            if column.choices:
                lists.append(column.choices)
    book.save(out)
    return count


def _offers(columns: Sequence[Column]) -> list[Any]:
    """Return what offers the choices of columns in the cells below their headings, each from its row of the lists."""
    from openpyxl.utils import get_column_letter

    offers: list[Any] = []
    for at, column in enumerate(columns, 1):
        if column.choices:
            row, last, letter = len(offers) + 1, get_column_letter(len(column.choices)), get_column_letter(at)
            choices = f"{_LISTS}!$A${row}:${last}${row}"
            offers.append(drop_down(choices, f"{letter}2:{letter}{ROWS_OF_A_SHEET + 1}"))
    return offers


def _head(sheet: Any, columns: Sequence[Column]) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    sheet.freeze_panes = "B2"
    cells = []
    for column in columns:
        cell = WriteOnlyCell(sheet, column.name)
        cell.font = Font(bold=True)
        cells.append(cell)
    sheet.append(cells)


def _shown(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return defused(value).translate(_VISIBLE)
        case list():
            return defused(_BETWEEN.join(value)).translate(_VISIBLE)
    return repr(value)


def _workbook_cell(value: Value) -> str | int | float | bool | None:
    if isinstance(value, str | list):
        text = _cell(value)
        return text if len(text) <= LETTERS_OF_A_CELL else text[: LETTERS_OF_A_CELL - len(_CUT)] + _CUT
    return value
