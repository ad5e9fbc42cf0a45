"""Walk the audit chain: is every act in its place and unaltered, and does every row version belong to its one act?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.exc import DBAPIError

from pipeline.errors import InputError
from pipeline.store.chain import BOOKKEEPING, GENESIS, TableTally, act_hash, code_of, is_sealed, rows_digest, stream_of
from pipeline.store.database import Database
from pipeline.store.guards import missing_guards
from pipeline.store.keys import Anchor, ChainKey
from pipeline.store.sqlite import is_damage
from pipeline.store.tables import RECORD_TABLES, acts

PROBLEMS_SHOWN = 100


@dataclass(slots=True)
class AuditReport:
    """What a walk along the chain found. `problems` names the first hundred, the earliest act first."""

    acts: int = 0
    rows: int = 0
    head: str = GENESIS
    problems: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """True when nothing was found altered, missing or added."""
        return not self.problems

    def say(self, problem: str) -> None:
        """Note a problem, up to the number that can be read."""
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(problem.encode("utf-8", "backslashreplace").decode())


class _Rows:
    """The rows of one table in the order of the acts that opened (or closed) them, read once, alongside the acts."""

    def __init__(self, connection: Connection, table: Table, moment: str) -> None:
        self.table = table
        self.moment = moment
        self.names = [str(c.name) for c in table.columns]
        column = table.c[moment]
        statement = select(table).where(column.is_not(None)).order_by(column, table.c.id, table.c.version)
        self._rows = iter(connection.execute(statement.execution_options(yield_per=2000)))
        self._next: Row[Any] | None = next(self._rows, None)

    def up_to(self, number: int | None) -> Iterator[Row[Any]]:
        """Yield every row not seen yet whose act is at most `number`; all of them for None."""
        while self._next is not None and (number is None or self._next._mapping[self.moment] <= number):
            yield self._next
            self._next = next(self._rows, None)

    def stray(self, row: Row[Any]) -> str:
        """Return the sentence on a row whose act was never written."""
        number = row._mapping[self.moment]
        return f"{self.table.name} {row.id} version {row.version} names act {number}, which does not exist"


def verify(database: Database, key: ChainKey, anchor: Anchor) -> AuditReport:
    """Check every act and every row version; constant memory, one pass."""
    report = AuditReport()
    anchored = anchor.read()  # before the database, so that it cannot be ahead of what is read there
    for problem in anchored.problems:
        report.say(problem)
    with database.read() as connection, _as_it_is(connection):
        damage = list(_damage(connection))
        for problem in (*damage, *missing_guards(connection, (acts, *RECORD_TABLES))):
            report.say(problem)
        try:
            _walk(connection, key, anchored.heads, report)
        except DBAPIError:
            if not damage:
                raise
            report.say(f"the walk ended after act {report.acts}: what follows is damaged and cannot be read")
    if anchored.last > report.acts:
        report.say(
            f"the anchor remembers act {anchored.last}, the database ends at act {report.acts}: "
            "acts were cut off its end"
        )
    if anchored.exists and not anchored.heads and report.acts > 1:
        report.say(
            f"the anchor {anchor.path} remembers no act, the database holds {report.acts}: its lines were taken out; "
            "put its backup back, without it a cut tail would not show"
        )
    if report.acts and not anchored.exists:
        report.say(f"the anchor {anchor.path} is missing: put it back, without it a cut tail would not show")
    return report


def _walk(connection: Connection, key: ChainKey, anchored: Mapping[int, str], report: AuditReport) -> None:
    """Check the acts one after the other, and with each the rows it opened and closed."""
    filled = [t for t in RECORD_TABLES if connection.execute(select(t.c.id).limit(1)).first() is not None]
    opened = [_Rows(connection, table, "since_act") for table in filled]
    closed = [_Rows(connection, table, "until_act") for table in filled]
    previous = GENESIS
    for act in connection.execute(select(acts).order_by(acts.c.number).execution_options(yield_per=2000)).mappings():
        report.acts += 1
        number = act["number"]
        if number != report.acts:
            report.say(f"act {report.acts} is missing: the next one found is act {number}")
            report.acts = number
        if act["previous_hash"] != previous:
            report.say(f"act {number} does not follow the act before it: an act was altered, removed or inserted")
        if not _is_hashed(dict(act)):
            report.say(f"act {number} ({act['command']}) was altered")
        if act["key_id"] != key.id:
            report.say(f"act {number} was coded with another key ({act['key_id']}, ours is {key.id})")
        elif code_of(key.secret, act["hash"]) != act["mac"]:
            report.say(f"act {number} ({act['command']}) was not written by Moltrail: its code is wrong")
        if anchored.get(number, act["hash"]) != act["hash"]:
            report.say(f"act {number} is not the one the anchor remembers: the chain was rewritten")
        rows, digest = _check_rows(opened, closed, number, report)
        report.rows += rows
        if rows != act["rows"] or digest != act["rows_digest"]:
            report.say(
                f"act {number} ({act['command']}) wrote {act['rows']} row versions, {rows} are found: "
                "rows were altered, added, removed or moved"
            )
        previous = act["hash"]
    report.head = previous
    for stream in (*opened, *closed):
        for row in stream.up_to(None):
            report.say(stream.stray(row))


def _check_rows(opened: list[_Rows], closed: list[_Rows], number: int, report: AuditReport) -> tuple[int, str]:
    """Return how many rows act `number` opened and the digest over all it did."""
    tallies: dict[str, TableTally] = {}
    for stream in opened:
        name = str(stream.table.name)
        for row in stream.up_to(number):
            content = {k: v for k, v in zip(stream.names, row, strict=True) if k not in BOOKKEEPING}
            if not _is_sealed(name, content, bytes(row.seal)):
                report.say(f"{name} {row.id} version {row.version} (act {number}) was altered")
            if row.since_act != number:
                report.say(stream.stray(row))
            tallies.setdefault(name, TableTally()).add(stream_of(row.version), bytes(row.seal))
    for stream in closed:
        for row in stream.up_to(number):
            if row.until_act != number:
                report.say(stream.stray(row))
            tallies.setdefault(str(stream.table.name), TableTally()).add("closed", bytes(row.seal))
    return sum(tally.rows for tally in tallies.values()), rows_digest(tallies)


@contextlib.contextmanager
def _as_it_is(connection: Connection) -> Iterator[None]:
    """Read texts that are no texts, too: a byte altered into nonsense is a finding, not a failure."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    raw.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = str


def _damage(connection: Connection) -> Iterator[str]:
    """Yield what SQLite finds wrong with its own file: an index that leaves out a row would hide it from us."""
    if connection.dialect.name != "sqlite":
        return
    try:
        for (finding,) in connection.exec_driver_sql(f"PRAGMA integrity_check({PROBLEMS_SHOWN})"):
            if finding != "ok":
                yield f"the database file is damaged: {finding}"
    except DBAPIError as error:
        if not is_damage(error.orig):
            raise
        yield f"the database file is damaged: {error.orig}"


def _is_hashed(act: Mapping[str, Any]) -> bool:
    try:
        return act_hash(act) == str(act["hash"])
    except InputError:  # what has no canonical form was never hashed
        return False


def _is_sealed(table: str, content: Mapping[str, Any], seal: bytes) -> bool:
    try:
        return is_sealed(table, content, seal)
    except InputError:
        return False
