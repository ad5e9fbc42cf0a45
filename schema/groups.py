"""Subjects taken together: groups treated alike, and pools whose specimens were measured together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene

from pipeline.store.nodes import among, source_of
from pipeline.store.pool_members import pool_members
from pipeline.store.reader import ID_KEY, Reader
from pipeline.store.selection import Selection
from schema.node import Node, columns_alone, connection, is_node, node_id
from schema.reading import column, computed
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


def _members(
    reader: Reader, rows: Sequence[Mapping[str, Any]], _arguments: Mapping[str, Any], selection: Selection | None
) -> list[list[Any]]:
    members = pool_members(reader, rows)
    source = source_of("Subject", reader.view)
    wanted = among(source.c.id, sorted({id for ids in members for id in ids}))
    found = reader.rows(selection or columns_alone("Subject"), [wanted], source=source)
    subjects = {row[ID_KEY]: row for row in found}
    return [[subjects[id] for id in ids] for ids in members]


@is_node
class Pool(OfStudy, graphene.ObjectType):
    """Subjects whose specimens were measured together."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Pool")
    code = column(graphene.String, "code", required=True, description="The code the study knows it by.")
    members = computed(
        lambda: graphene.List(graphene.NonNull(_subject())),
        _members,
        needs=("study_id", "members"),
        required=True,
        description="The subjects whose specimens are in it.",
    )


PoolConnection = connection(Pool)


def _subject() -> Any:
    from schema.subjects import Subject

    return Subject
