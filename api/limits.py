"""How much one request may ask for, counted on the parsed document in linear time, before it is validated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    TokenKind,
)

INTROSPECTION_DEPTH = 16  # what the usual introspection query needs: nine ofType below fields, args and type
HIGHEST = 10**15  # no figure of a refusal is higher
# What a lexer of GraphQL counts as one: texts, names and numbers, punctuation; comments, caught apart, do not count.
_TOKEN = re.compile(
    r'(#[^\n\r]*+)|"""(?:[^"\\]|\\"""|\\|"(?!""))*+(?:""")?|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|[A-Za-z_]\w*+|-?[0-9][0-9.eE+-]*+|\.\.\.|[^\s,\ufeff#]",
    re.ASCII,
)
SHOWN = 100  # no value of a caller is sent back beyond this many characters


@dataclass(frozen=True, slots=True)
class Limits:
    """Every figure is a maximum; the defaults are meant to be tightened, never loosened without a thought."""

    body_bytes: int = 100_000
    records_bytes: int = 5_000_000  # of a body from somebody who may log records: ten thousand of them
    upload_bytes: int = 64_000_000
    answer_bytes: int = 1_000_000
    tokens: int = 1_000
    characters: int = 50_000
    json_depth: int = 32
    cost: int = 50_000
    depth: int = 12
    aliases: int = 30
    directives: int = 20
    root_fields: int = 10
    spreads: int = 60
    repeats: int = 30
    operations: int = 5
    variables: int = 50
    errors: int = 5
    request_seconds: int = 5
    upload_seconds: int = 120
    waiting_uploads: int = 10
    waiting_requests: int = 100
    streams: int = 200
    sockets: int = 200
    socket_operations: int = 50
    socket_message_bytes: int = 64_000

    def loosened(self) -> tuple[str, ...]:
        """Return one sentence for each limit that is wider than its default."""
        return tuple(
            f"{field.name} is {getattr(self, field.name)}, wider than the advised {field.default}"
            for field in fields(self)
            if getattr(self, field.name) > field.default
        )


class LimitError(GraphQLError):
    """The document asks for more than one request may; the figures say how much, of what, and how much may be."""

    def __init__(self, message: str, *, limit: str, requested: int, allowed: int) -> None:
        figures = {"limit": limit, "requested": min(requested, HIGHEST), "allowed": allowed}
        super().__init__(message, extensions={"code": "LIMIT_EXCEEDED", **figures})


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document that is too deep, too wide, or whose fragments run in a circle.

    Each definition is walked once. What a fragment holds is remembered and added wherever it is spread, so the time is
    linear in the length of the document however often fragments spread each other.

    Raises:
        LimitError: naming the limit, what was found and what is allowed.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    _refuse_above("operations", len(operations), limits.operations)
    for operation in operations:
        _refuse_above("variables", len(operation.variable_definitions), limits.variables)
    _check_tokens(document)
    written = _Size()
    sizes: dict[str, _Size] = {}
    for fragment in innermost_first(document):
        size = _size(fragment.selection_set, sizes)
        sizes[fragment.name.value] = size
        written.add(size)
        written.directives += len(fragment.directives)
    for operation in operations:
        size = _size(operation.selection_set, sizes)
        written.add(size)
        written.directives += len(operation.directives)
        written.directives += sum(len(variable.directives) for variable in operation.variable_definitions)
        _refuse_above("levels of fields", size.depth, limits.depth, "depth")
        _refuse_above("levels of introspection", size.introspection_depth, INTROSPECTION_DEPTH, "introspection_depth")
        _refuse_above("root fields", size.width, limits.root_fields, "root_fields")
    _refuse_above("aliases", written.aliases, limits.aliases)
    _refuse_above("directives", written.directives, limits.directives)
    _refuse_above("fragment spreads", written.spreads, limits.spreads, "spreads")
    _refuse_above("fields repeated side by side", written.repeats, limits.repeats, "repeats")


@dataclass(slots=True)
class _Size:
    """What one selection set holds.

    Fragments included: depth, levels of ordinary fields; introspection_depth, levels below and including __schema or
    __type; width, fields on the first level. Counted only where they are written: aliases, directives, spreads, and
    repeats, fields that stand again beside one of the same name, which take long to validate.
    """

    depth: int = 0
    introspection_depth: int = 0
    width: int = 0
    aliases: int = 0
    directives: int = 0
    spreads: int = 0
    repeats: int = 0

    def add(self, other: _Size) -> None:
        """Add what is counted where it is written."""
        self.aliases += other.aliases
        self.directives += other.directives
        self.spreads += other.spreads
        self.repeats += other.repeats


def _size(selections: SelectionSetNode, fragments: dict[str, _Size]) -> _Size:
    """Measure one selection set without recursion; `fragments` holds the sizes of all it spreads."""
    size = _Size()
    stack = [(selections, 0, 0)]  # a selection set, the ordinary and the introspection levels above it
    while stack:
        current, depth, introspection = stack.pop()
        first_level = depth == introspection == 0
        keys: set[str] = set()
        for node in current.selections:
            size.directives += len(node.directives)
            if isinstance(node, FragmentSpreadNode):
                size.spreads += 1
                spread = fragments.get(node.name.value)
                if spread is None:  # unknown: validation names it
                    continue
                ordinary, inside = (0, introspection + spread.depth) if introspection else (depth + spread.depth, 0)
                size.depth = max(size.depth, ordinary)
                size.introspection_depth = max(size.introspection_depth, inside, spread.introspection_depth)
                size.width += spread.width if first_level else 0
            elif isinstance(node, InlineFragmentNode):
                stack.append((node.selection_set, depth, introspection))
            elif isinstance(node, FieldNode):
                size.aliases += node.alias is not None
                size.width += first_level
                key = (node.alias or node.name).value
                size.repeats += key in keys
                keys.add(key)
                introspects = introspection > 0 or node.name.value in ("__schema", "__type")
                levels = (depth, introspection + 1) if introspects else (depth + 1, 0)
                size.depth = max(size.depth, levels[0])
                size.introspection_depth = max(size.introspection_depth, levels[1])
                if node.selection_set is not None:
                    stack.append((node.selection_set, *levels))
    return size


def innermost_first(document: DocumentNode) -> Iterator[FragmentDefinitionNode]:
    """Yield the fragments of a document so that each comes after all it spreads.

    Raises:
        LimitError: they run in a circle.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    done: set[str] = set()
    for root in fragments:
        path = [(root, _spreads(fragments[root]))] if root not in done else []
        on_path = {root}
        while path:
            name, spreads = path[-1]
            for spread in spreads:
                if spread in on_path:
                    message = f"Fragment '{spread[:SHOWN]}' spreads itself; take the circle out."
                    raise LimitError(message, limit="circles", requested=1, allowed=0)
                if spread in fragments and spread not in done:
                    path.append((spread, _spreads(fragments[spread])))
                    on_path.add(spread)
                    break
            else:
                path.pop()
                on_path.discard(name)
                done.add(name)
                yield fragments[name]


def _spreads(fragment: FragmentDefinitionNode) -> Iterator[str]:
    stack: list[Node] = [fragment.selection_set]
    while stack:
        node = stack.pop()
        if isinstance(node, FragmentSpreadNode):
            yield node.name.value
        elif isinstance(node, SelectionSetNode):
            stack.extend(node.selections)
        elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set is not None:
            stack.append(node.selection_set)


def _check_tokens(document: DocumentNode) -> None:
    """Refuse overlong names, which would come back as keys of the answer and inside messages, and NUL characters."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        value = token.value or ""
        if token.kind is TokenKind.NAME and len(value) > SHOWN:
            message = f"A name has {len(value)} characters; at most {SHOWN} are allowed."
            raise LimitError(message, limit="name", requested=len(value), allowed=SHOWN)
        if "\0" in value:
            raise LimitError("A text of the document holds a NUL character.", limit="nul", requested=1, allowed=0)
        token = token.next


def check_text(query: str, limits: Limits) -> None:
    """Refuse a document that is too long, in characters or in tokens, before it is parsed.

    Raises:
        LimitError: with what was found and what is allowed.
    """
    _refuse_above("characters", len(query), limits.characters)
    _refuse_above("tokens", sum(found.lastindex is None for found in _TOKEN.finditer(query)), limits.tokens)


def check_cost(cost: int, limits: Limits) -> None:
    """Refuse a request whose answer could hold too much.

    Raises:
        LimitError: with the cost and what is allowed.
    """
    if cost > limits.cost:
        counted = f"{cost:,}" if cost < 10**9 else "very much"
        message = (
            f"The request costs {counted}, one for each object its answer can hold and more for what has to be worked "
            f"out; at most {limits.cost:,} is allowed. Ask for fewer rows at once (first), or for less below them."
        )
        raise LimitError(message, limit="cost", requested=cost, allowed=limits.cost)


def _refuse_above(what: str, found: int, allowed: int, limit: str | None = None) -> None:
    if found > allowed:
        counted = f"{found:,}" if found < 10**9 else "very many"
        message = f"The request has {counted} {what}; at most {allowed:,} are allowed."
        raise LimitError(message, limit=limit or what, requested=found, allowed=allowed)
