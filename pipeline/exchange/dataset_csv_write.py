"""Data sets out as CSV that reads as the same data set again."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from pipeline.exchange.cells import armed, defused
from pipeline.exchange.dataset_table import ColumnType, DataSet, sound_chunks

_EMPTY_ROW = "NA"
"""Begins a row without values, as a line of nothing but separators is no row to spreadsheets."""


def write_csv(out: BinaryIO, dataset: DataSet) -> int:
    """Write a data set as UTF-8 with a byte order mark; return the number of rows.

    Texts stand between quotation marks, numbers and missing values do not, so that reading it gives the same. What a
    spreadsheet would compute is defused with an apostrophe.

    Raises:
        InputError: a row could not be read, or a column of numbers holds something else.
    """
    out.write(codecs.BOM_UTF8 + ",".join(column.name for column in dataset.columns).encode() + b"\r\n")
    rows = 0
    for chunk in sound_chunks(dataset):
        columns = []
        for index, column in enumerate(dataset.columns):
            written = _quoted if column.type is ColumnType.TEXT else str
            columns.append(["" if text is None else written(text) for text in chunk.texts(index)])
        lines = (",".join(row) if any(row) else _EMPTY_ROW + "," * (len(row) - 1) for row in zip(*columns, strict=True))
        out.write("".join(f"{line}\r\n" for line in lines).encode())
        rows += len(chunk)
    return rows


def _quoted(text: str) -> str:
    # What would be taken for a defused text when it is read again is written as a text constant instead.
    safe = defused(text) if armed(text) == text else f'="{text.replace(chr(34), chr(34) * 2)}"'
    return '"' + safe.replace('"', '""') + '"'
