"""How refusals and bugs are told to a client: JSON with a code; a bug is a reference number, never a stack trace."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLEnumType, GraphQLError, GraphQLSchema
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import json_response
from api.limits import SHOWN
from pipeline.errors import CheckpointNotMet, NotPermitted, PipelineError, StaleVersion, Unavailable, each

LOG = logging.getLogger("moltrail.api")
MOST_ERRORS = 100  # of one execution; a list of ten thousand failing items is one problem, not ten thousand
LONGEST_MESSAGE = 3 * SHOWN
EMPTY = "The query is empty; write one such as { viewer { name } }."
_UNKNOWN_VALUE = re.compile(r"does not exist in '(\w+)' enum\.$")

Formatted = dict[str, Any]


class RequestRefused(Exception):
    """The request is refused before anything in it is executed."""

    def __init__(
        self, status: int, message: str, *, code: str = "BAD_REQUEST", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})

    @property
    def formatted(self) -> Formatted:
        """Return the refusal as an entry of `errors`."""
        return {"message": self.message, "extensions": {"code": self.code}}


def masked(error: BaseException) -> Formatted:
    """Log a bug whole under a new reference and return what a client may know of it."""
    reference = secrets.token_hex(4).upper()
    LOG.error("internal error, reference %s", reference, exc_info=error)
    return {
        "message": f"Internal error, reference {reference}",
        "extensions": {"code": "INTERNAL", "reference": reference},
    }


def formatted_errors(errors: Sequence[GraphQLError], *, clip: bool, schema: GraphQLSchema | None) -> list[Formatted]:
    """Return the entries of `errors` for a client.

    Args:
        errors: as graphql-core reports them.
        clip: the request holds a text too long to be sent back, so the library's messages, which quote, are cut.
        schema: what is served, where the client may be told which names exist.
    """
    found = [entry for error in errors[:MOST_ERRORS] for entry in _formatted(error, clip=clip, schema=schema)]
    if len(errors) > MOST_ERRORS:
        found.append({"message": f"{len(errors) - MOST_ERRORS} more errors.", "extensions": {"code": "MORE_ERRORS"}})
    return found


def _formatted(error: GraphQLError, *, clip: bool, schema: GraphQLSchema | None) -> Iterator[Formatted]:
    place = {key: value for key, value in error.formatted.items() if key in ("locations", "path")}
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if isinstance(original, PipelineError):
        for refusal in each(original):
            yield {"message": refusal.message, **place, "extensions": _extensions(refusal)}
    elif (
        original is None
        or isinstance(original, GraphQLError)
        or (error.path is None and isinstance(original, ValueError))
    ):
        extensions = dict(
            error.extensions or (original.extensions if isinstance(original, GraphQLError) else None) or {}
        )
        unread = error.message.startswith(("Syntax Error", EMPTY))
        code = "GRAPHQL_PARSE_FAILED" if unread else "GRAPHQL_VALIDATION_FAILED"
        yield {
            "message": _quoted(error.message, clip=clip, schema=schema),
            **place,
            "extensions": {"code": code if error.path is None else "REFUSED", **extensions},
        }
    else:
        yield {**masked(original), **place}


def _extensions(refusal: PipelineError) -> Formatted:
    extensions: Formatted = {"code": refusal.code}
    if refusal.path:
        extensions["inputPath"] = list(refusal.path)
    match refusal:
        case NotPermitted():
            extensions["permission"] = refusal.permission
        case StaleVersion():
            extensions["currentVersion"] = refusal.current
        case CheckpointNotMet():
            extensions["unmet"] = [
                {"criterion": u.criterion, "required": u.required, "found": u.found, "explanation": u.explanation}
                for u in refusal.unmet
            ]
    return extensions


def _quoted(message: str, *, clip: bool, schema: GraphQLSchema | None) -> str:
    suggested = " Did you mean " in message
    if schema is None:
        message = message.split(" Did you mean ", 1)[0]
    longest = SHOWN if clip else LONGEST_MESSAGE
    told = message if len(message) <= longest else message[:SHOWN] + "..."
    unknown = None if schema is None or suggested else _UNKNOWN_VALUE.search(message)
    kind = schema.get_type(unknown[1]) if schema is not None and unknown is not None else None
    return f"{told} Its values are {', '.join(kind.values)}." if isinstance(kind, GraphQLEnumType) else told


async def refused_page(_request: Request, error: Exception) -> Response:
    """Answer what Starlette refuses (404, 405, ...) as JSON, without repeating the address."""
    if not isinstance(error, HTTPException):
        raise error
    message = {
        404: "There is nothing at this address; / says what is served where.",
        405: "This address does not answer to that method.",
    }.get(error.status_code, error.detail)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "BAD_REQUEST")
    refusal = RequestRefused(error.status_code, message, code=code, headers=error.headers)
    return refusal_response(refusal)


def refusal_response(refusal: RequestRefused, media_type: str = "application/json") -> Response:
    """Return a refusal as a response."""
    return json_response(
        {"errors": [refusal.formatted]}, refusal.status, headers=refusal.headers, media_type=media_type
    )


def told_outside(error: Exception) -> Formatted:
    """Return what a client may know of a failure outside of any operation."""
    if isinstance(error, PipelineError):
        refusal = each(error)[0]
        return {"message": refusal.message, "extensions": _extensions(refusal)}
    return masked(error)


class Failures:
    """The last word on anything that goes wrong: whatever escapes is logged and told as a reference number."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and answer for what fails."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in ("http.response.start", "websocket.accept", "websocket.close")
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except RequestRefused as refusal:
            if started or scope["type"] != "http":
                raise
            await refusal_response(refusal)(scope, receive, watched)
        except Exception as error:
            told = told_outside(error)
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011, "reason": told["message"]})
            elif not started:
                status = 503 if isinstance(error, Unavailable) else 400 if isinstance(error, PipelineError) else 500
                await json_response({"errors": [told]}, status)(scope, receive, watched)
