"""What a compressed Dataset-JSON file (DSJC) holds: a zlib stream by the standard, a gzip stream in practice."""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO

from pipeline.errors import FileRefused

MOST_UNPACKED_BYTES = 4_000_000_000
MOST_RATIO = 200
_FREE_RATIO_BYTES = 20_000_000
"""A small file may unpack to this much whatever the ratio."""
_BLOCK = 1 << 18
_GZIP = b"\x1f\x8b"


def is_compressed(start: bytes) -> bool:
    """Whether a file with these first bytes is a zlib or gzip stream."""
    if start.startswith(_GZIP):
        return True
    return len(start) > 1 and start[0] & 0x8F == 0x08 and int.from_bytes(start[:2], "big") % 31 == 0


class Unpacked(io.RawIOBase):
    """The bytes behind a zlib or gzip stream, within limits, to its very end.

    Reading raises FileRefused where the stream is cut off or damaged, has something behind it, or unpacks to too much.
    """

    def __init__(self, packed: BinaryIO, place: str) -> None:
        super().__init__()
        self._packed = packed
        self._place = place
        self._unpacker = zlib.decompressobj(wbits=47)
        self._taken = self._given = 0

    def readable(self) -> bool:
        """Return True: it is there to be read."""
        return True

    def close(self) -> None:
        """Close the packed file as well."""
        self._packed.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Unpack into a buffer; return how many bytes, 0 at the end."""
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail
            if not packed:
                packed = self._packed.read(_BLOCK)
                self._taken += len(packed)
            try:
                data = self._unpacker.decompress(packed, len(buffer))
            except zlib.error as wrong:
                raise FileRefused(f"{self._place} cannot be unpacked ({wrong}); send it again.") from wrong
            if data:
                self._check(len(data))
                buffer[: len(data)] = data
                return len(data)
            if not packed and not self._unpacker.eof:
                raise FileRefused(f"{self._place} ends inside its compressed rows; it is cut off, send it again.")
        if self._unpacker.unused_data or self._packed.read(1):
            raise FileRefused(f"{self._place} has something behind its compressed rows; it is damaged.")
        return 0

    def _check(self, more: int) -> None:
        self._given += more
        if self._given > MOST_UNPACKED_BYTES:
            raise FileRefused(f"{self._place} unpacks to more than {MOST_UNPACKED_BYTES:,} bytes; split it.")
        if self._given > max(_FREE_RATIO_BYTES, MOST_RATIO * self._taken):
            raise FileRefused(f"{self._place} unpacks to more than {MOST_RATIO} times its size; unpack and split it.")
