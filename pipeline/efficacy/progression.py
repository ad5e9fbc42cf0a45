"""Progression-free survival of one patient: when it ends, and whether by an event or by censoring (C11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from pipeline.efficacy.recist import Response
from pipeline.errors import InputError
from pipeline.outcome import Outcome, method


class Ending(StrEnum):
    """Why observation for progression ended."""

    PROGRESSION = "progression"
    DEATH = "death"
    NEW_THERAPY = "new_therapy"
    MISSED_ASSESSMENTS = "missed_assessments"
    NO_EVENT = "no_event"
    NO_POST_BASELINE = "no_post_baseline"


@dataclass(frozen=True, slots=True)
class Assessment:
    """One tumour assessment: day from the start of observation, and its overall response."""

    day: int
    response: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressionTime(Outcome):
    """Time to progression or death (event 1) or to censoring (event 0), and why."""

    time_days: int
    event: int
    ending: Ending

    reference_names: ClassVar[Mapping[str, str]] = {"ending": "reason"}


@method(
    "C11_pfs_censoring",
    version=1,
    title="Progression-free survival: event and censoring rule",
    source="FDA. Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics, December 2018",
)
def progression_time(
    assessments: Sequence[Assessment],
    death_day: int | None,
    new_therapy_day: int | None,
    cutoff_day: int,
    assessment_interval_days: int,
    window_days: int = 0,
    missed_assessments: int = 2,
) -> ProgressionTime:
    """Return when progression-free survival ends.

    The event is the earlier of the first PD and death, if not after the cutoff. In this order: (1) another
    anticancer therapy strictly before the event, or without one, censors at the last adequate assessment on or before
    it; (2) an event more than `missed_assessments` intervals and the window after the last adequate assessment
    before it censors at that assessment; (3) else the event counts on its day; (4) without an event the time is
    censored at the last adequate assessment on or before the cutoff. NE is not adequate; baseline is day 0. What lies
    after the cutoff, a new therapy too, is not known yet and changes nothing.

    Args:
        assessments: tumour assessments after baseline, days rising.
        death_day: day of death, None if alive.
        new_therapy_day: day another anticancer therapy began, None if none did.
        cutoff_day: day up to which the data are known.
        assessment_interval_days: scheduled days between assessments.
        window_days: days an assessment may be late.
        missed_assessments: how many scheduled assessments may be missing before an event.

    Raises:
        InputError: a day is negative, the days do not rise, or the schedule is impossible.
    """
    days = [assessment.day for assessment in assessments]
    for before, after in pairwise(days):
        if after <= before:
            raise InputError(f"the days of the assessments must rise; {after} follows {before}", path=("assessments",))
    named = {"death_day": death_day, "new_therapy_day": new_therapy_day, "cutoff_day": cutoff_day}
    named |= {"assessments": days[0] if days else None, "window_days": window_days}
    for name, day in named.items():
        if day is not None and day < 0:
            raise InputError(
                f"days count from the start of observation and cannot be negative, got {day}", path=(name,)
            )
    if assessment_interval_days < 1 or missed_assessments < 0:
        raise InputError(
            "the scheduled interval must be at least 1 day, and missed assessments 0 or more",
            path=("assessment_interval_days",),
        )
    known = [assessment for assessment in assessments if assessment.day <= cutoff_day]
    progression = next((assessment.day for assessment in known if assessment.response is Response.PD), None)
    death = death_day if death_day is not None and death_day <= cutoff_day else None
    ends = [day for day in (progression, death) if day is not None]
    event = min(ends) if ends else None
    adequate = [
        assessment.day
        for assessment in known
        if assessment.response is not Response.NE and (progression is None or assessment.day < progression)
    ]

    def last(until: int) -> int:
        return max((day for day in adequate if day <= until), default=0)

    if new_therapy_day is not None and new_therapy_day <= cutoff_day and (event is None or new_therapy_day < event):
        return ProgressionTime(time_days=last(new_therapy_day), event=0, ending=Ending.NEW_THERAPY)
    if event is None:
        ending = Ending.NO_EVENT if adequate else Ending.NO_POST_BASELINE
        return ProgressionTime(time_days=last(cutoff_day), event=0, ending=ending)
    if event - last(event) > missed_assessments * assessment_interval_days + window_days:
        return ProgressionTime(time_days=last(event), event=0, ending=Ending.MISSED_ASSESSMENTS)
    return ProgressionTime(
        time_days=event, event=1, ending=Ending.PROGRESSION if event == progression else Ending.DEATH
    )
