"""The worker threads that do all GraphQL work: about as many as there are cores, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
        self.unfinished += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, job)
        future.add_done_callback(self._finished)
        done, _ = await asyncio.wait((future,), timeout=seconds + GRACE_SECONDS)
        if not done:
            future.cancel()
            raise too_slow(seconds)
        return future.result()

    def _finished(self, future: asyncio.Future[T]) -> None:
        self.unfinished -= 1
        if not future.cancelled():
            future.exception()  # so that a failure nobody waits for any more is not reported by the event loop

    def close(self) -> None:
        """Take no further jobs; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def too_slow(seconds: float) -> RequestRefused:
    """Return the refusal of a request that took too long."""
    return RequestRefused(
        503,
        f"The request took longer than {seconds:g} s and was given up. Ask for less at once. If it was to write "
        "something, whether that happened is unknown: repeat it with the same idempotencyKey.",
        code="TIMEOUT",
    )
