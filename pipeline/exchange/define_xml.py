"""What a define file (Define-XML 1.0, 2.0 or 2.1) says of a study's data sets: labels, types, keys, terms.

Read with expat as a stream; a document type declaration is refused, so nothing is ever expanded or fetched.
Source: CDISC, Define-XML 2.1 (2019) and the versions before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_table import ColumnType, DataColumn, visible

MOST_BYTES = 50_000_000
MOST_DEPTH = 50
_NUMBERS = frozenset(("integer", "float"))
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Term:
    """One value a column may hold, and what it stands for."""

    value: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class DefinedDataSet:
    """A data set as a define file describes it."""

    name: str
    label: str
    file: str
    """Where its data are, as the define file says; "" where it does not."""
    columns: tuple[DataColumn, ...]
    terms: Mapping[str, tuple[Term, ...]]
    """Column name -> the values its code list allows."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the key columns, in their order."""
        ordered = sorted((column.key, column.name) for column in self.columns if column.key is not None)
        return tuple(name for _, name in ordered)


@dataclass(frozen=True, slots=True)
class Define:
    """A define file."""

    study: str
    version: str
    standard: str
    """Name and version of the standard the data follow (SDTMIG 3.4), as far as it is told."""
    datasets: tuple[DefinedDataSet, ...]


def is_define(start: bytes) -> bool:
    """Whether a file with these first bytes (some thousand) is a define file."""
    plain = start.replace(b"\0", b"")
    return b"<ODM" in plain and b"cdisc.org/ns/def/" in plain


def read_define(data: bytes, place: str) -> Define:
    """Return what a define file describes.

    Raises:
        FileRefused: it is no XML, has a document type declaration, is no define file, or refers to what it has not.
    """
    if len(data) > MOST_BYTES:
        raise FileRefused(f"{place} has {len(data):,} bytes, more than the {MOST_BYTES:,} a define file may have.")
    reader = _Reader(place)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        for at in range(0, len(data), _BLOCK):
            parser.Parse(data[at : at + _BLOCK])
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as wrong:
        raise FileRefused(f"{place} is no well-formed XML ({wrong}); send it again.") from wrong
    return reader.define()


@dataclass(slots=True)
class _Group:
    attributes: Mapping[str, str]
    label: str = ""
    file: str = ""
    items: list[Mapping[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Item:
    attributes: Mapping[str, str]
    label: str = ""
    code_list: str = ""


class _Reader:
    """Gathers what matters from the events of the document."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._path: list[str] = []
        self._words: list[str] = []
        self._version: Mapping[str, str] | None = None
        self._study = ""
        self._standard = ""
        self._groups: list[_Group] = []
        self._items: dict[str, _Item] = {}
        self._lists: dict[str, list[Term]] = {}
        self._item = ""
        self._list = ""
        self._coded = ""
        self._decode = ""

    def doctype(self, *_: object) -> None:
        """Refuse the declaration: no define file has one, and what it could declare is an attack."""
        raise FileRefused(f"{self._place} carries a document type declaration, which no define file has.")

    def start(self, name: str, given: dict[str, str]) -> None:
        """Take the opening of an element."""
        name = _local(name)
        attributes = {_local(key): value for key, value in given.items()}
        self._path.append(name)
        if len(self._path) > MOST_DEPTH:
            raise FileRefused(f"{self._place} is nested too deeply for a define file.")
        self._words = []
        around = self._path[-2] if len(self._path) > 1 else ""
        match name:
            case "MetaDataVersion":
                self._version = attributes
            case "Standard" if attributes.get("Type", "IG") == "IG" and not self._standard:
                self._standard = f"{attributes.get('Name', '')} {attributes.get('Version', '')}".strip()
            case "ItemGroupDef":
                self._groups.append(_Group(attributes, attributes.get("Label", "")))
            case "ItemRef" if around == "ItemGroupDef":
                self._groups[-1].items.append(attributes)
            case "leaf" if around == "ItemGroupDef":
                self._groups[-1].file = attributes.get("href", "")
            case "ItemDef":
                self._item = attributes.get("OID", "")
                self._items[self._item] = _Item(attributes, attributes.get("Label", ""))
            case "CodeListRef" if around == "ItemDef":
                self._items[self._item].code_list = attributes.get("CodeListOID", "")
            case "CodeList":
                self._list = attributes.get("OID", "")
                self._lists[self._list] = []
            case "CodeListItem" | "EnumeratedItem":
                self._coded, self._decode = attributes.get("CodedValue", ""), ""

    def text(self, words: str) -> None:
        """Take character data."""
        self._words.append(words)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        name = _local(name)
        said = " ".join("".join(self._words).split())
        if name == "StudyName":
            self._study = said
        elif name == "TranslatedText":
            self._described(self._path[-3:-1], said)
        elif name in ("CodeListItem", "EnumeratedItem") and self._list in self._lists:
            self._lists[self._list].append(Term(self._coded, self._decode))
        self._path.pop()
        self._words = []

    def _described(self, around: list[str], said: str) -> None:
        if around == ["ItemGroupDef", "Description"]:
            self._groups[-1].label = self._groups[-1].label or said
        elif around == ["ItemDef", "Description"]:
            item = self._items[self._item]
            item.label = item.label or said
        elif around == ["CodeListItem", "Decode"]:
            self._decode = self._decode or said

    def define(self) -> Define:
        """Return all of it, put together."""
        if self._version is None:
            raise FileRefused(f"{self._place} has no MetaDataVersion, so it is no define file.")
        standard = f"{self._version.get('StandardName', '')} {self._version.get('StandardVersion', '')}".strip()
        return Define(
            self._study,
            self._version.get("DefineVersion", ""),
            self._standard or standard,
            tuple(self._dataset(group) for group in self._groups),
        )

    def _dataset(self, group: _Group) -> DefinedDataSet:
        name = group.attributes.get("SASDatasetName") or group.attributes.get("Name", "")
        listed = [key.strip() for key in group.attributes.get("DomainKeys", "").split(",") if key.strip()]
        columns = []
        terms = {}
        for reference in group.items:
            item = self._items.get(reference.get("ItemOID", ""))
            if item is None:
                missing = visible(reference.get("ItemOID", ""))[:60]
                raise FileRefused(
                    f"{self._place}: {visible(name)[:40]} has a column {missing!r} that is not described."
                )
            column = _column(item, reference, listed)
            columns.append(column)
            if self._lists.get(item.code_list):
                terms[column.name] = tuple(self._lists[item.code_list])
        return DefinedDataSet(name, group.label, group.file, tuple(columns), terms)


def _column(item: _Item, reference: Mapping[str, str], listed: list[str]) -> DataColumn:
    name = item.attributes.get("Name", "")
    key = _whole(reference.get("KeySequence", ""))
    data_type = item.attributes.get("DataType", "")
    return DataColumn(
        name,
        item.label,
        ColumnType.NUMBER if data_type in _NUMBERS else ColumnType.TEXT,
        _whole(item.attributes.get("Length", "")),
        item.attributes.get("DisplayFormat", ""),
        key=listed.index(name) + 1 if key is None and name in listed else key,
        data_type=data_type,
    )


def _whole(stated: str) -> int | None:
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else None


def _local(name: str) -> str:
    return name.rpartition(":")[2]
