"""What the records of people say to the rules of survival: who progressed or died when, and in which arm.

Times are days from the subject's reference start. Study days have no day 0, so day 1 is time 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipeline.efficacy.progression import Assessment, progression_time
from pipeline.efficacy.recist import Response
from pipeline.reports.activity_evidence import TOLD, controls_among
from pipeline.reports.exposure_summaries import RESPONSES
from pipeline.reports.gathering import Gathering
from pipeline.store.study_tables import dispositions

ASSESSMENT_INTERVAL_DAYS = 56
"""Days between tumour assessments where the rule does not say; two missed ones censor (FDA 2018)."""
BEST = frozenset({"BESTRESP", "BOR"})
_OF_A_SUBJECT = dispositions.c.subject_id.is_not(None)
_KNOWN = {response.value: response for response in Response}


@dataclass(slots=True)
class Course:
    """One subject's way: tumour assessments by day, the day of death, and the last day it was known about."""

    id: int
    arm: str | None
    control: bool
    assessments: dict[int, Response] = field(default_factory=dict)
    death: int | None = None
    last: int = 0


def courses(gathering: Gathering) -> list[Course]:
    """Return the courses of the subjects of clinical studies in which tumours were assessed, screening failures apart.

    Of several assessments on one day the worse counts.
    """
    studies = gathering.clinical_studies()
    rows = gathering.rows("TumourResponse", "study_id", studies, *TOLD)
    rows = [row for row in rows if row["test"] not in BEST and row["response"] in _KNOWN]
    if not rows:
        gathering.missing.append("tumour assessments of subjects over time")
        return []
    of_studies = sorted({row["study_id"] for row in rows})
    people = gathering.rows("Subject", "study_id", of_studies)
    people = [row for row in people if not row["screen_failure"]]
    controls = controls_among(gathering, [row["id"] for row in people])
    found = {row["id"]: Course(row["id"], row["arm"] or row["group_code"], row["id"] in controls) for row in people}
    starts = {row["id"]: row["reference_start"] for row in people}
    undated = 0
    for row in rows:
        course = found.get(row["subject_id"])
        when = _time(row["day"], row["assessed_on"], starts.get(row["subject_id"]))
        if course is None or when is None:
            undated += 1
            continue
        gathering.note("TumourResponse", row, f"response on day {when}", row["response"])
        worse = Response.PD in (_KNOWN[row["response"]], course.assessments.get(when))
        course.assessments[when] = Response.PD if worse else _KNOWN[row["response"]]
        course.last = max(course.last, when)
    for row in people:
        gathering.note("Subject", row, "arm", found[row["id"]].arm)
        _die(found[row["id"]], _time(None, row["died_on"], row["reference_start"]))
    _endings(gathering, found, starts, of_studies)
    if undated:
        gathering.missing.append(f"the day of {undated} tumour assessments")
    return list(found.values())


def _endings(
    gathering: Gathering, found: Mapping[int, Course], starts: Mapping[int, str | None], studies: Sequence[int]
) -> None:
    """Take the deaths among the dispositions, and the last day a disposition tells of somebody."""
    for row in gathering.rows("Disposition", "study_id", studies, _OF_A_SUBJECT):
        course = found.get(row["subject_id"])
        when = _time(row["day"], row["happened_on"], starts.get(row["subject_id"]))
        if course is None or when is None:
            continue
        course.last = max(course.last, when)
        if (row["term"] or row["term_reported"]).strip().upper() in ("DEATH", "DIED", "DEAD"):
            gathering.note("Disposition", row, f"death on day {when}", row["term_reported"])
            _die(course, when)


def _die(course: Course, day: int | None) -> None:
    if day is not None:
        course.death = day if course.death is None else min(course.death, day)
        course.last = max(course.last, day)


def _time(day: float | None, on: str | None, start: str | None) -> int | None:
    """Return days since the reference start, not below 0; None where neither day nor dates tell."""
    if day is not None:
        return max(0, round(day) - (day > 0))
    try:
        return max(0, (date.fromisoformat((on or "")[:10]) - date.fromisoformat((start or "")[:10])).days)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Times:
    """Times to the event or to the end of observation, days, with 1 for an event, and the arm."""

    time: list[int]
    event: list[int]
    control: list[bool]


def times_of(gathering: Gathering) -> Times:
    """Return progression-free survival, or overall survival where the rule's parameter `endpoint` is OS."""
    overall = gathering.rule.parameters.get("endpoint") == "OS"
    found: list[tuple[int, int, bool]] = []
    for course in courses(gathering):
        if overall:
            found.append(
                (course.last if course.death is None else course.death, int(course.death is not None), course.control)
            )
        else:
            found.append((*_progression(gathering, course), course.control))
    return Times(*(list(column) for column in zip(*found, strict=True))) if found else Times([], [], [])


def _progression(gathering: Gathering, course: Course, since: int = 0) -> tuple[int, int]:
    interval: Any = gathering.rule.parameters.get("assessment_interval_days", ASSESSMENT_INTERVAL_DAYS)
    result = progression_time(
        [Assessment(day - since, response) for day, response in sorted(course.assessments.items()) if day >= since],
        None if course.death is None else max(0, course.death - since),
        None,
        max(0, course.last - since),
        int(interval),
    )
    return result.time_days, result.event


def progression_free(gathering: Gathering) -> None:
    """Collect progression-free survival of treated subjects (C11)."""
    times = times_of(gathering)
    treated = [
        (time, event)
        for time, event, control in zip(times.time, times.event, times.control, strict=True)
        if not control
    ]
    gathering.inputs["time"] = [time for time, _ in treated]
    gathering.inputs["event"] = [event for _, event in treated]


def durations(gathering: Gathering) -> None:
    """Collect the duration of response of the treated subjects who responded, from the first response (C8)."""
    found: list[tuple[int, int]] = []
    for course in courses(gathering):
        began = [day for day, response in course.assessments.items() if response.value in RESPONSES]
        progressed = [day for day, response in course.assessments.items() if response is Response.PD]
        if began and not course.control and min(began) < min(progressed, default=min(began) + 1):
            found.append(_progression(gathering, course, min(began)))
    if not found and not gathering.missing:
        gathering.missing.append("subjects whose tumours responded")
    gathering.inputs["time"], gathering.inputs["event"] = [time for time, _ in found], [event for _, event in found]


def two_arms(gathering: Gathering) -> None:
    """Collect survival in the treated and the control arm (C9)."""
    times = times_of(gathering)
    by_arm: dict[bool, int] = defaultdict(int)
    for control in times.control:
        by_arm[control] += 1
    if times.time and not by_arm[True]:
        gathering.missing.append("a control arm (mark its group as control)")
    elif times.time and not by_arm[False]:
        gathering.missing.append("a treated arm beside the control")
    elif times.time:
        gathering.inputs["time"], gathering.inputs["event"] = times.time, times.event
        gathering.inputs["group"] = ["control" if control else "treated" for control in times.control]


def interim(gathering: Gathering) -> None:
    """Collect what conditional power is computed from: both arms, and what the trial was designed for (C7)."""
    two_arms(gathering)
    for name in ("events_planned", "hazard_ratio_design"):
        value = gathering.rule.parameters.get(name)
        gathering.inputs[name] = value
        if value is None:
            gathering.missing.append(f"{name.replace('_', ' ')} (a parameter of the rule)")
