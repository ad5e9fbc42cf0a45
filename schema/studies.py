"""Studies: arms, dose levels, what limited the dose, stops and restarts, and which source said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
import orjson
from sqlalchemy import select

from pipeline.store import tables
from pipeline.store.nodes import visible
from pipeline.store.plans import Twin
from pipeline.store.reader import Reader
from pipeline.store.selection import Through
from pipeline.store.standing import readable_doses
from schema.alerts import alerts_field
from schema.course import administrations_field, dispositions_field
from schema.exposures import exposures_field, proportionality_field
from schema.groups import PoolConnection, StudyGroupConnection
from schema.monitoring import SUBJECT_ARGUMENT, monitoring_field, reported_parameters_field
from schema.monitoring_settings import monitoring_settings_field
from schema.node import Node, connection, is_node, node_id
from schema.reading import any_node, column, computed, connected, given, many, one
from schema.reasons import reasons_field
from schema.responses import biomarkers_field, measurements_field, responses_field
from schema.safety import adverse_events_field, findings_field, laboratory_field
from schema.scalars import JSON, PartialDateTime
from schema.stages import Site
from schema.subjects import SubjectConnection
from schema.versions import versions_field
from schema.words import AttritionReason, StudyStatus

_ROW = "The row of the source's file, as a spreadsheet counts."


class Dose(graphene.ObjectType):
    """What a dose level gives of one molecule, where amount and unit could be read without doubt."""

    molecule = given(graphene.String, required=True, description="The name the study prints.")
    amount = given(graphene.Float, required=True, description="How much.")
    unit = given(graphene.String, required=True, description="UCUM code of the amount.")
    schedule = given(graphene.String, description="How often, in the source's words.")
    route = given(graphene.String, description="By which route.")


class ReportedDose(graphene.ObjectType):
    """What a dose level gives of one molecule, as the source says it, with what was read in it."""

    name = column(graphene.String, "name", required=True, description="The name the study prints.")
    molecule = one(
        lambda: _molecule(), "Molecule", parent="molecule_id", description="Null for radiation and the like."
    )
    amount_reported = column(graphene.String, "amount_reported", description="The amount as printed.")
    amount = column(graphene.Float, "amount", description="The amount as a number, where it is one.")
    unit_reported = column(graphene.String, "unit_reported", description="The unit as printed.")
    unit = column(graphene.String, "unit", description="UCUM code, where the unit is certain.")
    schedule = column(graphene.String, "schedule", description="The schedule as printed.")
    frequency = column(graphene.String, "frequency", description="The frequency as printed.")
    route = column(graphene.String, "route", description="The route as printed.")
    comment = column(graphene.String, "comment", description="The source's comment.")
    source_row = column(graphene.Int, "source_row", description=_ROW)


def _doses(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
    table = tables.doses
    ids = [row["id"] for row in rows]
    statement = select(table).where(
        visible(table, reader.view),
        table.c.dose_level_id.in_(ids),
        table.c.amount.is_not(None),
        table.c.unit.is_not(None),
    )
    found: dict[int, list[dict[str, Any]]] = {id: [] for id in ids}
    for dose in reader.connection.execute(statement.order_by(table.c.id)).mappings():
        found[dose["dose_level_id"]].append(
            {
                "molecule": dose["name"],
                "amount": dose["amount"],
                "unit": dose["unit"],
                "schedule": dose["schedule"] or dose["frequency"],
                "route": dose["route"],
            }
        )
    return [found[id] for id in ids]


@is_node
class DoseLevel(graphene.ObjectType):
    """One level of an escalation."""

    class Meta:
        interfaces = (Node,)

    id = node_id("DoseLevel")
    arm = column(graphene.String, "arm", description="The arm or combination that is escalated.")
    ordinal = column(graphene.Int, "ordinal", required=True, description="Orders the levels of an arm, lowest first.")
    label = column(graphene.String, "label", required=True, description="The level as the study names it.")
    doses = computed(
        graphene.List(graphene.NonNull(Dose)),
        _doses,
        needs=("id",),
        twin=Twin(readable_doses, many=True),
        required=True,
        description="What is given, where it could be read; see dosesAsReported for all of it.",
    )
    doses_as_reported = many(
        ReportedDose, "Dose", child="dose_level_id", description="All that is given, as the source says it."
    )
    treated = column(graphene.Int, "treated", description="Subjects treated at the level.")
    with_dlt = column(
        graphene.Int,
        "with_dlt",
        description="Subjects with a dose-limiting toxicity, where the source makes it certain; else see the bounds.",
    )
    with_dlt_at_least = column(graphene.Int, "with_dlt_min", description="At least so many subjects had one.")
    with_dlt_at_most = column(graphene.Int, "with_dlt_max", description="At most so many subjects had one.")
    versions = versions_field("DoseLevel")


class DltDefinition(graphene.ObjectType):
    """What a study counts as a dose-limiting toxicity."""

    arm = column(graphene.String, "arm", description="For which arm.")
    term = column(graphene.String, "term", required=True, description="The toxicity as printed.")
    grade_reported = column(graphene.String, "grade_reported", description="The grade as printed.")
    grade_min = column(graphene.Int, "grade_min", description="Lowest grade that counts, 1 to 5.")
    grade_max = column(graphene.Int, "grade_max", description="Highest grade that counts, 1 to 5.")
    duration = column(graphene.String, "duration", description="For how long, as printed.")
    flag = column(graphene.String, "flag", description="What was repaired or could not be read.")
    source_row = column(graphene.Int, "source_row", description=_ROW)


class DltObservation(graphene.ObjectType):
    """A dose-limiting toxicity counted at a level: events, not subjects."""

    arm = column(graphene.String, "arm", description="In which arm.")
    level = column(graphene.String, "level", description="At which level.")
    term = column(graphene.String, "term", required=True, description="The toxicity as printed.")
    grade_reported = column(graphene.String, "grade_reported", description="The grade as printed.")
    grade_min = column(graphene.Int, "grade_min", description="Lowest grade meant, 1 to 5.")
    grade_max = column(graphene.Int, "grade_max", description="Highest grade meant, 1 to 5.")
    affected = column(graphene.Int, "affected", description="Subjects with this toxicity.")
    treated = column(graphene.Int, "treated", description="Subjects treated, as this row says.")
    flag = column(graphene.String, "flag", description="What was repaired or could not be read.")
    source_row = column(graphene.Int, "source_row", description=_ROW)


class RecommendedDose(graphene.ObjectType):
    """A maximum tolerated or recommended dose, as published."""

    arm = column(graphene.String, "arm", description="Of which arm.")
    kind = column(graphene.String, "kind", required=True, description="MTD, RP2D, MTD_NOT_REACHED, OTHER or UNKNOWN.")
    name = column(graphene.String, "name", required=True, description="The name the study prints.")
    reported = column(graphene.String, "reported", description="The dose as printed.")
    amount_low = column(graphene.Float, "amount_low", description="The dose, or the lower end of a range.")
    amount_high = column(graphene.Float, "amount_high", description="The dose, or the upper end of a range.")
    unit = column(graphene.String, "unit", description="UCUM code, where the unit is certain.")
    comment = column(graphene.String, "comment", description="The source's comment.")
    flag = column(graphene.String, "flag", description="What could not be read without doubt.")
    source_row = column(graphene.Int, "source_row", description=_ROW)


class EventCount(graphene.ObjectType):
    """Adverse events counted by arm, as registers publish them."""

    arm = column(graphene.String, "arm", required=True, description="In which arm.")
    term = column(graphene.String, "term", required=True, description="The event, without a code in front.")
    term_reported = column(graphene.String, "term_reported", description="The event as published.")
    organ_class = column(graphene.String, "organ_class", description="The organ system, as published.")
    vocabulary = column(graphene.String, "vocabulary", description="The vocabulary of the term, as published.")
    serious = column(graphene.Boolean, "serious", required=True, description="Counted among the serious events.")
    affected = column(graphene.Int, "affected", description="Subjects with it.")
    at_risk = column(graphene.Int, "at_risk", description="Subjects observed.")
    events = column(graphene.Int, "events", description="Events counted; null where the source gives none.")


class StudyStop(graphene.ObjectType):
    """A study stopped, and perhaps went on again."""

    stopped_on = column(PartialDateTime, "stopped_on", description="When it stopped.")
    status = column(StudyStatus, "status", required=True, description="How it stopped.")
    why_stopped = column(graphene.String, "why_stopped", description="Why, in the source's words.")
    restarted_on = column(PartialDateTime, "restarted_on", description="When it went on; null when it did not.")
    restart_status = column(StudyStatus, "restart_status", description="Its status when it went on.")
    flag = column(graphene.String, "flag", description="What does not fit together.")


class Arm(graphene.ObjectType):
    """A group of subjects treated alike, or a combination under escalation."""

    label = column(graphene.String, "label", required=True, description="The arm as the study names it.")
    kind = column(graphene.String, "kind", description="What kind of arm it is.")
    description = column(graphene.String, "description", description="The source's description.")


class StudySource(graphene.ObjectType):
    """What one source says about a study, kept as it said it."""

    source = column(graphene.String, "source", required=True, description="The source.")
    code = column(graphene.String, "code", required=True, description="The source's own identifier.")
    statement = column(JSON, "statement", required=True, description="The source's statements, field by field.")
    source_row = column(graphene.Int, "source_row", description=_ROW)


class RecordLink(graphene.ObjectType):
    """One end of a relation between records of a study, as the source says it."""

    relation = column(
        graphene.String,
        "relation",
        description="What the ends of a relation share; null to readers without the right to see pseudonyms.",
    )
    record = any_node(Node, node_column="node", id_column="node_id", description="The record; null for a whole set.")
    reported = column(
        graphene.String,
        "reported",
        description="In the source's words; null to readers without the right to see pseudonyms.",
    )
    source_row = column(graphene.Int, "source_row", description=_ROW)


@is_node
class Study(graphene.ObjectType):
    """A clinical or nonclinical study."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Study")
    code = column(graphene.String, "code", required=True, description="The code it is known by here.")
    title = column(graphene.String, "title", required=True, description="Its title, or its code where none is given.")
    service = column(
        graphene.String,
        "service",
        description=(
            "CREFRE service for nonclinical studies: HUSBANDRY, TRANSGENESIS, MICROSURGERY, PHENOTYPING, "
            "NON_INVASIVE_EXPLORATION, HISTOPATHOLOGY, TOXICOLOGY, PHARMACOLOGY."
        ),
    )
    glp = column(graphene.Boolean, "glp", description="Done under good laboratory practice.")
    species = column(graphene.String, "species", description="The animal species; null for man.")
    phases = column(
        graphene.List(graphene.NonNull(graphene.String)),
        "phases",
        decode=orjson.loads,
        required=True,
        description="Clinical phases, as stage codes.",
    )
    registry_id = column(graphene.String, "registry_id", description="Number in a trial register, such as NCT01234567.")
    status = column(StudyStatus, "status", required=True, description="Where it stands.")
    why_stopped = column(graphene.String, "why_stopped", description="Why it stopped, in the source's words.")
    reason = column(AttritionReason, "reason", description="Why it stopped, classified.")
    reasons = reasons_field("study_id")
    started_on = column(PartialDateTime, "started_on", description="When it began.")
    ended_on = column(PartialDateTime, "ended_on", description="When it ended.")
    sponsor = column(graphene.String, "sponsor", description="Who answers for it.")
    enrolment = column(graphene.Int, "enrolment", description="Subjects enrolled or planned.")
    site = one(Site, "Site", parent="site_code", child="code", description="Where it is run.")
    molecules = many(
        lambda: _molecule(),
        "Molecule",
        child="id",
        order=("code",),
        through=Through("study_molecules", near="study_id", far="molecule_id"),
        description="The molecules given.",
    )
    arms = many(Arm, "Arm", child="study_id", description="Its arms.")
    dose_levels = many(
        DoseLevel, "DoseLevel", child="study_id", order=("arm", "ordinal"), description="Dose levels, lowest first."
    )
    dlt_definitions = many(
        DltDefinition, "DltDefinition", child="study_id", description="What counts as a dose-limiting toxicity."
    )
    dlt_observations = many(
        DltObservation, "DltObservation", child="study_id", description="Dose-limiting toxicities counted by level."
    )
    recommended_doses = many(
        RecommendedDose, "RecommendedDose", child="study_id", description="Maximum tolerated and recommended doses."
    )
    event_counts = connected(
        lambda: _event_counts(), "EventCount", child="study_id", description="Adverse events counted by arm."
    )
    stops = many(
        StudyStop, "StudyStop", child="study_id", order=("stopped_on",), description="Stops and restarts, oldest first."
    )
    groups = connected(StudyGroupConnection, "StudyGroup", child="study_id", description="Groups treated alike.")
    subjects = connected(SubjectConnection, "Subject", child="study_id", description="Who was studied.")
    pools = connected(
        PoolConnection, "Pool", child="study_id", description="Subjects whose specimens were measured together."
    )
    administrations = administrations_field("study_id", "in the study")
    monitoring = monitoring_field("study_id", "in the study", subject=SUBJECT_ARGUMENT)
    exposures = exposures_field()
    dose_proportionality = proportionality_field()
    reported_parameters = reported_parameters_field("study_id", "of the study")
    adverse_events = adverse_events_field("study_id", "of the study")
    laboratory = laboratory_field("study_id", "of the study")
    findings = findings_field("study_id", "in the study")
    measurements = measurements_field("study_id", "in the study")
    responses = responses_field("study_id", "of the study")
    biomarkers = biomarkers_field("study_id", "of the study")
    dispositions = dispositions_field("study_id", "the subjects")
    record_links = connected(
        lambda: _record_links(),
        "RecordLink",
        child="study_id",
        description="The ends of relations between records, in the order they were recorded.",
    )
    monitoring_settings = monitoring_settings_field()
    alerts = alerts_field("study_id", "study")
    sources = many(StudySource, "StudySource", child="study_id", description="What each source says, as it said it.")
    version = column(graphene.Int, "version", required=True, description="Version of the record.")
    versions = versions_field("Study")


def _molecule() -> Any:
    from schema.molecules import Molecule

    return Molecule


def _event_counts() -> Any:
    return EventCountConnection


def _record_links() -> Any:
    return RecordLinkConnection


StudyConnection = connection(Study)
EventCountConnection = connection(EventCount)
RecordLinkConnection = connection(RecordLink)
