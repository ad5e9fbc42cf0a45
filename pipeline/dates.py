"""Dates as sources give them: to the year, the month, the day or the minute, never rounded to look more precise."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pipeline.errors import InputError

_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:T(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,9})?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """An ISO 8601 date or date-time at the precision it was given in.

    `earliest` and `latest` are the first and last calendar day it can mean: 2013-07 lies between
    2013-07-01 and 2013-07-31. Both are ISO text, so that they sort the same in Python and in SQL.
    """

    text: str
    earliest: str
    latest: str

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read ISO 8601 text (2013, 2013-07, 2013-07-09, 2013-07-09T11:45); refuse anything else by name."""
        found = _ISO.fullmatch(text.strip())
        if found is None:
            raise InputError(f"{text[:40]!r} is not a date; write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm")
        part = found.groupdict()
        year = int(part["year"])
        month = int(part["month"] or 0)
        try:
            first = date(year, month or 1, int(part["day"] or 1))
            last_month = month or 12
            last_day = int(part["day"]) if part["day"] else calendar.monthrange(year, last_month)[1]
            last = date(year, last_month, last_day)
            if part["hour"] is not None and (
                int(part["hour"]) > 23 or int(part["minute"]) > 59 or int(part["second"] or 0) > 59
            ):
                raise ValueError("no such time of day")
        except ValueError as wrong:
            raise InputError(f"{text[:40]!r} is not a date that exists ({wrong}); correct it in the source") from wrong
        return cls(text.strip(), first.isoformat(), last.isoformat())

    @classmethod
    def of(cls, day: date) -> PartialDate:
        """Return the date of one full day."""
        text = day.isoformat()
        return cls(text, text, text)


def instant(moment: datetime) -> str:
    """Return an instant as fixed-width UTC text, RFC 3339 to the microsecond, so that text order is time order."""
    if moment.tzinfo is None:
        raise InputError("a moment needs a time zone, for example 2021-03-09T12:00:00Z")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
