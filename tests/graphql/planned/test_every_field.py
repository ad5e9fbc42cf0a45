"""Every field of every record: the planned answer is the plain one."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type

from schema import SCHEMA
from schema.node import global_id
from tests.graphql.conftest import Api
from tests.graphql.planned.queries import NODES, SELDOM
from tests.graphql.planned.test_answers import canonical

TYPES = SCHEMA.graphql_schema.type_map


def everything(kind: Any, depth: int) -> str:
    """Return a selection of all fields of a type, and of all plain fields of what hangs on it."""
    if isinstance(kind, GraphQLInterfaceType):
        return "{ __typename id }"
    assert isinstance(kind, GraphQLObjectType)
    parts = ["__typename"]
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if is_leaf_type(below):
            parts += [] if name in SELDOM else [name]
        elif depth or is_plain(below):
            parts.append(f"{name}{'(first: 3)' if 'first' in field.args else ''} {everything(below, depth - 1)}")
    return f"{{ {' '.join(parts)} }}"


def is_plain(kind: Any) -> bool:
    """Tell whether a type is a part of something else, as a page's edges are, or holds nothing further."""
    if not isinstance(kind, GraphQLObjectType):
        return False
    part = kind.name.endswith(("Connection", "Edge")) or kind.name in ("PageInfo", *NODES)
    return not part and all(is_leaf_type(get_named_type(field.type)) for field in kind.fields.values())


@pytest.mark.parametrize("node", NODES)
def test_all_fields_of_a_record_are_planned_as_they_are_read(records: Api, node: str):
    depth = 2 if node in ("Molecule", "Study", "Subject") else 1
    document = f"query Read($id: ID!) {{ node(id: $id) {{ ... on {node} {everything(TYPES[node], depth)} }} }}"
    for number in (1, 2, 3):
        planned = records.result(document, id=global_id(node, number))
        plain = records.result(document, id=global_id(node, number), plain=True)
        assert canonical(planned) == canonical(plain)
