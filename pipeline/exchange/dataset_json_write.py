"""Data sets out as Dataset-JSON 1.1: one document (json), a row a line (ndjson), or that compressed (dsjc).

Texts that are missing are written "", numbers null, as CDISC's own examples do. Source: CDISC, Dataset-JSON 1.1.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO

import orjson

from pipeline import __version__
from pipeline.errors import InputError
from pipeline.exchange.dataset_table import Chunk, ColumnType, DataColumn, DataSet, sound_chunks, visible

_WHOLE_DOUBLES = 1e15
_TEXT_TYPES = frozenset(("string", "datetime", "date", "time", "URI", "boolean"))
_NUMBER_TYPES = frozenset(("integer", "float", "double", "decimal"))
_BOOLEANS = {"true": True, "false": False, None: None}


class JsonForm(StrEnum):
    """How the rows are laid out."""

    JSON = "json"
    NDJSON = "ndjson"
    DSJC = "dsjc"


def write_dataset_json(
    out: BinaryIO, dataset: DataSet, *, created: datetime, form: JsonForm = JsonForm.JSON, define: str | None = None
) -> int:
    """Write one data set; return the number of rows. It is read twice: once to count, once to write.

    Args:
        out: where to.
        dataset: what.
        created: when the file is made.
        form: one document, a row a line, or that compressed.
        define: name of the define file that describes the data, where there is one.

    Raises:
        InputError: a row could not be read, or a cell is not of its column's type. Nothing was written then.
    """
    measured = _Measured(dataset)
    header = _header(dataset, measured, created, define)
    if form is JsonForm.DSJC:
        packer = zlib.compressobj(9)
        _write_lines(lambda data: out.write(packer.compress(data)), dataset, measured, header)
        out.write(packer.flush())
    elif form is JsonForm.NDJSON:
        _write_lines(out.write, dataset, measured, header)
    else:
        _write_document(out, dataset, measured, header)
    return measured.records


class _Measured:
    """What has to be known of all rows before the first is written."""

    def __init__(self, dataset: DataSet) -> None:
        _check_names(dataset)
        self.records = 0
        self._longest = [1] * len(dataset.columns)
        self._whole = [True] * len(dataset.columns)
        for chunk in sound_chunks(dataset):
            self.records += len(chunk)
            for at, column in enumerate(dataset.columns):
                if column.type is ColumnType.TEXT:
                    self._texts(dataset, column, chunk, at)
                elif self._whole[at]:
                    self._whole[at] = all(value is None or _is_whole(value) for value in chunk.numbers(at))
        self.types = [self._type(column, at) for at, column in enumerate(dataset.columns)]
        self.lengths = [
            max(column.length or 1, self._longest[at]) if self.types[at] == "string" else None
            for at, column in enumerate(dataset.columns)
        ]

    def _texts(self, dataset: DataSet, column: DataColumn, chunk: Chunk, at: int) -> None:
        texts = set(chunk.texts(at))
        self._longest[at] = max(self._longest[at], *(len(text) for text in texts if text is not None), 1)
        if column.data_type == "boolean":
            other = next((text for text in texts if text not in _BOOLEANS), None)
            if other is not None:
                where = f"{dataset.name}.{column.name}"
                raise InputError(f"{where}: {visible(other)[:40]!r} is neither true nor false, which the column holds")

    def _type(self, column: DataColumn, at: int) -> str:
        if column.type is ColumnType.TEXT:
            return column.data_type if column.data_type in _TEXT_TYPES else "string"
        if column.data_type in _NUMBER_TYPES and (column.data_type != "integer" or self._whole[at]):
            return column.data_type
        return "integer" if self._whole[at] else "float"


def _is_whole(value: float) -> bool:
    return -_WHOLE_DOUBLES < value < _WHOLE_DOUBLES and value == int(value)


def _check_names(dataset: DataSet) -> None:
    if not dataset.name or not dataset.columns:
        raise InputError(f"a data set needs a name and columns, which {dataset.name or 'this one'} lacks")
    names = [column.name.upper() for column in dataset.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or not all(names):
        raise InputError(f"{dataset.name}: {f'the column {twice} stands twice' if twice else 'a column has no name'}")


def _header(dataset: DataSet, measured: _Measured, created: datetime, define: str | None) -> dict[str, Any]:
    """Return the attributes in the order the standard recommends."""
    stated = {
        "datasetJSONCreationDateTime": f"{created:%Y-%m-%dT%H:%M:%S}",
        "datasetJSONVersion": "1.1.0",
        "sourceSystem": {"name": "Moltrail", "version": __version__},
        "studyOID": dataset.study or None,
        "metaDataRef": define,
        "itemGroupOID": f"IG.{dataset.name}",
        "records": measured.records,
        "name": dataset.name,
        "label": dataset.label,
    }
    columns = []
    for column, data_type, length in zip(dataset.columns, measured.types, measured.lengths, strict=True):
        about = {
            "itemOID": f"IT.{dataset.name}.{column.name}",
            "name": column.name,
            "label": column.label,
            "dataType": data_type,
            "targetDataType": "decimal" if data_type == "decimal" else None,
            "length": length,
            "displayFormat": column.format or None,
            "keySequence": column.key,
        }
        columns.append({name: value for name, value in about.items() if value is not None})
    return {name: value for name, value in stated.items() if value is not None} | {"columns": columns}


def _write_document(out: BinaryIO, dataset: DataSet, measured: _Measured, header: dict[str, Any]) -> None:
    out.write(orjson.dumps(header).removesuffix(b"}") + b',"rows":[')
    between = b"\n"
    for chunk in dataset.chunks():
        for row in _rows(chunk, measured.types):
            out.write(between + orjson.dumps(row))
            between = b",\n"
    out.write(b"\n]}\n")


def _write_lines(
    write: Callable[[bytes], object], dataset: DataSet, measured: _Measured, header: dict[str, Any]
) -> None:
    write(orjson.dumps(header) + b"\n")
    for chunk in dataset.chunks():
        for row in _rows(chunk, measured.types):
            write(orjson.dumps(row) + b"\n")


def _rows(chunk: Chunk, types: Sequence[str]) -> Sequence[tuple[Any, ...]]:
    columns: list[Sequence[Any]] = []
    for at, data_type in enumerate(types):
        if data_type == "boolean":
            columns.append([_BOOLEANS[text] for text in chunk.texts(at)])
        elif data_type in _TEXT_TYPES or data_type == "decimal":
            empty = None if data_type == "decimal" else ""
            columns.append([empty if text is None else text for text in chunk.texts(at)])
        else:
            columns.append([_number(value) for value in chunk.numbers(at)])
    return list(zip(*columns, strict=True))


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and _is_whole(value) else value
