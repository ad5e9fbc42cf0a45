"""Moments as data sets write them, at the precision they are written in, with what is needed to order and subtract."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from pipeline.dates import PartialDate
from pipeline.errors import InputError
from pipeline.exchange.cells import DateHabit, read_date

_SLACK = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2})(?::(\d{2}))?(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?")
_HOLES = re.compile(r"(\d{4})(?:-(?:-|\d{2}))?(?:-(?:-|\d{2}))?(?:T.*)?")
_UNKNOWN = re.compile(r"(?<=-)(?:UNK?|UK|NK|XX|\?\?)(?![A-Z])", re.IGNORECASE)
"""How forms write a month or day that nobody knows."""
_SAS = re.compile(r"(\d{1,2}[A-Za-z]{3}\d{4})(?::(\d{2}):(\d{2})(?::(\d{2}))?)?")
_CLOCK = re.compile(r"[ T](\d{1,2}):(\d{2})(?::(\d{2}))?\s*$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(NamedTuple):
    """A date or date-time. `text` None: nothing was given, or it cannot be read (`error` says why)."""

    text: str | None = None
    sorted_on: str = ""
    """The earliest moment it can mean."""
    hours: float | None = None
    """Hours since 1970, of the moment or of the beginning of the day; None where the day is not known."""
    timed: bool = False
    """Whether the time of day is known."""
    error: str | None = None
    note: str | None = None
    """What was left out or put right."""


NO_MOMENT = Moment()
UNSETTLED = DateHabit()
"""Nothing is known of the column."""


@lru_cache(maxsize=20_000)
def read_moment(text: str | None, habit: DateHabit = UNSETTLED) -> Moment:
    """Read an ISO 8601 date or date-time, whole or partial; other spellings where they can mean one day only.

    habit: what is known of the order of day and month from the rest of the column.
    """
    if text is None or not text.strip():
        return NO_MOMENT
    text = text.strip()
    if len(text) in (16, 19) and text[10] == "T":
        try:  # the usual form, and a million of them
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is not None:
            return Moment(text, text, _hours(moment), True)
    found = _SLACK.fullmatch(text)
    if found is not None:
        return _timed(text, found)
    try:
        day = PartialDate.parse(text)
    except InputError as wrong:
        return _otherwise(text, wrong.message, habit)
    return _dated(day)


def _dated(day: PartialDate, note: str | None = None) -> Moment:
    whole = day.earliest == day.latest
    return Moment(day.text, day.earliest, _since_epoch(day.earliest) if whole else None, note=note)


def _timed(text: str, found: re.Match[str]) -> Moment:
    date, hour, minute, second, fraction, zone = found.groups()
    written = (
        f"{date}T{hour}:{minute or '00'}" + (f":{second}" if second else "") + (f".{fraction}" if fraction else "")
    )
    try:
        PartialDate.parse(written + (zone or ""))
    except InputError as wrong:
        return Moment(error=wrong.message)
    hours = _since_epoch(date) + int(hour) + int(minute or 0) / 60 + int(second or 0) / 3600
    if zone and zone != "Z":
        hours -= (1 if zone[0] == "+" else -1) * (int(zone[1:3]) + int(zone[-2:]) / 60)
    kept = written + (zone or "") if minute else f"{date}T{hour}:00"
    note = None if minute else f"{text} is to the hour: the minutes are not known"
    return Moment(kept, written if minute else f"{date}T{hour}:00", hours, True, note=note)


def _otherwise(text: str, why: str, habit: DateHabit) -> Moment:
    """Read what is not ISO 8601: dates with holes, of SAS and in words; never one that can mean two days."""
    iso = _UNKNOWN.sub("-", text)
    if "--" in iso and _HOLES.fullmatch(iso) is not None:
        known = re.match(r"\d{4}(?:-\d{2})?", text)
        if known is not None:
            try:
                return _dated(PartialDate.parse(known[0]), note=f"{text} is known to {known[0]} only")
            except InputError as wrong:
                return Moment(error=wrong.message)
    sas = _SAS.fullmatch(text)
    reading = read_date(sas[1] if sas else text, habit)
    if reading.value is None:
        choices = f"; it can be {' or '.join(reading.proposals)}" if reading.proposals else ""
        return Moment(error=f"{reading.doubt or why}{choices}"[:300])
    clock = _CLOCK.search(text)
    time = sas.groups()[1:] if sas and sas[2] else clock.groups() if clock else None
    if time is None or reading.value.earliest != reading.value.latest:
        return _dated(reading.value, note=f"{text} is read as {reading.value.text}")
    moment = read_moment(f"{reading.value.text}T{int(time[0]):02d}:{time[1]}" + (f":{time[2]}" if time[2] else ""))
    return moment._replace(note=f"{text} is read as {moment.text}")


def _since_epoch(day: str) -> float:
    return _hours(datetime.fromisoformat(day[:10]))


def _hours(moment: datetime) -> float:
    days = moment.toordinal() - _EPOCH.toordinal()
    return days * 24 + moment.hour + moment.minute / 60 + moment.second / 3600


def moment_text(hours: float, *, timed: bool) -> str:
    """Return hours since 1970 as ISO 8601 text, to the second where the time of day is known."""
    moment = _EPOCH + timedelta(hours=hours)
    if not timed:
        return moment.date().isoformat()
    moment = (moment + timedelta(microseconds=500_000)).replace(microsecond=0)
    return moment.strftime("%Y-%m-%dT%H:%M:%S" if moment.second else "%Y-%m-%dT%H:%M")
