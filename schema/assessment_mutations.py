"""Writing checkpoints: assessments on frozen evidence, decisions of people, conflicts of interest."""

from __future__ import annotations

import graphene

from pipeline.commands.assessments import AssessCheckpoint, DecideCheckpoint
from pipeline.commands.conditions import SettleCondition
from pipeline.commands.conflicts import DeclareConflict
from schema.evidence import CheckpointCondition
from schema.facts import MoleculeFact, RecordMoleculeFactInput, fact_of
from schema.molecules import Molecule
from schema.node import id_of
from schema.programmes import Checkpoint
from schema.reading import given
from schema.scalars import Date
from schema.words import Verdict
from schema.writing import KEY, Written, mutation, payload


class AssessCheckpointInput(graphene.InputObjectType):
    """A rule to assess on the records as they stand."""

    programme = graphene.ID(required=True, description="The programme, at the stage it is at now.")
    rule = graphene.String(required=True, description="The rule's code; see `moves` for those that are asked.")
    study = graphene.ID(description="Not used: the evidence of all studies of the molecule is gathered.")
    idempotency_key = KEY


class DecideCheckpointInput(graphene.InputObjectType):
    """A decision on an assessment."""

    checkpoint = graphene.ID(required=True, description="The assessment.")
    verdict = Verdict(required=True, description="What is decided.")
    justification = graphene.String(description="Why; asked for against the recommendation.")
    conditions = graphene.String(
        description='For CONDITIONAL_GO, one to a line: "what | owner | YYYY-MM-DD" (the day it is due).'
    )
    expected_version = graphene.Int(description="The version you decided on.")


class SettleConditionInput(graphene.InputObjectType):
    """What became of a condition of a decision."""

    condition = graphene.ID(required=True, description="The condition.")
    met = graphene.Boolean(
        required=True, description="True: it is met. False: it is lifted, which means no longer asked for."
    )
    note = graphene.String(required=True, description="What shows that it is met, or why it is lifted.")
    on = Date(description="When; today where left out.")
    expected_version = graphene.Int(description="The version you read.")
    idempotency_key = KEY


class DeclareConflictInput(graphene.InputObjectType):
    """A conflict of interest of one's own."""

    molecule = graphene.ID(required=True, description="About which molecule.")
    statement = graphene.String(required=True, description="What it consists of.")


AssessCheckpointPayload = payload(
    "AssessCheckpoint", checkpoint=given(Checkpoint, description="The assessment, open to decide.")
)
DecideCheckpointPayload = payload(
    "DecideCheckpoint", checkpoint=given(Checkpoint, description="The checkpoint, decided.")
)
SettleConditionPayload = payload(
    "SettleCondition", condition=given(CheckpointCondition, description="The condition, settled.")
)
DeclareConflictPayload = payload("DeclareConflict", molecule=given(Molecule, description="The molecule it is about."))
RecordMoleculeFactPayload = payload(
    "RecordMoleculeFact", fact=given(MoleculeFact, description="The figure, now on record.")
)


class AssessmentMutations:
    """Assessing rules and deciding on them."""

    assess_checkpoint = mutation(
        AssessCheckpointPayload,
        AssessCheckpointInput,
        lambda input: AssessCheckpoint(
            id_of(input["programme"], "Programme", path=("input", "programme")), input["rule"]
        ),
        description="Gather the evidence of a rule, compute what it recommends, and freeze what was seen.",
        checkpoint=Written("Checkpoint", "checkpoint"),
    )
    decide_checkpoint = mutation(
        DecideCheckpointPayload,
        DecideCheckpointInput,
        lambda input: DecideCheckpoint(
            id_of(input["checkpoint"], "Checkpoint", path=("input", "checkpoint")),
            input["verdict"],
            input.get("justification"),
            input.get("conditions"),
            input.get("expected_version"),
        ),
        description="Decide on an assessment: with its recommendation or, justified, against it.",
        checkpoint=Written("Checkpoint", "checkpoint"),
    )
    settle_condition = mutation(
        SettleConditionPayload,
        SettleConditionInput,
        lambda input: SettleCondition(
            id_of(input["condition"], "CheckpointCondition", path=("input", "condition")),
            input["met"],
            input["note"],
            input.get("on"),
            input.get("expected_version"),
        ),
        reason="note",
        description="Record that a condition of a decision is met, or lifted; by somebody other than its owner.",
        condition=Written("CheckpointCondition", "condition"),
    )
    declare_conflict = mutation(
        DeclareConflictPayload,
        DeclareConflictInput,
        lambda input: DeclareConflict(
            id_of(input["molecule"], "Molecule", path=("input", "molecule")), input["statement"]
        ),
        description="Declare a conflict of interest: one has no vote on the molecule from then on.",
        molecule=Written("Molecule", "molecule"),
    )
    record_molecule_fact = mutation(
        RecordMoleculeFactPayload,
        RecordMoleculeFactInput,
        fact_of,
        description="Record a figure of a molecule, or mend it.",
        fact=Written("MoleculeFact", "fact"),
    )
