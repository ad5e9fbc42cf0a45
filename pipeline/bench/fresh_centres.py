"""Centres in the state of newly opened ones, as many as a measurement needs, on either engine."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import create_engine, make_url

from pipeline.centre import Centre

Fresh = Callable[[], contextlib.AbstractContextManager[Centre]]
"""Gives an open centre with nothing on record; it is removed afterwards."""


@contextlib.contextmanager
def on_sqlite(scratch: Path) -> Iterator[Fresh]:
    """Give fresh centres on SQLite, in folders below `scratch`."""
    base = scratch / "base"
    with Centre.open(base):
        pass

    @contextlib.contextmanager
    def fresh() -> Iterator[Centre]:
        where = _copied(base, scratch)
        try:
            with Centre.open(where) as centre:
                yield centre
        finally:
            shutil.rmtree(where)

    yield fresh


@contextlib.contextmanager
def on_postgres(scratch: Path, url: str) -> Iterator[Fresh]:
    """Give fresh centres on a PostgreSQL server, in databases made for it and dropped; the user must be allowed to."""
    server = make_url(url).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    template = f"moltrail_bench_{uuid.uuid4().hex}"

    def run(statement: str) -> None:
        with admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def url_of(name: str) -> str:
        return server.set(database=name).render_as_string(hide_password=False)

    base = scratch / "base"
    base.mkdir()
    run(f"CREATE DATABASE {template}")
    try:
        with Centre.open(base, url_of(template)):
            pass

        @contextlib.contextmanager
        def fresh() -> Iterator[Centre]:
            where, name = _copied(base, scratch), f"moltrail_bench_{uuid.uuid4().hex}"
            run(f"CREATE DATABASE {name} TEMPLATE {template}")
            try:
                with Centre.open(where, url_of(name)) as centre:
                    yield centre
            finally:
                run(f"DROP DATABASE {name} WITH (FORCE)")
                shutil.rmtree(where)

        yield fresh
    finally:
        run(f"DROP DATABASE {template} WITH (FORCE)")
        admin.dispose()


def _copied(base: Path, scratch: Path) -> Path:
    where = scratch / uuid.uuid4().hex
    shutil.copytree(base, where)
    return where
