"""The worker threads that do all GraphQL work: about as many as there are cores, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from api.failures import RequestRefused

T = TypeVar("T")
GRACE_SECONDS = 0.5  # after its deadline a job may still notice for itself; then its client is answered without it


class Workers:
    """Runs synchronous work off the event loop.

    A thread cannot be stopped from outside. A job that does not look at its deadline keeps its thread until it ends;
    its client is told in time nevertheless.
    """

    def __init__(self, most_waiting: int, threads: int | None = None) -> None:
        self.threads = threads or max(2, os.cpu_count() or 1)
        self.most_waiting = most_waiting
        self.unfinished = 0
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="graphql")

    async def run(self, job: Callable[[], T], seconds: float) -> T:
        """Return what the job returns.

        Raises:
            RequestRefused: 503, because too many requests wait already or the job took longer than `seconds`.
        """
        if self.unfinished >= self.threads + self.most_waiting:
            raise RequestRefused(
                503, "Too many requests at once; try again in a moment.", code="BUSY", headers={"Retry-After": "1"}
            )
        loop = asyncio.get_running_loop()
        over = loop.create_future()  # not the job's own: who gives up must not cancel a job that goes on

        def ended(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._finished, over)

        self.unfinished += 1
        future = self._pool.submit(job)
        future.add_done_callback(ended)
        late = loop.call_later(seconds + GRACE_SECONDS, _end, over)
        try:
            await over
        finally:
            late.cancel()
        if not future.done():
            future.cancel()
            raise too_slow(seconds)
        if future.cancelled():  # by `close`
            raise RequestRefused(503, "The server is ending; try again in a moment.", code="BUSY")
        return future.result()

    def _finished(self, over: asyncio.Future[None]) -> None:
        self.unfinished -= 1
        _end(over)

    def close(self) -> None:
        """Take no further jobs; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def too_slow(seconds: float) -> RequestRefused:
    """Return the refusal of a request that took too long."""
    return RequestRefused(
        503,
        f"The request took longer than {seconds:g} s and was given up. Ask for less at once. If it was to write "
        "something, whether that happened is unknown: repeat it with the same idempotencyKey.",
        code="TIMEOUT",
    )
