"""Dataset-JSON in: version 1.1 as JSON, as lines (NDJSON) and compressed (DSJC), and version 1.0; in constant memory.

Before a row is handed out the file is looked through once: whether it is whole, and whether it has as many rows as it
states. Rows that cannot be read are quarantined one by one; a file that contradicts itself is refused.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO

import orjson

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_json_cells import Cells
from pipeline.exchange.dataset_json_header import (
    MOST_HEADER_BYTES,
    Header,
    header_1_1,
    headers_1_0,
    parsed,
    version_of,
)
from pipeline.exchange.dataset_json_scan import MOST_ROW_BYTES, Rows, Scanner, split_rows
from pipeline.exchange.dataset_json_unpack import Unpacked, is_compressed
from pipeline.exchange.dataset_table import CHUNK_ROWS, FIRST_ROW, Chunk, DataSet, Source, visible
from pipeline.exchange.reading import Place, Quarantined

_BOM = b"\xef\xbb\xbf"
_NAMES = (b'"datasetJSONVersion"', b'"itemGroupOID"', b'"itemGroupData"', b'"itemOID"', b'"rows"')
"""One of these stands in the beginning, in whatever order the attributes are."""


def is_dataset_json(start: bytes) -> bool:
    """Whether a file with these first bytes (some thousand) is Dataset-JSON, compressed or not."""
    if is_compressed(start):
        try:
            start = zlib.decompressobj(wbits=47).decompress(start, 65_536)
        except zlib.error:
            return False
    return start.removeprefix(_BOM).lstrip().startswith(b"{") and any(name in start for name in _NAMES)


def read_dataset_json(source: Source) -> list[DataSet]:
    """Return the data sets of a Dataset-JSON file, opened: one of version 1.1, one or several of version 1.0.

    Raises:
        FileRefused: it is no Dataset-JSON, is cut off, or contradicts itself.
    """
    with source.open() as stream:
        start = stream.read(2)
    if is_compressed(start):
        unpacked = Source(source.place, lambda: io.BufferedReader(Unpacked(source.open(), source.place)))
        with unpacked.open() as stream:
            if b'"rows"' in _first_line(stream, source.place):
                raise FileRefused(f"{source.place} is a compressed document, not compressed rows; unpack it first.")
        return [_lines(unpacked, "dsjc 1.1")]
    if _is_lines(source):
        return [_lines(source, "dataset-ndjson 1.1")]
    return _document(source)


def _is_lines(source: Source) -> bool:
    """Whether the first line is an object of its own and a row follows it."""
    with source.open() as stream:
        first = stream.readline(MOST_HEADER_BYTES)
        return first.rstrip().endswith(b"}") and any(line.startswith(b"[") for line in islice(stream, 1))


# ------------------------------------------------------------------------------------------------- a row a line


def _lines(source: Source, format: str) -> DataSet:
    place = source.place
    with source.open() as stream:
        top = parsed(_first_line(stream, place), place)
        version = version_of(top, place)
        if version != "1.1":
            raise FileRefused(f"{place} is Dataset-JSON {version} a row a line, which begins with version 1.1.")
        header = header_1_1(top, place)
        count = 0
        last = b""
        for line in _row_lines(stream, place):
            count += 1
            last = line
    if count and not _is_json(last):
        raise FileRefused(f"{place} ends inside record {count:,}; it is cut off, send it again.")
    _check_count(header, count, place)

    def read() -> Iterator[Chunk]:
        cells = Cells(header, place)
        with source.open() as again:
            _first_line(again, place)
            collected: list[bytes] = []
            first = FIRST_ROW
            for line in _row_lines(again, place):
                collected.append(line)
                if len(collected) == CHUNK_ROWS:
                    yield _line_chunk(cells, collected, first, place, last=first + len(collected) == FIRST_ROW + count)
                    first += len(collected)
                    collected = []
            if collected:
                yield _line_chunk(cells, collected, first, place, last=True)

    return _dataset(header, place, format, read)


def _first_line(stream: BinaryIO, place: str) -> bytes:
    line = stream.readline(MOST_HEADER_BYTES)
    if len(line) == MOST_HEADER_BYTES:
        raise FileRefused(f"{place}: its first line takes {MOST_HEADER_BYTES:,} bytes or more; is this Dataset-JSON?")
    return line


def _row_lines(stream: BinaryIO, place: str) -> Iterator[bytes]:
    while line := stream.readline(MOST_ROW_BYTES):
        if len(line) == MOST_ROW_BYTES:
            raise FileRefused(f"{place} has a row of {MOST_ROW_BYTES:,} bytes or more; is this Dataset-JSON?")
        if not line.isspace():
            yield line


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _line_chunk(cells: Cells, lines: list[bytes], first: int, place: str, *, last: bool) -> Chunk:
    try:
        return cells.chunk(list(map(orjson.loads, lines)), range(first, first + len(lines)), (), last=last)
    except orjson.JSONDecodeError:
        pass  # one of them is broken: look at each
    rows, places, broken = [], [], []
    for number, line in enumerate(lines, first):
        try:
            rows.append(orjson.loads(line))
            places.append(number)
        except orjson.JSONDecodeError as wrong:
            shown = visible(line[:200].decode("utf-8", "replace").strip())
            broken.append(Quarantined(Place(place, number), None, shown, f"the row is no JSON ({wrong.msg})"))
    return cells.chunk(rows, places, broken, last=last)


# ------------------------------------------------------------------------------------------------- one document


def _document(source: Source) -> list[DataSet]:
    place = source.place
    with source.open() as stream:
        if stream.read(3) != _BOM:
            stream.seek(0)
        begins = stream.tell()
        text, found = Scanner(stream, place).scan()
    for rows in found:
        rows.pieces = [(start + begins, size, count) for start, size, count in rows.pieces]
    top = parsed(text, place)
    by_path = {rows.path: rows for rows in found}
    if version_of(top, place) == "1.1":
        if not isinstance(top.get("rows", []), list):
            raise FileRefused(f"{place}: rows is no list.")
        return [_from_pieces(source, header_1_1(top, place), by_path.get((), Rows(())), "dataset-json 1.1")]
    return [
        _from_pieces(source, header, by_path.get((part, "itemGroupData", id), Rows(())), "dataset-json 1.0")
        for (part, id), header in headers_1_0(top, place).items()
    ]


def _from_pieces(source: Source, header: Header, rows: Rows, format: str) -> DataSet:
    place = source.place
    _check_count(header, rows.count, place)

    def read() -> Iterator[Chunk]:
        cells = Cells(header, place)
        first = FIRST_ROW
        with source.open() as stream:
            for start, size, count in rows.pieces:
                stream.seek(start)
                last = first + count == FIRST_ROW + rows.count
                yield _piece_chunk(cells, stream.read(size), count, first, place, last=last)
                first += count

    return _dataset(header, place, format, read)


def _piece_chunk(cells: Cells, piece: bytes, count: int, first: int, place: str, *, last: bool) -> Chunk:
    try:
        rows = orjson.loads(b"[" + piece.rstrip().removesuffix(b",") + b"]")
    except orjson.JSONDecodeError:
        rows = ()  # one of them is broken: look at each
    if len(rows) != count:
        return _line_chunk(cells, split_rows(piece), first, place, last=last)
    return cells.chunk(rows, range(first, first + count), (), last=last)


def _check_count(header: Header, count: int, place: str) -> None:
    if count != header.records:
        raise FileRefused(
            f"{place} states {header.records:,} records of {header.name} and holds {count:,}; send it again, or "
            f"correct the number."
        )


def _dataset(header: Header, place: str, format: str, read: Callable[[], Iterator[Chunk]]) -> DataSet:
    return DataSet(
        header.name,
        header.label,
        header.columns,
        place,
        format,
        read,
        records=header.records,
        study=header.study,
        details=header.details,
    )
