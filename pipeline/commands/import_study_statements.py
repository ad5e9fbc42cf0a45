"""What sources say of a study, each beside the others, and what is made of all they say: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from pipeline.dates import PartialDate
from pipeline.exchange.facts import StudyFact
from pipeline.exchange.registry_status import STOPPED
from pipeline.words import EventKind, StudyStatus

# Whose word counts where two sources speak of one study: registers before publications before lists of stops.
PRECEDENCE = ("ctgov", "trial-table", "phase1-dlt", "trial-stops")

STUDY_KINDS = (
    EventKind.STUDY_STARTED,
    EventKind.STUDY_STOPPED,
    EventKind.STUDY_RESTARTED,
    EventKind.STUDY_COMPLETED,
    EventKind.IMPORTED,
)

_MERGED = ("registry_id", "title", "phases", "status", "started_on", "ended_on", "sponsor", "enrolment")


class Statement(NamedTuple):
    """What one source says of a study as a whole, under the code the source gives it."""

    source: str
    code: str
    said: Mapping[str, Any]


def statement_of(fact: StudyFact) -> dict[str, Any]:
    """Return a source's statements about the study as a whole, as JSON values."""
    said = {
        "registry_id": fact.registry_id,
        "registry_id_reported": fact.registry_id_reported,
        "title": fact.title,
        "phases": list(fact.phases),
        "status": fact.status,
        "why_stopped": fact.why_stopped,
        "reason": fact.reason,
        "started_on": fact.started_on.text if fact.started_on else None,
        "ended_on": fact.ended_on.text if fact.ended_on else None,
        "sponsor": fact.sponsor,
        "enrolment": fact.enrolment,
        "design": fact.design,
        "population": fact.population,
        "conditions": list(fact.conditions),
        "dlt_window": fact.dlt_window,
        "comment": fact.comment,
        "details": fact.details,
    }
    return {name: value for name, value in said.items() if value not in (None, [], {})}


def merge(statements: Sequence[Statement], code: str) -> dict[str, Any]:
    """Return a study's columns from what its sources say: for each, the word of the first source that says it.

    Why it stopped belongs to the status: it is taken from a source that says the status which counts, so that a
    register's "recruiting" never stands beside another's reason for a stop long since past.
    """
    ranked = [statement.said for statement in sorted(statements, key=_rank)]
    found = {name: next((said[name] for said in ranked if name in said), None) for name in _MERGED}
    agreeing = [said for said in ranked if said.get("status") == found["status"]]
    started = found["started_on"]
    details = [said["details"] for said in ranked if "details" in said]
    species = next((said["species"] for said in details if said.get("species")), None)
    return {
        "species": None if species == "human" else species,
        "glp": True if any(said.get("glp") for said in details) else None,
        "title": found["title"] or code,
        "phases": orjson.dumps(found["phases"] or []).decode(),
        "registry_id": found["registry_id"],
        "status": found["status"] or StudyStatus.UNKNOWN.value,
        "why_stopped": next((said["why_stopped"] for said in agreeing if "why_stopped" in said), None),
        "reason": next((said["reason"] for said in agreeing if "reason" in said), None),
        "started_on": started,
        "started_from": PartialDate.parse(started).earliest if started else None,
        "ended_on": found["ended_on"],
        "sponsor": found["sponsor"],
        "enrolment": found["enrolment"],
    }


def _rank(statement: Statement) -> tuple[int, str]:
    known = statement.source in PRECEDENCE
    return (PRECEDENCE.index(statement.source) if known else len(PRECEDENCE), statement.code)


def study_events(
    study: Mapping[str, Any], stops: Sequence[Mapping[str, Any]]
) -> list[tuple[EventKind, str, PartialDate | None, str | None]]:
    """Return what happened to a study, from its columns and its stops: (kind, summary, when, why)."""
    name = study["code"]
    found: list[tuple[EventKind, str, PartialDate | None, str | None]] = []
    if study["started_on"] and study["status"] != StudyStatus.PLANNED:
        found.append((EventKind.STUDY_STARTED, f"{name} started", PartialDate.parse(study["started_on"]), None))
    stands = False
    for stop in sorted(stops, key=lambda stop: (stop["stopped_on"] or "", stop["id"])):
        day = PartialDate.parse(stop["stopped_on"]) if stop["stopped_on"] else None
        found.append((EventKind.STUDY_STOPPED, f"{name} {stop['status'].lower()}", day, stop["why_stopped"]))
        stands = not (stop["restarted_on"] or stop["restart_status"])
        if not stands:
            again = PartialDate.parse(stop["restarted_on"]) if stop["restarted_on"] else None
            became = f" as {stop['restart_status'].lower()}" if stop["restart_status"] else ""
            found.append((EventKind.STUDY_RESTARTED, f"{name} went on{became}", again, None))
    ended = PartialDate.parse(study["ended_on"]) if study["ended_on"] else None
    if study["status"] == StudyStatus.COMPLETED:
        found.append((EventKind.STUDY_COMPLETED, f"{name} completed", ended, None))
    elif study["status"] in STOPPED and not stands:
        found.append((EventKind.STUDY_STOPPED, f"{name} {study['status'].lower()}", ended, study["why_stopped"]))
    return found or [(EventKind.IMPORTED, f"{name} put on record", None, None)]
