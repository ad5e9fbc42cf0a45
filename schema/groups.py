"""Subjects taken together: groups treated alike, and pools whose specimens were measured together."""

from __future__ import annotations

import graphene

from schema.node import Node, connection, is_node, node_id
from schema.reading import column
from schema.records import OfStudy
from schema.scalars import JSON
from schema.versions import versions_field


@is_node
class StudyGroup(OfStudy, graphene.ObjectType):
    """Subjects of a study treated alike: a trial set or an arm."""

    class Meta:
        interfaces = (Node,)

    id = node_id("StudyGroup")
    code = column(graphene.String, "code", required=True, description="The code the study knows it by.")
    label = column(graphene.String, "label", description="What the study calls it.")
    arm = column(graphene.String, "arm", description="Its arm.")
    dose_reported = column(graphene.String, "dose_reported", description="The dose as the source writes it.")
    dose = column(graphene.Float, "dose", description="The dose as a number, where it is one.")
    dose_unit = column(graphene.String, "dose_unit", description="UCUM code of the dose, where the unit is certain.")
    control = column(graphene.Boolean, "control", description="A control group.")
    satellite = column(graphene.Boolean, "satellite", description="Only specimens were taken from it.")
    recovery = column(graphene.Boolean, "recovery", description="Observed after the end of treatment.")
    parameters = column(JSON, "parameters", required=True, description="What else the source says of it, by name.")
    versions = versions_field("StudyGroup")


StudyGroupConnection = connection(StudyGroup)


@is_node
class Pool(OfStudy, graphene.ObjectType):
    """Subjects whose specimens were measured together."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Pool")
    code = column(graphene.String, "code", required=True, description="The code the study knows it by.")


PoolConnection = connection(Pool)
