"""Each limit just kept and just exceeded, counted fast however fragments spread each other."""

import time

import pytest
from graphql import get_introspection_query, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from api.limits import LimitError, Limits, check_document
from tests.api.conftest import limited
from tests.api.test_graphql_http import post


def nested(depth: int) -> str:
    return "{" + "a{" * (depth - 1) + "b" + "}" * depth


def chained(levels: int, breadth: int) -> str:
    """Return fragments of which each spreads the next `breadth` times: breadth ** levels fields when written out."""
    fragments = [f"fragment F{n} on Q {{" + f"...F{n + 1} " * breadth + "}" for n in range(levels)]
    return "{ ...F0 } " + " ".join(fragments) + f" fragment F{levels} on Q {{ x }}"


KEPT = [
    nested(12),
    "{a{" + " ".join(f"a{n}: x" for n in range(30)) + "}}",
    "{a " + "@d " * 20 + "}",
    "{" + "x " * 10 + "}",
    "{a{" + "x " * 31 + "}}",
    "{a{" + "...F " * 60 + "}} fragment F on Q {x}",
    " ".join(f"query Q{n}{{a}}" for n in range(5)),
    "query(" + " ".join(f"$v{n}: Int" for n in range(50)) + "){a}",
    get_introspection_query(),
    get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True),
]
EXCEEDED = [
    (nested(13), "13 levels of fields; at most 12"),
    ("{...F} fragment F on Q " + nested(13), "13 levels of fields"),
    ("{a{...F}} fragment F on Q " + nested(12), "13 levels of fields"),
    ("{a{...on Q " + nested(12) + "}}", "13 levels of fields"),
    ("{a{" + " ".join(f"a{n}: x" for n in range(31)) + "}}", "31 aliases; at most 30"),
    ("{a{...F ...F}} fragment F on Q {" + " ".join(f"a{n}: x" for n in range(31)) + "}", "31 aliases"),
    ("{a " + "@d " * 21 + "}", "21 directives; at most 20"),
    ("query @d {a " + "@d " * 20 + "}", "21 directives"),
    ("{...F} fragment F on Q @d {a " + "@d " * 20 + "}", "21 directives"),
    ("query($v: Int " + "@d " * 21 + "){a}", "21 directives"),
    ("{" + "x " * 11 + "}", "11 root fields; at most 10"),
    ("{...F ...F} fragment F on Q {" + "x " * 6 + "}", "12 root fields"),
    ("{a{" + "x " * 32 + "}}", "31 fields repeated side by side; at most 30"),
    ("{a{" + "x: y " * 16 + "}} fragment F on Q {" + "x " * 17 + "}", "31 fields repeated"),
    ("{a{" + "...F " * 61 + "}} fragment F on Q {x}", "61 fragment spreads; at most 60"),
    (" ".join(f"query Q{n}{{a}}" for n in range(6)), "6 operations; at most 5"),
    ("query(" + " ".join(f"$v{n}: Int" for n in range(51)) + "){a}", "51 variables; at most 50"),
    ("{__schema{" + "ofType{" * 16 + "name" + "}" * 17 + "}", "18 levels of introspection; at most 16"),
    ("{...A} fragment A on Q {...B} fragment B on Q {...A}", "spreads itself"),
    ("{a} fragment A on Q {b{...A}}", "spreads itself"),
    (chained(60, 3), "very many root fields"),
]


@pytest.mark.parametrize("query", KEPT)
def test_a_document_at_the_limit_is_let_through(query):
    check_document(parse(query), Limits())


@pytest.mark.parametrize(("query", "message"), EXCEEDED, ids=[message for _, message in EXCEEDED])
def test_a_document_over_a_limit_is_refused_by_name(query, message):
    with pytest.raises(LimitError, match=message) as refused:
        check_document(parse(query), Limits())
    figures = refused.value.extensions
    assert figures.pop("code") == "LIMIT_EXCEEDED"
    assert figures.pop("limit") in {*Limits.__slots__, "circles", "introspection_depth"}
    assert figures["requested"] > figures["allowed"]


HOSTILE = {
    "chained fragments": chained(60, 3),
    "deep fragments": "{...F0}" + " ".join(f"fragment F{n} on Query{{thing{{...F{n + 1}}}}}" for n in range(150)),
    "deep fields": "{thing" * 400,
    "balanced deep fields": nested(490),
    "deep lists": "{echo(text: " + "[" * 450 + "]" * 450 + ")}",
    "deep types": "query($v: " + "[" * 450 + "Int" + "]" * 450 + "){notice}",
    "many tokens": "{" + "notice " * 2000 + "}",
    "many fragments": "{notice}" + " ".join(f"fragment F{n} on Query{{notice}}" for n in range(120)),
    "many variables": "query(" + " ".join(f"$v{n}: Int" for n in range(200)) + "){notice}",
    "introspection rounds": "{__schema{types{fields{type{fields{type{fields{type{fields{type{name}}}}}}}}}}}",
    "long comment": "#" + "x" * 60_000 + "\n{notice}",
    "long text": '{echo(text: "' + "x" * 60_000 + '")}',
    "same fields": "{thing{" + "name " * 980 + "}}",
    "overlapping fragments": "{thing{" + "...F " * 60 + "}} fragment F on Thing{" + "part{name} " * 150 + "}",
    "repeated in the repeated": "{thing{" + ("part{" + "name " * 20 + "} ") * 40 + "}}",
    "nothing": "",
    "a written NUL": '{echo(text: "\\u0000")}',
}
HEAVY = {
    "inline fragments": "{thing{" + "...{name} " * 240 + "}}",
    "fragments alike": "{thing{"
    + " ".join(f"...F{n}" for n in range(60))
    + "}}"
    + " ".join(f"fragment F{n} on Thing{{name part{{name}}}}" for n in range(60)),
    "repeated with parts": "{thing{" + "part{part{part{part{name}}}} " * 31 + "}}",
    "repeated with arguments": "{thing{" + "parts(n: 1){name} " * 31 + "}}",
}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_refused_at_once(client, query):
    before = time.monotonic()
    reply = post(client, query)
    assert time.monotonic() - before < 1
    assert reply.status_code == 200
    assert "data" not in reply.json()
    assert len(reply.json()["errors"]) <= 6


@pytest.mark.parametrize("query", HEAVY.values(), ids=HEAVY)
def test_a_document_that_is_heavy_to_validate_is_answered_in_time(client, query):
    before = time.monotonic()
    assert "data" in post(client, query).json()
    assert time.monotonic() - before < 5  # unlimited, it took minutes


def test_limits_can_be_set(world):
    with limited(world, depth=1) as client:
        assert "data" in post(client, "{notice}").json()
        assert "2 levels of fields" in post(client, "{viewer{name}}").text


def selections(depth: int) -> st.SearchStrategy[str]:
    field = st.just("x")
    if depth == 0:
        return field
    return st.one_of(
        field, st.lists(selections(depth - 1), min_size=1, max_size=3).map(lambda s: "x{" + " ".join(s) + "}")
    )


def depth_of(text: str) -> int:
    level = deepest = 0
    for sign in text:
        level += (sign == "{") - (sign == "}")
        deepest = max(deepest, level)
    return deepest


@settings(max_examples=100, deadline=None)
@given(st.lists(selections(4), min_size=1, max_size=3).map(lambda s: "{" + " ".join(s) + "}"))
def test_depth_is_counted_as_the_braces_say(query):
    check_document(parse(query), Limits(depth=depth_of(query), repeats=10**6))
    with pytest.raises(LimitError):
        check_document(parse(query), Limits(depth=depth_of(query) - 1, repeats=10**6))


def test_wider_limits_are_named():
    assert Limits().loosened() == ()
    assert Limits(depth=10).loosened() == ()
    assert Limits(depth=20, aliases=31).loosened() == (
        "depth is 20, wider than the advised 12",
        "aliases is 31, wider than the advised 30",
    )
