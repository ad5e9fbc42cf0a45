"""Subscriptions as server-sent events, one operation per connection: graphql-sse's "distinct connections" mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from time import monotonic

import orjson
from starlette.responses import Response, StreamingResponse

from api.auth import RECHECK_SECONDS
from api.failures import RequestRefused, told_outside
from api.graphql_execution import Answer, Engine, OperationRefused, Prepared, cursor_of

EVENT_STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 12.0  # shorter than the idle time after which proxies hang up
COMPLETE = b"event: complete\ndata:\n\n"


def event_response(parts: AsyncIterator[bytes]) -> Response:
    """Return a response that sends the parts as they come."""
    # X-Accel-Buffering keeps a proxy from holding events back.
    return StreamingResponse(parts, media_type=f"{EVENT_STREAM}; charset=utf-8", headers={"X-Accel-Buffering": "no"})


async def one_answer(answer: Answer) -> AsyncGenerator[bytes, None]:
    """Yield a single answer and the end."""
    yield _next(answer)
    yield COMPLETE


async def answers_of(
    engine: Engine, prepared: Prepared, still_allowed: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[bytes, None]:
    """Yield the events of a subscription, a comment where there is nothing to say for a while, and the end.

    The stream breaks off without its end when the rights behind it are gone or the server ends: the client reconnects,
    and is told why or goes on.
    """
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)  # no further ahead of a slow client than one event
    pump = asyncio.create_task(_pump(engine, prepared, queue))
    ending = asyncio.create_task(_wake(engine, queue))
    checked = monotonic()
    try:
        while not engine.closing.is_set():
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    part = await queue.get()
            except TimeoutError:
                part = b":\n\n"
            if monotonic() - checked > RECHECK_SECONDS:
                if not await still_allowed():
                    return
                checked = monotonic()
            if part is None:
                yield COMPLETE
                return
            yield part
    finally:
        for task in (pump, ending):
            task.cancel()
        await asyncio.gather(pump, ending, return_exceptions=True)


async def _wake(engine: Engine, queue: asyncio.Queue[bytes | None]) -> None:
    """Wake a stream that waits for events when the server is about to end."""
    await engine.closing.wait()
    await queue.put(b":\n\n")


async def _pump(engine: Engine, prepared: Prepared, queue: asyncio.Queue[bytes | None]) -> None:
    """Read the events in one task, so that the source is opened, read and closed in the same one."""
    try:
        async with aclosing(engine.events(prepared)) as answers:
            async for answer in answers:
                await queue.put(_next(answer))
    except OperationRefused as refused:
        await queue.put(_next(refused.answer))
    except RequestRefused as refusal:
        await queue.put(_next(Answer(orjson.dumps({"errors": [refusal.formatted]}), executed=False)))
    except Exception as error:
        await queue.put(_next(Answer(orjson.dumps({"errors": [told_outside(error)]}), executed=False)))
    await queue.put(None)


def _next(answer: Answer) -> bytes:
    cursor = cursor_of(answer.body)
    identity = f"id: {cursor}\n".encode() if cursor else b""
    return b"event: next\n" + identity + b"data: " + answer.body + b"\n\n"
