"""How the peers reach the records: an engine that only reads, with the pool and the settings of the server's own."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event, make_url

from pipeline.store import postgres, sqlite
from pipeline.store.paging import encode


def open_records(url: str) -> Engine:
    """Return an engine on the database at a URL."""
    at = make_url(url)
    if at.get_backend_name() == "sqlite":
        engine = create_engine(at, connect_args={"isolation_level": None, "check_same_thread": False})
    else:
        engine = create_engine(at.set(drivername="postgresql+psycopg"), isolation_level="READ COMMITTED")
    on_sqlite = engine.dialect.name == "sqlite"

    @event.listens_for(engine, "connect", insert=True)
    def _configure(raw: Any, _record: object) -> None:
        if on_sqlite:
            sqlite.configure(raw, read_only=True)
            raw.create_function("exact", 1, float.__repr__, deterministic=True)
            raw.create_function("cursor_of", 1, _cursor, deterministic=True)
        else:
            postgres.configure(raw)

    return engine


def _cursor(key: str | None) -> str | None:
    return None if key is None else encode(orjson.loads(key))
