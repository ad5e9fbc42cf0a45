"""The seam between the transport and what it serves. Whoever starts the server fills it in once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from graphql import ExecutionContext, GraphQLSchema

from pipeline.access import Actor


def no_problems() -> Sequence[str]:
    """Report that nothing stands in the way of serving."""
    return ()


@dataclass(frozen=True, slots=True)
class Service:
    """What the transport cannot know itself.

    schema: resolvers are plain functions; they run in worker threads, one request on one thread. The resolver of a
        subscription's source is an async generator and runs on the event loop, so it hands waiting to threads itself.
        A file of a multipart request arrives in the variables as a `starlette.datastructures.UploadFile`; its `file`
        is an open binary file at its beginning, closed once the request is answered.
    context_for: gives the `info.context` of one execution for an actor and a deadline on `time.monotonic`'s clock,
        after which the answer is no longer wanted. It is entered and left on the worker thread of that execution. For
        a subscription's source it is entered on the event loop for as long as the client listens, and every event is
        then resolved in a context of its own; so a context should open nothing before it is asked.
    actor_for_token: looks an API token up, None where it is unknown or no longer valid; called on a worker thread.
    problems: what stands in the way of serving, empty when ready; called on a worker thread.
    public_fields: root fields that answer without a token, seen by an actor "anonymous" without any role.
    """

    schema: GraphQLSchema
    context_for: Callable[[Actor, float], AbstractContextManager[object]]
    actor_for_token: Callable[[str], Actor | None]
    problems: Callable[[], Sequence[str]] = no_problems
    public_fields: frozenset[str] = frozenset()
    execution_context_class: type[ExecutionContext] = ExecutionContext
