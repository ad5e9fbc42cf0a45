"""Take in what was read from a file: one act, rehearsable, repeatable without doubling anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.exposure_targets import ExposureTargets
from pipeline.commands.import_molecules import Molecules, chunks
from pipeline.commands.import_programmes import Programmes
from pipeline.commands.import_record_proposals import RECORD
from pipeline.commands.import_sources import Sources, keep
from pipeline.commands.import_studies import Studies
from pipeline.commands.import_study_heads import StudyHeads
from pipeline.commands.import_study_records import StudyWriter
from pipeline.commands.programmes import latest_day
from pipeline.exchange.reading import Duplicate, Held, Quarantined, Reading
from pipeline.stages.rules import infer_path
from pipeline.store.journal import Act, Rehearsed
from pipeline.store.tables import import_problems, imports, review_items
from pipeline.words import ReviewStatus

PROBLEMS_KEPT = 50_000
"""Problems recorded with an import; the quarantine file names all of them."""


@dataclass(frozen=True, slots=True)
class ImportFiles:
    """Files, as they were sent, and what a reader found in them. `dry_run`: report and write nothing.

    study, molecule: what the records of a study belong to, where the files do not say it.
    The reading is completed in place with what the records say of its rows: after the act it tells each row's fate.
    """

    format: str
    name: str
    sha256: str
    dry_run: bool = False
    files: tuple[tuple[str, bytes], ...] = field(default=(), metadata={"fingerprint": False})
    reading: Reading = field(default_factory=lambda: Reading(""), metadata={"fingerprint": False})
    study: str | None = None
    molecule: str | None = None

    @classmethod
    def of(
        cls,
        reading: Reading,
        files: list[tuple[str, bytes]],
        *,
        name: str,
        dry_run: bool = False,
        study: str | None = None,
        molecule: str | None = None,
    ) -> ImportFiles:
        """Return the command for files that were read."""
        digest = sha256()
        for file_name, content in files:
            digest.update(f"{file_name}\0{len(content)}\0".encode("utf-8", "replace"))
            digest.update(content)
        return cls(reading.format, name, digest.hexdigest(), dry_run, tuple(files), reading, study, molecule)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many records are new or changed, and how many rows of studies said nothing new. records: by node."""

    molecules: int
    programmes: int
    studies: int
    unchanged_rows: int
    records: Mapping[str, int] = field(default_factory=dict)


def take_in(
    act: Act,
    reading: Reading,
    *,
    source: str,
    sources: Sources,
    study: str | None = None,
    molecule: str | None = None,
) -> Taken:
    """Write what is new of a reading's facts, and complete the reading with what became of its rows."""
    molecules = Molecules(act, source, sources, reading.warnings)
    _, graph = act.graphs.in_force(act.connection)
    today = latest_day(act.recorded_at)
    for fact in reading.programmes:
        path = infer_path(graph, sorted(fact.entries, key=lambda e: e.occurred_on.earliest), today=today)
        molecules.want(fact.molecule, unfit=None if path.steps or not path.problems else path.problems[0].sentence)
    studies = Studies(act, molecules)
    studies.write(reading.studies)
    programmes = Programmes(act, molecules, reading)
    programmes.write(reading.programmes)
    heads = StudyHeads(act, molecules, study, molecule)
    records = StudyWriter(act, molecules, heads, reading, sources)
    records.write()
    targets = ExposureTargets(act, reading)
    targets.write()
    limits = {"ExposureLimit": targets.written} if targets.written else {}
    return Taken(
        len(molecules.new | molecules.completed),
        programmes.written,
        studies.written + heads.written,
        studies.unchanged_rows + records.unchanged_rows,
        records.written | limits,
    )


@handles(ImportFiles, Permission.IMPORT)
def import_files(act: Act, command: ImportFiles) -> Mapping[str, Any]:
    """Write what is new, and account for every row: accepted + quarantined + held + duplicates = rows."""
    reading = command.reading
    sources = Sources({}) if command.dry_run else keep(act, command.files, reading.files)
    taken = take_in(act, reading, source=command.name, sources=sources, study=command.study, molecule=command.molecule)
    listed = _settle_held(act, reading)
    report: dict[str, Any] = {
        "format": command.format,
        "name": command.name,
        "rows": reading.rows,
        "accepted": reading.accepted - taken.unchanged_rows,
        "quarantined": _places(reading.quarantined),
        "held": _places(reading.held),
        "duplicates": _places(reading.duplicates) + taken.unchanged_rows,
        "warnings": reading.warnings,
    }
    result = {
        "report": report | {"dry_run": command.dry_run},
        "studies": taken.studies,
        "programmes": taken.programmes,
        "molecules": taken.molecules,
        "flags": len(reading.flags),
        "records": dict(taken.records),
    }
    if command.dry_run:
        raise Rehearsed(result)
    counts = {name: report[name] for name in ("format", "name", "rows", "accepted", "quarantined", "held")}
    warnings = orjson.dumps(reading.warnings).decode()
    id = act.add(
        imports,
        counts | {"duplicates": report["duplicates"], "sha256": command.sha256, "warnings": warnings},
    )
    _keep_problems(act, id, reading)
    _list(act, id, [item for item in reading.held if _sign(item) not in listed])
    return result | {"import": id}


def _places(items: Iterable[Quarantined | Held | Duplicate]) -> int:
    return len({item.place for item in items})


_Sign = tuple[str, int, str | None, str | None, str, str | None]


def _sign(item: Held) -> _Sign:
    """Return what makes two held rows one question to a person: place, doubt, and what accepting would do.

    A record of a study is one question whatever file and row states it, and however the doubt is worded.
    """
    if item.act is not None and item.act.get("kind") == RECORD:
        return _record_sign(item.act)
    return (*item.place, item.column, item.value, item.explanation, _json(item.act))


def _record_sign(proposal: Mapping[str, object]) -> _Sign:
    return ("", 0, None, None, str(proposal.get("content")), str(proposal.get("field")))


def _settle_held(act: Act, reading: Reading) -> set[_Sign]:
    """Return the questions that are on the review list; a row whose questions were decided before says nothing new."""
    listed: dict[_Sign, str] = {}
    others = [item for item in reading.held if item.act is None or item.act.get("kind") != RECORD]
    for files in chunks(sorted({item.place.file for item in others})):
        for row in act.current(review_items, review_items.c.file.in_(files)):
            sign = (row["file"], row["row"], row["column_name"], row["reported"], row["explanation"], row["proposal"])
            listed[sign] = row["status"]
    studies = {item.act["study"] for item in reading.held if item.act is not None and item.act.get("kind") == RECORD}
    for some in chunks(sorted(studies, key=str)):
        for row in act.current(review_items, review_items.c.study_id.in_(some), review_items.c.proposal.is_not(None)):
            listed[_record_sign(orjson.loads(row["proposal"]))] = row["status"]
    if listed:
        opened = {item.place for item in reading.held if listed.get(_sign(item), "OPEN") == ReviewStatus.OPEN}
        decided = {item.place for item in reading.held} - opened
        reading.held[:] = [item for item in reading.held if item.place not in decided]
        reading.duplicates += [Duplicate(place, None) for place in sorted(decided)]
    return set(listed)


def _keep_problems(act: Act, import_id: int, reading: Reading) -> None:
    problems = [
        (import_id, kind, p.place.file, p.place.row, p.column, p.value, p.reason)
        for kind, found in (("QUARANTINED", reading.quarantined), ("FLAGGED", reading.flags))
        for p in found
    ]
    columns = ("import_id", "kind", "file", "row", "column_name", "value", "reason")
    act.add_all(import_problems, columns, problems[:PROBLEMS_KEPT])


def _list(act: Act, import_id: int, held: Iterable[Held]) -> None:
    """Put what a person has to decide on the review list, each question once."""
    asked = {_sign(item): item for item in held}
    columns = ("import_id", "study_id", "file", "row", "column_name", "reported", "proposed", "explanation", "proposal")
    rows = [
        (
            *(import_id, None if item.act is None else item.act.get("study"), *item.place, *item[1:5]),
            *(_json(item.act), ReviewStatus.OPEN.value),
        )
        for item in asked.values()
    ]
    act.add_all(review_items, (*columns, "status"), rows)


def _json(proposal: Mapping[str, object] | None) -> str | None:
    return None if proposal is None else orjson.dumps(proposal, option=orjson.OPT_SORT_KEYS).decode()
