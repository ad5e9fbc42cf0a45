"""Refusals as data: the errors of a mutation, and how a refused query field says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline import errors as refusals
from pipeline.store.selection import Asked, ColumnOf
from schema.context import Request
from schema.node import Node
from schema.programmes import UnmetCriterion, unmet_row
from schema.reading import given
from schema.selection import errors_below

_CLASSES: dict[str, type[graphene.ObjectType]] = {}


def _common() -> dict[str, Any]:
    return {
        "code": given(graphene.String, required=True, description="Stable, for programs."),
        "message": given(
            graphene.String, required=True, description="What is wrong, where, and what to do; for people."
        ),
        "path": given(
            graphene.List(graphene.NonNull(graphene.String)), description="Where in the input, outermost name first."
        ),
    }


class MutationError(graphene.Interface):
    """Why a command was refused. Several may come back at once; nothing was written."""

    code = _common()["code"]
    message = _common()["message"]
    path = _common()["path"]

    @classmethod
    def resolve_type(cls, instance: Mapping[str, Any], _info: Any) -> type[graphene.ObjectType]:
        """Return the class of an error row."""
        return _CLASSES[instance["__error__"]]


def _error(name: str, meaning: str, **more: Any) -> type[graphene.ObjectType]:
    meta = type("Meta", (), {"interfaces": (MutationError,)})
    _CLASSES[name] = type(name, (graphene.ObjectType,), {"__doc__": meaning, "Meta": meta, **_common(), **more})
    return _CLASSES[name]


InputError = _error("InputError", "The input itself cannot be accepted.")
CheckpointNotMet = _error(
    "CheckpointNotMet",
    "The state graph or its checkpoints do not allow the move.",
    unmet=given(graphene.List(graphene.NonNull(UnmetCriterion)), required=True, description="All that is missing."),
)
StaleVersion = _error(
    "StaleVersion",
    "Somebody else wrote in between.",
    current_version=given(graphene.Int, required=True, description="Read it again and repeat with this version."),
)
NotPermitted = _error(
    "NotPermitted",
    "The actor's roles do not allow it.",
    permission=given(graphene.String, required=True, description="The permission that is missing."),
)
NotFound = _error("NotFound", "What the input points at does not exist.")
Conflict = _error(
    "Conflict",
    "The same thing exists already.",
    existing=given(Node, description="The record that exists."),
)
RowError = _error(
    "RowError",
    "One row cannot be accepted.",
    row=given(graphene.Int, required=True, description="The row, as the sender counts."),
    column=given(graphene.String, description="The column."),
    value=given(graphene.String, description="The value found."),
)
ERROR_TYPES = tuple(_CLASSES.values())


def error_rows(error: refusals.PipelineError, info: GraphQLResolveInfo, request: Request) -> list[dict[str, Any]]:
    """Return a refusal, or several at once, as rows of MutationError."""
    return [_row(one, info, request) for one in refusals.each(error)]


def _row(error: refusals.PipelineError, info: GraphQLResolveInfo, request: Request) -> dict[str, Any]:
    row = {"code": error.code, "message": error.message, "path": list(error.path) or None}
    match error:
        case refusals.CheckpointNotMet():
            return row | {"__error__": "CheckpointNotMet", "unmet": [unmet_row(unmet) for unmet in error.unmet]}
        case refusals.StaleVersion():
            return row | {"__error__": "StaleVersion", "currentVersion": error.current}
        case refusals.NotPermitted():
            return row | {"__error__": "NotPermitted", "permission": error.permission}
        case refusals.NotFound():
            return row | {"__error__": "NotFound"}
        case refusals.Conflict():
            return row | {"__error__": "Conflict", "existing": _existing(error, info, request)}
        case refusals.RowError():
            return row | {
                "__error__": "RowError",
                "row": error.row,
                "column": error.column,
                "value": None if error.value is None else error.value[:100],
            }
        case _:
            return row | {"__error__": "InputError"}


def _existing(error: refusals.Conflict, info: GraphQLResolveInfo, request: Request) -> dict[str, Any] | None:
    if error.node is None or error.id is None:
        return None
    selection = errors_below(info, error.node)
    if selection is None:
        return None
    found: dict[str, Any] | None = request.reader.node(
        Asked(ColumnOf("id"), {}, {error.node: selection}), error.node, error.id
    )
    return found
