"""A Float read is the Float written, bit for bit."""

from __future__ import annotations

import os
import random
import struct

import pytest
from sqlalchemy import insert, select

from pipeline.store.tables import checkpoints, studies
from tests.graphql.conftest import Api
from tests.graphql.planned.records import REALS, fill

DOUBLES = int(os.environ.get("MOLTRAIL_TEST_DOUBLES", "4000"))


def bits(number: float) -> bytes:
    """Return the bytes of a double."""
    return struct.pack(">d", number)


def doubles(chance: random.Random, count: int) -> list[float]:
    """Return doubles of all kinds: any bits, few digits, neighbours of few digits, powers of ten and two."""
    found: list[float] = [*REALS, *(-x for x in REALS), 1e23, 8.5, 2.0**-1022, 2.0**-1074, 1e8, 1e8 - 1e-6]
    while len(found) < count:
        short = round(chance.uniform(0, 10 ** chance.randint(0, 9)), chance.randint(0, 7))
        wild = struct.unpack(">d", chance.randbytes(8))[0]
        near = struct.unpack(">d", struct.pack(">q", struct.unpack(">q", bits(short))[0] + chance.choice([-1, 1])))[0]
        found += [
            short,
            -short,
            wild,
            near,
            float(f"1e{chance.randint(-300, 300)}"),
            2.0 ** chance.randint(-1074, 1023),
        ]
    return [x + 0.0 for x in found if x - x == 0]  # of -0.0, which the journal writes as 0.0, nothing is left


@pytest.mark.parametrize("written", [doubles(random.Random(7), DOUBLES)], ids=["doubles"])
def test_every_double_comes_back_as_it_was_written(api: Api, written: list[float]):
    programme = api.molecule()["programmes"][0]
    number = int(programme["id"].partition(".")[2])
    row = {
        "version": 1,
        "since_act": 2,
        "seal": b"x",
        "programme_id": number,
        "stage": "PHASE_1",
        "kind": "TOXICITY",
        "rule_code": "x",
        "rule_number": 1,
        "recommendation": "GO",
        "explanation": "x",
        "assessed_on": "2020-01-01T00:00:00.000000Z",
    }
    with api.centre.database.write() as connection:
        connection.execute(
            insert(checkpoints),
            [row | {"id": n + 1, "statistic": x, "threshold": x} for n, x in enumerate(written)],
        )
    document = """query Read($id: ID!, $after: String) { node(id: $id) { ... on Programme {
      checkpoints(first: 200, after: $after) { nodes { statistic threshold } pageInfo { hasNextPage endCursor } }
    } } }"""
    found: list[float] = []
    after = None
    while True:
        page = api(document, id=programme["id"], after=after)["node"]["checkpoints"]
        found += [node["statistic"] for node in page["nodes"]]
        assert all(node["statistic"] == node["threshold"] for node in page["nodes"])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [bits(float(x)) for x in found] == [bits(x) for x in written]


def test_a_number_no_int_holds_is_told_as_an_error_of_its_field(api: Api):
    fill(api.centre, seed=3)
    with api.centre.database.write() as connection:
        row = dict(connection.execute(select(studies).where(studies.c.id == 2)).mappings().one())
        row |= {"id": 99, "code": "S-99", "until_act": None, "enrolment": 3_000_000_000}
        connection.execute(insert(studies), [row])
    document = '{ study(code: "S-99") { code enrolment } other: study(id: "U3R1ZHk.3") { code enrolment } }'
    found, plain = api.result(document), api.result(document, plain=True)
    assert found.data == plain.data
    assert found.data["study"]["enrolment"] is None
    assert [(e.message, e.path) for e in found.errors] == [(e.message, e.path) for e in plain.errors]
    assert found.errors[0].path == ["study", "enrolment"]
