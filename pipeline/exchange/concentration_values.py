"""What a laboratory reports as a concentration: a number, below the limit, above it, not done, or in doubt.

A value below the limit is never a number, however it is written: `<BLQ`, `< 0.5`, `ND`, words, a 0 or a smaller figure
beside a limit. The source's text is kept by whoever asks; here it is only read.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.errors import InputError
from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.result_words import Kind, number_inside, read_words
from pipeline.exchange.written_numbers import NO_NUMBER, Habit, read_number
from pipeline.exchange.written_units import unit_code
from pipeline.units import conversion_factor

AGREEMENT = 5e-3
"""Relative difference up to which a result and its standardised form are the same number, rounded differently."""
CORRECTION = 0.2
"""Up to here a standardised result may have been corrected (for a dilution, a salt): it is taken, and flagged."""


class Stated(NamedTuple):
    """What a row says of one result, as it stands there."""

    reported: str | None
    reported_unit: str | None
    standard: str | None
    """The standardised result as text."""
    standard_number: float | None
    standard_unit: str | None
    limit: float | None
    """Lower limit of quantification, in the standard unit where there is one, else in the reported one."""
    status: str | None
    reason: str | None


class Result(NamedTuple):
    """What was read. doubt: why a person has to decide; `value` and the rest are then the proposal.

    column: "unit" where the doubt is about the unit. error, unit_error: why nothing can be proposed for the result, for
    its unit.
    """

    value: float | None = None
    unit: str | None = None
    limit: float | None = None
    below: bool = False
    not_done: str | None = None
    flag: str | None = None
    doubt: str | None = None
    column: str | None = None
    error: str | None = None
    unit_error: str | None = None


def read_result(stated: Stated, habit: Habit, usual_unit: str | None = None) -> Result:
    """Read one result.

    Args:
        stated: what the row says.
        habit: how the column of reported results writes numbers.
        usual_unit: the unit every other row of the analyte has, to be proposed where one is missing.
    """
    own_unit, standard_unit = unit_code(stated.reported_unit), unit_code(stated.standard_unit)
    unit = standard_unit or own_unit
    limit = stated.limit if stated.limit is not None and stated.limit > 0 else None
    if _says_not_done(stated):
        return Result(unit=unit, limit=limit, not_done=stated.reason or stated.status or stated.reported)
    standard, own = stated.standard_number, read_number(stated.reported, habit)
    if standard is None:
        standard = read_number(stated.standard).value
    text = next((t for t in (stated.reported, stated.standard) if t is not None and read_number(t) == NO_NUMBER), None)
    if text is not None:
        result = _of_words(text, standard, unit, limit, habit)
    elif standard is None and own.value is None and own.either is None:
        result = _nothing(unit, limit)
    else:
        result = _of_number(stated, own.value, own.either, standard, own_unit, standard_unit, limit)
    return _with_unit(result, stated, usual_unit)


def _says_not_done(stated: Stated) -> bool:
    status = (stated.status or "").strip()
    return bool(status) and (stated.reported is None or read_words(status).kind is Kind.NOT_DONE)


def _nothing(unit: str | None, limit: float | None) -> Result:
    return Result(unit=unit, limit=limit, not_done="no result is given", flag="no result, and no reason for it")


def _of_words(text: str, standard: float | None, unit: str | None, limit: float | None, habit: Habit) -> Result:
    """Read a result that is not written as a plain number."""
    words = read_words(text, habit)
    if words.kind is Kind.BELOW:
        flag = None
        if words.limit is not None and limit is not None and abs(words.limit - limit) > AGREEMENT * limit:
            flag = f"{text} names another limit than {number_text(limit)}"
        if standard is not None and limit is not None and standard >= limit:
            doubt = f"{text!r} says below the limit, but the standardised result is {number_text(standard)}"
            return Result(unit=unit, limit=limit, below=True, doubt=doubt)
        return Result(unit=unit, limit=words.limit if limit is None else limit, below=True, flag=flag)
    if words.kind is Kind.ABOVE:
        return Result(unit=unit, limit=limit, flag=f"{text} is above what was measurable: no number")
    if words.kind is Kind.NOT_DONE:
        return Result(unit=unit, limit=limit, not_done=text)
    proposed = standard if standard is not None else number_inside(text)
    if proposed is not None:
        return Result(proposed, unit, limit, doubt=f"{text!r} is not understood as a result")
    return Result(unit=unit, limit=limit, error=f"{text[:60]!r} is not understood as a result; write a number or BLQ")


def _of_number(
    stated: Stated,
    own: float | None,
    either: tuple[float, float] | None,
    standard: float | None,
    own_unit: str | None,
    standard_unit: str | None,
    limit: float | None,
) -> Result:
    unit = standard_unit or own_unit
    factor = _factor(own_unit, standard_unit)
    value, doubt, note = standard, None, None
    if either is not None:
        matching = [one for one in either if standard is not None and factor and _same(one * factor, standard)]
        if not matching:
            value = standard if standard is not None else either[0]
            wanted = " or ".join(number_text(one) for one in either)
            return Result(value, unit, limit, doubt=f"{stated.reported!r} can be {wanted}")
    elif own is not None and standard is None:
        value, unit = (own * factor, unit) if factor else (own, own_unit or standard_unit)
    elif own is not None and standard is not None and factor and not _same(own * factor, standard):
        said = (
            f"{stated.reported} {stated.reported_unit or ''} and the standardised {number_text(standard)} "
            f"{stated.standard_unit or ''} are not the same".replace("  ", " ")
        )
        near = _same(own * factor, standard, CORRECTION)
        doubt, note = (None, f"{said}; the standardised one is taken") if near else (said, None)
    if value is None or value < 0:
        return Result(unit=unit, limit=limit, error=f"a concentration cannot be {stated.reported or value}")
    if limit is not None and value < limit:
        flag = f"{number_text(value)} is below the limit of {number_text(limit)}" if value else None
        return Result(unit=unit, limit=limit, below=True, flag=flag or f"0 with a limit of {number_text(limit)}")
    flag = "0, and no limit of quantification is given" if value == 0 and limit is None else None
    return Result(value, unit, limit, flag=flag or note, doubt=doubt)


def _factor(own_unit: str | None, standard_unit: str | None) -> float | None:
    """Return what leads from the reported to the standardised unit; 1 where one of them is missing."""
    if own_unit is None or standard_unit is None or own_unit == standard_unit:
        return 1.0
    try:
        return conversion_factor(own_unit, standard_unit)
    except InputError:
        return None


def _same(one: float, other: float, within: float = AGREEMENT) -> bool:
    return abs(one - other) <= within * max(abs(one), abs(other))


def _with_unit(result: Result, stated: Stated, usual_unit: str | None) -> Result:
    """Put a number without a readable unit in doubt; of a result that is none say whether its unit is known."""
    given = stated.standard_unit or stated.reported_unit
    if result.unit is not None or (given is None and result.value is None):
        return result
    said = f"the unit {given[:40]!r} is not known" if given else "the unit is missing"
    if result.error is not None or (usual_unit is None and result.value is not None):
        return result._replace(unit_error=f"{said}; write one such as ng/mL")
    if result.value is None:
        return result
    doubt = f"{said}; the other rows are in {usual_unit}"
    if result.doubt is not None:
        return result._replace(unit=usual_unit, doubt=f"{result.doubt}; {doubt}")
    return result._replace(unit=usual_unit, doubt=doubt, column="unit")
