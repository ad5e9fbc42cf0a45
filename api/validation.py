"""Validation of queries by the rules of GraphQL, with nothing visited that no rule looks at.

The rules and what they are told are those of the library; most of what it visits are names, and it visits every
definition once more for the variables in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import Any

from graphql import (
    BREAK,
    SKIP,
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    ParallelVisitor,
    TokenKind,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    VisitorAction,
    visit,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.language.visitor import EnterLeaveVisitor
from graphql.validation.validate import ValidationAbortedError
from graphql.validation.validation_context import VariableUsage, VariableUsageVisitor

_UNSEEN = {"name", "alias", "description"}
KEYS = {kind: tuple(key for key in keys if key not in _UNSEEN) for kind, keys in QUERY_DOCUMENT_KEYS.items()}
"""What is visited of each kind of node: rules read names and aliases off the nodes that have them."""


def errors_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    rules: Collection[type[ASTValidationRule]],
    most: int,
    *,
    hide_suggestions: bool,
) -> list[GraphQLError]:
    """Return what is wrong with a document that is within the limits of its form, at most so many errors and one.

    Raises:
        RecursionError: it is nested too deeply after all.
    """
    errors: list[GraphQLError] = []

    def found(error: GraphQLError) -> None:
        if len(errors) >= most:
            raise ValidationAbortedError("Too many validation errors, error limit reached. Validation aborted.")
        errors.append(error)

    types = TypeInfo(schema)
    context = _Context(schema, document, types, found, hide_suggestions)
    try:
        visit(document, TypeInfoVisitor(types, _Rules([rule(context) for rule in rules])), KEYS)
    except ValidationAbortedError as error:
        errors.append(error.with_traceback(None))
    return errors


# ------------------------------------------------------------ inside


class _Rules(ParallelVisitor):
    """All rules at once; at each kind of node only those are asked that look at it."""

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        known = self.enter_leave_map.get(kind)
        if known is None:
            known = self.enter_leave_map[kind] = self._made(kind)
        return known

    def _made(self, kind: str) -> EnterLeaveVisitor:
        each = [(n, rule.get_enter_leave_for_kind(kind)) for n, rule in enumerate(self.visitors)]
        asked = [(n, both.enter, both.leave) for n, both in each if both.enter or both.leave]
        skipping = self.skipping

        def enter(node: Node, *place: Any) -> None:
            for n, entering, _ in asked:
                if entering and not skipping[n]:
                    said = entering(node, *place)
                    if said is SKIP:
                        skipping[n] = node
                    elif said is BREAK:
                        skipping[n] = BREAK

        def leave(node: Node, *place: Any) -> None:
            for n, _, leaving in asked:
                if skipping[n] is node:
                    skipping[n] = None
                elif leaving and not skipping[n] and leaving(node, *place) is BREAK:
                    skipping[n] = BREAK

        return EnterLeaveVisitor(enter, leave) if asked else EnterLeaveVisitor(None, None)


class _Usages(VariableUsageVisitor):
    """Finds the variables in a definition, looking at no field without any; `places` are those of all of them."""

    def __init__(self, types: TypeInfo, places: Sequence[int]) -> None:
        super().__init__(types)
        self.places = places

    def enter_field(self, node: FieldNode, *_args: Any) -> VisitorAction:
        """Skip a field that has no variable in it."""
        return None if _any_within(node, self.places) else SKIP


class _Context(ValidationContext):
    """What rules are told about a document; variables are looked for only where there are any."""

    _places: list[int] | None = None

    def get_variable_usages(self, node: Any) -> list[VariableUsage]:
        """Return the variables used directly within a definition."""
        usages = self._variable_usages.get(node)
        if usages is None:
            visitor = _Usages(self._type_info, self._places_of_variables())
            if _any_within(node, visitor.places):
                visit(node, TypeInfoVisitor(self._type_info, visitor), KEYS)
            usages = self._variable_usages[node] = visitor.usages
        return usages

    def _places_of_variables(self) -> list[int]:
        if self._places is None:
            self._places = []
            token = self.document.loc.start_token if self.document.loc else None
            while token is not None:
                if token.kind is TokenKind.DOLLAR:
                    self._places.append(token.start)
                token = token.next
        return self._places


def _any_within(node: Node, places: Sequence[int]) -> bool:
    """Tell whether any of the places, in order, lies within a node."""
    assert node.loc is not None, "documents are parsed with locations"
    first = bisect_left(places, node.loc.start)
    return first < len(places) and places[first] < node.loc.end
