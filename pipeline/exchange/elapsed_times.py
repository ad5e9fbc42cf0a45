"""Times since a dose as they are written: ISO 8601 durations and the words of sampling schedules, read as hours."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from pipeline.exchange.dataset_table import rounded
from pipeline.exchange.written_numbers import read_number

_HOURS = {"W": 168.0, "D": 24.0, "H": 1.0, "M": 1 / 60, "S": 1 / 3600}
_LONGEST = 80
_ISO = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<W>-?\d+(?:[.,]\d+)?)W)?(?:(?P<D>-?\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?:(?P<H>-?\d+(?:[.,]\d+)?)H)?(?:(?P<M>-?\d+(?:[.,]\d+)?)M)?(?:(?P<S>-?\d+(?:[.,]\d+)?)S)?)?"
)
_UNITS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "heure", "heures", "stunde", "stunden", "std"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "mn", "minuten"), 1 / 60),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "seconde", "secondes"), 1 / 3600),
    **dict.fromkeys(("d", "day", "days", "j", "jour", "jours", "tag", "tage"), 24.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "semaine", "semaines", "sem"), 168.0),
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_NUMBER = r"[+-]?\d+(?:[.,]\d+)?"
_BEFORE = re.compile(
    r"\b(?:pre|prior|before|avant|vor|antes|prima)\b|\bpre-?(?:dose|dosing|infusion|injection|treatment|administration"
    r"|traitement|perfusion)\w*|\btrough\b|\bresiduel\w*\b|\bvallee\b"
)
_OTHER_ORIGIN = re.compile(r"\b(?:eoi|eot|soi|end|fin|ende|stop)\b|\bpost-?(?:eoi|inf\w*|perf\w*)\b")
_CONTEXT = re.compile(
    r"\bc(?:ycle)? ?\d+ ?[,/-]? ?(?:d(?:ay)?|j(?:our)?) ?\d+\b|\b(?:day|jour|tag|week|semaine|cycle|visit|visite|period"
    r"|periode) ?-?\d+\b(?! ?(?:post|after|apres))|\b(?:d|j|c|w|v|p)\d{1,3}\b"
)
_NOISE = re.compile(
    r"\b(?:post|after|apres|following|from|since|nach|depuis|de|the|la|le|l|of|du|dose|doses|dosing|pd|postdose|tad"
    r"|administration|injection|treatment|traitement|nominal|sample|sampling|prelevement|time|temps|intervals?"
    r"|collection|urine|plasma|pool|approx|environ|ca|morning|first|last|premiere|derniere|am|pm|start|debut|infusion"
    r"|perfusion)\b|[+:;()\[\]]|,(?!\d)|(?<!\d),|\bpost-?"
)
_INTERVAL = re.compile(rf"({_NUMBER}) ?({_UNIT})? ?(?:-|to|a|bis|until|jusqu a|–) ?({_NUMBER}) ?({_UNIT})?")
_ONE = re.compile(rf"({_NUMBER}) ?({_UNIT})(?: ?(\d+(?:[.,]\d+)?) ?({_UNIT})?)?")
_LETTER_FIRST = re.compile(rf"(?:t|h|hr|hour|heure) ?=? ?\+?({_NUMBER}) ?({_UNIT})?")
_BARE = re.compile(_NUMBER)


class Elapsed(NamedTuple):
    """Hours since the dose: a moment, or an interval. Both None: not understood."""

    hours: float | None = None
    end: float | None = None
    some_time_before: bool = False
    """Before the dose, at a time that is not said; `hours` is 0 then."""


_UNREAD = Elapsed()


@lru_cache(maxsize=4096)
def iso_hours(text: str | None) -> float | None:
    """Read an ISO 8601 duration (PT0.5H, -PT15M, PT-0.083H, P1DT2H) as hours; None where it is none.

    Years and months have no fixed length and are not read.
    """
    if text is None:
        return None
    found = _ISO.fullmatch(text.strip().upper().replace("−", "-").replace(" ", ""))
    if found is None or not any(found[part] for part in _HOURS):
        return None
    total = 0.0
    for part, hours in _HOURS.items():
        if found[part]:
            value = read_number(found[part].replace(",", ".")).value
            total += (value or 0.0) * hours
    return rounded(-total if found["sign"] == "-" else total)


@lru_cache(maxsize=4096)
def worded_hours(text: str | None) -> Elapsed:
    """Read a planned time: `Predose` (0), `0.5H`, `30 min`, `24 h post-dose`, `0-6h Post-dose`, `H24`, `1h30`.

    A time counted from something other than the dose (the end of an infusion) is not read.
    """
    if text is None or len(text) > _LONGEST:
        return _UNREAD
    decomposed = unicodedata.normalize("NFKD", text.replace("µ", "u").replace("−", "-").replace("–", "-"))
    plain = " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).casefold().split())
    plain = plain.replace("'", " ").replace("_", " ")
    before = _BEFORE.search(plain) is not None
    plain = _BEFORE.sub(" ", plain)
    if _OTHER_ORIGIN.search(plain):
        return _UNREAD
    without = " ".join(_NOISE.sub(" ", _CONTEXT.sub(" ", plain)).split()).strip(" .-")
    if plain.startswith("-") and not before:
        without = f"-{without}"
    for candidate in (without, " ".join(_NOISE.sub(" ", plain).split()).strip(" .")):
        read = _read(candidate)
        if read is not _UNREAD:
            return _signed(read, before)
    return Elapsed(0.0, None, True) if before and not without else _UNREAD


def _signed(read: Elapsed, before: bool) -> Elapsed:
    if not before or read.hours is None:
        return read
    if read.end is None:
        return Elapsed(-abs(read.hours) + 0.0)
    return Elapsed(-abs(read.hours) + 0.0, -abs(read.end) + 0.0)


def _read(text: str) -> Elapsed:
    if found := _INTERVAL.fullmatch(text):
        unit_of_end = found[4] or found[2]
        if unit_of_end is None:
            return _UNREAD
        start, end = _hours(found[1], found[2] or unit_of_end), _hours(found[3], unit_of_end)
        return Elapsed(start, end) if start < end else _UNREAD
    if found := _ONE.fullmatch(text):
        hours = _hours(found[1], found[2])
        if found[3]:
            hours += _hours(found[3], found[4] or "min")
        return Elapsed(rounded(hours))
    if found := _LETTER_FIRST.fullmatch(text):
        return Elapsed(_hours(found[1], found[2] or "h"))
    if _BARE.fullmatch(text) and (read_number(text).value or 0.0) == 0.0:
        return Elapsed(0.0)
    return _UNREAD


def _hours(figure: str, unit: str) -> float:
    return rounded((read_number(figure.replace(",", ".")).value or 0.0) * _UNITS[unit])
