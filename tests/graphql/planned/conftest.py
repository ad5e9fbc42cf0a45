"""A centre full of records at random, on each engine, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from pipeline.centre import Centre
from pipeline.store.statements import cursor_of
from tests.conftest import ENGINES
from tests.graphql.conftest import Api
from tests.graphql.planned.records import fill
from tests.support.new_centre import OnPostgres, OnSqlite


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
    engine, broken = request.param
    made: OnSqlite | OnPostgres = request.getfixturevalue(f"on_{engine}")
    with (
        made.centre(tmp_path_factory.mktemp("records")) as place,
        Centre.open(place.folder, place.url) as centre,
    ):
        fill(centre, seed=1, broken=broken)
        yield Api(centre)
