"""Study records of ClinicalTrials.gov, API version 2, as JSON. One row of the reading is one study record.

A file holds one record, a list of them, a page of the API ({"studies": [...]}) or one record per line; rows count from
1 within a file (lines, where there is one record per line). A record is taken whole or not at all: a field of the wrong
type, a day that does not exist or a control character quarantines it with the path of the field. Words of the register
that are not known are flagged and kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from pipeline.errors import FileRefused
from pipeline.exchange.ctgov_fields import Fields, Unreadable
from pipeline.exchange.ctgov_studies import SOURCE, read_study
from pipeline.exchange.reading import Duplicate, Held, Place, Quarantined, Reading
from pipeline.exchange.tables import shown

MAX_BYTES = 50_000_000
MOST_RECORDS = 20_000

_MOST_BAD_LINES = 1_000
_JSON_NAME = re.compile(r"\.(?:json|jsonl|ndjson)$", re.IGNORECASE)


def read_ctgov(files: Sequence[tuple[str, bytes]]) -> Reading:
    """Read study records from (name, content) of one or more files, for example the members of a folder.

    A study met twice with the same content is a duplicate, with other content it is held. In a set, a file that cannot
    be read is one quarantined row, and a file that is no JSON by name and content is named in a warning.

    Raises:
        FileRefused: no file of the set holds a study record.
    """
    reading = Reading(SOURCE)
    refusals: list[FileRefused] = []
    seen: dict[str, tuple[Place, bytes]] = {}
    for name, data in files:
        file = shown(name)
        if len(files) > 1 and not _JSON_NAME.search(name) and data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in b"{[":
            reading.warnings.append(f"{file} is no JSON and was not read.")
            continue
        try:
            records = list(_records(data, file))
        except FileRefused as refusal:
            refusals.append(refusal)
            reading.rows += 1
            reading.quarantined.append(Quarantined(Place(file, 1), None, None, refusal.message))
            continue
        if not records:
            reading.warnings.append(f"{file} holds no study.")
        for number, record in records:
            reading.rows += 1
            _take(record, Place(file, number), reading, seen)
    if not seen and not any(item.column for item in reading.quarantined):
        raise (refusals or [_no_study(files)])[0]
    return reading


def _no_study(files: Sequence[tuple[str, bytes]]) -> FileRefused:
    name = shown(files[0][0]) if files else "nothing"
    return FileRefused(f"{name} holds no study record of ClinicalTrials.gov, API version 2; send protocolSections.")


def _records(data: bytes, file: str) -> Iterator[tuple[int, Any]]:
    """Yield (row, record) of a file; a record may be anything JSON can hold, or the error of a line."""
    if len(data) > MAX_BYTES:
        raise FileRefused(f"{file} has {len(data):,} bytes, more than {MAX_BYTES:,}; split it.")
    text = _decoded(data, file)
    if not text.strip():
        raise FileRefused(f"{file} is empty; send JSON.")
    content = _loaded(text)
    if isinstance(content, orjson.JSONDecodeError):
        yield from _lines(text, content, file)
        return
    if isinstance(content, dict) and "protocolSection" not in content and isinstance(content.get("studies"), list):
        content = content["studies"]
    if not isinstance(content, dict | list):
        raise FileRefused(f"{file} is JSON but holds no study; send objects with a protocolSection.")
    records = content if isinstance(content, list) else [content]
    if len(records) > MOST_RECORDS:
        raise FileRefused(f"{file} holds {len(records):,} records, more than {MOST_RECORDS:,}; split it.")
    yield from enumerate(records, 1)


def _lines(text: str, fault: orjson.JSONDecodeError, file: str) -> list[tuple[int, Any]]:
    """Return (line, record or the error in it) of a file with one record per line; refuse what is no such file."""
    found: list[tuple[int, Any]] = []
    bad = 0
    for number, line in enumerate(io.StringIO(text), 1):
        if line.strip():
            record = _loaded(line)
            bad += isinstance(record, orjson.JSONDecodeError)
            found.append((number, record))
        if bad > _MOST_BAD_LINES:
            break
    if bad > _MOST_BAD_LINES or not any(isinstance(item, dict) and "protocolSection" in item for _, item in found):
        raise FileRefused(f"{file} is not JSON: {fault.msg.lower()} in line {fault.lineno}, column {fault.colno}.")
    return found


def _loaded(text: str) -> Any:
    """Return what JSON text says, or the error in it.

    The fast parser refuses what JSON allows and no study should hold (halves of surrogate pairs, numbers beyond 64
    bits); the standard one is asked then, so that one field does not cost a whole file. NaN is no JSON to either.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return wrong


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _decoded(data: bytes, file: str) -> str:
    """Return JSON text: UTF-8, or UTF-16 with its mark."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise FileRefused(f"{file} is not JSON: byte {wrong.start} is no UTF-8; save it as UTF-8.") from wrong


def _take(record: Any, place: Place, reading: Reading, seen: dict[str, tuple[Place, bytes]]) -> None:
    try:
        if isinstance(record, orjson.JSONDecodeError):
            raise Unreadable("", "", f"the line is not JSON: {record.msg.lower()}, column {record.colno}")
        if not isinstance(record, dict):
            raise Unreadable("", record, "the record is no object")
        if not isinstance(record.get("protocolSection"), dict):
            raise Unreadable("", list(record)[:5], "the record has no protocolSection: no study of API version 2")
        digest = _digest(record)
        study, flags = read_study(Fields(record), place)
    except Unreadable as wrong:
        reading.quarantined.append(Quarantined(place, wrong.path or None, wrong.value, wrong.reason))
        return
    if study.code in seen:
        first, content = seen[study.code]
        if content == digest:
            reading.duplicates.append(Duplicate(place, first))
        else:
            kept = f"keep the record in {first.file}, row {first.row}"
            why = f"{study.code} came before with other content; send the version that is meant"
            reading.held.append(Held(place, "protocolSection.identificationModule.nctId", study.code, kept, why))
        return
    seen[study.code] = (place, digest)
    reading.flags += [Quarantined(place, path, value[:200], reason) for path, value, reason in flags]
    reading.studies.append(study)


def _digest(record: dict[str, Any]) -> bytes:
    """Return what two records of the same content share, whatever the order of their fields."""
    try:
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()
    except RecursionError as wrong:
        raise Unreadable("", "", "the record is nested deeper than any study is") from wrong
