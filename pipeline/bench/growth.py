"""Whether reads cost the same among few molecules and among many: two sets of records, asked in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import orjson

from pipeline.bench.reads import bodies_of
from pipeline.bench.reads_cases import Case
from pipeline.errors import PipelineError

HISTORY = """
query History($code: String!) {
  molecule(code: $code) {
    code name
    history(last: 25) { totalCount nodes { kind summary recordedAt } pageInfo { hasPreviousPage startCursor } }
    programmes { indication status stage { code } transitions { kind occurredOn reason checkpoint { verdict } } }
  }
}
"""
CASES = "aef"  # of those reads are measured by: one molecule, a deep page and a first one


@dataclass(frozen=True, slots=True)
class Grown:
    """What one read took among few molecules and among many: medians, in ms."""

    what: str
    few_ms: float
    many_ms: float

    @property
    def ratio(self) -> float:
        """How many times as long it took among many."""
        return self.many_ms / self.few_ms

    def as_json(self) -> dict[str, Any]:
        """Return the figures for programs."""
        return {"what": self.what, "few_ms": self.few_ms, "many_ms": self.many_ms, "ratio": self.ratio}


def asked_of(cases: Mapping[str, Case]) -> dict[str, list[bytes]]:
    """Return the bodies of the requests to compare, by what they read, for one set of records."""
    history = [
        orjson.dumps({"query": HISTORY, "operationName": "History", "variables": variables})
        for variables in cases["a"].variables
    ]
    return {"the history of one molecule": history} | {cases[letter].what: bodies_of(cases[letter]) for letter in CASES}


def grown(
    few: tuple[Callable[[bytes], bytes], Mapping[str, Sequence[bytes]]],
    many: tuple[Callable[[bytes], bytes], Mapping[str, Sequence[bytes]]],
    *,
    seconds: float,
) -> list[Grown]:
    """Ask two sets of records the same for so long each, one request of each in turn; each was asked before once.

    Raises:
        PipelineError: they do not tell the same kind of thing.
    """
    found = []
    pairs = zip(few[1].items(), many[1].items(), strict=True)
    for (what_few, of_few), (what_many, of_many) in pairs:
        taken: tuple[list[float], list[float]] = ([], [])
        turns = ((few[0], of_few, taken[0]), (many[0], of_many, taken[1]))
        for ask, bodies, _ in turns:
            for body in bodies:
                if b'"data":{' not in ask(body):
                    raise PipelineError(f"a request was refused: {body[:200].decode()}")
        began = perf_counter()
        while not taken[1] or perf_counter() - began < seconds:
            for ask, bodies, into in turns:
                body = bodies[len(into) % len(bodies)]
                sent = perf_counter()
                ask(body)
                into.append(perf_counter() - sent)
        what = what_many if what_few == what_many else f"{what_few}; {what_many}"
        found.append(Grown(what, median(taken[0]) * 1e3, median(taken[1]) * 1e3))
    return found
