"""The centre: its records opened for work, with the state graph in force. Shared by API, commands, tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import select

from pipeline.access import Actor, Role
from pipeline.commands import execute
from pipeline.commands.graphs import AdoptStateGraph
from pipeline.commands.tokens import actor_of_token
from pipeline.dates import instant
from pipeline.errors import StoreRefused
from pipeline.store.database import Database
from pipeline.store.journal import Journal, Recorded
from pipeline.store.keys import Anchor, ChainKey
from pipeline.store.migrations import upgrade
from pipeline.store.reader import Reader, moment
from pipeline.store.tables import acts, state_graphs
from pipeline.store.verify import AuditReport, verify

SYSTEM = Actor.of("moltrail", Role.ADMIN)
"""Who signs what the program does by itself: adopting the default graph, loading the demonstration."""


def _key_of(database: Database, path: Path) -> ChainKey:
    """Return the key the acts on record were coded with; a new one is made only where there are no acts."""
    with database.read() as connection:
        used = connection.execute(select(acts.c.key_id).order_by(acts.c.number.desc()).limit(1)).scalar()
    if used is not None and not path.exists():
        raise StoreRefused(
            f"the key of the audit chain is missing at {path}; restore it from its backup: "
            "acts coded with another key would break the chain"
        )
    key = ChainKey.load(path)
    if used not in (None, key.id):
        raise StoreRefused(
            f"the key at {path} is not the one the acts on record were coded with ({key.id}, not {used}); "
            "put the right one there, or name the data folder it lies in"
        )
    return key


def utc_now() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Centre:
    """A centre's records, open."""

    journal: Journal = field(repr=False)
    data_dir: Path

    @classmethod
    @contextlib.contextmanager
    def open(cls, data_dir: Path, url: str | None = None) -> Iterator[Centre]:
        """Open the records in a folder (or at a PostgreSQL URL), migrate them, and adopt a first state graph.

        The folder also holds the key of the audit chain and its anchor, which belong outside the database.

        Raises:
            StoreRefused: the records cannot be opened safely, or the key is not the one their acts were coded with.
        """
        with Database(url or f"sqlite:///{data_dir / 'moltrail.db'}") as database:
            upgrade(database)
            key = _key_of(database, data_dir / "chain.key")
            centre = cls(Journal(database, key, Anchor(data_dir / "anchor.jsonl", key)), data_dir)
            centre.adopt_first_graph()
            centre.journal.anchor_last()
            yield centre

    @property
    def database(self) -> Database:
        """The database the records are in."""
        return self.journal.database

    def adopt_first_graph(self) -> None:
        """Adopt the default state graph where none is in force yet."""
        with self.database.read() as connection:
            if connection.execute(state_graphs.select().limit(1)).first() is not None:
                return
        text = (files("pipeline.stages") / "default.toml").read_text(encoding="utf-8")
        self.execute(AdoptStateGraph(text), actor=SYSTEM, reason="the default state graph")

    def execute(
        self, command: Any, *, actor: Actor, idempotency_key: str | None = None, reason: str | None = None
    ) -> Recorded:
        """Do a command now; see `pipeline.commands.execute`."""
        return execute(
            self.journal, command, actor=actor, now=utc_now(), idempotency_key=idempotency_key, reason=reason
        )

    @contextlib.contextmanager
    def read(
        self,
        actor: Actor = SYSTEM,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        one_field: bool = False,
    ) -> Iterator[Reader]:
        """Give a reader that sees one moment: what was true `as_of`, as `known_at`; `one_field` as a Reader has it."""
        with self.database.read(at_once=not one_field) as connection:
            view = moment(
                connection,
                None if as_of is None else instant(as_of),
                None if known_at is None else instant(known_at),
            )
            yield Reader(connection, actor, self.journal.graphs, view, one_field)

    def actor_for_token(self, token: str) -> Actor | None:
        """Return who an API token stands for."""
        with self.database.read() as connection:
            return actor_of_token(connection, token)

    def verify(self) -> AuditReport:
        """Walk the audit chain."""
        return verify(self.database, self.journal.key, self.journal.anchor)
