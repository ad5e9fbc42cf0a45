"""The formats that can be brought in: one reader each, archives unpacked within limits, `auto` told by content."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import FileRefused, InputError
from pipeline.exchange.reading import Reading

if TYPE_CHECKING:
    from pipeline.stages.graph import StageGraph

MOST_BYTES = 200 * 1024 * 1024
MOST_FILES = 1_000
MOST_RATIO = 100

Files = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: what it is, and what reads it."""

    name: str
    title: str
    read: Callable[[Files, StageGraph], Reading]


def _stages(graph: StageGraph) -> dict[str, str]:
    return {stage.code: stage.name for stage in graph.stages}


def _only(files: Files, what: str) -> tuple[str, bytes]:
    if len(files) != 1:
        raise FileRefused(f"{what} is one file, {len(files)} were given; import them one by one")
    return files[0]


def _portfolio(files: Files, graph: StageGraph) -> Reading:
    from pipeline.exchange.portfolio import read_portfolio

    name, data = _only(files, "a portfolio")
    return read_portfolio(data, name, _stages(graph))


def _snapshots(files: Files, graph: StageGraph) -> Reading:
    from pipeline.exchange.snapshots import read_snapshots

    return read_snapshots(files, _stages(graph))


def _phase1(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.phase1_dlt import read_phase1

    return read_phase1(dict(files))


def _ctgov(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.ctgov import read_ctgov

    return read_ctgov(files)


def _trial_stops(files: Files, _graph: StageGraph) -> Reading:
    from pipeline.exchange.trial_stops import read_trial_stops

    name, data = _only(files, "a list of stopped trials")
    return read_trial_stops(data, name)


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
    )
}


def read_files(format: str, files: Files, graph: StageGraph) -> Reading:
    """Read files in a named format, or in the one their content shows.

    Raises:
        InputError: no such format, or none can be told.
        FileRefused: the files cannot be read in it.
    """
    unpacked = unpack(files)
    if format == "auto":
        format = told(unpacked)
    if format not in FORMATS:
        raise InputError(
            f"{format[:40]!r} is not a format; the formats are {', '.join(FORMATS)}, or auto", path=("input", "format")
        )
    return FORMATS[format].read(unpacked, graph)


def unpack(files: Files) -> list[tuple[str, bytes]]:
    """Return the files with zip archives replaced by what is in them; workbooks (zip as well) stay whole."""
    found: list[tuple[str, bytes]] = []
    for name, data in files:
        if not data.startswith(b"PK\x03\x04"):
            found.append((name, data))
            continue
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise FileRefused(f"{name[:60]!r} is a damaged zip archive ({error}); pack it again") from error
        if any(entry.filename == "[Content_Types].xml" for entry in entries):
            found.append((name, data))
            continue
        _check_archive(name, len(data), entries)
        for entry in entries:
            if re.search(r"(^|/)(__MACOSX/|\.)", entry.filename):
                continue
            try:
                content = archive.read(entry)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
                raise FileRefused(
                    f"{entry.filename[:60]!r} in {name[:60]!r} cannot be unpacked ({error}); pack it again"
                ) from error
            if content.startswith(b"PK\x03\x04") and entry.filename.lower().endswith(".zip"):
                raise FileRefused(f"{name[:60]!r} holds another archive, {entry.filename[:60]!r}; unpack it first")
            found.append((entry.filename.rsplit("/", 1)[-1], content))
    return found


def _check_archive(name: str, packed: int, entries: Sequence[zipfile.ZipInfo]) -> None:
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_FILES:
        raise FileRefused(f"{name[:60]!r} holds {len(entries)} files; at most {MOST_FILES} are taken")
    if total > MOST_BYTES:
        raise FileRefused(f"{name[:60]!r} would unpack to {total:,} bytes; at most {MOST_BYTES:,} are taken")
    if total > MOST_RATIO * max(packed, 1):
        raise FileRefused(f"{name[:60]!r} would unpack to more than {MOST_RATIO} times its size; it is not taken")


def told(files: Files) -> str:
    """Return the format that files show by their names and first lines; refuse when none is clear."""
    names = {name.rsplit("/", 1)[-1].lower() for name, _ in files}
    if sum(any(known in name for name in names) for known in ("dose_level", "observed_dlt", "dlt_definition")) >= 2:
        return "phase1-dlt"
    heads = [data[:4000].lstrip(b"\xef\xbb\xbf \t\r\n") for _, data in files]
    if heads and all(head[:1] in (b"{", b"[") for head in heads):
        return "ctgov"
    first = heads[0].splitlines()[0].lower() if heads and heads[0].splitlines() else b""
    if b"stop_date" in first and b"nct" in first:
        return "trial-stops"
    if heads and (len(files) > 1 or b"clinical_phase" in heads[0].lower()):
        return "snapshots"
    if heads:
        return "portfolio"
    raise InputError("no file was given", path=("file",))
