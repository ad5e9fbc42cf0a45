"""JSON out: UTF-8, numbers exact, no NaN."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"


def json_response(
    content: object, status: int = 200, *, headers: Mapping[str, str] | None = None, media_type: str = JSON
) -> Response:
    """Return `content` as a JSON response."""
    return body_response(orjson.dumps(content), status, headers=headers, media_type=media_type)


def body_response(
    body: bytes, status: int = 200, *, headers: Mapping[str, str] | None = None, media_type: str = JSON
) -> Response:
    """Return ready JSON as a response that names its encoding."""
    named = {**(headers or {}), "Content-Type": f"{media_type}; charset=utf-8"}
    return Response(body, status, headers=named)
