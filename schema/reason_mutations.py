"""Writing reasons of stops: proposing them, and verifying what somebody else proposed."""

from __future__ import annotations

from typing import Any

import graphene

from pipeline.commands.reasons import ProposeReasons, VerifyReason
from schema.node import id_of
from schema.reading import given
from schema.reasons import AttritionReasonRecord
from schema.words import AttritionReason
from schema.writing import KEY, Written, mutation, payload


class ProposeReasonsInput(graphene.InputObjectType):
    """Why something stopped: by a person, or by the rules where no reasons are given."""

    transition = graphene.ID(description="The move that stopped; either this or study.")
    study = graphene.ID(description="The study that stopped.")
    reasons = graphene.List(
        graphene.NonNull(AttritionReason), description="The main reason first; left out: what the rules read."
    )
    verbatim = graphene.String(description="The words of the source; those on record where left out.")
    comment = graphene.String(description="What to mind.")
    idempotency_key = KEY


class VerifyReasonInput(graphene.InputObjectType):
    """What somebody other than the proposer finds."""

    record = graphene.ID(required=True, description="The reason proposed.")
    reason = AttritionReason(
        required=True, description="The reason it is; UNSPECIFIED for a further reason says that it is none."
    )
    comment = graphene.String(description="Why; asked for where it differs.")
    expected_version = graphene.Int(description="The version you saw; refused when it has changed since.")
    idempotency_key = KEY


ProposeReasonsPayload = payload(
    "ProposeReasons",
    reasons=given(
        graphene.List(graphene.NonNull(AttritionReasonRecord)),
        required=True,
        description="The reasons now proposed, the main one first.",
    ),
)
VerifyReasonPayload = payload("VerifyReason", record=given(AttritionReasonRecord, description="The reason, verified."))


def _propose(input: Any) -> ProposeReasons:
    transition, study = input.get("transition"), input.get("study")
    return ProposeReasons(
        transition=None if transition is None else id_of(transition, "Transition", path=("input", "transition")),
        study=None if study is None else id_of(study, "Study", path=("input", "study")),
        reasons=tuple(input.get("reasons") or ()),
        verbatim=input.get("verbatim"),
        comment=input.get("comment"),
    )


def _verify(input: Any) -> VerifyReason:
    return VerifyReason(
        record=id_of(input.record, "AttritionReasonRecord", path=("input", "record")),
        reason=input.reason,
        comment=input.get("comment"),
        expected_version=input.get("expected_version"),
    )


class ReasonMutations:
    """What can be written about reasons."""

    propose_reasons = mutation(
        ProposeReasonsPayload,
        ProposeReasonsInput,
        _propose,
        reason="comment",
        reasons=Written("AttritionReasonRecord", "first", count="count"),
        description="Propose why a programme or study stopped; replaces a proposal nobody has verified.",
    )
    verify_reason = mutation(
        VerifyReasonPayload,
        VerifyReasonInput,
        _verify,
        reason="comment",
        record=Written("AttritionReasonRecord", "record"),
        description="Verify a reason somebody else proposed; the main one becomes that of the move or study.",
    )
