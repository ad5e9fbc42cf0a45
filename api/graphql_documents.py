"""From a query's text to a document that may be executed: parsed, counted, validated, and remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TokenKind,
    get_operation_ast,
    parse,
    specified_rules,
)

from api.costs import Cost, costs_of, total, values_of
from api.failures import EMPTY
from api.limits import SHOWN, LimitError, Limits, check_cost, check_document, check_text, innermost_first
from api.validation import errors_of

REMEMBERED = 64  # documents; a document is at most a thousand tokens, some 300 KB


class DocumentRefused(Exception):
    """The document cannot be executed; `errors` says why, `clip` whether it holds a text too long to repeat.

    cost: what it would have cost, where that could be counted.
    """

    def __init__(self, errors: Sequence[GraphQLError], *, clip: bool, cost: int | None = None) -> None:
        super().__init__("the document is refused")
        self.errors = errors
        self.clip = clip
        self.cost = cost


class TokenNeeded(Exception):
    """The document asks for something that is not public."""


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A document that is within the limits and valid. `clip`: it holds a text too long to repeat in messages."""

    document: DocumentNode
    clip: bool
    costs: Mapping[int, Cost]

    def cost(self, name: str | None, variables: Mapping[str, Any]) -> int:
        """Return what an operation costs with these variables; the most of all where the name fits none."""
        operations = [node for node in self.document.definitions if isinstance(node, OperationDefinitionNode)]
        named = [n for n, node in enumerate(operations) if name and node.name and node.name.value == name]
        found = (total(self.costs[n], values_of(operations[n], variables)) for n in named or self.costs)
        return max(found, default=0)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to execute.

        Raises:
            DocumentRefused: the name fits none, or is missing where there are several.
        """
        operation = get_operation_ast(self.document, name or None)
        if operation is None:
            message = "The document has no operation of that name." if name else "Say which operation to execute."
            raise DocumentRefused([GraphQLError(message)], clip=False)
        return operation


class Documents:
    """Checks documents against one schema. Everything here is synchronous and belongs on a worker thread."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, public_fields: Iterable[str]) -> None:
        self.schema = schema
        self.limits = limits
        self.public_fields = frozenset(public_fields) | {"__typename"}
        self._remembered: OrderedDict[tuple[str, bool], CheckedDocument] = OrderedDict()
        self._lock = Lock()

    def remembers(self, query: str, *, known: bool) -> bool:
        """Tell whether a query was checked already, so that only its cost is still to be counted."""
        return (query, known) in self._remembered

    def checked(
        self, query: str, *, known: bool, name: str | None = None, variables: Mapping[str, Any] | None = None
    ) -> tuple[CheckedDocument, int]:
        """Return the document of a query and what it costs.

        Args:
            query: GraphQL text.
            known: the client is known to us, and may ask for all fields and for the schema itself.
            name: which of its operations is meant.
            variables: what the request brings; `first: $n` costs by them.

        Raises:
            DocumentRefused: it does not parse, exceeds a limit, or does not fit the schema.
            TokenNeeded: an unknown client asks for what is not public.
        """
        key = (query, known)
        with self._lock:
            found = self._remembered.get(key)
            if found is not None:
                self._remembered.move_to_end(key)
        read = found or self._read(query, name, variables or {})
        cost = read.cost(name, variables or {})
        try:
            check_cost(cost, self.limits)
        except LimitError as error:
            raise DocumentRefused([error], clip=False, cost=cost) from None
        if found is None:
            self._validate(read, cost, known=known)
            with self._lock:
                self._remembered[key] = read
                while len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)
        return read, cost

    def _read(self, query: str, name: str | None, variables: Mapping[str, Any]) -> CheckedDocument:
        """Parse a query, count what it costs, and hold it against the limits of its form."""
        cost = None
        if not query.strip():
            raise DocumentRefused([GraphQLError(EMPTY)], clip=False)
        try:
            check_text(query, self.limits)
            document = parse(query, max_tokens=self.limits.tokens)
            costs = costs_of(self.schema, document, innermost_first(document))
            read = CheckedDocument(document, _holds_long_text(document), costs)
            cost = read.cost(name, variables)
            check_document(document, self.limits)
        except LimitError as error:
            raise DocumentRefused([error], clip=False, cost=cost) from None
        except RecursionError:
            raise DocumentRefused([_too_deep(query, self.limits)], clip=False) from None
        except GraphQLError as error:
            raise DocumentRefused([error], clip=True) from None
        return read

    def _validate(self, read: CheckedDocument, cost: int, *, known: bool) -> None:
        if not known and not _root_fields(read.document) <= self.public_fields:
            raise TokenNeeded
        rules = [*specified_rules] if known else [*specified_rules, NoSchemaIntrospectionCustomRule]
        try:
            errors = errors_of(self.schema, read.document, rules, self.limits.errors, hide_suggestions=not known)
        except RecursionError:
            query = read.document.loc.source.body if read.document.loc else ""
            raise DocumentRefused([_too_deep(query, self.limits)], clip=False, cost=cost) from None
        if errors:
            raise DocumentRefused(errors, clip=read.clip, cost=cost)


def is_query(operation: OperationDefinitionNode) -> bool:
    """Tell whether an operation only reads."""
    return operation.operation is OperationType.QUERY


def is_subscription(operation: OperationDefinitionNode) -> bool:
    """Tell whether an operation asks for a stream."""
    return operation.operation is OperationType.SUBSCRIPTION


def _too_deep(query: str, limits: Limits) -> LimitError:
    """Return the refusal of a document that is nested deeper than it can be read; no document so deep is allowed."""
    depth = most = 0
    for sign in query:
        depth += (sign in "{[(") - (sign in "}])")
        most = max(most, depth)
    message = f"The document is nested too deeply: {most:,} brackets; at most {limits.depth:,} levels are allowed."
    return LimitError(message, limit="depth", requested=most, allowed=limits.depth)


def _holds_long_text(document: DocumentNode) -> bool:
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in (TokenKind.STRING, TokenKind.BLOCK_STRING, TokenKind.INT, TokenKind.FLOAT) and (
            len(token.value or "") > SHOWN
        ):
            return True
        token = token.next
    return False


def _root_fields(document: DocumentNode) -> set[str]:
    """Return the names on the first level of every operation; fragments are known to be free of circles."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    names: set[str] = set()
    seen: set[str] = set()
    stack: list[SelectionSetNode] = [
        node.selection_set for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    while stack:
        for node in stack.pop().selections:
            if isinstance(node, FieldNode):
                names.add(node.name.value)
            elif isinstance(node, FragmentSpreadNode):
                if node.name.value in fragments and node.name.value not in seen:
                    seen.add(node.name.value)
                    stack.append(fragments[node.name.value].selection_set)
            elif (below := getattr(node, "selection_set", None)) is not None:
                stack.append(below)
    return names
