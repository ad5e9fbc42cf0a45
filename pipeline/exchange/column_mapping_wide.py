"""Tables with a column for each analyte, test or time: they are told, and refused with how to turn them.

A mapping reads one result per row. In a table that spreads the results of a subject over a row the headings are values
(which analyte, after how many hours), and what is said once per result elsewhere has no place.
"""

from __future__ import annotations

import re

from pipeline.exchange.column_mapping_kinds import KINDS
from pipeline.exchange.column_mapping_laboratory import is_test
from pipeline.exchange.column_mapping_propose import fold, known_as, split_heading
from pipeline.exchange.dataset_table import DataSet, visible
from pipeline.exchange.elapsed_times import worded_hours
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.written_numbers import NO_NUMBER, read_number

_LOOKED_AT = 200
_SHOWN = 4
_DAY = re.compile(r"(?:d|day|j|jour|tag) ?-?\d{1,3}")
_HOW = {
    "time": "Subject, Time, Analyte, Concentration, Unit (or Animal, Group, Day, Tumour volume)",
    "test": "Subject, Date, Test, Result, Unit",
    "analyte": "Subject, Time, Analyte, Concentration, Unit",
}


def wide_layout(dataset: DataSet) -> str | None:
    """Return what to do with a table that has a column per analyte, test or time; None for any other table."""
    headings = [column.name for column in dataset.columns]
    if not any(known_as(code, heading) == "subject" for code in KINDS for heading in headings):
        return None
    chunk = next(iter(dataset.chunks()), None)
    if chunk is None:
        return None
    results = [name for at, name in enumerate(headings) if _holds_results(chunk.texts(at)[:_LOOKED_AT])]
    found = {
        "test": [name for name in results if is_test(split_heading(name)[0])],
        "time": [name for name in results if _is_time(name)],
        "analyte": [name for name in results if "/" in (split_heading(name)[1] or "") and not _understood(name)],
    }
    what, columns = max(found.items(), key=lambda item: len(item[1]))
    if len(columns) < 2:
        return None
    listed = ", ".join(repr(visible(name)[:40]) for name in columns[:_SHOWN])
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return (
        f"{dataset.place} has a column for each {what} ({listed}{more}); one result per row is read. Turn the table "
        f"(unpivot in a spreadsheet, pivot_longer in R, melt in pandas) into columns such as {_HOW[what]}"
    )


def _is_time(heading: str) -> bool:
    return _DAY.fullmatch(fold(heading)) is not None or worded_hours(heading).hours is not None


def _understood(heading: str) -> bool:
    """Whether a heading names the results of any kind of table, or what stands beside them."""
    return any(known_as(code, heading) is not None for code in KINDS)


def _holds_results(cells: list[str | None]) -> bool:
    """Whether a column holds numbers, or words that stand for a result."""
    filled = [cell for cell in cells if cell is not None]
    right = sum(read_number(cell) != NO_NUMBER or read_words(cell).kind is not Kind.UNREAD for cell in filled)
    return bool(filled) and 5 * right >= 4 * len(filled)
