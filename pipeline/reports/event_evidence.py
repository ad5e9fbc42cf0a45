"""How many treated subjects had one adverse event, by subject or as counted by arm: a signal against a known rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, func, literal, or_

from pipeline.exchange.sdtm_study import is_inert
from pipeline.reports.activity_evidence import controls_among
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import Condition, Record
from pipeline.store.columns import Flag
from pipeline.store.study_tables import adverse_events, subjects
from pipeline.store.tables import event_counts

_ENROLLED = subjects.c.screen_failure.is_distinct_from(literal(True, Flag))
_COUNTED = (event_counts.c.affected.is_not(None), event_counts.c.at_risk > 0)


def affected(gathering: Gathering) -> None:
    """Collect the subjects treated and those with the event the rule names (`event`), of the stage's studies.

    A study with subjects on record is counted by these, any other by what it published for each arm. A subject is
    affected once, however often the event came.
    """
    studies = gathering.clinical_studies()
    treated, with_event, told = _by_subject(gathering, studies)
    more_treated, more_with = _by_arm(gathering, sorted(set(studies).difference(told)))
    if treated + more_treated:
        gathering.inputs["treated"] = treated + more_treated
        gathering.inputs["with_dlt"] = with_event + more_with
    else:
        gathering.missing.append("treated subjects, and who of them had the event")


@lru_cache(maxsize=256)
def _named(event: str, *columns: Column[Any]) -> Condition:
    return or_(*(func.lower(column) == func.lower(event.strip()) for column in columns))


def _event(gathering: Gathering) -> str:
    return str(gathering.rule.parameters["event"])


def _by_subject(gathering: Gathering, studies: Sequence[int]) -> tuple[int, int, Collection[int]]:
    enrolled = gathering.rows("Subject", "study_id", studies, _ENROLLED)
    told = {row["study_id"] for row in enrolled}
    control = controls_among(gathering, [row["id"] for row in enrolled])
    treated = [row for row in enrolled if row["id"] not in control]
    for row in treated:
        gathering.note("Subject", row, "treated", row["code"])
    ids = {row["id"] for row in treated}
    named = _named(_event(gathering), adverse_events.c.term, adverse_events.c.coded_term)
    found = gathering.rows("AdverseEvent", "study_id", sorted(told), named)
    for row in found:
        if row["subject_id"] in ids:
            gathering.note("AdverseEvent", row, "event", row["term"])
    return len(ids), len(ids & {row["subject_id"] for row in found}), told


def _by_arm(gathering: Gathering, studies: Sequence[int]) -> tuple[int, int]:
    named = _named(_event(gathering), event_counts.c.term)
    found = gathering.rows("EventCount", "study_id", studies, named, *_COUNTED)
    arms: dict[tuple[int, str], list[Record]] = defaultdict(list)
    for row in found:
        if is_inert(row["arm"]):
            continue
        gathering.note("EventCount", row, f"{row['term']}, {row['arm']}", f"{row['affected']} of {row['at_risk']}")
        arms[row["study_id"], row["arm"]].append(row)
    silent = sorted(set(studies) - {study for study, _ in arms})
    if silent:
        gathering.missing.append(f"whether the event was seen in {len(silent)} studies without subjects on record")
    # An arm may count serious and other cases apart, and a subject may be among both: at least the larger number.
    return (
        sum(max(row["at_risk"] for row in rows) for rows in arms.values()),
        sum(max(row["affected"] for row in rows) for rows in arms.values()),
    )
