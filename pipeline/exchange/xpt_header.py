"""What stands before the rows of a SAS transport file: its version, and each member with its columns.

Everything is in records of 80 bytes. Version 5 has names of 8 and labels of 40 letters; version 8 (also called 9)
adds names of 32, longer labels and formats in records of their own, and mostly the number of rows.

Sources: SAS Institute, TS-140 (version 5) and TS-140-2 (version 8), The Record Layout of a Data Set in SAS Transport
(XPORT) Format.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from pipeline.errors import FileRefused

RECORD = 80
FIRST_BYTES = b"HEADER RECORD*******"
MOST_COLUMNS = 10_000
MOST_ROW_BYTES = 4_000_000
_MIDDLE = b"HEADER RECORD!!!!!!!"
_NAMESTR = struct.Struct(">hhhh8s40s8shhh2x8shhi")
_LONG_NAME = slice(88, 120)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_MOST_LABEL_BYTES = 20_000_000
_TEXT_FIELD, _NUMBER_FIELD = 2, 1


class Field(NamedTuple):
    """One column: where it stands in a row, and what is told about it (bytes, as the encoding is not known yet)."""

    name: bytes
    label: bytes
    is_text: bool
    start: int
    width: int
    format: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """One data set of a file: what it is called, its columns, where its rows begin."""

    name: bytes
    label: bytes
    created: bytes
    fields: tuple[Field, ...]
    row_bytes: int
    start: int
    records: int | None
    """Rows as the file states them; None where it does not (version 5 never does)."""


class Tokens(NamedTuple):
    """How a version calls its header records."""

    version: str
    library: bytes
    member: bytes
    descriptor: bytes
    names: bytes
    rows: bytes


VERSIONS = (
    Tokens("xpt5", b"LIBRARY ", b"MEMBER  ", b"DSCRPTR ", b"NAMESTR ", b"OBS     "),
    Tokens("xpt8", b"LIBV8   ", b"MEMBV8  ", b"DSCPTV8 ", b"NAMSTV8 ", b"OBSV8   "),
)


def mark(token: bytes) -> bytes:
    """Return the bytes a header record begins with."""
    return FIRST_BYTES + token + _MIDDLE


def read_version(stream: BinaryIO, place: str) -> Tokens:
    """Read the first three records and return what version the file is of; refuse what is no transport file."""
    start = stream.read(RECORD * 3)
    if not start.startswith(FIRST_BYTES):
        if start.startswith((b"**COMPRESSED**", b"LIB CONTROL")):
            raise FileRefused(f"{place} was made by PROC CPORT, which only SAS reads; export it as transport (XPORT).")
        raise FileRefused(f"{place} is no SAS transport file; it does not begin with its header record.")
    if b"\r\n" in start or b"\n" in start:
        raise FileRefused(
            f"{place} has line ends among its records: it was transferred as text; transfer it again in binary mode."
        )
    version = next((tokens for tokens in VERSIONS if start.startswith(mark(tokens.library))), None)
    if version is None:
        raise FileRefused(f"{place} is a transport file of an unknown version ({start[20:28]!r}); export version 5.")
    if len(start) < RECORD * 3:
        raise _cut(place, len(start))
    return version


def read_member(stream: BinaryIO, tokens: Tokens, place: str) -> Member:
    """Read a member's description from its header record on; the stream then stands at its first row."""
    opening = _header(stream, tokens.member, place)
    namestr_bytes = _count(opening[74:78], "the length of a column's description", place)
    if namestr_bytes not in (136, 140):
        raise FileRefused(f"{place} describes columns in {namestr_bytes} bytes, not 140 or 136; the file is damaged.")
    _header(stream, tokens.descriptor, place)
    first, second = _exactly(stream, RECORD, place), _exactly(stream, RECORD, place)
    name = (first[8:40] if tokens.version == "xpt8" else first[8:16]).rstrip(b" \0")
    if not name or _CONTROL.search(name):
        raise FileRefused(f"{place} has a data set without a name that can be read; the file is damaged.")
    columns = _count(_header(stream, tokens.names, place)[52:58], "the number of columns", place)
    if not 0 < columns <= MOST_COLUMNS:
        raise FileRefused(f"{place} has a member of {columns:,} columns; there are 1 to {MOST_COLUMNS:,}.")
    described = _exactly(stream, _padded(columns * namestr_bytes), place)
    fields = [
        _field(described[at * namestr_bytes : (at + 1) * namestr_bytes], tokens.version, at + 1, place)
        for at in range(columns)
    ]
    following = _exactly(stream, RECORD, place)
    for token, lengths in ((b"LABELV8 ", 2), (b"LABELV9 ", 4)):
        if following.startswith(mark(token)):
            fields = _long_labels(stream, following, fields, lengths, place)
            following = _exactly(stream, RECORD, place)
    if not following.startswith(mark(tokens.rows)):
        raise FileRefused(f"{place} has no header before the rows of {_shown(name)}; the file is damaged.")
    stated = following[48:63].strip()
    records = int(stated) if stated.isdigit() and int(stated) else None
    fields = _placed(fields, place)
    row_bytes = sum(field.width for field in fields)
    if row_bytes > MOST_ROW_BYTES:
        raise FileRefused(f"{place} has rows of {row_bytes:,} bytes, more than the {MOST_ROW_BYTES:,} allowed.")
    created = first[64:80].strip()
    return Member(name, second[32:72].rstrip(b" \0"), created, tuple(fields), row_bytes, stream.tell(), records)


def _header(stream: BinaryIO, token: bytes, place: str) -> bytes:
    record = _exactly(stream, RECORD, place)
    if not record.startswith(mark(token)):
        raise FileRefused(
            f"{place} should have the header record {token.decode().strip()} at byte {stream.tell() - RECORD:,} "
            f"and has not; the file is damaged."
        )
    return record


def _exactly(stream: BinaryIO, count: int, place: str) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise _cut(place, stream.tell())
    return data


def _cut(place: str, at: int) -> FileRefused:
    return FileRefused(f"{place} ends at byte {at:,}, before its rows begin; the file is cut off, transfer it again.")


def _padded(count: int) -> int:
    return -(-count // RECORD) * RECORD


def _count(digits: bytes, what: str, place: str) -> int:
    text = digits.strip()
    if not text.isdigit():
        raise FileRefused(f"{place} does not state {what} in digits; the file is damaged.")
    return int(text)


def _field(described: bytes, version: str, number: int, place: str) -> Field:
    kind, _, width, _, name, label, form, form_width, decimals, _, _, _, _, start = _NAMESTR.unpack(described[:88])
    if kind not in (_TEXT_FIELD, _NUMBER_FIELD):
        raise FileRefused(f"{place}, column {number} is of type {kind}, neither text nor number; the file is damaged.")
    is_text = kind == _TEXT_FIELD
    if not (width >= 1 if is_text else 2 <= width <= 8):
        raise FileRefused(f"{place}, column {number} is {width} bytes wide, which no column is; the file is damaged.")
    if version == "xpt8":
        name = described[_LONG_NAME].rstrip(b" \0") or name
    name = name.rstrip(b" \0")
    if not name or _CONTROL.search(name):
        raise FileRefused(f"{place}, column {number} has no name that can be read; the file is damaged.")
    return Field(name, label.rstrip(b" \0"), is_text, start, width, _format(form, form_width, decimals))


def _format(name: bytes, width: int, decimals: int) -> bytes:
    written = name.rstrip(b" \0")
    if width > 0:
        written += b"%d" % width
    return written + (b".%d" % decimals if decimals > 0 else b"")


def _placed(fields: list[Field], place: str) -> list[Field]:
    """Check that the columns fill a row one after the other, which is how they are read."""
    end = 0
    placed = []
    stated = any(field.start for field in fields)
    for field in fields:
        if stated and field.start != end:
            raise FileRefused(
                f"{place}, column {_shown(field.name)} is said to begin at byte {field.start} of a row, "
                f"and the columns before it end at {end}; the file is damaged."
            )
        placed.append(field._replace(start=end))
        end += field.width
    seen: set[bytes] = set()
    for field in fields:
        if field.name.upper() in seen:
            raise FileRefused(f"{place} has the column {_shown(field.name)} twice; rename one of them.")
        seen.add(field.name.upper())
    return placed


def _long_labels(stream: BinaryIO, header: bytes, fields: list[Field], lengths: int, place: str) -> list[Field]:
    """Read the records of long labels: per column its number, the lengths of the texts that follow, the texts.

    Version 8 has name and label; version 9 has name, label, format and informat.
    """
    stated = header[48:78].strip()
    # One number, or (some writers) six of five digits each.
    count = _count(stated[:5] if len(stated) > 15 else stated, "the number of long labels", place)
    began = stream.tell()
    labelled = list(fields)
    for _ in range(count):
        at, *sizes = struct.unpack(f">{lengths + 1}H", _exactly(stream, 2 * (lengths + 1), place))
        texts = [_exactly(stream, size, place).rstrip(b" \0") for size in sizes]
        if stream.tell() - began > _MOST_LABEL_BYTES:
            raise FileRefused(f"{place} has more than {_MOST_LABEL_BYTES:,} bytes of labels; the file is damaged.")
        # SAS counts columns from 1 here, some writers from 0: the name tells.
        for index in (at - 1, at):
            if 0 <= index < len(fields) and fields[index].name.upper() == texts[0].upper():
                labelled[index] = labelled[index]._replace(label=texts[1])
                if lengths == 4 and texts[2]:
                    labelled[index] = labelled[index]._replace(format=texts[2])
                break
        else:
            raise FileRefused(f"{place} has a long label for {_shown(texts[0])}, which is no column of it.")
    _exactly(stream, (began - stream.tell()) % RECORD, place)
    return labelled


def _shown(name: bytes) -> str:
    return ascii(name.decode("latin-1"))[1:-1][:40]
