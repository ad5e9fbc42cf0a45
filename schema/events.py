"""The history: what happened, when it happened, when it became known here."""

from __future__ import annotations

import graphene

from schema.node import Node, connection, is_node, node_id
from schema.reading import any_node, column
from schema.scalars import DateTime, PartialDateTime
from schema.words import EventKind


@is_node
class Event(graphene.ObjectType):
    """One thing that happened to a molecule, or at any level below it."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Event")
    kind = column(EventKind, "kind", required=True, description="What happened.")
    occurred_on = column(PartialDateTime, "occurred_on", description="When it happened, as precisely as is known.")
    recorded_at = column(DateTime, "recorded_at", required=True, description="When it became known here.")
    actor = column(graphene.String, "recorded_by", required=True, description="Who recorded it.")
    summary = column(graphene.String, "summary", required=True, description="In a sentence.")
    reason_for_change = column(graphene.String, "reason_for_change", description="Why, where a reason was given.")
    subject = any_node(
        Node, node_column="node", id_column="node_id", description="The record it is about, as it is now."
    )


EventConnection = connection(Event)
