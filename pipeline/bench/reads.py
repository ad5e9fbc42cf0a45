"""Reads measured side by side: SQL written by hand, this server, and what others are built with, in short rounds.

A shared machine is now fast and now slow. Contenders take turns, so that each round is alike for all of them, and what
is told are ratios within a round: their median, and how far they spread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import orjson

from pipeline.bench.reads_cases import DOCUMENTS, Case
from pipeline.bench.reads_servers import Started, asked, load, request_of, started
from pipeline.errors import PipelineError

LIMIT, OURS = "limit", "moltrail"
COMPARED = 5  # answers of each case that have to be equal before anything is timed


@dataclass(frozen=True, slots=True)
class Contender:
    """What is measured: how to start it as a server, and how to ask it without one."""

    name: str
    command: Sequence[str]
    settings: Mapping[str, str]
    opened: Callable[[], contextlib.AbstractContextManager[Callable[[bytes], bytes]]]


@dataclass(slots=True)
class Measured:
    """One contender in one case: requests a second in each round, and how long each request took, in seconds."""

    rates: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    memory_mb: float | None = None

    @property
    def p50_ms(self) -> float:
        """Half of the requests took no longer."""
        return median(self.taken) * 1e3

    @property
    def p99_ms(self) -> float:
        """99 of 100 requests took no longer."""
        return (quantiles(self.taken, n=100, method="inclusive")[98] if len(self.taken) > 1 else self.taken[0]) * 1e3

    def as_json(self) -> dict[str, Any]:
        """Return the figures for programs."""
        return {
            "requests_per_s": median(self.rates),
            "rates": self.rates,
            "requests": len(self.taken),
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
            "memory_mb": self.memory_mb,
        }


Table = dict[str, dict[str, Measured]]
"""What was measured, by case and contender."""


def ratio(one: Measured, other: Measured) -> tuple[float, float, float]:
    """Return how many times as many requests one answered as the other: median of the rounds, least and most."""
    found = [mine / theirs for mine, theirs in zip(one.rates, other.rates, strict=True)]
    return median(found), min(found), max(found)


def bodies_of(case: Case) -> list[bytes]:
    """Return the bodies of a case's requests."""
    return [
        orjson.dumps({"query": DOCUMENTS[case.name], "operationName": case.name, "variables": variables})
        for variables in case.variables
    ]


def in_process(contenders: Sequence[Contender], cases: Sequence[Case], *, seconds: float, rounds: int) -> Table:
    """Measure without HTTP: one request after the other, in this process.

    Raises:
        PipelineError: two contenders answer differently.
    """
    found: Table = {case.letter: {one.name: Measured() for one in contenders} for case in cases}
    with contextlib.ExitStack() as stack:
        answer = {one.name: stack.enter_context(one.opened()) for one in contenders}
        for case in cases:
            bodies = bodies_of(case)
            _same(case, {name: [ask(body) for body in bodies[:COMPARED]] for name, ask in answer.items()})
            for _ in range(rounds):
                for name, ask in answer.items():
                    _round(ask, bodies, seconds, found[case.letter][name])
    return found


def _round(ask: Callable[[bytes], bytes], bodies: Sequence[bytes], seconds: float, into: Measured) -> None:
    taken: list[float] = []
    began = now = perf_counter()
    while not taken or now - began < seconds:
        body = bodies[(len(into.taken) + len(taken)) % len(bodies)]
        sent = perf_counter()
        ask(body)
        now = perf_counter()
        taken.append(now - sent)
    into.taken += taken
    into.rates.append(len(taken) / (now - began))


@contextlib.contextmanager
def served(contenders: Sequence[Contender]) -> Iterator[dict[str, Started]]:
    """Start every contender as a server."""
    with contextlib.ExitStack() as stack:
        yield {one.name: stack.enter_context(started(one.name, one.command, one.settings)) for one in contenders}


def over_http(
    servers: Mapping[str, Started], cases: Sequence[Case], *, clients: int, seconds: float, rounds: int
) -> Table:
    """Measure over HTTP with several clients at once.

    Raises:
        PipelineError: two contenders answer differently, or one does not answer.
    """
    found: Table = {}
    for case in cases:
        requests = [request_of(body) for body in bodies_of(case)]
        _same(case, {n: asyncio.run(asked(s.port, requests[:COMPARED])) for n, s in servers.items()})
        measured = found[case.letter] = {name: Measured() for name in servers}
        for server in servers.values():  # connections, statements and caches, as they are after a while
            asyncio.run(load(server.port, requests, clients, seconds=min(0.5, seconds)))
        for _ in range(rounds):
            for name, server in servers.items():
                taken, together = asyncio.run(load(server.port, requests, clients, seconds=seconds))
                measured[name].taken += taken
                measured[name].rates.append(len(taken) / together)
        for name, server in servers.items():
            measured[name].memory_mb = server.memory_mb
    return found


def memory_after(server: Started, case: Case, *, clients: int, requests: int) -> tuple[float | None, float | None]:
    """Return what a server holds after a fifth of so many requests and after all of them, in MB."""
    asking = [request_of(body) for body in bodies_of(case)]
    asyncio.run(load(server.port, asking, clients, count=requests // 5))
    early = server.memory_mb
    asyncio.run(load(server.port, asking, clients, count=requests - requests // 5))
    return early, server.memory_mb


def _same(case: Case, answers: Mapping[str, Sequence[bytes]]) -> None:
    """Refuse to time what does not say the same."""
    read = {name: [_data(answer) for answer in some] for name, some in answers.items()}
    first = next(iter(read))
    for name, some in read.items():
        if some != read[first]:
            place = next(n for n, pair in enumerate(zip(some, read[first], strict=True)) if pair[0] != pair[1])
            raise PipelineError(
                f"{name} and {first} answer case {case.letter} differently, with {dict(case.variables[place])}: "
                f"{answers[name][place][:200].decode(errors='replace')}"
            )


def _data(answer: bytes) -> Any:
    """Return what was answered; the order of keys does not count, and 1 and 1.0 are one number of JSON."""
    content = orjson.loads(answer)
    if not isinstance(content, dict) or content.get("data") is None or content.get("errors"):
        raise PipelineError(f"a request was refused: {answer[:300].decode(errors='replace')}")
    return content["data"]
