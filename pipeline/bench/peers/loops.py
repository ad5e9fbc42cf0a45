"""An event loop for each worker thread: loaders need one, and making it anew for every request takes long."""

from __future__ import annotations

import asyncio
import threading

_OF_THREAD = threading.local()


def loop_of_thread() -> asyncio.AbstractEventLoop:
    """Return the loop of the calling thread, made when it is first asked for."""
    loop: asyncio.AbstractEventLoop | None = getattr(_OF_THREAD, "loop", None)
    if loop is None:
        loop = _OF_THREAD.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    return loop
