"""Toxicity grades as trial tables print them ("3 or 4", ">= 3", "G3", "4-Mar"), read only where that is certain."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

LOWEST, HIGHEST = 1, 5
"""The CTCAE scale: 1 mild to 5 death. "3 or worse" therefore reads 3 to 5."""

_LONGEST = 60
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_NUMBER = r"(?:[0-9](?:\.0+)?|iv|i{1,3}|v)"
_BETWEEN = r"\s*(?:,|/|;|&|-|or|and|to|et|ou|und|oder|bis)\s*(?:or\s+|and\s+)?"
_WIDE = str.maketrans("０１２３４５６７８９＞＜＝－～／．，", "0123456789><=-~/.,")
_SCALE = r"\b(?:(?:nci[- ]?)?ctc(?:ae)?|who)\b"
_LABEL = re.compile(rf"{_SCALE}|\b(?:toxicity )?(?:grades?|gr?\b\.?)(?=\W|\d|$)|\bg(?=[1-5])")
_DASHES = re.compile("[\u00ad\u2010-\u2015\u2212\ufe58\ufe63]")
_ONE = re.compile(_NUMBER)
_SEVERAL = re.compile(rf"{_NUMBER}(?:{_BETWEEN}{_NUMBER})+")
_SEPARATOR = re.compile(_BETWEEN)
_RANGE = re.compile(rf"{_NUMBER}\s*(?:-|to|bis)\s*{_NUMBER}")
_FROM = re.compile(rf"(>=|=>|>\s*=|≥|⩾|≧|>|at least|minimum|more than|above)\s*({_NUMBER})")
_TO = re.compile(rf"(<=|=<|<\s*=|≤|⩽|≦|<|at most|maximum|less than|below|up to)\s*({_NUMBER})")
_OR_WORSE = re.compile(rf"({_NUMBER})\s*(?:or|and)\s*(?:higher|greater|worse|more|above|over)")
_OR_BETTER = re.compile(rf"({_NUMBER})\s*(?:or|and)\s*(?:lower|less|better|below|under)")
_PLUS = re.compile(rf"({_NUMBER})\s*\+")
_STRICT = {">", "more than", "above", "<", "less than", "below"}
_ANY = {"any", "all", "any grade", "all grades"}

_MONTHS = {
    **dict.fromkeys(("jan", "january", "janv", "janvier", "januar"), 1),
    **dict.fromkeys(("feb", "february", "fev", "févr", "fevr", "fév", "février", "februar"), 2),
    **dict.fromkeys(("mar", "march", "mars", "mär", "mrz", "märz"), 3),
    **dict.fromkeys(("apr", "april", "avr", "avril"), 4),
    **dict.fromkeys(("may", "mai"), 5),
}
_OTHER_MONTHS = "jun|jul|aug|sep|oct|nov|dec|juin|juil|août|aout|sept|déc|okt|dez|july|june"
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY_MONTH = re.compile(rf"(\d{{1,2}})[-./ ]({_MONTH})\.?(?:[-./ ]\d{{2,4}})?")
_MONTH_DAY = re.compile(rf"({_MONTH})\.?[-./ ](\d{{1,2}})")
_MIDNIGHT = r"(?:[ t]00:00(?::00(?:\.0+)?)?)?"
_WHOLE_DATE = re.compile(
    rf"(?:\d{{4}}-(\d{{2}})-(\d{{2}})|(\d{{1,2}})[/.-](\d{{1,2}})[/.-](?:19|20)\d{{2}}){_MIDNIGHT}"
)
_SOME_DATE = re.compile(
    rf"(?:\d{{1,2}}[-./ ])?(?:{_MONTH}|{_OTHER_MONTHS})[a-z]*\.?(?:[-./ ]\d{{1,4}})?|\d{{4}}-\d{{2}}-\d{{2}}.*"
)


class Grade(NamedTuple):
    """The grades a text allows, lowest and highest; both None where it cannot be read, and then `flag` says why.

    A flag beside two numbers tells of a repair.
    """

    low: int | None
    high: int | None
    flag: str | None = None


NOT_STATED = Grade(None, None)


def read_grade(text: str | None) -> Grade:
    """Read a grade. Whatever is not wholly understood is not read at all.

    "3" is 3 to 3; "3 or 4", "3/4", "3 – 4" and "III-IV" are 3 to 4; ">=3" and "3 or higher" are 3 to 5; "<=2" is
    1 to 2. A spreadsheet turns "3-4" into a date: `4-Mar`, `3-Apr`, `Mar-4` or 2016-03-04 are read as 3 to 4 and
    flagged, but only where day and month are two different numbers from 1 to 5. A sign that was lost before a
    number (a control character, U+FFFD) leaves the grade unread, because a bare 3 is not ">=3".
    """
    if text is None or text == "NA":
        return NOT_STATED
    return _remembered(text) if len(text) <= _LONGEST else _unread(text)


def _read(text: str) -> Grade:
    plain = _DASHES.sub("-", text.translate(_WIDE)).casefold().strip()
    if plain in {"", "na", "n/a", "not stated", "nr", "-"}:
        return NOT_STATED
    if plain in _ANY:
        return Grade(LOWEST, HIGHEST)
    date = _date(text, plain)
    if date is not None:
        return date
    bare = " ".join(_LABEL.sub(" ", plain).split())
    return _written(text, bare)


def _written(text: str, bare: str) -> Grade:
    if _ONE.fullmatch(bare):
        return _between(text, _value(bare), _value(bare))
    if _SEVERAL.fullmatch(bare):
        values = [_value(number) for number in _SEPARATOR.split(bare)]
        return _series(text, values, whole=_RANGE.fullmatch(bare) is not None)
    for pattern, upwards in ((_FROM, True), (_TO, False)):
        if found := pattern.fullmatch(bare):
            step = found[1] in _STRICT
            value = _value(found[2])
            return _between(text, value + step, HIGHEST) if upwards else _between(text, LOWEST, value - step)
    if found := _OR_WORSE.fullmatch(bare) or _PLUS.fullmatch(bare):
        return _between(text, _value(found[1]), HIGHEST)
    if found := _OR_BETTER.fullmatch(bare):
        return _between(text, LOWEST, _value(found[1]))
    return _unread(text)


def _value(number: str) -> int:
    return _ROMAN[number] if number in _ROMAN else int(float(number))


def _between(text: str, low: int, high: int) -> Grade:
    if LOWEST <= low <= high <= HIGHEST:
        return Grade(low, high)
    return Grade(None, None, f"{text!r} is outside the grades {LOWEST} to {HIGHEST}; kept as reported, not read")


def _series(text: str, values: list[int], *, whole: bool) -> Grade:
    low, high = min(values), max(values)
    grade = _between(text, low, high)
    if grade.low is None or whole or len(set(values)) == high - low + 1:
        return grade
    return Grade(low, high, f"{text!r} leaves out a grade between {low} and {high}; read as {low} to {high}")


def _date(text: str, plain: str) -> Grade | None:
    """Read what a spreadsheet made of a range of grades; None where the text is no date at all."""
    if found := _DAY_MONTH.fullmatch(plain):
        numbers = (int(found[1]), _MONTHS[found[2]])
    elif found := _MONTH_DAY.fullmatch(plain):
        numbers = (_MONTHS[found[1]], int(found[2]))
    elif found := _WHOLE_DATE.fullmatch(plain):
        numbers = (int(found[1] or found[3]), int(found[2] or found[4]))
    elif _SOME_DATE.fullmatch(plain):
        return Grade(None, None, f"{text!r} is a date where a grade belongs; kept as reported, not repaired")
    else:
        return None
    low, high = sorted(numbers)
    if LOWEST <= low < high <= HIGHEST:
        return Grade(low, high, f"{text!r} is a date made by a spreadsheet from {low}-{high}; read as {low} to {high}")
    return Grade(None, None, f"{text!r} is a date where a grade belongs; kept as reported, not repaired")


def _unread(text: str) -> Grade:
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    if any("\u2400" <= sign <= "\u2421" or sign == "\ufffd" or sign < " " for sign in text):
        reason = "a sign was lost beside the number, so it may be a bound"
    elif not any(sign.isdigit() for sign in text):
        reason = "a word is not a grade"
    else:
        reason = "it is not a grade as known here"
    return Grade(None, None, f"{shown!r}: {reason}; kept as reported, not read")


_remembered = lru_cache(maxsize=4096)(_read)


def is_date(text: str) -> bool:
    """Say whether a cell holds a date, as a spreadsheet makes of "8/6" or "2-4": `6-Aug`, `avr-02`, `2016-03-04`."""
    plain = text.casefold().strip()
    return len(plain) <= _LONGEST and any(
        pattern.fullmatch(plain) for pattern in (_DAY_MONTH, _MONTH_DAY, _WHOLE_DATE, _SOME_DATE)
    )
