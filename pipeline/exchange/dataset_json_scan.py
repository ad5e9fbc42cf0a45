"""Finds the rows in a JSON file of any size without holding it: where they begin, where they end, how many they are.

Everything but the rows is small and is kept, with empty lists in place of the rows. Of the rows only places are kept,
one for every few thousand, so that a second pass can read them piece by piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_json_header import MOST_HEADER_BYTES
from pipeline.exchange.dataset_table import CHUNK_ROWS

MOST_ROW_BYTES = 8_000_000
MOST_DEPTH = 20
MOST_TOKENS = 500_000
"""Names, values and signs beside the rows: ten thousand columns have fewer."""
_BLOCK = 1_000_000
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_TOKEN = re.compile(rb"[^\"\[\]{},:]++|" + _STRING + rb"|[\[\]{},:]", re.DOTALL)
_ROW = re.compile(rb'\s*+\[(?:[^\[\]{}"]++|' + _STRING + rb")*+\]\s*+(?:,|(?=\]))", re.DOTALL)
_END = re.compile(rb"\s*+\]")
_PARTS_1_0 = ("clinicalData", "referenceData")


@dataclass(slots=True)
class Rows:
    """Where some rows are: pieces of (first byte, bytes, rows), each the inside of a list of rows."""

    path: tuple[str, ...]
    """Names of the objects around them, outermost first."""
    pieces: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Rows in all pieces."""
        return sum(rows for _, _, rows in self.pieces)


class Scanner:
    """Walks through a JSON document once."""

    def __init__(self, stream: BinaryIO, place: str) -> None:
        self._stream = stream
        self._place = place
        self._buffer = b""
        self._at = 0
        self._begins = 0
        """Byte of the file the buffer begins at."""
        self._ended = False

    def scan(self) -> tuple[bytes, list[Rows]]:
        """Return the document without its rows, and where these are.

        Raises:
            FileRefused: it is cut off, nested too deeply, too large beside its rows, or a row is no list of values.
        """
        kept: list[bytes] = []
        size = 0
        found: list[Rows] = []
        names: list[str] = []
        name = previous = b""
        while (token := self._token()) is not None:
            kept.append(token)
            size += len(token)
            if size > MOST_HEADER_BYTES or len(kept) > MOST_TOKENS:
                raise FileRefused(f"{self._place} has more beside its rows than a data set can need; is it one?")
            if token == b":":
                name = previous
            elif token in (b"{", b"["):
                if token == b"[" and _are_rows(name, names):
                    found.append(self._rows(tuple(names[1:])))
                    kept.append(b"]")
                    name = b""
                    continue
                names.append(_plain(name))
                name = b""
                if len(names) > MOST_DEPTH:
                    raise FileRefused(f"{self._place} is nested too deeply for a data set.")
            elif token in (b"}", b"]"):
                if names:
                    names.pop()
                name = b""
            elif token == b",":
                name = b""
            elif token.strip():
                previous = token
        return b"".join(kept), found

    def _token(self) -> bytes | None:
        while True:
            found = _TOKEN.match(self._buffer, self._at)
            # A token at the very end of the buffer may go on in the next block.
            if found is not None and (found.end() < len(self._buffer) or self._ended):
                self._at = found.end()
                return found[0]
            if self._ended:
                if self._at < len(self._buffer):
                    raise FileRefused(f"{self._place} breaks off inside a text; it is cut off, send it again.")
                return None
            self._more(MOST_HEADER_BYTES)

    def _more(self, most: int) -> None:
        """Read a block; what was dealt with is given up."""
        self._buffer = self._buffer[self._at :]
        self._begins += self._at
        self._at = 0
        if len(self._buffer) > most:
            raise FileRefused(f"{self._place} has a single value of more than {most:,} bytes at byte {self._begins:,}.")
        block = self._stream.read(_BLOCK)
        self._ended = not block
        self._buffer += block

    def _rows(self, path: tuple[str, ...]) -> Rows:
        """Pass over the rows from behind the opening bracket to behind the closing one."""
        rows = Rows(path)
        begins, count = self._begins + self._at, 0
        while True:
            found = _ROW.match(self._buffer, self._at)
            if found is not None:
                self._at = found.end()
                count += 1
                if count == CHUNK_ROWS:
                    rows.pieces.append((begins, self._begins + self._at - begins, count))
                    begins, count = self._begins + self._at, 0
                continue
            end = _END.match(self._buffer, self._at)
            if end is not None:
                if count:
                    rows.pieces.append((begins, self._begins + self._at - begins, count))
                self._at = end.end()
                return rows
            if self._ended or len(self._buffer) - self._at > MOST_ROW_BYTES:
                number = rows.count + count + 1
                raise FileRefused(
                    f"{self._place}: record {number:,} is no list of plain values, or the file is cut off there."
                )
            self._more(MOST_ROW_BYTES + _BLOCK)


def _are_rows(name: bytes, around: list[str]) -> bool:
    """Whether the list of this name, inside objects of these names, is one of rows: of version 1.1 or 1.0."""
    if name == b'"rows"':
        return len(around) == 1
    return name == b'"itemData"' and len(around) == 4 and around[1] in _PARTS_1_0 and around[2] == "itemGroupData"


def split_rows(piece: bytes) -> list[bytes]:
    """Return the rows of a piece one by one."""
    return [found[0].strip().removesuffix(b",") for found in _ROW.finditer(piece + b"]")]


def _plain(name: bytes) -> str:
    try:
        return str(orjson.loads(name)) if name else ""
    except orjson.JSONDecodeError:
        return ""  # what is wrong with it is said when the document is parsed
