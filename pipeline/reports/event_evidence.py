"""How many treated subjects had one adverse event, by subject or as counted by arm: a signal against a known rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Column, func, literal, or_

from pipeline.exchange.sdtm_study import is_inert
from pipeline.reports.activity_evidence import controls_among
from pipeline.reports.gathering import Gathering
from pipeline.store import study_tables, tables
from pipeline.store.columns import Flag
from pipeline.store.nodes import among


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


def _named(gathering: Gathering, *columns: Column[Any]) -> Any:
    wanted = str(gathering.rule.parameters["event"]).strip()
    return or_(*(func.lower(column) == func.lower(wanted) for column in columns))


def _by_subject(gathering: Gathering, studies: Sequence[int]) -> tuple[int, int, Collection[int]]:
    of, events = study_tables.subjects, study_tables.adverse_events
    screened = of.c.screen_failure.is_distinct_from(literal(True, Flag))
    enrolled = gathering.rows("Subject", among(of.c.study_id, studies), screened)
    told = {row["study_id"] for row in enrolled}
    control = controls_among(gathering, [row["id"] for row in enrolled])
    treated = [row for row in enrolled if row["id"] not in control]
    for row in treated:
        gathering.note("Subject", row, "treated", row["code"])
    ids = {row["id"] for row in treated}
    named = _named(gathering, events.c.term, events.c.coded_term)
    found = gathering.rows("AdverseEvent", among(events.c.study_id, sorted(told)), named)
    for row in found:
        if row["subject_id"] in ids:
            gathering.note("AdverseEvent", row, "event", row["term"])
    return len(ids), len(ids & {row["subject_id"] for row in found}), told


def _by_arm(gathering: Gathering, studies: Sequence[int]) -> tuple[int, int]:
    table = tables.event_counts
    counted = table.c.affected.is_not(None), table.c.at_risk > 0
    found = gathering.rows("EventCount", among(table.c.study_id, studies), _named(gathering, table.c.term), *counted)
    arms: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
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
