"""What this server adds to its own SQL, measured in process."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import orjson
from graphql import execute_sync
from sqlalchemy import event

from api.graphql_documents import Documents
from api.limits import Limits
from api.running import service_of
from pipeline.bench.reads import bodies_of
from pipeline.bench.reads_cases import DOCUMENTS, Case
from pipeline.centre import SYSTEM, Centre
from pipeline.errors import PipelineError
from pipeline.store.statements import cursor_of

_LEAST = 30  # turns of each
_PLANNED = 300
_SIGHTS = 5  # unseen documents of each case

Answer = Callable[[bytes], bytes]


def answer_of(centre: Centre) -> Answer:
    """Return what answers the body of a request as the server does, without HTTP and without its threads."""
    service = service_of(centre)
    documents = Documents(service.schema, Limits(), service.public_fields)

    def answer(body: bytes) -> bytes:
        asked = orjson.loads(body)
        name, variables = asked["operationName"], asked["variables"]
        checked, _ = documents.checked(asked["query"], known=True, name=name, variables=variables)
        with service.context_for(SYSTEM, float("inf")) as context:
            found = execute_sync(
                service.schema,
                checked.document,
                None,
                context,
                variables,
                name,
                execution_context_class=service.execution_context_class,
            )
        if found.errors:
            raise PipelineError(f"a request was refused: {found.errors[0].message}")
        return orjson.dumps({"data": found.data})

    return answer


@contextlib.contextmanager
def answering_in_process(folder: Path, database: str | None) -> Iterator[Answer]:
    """Open the records and give what answers from them."""
    with Centre.open(folder, database) as centre:
        yield answer_of(centre)


def overheads(folder: Path, database: str | None, cases: Sequence[Case], seconds: float) -> dict[str, dict[str, float]]:
    """Return, by case, what planning and execution add to the statements, and what a document costs at first sight.

    planning_us: from the body of a request until the driver is handed its first statement, which does not run, less
    what taking a connection takes, in microseconds. After a large answer the same work takes two to four times as
    long, because the processor's caches have forgotten it: overhead_us has that in it. bare_ms: the very statements
    of a request, executed with the driver on a connection of the same pool. overhead_us: what the whole request takes
    more; medians of turns one after the other. first_sight_ms: the same of a document that was never seen before.
    Processor time, because it does not grow when others want the processor too; what PostgreSQL does is not in it.
    """
    found = {}
    with Centre.open(folder, database) as centre:
        answer = answer_of(centre)
        for case in cases:
            found[case.letter] = _overhead(centre, answer, case, seconds)
    return found


def _overhead(centre: Centre, answer: Answer, case: Case, seconds: float) -> dict[str, float]:
    body = bodies_of(case)[0]
    for _ in range(8):  # PostgreSQL plans a statement anew for its first five uses
        answer(body)
    statements = _statements(centre, lambda: answer(body))
    whole: list[float] = []
    bare: list[float] = []
    began = perf_counter()
    gc.collect()
    walls: list[float] = []
    while len(whole) < _LEAST or perf_counter() - began < seconds:
        for run, taken in ((lambda: answer(body), whole), (lambda: _bare(centre, statements), bare)):
            sent, used = perf_counter(), process_time()
            run()
            taken.append(process_time() - used)
        walls.append(perf_counter() - sent)
    sights = []
    for number in range(_SIGHTS):
        unseen = DOCUMENTS[case.name].replace(f"query {case.name}(", f"query {case.name}{number}(")
        asked = {"query": unseen, "operationName": f"{case.name}{number}", "variables": case.variables[0]}
        used = process_time()
        answer(orjson.dumps(asked))
        sights.append(process_time() - used - median(bare))
    return {
        "planning_us": _planning(centre, answer, body) * 1e6,
        "overhead_us": (median(whole) - median(bare)) * 1e6,
        "bare_ms": median(walls) * 1e3,
        "first_sight_ms": median(sights) * 1e3,
        "statements": float(len(statements)),
    }


class _Handed(BaseException):
    """Not an Exception, so that no field turns it into a null and goes on."""


def _planning(centre: Centre, answer: Answer, body: bytes) -> float:
    """Return the processor time from a body to the statement, less what taking a connection takes, in seconds."""
    handed: list[float] = []

    def stop(*_: Any) -> None:
        handed.append(process_time())
        raise _Handed

    taken: list[float] = []
    with _listening(centre, stop):
        for _ in range(_PLANNED):
            handed.clear()
            used = process_time()
            with contextlib.suppress(_Handed):
                answer(body)
            opened = process_time()
            with centre.read(one_field=True):
                taken.append(handed[0] - used - (process_time() - opened))
    return median(taken)


def _statements(centre: Centre, run: Callable[[], object]) -> list[tuple[str, Any]]:
    """Return the statements that run, with their parameters as the driver gets them."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    with _listening(centre, note):
        run()
    return seen


@contextlib.contextmanager
def _listening(centre: Centre, note: Callable[..., object]) -> Iterator[None]:
    event.listen(centre.database.reader, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(centre.database.reader, "before_cursor_execute", note)


def _bare(centre: Centre, statements: Sequence[tuple[str, Any]]) -> None:
    raw = centre.database.reader.raw_connection()
    try:
        cursor = cursor_of(centre.database.reader.dialect.name, raw.driver_connection)
        for statement, parameters in statements:
            cursor.execute(statement, parameters)
            if cursor.description is not None:
                cursor.fetchall()
        raw.commit()
    finally:
        raw.close()
