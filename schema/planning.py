"""From a GraphQL selection to a plan of the store, made once for a document and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    Node,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.values import get_argument_values

from pipeline.errors import PipelineError
from pipeline.store.columns import Flag, Real, Whole, Words
from pipeline.store.nodes import NODES
from pipeline.store.plans import (
    Arguments,
    Asking,
    Chosen,
    Constant,
    Field,
    Form,
    Given,
    Level,
    Linked,
    Paged,
    Part,
    Plan,
    Refused,
    Told,
    Value,
    Worked,
)
from pipeline.store.selection import OF_THE_ACT, AnyNode, ColumnOf, Computed, Link, Selection, Shape
from schema.node import GlobalId
from schema.reading import ReadField, declared_of, slot

_KEPT = 128  # plans; each keeps the document it was made for
_MOST_FIELDS = 2_000  # of one plan; a fragment spread in many places counts at each of them
# Whole numbers that count versions and places, far below what an Int holds.
_SMALL = {"version", "number", "ordinal", "position"}
_TEXTS = {"String", "ID", "Date", "DateTime", "PartialDateTime"}


class Unplannable(Exception):
    """The selection holds what a plan has no form for; the plain path answers it."""


@dataclass(frozen=True, slots=True)
class Known:
    """The plan of a root field, by type where it is an interface, and the fields whose arguments hang on variables."""

    operation: OperationDefinitionNode
    plans: Mapping[str, Plan] | None
    varying: Sequence[tuple[GraphQLField, FieldNode]]

    def given(self, info: GraphQLResolveInfo) -> list[dict[str, Any]]:
        """Return the arguments this request brings."""
        return [get_argument_values(field, node, info.variable_values) for field, node in self.varying]


_known: OrderedDict[tuple[Any, ...], Known] = OrderedDict()
_switches: OrderedDict[int, tuple[OperationDefinitionNode, tuple[str, ...]]] = OrderedDict()


Asks = Callable[[GraphQLResolveInfo, GraphQLOutputType, Sequence[FieldNode]], Mapping[str, Selection]]
"""Tells, by node, what is asked below a field, the way the plain path reads it."""


def known_plan(info: GraphQLResolveInfo, asks: Asks, below: str | None = None) -> Known:
    """Return the plan of the field being resolved, or of the one `below` it, made at first sight of its document."""
    operation = info.operation
    key = (id(operation), info.path.key, below, *(info.variable_values.get(name) for name in _switches_of(info)))
    found = _known.get(key)
    if found is not None and found.operation is operation:
        return found
    planning = _Planning(info, asks)
    try:
        plans = planning.plans() if below is None else planning.plans_below(below)
    except (Unplannable, GraphQLError):
        plans = None
    found = _known[key] = Known(operation, plans, planning.varying)
    while len(_known) > _KEPT:
        _known.popitem(last=False)
    return found


def _switches_of(info: GraphQLResolveInfo) -> tuple[str, ...]:
    """Return the variables that @include and @skip look at."""
    operation = info.operation
    found = _switches.get(id(operation))
    if found is None or found[0] is not operation:
        names: set[str] = set()
        stack: list[Node] = [operation, *info.fragments.values()]
        while stack:
            node = stack.pop()
            for directive in getattr(node, "directives", ()):
                names |= {
                    argument.value.name.value
                    for argument in directive.arguments
                    if isinstance(argument.value, VariableNode)
                }
            if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode) or hasattr(node, "selection_set"):
                selections = getattr(node, "selection_set", None)
                stack += selections.selections if selections else ()
        found = _switches[id(operation)] = (operation, tuple(sorted(names)))
        while len(_switches) > _KEPT:
            _switches.popitem(last=False)
    return found[1]


@dataclass(slots=True)
class _Planning:
    info: GraphQLResolveInfo
    asks: Asks
    varying: list[tuple[GraphQLField, FieldNode]] = field(default_factory=list)
    moving: list[tuple[int, Link]] = field(default_factory=list)
    fields: int = 0

    def plans(self) -> dict[str, Plan]:
        info = self.info
        kind = get_named_type(info.return_type)
        if isinstance(kind, GraphQLInterfaceType):
            types = [t for t in info.schema.get_possible_types(kind) if t.name in NODES]
            levels = {t.name: self._level(t, info.field_nodes) for t in types}
            return {name: Plan(level, tuple(self.moving)) for name, level in levels.items()}
        assert isinstance(kind, GraphQLObjectType)
        if kind.name.endswith("Connection"):
            return {kind.name: Plan(self._parts(kind, info.field_nodes), tuple(self.moving))}
        return {kind.name: Plan(self._level(kind, info.field_nodes), tuple(self.moving))}

    def plans_below(self, name: str) -> dict[str, Plan]:
        """Return the plan of the records of a field below; where it is asked for twice, they are merged as plain."""
        kind = get_named_type(self.info.return_type)
        assert isinstance(kind, GraphQLObjectType)
        found = self._collected(kind, self.info.field_nodes).values()
        asked = [group for group in found if group[0].name.value == name]
        below = get_named_type(kind.fields[name].type)
        if len(asked) != 1 or not isinstance(below, GraphQLObjectType):
            raise Unplannable
        return {below.name: Plan(self._level(below, asked[0]), tuple(self.moving))}

    # ------------------------------------------------------------ inside

    def _collected(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> dict[str, list[FieldNode]]:
        info = self.info
        found = collect_sub_fields(info.schema, info.fragments, info.variable_values, kind, list(nodes))
        self.fields += len(found)
        if self.fields > _MOST_FIELDS:
            raise Unplannable
        return found

    def _level(
        self, kind: GraphQLObjectType, nodes: Sequence[FieldNode], node: str | None = None, *, told: bool = False
    ) -> Level:
        node = node or kind.name  # a type may show the records of another node
        declared = declared_of(kind.graphene_type)  # type: ignore[attr-defined]
        fields: list[tuple[str, Field]] = []
        for key, group in self._collected(kind, nodes).items():
            name = group[0].name.value
            if name == "__typename":
                fields.append((key, _type_name(kind)))
                continue
            known = declared.get(name)
            if not isinstance(known, ReadField):
                raise Unplannable
            fields.append((key, self._field(kind, node, name, known, group, told=told)))
        return Level(node, tuple(fields))

    def _field(
        self, kind: GraphQLObjectType, node: str, name: str, known: ReadField, nodes: list[FieldNode], *, told: bool
    ) -> Field:
        definition = kind.fields[name]
        required = isinstance(definition.type, GraphQLNonNull)
        below = get_named_type(definition.type)
        match known.reads:
            case None if told:
                return Value(name, _form_of(definition.type))
            case ColumnOf() as reads:
                return _value(node, reads, definition.type, required=required, told=told)
            case Link(shape=Shape.CONNECTION) as link:
                assert isinstance(below, GraphQLObjectType)
                arguments = self._arguments(definition, nodes[0])
                if isinstance(arguments, Given):
                    self.moving.append((arguments.place, link))
                return Paged(link, arguments, self._parts(below, nodes))
            case Link() as link:
                assert isinstance(below, GraphQLObjectType)
                return Linked(link, self._level(below, nodes, link.node), required)
            case AnyNode() as reads:
                assert isinstance(below, GraphQLInterfaceType)
                types = self.info.schema.get_possible_types(below)
                levels = tuple(self._level(t, nodes) for t in types if t.name in NODES)
                return Chosen(reads.node_column, reads.id_column, levels, required)
            case Computed(twin=None) as reads:
                return self._worked(reads, self._arguments(definition, nodes[0]), definition.type, nodes)
            case Computed(twin=twin) as reads if twin is not None:
                level = self._level(below, nodes, told=True) if isinstance(below, GraphQLObjectType) else None
                rest = self._worked(reads, {}, definition.type, nodes) if twin.rest else None
                return Told(twin, reads.needs, level, rest, required)
        raise Unplannable

    def _arguments(self, definition: GraphQLField, node: FieldNode) -> Arguments:
        if not _varies(node.arguments):
            return get_argument_values(definition, node, self.info.variable_values)
        self.varying.append((definition, node))
        return Given(len(self.varying) - 1)

    def _parts(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> tuple[Asking, ...]:
        """Return what is asked of a connection, an edge or a page info."""
        parts = []
        for key, group in self._collected(kind, nodes).items():
            name = group[0].name.value
            below = get_named_type(kind.fields[name].type) if name in kind.fields else None
            match part := Part(name):
                case Part.TYPE:
                    parts.append(Asking(key, part, text=_type_name(kind).text))
                case Part.NODES | Part.NODE:
                    assert isinstance(below, GraphQLObjectType)
                    parts.append(Asking(key, part, self._level(below, group)))
                case Part.EDGES | Part.PAGE_INFO:
                    assert isinstance(below, GraphQLObjectType)
                    parts.append(Asking(key, part, self._parts(below, group)))
                case _:
                    parts.append(Asking(key, part))
        return tuple(parts)

    def _worked(
        self, reads: Computed, arguments: Arguments, output: GraphQLOutputType, nodes: list[FieldNode]
    ) -> Worked:
        finish = self._finish(output, nodes)  # refuses what hangs on variables, so that the selection holds for all
        return Worked(reads, arguments, finish, next(iter(self.asks(self.info, output, nodes).values()), None))

    def _finish(self, output: GraphQLOutputType, nodes: Sequence[FieldNode]) -> Callable[[Any], Any]:
        """Return what turns a value worked out in Python into what is answered."""
        if isinstance(output, GraphQLNonNull):
            inner = self._finish(output.of_type, nodes)

            def required(value: Any) -> Any:
                found = None if value is None else inner(value)
                if found is None:
                    raise Refused
                return found

            return required
        if isinstance(output, GraphQLList):
            item = self._finish(output.of_type, nodes)
            return lambda values: None if values is None else [item(value) for value in values]
        if is_leaf_type(output):
            return _leaf(cast(GraphQLLeafType, output))
        if not isinstance(output, GraphQLObjectType):  # which record it is, only the plain path tells
            raise Unplannable
        keys: list[tuple[str, str | None, Callable[[Any], Any]]] = []
        declared = declared_of(output.graphene_type)  # type: ignore[attr-defined]
        for key, group in self._collected(output, nodes).items():
            name = group[0].name.value
            if name == "__typename":
                keys.append((key, None, lambda _row, name=output.name: name))  # type: ignore[misc]
            else:
                place = self._slot(output.fields[name], group[0], declared.get(name))
                keys.append((key, place, self._finish(output.fields[name].type, group)))

        def finish(row: Any) -> Any:
            if row is None:
                return None
            values = [(key, row if name is None else row[name], end) for key, name, end in keys]
            if any(isinstance(value, PipelineError) for _, value, _ in values):  # of this field alone
                raise Refused
            return {key: end(value) for key, value, end in values}

        return finish

    def _slot(self, definition: GraphQLField, node: FieldNode, declared: Any) -> str:
        """Return where a value stands in a row below a value worked out in Python, which the plain path read."""
        name = node.name.value
        if not definition.args:
            return name
        if _varies(node.arguments) or getattr(declared, "reads", None) is None:
            raise Unplannable
        return slot(name, get_argument_values(definition, node, self.info.variable_values))


def _leaf(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    def finish(value: Any) -> Any:
        if value is None:
            return None
        try:
            found = kind.serialize(value)
        except Exception as error:
            raise Refused from error
        if found is None:  # the JSON null in a text, which GraphQL takes for a mistake
            raise Refused
        return found

    return finish


def _type_name(kind: GraphQLObjectType) -> Constant:
    return Constant(orjson.dumps(kind.name).decode())


def _varies(node: Any) -> bool:
    """Tell whether a variable stands anywhere in arguments or a value."""
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, list | tuple):
        return any(_varies(one) for one in node)
    below = [getattr(node, name, None) for name in ("value", "values", "fields")]
    return any(_varies(one) for one in below if isinstance(one, Node | list | tuple))


def _form_of(output: Any) -> Form:
    kind = get_nullable_type(output)
    match getattr(kind, "name", ""):
        case "Int":
            return Form.COUNT
        case "Float":
            return Form.REAL
        case "Boolean":
            return Form.TRUTH
        case "JSON":
            return Form.JSON
        case name if name in _TEXTS:
            return Form.TEXT
    if isinstance(kind, GraphQLEnumType):
        return Form.TEXT
    raise Unplannable


def _value(node: str, reads: ColumnOf, output: Any, *, required: bool, told: bool) -> Value:
    if isinstance(reads.decode, GlobalId):
        return Value(reads.column, Form.GLOBAL_ID, prefix=reads.decode.prefix)
    kind = get_nullable_type(output)
    form = Form.JSON if isinstance(kind, GraphQLList) and reads.decode is orjson.loads else _form_of(kind)
    if reads.decode not in (None, orjson.loads, bool) or (reads.decode is orjson.loads and form is not Form.JSON):
        raise Unplannable
    if reads.column in OF_THE_ACT or told:
        return Value(reads.column, form)
    column = NODES[node].table.c[reads.column]
    expected = {Form.COUNT: Whole, Form.REAL: Real, Form.TRUTH: Flag}.get(form, Words)
    if type(column.type) is not (expected if isinstance(expected, type) else type(expected)):
        raise Unplannable
    if form is Form.COUNT and reads.column in _SMALL:
        form = Form.TEXT
    return Value(reads.column, form, required=required and (bool(column.nullable) or form is Form.JSON))
