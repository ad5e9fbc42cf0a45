"""The public audit of GraphQL over HTTP, and the public clients of both subscription protocols."""

import json
import threading
import time

import pytest

from api.settings import Mode, Settings
from tests.api.conftest import running


@pytest.mark.parametrize(("mode", "token"), [(Mode.LOCAL, []), (Mode.TOKEN, ["mt_lead"])])
def test_the_graphql_over_http_audit_finds_nothing(world, node, mode, token):
    with running(world, Settings(mode=mode)) as address:
        report = json.loads(node("audit.mjs", f"http://{address}/graphql", *token))
    assert report == {"ok": 61, "notice": 0, "warn": 0, "error": 0, "found": []}


@pytest.mark.parametrize("protocol", ["ws", "sse"])
def test_a_public_client_that_is_cut_off_reconnects_and_loses_or_repeats_nothing(world, node, protocol):
    """The client is cut off after every third event while further ones are written, and resumes after its cursor."""
    world.events.extend(str(number) for number in range(20))

    def write() -> None:
        for number in range(20, 60):
            world.append(str(number))
            time.sleep(0.005)

    with running(world, Settings(mode=Mode.TOKEN)) as address:
        writer = threading.Thread(target=write)
        writer.start()
        seen = json.loads(node(f"follow_{protocol}.mjs", address, "mt_lead", "60"))
        writer.join()
    assert seen == [str(number) for number in range(60)]
