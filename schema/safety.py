"""What shows harm: adverse events, laboratory results, and findings in organs."""

from __future__ import annotations

from typing import Any

import graphene
from sqlalchemy.sql import operators

from pipeline.store.nodes import compared
from schema.conditions import Asks, equal, matching
from schema.node import Node, connection, is_node, node_id
from schema.reading import column, connected
from schema.records import OfSubject, qualifiers_field
from schema.scalars import PartialDateTime
from schema.versions import versions_field

_FLAG = "What was repaired, disagrees or could not be read."


def _graded(least: int) -> Asks:
    return Asks(lambda of: compared(of.grade, operators.ge, least), [least])


@is_node
class AdverseEvent(OfSubject, graphene.ObjectType):
    """An adverse event of one subject."""

    class Meta:
        interfaces = (Node,)

    id = node_id("AdverseEvent")
    term = column(graphene.String, "term", required=True, description="The event in the reporter's words.")
    coded_term = column(graphene.String, "coded_term", description="The term of the dictionary.")
    organ_class = column(graphene.String, "organ_class", description="The organ system of the dictionary.")
    grade_reported = column(graphene.String, "grade_reported", description="The grade as the source writes it.")
    grade = column(graphene.Int, "grade", description="CTCAE grade 1-5; null when the source gives only a word.")
    severity = column(graphene.String, "severity", description="The severity in a word, which is no CTCAE grade.")
    serious = column(graphene.Boolean, "serious", description="Serious, as the regulations mean it.")
    dlt = column(graphene.Boolean, "dlt", required=True, description="Counted as a dose-limiting toxicity.")
    relatedness = column(graphene.String, "relatedness", description="Whether the treatment is held to be the cause.")
    action = column(graphene.String, "action", description="What was done with the treatment.")
    outcome = column(graphene.String, "outcome", description="How it ended.")
    started_on = column(PartialDateTime, "started_on", description="When it began.")
    ended_on = column(PartialDateTime, "ended_on", description="When it ended.")
    ongoing = column(graphene.String, "ongoing", description="What the source says where it had not ended.")
    started_day = column(graphene.Float, "started_day", description="The study day on which it began.")
    ended_day = column(graphene.Float, "ended_day", description="The study day on which it ended.")
    flag = column(graphene.String, "flag", description=_FLAG)
    qualifiers = qualifiers_field("AdverseEvent")
    versions = versions_field("AdverseEvent")


AdverseEventConnection = connection(AdverseEvent)


def adverse_events_field(child: str, of: str) -> Any:
    """Declare the adverse events below a study or subject."""
    return connected(
        AdverseEventConnection,
        "AdverseEvent",
        child=child,
        order=("sorted_on",),
        where=matching(min_grade=_graded, dlt=equal("dlt")),
        description=f"Adverse events {of}, oldest first.",
        min_grade=graphene.Int(description="Only those of this CTCAE grade or higher; those without a grade are not."),
        dlt=graphene.Boolean(description="Only those that limit the dose, or only those that do not."),
    )


@is_node
class LaboratoryResult(OfSubject, graphene.ObjectType):
    """One laboratory value of one subject."""

    class Meta:
        interfaces = (Node,)

    id = node_id("LaboratoryResult")
    test = column(graphene.String, "test", required=True, description="The test, by the code of the source.")
    test_name = column(graphene.String, "test_name", description="The test for people to read.")
    category = column(graphene.String, "category", description="Haematology, chemistry and so on.")
    specimen = column(graphene.String, "specimen", description="In what it was measured.")
    reported = column(graphene.String, "reported", description="Exactly the text the source gave.")
    reported_unit = column(graphene.String, "reported_unit", description="The unit as the source writes it.")
    value = column(graphene.Float, "value", description="The value as a number, where it is one.")
    unit = column(graphene.String, "unit", description="UCUM code, where the unit is certain.")
    lower_normal = column(graphene.Float, "lower_normal", description="Lower limit of the normal range, in the unit.")
    upper_normal = column(graphene.Float, "upper_normal", description="Upper limit of the normal range, in the unit.")
    range_flag = column(graphene.String, "range_flag", description="Where the source sees it against that range.")
    grade = column(
        graphene.Int,
        "grade",
        description="CTCAE v5, computed from value and limits; null where that is not possible.",
    )
    grade_flag = column(graphene.String, "grade_flag", description="What to mind about the grade, or why it is null.")
    baseline = column(graphene.Boolean, "baseline", description="Measured before treatment.")
    not_done = column(graphene.String, "not_done", description="Why there is no result, where the source says so.")
    visit = column(graphene.String, "visit", description="The visit, in the source's words.")
    day = column(graphene.Float, "day", description="Study day.")
    sampled_at = column(PartialDateTime, "sampled_at", description="When it was sampled.")
    flag = column(graphene.String, "flag", description=_FLAG)
    qualifiers = qualifiers_field("LaboratoryResult")
    versions = versions_field("LaboratoryResult")


LaboratoryConnection = connection(LaboratoryResult, "Laboratory")


def laboratory_field(child: str, of: str) -> Any:
    """Declare the laboratory results below a study or subject."""
    return connected(
        LaboratoryConnection,
        "LaboratoryResult",
        child=child,
        order=("sorted_on",),
        where=matching(test=equal("test"), min_grade=_graded),
        description=f"Laboratory results {of}, oldest first.",
        test=graphene.String(description="Only of this test."),
        min_grade=graphene.Int(description="Only those of this CTCAE grade or higher; those without a grade are not."),
    )


@is_node
class Finding(OfSubject, graphene.ObjectType):
    """What was seen in an animal or one of its organs."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Finding")
    domain = column(graphene.String, "domain", required=True, description="The source's domain, for example MI.")
    test = column(graphene.String, "test", required=True, description="What was looked at.")
    organ = column(graphene.String, "organ", description="In which organ.")
    organ_class = column(graphene.String, "organ_class", description="The organ system.")
    reported = column(graphene.String, "reported", description="What was seen, in the source's words.")
    severity_reported = column(graphene.String, "severity_reported", description="How severe, in the source's words.")
    severity_rank = column(graphene.Int, "severity_rank", description="Orders these words: 1 minimal to 5 severe.")
    day = column(graphene.Float, "day", description="Study day.")
    found_on = column(PartialDateTime, "found_on", description="When it was seen.")
    not_done = column(graphene.String, "not_done", description="Why there is none, where the source says so.")
    flag = column(graphene.String, "flag", description=_FLAG)
    qualifiers = qualifiers_field("Finding")
    versions = versions_field("Finding")


FindingConnection = connection(Finding)


def findings_field(child: str, of: str) -> Any:
    """Declare the findings below a study or subject."""
    return connected(
        FindingConnection,
        "Finding",
        child=child,
        order=("sorted_on",),
        where=matching(domain=equal("domain"), organ=equal("organ")),
        description=f"What was seen {of}, oldest first.",
        domain=graphene.String(description="Only of this domain."),
        organ=graphene.String(description="Only in this organ."),
    )
