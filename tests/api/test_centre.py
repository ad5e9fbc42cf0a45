"""A real centre behind a real server: the examples run, tokens count, and a follower that is cut off misses nothing."""

import json
import threading

import httpx2
import pytest

from api.examples import examples
from api.running import service_of
from api.settings import Mode, Settings
from pipeline.access import Role
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.tokens import CreateToken, RevokeToken, hash_of, new_token
from pipeline.store.paging import encode
from tests.api.conftest import serving

REGISTER = """
mutation($code: String!) {
  registerMolecule(input: {code: $code, name: $code, modality: SMALL_MOLECULE}) { molecule { code } errors { message } }
}
"""
FOLLOW = "subscription($after: String) { events(after: $after, kinds: [REGISTERED]) { cursor node { summary } } }"


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    with Centre.open(tmp_path_factory.mktemp("centre")) as opened:
        yield opened


@pytest.fixture(scope="module")
def local(centre):
    with serving(Settings(), service_of(centre)) as address:
        yield f"http://{address}"


def ask(address, query, headers=None, **variables):
    reply = httpx2.post(
        f"{address}/graphql", json={"query": query, "variables": variables}, headers=headers, timeout=20
    )
    return reply.json()


@pytest.mark.parametrize("example", [e for e in examples() if "subscription" not in e.query], ids=lambda e: e.name)
def test_every_example_runs(local, example):
    ask(local, REGISTER, code="IUCT-0001")
    reply = ask(local, example.query)
    assert "errors" not in reply
    assert reply["data"]


def register(address, codes):
    for code in codes:
        assert ask(address, REGISTER, code=code)["data"]["registerMolecule"]["errors"] == []


def test_a_follower_that_is_cut_off_after_every_third_event_sees_each_once_in_order(centre, local):
    codes = [f"FOLLOW-{number:02}" for number in range(20)]
    writer = threading.Thread(target=register, args=(local, codes))
    expected = [code for code in codes for _ in ("the molecule", "its first programme")]
    seen, after = [], encode((centre.journal.last_number, 2**62))
    request = {"headers": {"Accept": "text/event-stream"}, "timeout": 20}
    writer.start()
    while len(seen) < len(expected):
        body = {"query": FOLLOW, "variables": {"after": after}}
        with httpx2.Client() as client, client.stream("POST", f"{local}/graphql", json=body, **request) as reply:
            data = (json.loads(line[6:]) for line in reply.iter_lines() if line.startswith("data: "))
            for event in data:
                seen.append(event["data"]["events"]["node"]["summary"])
                after = event["data"]["events"]["cursor"]
                if len(seen) % 3 == 0 or len(seen) == len(expected):
                    break
    writer.join()
    assert [next(code for code in codes if code in summary) for summary in seen] == expected
    assert len(set(seen)) == len(seen)


def test_a_token_counts_until_it_is_revoked(centre):
    token = new_token()
    centre.execute(CreateToken("Rita", (Role.RESEARCHER,), hash_of(token)), actor=SYSTEM)
    bearer = {"Authorization": f"Bearer {token}"}
    with serving(Settings(mode=Mode.TOKEN), service_of(centre)) as address:
        viewer = "{ viewer { name roles } }"
        assert ask(f"http://{address}", viewer, bearer)["data"]["viewer"] == {"name": "Rita", "roles": ["researcher"]}
        assert ask(f"http://{address}", viewer)["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        centre.execute(RevokeToken("Rita"), actor=SYSTEM)
        assert ask(f"http://{address}", viewer, bearer)["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


def test_the_centre_is_ready(local):
    assert httpx2.get(f"{local}/ready").json() == {"ready": True, "problems": []}


PROGRAMMES = "query($status: [ProgrammeStatus!]) { programmes(filter: {status: $status}) { totalCount } }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [("{ programmes(filter: {status: [FOO]}) { totalCount } }", {}), (PROGRAMMES, {"status": ["FOO"]})],
    ids=["literal", "variable"],
)
def test_an_unknown_word_is_refused_with_the_words_there_are(centre, local, query, variables):
    values = ", ".join(service_of(centre).schema.get_type("ProgrammeStatus").values)
    [error] = ask(local, query, **variables)["errors"]
    assert error["message"].endswith(f"'FOO' does not exist in 'ProgrammeStatus' enum. Its values are {values}.")


def test_a_word_that_is_nearly_one_is_answered_with_that_alone(local):
    [error] = ask(local, "{ programmes(filter: {status: [ACTIV]}) { totalCount } }")["errors"]
    assert "Did you mean" in error["message"]
    assert "Its values" not in error["message"]


def test_who_has_no_token_is_not_told_the_words(centre):
    with serving(Settings(mode=Mode.TOKEN), service_of(centre)) as address:
        assert "Its values" not in json.dumps(ask(f"http://{address}", PROGRAMMES, status=["FOO"]))


@pytest.mark.parametrize("query", ["", " \n"])
def test_an_empty_query_is_told_what_to_write(local, query):
    [error] = ask(local, query)["errors"]
    assert error["message"] == "The query is empty; write one such as { viewer { name } }."
    assert error["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
