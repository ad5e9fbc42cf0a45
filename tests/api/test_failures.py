"""What a client hears of refusals and of bugs: enough to act on, nothing of the inside."""

import logging
import re

import pytest

from tests.api.conftest import LEAD
from tests.api.test_graphql_http import post


def errors_of(client, query, **parameters):
    return post(client, query, **parameters).json()["errors"]


def test_a_bug_is_a_reference_for_the_client_and_the_whole_story_in_the_log(client, caplog):
    with caplog.at_level(logging.ERROR, "moltrail.api"):
        reply = post(client, "{broken}")
    (error,) = reply.json()["errors"]
    reference = error["extensions"]["reference"]
    assert re.fullmatch(r"[0-9A-F]{8}", reference)
    assert error["message"] == f"Internal error, reference {reference}"
    assert error["extensions"] == {"code": "INTERNAL", "reference": reference}
    assert error["path"] == ["broken"]
    assert "swordfish" not in reply.text
    assert reference in caplog.text
    assert "swordfish" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("query", ["{unfit}", '{echo(day: "bug")}', "query($d: Day){echo(day: $d)}"])
def test_a_bug_in_a_scalar_is_masked_too(client, query):
    reply = post(client, query, variables={"d": "bug"})
    assert "secret" not in reply.text
    assert "errors" in reply.json() or reply.json()["data"] == {"unfit": None}


def test_a_scalar_that_refuses_says_why(client):
    for query in ('{echo(day: "x")}', "query($d: Day){echo(day: $d)}"):
        assert "Write a day as 2021-03-09" in errors_of(client, query, variables={"d": "x"})[0]["message"]


@pytest.mark.parametrize(
    ("how", "extensions"),
    [
        ("input", [{"code": "INVALID_INPUT", "inputPath": ["input", "code"]}]),
        ("permission", [{"code": "NOT_PERMITTED", "permission": "move programmes"}]),
        ("stale", [{"code": "STALE_VERSION", "currentVersion": 7}]),
        ("several", [{"code": "INVALID_INPUT"}, {"code": "INVALID_INPUT"}]),
    ],
)
def test_refusals_of_the_domain_keep_their_words_and_codes(client, how, extensions):
    errors = errors_of(client, "query($how: String!){refused(how: $how)}", variables={"how": how})
    assert [error["extensions"] for error in errors] == extensions
    assert all(error["path"] == ["refused"] for error in errors)


def test_what_is_unmet_is_listed(client):
    (error,) = errors_of(client, '{refused(how: "unmet")}')
    assert error["extensions"]["unmet"] == [
        {
            "criterion": "noael",
            "required": "a NOAEL",
            "found": None,
            "explanation": "No toxicity study is done.",
        }
    ]


def test_a_store_that_does_not_answer_is_said_with_its_code(client, guarded, world):
    world.unavailable = True
    (error,) = errors_of(client, "{notice}")
    assert (error["message"], error["extensions"]) == ("The store does not answer; try again.", {"code": "UNAVAILABLE"})
    reply = post(guarded, "{notice}", headers=LEAD)
    assert (reply.status_code, reply.json()["errors"][0]["extensions"]) == (503, {"code": "UNAVAILABLE"})


LONG = "A" * 5000
ECHOES = [
    ("{" + LONG + "}", {}),
    ('{echo(number: "' + LONG + '")}', {}),
    ('{echo(text: """' + LONG + '""" number: "x")}', {}),
    ("{echo(number: " + "9" * 5000 + ")}", {}),
    ("{echo(colour: " + LONG + ")}", {}),
    ("query($n: Int){echo(number: $n)}", {"n": LONG}),
    ("query($n: Int){echo(number: $n)}", {"n": ["A'\"" * 2000]}),
    ("query($n: Int){echo(number: $n)}", {"n": {LONG: 1}}),
    ("query($c: Colour){echo(colour: $c)}", {"c": LONG}),
    ("{notice " + LONG, {}),
    ('{notice "' + LONG, {}),
    ("{notice @" + LONG + "}", {}),
    ("query($" + LONG + ": Int){notice}", {}),
    ("{...on " + LONG + "{notice}}", {}),
]


@pytest.mark.parametrize(("query", "variables"), ECHOES)
def test_no_value_of_the_caller_comes_back_beyond_100_characters(client, query, variables):
    reply = post(client, query, variables=variables)
    assert "errors" in reply.json()
    assert not re.search(r"A{101}|9{101}", reply.text)
    assert reply.text.count("A") <= 300
    assert len(reply.text) < 2000


def test_a_name_over_100_characters_is_refused(client):
    assert post(client, "{" + "a" * 100 + ": notice}").json()["data"] == {"a" * 100: "for everybody"}
    (error,) = errors_of(client, "{" + "a" * 101 + ": notice}")
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_a_list_of_failures_is_told_as_a_few(client):
    errors = errors_of(client, "{allBroken(n: 500){name}}")
    assert len(errors) == 101
    assert errors[-1]["message"] == "400 more errors."


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/static/../app.py", 404), ("PUT", "/graphql", 405), ("POST", "/", 405)],
)
def test_pages_that_are_not_there_answer_in_json(client, method, path, status):
    reply = client.request(method, path)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert set(reply.json()) == {"errors"}


def test_a_bug_outside_of_graphql_is_masked_in_json(client, world, caplog):
    world.problems = None  # no list: the self-check breaks
    with caplog.at_level(logging.ERROR, "moltrail.api"):
        reply = client.get("/ready")
    assert reply.status_code == 500
    assert re.fullmatch("Internal error, reference [0-9A-F]{8}", reply.json()["errors"][0]["message"])
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "NoneType" in caplog.text
    assert "NoneType" not in reply.text
