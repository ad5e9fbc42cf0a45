"""Files in, by the GraphQL multipart request convention: `operations`, `map`, then the files, spooled to disk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from api.failures import RequestRefused
from api.graphql_request import GraphQLRequest, request_of, strict_json
from api.limits import SHOWN, Limits

MOST_FILES = 10
# A form on a foreign page can send multipart without asking; it cannot send one of these headers.
PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-requested-with")


async def body_of(request: Request, most: int, seconds: int) -> bytes:
    """Return the body of an ordinary request, read no further than so many bytes.

    Raises:
        RequestRefused: 413, it is larger; 408, it does not arrive in time.
    """
    async with _InTime(seconds):
        return b"".join([chunk async for chunk in _limited(request, most)])


@asynccontextmanager
async def multipart_request(request: Request, limits: Limits) -> AsyncIterator[GraphQLRequest]:
    """Give the GraphQL request of a multipart body; its files are closed, and gone, afterwards.

    Raises:
        RequestRefused: 400, 408 or 413; or 403 where no header shows that the sender is no foreign form.
    """
    if not any(request.headers.get(name) for name in PREFLIGHT_HEADERS):
        raise RequestRefused(
            403,
            "Send files with the header GraphQL-Require-Preflight: 1, which foreign pages cannot.",
            code="FORBIDDEN",
        )
    stream = _limited(request, limits.upload_bytes + limits.body_bytes)
    parser = MultiPartParser(
        request.headers, stream, max_files=MOST_FILES, max_fields=2, max_part_size=limits.body_bytes
    )
    try:
        async with _InTime(limits.upload_seconds):
            form = await parser.parse()
    except MultiPartException as error:
        raise RequestRefused(400, f"The multipart body cannot be read: {error.message}") from None
    try:
        yield _assembled(form, limits)
    finally:
        await form.close()


def _assembled(form: FormData, limits: Limits) -> GraphQLRequest:
    """Put the files of a form into the variables the map names."""
    operations, places = (_part(form, name, limits) for name in ("operations", "map"))
    request = request_of(operations)
    if not isinstance(places, dict):
        raise RequestRefused(400, 'The part map must be a JSON object such as {"0": ["variables.file"]}.')
    files = {name: value for name, value in form.multi_items() if isinstance(value, UploadFile)}
    if set(files) != set(places):
        raise RequestRefused(400, "The part map must name every file sent, and no other.")
    for file in files.values():
        file.filename = shown_name(file.filename or "")
    for name, paths in places.items():
        if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
            raise RequestRefused(400, "The part map must give each file a list of places.")
        for path in paths:
            _put(request.variables, path, files[name])
    return replace(request, carries_files=True)


def shown_name(filename: str) -> str:
    """Return what may be shown of the name a client gave a file: no folders, no control characters, not too long."""
    name = re.split(r"[/\\]", filename)[-1]
    printable = "".join(sign for sign in name if sign.isprintable()).strip()
    return printable[-SHOWN:] or "file"


def _part(form: FormData, name: str, limits: Limits) -> object:
    found = form.getlist(name)
    if len(found) != 1 or not isinstance(found[0], str):
        raise RequestRefused(400, f"The multipart body must have one part called {name}, holding JSON.")
    return strict_json(found[0].encode("utf-8", "surrogatepass"), limits, f"The part {name}")


def _put(variables: dict[str, Any], path: str, file: UploadFile) -> None:
    """Put a file at a place such as variables.file or variables.input.files.0, where null stands."""
    first, *steps = path.split(".")
    target: Any = variables
    keys: list[Any] = [int(step) if step.isdecimal() and len(step) < 4 else step for step in steps]
    try:
        if first != "variables":
            raise KeyError
        for key in keys[:-1]:
            target = target[key]
        if target[keys[-1]] is not None:
            raise KeyError
        target[keys[-1]] = file
    except (KeyError, IndexError, TypeError):
        raise RequestRefused(400, "The part map names a place in the variables where no null stands.") from None


class _InTime:
    """Refuses a body that does not arrive in time, or not whole. Every request has one, so it is no generator."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            message = f"The body did not arrive within {self.seconds} s."
            raise RequestRefused(408, message, code="TIMEOUT") from None
        if kind is ClientDisconnect:
            raise RequestRefused(400, "The body is incomplete.") from None


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    too_large = RequestRefused(413, f"The body is larger than {most:,} bytes.", code="TOO_LARGE")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > most:
        raise too_large
    received = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        received += len(chunk)
        if received > most:
            raise too_large
        if chunk:
            yield chunk
