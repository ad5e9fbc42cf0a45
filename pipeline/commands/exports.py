"""Hand data out. Nothing of the records changes, but the audit trail says who took what, of which moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.store.journal import Act


@dataclass(frozen=True, slots=True)
class ExportData:
    """Rows that were written out. `sha256` is the digest of the very bytes, so that a copy can be told for one.

    head: the last act that was committed when the rows were read.
    """

    what: str
    format: str
    molecule: str | None
    as_of: str | None
    known_at: str | None
    head: int
    rows: int
    sha256: str


@handles(ExportData, Permission.EXPORT)
def export_data(_act: Act, command: ExportData) -> Mapping[str, Any]:
    """Record the export with the act."""
    return asdict(command)


@dataclass(frozen=True, slots=True)
class ExportStudy:
    """The records of a study that were written out.

    rows: by data set. files: name -> digest of the very bytes. pseudonyms: whether subjects stand under their codes.
    left_out: what of the study was not written, and how much.
    """

    study: str
    format: str
    known_at: str | None
    head: int
    rows: Mapping[str, int]
    files: Mapping[str, str]
    pseudonyms: bool
    left_out: Mapping[str, int]
    recomputed: bool = False


@handles(ExportStudy, Permission.EXPORT)
def export_study(_act: Act, command: ExportStudy) -> Mapping[str, Any]:
    """Record the export with the act."""
    return asdict(command)
