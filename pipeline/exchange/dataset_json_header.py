"""What a Dataset-JSON file says before and around its rows: the data set and its columns, versions 1.0 and 1.1.

Source: CDISC, Dataset-JSON 1.1 (2024-12-05) and 1.0 (2023-08-23).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_table import ColumnType, DataColumn, tidy, visible

MOST_HEADER_BYTES = 20_000_000
MOST_COLUMNS = 10_000
RECORD_NUMBER = "ITEMGROUPDATASEQ"
"""The column that version 1.0 begins every row with; it numbers the records and is no data."""

_TYPES = {
    **dict.fromkeys(("integer", "decimal", "float", "double"), ColumnType.NUMBER),
    **dict.fromkeys(("string", "datetime", "date", "time", "URI", "boolean"), ColumnType.TEXT),
}
_DETAILS = {
    "datasetJSONCreationDateTime": "created",
    "creationDateTime": "created",
    "dbLastModifiedDateTime": "modified",
    "asOfDateTime": "modified",
    "fileOID": "file id",
    "itemGroupOID": "data set id",
    "originator": "originator",
    "metaDataVersionOID": "metadata version",
    "metaDataRef": "metadata",
}


@dataclass(frozen=True, slots=True)
class Header:
    """One data set as its file describes it."""

    version: str
    name: str
    label: str
    study: str
    records: int
    columns: tuple[DataColumn, ...]
    skipped: frozenset[int]
    """Places in a row that hold no data (the record number of version 1.0)."""
    details: Mapping[str, str]

    @property
    def width(self) -> int:
        """Cells of a row."""
        return len(self.columns) + len(self.skipped)


def parsed(text: bytes, place: str) -> dict[str, Any]:
    """Return a JSON object; refuse names that stand twice in one object, NaN, and anything but an object."""
    try:
        value = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as wrong:
        raise FileRefused(f"{place} is not UTF-8, as JSON has to be (byte {wrong.start}); save it again.") from wrong
    except json.JSONDecodeError as wrong:
        raise FileRefused(f"{place} is no JSON: {wrong.msg} at line {wrong.lineno}, column {wrong.colno}.") from wrong
    except RecursionError:
        raise FileRefused(f"{place} is nested too deeply for a data set.") from None
    except ValueError as wrong:
        raise FileRefused(f"{place}: {wrong}.") from wrong
    if not isinstance(value, dict):
        raise FileRefused(f"{place} does not begin with an object, as Dataset-JSON does.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{visible(twice)!r} stands twice in one object, so it is not clear which one counts")
    return found


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def version_of(top: Mapping[str, Any], place: str) -> str:
    """Return "1.0" or "1.1"; refuse what is no Dataset-JSON, or of another version."""
    stated = top.get("datasetJSONVersion")
    if not isinstance(stated, str):
        raise FileRefused(f"{place} does not say datasetJSONVersion, so it is no Dataset-JSON.")
    version = ".".join(stated.split(".")[:2])
    if version not in ("1.0", "1.1"):
        raise FileRefused(f"{place} is Dataset-JSON {visible(stated)[:20]}; versions 1.0 and 1.1 are read.")
    return version


def header_1_1(top: Mapping[str, Any], place: str) -> Header:
    """Return the header of a version 1.1 file."""
    return _header(top, top, place, "1.1", columns="columns", kind="dataType")


def headers_1_0(top: Mapping[str, Any], place: str) -> dict[tuple[str, str], Header]:
    """Return the headers of a version 1.0 file by (clinicalData or referenceData, identifier of the data set)."""
    found = {}
    for part in ("clinicalData", "referenceData"):
        about = top.get(part)
        if about is None:
            continue
        groups = about.get("itemGroupData") if isinstance(about, dict) else None
        if not isinstance(groups, dict):
            raise FileRefused(f"{place}: {part} has no itemGroupData.")
        for id, group in groups.items():
            if not isinstance(group, dict):
                raise FileRefused(f"{place}: {part} has a data set {visible(id)[:40]!r} that is no object.")
            told = {**top, **about, "itemGroupOID": id}
            found[part, id] = _header(group, told, place, "1.0", columns="items", kind="type")
    if not found:
        raise FileRefused(f"{place} holds neither clinicalData nor referenceData.")
    return found


def _header(
    described: Mapping[str, Any],
    about: Mapping[str, Any],
    place: str,
    version: str,
    *,
    columns: str,
    kind: str,
) -> Header:
    name = _text(described, "name", place)
    records = described.get("records")
    if not isinstance(records, int) or isinstance(records, bool) or records < 0:
        raise FileRefused(f"{place}: records is not the number of its rows, so nobody can tell whether all are there.")
    listed = described.get(columns)
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_COLUMNS:
        raise FileRefused(f"{place}: {columns} is not a list of 1 to {MOST_COLUMNS:,} columns.")
    read = [_column(entry, number, place, kind) for number, entry in enumerate(listed, 1)]
    skipped = frozenset(
        at for at, column in enumerate(read) if version == "1.0" and column.name.upper() == RECORD_NUMBER
    )
    kept = tuple(column for at, column in enumerate(read) if at not in skipped)
    names = [column.name.upper() for column in kept]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise FileRefused(f"{place} has the column {twice} twice; rename one of them.")
    if not kept:
        raise FileRefused(f"{place}: {columns} has no columns of data.")
    details = {ours: about[theirs] for theirs, ours in _DETAILS.items() if isinstance(about.get(theirs), str)}
    system = about.get("sourceSystem")
    if isinstance(system, dict):
        details["source system"] = " ".join(str(system[key]) for key in ("name", "version") if key in system)
    return Header(
        version,
        name,
        _text_or_nothing(described.get("label")),
        _text_or_nothing(about.get("studyOID")),
        records,
        kept,
        skipped,
        details,
    )


def _column(entry: object, number: int, place: str, kind: str) -> DataColumn:
    where = f"{place}, column {number}"
    if not isinstance(entry, dict):
        raise FileRefused(f"{where} is not described by an object.")
    name = _text(entry, "name", where)
    data_type = entry.get(kind)
    if not isinstance(data_type, str) or data_type not in _TYPES:
        raise FileRefused(f"{where}, {name}: {kind} {visible(str(data_type))[:40]!r} is none of {', '.join(_TYPES)}.")
    return DataColumn(
        name,
        _text_or_nothing(entry.get("label")),
        _TYPES[data_type],
        _positive(entry.get("length")),
        _text_or_nothing(entry.get("displayFormat")),
        key=_positive(entry.get("keySequence")),
        data_type=data_type,
    )


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _text_or_nothing(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _text(entry: Mapping[str, Any], field: str, where: str) -> str:
    value = entry.get(field)
    try:
        text = tidy(value) if isinstance(value, str) else None
    except ValueError as wrong:
        raise FileRefused(f"{where}: {field} {wrong}.") from wrong
    if text is None:
        raise FileRefused(f"{where} has no {field}.")
    return text
