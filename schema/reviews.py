"""The review list: what a person has to decide before it counts."""

from __future__ import annotations

import graphene

from pipeline import words
from schema import reading
from schema.node import Node, connection, is_node, node_id
from schema.reading import any_node, one
from schema.scalars import DateTime
from schema.studies import Study
from schema.versions import versions_field
from schema.words import enum_of

ReviewStatus = enum_of(
    words.ReviewStatus,
    "ReviewStatus",
    "What became of an item of the review list.",
    {
        "OPEN": "Nobody has decided yet.",
        "ACCEPTED": "What was proposed was done.",
        "CHANGED": "Something else was done.",
        "REJECTED": "Nothing was done.",
    },
)


@is_node
class ReviewItem(graphene.ObjectType):
    """A value that could not be read without doubt, with what is proposed; out of all calculations until decided."""

    class Meta:
        interfaces = (Node,)

    id = node_id("ReviewItem")
    study = one(Study, "Study", parent="study_id", description="The study it belongs to.")
    file = reading.column(graphene.String, "file", description="The file it came in.")
    row = reading.column(graphene.Int, "row", description="The row, as a spreadsheet counts.")
    column = reading.column(graphene.String, "column_name", description="The column.")
    reported = reading.column(graphene.String, "reported", description="What the source says.")
    proposed = reading.column(graphene.String, "proposed", description="What is proposed.")
    explanation = reading.column(graphene.String, "explanation", required=True, description="Why it is in doubt.")
    status = reading.column(ReviewStatus, "status", required=True, description="What became of it.")
    decided_by = reading.column(graphene.String, "decided_by", description="Who decided.")
    decided_at = reading.column(DateTime, "decided_at", description="When.")
    comment = reading.column(graphene.String, "comment", description="Why so.")
    record = any_node(
        Node, node_column="node", id_column="node_id", description="The record in doubt, where there is one already."
    )
    versions = versions_field("ReviewItem")


ReviewItemConnection = connection(ReviewItem)
