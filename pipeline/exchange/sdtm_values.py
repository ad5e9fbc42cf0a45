"""The result variables that all findings of SDTM share (--ORRES, --STRESC, --STRESN, --STAT), read alike."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.sdtm_rows import Rows
from pipeline.exchange.written_numbers import read_number
from pipeline.exchange.written_units import unit_code


@dataclass(slots=True)
class Values:
    """The results of some rows, column by column."""

    reported: list[str | None] = field(default_factory=list)
    reported_unit: list[str | None] = field(default_factory=list)
    value: list[float | None] = field(default_factory=list)
    unit: list[str | None] = field(default_factory=list)
    words: list[str | None] = field(default_factory=list)
    """The standardised result where it is no number."""
    not_done: list[str | None] = field(default_factory=list)
    flag: list[str | None] = field(default_factory=list)


def read_values(rows: Rows, prefix: str) -> Values:
    """Read the results of a domain: a number, words, or why there is neither."""
    units, standard_units = rows.texts(f"{prefix}ORRESU"), rows.texts(f"{prefix}STRESU", f"{prefix}ORRESU")
    codes = {unit: unit_code(unit) for unit in {*units, *standard_units}}
    found = Values(list(rows.texts(f"{prefix}ORRES")), list(units))
    for reported, text, number, unit, own_unit, status, reason in zip(
        found.reported,
        rows.texts(f"{prefix}STRESC", f"{prefix}ORRES"),
        rows.numbers(f"{prefix}STRESN"),
        standard_units,
        units,
        rows.texts(f"{prefix}STAT"),
        rows.texts(f"{prefix}REASND"),
        strict=True,
    ):
        found.unit.append(codes[unit] or codes[own_unit])
        said = text if text is not None else reported
        value = number if number is not None else read_number(said).value
        words, undone, flag = None, None, None
        if status is not None:
            value, undone = None, reason or status
        elif said is None and value is None:
            undone = reason or "no result is given"
        elif value is None or (number is not None and read_number(said).value is None and said is not None):
            words = said
            kind = read_words(said or "").kind
            if kind is not Kind.UNREAD:
                value = None
            if kind in (Kind.BELOW, Kind.ABOVE) and any(letter.isdigit() or letter in "<>" for letter in said or ""):
                flag = f"{said} is no number"
        found.value.append(value)
        found.words.append(words)
        found.not_done.append(undone)
        found.flag.append(flag)
    return found
