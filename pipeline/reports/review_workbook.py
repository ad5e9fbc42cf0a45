"""An attrition review as an xlsx workbook: one sheet for each table, numbers as numbers, no cell that computes."""

from __future__ import annotations

import io
from typing import Any

from pipeline.attrition.review_results import AttritionReview
from pipeline.attrition.review_tables import PERCENT, Cell, ReviewTable, review_tables, standings_table
from pipeline.exchange.cells import defused

MOST_ROWS = 1_000_000
MOST_TEXT = 32_000
_WIDEST = 60


def as_workbook(review: AttritionReview) -> bytes:
    """Return a review as the bytes of an xlsx file."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for table in (*review_tables(review), standings_table(review)):
        _fill(book.create_sheet(table.name), table)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _fill(sheet: Any, table: ReviewTable) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    def cell(value: Cell, *, bold: bool = False, share: bool = False) -> Any:
        made = WriteOnlyCell(sheet, value=clean(value))
        if isinstance(made.value, str):
            made.data_type = "s"  # whatever it begins with, it is text
        if bold:
            made.font = Font(bold=True)
            made.alignment = Alignment(wrap_text=True, vertical="top")
        if share and isinstance(value, float):
            made.number_format = "0.0%"
        return made

    sheet.freeze_panes = "A2"
    for place, head in enumerate(table.heads):
        longest = max([len(head), *(len(str(row[place])) for row in table.rows[:200])])
        sheet.column_dimensions[get_column_letter(place + 1)].width = min(max(8, longest / 1.1), _WIDEST)
    sheet.append([cell(head, bold=True) for head in table.heads])
    shares = [head.endswith(PERCENT) for head in table.heads]
    for row in table.rows[:MOST_ROWS]:
        sheet.append([cell(value, share=share) for value, share in zip(row, shares, strict=True)])
    if len(table.rows) > MOST_ROWS:
        sheet.append([cell(f"and {len(table.rows) - MOST_ROWS} more; the JSON file has all of them")])
    if table.note:
        sheet.append([])
        sheet.append([cell(table.note)])


def clean(value: Cell) -> Cell:
    """Return a value that a cell can hold: no control characters, no formula, not too long."""
    if not isinstance(value, str):
        return value
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in value)
    return defused(shown.encode("utf-8", "replace").decode()[:MOST_TEXT])
