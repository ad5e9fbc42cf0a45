"""The variables of requests, read by what was worked out once for a document.

GraphQL's own reading looks every type up and counts every place for each request, which takes longer than planning.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    get_operation_ast,
    is_leaf_type,
    type_from_ast,
)

_KEPT = 128  # documents

Read = Callable[[Any], Any]


class Unusual(Exception):
    """Not read here: a value that is refused, left out where there is a default, or an input object."""


@dataclass(frozen=True, slots=True)
class Known:
    """An operation of a document, with its fragments and what reads each of its variables."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: tuple[tuple[str, Read, bool], ...]
    """Each with whether it may be left out."""

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the variables as GraphQL reads them.

        Raises:
            Unusual: GraphQL itself has to read them.
        """
        found = {}
        for name, read, may_be_left_out in self.variables:
            if name in given:
                found[name] = read(given[name])
            elif not may_be_left_out:
                raise Unusual
        return found


_known: OrderedDict[tuple[int, str | None], Known] = OrderedDict()


def known_operation(schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Known:
    """Return the operation of a document that a request means.

    Raises:
        Unusual: there is none, or it takes an input object.
    """
    key = (id(document), name)
    found = _known.get(key)
    if found is None or found.document is not document:
        operation = get_operation_ast(document, name)
        if operation is None:
            raise Unusual
        fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        variables = tuple(_variable(schema, one) for one in operation.variable_definitions)
        found = _known[key] = Known(document, operation, fragments, variables)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


def _variable(schema: GraphQLSchema, definition: VariableDefinitionNode) -> tuple[str, Read, bool]:
    kind = type_from_ast(schema, definition.type)
    may_be_left_out = definition.default_value is None and not isinstance(kind, GraphQLNonNull)
    return definition.variable.name.value, _reading(kind), may_be_left_out


def _reading(kind: Any) -> Read:
    if isinstance(kind, GraphQLNonNull):
        inner = _reading(kind.of_type)

        def required(value: Any) -> Any:
            if value is None:
                raise Unusual
            return inner(value)

        return required
    if isinstance(kind, GraphQLList):
        item = _reading(kind.of_type)

        def each(value: Any) -> Any:
            if value is not None and type(value) is not list:
                raise Unusual
            return None if value is None else [item(one) for one in value]

        return each
    if not is_leaf_type(kind):
        raise Unusual
    return _leaf(cast(GraphQLLeafType, kind))


def _leaf(kind: GraphQLLeafType) -> Read:
    def read(value: Any) -> Any:
        if value is None:
            return None
        try:
            found = kind.parse_value(value)
        except Exception as error:
            raise Unusual from error
        if found is Undefined:
            raise Unusual
        return found

    return read
