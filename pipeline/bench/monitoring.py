"""What monitoring costs: bringing concentrations in beside bare inserts of the same rows, logging, and exposures.

The limit inserts what an import wrote, row for row, seals and the act included: with one bare executemany per table on
SQLite, with COPY on PostgreSQL, into the same tables with the same indexes and triggers, commit included. Ours goes
from the files to the commit: reading, checks, molecules, digests, events, audit, the files kept.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
from sqlalchemy import Connection, Table, select

from pipeline.bench.fresh_centres import Fresh, on_postgres, on_sqlite
from pipeline.bench.harness import Timing, peak_memory
from pipeline.bench.synthetic_study import ANALYTE, PROFILES, STUDY, TIMES, write_study
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.imports import ImportFiles
from pipeline.errors import PipelineError
from pipeline.exchange.formats import read_files
from pipeline.store.database import Database
from pipeline.store.tables import RECORD_TABLES, acts

ROWS = 100_000
LEAST_OF_EXECUTEMANY, LEAST_OF_COPY = 0.3, 0.15
MOST_MEMORY_MB = 400.0
RECORDS, MOST_RECORDS_S, MOST_RECORD_S = 1_000, 0.25, 0.01
PROFILES_OF_STUDY, MOST_EXPOSURES_S = 1_000, 1.0
_SINGLE = 50
_BATCH = 5_000

Answer = Callable[[bytes], bytes]
"""Answers the body of a GraphQL request."""
Answering = Callable[[Centre], Answer]

_IDS = "query Ids($code: String!) { study(code: $code) { id molecules { id } } }"
_LOG = """mutation Log($input: LogMonitoringInput!) {
  logMonitoring(input: $input) { records { id concentration } errors { message } }
}"""
_EXPOSURES = """query Exposures($code: String!) {
  study(code: $code) { exposures { subject { code } analyte interval parameters { code value unit flag } } }
}"""


@dataclass(frozen=True, slots=True)
class Rate:
    """An import beside its limit, by rows a second. least: the share of the limit's rate it is meant to reach."""

    name: str
    rows: int
    limit: Timing
    ours: Timing
    least: float

    @property
    def share(self) -> float:
        """Our rate over the limit's, by the medians."""
        return self.limit.median / self.ours.median

    def as_json(self) -> dict[str, object]:
        """Return the figures for programs; seconds."""
        return {
            "name": self.name,
            "rows": self.rows,
            "limit_s": list(self.limit.seconds),
            "ours_s": list(self.ours.seconds),
            "share": self.share,
            "target_share": self.least,
            "within": self.share >= self.least,
        }


@dataclass(frozen=True, slots=True)
class Call:
    """How long something takes, from the request to its answer. most: what the median is meant to stay below, s."""

    name: str
    taken: Timing
    most: float

    def as_json(self) -> dict[str, object]:
        """Return the figures for programs; seconds."""
        return {
            "name": self.name,
            "seconds": list(self.taken.seconds),
            "median_s": self.taken.median,
            "target_s": self.most,
            "within": self.taken.median <= self.most,
        }


def rates(folder: Path, repeat: int, url: str | None) -> list[Rate]:
    """Measure the import of a made-up study in a folder on SQLite, and on the PostgreSQL server of a URL."""
    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch, on_sqlite(Path(scratch)) as fresh:
        found = [_rate("SQLite, beside executemany", fresh, folder, repeat, _executemany, LEAST_OF_EXECUTEMANY)]
    if url is not None:
        with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch, on_postgres(Path(scratch), url) as fresh:
            found.append(_rate("PostgreSQL, beside COPY", fresh, folder, repeat, _copy, LEAST_OF_COPY))
    return found


def calls(answering: Answering, repeat: int) -> list[Call]:
    """Measure what people wait for, on SQLite with synchronous=FULL: logging, and the exposures of a study."""
    with (
        tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch,
        on_sqlite(Path(scratch)) as fresh,
        fresh() as centre,
    ):
        folder = Path(scratch) / "set"
        folder.mkdir()
        write_study(folder, PROFILES_OF_STUDY * len(TIMES))
        import_study(centre, folder)
        answer = answering(centre)
        ids = _asked(answer, "Ids", _IDS, {"code": STUDY})["study"]
        study, molecule = ids["id"], ids["molecules"][0]["id"]
        exposures = [_timed(answer, "Exposures", _EXPOSURES, {"code": STUDY}) for _ in range(repeat + 1)]
        many = [_logged(answer, study, molecule, RECORDS, f"M{turn}") for turn in range(repeat + 1)]
        one = [_logged(answer, study, molecule, 1, f"O{turn}") for turn in range(max(repeat, _SINGLE) + 1)]
    return [
        Call(f"logMonitoring of {RECORDS:,} records in one call", Timing(tuple(many[1:])), MOST_RECORDS_S),
        Call("logMonitoring of one record, synchronous=FULL", Timing(tuple(one[1:])), MOST_RECORD_S),
        Call(f"exposures of {PROFILES_OF_STUDY:,} profiles", Timing(tuple(exposures[1:])), MOST_EXPOSURES_S),
    ]


def memory_of_import(folder: Path) -> float | None:
    """Return the peak memory of a process that opens a centre and imports the study in a folder, in MB."""
    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch:
        statement = "import sys; from pipeline.bench.monitoring import import_once; import_once(*sys.argv[1:3])"
        return peak_memory(statement, [str(folder), scratch])


def import_once(folder: str, data: str) -> None:
    """Open a centre in a folder and import a study into it."""
    with Centre.open(Path(data)) as centre:
        import_study(centre, Path(folder))


def import_study(centre: Centre, folder: Path) -> int:
    """Import the study in a folder; return the number of the act.

    Raises:
        PipelineError: not all of its rows were accepted, so that there is nothing to compare.
    """
    files = [(file.name, file.read_bytes()) for file in sorted(folder.iterdir())]
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files("sdtm", files, graph)
    recorded = centre.execute(ImportFiles.of(reading, files, name=folder.name), actor=SYSTEM)
    report = recorded.result["report"]
    if report["accepted"] != report["rows"]:
        raise PipelineError(f"only {report['accepted']:,} of {report['rows']:,} made-up rows were accepted")
    return recorded.number


# ---------------------------------------------------------------- imports


Put = Callable[[Sequence[Sequence[Any]]], None]
Inserting = Callable[[Connection, Table], contextlib.AbstractContextManager[Put]]
"""Opens a table to be filled; `Put` takes some rows."""


def _rate(name: str, fresh: Fresh, folder: Path, repeat: int, inserting: Inserting, least: float) -> Rate:
    """Let both take turns; the first turn is not counted."""
    ours: list[float] = []
    limit: list[float] = []
    rows = 0
    for _ in range(repeat + 1):
        with fresh() as centre:
            began = perf_counter()
            number = import_study(centre, folder)
            ours.append(perf_counter() - began)
            with fresh() as beside:
                seconds, rows = _inserted(centre.database, number, beside.database, inserting)
            limit.append(seconds)
    return Rate(name, rows, Timing(tuple(limit[1:])), Timing(tuple(ours[1:])), least)


def _inserted(source: Database, number: int, target: Database, inserting: Inserting) -> tuple[float, int]:
    """Insert in one database what one act wrote in another; return how long that took, and how many rows there are.

    Rows are read a few at a time, so that as many as one likes can be measured; reading them is not counted.
    """
    clock, rows = _Clock(), 0
    with source.read() as connection, contextlib.ExitStack() as transaction:
        with clock:
            into = transaction.enter_context(target.write())
        for table in (acts, *RECORD_TABLES):
            of_the_act = table.c.number if table is acts else table.c.since_act
            statement = select(table).where(of_the_act == number).execution_options(yield_per=_BATCH)
            with contextlib.ExitStack() as opened:
                with clock:
                    put = opened.enter_context(inserting(into, table))
                for some in connection.execute(statement).partitions(_BATCH):
                    batch = [tuple(row) for row in some]
                    rows += len(batch)
                    with clock:
                        put(batch)
                with clock:
                    opened.close()
        with clock:
            transaction.close()
    return clock.seconds, rows


@dataclass(slots=True)
class _Clock:
    """Adds up how long what stands in its `with` takes."""

    seconds: float = 0.0
    _began: float = 0.0

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += perf_counter() - self._began


@contextlib.contextmanager
def _executemany(connection: Connection, table: Table) -> Iterator[Put]:
    names = [column.name for column in table.columns]
    text = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
    cursor = connection.connection.cursor()
    yield lambda rows: cursor.executemany(text, rows)
    cursor.close()


@contextlib.contextmanager
def _copy(connection: Connection, table: Table) -> Iterator[Put]:
    names = ", ".join(column.name for column in table.columns)
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copying:

        def put(rows: Sequence[Sequence[Any]]) -> None:
            for row in rows:
                copying.write_row(row)

        yield put
    cursor.close()


# ---------------------------------------------------------------- calls


def _asked(answer: Answer, name: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    body = orjson.dumps({"query": query, "operationName": name, "variables": variables})
    found: dict[str, Any] = orjson.loads(answer(body))["data"]
    return found


def _timed(answer: Answer, name: str, query: str, variables: dict[str, Any]) -> float:
    body = orjson.dumps({"query": query, "operationName": name, "variables": variables})
    began = perf_counter()
    found = answer(body)
    took = perf_counter() - began
    exposures = orjson.loads(found)["data"]["study"]["exposures"]
    if len(exposures) != PROFILES_OF_STUDY:
        raise PipelineError(f"there are {len(exposures):,} exposures, not {PROFILES_OF_STUDY:,}")
    return took


def _logged(answer: Answer, study: str, molecule: str, count: int, turn: str) -> float:
    records = [
        {
            **{"study": study, "molecule": molecule, "analyte": ANALYTE, "specimen": "PLASMA", "unit": "ng/mL"},
            **{"subject": f"BENCH-{turn}-{number // PROFILES}", "reported": f"{100 + number % 97}.5"},
            **{"hoursAfterDose": float(number % PROFILES), "lowerLimit": 0.5, "profile": "Day 1", "day": 1.0},
        }
        for number in range(count)
    ]
    body = orjson.dumps({"query": _LOG, "operationName": "Log", "variables": {"input": {"records": records}}})
    began = perf_counter()
    found = answer(body)
    took = perf_counter() - began
    payload = orjson.loads(found)["data"]["logMonitoring"]
    if payload["errors"] or len(payload["records"]) != count:
        raise PipelineError(f"records were not logged: {payload['errors'][:1]}")
    return took
