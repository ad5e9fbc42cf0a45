"""What the rows of all exports have in common: batches, who recorded them, what hangs on their molecules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

from pipeline.exchange.export import Column
from pipeline.exchange.portfolio_molecules import IDENTIFIERS
from pipeline.store import tables
from pipeline.store.nodes import visible
from pipeline.store.selection import View

BATCH = 500

_NAMED = tuple(scheme for scheme in IDENTIFIERS.values())
IDENTIFIER_COLUMNS = (
    Column("chembl", "identifier in ChEMBL"),
    Column("pubchem_cid", "identifier in PubChem"),
    Column("unii", "identifier at the FDA"),
    Column("cas", "CAS registry number"),
    Column("drugbank", "identifier in DrugBank"),
    Column("inn", "international nonproprietary name"),
)
RECORDED = (
    Column("recorded_at", "when this version was recorded, UTC"),
    Column("recorded_by", "who recorded it"),
)
SOURCE = (
    Column("source_file", "the imported file it comes from"),
    Column("source_row", "its row in that file, the heading being row 1"),
)


def batches(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[RowMapping]]:
    """Yield the rows of a statement, some at a time."""
    result = connection.execute(statement.execution_options(yield_per=BATCH))
    yield from result.mappings().partitions(BATCH)


def with_act(source: Any, *more: Any) -> Select[Any]:
    """Return a selection of a source's columns and who recorded the row version, and when."""
    acts = tables.acts
    return select(source, acts.c.recorded_at, acts.c.actor, *more).join(acts, acts.c.number == source.c.since_act)


def below(connection: Connection, view: View, table: Table, column: str, ids: Sequence[int]) -> dict[int, list[Any]]:
    """Return the rows of a table that hang on the ids, by id, in the order they were recorded."""
    found: dict[int, list[Any]] = {}
    statement = select(table).where(visible(table, view), table.c[column].in_(ids)).order_by(table.c.id)
    for row in connection.execute(statement):
        found.setdefault(row._mapping[column], []).append(row)
    return found


def file_names(connection: Connection) -> dict[int, str]:
    """Return the names of the files that were imported, by id."""
    files = tables.source_files
    return {row.id: row.name for row in connection.execute(select(files.c.id, files.c.name))}


@dataclass(frozen=True, slots=True)
class Described:
    """What hangs on the molecules of one batch."""

    names: dict[int, list[Any]]
    ids: dict[int, list[Any]]
    targets: dict[int, list[Any]]

    @classmethod
    def of(cls, connection: Connection, view: View, ids: Sequence[int]) -> Described:
        """Read what hangs on the molecules."""
        few = sorted(set(ids))
        return cls(
            *(
                below(connection, view, table, "molecule_id", few)
                for table in (tables.molecule_names, tables.external_ids, tables.molecule_targets)
            )
        )

    def synonyms(self, id: int) -> list[str]:
        """Return a molecule's other names."""
        return [row.name for row in self.names.get(id, ())]

    def target_names(self, id: int) -> list[str]:
        """Return a molecule's targets."""
        return [row.target for row in self.targets.get(id, ())]

    def identifiers(self, id: int) -> tuple[list[str | None], list[str]]:
        """Return the first identifier of each known scheme, and all others as SCHEME:value."""
        first: dict[str, str] = {}
        others = []
        for row in self.ids.get(id, ()):
            if row.scheme in _NAMED and row.scheme not in first:
                first[row.scheme] = row.value
            else:
                others.append(f"{row.scheme}:{row.value}")
        return [first.get(scheme) for scheme in _NAMED], others
