"""Planned answers against those of the plain executor."""

from __future__ import annotations

import os
import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.graphql.conftest import Api
from tests.graphql.planned.queries import document

EXAMPLES = int(os.environ.get("MOLTRAIL_TEST_EXAMPLES", "40"))


def canonical(result: Any) -> bytes:
    """Return a result as bytes that are the same for the same data, with its errors and where they stand."""
    errors = sorted((error.message, list(error.path or ())) for error in result.errors or ())
    return orjson.dumps([numbered(result.data), errors], option=orjson.OPT_SORT_KEYS)


def numbered(data: Any) -> Any:
    """Return an answer with all its numbers as doubles: JSON tells 5 and 5.0 apart as little as GraphQL does."""
    if isinstance(data, dict):
        return {key: numbered(value) for key, value in data.items()}
    if isinstance(data, list):
        return [numbered(value) for value in data]
    return float(data) if type(data) is int else data


# A smaller example is found by hand: shrinking draws of chance takes minutes, and so chance has a seed of its own.
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**63))
def test_planned_and_plain_answers_are_the_same_for_any_query(records: Api, seed: int):
    text, variables = document(random.Random(seed))
    planned = records.result(text, **variables)
    plain = records.result(text, plain=True, **variables)
    assert canonical(planned) == canonical(plain), text
    assert list_of_keys(planned.data) == list_of_keys(plain.data)
    assert not any(isinstance(error.original_error, LookupError | AttributeError) for error in plain.errors or ()), text


def list_of_keys(data: Any) -> Any:
    """Return the keys of an answer in their order."""
    if isinstance(data, dict):
        return [(key, list_of_keys(value)) for key, value in data.items()]
    return [list_of_keys(value) for value in data] if isinstance(data, list) else None


@pytest.mark.parametrize(
    "text",
    [
        '{ alerts(kinds: [], open: true, study: "U3R1ZHk.2") { totalCount nodes { kind } } }',
        '{ alerts(kinds: [MARGIN_CROSSED], open: true, study: "U3R1ZHk.2") { totalCount nodes { kind } } }',
        r"""{ study(id: "U3R1ZHk.2") { monitoring(analyte: "\u0000", state: VERIFIED) { totalCount } } }""",
        r"""query($of: String) { study(id: "U3R1ZHk.2") { monitoring(analyte: $of, flagged: true) { totalCount } } }""",
    ],
)
def test_a_condition_that_is_never_met_swallows_no_other(records: Api, text: str):
    for of in (None, "parent", "\0", "parent"):  # what is kept for one is not taken for another
        planned, plain = (records.result(text, plain=plain, of=of) for plain in (False, True))
        assert planned.errors is None
        assert canonical(planned) == canonical(plain)


@pytest.mark.parametrize("below", ["evidence { label node { id } }", "outcome", "stage"])
def test_what_a_field_may_not_be_is_told_as_the_plain_executor_tells_it(records: Api, below: str):
    """Among records that no answer can show, a link of another record's that leads nowhere, and a JSON null."""
    text = f"{{ programmes(first: 100) {{ nodes {{ checkpoints(first: 100) {{ nodes {{ {below} }} }} }} }} }}"
    assert canonical(records.result(text)) == canonical(records.result(text, plain=True))
