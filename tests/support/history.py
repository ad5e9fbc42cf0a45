"""A small made-up history in every table, written through the journal: rows new, revised and closed over many acts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Double, LargeBinary, Table, Text

from pipeline.access import Actor, Role
from pipeline.store.chain import BOOKKEEPING
from pipeline.store.columns import Flag
from pipeline.store.journal import Act, Journal, Recorded
from pipeline.store.tables import RECORD_TABLES

LEAD = Actor.of("A. Lead", Role.LEAD)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEXTS = ("", "a", "é\t\n", "\\u0000", "<LLOQ", "0", "x" * 300, "日本", "\ufffd")


def made_up(column: Any, random: Random) -> Any:
    """Return a value the column can hold."""
    if column.nullable and random.random() < 0.3:
        return None
    match column.type:
        case Flag():
            return random.random() < 0.5
        case Double():
            return random.choice([0.0, 1.0, -2.5, 1 / 3, 1e-300, 1e300, random.random()])
        case LargeBinary():
            return random.randbytes(random.choice([0, 1, 40]))
        case Text():
            # No two alike, so that no unique index stands in the way.
            return f"{random.choice(TEXTS)}{random.getrandbits(64):x}"
    if any(index.unique and column.name in index.columns for index in column.table.indexes):
        return random.getrandbits(40)
    return random.choice([0, 1, -1, 2**63 - 1, random.getrandbits(40)])


def made_up_row(table: Table, random: Random) -> dict[str, Any]:
    """Return the content of one new row."""
    wanted = [column for column in table.columns if column.name not in BOOKKEEPING | {"id", "version"}]
    return {str(column.name): made_up(column, random) for column in wanted}


def changes(act: Act, table: Table, random: Random) -> None:
    """Add some rows to a table, revise one and close one that are there."""
    there = act.current(table)
    for row in random.sample(there, min(len(there), 2)):
        if random.random() < 0.6:
            act.revise(table, row, made_up_row(table, random))
        else:
            act.close(table, row)
    for _ in range(random.randint(1, 2)):
        act.add(table, made_up_row(table, random))


def write_acts(journal: Journal, random: Random, acts: int, tables: int = 6) -> Iterator[Recorded]:
    """Write acts, each in a few tables taken in turn, so that all are filled after `len(RECORD_TABLES) / tables`."""
    start = journal.last_number
    for number in range(start, start + acts):
        chosen = [RECORD_TABLES[(number * tables + n) % len(RECORD_TABLES)] for n in range(tables)]

        def write(act: Act, chosen: list[Table] = chosen) -> dict[str, Any]:
            for table in chosen:
                changes(act, table, random)
            return {"act": act.number}

        yield journal.perform(
            "MadeUp",
            write,
            actor=LEAD,
            now=START + timedelta(minutes=number),
            reason=random.choice([None, "because"]),
            idempotency_key=f"key-{number}",
            fingerprint="f",
        )
