"""Data sets out as one workbook: a sheet of explanations, then a sheet for each data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from pipeline.errors import InputError
from pipeline.exchange.cells import defused
from pipeline.exchange.dataset_table import ColumnType, DataSet, sound_chunks
from pipeline.exchange.export import LETTERS_OF_A_CELL, ROWS_OF_A_SHEET

FRONT = "About"


def write_workbook(out: BinaryIO, datasets: Sequence[DataSet], *, about: Mapping[str, object]) -> int:
    """Write data sets as the sheets of a workbook; return the number of rows.

    Texts a spreadsheet would compute are defused with an apostrophe, which is taken away again on import.

    Raises:
        InputError: more rows than a sheet holds, a text longer than a cell holds, or a row that could not be read.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    front = book.create_sheet(FRONT)
    front.column_dimensions["A"].width, front.column_dimensions["B"].width = 26, 100

    def bold(sheet: Any, text: str) -> Any:
        cell = WriteOnlyCell(sheet, text)
        cell.font = Font(bold=True)
        return cell

    for name, value in about.items():
        front.append([name, defused(str(value))])
    for dataset in datasets:
        front.append([])
        front.append([bold(front, dataset.name), dataset.label])
        for column in dataset.columns:
            front.append([column.name, column.label])
    total = 0
    for dataset in datasets:
        sheet = book.create_sheet(dataset.name)
        sheet.freeze_panes = "D2"
        sheet.append([bold(sheet, column.name) for column in dataset.columns])
        rows = 0
        for chunk in sound_chunks(dataset):
            rows += len(chunk)
            if rows > ROWS_OF_A_SHEET:
                raise InputError(f"{dataset.name} has more rows than a sheet holds; export as csv or dataset-json")
            columns = [
                chunk.numbers(at) if column.type is ColumnType.NUMBER else [_text(text) for text in chunk.texts(at)]
                for at, column in enumerate(dataset.columns)
            ]
            for row in zip(*columns, strict=True):
                sheet.append(row)
        total += rows
    book.save(out)
    return total


def _text(text: str | None) -> str | None:
    if text is None:
        return None
    if len(text) > LETTERS_OF_A_CELL:
        raise InputError(f"a text of {len(text):,} letters is longer than a cell holds; export as csv or dataset-json")
    return defused(text)
