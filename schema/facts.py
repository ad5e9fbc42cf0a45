"""What was measured of a molecule once and for all, and recording it."""

from __future__ import annotations

from typing import Any

import graphene

from pipeline.commands.molecule_facts import FACTS, RecordMoleculeFact
from schema.node import Node, id_of, is_node, node_id
from schema.reading import column
from schema.versions import versions_field
from schema.writing import KEY

_NAMES = "; ".join(f"{name}: {what}" for name, (what, _, _) in FACTS.items())


@is_node
class MoleculeFact(graphene.ObjectType):
    """A figure of a molecule that its safety margins are computed from."""

    class Meta:
        interfaces = (Node,)

    id = node_id("MoleculeFact")
    name = column(graphene.String, "name", required=True, description=f"{_NAMES}.")
    species = column(graphene.String, "species", description="The species, where it is of one.")
    relation = column(graphene.String, "relation", required=True, description="= or a bound: <, <=, >, >=, ~.")
    value = column(graphene.Float, "value", description="The number.")
    unit = column(graphene.String, "unit", required=True, description="UCUM code.")
    reported = column(graphene.String, "reported", required=True, description="As the source writes it.")
    source = column(graphene.String, "source", required=True, description="Who says so: study, report, assay.")
    version = column(graphene.Int, "version", required=True, description="Version of the record.")
    versions = versions_field("MoleculeFact")


class RecordMoleculeFactInput(graphene.InputObjectType):
    """A figure of a molecule."""

    molecule = graphene.ID(required=True, description="The molecule.")
    name = graphene.String(required=True, description=f"{_NAMES}.")
    species = graphene.String(description="The species, where it is of one.")
    reported = graphene.String(required=True, description='As the source writes it: "12.5", "> 30".')
    unit = graphene.String(required=True, description="UCUM code.")
    source = graphene.String(required=True, description="Who says so: study, report, assay.")
    idempotency_key = KEY


def fact_of(input: Any) -> RecordMoleculeFact:
    """Return the command of an input."""
    molecule = id_of(input["molecule"], "Molecule", path=("input", "molecule"))
    return RecordMoleculeFact(
        molecule, input["name"], input["reported"], input["unit"], input["source"], input.get("species")
    )
