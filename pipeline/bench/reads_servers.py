"""Servers in processes of their own, and the clients that ask them over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from pipeline.errors import PipelineError

_START_SECONDS = 60
_LARGEST_ANSWER = 2**26  # bytes


@dataclass(frozen=True, slots=True)
class Started:
    """A server that runs and listens."""

    name: str
    process: subprocess.Popen[bytes]
    port: int

    @property
    def memory_mb(self) -> float | None:
        """What the process holds in memory, in MB (10^6 bytes); None where the system does not tell."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return None
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6


@contextlib.contextmanager
def started(name: str, command: Sequence[str], settings: Mapping[str, str]) -> Iterator[Started]:
    """Start a server, its port in the place of {port}; end it afterwards.

    Raises:
        PipelineError: it ended at once, with what it said.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MOLTRAIL_")}
    environment |= {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)} | dict(settings)  # noqa: PTH109
    arguments = [part.replace("{port}", str(port)) for part in command]
    with subprocess.Popen(  # noqa: S603 - this interpreter, with words of ours
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            _wait(name, process, port)
            yield Started(name, process, port)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(name: str, process: subprocess.Popen[bytes], port: int) -> None:
    began = perf_counter()
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or perf_counter() - began > _START_SECONDS:
            process.kill()
            said = process.stderr.read().decode(errors="replace") if process.stderr else ""
            raise PipelineError(
                f"the server {name} did not start: {said.strip().splitlines()[-1:] or 'it said nothing'}"
            )
        sleep(0.05)


def request_of(body: bytes) -> bytes:
    """Return the bytes of a request."""
    head = (
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Client:
    """One connection that is kept open, one request at a time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the body of its answer.

        Raises:
            PipelineError: it was not answered with 200.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=_LARGEST_ANSWER)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise PipelineError(f"a server answered {head.splitlines()[0].decode()}: {body[:300].decode()}")
        return body

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            with contextlib.suppress(OSError):
                await self._streams[1].wait_closed()


async def asked(port: int, requests: Sequence[bytes]) -> list[bytes]:
    """Ask a server one request after the other and return the answers."""
    client = Client(port)
    try:
        return [await client.ask(request) for request in requests]
    finally:
        await client.close()


async def load(
    port: int, requests: Sequence[bytes], clients: int, *, seconds: float = 0.0, count: int = 0
) -> tuple[list[float], float]:
    """Let some clients ask at once, for a time or a number of requests, whichever comes last.

    Returns:
        How long each request took, and how long all of them together, in seconds.
    """
    taken: list[float] = []
    began = perf_counter()
    begun = 0

    async def one() -> None:
        nonlocal begun
        client = Client(port)
        try:
            while begun < max(count, clients) or perf_counter() - began < seconds:
                request = requests[begun % len(requests)]
                begun += 1
                sent = perf_counter()
                await client.ask(request)
                taken.append(perf_counter() - sent)
        finally:
            await client.close()

    await asyncio.gather(*(one() for _ in range(clients)))
    return taken, perf_counter() - began
