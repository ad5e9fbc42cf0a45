"""Whatever is sent, the answer is JSON with a status below 500, and the server goes on."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import client_of
from tests.api.test_graphql_ws import ADDRESS, PROTOCOL, closing_of
from tests.api.toy import World

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
NAMES = "query mutation subscription fragment on F Thing Query String Int thing name part parts echo text number notice"
WORDS = [
    *"{}()[]:!@\0\ufeffé",
    *NAMES.split(),
    *("$x", "...", '"a"', '"""b"""', "1", "1e9", "null", "true", "RED", "__typename", "__schema", "events"),
]
QUERIES = st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
PARAMETERS = st.fixed_dictionaries(
    {"query": QUERIES | VALUES}, optional={"variables": VALUES, "operationName": VALUES, "extensions": VALUES}
)
QUIETLY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def client():
    with client_of(World()) as found:
        yield found


def is_answer(reply):
    assert reply.status_code < 500
    content = reply.json()
    assert set(content) <= {"data", "errors", "extensions"}
    assert "data" in content or "errors" in content
    assert "INTERNAL" not in reply.text


@QUIETLY
@given(st.binary(max_size=200) | PARAMETERS.map(lambda p: json.dumps(p).encode()))
def test_any_body_is_answered(client, body):
    is_answer(client.post("/graphql", content=body, headers={"Content-Type": "application/json"}))


@QUIETLY
@given(
    st.dictionaries(st.sampled_from(["query", "variables", "operationName", "extensions", "x"]), st.text(max_size=40))
)
def test_any_address_is_answered(client, parameters):
    is_answer(client.get("/graphql", params=parameters))


@QUIETLY
@given(
    st.dictionaries(
        st.sampled_from(["Accept", "Content-Type", "Authorization"]),
        st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40),
    )
)
def test_any_header_is_answered(client, headers):
    is_answer(client.post("/graphql", content=b'{"query": "{notice}"}', headers=headers))


@QUIETLY
@given(
    st.lists(
        st.text(max_size=30)
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["subscribe", "complete", "ping", "pong", "connection_init", "next", ""])},
            optional={"id": st.text(max_size=3) | VALUES, "payload": PARAMETERS | VALUES},
        ).map(json.dumps),
        max_size=4,
    )
)
def test_any_message_is_answered_or_closes_the_connection_by_the_protocol(client, messages):
    with client.websocket_connect(ADDRESS, PROTOCOL) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        for message in messages:
            socket.send_text(message)
        socket.send_text("the end")
        assert closing_of(socket) in (4400, 4409, 4429)
