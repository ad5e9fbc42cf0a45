"""Each peer as an ASGI application with one route: the request's JSON in, the answer's out, worked on in threads."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.bench.peers.records import open_records
from pipeline.errors import InputError

PEERS = {
    "limit": "pipeline.bench.peers.plain_sql",
    "graphene-orm": "pipeline.bench.peers.graphene_orm",
    "graphene-loaders": "pipeline.bench.peers.graphene_loaders",
    "strawberry-loaders": "pipeline.bench.peers.strawberry_loaders",
}
"""Where each peer is, by its name."""
Work = Callable[[bytes], bytes]


@contextlib.contextmanager
def opened(name: str, url: str) -> Iterator[Work]:
    """Give what answers the body of a request as a peer would.

    Raises:
        InputError: its packages are not installed.
    """
    try:
        module = importlib.import_module(PEERS[name])
    except ModuleNotFoundError as missing:
        raise InputError(
            f'{name} needs the package {missing.name}; install it with pip install "moltrail[bench]", '
            "or leave it out with --peers"
        ) from missing
    engine = open_records(url)
    answer = module.answering(engine)

    def work(body: bytes) -> bytes:
        asked = orjson.loads(body)
        operation, variables = asked["operationName"], asked["variables"]
        if name == "limit":
            return answer(operation, variables)  # type: ignore[no-any-return]
        found = answer(asked["query"], operation, variables)
        if found.errors:
            return orjson.dumps({"errors": [error.message for error in found.errors]})
        return orjson.dumps({"data": found.data})

    try:
        yield work
    finally:
        engine.dispose()


def application(name: str, url: str) -> Starlette:
    """Return a peer as an application."""
    threads = ThreadPoolExecutor(max(2, os.cpu_count() or 1))
    work: list[Work] = []

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with opened(name, url) as answer:
            work.append(answer)
            yield

    async def respond(request: Request) -> Response:
        body = await request.body()
        answer = await asyncio.get_running_loop().run_in_executor(threads, work[0], body)
        return Response(answer, media_type="application/json")

    return Starlette(routes=[Route("/graphql", respond, methods=["POST"])], lifespan=lifespan)
