"""Take in what was read from a file: one act, rehearsable, repeatable without doubling anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.import_molecules import Molecules
from pipeline.commands.import_programmes import Programmes
from pipeline.commands.import_studies import Studies
from pipeline.exchange.reading import Reading
from pipeline.store.journal import Act, Rehearsed
from pipeline.store.tables import import_problems, imports, review_items, source_files
from pipeline.words import ReviewStatus

PROBLEMS_KEPT = 50_000
"""Problems recorded with an import; the quarantine file names all of them."""


@dataclass(frozen=True, slots=True)
class ImportFiles:
    """Files, as they were sent, and what a reader found in them. `dry_run`: report and write nothing."""

    format: str
    name: str
    sha256: str
    dry_run: bool = False
    files: tuple[tuple[str, bytes], ...] = field(default=(), metadata={"fingerprint": False})
    reading: Reading = field(default_factory=lambda: Reading(""), metadata={"fingerprint": False})

    @classmethod
    def of(cls, reading: Reading, files: list[tuple[str, bytes]], *, name: str, dry_run: bool = False) -> ImportFiles:
        """Return the command for files that were read."""
        digest = sha256()
        for file_name, content in files:
            digest.update(f"{file_name}\0{len(content)}\0".encode())
            digest.update(content)
        return cls(reading.format, name, digest.hexdigest(), dry_run, tuple(files), reading)


@handles(ImportFiles, Permission.IMPORT)
def import_files(act: Act, command: ImportFiles) -> Mapping[str, Any]:
    """Write what is new, and account for every row: accepted + quarantined + held + duplicates = rows."""
    reading = command.reading
    file_ids = {} if command.dry_run else _keep(act, command.files)
    molecules = Molecules(act, command.name, file_ids, reading.warnings)
    for fact in reading.programmes:
        molecules.want(fact.molecule)
    studies = Studies(act, molecules, file_ids)
    studies.write(reading.studies)
    programmes = Programmes(act, molecules, reading, file_ids)
    programmes.write(reading.programmes)
    accepted = reading.accepted - studies.unchanged_rows
    report: dict[str, Any] = {
        "format": command.format,
        "name": command.name,
        "rows": reading.rows,
        "accepted": accepted,
        "quarantined": len({problem.place for problem in reading.quarantined}),
        "held": len({held.place for held in reading.held}),
        "duplicates": len({duplicate.place for duplicate in reading.duplicates}) + studies.unchanged_rows,
        "warnings": reading.warnings,
    }
    result = {
        "report": report | {"dry_run": command.dry_run},
        "studies": studies.written,
        "programmes": programmes.written,
        "molecules": len(molecules.new),
        "flags": len(reading.flags),
    }
    if command.dry_run:
        raise Rehearsed(result)
    id = act.add(
        imports,
        {
            **{name: report[name] for name in ("format", "name", "rows", "accepted", "quarantined", "held")},
            "duplicates": report["duplicates"],
            "sha256": command.sha256,
            "warnings": orjson.dumps(reading.warnings).decode(),
        },
    )
    _keep_problems(act, id, reading)
    return result | {"import": id}


def _keep(act: Act, files: tuple[tuple[str, bytes], ...]) -> dict[str, int]:
    """Keep the files as they came; one that is kept already is not kept twice."""
    ids: dict[str, int] = {}
    for name, content in files:
        digest = sha256(content).hexdigest()
        known = act.connection.execute(
            source_files.select().with_only_columns(source_files.c.id).where(source_files.c.sha256 == digest)
        ).scalar()
        ids[name] = known or act.add(
            source_files, {"sha256": digest, "name": name, "size": len(content), "content": content}
        )
    return ids


def _keep_problems(act: Act, import_id: int, reading: Reading) -> None:
    problems = [
        (import_id, kind, p.place.file, p.place.row, p.column, p.value, p.reason)
        for kind, found in (("QUARANTINED", reading.quarantined), ("FLAGGED", reading.flags))
        for p in found
    ]
    columns = ("import_id", "kind", "file", "row", "column_name", "value", "reason")
    act.add_all(import_problems, columns, problems[:PROBLEMS_KEPT])
    act.add_all(
        review_items,
        ("import_id", "file", "row", "column_name", "reported", "proposed", "explanation", "proposal", "status"),
        [(import_id, *held.place, *held[1:5], _json(held.act), ReviewStatus.OPEN.value) for held in reading.held],
    )


def _json(proposal: Mapping[str, object] | None) -> str | None:
    return None if proposal is None else orjson.dumps(proposal, option=orjson.OPT_SORT_KEYS).decode()
