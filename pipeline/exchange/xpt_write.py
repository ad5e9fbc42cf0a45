"""Data sets out as a SAS transport file of version 5, the one that authorities take.

Version 5 has names of 8 letters, labels of 40 and texts of 200 bytes; what does not fit is refused with the column's
name, never cut. Columns are as wide as their longest text. Texts are written in UTF-8, which for letters without
accents is the ASCII that authorities ask for.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import InputError
from pipeline.exchange.dataset_table import Chunk, ColumnType, DataColumn, DataSet, sound_chunks
from pipeline.exchange.ibm_float import out_of_range, to_ibm
from pipeline.exchange.xpt_header import RECORD, VERSIONS, mark

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_NAME, LONGEST_LABEL, LONGEST_TEXT = 8, 40, 200
_NAMESTR_BYTES = 140
_TOKENS = VERSIONS[0]
_NAMESTR = struct.Struct(">hhhh8s40s8shhh2x8shhi52x")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,7}")
_FORMAT = re.compile(r"(\$?[A-Za-z_](?:\w{0,30}[A-Za-z_])?|\$)?(\d{1,5})?(?:\.(\d{1,2})?)?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def write_xpt(out: BinaryIO, datasets: Sequence[DataSet], *, created: datetime) -> int:
    """Write data sets as the members of one transport file; return the number of rows.

    Each is read twice: once to find out how wide its columns are, once to write its rows.

    Raises:
        InputError: a name, label, text or number does not fit into version 5, a column of numbers holds something
            else, or a data set has rows that could not be read. Nothing was written then.
    """
    widths = [_measured(dataset) for dataset in datasets]
    names = [dataset.name.upper() for dataset in datasets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two data sets are called {twice}; a transport file holds each name once")
    stamp = _stamp(created)
    out.write(_header(_TOKENS.library))
    out.write(_record(b"SAS     SAS     SASLIB  9.4     MOLTRAIL", 24, stamp))
    out.write(_record(stamp))
    return sum(_write_member(out, dataset, wide, stamp) for dataset, wide in zip(datasets, widths, strict=True))


# ------------------------------------------------------------------------------------------------- what fits


def _measured(dataset: DataSet) -> list[int]:
    """Return how many bytes each column takes in a row; refuse what version 5 cannot hold."""
    _check_names(dataset)
    widths = [8 if column.type is ColumnType.NUMBER else 1 for column in dataset.columns]
    last_is_blank = False
    for chunk in sound_chunks(dataset):
        for at, column in enumerate(dataset.columns):
            if column.type is ColumnType.NUMBER:
                _check_range(dataset, column, chunk, at)
            else:
                widths[at] = max(widths[at], _longest(dataset, column, chunk, at))
        if len(chunk):
            last_is_blank = all(chunk.texts(at)[-1] is None for at in range(len(dataset.columns)))
    row_bytes = sum(widths)
    if last_is_blank and row_bytes < RECORD and not any(c.type is ColumnType.NUMBER for c in dataset.columns):
        widths[-1] += RECORD - row_bytes  # a short empty row at the end could not be told from the filling
    return widths


def _check_names(dataset: DataSet) -> None:
    if not _NAME.fullmatch(dataset.name):
        raise InputError(f"{dataset.name[:40]!r} is no name a version 5 data set can have (8 letters, digits or _)")
    _check_label(dataset.label, dataset.name)
    if not dataset.columns:
        raise InputError(f"{dataset.name} has no columns")
    seen = set()
    for column in dataset.columns:
        where = f"{dataset.name}.{column.name[:40]}"
        if not _NAME.fullmatch(column.name):
            raise InputError(f"{where}: no name a version 5 column can have (8 letters, digits or _)")
        if column.name.upper() in seen:
            raise InputError(f"{where}: the column stands twice")
        seen.add(column.name.upper())
        _check_label(column.label, where)
        found = _FORMAT.fullmatch(column.format)
        if found is None or len(found[1] or "") > LONGEST_NAME:
            raise InputError(f"{where}: {column.format[:40]!r} is no format version 5 can hold (such as 8.2 or DATE9.)")


def _check_label(label: str, where: str) -> None:
    size = len(label.encode())
    if size > LONGEST_LABEL:
        raise InputError(f"{where}: its label takes {size} bytes and version 5 holds {LONGEST_LABEL}; shorten it")


def _check_range(dataset: DataSet, column: DataColumn, chunk: Chunk, at: int) -> None:
    import numpy as np

    numbers = chunk.numbers(at)
    outside = np.flatnonzero(out_of_range(np.array(numbers, np.float64)))
    if len(outside):
        first = int(outside[0])
        where = f"{dataset.name}.{column.name}, row {chunk.rows[first]}"
        raise InputError(f"{where}: {numbers[first]:g} is beyond what the format can hold")


def _longest(dataset: DataSet, column: DataColumn, chunk: Chunk, at: int) -> int:
    texts = chunk.texts(at)
    sizes = {text: len(text.encode()) for text in set(texts) if text is not None}
    longest = max(sizes.values(), default=0)
    if longest > LONGEST_TEXT:
        row = next(row for row, text in zip(chunk.rows, texts, strict=True) if text and sizes[text] > LONGEST_TEXT)
        raise InputError(
            f"{dataset.name}.{column.name}, row {row}: a text takes more than the {LONGEST_TEXT} bytes of version 5; "
            f"put what is beyond into a SUPP data set, or export as Dataset-JSON"
        )
    return longest


# ------------------------------------------------------------------------------------------------- records


def _stamp(moment: datetime) -> bytes:
    return f"{moment:%d}{_MONTHS[moment.month - 1]}{moment:%y:%H:%M:%S}".encode()


def _record(*parts: bytes | int) -> bytes:
    """Join texts and numbers of blanks, filled up to a record."""
    return b"".join(b" " * part if isinstance(part, int) else part for part in parts).ljust(RECORD)


def _header(token: bytes, numbers: bytes = b"0" * 30) -> bytes:
    return (mark(token) + numbers).ljust(RECORD)


def _filled(data: bytes) -> bytes:
    return data + b" " * (-len(data) % RECORD)


def _write_member(out: BinaryIO, dataset: DataSet, widths: Sequence[int], stamp: bytes) -> int:
    out.write(_header(_TOKENS.member, b"000000000000000001600000000140"))
    out.write(_header(_TOKENS.descriptor))
    out.write(_record(b"SAS     ", dataset.name.encode().ljust(8), b"SASDATA 9.4     MOLTRAIL", 24, stamp))
    out.write(_record(stamp, 16, dataset.label.encode().ljust(LONGEST_LABEL)))
    out.write(_header(_TOKENS.names, f"000000{len(dataset.columns):04d}".encode().ljust(30, b"0")))
    out.write(_filled(b"".join(_namestrs(dataset.columns, widths))))
    out.write(_header(_TOKENS.rows))
    rows = 0
    for chunk in dataset.chunks():
        out.write(_row_bytes(chunk, dataset.columns, widths).tobytes())
        rows += len(chunk)
    out.write(b" " * (-rows * sum(widths) % RECORD))
    return rows


def _namestrs(columns: Sequence[DataColumn], widths: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for number, (column, width) in enumerate(zip(columns, widths, strict=True), 1):
        found = _FORMAT.fullmatch(column.format)
        name, form_width, decimals = found.groups() if found else (None, None, None)
        yield _NAMESTR.pack(
            1 if column.type is ColumnType.NUMBER else 2,
            0,
            width,
            number,
            column.name.encode().ljust(8),
            column.label.encode().ljust(LONGEST_LABEL),
            (name or "").encode().ljust(8),
            int(form_width or 0),
            int(decimals or 0),
            0,
            b" " * 8,
            0,
            0,
            start,
        )
        start += width


def _row_bytes(chunk: Chunk, columns: Sequence[DataColumn], widths: Sequence[int]) -> NDArray[np.uint8]:
    """Return the rows of a chunk as bytes of the shape (rows, bytes of a row)."""
    import numpy as np

    block = np.empty((len(chunk), sum(widths)), np.uint8)
    start = 0
    for at, (column, width) in enumerate(zip(columns, widths, strict=True)):
        if column.type is ColumnType.NUMBER:
            cells = to_ibm(np.array(chunk.numbers(at), np.float64))
        else:
            texts = [b"" if text is None else text.encode() for text in chunk.texts(at)]
            cells = np.array(texts, f"S{width}").view(np.uint8).reshape(-1, width)
            cells[cells == 0] = ord(" ")
        block[:, start : start + width] = cells
        start += width
    return block
