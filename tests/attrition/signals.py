"""Records of studies that carry signals, put into a centre row by row, each act at a moment of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from pipeline.centre import SYSTEM, Centre
from pipeline.commands import execute
from pipeline.commands.imports import ImportFiles
from pipeline.commands.molecules import RegisterMolecule
from pipeline.exchange.formats import read_files
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act
from pipeline.words import Modality

HEAD = "Name,Code,Modality,Disease group,Stage,Since,Status,Stopped on,Reason,Note\n"

BLANK: dict[str, dict[str, Any]] = {
    "subjects": {"species": "human", "erased": False, "opposed_to_reuse": False},
    "adverse_events": {"dlt": False},
    "findings": {"domain": "MI", "test": "MIEXAM"},
    "administrations": {"treatment": "given"},
    "tumour_responses": {"criteria": "RECIST 1.1"},
    "event_counts": {"source_id": 1, "arm": "all", "serious": True},
    "dlt_observations": {"source_id": 1},
    "study_groups": {"parameters": "{}"},
}


def register(centre: Centre, *codes: str) -> None:
    """Register molecules in 2009, before anything happens to them."""
    for code in codes:
        command = RegisterMolecule(code=code, name=code.lower(), modality=Modality.UNKNOWN)
        execute(centre.journal, command, actor=SYSTEM, now=datetime(2009, 1, 1, tzinfo=UTC))


def put_on_record(centre: Centre, *rows: str) -> None:
    """Import a portfolio of programmes in 2017."""
    files = [("portfolio.csv", (HEAD + "\n".join(rows) + "\n").encode())]
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files("portfolio", files, graph)
    assert (reading.quarantined, reading.held) == ([], [])
    command = ImportFiles.of(reading, files, name="portfolio.csv")
    execute(centre.journal, command, actor=SYSTEM, now=datetime(2017, 1, 1, tzinfo=UTC))


def molecule(centre: Centre, code: str) -> int:
    """Return the id of a molecule by its code."""
    with centre.database.read() as connection:
        table = tables.molecules
        return int(
            connection.execute(select(table.c.id).where(table.c.code == code, table.c.until_act.is_(None))).scalar_one()
        )


def write(centre: Centre, table: str, *rows: dict[str, Any], now: str = "2015-03-01") -> list[int]:
    """Put rows of a table on record in one act on a day, and return their ids."""
    where = getattr(study_tables, table, None)
    where = getattr(tables, table) if where is None else where
    ids: list[int] = []

    def add(act: Act) -> dict[str, int]:
        for row in rows:
            content = {**BLANK.get(table, {}), **row}
            if "sorted_on" in where.c:
                content.setdefault("sorted_on", "")
            ids.append(act.add(where, content))
        return {}

    centre.journal.perform("AddRows", add, actor=SYSTEM, now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    return ids


def study(centre: Centre, molecule_id: int, code: str, **more: Any) -> int:
    """Put a study of a molecule on record and return its id."""
    row = {"code": code, "title": f"Study {code}", "phases": "[]", "status": "COMPLETED"} | more
    given = {"source_id": 1, "molecule_id": molecule_id, "name": "given"}
    [id] = write(centre, "studies", row, now="2009-02-01")
    write(centre, "study_molecules", {"study_id": id, **given}, now="2009-02-01")
    return id
