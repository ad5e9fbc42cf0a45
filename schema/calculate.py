"""Every method of the catalogue as a field of one root field, `calculate`.

A field is called after its method's id in camel case, the section in front: `A1_hed` is `a1Hed`, `B4_boin_select_mtd`
is `b4BoinSelectMtd`. Its arguments are the method's parameters. Nothing is read from or written to the records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import graphene
from graphql import GraphQLResolveInfo, Undefined

from pipeline.access import Permission
from pipeline.calculation import COMMON, calculate, describe, figures, plain
from pipeline.errors import InputError, PipelineError, Refused, each
from pipeline.outcome import Method, Outcome, Reason, catalogue
from schema.method_types import PREFIX, answered, argument, camelled, heading, received, record_fields
from schema.scalars import JSON
from schema.words import enum_of

GREATEST_INT = 2**31 - 1

CalcReason = enum_of(
    Reason,
    f"{PREFIX}Reason",
    "Why there is no value. Missing is not zero.",
    {
        "TOO_FEW_POINTS": "Too few points to compute it from.",
        "NO_DATA": "Nothing was given that it could be computed from.",
        "UNDEFINED_LIMIT": "It hangs on a limit that is not defined.",
        "NOT_ESTIMABLE": "The data do not determine it.",
        "OUTSIDE_DOMAIN": "It is outside of what the method covers.",
        "AMBIGUOUS_UNITS": "The units leave open what is meant.",
    },
)


class CalcMissing(graphene.ObjectType):
    """A single figure that is missing although the method has a result."""

    figure = graphene.String(required=True, description="The field that is null.")
    reason = graphene.Field(CalcReason, required=True, description="Why.")


class Calculation(graphene.Interface):
    """What every result says beside its figures."""

    reason = graphene.Field(CalcReason, description="Why there is no result at all; null when there is one.")
    missing = graphene.List(
        graphene.NonNull(CalcMissing), required=True, description="Single figures that are missing, and why."
    )
    flags = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="What has to be known beside the figures, as short codes.",
    )
    method = graphene.String(required=True, description="Id of the method.")
    version = graphene.Int(required=True, description="Version of the method; it changes when a number could.")
    parameters = graphene.Field(
        JSON, required=True, description="Every parameter that has a default, with the value used."
    )


_RESULTS: dict[type[Outcome], type[graphene.ObjectType]] = {}


def field_name(id: str) -> str:
    """Return the field of a method: its id in camel case, the section in front."""
    return re.sub(r"_+([a-z0-9])", lambda m: m[1].upper(), id[:1].lower() + id[1:])


def _result(kind: type[Outcome]) -> type[graphene.ObjectType]:
    """Return the type of a class of results; methods that share the class share the type."""
    if kind not in _RESULTS:
        meta = type("Meta", (), {"interfaces": (Calculation,)})
        members = {"__doc__": heading(kind), "Meta": meta, **record_fields(kind, COMMON)}
        _RESULTS[kind] = type(f"{PREFIX}{kind.__name__}", (graphene.ObjectType,), members)
    return _RESULTS[kind]


def _field(method: Method) -> graphene.Field:
    names = [parameter.name for parameter in method.parameters]
    return graphene.Field(
        _result(method.result_type),
        args={
            p.name: argument(
                p.annotation,
                method.id.title(),
                p.name,
                Undefined if p.required else p.default,
                describe(method, p),
                names,
            )
            for p in method.parameters
        },
        name=field_name(method.id),
        description=camelled(described(method), names),
        resolver=_resolver(method),
    )


def described(method: Method) -> str:
    """Return what a method does: title, the text of its docstring without the arguments, source and version."""
    text = re.split(r"\n\n(?:Args|Returns|Raises):\n", method.documentation)[0]
    return f"{method.title}.\n\n{text}\n\nSource: {method.source}. Version {method.version}."


def _resolver(method: Method) -> Callable[..., Any]:
    parameters = method.parameters

    def resolve(_root: Any, _info: GraphQLResolveInfo, **given: Any) -> dict[str, Any]:
        inputs = {
            p.name: received(given.get(p.name), p.annotation) for p in parameters if p.required or p.name in given
        }
        try:
            return _row(calculate(method, inputs))
        except PipelineError as error:
            raise _in_camel_case(error, [p.name for p in parameters]) from None

    return resolve


def _row(outcome: Outcome) -> dict[str, Any]:
    found = figures(outcome)
    _refuse_large(found)
    return {
        **{name: answered(value) for name, value in found.items()},
        "reason": outcome.reason,
        "missing": [{"figure": camelled(name, [name]), "reason": why} for name, why in outcome.missing.items()],
        "flags": list(outcome.flags),
        "method": outcome.method,
        "version": outcome.version,
        "parameters": plain(outcome.parameters),
    }


def _refuse_large(found: Mapping[str, object]) -> None:
    for name, value in found.items():
        if type(value) is int and abs(value) > GREATEST_INT:
            raise InputError(f"{name} would be {value:,}, more than this interface can say; ask for less precision")


def _in_camel_case(error: PipelineError, names: list[str]) -> PipelineError:
    """Return a refusal that speaks of the inputs as they are called here."""
    said: list[PipelineError] = [
        type(one)(camelled(one.message, names), path=[camelled(part, names) for part in one.path])
        if type(one) is InputError
        else one
        for one in each(error)
    ]
    return said[0] if len(said) == 1 else Refused(said)


Calculate = type(
    "Calculate",
    (graphene.ObjectType,),
    {
        "__doc__": "Every method of the catalogue; each computes from what it is given and touches no record.",
        **{method.id: _field(method) for method in catalogue().values()},
    },
)


def resolve_calculate(_root: Any, info: GraphQLResolveInfo) -> dict[str, Any]:
    """Let whoever may read calculate."""
    info.context.need(Permission.READ)
    return {}
