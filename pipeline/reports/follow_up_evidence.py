"""What the records of people say to the rule of pending subjects: how long each was followed since the first dose.

Days are counted from the first dose, day 0, to the last day on which any record tells of the subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipeline.reports.escalation_evidence import (
    limiting_events,
    subjects_at_levels,
    the_largest,
    with_those_skipped,
)
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import Record

SIGHTINGS: Mapping[str, Sequence[tuple[str, str]]] = {
    "Administration": (("started_day", "started_on"), ("ended_day", "ended_on")),
    "AdverseEvent": (("started_day", "started_on"), ("ended_day", "ended_on")),
    "Disposition": (("day", "happened_on"),),
    "LaboratoryResult": (("day", "sampled_at"),),
    "Measurement": (("day", "measured_at"),),
    "TumourResponse": (("day", "assessed_on"),),
}
"""By kind of record, the columns that tell on which day the subject was seen: study day and date."""

_COLUMNS = {
    node: (
        *("id", "version", "subject_id", *(name for pair in days for name in pair)),
        *(("term", "term_reported", "category") if node == "Disposition" else ()),
    )
    for node, days in SIGHTINGS.items()
}

MILESTONES = frozenset(
    {"INFORMED CONSENT OBTAINED", "RANDOMIZED", "RANDOMISED", "ENROLLED", "ELIGIBILITY CRITERIA MET"}
)
"""Dispositions after which a subject is still in the study."""


@dataclass(slots=True)
class Followed:
    """One subject: its first dose, the last day it was seen, when it left and when its toxicity came.

    All in days since the subject's reference start; None where it is not told.
    """

    row: Record
    reference: date | None
    first_dose: int | None = None
    last: int | None = None
    left: int | None = None
    toxic: bool = False
    toxic_on: int | None = None
    told_by: dict[str, tuple[str, Record]] = field(default_factory=dict)
    """What tells of the first dose, and of the last day the subject was seen."""

    def day(self, study_day: float | None, on: str | None) -> int | None:
        """Return a day told by study day or by date. Study days have no day 0."""
        if study_day is not None:
            return round(study_day) - (study_day > 0)
        when = _date(on)
        return None if when is None or self.reference is None else (when - self.reference).days

    def see(self, day: int | None, node: str, record: Record) -> None:
        """Take that a record tells of the subject on a day."""
        if day is not None and (self.last is None or day > self.last):
            self.last, self.told_by["last seen"] = day, (node, record)

    @property
    def followed_days(self) -> int | None:
        """Days from the first dose to the toxicity, or to the last day the subject was seen."""
        end = self.toxic_on if self.toxic and self.toxic_on is not None else self.last
        return None if end is None or self.first_dose is None else max(0, end - self.first_dose)


def follow_up(gathering: Gathering) -> None:
    """Collect the subjects of the largest escalation in order of entry, each with its level and follow-up (B7)."""
    studies = gathering.clinical_studies()
    escalations = subjects_at_levels(gathering, studies)
    chosen = the_largest(gathering, {each: len(rows) for each, rows in escalations.items()})
    if chosen is None:
        gathering.missing.append("subjects at dose levels, one by one: counts do not tell how long each was followed")
        return
    people = {row["id"]: Followed(row, _date(row["reference_start"])) for row in escalations[chosen]}
    records = {node: _records(gathering, node, sorted(people)) for node in SIGHTINGS}
    _begin(people, records["Administration"])
    for node, rows in records.items():
        for row in rows:
            subject = people[row["subject_id"]]
            for study_day, on in SIGHTINGS[node]:
                subject.see(subject.day(row[study_day], row[on]), node, row)
    for subject in people.values():
        if subject.first_dose is None and subject.last is not None:
            subject.first_dose = 0  # only study days are told, and those count from it
    _end(people, records["Disposition"])
    for row in limiting_events(gathering, [chosen[0]]):
        if row["subject_id"] in people:
            _mark(people[row["subject_id"]], row)
    _tell(gathering, people)


def _begin(people: Mapping[int, Followed], administrations: Sequence[Record]) -> None:
    """Find each subject's first dose: the first administration, else the reference start from which days count."""
    given: dict[int, list[Record]] = defaultdict(list)
    for row in administrations:
        given[row["subject_id"]].append(row)
    for id, subject in people.items():
        if subject.reference is None:
            dates = [when for row in given[id] if (when := _date(row["started_on"])) is not None]
            subject.reference = min(dates, default=None)
        for row in given[id]:
            day = subject.day(row["started_day"], row["started_on"])
            if day is not None and (subject.first_dose is None or day < subject.first_dose):
                subject.first_dose, subject.told_by["first dose"] = day, ("Administration", row)
        if subject.first_dose is None and subject.reference is not None:
            subject.first_dose = 0


def _end(people: Mapping[int, Followed], dispositions: Sequence[Record]) -> None:
    """Find when subjects left: by death, or by a disposition that is no milestone."""
    for row in dispositions:
        subject = people[row["subject_id"]]
        term = (row["term"] or row["term_reported"] or "").strip().upper()
        milestone = "MILESTONE" in (row["category"] or "").upper() or term in MILESTONES
        day = subject.day(row["day"], row["happened_on"])
        if day is not None and not milestone:
            subject.left = day if subject.left is None else min(subject.left, day)
    for subject in people.values():
        death = subject.day(None, subject.row["died_on"])
        if death is not None:
            subject.see(death, "Subject", subject.row)
            subject.left = death if subject.left is None else min(subject.left, death)


def _mark(subject: Followed, event: Record) -> None:
    subject.toxic = True
    day = subject.day(event["started_day"], event["started_on"])
    if day is not None and (subject.toxic_on is None or day < subject.toxic_on):
        subject.toxic_on = day


def _tell(gathering: Gathering, people: Mapping[int, Followed]) -> None:
    numbers = with_those_skipped([subject.row["dose_level"] for subject in people.values()])
    entered = sorted(people.values(), key=_entry)
    undated = [subject for subject in entered if subject.followed_days is None]
    unseen = [subject for subject in undated if subject.first_dose is not None]
    gathering.inputs["levels"] = [f"level {number}" for number in numbers]
    gathering.inputs["subjects"] = [
        {
            "id": subject.row["id"],
            "level": numbers.index(subject.row["dose_level"]) + 1,
            "dlt": int(subject.toxic),
            "followed_days": subject.followed_days,
            "left": subject.left is not None,
        }
        for subject in entered
    ]
    for subject in entered:
        for what, (node, row) in subject.told_by.items():
            day = subject.first_dose if what == "first dose" else subject.last
            gathering.note(node, row, f"{what}, day since the reference start", day)
    if len(undated) > len(unseen):
        gathering.missing.append(f"the day of the first dose of {_count(len(undated) - len(unseen))}")
    untimed = sum(subject.toxic and subject.toxic_on is None for subject in entered)
    if untimed:
        gathering.missing.append(f"the day of the dose-limiting toxicity of {_count(untimed)}")
    if unseen:
        gathering.missing.append(f"any day on which {_count(len(unseen))} can be told to have been in the study")


def _entry(subject: Followed) -> tuple[date, int, int]:
    """Order subjects by the day of their first dose; those without a date come first."""
    start = subject.reference or date.min
    return start, subject.first_dose or 0, subject.row["id"]


def _records(gathering: Gathering, node: str, subject_ids: Sequence[int]) -> Sequence[Record]:
    """Return only what tells of days: there may be many records of a subject."""
    return gathering.records.rows(node, "subject_id", subject_ids, columns=_COLUMNS[node])


def _date(text: str | None) -> date | None:
    """Return the day of a date that is told to the day."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _count(n: int) -> str:
    return "1 subject" if n == 1 else f"{n} subjects"
