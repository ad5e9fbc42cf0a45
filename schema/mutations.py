"""What can be written. Every refusal comes back in `errors`; nothing is written then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline.commands.checkpoints import RecordCheckpoint
from pipeline.commands.molecules import MergeMolecules, RegisterMolecule
from pipeline.commands.programmes import MoveProgramme, OpenProgramme
from pipeline.commands.reviews import DecideReview
from pipeline.errors import PipelineError
from pipeline.store.journal import Recorded
from pipeline.store.selection import Asked, ColumnOf
from schema.context import Request
from schema.errors import MutationError, error_rows
from schema.imports import ImportInput, ImportReport, import_file
from schema.molecules import Molecule
from schema.node import id_of
from schema.programmes import Checkpoint, Programme, Transition
from schema.reading import given
from schema.reviews import ReviewItem, ReviewStatus
from schema.scalars import PartialDateTime, Upload
from schema.selection import selection_below
from schema.words import AttritionReason, Modality, MoveKind, Verdict

_KEY = graphene.String(
    description="Any text of yours, up to 200 characters: repeating the same content under it has no second effect."
)


def payload(name: str, **fields: Any) -> type[graphene.ObjectType]:
    """Return the payload type of a mutation: what was written, or why not."""
    errors = given(
        graphene.List(graphene.NonNull(MutationError)),
        required=True,
        description="Why it was refused; empty when it was done.",
    )
    return type(
        f"{name}Payload",
        (graphene.ObjectType,),
        {"__doc__": f"What became of {name}.", **fields, "errors": errors},
    )


def write(
    info: GraphQLResolveInfo,
    command: Callable[[], Any],
    written: Mapping[str, tuple[str, str]],
    *,
    key: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Do a command and read back what it wrote.

    command: builds the command; what is wrong with the input is a refusal as well.
    written: payload field -> (node, name of its id in the act's result).
    """
    request: Request = info.context
    request.forget()
    try:
        recorded = request.centre.execute(command(), actor=request.actor, idempotency_key=key, reason=reason)
    except PipelineError as error:
        return dict.fromkeys(written) | {"errors": error_rows(error, info, request)}
    return read_back(info, recorded, written) | {"errors": []}


def read_back(info: GraphQLResolveInfo, recorded: Recorded, written: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Read what an act wrote through the ordinary read path."""
    answer: dict[str, Any] = {}
    for field, (node, name) in written.items():
        id = recorded.result.get(name)
        below = selection_below(info, field)
        wanted = id is not None and node in below
        answer[field] = info.context.reader.node(Asked(ColumnOf("id"), {}, below), node, id) if wanted else None
    return answer


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
    idempotency_key = _KEY


class OpenProgrammeInput(graphene.InputObjectType):
    """A further indication of a molecule."""

    molecule = graphene.ID(required=True, description="The molecule.")
    indication = graphene.String(required=True, description="The disease.")
    disease_group = graphene.String(description="Decides the site of phases 3 and 4.")
    biomarker = graphene.String(description="What subjects are selected by.")
    branch_from = graphene.ID(description="A programme of the same molecule whose stage this one shares.")
    idempotency_key = _KEY


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
    idempotency_key = _KEY


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
    idempotency_key = _KEY


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


def _input(kind: type[graphene.InputObjectType]) -> Any:
    return graphene.Argument(kind, required=True, description="What to write.")


class Mutation(graphene.ObjectType):
    """What can be written."""

    register_molecule = graphene.Field(
        RegisterMoleculePayload,
        required=True,
        input=_input(RegisterMoleculeInput),
        description="Put a molecule on record and open its first programme.",
    )
    open_programme = graphene.Field(
        OpenProgrammePayload,
        required=True,
        input=_input(OpenProgrammeInput),
        description="Develop a molecule for one more indication.",
    )
    move_programme = graphene.Field(
        MoveProgrammePayload,
        required=True,
        input=_input(MoveProgrammeInput),
        description="Move a programme along its graph; a refusal lists all that is unmet.",
    )
    record_checkpoint = graphene.Field(
        RecordCheckpointPayload,
        required=True,
        input=_input(RecordCheckpointInput),
        description="Record a decision on a checkpoint rule that was taken outside this program.",
    )
    merge_molecules = graphene.Field(
        MergeMoleculesPayload,
        required=True,
        input=_input(MergeMoleculesInput),
        description="Say that two records are one molecule; nothing is deleted, the old code still finds it.",
    )
    decide_review = graphene.Field(
        DecideReviewPayload,
        required=True,
        input=_input(DecideReviewInput),
        description="Decide on an item of the review list.",
    )
    import_file = graphene.Field(
        ImportPayload,
        required=True,
        file=graphene.Argument(Upload, required=True, description="The file; archives and workbooks as they are."),
        input=_input(ImportInput),
        description="Bring a file in, as one act; every row is accounted for.",
    )

    @staticmethod
    def resolve_register_molecule(_root: Any, info: GraphQLResolveInfo, input: Any) -> Any:
        """Register."""
        return write(
            info,
            lambda: RegisterMolecule(
                code=input.code,
                name=input.name,
                modality=input.modality,
                smiles=input.get("smiles"),
                synonyms=tuple(input.get("synonyms") or ()),
                targets=tuple(input.get("targets") or ()),
                indication=input.get("indication"),
                disease_group=input.get("disease_group"),
                biomarker=input.get("biomarker"),
            ),
            {"molecule": ("Molecule", "molecule")},
            key=input.get("idempotency_key"),
        )

    @staticmethod
    def resolve_open_programme(_root: Any, info: GraphQLResolveInfo, input: Any) -> Any:
        """Open."""
        branch = input.get("branch_from")
        return write(
            info,
            lambda: OpenProgramme(
                molecule=id_of(input.molecule, "Molecule", path=("input", "molecule")),
                indication=input.indication,
                disease_group=input.get("disease_group"),
                biomarker=input.get("biomarker"),
                branch_from=None if branch is None else id_of(branch, "Programme", path=("input", "branchFrom")),
            ),
            {"programme": ("Programme", "programme")},
            key=input.get("idempotency_key"),
        )

    @staticmethod
    def resolve_move_programme(_root: Any, info: GraphQLResolveInfo, input: Any) -> Any:
        """Move."""
        return write(
            info,
            lambda: MoveProgramme(
                programme=id_of(input.programme, "Programme", path=("input", "programme")),
                kind=input.kind,
                expected_version=input.expected_version,
                to=input.get("to"),
                reason=input.get("reason"),
                reason_verbatim=input.get("reason_verbatim"),
                occurred_on=input.get("occurred_on"),
            ),
            {"programme": ("Programme", "programme"), "transition": ("Transition", "transition")},
            key=input.get("idempotency_key"),
            reason=input.get("reason_verbatim"),
        )

    @staticmethod
    def resolve_record_checkpoint(_root: Any, info: GraphQLResolveInfo, input: Any) -> Any:
        """Record."""
        return write(
            info,
            lambda: RecordCheckpoint(
                programme=id_of(input.programme, "Programme", path=("input", "programme")),
                rule=input.rule,
                verdict=input.verdict,
                explanation=input.explanation,
                reference=input.get("reference"),
                statistic=input.get("statistic"),
                threshold=input.get("threshold"),
                decided_on=input.get("decided_on"),
            ),
            {"checkpoint": ("Checkpoint", "checkpoint")},
            key=input.get("idempotency_key"),
        )

    @staticmethod
    def resolve_merge_molecules(_root: Any, info: GraphQLResolveInfo, input: Any) -> Any:
        """Merge."""
        return write(
            info,
            lambda: MergeMolecules(
                keep=id_of(input.keep, "Molecule", path=("input", "keep")),
                merge=id_of(input.merge, "Molecule", path=("input", "merge")),
                reason=input.reason,
            ),
            {"molecule": ("Molecule", "molecule")},
            reason=input.reason,
        )

    @staticmethod
    def resolve_decide_review(_root: Any, info: GraphQLResolveInfo, input: Any) -> Any:
        """Decide."""
        return write(
            info,
            lambda: DecideReview(
                item=id_of(input.item, "ReviewItem", path=("input", "item")),
                status=input.status,
                value=input.get("value"),
                comment=input.get("comment"),
            ),
            {"item": ("ReviewItem", "item")},
            reason=input.get("comment"),
        )

    @staticmethod
    def resolve_import_file(_root: Any, info: GraphQLResolveInfo, file: Any, input: Any) -> Any:
        """Import."""
        return import_file(info, file, input)
