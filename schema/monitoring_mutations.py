"""Writing what is monitored: concentrations, what becomes of them, what they are judged by, and answers to alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphene

from pipeline.commands.alerts import AcknowledgeAlert
from pipeline.commands.monitoring import Entry, LogMonitoring
from pipeline.commands.monitoring_changes import (
    CorrectMonitoring,
    ExcludeMonitoring,
    IncludeMonitoring,
    SetMonitoringState,
)
from pipeline.commands.monitoring_settings import SetExposureLimit, SetMonitoringSettings, SetToxicityBasis
from pipeline.errors import InputError, PipelineError, RowError, refuse
from schema.alerts import Alert
from schema.monitoring import MonitoringRecord, MonitoringState
from schema.monitoring_settings import ExposureLimit, MonitoringSettings, ToxicityBasis
from schema.node import id_of
from schema.reading import given
from schema.scalars import JSON, PartialDateTime
from schema.writing import KEY, Written, mutation, payload


class MonitoringInput(graphene.InputObjectType):
    """One measured concentration, as the laboratory reports it."""

    molecule = graphene.ID(required=True, description="The molecule it tells of; the study has to give it.")
    study = graphene.ID(required=True, description="The study.")
    subject = graphene.String(
        description="The subject's pseudonym in the study; one that is new is put on record. Never a name or a number "
        "that leads to a person."
    )
    analyte = graphene.String(required=True, description="What was measured, a metabolite perhaps.")
    specimen = graphene.String(required=True, description="In what: PLASMA, SERUM, URINE.")
    profile = graphene.String(description="The dosing interval or visit it belongs to.")
    day = graphene.Float(description="Study day.")
    reference_dose_at = PartialDateTime(
        description="When the dose was given from which hours are counted; with sampledAt, both to the minute, the "
        "hours need not be given."
    )
    sampled_at = PartialDateTime(description="When it was sampled, as precisely as is known.")
    hours_after_dose = graphene.Float(
        description="Hours since the reference dose; below 0 only where nominalTime says that it is pre-dose."
    )
    nominal_time = graphene.String(description="The planned time in words, for example Pre-dose.")
    reported = graphene.String(
        required=True, description="The result exactly as reported: a number, or below the limit in whatever way."
    )
    unit = graphene.String(required=True, description="The unit as reported, for example ng/mL.")
    lower_limit = graphene.Float(description="Lower limit of quantification, in the same unit.")
    retest_of = graphene.ID(description="The record whose sample was measured again; both stay on record.")


class LogMonitoringInput(graphene.InputObjectType):
    """Concentrations to put on record in one act, all or none."""

    records = graphene.List(
        graphene.NonNull(MonitoringInput), required=True, description="1 to 10,000 records; counted from 1 in errors."
    )
    idempotency_key = KEY


class CorrectMonitoringInput(graphene.InputObjectType):
    """What was wrong in a record; what is left out stays."""

    record = graphene.ID(required=True, description="The record.")
    reported = graphene.String(description="The result exactly as reported.")
    unit = graphene.String(description="The unit as reported.")
    sampled_at = PartialDateTime(description="When it was sampled.")
    hours_after_dose = graphene.Float(description="Hours since the reference dose.")
    lower_limit = graphene.Float(description="Lower limit of quantification, in the same unit.")
    reason_for_change = graphene.String(required=True, description="Why.")
    expected_version = graphene.Int(description="The record's version you saw; refused when it has changed since.")
    idempotency_key = KEY


class ExcludeMonitoringInput(graphene.InputObjectType):
    """A valid record to leave out."""

    record = graphene.ID(required=True, description="The record.")
    reason = graphene.String(required=True, description="Why.")
    scope = graphene.String(
        required=True, description="CALCULATION: of all that is computed. SUMMARIES: of these only."
    )
    idempotency_key = KEY


class IncludeMonitoringInput(graphene.InputObjectType):
    """An excluded record to take in again."""

    record = graphene.ID(required=True, description="The record.")
    reason = graphene.String(required=True, description="Why.")
    idempotency_key = KEY


class SetMonitoringStateInput(graphene.InputObjectType):
    """Where a record shall stand."""

    record = graphene.ID(required=True, description="The record.")
    state = MonitoringState(
        required=True,
        description="VERIFIED by somebody else than who entered it, RETRACTED, REJECTED, or REGISTERED: take back.",
    )
    reason = graphene.String(required=True, description="Why.")
    idempotency_key = KEY


class SetMonitoringSettingsInput(graphene.InputObjectType):
    """What the monitoring of a study goes by."""

    study = graphene.ID(required=True, description="The study.")
    analyte = graphene.String(description="Only for this analyte; for all where left out.")
    settings = JSON(
        required=True,
        description="An object of two_person, below_limit, zero_at_first_dose, tau_h, half_life_h, tmax_h, nca, dlt "
        "(target, cutoff, prior_size) and retest (LATEST or FIRST: which value of a sample counts that was measured "
        "again). What is left out stays, null goes back to the default.",
    )
    idempotency_key = KEY


class SetExposureLimitInput(graphene.InputObjectType):
    """A cap or target of a molecule's exposure; without either bound it is taken back."""

    molecule = graphene.ID(required=True, description="The molecule.")
    study = graphene.ID(description="Only in this study.")
    analyte = graphene.String(description="Only of this analyte.")
    specimen = graphene.String(description="Only in this specimen.")
    indication = graphene.String(description="The indication the figure was found in.")
    parameter = graphene.String(
        required=True, description="CONC or CMAX, CTROUGH or CMIN, AUCTAU, AUCIFO, AUCIFP, AUCLST, AUCALL or CAVG."
    )
    lower = graphene.Float(description="The target: an exposure below it raises an alert.")
    upper = graphene.Float(description="The cap: an exposure above it raises an alert.")
    unit = graphene.String(required=True, description="The unit of both.")
    source = graphene.String(required=True, description="Where the figure comes from.")
    idempotency_key = KEY


class SetToxicityBasisInput(graphene.InputObjectType):
    """The NOAEL, STD10 or HNSTD of a nonclinical study, and the exposure that stands for it."""

    molecule = graphene.ID(required=True, description="The molecule.")
    study = graphene.ID(required=True, description="The nonclinical study.")
    basis = graphene.String(required=True, description="NOAEL, STD10 or HNSTD.")
    parameter = graphene.String(required=True, description="The parameter compared, for example AUCTAU.")
    relation = graphene.String(
        default_value="=", description="How the basis lies to the dose: =, >, >=, <, <= (> above the highest dose)."
    )
    dose_reported = graphene.String(description="The dose in the source's words.")
    dose = graphene.Float(description="The dose.")
    dose_unit = graphene.String(description="Its unit, for example mg/kg.")
    groups = graphene.List(graphene.NonNull(graphene.String), description="Codes of the groups that had it.")
    sex = graphene.String(description="Only of this sex.")
    analyte = graphene.String(description="Only of this analyte.")
    specimen = graphene.String(description="Only in this specimen.")
    profile = graphene.String(description="The dosing interval, for example day 29; the last where left out.")
    threshold = graphene.Float(description="The margin below which an alert is raised.")
    comment = graphene.String(description="What to mind.")
    idempotency_key = KEY


class AcknowledgeAlertInput(graphene.InputObjectType):
    """An answer to an alert."""

    alert = graphene.ID(required=True, description="The alert.")
    comment = graphene.String(required=True, description="What it means and what is done.")
    expected_version = graphene.Int(description="The alert's version you read; refused when it was told again since.")
    idempotency_key = KEY


# ------------------------------------------------------------ from input to command


def _entries(input: Any) -> LogMonitoring:
    errors: list[PipelineError] = []
    entries = tuple(_entry(number, record, errors) for number, record in enumerate(input.records, start=1))
    refuse(errors)
    return LogMonitoring(entries)


def _entry(number: int, record: Mapping[str, Any], errors: list[PipelineError]) -> Entry:
    def id(field: str, node: str, name: str) -> int:
        text = record[field]
        try:
            return id_of(text, node)
        except InputError as error:
            path = ("input", "records", str(number - 1), name)
            message = f"row {number}: {error.message}"
            errors.append(RowError(message, row=number, column=name, value=text, path=path))
            return 0

    return Entry(
        molecule=id("molecule", "Molecule", "molecule"),
        study=id("study", "Study", "study"),
        analyte=record["analyte"],
        specimen=record["specimen"],
        reported=record["reported"],
        unit=record["unit"],
        subject=record.get("subject"),
        sampled_at=record.get("sampled_at"),
        hours_after_dose=record.get("hours_after_dose"),
        nominal_time=record.get("nominal_time"),
        lower_limit=record.get("lower_limit"),
        retest_of=None if record.get("retest_of") is None else id("retest_of", "MonitoringRecord", "retestOf"),
        profile=record.get("profile"),
        day=record.get("day"),
        reference_dose_at=record.get("reference_dose_at"),
    )


def _record(input: Any) -> int:
    return id_of(input.record, "MonitoringRecord", path=("input", "record"))


def _correction(input: Any) -> CorrectMonitoring:
    return CorrectMonitoring(
        record=_record(input),
        reason_for_change=input.reason_for_change,
        reported=input.get("reported"),
        unit=input.get("unit"),
        sampled_at=input.get("sampled_at"),
        hours_after_dose=input.get("hours_after_dose"),
        lower_limit=input.get("lower_limit"),
        expected_version=input.get("expected_version"),
    )


def _settings(input: Any) -> SetMonitoringSettings:
    if not isinstance(input.settings, dict):
        raise InputError("settings is an object, for example {two_person: true}", path=("input", "settings"))
    study = id_of(input.study, "Study", path=("input", "study"))
    return SetMonitoringSettings(study, input.settings, input.get("analyte") or "")


def _limit(input: Any) -> SetExposureLimit:
    study = input.get("study")
    return SetExposureLimit(
        molecule=id_of(input.molecule, "Molecule", path=("input", "molecule")),
        study=None if study is None else id_of(study, "Study", path=("input", "study")),
        **{name: input.get(name) for name in ("parameter", "unit", "source", "lower", "upper")},
        **{name: input.get(name) for name in ("analyte", "specimen", "indication")},
    )


def _basis(input: Any) -> SetToxicityBasis:
    names = ("basis", "parameter", "relation", "dose_reported", "dose", "dose_unit", "sex", "analyte", "specimen")
    return SetToxicityBasis(
        molecule=id_of(input.molecule, "Molecule", path=("input", "molecule")),
        study=id_of(input.study, "Study", path=("input", "study")),
        groups=tuple(input.get("groups") or ()),
        **{name: input.get(name) for name in (*names, "profile", "threshold", "comment")},
    )


def _answer(input: Any) -> AcknowledgeAlert:
    alert = id_of(input.alert, "Alert", path=("input", "alert"))
    return AcknowledgeAlert(alert, input.comment, input.get("expected_version"))


# ------------------------------------------------------------ the mutations

_ONE = given(MonitoringRecord, description="The record as it is now.")
LogMonitoringPayload = payload(
    "LogMonitoring",
    records=given(
        graphene.List(graphene.NonNull(MonitoringRecord)),
        required=True,
        description="The records in the order they were sent.",
    ),
)
CorrectMonitoringPayload = payload("CorrectMonitoring", record=_ONE)
ExcludeMonitoringPayload = payload("ExcludeMonitoring", record=_ONE)
IncludeMonitoringPayload = payload("IncludeMonitoring", record=_ONE)
SetMonitoringStatePayload = payload("SetMonitoringState", record=_ONE)
AcknowledgeAlertPayload = payload("AcknowledgeAlert", alert=given(Alert, description="The alert, answered for."))
SetMonitoringSettingsPayload = payload(
    "SetMonitoringSettings", settings=given(MonitoringSettings, description="The settings as they are now.")
)
SetExposureLimitPayload = payload(
    "SetExposureLimit", limit=given(ExposureLimit, description="The limit; null when it was taken back.")
)
SetToxicityBasisPayload = payload("SetToxicityBasis", basis=given(ToxicityBasis, description="The basis as stated."))

_RECORD = Written("MonitoringRecord", "record")


class MonitoringMutations:
    """The mutations of this module, as `Mutation` takes them."""

    log_monitoring = mutation(
        LogMonitoringPayload,
        LogMonitoringInput,
        _entries,
        records=Written("MonitoringRecord", "first", "count"),
        description="Put concentrations on record: all or none; a row that cannot be accepted is named by its place.",
    )
    correct_monitoring = mutation(
        CorrectMonitoringPayload,
        CorrectMonitoringInput,
        _correction,
        reason="reason_for_change",
        record=_RECORD,
        description="Mend a record; it has to be verified again.",
    )
    exclude_monitoring = mutation(
        ExcludeMonitoringPayload,
        ExcludeMonitoringInput,
        lambda input: ExcludeMonitoring(_record(input), input.reason, input.scope),
        reason="reason",
        record=_RECORD,
        description="Leave a valid record out of calculations, or of summaries only.",
    )
    include_monitoring = mutation(
        IncludeMonitoringPayload,
        IncludeMonitoringInput,
        lambda input: IncludeMonitoring(_record(input), input.reason),
        reason="reason",
        record=_RECORD,
        description="Take an excluded record in again.",
    )
    set_monitoring_state = mutation(
        SetMonitoringStatePayload,
        SetMonitoringStateInput,
        lambda input: SetMonitoringState(_record(input), input.state, input.reason),
        reason="reason",
        record=_RECORD,
        description="Verify, retract or reject; whoever entered a record cannot verify it.",
    )
    acknowledge_alert = mutation(
        AcknowledgeAlertPayload,
        AcknowledgeAlertInput,
        _answer,
        reason="comment",
        alert=Written("Alert", "alert"),
        description="Answer for an alert; it is open until then.",
    )
    set_monitoring_settings = mutation(
        SetMonitoringSettingsPayload,
        SetMonitoringSettingsInput,
        _settings,
        settings=Written("MonitoringSettings", "settings"),
        description="Change what the monitoring of a study goes by.",
    )
    set_exposure_limit = mutation(
        SetExposureLimitPayload,
        SetExposureLimitInput,
        _limit,
        limit=Written("ExposureLimit", "limit"),
        description="Set, change or take back a cap or target of a molecule's exposure.",
    )
    set_toxicity_basis = mutation(
        SetToxicityBasisPayload,
        SetToxicityBasisInput,
        _basis,
        basis=Written("ToxicityBasis", "basis"),
        description="State the NOAEL, STD10 or HNSTD of a nonclinical study; margins are held against it.",
    )
