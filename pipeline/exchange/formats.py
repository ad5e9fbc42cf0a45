"""The formats that can be brought in: one reader each, and `auto`, which tells them by their content."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import FileRefused, InputError
from pipeline.exchange.archives import unpack
from pipeline.exchange.reading import Reading, SentFile

if TYPE_CHECKING:
    from pipeline.exchange.column_mapping import Mapping
    from pipeline.exchange.dataset_table import DataSet
    from pipeline.stages.graph import StageGraph

Files = Sequence[SentFile]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: what it is, and what reads it."""

    name: str
    title: str
    read: Callable[[Files, StageGraph], Reading]


def _stages(graph: StageGraph) -> dict[str, str]:
    return {stage.code: stage.name for stage in graph.stages}


def _named(files: Files) -> list[tuple[str, bytes]]:
    return [(file.name, file.content) for file in files]


def _only(files: Files, what: str) -> SentFile:
    if len(files) != 1:
        names = ", ".join(file.name for file in files[:5]) + (" ..." if len(files) > 5 else "")
        raise FileRefused(f"{what} is one file, and {len(files)} were sent ({names}); import them one by one")
    return files[0]


def _portfolio(files: Files, graph: StageGraph) -> Reading:
    from pipeline.exchange.portfolio import read_portfolio

    file = _only(files, "a portfolio")
    return read_portfolio(file.content, file.name, _stages(graph))


def _snapshots(files: Files, graph: StageGraph) -> Reading:
    from pipeline.exchange.snapshots import read_snapshots

    return read_snapshots(_named(files), _stages(graph))


def _phase1(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.phase1_dlt import read_phase1

    twice = [name for name, count in Counter(file.given.lower() for file in files).items() if count > 1]
    if twice:
        raise FileRefused(f"these files were sent more than once: {', '.join(twice[:7])}; send one of each")
    return read_phase1(dict(_named(files)))


def _ctgov(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.ctgov import read_ctgov

    return read_ctgov(_named(files))


def _trial_stops(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.trial_stops import read_trial_stops

    file = _only(files, "a list of stopped trials")
    return read_trial_stops(file.content, file.name)


def _trials(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.trial_tables import read_trial_tables

    return read_trial_tables(_named(files))


def _sdtm(files: Files, _graph: StageGraph, study: str | None = None) -> Reading:
    from pipeline.exchange.sdtm import is_sdtm, read_sdtm

    datasets = data_sets(files)
    if not is_sdtm(datasets):
        names = ", ".join(file.name for file in files[:5]) + (" ..." if len(files) > 5 else "")
        raise FileRefused(f"no domain of SDTM or SEND is among {names}; its variables (PCTESTCD, AETERM ...) show it")
    found = read_sdtm(datasets, study=study)
    described = [
        f"{file.name} describes data sets and holds no rows; it is kept." for file in files if _is_markup(file)
    ]
    return Reading("sdtm", warnings=described + found.warnings, records=found.studies, outside=found.outside)


def _tables(
    files: Files,
    _graph: StageGraph,
    study: str | None = None,
    mapping: Mapping | None = None,
    saved: Sequence[Mapping] = (),
    molecule: str | None = None,
) -> Reading:
    from pipeline.exchange.column_mapping_formats import read_known

    return read_known(files, mapping=mapping, saved=saved, study=study, molecule=molecule)


def _targets(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.exposure_target_tables import read_targets

    return read_targets(files)


def data_sets(files: Files) -> list[DataSet]:
    """Open the data sets in files, told by their content: transport, Dataset-JSON, a workbook, or delimited text."""
    from pipeline.exchange.analysis_domains import with_topic
    from pipeline.exchange.dataset_csv import read_csv
    from pipeline.exchange.dataset_json import is_dataset_json, read_dataset_json
    from pipeline.exchange.dataset_table import Source
    from pipeline.exchange.study_workbook import is_study_workbook, study_sheets
    from pipeline.exchange.xpt import is_xpt, read_xpt

    found: list[DataSet] = []
    for file in files:
        start, source = file.content[:_HEAD], Source.of(file.name, file.content)
        if is_xpt(start):
            found += read_xpt(source)
        elif is_dataset_json(start):
            found += read_dataset_json(source)
        elif is_study_workbook(file.content):
            found += study_sheets(source)
        elif not _is_markup(file):
            found.append(read_csv(source))
    return [with_topic(dataset) for dataset in found]


def _is_markup(file: SentFile) -> bool:
    """Whether a file is XML or HTML, as a define.xml is: no delimited text begins so."""
    return file.content[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<!DOCTYPE", b"<html", b"<ODM"))


FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        Format("portfolio", "a portfolio: one row per programme or per stage entry (xlsx, csv)", _portfolio),
        Format(
            "snapshots", "dated snapshots of a portfolio: name and phase (txt, csv, xlsx; several files)", _snapshots
        ),
        Format("phase1-dlt", "published phase I trials: seven CSV files (folder or zip)", _phase1),
        Format("ctgov", "ClinicalTrials.gov API v2 records (json, ndjson; files, folder or zip)", _ctgov),
        Format("trial-stops", "stopped trials with restarts (csv)", _trial_stops),
        Format("trial-table", "trials with phase, drugs, status and reason of the stop (csv, xlsx; files)", _trials),
        Format("sdtm", "studies in SDTM or SEND data sets (xpt, Dataset-JSON, csv; files, folder or zip)", _sdtm),
        Format(
            "tables", "tables of instruments, laboratories and animal studies, by their columns (csv, xlsx)", _tables
        ),
        Format("exposure-targets", "target exposures: drug, parameter, bounds, unit, population, source", _targets),
    )
}


def read_files(
    format: str,
    files: Sequence[tuple[str, bytes]],
    graph: StageGraph,
    *,
    study: str | None = None,
    molecule: str | None = None,
    mapping: Mapping | None = None,
    saved: Sequence[Mapping] = (),
) -> Reading:
    """Read files, given by (name, content) as they were sent, in a named format or in the one their content shows.

    study: code of the study of records that name none. molecule: what was given, where a table does not say it.
    mapping: how the columns of a table are to be read; saved: the mappings on record, of which one may fit.

    Raises:
        InputError: no such format, or no file.
        FileRefused: the files cannot be read in it.
    """
    if format != "auto" and format not in FORMATS:
        raise InputError(
            f"{format[:40]!r} is not a format; the formats are {', '.join(FORMATS)}, or auto", path=("input", "format")
        )
    if mapping is not None and format not in ("auto", "tables"):
        raise InputError(f"a mapping reads tables, not {format}; leave the format out", path=("input", "mapping"))
    unpacked, left_out = unpack(files)
    if not unpacked:
        raise InputError("no file was given", path=("file",))
    chosen = "tables" if mapping is not None else told(unpacked, saved) if format == "auto" else format
    if chosen == "sdtm":
        reading = _sdtm(unpacked, graph, study)
    elif chosen == "tables":
        reading = _tables(unpacked, graph, study, mapping, saved, molecule)
    else:
        reading = _read(chosen, unpacked, graph, guessed=format == "auto")
    reading.files = unpacked
    reading.warnings[:0] = left_out
    return reading


def _read(format: str, files: Files, graph: StageGraph, *, guessed: bool) -> Reading:
    try:
        return FORMATS[format].read(files, graph)
    except FileRefused:
        # A table of names and phases without dates of its own may still be one dated snapshot.
        if not guessed or format != "portfolio":
            raise
        try:
            return FORMATS["snapshots"].read(files, graph)
        except FileRefused:
            pass
        _refuse_as_table(files)
        raise


def _refuse_as_table(files: Files) -> None:
    """Refuse files that are no portfolio and look like a table of records, with what they seem to be."""
    from pipeline.exchange.column_mapping_formats import refusal_of
    from pipeline.exchange.column_mapping_tables import open_tables
    from pipeline.exchange.column_mapping_wide import proposed

    try:
        datasets = open_tables(files)
    except FileRefused:
        return
    proposals = [proposal for proposal in map(proposed, datasets) if proposal.kind is not None]
    if proposals:
        raise FileRefused(refusal_of(proposals))


def told(files: Files, saved: Sequence[Mapping] = ()) -> str:
    """Return the format that files show by their names and first lines."""
    names = {file.given.lower() for file in files}
    if sum(any(known in name for name in names) for known in ("dose_level", "observed_dlt", "dlt_definition")) >= 2:
        return "phase1-dlt"
    if any(_is_study_data(file.content) for file in files):
        return "sdtm"
    heads = [_head(file.content) for file in files]
    if any(head[:1] in ("{", "[") for head in heads):
        return "ctgov"
    if _are_trials(files):
        return "trial-table"
    if _are_stops(files):
        return "trial-stops"
    if _are_targets(files):
        return "exposure-targets"
    if _are_tables(files, saved):
        return "tables"
    if len(files) > 1 or "clinical_phase" in heads[0].lower():
        return "snapshots"
    return "portfolio"


def _are_targets(files: Files) -> bool:
    from pipeline.exchange.exposure_target_tables import are_targets

    # Such a list is short: what is longer is not looked at.
    return all(len(file.content) < 2_000_000 for file in files) and are_targets(files)


def _are_trials(files: Files) -> bool:
    from pipeline.exchange.trial_headings import are_trials

    return are_trials(files)


def _are_stops(files: Files) -> bool:
    from pipeline.exchange.trial_headings import are_stops

    return are_stops(files)


def _are_tables(files: Files, saved: Sequence[Mapping]) -> bool:
    from pipeline.exchange.column_mapping_formats import is_known

    return is_known(files, saved)


_HEAD = 8_192
_TOPICS = re.compile(
    r"\b(?:PCTESTCD|PPTESTCD|AETERM|EXTRT|LBTESTCD|DSDECOD|TSPARMCD|TXPARMCD|TRTESTCD|TUTESTCD|RSTESTCD|MITESTCD"
    r"|BWTESTCD|EGTESTCD|MATESTCD|CLTESTCD|QNAM|RELID|POOLID|ARMCD)\b",
    re.IGNORECASE,
)


def _is_study_data(content: bytes) -> bool:
    """Whether a file is a data set of SDTM or SEND, or in a format that hardly holds anything else."""
    from pipeline.exchange.dataset_json import is_dataset_json
    from pipeline.exchange.study_workbook import is_study_workbook
    from pipeline.exchange.xpt import is_xpt

    start = content[:_HEAD]
    if is_xpt(start) or is_dataset_json(start) or is_study_workbook(content):
        return True
    first = next(iter(_head(content).splitlines()), "")
    if re.search(r"\bDOMAIN\b.*\bSTUDYID\b|\bSTUDYID\b.*\bDOMAIN\b", first, re.IGNORECASE):
        return True
    return _TOPICS.search(first) is not None and re.search(r"\bSTUDYID\b|\bUSUBJID\b", first, re.IGNORECASE) is not None


def _head(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return content[:4000].decode(encoding, "replace").lstrip("\ufeff \t\r\n")
