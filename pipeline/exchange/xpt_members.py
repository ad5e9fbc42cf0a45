"""The members of a SAS transport file: where each begins and ends, how many rows it has, and their bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_table import CHUNK_ROWS, visible
from pipeline.exchange.xpt_header import RECORD, Member, Tokens, mark, read_member

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_MEMBERS = 1_000
_BLOCK = 4_000_000
_BLANK = b" \0"


@dataclass(frozen=True, slots=True)
class Extent:
    """A member with its rows counted."""

    member: Member
    rows: int
    warnings: tuple[str, ...] = ()


def find_members(stream: BinaryIO, tokens: Tokens, place: str) -> list[Extent]:
    """Return the members of a file in their order; refuse what is cut off or contradicts itself."""
    size = stream.seek(0, 2)
    extents: list[Extent] = []
    begins = RECORD * 3
    if size == begins:
        raise FileRefused(f"{place} holds no data set.")
    while begins < size:
        if len(extents) == MOST_MEMBERS:
            raise FileRefused(f"{place} holds more than {MOST_MEMBERS:,} data sets; split it.")
        stream.seek(begins)
        member = read_member(stream, tokens, place)
        end = _next_member(stream, tokens, member.start, size)
        extents.append(_counted(stream, member, end, place))
        begins = end
    names = Counter(extent.member.name.upper() for extent in extents)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise FileRefused(
            f"{place} holds the data set {visible(twice.decode('latin-1'))!r} more than once; rename one of them."
        )
    return extents


def _next_member(stream: BinaryIO, tokens: Tokens, start: int, size: int) -> int:
    """Return where the next member begins, or the size of the file."""
    wanted = mark(tokens.member)
    second = mark(tokens.descriptor)
    stream.seek(start)
    at = start
    kept = b""
    while block := stream.read(_BLOCK):
        window = kept + block
        found = window.find(wanted)
        while found >= 0:
            begins = at - len(kept) + found
            if begins % RECORD == 0:
                stream.seek(begins + RECORD)
                if stream.read(len(second)) == second:
                    return begins
                stream.seek(at + len(block))
            found = window.find(wanted, found + 1)
        at += len(block)
        kept = window[-RECORD:]
    return size


def _counted(stream: BinaryIO, member: Member, end: int, place: str) -> Extent:
    """Count the rows between the header and the end of a member; refuse what was cut off."""
    name = visible(member.name.decode("latin-1"))
    length = end - member.start
    rows, rest = divmod(length, member.row_bytes)
    if member.records is not None:
        rows, rest = member.records, length - member.records * member.row_bytes
        if rest < 0 or rest >= RECORD:
            raise FileRefused(
                f"{place} states {rows:,} rows for {name} and holds {length // member.row_bytes:,}; transfer it again."
            )
    stream.seek(end - rest)
    if rest >= RECORD or stream.read(rest).strip(_BLANK):
        raise FileRefused(
            f"{place} ends in the middle of row {rows + 1:,} of {name}; it is cut off, transfer it again."
        )
    if member.records is None and member.row_bytes < RECORD:
        rows -= _padding_rows(stream, member, rows)
    if end % RECORD == 0:
        return Extent(member, rows)
    unfilled = f"{place} does not fill its last record of {RECORD} bytes, as it should; are its last rows there?"
    return Extent(member, rows, (unfilled,))


def _padding_rows(stream: BinaryIO, member: Member, rows: int) -> int:
    """Return how many of the last rows are the blanks that fill the last record: fewer rows would take as many."""
    fewest = max(0, -(-rows * member.row_bytes // RECORD) - 1) * RECORD // member.row_bytes + 1
    stream.seek(member.start + fewest * member.row_bytes)
    tail = stream.read((rows - fewest) * member.row_bytes)
    return (len(tail) - len(tail.rstrip(b" "))) // member.row_bytes


def blocks(stream: BinaryIO, extent: Extent, place: str) -> Iterator[NDArray[np.uint8]]:
    """Read the rows as arrays of the shape (rows, bytes of a row)."""
    import numpy as np

    row_bytes = extent.member.row_bytes
    at_once = max(1, min(CHUNK_ROWS, _BLOCK // row_bytes))
    stream.seek(extent.member.start)
    left = extent.rows
    while left:
        count = min(left, at_once)
        data = stream.read(count * row_bytes)
        if len(data) < count * row_bytes:
            raise FileRefused(f"{place} became shorter while it was read; send it again.")
        yield np.frombuffer(data, np.uint8).reshape(count, row_bytes)
        left -= count
