"""What can be written. Every refusal comes back in `errors`; nothing is written then."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline.commands.checkpoints import RecordCheckpoint
from pipeline.commands.molecules import MergeMolecules, RegisterMolecule
from pipeline.commands.programmes import MoveProgramme, OpenProgramme
from pipeline.commands.reviews import DecideReview
from schema.assessment_mutations import AssessmentMutations
from schema.imports import ImportInput, ImportReport, import_file
from schema.inefficacy import InefficacyInput, said_of
from schema.key_figures import KeyFigureMutations
from schema.mappings import MappingMutations
from schema.molecules import Molecule
from schema.monitoring_mutations import MonitoringMutations
from schema.node import id_of
from schema.programmes import Checkpoint, Programme, Transition
from schema.reading import given
from schema.reason_mutations import ReasonMutations
from schema.reviews import ReviewItem, ReviewStatus
from schema.rule_mutations import RuleMutations
from schema.scalars import PartialDateTime, Upload
from schema.words import AttritionReason, Modality, MoveKind, Verdict
from schema.writing import KEY, Written, mutation, payload


class RegisterMoleculeInput(graphene.InputObjectType):
    """A molecule to put on record, with its first programme."""

    code = graphene.String(required=True, description="The centre's own code, unique, for example IUCT-0042.")
    name = graphene.String(required=True, description="Its name.")
    modality = Modality(required=True, description="What kind of entity it is.")
    smiles = graphene.String(description="Its structure.")
    synonyms = graphene.List(graphene.NonNull(graphene.String), description="Other names.")
    targets = graphene.List(graphene.NonNull(graphene.String), description="What it acts on.")
    indication = graphene.String(description="The disease; left out while it is still open.")
    disease_group = graphene.String(description="Decides the site of phases 3 and 4.")
    biomarker = graphene.String(description="What subjects are selected by.")
    idempotency_key = KEY


class OpenProgrammeInput(graphene.InputObjectType):
    """A further indication of a molecule."""

    molecule = graphene.ID(required=True, description="The molecule.")
    indication = graphene.String(required=True, description="The disease.")
    disease_group = graphene.String(description="Decides the site of phases 3 and 4.")
    biomarker = graphene.String(description="What subjects are selected by.")
    branch_from = graphene.ID(description="A programme of the same molecule whose stage this one shares.")
    idempotency_key = KEY


class MoveProgrammeInput(graphene.InputObjectType):
    """A move of a programme, or the correction of its last entry."""

    programme = graphene.ID(required=True, description="The programme.")
    kind = MoveKind(required=True, description="How it moves.")
    to = graphene.String(
        description="The stage it leads to, by code; may be left out where there is only one. A correction with "
        "neither stage nor date says that the last entry never happened."
    )
    reason = AttritionReason(description="Why; asked for a hold, a stop, a restart and a correction.")
    reason_verbatim = graphene.String(description="Why, in the words of whoever decided.")
    occurred_on = PartialDateTime(
        description="When it happened; today where left out. A correction that gives only a date mends the date."
    )
    expected_version = graphene.Int(required=True, description="The programme's version you decided on.")
    inefficacy = InefficacyInput(
        description="For a stop for lack of efficacy: whether the mechanism was tested, where the records do not tell."
    )
    idempotency_key = KEY


class RecordCheckpointInput(graphene.InputObjectType):
    """A decision on a rule, taken by people outside this program."""

    programme = graphene.ID(required=True, description="The programme, at the stage it is at now.")
    rule = graphene.String(required=True, description="The rule's code; see `moves` for those that are asked.")
    verdict = Verdict(required=True, description="What was decided.")
    explanation = graphene.String(required=True, description="On what grounds, in a sentence or two.")
    reference = graphene.String(description="The document that holds the decision.")
    statistic = graphene.Float(description="The value found.")
    threshold = graphene.Float(description="The bar.")
    decided_on = PartialDateTime(description="When; today where left out.")
    conditions = graphene.String(
        description='Of a CONDITIONAL_GO, one to a line: "what | owner | YYYY-MM-DD" (the day it is due).'
    )
    idempotency_key = KEY


class MergeMoleculesInput(graphene.InputObjectType):
    """Two records of one molecule."""

    keep = graphene.ID(required=True, description="The record that stays.")
    merge = graphene.ID(required=True, description="The record that leads to it from now on.")
    reason = graphene.String(required=True, description="Why they are one.")


class DecideReviewInput(graphene.InputObjectType):
    """A decision on an item of the review list."""

    item = graphene.ID(required=True, description="The item.")
    status = ReviewStatus(required=True, description="ACCEPTED does what is proposed, REJECTED does nothing.")
    value = graphene.String(description="What to do instead, with CHANGED.")
    comment = graphene.String(description="Why so.")


RegisterMoleculePayload = payload(
    "RegisterMolecule", molecule=given(Molecule, description="The molecule, now on record.")
)
OpenProgrammePayload = payload("OpenProgramme", programme=given(Programme, description="The programme opened."))
MoveProgrammePayload = payload(
    "MoveProgramme",
    programme=given(Programme, description="The programme, moved."),
    transition=given(Transition, description="The move; null when a correction said it never happened."),
)
RecordCheckpointPayload = payload("RecordCheckpoint", checkpoint=given(Checkpoint, description="The checkpoint."))
MergeMoleculesPayload = payload("MergeMolecules", molecule=given(Molecule, description="The molecule kept."))
DecideReviewPayload = payload("DecideReview", item=given(ReviewItem, description="The item, decided."))


ImportPayload = payload("Import", report=given(ImportReport, description="What became of every row."))


def _register_molecule(input: Any) -> RegisterMolecule:
    return RegisterMolecule(
        code=input.code,
        name=input.name,
        modality=input.modality,
        smiles=input.get("smiles"),
        synonyms=tuple(input.get("synonyms") or ()),
        targets=tuple(input.get("targets") or ()),
        indication=input.get("indication"),
        disease_group=input.get("disease_group"),
        biomarker=input.get("biomarker"),
    )


def _open_programme(input: Any) -> OpenProgramme:
    branch = input.get("branch_from")
    return OpenProgramme(
        molecule=id_of(input.molecule, "Molecule", path=("input", "molecule")),
        indication=input.indication,
        disease_group=input.get("disease_group"),
        biomarker=input.get("biomarker"),
        branch_from=None if branch is None else id_of(branch, "Programme", path=("input", "branchFrom")),
    )


def _move_programme(input: Any) -> MoveProgramme:
    return MoveProgramme(
        programme=id_of(input.programme, "Programme", path=("input", "programme")),
        kind=input.kind,
        expected_version=input.expected_version,
        to=input.get("to"),
        reason=input.get("reason"),
        reason_verbatim=input.get("reason_verbatim"),
        occurred_on=input.get("occurred_on"),
        inefficacy=said_of(input.get("inefficacy")),
    )


def _record_checkpoint(input: Any) -> RecordCheckpoint:
    return RecordCheckpoint(
        programme=id_of(input.programme, "Programme", path=("input", "programme")),
        rule=input.rule,
        verdict=input.verdict,
        explanation=input.explanation,
        reference=input.get("reference"),
        statistic=input.get("statistic"),
        threshold=input.get("threshold"),
        decided_on=input.get("decided_on"),
        conditions=input.get("conditions"),
    )


def _merge_molecules(input: Any) -> MergeMolecules:
    return MergeMolecules(
        keep=id_of(input.keep, "Molecule", path=("input", "keep")),
        merge=id_of(input.merge, "Molecule", path=("input", "merge")),
        reason=input.reason,
    )


def _decide_review(input: Any) -> DecideReview:
    return DecideReview(
        item=id_of(input.item, "ReviewItem", path=("input", "item")),
        status=input.status,
        value=input.get("value"),
        comment=input.get("comment"),
    )


class Mutation(
    MappingMutations,
    MonitoringMutations,
    ReasonMutations,
    AssessmentMutations,
    RuleMutations,
    KeyFigureMutations,
    graphene.ObjectType,
):
    """What can be written."""

    register_molecule = mutation(
        RegisterMoleculePayload,
        RegisterMoleculeInput,
        _register_molecule,
        molecule=Written("Molecule", "molecule"),
        description="Put a molecule on record and open its first programme.",
    )
    open_programme = mutation(
        OpenProgrammePayload,
        OpenProgrammeInput,
        _open_programme,
        programme=Written("Programme", "programme"),
        description="Develop a molecule for one more indication.",
    )
    move_programme = mutation(
        MoveProgrammePayload,
        MoveProgrammeInput,
        _move_programme,
        reason="reason_verbatim",
        programme=Written("Programme", "programme"),
        transition=Written("Transition", "transition"),
        description="Move a programme along its graph; a refusal lists all that is unmet.",
    )
    record_checkpoint = mutation(
        RecordCheckpointPayload,
        RecordCheckpointInput,
        _record_checkpoint,
        checkpoint=Written("Checkpoint", "checkpoint"),
        description="Record a decision on a checkpoint rule that was taken outside this program.",
    )
    merge_molecules = mutation(
        MergeMoleculesPayload,
        MergeMoleculesInput,
        _merge_molecules,
        reason="reason",
        molecule=Written("Molecule", "molecule"),
        description="Say that two records are one molecule; nothing is deleted, the old code still finds it.",
    )
    decide_review = mutation(
        DecideReviewPayload,
        DecideReviewInput,
        _decide_review,
        reason="comment",
        item=Written("ReviewItem", "item"),
        description="Decide on an item of the review list.",
    )
    import_file = graphene.Field(
        ImportPayload,
        required=True,
        file=graphene.Argument(Upload, required=True, description="The file; archives and workbooks as they are."),
        input=graphene.Argument(ImportInput, required=True, description="What to write."),
        description="Bring a file in, as one act; every row is accounted for.",
    )

    @staticmethod
    def resolve_import_file(_root: Any, info: GraphQLResolveInfo, file: Any, input: Any) -> Any:
        """Import."""
        return import_file(info, file, input)
