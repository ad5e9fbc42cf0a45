"""Following the events: each once, in order, also after a reconnect, whoever writes meanwhile."""

import asyncio
import threading
from typing import Any

import pytest
from graphql import parse, subscribe

from pipeline.access import Actor
from pipeline.errors import NotPermitted
from schema import SCHEMA
from schema.context import request
from tests.graphql.conftest import Api

FOLLOW = """
subscription Follow($after: String, $molecule: ID, $kinds: [EventKind!]) {
  events(after: $after, molecule: $molecule, kinds: $kinds) {
    cursor
    node { id kind summary subject { __typename id } }
  }
}
"""
START = ""  # from the first


async def follow(api: Api, most: int, **variables: Any) -> list[dict[str, Any]]:
    """Return the next events, at most so many; ends when none comes for half a second."""
    found: list[dict[str, Any]] = []
    with request(api.centre, api.actor) as context:
        source: Any = await subscribe(
            SCHEMA.graphql_schema, parse(FOLLOW), context_value=context, variable_values=variables
        )
        if not hasattr(source, "__anext__"):
            raise source.errors[0].original_error
        try:
            while len(found) < most:
                result = await asyncio.wait_for(anext(source), timeout=1.5)
                assert result.errors is None, result.errors
                found.append(result.data["events"])
                context.forget()
        except TimeoutError:
            pass
        finally:
            await source.aclose()
    return found


def test_every_event_comes_once_and_in_order_across_reconnects(api: Api):
    writer = threading.Thread(target=lambda: [api.molecule(f"M-{n}") for n in range(12)])
    writer.start()
    seen: list[dict[str, Any]] = []
    after = START
    while True:
        some = asyncio.run(follow(api, 5, after=after))
        if not some:
            break
        seen += some
        after = some[-1]["cursor"]
    writer.join()
    rest = asyncio.run(follow(api, 100, after=after))
    seen += rest
    assert [event["node"]["kind"] for event in seen] == ["REGISTERED"] * 24
    assert len({event["node"]["id"] for event in seen}) == 24
    assert [e["node"]["subject"]["__typename"] for e in seen[:2]] == ["Molecule", "Programme"]


def test_only_the_events_asked_for(api: Api):
    molecule = api.molecule("A")
    other = api.molecule("B")
    programme = molecule["programmes"][0]
    api.move(programme["id"], "HOLD", 1, reason="FUNDING")
    held = asyncio.run(follow(api, 10, after=START, molecule=molecule["id"], kinds=["HELD"]))
    assert [event["node"]["kind"] for event in held] == ["HELD"]
    assert asyncio.run(follow(api, 10, after=START, molecule=other["id"], kinds=["HELD"])) == []


def test_a_correction_is_told_and_what_it_mended_is_told_again(api: Api):
    programme = api.molecule("A")["programmes"][0]
    api.move(programme["id"], "HOLD", 1, reason="FUNDING")
    before = asyncio.run(follow(api, 10, after=START))
    api.move(programme["id"], "CORRECT", 2, reasonVerbatim="nobody held it")
    told = asyncio.run(follow(api, 10, after=before[-1]["cursor"]))
    assert [event["node"]["kind"] for event in told] == ["CORRECTED"]
    assert "it never happened" in told[0]["node"]["summary"]


def test_who_may_not_read_may_not_follow(api: Api):
    stranger = Actor.of("nobody")
    with pytest.raises(NotPermitted):
        asyncio.run(follow(Api(api.centre, stranger), 1, after=START))
