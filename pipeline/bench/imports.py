"""How much an import costs beside the least that could be done: reading the CSVs and writing the very same rows.

The limit reads the seven files with csv.reader and writes what a finished import had written, row for row, with one
bare executemany per table: the same tables, indexes and triggers, the same settings, one transaction, commit included.
Ours goes from the files to the commit: reading, molecules folded, digests, events, audit, the files kept.
"""

from __future__ import annotations

import contextlib
import csv
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, select

from pipeline.bench.harness import Comparison, Timing, peak_memory, race
from pipeline.bench.synthetic import synthetic_phase1
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.imports import ImportFiles
from pipeline.errors import FileRefused
from pipeline.exchange.formats import read_files
from pipeline.exchange.phase1_tables import COLUMNS
from pipeline.store.database import Database
from pipeline.store.tables import RECORD_TABLES, acts

MOST_RATIO = 3.0
MOST_MEMORY_MB = 300.0

Fresh = Callable[[Path], contextlib.AbstractContextManager[str | None]]
"""Gives the URL of a database in the state of an opened centre, in a given empty folder; None: SQLite there."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One table's rows, ready for a bare executemany."""

    text: str
    rows: list[tuple[Any, ...]]


def write_synthetic(folder: Path) -> None:
    """Write the made-up set of trials to a folder."""
    for name, content in synthetic_phase1():
        (folder / name).write_bytes(content)


def compare_on_sqlite(folder: Path, repeat: int) -> Comparison:
    """Measure on SQLite."""
    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch:
        base = Path(scratch, "base")
        with Centre.open(base):
            pass

        @contextlib.contextmanager
        def fresh(where: Path) -> Iterator[None]:
            for file in base.iterdir():
                shutil.copy(file, where / file.name)
            yield None

        return _compare("SQLite", folder, repeat, Path(scratch), fresh)


def compare_on_postgres(folder: Path, repeat: int, url: str) -> Comparison:
    """Measure on the PostgreSQL server of a URL, in databases made for it and dropped; the user must be allowed to."""
    server = make_url(url).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    template = f"moltrail_bench_{uuid.uuid4().hex}"

    def run(statement: str) -> None:
        with admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def url_of(name: str) -> str:
        return server.set(database=name).render_as_string(hide_password=False)

    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch:
        base = Path(scratch, "base")
        base.mkdir()
        run(f"CREATE DATABASE {template}")
        try:
            with Centre.open(base, url_of(template)):
                pass

            @contextlib.contextmanager
            def fresh(where: Path) -> Iterator[str]:
                for file in base.iterdir():
                    shutil.copy(file, where / file.name)
                name = f"moltrail_bench_{uuid.uuid4().hex}"
                run(f"CREATE DATABASE {name} TEMPLATE {template}")
                try:
                    yield url_of(name)
                finally:
                    run(f"DROP DATABASE {name} WITH (FORCE)")

            return _compare("PostgreSQL", folder, repeat, Path(scratch), fresh)
        finally:
            run(f"DROP DATABASE {template} WITH (FORCE)")
            admin.dispose()


def memory_of_import(folder: Path) -> float | None:
    """Return the peak memory of a process that opens a centre and imports the set, in MB."""
    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch:
        statement = "import sys; from pipeline.bench.imports import import_once; import_once(*sys.argv[1:3])"
        return peak_memory(statement, [str(folder), scratch])


def import_once(folder: str, data: str) -> None:
    """Open a centre in a folder and import a set of trials into it."""
    with Centre.open(Path(data)) as centre:
        _import(centre, Path(folder))


# ---------------------------------------------------------------- the contenders


def _compare(name: str, folder: Path, repeat: int, scratch: Path, fresh: Fresh) -> Comparison:
    _check_folder(folder)

    @contextlib.contextmanager
    def in_fresh_centre() -> Iterator[Centre]:
        where = scratch / uuid.uuid4().hex
        where.mkdir()
        try:
            with fresh(where) as url, Centre.open(where, url) as centre:
                yield centre
        finally:
            shutil.rmtree(where)

    with in_fresh_centre() as centre:
        captured = _capture(centre.database, _import(centre, folder))

    @contextlib.contextmanager
    def ours() -> Iterator[Callable[[], object]]:
        with in_fresh_centre() as centre:
            yield lambda: _import(centre, folder)

    @contextlib.contextmanager
    def limit() -> Iterator[Callable[[], object]]:
        with in_fresh_centre() as centre:
            yield lambda: _bare(centre.database, folder, captured)

    timings: dict[str, Timing] = race({"limit": limit, "ours": ours}, repeat)
    rows = sum(len(statement.rows) for statement in captured)
    return Comparison(name, timings["limit"], timings["ours"], MOST_RATIO, rows)


def _check_folder(folder: Path) -> None:
    missing = [name for name in COLUMNS if not (folder / name).is_file()]
    if missing:
        raise FileRefused(f"{folder} does not hold {', '.join(missing)}; give the folder of a set of phase I trials")


def _import(centre: Centre, folder: Path) -> int:
    files = [(name, (folder / name).read_bytes()) for name in COLUMNS]
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files("phase1-dlt", files, graph)
    return centre.execute(ImportFiles.of(reading, files, name=folder.name), actor=SYSTEM).number


def _capture(database: Database, number: int) -> list[Statement]:
    """Return every row one act wrote, the act itself first, as statements for the database's driver."""
    mark = "?" if database.is_sqlite else "%s"
    found = []
    with database.read() as connection:
        for table in (acts, *RECORD_TABLES):
            of_the_act = table.c.number if table is acts else table.c.since_act
            names = [str(column.name) for column in table.columns]
            rows = connection.execute(select(table).where(of_the_act == number)).all()
            if rows:
                text = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608
                found.append(Statement(text, [tuple(row) for row in rows]))
    return found


def _bare(database: Database, folder: Path, statements: list[Statement]) -> None:
    for name in COLUMNS:
        with (folder / name).open(encoding="utf-8", errors="replace", newline="") as file:
            list(csv.reader(file))
    with database.write() as connection:
        cursor = connection.connection.cursor()
        for statement in statements:
            cursor.executemany(statement.text, statement.rows)
        cursor.close()
