"""Who is let in: tokens, local mode, foreign pages, rebound names."""

import pytest

from api.settings import Mode, Settings
from tests.api.conftest import LEAD, client_of
from tests.api.test_graphql_http import post


def test_a_token_stands_for_its_actor(guarded):
    found = post(guarded, "{viewer{name roles}}", headers=LEAD).json()["data"]
    assert found == {"viewer": {"name": "Lea", "roles": ["lead"]}}


@pytest.mark.parametrize(
    "authorization",
    ["Bearer mt_unknown", "Bearer", "Basic bXRfbGVhZA==", "mt_lead", "Bearer mt_lead x", "Bearer " + "x" * 300],
)
def test_a_wrong_token_is_refused_even_for_what_is_public(guarded, authorization):
    reply = post(guarded, "{notice}", headers={"Authorization": authorization})
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert reply.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "mt_unknown" not in reply.text


PRIVATE = [
    "{viewer{name}}",
    "{notice viewer{name}}",
    "{notice: viewer{name}}",
    "{...F} fragment F on Query{...G} fragment G on Query{viewer{name}}",
    "{... on Query{viewer{name}}}",
    "{...{viewer{name}}}",
    "query A{notice} query B{viewer{name}}",
    'mutation{write(text: "x"){number}}',
    "{unknown}",
    "{__schema{types{name}}}",
    '{__type(name: "Query"){name}}',
]


@pytest.mark.parametrize("query", PRIVATE)
def test_without_a_token_only_what_is_public_answers(guarded, world, query):
    reply = post(guarded, query, operationName="A" if "query A" in query else None)
    assert reply.status_code == 401
    assert "data" not in reply.json()
    assert world.events == []


def test_what_is_public_answers_without_a_token(guarded):
    assert post(guarded, "{notice __typename}").json()["data"] == {"notice": "for everybody", "__typename": "Query"}


def test_names_are_suggested_and_the_schema_shown_to_those_with_a_token_only(guarded):
    assert "Did you mean" in post(guarded, "{notic}", headers=LEAD).text
    assert "Did you mean" not in post(guarded, "{notice(x: 1)}").text
    assert post(guarded, "{__schema{queryType{name}}}", headers=LEAD).json()["data"]
    assert guarded.get("/schema.graphql").status_code == 401
    assert guarded.get("/schema.graphql", headers=LEAD).text.startswith("type Query {")


def test_local_mode_needs_no_token_and_acts_as_local(client):
    viewer = post(client, "{viewer{name roles}}").json()["data"]["viewer"]
    assert viewer == {"name": "local", "roles": ["researcher", "pharmacology", "lead", "data protection", "admin"]}


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "unknown"])
def test_local_mode_does_not_answer_other_machines(world, address):
    with client_of(world, address=address) as client:
        assert client.get("/").status_code == 403
        assert post(client, "{notice}").status_code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_local_mode_answers_this_machine(world, address):
    with client_of(world, address=address) as client:
        assert post(client, "{notice}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1.example:8000"},
        {"Host": "localhost.example"},
        {"Host": ""},
        {"Host": "[::1"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"Forwarded": "for=192.0.2.7"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_local_mode_refuses_rebound_names_proxies_and_foreign_pages(client, world, headers):
    reply = post(client, 'mutation{write(text: "x"){number}}', headers=headers)
    assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert world.events == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:8000"},
        {"Host": "LOCALHOST"},
        {"Host": "[::1]:8000"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Host": "localhost:80", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_local_mode_answers_its_own_pages(client, headers):
    assert post(client, "{notice}", headers=headers).status_code == 200


def test_listed_origins_may_call_with_a_token(world):
    portal = {"Origin": "https://portal.example"}
    settings = Settings(mode=Mode.TOKEN, origins=("https://portal.example",))
    with client_of(world, settings) as client:
        preflight = {
            **portal,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        assert client.options("/graphql", headers=preflight).headers["access-control-allow-origin"] == portal["Origin"]
        reply = post(client, "{viewer{name}}", headers={**portal, **LEAD})
        assert reply.json()["data"] == {"viewer": {"name": "Lea"}}
        assert post(client, "{notice}", headers={"Origin": "https://other.example"}).status_code == 403
