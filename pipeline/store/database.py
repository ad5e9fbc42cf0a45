"""Engines and transactions: SQLite in one file for one process, or PostgreSQL. Nothing here knows what is stored.

Writers take one lock, so acts become visible in the order of their numbers. Readers never wait for writers.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from pipeline.errors import StoreRefused, Unavailable
from pipeline.store import postgres, sqlite

_UNKNOWN = "the store could not confirm the write, its outcome is unknown; repeat it with the same idempotency key"
_AT_REST_S = 1.0
_USED = "used"
_UNREADABLE = "the store cannot be read now; try again in a moment"


class Database:
    """One database with a way to read and a way to write."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy URL; refuse what cannot be opened safely in one sentence."""
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise StoreRefused(
                "the address of the database cannot be read; write postgresql://user:password@host/name "
                "or sqlite:///path"
            ) from error
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._write_lock = threading.RLock()
        self.path: Path | None = None
        if self.is_sqlite:
            self._open_sqlite()
        else:
            self._open_postgres()
        driver: Any = self.writer.dialect.loaded_dbapi
        # A driver used directly (COPY) raises its own errors, not SQLAlchemy's.
        self._failures: tuple[type[Exception], ...] = (DBAPIError, driver.Error)
        self._mistakes = (driver.IntegrityError, driver.ProgrammingError, driver.DataError)

    # ------------------------------------------------------------ engines

    def _open_sqlite(self) -> None:
        if not self.url.database or self.url.database == ":memory:":
            raise StoreRefused("an SQLite database needs a file; give its path")
        self.path = Path(self.url.database)
        self._claim = sqlite.FileClaim(self.path)
        try:
            self._log = sqlite.WriteAheadLog(self.path)
        except BaseException:
            self._claim.release()
            raise
        self.writer = self._sqlite_engine(begin="BEGIN IMMEDIATE", read_only=False)
        self.reader = self._sqlite_engine(begin="BEGIN", read_only=True)

    def _sqlite_engine(self, *, begin: str, read_only: bool) -> Engine:
        engine = create_engine(
            self.url,
            connect_args={"isolation_level": None, "check_same_thread": False, "timeout": 5.0},
            **({} if read_only else {"pool_size": 1, "max_overflow": 0}),
        )

        @event.listens_for(engine, "connect")
        def _configure(raw: sqlite3.Connection, _record: object) -> None:
            sqlite.configure(raw, read_only=read_only)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute(begin)  # at once: SQLAlchemy takes longer for it than SQLite

        return engine

    def _open_postgres(self) -> None:
        if self.url.get_backend_name() != "postgresql":
            raise StoreRefused(
                f"Moltrail stores in SQLite or PostgreSQL, not in {self.url.get_backend_name()}; "
                "set MOLTRAIL_DATABASE_URL to postgresql://user:password@host/name"
            )
        self.url = self.url.set(drivername="postgresql+psycopg")
        self.writer = self._postgres_engine(read_only=False)
        self.reader = self._postgres_engine(read_only=True)
        try:
            with self.reader.connect():
                pass
        except DBAPIError as error:
            raise StoreRefused(
                f"PostgreSQL at {self.url.render_as_string(hide_password=True)} does not answer: "
                f"{str(error.orig).splitlines()[0]}; check MOLTRAIL_DATABASE_URL and that the server runs"
            ) from error

    def _postgres_engine(self, *, read_only: bool) -> Engine:
        # What reads ends every transaction it begins; to roll back what has none takes longer than to begin.
        returned = None if read_only else "rollback"
        engine = create_engine(self.url, pool_pre_ping=not read_only, pool_reset_on_return=returned)

        @event.listens_for(engine, "connect", insert=True)  # before SQLAlchemy asks for anything itself
        def _configure(raw: Any, _record: object) -> None:
            postgres.configure(raw, read_only=read_only)

        if read_only:
            _check_those_at_rest(engine)

            @event.listens_for(engine, "begin")
            def _begin(connection: Connection) -> None:
                raw: Any = connection.connection.driver_connection
                raw.execute(postgres.BEGIN_READING, prepare=False)

        return engine

    # ------------------------------------------------------------ transactions

    @contextlib.contextmanager
    def read(self, *, at_once: bool = True) -> Iterator[Connection]:
        """Give a connection that sees one moment and cannot write.

        at_once: False where it may be that a single statement is read, which sees one moment by itself. SQLAlchemy
        begins with the first it executes; who hands the driver one says `begun` before, unless nothing comes after.

        Raises:
            Unavailable: the store does not answer.
        """
        try:
            with self.reader.connect() as connection:
                if at_once:
                    connection.begin()
                yield connection
                # Nothing was written, but psycopg forgets all it has prepared at a rollback.
                if not self.is_sqlite and connection.in_transaction():
                    connection.commit()
        except TimeoutError as error:
            raise Unavailable(_UNREADABLE) from error
        except self._failures as error:
            if self._is_mistake(error):
                raise
            raise self._told(error, _UNREADABLE) from error

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the only writing connection; all of it is committed, or nothing.

        Raises:
            Unavailable: the store refused or the commit did not answer: repeat with the same idempotency key.
        """
        with self._write_lock:
            try:
                with self.writer.connect() as connection:
                    try:
                        with connection.begin():
                            if not self.is_sqlite:
                                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({postgres.APPEND_LOCK})")
                            yield connection
                    except self._failures:
                        connection.invalidate()  # after an I/O error nothing of this connection is trusted
                        raise
                    if self.is_sqlite:
                        raw = connection.connection.driver_connection
                        assert isinstance(raw, sqlite3.Connection)
                        self._log.keep_small(raw)
            except self._failures as error:
                if self._is_mistake(error):
                    raise
                raise self._told(error, _UNKNOWN) from error

    def _is_mistake(self, error: Exception) -> bool:
        """Tell a mistake of ours (a bug: to be shown as such) from a store that cannot answer."""
        return isinstance(_cause(error), self._mistakes)

    def _told(self, error: Exception, sentence: str) -> Unavailable:
        cause = _cause(error)
        if sqlite.is_damage(cause):
            sentence = f"the database {self.path} is damaged ({cause}); stop Moltrail and restore a backup"
        elif sqlite.is_full(cause) or postgres.is_full(cause):
            where = f"that holds {self.path}" if self.path else "of the PostgreSQL server"
            sentence = f"the disk {where} is full; free space there, then repeat it with the same idempotency key"
        return Unavailable(sentence)

    def close(self) -> None:
        """Close every connection; the log of an SQLite file is written back first."""
        with self._write_lock:
            self.writer.dispose()
            self.reader.dispose()
            if self.is_sqlite:
                self._log.close()
                self._claim.release()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def begun(connection: Connection) -> Connection:
    """Begin a transaction on a connection where none is under way."""
    if not connection.in_transaction():
        connection.begin()
    return connection


def _check_those_at_rest(engine: Engine) -> None:
    """Ask a connection whether it lives before it is used, unless it was used just now: asking is a round trip."""
    driver: Any = engine.dialect.loaded_dbapi

    @event.listens_for(engine, "checkin")
    def _note(_raw: object, record: ConnectionPoolEntry) -> None:
        record.info[_USED] = monotonic()

    @event.listens_for(engine, "checkout")
    def _check(raw: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used = record.info.get(_USED)
        if used is None or monotonic() - used < _AT_REST_S:
            return
        try:
            engine.dialect.do_ping(raw)
        except driver.Error as error:
            raise DisconnectionError from error


def _cause(error: Exception) -> object:
    return error.orig if isinstance(error, DBAPIError) else error
