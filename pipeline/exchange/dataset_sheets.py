"""The rows of a spreadsheet, or of a table read like one, as the one chunk of a data set."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.exchange.dataset_csv import Cells
from pipeline.exchange.dataset_table import Chunk, DataColumn, at, visible
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.sheets import ERROR_VALUE, NO_RESULT
from pipeline.exchange.tables import Row, Table


def chunk_of(table: Table, columns: Sequence[DataColumn]) -> Chunk:
    """Return the rows of a table column by column; one with a cell that holds an error is put aside."""
    known = Cells()
    spoilt = {row: (index, what) for (row, index), (what, _) in table.marks.items() if what in (ERROR_VALUE, NO_RESULT)}
    bad = [*table.bad, *(_unread(table, row, *spoilt[row.number]) for row in table.rows if row.number in spoilt)]
    kept = [row for row in table.rows if row.number not in spoilt]
    turned = [list(map(known.__getitem__, cells)) for cells in zip(*(row.cells for row in kept), strict=True)]
    return Chunk(
        at(columns),
        [row.number for row in kept],
        turned or [[] for _ in columns],
        numeric=[False] * len(columns),
        bad=sorted(bad, key=lambda item: item.place.row),
    )


def _unread(table: Table, row: Row, index: int, what: str) -> Quarantined:
    column = table.headings[index] if index < len(table.headings) else None
    value = visible(row.cells[index]) if index < len(row.cells) else None
    return Quarantined(Place(table.file, row.number), column, value, f"the cell holds a {what}; put its value there")
