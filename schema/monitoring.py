"""Pharmacology monitoring: measured concentrations, and the exposure parameters a source reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene

from pipeline import words
from pipeline.store import exclusions
from pipeline.store.counted import counts
from pipeline.store.plans import Twin
from pipeline.store.reader import Reader
from schema.conditions import equal, filled, matching, record, since, until
from schema.groups import Pool
from schema.node import Node, connection, is_node, node_id
from schema.reading import column, computed, connected, given, one
from schema.records import OfSubject, qualifiers_field
from schema.scalars import DateTime, PartialDateTime
from schema.versions import versions_field
from schema.words import enum_of

MonitoringState = enum_of(
    words.MonitoringState,
    "MonitoringState",
    "Where a monitoring record stands.",
    {
        "REGISTERED": "On record; nobody else has confirmed it.",
        "VERIFIED": "Confirmed by somebody else than who entered it.",
        "RETRACTED": "Taken back: it should not have been entered.",
        "REJECTED": "Refused: the specimen or its analysis cannot be relied on.",
    },
)


class Exclusion(graphene.ObjectType):
    """Why a record is left out, and of what."""

    reason = given(graphene.String, required=True, description="Why.")
    scope = given(
        graphene.String, required=True, description="CALCULATION: of all that is computed. SUMMARIES: of these only."
    )
    by = given(graphene.String, required=True, description="Who left it out; where a source did, who brought it in.")
    at = given(DateTime, required=True, description="When.")


def _exclusions(_reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[dict[str, Any] | None]:
    return [exclusions.exclusion_of(row) for row in rows]


def _counts(_reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[bool]:
    return [counts(row) for row in rows]


@is_node
class MonitoringRecord(OfSubject, graphene.ObjectType):
    """One measured concentration, as reported and standardised."""

    class Meta:
        interfaces = (Node,)

    id = node_id("MonitoringRecord")
    molecule = one(
        lambda: _molecule(), "Molecule", parent="molecule_id", required=True, description="The molecule it tells of."
    )
    pool = one(Pool, "Pool", parent="pool_id", description="The pool, where specimens were measured together.")
    analyte = column(graphene.String, "analyte", required=True, description="What was measured, a metabolite perhaps.")
    analyte_code = column(graphene.String, "analyte_code", description="The source's code of the analyte.")
    specimen = column(graphene.String, "specimen", required=True, description="In what: plasma, urine, tissue.")
    profile = column(graphene.String, "profile", description="The dosing interval or visit it belongs to.")
    day = column(graphene.Float, "day", description="Study day.")
    reference_dose_at = column(
        PartialDateTime, "reference_dose_at", description="When the dose was given from which hours are counted."
    )
    sampled_at = column(PartialDateTime, "sampled_at", description="When it was sampled, as precisely as is known.")
    hours_after_dose = column(
        graphene.Float,
        "hours_after_dose",
        description=(
            "Hours since the reference dose, as used in analysis; null when the source gives none that can be trusted."
        ),
    )
    end_hours_after_dose = column(
        graphene.Float, "end_hours_after_dose", description="The same of the end, where collected over an interval."
    )
    time_source = column(
        graphene.String, "time_source", description="Which of the source's statements the hours were read from."
    )
    nominal_time = column(graphene.String, "nominal_time", description="The planned time, in the source's words.")
    reported = column(graphene.String, "reported", description="Exactly the text the source gave.")
    reported_unit = column(graphene.String, "reported_unit", description="The unit as the source writes it.")
    concentration = column(
        graphene.Float,
        "concentration",
        description="Null below the limit, when not done, or when it cannot be read as a number.",
    )
    unit = column(graphene.String, "unit", description="UCUM code.")
    lower_limit = column(graphene.Float, "lower_limit", description="Lower limit of quantification, in the unit.")
    below_limit = column(
        graphene.Boolean, "below_limit", required=True, description="Below the limit of quantification."
    )
    not_done = column(graphene.String, "not_done", description="Why there is no result, where the source says so.")
    amount_of_specimen = column(graphene.Float, "amount_of_specimen", description="How much was collected.")
    amount_unit = column(graphene.String, "amount_unit", description="UCUM code of that amount.")
    state = column(MonitoringState, "state", required=True, description="Where it stands.")
    counts = computed(
        graphene.Boolean,
        _counts,
        needs=("state", "exclusion_reason", "exclusion_scope"),
        required=True,
        description="Whether calculations take it: it stands, and is not left out of them.",
    )
    exclusion = computed(
        Exclusion,
        _exclusions,
        needs=exclusions.NEEDS,
        twin=Twin(exclusions.exclusion, many=False),
        description="Why the record is left out, and of what; null when it is not.",
    )
    retest_of = one(
        lambda: MonitoringRecord, "MonitoringRecord", parent="retest_of", description="The record it tests again."
    )
    entered_by = column(graphene.String, "entered_by", required=True, description="Who entered it first.")
    verified_by = column(graphene.String, "verified_by", description="Who verified it.")
    flag = column(graphene.String, "flag", description="What was repaired, disagrees or could not be read.")
    qualifiers = qualifiers_field("MonitoringRecord")
    versions = versions_field("MonitoringRecord")


MonitoringConnection = connection(MonitoringRecord, "Monitoring")

_MONITORING = matching(
    analyte=equal("analyte"),
    specimen=equal("specimen"),
    subject=record("subject_id", "Subject", "subject"),
    study=record("study_id", "Study", "study"),
    sampled_from=since,
    sampled_to=until,
    state=equal("state"),
    excluded=filled("exclusion_reason"),
    flagged=filled("flag"),
)


def monitoring_field(child: str, of: str, **more: Any) -> Any:
    """Declare the concentrations below a molecule, study or subject."""
    return connected(
        MonitoringConnection,
        "MonitoringRecord",
        child=child,
        order=("sorted_on",),
        where=_MONITORING,
        description=f"Concentrations measured {of}, oldest first; those without a time before all others.",
        analyte=graphene.String(description="Only of this analyte."),
        specimen=graphene.String(description="Only in this specimen."),
        sampled_from=DateTime(
            description="Only those sampled then or later, by the earliest moment their time can mean."
        ),
        sampled_to=DateTime(
            description="Only those sampled then or earlier, by the earliest moment their time can mean."
        ),
        state=graphene.Argument(MonitoringState, description="Only those that stand there."),
        excluded=graphene.Boolean(description="Only those left out of anything, or only those not."),
        flagged=graphene.Boolean(description="Only those with a remark, or only those without."),
        **more,
    )


SUBJECT_ARGUMENT = graphene.ID(description="Only of this subject.")
STUDY_ARGUMENT = graphene.ID(description="Only in this study.")


@is_node
class ReportedParameter(OfSubject, graphene.ObjectType):
    """An exposure parameter as the source computed it."""

    class Meta:
        interfaces = (Node,)

    id = node_id("ReportedParameter")
    molecule = one(lambda: _molecule(), "Molecule", parent="molecule_id", description="The molecule it tells of.")
    pool = one(Pool, "Pool", parent="pool_id", description="The pool, where specimens were measured together.")
    analyte = column(graphene.String, "analyte", required=True, description="Of what.")
    specimen = column(graphene.String, "specimen", required=True, description="In what.")
    profile = column(graphene.String, "profile", description="The dosing interval or visit it belongs to.")
    day = column(graphene.Float, "day", description="Study day.")
    reference_dose_at = column(
        PartialDateTime, "reference_dose_at", description="When the dose was given that it is about."
    )
    code = column(graphene.String, "code", required=True, description="CDISC code where the source gives one.")
    name = column(graphene.String, "name", description="What the source calls it.")
    reported = column(graphene.String, "reported", description="Exactly the text the source gave.")
    reported_unit = column(graphene.String, "reported_unit", description="The unit as the source writes it.")
    value = column(graphene.Float, "value", description="The value as a number, where it is one.")
    unit = column(graphene.String, "unit", description="UCUM code, where the unit is certain.")
    not_done = column(graphene.String, "not_done", description="Why there is none, where the source says so.")
    exclusion_reason = column(graphene.String, "exclusion_reason", description="Why the source leaves it out.")
    flag = column(graphene.String, "flag", description="What was repaired, disagrees or could not be read.")
    qualifiers = qualifiers_field("ReportedParameter")
    versions = versions_field("ReportedParameter")


ReportedParameterConnection = connection(ReportedParameter)


def reported_parameters_field(child: str, of: str) -> Any:
    """Declare the reported parameters below a study or subject."""
    return connected(
        ReportedParameterConnection,
        "ReportedParameter",
        child=child,
        where=matching(analyte=equal("analyte"), specimen=equal("specimen"), code=equal("code")),
        description=f"Exposure parameters the sources reported {of}.",
        analyte=graphene.String(description="Only of this analyte."),
        specimen=graphene.String(description="Only in this specimen."),
        code=graphene.String(description="Only with this code, for example CMAX."),
    )


def _molecule() -> Any:
    from schema.molecules import Molecule

    return Molecule
