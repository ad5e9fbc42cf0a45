"""A define file (Define-XML 2.1) for data sets that are sent out: what they hold, column by column.

Lengths, significant digits and how complete dates are is read off the data. Source: CDISC, Define-XML 2.1 (2019).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from pipeline import __version__
from pipeline.errors import InputError
from pipeline.exchange.dataset_table import ColumnType, DataColumn, DataSet, sound_chunks
from pipeline.exchange.define_xml import Term

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_BEGINNING = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?")
_TIME = re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_DATES = frozenset(("date", "datetime"))
_LAST_DIGITS = re.compile(r"(?:\.(\d+))?(?:e([+-]\d+))?$")


@dataclass(frozen=True, slots=True)
class Defined:
    """One data set and what a define file has to say of it beyond its columns."""

    dataset: DataSet
    structure: str
    """What one record is: "One record per sample per analyte per subject"."""
    kind: str
    """Class of the data set: FINDINGS, INTERVENTIONS, EVENTS, SPECIAL PURPOSE ..."""
    file: str
    """Name of the file that holds its data."""
    terms: Mapping[str, Sequence[Term]] = field(default_factory=dict)
    """Column name -> the values its code list allows."""
    mandatory: frozenset[str] = frozenset()
    """Names of the columns that are never empty; key columns need not be named."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Column name -> where its values come from: Collected, Derived, Assigned, Protocol."""


@dataclass(frozen=True, slots=True)
class Standard:
    """The standard the data follow, such as SDTMIG 3.4."""

    name: str
    version: str


def write_define(
    out: BinaryIO,
    defined: Sequence[Defined],
    *,
    created: datetime,
    study: str,
    description: str,
    standard: Standard,
) -> None:
    """Write a define file. Each data set is read once, to see what is in it.

    Raises:
        InputError: there is none, two have one name, or a row could not be read.
    """
    names = [item.dataset.name for item in defined]
    twice = next((name for name in names if names.count(name) > 1), None)
    if not defined or twice is not None:
        raise InputError(f"the data set {twice} stands twice" if twice else "there is no data set to describe")
    measured = [_measured(item.dataset) for item in defined]
    for line in _document(defined, measured, created, study, description, standard):
        out.write(line.encode() + b"\n")


# ------------------------------------------------------------------------------------------------- what is in the data


def _measured(dataset: DataSet) -> list[dict[str, str]]:
    """Return for each column the attributes that state its type."""
    seen: list[_Seen] = [_Seen() for _ in dataset.columns]
    for chunk in sound_chunks(dataset):
        for at, column in enumerate(dataset.columns):
            for text in set(chunk.texts(at)):
                if text is not None:
                    seen[at].take(text, column)
    return [found.attributes(column) for found, column in zip(seen, dataset.columns, strict=True)]


@dataclass(slots=True)
class _Seen:
    """What a column was seen to hold."""

    longest: int = 1
    decimals: int = 0
    kinds: set[str] = field(default_factory=set)

    def take(self, text: str, column: DataColumn) -> None:
        """Look at one text."""
        self.longest = max(self.longest, len(text))
        if column.type is ColumnType.NUMBER:
            found = _LAST_DIGITS.search(text)
            digits, power = found.groups() if found else (None, None)
            self.decimals = max(self.decimals, len(digits or "") - int(power or 0))
        elif column.data_type in _DATES:
            self.kinds.add(_date_kind(text))
        elif column.data_type == "time":
            self.kinds.add("time" if _TIME.fullmatch(text) else "partialTime")

    def attributes(self, column: DataColumn) -> dict[str, str]:
        """Return type, length and significant digits as a define file states them."""
        if column.type is ColumnType.NUMBER:
            length = str(min(self.longest, 999))
            if self.decimals <= 0:
                return {"DataType": "integer", "Length": length}
            return {"DataType": "float", "Length": length, "SignificantDigits": str(self.decimals)}
        if column.data_type in _DATES or column.data_type == "time":
            return {"DataType": _coarsest(self.kinds) or column.data_type}
        return {"DataType": "text", "Length": str(max(self.longest, column.length or 1))}


def _date_kind(text: str) -> str:
    if _DAY.fullmatch(text):
        return "date"
    if _MOMENT.fullmatch(text):
        return "datetime"
    return "partialDatetime" if _BEGINNING.fullmatch(text) else "incompleteDatetime"


def _coarsest(kinds: set[str]) -> str | None:
    """Return the one type that covers all of them: days beside moments are beginnings of moments."""
    if len(kinds) < 2:
        return next(iter(kinds), None)
    for kind in ("incompleteDatetime", "partialTime"):
        if kind in kinds:
            return kind
    return "partialDatetime"


# ------------------------------------------------------------------------------------------------- the document


def _document(
    defined: Sequence[Defined],
    measured: Sequence[Sequence[dict[str, str]]],
    created: datetime,
    study: str,
    description: str,
    standard: Standard,
) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    moment = f"{created:%Y-%m-%dT%H:%M:%S}"
    yield _open(
        "ODM",
        {
            "xmlns": "http://www.cdisc.org/ns/odm/v1.3",
            "xmlns:def": "http://www.cdisc.org/ns/def/v2.1",
            "xmlns:xlink": "http://www.w3.org/1999/xlink",
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "FileOID": f"{study}.define.{moment}",
            "CreationDateTime": moment,
            "SourceSystem": "Moltrail",
            "SourceSystemVersion": __version__,
            "def:Context": "Other",
        },
    )
    yield _open("Study", {"OID": study})
    yield "<GlobalVariables>"
    for element, said in (("StudyName", study), ("StudyDescription", description), ("ProtocolName", study)):
        yield f"<{element}>{escape(said)}</{element}>"
    yield "</GlobalVariables>"
    yield _open(
        "MetaDataVersion",
        {"OID": f"MDV.{study}", "Name": f"{study}, data definitions", "def:DefineVersion": "2.1.0"},
    )
    about = {"OID": "STD.1", "Name": standard.name, "Type": "IG", "Version": standard.version, "Status": "Final"}
    yield f"<def:Standards>{_open('def:Standard', about, end='/>')}</def:Standards>"
    for item in defined:
        yield from _group(item)
    for item, types in zip(defined, measured, strict=True):
        for column, stated in zip(item.dataset.columns, types, strict=True):
            yield from _item(item, column, stated)
    for item, types in zip(defined, measured, strict=True):
        for column, stated in zip(item.dataset.columns, types, strict=True):
            if item.terms.get(column.name):
                yield from _code_list(item.dataset.name, column, stated["DataType"], item.terms[column.name])
    yield "</MetaDataVersion>"
    yield "</Study>"
    yield "</ODM>"


def _open(name: str, attributes: Mapping[str, str | None], end: str = ">") -> str:
    stated = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    return f"<{name}{stated}{end}"


def _described(label: str) -> str:
    return f"<Description>{_translated(label)}</Description>"


def _translated(words: str) -> str:
    return f'<TranslatedText xml:lang="en">{escape(words)}</TranslatedText>'


def _group(item: Defined) -> Iterator[str]:
    dataset = item.dataset
    reference = item.kind in ("TRIAL DESIGN", "STUDY REFERENCE")
    yield _open(
        "ItemGroupDef",
        {
            "OID": f"IG.{dataset.name}",
            "Name": dataset.name,
            "Repeating": "No" if item.structure.casefold() == "one record per subject" else "Yes",
            "IsReferenceData": "Yes" if reference else "No",
            "SASDatasetName": dataset.name,
            "Domain": dataset.name.removeprefix("SUPP") or dataset.name,
            "Purpose": "Tabulation",
            "def:Structure": item.structure,
            "def:StandardOID": "STD.1",
            "def:ArchiveLocationID": f"LF.{dataset.name}",
        },
    )
    yield _described(dataset.label)
    for order, column in enumerate(dataset.columns, 1):
        mandatory = column.key is not None or column.name in item.mandatory
        yield _open(
            "ItemRef",
            {
                "ItemOID": f"IT.{dataset.name}.{column.name}",
                "OrderNumber": str(order),
                "Mandatory": "Yes" if mandatory else "No",
                "KeySequence": None if column.key is None else str(column.key),
            },
            end="/>",
        )
    yield _open("def:Class", {"Name": item.kind}, end="/>")
    yield _open("def:leaf", {"ID": f"LF.{dataset.name}", "xlink:href": item.file})
    yield f"<def:title>{escape(item.file)}</def:title></def:leaf>"
    yield "</ItemGroupDef>"


def _item(item: Defined, column: DataColumn, stated: Mapping[str, str]) -> Iterator[str]:
    name = item.dataset.name
    about = {"OID": f"IT.{name}.{column.name}", "Name": column.name, **stated, "SASFieldName": column.name}
    yield _open("ItemDef", {**about, "def:DisplayFormat": column.format or None})
    yield _described(column.label)
    if item.terms.get(column.name):
        yield _open("CodeListRef", {"CodeListOID": f"CL.{name}.{column.name}"}, end="/>")
    if column.name in item.origins:
        yield _open("def:Origin", {"Type": item.origins[column.name]}, end="/>")
    yield "</ItemDef>"


def _code_list(name: str, column: DataColumn, data_type: str, terms: Sequence[Term]) -> Iterator[str]:
    kind = data_type if data_type in ("text", "integer", "float") else "text"
    about = {"OID": f"CL.{name}.{column.name}", "Name": f"{column.label or column.name} ({name})", "DataType": kind}
    yield _open("CodeList", about)
    # A list either decodes all of its values or enumerates them.
    decoded = all(term.meaning for term in terms)
    for term in terms:
        if decoded:
            yield _open("CodeListItem", {"CodedValue": term.value})
            yield f"<Decode>{_translated(term.meaning)}</Decode></CodeListItem>"
        else:
            yield _open("EnumeratedItem", {"CodedValue": term.value}, end="/>")
    yield "</CodeList>"
