"""What the endpoint answers over HTTP, to well-meant and to hostile requests."""

import json
import socket
import time

import pytest

from api.limits import Limits
from api.settings import Settings
from tests.api.conftest import limited, running

MALFORMED = [
    (b"\xff\xfe{}", "The body is not UTF-8 (byte 0)."),
    (b"{", "The body is not JSON (line 1, column 2)."),
    (b"", "The body is not JSON (line 1, column 1)."),
    (b'{"query": "{notice}", "variables": {"x": NaN}}', "NaN is not a JSON number"),
    (b'{"query": "{notice}", "variables": {"x": -Infinity}}', "-Infinity is not a JSON number"),
    (b'{"query": "{notice}", "variables": {"x": 1e999}}', "larger than any number"),
    (b'{"query": "{notice}", "variables": {"x": ' + b"9" * 5000 + b"}}", "a number that cannot be used"),
    (b'{"query": "{notice}", "variables": {"x": "\\ud800"}}', "half a surrogate pair"),
    (b'{"query": "{notice}", "variables": {"x\\u0000": 1}}', "NUL character"),
    (b"[" * 90_000, "nested too deeply"),
    (b'{"query": "{notice}", "variables": {"x": ' + b"[" * 40 + b"]" * 40 + b"}}", "at most 32 levels"),
    (b'[{"query": "{notice}"}]', "lists of operations are not answered"),
    (b'"{notice}"', "must be a JSON object"),
    (b"{}", "The parameter query is missing"),
    (b'{"query": "{notice}", "operationName": 3}', "operationName must be a text"),
    (b'{"query": "{notice}", "variables": []}', "variables must be a JSON object"),
]


def post(client, query, *, headers=None, **parameters):
    return client.post("/graphql", json={"query": query, **parameters}, headers=headers)


@pytest.mark.parametrize(("body", "message"), MALFORMED, ids=[message for _, message in MALFORMED])
def test_a_malformed_request_is_told_what_is_wrong_with_it(client, body, message):
    reply = client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert message in reply.json()["errors"][0]["message"]
    assert reply.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "application/json", "Accept": "text/plain"}, 406),
        ({"Content-Type": "application/json", "Accept": "application/json;q=0"}, 406),
        ({"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json;q=x, */*;q=0.1"}, 200),
    ],
)
def test_the_kinds_of_content_are_negotiated(client, headers, status):
    reply = client.post("/graphql", content=b'{"query": "{notice}"}', headers=headers)
    assert reply.status_code == status
    assert ("errors" in reply.json()) == (status != 200)


def test_a_body_over_its_limit_is_refused_whether_announced_or_not(world):
    body = json.dumps({"query": "{notice}", "variables": {"x": "x" * 100_000}}).encode()
    pieces = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
    with limited(world, records_bytes=0) as client:
        for content in (body, pieces):
            reply = client.post("/graphql", content=content, headers={"Content-Type": "application/json"})
            assert reply.status_code == 413
            assert reply.json()["errors"][0]["message"] == "The body is larger than 100,000 bytes."


def test_get_answers_queries_and_refuses_to_write(client, world):
    assert client.get("/graphql", params={"query": "{notice}"}).json()["data"] == {"notice": "for everybody"}
    variables = {"query": "query($t: String){echo(text: $t)}", "variables": '{"t": "é"}'}
    assert client.get("/graphql", params=variables).json()["data"] == {"echo": "é"}
    refused = client.get("/graphql", params={"query": 'mutation{write(text: "x"){number}}'})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert world.events == []
    assert client.get("/graphql", params={"query": "{notice}", "variables": "{"}).status_code == 400


def test_a_browser_at_the_endpoint_is_shown_graphiql(client):
    reply = client.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"}, follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (303, "/graphiql")


def test_resolvers_run_on_few_worker_threads_and_do_not_stop_others(client):
    assert post(client, "{thread}").json()["data"]["thread"].startswith("graphql_")


def test_answers_before_and_during_execution_have_their_status(client):
    kind = {"Accept": "application/graphql-response+json"}
    assert post(client, "{unknown}", headers=kind).status_code == 400
    assert post(client, "query($x: Int!){notice}", headers=kind, variables={"x": "a"}).status_code == 400
    partial = post(client, "{notice broken}", headers=kind)
    assert partial.status_code == 200
    assert partial.json()["data"] == {"notice": "for everybody", "broken": None}
    assert post(client, "{unknown}").status_code == 200
    assert "data" not in post(client, "{unknown}").json()


def test_which_operation_runs_must_be_clear(client):
    document = "query A{notice} query B{thread}"
    assert post(client, document, operationName="A").json()["data"] == {"notice": "for everybody"}
    for name in ("C", "", None):
        assert "operation" in post(client, document, operationName=name).json()["errors"][0]["message"]


def test_subscriptions_are_not_answered_as_one_answer(client):
    reply = post(client, "subscription{events{text}}")
    assert reply.status_code == 406
    assert "text/event-stream" in reply.json()["errors"][0]["message"]


def test_a_slow_request_is_given_up_in_time_and_holds_nobody_else_up(world):
    with limited(world, request_seconds=1) as client:
        before = time.monotonic()
        reply = post(client, "{sleep(seconds: 3)}")
        assert time.monotonic() - before < 2
        assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")
        assert "idempotencyKey" in reply.json()["errors"][0]["message"]
        assert post(client, "{notice}").json()["data"] == {"notice": "for everybody"}


def test_a_body_that_does_not_arrive_is_given_up_in_time(world):
    head = b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    with running(world, Settings(limits=Limits(request_seconds=1))) as address:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(head + b'{"query"')
            reply = connection.recv(65_536)
    assert reply.startswith(b"HTTP/1.1 408 ")


def test_many_cheap_fields_are_stopped_at_the_deadline(world):
    with limited(world, request_seconds=1, answer_bytes=10**9) as client:
        nested = "parts(n: 60){name " * 5 + "}" * 5
        before = time.monotonic()
        reply = post(client, "{thing{" + nested + "}}")
        assert reply.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
        assert time.monotonic() - before < 2


def test_an_answer_over_its_limit_is_not_sent(world):
    with limited(world, answer_bytes=1000) as client:
        assert post(client, "{long(n: 900)}").json()["data"]["long"] == "x" * 900
        reply = post(client, "{long(n: 2000)}").json()
        assert reply["data"] is None
        assert reply["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
