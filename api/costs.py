"""What a request costs, counted on its document before it is validated, in time linear in its length.

A request costs one for every object its answer can hold: a page counts as many as `first` or `last` asks for, a list
without pages as many as are usual, an object below is counted once for each above it. Values in columns are free;
fields that take more than a look-up say so. Each fragment is counted once and multiplied wherever it is spread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

USUAL_PAGE = 25
USUAL_LIST = 5
INTROSPECTION = 100
HIGHEST = 10**15  # what is beyond counts as this much


@dataclass(frozen=True, slots=True)
class Said:
    """How many rows an argument asks for: by a variable, or the most of several arguments."""

    sources: tuple[int | str, ...]
    usual: int

    def of(self, values: Mapping[str, Any]) -> int:
        """Return how many, with the values of variables."""
        return max(self.usual_of(one if isinstance(one, int) else values.get(one)) for one in self.sources)

    def usual_of(self, value: Any) -> int:
        """Return how many a value asks for; of what cannot be meant, validation tells."""
        if isinstance(value, list):
            return len(value)
        return max(0, value) if type(value) is int else self.usual


Size = int | Said


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """A cost that hangs on variables: a part that does not, and sizes times costs."""

    fixed: int
    parts: Sequence[tuple[Size, Cost]]


Cost = int | Sum


class Counted(NamedTuple):
    """The cost of a selection set: what counts once, and, in a connection, what counts for every row of the page."""

    once: Cost
    a_row: Cost


def costs_of(
    schema: GraphQLSchema, document: DocumentNode, innermost_first: Iterator[FragmentDefinitionNode]
) -> dict[int, Cost]:
    """Return the cost of each operation of a document, by its place; fragments come after all that they spread."""
    fragments: dict[str, Counted] = {}
    for fragment in innermost_first:
        kind = schema.get_type(fragment.type_condition.name.value)
        fragments[fragment.name.value] = _counted(schema, fragment.selection_set, kind, fragments)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return {
        n: _counted(schema, node.selection_set, schema.get_root_type(node.operation), fragments).once
        for n, node in enumerate(operations)
    }


def total(cost: Cost, values: Mapping[str, Any]) -> int:
    """Return what a cost comes to with the values of variables; a cost shared by several is worked out once."""
    return cost if isinstance(cost, int) else min(_total(cost, values, {}), HIGHEST)


def values_of(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an operation's variables, or their defaults, as far as they can be numbers of rows."""
    values = {
        definition.variable.name.value: _value(definition.default_value)
        for definition in operation.variable_definitions
        if definition.default_value is not None
    }
    return values | dict(variables)


# ------------------------------------------------------------ inside


def _total(cost: Sum, values: Mapping[str, Any], known: dict[int, int]) -> int:
    found = known.get(id(cost))
    if found is None:
        found = cost.fixed
        for size, part in cost.parts:
            rows = size if isinstance(size, int) else size.of(values)
            found += rows * (part if isinstance(part, int) else _total(part, values, known))
        known[id(cost)] = found = min(found, HIGHEST)
    return found


@dataclass(slots=True)
class _Adding:
    """A sum in the making."""

    fixed: int = 0
    parts: list[tuple[Size, Cost]] = field(default_factory=list)

    def add(self, size: Size, cost: Cost) -> None:
        if isinstance(size, int) and isinstance(cost, int):
            self.fixed = min(self.fixed + size * cost, HIGHEST)
        elif cost != 0 and size != 0:
            self.parts.append((size, cost))

    def made(self) -> Cost:
        return Sum(self.fixed, self.parts) if self.parts else self.fixed


@dataclass(slots=True)
class _Open:
    """A selection set being counted: of a type, below a field, whose rule and arguments it keeps."""

    kind: Any
    nodes: Iterator[SelectionNode]
    below: _Rule | None = None
    arguments: Sequence[ArgumentNode] = ()
    once: _Adding = field(default_factory=_Adding)
    a_row: _Adding = field(default_factory=_Adding)

    def close(self, above: _Open) -> None:
        """Add what was counted here to the selection set above."""
        once, a_row = self.once.made(), self.a_row.made()
        if self.below is None:  # an inline fragment
            above.once.add(1, once)
            above.a_row.add(1, a_row)
            return
        rule = self.below
        if rule.of_page:
            above.a_row.add(1, rule.each)
            above.a_row.add(1, once)
            return
        size = rule.size(self.arguments)
        if rule.pages and not rule.is_list:
            above.once.add(1, rule.each)
            above.once.add(1, once)
            above.once.add(size, a_row)
        else:
            above.once.add(1, rule.at_all)
            above.once.add(size, rule.each)
            above.once.add(size, once)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a field counts. of_page: it holds the rows of the connection it stands in."""

    kind: Any
    each: int
    at_all: int = 0
    is_list: bool = False
    of_page: bool = False
    pages: bool = False
    usual: int = 1
    sized_by: Sequence[str] = ()

    def size(self, arguments: Sequence[ArgumentNode]) -> Size:
        """Return how many rows the field asks for."""
        values = [argument.value for argument in arguments if argument.name.value in self.sized_by]
        found = [value.name.value if isinstance(value, VariableNode) else _value(value) for value in values]
        sources = [one for one in found if one is not None]
        if not sources:
            return self.usual
        said = Said(tuple(len(one) if isinstance(one, list) else one for one in sources), self.usual)
        return said if any(isinstance(one, str) for one in said.sources) else said.of({})


_UNKNOWN = _Rule(None, 1)


def _rule(kind: Any, name: str, root: bool) -> _Rule:
    definition: GraphQLField | None = getattr(kind, "fields", {}).get(name)
    if definition is None:
        return _UNKNOWN
    below = get_named_type(definition.type)
    declared: Mapping[str, Any] = (definition.extensions or {}).get("cost", {})
    output: Any = definition.type
    is_list = isinstance(get_nullable_type(output), GraphQLList)
    if is_leaf_type(below):
        return _Rule(below, 0, at_all=declared.get("weight", 1 if root else 0), usual=0)
    pages = [argument for argument in ("first", "last") if argument in definition.args]
    of_page = is_list and kind.name.endswith("Connection")
    usual = USUAL_LIST if is_list else USUAL_PAGE if below.name.endswith("Connection") else 1
    if pages:
        default = definition.args[pages[0]].default_value
        usual = default if isinstance(default, int) else USUAL_PAGE
    free = below.name == "PageInfo" or below.name.endswith("Edge") or declared.get("free", False)
    return _Rule(
        below,
        0 if free else 1,
        declared.get("weight", 0),
        is_list,
        of_page,
        bool(pages) or below.name.endswith("Connection"),
        declared.get("rows", usual),
        pages or declared.get("rows_by", ()),
    )


def _counted(
    schema: GraphQLSchema, selections: SelectionSetNode, kind: Any, fragments: Mapping[str, Counted]
) -> Counted:
    """Count one selection set without recursion; what it spreads is counted already, or unknown."""
    root_kinds = (schema.query_type, schema.mutation_type, schema.subscription_type)
    stack = [_Open(kind, iter(selections.selections))]
    while True:
        here = stack[-1]
        node = next(here.nodes, None)
        if node is None:
            stack.pop()
            if not stack:
                return Counted(here.once.made(), here.a_row.made())
            here.close(stack[-1])
        elif isinstance(node, FragmentSpreadNode):
            spread = fragments.get(node.name.value, Counted(0, 0))
            here.once.add(1, spread.once)
            here.a_row.add(1, spread.a_row)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            inside = here.kind if condition is None else schema.get_type(condition.name.value)
            stack.append(_Open(inside, iter(node.selection_set.selections)))
        elif isinstance(node, FieldNode):
            name = node.name.value
            if name in ("__schema", "__type"):  # how deep they go is limited elsewhere
                here.once.add(1, INTROSPECTION)
                continue
            rule = _rule(here.kind, name, here.kind in root_kinds)
            below = () if node.selection_set is None else node.selection_set.selections
            stack.append(_Open(rule.kind, iter(below), rule, node.arguments))


def _value(value: ValueNode | None) -> Any:
    """Return a literal as far as it can say how many rows are asked for."""
    match value:
        case IntValueNode(value=text):
            return int(text) if len(text) < 12 else HIGHEST
        case ListValueNode(values=values):
            return [None] * len(values)
        case None | NullValueNode():
            return None
    return None
