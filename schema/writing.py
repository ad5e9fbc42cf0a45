"""What all mutations share: a command is built from the input, done, and what it wrote is read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline.errors import PipelineError
from pipeline.store.journal import Recorded
from pipeline.store.nodes import source_of
from pipeline.store.selection import Asked, ColumnOf
from schema.context import Request
from schema.errors import MutationError, error_rows
from schema.reading import given
from schema.selection import selection_below

KEY = graphene.String(
    description="Any text of yours, up to 200 characters: repeating the same content under it has no second effect."
)


@dataclass(frozen=True, slots=True)
class Written:
    """Where a field of a payload is read from: a node, and the name of its id in the act's result.

    count: the name of how many records with ids from there on were written; the field is a list then.
    """

    node: str
    id: str
    count: str | None = None


def payload(name: str, **fields: Any) -> type[graphene.ObjectType]:
    """Return the payload type of a mutation: what was written, or why not."""
    errors = given(
        graphene.List(graphene.NonNull(MutationError)),
        required=True,
        description="Why it was refused; empty when it was done.",
    )
    return type(
        f"{name}Payload",
        (graphene.ObjectType,),
        {"__doc__": f"What became of {name}.", **fields, "errors": errors},
    )


def mutation(
    payload: type[graphene.ObjectType],
    input: type[graphene.InputObjectType],
    command: Callable[[Any], Any],
    *,
    reason: str | None = None,
    description: str,
    **written: Written,
) -> graphene.Field:
    """Declare a mutation.

    command: builds the command from the input; what is wrong with the input is a refusal as well.
    reason: the field of the input that is the act's reason.
    written: field of the payload -> where it is read from.
    """

    def resolve(_root: Any, info: GraphQLResolveInfo, input: Any) -> dict[str, Any]:
        request: Request = info.context
        request.forget()
        key, why = input.get("idempotency_key"), None if reason is None else input.get(reason)
        try:
            recorded = request.centre.execute(command(input), actor=request.actor, idempotency_key=key, reason=why)
        except PipelineError as error:
            nothing: dict[str, Any] = {name: None if of.count is None else [] for name, of in written.items()}
            return nothing | {"errors": error_rows(error, info, request)}
        return read_back(info, recorded, written) | {"errors": []}

    return graphene.Field(
        payload,
        required=True,
        resolver=resolve,
        input=graphene.Argument(input, required=True, description="What to write."),
        description=description,
    )


def read_back(info: GraphQLResolveInfo, recorded: Recorded, written: Mapping[str, Written]) -> dict[str, Any]:
    """Read what an act wrote through the ordinary read path."""
    answer: dict[str, Any] = {}
    for field, of in written.items():
        id, below = recorded.result.get(of.id), selection_below(info, field)
        reader = info.context.reader
        if id is None or of.node not in below:
            answer[field] = None if of.count is None else []
        elif of.count is None:
            answer[field] = reader.node(Asked(ColumnOf("id"), {}, below), of.node, id)
        else:
            source = source_of(of.node, reader.view)
            last = id + recorded.result[of.count] - 1
            answer[field] = reader.rows(below[of.node], [source.c.id.between(id, last)], source=source)
    return answer
