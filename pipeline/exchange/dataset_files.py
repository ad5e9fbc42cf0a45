"""Files of any kind that hold data sets, opened: transport, Dataset-JSON, define files, CSV and workbooks together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_csv import named_columns, read_csv, variable_names
from pipeline.exchange.dataset_json import is_dataset_json, read_dataset_json
from pipeline.exchange.dataset_sheets import chunk_of
from pipeline.exchange.dataset_table import DataColumn, DataSet, Source
from pipeline.exchange.define_xml import Define, is_define, read_define
from pipeline.exchange.reading import SentFile
from pipeline.exchange.tables import MAX_BYTES, Table, read_tables
from pipeline.exchange.xpt import is_xpt, read_xpt

_START_BYTES = 8_192
_WORKBOOK = b"PK\x03\x04"
_NOT_DATA = (
    ".pdf",
    ".xsl",
    ".xslt",
    ".html",
    ".htm",
    ".css",
    ".md",
    ".doc",
    ".docx",
    ".png",
    ".jpg",
    ".svg",
    ".sas",
    ".r",
)
"""Ends of the names of what lies beside the data in the folder of a study."""


@dataclass(slots=True)
class Opened:
    """The data sets of some files."""

    datasets: list[DataSet] = field(default_factory=list)
    defines: list[Define] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def sources_of(files: Sequence[SentFile]) -> list[Source]:
    """Return files that were sent, to be opened as often as needed."""
    return [Source.of(file.name, file.content) for file in files]


def open_datasets(sources: Sequence[Source]) -> Opened:
    """Open every data set in some files, told by their content.

    What lies beside data in a study's folder (pages, pictures, programs) is left out with a warning. Labels and keys
    that a define file states are added to data sets that do not state their own.

    Raises:
        FileRefused: a file is none of those kinds, is damaged, or is cut off; or there is no data set at all.
    """
    opened = Opened()
    for source in sources:
        if len(sources) > 1 and source.place.lower().endswith(_NOT_DATA):
            opened.warnings.append(f"{source.place} was left out, as it is no data.")
            continue
        _open(source, opened)
    if not opened.datasets:
        raise FileRefused(f"there is no data set in {_listed(sources)}; send XPT, Dataset-JSON, CSV or xlsx files.")
    opened.datasets = [_labelled(dataset, opened.defines) for dataset in opened.datasets]
    opened.warnings += [warning for dataset in opened.datasets for warning in dataset.warnings]
    opened.warnings = list(dict.fromkeys(opened.warnings))
    return opened


def _listed(sources: Sequence[Source]) -> str:
    names = [source.place for source in sources]
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "nothing"


def _open(source: Source, opened: Opened) -> None:
    with source.open() as stream:
        start = stream.read(_START_BYTES)
    if is_xpt(start):
        opened.datasets += read_xpt(source)
    elif is_dataset_json(start):
        opened.datasets += read_dataset_json(source)
    elif is_define(start):
        with source.open() as stream:
            opened.defines.append(read_define(stream.read(), source.place))
    elif start.startswith(_WORKBOOK):
        opened.datasets += workbook_sets(source)
    else:
        opened.datasets.append(read_csv(source))


def _labelled(dataset: DataSet, defines: Sequence[Define]) -> DataSet:
    described = next((d for define in defines for d in define.datasets if d.name.upper() == dataset.name.upper()), None)
    if described is None:
        return dataset
    known = {column.name.upper(): column for column in described.columns}
    columns = tuple(_told(column, known.get(column.name.upper())) for column in dataset.columns)
    return replace(dataset, label=dataset.label or described.label, columns=columns)


def _told(column: DataColumn, described: DataColumn | None) -> DataColumn:
    if described is None:
        return column
    return replace(column, label=column.label or described.label, key=column.key or described.key)


# ------------------------------------------------------------------------------------------------- workbooks


def workbook_sets(source: Source) -> list[DataSet]:
    """Return a data set for every sheet of a workbook, called like the sheet; like the file where there is one only."""
    with source.open() as stream:
        data = stream.read(MAX_BYTES + 1)
    tables = read_tables(data, source.place, variable_names)
    stem = PurePosixPath(source.place).stem
    return [_sheet(table, stem if len(tables) == 1 else _sheet_name(table.file)) for table in tables]


def _sheet_name(file: str) -> str:
    """Return what stands in the brackets of "study.xlsx[PC]"."""
    return file[file.rindex("[") + 1 : -1]


def _sheet(table: Table, name: str) -> DataSet:
    columns, warnings = named_columns(table.headings, table.file)
    chunk = chunk_of(table, columns)
    return DataSet(
        name.upper(),
        "",
        columns,
        table.file,
        "xlsx",
        lambda: iter((chunk,)),
        records=table.count,
        warnings=(*table.warnings, *warnings),
    )
