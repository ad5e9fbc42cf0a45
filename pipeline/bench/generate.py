"""Made-up records of any size, written through the one door: every row sealed, every block of molecules one act.

The same seed makes the same content. A load that was interrupted goes on where it stopped, and one that is done can be
made larger. Indexes stay in place while it loads: rows come in the order of nearly every index, so that building these
afterwards would spare little, and the guards that a table is made with are never taken off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import func, select

from pipeline.access import Permission
from pipeline.bench.generate_lives import lives_of
from pipeline.bench.generate_rows import COLUMNS, OF_A_HUNDRED, Rows
from pipeline.centre import SYSTEM, Centre
from pipeline.commands import handles
from pipeline.errors import Conflict, InputError
from pipeline.store import tables
from pipeline.store.journal import Act

OF_A_BLOCK = 2 * OF_A_HUNDRED
"""Molecules of one act, which is what is held in memory at a time."""
EACH = 100
"""Concentrations per molecule, on average."""
MOST = 10_000_000
_REASON = "made-up records for measuring"


@dataclass(frozen=True, slots=True)
class GenerateRecords:
    """Record made-up molecules from `first` on, with all that is below them."""

    first: int
    count: int
    seed: int
    each: int


@dataclass(frozen=True, slots=True)
class Generated:
    """What stands on record after a block. rows: those this block wrote; 0 where it was there already."""

    molecules: int
    rows: int


@handles(GenerateRecords, Permission.IMPORT)
def generate_records(act: Act, command: GenerateRecords) -> Mapping[str, Any]:
    """Write a block; refuse where other molecules stand in its place."""
    if act.next_id(tables.molecules) != command.first:
        raise Conflict(
            "the records hold other molecules, or were generated with another seed or number; "
            "generate into an empty folder or database"
        )
    graph_id, graph = act.graphs.in_force(act.connection)
    first_ids = {table: act.next_id(table) for table in COLUMNS}
    random = Random(f"{command.seed} {command.first}")  # noqa: S311 - made-up, and the same every time
    rows = Rows(random, lives_of(graph), graph_id, first_ids, command.each)
    for molecule in range(command.first, command.first + command.count):
        rows.take(molecule)
    for table, columns in COLUMNS.items():
        act.add_all(table, columns, rows.of.pop(table, []))
    return {"first": command.first, "count": command.count}


def generate(centre: Centre, molecules: int, *, seed: int = 1, each: int = EACH) -> Iterator[Generated]:
    """Bring made-up molecules on record up to a number, a block at a time; yield after each block.

    Args:
        centre: records that are empty, or hold the beginning of the same.
        molecules: how many there shall be.
        seed: another one makes other dates and figures.
        each: concentrations per molecule, on average over a hundred molecules.

    Raises:
        InputError: a number out of range.
        Conflict: the records hold other molecules.
    """
    if not 1 <= molecules <= MOST:
        raise InputError(f"from 1 to {MOST:,} molecules can be generated, not {molecules:,}")
    if not 0 <= each <= 10_000:
        raise InputError(f"a molecule can have 0 to 10,000 concentrations, not {each:,}")
    for first in range(1, molecules + 1, OF_A_BLOCK):
        count = min(OF_A_BLOCK, molecules + 1 - first)
        command = GenerateRecords(first, count, seed, each)
        key = f"bench/{seed}/{each}/{first}/{count}"
        done = centre.execute(command, actor=SYSTEM, idempotency_key=key, reason=_REASON)
        yield Generated(first + count - 1, 0 if done.repeated else _rows_of(centre, done.number))


def _rows_of(centre: Centre, act: int) -> int:
    with centre.database.read() as connection:
        return int(connection.execute(select(tables.acts.c.rows).where(tables.acts.c.number == act)).scalar_one())


def counted(centre: Centre) -> dict[str, int]:
    """Return how many rows stand in each table that is generated, by its name."""
    with centre.database.read() as connection:
        return {
            str(table.name): int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for table in COLUMNS
        }
