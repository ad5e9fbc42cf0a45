"""When a sample was taken, as a person says it: checked against the dose and the clock, never corrected in silence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pipeline.dates import PartialDate
from pipeline.errors import InputError, refuse

LONGEST_HOURS = 8784.0
"""Hours after a dose beyond which a time is taken for a mistake (366 days): minutes given as hours, as a rule."""
EARLIEST_YEAR = "1950"
_AGREE_HOURS = 0.25
_AGREE_SHARE = 0.05
_PRE_DOSE = re.compile(
    r"pre[\s_-]?dos|predose|before|avant|pr[ée][\s_-]?(?:dose|prise|injection|perf)|trough|r[ée]sid", re.I
)

ENTERED = "ENTERED"
FROM_DOSE = "SAMPLED_AT"


@dataclass(frozen=True, slots=True)
class SampleTime:
    """A time that can be trusted. `source`: ENTERED, or SAMPLED_AT where hours were counted from the dose."""

    sorted_on: str
    hours: float | None
    source: str | None


def sample_time(
    sampled_at: PartialDate | None,
    hours: float | None,
    nominal: str | None,
    reference: PartialDate | None,
    now: datetime,
) -> SampleTime:
    """Return when a sample was taken.

    Hours that are not given are counted where the moments of dose and sample are known to the minute.

    Args:
        sampled_at: when it was taken.
        hours: hours since the reference dose; negative only for a sample that `nominal` calls pre-dose.
        nominal: the planned time in words.
        reference: when the reference dose was given.
        now: the present moment, in UTC.

    Raises:
        InputError, Refused: a time in the future, before the dose, beyond reason, or at odds with another; all of them
            at once. `path` names which.
    """
    pre_dose = nominal is not None and _PRE_DOSE.search(nominal) is not None
    counted = _hours_between(reference, sampled_at)
    errors = [*_impossible(sampled_at, "sampledAt", now), *_impossible(reference, "referenceDoseAt", now)]
    if hours is not None:
        errors += _impossible_hours(hours, pre_dose)
    if not errors:
        errors = _at_odds(sampled_at, hours, reference, counted, pre_dose)
    refuse(errors)
    source = ENTERED if hours is not None else FROM_DOSE if counted is not None else None
    return SampleTime(sort_key(sampled_at), counted if hours is None else hours, source)


def _at_odds(
    sampled_at: PartialDate | None,
    hours: float | None,
    reference: PartialDate | None,
    counted: float | None,
    pre_dose: bool,
) -> list[InputError]:
    """Return what is wrong between times of which each alone is possible; `counted`: hours from dose to sample."""
    if sampled_at is not None and reference is not None:
        before = counted < 0 if counted is not None else sampled_at.latest < reference.earliest
        if before and not pre_dose:
            said = (
                f"sampled at {sampled_at.text}, before the dose of {reference.text}; correct one of them, "
                "or say in nominalTime that it is a pre-dose sample"
            )
            return [InputError(said, path=("sampledAt",))]
    if counted is None:
        return []
    if hours is None:
        return _impossible_hours(counted, pre_dose)
    if abs(counted - hours) <= max(_AGREE_HOURS, _AGREE_SHARE * abs(counted)):
        return []
    said = (
        f"{hours:g} h after the dose, but from {reference and reference.text} to "
        f"{sampled_at and sampled_at.text} it is {counted:.6g} h; correct one of them"
    )
    return [InputError(said, path=("hoursAfterDose",))]


def sort_key(when: PartialDate | None) -> str:
    """Return the earliest moment a time can mean, "" where none is given."""
    if when is None:
        return ""
    return when.text if "T" in when.text else when.earliest


def _impossible(when: PartialDate | None, name: str, now: datetime) -> list[InputError]:
    if when is None:
        return []
    moment = _moment(when)
    # A time without its zone may be that of any place: nobody's present lies more than 14 hours ahead of UTC.
    ahead = now + timedelta(hours=14) if moment is None or moment.tzinfo is None else now + timedelta(minutes=5)
    late = (
        date.fromisoformat(when.earliest) > ahead.date()
        if moment is None
        else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > ahead
    )
    if late:
        return [InputError(f"{when.text} lies in the future; correct it", path=(name,))]
    if when.text < EARLIEST_YEAR:
        return [InputError(f"{when.text} lies before {EARLIEST_YEAR}; correct the year", path=(name,))]
    return []


def _impossible_hours(hours: float, pre_dose: bool) -> list[InputError]:
    said = None
    if abs(hours) > LONGEST_HOURS:
        said = (
            f"{hours:g} h is {hours / 24:,.0f} days from the dose, beyond {LONGEST_HOURS:g} h; "
            f"if it was meant in minutes, it is {hours / 60:g} h"
        )
    elif hours < 0 and not pre_dose:
        said = f"{hours:g} h lies before the dose; correct it, or say in nominalTime that it is a pre-dose sample"
    return [] if said is None else [InputError(said, path=("hoursAfterDose",))]


def _moment(when: PartialDate) -> datetime | None:
    """Return a time known to the minute; None for a date."""
    return datetime.fromisoformat(when.text) if "T" in when.text else None


def _hours_between(reference: PartialDate | None, sampled_at: PartialDate | None) -> float | None:
    """Return the hours from dose to sample, where both are known to the minute and in the same zone or both in one."""
    if reference is None or sampled_at is None:
        return None
    first, second = _moment(reference), _moment(sampled_at)
    if first is None or second is None or (first.tzinfo is None) != (second.tzinfo is None):
        return None
    return (second - first).total_seconds() / 3600
