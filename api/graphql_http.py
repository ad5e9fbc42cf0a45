"""GraphQL over HTTP: POST with JSON or files, GET for queries, JSON or a stream of server-sent events out."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache

from python_multipart.multipart import parse_options_header
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from api.answers import GRAPHQL_JSON, JSON, body_response
from api.auth import Doorkeeper, token_of
from api.failures import RequestRefused, refusal_response
from api.graphql_execution import Engine, OperationRefused, Prepared
from api.graphql_request import GraphQLRequest, request_of, request_of_address, strict_json
from api.graphql_sse import EVENT_STREAM, answers_of, event_response, one_answer
from api.graphql_uploads import body_of, multipart_request
from pipeline.access import Actor, Permission

OFFERED = (JSON, GRAPHQL_JSON, EVENT_STREAM)


class GraphQLOverHTTP:
    """The endpoint /graphql for HTTP."""

    def __init__(self, engine: Engine, doorkeeper: Doorkeeper) -> None:
        self.engine = engine
        self.doorkeeper = doorkeeper
        self.limits = engine.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, without the wrapping that a route gives to functions."""
        response = await self.respond(Request(scope, receive, send))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """Answer one request."""
        if (
            request.method in ("GET", "HEAD")
            and not request.url.query
            and "text/html" in request.headers.get("accept", "")
        ):
            return RedirectResponse("/graphiql", 303)
        media_type = JSON
        try:
            accepted = accepted_types(request.headers.get("accept"))
            media_type = next((name for name in accepted if name != EVENT_STREAM), JSON)
            actor = await self.doorkeeper.actor_of(request)
            async with await self._received(request, actor) as received:
                if EVENT_STREAM in accepted:
                    prepared = await self.engine.prepare(received, actor)
                    if prepared.streams:
                        return self._stream(request, resumed(prepared, request.headers.get("last-event-id")))
                answer = await self.engine.answer(received, actor, only_queries=request.method != "POST")
        except OperationRefused as refused:
            answer = refused.answer
        except RequestRefused as refusal:
            return refusal_response(refusal, media_type)
        if accepted == (EVENT_STREAM,):
            return event_response(one_answer(answer))
        status = 200 if answer.executed or media_type == JSON else 400
        return body_response(answer.body, status, media_type=media_type)

    def _stream(self, request: Request, prepared: Prepared) -> Response:
        token = token_of(request.headers.get("authorization"))

        async def still_allowed() -> bool:
            return await self.doorkeeper.still(prepared.actor, token)

        return event_response(answers_of(self.engine, prepared, still_allowed))

    async def _received(self, request: Request, actor: Actor | None) -> AbstractAsyncContextManager[GraphQLRequest]:
        """Return a context of the request's parameters; files among them are open as long as it is."""
        if request.method != "POST":
            return nullcontext(request_of_address(request.query_params, self.limits))
        content_type, parameters = _content_type(request.headers.get("content-type"))
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestRefused(415, "Send the body uncompressed.", code="UNSUPPORTED_MEDIA_TYPE")
        if parameters.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
            raise RequestRefused(415, "Send the body as UTF-8.", code="UNSUPPORTED_MEDIA_TYPE")
        if content_type == b"multipart/form-data":
            return multipart_request(request, self.limits)
        if content_type == JSON.encode():
            return nullcontext(request_of(await self._json_of(request, actor)))
        raise RequestRefused(
            415,
            "Send Content-Type: application/json, or multipart/form-data with files.",
            code="UNSUPPORTED_MEDIA_TYPE",
        )

    async def _json_of(self, request: Request, actor: Actor | None) -> object:
        """Return the JSON of a body: a large one only from who may log records, and read beside the event loop."""
        limits = self.limits
        logs = actor is not None and Permission.LOG_MONITORING in actor.permissions
        most = max(limits.body_bytes, limits.records_bytes) if logs else limits.body_bytes
        body = await body_of(request, most, limits.request_seconds)
        if len(body) <= limits.body_bytes:
            return strict_json(body, limits)
        return await asyncio.to_thread(strict_json, body, limits)


_content_type = lru_cache(maxsize=64)(parse_options_header)


@lru_cache(maxsize=64)
def accepted_types(accept: str | None) -> tuple[str, ...]:
    """Return what of our media types a client accepts, best first; ties keep the client's order.

    Without an Accept header, and for wildcards, that is application/json.

    Raises:
        RequestRefused: 406, it accepts none of them.
    """
    weights: dict[str, float] = {}
    for choice in (accept or "*/*").split(","):
        name, parameters = parse_options_header(choice.strip())
        offered = JSON if name in (b"*/*", b"application/*") else name.decode("latin-1")
        if offered in OFFERED:
            weights[offered] = max(weights.get(offered, 0.0), _weight(parameters.get(b"q", b"1")))
    accepted = tuple(name for name in sorted(weights, key=lambda name: -weights[name]) if weights[name] > 0)
    if not accepted:
        raise RequestRefused(406, f"Accept one of {', '.join(OFFERED)}.", code="NOT_ACCEPTABLE")
    return accepted


def resumed(prepared: Prepared, last_event_id: str | None) -> Prepared:
    """Return the subscription, continued after the event a reconnecting EventSource saw last.

    A browser's EventSource repeats its first address and adds Last-Event-ID. Where the operation has a variable called
    after, that is the better place to go on.
    """
    declared = {definition.variable.name.value for definition in prepared.operation.variable_definitions}
    if not last_event_id or "after" not in declared:
        return prepared
    variables = {**prepared.request.variables, "after": last_event_id}
    return replace(prepared, request=replace(prepared.request, variables=variables))


def _weight(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
