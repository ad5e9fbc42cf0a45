"""Subscriptions as server-sent events."""

import asyncio
import json
import time

import httpx2
import pytest

from api import graphql_sse
from api.limits import Limits
from api.settings import Mode, Settings
from tests.api.conftest import LEAD, costing, running

STREAM = {"Accept": "text/event-stream"}
EVENTS = "subscription($after: String, $stop: Int){events(after: $after, stop: $stop){text cursor}}"


def parts_of(text):
    """Return the events of a stream as (event, id, data)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.partition(":")[::2] for line in block.split("\n") if line)
        if "event" in fields:
            data = fields["data"].strip()
            found.append((fields["event"].strip(), fields.get("id", "").strip(), json.loads(data) if data else None))
    return found


def follow(client, query=EVENTS, headers=STREAM, **variables):
    return client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


def test_events_come_in_order_with_their_cursor_and_an_end(client, world):
    world.events.extend(["a", "b", "c"])
    reply = follow(client, after="1", stop=3)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert parts_of(reply.text) == [
        ("next", "2", {"data": {"events": {"text": "b", "cursor": "2"}}, "extensions": costing(1)}),
        ("next", "3", {"data": {"events": {"text": "c", "cursor": "3"}}, "extensions": costing(1)}),
        ("complete", "", None),
    ]
    assert world.listeners == 0


def test_a_reconnecting_event_source_goes_on_after_the_last_event_it_saw(client, world):
    world.events.extend(["a", "b", "c", "d"])
    parameters = {"query": EVENTS, "variables": json.dumps({"after": "0", "stop": 4})}
    reply = client.get("/graphql", params=parameters, headers=STREAM | {"Last-Event-ID": "3"})
    assert [data["data"]["events"]["text"] for _, _, data in parts_of(reply.text)[:-1]] == ["d"]


def test_a_query_is_one_event(client):
    reply = follow(client, "{notice}")
    assert parts_of(reply.text) == [
        ("next", "", {"data": {"notice": "for everybody"}, "extensions": costing(1)}),
        ("complete", "", None),
    ]


def test_a_client_that_also_takes_json_gets_a_stream_for_a_subscription_only(client, world):
    world.events.append("a")
    both = {"Accept": "application/graphql-response+json, application/json, text/event-stream"}
    assert follow(client, headers=both, stop=1).headers["content-type"].startswith("text/event-stream")
    reply = follow(client, "{notice}", headers=both)
    assert reply.headers["content-type"] == "application/graphql-response+json; charset=utf-8"


@pytest.mark.parametrize(
    "query", ["subscription{unknown}", "subscription{", "subscription($x: Int!){events{text}}", "subscription{...F}"]
)
def test_a_subscription_that_cannot_begin_says_why_and_ends(client, query):
    (kind, _, data), end = parts_of(follow(client, query).text)
    assert (kind, end) == ("next", ("complete", "", None))
    assert "errors" in data
    assert "data" not in data


def test_failures_inside_a_stream_are_masked(client, world):
    world.events.extend(["poison", "b"])
    reply = follow(client, stop=2)
    (_, _, first), (_, _, second), _ = parts_of(reply.text)
    assert first["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert second["data"] == {"events": {"text": "b", "cursor": "2"}}
    broken = follow(client, "subscription{brokenSource}")
    (_, _, first), (_, _, last), _ = parts_of(broken.text)
    assert first["data"] == {"brokenSource": "one"}
    assert last["extensions"] == costing(1)
    assert last["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "swordfish" not in reply.text + broken.text


def test_a_stream_needs_a_token_where_a_request_does(guarded, world):
    assert follow(guarded, stop=0).status_code == 401
    assert parts_of(follow(guarded, headers=STREAM | LEAD, stop=0).text) == [("complete", "", None)]


def wait_until(condition):
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_client_that_goes_away_is_noticed_and_its_stream_closed(world):
    world.events.append("a")
    with running(world) as address:
        request = {"json": {"query": EVENTS}, "headers": STREAM}
        with httpx2.Client() as client, client.stream("POST", f"http://{address}/graphql", **request) as reply:
            lines = reply.iter_lines()
            assert next(lines) == "event: next"
            assert world.listeners == 1
        wait_until(lambda: world.listeners == 0)


def test_a_silent_stream_is_kept_alive_and_ends_with_its_rights(world, monkeypatch):
    monkeypatch.setattr(graphql_sse, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(graphql_sse, "RECHECK_SECONDS", 0.2)
    with running(world, Settings(mode=Mode.TOKEN)) as address, httpx2.Client(timeout=5) as client:
        request = {"json": {"query": EVENTS}, "headers": STREAM | LEAD}
        with client.stream("POST", f"http://{address}/graphql", **request) as reply:
            lines = reply.iter_lines()
            assert [next(lines), next(lines)] == [":", ""]
            del world.tokens["mt_lead"]
            assert set(lines) <= {":", ""}  # and it ends, without "complete"
        wait_until(lambda: world.listeners == 0)


def test_too_many_streams_are_refused(world):
    with running(world, Settings(limits=Limits(streams=2))) as address:

        async def three_at_once():
            async with httpx2.AsyncClient(timeout=5) as client:
                streams = [
                    client.stream("POST", f"http://{address}/graphql", json={"query": EVENTS}, headers=STREAM)
                    for _ in range(2)
                ]
                for stream in streams:
                    await stream.__aenter__()
                while world.listeners < 2:
                    await asyncio.sleep(0.01)
                reply = await client.post(f"http://{address}/graphql", json={"query": EVENTS}, headers=STREAM)
                for stream in streams:
                    await stream.__aexit__(None, None, None)
                return parts_of(reply.text)

        (_, _, data), _ = asyncio.run(three_at_once())
    assert data["errors"][0]["extensions"]["code"] == "BUSY"
