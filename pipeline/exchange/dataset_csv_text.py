"""The text of a CSV of any size: its encoding found out, its lines one by one, its separator and its marks."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_table import Source
from pipeline.exchange.encodings import decode

_SAMPLE_BYTES = 400_000
_MOST_LINE_BYTES = 4_000_000
_DECODED_WHOLE = 20_000_000
"""Up to this size a file that is not UTF-8 is looked at as a whole to find out its encoding, beyond it by its lines."""
_MOST_SAMPLED_LINES = 20_000
_BLOCK = 1 << 20
_DELIMITERS = ",;\t|"
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def find_encoding(source: Source) -> tuple[str, bool, tuple[str, ...]]:
    """Return the encoding, whether single lines may differ from it, and what has to be said about that."""
    with source.open() as stream:
        start = stream.read(4096)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or start.count(0) > len(start) // 5:
            return decode(start[: len(start) // 4 * 4], source.place).encoding, False, ()
        stream.seek(0)
        if _is_utf8(stream):
            return "utf-8-sig", False, ()
        size = stream.seek(0, 2)
        stream.seek(0)
        data = stream.read() if size <= _DECODED_WHOLE else b"".join(_special_lines(stream))
    decoded = decode(data, source.place)
    return decoded.encoding, True, decoded.warnings


def _is_utf8(stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _special_lines(stream: BinaryIO) -> Iterator[bytes]:
    count = 0
    while count < _MOST_SAMPLED_LINES and (line := stream.readline(_MOST_LINE_BYTES)):
        if not line.isascii():
            count += 1
            yield line


def lines_of(stream: BinaryIO, encoding: str, by_line: bool, place: str) -> Iterator[str]:
    """Yield the lines with their ends, however these are written."""
    if by_line:
        yield from _mixed_lines(stream, encoding, place)
        return
    text = io.TextIOWrapper(stream, encoding, newline="")
    try:
        while line := text.readline(_MOST_LINE_BYTES):
            if len(line) == _MOST_LINE_BYTES:
                raise _endless(place)
            yield line
    except UnicodeError as wrong:
        raise FileRefused(f"{place} is damaged: it is not all {encoding.upper()}; save it again as UTF-8.") from wrong
    finally:
        with suppress(ValueError):  # the stream was closed before
            text.detach()  # it is closed by whoever opened it


def _mixed_lines(stream: BinaryIO, encoding: str, place: str) -> Iterator[str]:
    while raw := stream.readline(_MOST_LINE_BYTES):
        if len(raw) == _MOST_LINE_BYTES:
            raise _endless(place)
        for part in _LINE.findall(raw):
            try:
                yield part.decode("utf-8")
            except UnicodeDecodeError:
                yield part.decode(encoding, "replace")


def _endless(place: str) -> FileRefused:
    return FileRefused(f"{place} has a line of {_MOST_LINE_BYTES:,} bytes or more; is this a table?")


def first_lines(source: Source, encoding: str, by_line: bool) -> str:
    """Return the first lines, ending where no quotation mark is open."""
    taken: list[str] = []
    size = marks = whole = 0
    with source.open() as stream:
        for line in lines_of(stream, encoding, by_line, source.place):
            taken.append(line)
            size += len(line)
            marks += line.count('"')
            if marks % 2 == 0:
                whole = len(taken)
            if size > _SAMPLE_BYTES:
                break
        else:
            whole = len(taken)
    return "".join(taken[: whole or len(taken)])


def delimiter_of(sample: str) -> str:
    """Return the sign that cuts most lines into equally many cells, of equals the one that makes more of them."""

    def regularity(sign: str) -> tuple[float, int]:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=sign)
        try:
            widths = Counter(len(row) for row in rows if any(row))
        except csv.Error:
            return 0.0, 0
        usual = ((count if width > 1 else 0, width) for width, count in widths.items())
        count, width = max(usual, default=(0, 1))
        return count / max(widths.total(), 1), width

    return max(_DELIMITERS, key=regularity)


def marks_tell(sample: str, delimiter: str) -> bool:
    """Whether some cells stand between quotation marks and some do not."""
    marked = [flag for line in sample.splitlines()[:500] for flag in marked_cells(line, delimiter)]
    return any(marked) and not all(marked)


def marked_cells(record: str, delimiter: str) -> list[bool]:
    """Return for each cell of a record whether it begins with a quotation mark."""
    flags = []
    inside = False
    begins = True
    for sign in record.rstrip("\r\n"):
        if begins:
            flags.append(sign == '"')
            begins = False
        if sign == '"':
            inside = not inside
        elif sign == delimiter and not inside:
            begins = True
    return [*flags, False] if begins else flags
