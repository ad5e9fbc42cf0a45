"""The attrition review: rates with their numbers, curves, reasons, the late share, published rates beside our own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline.centre import utc_now
from pipeline.errors import InputError
from pipeline.reports.attrition_review import ReviewRequest, attrition_review
from pipeline.store.filters import PortfolioFilter
from pipeline.store.reader import Reader
from pipeline.words import AttritionReason as Reason
from schema.missed_signals import KEY, Estimate, OfSignals, estimate_row, signals_below
from schema.reading import given
from schema.stages import Stage, stage_row
from schema.words import AttritionReason, enum_of

if TYPE_CHECKING:
    from pipeline.attrition import review_results as results
    from pipeline.stages.graph import StageGraph


class Rule(StrEnum):
    """The published ways to count who passes a phase; see `pipeline.attrition.counting`."""

    PHASE_BY_PHASE = "PHASE_BY_PHASE"
    PATH_BY_PATH = "PATH_BY_PATH"
    PROGRESSION_DECISION = "PROGRESSION_DECISION"


CountingRule = enum_of(
    Rule,
    "CountingRule",
    "How it is counted who passes a phase.",
    {
        "PHASE_BY_PHASE": "Programmes seen in a phase whose outcome is known; the likelihood of approval is a product.",
        "PATH_BY_PATH": "Programmes known to have reached a phase, seen there or not: what was passed over was passed.",
        "PROGRESSION_DECISION": "Exits from a phase, each when it happened; a programme may leave a phase twice.",
    },
)


class PhaseTransition(graphene.ObjectType):
    """What became of the programmes of one phase."""

    stage = given(Stage, required=True, description="The phase; a combined phase counts as its later one.")
    entered = given(graphene.Int, required=True, description="Programmes counted in it.")
    advanced = given(graphene.Int, required=True, description="Those that went on to a later phase.")
    stopped = given(graphene.Int, required=True, description="Those that stopped, unannounced ones included.")
    unannounced = given(
        graphene.Int, required=True, description="Of the stopped: the phase was completed and nothing followed."
    )
    in_phase = given(graphene.Int, required=True, description="Those still inside: in no denominator.")
    stalled = given(graphene.Int, required=True, description="Those that fell silent: neither inside nor stopped.")
    rate = given(Estimate, required=True, description="Advanced over advanced and stopped.")
    median_years = given(
        graphene.Float, description="Median time in the stage, those inside censored; null where not reached."
    )


class ReasonCount(graphene.ObjectType):
    """How many stops in a stage had a reason as the primary one."""

    stage = given(Stage, required=True, description="Where they were stopped.")
    reason = given(AttritionReason, required=True, description="Why; UNSPECIFIED where nobody said so.")
    count = given(graphene.Int, required=True, description="How many.")
    contributing = given(
        graphene.Int, description="How many more had it beside another reason; null where that is not recorded."
    )


class IncidenceCurve(graphene.ObjectType):
    """Cumulative incidence of one way to leave a stage, by time since entering it."""

    cause = given(
        graphene.String,
        required=True,
        description="ADVANCED, TOXICITY, EFFICACY, EXPOSURE, OTHER, NOT_STATED or UNANNOUNCED.",
    )
    years = given(
        graphene.List(graphene.NonNull(graphene.Float)), required=True, description="Years since entering the stage."
    )
    probability = given(
        graphene.List(graphene.NonNull(graphene.Float)),
        required=True,
        description="Probability of having left in this way by then.",
    )
    low = given(
        graphene.List(graphene.NonNull(graphene.Float)),
        required=True,
        description="Lower 95 % limits; where none is defined, the probability itself.",
    )
    high = given(
        graphene.List(graphene.NonNull(graphene.Float)),
        required=True,
        description="Upper 95 % limits; where none is defined, the probability itself.",
    )
    at_risk = given(
        graphene.List(graphene.NonNull(graphene.Int)), required=True, description="Programmes still followed then."
    )


class Benchmark(graphene.ObjectType):
    """A published rate beside our own: a line to compare with, never a target."""

    source = given(graphene.String, required=True, description="Who published it.")
    population = given(graphene.String, required=True, description="Of which programmes.")
    definition = given(graphene.String, required=True, description="How they were counted, and which step it is.")
    stage = given(graphene.String, required=True, description="The phase the step begins in, by code.")
    rate = given(graphene.Float, required=True, description="The published rate.")
    n = given(graphene.Int, description="Programmes it is out of; null where that is not printed.")
    own = given(Estimate, required=True, description="Our own rate of the same step, counted the same way.")
    difference = given(graphene.Float, description="Own minus published; null where they cannot be compared.")
    beyond_chance = given(graphene.Boolean, description="Whether they differ by more than chance; null as above.")
    statement = given(graphene.String, required=True, description="The same in words.")


class AttritionCaveat(graphene.ObjectType):
    """What a review cannot say, or not surely."""

    code = given(graphene.String, required=True, description="A short word for programs.")
    sentence = given(graphene.String, required=True, description="What has to be known.")
    count = given(graphene.Int, required=True, description="How many programmes, or phases, it is about.")
    names = given(
        graphene.List(graphene.NonNull(graphene.String)), required=True, description="The first programmes by name."
    )


class LateShareOfYear(graphene.ObjectType):
    """The late share of the scientific stops of one year."""

    year = given(graphene.Int, required=True, description="The year of the stops.")
    share = given(Estimate, required=True, description="Late ones over all of them.")


class AttritionGroup(graphene.ObjectType):
    """The figures of one group of programmes."""

    dimension = given(
        graphene.String,
        required=True,
        description="modality, disease_group, target_class, biomarker_selected, site or entry_period.",
    )
    group = given(graphene.String, required=True, description="The group.")
    programmes = given(graphene.Int, required=True, description="Programmes in it.")
    phases = given(
        graphene.List(graphene.NonNull(PhaseTransition)), required=True, description="Its rates, phase after phase."
    )
    likelihood_of_approval = given(Estimate, description="From phase 1 on.")
    late_share = given(Estimate, description="Late scientific stops over all of its scientific stops.")


class AttritionReview(OfSignals, graphene.ObjectType):
    """Where, when and why programmes stop."""

    counting_rule = given(CountingRule, required=True, description="How it was counted.")
    definition = given(graphene.String, required=True, description="The same in words.")
    method_version = given(graphene.String, required=True, description="The method and its version.")
    followed_until = given(graphene.String, required=True, description="Until which day programmes were followed.")
    programmes = given(graphene.Int, required=True, description="How many were reviewed.")
    late_entries = given(
        graphene.Int, required=True, description="Those first on record at a later stage: left-truncated."
    )
    phases = given(
        graphene.List(graphene.NonNull(PhaseTransition)), required=True, description="The rates, phase after phase."
    )
    likelihood_of_approval = given(Estimate, description="From phase 1 on; null where no stage of approval is known.")
    late_share = given(
        Estimate,
        description="Scientific stops (toxicity or inefficacy) at phase 3 or later over all scientific stops.",
    )
    late_share_by_year = given(
        graphene.List(graphene.NonNull(LateShareOfYear)), required=True, description="The same by year of the stop."
    )
    reasons = given(
        graphene.List(graphene.NonNull(ReasonCount)), required=True, description="Why programmes stopped, by stage."
    )
    incidence = graphene.List(
        graphene.NonNull(IncidenceCurve),
        required=True,
        stage=graphene.String(required=True, description="The stage, by code."),
        description="Cumulative incidence of advancing and of each kind of stop, time since entering the stage "
        "(Aalen-Johansen); empty where fewer than five stays were observed.",
    )
    groups = graphene.List(
        graphene.NonNull(AttritionGroup),
        required=True,
        dimension=graphene.String(description="Only this way of grouping."),
        description="The figures by group.",
    )
    benchmarks = given(
        graphene.List(graphene.NonNull(Benchmark)), required=True, description="Published rates beside our own."
    )
    caveats = given(
        graphene.List(graphene.NonNull(AttritionCaveat)),
        required=True,
        description="What cannot be said, or not surely, and about which programmes.",
    )

    @staticmethod
    def resolve_incidence(row: Mapping[str, Any], _info: GraphQLResolveInfo, stage: str) -> Any:
        """Pick the curves of one stage."""
        if stage not in row["curves"]:
            raise InputError(
                f"{stage[:60]!r} is not a stage; the stages are {', '.join(row['curves'])}", path=("stage",)
            )
        return row["curves"][stage]

    @staticmethod
    def resolve_groups(row: Mapping[str, Any], _info: GraphQLResolveInfo, dimension: str | None = None) -> Any:
        """Pick the groups of one dimension, or all."""
        return [group for group in row["groups"] if dimension in (None, group["dimension"])]


def review_row(reader: Reader, wanted: PortfolioFilter, rule: Rule, known_at: datetime | None) -> dict[str, Any]:
    """Return the review of a portfolio as a row of `AttritionReview`.

    Programmes are followed until the day looked back from, else until the day of what is known, else until today.
    """
    now = utc_now()
    today = min(known_at or now, now).astimezone(UTC).date().isoformat()
    request = ReviewRequest(today=today, rule=rule.value, filter=wanted)
    found = attrition_review(reader, request)
    _, graph = reader.graphs.in_force(reader.connection)
    medians = {one.stage: one.median for one in found.times}
    return {
        "countingRule": rule,
        "definition": found.counted.definition,
        "methodVersion": found.method_version,
        "followedUntil": found.question.day,
        "programmes": found.programmes,
        "lateEntries": found.late_entries,
        "phases": [_phase(graph, phase, medians.get(phase.stage)) for phase in found.counted.phases],
        "likelihoodOfApproval": estimate_row(found.likelihood.estimate) if found.likelihood else None,
        "lateShare": estimate_row(found.late_share),
        "lateShareByYear": [
            {"year": one.year, "share": estimate_row(one.estimate)} for one in found.late_share_by_year
        ],
        "reasons": [
            {
                "stage": _stage(graph, one.stage),
                "reason": Reason(one.reason),
                "count": one.count,
                "contributing": one.contributing,
            }
            for one in found.reasons
        ],
        "curves": _curves(found, [stage.code for stage in graph.stages]),
        "groups": _groups(graph, found),
        "benchmarks": [_benchmark(one) for one in found.benchmarks],
        "caveats": [
            {"code": one.code, "sentence": one.sentence, "count": one.count, "names": one.names}
            for one in found.caveats
        ],
        KEY: signals_below(reader, request, graph),
    }


def _stage(graph: StageGraph, code: str) -> dict[str, Any]:
    """Return a stage as a row; one that only an earlier graph knew has its code for a name."""
    if code in graph:
        return stage_row(graph.stage(code))
    return {"code": code, "name": code, "platform": "", "ordinal": 0}


def _phase(graph: StageGraph, phase: results.PhaseRate, median: float | None) -> dict[str, Any]:
    return {
        "stage": _stage(graph, phase.stage),
        "entered": phase.entered,
        "advanced": phase.advanced,
        "stopped": phase.stopped,
        "unannounced": phase.unannounced,
        "inPhase": phase.in_phase,
        "stalled": phase.stalled,
        "rate": estimate_row(phase.rate),
        "medianYears": median,
    }


def _groups(graph: StageGraph, found: results.AttritionReview) -> list[dict[str, Any]]:
    rows = []
    for one in found.groups:
        medians = {time.stage: time.median for time in one.times}
        rows.append(
            {
                "dimension": one.dimension,
                "group": one.group,
                "programmes": one.programmes,
                "phases": [_phase(graph, phase, medians.get(phase.stage)) for phase in one.phases],
                "likelihoodOfApproval": estimate_row(one.likelihood.estimate) if one.likelihood else None,
                "lateShare": estimate_row(one.late_share),
            }
        )
    return rows


def _curves(found: results.AttritionReview, stages: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    curves: dict[str, list[dict[str, Any]]] = {stage: [] for stage in stages}
    for one in found.incidence:
        curves.setdefault(one.stage, []).append(
            {
                "cause": one.cause,
                "years": one.years,
                "probability": one.probability,
                "low": _limits(one, one.low),
                "high": _limits(one, one.high),
                "atRisk": one.at_risk,
            }
        )
    return curves


def _limits(curve: results.IncidenceCurve, limits: Iterable[float | None]) -> list[float]:
    return [value if limit is None else limit for limit, value in zip(limits, curve.probability, strict=True)]


def _benchmark(one: results.BenchmarkComparison) -> dict[str, Any]:
    return {
        "source": one.source,
        "population": one.population,
        "definition": one.definition,
        "stage": one.stage,
        "rate": one.rate,
        "n": one.n,
        "own": estimate_row(one.own),
        "difference": one.difference,
        "beyondChance": one.beyond_chance,
        "statement": one.statement,
    }
