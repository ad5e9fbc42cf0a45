"""The pages: nothing from elsewhere, nothing inline, and examples that fit the limits."""

import re

import pytest
from graphql import parse

from api.examples import examples
from api.limits import Limits, check_document
from pipeline.errors import StoreRefused
from tests.api.conftest import LEAD
from tests.api.test_graphql_http import post

SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path", ["/", "/graphiql", "/graphiql/examples.json", "/health", "/schema.graphql", "/nowhere"]
)
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    assert {name: headers.get(name) for name in SECURITY} == SECURITY
    assert headers["cache-control"] == "no-store"
    assert "charset=utf-8" in headers["content-type"]
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/graphiql"])
def test_pages_load_only_from_here_and_have_nothing_inline(client, path):
    html = client.get(path).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert all(address.startswith("/") and not address.startswith("//") for address in loaded)
    for address in loaded:
        assert client.get(address).status_code == 200, address
    assert not re.search(r"<script(?![^>]*src)|<style|\son\w+=|style=", html)
    assert "$" not in re.sub(r"\$\{", "", html)


def test_the_start_page_links_every_example(client):
    html = client.get("/").text
    assert [example.name for example in examples()] == re.findall(r"example=([\w-]+)", html)
    assert {example.who for example in examples()} >= {"Researcher", "Pharmacology", "Programme lead"}
    assert client.get("/graphiql/examples.json").json()[0]["query"] == examples()[0].query


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_examples_are_within_the_limits(example):
    check_document(parse(example.query, max_tokens=Limits().tokens), Limits())


def test_pages_of_token_mode_ask_for_a_token(guarded):
    assert "moltrail token create" in guarded.get("/").text
    assert 'data-mode="token"' in guarded.get("/graphiql").text


def test_the_schema_is_served_as_text(client):
    reply = client.get("/schema.graphql")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert "type Mutation {" in reply.text


def test_health_lives_whatever_the_store_does_and_ready_says_what_is_wrong(guarded, world):
    assert guarded.get("/ready").json() == {"ready": True, "problems": 0}
    world.problems.append("The chain is broken at act 7.")
    assert guarded.get("/health").json()["status"] == "ok"
    unknown = guarded.get("/ready")
    assert (unknown.status_code, unknown.json()) == (503, {"ready": False, "problems": 1})
    world.problems = StoreRefused("The file is damaged.")
    assert guarded.get("/ready", headers=LEAD).json() == {"ready": False, "problems": ["The file is damaged."]}
    world.problems = ["The chain is broken at act 7."]
    known = guarded.get("/ready", headers=LEAD)
    assert known.json() == {"ready": False, "problems": ["The chain is broken at act 7."]}
    assert post(guarded, "{notice}").status_code == 200
