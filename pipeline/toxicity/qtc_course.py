"""The corrected QT intervals of a subject over time (B10): sets taken together count as their mean.

Electrocardiograms are taken in sets, usually of three, because one interval alone varies by chance; what counts at a
time is the mean of the set (ICH E14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from pipeline.errors import InputError
from pipeline.units import convert

SET_WITHIN = timedelta(minutes=10)
"""How long after the first reading of a set the others may follow: protocols space them by one to five minutes."""

COLUMNS = {"LaboratoryResult": ("test", "sampled_at"), "Measurement": ("what", "measured_at")}
"""By the kinds of records that hold intervals: the columns with the name of the interval, and with its moment."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One corrected QT interval in ms.

    Attributes:
        node, row: the record it stands in.
        code: the name of the interval, which tells the correction.
        before: whether it was taken before treatment.
        moment: when it was taken; None where that is not told to the minute.
    """

    node: str
    row: Mapping[str, Any]
    code: str
    ms: float
    before: bool
    moment: datetime | None

    @classmethod
    def of(cls, node: str, row: Mapping[str, Any]) -> Reading | None:
        """Read a record; None where its value is no time."""
        code, moment = COLUMNS[node]
        if row["value"] is None:
            return None
        try:
            ms = convert(row["value"], row["unit"] or "ms", "ms")
        except InputError:
            return None
        before = bool(row.get("baseline")) or (row["day"] is not None and row["day"] < 1)
        return cls(node, row, row[code], ms, before, _to_the_minute(row[moment]))

    @property
    def order(self) -> tuple[str, float, int]:
        """What puts the readings of a subject in order."""
        return self.row["sorted_on"], self.row["day"] or 0.0, self.row["id"]


@dataclass(frozen=True, slots=True)
class ReadingSet:
    """Readings of one interval of one subject that were taken together, in order."""

    readings: tuple[Reading, ...]

    @property
    def ms(self) -> float:
        """The mean, ms."""
        return fmean(reading.ms for reading in self.readings)

    @property
    def before(self) -> bool:
        """Whether it was taken before treatment: sources mark one reading of a set as the baseline, or all."""
        return any(reading.before for reading in self.readings)


def reading_sets(readings: Iterable[Reading]) -> list[ReadingSet]:
    """Return the readings of one interval of one subject in sets, in order.

    Those of one visit within ten minutes are one set. A reading whose time is not told to the minute stands alone:
    readings of one day may be hours apart, and their mean would hide the longest.
    """
    sets: list[list[Reading]] = []
    for reading in sorted(readings, key=lambda reading: reading.order):
        if sets and _is_of(sets[-1], reading):
            sets[-1].append(reading)
        else:
            sets.append([reading])
    return [ReadingSet(tuple(each)) for each in sets]


def _is_of(taken: Sequence[Reading], reading: Reading) -> bool:
    first = taken[0]
    if first.moment is None or reading.moment is None or first.row["visit"] != reading.row["visit"]:
        return False
    if (first.moment.tzinfo is None) != (reading.moment.tzinfo is None):
        return False
    return abs(reading.moment - first.moment) <= SET_WITHIN


def _to_the_minute(moment: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(moment) if moment is not None and len(moment) >= len("2024-01-01T08:30") else None
    except ValueError:
        return None
