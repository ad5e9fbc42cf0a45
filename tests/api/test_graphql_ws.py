"""Operations over one websocket by the graphql-transport-ws protocol, and what breaks it."""

import contextlib
import json
import time

import pytest
from starlette.websockets import WebSocketDisconnect

from api import graphql_ws
from api.limits import Limits
from api.settings import Mode, Settings
from tests.api.conftest import client_of, costing

ADDRESS = "ws://127.0.0.1:8000/graphql"
PROTOCOL = ["graphql-transport-ws"]
EVENTS = "subscription($after: String, $stop: Int){events(after: $after, stop: $stop){text cursor}}"
LEAD = {"Authorization": "Bearer mt_lead"}


@contextlib.contextmanager
def connected(client, payload=None):
    with client.websocket_connect(ADDRESS, PROTOCOL) as socket:
        socket.send_json({"type": "connection_init", "payload": payload})
        assert socket.receive_json() == {"type": "connection_ack"}
        yield socket


def subscribe(socket, query=EVENTS, name="1", **variables):
    socket.send_json({"type": "subscribe", "id": name, "payload": {"query": query, "variables": variables}})


def closing_of(socket):
    """Return the code the connection is closed with, after whatever is still said."""
    try:
        while True:
            socket.receive_json()
    except WebSocketDisconnect as closed:
        return closed.code


def test_events_come_in_order_and_complete(client, world):
    world.events.extend(["a", "b", "c"])
    with connected(client) as socket:
        subscribe(socket, after="1", stop=3)
        assert [socket.receive_json() for _ in range(3)] == [
            {"type": "next", "id": "1", "payload": {"data": {"events": event}, "extensions": costing(1)}}
            for event in ({"text": "b", "cursor": "2"}, {"text": "c", "cursor": "3"})
        ] + [
            {"type": "complete", "id": "1"},
        ]
        subscribe(socket, stop=0)  # the id is free again
        assert socket.receive_json() == {"type": "complete", "id": "1"}


def test_queries_and_mutations_are_answered_too(client, world):
    with connected(client) as socket:
        subscribe(socket, "{notice}", "a")
        assert socket.receive_json()["payload"] == {"data": {"notice": "for everybody"}, "extensions": costing(1)}
        assert socket.receive_json() == {"type": "complete", "id": "a"}
        subscribe(socket, 'mutation{write(text: "x"){number}}', "b")
        assert socket.receive_json()["payload"]["data"] == {"write": {"number": 1}}
    assert world.events == ["x"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{unknown}", "GRAPHQL_VALIDATION_FAILED"),
        ("query($x: Int!){notice}", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($x: Int!){events{text}}", "GRAPHQL_VALIDATION_FAILED"),
        ("{thing" * 13 + "}" * 13, "LIMIT_EXCEEDED"),
        ("subscription{brokenSource}", "INTERNAL"),
    ],
)
def test_an_operation_that_cannot_run_is_an_error_and_the_connection_goes_on(client, query, code):
    with connected(client) as socket:
        subscribe(socket, query)
        message = socket.receive_json()
        if code == "INTERNAL":
            assert message["payload"]["data"] == {"brokenSource": "one"}
            message = socket.receive_json()
        assert (message["type"], message["id"]) == ("error", "1")
        assert message["payload"][0]["extensions"]["code"] == code
        assert message["payload"][0]["extensions"]["cost"]["limit"] == Limits().cost
        assert "swordfish" not in json.dumps(message)
        socket.send_json({"type": "ping"})
        assert socket.receive_json() == {"type": "pong"}


def test_the_client_can_end_an_operation(client, world):
    with connected(client) as socket:
        subscribe(socket)
        while world.listeners == 0:
            time.sleep(0.01)
        socket.send_json({"type": "complete", "id": "1"})
        socket.send_json({"type": "complete", "id": "never begun"})
        while world.listeners == 1:
            time.sleep(0.01)


def test_a_closed_connection_ends_its_operations(client, world):
    with connected(client) as socket:
        subscribe(socket, name="1")
        subscribe(socket, name="2")
        while world.listeners < 2:
            time.sleep(0.01)
    assert world.listeners == 0


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", 4400),
        ("[]", 4400),
        ("3", 4400),
        ("{}", 4400),
        ('{"type": 3}', 4400),
        ('{"type": "start"}', 4400),
        ('{"type": "ping", "payload": NaN}', 4400),
        ('{"type": "subscribe", "id": 3, "payload": {"query": "{notice}"}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {"query": "{notice}"}}', 4400),
        ('{"type": "subscribe", "id": "' + "x" * 101 + '", "payload": {"query": "{notice}"}}', 4400),
        ('{"type": "subscribe", "payload": {"query": "{notice}"}}', 4400),
        ('{"type": "subscribe", "id": "1"}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": {"query": 3}}', 4400),
        ('{"type": "complete"}', 4400),
        ('{"type": "connection_init"}', 4429),
        ('{"type": "ping", "payload": "' + "x" * 64_000 + '"}', 1009),
        ("[" * 60_000, 4400),
    ],
)
def test_a_broken_message_closes_the_connection_with_the_code_of_the_protocol(client, message, code):
    with connected(client) as socket:
        socket.send_text(message)
        assert closing_of(socket) == code


def test_binary_messages_are_refused(client):
    with connected(client) as socket:
        socket.send_bytes(b"{}")
        assert closing_of(socket) == 4400


def test_an_id_in_use_is_refused(client, world):
    with connected(client) as socket:
        subscribe(socket)
        subscribe(socket)
        assert closing_of(socket) == 4409
    assert world.listeners == 0


def test_nothing_runs_before_the_connection_is_initialised(client, world):
    with client.websocket_connect(ADDRESS, PROTOCOL) as socket:
        subscribe(socket, 'mutation{write(text: "x"){number}}')
        assert closing_of(socket) == 4401
    assert world.events == []


def test_a_connection_that_says_nothing_is_closed(client, monkeypatch):
    monkeypatch.setattr(graphql_ws, "INIT_SECONDS", 0.05)
    with client.websocket_connect(ADDRESS, PROTOCOL) as socket:
        assert closing_of(socket) == 4408


@pytest.mark.parametrize("protocols", [[], ["graphql-ws"], ["soap"]])
def test_another_protocol_is_refused(client, protocols):
    with client.websocket_connect(ADDRESS, protocols) as socket:
        assert closing_of(socket) == 4406


@pytest.mark.parametrize(
    "payload",
    [None, {}, [], "mt_lead", {"Authorization": "Bearer mt_x"}, {"Authorization": "mt_lead"}, {"Authorization": 3}],
)
def test_a_connection_without_a_valid_token_is_forbidden(guarded, payload):
    with guarded.websocket_connect(ADDRESS, PROTOCOL) as socket:
        socket.send_json({"type": "connection_init", "payload": payload})
        assert closing_of(socket) == 4403


def test_a_token_stands_for_its_actor(guarded):
    with connected(guarded, LEAD) as socket:
        subscribe(socket, "{viewer{name}}")
        assert socket.receive_json()["payload"]["data"] == {"viewer": {"name": "Lea"}}


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "rebound.example"}, {"Origin": "null"}]
)
def test_foreign_pages_are_refused_before_the_connection_is_accepted(client, headers):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(ADDRESS, PROTOCOL, headers=headers):
        pass


def test_too_many_operations_on_one_connection_are_refused(world):
    with client_of(world, Settings(limits=Limits(socket_operations=2))) as client, connected(client) as socket:
        for name in "123":
            subscribe(socket, name=name)
        message = socket.receive_json()
        assert (message["type"], message["id"]) == ("error", "3")
        assert message["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_too_many_connections_are_refused(world):
    with client_of(world, Settings(limits=Limits(sockets=1))) as client:
        with connected(client), client.websocket_connect(ADDRESS, PROTOCOL) as second:
            assert closing_of(second) == 1013
        with connected(client) as third:
            subscribe(third, "{notice}")
            assert third.receive_json()["type"] == "next"


def test_a_connection_ends_when_its_token_loses_its_rights(world, monkeypatch):
    monkeypatch.setattr(graphql_ws, "RECHECK_SECONDS", 0.05)
    with client_of(world, Settings(mode=Mode.TOKEN)) as client, connected(client, LEAD) as socket:
        subscribe(socket)
        world.tokens["mt_lead"] = world.tokens["mt_reader"]
        assert closing_of(socket) == 4403
    assert world.listeners == 0
