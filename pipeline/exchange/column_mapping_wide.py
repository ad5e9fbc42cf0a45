"""Tables with a column for each analyte, test, parameter or time: told, and what their headings say proposed.

In a table that spreads the results of a subject over a row the headings are values (which analyte, after how many
hours): the columns are read as one field, and each says in its constants what sets it apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.exchange.column_mapping_kinds import KINDS
from pipeline.exchange.column_mapping_laboratory import is_test
from pipeline.exchange.column_mapping_parameters import is_parameter
from pipeline.exchange.column_mapping_propose import (
    Proposal,
    ProposedColumn,
    fold,
    known_as,
    named,
    propose,
    split_heading,
)
from pipeline.exchange.dataset_table import DataSet, visible
from pipeline.exchange.elapsed_times import worded_hours
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.written_numbers import NO_NUMBER, read_number

_LOOKED_AT = 200
_READ_AS = {
    "analyte": ("CONCENTRATIONS", "concentration", "analyte"),
    "time": ("CONCENTRATIONS", "concentration", "nominal_time"),
    "day": ("TUMOUR_GROWTH", "tumour_volume", "day"),
    "parameter": ("PARAMETERS", "value", "parameter"),
    "test": ("LABORATORY", "result", "test"),
}
"""What there is a column for -> the kind of table, the field of the cells, and the field that the headings say."""
_DAY = re.compile(r"(?:d|day|j|jour|tag) ?-?\d{1,3}")


def proposed(dataset: DataSet, *, only: Sequence[str] = ()) -> Proposal:
    """Return what a table seems to be, also where it has a column for each analyte, test, parameter or time."""
    proposal = propose(dataset, only=only)
    if proposal.kind is not None and not proposal.lacks:
        return proposal
    return _wide(dataset) or proposal


def _wide(dataset: DataSet) -> Proposal | None:
    """Return what a table seems to be that has a column per analyte, test, parameter or time; else None."""
    headings = [column.name for column in dataset.columns]
    if not any(known_as(code, heading) == "subject" for code in KINDS for heading in headings):
        return None
    chunk = next(iter(dataset.chunks()), None)
    if chunk is None:
        return None
    known = {
        "test": [name for name in headings if is_test(split_heading(name)[0])],
        "parameter": [name for name in headings if is_parameter(named(name)[0])],
        "time": [name for name in headings if _is_time(name)],
        "analyte": [name for name in headings if "/" in (split_heading(name)[1] or "") and not _understood(name)],
    }
    results = {name for at, name in enumerate(headings) if _holds_results(chunk.texts(at)[:_LOOKED_AT])}
    what, columns = max(known.items(), key=lambda item: len(results.intersection(item[1])))
    if len(results.intersection(columns)) < 2:
        return None
    days = what == "time" and all(_DAY.fullmatch(fold(name)) for name in columns)
    kind, result, said = _READ_AS["day" if days else what]
    apart = {name: _column(name, what, result, said) for name in columns}
    proposal = propose(dataset, only=(kind,), apart=apart)
    proposal.notes.insert(
        0, f"there is a column for each {what}: each filled cell of these becomes a record of its own"
    )
    return proposal


def _column(heading: str, what: str, result: str, said: str) -> ProposedColumn:
    """Return what one of the columns is, and what its heading says of all its cells."""
    words, unit = (heading, None) if what == "time" else named(heading)
    if said == "day":
        words = "".join(sign for sign in words if sign.isdigit() or sign == "-")
    why = f"there is a column for each {what}; this one is that of {visible(heading)[:60]}"
    return ProposedColumn(heading, result, unit, why, False, constants={said: words})


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
