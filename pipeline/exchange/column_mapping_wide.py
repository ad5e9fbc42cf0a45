"""Tables with a column for each analyte, test, parameter or time: told, and what their headings say proposed.

In a table that spreads the results of a subject over a row the headings are values (which analyte, after how many
hours): the columns are read as one field, and each says in its constants what sets it apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
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
_OF_ANALYTE = (
    "concentration",
    "lower_limit",
    "unit",
    "status",
    "reason_not_done",
    "exclusion_flag",
    "exclusion_reason",
)
"""What columns can say of one analyte each."""
_SEPARATED = re.compile(r"[\s_]+")
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
        "analyte": [name for name in headings if _is_of_analyte(name)],
    }
    results = {name for at, name in enumerate(headings) if _holds_results(chunk.texts(at)[:_LOOKED_AT])}
    what, columns = max(known.items(), key=lambda item: len(results.intersection(item[1])))
    if len(results.intersection(columns)) < 2:
        return None
    days = what == "time" and all(_DAY.fullmatch(fold(name)) for name in columns)
    kind, result, said = _READ_AS["day" if days else what]
    apart = {name: _column(name, what, result, said) for name in columns}
    if what == "analyte":
        apart |= _beside_analytes(headings, {fold(column.constants[said]): column for column in apart.values()})
    proposal = propose(dataset, only=(kind,), apart=apart)
    proposal.notes.append(f"there is a column for each {what}: each filled cell of these becomes a record of its own")
    if what != "parameter" and any(column.unit is None for column in apart.values() if column.field == result):
        proposal.notes.append('a unit that these columns share is said once, as in "constants": {"unit": "ng/mL"}')
    return proposal


def _column(heading: str, what: str, result: str, said: str) -> ProposedColumn:
    """Return what one of the columns is, and what its heading says of all its cells."""
    words, unit = (heading, None) if what == "time" else named(heading)
    if said == "day":
        words = "".join(sign for sign in words if sign.isdigit() or sign == "-")
    elif said == "analyte":
        words = _of_analyte(heading)[1]
    why = f"there is a column for each {what}; this one is that of {visible(heading)[:60]}"
    return ProposedColumn(heading, result, unit, why, False, constants={said: words})


def _beside_analytes(headings: Sequence[str], analytes: Map[str, ProposedColumn]) -> dict[str, ProposedColumn]:
    """Return the columns that say something else of one of the analytes: its limit, its unit, why it was not done."""
    found: dict[str, ProposedColumn] = {}
    for heading in headings:
        field, words = _of_analyte(heading)
        column = analytes.get(fold(words))
        if field not in (None, "concentration") and column is not None:
            said = column.constants
            why = f"the heading says {KINDS['CONCENTRATIONS'].titles[field or '']} of {visible(words)[:60]}"
            found[heading] = ProposedColumn(heading, field, named(heading)[1], why, False, constants=said)
    return found


def _is_of_analyte(heading: str) -> bool:
    """Whether a heading names an analyte with the unit of its results."""
    field, _ = _of_analyte(heading)
    return "/" in (named(heading)[1] or "") and field in (None, "concentration") and not _understood(heading)


def _of_analyte(heading: str) -> tuple[str | None, str]:
    """Return what a heading says of an analyte, and the analyte: `LLOQ M4`, `M4 conc. (ng/mL)`, `M4 (ng/mL)`."""
    words = _SEPARATED.split(named(heading)[0].strip(" _-:,"))
    for cut in range(1, min(len(words), 4)):
        for field_words, rest in ((words[:cut], words[cut:]), (words[-cut:], words[:-cut])):
            field = known_as("CONCENTRATIONS", " ".join(field_words))
            if field in _OF_ANALYTE:
                return field, " ".join(rest)
    return None, " ".join(words)


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
