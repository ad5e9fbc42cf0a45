"""A centre as it is when it was just set up, made once per session and engine and copied for each test.

Migrating takes a third of a second of computing and copying next to none; what is copied is what migrating made.
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, make_url

from pipeline.centre import Centre
from pipeline.store.database import Database
from pipeline.store.migrations import upgrade

DATABASE = "moltrail.db"
BESIDE = ("chain.key", "anchor.jsonl")
"""What a centre's folder holds beside the database: the key of the audit chain, and its anchor."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a centre's records lie: its folder, and the database's address where that is not in the folder."""

    folder: Path
    url: str | None = None


class Server:
    """A PostgreSQL server that databases are made on."""

    def __init__(self, url: str) -> None:
        self._address = make_url(url).set(drivername="postgresql+psycopg")
        self._engine = create_engine(self._address, isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Give the URL of a new database, empty or a copy of the one at the URL `template`; dropped afterwards."""
        name = f"test_{uuid.uuid4().hex}"
        copied = f" TEMPLATE {make_url(template).database}" if template else ""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}{copied}")
        try:
            yield self._address.set(database=name).render_as_string(hide_password=False)
        finally:
            with self._engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Let go of the connection."""
        self._engine.dispose()


@dataclass(frozen=True, slots=True)
class OnSqlite:
    """Copies of a new centre in a folder, and of its database as it is before the first act."""

    made: Path
    migrated: Path

    @classmethod
    def make(cls, folder: Path) -> OnSqlite:
        """Make in a folder what is copied later."""
        found = cls(folder / "centre", folder / "migrated.db")
        with Database(f"sqlite:///{found.migrated}") as database:
            upgrade(database)
        found.made.mkdir()
        shutil.copyfile(found.migrated, found.made / DATABASE)
        with Centre.open(found.made):
            pass
        return found

    def put(self, folder: Path) -> Place:
        """Put a new centre in a folder, which may be missing."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (DATABASE, *BESIDE):
            shutil.copy(self.made / name, folder)
        return Place(folder)

    @contextlib.contextmanager
    def centre(self, folder: Path) -> Iterator[Place]:
        """Give a new centre in a folder, which may be missing."""
        yield self.put(folder)

    def database(self, folder: Path) -> str:
        """Put a migrated database without any act in a folder and return its URL."""
        shutil.copyfile(self.migrated, folder / DATABASE)
        return f"sqlite:///{folder / DATABASE}"


@dataclass(frozen=True, slots=True)
class OnPostgres:
    """Copies of a new centre whose database is on a server, and of that database as it is before the first act."""

    server: Server
    made: Place
    migrated: str

    @classmethod
    @contextlib.contextmanager
    def make(cls, server: Server, folder: Path) -> Iterator[OnPostgres]:
        """Make what is copied later; it is dropped at the end."""
        with server.database() as migrated:
            with Database(migrated) as database:
                upgrade(database)
            with server.database(migrated) as url:
                with Centre.open(folder, url):
                    pass
                yield cls(server, Place(folder, url), migrated)

    @contextlib.contextmanager
    def centre(self, folder: Path) -> Iterator[Place]:
        """Give a new centre whose key and anchor are in a folder, which may be missing."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in BESIDE:
            shutil.copy(self.made.folder / name, folder)
        with self.server.database(self.made.url) as url:
            yield Place(folder, url)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """Give the URL of a migrated database without any act."""
        with self.server.database(self.migrated) as url:
            yield url
