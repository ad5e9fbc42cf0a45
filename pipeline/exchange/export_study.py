"""The data sets of a study that is exported: those of its records, and those that tell of the study as a whole.

Pure: rows come from whoever reads them, as often as a writer asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from pipeline.exchange.dataset_table import ColumnType, DataColumn, DataSet, made
from pipeline.exchange.export_layouts import Cell, Form, Layout
from pipeline.exchange.export_records import SUPPLEMENT, Limits, columns_of, encoded, pieces, plain
from pipeline.exchange.export_seal import SEAL

Rows = Callable[[], Iterator[Sequence[Cell]]]

MOLECULE = "MTMOL"
"""Parameter of the trial summary that names a molecule of the study, as it is called on record."""
MORE = "MTMORE"
"""A parameter that goes on with the text of the row above it."""
GROUP_FIELDS: Mapping[str, str] = {
    "label": "MTLABEL",
    "arm": "MTARM",
    "dose_reported": "MTDOSRP",
    "dose": "MTDOSE",
    "dose_unit": "MTDOSU",
    "control": "MTCNTRL",
    "satellite": "MTSATEL",
    "recovery": "MTRECOV",
}
"""Field of a group -> the parameter of its trial set that carries it."""
GROUP_PARAMETERS = "MTPARAM"
"""Carries the parameters of a group as they are, where rows would not tell them so."""
_PARAMETERS = {
    "TITLE": "Trial Title",
    "TRT": "Investigational Therapy or Treatment",
    "TPHASE": "Trial Phase Classification",
    "REGID": "Registry Identifier",
    "SSTDTC": "Study Start Date",
    "SENDTC": "Study End Date",
    "SPONSOR": "Clinical Study Sponsor",
    "ACTSUB": "Actual Number of Subjects",
    "INDIC": "Trial Disease/Condition Indication",
    "SPECIES": "Species",
    "STRAIN": "Strain/Substrain",
    MOLECULE: "Molecule on Record",
    SEAL: "Digest of the Exported Data Sets",
    MORE: "Continues the Row above",
}


def record_set(layout: Layout, rows: Rows, *, study: str, pooled: bool) -> DataSet:
    """Return the data set of a domain; `rows` have a cell per variable of `columns_of`."""
    columns = [
        DataColumn(
            name,
            label,
            ColumnType.NUMBER if form is Form.NUMBER else ColumnType.TEXT,
            key=key,
            data_type="datetime" if form is Form.MOMENT else "",
        )
        for name, label, form, key in columns_of(layout, pooled=pooled)
    ]
    return made(layout.code, columns, rows, label=layout.label, study=study)


def supplement_set(layout: Layout, rows: Rows, *, study: str) -> DataSet:
    """Return the supplemental data set of a domain."""
    columns = [DataColumn(name, label, key=key) for name, label, key in SUPPLEMENT]
    return made(f"SUPP{layout.code}", columns, rows, label=f"Supplemental Qualifiers for {layout.code}", study=study)


def text_set(name: str, label: str, variables: Sequence[tuple[str, str]], rows: Rows, *, study: str) -> DataSet:
    """Return a data set of texts; the number of a row (--SEQ) is a number."""
    columns = [
        DataColumn(
            variable,
            told,
            ColumnType.NUMBER if variable.endswith("SEQ") else ColumnType.TEXT,
            key=_KEYS[name].index(variable) + 1 if variable in _KEYS[name] else None,
        )
        for variable, told in variables
    ]
    return made(name, columns, rows, label=label, study=study)


_KEYS = {
    "TS": ("STUDYID", "TSPARMCD", "TSSEQ"),
    "TX": ("STUDYID", "SETCD", "TXPARMCD", "TXSEQ"),
    "POOLDEF": ("STUDYID", "POOLID", "USUBJID"),
    "RELREC": ("STUDYID", "RDOMAIN", "USUBJID", "POOLID", "IDVAR", "IDVARVAL", "RELID"),
}
SUMMARY = (
    ("STUDYID", "Study Identifier"),
    ("DOMAIN", "Domain Abbreviation"),
    ("TSSEQ", "Sequence Number"),
    ("TSPARMCD", "Trial Summary Parameter Short Name"),
    ("TSPARM", "Trial Summary Parameter"),
    ("TSVAL", "Parameter Value"),
)
SETS = (
    ("STUDYID", "Study Identifier"),
    ("DOMAIN", "Domain Abbreviation"),
    ("SETCD", "Set Code"),
    ("SET", "Set Description"),
    ("TXSEQ", "Sequence Number"),
    ("TXPARMCD", "Trial Set Parameter Short Name"),
    ("TXPARM", "Trial Set Parameter"),
    ("TXVAL", "Trial Set Parameter Value"),
)
POOLS = (
    ("STUDYID", "Study Identifier"),
    ("POOLID", "Pool Identifier"),
    ("USUBJID", "Unique Subject Identifier"),
)
RELATIONS = (
    ("STUDYID", "Study Identifier"),
    ("RDOMAIN", "Related Domain Abbreviation"),
    ("USUBJID", "Unique Subject Identifier"),
    ("POOLID", "Pool Identifier"),
    ("IDVAR", "Identifying Variable"),
    ("IDVARVAL", "Identifying Variable Value"),
    ("RELTYPE", "Relationship Type"),
    ("RELID", "Relationship Identifier"),
)


def summary_rows(study: str, parameters: Iterable[tuple[str, str]], limits: Limits) -> list[list[Cell]]:
    """Return the rows of the trial summary: (code, value) of each parameter, in pieces where a cell is too short."""
    rows: list[list[Cell]] = []
    for code, value in parameters:
        for at, piece in enumerate(pieces(value, limits, f"TS {code}")):
            name = code if at == 0 else MORE
            rows.append([study, "TS", len(rows) + 1, name, _PARAMETERS.get(name, name), piece])
    return rows


def group_rows(study: str, group: Mapping[str, Any], limits: Limits) -> list[list[Cell]]:
    """Return the rows of a trial set: the parameters its source gave, and the fields of ours."""
    told = [(GROUP_FIELDS[name], encoded(group[name])) for name in GROUP_FIELDS if group[name] is not None]
    said, whole = _parameters(group["parameters"])
    told += said if whole else [*said, (GROUP_PARAMETERS, group["parameters"])]
    rows: list[list[Cell]] = []
    if not told:
        return [[study, "TX", group["code"], group["label"], 1, None, None, None]]
    for code, value in told:
        for at, piece in enumerate(pieces(value, limits, f"TX {code}")):
            name = code if at == 0 else MORE
            label = next((f"Group: {field}" for field, own in GROUP_FIELDS.items() if own == name), name)
            rows.append([study, "TX", group["code"], group["label"], len(rows) + 1, name, label, piece])
    return rows


def _parameters(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Return the parameters of a set as rows tell them, and whether the rows give the same text again."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [], False
    if not isinstance(said, dict):
        return [], False
    listed = [
        (name, value) for name, values in said.items() for value in (values if isinstance(values, list) else [values])
    ]
    taken = {*GROUP_FIELDS.values(), GROUP_PARAMETERS, MORE, ""}
    told = [(name, value) for name, value in listed if isinstance(value, str) and value and name not in taken]
    again: dict[str, list[str]] = {}
    for name, value in told:
        again.setdefault(name, []).append(value)
    back = {name: found[0] if len(found) == 1 else found for name, found in sorted(again.items())}
    return told, all(map(plain, (value for _, value in told))) and orjson.dumps(back).decode() == text


def relation_row(study: str, domain: str, relation: str, said: Mapping[str, str]) -> list[Cell]:
    """Return the row of one end of a relation; `said` is what its source said of it."""
    who = said.get("subject") or said.get("pool") or ""
    identifier = relation.removeprefix(f"{who}/") if who else relation
    names = ("subject", "pool", "variable", "value", "kind")
    return [study, domain, *(said.get(name) for name in names), identifier]
