"""What fields cost beyond one for each object they answer, and how many rows a list without pages usually has.

Put into the schema under the fields' `extensions`, where whoever counts a request's cost looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

WEIGHTS: Mapping[str, int] = {
    "Query.moleculesByStructure": 2_000,
    "Query.attrition": 10_000,
    "Query.replayRule": 10_000,
    "CheckpointRule.characteristics": 50,
    "AttritionReview.missedSignals": 5_000,
    "AttritionReview.missedTotals": 5_000,
    "AttritionReview.concordance": 5_000,
    "Query.keyFigures": 500,
    "Molecule.depiction": 20,
    "StateGraph.dot": 50,
    "StateGraph.svg": 500,
    "StateGraph.edges": 50,
    "Programme.moves": 10,
    # Worked out from all records of a study or molecule that count, so that a page of 25 of them is still allowed.
    "Study.exposures": 500,
    "Study.doseProportionality": 500,
    "Molecule.exposureMargins": 500,
    "Molecule.exposureMarginDoubts": 500,
    "Molecule.targetAttainment": 500,
    "Molecule.firstDoses": 100,
    # Held against the records as they are now.
    "Checkpoint.basisChanged": 50,
    "Checkpoint.changedInputs": 50,
    "Checkpoint.recommendationNow": 50,
    "Checkpoint.inputsNow": 50,
}
"""Fields that are worked out. One unit is about the time a row takes to be read."""

METHOD = 2_000
"""Any method under `calculate`: none takes long, but none is a look-up."""
VERSIONS = 5
"""All versions of a record, which are read beside it."""
COUNTED = 5
"""A `totalCount`, which looks at every row of the list."""

ROWS: Mapping[str, int] = {
    "Query.sites": 10,
    "Query.checkpointRules": 30,
    "AttritionReview.phases": 7,
    "AttritionReview.reasons": 40,
    "AttritionReview.incidence": 7,
    "AttritionReview.groups": 40,
    "AttritionReview.benchmarks": 25,
    "AttritionReview.caveats": 10,
    "AttritionReview.lateShareByYear": 25,
    "AttritionReview.missedTotals": 4,
    "AttritionReview.concordance": 22,
    "AttritionGroup.phases": 7,
    "MissedSignal.dosed": 4,
    "KeyFigures.bySite": 5,
    "KeyFigures.counts": 15,
    "KeyFigures.doubts": 3,
    "Molecule.programmes": 3,
    "Molecule.synonyms": 5,
    "Molecule.externalIds": 5,
    "Programme.transitions": 8,
    "StateGraph.stages": 12,
    "StateGraph.edges": 40,
    "Programme.moves": 6,
    "Study.molecules": 2,
    "Study.arms": 4,
    "Study.doseLevels": 6,
    "Study.dltDefinitions": 6,
    "Study.dltObservations": 10,
    "Study.recommendedDoses": 3,
    "Study.stops": 2,
    "Study.sources": 2,
    "DoseLevel.doses": 2,
    "Pool.members": 5,
    "RecordVersion.changes": 10,
    "Checkpoint.evidence": 10,
    "Checkpoint.votes": 5,
    "Checkpoint.conditions": 3,
    "Programme.openConditions": 3,
    "Checkpoint.changedInputs": 5,
    "Study.exposures": 30,
    "Exposure.parameters": 15,
    "Molecule.exposureMargins": 6,
}
"""Usual rows of lists without pages."""

BY_ARGUMENT: Mapping[str, str] = {"Query.moleculesByCode": "codes"}
"""Lists with a row for each value of an argument."""


def put_costs(schema: GraphQLSchema) -> None:
    """Put what fields cost into a schema."""
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for name, field in kind.fields.items():
            place = f"{kind.name}.{name}"
            cost: dict[str, Any] = {}
            if place in WEIGHTS:
                cost["weight"] = WEIGHTS[place]
            elif kind.name == "Calculate":
                cost["weight"] = METHOD
            elif name == "versions":
                cost |= {"weight": VERSIONS, "rows": 2}
            elif name == "totalCount" and kind.name.endswith("Connection"):
                cost["weight"] = COUNTED
            if place in ROWS:
                cost["rows"] = ROWS[place]
            if place in BY_ARGUMENT:
                cost["rows_by"] = (BY_ARGUMENT[place],)
            if cost:
                field.extensions = {**(field.extensions or {}), "cost": cost}
