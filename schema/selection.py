"""From a GraphQL selection to a Selection of the store: the only module that knows how GraphQL is executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_named_type,
)
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.values import get_argument_values

from pipeline.store.plans import Planned
from pipeline.store.selection import AnyNode, Asked, Computed, Link, Selection, Shape
from schema.planning import known_plan
from schema.reading import ReadField, declared_of, slot


def asked_of(info: GraphQLResolveInfo, reads: Link | AnyNode | Computed, arguments: Mapping[str, Any]) -> Asked:
    """Return what the connection being resolved asks of the rows it reads."""

    def plain() -> Asked:
        return _asked(info, reads, arguments, info.return_type, info.field_nodes)

    planned = _planned(info, plain)
    if planned is None:
        return plain()
    assert isinstance(reads, Link)
    [found] = planned.values()
    return Asked(reads, arguments, {reads.node: Selection(reads.node, planned=found)})


def selection_of(info: GraphQLResolveInfo) -> Selection:
    """Return what the field being resolved asks of the rows of its type."""
    kind = _object(get_named_type(info.return_type))

    def plain() -> Selection:
        return _selection(info, kind, [info.field_nodes])

    planned = _planned(info, plain)
    return plain() if planned is None else Selection(kind.name, planned=planned[kind.name])


def by_type(info: GraphQLResolveInfo) -> dict[str, Selection]:
    """Return, by type, what the field being resolved asks of each type behind its interface."""

    def plain() -> dict[str, Selection]:
        return _by_node(info, info.return_type, info.field_nodes)

    planned = _planned(info, plain, by_type=True)
    return plain() if planned is None else {name: Selection(name, planned=p) for name, p in planned.items()}


def _planned(
    info: GraphQLResolveInfo, plain: Callable[[], Any], *, by_type: bool = False, below: str | None = None
) -> dict[str, Planned] | None:
    """Return the plans of the field being resolved; None where the plain path is taken."""
    if not getattr(info.context, "planned", False):
        return None
    known = known_plan(info, _by_node, below)
    if known.plans is None:
        return None
    given = known.given(info)
    return {
        name: Planned(plan, given, (lambda name=name: plain()[name]) if by_type else plain)  # type: ignore[misc]
        for name, plan in known.plans.items()
    }


def records_below(info: GraphQLResolveInfo, name: str) -> dict[str, Selection]:
    """Return, by node, what is asked of the records of the field `name` below the one being resolved."""

    def plain() -> dict[str, Selection]:
        return selection_below(info, name)

    planned = _planned(info, plain, by_type=True, below=name)
    return plain() if planned is None else {node: Selection(node, planned=p) for node, p in planned.items()}


def selection_below(info: GraphQLResolveInfo, name: str, kind: str | None = None) -> dict[str, Selection]:
    """Return, by node, what is asked of the field `name` below the one being resolved (of its type `kind`)."""
    parent = get_named_type(info.return_type)
    if kind is not None:
        parent = info.schema.type_map[kind]
    groups = _fields(info, _object(parent), [info.field_nodes]).get(name, [])
    return _by_type(info, _object(parent).fields[name].type, groups) if groups else {}


def field_below(info: GraphQLResolveInfo, name: str) -> list[FieldNode]:
    """Return the field nodes named `name` directly below the field being resolved."""
    found = _fields(info, _object(get_named_type(info.return_type)), [info.field_nodes]).get(name, [])
    return [node for nodes in found for node in nodes]


def errors_below(info: GraphQLResolveInfo, node: str) -> Selection | None:
    """Return what is asked of `existing` in a Conflict among the errors, where that is a `node`."""
    conflict = _object(info.schema.type_map["Conflict"])
    for nodes in _fields(info, conflict, [field_below(info, "errors")]).get("existing", []):
        return _by_node(info, conflict.fields["existing"].type, nodes).get(node)
    return None


# ------------------------------------------------------------ inside


def _object(kind: Any) -> GraphQLObjectType:
    assert isinstance(kind, GraphQLObjectType), kind
    return kind


def _fields(
    info: GraphQLResolveInfo, kind: GraphQLObjectType, groups: Sequence[Sequence[FieldNode]]
) -> dict[str, list[list[FieldNode]]]:
    """Return the field nodes below, by field name; fragments, aliases, @include and @skip are settled."""
    found: dict[str, list[list[FieldNode]]] = {}
    for group in groups:
        collected = collect_sub_fields(info.schema, info.fragments, info.variable_values, kind, list(group))
        for nodes in collected.values():
            found.setdefault(nodes[0].name.value, []).append(nodes)
    return found


def _selection(info: GraphQLResolveInfo, kind: GraphQLObjectType, groups: Sequence[Sequence[FieldNode]]) -> Selection:
    selection = Selection(kind.name)
    declared = declared_of(kind.graphene_type)  # type: ignore[attr-defined]
    by_slot: dict[str, tuple[ReadField, dict[str, Any], list[FieldNode]]] = {}
    for name, occurrences in _fields(info, kind, groups).items():
        field = declared.get(name)
        if not isinstance(field, ReadField) or field.reads is None:
            continue
        for nodes in occurrences:
            arguments = get_argument_values(kind.fields[name], nodes[0], info.variable_values)
            known = by_slot.setdefault(slot(name, arguments), (field, arguments, []))
            known[2].extend(nodes)
    for place, (field, arguments, nodes) in by_slot.items():
        output = kind.fields[nodes[0].name.value].type
        assert field.reads is not None
        selection.fields[place] = _asked(info, field.reads, arguments, output, nodes)
    return selection


def _asked(
    info: GraphQLResolveInfo,
    reads: Any,
    arguments: Mapping[str, Any],
    output: GraphQLOutputType,
    nodes: Sequence[FieldNode],
) -> Asked:
    asked = Asked(reads, arguments)
    if isinstance(reads, Link) and reads.shape is Shape.CONNECTION:
        connection = _object(get_named_type(output))
        parts = _fields(info, connection, [nodes])
        asked.wants_total = "totalCount" in parts
        asked.wants_rows = bool(parts.keys() & {"nodes", "edges", "pageInfo"})
        edge = _object(get_named_type(connection.fields["edges"].type))
        groups = list(parts.get("nodes", []))
        for edges in parts.get("edges", []):
            groups += _fields(info, edge, [edges]).get("node", [])
        node = _object(get_named_type(connection.fields["nodes"].type))
        asked.below = {reads.node: _selection(info, node, groups)}
    elif isinstance(reads, Link):  # a type may show the records of another node
        below = _selection(info, _object(get_named_type(output)), [nodes])
        below.node = reads.node
        asked.below = {reads.node: below}
    else:
        asked.below = _by_node(info, output, nodes)
    return asked


def _by_node(info: GraphQLResolveInfo, output: GraphQLOutputType, nodes: Sequence[FieldNode]) -> dict[str, Selection]:
    return _by_type(info, output, [nodes])


def _by_type(
    info: GraphQLResolveInfo, output: GraphQLOutputType, groups: Sequence[Sequence[FieldNode]]
) -> dict[str, Selection]:
    kind = get_named_type(output)
    if isinstance(kind, GraphQLInterfaceType):
        return {t.name: _selection(info, t, groups) for t in info.schema.get_possible_types(kind)}
    if isinstance(kind, GraphQLObjectType):
        return {kind.name: _selection(info, kind, groups)}
    return {}
