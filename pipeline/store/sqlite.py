"""SQLite in one file for one process: the settings that keep records safe, the lock, and the write-ahead log."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from pipeline.errors import StoreRefused
from pipeline.store.locks import lock_file

# Set on every connection and read back: a setting that did not take is a reason not to start.
SETTINGS: dict[str, int | str] = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "secure_delete": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
    # Before SQLite 3.51.3 a checkpoint racing a write that starts the log anew could lose pages. No connection
    # checkpoints by itself, on any version: only `WriteAheadLog` does, while no write can run.
    "wal_autocheckpoint": 0,
}
LOG_BYTES = 4 * 1024 * 1024
"""How far the log grows before it is written back, and before a try that readers prevented is repeated."""

_CHECKPOINT_WAIT_MS = 1000
_SMALLEST_PAGE = 512  # bytes


def configure(raw: sqlite3.Connection, *, read_only: bool) -> None:
    """Make a fresh connection safe.

    Raises:
        StoreRefused: SQLite did not accept a setting.
    """
    for name, value in SETTINGS.items():
        raw.execute(f"PRAGMA {name} = {value}")
    found = {name: raw.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS}
    wrong = [
        f"{name} is {found[name]!r} instead of {value!r}" for name, value in SETTINGS.items() if found[name] != value
    ]
    if wrong:
        raise StoreRefused(
            f"SQLite did not accept the settings that keep records safe ({'; '.join(wrong)}); "
            "put the data folder on a local disk"
        )
    if read_only:
        raw.execute("PRAGMA query_only = 1")
        raw.create_function("exact", 1, float.__repr__, deterministic=True)  # no function of its own writes all digits


def is_damage(error: object) -> bool:
    """Tell whether SQLite says that the file itself is broken, or no database."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_full(error: object) -> bool:
    """Tell whether SQLite found no room on the disk."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_FULL


class WriteAheadLog:
    """The log beside the file. It is written back here and nowhere else, by the one writer, between two writes."""

    def __init__(self, path: Path) -> None:
        """Open the file and keep it open, so that the log's index outlives every other connection.

        Without that, a writer that reconnects after a failed fsync would rebuild the index from the log and take
        an act for committed that may never have reached the disk.

        Raises:
            StoreRefused: the file is no database, is damaged, or cannot be written.
        """
        self._log = Path(f"{path}-wal")
        self._next = LOG_BYTES
        try:
            if path.is_file() and 0 < path.stat().st_size < _SMALLEST_PAGE:  # SQLite would write over it
                raise sqlite3.DatabaseError("file is not a database")
            self._raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            try:
                configure(self._raw, read_only=False)
                self._raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
                self._raw.execute("BEGIN IMMEDIATE")
                self._raw.execute("PRAGMA user_version = 1")  # nothing less is refused on a file that is read-only
                self._raw.execute("ROLLBACK")
                self._make_sure()
            except BaseException:
                self._raw.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreRefused(
                f"{path} cannot be opened as a database ({error}); "
                "check the path, the free space and the permissions, or restore a backup"
            ) from error

    def _make_sure(self) -> None:
        """Bring to the disk what a killed process left in the log, before anybody is told that it stands.

        It may have been read back from the system's memory, where a failed or missing sync left it.
        """
        try:
            self._write_back(self._raw)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:  # the log was synced first: a full disk may be read
                raise

    def keep_small(self, writer: sqlite3.Connection) -> None:
        """Write the log back once it has grown. Called with the write lock held, after the commit."""
        if self._size() > self._next:
            # The acts are committed already: what fails now is tried again later.
            with contextlib.suppress(sqlite3.Error):
                self._write_back(writer)

    def _write_back(self, raw: sqlite3.Connection) -> None:
        """Empty the log, waiting a little for readers that need it; where they stay, the next try comes later."""
        raw.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MS}")
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            raw.execute(f"PRAGMA busy_timeout = {SETTINGS['busy_timeout']}")
            self._next = self._size() + LOG_BYTES

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        """Write everything back and let the file go."""
        with contextlib.suppress(sqlite3.Error):
            self._write_back(self._raw)
        self._raw.close()


class FileClaim:
    """The right of one process to a database file, held by a lock that ends with the process."""

    def __init__(self, path: Path) -> None:
        """Claim the file, whatever links lead to it.

        Raises:
            StoreRefused: the folder cannot be written, or another process holds the file.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = Path(f"{path.resolve()}.lock").open("a+")  # noqa: SIM115 - held for the life of the process
        except OSError as error:
            raise StoreRefused(
                f"the data folder {path.parent} cannot be written ({error.strerror}); choose another with --data"
            ) from error
        try:
            lock_file(self._lock, wait=False)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise StoreRefused(
                f"{path} is in use by process {holder}; stop it, use its GraphQL API, "
                "or use PostgreSQL (MOLTRAIL_DATABASE_URL) for several processes"
            ) from None
        except OSError as error:
            self._lock.close()
            raise StoreRefused(
                f"the data folder {path.parent} cannot lock files ({error.strerror}); put it on a local disk"
            ) from error
        # The name of the holder is a courtesy to the next process: a full disk must not prevent the start.
        with contextlib.suppress(OSError):
            self._lock.truncate(0)
            self._lock.write(str(os.getpid()))
            self._lock.flush()

    def release(self) -> None:
        """Let another process have the file."""
        with contextlib.suppress(OSError):
            self._lock.close()
