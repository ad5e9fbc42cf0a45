"""Alerts: what has to be answered for."""

from __future__ import annotations

from typing import Any

import graphene

from pipeline import words
from schema.conditions import empty, matching, one_of, record
from schema.node import Node, connection, is_node, node_id
from schema.reading import any_node, column, connected, one
from schema.scalars import DateTime
from schema.versions import versions_field
from schema.words import enum_of

AlertKind = enum_of(
    words.AlertKind,
    "AlertKind",
    "What an alert is about.",
    {
        "EXPOSURE_ABOVE_LIMIT": "An exposure above its limit.",
        "EXPOSURE_BELOW_TARGET": "An exposure below its target: a missing effect may be no lack of efficacy.",
        "MARGIN_CROSSED": "An exposure margin crossed its threshold.",
        "DLT_RATE": "Dose-limiting toxicities are more frequent than the rule allows.",
        "HYS_LAW": "A candidate for Hy's law: liver enzymes and bilirubin are raised together.",
        "QTC": "The QTc interval is longer, or has grown more, than is safe.",
        "FUTILITY": "The aim can hardly be reached any more.",
        "STALLED": "A programme is silent for longer than its stage allows.",
        "BASIS_CHANGED": "A record on which something was decided has been corrected since.",
        "CONDITION_OVERDUE": "The day a condition of a decision was due is over.",
    },
)


@is_node
class Alert(graphene.ObjectType):
    """Raised by the system when a record crosses a limit; stays open until somebody answers for it."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Alert")
    kind = column(AlertKind, "kind", required=True, description="What it is about.")
    molecule = one(
        lambda: _molecule(), "Molecule", parent="molecule_id", required=True, description="The molecule concerned."
    )
    programme = one(lambda: _programme(), "Programme", parent="programme_id", description="The programme concerned.")
    study = one(lambda: _study(), "Study", parent="study_id", description="The study concerned.")
    subject = one(lambda: _subject(), "Subject", parent="subject_id", description="The subject concerned.")
    message = column(graphene.String, "message", required=True, description="What happened, in a sentence.")
    value = column(graphene.Float, "value", description="What was found.")
    threshold = column(graphene.Float, "threshold", description="The bar that was crossed.")
    unit = column(graphene.String, "unit", description="UCUM code of both.")
    raised_at = column(DateTime, "raised_at", required=True, description="When it was raised.")
    evidence = any_node(Node, node_column="node", id_column="node_id", description="The record that caused it.")
    acknowledged_by = column(graphene.String, "acknowledged_by", description="Who answered for it.")
    acknowledged_at = column(DateTime, "acknowledged_at", description="When; null while it is open.")
    comment = column(graphene.String, "comment", description="The answer.")
    version = column(graphene.Int, "version", required=True, description="Version of the record.")
    versions = versions_field("Alert")


AlertConnection = connection(Alert)

_OPEN = graphene.Boolean(description="Only those nobody answered for yet, or only those answered for.")
ALERTS_MATCHING = matching(
    open=empty("acknowledged_at"),
    kinds=one_of("kind"),
    molecule=record("molecule_id", "Molecule", "molecule"),
    study=record("study_id", "Study", "study"),
)


def alerts_field(child: str, of: str) -> Any:
    """Declare the alerts below a molecule, study or subject."""
    return connected(
        AlertConnection,
        "Alert",
        child=child,
        order=("raised_at",),
        where=ALERTS_MATCHING,
        backwards=True,
        description=f"Alerts about the {of}, in the order they were raised.",
        open=_OPEN,
    )


def _molecule() -> Any:
    from schema.molecules import Molecule

    return Molecule


def _programme() -> Any:
    from schema.programmes import Programme

    return Programme


def _study() -> Any:
    from schema.studies import Study

    return Study


def _subject() -> Any:
    from schema.subjects import Subject

    return Subject
