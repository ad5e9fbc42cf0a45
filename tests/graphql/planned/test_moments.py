"""An answer is of one moment: within a transaction, or because one statement is all there is to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from pipeline.centre import Centre
from tests.graphql.conftest import Api

HELD = "ON_HOLD"


@contextlib.contextmanager
def before_each_statement(centre: Centre, note: Callable[[int, Any], object]) -> Iterator[None]:
    """Tell of every statement of readers before it runs: its number from 1, and the connection."""
    count = 0

    def told(connection: Any, *_: Any) -> None:
        nonlocal count
        count += 1
        note(count, connection)

    event.listen(centre.database.reader, "before_cursor_execute", told)
    try:
        yield
    finally:
        event.remove(centre.database.reader, "before_cursor_execute", told)


@pytest.fixture
def programmes(api: Api) -> dict[str, str]:
    """Two molecules with a programme each, by code."""
    for code in ("M-1", "M-2"):
        api.molecule(code)
    found = api("{ programmes(first: 9) { nodes { id molecule { code } } } }")["programmes"]["nodes"]
    return {one["molecule"]["code"]: one["id"] for one in found}


@pytest.mark.parametrize(
    ("document", "transactions"),
    [
        ('{ molecule(code: "M-1") { code programmes { status } } }', [False]),
        ('{ moleculesByCode(codes: ["M-1", "M-2"]) { code } }', [False]),
        ("{ programmes(first: 2) { totalCount nodes { status } } }", [False]),
        ("{ molecules(first: 2) { nodes { code } pageInfo { endCursor } } }", [False]),
        ('{ a: molecule(code: "M-1") { code } b: molecule(code: "M-2") { code } }', [True, True]),
        ('query { ...Both } fragment Both on Query { a: molecule(code: "M-1") { code } }', [True]),
        ('{ molecule(code: "M-1", knownAt: "2100-01-01T00:00:00Z") { code } }', [True, True]),
    ],
)
def test_only_more_than_one_statement_is_read_in_a_transaction(
    api: Api, programmes: dict[str, str], document: str, transactions: list[bool]
):
    api(document)  # what is kept by a process is read before
    seen: list[bool] = []
    with before_each_statement(api.centre, lambda _, connection: seen.append(connection.in_transaction())):
        api(document)
    assert seen == transactions


def test_every_root_field_sees_the_moment_of_the_first(api: Api, programmes: dict[str, str]):
    def hold(number: int, _connection: Any) -> None:
        if number == 2:
            assert api.move(programmes["M-2"], "HOLD", 1, reason="FUNDING")["errors"] == []

    document = """{ a: molecule(code: "M-1") { programmes { status } } b: molecule(code: "M-2") {
      programmes { status } } }"""
    api(document)
    with before_each_statement(api.centre, hold):
        found = api(document)
    assert found["b"]["programmes"] == [{"status": "ACTIVE"}]
    assert api(document)["b"]["programmes"] == [{"status": HELD}]


def test_molecules_found_by_code_and_by_name_are_of_one_moment(api: Api, programmes: dict[str, str]):
    """The first statement finds those named by code; what was written before the second holds for all of them."""

    def hold(number: int, _connection: Any) -> None:
        if number == 2:
            for programme in programmes.values():
                assert api.move(programme, "HOLD", 1, reason="FUNDING")["errors"] == []

    document = '{ moleculesByCode(codes: ["M-1", "Molecule M-2"]) { code programmes { status } } }'
    api(document)
    with before_each_statement(api.centre, hold):
        found = api(document)["moleculesByCode"]
    assert found == [{"code": code, "programmes": [{"status": HELD}]} for code in ("M-1", "M-2")]


def test_a_reader_cannot_write_outside_a_transaction_either(api: Api):
    acts = api.acts()
    with api.centre.database.read(at_once=False) as connection:
        cursor = connection.connection.cursor()
        with pytest.raises(api.centre.database.reader.dialect.loaded_dbapi.Error, match=r"read.?only"):
            cursor.execute("DELETE FROM acts")
    with api.centre.database.read() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql("DELETE FROM acts")
    assert api.acts() == acts
