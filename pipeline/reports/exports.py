"""What can be exported, seen from which moment, into which format; and the account that goes with it.

Columns keep their order; new ones are added at the end. `programmes` and `transitions` can be imported again as a
portfolio, `reasons` and `waiting-reasons` handed back with decisions. Rows are read in batches, so memory does not grow
with the records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from pipeline import __version__
from pipeline.access import Actor
from pipeline.commands import permission_for, permit
from pipeline.commands.exports import ExportData
from pipeline.dates import instant
from pipeline.errors import InputError, NotFound
from pipeline.exchange.export import Column, Row, write_csv, write_jsonl, write_xlsx
from pipeline.reports.exported_history import HISTORY_COLUMNS, STUDY_COLUMNS, history, studies
from pipeline.reports.exported_molecules import MOLECULE_COLUMNS, molecules
from pipeline.reports.exported_programmes import PROGRAMME_COLUMNS, TRANSITION_COLUMNS, programmes, transitions
from pipeline.reports.exported_reasons import REASON_COLUMNS, reasons, waiting_reasons
from pipeline.store import tables
from pipeline.store.chain import GENESIS
from pipeline.store.nodes import visible
from pipeline.store.selection import View

if TYPE_CHECKING:
    from pipeline.centre import Centre

FORMATS = ("csv", "jsonl", "xlsx")


@dataclass(frozen=True, slots=True)
class Dataset:
    """One thing that can be exported. rows(connection, view, molecule id or None for all)."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[[Connection, View, int | None], Iterator[Row]]


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset("molecules", "molecules on record", MOLECULE_COLUMNS, molecules),
        Dataset("programmes", "programmes with their present stage", PROGRAMME_COLUMNS, programmes),
        Dataset("transitions", "every transition of every programme", TRANSITION_COLUMNS, transitions),
        Dataset("history", "everything that happened, oldest first", HISTORY_COLUMNS, history),
        Dataset("studies", "studies", STUDY_COLUMNS, studies),
        Dataset("reasons", "reasons why programmes and studies stopped", REASON_COLUMNS, reasons),
        Dataset("waiting-reasons", "reasons that wait for a verifier", REASON_COLUMNS, waiting_reasons),
    )
}


@dataclass(frozen=True, slots=True)
class Export:
    """What is wanted: a data set, in a format, seen from a moment; `molecule` (a code) narrows it to one molecule."""

    what: str
    format: str
    molecule: str | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What was written: `about` says of what moment and by which software, `act` is where the audit trail has it."""

    rows: int
    sha256: str
    act: int
    about: dict[str, object] = field(default_factory=dict)


def export(centre: Centre, wanted: Export, out: IO[bytes], *, actor: Actor) -> Account:
    """Write a data set to a binary file that can be read back, and record the export as an act.

    Hand the bytes on only once this has returned: what is not recorded does not leave.

    Raises:
        InputError: no such data set or format.
        NotPermitted: the actor may not export.
        NotFound: no molecule has the code.
    """
    permit(permission_for(ExportData), actor)
    if wanted.what not in DATASETS:
        raise InputError(f"{wanted.what[:40]!r} cannot be exported; choose one of {', '.join(DATASETS)}")
    if wanted.format not in FORMATS:
        raise InputError(f"{wanted.format[:40]!r} is no format for exports; choose one of {', '.join(FORMATS)}")
    dataset = DATASETS[wanted.what]
    moments = {
        "as_of": None if wanted.as_of is None else instant(wanted.as_of)[:10],
        "known_at": None if wanted.known_at is None else instant(wanted.known_at),
    }
    with centre.read(actor, as_of=wanted.as_of, known_at=wanted.known_at) as reader:
        connection, view = reader.connection, reader.view
        head, hash = head_of(connection)
        about: dict[str, object] = {
            "export": wanted.what,
            "what it is": dataset.title,
            "molecule": wanted.molecule,
            **moments,
            "software": f"moltrail {__version__}",
            "head_act": head,
            "head_hash": hash,
        }
        molecule = None if wanted.molecule is None else molecule_named(connection, view, wanted.molecule)
        rows = dataset.rows(connection, view, molecule)
        count = _write(out, wanted.format, dataset, rows, about)
    out.seek(0)
    sha256 = hashlib.file_digest(out, "sha256").hexdigest()  # type: ignore[arg-type]
    out.seek(0)
    command = ExportData(
        wanted.what, wanted.format, wanted.molecule, moments["as_of"], moments["known_at"], head, count, sha256
    )
    recorded = centre.execute(command, actor=actor)
    columns = [{"name": column.name, "meaning": column.meaning} for column in dataset.columns]
    about |= {"rows": count, "sha256": sha256, "exported_at": recorded.recorded_at, "exported_by": actor.name}
    return Account(count, sha256, recorded.number, about | {"act": recorded.number, "columns": columns})


def molecule_named(connection: Connection, view: View, code: str) -> int:
    """Return the id of the molecule with a code; a code that was merged leads on to the molecule kept.

    Raises:
        NotFound: no molecule has the code.
    """
    table = tables.molecules
    statement = select(table.c.id, table.c.merged_into).where(visible(table, view))
    found = connection.execute(statement.where(table.c.code == code)).one_or_none()
    if found is None:
        raise NotFound(f"no molecule has the code {code[:60]!r}; `moltrail export molecules` lists the codes")
    while found.merged_into is not None:
        found = connection.execute(statement.where(table.c.id == found.merged_into)).one()
    return int(found.id)


def head_of(connection: Connection) -> tuple[int, str]:
    """Return the number and hash of the last act on record; number 0 where there is none."""
    acts = tables.acts
    found = connection.execute(select(acts.c.number, acts.c.hash).order_by(acts.c.number.desc()).limit(1)).first()
    return (0, GENESIS) if found is None else (int(found.number), str(found.hash))


def _write(out: IO[bytes], format: str, dataset: Dataset, rows: Iterator[Row], about: dict[str, Any]) -> int:
    match format:
        case "csv":
            return write_csv(out, dataset.columns, rows)
        case "jsonl":
            return write_jsonl(out, dataset.columns, rows)
    return write_xlsx(out, dataset.columns, rows, title=dataset.name, about=about)
