"""The key figures of the centre by year, and recording the counts they need."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import graphene
import orjson
from graphql import GraphQLResolveInfo
from sqlalchemy import select

from pipeline.attrition.yearly_figures import COUNTS, KeyFigures
from pipeline.commands.yearly_counts import RecordYearlyCount
from pipeline.dates import instant
from pipeline.reports.key_figures import figures_of
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader, moment
from pipeline.store.tables import sites
from schema.missed_signals import Estimate, estimate_row
from schema.node import Node, is_node, node_id
from schema.reading import column, given
from schema.scalars import DateTime
from schema.stages import Site
from schema.versions import versions_field
from schema.writing import KEY, Written, mutation, payload

_NAMES = "; ".join(f"{name}: {what}" for name, what in COUNTS.items())


class SiteFigures(graphene.ObjectType):
    """The figures of one site."""

    site = given(Site, required=True, description="The site.")
    open_trials = given(graphene.Int, required=True, description="Trials open there.")
    inclusions = given(graphene.Int, required=True, description="People who joined one there.")


class YearlyFigure(graphene.ObjectType):
    """One count of the year: what was recorded, and what the records here give."""

    name = given(graphene.String, required=True, description=f"{_NAMES}.")
    site = given(graphene.String, description="Code of the site; null for the whole centre.")
    recorded = given(graphene.Int, description="As recorded; it is used where it is there.")
    source = given(graphene.String, description="Where the recorded count comes from.")
    derived = given(graphene.Int, description="What the studies and subjects on record give.")
    definition = given(graphene.String, required=True, description="What is counted.")


class KeyFiguresOfYear(graphene.ObjectType):
    """The key figures of the centre in a year."""

    class Meta:
        name = "KeyFigures"

    year = given(graphene.Int, required=True, description="The year.")
    open_trials = given(graphene.Int, required=True, description="Trials open on at least one day of the year.")
    inclusions = given(graphene.Int, required=True, description="People who joined a trial in the year.")
    active_file = given(graphene.Int, required=True, description="Patients followed; 0 where it is not recorded.")
    inclusion_share = given(Estimate, required=True, description="Inclusions over the active file.")
    early_phase_share = given(
        Estimate, required=True, description="Open trials in phase 1, 1/2 or 2 over all open trials."
    )
    proposed_share = given(Estimate, description="Patients asked to join a trial over those seen; null if unrecorded.")
    proposed_goal = given(graphene.Float, required=True, description="The share that is aimed at.")
    by_site = given(graphene.List(graphene.NonNull(SiteFigures)), required=True, description="Site by site.")
    definition_version = given(graphene.String, required=True, description="Version of the definitions.")
    counts = given(
        graphene.List(graphene.NonNull(YearlyFigure)), required=True, description="The counts all this is made of."
    )
    doubts = given(
        graphene.List(graphene.NonNull(graphene.String)),
        required=True,
        description="What is missing, and where recorded counts are not those of the records.",
    )


@is_node
class YearlyCount(graphene.ObjectType):
    """A count of a year as it was recorded."""

    class Meta:
        interfaces = (Node,)

    id = node_id("YearlyCount")
    year = column(graphene.Int, "year", required=True, description="The year.")
    site_code = column(graphene.String, "site_code", required=True, description="The site; empty for the whole centre.")
    name = column(graphene.String, "name", required=True, description=f"{_NAMES}.")
    value = column(graphene.Float, "value", description="How many.")
    source = column(graphene.String, "source", required=True, description="Where it comes from.")
    version = column(graphene.Int, "version", required=True, description="Version of the record.")
    versions = versions_field("YearlyCount")


class RecordYearlyCountInput(graphene.InputObjectType):
    """A count of a year."""

    year = graphene.Int(required=True, description="The year.")
    name = graphene.String(required=True, description=f"{_NAMES}.")
    value = graphene.Int(required=True, description="How many.")
    site = graphene.String(description="Code of the site; left out for the whole centre.")
    source = graphene.String(required=True, description="Where it comes from: system, report, person.")
    idempotency_key = KEY


RecordYearlyCountPayload = payload(
    "RecordYearlyCount", count=given(YearlyCount, description="The count, now on record.")
)


class KeyFigureMutations:
    """Recording counts."""

    record_yearly_count = mutation(
        RecordYearlyCountPayload,
        RecordYearlyCountInput,
        lambda given: RecordYearlyCount(
            given["year"], given["name"], given["value"], given["source"], given.get("site")
        ),
        count=Written("YearlyCount", "count"),
        description="Record a count of a year; recorded again it replaces the one before, which stays in the history.",
    )


class KeyFigureQueries:
    """Asking for the key figures."""

    key_figures = graphene.Field(
        KeyFiguresOfYear,
        required=True,
        year=graphene.Int(required=True, description="The year."),
        known_at=DateTime(description="What was recorded by then, of counts, studies and subjects."),
        description="The key figures of the centre in a year, each with its definition and its counts.",
    )

    @staticmethod
    def resolve_key_figures(_root: Any, info: GraphQLResolveInfo, year: int, known_at: datetime | None = None) -> Any:
        """Read the figures of a year."""
        reader: Reader = info.context.reader
        if known_at is not None:
            reader = reader.at(moment(reader.connection, None, instant(known_at)))
        return _row(figures_of(reader, year), _sites(reader))


def _sites(reader: Reader) -> dict[str, dict[str, Any]]:
    statement = select(sites).where(visible(sites, reader.view)).order_by(sites.c.code)
    return {
        row["code"]: {
            "code": row["code"],
            "name": row["name"],
            "city": row["city"],
            "routing": orjson.loads(row["routing"]),
        }
        for row in reader.connection.execute(statement).mappings()
    }


def _row(found: KeyFigures, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    proposed = found.proposed_share
    return {
        "year": found.year,
        "openTrials": found.open_trials,
        "inclusions": found.inclusions,
        "activeFile": found.active_file,
        "inclusionShare": estimate_row(found.inclusion_share),
        "earlyPhaseShare": estimate_row(found.early_phase_share),
        "proposedShare": None if proposed is None else estimate_row(proposed),
        "proposedGoal": found.proposed_goal,
        "bySite": [
            {"site": known[one.site], "openTrials": one.open_trials, "inclusions": one.inclusions}
            for one in found.by_site
            if one.site in known
        ],
        "definitionVersion": found.version,
        "counts": [
            {
                "name": one.name,
                "site": one.site or None,
                "recorded": one.recorded,
                "source": one.source,
                "derived": one.derived,
                "definition": COUNTS[one.name],
            }
            for one in found.counts
        ],
        "doubts": found.doubts,
    }
