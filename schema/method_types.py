"""GraphQL types made from the annotations of the methods.

A class of the domain becomes a type called after it, with `Calc` before (and `Input` behind, where it is given). A
mapping becomes a list of entries with a name and a value; a pair in a result is an interval; a choice between texts
becomes an enum. Names are those of the domain in camel case, and so are the names that descriptions mention.
"""

from __future__ import annotations

import functools
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from inspect import getdoc
from typing import Any, Literal, Union, get_args, get_origin

import graphene
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLError, IntValueNode, StringValueNode, Undefined

from pipeline.figures import meanings
from schema.words import enum_of

PREFIX = "Calc"


class Label(graphene.Scalar):
    """A name, or a whole number that stands for one."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Return the value."""
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Take a text or a whole number."""
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise GraphQLError(f"{str(value)[:40]!r} is neither a text nor a whole number")

    @classmethod
    def parse_literal(cls, node: Any, _variables: Any = None) -> Any:
        """Read a text or a whole number."""
        if isinstance(node, StringValueNode):
            return node.value
        if isinstance(node, IntValueNode) and len(node.value) <= 18:
            return int(node.value)
        raise GraphQLError("write a text or a whole number", nodes=node)


class Interval(graphene.ObjectType):
    """Two limits, in the unit of what they enclose."""

    class Meta:
        name = f"{PREFIX}Interval"

    lower = graphene.Float(description="The lower limit; null where there is none.")
    upper = graphene.Float(description="The upper limit; null where there is none.")

    @staticmethod
    def resolve_lower(limits: Sequence[float | None], _info: Any) -> float | None:
        """Return the first of the two."""
        return limits[0]

    @staticmethod
    def resolve_upper(limits: Sequence[float | None], _info: Any) -> float | None:
        """Return the second of the two."""
        return limits[1]


def argument(annotation: Any, owner: str, name: str, default: Any, description: str, names: Iterable[str]) -> Any:
    """Return the argument of a field for one parameter; `default` is Undefined where the parameter has none."""
    return graphene.Argument(
        input_type(annotation, owner, name),
        default_value=given_default(default, annotation),
        description=camelled(description, names),
    )


def input_type(annotation: Any, owner: str, name: str) -> Any:
    """Return the type of what is given for an annotation."""
    inner, optional = without_none(annotation)
    made = _made(inner, owner, name, _input_record, given=True)
    return made if optional else graphene.NonNull(made)


def output_type(annotation: Any, owner: str, name: str) -> Any:
    """Return the type of what is answered for an annotation."""
    inner, optional = without_none(annotation)
    made = _made(inner, owner, name, _output_record, given=False)
    return made if optional else graphene.NonNull(made)


def _made(inner: Any, owner: str, name: str, record: Callable[[type], Any], *, given: bool) -> Any:
    scalars: dict[Any, Any] = {
        float: graphene.Float,
        int: graphene.Int,
        str: graphene.String,
        bool: graphene.Boolean,
        int | str: Label,
    }
    of = input_type if given else output_type
    origin, arguments = get_origin(inner), get_args(inner)
    if inner in scalars:
        return scalars[inner]
    if origin is Literal:
        return choice(arguments, f"{owner}{pascal(name)}", name)
    if origin is tuple and arguments[-1] is not Ellipsis:
        if not given and len(arguments) == 2 and all(without_none(kind)[0] is float for kind in arguments):
            return Interval
        return graphene.List(of(arguments[0], owner, name))
    if origin in (tuple, Sequence):
        return graphene.List(of(arguments[0], owner, name))
    if origin is Mapping:
        return graphene.List(graphene.NonNull(entry(arguments[1], given)))
    if isinstance(inner, type) and issubclass(inner, Enum):
        return enumeration(inner)
    if is_dataclass(inner):
        return record(typing.cast(type, inner))
    raise TypeError(f"{owner}.{name}: no GraphQL type stands for {inner}")


@functools.cache
def enumeration(source: type[Enum]) -> Any:
    """Return the enum of an enum of the domain."""
    return enum_of(
        source,
        f"{PREFIX}{source.__name__}",
        one_line(getdoc(source) or source.__name__),
        {member.name: _meaning(str(member.value)) for member in source},
    )


@functools.cache
def choice(options: tuple[str, ...], name: str, parameter: str) -> Any:
    """Return the enum of a choice between texts."""
    source = Enum(name, {constant(option): option for option in options})  # type: ignore[misc]
    return enum_of(
        source,
        f"{PREFIX}{name}",
        f"What {to_camel_case(parameter)} may be.",
        {constant(option): _meaning(option) for option in options},
    )


@functools.cache
def entry(annotation: Any, given: bool) -> Any:
    """Return the type of one entry of a mapping."""
    name = f"{PREFIX}{_word(annotation)}Entry{'Input' if given else ''}"
    kind = (input_type if given else output_type)(annotation, name, "value")
    field: Callable[..., Any] = graphene.InputField if given else graphene.Field
    members = {
        "name": field(graphene.NonNull(graphene.String), description="What the value belongs to."),
        "value": field(kind, description="The value."),
    }
    base = graphene.InputObjectType if given else graphene.ObjectType
    return type(name, (base,), {"__doc__": "A value by name.", **members})


@functools.cache
def _input_record(source: type) -> Any:
    hints = typing.get_type_hints(source)
    named = meanings(source)
    name = f"{PREFIX}{source.__name__}Input"
    members = {}
    for f in (f for f in fields(source) if f.init):
        members[f.name] = graphene.InputField(
            input_type(hints[f.name], source.__name__, f.name),
            default_value=given_default(_default_of(f), hints[f.name]),
            description=camelled(named[f.name], hints),
        )
    return type(name, (graphene.InputObjectType,), {"__doc__": heading(source), **members})


@functools.cache
def _output_record(source: type) -> Any:
    return type(
        f"{PREFIX}{source.__name__}",
        (graphene.ObjectType,),
        {"__doc__": heading(source), **record_fields(source, frozenset())},
    )


def record_fields(source: type, without: frozenset[str]) -> dict[str, Any]:
    """Return the fields of a class of results, described by its docstring or else by their names and units."""
    hints = typing.get_type_hints(source)
    named = meanings(source)
    return {
        f.name: graphene.Field(
            output_type(hints[f.name], source.__name__, f.name),
            description=camelled(named[f.name], hints),
        )
        for f in fields(source)
        if f.name not in without
    }


def without_none(annotation: Any) -> tuple[Any, bool]:
    """Return an annotation without None, and whether None was allowed."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    kept = [kind for kind in get_args(annotation) if kind is not types.NoneType]
    return functools.reduce(lambda left, right: left | right, kept), len(kept) < len(get_args(annotation))


def given_default(default: Any, annotation: Any) -> Any:
    """Return a default of Python as GraphQL writes it; None is no default, an argument left out is None."""
    inner, _ = without_none(annotation)
    if default is None or default is Undefined:
        return Undefined
    if get_origin(inner) is Mapping:
        return [{"name": name, "value": value} for name, value in default.items()]
    return list(default) if isinstance(default, tuple) else default


def received(value: Any, annotation: Any) -> Any:
    """Return what GraphQL read as what the method takes."""
    inner, _ = without_none(annotation)
    origin, arguments = get_origin(inner), get_args(inner)
    if value is None:
        return None
    if origin is Mapping:
        return {one["name"]: received(one["value"], arguments[1]) for one in value}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [received(item, arguments[0]) for item in value]
    if isinstance(value, dict) and is_dataclass(inner):
        hints = typing.get_type_hints(inner)
        return {name: received(item, hints[name]) for name, item in value.items()}
    return value


def answered(value: Any) -> Any:
    """Return what a method found as the types made here read it."""
    if isinstance(value, Mapping):
        return [{"name": str(name), "value": answered(item)} for name, item in value.items()]
    if isinstance(value, tuple):
        return [answered(item) for item in value]
    if is_dataclass(value):
        return {f.name: answered(getattr(value, f.name)) for f in fields(value)}
    return value


def camelled(text: str, names: Iterable[str]) -> str:
    """Return a text in which the given names are written as GraphQL writes them."""
    known = {name for name in names if "_" in name}
    return re.sub(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b", lambda m: _camel(m[0]) if m[0] in known else m[0], text)


def heading(source: type) -> str:
    """Return the first paragraph of a class's docstring on one line."""
    return one_line((getdoc(source) or source.__name__).split("\n\n")[0])


def one_line(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def constant(text: str) -> str:
    """Return a text as the name of an enum value."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_").upper()
    return name if name[:1].isalpha() else f"V{name}"


def pascal(name: str) -> str:
    """Return a name of Python as the name of a type."""
    camel = _camel(name)
    return camel[:1].upper() + camel[1:]


def _camel(name: str) -> str:
    return str(to_camel_case(name))


def _word(annotation: Any) -> str:
    inner, optional = without_none(annotation)
    kind = get_args(inner)
    word = inner.__name__.capitalize() if isinstance(inner, type) and not kind else ""
    if not word:
        word = "Interval" if kind[-1] is not Ellipsis else f"{_word(kind[0])}List"
    return f"Optional{word}" if optional else word


def _meaning(value: str) -> str:
    return f"{value.replace('_', ' ')}."


def _default_of(f: Field[Any]) -> Any:
    return Undefined if f.default is MISSING else f.default
