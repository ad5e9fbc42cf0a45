"""The service of a real centre: its records under the project's own schema."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from api.service import Service
from pipeline.access import Actor
from pipeline.centre import Centre
from pipeline.errors import PipelineError
from schema import SCHEMA
from schema.context import Request, request


def service_of(centre: Centre) -> Service:
    """Return what the transport needs to serve a centre."""

    def context_for(actor: Actor, deadline: float) -> AbstractContextManager[Request]:
        return request(centre, actor, deadline)

    def problems() -> Sequence[str]:
        """Read once: a store that cannot be read refuses in one sentence."""
        try:
            with centre.read():
                return ()
        except PipelineError as error:
            return (error.message,)

    return Service(
        schema=SCHEMA.graphql_schema,
        context_for=context_for,
        actor_for_token=centre.actor_for_token,
        problems=problems,
    )
