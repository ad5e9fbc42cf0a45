"""Engines and transactions: SQLite in one file for one process, or PostgreSQL. Nothing here knows what is stored.

Writers take one lock, so acts become visible in the order of their numbers. Readers never wait for writers.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from pipeline.errors import StoreRefused, Unavailable

# Set on every SQLite connection and read back: a setting that did not take is a reason not to start.
SQLITE_SETTINGS: dict[str, int | str] = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "secure_delete": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
}
# Before 3.51.3 a checkpoint racing a write that starts the log anew could lose pages (the WAL-reset bug). We then
# never checkpoint by itself, only here, in the one writing process, while no write can run.
WAL_RESET_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)
WAL_BYTES_BEFORE_CHECKPOINT = 4 * 1024 * 1024
POSTGRES_SETTINGS = (
    "SET synchronous_commit = on",
    "SET statement_timeout = '60s'",
    "SET lock_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '120s'",
    "SET timezone = 'UTC'",
)
APPEND_LOCK = 0x4D6F6C74  # PostgreSQL advisory lock, "Molt"


class Database:
    """One database with a way to read and a way to write."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy URL; refuse what cannot be opened safely in one sentence."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._write_lock = threading.RLock()
        self._process_lock: Any = None
        self.path: Path | None = None
        if self.is_sqlite:
            if not self.url.database or self.url.database == ":memory:":
                raise StoreRefused("an SQLite database needs a file; give its path")
            self.path = Path(self.url.database)
            self._claim_file()
            try:
                self.writer = self._sqlite_engine(begin="BEGIN IMMEDIATE", read_only=False)
                self.reader = self._sqlite_engine(begin="BEGIN", read_only=True)
                self._check_sqlite()
            except BaseException:
                self._release_file()
                raise
        else:
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

    # ------------------------------------------------------------ engines

    def _sqlite_engine(self, *, begin: str, read_only: bool) -> Engine:
        engine = create_engine(
            self.url,
            connect_args={"isolation_level": None, "check_same_thread": False, "timeout": 5.0},
            **({} if read_only else {"pool_size": 1, "max_overflow": 0}),
        )

        @event.listens_for(engine, "connect")
        def _configure(raw: sqlite3.Connection, _record: object) -> None:
            for name, value in SQLITE_SETTINGS.items():
                raw.execute(f"PRAGMA {name} = {value}")
            if not WAL_RESET_SAFE:
                raw.execute("PRAGMA wal_autocheckpoint = 0")
            if read_only:
                raw.execute("PRAGMA query_only = 1")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def _postgres_engine(self, *, read_only: bool) -> Engine:
        engine = create_engine(self.url, pool_pre_ping=True, isolation_level="READ COMMITTED")
        if read_only:
            # One snapshot for all statements of a query: a page never mixes before and after.
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

        @event.listens_for(engine, "connect")
        def _configure(raw: Any, _record: object) -> None:
            with raw.cursor() as cursor:
                for setting in POSTGRES_SETTINGS:
                    cursor.execute(setting)
            raw.commit()

        return engine

    def _check_sqlite(self) -> None:
        try:
            with self.writer.connect() as connection:
                found = {
                    name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one_or_none() for name in SQLITE_SETTINGS
                }
        except DBAPIError as error:
            raise StoreRefused(
                f"{self.path} cannot be opened as a database ({error.orig}); "
                "check the path, the free space and the permissions, or restore a backup"
            ) from error
        wrong = [
            f"{name} is {found[name]!r} instead of {value!r}"
            for name, value in SQLITE_SETTINGS.items()
            if found[name] != value
        ]
        if wrong:
            raise StoreRefused(
                f"SQLite did not accept the settings that keep records safe ({'; '.join(wrong)}); "
                "put the data folder on a local disk"
            )

    # ------------------------------------------------------------ one process per SQLite file

    def _claim_file(self) -> None:
        assert self.path is not None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = Path(f"{self.path}.lock").open("a+")  # noqa: SIM115 - held for the life of the process
        except OSError as error:
            raise StoreRefused(
                f"the data folder {self.path.parent} cannot be written ({error.strerror}); choose another with --data"
            ) from error
        try:
            _lock_file(lock)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise StoreRefused(
                f"{self.path} is in use by process {holder}; stop it, use its GraphQL API, "
                "or use PostgreSQL (MOLTRAIL_DATABASE_URL) for several processes"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._process_lock = lock

    def _release_file(self) -> None:
        if self._process_lock is not None:
            self._process_lock.close()
            self._process_lock = None

    # ------------------------------------------------------------ transactions

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment and cannot write."""
        try:
            with self.reader.connect() as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            if _is_programming(error):
                raise
            raise Unavailable("the store cannot be read now; try again in a moment") from error

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
                                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})")
                            yield connection
                    except DBAPIError:
                        connection.invalidate()  # after an I/O error nothing of this connection is trusted
                        raise
                    if self.is_sqlite:
                        self._checkpoint(connection)
            except DBAPIError as error:
                if _is_programming(error):
                    raise
                raise Unavailable(
                    "the store could not confirm the write, its outcome is unknown; "
                    "repeat it with the same idempotency key"
                ) from error

    def _checkpoint(self, connection: Connection, *, always: bool = False) -> None:
        """Move the log into the file, here and only here, while this process holds the write lock."""
        if WAL_RESET_SAFE and not always:
            return
        log = Path(f"{self.path}-wal")
        if always or (log.exists() and log.stat().st_size > WAL_BYTES_BEFORE_CHECKPOINT):
            # The act is committed already: a checkpoint that fails now is tried again after the next one.
            with contextlib.suppress(sqlite3.Error):
                raw = connection.connection.driver_connection
                assert isinstance(raw, sqlite3.Connection)
                raw.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if always else 'PASSIVE'})")

    def close(self) -> None:
        """Close every connection; the log of an SQLite file is written back first."""
        if self.is_sqlite:
            with contextlib.suppress(DBAPIError), self._write_lock, self.writer.connect() as connection:
                self._checkpoint(connection, always=True)
        self.writer.dispose()
        self.reader.dispose()
        self._release_file()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_programming(error: DBAPIError) -> bool:
    """Tell a mistake of ours (a bug: to be shown as such) from a store that cannot answer."""
    from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

    return isinstance(error, IntegrityError | ProgrammingError | DataError)


if sys.platform == "win32":  # pragma: no cover - exercised on Windows only

    def _lock_file(file: Any) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock_file(file: Any) -> None:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
