"""A study written out as data sets of SDTM, and the account that goes with it.

What is imported again into an empty centre gives the same records, whatever the format. Every record is read once and
kept beside in rows, so that memory does not grow with the study; the writers read those as often as they need.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import orjson

from pipeline import __version__
from pipeline.access import Actor, Permission
from pipeline.commands import permission_for, permit
from pipeline.commands.exports import ExportStudy
from pipeline.commands.import_record_kinds import DOMAIN_NODES
from pipeline.dates import instant
from pipeline.errors import InputError
from pipeline.exchange.dataset_csv_write import write_csv
from pipeline.exchange.dataset_json_write import JsonForm, write_dataset_json
from pipeline.exchange.dataset_table import DataSet
from pipeline.exchange.dataset_xlsx_write import write_workbook
from pipeline.exchange.define_xml_write import Defined, Standard, write_define
from pipeline.exchange.export import LETTERS_OF_A_CELL
from pipeline.exchange.export_layouts import LAYOUTS, SUBJECTS, Cell, Layout, domain_of_record
from pipeline.exchange.export_numbers import numbered
from pipeline.exchange.export_records import (
    Limits,
    Rows,
    columns_of,
    qualifier_of_source,
    supplement_row,
)
from pipeline.exchange.export_seal import SEAL, seal_of
from pipeline.exchange.export_study import (
    MOLECULE,
    POOLS,
    RELATIONS,
    SETS,
    SUMMARY,
    group_rows,
    record_set,
    relation_row,
    summary_rows,
    supplement_set,
    text_set,
)
from pipeline.exchange.xpt_write import LONGEST_TEXT, write_xpt
from pipeline.reports.exported_exposures import recomputed_parameters
from pipeline.reports.exported_records import Held, StudyOnRecord, Who, open_study
from pipeline.reports.exports import head_of
from pipeline.store import study_tables

if TYPE_CHECKING:
    from pipeline.centre import Centre
    from pipeline.store.reader import Reader

FORMATS = ("xpt", "dataset-json", "ndjson", "csv", "xlsx")
DOMAINS = ("DM", "TX", "POOLDEF", *LAYOUTS, "SUPP", "RELREC")
"""What can be asked for. The trial summary always goes along: the seal stands in it."""
DEFINE = "define.xml"
_LIMITS = {
    "xpt": Limits(LONGEST_TEXT, lambda text: len(text.encode()), ibm_numbers=True),
    "xlsx": Limits(LETTERS_OF_A_CELL // 2, workbook=True),
}
_STANDARD = Standard("SDTMIG", "3.4")
_SPOOLED = 2_000
_NOBODY: Sequence[str | None] = (None,)


@dataclass(frozen=True, slots=True)
class StudyExport:
    """What is wanted: a study, in a format; domains None: all there are. recomputed: parameters of ours as well."""

    study: str
    format: str
    domains: tuple[str, ...] | None = None
    recomputed: bool = False
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StudyAccount:
    """What was written: rows by data set, files with their digests, what was left out, and the act that has it."""

    rows: dict[str, int]
    files: dict[str, str]
    left_out: dict[str, int]
    pseudonyms: bool
    act: int
    about: dict[str, object] = field(default_factory=dict)


def export_study(centre: Centre, wanted: StudyExport, folder: Path, *, actor: Actor, now: datetime) -> StudyAccount:
    """Write the data sets of a study to a folder, and record the export as an act.

    Hand the files on only once this has returned: what is not recorded does not leave.

    Raises:
        InputError: no such format or domain, or a text that the format cannot hold.
        NotPermitted: the actor may not export.
        NotFound: no study has the code.
    """
    permit(permission_for(ExportStudy), actor)
    _check(wanted)
    pseudonyms = Permission.SEE_PSEUDONYMS in actor.permissions
    known_at = None if wanted.known_at is None else instant(wanted.known_at)
    with centre.read(actor, known_at=wanted.known_at) as reader, tempfile.TemporaryDirectory() as scratch:
        study = open_study(reader.connection, reader.view, wanted.study, pseudonyms=pseudonyms)
        head, hash = head_of(reader.connection)
        sets = _Sets(study, wanted, Path(scratch)).all(reader)
        about: dict[str, object] = {
            "export": f"study {study.code}",
            "format": wanted.format,
            "known_at": known_at,
            "subjects": "under their pseudonyms" if pseudonyms else "numbered: their pseudonyms are not to be seen",
            "left_out": dict(study.left_out) or "nothing",
            "software": f"moltrail {__version__}",
            "head_act": head,
            "head_hash": hash,
        }
        rows = _Files(folder, study, now.replace(tzinfo=None)).write(wanted.format, sets, about)
    files = {path.name: _digest(path) for path in sorted(folder.iterdir())}
    command = ExportStudy(
        study.code,
        wanted.format,
        known_at,
        head,
        rows,
        files,
        pseudonyms,
        dict(study.left_out),
        wanted.recomputed,
    )
    recorded = centre.execute(command, actor=actor)
    about |= {"rows": rows, "files": files, "exported_at": recorded.recorded_at, "exported_by": actor.name}
    about |= {"act": recorded.number, "columns": _columns(sets)}
    return StudyAccount(rows, files, dict(study.left_out), pseudonyms, recorded.number, about)


def _check(wanted: StudyExport) -> None:
    if wanted.format not in FORMATS:
        raise InputError(f"{wanted.format[:40]!r} is no format for studies; choose one of {', '.join(FORMATS)}")
    unknown = [name for name in wanted.domains or () if name not in DOMAINS]
    if unknown:
        raise InputError(f"{unknown[0][:20]!r} is no domain that is exported; choose among {', '.join(DOMAINS)}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _columns(sets: Sequence[_Set]) -> dict[str, list[dict[str, str]]]:
    return {
        one.dataset.name: [{"name": column.name, "label": column.label} for column in one.dataset.columns]
        for one in sets
    }


# ------------------------------------------------------------------------------------------------- data sets


@dataclass(frozen=True, slots=True)
class _Set:
    """A data set with what a define file says of it."""

    dataset: DataSet
    kind: str
    structure: str


class _Spool:
    """Rows kept in a file until they are written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("wb")
        self._some: list[Sequence[Cell]] = []
        self.count = 0

    def add(self, row: Sequence[Cell]) -> None:
        """Keep a row."""
        self._some.append(row)
        self.count += 1
        if len(self._some) == _SPOOLED:
            self._flush()

    def _flush(self) -> None:
        self._file.write(orjson.dumps(self._some, option=orjson.OPT_APPEND_NEWLINE))
        self._some = []

    def close(self) -> None:
        """End the keeping: rows can be read now."""
        self._flush()
        self._file.close()

    def rows(self) -> Iterator[Sequence[Cell]]:
        """Read the rows from the first on."""
        with self._path.open("rb") as file:
            for line in file:
                yield from orjson.loads(line)


class _Sets:
    """Makes the data sets of a study."""

    def __init__(self, study: StudyOnRecord, wanted: StudyExport, scratch: Path) -> None:
        self.study, self.wanted, self.scratch = study, wanted, scratch
        self.limits = _LIMITS.get(wanted.format, Limits())
        self.pooled = bool(study.pools)
        self.spools: dict[str, _Spool] = {}

    def wants(self, domain: str) -> bool:
        """Whether a domain is asked for."""
        return self.wanted.domains is None or domain in self.wanted.domains

    def all(self, reader: Reader) -> list[_Set]:
        """Read the study and return its data sets; the trial summary, which holds the seal, comes first."""
        study = self.study
        recomputed = recomputed_parameters(reader, study) if self.wanted.recomputed and self.wants("PP") else {}
        if self.wants("DM"):
            self._subjects()
        for node in dict.fromkeys(layout.node for layout in LAYOUTS.values()):
            if any(self.wants(code) for code, layout in LAYOUTS.items() if layout.node == node):
                self._records(node, recomputed if node == "ReportedParameter" else {})
        sets = [found for layout in (SUBJECTS, *LAYOUTS.values()) for found in self._of(layout)]
        sets += self._told()
        return [self._summary(sets), *sets]

    def _spool(self, name: str) -> _Spool:
        if name not in self.spools:
            self.spools[name] = _Spool(self.scratch / name)
        return self.spools[name]

    def _subjects(self) -> None:
        rows = Rows(SUBJECTS, self.limits)
        qualifiers = self.study.qualifiers("Subject", [subject["id"] for subject in self.study.subjects])
        for subject in self.study.subjects:
            held = Held(subject["id"], subject, (), qualifiers.get(subject["id"], ()))
            self._add(rows, (subject["code"], None), held, "")

    def _records(self, node: str, more: dict[Who, list[Held]]) -> None:
        makers: dict[str, Rows] = {}
        for who, held in self.study.records(node):
            self._group(makers, node, who, [*held, *more.pop(who, ())])
        for who, held in more.items():
            self._group(makers, node, who, held)

    def _group(self, makers: dict[str, Rows], node: str, who: Who, held: Sequence[Held]) -> None:
        """Write the records of one subject or pool, each under a number that is its own within its domain."""
        by_domain: dict[str, list[Held]] = {}
        for one in held:
            by_domain.setdefault(domain_of_record(node, one.record), []).append(one)
        for code, records in by_domain.items():
            if self.wants(code):
                rows = makers.setdefault(code, Rows(LAYOUTS[code], self.limits))
                numbers = numbered([one.record["sequence"] for one in records])
                for one, number in zip(records, numbers, strict=True):
                    self._add(rows, who, one, number)

    def _add(self, rows: Rows, who: Who, held: Held, number: str) -> None:
        code = rows.layout.code
        cells, beside = rows.of(held.record, number)
        whose = {"STUDYID": self.study.code, "USUBJID": who[0], "POOLID": who[1]}
        named = whose | cells
        self._spool(code).add([named[name] for name, *_ in columns_of(rows.layout, pooled=self.pooled)])
        if not self.wants("SUPP"):
            return
        theirs = [one for said in held.qualifiers for one in qualifier_of_source(*said, self.limits)]
        for one in (*beside, *held.beside, *theirs):
            self._spool(f"SUPP{code}").add(supplement_row(self.study.code, code, who, number, one))

    def _of(self, layout: Layout) -> Iterator[_Set]:
        study = self.study.code
        if layout.code in self.spools:
            spool = self.spools[layout.code]
            spool.close()
            dataset = record_set(layout, spool.rows, study=study, pooled=self.pooled)
            yield _Set(dataset, layout.kind, layout.structure)
        if f"SUPP{layout.code}" in self.spools:
            spool = self.spools[f"SUPP{layout.code}"]
            spool.close()
            yield _Set(supplement_set(layout, spool.rows, study=study), "RELATIONSHIP", "One record per qualifier")

    def _told(self) -> Iterator[_Set]:
        """Yield what is told in rows of texts: groups, pools, relations."""
        study = self.study
        sets = [
            row
            for group in (study.rows(study_tables.study_groups) if self.wants("TX") else ())
            for row in group_rows(study.code, study.record(group), self.limits)
        ]
        pools: list[list[Cell]] = [
            [study.code, pool, member]
            for pool, members in (study.members.items() if self.wants("POOLDEF") else ())
            for member in (members or _NOBODY)
        ]
        relations: list[list[Cell]] = [
            relation_row(study.code, _related(row["node"], said.get("variable")), row["relation"], said)
            for row, said in (study.links() if self.wants("RELREC") else ())
        ]
        for name, label, columns, rows, kind, structure in (
            ("TX", "Trial Sets", SETS, sets, "TRIAL DESIGN", "One record per trial set parameter"),
            ("POOLDEF", "Pool Definition", POOLS, pools, "SPECIAL PURPOSE", "One record per subject per pool"),
            ("RELREC", "Related Records", RELATIONS, relations, "RELATIONSHIP", "One record per related record"),
        ):
            if rows:
                kept: list[Sequence[Cell]] = list(rows)
                dataset = text_set(name, label, columns, lambda kept=kept: iter(kept), study=study.code)  # type: ignore[misc]
                yield _Set(dataset, kind, structure)

    def _summary(self, sets: Sequence[_Set]) -> _Set:
        study = self.study
        told = [*study.parameters(), *((MOLECULE, name) for name in study.molecules.values())]
        told.append((SEAL, seal_of([one.dataset for one in sets])))
        rows = summary_rows(study.code, told, self.limits)
        dataset = text_set("TS", "Trial Summary", SUMMARY, lambda: iter(rows), study=study.code)
        return _Set(dataset, "TRIAL DESIGN", "One record per trial summary parameter value")


def _related(node: str, variable: str | None) -> str:
    """Return the domain of a related record: that of the variable it is named by, where it is of that kind."""
    told = (variable or "")[:2].upper()
    if DOMAIN_NODES.get(told) == node:
        return told
    return next((domain for domain, kind in DOMAIN_NODES.items() if kind == node), node)


# ------------------------------------------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class _Files:
    """Writes data sets to the files of a folder. created: the moment the files bear, UTC."""

    folder: Path
    study: StudyOnRecord
    created: datetime

    def write(self, format: str, sets: Sequence[_Set], about: Mapping[str, object]) -> dict[str, int]:
        """Write data sets in a format; return how many rows each has."""
        if format == "xlsx":
            told = {name: value for name, value in about.items() if value is not None}
            with (self.folder / f"{_file_name(self.study.code)}.xlsx").open("wb") as out:
                write_workbook(out, [one.dataset for one in sets], about=told)
            return {one.dataset.name: sum(len(chunk) for chunk in one.dataset.chunks()) for one in sets}
        ending = {"xpt": "xpt", "dataset-json": "json", "ndjson": "ndjson", "csv": "csv"}[format]
        rows: dict[str, int] = {}
        for one in sets:
            with (self.folder / f"{one.dataset.name.lower()}.{ending}").open("wb") as out:
                rows[one.dataset.name] = self._write_one(out, format, one.dataset)
        if format != "csv":
            self._define(sets, ending)
        return rows

    def _write_one(self, out: BinaryIO, format: str, dataset: DataSet) -> int:
        if format == "xpt":
            return write_xpt(out, [dataset], created=self.created)
        if format == "csv":
            return write_csv(out, dataset)
        form = JsonForm.JSON if format == "dataset-json" else JsonForm.NDJSON
        return write_dataset_json(out, dataset, created=self.created, form=form, define=DEFINE)

    def _define(self, sets: Sequence[_Set], ending: str) -> None:
        defined = [
            Defined(one.dataset, one.structure, one.kind, f"{one.dataset.name.lower()}.{ending}") for one in sets
        ]
        with (self.folder / DEFINE).open("wb") as out:
            write_define(
                out,
                defined,
                created=self.created,
                study=self.study.code,
                description=str(self.study.row["title"] or self.study.code),
                standard=_STANDARD,
            )


def _file_name(code: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in code)[:60] or "study"
