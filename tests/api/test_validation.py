"""What is wrong with a document is what the library says, in the same words and places."""

from __future__ import annotations

import random
import re

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, parse, specified_rules, validate
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.validation import errors_of
from schema import SCHEMA
from tests.graphql.planned.queries import document

SCHEMA_ = SCHEMA.graphql_schema
TOLD = 20
WRONG = [
    "{ molecules { nodes { nothing } } }",
    "{ molecules { nodes } }",
    "{ molecule(code: 5) { code { x } } }",
    "query ($id: ID!, $id: String, $unused: Int) { molecule(id: $id, code: $none, code: $id) { code } }",
    "query ($n: String) { molecules(first: $n) { nodes { ...F studies(first: $n) { totalCount } } } }"
    " fragment F on Molecule { code monitoring(first: $other) { totalCount } }",
    "{ molecules { nodes { ...None } } }",
    "{ node(id: 1) { ... on Molecule { code } ... on Absent { code } ... on PageInfo { endCursor } } }",
    "{ a: molecule(code: 1) { id } a: study(code: 2) { id } } fragment Unused on Molecule { code }",
    "{ molecules @include @include(if: true) @skip(if: $v) @nothing { totalCount } }",
    "query A { sites { code } } query A { sites { code } } { sites { code } }",
    "fragment A on Molecule { ...B } fragment B on Molecule { ...A } { molecules { nodes { ...A } } }",
    'mutation { createMolecule(input: { code: "x", code: "y", nothing: 1 }) { molecule { id } } }',
    "subscription { a: __typename b: __typename }",
    "query ($m: Molecule, $x: Absent) { sites { code } } type T { a: Int }",
    "{ " + " ".join(f"wrong{n}" for n in range(40)) + " }",
]


def told(errors: list[GraphQLError]) -> list[tuple[str, object]]:
    """Return errors as messages and places."""
    return [(error.message, error.locations) for error in errors]


def compared(text: str) -> int:
    """Hold what is found against what the library finds; return how many errors there are."""
    read = parse(text)
    for hide in (False, True):
        expected = validate(SCHEMA_, read, specified_rules, TOLD, hide_suggestions=hide)
        assert told(errors_of(SCHEMA_, read, specified_rules, TOLD, hide_suggestions=hide)) == told(expected), text
    return len(expected)


@pytest.mark.parametrize("text", WRONG)
def test_wrong_documents_are_wrong_in_the_same_way(text: str):
    assert compared(text) > 0


@settings(max_examples=60, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**63))
def test_documents_with_some_words_changed_are_judged_alike(seed: int):
    chance = random.Random(seed)
    text, _ = document(chance)
    compared(text)
    words = re.findall(r"\w+|\W+", text)
    for _ in range(3):
        one, other = chance.randrange(len(words)), chance.randrange(len(words))
        words[one] = chance.choice([words[other], "", "$lost", "code"])
        try:
            parse("".join(words))
        except GraphQLSyntaxError:
            continue
        compared("".join(words))
