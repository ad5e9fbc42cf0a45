"""The one place that writes: an act and the row versions it makes, in one transaction.

Nothing is changed in place. A new fact is `add`ed; a changed one is `revise`d, which closes the version seen and
opens the next; what turns out never to have been is `close`d. Of two writers of one version the later closes no row
and is told `StaleVersion`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Table, func, insert, select, update

from pipeline import __version__
from pipeline.access import Actor
from pipeline.dates import PartialDate, instant
from pipeline.errors import IdempotencyMismatch, InputError, NotFound, StaleVersion, Unavailable
from pipeline.exchange.collection import uncollected
from pipeline.store.chain import (
    BOOKKEEPING,
    GENESIS,
    SALT_BYTES,
    TableTally,
    act_hash,
    code_of,
    rows_digest,
    salted,
    seal,
)
from pipeline.store.database import Database
from pipeline.store.graphs import Graphs
from pipeline.store.keys import Anchor, ChainKey
from pipeline.store.tables import acts, events
from pipeline.store.values import as_stored
from pipeline.words import EventKind

_COPY_FROM = 64  # rows; below it PostgreSQL's COPY costs more than it saves


@dataclass(slots=True)
class Act:
    """One act in the making. Ids given out are final once the act is committed."""

    connection: Connection
    number: int
    recorded_at: str
    actor: Actor
    graphs: Graphs
    _tallies: dict[str, TableTally] = field(default_factory=dict)
    _late: dict[tuple[str, str], list[tuple[int, int, bytes]]] = field(default_factory=dict)
    _next_ids: dict[str, int] = field(default_factory=dict)
    _events: list[dict[str, Any]] = field(default_factory=list)

    # ------------------------------------------------------------ reading what is current

    def find(self, table: Table, id: int) -> dict[str, Any]:
        """Return the current version of a row; refuse with NotFound when there is none."""
        row = (
            self.connection.execute(select(table).where(table.c.id == id, table.c.until_act.is_(None)))
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFound(f"there is no {table.name.rstrip('s').replace('_', ' ')} with id {id}")
        return dict(row)

    def current(self, table: Table, *conditions: Any, order_by: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the current rows that meet the conditions, by id unless ordered otherwise."""
        statement = select(table).where(table.c.until_act.is_(None), *conditions).order_by(*order_by, table.c.id)
        return [dict(row) for row in self.connection.execute(statement).mappings()]

    # ------------------------------------------------------------ writing

    def add(self, table: Table, row: Mapping[str, Any]) -> int:
        """Append one new record and return its id."""
        return self.add_all(table, tuple(row), [tuple(row.values())]).start

    def add_all(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> range:
        """Append new records, given as tuples in the order of `columns`, and return their ids in the same order."""
        first = self.next_id(table)
        ids = range(first, first + len(rows))
        if not rows:
            return ids
        self._next_ids[table.name] = ids.stop
        # What is empty in all rows is neither sealed nor sent: it is empty in the table by itself.
        given = zip(columns, as_stored(table, columns, rows), strict=True)
        content = {name: of for name, of in given if any(value is not None for value in of)}
        sealed = {"id": ids, "version": (1,) * len(rows), **content}
        seals = salted(table.name, sealed, os.urandom(SALT_BYTES * len(rows)))
        self._tally(table).add_all("new", seals)
        self._insert(table, sealed, seals)
        return ids

    def revise(self, table: Table, seen: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
        """Replace the version that was seen by one with changes, and return its number.

        Raises:
            StaleVersion: somebody else replaced it in between.
        """
        self.close(table, seen)
        content = {name: value for name, value in seen.items() if name not in BOOKKEEPING} | dict(changes)
        content["version"] = seen["version"] + 1
        names = _content(table)
        stored = as_stored(table, names, [tuple(content.get(n) for n in names)])
        content = {name: value for name, (value,) in zip(names, stored, strict=True)}
        sealed = [seal(table.name, content, os.urandom(SALT_BYTES))]
        self._late.setdefault((str(table.name), "revised"), []).append((content["id"], content["version"], sealed[0]))
        self._insert(table, dict(zip(names, stored, strict=True)), sealed)
        return int(content["version"])

    def close(self, table: Table, seen: Mapping[str, Any]) -> None:
        """Say that the version seen holds no longer, from this act on.

        Raises:
            StaleVersion: somebody else replaced it in between.
        """
        statement = (
            update(table)
            .where(table.c.id == seen["id"], table.c.version == seen["version"], table.c.until_act.is_(None))
            .values(until_act=self.number)
        )
        if self.connection.execute(statement).rowcount != 1:
            current = self.connection.execute(
                select(func.max(table.c.version)).where(table.c.id == seen["id"])
            ).scalar()
            raise StaleVersion(
                f"version {seen['version']} has been replaced; read it again and repeat with version {current}",
                current=int(current or 0),
            )
        closed = (seen["id"], seen["version"], bytes(seen["seal"]))
        self._late.setdefault((str(table.name), "closed"), []).append(closed)

    def event(
        self,
        kind: EventKind,
        summary: str,
        *,
        molecule_id: int | None = None,
        programme_id: int | None = None,
        node: str | None = None,
        node_id: int | None = None,
        occurred_on: PartialDate | None = None,
        reason_for_change: str | None = None,
    ) -> None:
        """Tell the history what happened; written with the act, in the order told."""
        self._events.append(
            {
                "kind": kind.value,
                "molecule_id": molecule_id,
                "programme_id": programme_id,
                "node": node,
                "node_id": node_id,
                "occurred_on": occurred_on.text if occurred_on else None,
                "sorted_on": occurred_on.earliest if occurred_on else self.recorded_at[:10],
                "summary": summary,
                "reason_for_change": reason_for_change,
            }
        )

    def next_id(self, table: Table) -> int:
        """Return the id the next new record of a table will have."""
        if table.name not in self._next_ids:
            highest = self.connection.execute(select(func.max(table.c.id))).scalar()
            self._next_ids[table.name] = int(highest or 0) + 1
        return self._next_ids[table.name]

    # ------------------------------------------------------------ inside

    def _tally(self, table: Table) -> TableTally:
        return self._tallies.setdefault(str(table.name), TableTally())

    def _insert(self, table: Table, content: Mapping[str, Sequence[Any]], seals: Sequence[bytes]) -> None:
        """Write rows, given column by column, with their seals."""
        columns = (*content, "since_act", "seal")
        values = list(zip(*content.values(), (self.number,) * len(seals), seals, strict=True))
        if self.connection.dialect.name == "postgresql" and len(values) >= _COPY_FROM:
            cursor = self.connection.connection.cursor()
            with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
                copy.set_types([_PG_TYPE[type(table.c[name].type).__name__] for name in columns])
                for value in values:
                    copy.write_row(value)
            cursor.close()
            return
        mark = "?" if self.connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(columns))
        # Names come from the tables above, never from input.
        self.connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", values)  # noqa: S608

    def finish(self) -> tuple[int, Mapping[str, TableTally]]:
        """Write the events; return the number of rows the act wrote and, by table, the tally of its seals."""
        if self._events:
            names = tuple(self._events[0])
            self.add_all(events, names, [tuple(event.values()) for event in self._events])
        for (name, stream), sealed in self._late.items():
            tally = self._tallies.setdefault(name, TableTally())
            for _, _, value in sorted(sealed):
                tally.add(stream, value)
        return sum(tally.rows for tally in self._tallies.values()), self._tallies


_PG_TYPE = {"Text": "text", "BigInteger": "int8", "Double": "float8", "LargeBinary": "bytea", "Flag": "bool"}


def _content(table: Table) -> list[str]:
    return [str(column.name) for column in table.columns if column.name not in BOOKKEEPING]


def _after(last: str, now: datetime) -> str:
    """Return when an act is recorded: now, but later than the act before, whose clock may have been ahead.

    The number decides the order. Were two acts recorded at one moment, what was known then would change with the
    second.
    """
    moment = instant(now)
    return (
        moment if moment > last else instant(datetime.fromisoformat(last).astimezone(UTC) + timedelta(microseconds=1))
    )


class Rehearsed(Exception):
    """Raised by a writer to say what it would have done: everything is undone, the result is handed out."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        super().__init__("rehearsed")
        self.result = dict(result)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An act that is committed. `repeated` when it answers again for an act of the same idempotency key.

    A rehearsal has number 0: nothing was written.
    """

    number: int
    recorded_at: str
    result: dict[str, Any]
    repeated: bool = False


@dataclass(slots=True)
class Journal:
    """The door to the store for everything that writes."""

    database: Database
    key: ChainKey
    anchor: Anchor
    graphs: Graphs = field(default_factory=Graphs)
    last_number: int = 0
    """The last act of this process: who follows the events need not ask the database for news of it."""
    _after_commit: threading.Lock = field(default_factory=threading.Lock)

    def perform(
        self,
        command: str,
        write: Callable[[Act], Mapping[str, Any]],
        *,
        actor: Actor,
        now: datetime,
        reason: str | None = None,
        idempotency_key: str | None = None,
        fingerprint: str | None = None,
    ) -> Recorded:
        """Do one act: `write` is handed the act and returns its result, a JSON object of ids; all of it, or nothing.

        An act done before under the same key is not done again: its first answer is returned.

        Raises:
            IdempotencyMismatch: the key was used by this actor for another content.
            Unavailable: the outcome is unknown; repeat with the same key.
        """
        try:
            with uncollected():  # a bulk import makes a million small objects that all live on until it is committed
                return self._perform(command, write, actor, now, reason, idempotency_key, fingerprint)
        except Rehearsed as rehearsed:
            return Recorded(0, instant(now), rehearsed.result)

    def _perform(
        self,
        command: str,
        write: Callable[[Act], Mapping[str, Any]],
        actor: Actor,
        now: datetime,
        reason: str | None,
        idempotency_key: str | None,
        fingerprint: str | None,
    ) -> Recorded:
        with self.database.write() as connection:
            before = self._repeated(connection, actor, idempotency_key, fingerprint)
            if before is not None:
                return before
            head = connection.execute(
                select(acts.c.number, acts.c.hash, acts.c.recorded_at).order_by(acts.c.number.desc()).limit(1)
            ).one_or_none()
            recorded_at = _after(head.recorded_at, now) if head else instant(now)
            act = Act(connection, (head.number if head else 0) + 1, recorded_at, actor, self.graphs)
            result = dict(write(act))
            rows, tallies = act.finish()
            content: dict[str, Any] = {
                "number": act.number,
                "recorded_at": recorded_at,
                "actor": actor.name,
                "role": actor.role,
                "command": command,
                "reason": reason,
                "idempotency_key": idempotency_key,
                "fingerprint": fingerprint,
                "result": orjson.dumps(result, option=orjson.OPT_SORT_KEYS).decode(),
                "software": __version__,
                "rows": rows,
                "rows_digest": rows_digest(tallies),
                "previous_hash": head.hash if head else GENESIS,
            }
            content["hash"] = act_hash(content)
            content["key_id"] = self.key.id
            content["mac"] = code_of(self.key.secret, content["hash"])
            if head is None:
                self.anchor.begin()
            connection.execute(insert(acts).values(**content))
        with self._after_commit:
            self.last_number = max(self.last_number, act.number)
            # The act is committed and stands, whatever becomes of the anchor; the next act adds what it missed.
            with contextlib.suppress(OSError, Unavailable):
                self.anchor.extend(act.number, content["hash"], self._heads)
        return Recorded(act.number, recorded_at, result)

    def anchor_last(self) -> None:
        """Add the last act to the anchor, where the process that wrote it ended before it could.

        Only the last: a longer gap is for `verify` to find and for the next act to close.
        """
        if not self.anchor.path.exists():
            return
        with self.database.read() as connection:
            head = connection.execute(
                select(acts.c.number, acts.c.hash).order_by(acts.c.number.desc()).limit(1)
            ).one_or_none()
        if head is not None:
            with contextlib.suppress(OSError, Unavailable):
                self.anchor.extend_by_one(head.number, head.hash)

    def _heads(self, first: int, last: int) -> list[tuple[int, str]]:
        """Return number and hash of some acts, for the anchor."""
        with self.database.read() as connection:
            found = connection.execute(
                select(acts.c.number, acts.c.hash).where(acts.c.number.between(first, last)).order_by(acts.c.number)
            )
            return [(row.number, row.hash) for row in found]

    def _repeated(
        self, connection: Connection, actor: Actor, key: str | None, fingerprint: str | None
    ) -> Recorded | None:
        if key is None:
            return None
        if not 0 < len(key) <= 200 or not key.isprintable():
            raise InputError("an idempotency key has 1 to 200 printable characters", path=("idempotencyKey",))
        found = connection.execute(
            select(acts.c.number, acts.c.recorded_at, acts.c.result, acts.c.fingerprint).where(
                acts.c.actor == actor.name, acts.c.idempotency_key == key
            )
        ).one_or_none()
        if found is None:
            return None
        if found.fingerprint != fingerprint:
            raise IdempotencyMismatch(
                f"the idempotency key {key[:40]!r} was used for another content in act {found.number}; take a new key",
                path=("idempotencyKey",),
            )
        return Recorded(found.number, found.recorded_at, orjson.loads(found.result), repeated=True)
