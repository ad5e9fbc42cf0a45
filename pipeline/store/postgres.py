"""PostgreSQL for several users: the settings of a session, and what a server must not have switched off."""

from __future__ import annotations

from typing import Any

from pipeline.errors import StoreRefused

SESSION = (
    "SET synchronous_commit = on",
    "SET statement_timeout = '60s'",
    "SET lock_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '120s'",
    "SET timezone = 'UTC'",
    # Compiling a nested statement takes many times as long as running it: 14 ms instead of 2 for a molecule.
    "SET jit = off",
)
# Without these a crash of the server loses what it has acknowledged, or texts come back changed.
REQUIRED = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "server_encoding": "UTF8"}
OLDEST = 150000  # server_version_num
APPEND_LOCK = 0x4D6F6C74  # advisory lock, "Molt": one writer at a time, so acts become visible in order


# One snapshot for all statements of a query: a page never mixes before and after.
BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def is_full(error: object) -> bool:
    """Tell whether the server found no room on its disk."""
    return getattr(error, "sqlstate", None) == "53100"


def configure(raw: Any, *, read_only: bool = False) -> None:
    """Make a fresh connection (psycopg) safe; one that reads begins no transaction by itself.

    Raises:
        StoreRefused: the server is too old, or does not keep what it acknowledges.
    """
    with raw.cursor() as cursor:
        for setting in SESSION:
            cursor.execute(setting)
        if read_only:
            cursor.execute("SET default_transaction_read_only = on")
        cursor.execute("SHOW server_version_num")
        version = int(cursor.fetchone()[0])
        found = {}
        for name in REQUIRED:
            cursor.execute(f"SHOW {name}")
            value = cursor.fetchone()[0]
            found[name] = value.decode() if isinstance(value, bytes) else value  # bytes where there is no encoding
    raw.commit()
    raw.autocommit = read_only
    wrong = [f"{name} is {found[name]} instead of {value}" for name, value in REQUIRED.items() if found[name] != value]
    if version < OLDEST:
        wrong.append(f"the server is version {version // 10000}, older than {OLDEST // 10000}")
    if wrong:
        raw.close()
        raise StoreRefused(
            f"this PostgreSQL does not keep records safe ({'; '.join(wrong)}); change its settings, or use another"
        )
