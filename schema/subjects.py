"""Subjects: pseudonymised people and animals, and all that is on record of each."""

from __future__ import annotations

import graphene

from schema.alerts import alerts_field
from schema.course import administrations_field, dispositions_field
from schema.groups import StudyGroup
from schema.monitoring import monitoring_field, reported_parameters_field
from schema.node import Node, connection, is_node, node_id
from schema.reading import column, one
from schema.records import OfStudy, qualifiers_field
from schema.responses import biomarkers_field, measurements_field, responses_field
from schema.safety import adverse_events_field, findings_field, laboratory_field
from schema.scalars import PartialDateTime
from schema.versions import versions_field


@is_node
class Subject(OfStudy, graphene.ObjectType):
    """A pseudonymised person or an animal."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Subject")
    code = column(
        graphene.String,
        "code",
        description="Pseudonym; null to readers without the right to see it, and after erasure.",
    )
    species = column(graphene.String, "species", required=True, description="The species; human for people.")
    strain = column(graphene.String, "strain", description="The strain of an animal.")
    sex = column(graphene.String, "sex", description="As the source writes it.")
    age = column(graphene.Float, "age", description="Age when the study began.")
    age_unit = column(graphene.String, "age_unit", description="Unit of the age.")
    arm = column(graphene.String, "arm", description="The arm in which the subject was treated.")
    arm_planned = column(graphene.String, "arm_planned", description="The arm the subject was assigned to.")
    group = one(
        StudyGroup,
        "StudyGroup",
        parent=("study_id", "group_code"),
        child=("study_id", "code"),
        description="The group the subject belongs to.",
    )
    dose_level = column(graphene.Int, "dose_level", description="The dose level, by its ordinal.")
    site = column(graphene.String, "site", description="Where, by the code of the source.")
    reference_start = column(PartialDateTime, "reference_start", description="When treatment began.")
    reference_end = column(PartialDateTime, "reference_end", description="When treatment ended.")
    died_on = column(PartialDateTime, "died_on", description="When the subject died.")
    screen_failure = column(graphene.Boolean, "screen_failure", description="Screened, but never enrolled.")
    erased = column(graphene.Boolean, "erased", required=True, description="What identifies the subject was erased.")
    opposed_to_reuse = column(
        graphene.Boolean, "opposed_to_reuse", required=True, description="Opposed to the reuse of the data."
    )
    monitoring = monitoring_field("subject_id", "in the subject")
    reported_parameters = reported_parameters_field("subject_id", "of the subject")
    administrations = administrations_field("subject_id", "to the subject")
    adverse_events = adverse_events_field("subject_id", "of the subject")
    laboratory = laboratory_field("subject_id", "of the subject")
    findings = findings_field("subject_id", "in the subject")
    measurements = measurements_field("subject_id", "in the subject")
    responses = responses_field("subject_id", "of the subject")
    biomarkers = biomarkers_field("subject_id", "of the subject")
    dispositions = dispositions_field("subject_id", "the subject")
    alerts = alerts_field("subject_id", "subject")
    qualifiers = qualifiers_field("Subject")
    versions = versions_field("Subject")


SubjectConnection = connection(Subject)
