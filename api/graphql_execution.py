"""One request, from checked parameters to the bytes of its answer, or to a stream of them."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    ExecutionContext,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    create_source_event_stream,
    execute_sync,
)
from graphql.pyutils import Path

from api.failures import Formatted, RequestRefused, formatted_errors, masked
from api.graphql_documents import CheckedDocument, DocumentRefused, Documents, TokenNeeded, is_query, is_subscription
from api.graphql_request import GraphQLRequest, longest_text
from api.limits import SHOWN, Limits
from api.service import Service
from api.workers import Workers, too_slow
from pipeline.access import Actor
from pipeline.errors import PipelineError

ANONYMOUS = Actor("anonymous", ())
_DEADLINE: contextvars.ContextVar[float] = contextvars.ContextVar("deadline")


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a GraphQL response. `executed` is False when the request was refused before execution began."""

    body: bytes
    executed: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request whose document is fit to be executed by an actor."""

    request: GraphQLRequest
    checked: CheckedDocument
    operation: OperationDefinitionNode
    actor: Actor | None
    cost: int

    @property
    def clip(self) -> bool:
        """Tell whether messages about this request must be cut, because they could repeat a long text."""
        return self.checked.clip or longest_text(self.request.variables) > SHOWN

    @property
    def streams(self) -> bool:
        """Tell whether the operation is a subscription."""
        return is_subscription(self.operation)


class OperationRefused(Exception):
    """The operation ends without a result; `errors` are ready for the client, `extensions` say what it costs."""

    def __init__(self, errors: list[Formatted], extensions: Mapping[str, Any]) -> None:
        super().__init__("the operation is refused")
        self.errors = errors
        self.extensions = extensions

    @property
    def answer(self) -> Answer:
        """Return the refusal as a whole answer."""
        return Answer(orjson.dumps({"errors": self.errors, "extensions": self.extensions}), executed=False)


class _OutOfTime(BaseException):
    """Not an Exception, so that no field turns it into a null and goes on."""


class _Timed(ExecutionContext):
    """Looks at the clock before every field. A resolver that runs, above all one that writes, is never interrupted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = _DEADLINE.get()

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> Any:
        if time.monotonic() > self.deadline:
            raise _OutOfTime
        return super().execute_field(parent_type, source, field_nodes, path)


class Engine:
    """Executes requests of one service within its limits, always in the same order.

    `closing` is set when the server is about to end, so that streams end before it does.

    Parse, count, validate, and only then execute; counting and validation happen on a worker thread like execution
    itself, since graphql-core is synchronous and one bad document would otherwise stop everybody.
    """

    def __init__(self, service: Service, limits: Limits) -> None:
        self.service = service
        self.limits = limits
        self.documents = Documents(service.schema, limits, service.public_fields)
        self.workers = Workers(limits.waiting_requests)
        # A document not seen before is checked apart, so that those who send bad ones hold up nobody else.
        self.checkers = Workers(limits.waiting_requests, threads=1)
        self.importers = Workers(limits.waiting_uploads, threads=1)  # files take long, and must not hold up the rest
        self.streams = 0
        self.closing = asyncio.Event()
        self._context_class = type("TimedContext", (_Timed, service.execution_context_class), {})

    async def prepare(self, request: GraphQLRequest, actor: Actor | None) -> Prepared:
        """Check a request.

        Raises:
            OperationRefused: the document cannot be executed.
            RequestRefused: 401, because it needs a token; 503, because there is no time for it.
        """
        known = self.documents.remembers(request.query, known=actor is not None)
        workers = self.workers if known else self.checkers
        return await workers.run(lambda: self._prepared(request, actor), self.limits.request_seconds)

    async def answer(self, request: GraphQLRequest, actor: Actor | None, *, only_queries: bool = False) -> Answer:
        """Check and execute a query or mutation on one worker thread; a document that is new is checked before.

        Raises:
            OperationRefused: the document cannot be executed.
            RequestRefused: 401, 405 when only queries may run, or 503.
        """
        long = request.carries_files
        seconds = self.limits.upload_seconds if long else self.limits.request_seconds
        deadline = time.monotonic() + seconds
        if not self.documents.remembers(request.query, known=actor is not None):
            await self.prepare(request, actor)

        def work() -> Answer:
            prepared = self._prepared(request, actor)
            if only_queries and not is_query(prepared.operation):
                raise RequestRefused(
                    405, "GET only answers queries; use POST.", code="METHOD_NOT_ALLOWED", headers={"Allow": "POST"}
                )
            return self._executed(prepared, None, deadline)

        return await (self.importers if long else self.workers).run(work, seconds)

    async def events(self, prepared: Prepared) -> AsyncGenerator[Answer, None]:
        """Yield the answers of a subscription, one for each event of its source, as long as it is listened to.

        Raises:
            OperationRefused: the source cannot be opened, or broke.
            RequestRefused: 503, because too many streams are open.
        """
        if self.streams >= self.limits.streams:
            raise RequestRefused(503, "Too many subscriptions are open; try again later.", code="BUSY")
        self.streams += 1
        try:
            with self.service.context_for(prepared.actor or ANONYMOUS, float("inf")) as context:
                source: Any = await create_source_event_stream(
                    self.service.schema,
                    prepared.checked.document,
                    None,
                    context,
                    prepared.request.variables,
                    prepared.request.operation_name,
                    max_coercion_errors=self.limits.errors,
                    hide_suggestions=prepared.actor is None,
                )
                if isinstance(source, ExecutionResult):
                    raise self._refused(prepared, source.errors or [])
                async with aclosing(source):
                    async for event in source:
                        yield await self._event(prepared, event)
        except (OperationRefused, RequestRefused):
            raise
        except (GraphQLError, PipelineError) as error:
            raise self._refused(prepared, [as_graphql(error)]) from None
        except Exception as error:
            raise OperationRefused([masked(error)], self.extensions(prepared.cost)) from None
        finally:
            self.streams -= 1

    def close(self) -> None:
        """Take no further work."""
        self.workers.close()
        self.checkers.close()
        self.importers.close()

    async def _event(self, prepared: Prepared, event: object) -> Answer:
        deadline = time.monotonic() + self.limits.request_seconds
        return await self.workers.run(lambda: self._executed(prepared, event, deadline), self.limits.request_seconds)

    def _prepared(self, request: GraphQLRequest, actor: Actor | None) -> Prepared:
        cost = None
        try:
            checked, cost = self.documents.checked(
                request.query, known=actor is not None, name=request.operation_name, variables=request.variables
            )
            return Prepared(request, checked, checked.operation(request.operation_name), actor, cost)
        except DocumentRefused as refused:
            told = formatted_errors(refused.errors, clip=refused.clip, schema=self._shown_to(actor))
            raise OperationRefused(told, self.extensions(cost if refused.cost is None else refused.cost)) from None
        except TokenNeeded:
            raise RequestRefused(
                401,
                "This needs an API token: send the header Authorization: Bearer mt_...",
                code="UNAUTHENTICATED",
                headers={"WWW-Authenticate": "Bearer"},
            ) from None

    def _executed(self, prepared: Prepared, root: object, deadline: float) -> Answer:
        if prepared.streams and root is None:
            raise RequestRefused(
                406,
                "Subscriptions are answered over a websocket or with Accept: text/event-stream.",
                code="NOT_ACCEPTABLE",
            )
        token = _DEADLINE.set(deadline)
        try:
            with self.service.context_for(prepared.actor or ANONYMOUS, deadline) as context:
                result = execute_sync(
                    self.service.schema,
                    prepared.checked.document,
                    root,
                    context,
                    prepared.request.variables,
                    prepared.request.operation_name,
                    max_coercion_errors=self.limits.errors,
                    execution_context_class=self._context_class,
                    hide_suggestions=prepared.actor is None,
                )
        except _OutOfTime:
            raise too_slow(self.limits.request_seconds) from None
        except PipelineError as error:  # the context could not be given: the store does not answer, for example
            raise self._refused(prepared, [as_graphql(error)]) from None
        finally:
            _DEADLINE.reset(token)
        return self._answer(prepared, result)

    def _answer(self, prepared: Prepared, result: ExecutionResult) -> Answer:
        # Errors without a path come before execution: variables that do not fit.
        executed = result.data is not None or any(error.path for error in result.errors or ())
        content: dict[str, Any] = {}
        if result.errors:
            content["errors"] = self._told(prepared, result.errors)
        if executed:
            content["data"] = result.data
        content["extensions"] = {**(result.extensions or {}), **self.extensions(prepared.cost)}
        without = {"data": None, "extensions": self.extensions(prepared.cost)}
        try:
            body = orjson.dumps(content)
        except TypeError as error:  # a value JSON has no form for: a scalar's mistake
            return Answer(orjson.dumps({"errors": [masked(error)], **without}), executed=True)
        if len(body) > self.limits.answer_bytes:
            message = (
                f"The answer would be {len(body):,} bytes; at most {self.limits.answer_bytes:,}. Ask for less at once."
            )
            figures = {"limit": "answer_bytes", "requested": len(body), "allowed": self.limits.answer_bytes}
            refusal = {"message": message, "extensions": {"code": "LIMIT_EXCEEDED", **figures}}
            return Answer(orjson.dumps({"errors": [refusal], **without}), executed=True)
        return Answer(body, executed)

    def extensions(self, cost: int | None) -> dict[str, Any]:
        """Return what every answer says beside its data: what the request costs and what it may; None: not counted."""
        return {"cost": {"requested": cost, "limit": self.limits.cost}}

    def _refused(self, prepared: Prepared, errors: list[GraphQLError]) -> OperationRefused:
        return OperationRefused(self._told(prepared, errors), self.extensions(prepared.cost))

    def _told(self, prepared: Prepared, errors: list[GraphQLError]) -> list[Formatted]:
        return formatted_errors(errors, clip=prepared.clip, schema=self._shown_to(prepared.actor))

    def _shown_to(self, actor: Actor | None) -> GraphQLSchema | None:
        """Return the schema for a client that may be told which names exist."""
        return None if actor is None else self.service.schema


def as_graphql(error: GraphQLError | PipelineError) -> GraphQLError:
    """Return a refusal in the form all errors of an answer have."""
    return error if isinstance(error, GraphQLError) else GraphQLError(error.message, original_error=error)


def cursor_of(body: bytes) -> str | None:
    """Return the cursor of an event's answer, where its root field has one: the place to resume after."""
    data = orjson.loads(body).get("data")
    values = list(data.values()) if isinstance(data, Mapping) else []
    cursor = values[0].get("cursor") if values and isinstance(values[0], Mapping) else None
    return cursor if isinstance(cursor, str) and cursor.isprintable() else None
