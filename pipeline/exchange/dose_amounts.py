"""Dose amounts as trial tables print them, read as numbers where that is certain."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pipeline.exchange.dose_units import SIGNS, read_unit
from pipeline.exchange.grades import is_date

_LONGEST = 60


class Amount(NamedTuple):
    """An amount's lowest and highest value, equal for a single number; None where it cannot be read (see `flag`)."""

    low: float | None
    high: float | None
    flag: str | None = None
    unit: str | None = None
    """What stood behind the number in the same cell, as reported."""

    @property
    def value(self) -> float | None:
        """The amount where it is one number."""
        return self.low if self.low == self.high else None


NO_AMOUNT = Amount(None, None)
_NUMBER = re.compile(r"(?a)\d{1,12}(?:\.\d{1,12})?")
# "80,100" may be two doses, so a comma parts thousands only where it cannot part a list.
_THOUSANDS = re.compile(r"(?a)\d,\d{3}(?:\.\d+)?|\d{2,3},000")
_DECIMAL_COMMA = re.compile(r"(?a)\d{1,6},\d{1,2}")
_SCIENTIFIC = re.compile(r"(?a)(\d{1,4}(?:\.\d{1,6})?) ?(?:[x*] ?10 ?(?:\^|\*\*) ?|e\+?)(\d{1,2})", re.IGNORECASE)
_LOST_POWER = re.compile(r"(?a)\d{1,4}(?:\.\d+)? ?[xX*] ?10(\d{1,2})")
_RANGE = re.compile(r"(?a)(\d{1,12}(?:\.\d{1,12})?) ?(?:-|to|or) ?(\d{1,12}(?:\.\d{1,12})?)")
_WITH_UNIT = re.compile(r"(?a)(?:(auc) ?[=:]? ?)?(\d{1,12}(?:\.\d{1,12})?) ?([a-zA-Z%][\w/^. %-]*)?", re.IGNORECASE)


@lru_cache(maxsize=1024)
def read_amount(text: str | None) -> Amount:
    """Read a dose: a number, `2,000`, `1 x 10^9`, a range (`18-24`, `20 or 30`), or a number with its unit (`50 mg`).

    Not read, and flagged: two doses in one cell (`400/250`), sentences, dates made by a spreadsheet (`6-Aug`), and
    powers of ten that lost their superscript (`4 x 109`).
    """
    if text is None or text.strip() in {"", "NA", "N/A"}:
        return NO_AMOUNT
    plain = " ".join(text.translate(SIGNS).split())
    if _NUMBER.fullmatch(plain):
        return Amount(float(plain), float(plain))
    if len(plain) > _LONGEST:
        return _unread(text, "a sentence is not a dose")
    if is_date(plain):
        return _unread(text, "a spreadsheet made a date of it")
    if _THOUSANDS.fullmatch(plain):
        value = float(plain.replace(",", ""))
        return Amount(value, value, f"{text!r} read as {value:.12g}, the comma parting thousands")
    if _DECIMAL_COMMA.fullmatch(plain):
        value = float(plain.replace(",", "."))
        return Amount(value, value, f"{text!r} read as {value:.12g}, the comma parting decimals")
    if found := _SCIENTIFIC.fullmatch(plain):
        value = float(f"{found[1]}e{found[2]}")
        return Amount(value, value)
    if _LOST_POWER.fullmatch(plain):
        return _unread(text, "it may be a power of ten whose superscript was lost")
    return _compound(text, plain)


def _compound(text: str, plain: str) -> Amount:
    if found := _RANGE.fullmatch(plain):
        low, high = float(found[1]), float(found[2])
        if low < high:
            return Amount(low, high, f"{text!r} is a range, from {low:.12g} to {high:.12g}")
        return _unread(text, "the range does not rise")
    found = _WITH_UNIT.fullmatch(plain)
    if found and (found[1] is None or found[3] is None):
        unit = found[1] or found[3]
        if unit.casefold() == "auc" or read_unit(unit).code:
            return Amount(float(found[2]), float(found[2]), None, unit)
    return _unread(text, "it is not one number")


def _unread(text: str, reason: str) -> Amount:
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return Amount(None, None, f"{shown!r}: {reason}; kept as reported")
