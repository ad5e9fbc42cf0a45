"""What is sent, unpacked: every file once, under a name of its own; archives are opened within limits."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence

from pipeline.errors import FileRefused
from pipeline.exchange.reading import SentFile
from pipeline.exchange.tables import shown

MOST_BYTES = 200 * 1024 * 1024
MOST_FILES = 1_000
MOST_RATIO = 100

_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_WORKBOOK = "[Content_Types].xml"
_HIDDEN = re.compile(r"(?:^|[/\\])(?:__MACOSX[/\\]|\.(?!\.?[/\\]))")
"""A name that begins with a dot; "./" and "../" only lead to a folder."""
_NOT_DATA = re.compile(r"(?:licen[cs]e|copying|notice|readme|lisez-?moi|changelog)(?:[._-].*)?", re.IGNORECASE)


def unpack(files: Sequence[tuple[str, bytes]]) -> tuple[list[SentFile], list[str]]:
    """Return the files that can hold data, archives replaced by what is in them, and a warning for those left out.

    Workbooks are archives as well and stay whole. Licences and reading matter are left out of sets, hidden files of
    archives. Two files of one name from several folders get names of their own.

    Raises:
        FileRefused: an archive is damaged, locked, too large, or holds another archive.
    """
    found: list[SentFile] = []
    names: set[str] = set()
    for name, content in files:
        if not content.startswith((_ZIP, _EMPTY_ZIP)):
            found.append(_named(name, content, None, names))
            continue
        found += [_named(*member, shown(name), names) for member in _members(shown(name), content)] or [
            _named(name, content, None, names)
        ]
    if len(found) == 1:
        return found, []
    kept = [file for file in found if not _NOT_DATA.fullmatch(file.given)]
    left = sorted(file.name for file in found if file not in kept)
    if not kept or not left:
        return found, []
    return kept, [f"left out, as they are not data: {', '.join(left[:20])}{' ...' if len(left) > 20 else ''}."]


def _named(path: str, content: bytes, archive: str | None, names: set[str]) -> SentFile:
    given = name = shown(path)
    number = 2
    while name in names:
        name = f"{given} ({number})"
        number += 1
    names.add(name)
    return SentFile(name, content, given, archive)


def _members(name: str, content: bytes) -> list[tuple[str, bytes]]:
    """Return (path, content) of the files in an archive; none for a workbook."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FileRefused(f"{name} is a damaged zip archive ({error}); pack it again") from error
    if any(entry.filename == _WORKBOOK for entry in entries):
        return []
    _check(name, len(content), entries)
    members = []
    total = 0
    for entry in entries:
        if _HIDDEN.search(entry.filename):
            continue
        inner = shown(entry.filename)
        try:
            with archive.open(entry) as stream:
                data = stream.read(MOST_BYTES - total + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, zlib.error) as error:
            raise FileRefused(f"{inner} in {name} cannot be unpacked ({error}); pack it again") from error
        total += len(data)
        if total > MOST_BYTES:
            raise FileRefused(f"{name} unpacks to more than {MOST_BYTES:,} bytes; pack less into it")
        if data.startswith(_ZIP) and not _is_workbook(data):
            raise FileRefused(f"{name} holds another archive, {inner}; unpack it first")
        members.append((entry.filename, data))
    if not members:
        raise FileRefused(f"{name} is an archive with nothing in it to import")
    return members


def _is_workbook(content: bytes) -> bool:
    try:
        return _WORKBOOK in zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def _check(name: str, packed: int, entries: Sequence[zipfile.ZipInfo]) -> None:
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_FILES:
        raise FileRefused(f"{name} holds {len(entries):,} files; at most {MOST_FILES:,} are taken at once")
    if total > MOST_BYTES:
        raise FileRefused(f"{name} would unpack to {total:,} bytes; at most {MOST_BYTES:,} are taken at once")
    if total > MOST_RATIO * max(packed, 1):
        raise FileRefused(f"{name} would unpack to more than {MOST_RATIO} times its size; unpack it and send the files")
