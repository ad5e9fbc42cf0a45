"""Numbers as people write them: `1,234.5`, `1 234,5`, `0,05`, `1'234`, `1.2E+03`, `1·5`; never guessed between two.

`1,234` and, in a column of decimal commas, `1.234` can each be two numbers. What settles it is the rest of the column
(`Habit`) or a second statement of the same value; without either there are two readings and no number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from pipeline.exchange.dataset_table import number, rounded

_LONGEST = 40
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "·": ".", "٫": ".", "，": ","}
)
_GROUPED = re.compile(r"([+-]?)(\d{1,3}(?:([ ,.'])\d{3})(?:\3\d{3})*)(?:([.,])(\d+))?")
_DECIMAL_COMMA = re.compile(r"([+-]?\d*),(\d+)(e[+-]?\d+)?", re.IGNORECASE)
_POWER = re.compile(r"([+-]?\d+(?:[.,]\d+)?) ?[x×*] ?10 ?(?:\^|\*\*|e)? ?([+-]?\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Habit:
    """How a column writes its numbers, where its other rows settle it. None: nothing settles it."""

    decimal_comma: bool | None = None


PLAIN = Habit()
"""Nothing is known of the column."""


class NumberReading(NamedTuple):
    """A number, or the numbers a text can mean; all empty where it is no number."""

    value: float | None = None
    either: tuple[float, float] | None = None


NO_NUMBER = NumberReading()
"""The text is no number."""


def read_number(text: str | None, habit: Habit = PLAIN) -> NumberReading:
    """Read one number; see the module for what is understood."""
    if text is None:
        return NO_NUMBER
    plain = number(text)
    if plain is not None and not (habit.decimal_comma and _looks_grouped(text)):
        return NumberReading(plain)
    return _read(text, habit)


def habit_of(texts: Iterable[str | None]) -> Habit:
    """Return how a column writes decimals, from those of its texts that leave no doubt."""
    comma = point = False
    for text in texts:
        if text is None or len(text) > _LONGEST:
            continue
        plain = text.translate(_SIGNS).strip()
        if "," in plain:
            grouped = _GROUPED.fullmatch(plain)
            if grouped is not None and grouped[4]:
                comma, point = comma or grouped[4] == ",", point or grouped[4] == "."
            elif grouped is not None and grouped[2].count(",") > 1:
                point = True
            elif _DECIMAL_COMMA.fullmatch(plain) and not _looks_grouped(plain):
                comma = True
        elif number(plain) is not None and "." in plain and not _looks_grouped(plain):
            point = True
    return Habit(comma if comma != point else None)


def _looks_grouped(text: str) -> bool:
    """Whether a text with one mark can be a grouped whole number: 1,234 or 12.345, but not 0.123 or 1234.567."""
    found = _GROUPED.fullmatch(text)
    return found is not None and found[3] in (",", ".") and not found[4] and not found[2].startswith("0")


@lru_cache(maxsize=20_000)
def _read(text: str, habit: Habit) -> NumberReading:
    plain = text.translate(_SIGNS).strip()
    if not plain or len(plain) > _LONGEST:
        return NO_NUMBER
    if power := _POWER.fullmatch(plain):
        return _number(f"{power[1].replace(',', '.')}e{power[2]}")
    if grouped := _GROUPED.fullmatch(plain):
        return _grouped(grouped, habit)
    if found := _DECIMAL_COMMA.fullmatch(plain):
        return _number(f"{found[1] or '0'}.{found[2]}{found[3] or ''}")
    return _number(plain)


def _grouped(found: re.Match[str], habit: Habit) -> NumberReading:
    sign, digits, mark, decimal_mark, decimals = found.groups()
    whole = "".join(letter for letter in digits if letter.isdigit())
    if decimal_mark == mark:
        return NO_NUMBER
    if decimal_mark:
        return _number(f"{sign}{whole}.{decimals}")
    if mark in (" ", "'") or digits.count(mark) > 1:
        return _number(sign + whole)
    as_decimal = _number(f"{sign}{digits.replace(mark, '.')}")
    if digits.startswith("0"):
        return as_decimal
    if habit.decimal_comma is not None:
        return as_decimal if (mark == ",") == habit.decimal_comma else _number(sign + whole)
    as_whole = _number(sign + whole)
    if mark == "." or as_decimal.value is None or as_whole.value is None:
        return as_decimal
    return NumberReading(either=(as_whole.value, as_decimal.value))


def _number(text: str) -> NumberReading:
    value = number(text)
    return NO_NUMBER if value is None or not isfinite(value) else NumberReading(rounded(value))
