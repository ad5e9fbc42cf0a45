"""From a query's text to a document that may be executed: parsed, counted, validated, and remembered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

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
    validate,
)

from api.limits import SHOWN, LimitError, Limits, check_document

REMEMBERED = 64  # documents; a document is at most a thousand tokens, some 300 KB


class DocumentRefused(Exception):
    """The document cannot be executed; `errors` says why, `clip` whether it holds a text too long to repeat."""

    def __init__(self, errors: Sequence[GraphQLError], *, clip: bool) -> None:
        super().__init__("the document is refused")
        self.errors = errors
        self.clip = clip


class TokenNeeded(Exception):
    """The document asks for something that is not public."""


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A document that is within the limits and valid. `clip`: it holds a text too long to repeat in messages."""

    document: DocumentNode
    clip: bool

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
        self._remembered = lru_cache(REMEMBERED)(self._checked)

    def checked(self, query: str, *, known: bool) -> CheckedDocument:
        """Return the document of a query.

        Args:
            query: GraphQL text.
            known: the client is known to us, and may ask for all fields and for the schema itself.

        Raises:
            DocumentRefused: it does not parse, exceeds a limit, or does not fit the schema.
            TokenNeeded: an unknown client asks for what is not public.
        """
        return self._remembered(query, known)

    def _checked(self, query: str, known: bool) -> CheckedDocument:
        document = self._parsed(query)
        clip = _holds_long_text(document)
        try:
            check_document(document, self.limits)
            if not known and not _root_fields(document) <= self.public_fields:
                raise TokenNeeded
            rules = [*specified_rules] if known else [*specified_rules, NoSchemaIntrospectionCustomRule]
            errors = validate(self.schema, document, rules, self.limits.errors, hide_suggestions=not known)
        except LimitError as error:
            raise DocumentRefused([error], clip=False) from None
        except RecursionError:
            raise DocumentRefused([LimitError("The document is nested too deeply.")], clip=False) from None
        if errors:
            raise DocumentRefused(errors, clip=clip)
        return CheckedDocument(document, clip)

    def _parsed(self, query: str) -> DocumentNode:
        if len(query) > self.limits.characters:
            found = f"The query has {len(query):,} characters; at most {self.limits.characters:,} are allowed."
            raise DocumentRefused([LimitError(found)], clip=False)
        try:
            return parse(query, max_tokens=self.limits.tokens)
        except RecursionError:
            raise DocumentRefused([LimitError("The document is nested too deeply.")], clip=False) from None
        except GraphQLError as error:
            raise DocumentRefused([error], clip=True) from None


def is_query(operation: OperationDefinitionNode) -> bool:
    """Tell whether an operation only reads."""
    return operation.operation is OperationType.QUERY


def is_subscription(operation: OperationDefinitionNode) -> bool:
    """Tell whether an operation asks for a stream."""
    return operation.operation is OperationType.SUBSCRIPTION


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
