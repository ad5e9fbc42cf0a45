"""Variables read by what is known of a document are those GraphQL itself reads, or are left to it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from graphql import get_operation_ast, parse
from graphql.execution.values import get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from schema import SCHEMA
from schema.variables import Unusual, known_operation

GRAPHQL = SCHEMA.graphql_schema
TYPES = ["String", "ID", "Int", "Float", "Boolean", "Date", "DateTime", "PartialDateTime", "JSON", "Verdict"]
WRAPPED = ["{}", "{}!", "[{}]", "[{}!]", "[{}!]!", "[[{}]!]"]
DOCUMENTS = {
    kind: parse(f"query One($v: {kind}) {{ __typename }} query Default($v: {kind.rstrip('!')} = null) {{ __typename }}")
    for name in TYPES
    for kind in (wrapped.format(name) for wrapped in WRAPPED)
}
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),
    st.text(max_size=4),
    st.sampled_from(["GO", "STOP", "2024-02-29", "2024-02", "2024-02-29T12:00:00Z", "2024-02-30", "1", "true"]),
)
values = st.recursive(leaves, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=2), below))


def read_by_graphql(document: Any, name: str, variables: dict[str, Any]) -> Any:
    """Return the values, or a list of what is wrong."""
    operation = get_operation_ast(document, name)
    assert operation is not None
    return get_variable_values(GRAPHQL, operation.variable_definitions, variables)


@given(kind=st.sampled_from(list(DOCUMENTS)), name=st.sampled_from(["One", "Default"]), value=values, left_out=...)
def test_values_are_read_as_graphql_reads_them(kind: str, name: str, value: Any, left_out: bool):
    variables = {} if left_out else {"v": value}
    expected = read_by_graphql(DOCUMENTS[kind], name, variables)
    try:
        found = known_operation(GRAPHQL, DOCUMENTS[kind], name).values(variables)
    except Unusual:
        return
    assert repr(found) == repr(expected)  # 1, 1.0 and true are not the same answer


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String!", "a"),
        ("[String!]!", ["a", "b"]),
        ("Int", 3),
        ("Float", 0.1),
        ("[ID]", [None, "x"]),
        ("DateTime", "2024-02-29T12:00:00Z"),
        ("Verdict!", "GO"),
        ("Boolean", None),
    ],
)
def test_what_is_usual_is_read_here(kind: str, value: Any):
    variables = {"v": value}
    found = known_operation(GRAPHQL, DOCUMENTS[kind], "One").values(variables)
    assert found == read_by_graphql(DOCUMENTS[kind], "One", variables)


@pytest.mark.parametrize(
    ("kind", "variables"),
    [
        ("String!", {}),
        ("String!", {"v": None}),
        ("Int", {"v": 2**31}),
        ("Int", {"v": "3"}),
        ("Float", {"v": math.inf}),
        ("[String!]!", {"v": "a"}),  # one value is a list of it
        ("[String!]!", {"v": [None]}),
        ("Verdict", {"v": "PERHAPS"}),
    ],
)
def test_the_rest_is_left_to_graphql(kind: str, variables: dict[str, Any]):
    with pytest.raises(Unusual):
        known_operation(GRAPHQL, DOCUMENTS[kind], "One").values(variables)


@pytest.mark.parametrize("name", ["Other", None])
def test_an_operation_nobody_named_is_left_to_graphql(name: str | None):
    with pytest.raises(Unusual):
        known_operation(GRAPHQL, DOCUMENTS["Int"], name)


def test_an_input_object_is_left_to_graphql():
    with pytest.raises(Unusual):
        known_operation(GRAPHQL, parse("query One($f: PortfolioFilter) { __typename }"), "One")
