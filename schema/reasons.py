"""Why something stopped: reasons proposed by rules or people, verified by somebody else, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
import orjson
from graphql import GraphQLResolveInfo

from pipeline.access import Permission
from pipeline.attrition.reason_proposal import FoundReason, open_targets_classes, propose_reasons
from pipeline.attrition.reason_rules import PROPOSER, WhyUnspecified
from pipeline.attrition.reason_taxonomy import reason_meanings
from pipeline.outcome import Outcome
from pipeline.reports.reason_agreement import reason_agreement
from pipeline.store.nodes import source_of
from pipeline.store.reader import Reader
from pipeline.store.selection import Link, Shape
from schema.conditions import filled, matching
from schema.node import Node, connection, is_node, node_id
from schema.reading import FORWARD, column, many, one
from schema.scalars import DateTime
from schema.selection import asked_of
from schema.versions import versions_field
from schema.words import AttritionReason, enum_of

WhyNotTold = enum_of(
    WhyUnspecified,
    "WhyNotTold",
    "Why no reason can be told from a text.",
    {
        "NO_TEXT": "There is no text.",
        "NO_WORDS_KNOWN": "None of its words belongs to a rule.",
        "ONLY_RULED_OUT": "It says only what was not the reason.",
        "CONTRADICTORY": "It speaks of both benefit and lack of it.",
        "INTERIM_LOOK": "It names a look at the data and not what was seen.",
        "PLANNED_PAUSE": "It names a pause that was foreseen.",
        "DECISION_WITHOUT_REASON": "It names who decided and not why.",
        "POINTS_ELSEWHERE": "It refers to another text.",
        "NO_REASON_OF_A_STOP": "It tells of completion, of an entry by mistake, or of no trial at all.",
        "STOP_WITHOUT_REASON": "It tells that it stopped and not why.",
    },
)


@is_node
class AttritionReasonRecord(graphene.ObjectType):
    """One reason of a stop: proposed by the rules or a person, and verified by somebody other than the proposer."""

    class Meta:
        interfaces = (Node,)

    id = node_id("AttritionReasonRecord")
    transition = one(lambda: _transition(), "Transition", parent="transition_id", description="The move that stopped.")
    study = one(lambda: _study(), "Study", parent="study_id", description="The study that stopped.")
    reason = column(AttritionReason, "reason", required=True, description="The reason proposed.")
    main = column(
        graphene.Boolean, "main", decode=bool, required=True, description="Whether it is the main reason of the stop."
    )
    verbatim = column(graphene.String, "verbatim", description="The words of the source, as they are.")
    words = column(
        graphene.List(graphene.NonNull(graphene.String)),
        "words",
        decode=orjson.loads,
        description="The words of it that speak for the reason.",
    )
    proposed_by = column(graphene.String, "proposed_by", required=True, description="Who proposed it, or which rules.")
    verified_reason = column(
        AttritionReason, "verified_reason", description="What the verifier found; null while nobody has verified it."
    )
    verified_by = column(graphene.String, "verified_by", description="Who verified it.")
    verified_at = column(DateTime, "verified_at", description="When it was verified.")
    comment = column(graphene.String, "comment", description="Why it differs, or what to mind.")
    version = column(graphene.Int, "version", required=True, description="Send back as expectedVersion when writing.")
    versions = versions_field("AttritionReasonRecord")


AttritionReasonRecordConnection = connection(AttritionReasonRecord)
REASONS_MATCHING = matching(verified=filled("verified_by"))


def reasons_field(child: str) -> Any:
    """Declare the reasons of a move or study."""
    return many(
        AttritionReasonRecord,
        "AttritionReasonRecord",
        child=child,
        order=("id",),
        description="Why it stopped: reasons proposed, the main one first, and what became of each.",
    )


# ---------------------------------------------------------------- what the rules read in a text


class ReasonTrigger(graphene.ObjectType):
    """Words of a text in which a rule was found."""

    rule = graphene.String(required=True, description="Id of the rule.")
    language = graphene.String(required=True, description="The language of the rule: en or fr.")
    words = graphene.String(required=True, description="The words, as the text has them.")
    start = graphene.Int(required=True, description="Where they begin in the text without markup, from 0.")
    end = graphene.Int(required=True, description="Just past their last character.")


class ProposedReason(graphene.ObjectType):
    """A reason that a text names, with all that speaks for it."""

    reason = graphene.Field(AttritionReason, required=True, description="The reason.")
    open_targets = graphene.String(required=True, description="The Open Targets class of what was found.")
    five_r = graphene.String(required=True, description="Its place in the five R frame; none where it has none.")
    triggers = graphene.List(
        graphene.NonNull(ReasonTrigger), required=True, description="The words that speak for it, in their order."
    )


class ReasonProposal(graphene.ObjectType):
    """What the rules read in a text: a proposal, never the last word. Nothing is recorded."""

    primary = graphene.Field(
        AttritionReason, required=True, description="The main reason; UNSPECIFIED if none is told."
    )
    why = graphene.Field(WhyNotTold, description="Why it cannot be told; null when it can.")
    reasons = graphene.List(
        graphene.NonNull(ProposedReason), required=True, description="Every reason named, the main one first."
    )
    ruled_out = graphene.List(
        graphene.NonNull(ProposedReason), required=True, description="Reasons named to be excluded."
    )
    open_targets = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Open Targets classes, that of the main one first.",
    )
    proposed_by = graphene.String(required=True, description="The rules and their version.")


def proposal_row(text: str) -> dict[str, Any]:
    """Return what the rules read in a text as a row of `ReasonProposal`."""
    proposal = propose_reasons(text)
    return {
        "primary": proposal.primary,
        "why": proposal.why,
        "reasons": [_proposed(one) for one in proposal.found],
        "ruled_out": [_proposed(one) for one in proposal.ruled_out],
        "open_targets": [one.value for one in open_targets_classes(proposal)],
        "proposed_by": PROPOSER,
    }


def _proposed(found: FoundReason) -> dict[str, Any]:
    return {
        "reason": found.reason,
        "open_targets": found.open_targets.value,
        "five_r": reason_meanings()[found.reason].five_r.value,
        "triggers": [
            {"rule": one.rule, "language": one.language, "words": one.words, "start": one.start, "end": one.end}
            for one in found.triggers
        ],
    }


# ---------------------------------------------------------------- how far they agree


class ReasonDisagreement(graphene.ObjectType):
    """Two reasons that proposer and verifier gave the same stops."""

    proposed = graphene.Field(AttritionReason, required=True, description="What was proposed.")
    verified = graphene.Field(AttritionReason, required=True, description="What the verifier found.")
    count = graphene.Int(required=True, description="For how many stops.")


class ReasonAgreement(graphene.ObjectType):
    """How far main reasons as proposed and as verified agree (E8_reason_agreement)."""

    proposer = graphene.String(required=True, description="ALL, RULES or PEOPLE: who proposed.")
    stops = graphene.Int(required=True, description="Stops with a main reason that is verified.")
    agreed = graphene.Int(required=True, description="Of them, with the reason that was proposed.")
    observed = graphene.Float(description="Their share, 0 to 1; null where there is no stop.")
    expected = graphene.Float(description="The share that would agree by chance.")
    kappa = graphene.Float(description="Agreement beyond chance; null where it cannot be computed.")
    kappa_lower = graphene.Float(description="Lower 95 % limit of kappa.")
    kappa_upper = graphene.Float(description="Upper 95 % limit of kappa.")
    why_not = graphene.String(description="Why kappa is null: no_data or not_estimable.")
    flags = graphene.List(graphene.NonNull(graphene.String), required=True, description="few_pairs below 30 stops.")
    disagreements = graphene.List(
        graphene.NonNull(ReasonDisagreement),
        required=True,
        description="What they disagree on, the most frequent first.",
    )
    method = graphene.String(required=True, description="Id of the method.")
    version = graphene.Int(required=True, description="Version of the method.")


def agreement_rows(reader: Reader) -> Sequence[Mapping[str, Any]]:
    """Return rows of `ReasonAgreement`."""
    return [
        {
            "proposer": one.proposer,
            "stops": one.agreement.n,
            "agreed": one.agreement.agreed or 0,
            "observed": one.agreement.observed,
            "expected": one.agreement.expected,
            "kappa": one.agreement.kappa,
            "kappa_lower": one.agreement.kappa_lower,
            "kappa_upper": one.agreement.kappa_upper,
            "why_not": _why_not(one.agreement),
            "flags": list(one.agreement.flags),
            "disagreements": [
                {"proposed": proposed, "verified": verified, "count": count}
                for proposed, verified, count in one.disagreements
            ],
            "method": one.agreement.method,
            "version": one.agreement.version,
        }
        for one in reason_agreement(reader)
    ]


def _why_not(agreement: Outcome) -> str | None:
    return agreement.reason or agreement.missing.get("kappa")


class ReasonQueries:
    """The root fields of this module, as `Query` takes them."""

    reason_proposal = graphene.Field(
        ReasonProposal,
        required=True,
        text=graphene.String(required=True, description="Free text in English or French; markup is passed over."),
        description="What the reason rules read in a text; nothing is recorded.",
    )
    reasons = graphene.Field(
        AttritionReasonRecordConnection,
        required=True,
        verified=graphene.Boolean(description="Only those verified, or only those that wait for it."),
        **FORWARD,
        description="Reasons of stops that were proposed, in the order of their proposal.",
    )
    reason_agreement = graphene.List(
        graphene.NonNull(ReasonAgreement),
        required=True,
        description="How far proposers and verifiers agree: all, the rules, and people.",
    )

    @staticmethod
    def resolve_reason_proposal(_root: Any, info: GraphQLResolveInfo, text: str) -> Any:
        """Read a text by the rules."""
        info.context.need(Permission.READ)
        return proposal_row(text)

    @staticmethod
    def resolve_reasons(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Read a page of reasons."""
        reader = info.context.reader
        asked = asked_of(info, Link("AttritionReasonRecord", Shape.CONNECTION, (), ()), arguments)
        conditions = REASONS_MATCHING(source_of("AttritionReasonRecord", reader.view), arguments)
        return reader.page(asked.below["AttritionReasonRecord"], asked, conditions, whole=True)

    @staticmethod
    def resolve_reason_agreement(_root: Any, info: GraphQLResolveInfo) -> Any:
        """Compare what was proposed with what was verified."""
        return agreement_rows(info.context.reader)


def _transition() -> Any:
    from schema.programmes import Transition

    return Transition


def _study() -> Any:
    from schema.studies import Study

    return Study
