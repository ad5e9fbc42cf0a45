"""What one cell of a table says: dates in the many ways people write them, formulas, words for "nothing"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from pipeline.dates import PartialDate
from pipeline.errors import InputError

NOTHING = frozenset(
    {"", "-", "--", "—", "–", "?", "n/a", "na", "n.a.", "nd", "n.d.", "nc", "none", "null", "nan", "unknown", "unk"}
    | {"inconnu", "inconnue", "tbd", "tbc", "néant", "aucun", "aucune", "vide", "not available", "not applicable"}
    | {"sans objet", "non renseigné", "à définir", "#n/a", "."}
)
"""How people write that there is nothing to write (casefolded)."""

_LONGEST_NOTHING = max(map(len, NOTHING))

_MONTHS = {
    **dict.fromkeys(("january", "jan", "janvier", "janv"), 1),
    **dict.fromkeys(("february", "feb", "février", "fevrier", "févr", "fevr", "fév", "fev"), 2),
    **dict.fromkeys(("march", "mar", "mars"), 3),
    **dict.fromkeys(("april", "apr", "avril", "avr"), 4),
    **dict.fromkeys(("may", "mai"), 5),
    **dict.fromkeys(("june", "jun", "juin"), 6),
    **dict.fromkeys(("july", "jul", "juillet", "juil"), 7),
    **dict.fromkeys(("august", "aug", "août", "aout"), 8),
    **dict.fromkeys(("september", "sep", "sept", "septembre"), 9),
    **dict.fromkeys(("october", "oct", "octobre"), 10),
    **dict.fromkeys(("november", "nov", "novembre"), 11),
    **dict.fromkeys(("december", "dec", "décembre", "decembre", "déc"), 12),
}
_UNKNOWN_DAY = frozenset({"un", "unk", "uk", "nk", "xx", "00", "0", "--", "??", "nd"})

_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
_TIME = re.compile(
    r"[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?:\s*[ap]m)?(?:Z|[+-]\d{2}:?\d{2})?$", re.IGNORECASE
)
_THREE_PARTS = re.compile(r"([\w?]{1,4}|--)([/.\- ])\s*([\w?]{1,3})\2\s*(\d{4}|\d{2})")
_YEAR_FIRST = re.compile(r"(\d{4})[/. ](\d{1,2})(?:[/. ](\d{1,2}))?")
_MONTH_YEAR = re.compile(r"(\d{1,2})[/.\- ](\d{4})")
_COMPACT = re.compile(r"\d{8}")
_WORDED = re.compile(
    r"(?:(?:\w+day|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche),? +)?"
    r"(?:(?:le +)?(?P<day>\d{1,2}|UNK?|NK|XX)(?:er|st|nd|rd|th)?[\s.\-/]*)?"
    r"(?P<month>[^\W\d_]{3,9})\.?[\s.\-/,]*"
    r"(?:(?P<day_after>\d{1,2})(?:st|nd|rd|th)?[\s,]+)?"
    r"(?P<year>'?\d{2}|\d{4})",
    re.IGNORECASE,
)
_YEAR_MONTH_WORD = re.compile(r"(?P<year>\d{4})[\s.\-/,]*(?P<month>[^\W\d_]{3,9})\.?(?:[\s.\-/,]*(?P<day>\d{1,2}))?")
_PART_OF_YEAR = re.compile(
    r"(?:(?:[QTHS][1-4]|[1-4][QTHS]|[1-4](?:st|nd|rd|th|er|e|è|ème|eme) *(?:quarter|trimestre|semestre|half)"
    r"|early|mid|late|end of|end|beginning of|start of|début|debut|mi|fin|circa|ca|c|about|vers|env|spring|summer"
    r"|autumn|fall|winter|printemps|été|automne|hiver)[\s.\-/]*|~ *)(\d{4})|(\d{4})[\s.\-/]*[QTHS][1-4]|(\d{4}) *\?",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LITERAL = re.compile(r'="((?:[^"]|"")*)"')
_DANGEROUS_START = ("=", "+", "-", "@", "\t", "\r", "\x00")
_COMPUTED = re.compile(r"=|[+\-@](?:[A-Za-z.]+\(|.*[|!])")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is nothing to say."""
    return not text or (len(text) <= _LONGEST_NOTHING and text.casefold() in NOTHING)


@dataclass(frozen=True, slots=True)
class DateReading:
    """What a date cell was found to say: a value, or proposals between which a person decides, or what is wrong."""

    value: PartialDate | None = None
    note: str | None = None
    """What was lost or assumed though the value is certain."""
    proposals: tuple[str, ...] = ()
    doubt: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DateHabit:
    """How a column writes its dates. `day_first` None: no row tells whether 03/04 is 3 April or March 4."""

    day_first: bool | None = None
    points_day_first: bool | None = True
    """The same for dates written with points."""
    epoch_1904: bool | None = None
    """How a workbook counts days; None: not a workbook, so a bare serial number could be either."""


def habit_of(texts: Iterable[str], *, epoch_1904: bool | None = None) -> DateHabit:
    """Return how a column of date texts orders day and month, from the dates that exist in one order only.

    Dates written with points are Continental (day first) unless one of them says otherwise, and tell nothing of others.
    """
    seen: dict[bool, set[bool]] = {False: set(), True: set()}
    for text in texts:
        found = _THREE_PARTS.fullmatch(_TIME.sub("", text))
        if found is not None and found[1].isdigit() and found[3].isdigit() and len(found[4]) == 4:
            first, second, year = int(found[1]), int(found[3]), int(found[4])
            orders = {day_first for day_first in (True, False) if _exists(year, first, second, day_first=day_first)}
            if len(orders) == 1:
                seen[found[2] == "."] |= orders
    points = True if not seen[True] else _only(seen[True])
    return DateHabit(_only(seen[False]), points, epoch_1904)


def _only(orders: set[bool]) -> bool | None:
    return next(iter(orders)) if len(orders) == 1 else None


def _exists(year: int, first: int, second: int, *, day_first: bool) -> bool:
    try:
        date(year, second if day_first else first, first if day_first else second)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=65_536)
def read_date(text: str, habit: DateHabit = DateHabit()) -> DateReading:
    """Read a date at the precision it is written in.

    Takes ISO 8601, day/month/year in the order the column is known to use, month names in English and French, years,
    quarters and seasons (as the year, with a note), and the day counts of spreadsheets. A date that does not exist is
    an error; one that can mean two days, or a year of two digits, is a doubt with its proposals.
    """
    text = text.strip()
    if is_nothing(text):
        return DateReading(error="there is no date")
    if len(text) > 60:
        return DateReading(error="this is no date")
    clipped = _TIME.sub("", text)
    if clipped != text and _TIME.search(text) is None:
        return DateReading(error="this is no date")
    return (
        _iso(text, clipped)
        or _numeric(clipped, habit)
        or _worded(clipped)
        or _coarse(clipped)
        or _serial(clipped, habit)
        or DateReading(error="this is no date; write YYYY, YYYY-MM or YYYY-MM-DD")
    )


def _day(year: int, month: int | None = None, day: int | None = None, note: str | None = None) -> DateReading:
    """Return a date from numbers already put in order; say so when there is no such day."""
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return DateReading(error=f"{year} is no year a molecule was developed in; correct it in the source")
    text = f"{year:04d}" + (f"-{month:02d}" if month is not None else "") + (f"-{day:02d}" if day is not None else "")
    try:
        return DateReading(PartialDate.parse(text), note)
    except InputError:
        return DateReading(error=f"there is no such day ({text}); correct it in the source")


def _iso(text: str, clipped: str) -> DateReading | None:
    found = _ISO.fullmatch(clipped)
    if found is None:
        return _day(int(clipped)) if len(clipped) == 4 and clipped.isascii() and clipped.isdigit() else None
    reading = _day(int(found[1]), int(found[2]), int(found[3]) if found[3] else None)
    if reading.error or clipped == text:
        return reading
    time = _TIME.search(text)
    if time is not None and int(time[1]) == int(time[2]) == int(time[3] or 0) == 0:
        return reading
    return DateReading(reading.value, "the time of day is left out")


def _numeric(text: str, habit: DateHabit) -> DateReading | None:
    found = _YEAR_FIRST.fullmatch(text)
    if found is not None:
        return _day(int(found[1]), int(found[2]), int(found[3]) if found[3] else None)
    found = _MONTH_YEAR.fullmatch(text)
    if found is not None:
        return _day(int(found[2]), int(found[1]))
    if _COMPACT.fullmatch(text):
        return _compact(text)
    found = _THREE_PARTS.fullmatch(text)
    if found is None or not found[3].isdigit():
        return None
    first, second, year = found[1], int(found[3]), found[4]
    if first.casefold() in _UNKNOWN_DAY and len(year) == 4:
        return _day(int(year), second, note="the day is not known")
    if not first.isdigit() or len(first) > 2:
        return None
    return _ordered(int(first), second, year, found[2], habit)


def _ordered(first: int, second: int, year: str, separator: str, habit: DateHabit) -> DateReading:
    """Day and month in an order that has to be settled first: by the numbers, by the column, or by the point."""
    if len(year) == 2:
        proposals = {
            reading.value.text
            for reading in (_day(2000 + int(year), second, first), _day(2000 + int(year), first, second))
            if reading.value is not None
        }
        return DateReading(
            proposals=tuple(sorted(proposals)), doubt="the year has two digits and may be the day; write four digits"
        )
    number = int(year)
    day_first = habit.points_day_first if separator == "." else habit.day_first
    if (first > 12) != (second > 12) or first == second:
        day_first = first > 12 or second <= 12
    if day_first is None and first <= 12:
        proposals = {f"{number:04d}-{second:02d}-{first:02d}", f"{number:04d}-{first:02d}-{second:02d}"}
        return DateReading(
            proposals=tuple(sorted(proposals)),
            doubt="this can be day/month or month/day, and the other rows of the column do not settle it",
        )
    return _day(number, second, first) if day_first is not False else _day(number, first, second)


def _compact(text: str) -> DateReading:
    by_year = _day(int(text[:4]), int(text[4:6]), int(text[6:]))
    backwards = [_day(int(text[4:]), int(text[2:4]), int(text[:2])), _day(int(text[4:]), int(text[:2]), int(text[2:4]))]
    others = sorted({reading.value.text for reading in backwards if reading.value is not None})
    if by_year.value is not None and not others:
        return by_year
    if by_year.value is None and not others:
        return DateReading(error="there is no such day; correct it in the source")
    proposals = ([by_year.value.text] if by_year.value else []) + others
    return DateReading(proposals=tuple(proposals), doubt="eight digits that are not clearly year, month and day")


def _worded(text: str) -> DateReading | None:
    found = _WORDED.fullmatch(text) or _YEAR_MONTH_WORD.fullmatch(text)
    if found is None:
        return None
    part = found.groupdict()
    month = _MONTHS.get((part["month"] or "").casefold())
    if month is None or (part["day"] and part.get("day_after")):
        return None
    year = part["year"].lstrip("'")
    given = part["day"] or part.get("day_after")
    if len(year) == 2:
        written = f"20{year}-{month:02d}" + (f"-{int(given):02d}" if given and given.isdigit() else "")
        return DateReading(proposals=(written,), doubt="the year has two digits and may be the day; write four digits")
    if given and not given.isdigit():
        return _day(int(year), month, note="the day is not known")
    return _day(int(year), month, int(given) if given else None)


def _coarse(text: str) -> DateReading | None:
    found = _PART_OF_YEAR.fullmatch(text)
    if found is None:
        return None
    return _day(int(found[1] or found[2] or found[3]), note=f"the source says {text!r}; only the year is taken")


def _serial(text: str, habit: DateHabit) -> DateReading | None:
    """Read a spreadsheet's day count, where a date cell lost its format. Day 60 of the 1900 system never existed."""
    found = _SERIAL.fullmatch(text)
    if found is None:
        return None
    number = int(found[1])
    days = {False: serial_day(number, epoch_1904=False), True: serial_day(number, epoch_1904=True)}
    if habit.epoch_1904 is None:
        return DateReading(
            proposals=(days[False].isoformat(), days[True].isoformat()),
            doubt="this looks like a spreadsheet's day count; give the column a date format and save it again",
        )
    return DateReading(PartialDate.of(days[habit.epoch_1904]), f"read from the day count {text}")


def serial_day(number: int, *, epoch_1904: bool) -> date:
    """Return the calendar day of a spreadsheet's day count (> 60 in the 1900 system)."""
    return (date(1904, 1, 1) if epoch_1904 else date(1899, 12, 30)) + timedelta(days=number)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute this text instead of showing it."""
    return bool(_COMPUTED.match(text))


def literal(text: str) -> str | None:
    """Return the text inside ="...", the way some exports keep leading zeros; None for anything else."""
    found = _LITERAL.fullmatch(text)
    return found[1].replace('""', '"') if found else None


def defused(text: str) -> str:
    """Return a cell safe to open in a spreadsheet: an apostrophe before what would be computed, except numbers."""
    if text.startswith(_DANGEROUS_START) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def armed(text: str) -> str:
    """Return the text that `defused` made a cell of."""
    return text[1:] if text.startswith("'") and defused(text[1:]) == text else text
