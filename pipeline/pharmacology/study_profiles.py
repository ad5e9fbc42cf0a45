"""From the samples of a study to profiles: who, of what, in what, after which dose.

A sample belongs to the dose before it. Sources file a sample of 24 h under the day it was taken on, or under the day
of its dose; which of the two a study does is read from its own samples, never assumed.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from pipeline.errors import InputError
from pipeline.names import fold
from pipeline.pharmacology.profile import Route
from pipeline.units import conversion_factor

DAY_H = 24.0
LONGEST_H = 1e6
SMALLEST, LARGEST = 1e-15, 1e15


class Retest(StrEnum):
    """Which of the values of a sample counts that was measured again."""

    LATEST = "LATEST"
    FIRST = "FIRST"


class Whose(NamedTuple):
    """Of whom, of which analyte and in which specimen samples are: one curve, or several after several doses."""

    subject: int | None
    pool: int | None
    analyte: str
    specimen: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample that counts in calculations.

    Attributes:
        record: id of the monitoring record.
        day: study day it is filed under; None where the source gives none.
        hours: h after the reference dose; None where no time can be trusted.
        end_hours: end of a collection interval, h; None for a sample of one moment.
        reference: moment of the reference dose, as text.
        conc: concentration; 0 below the limit, None without a result.
        unit: UCUM code of the concentration; None where it could not be read.
        amount: volume or mass of the specimen collected, in `amount_unit`.
        label: the source's own name of the dosing interval.
        retest_of: the record this one measures again.
    """

    record: int
    whose: Whose
    day: float | None
    hours: float | None
    conc: float | None
    unit: str | None
    end_hours: float | None = None
    reference: str | None = None
    amount: float | None = None
    amount_unit: str | None = None
    label: str | None = None
    retest_of: int | None = None


@dataclass(frozen=True, slots=True)
class GivenDose:
    """One line of what a subject was given. Days are study days; `every_h` is the interval its frequency means."""

    subject: int | None
    pool: int | None
    amount: float | None
    unit: str | None
    route: Route
    infusion_h: float | None = None
    first_day: float | None = None
    last_day: float | None = None
    started_on: str | None = None
    every_h: float | None = None


@dataclass(slots=True)
class StudyProfile:
    """The samples after one dose, times rising.

    Attributes:
        interval: what the interval is called: "day 29", "dose of 2014-01-01T08:00".
        day: study day of the dose, where it is known.
        doubtful: why the profile cannot be analysed; None when it can.
        first: whether it is the first interval of this curve.
    """

    whose: Whose
    interval: str
    day: float | None
    samples: list[Sample] = field(default_factory=list)
    unit: str | None = None
    first: bool = False
    doubtful: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def collected(self) -> bool:
        """Whether the specimen was collected over intervals, like urine."""
        return any(sample.end_hours is not None for sample in self.samples)


def set_aside(retest_of: Mapping[int, int | None], rule: Retest) -> set[int]:
    """Return the records that another one of the same sample stands in for.

    retest_of: record that counts -> the record it measures again. A record whose other is not among them stands alone.
    """
    again = {record: first for record, first in retest_of.items() if first in retest_of}
    return set(again) if rule is Retest.FIRST else {first for first in again.values() if first is not None}


def profiles_of(
    samples: Iterable[Sample], retests: Callable[[str], Retest] = lambda _analyte: Retest.LATEST
) -> list[StudyProfile]:
    """Return the profiles of a study's samples, each curve's in the order of its doses.

    Samples without a time are left out of the profiles and named in a note. Two values at one time, or values in
    units that differ, make a profile doubtful: a person has to say which one counts. The same value twice at one
    time is one sample. How an analyte or specimen is spelled makes no other curve. Of a sample measured again one value
    counts, with a note; `retests` says which one for an analyte.
    """
    by_name: dict[Whose, list[Sample]] = defaultdict(list)
    for sample in samples:
        whose = sample.whose
        by_name[whose._replace(analyte=fold(whose.analyte), specimen=fold(whose.specimen))].append(sample)
    curves = {curve[0].whose: curve for curve in by_name.values()}
    late_as_taken = _filed_as_taken(curves)
    found: list[StudyProfile] = []
    for whose, curve in curves.items():
        late = (whose.analyte, whose.specimen) in late_as_taken
        found += _of_curve(whose, curve, late, retests(whose.analyte))
    return found


def _filed_as_taken(curves: dict[Whose, list[Sample]]) -> set[tuple[str, str]]:
    """Return analyte and specimen whose late samples are filed under the day they were taken on.

    The sign of it: a sample 24 h or more after a dose, on a day that has no early sample, while the day of its dose
    has one.
    """
    found = set()
    for whose, curve in curves.items():
        days = {s.day for s in curve if s.day is not None and s.hours is not None and s.hours < DAY_H}
        for sample in curve:
            if sample.day is None or sample.hours is None or sample.hours < DAY_H or sample.day in days:
                continue
            if sample.day - sample.hours // DAY_H in days:
                found.add((whose.analyte, whose.specimen))
                break
    return found


def _of_curve(whose: Whose, curve: Sequence[Sample], late_as_taken: bool, retests: Retest) -> list[StudyProfile]:
    early = {s.day for s in curve if s.day is not None and s.hours is not None and s.hours < DAY_H}
    intervals: dict[tuple[float | None, str | None], StudyProfile] = {}
    untimed: list[Sample] = []
    aside = set_aside({sample.record: sample.retest_of for sample in curve}, retests)
    measured_again = {sample.retest_of for sample in curve if sample.record in aside} - aside - {None}
    for sample in curve:
        if sample.record in aside:
            continue
        if sample.hours is None or not math.isfinite(sample.hours):
            untimed.append(sample)
            continue
        day = sample.day
        if late_as_taken and day is not None and sample.hours >= DAY_H and day - sample.hours // DAY_H in early:
            day -= sample.hours // DAY_H
        key = (day, None if day is not None else sample.reference or sample.label)
        if key not in intervals:
            intervals[key] = StudyProfile(whose, _named(day, sample), day)
        intervals[key].samples.append(sample)
    ordered = sorted(intervals.items(), key=lambda item: (item[0][0] is None, item[0][0] or 0.0, item[0][1] or ""))
    profiles = [profile for _, profile in ordered]
    for number, profile in enumerate(profiles):
        profile.first = number == 0
        _settle(profile)
        if any(sample.record in measured_again for sample in profile.samples):
            profile.notes.append("a value stands though it was measured again, as the study has it")
    if untimed and profiles:
        profiles[0].notes.append(f"{len(untimed)} samples without a time that can be trusted are left out")
    return profiles


def _named(day: float | None, sample: Sample) -> str:
    if day is not None:
        return f"day {day:g}"
    if sample.reference:
        return f"dose of {sample.reference}"
    return sample.label or "the only dose"


def _settle(profile: StudyProfile) -> None:
    """Order the samples, take equal ones as one, and say what stands in the way of an analysis."""
    profile.samples.sort(key=lambda sample: (sample.hours or 0.0, sample.record))
    wrong = next((sample for sample in profile.samples if not _within_reason(sample)), None)
    if wrong is not None:
        profile.doubtful = f"{wrong.conc:g} at {wrong.hours:g} h cannot be: correct or exclude it"
    profile.unit = next((sample.unit for sample in profile.samples if sample.unit is not None), None)
    units = {sample.unit for sample in profile.samples if sample.conc}
    if not all(_is_one(unit, profile.unit) for unit in units):
        profile.doubtful = f"values in different units ({', '.join(sorted(str(u) for u in units))})"
    kept: list[Sample] = []
    for sample in profile.samples:
        before = kept[-1] if kept else None
        if before is None or before.hours != sample.hours or sample.conc is None or before.conc is None:
            if before is not None and before.hours == sample.hours:
                # Of two samples at one time the one with a result counts.
                if before.conc is None:
                    kept[-1] = sample
                continue
            kept.append(sample)
        elif before.conc != sample.conc:
            profile.doubtful = profile.doubtful or (
                f"two values at {sample.hours:g} h ({before.conc:g} and {sample.conc:g}): exclude or retract one"
            )
        else:
            profile.notes.append(f"the sample of {sample.hours:g} h stands twice")
    if any(sample.retest_of is not None for sample in kept):
        profile.notes.append("a retest stands in for the value it measured again")
    profile.samples = kept


def _is_one(unit: str | None, other: str | None) -> bool:
    """Whether two units are one under two names, as ug/L and ng/mL are."""
    if unit == other:
        return True
    try:
        return math.isclose(conversion_factor(unit or "", other or ""), 1.0, rel_tol=1e-12)
    except InputError:
        return False


def _within_reason(sample: Sample) -> bool:
    """Tell whether a value can be a concentration in any unit, and its time one of a study."""
    if sample.conc is None or sample.hours is None:
        return True
    return abs(sample.hours) <= LONGEST_H and (sample.conc == 0 or SMALLEST <= sample.conc <= LARGEST)


_EVERY = re.compile(r"(?:Q|EVERY)\s*(\d+)?\s*(H|HR|HRS|HOURS?|D|DAYS?|W|WK|WKS|WEEKS?|M|MONTHS?)\b", re.I)
_NAMED = {"QD": 24, "OD": 24, "DAILY": 24, "ONCE DAILY": 24, "QAM": 24, "QPM": 24, "QHS": 24, "BID": 12, "TID": 8}
_NAMED |= {"QID": 6, "QOD": 48, "QW": 168, "WEEKLY": 168, "BIW": 84, "TIW": 56, "TWICE DAILY": 12}
_LENGTH_H = {"H": 1, "D": 24, "W": 168}


def interval_hours(frequency: str | None) -> float | None:
    """Return the dosing interval a frequency means, h; None for a single dose, or when it cannot be told."""
    if frequency is None:
        return None
    text = " ".join(frequency.upper().split())
    if text in _NAMED:
        return float(_NAMED[text])
    match = _EVERY.fullmatch(text)
    length = _LENGTH_H.get(match[2][0].upper()) if match else None
    return None if match is None or length is None else float(int(match[1] or 1) * length)


def dose_of(profile: StudyProfile, doses: Sequence[GivenDose]) -> GivenDose | None:
    """Return the dose a profile follows, among those of its subject; None where it cannot be told.

    By study day; without days, the only dose there is.
    """
    if profile.day is not None:
        fitting = [
            dose
            for dose in doses
            if dose.first_day is not None
            and dose.first_day <= profile.day <= (dose.first_day if dose.last_day is None else dose.last_day)
        ]
        if fitting:
            same = {(dose.amount, dose.unit, dose.route) for dose in fitting}
            return fitting[0] if len(same) == 1 else None
    moments = {sample.reference for sample in profile.samples if sample.reference}
    fitting = [dose for dose in doses if dose.started_on is not None and dose.started_on in moments]
    if len(fitting) == 1:
        return fitting[0]
    same = {(dose.amount, dose.unit, dose.route) for dose in doses}
    return doses[0] if len(same) == 1 else None


def tau_of(dose: GivenDose | None, doses: Sequence[GivenDose]) -> float | None:
    """Return the dosing interval, h: what the frequency means, else what lies between doses on every day alike."""
    if dose is None:
        return None
    if dose.every_h is not None:
        return dose.every_h
    days = sorted({each.first_day for each in doses if each.first_day is not None})
    gaps = {after - before for before, after in pairwise(days)}
    return DAY_H * gaps.pop() if len(gaps) == 1 else None
