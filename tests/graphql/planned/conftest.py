"""A centre full of records at random, on each engine, for all tests of a module."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, make_url

from pipeline.centre import Centre
from pipeline.store.statements import cursor_of
from tests.conftest import ENGINES
from tests.graphql.conftest import Api
from tests.graphql.planned.records import fill


def explained(connection: Connection, statement: str, parameters: Any) -> list[Any]:
    """Return how an engine runs a statement, as listeners are told of it."""
    prefix = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    cursor = cursor_of(connection.dialect.name, connection.connection.driver_connection)
    if isinstance(parameters, dict) and connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()  # not a planned one
    return list(cursor.execute(f"{prefix} {statement}", parameters).fetchall())


@pytest.fixture(scope="module", params=[(engine, broken) for engine in ENGINES for broken in (False, True)], ids=str)
def records(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of a centre full of records: of those an answer can show, and of those it cannot."""
    folder = tmp_path_factory.mktemp("records")
    engine, broken = request.param
    if engine == "sqlite":
        with Centre.open(folder) as centre:
            fill(centre, seed=1, broken=broken)
            yield Api(centre)
        return
    server = make_url(request.getfixturevalue("postgres_url")).set(drivername="postgresql+psycopg")
    name = f"test_{uuid.uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        with Centre.open(folder, server.set(database=name).render_as_string(hide_password=False)) as centre:
            fill(centre, seed=1, broken=broken)
            yield Api(centre)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()
