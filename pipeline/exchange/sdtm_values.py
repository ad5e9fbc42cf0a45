"""The result variables that all findings of SDTM share (--ORRES, --STRESC, --STRESN, --STAT), read alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.sdtm_rows import Outcome, Rows
from pipeline.exchange.study_facts import HeldFact, LaboratoryFact, MeasurementFact, ReportedParameterFact
from pipeline.exchange.written_numbers import NO_NUMBER, habit_of, read_number
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
    either: list[tuple[float, float] | None] = field(default_factory=list)
    """The two numbers a result can be, where neither its column nor its standardised form settles which."""


def read_values(rows: Rows, prefix: str) -> Values:
    """Read the results of a domain: a number, words, or why there is neither."""
    units, standard_units = rows.texts(f"{prefix}ORRESU"), rows.texts(f"{prefix}STRESU", f"{prefix}ORRESU")
    codes = {unit: unit_code(unit) for unit in {*units, *standard_units}}
    found = Values(list(rows.texts(f"{prefix}ORRES")), list(units))
    habit = habit_of(found.reported)
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
        reading = read_number(said, habit)
        value = number if number is not None else reading.value
        found.either.append(reading.either if value is None and status is None else None)
        words, undone, flag = None, None, None
        if status is not None:
            value, undone = None, reason or status
        elif said is None and value is None:
            undone = reason or "no result is given"
        elif found.either[-1] is None and (value is None or (number is not None and reading == NO_NUMBER)):
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


def hold_ambiguous(outcomes: list[Outcome], prefix: str, either: Sequence[tuple[float, float] | None]) -> None:
    """Hold the rows whose number can be two."""
    for at, two in enumerate(either):
        fact = outcomes[at]
        if two is not None and isinstance(fact, LaboratoryFact | MeasurementFact | ReportedParameterFact):
            one, other = map(number_text, two)
            why = f"{fact.reported!r} can be {one} or {other}"
            held = fact._replace(value=two[0], not_done=None)
            outcomes[at] = HeldFact(held, f"{prefix}ORRES", fact.reported, one, why, "value")
