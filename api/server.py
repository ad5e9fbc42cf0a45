"""Serving an application with uvicorn, quietly."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from api.settings import Settings
from pipeline.errors import InputError

LOG = logging.getLogger("moltrail.api")


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket at the settings' host and port.

    Raises:
        InputError: the port is taken or forbidden, or the host is not of this machine; one sentence says so.
    """
    host = settings.host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named; with it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise InputError(_sentence(error, settings)) from None
    return listener


def serve(app: Starlette, settings: Settings, listener: socket.socket | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then return. Prints nothing but errors.

    Args:
        app: what to serve.
        settings: where, and within which limits.
        listener: from `listen`, for a caller that wants to know that the port is free before it does anything else.

    Raises:
        InputError: as `listen`.
    """
    listener = listener or listen(settings)
    for warning in settings.warnings():
        LOG.warning(warning)
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=settings.limits.socket_message_bytes,
        ws_per_message_deflate=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    # What is there now lives as long as the server: no collection need look through it again.
    gc.collect()
    gc.freeze()
    server = _Server(config, app.state.closing)
    with listener, _ended_by_signals(server):
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends the streams first, which would otherwise go on for as long as their clients like."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self.closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.closing.set()
        await super().shutdown(sockets)


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let a signal end the server from now on, and no signal kill it once it has ended: its caller closes the store.

    uvicorn listens to signals only while it runs, and raises those it got again when it returns.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sentence(error: OSError, settings: Settings) -> str:
    port = settings.port
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program; end that one or choose another port, for example {port + 1}."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be used by this account; choose one above 1023."
    return f"Cannot listen on {settings.host}, port {port}: {error.strerror or error}; set MOLTRAIL_HOST to 127.0.0.1."
