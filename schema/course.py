"""The course of subjects through a study: doses given, and how they went on."""

from __future__ import annotations

from typing import Any

import graphene

from schema.conditions import equal, matching, record
from schema.groups import Pool
from schema.node import Node, connection, is_node, node_id
from schema.reading import column, connected, one
from schema.records import OfSubject, qualifiers_field
from schema.scalars import PartialDateTime
from schema.versions import versions_field


@is_node
class Administration(OfSubject, graphene.ObjectType):
    """A dose, or a period of equal doses, of one treatment to one subject or pool."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Administration")
    pool = one(Pool, "Pool", parent="pool_id", description="The pool, where it was given to one.")
    molecule = one(
        lambda: _molecule(), "Molecule", parent="molecule_id", description="What was given; null for what is none."
    )
    treatment = column(
        graphene.String, "treatment", required=True, description="What was given, in the source's words."
    )
    amount_reported = column(graphene.String, "amount_reported", description="The amount as the source writes it.")
    amount = column(graphene.Float, "amount", description="The amount as a number, where it is one.")
    unit_reported = column(graphene.String, "unit_reported", description="The unit as the source writes it.")
    unit = column(graphene.String, "unit", description="UCUM code, where the unit is certain.")
    form = column(graphene.String, "form", description="In which form.")
    route = column(graphene.String, "route", description="By which route.")
    frequency = column(graphene.String, "frequency", description="How often, in the source's words.")
    visit = column(graphene.String, "visit", description="The visit, in the source's words.")
    started_on = column(PartialDateTime, "started_on", description="When it began.")
    ended_on = column(PartialDateTime, "ended_on", description="When it ended.")
    started_day = column(graphene.Float, "started_day", description="The study day on which it began.")
    ended_day = column(graphene.Float, "ended_day", description="The study day on which it ended.")
    duration_reported = column(graphene.String, "duration_reported", description="How long, as the source writes it.")
    duration_hours = column(graphene.Float, "duration_hours", description="How long, in hours.")
    qualifiers = qualifiers_field("Administration")
    versions = versions_field("Administration")


AdministrationConnection = connection(Administration)


def administrations_field(child: str, of: str) -> Any:
    """Declare the doses given below a study or subject."""
    return connected(
        AdministrationConnection,
        "Administration",
        child=child,
        order=("sorted_on",),
        where=matching(molecule=record("molecule_id", "Molecule", "molecule")),
        description=f"Doses given {of}, oldest first.",
        molecule=graphene.ID(description="Only of this molecule."),
    )


@is_node
class Disposition(OfSubject, graphene.ObjectType):
    """How a subject went on: completed, withdrew, died, was sacrificed; or a milestone."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Disposition")
    category = column(graphene.String, "category", description="An event of the course, or a protocol milestone.")
    term_reported = column(graphene.String, "term_reported", required=True, description="In the source's words.")
    term = column(graphene.String, "term", description="The term of the source's vocabulary.")
    happened_on = column(PartialDateTime, "happened_on", description="When.")
    day = column(graphene.Float, "day", description="Study day.")
    qualifiers = qualifiers_field("Disposition")
    versions = versions_field("Disposition")


DispositionConnection = connection(Disposition)


def dispositions_field(child: str, of: str) -> Any:
    """Declare the dispositions below a study or subject."""
    return connected(
        DispositionConnection,
        "Disposition",
        child=child,
        order=("sorted_on",),
        where=matching(term=equal("term")),
        description=f"How {of} went on, oldest first.",
        term=graphene.String(description="Only of this term."),
    )


def _molecule() -> Any:
    from schema.molecules import Molecule

    return Molecule
