"""Change what was logged: correct, leave out and take in again, verify, retract, reject. Each is an act with a reason.

A retraction says that the record should never have been there, a rejection that the measurement is not valid (the
sample may be tested again), an exclusion that a valid measurement is left out of calculations or summaries. All are
honoured by the one rule in `pipeline.store.counted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.alerts import Touched, watch
from pipeline.commands.exposure_limits import settings_of
from pipeline.commands.monitoring import moment_of, read_value, value_columns
from pipeline.commands.monitoring_ground import known_samples, sample_key
from pipeline.commands.texts import checked
from pipeline.dates import PartialDate
from pipeline.errors import InputError, PipelineError, StaleVersion, each, refuse
from pipeline.pharmacology.sample_times import sample_time
from pipeline.pseudonyms import identifier_in
from pipeline.store.counted import VALID
from pipeline.store.journal import Act
from pipeline.store.study_tables import monitoring_records
from pipeline.store.tables import acts
from pipeline.words import EventKind, ExclusionScope, MonitoringState


@dataclass(frozen=True, slots=True)
class CorrectMonitoring:
    """Mend what was entered wrongly; what is None stays. A corrected record has to be verified again."""

    record: int
    reason_for_change: str
    reported: str | None = None
    unit: str | None = None
    sampled_at: PartialDate | None = None
    hours_after_dose: float | None = None
    lower_limit: float | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class ExcludeMonitoring:
    """Leave a record out of CALCULATION (and the summaries made of it) or of SUMMARIES only."""

    record: int
    reason: str
    scope: str


@dataclass(frozen=True, slots=True)
class IncludeMonitoring:
    """Take a record in again that was left out."""

    record: int
    reason: str


@dataclass(frozen=True, slots=True)
class SetMonitoringState:
    """Verify, retract or reject a record; REGISTERED takes any of the three back."""

    record: int
    state: MonitoringState
    reason: str


_S = MonitoringState
MOVES: dict[MonitoringState, tuple[MonitoringState, ...]] = {
    _S.REGISTERED: (_S.VERIFIED, _S.RETRACTED, _S.REJECTED),
    _S.VERIFIED: (_S.REGISTERED, _S.RETRACTED, _S.REJECTED),
    _S.RETRACTED: (_S.REGISTERED,),
    _S.REJECTED: (_S.REGISTERED, _S.RETRACTED),
}
"""State -> what it can become."""
ENTERING = ("LogMonitoring", "CorrectMonitoring")


@handles(CorrectMonitoring, Permission.LOG_MONITORING)
def correct_monitoring(act: Act, command: CorrectMonitoring) -> Mapping[str, Any]:
    """Correct a record; all that is given is read together with what stays."""
    record = act.find(monitoring_records, command.record)
    errors: list[PipelineError] = []
    reason = _reason(command.reason_for_change, "reasonForChange", errors)
    if command.expected_version is not None and command.expected_version != record["version"]:
        errors.append(
            StaleVersion(
                f"the record is at version {record['version']}, not {command.expected_version}; read it again",
                current=record["version"],
                path=("input", "expectedVersion"),
            )
        )
    _refuse_invalid(record, "corrected", errors)
    changes = _changes(act, record, command, errors)
    if sample_key(record | changes) != sample_key(record):
        _refuse_second_result(act, record | changes, errors)
    if not errors and all(record[name] == value for name, value in changes.items()):
        errors.append(InputError("nothing would change; give what is wrong in the record", path=("input",)))
    refuse(errors)
    if record["state"] == MonitoringState.VERIFIED:
        changes |= {"state": MonitoringState.REGISTERED.value, "verified_by": None}
    act.revise(monitoring_records, record, changes)
    was, now = _said(record), _said(record | changes)
    _tell(act, record, f"Corrected: was {was}; {now}" if was != now else f"Corrected: the limit of {now}", reason)
    return _watched(act, record)


@handles(ExcludeMonitoring, Permission.LOG_MONITORING)
def exclude_monitoring(act: Act, command: ExcludeMonitoring) -> Mapping[str, Any]:
    """Leave a record out; it stays on record, with who left it out and why."""
    record = act.find(monitoring_records, command.record)
    errors: list[PipelineError] = []
    reason = _reason(command.reason, "reason", errors)
    scope = command.scope.strip().upper()
    if scope not in ExclusionScope.__members__:
        scopes = " or ".join(ExclusionScope)
        errors.append(InputError(f"a scope is {scopes}, not {command.scope[:40]!r}", path=("input", "scope")))
    elif record["exclusion_scope"] == scope:
        by = record["excluded_by"] or "the source"
        errors.append(InputError(f"the record was excluded from {scope} by {by} already", path=("input", "record")))
    _refuse_invalid(record, "excluded", errors)
    refuse(errors)
    excluded = {"exclusion_reason": reason, "exclusion_scope": scope}
    act.revise(monitoring_records, record, excluded | {"excluded_by": act.actor.name, "excluded_at": act.recorded_at})
    _tell(act, record, f"Excluded from {scope}: {_said(record)}", reason)
    return _watched(act, record)


@handles(IncludeMonitoring, Permission.LOG_MONITORING)
def include_monitoring(act: Act, command: IncludeMonitoring) -> Mapping[str, Any]:
    """Take a record in again."""
    record = act.find(monitoring_records, command.record)
    errors: list[PipelineError] = []
    reason = _reason(command.reason, "reason", errors)
    if record["exclusion_reason"] is None:
        errors.append(InputError("the record is not excluded from anything", path=("input", "record")))
    _refuse_invalid(record, "included", errors)
    refuse(errors)
    names = ("exclusion_reason", "exclusion_scope", "excluded_by", "excluded_at")
    act.revise(monitoring_records, record, dict.fromkeys(names))
    _tell(act, record, f"Included again: {_said(record)}", reason)
    return _watched(act, record)


@handles(SetMonitoringState, Permission.LOG_MONITORING)
def set_monitoring_state(act: Act, command: SetMonitoringState) -> Mapping[str, Any]:
    """Verify, retract or reject a record, or take that back."""
    record = act.find(monitoring_records, command.record)
    errors: list[PipelineError] = []
    reason = _reason(command.reason, "reason", errors)
    state, now = command.state, MonitoringState(record["state"])
    if state is now:
        errors.append(InputError(f"the record is {state} already", path=("input", "state")))
    elif state not in MOVES[now]:
        possible = " or ".join(MOVES[now])
        errors.append(InputError(f"a record that is {now} can become {possible}, not {state}", path=("input", "state")))
    if state is MonitoringState.VERIFIED:
        _refuse_own(act, record, errors)
    if state in VALID and now not in VALID:
        _refuse_second_result(act, record, errors)
    refuse(errors)
    verified_by = act.actor.name if state is MonitoringState.VERIFIED else None
    act.revise(monitoring_records, record, {"state": state.value, "verified_by": verified_by})
    _tell(act, record, f"{now} becomes {state}: {_said(record)}", reason)
    return _watched(act, record)


# ------------------------------------------------------------ inside


def _reason(text: str, field: str, errors: list[PipelineError]) -> str | None:
    reason = checked(text, field, errors, required=True, longest=2000)
    if reason is not None and (found := identifier_in(reason)) is not None:
        errors.append(InputError(f"the reason seems to hold {found}; leave it out", path=("input", field)))
    return reason


def _refuse_invalid(record: Mapping[str, Any], what: str, errors: list[PipelineError]) -> None:
    if record["state"] not in VALID:
        errors.append(
            InputError(
                f"a record that is {record['state']} cannot be {what}; set its state to REGISTERED first",
                path=("input", "record"),
            )
        )


def _refuse_own(act: Act, record: Mapping[str, Any], errors: list[PipelineError]) -> None:
    """Refuse to verify what one entered; where the study asks for two persons, also what one corrected."""
    mine = record["entered_by"] == act.actor.name
    if not mine and settings_of(act, record["study_id"], record["analyte"]).get("two_person"):
        table = monitoring_records
        entering = (
            select(acts.c.number)
            .join(table, table.c.since_act == acts.c.number)
            .where(table.c.id == record["id"], acts.c.actor == act.actor.name, acts.c.command.in_(ENTERING))
            .limit(1)
        )
        mine = act.connection.execute(entering).first() is not None
    if mine:
        errors.append(
            InputError(
                f"{act.actor.name} entered this record or corrected it; somebody else has to verify it",
                path=("input", "record"),
            )
        )


def _refuse_second_result(act: Act, record: Mapping[str, Any], errors: list[PipelineError]) -> None:
    """Refuse that a sample comes to have two results that stand, neither being a retest of the other."""
    key = sample_key(record)
    if key is None or record["retest_of"] is not None:
        return
    if key in known_samples(act, {record["subject_id"]}, {record["sorted_on"]}, besides=record["id"]):
        errors.append(
            InputError("the sample would have two results; retract the other one first", path=("input", "record"))
        )


def _changes(
    act: Act, record: Mapping[str, Any], command: CorrectMonitoring, errors: list[PipelineError]
) -> dict[str, Any]:
    """Return the columns a correction changes; note what is wrong with them."""
    changes: dict[str, Any] = {}
    for part in (_new_result, _new_times):
        try:
            changes |= part(act, record, command)
        except PipelineError as found:
            errors += [InputError(error.message, path=("input", *error.path)) for error in each(found)]
    if command == CorrectMonitoring(
        command.record, command.reason_for_change, expected_version=command.expected_version
    ):
        errors.append(InputError("nothing is given to correct; give what is wrong", path=("input",)))
    return changes


def _new_result(_act: Act, record: Mapping[str, Any], command: CorrectMonitoring) -> dict[str, Any]:
    """Return the result as it is read with what is corrected of it."""
    if (command.reported, command.unit, command.lower_limit) == (None, None, None):
        return {}
    reported = (record["reported"] or "") if command.reported is None else command.reported
    unit = (record["reported_unit"] or "") if command.unit is None else command.unit
    limit = record["lower_limit"] if command.lower_limit is None else command.lower_limit
    return value_columns(reported, unit, read_value(reported, unit, limit))


def _new_times(act: Act, record: Mapping[str, Any], command: CorrectMonitoring) -> dict[str, Any]:
    """Return the times of a sample. Hours that had been counted from the dose are counted anew."""
    if (command.sampled_at, command.hours_after_dose) == (None, None):
        return {}
    dose = record["reference_dose_at"]
    kept = None if record["sampled_at"] is None else PartialDate.parse(record["sampled_at"])
    sampled_at = kept if command.sampled_at is None else command.sampled_at
    counted = record["time_source"] not in (None, "ENTERED") and command.sampled_at is not None and dose is not None
    hours = record["hours_after_dose"] if command.hours_after_dose is None and not counted else command.hours_after_dose
    reference = None if dose is None else PartialDate.parse(dose)
    time = sample_time(sampled_at, hours, record["nominal_time"], reference, moment_of(act))
    source = time.source if command.hours_after_dose is not None or counted else record["time_source"]
    return {
        "sampled_at": None if sampled_at is None else sampled_at.text,
        "sorted_on": time.sorted_on,
        "hours_after_dose": time.hours,
        "time_source": source or time.source,
    }


def _said(record: Mapping[str, Any]) -> str:
    """Return what a record says, for people: the result and its time."""
    when = ""
    if record["hours_after_dose"] is not None:
        when = f" at {record['hours_after_dose']:g} h"
    elif record["sampled_at"] is not None:
        when = f" of {record['sampled_at']}"
    return f"{record['reported'] or 'no result'} {record['reported_unit'] or ''}".strip() + when


def _tell(act: Act, record: Mapping[str, Any], summary: str, reason: str | None) -> None:
    act.event(
        EventKind.MONITORING_CORRECTED,
        f"{record['analyte']} in {record['specimen']}. {summary}",
        molecule_id=record["molecule_id"],
        node="MonitoringRecord",
        node_id=record["id"],
        reason_for_change=reason,
    )


def _watched(act: Act, record: Mapping[str, Any]) -> Mapping[str, Any]:
    touched = Touched(
        kinds=frozenset({"MonitoringRecord"}),
        molecules=frozenset({record["molecule_id"]}),
        studies=frozenset({record["study_id"]}),
        subjects=frozenset() if record["subject_id"] is None else frozenset({record["subject_id"]}),
        revised={"MonitoringRecord": frozenset({record["id"]})},
    )
    return {"record": record["id"], "alerts": watch(act, touched)}
