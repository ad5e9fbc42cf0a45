"""Cells of a workbook that offer what may stand in them; what is not in the list is warned about, not forbidden."""

from __future__ import annotations

from typing import Any


def drop_down(choices: str, cells: str) -> Any:
    """Return what offers the cells of one range ("Lists!$A$2:$A$9") as choices in those of another ("C2:C500")."""
    from openpyxl.worksheet.datavalidation import DataValidation

    offer = DataValidation(type="list", formula1=choices, errorStyle="warning", error="This is not in the list.")
    offer.add(cells)
    return offer
