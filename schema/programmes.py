"""Programmes: a molecule for an indication, the thing that moves; its transitions, moves and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
import orjson

from pipeline.commands.programmes import as_moved
from pipeline.stages.rules import Position, possible_moves
from pipeline.store.questions import histories, overdue_conditions, verdicts_in_force
from pipeline.store.reader import Reader
from pipeline.store.selection import Through
from pipeline.words import Status
from schema.conditions import empty, equal, matching
from schema.evidence import CheckpointCondition, OnEvidence, day_of, unsettled
from schema.inefficacy import Inefficacy, inefficacies
from schema.node import Node, connection, is_node, node_id
from schema.reading import column, computed, connected, given, many, one
from schema.reasons import reasons_field
from schema.scalars import Date, DateTime, PartialDateTime
from schema.stages import CheckpointRule, Stage, StateGraph, stage_row
from schema.versions import versions_field
from schema.words import AttritionReason, CheckpointKind, MoveKind, ProgrammeStatus, Verdict


class UnmetCriterion(graphene.ObjectType):
    """One thing a move still lacks."""

    criterion = given(graphene.String, required=True, description="The rule, or the part of the move.")
    required = given(graphene.String, required=True, description="What is asked.")
    found = given(graphene.String, description="What there is; null when nothing.")
    explanation = given(graphene.String, required=True, description="In a sentence, with what to do.")


class Move(graphene.ObjectType):
    """A move the state graph knows from where a programme stands."""

    kind = given(MoveKind, required=True, description="How it would move.")
    to = given(Stage, required=True, description="Where it would lead.")
    allowed = given(graphene.Boolean, required=True, description="Whether nothing is unmet.")
    unmet = given(
        graphene.List(graphene.NonNull(UnmetCriterion)), required=True, description="All that is still missing."
    )


def unmet_row(unmet: Any) -> dict[str, Any]:
    """Return an unmet criterion as a row of `UnmetCriterion`."""
    return {
        "criterion": unmet.criterion,
        "required": unmet.required,
        "found": unmet.found,
        "explanation": unmet.explanation,
    }


def _moves(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
    ids = [row["id"] for row in rows]
    verdicts = verdicts_in_force(reader.connection, ids, reader.view)
    overdue = overdue_conditions(reader.connection, ids, reader.view, day_of(reader))
    past = histories(reader.connection, ids, reader.view)
    answers = []
    for row in rows:
        graph = reader.graph(row["graph_id"])
        position = Position(row["stage"], Status(row["status"]))
        last = as_moved(past[row["id"]][-1]) if past[row["id"]] else None
        answers.append(
            [
                {
                    "kind": move.kind,
                    "to": stage_row(graph.stage(move.to)),
                    "allowed": move.allowed,
                    "unmet": [unmet_row(unmet) for unmet in move.unmet],
                }
                for move in possible_moves(graph, position, verdicts[row["id"]], last=last, overdue=overdue[row["id"]])
            ]
        )
    return answers


def _study() -> Any:
    from schema.studies import Study

    return Study


@is_node
class Checkpoint(OnEvidence, graphene.ObjectType):
    """One assessment of a rule, and the decision taken on it."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Checkpoint")
    programme = one(
        lambda: Programme, "Programme", parent="programme_id", required=True, description="The programme assessed."
    )
    study = one(lambda: _study(), "Study", parent="study_id", description="The study it is about, where it is one.")
    kind = column(CheckpointKind, "kind", required=True, description="Toxicity or efficacy.")
    rule = one(
        CheckpointRule,
        "CheckpointRule",
        parent=("rule_code", "rule_number"),
        child=("code", "number"),
        required=True,
        description="The rule, as it was.",
    )
    stage = column(graphene.String, "stage", required=True, description="The stage at which it was held.")
    recommendation = column(Verdict, "recommendation", required=True, description="What the rule alone recommends.")
    verdict = column(Verdict, "verdict", description="What was decided; null while open.")
    justification = column(graphene.String, "justification", description="Why the decision differs, where it does.")
    statistic = column(graphene.Float, "statistic", description="The value found.")
    threshold = column(graphene.Float, "threshold", description="The bar.")
    explanation = column(graphene.String, "explanation", required=True, description="In a sentence or two.")
    assessed_on = column(DateTime, "assessed_on", required=True, description="When it was assessed.")
    decided_by = column(graphene.String, "decided_by", description="Who decided.")
    reference = column(graphene.String, "reference", description="The document that holds the decision.")
    version = column(graphene.Int, "version", required=True, description="Send back as expectedVersion when writing.")
    versions = versions_field("Checkpoint")


CheckpointConnection = connection(Checkpoint)


@is_node
class Transition(graphene.ObjectType):
    """A programme changed its stage or status."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Transition")
    programme = one(
        lambda: Programme, "Programme", parent="programme_id", required=True, description="The programme that moved."
    )
    kind = column(MoveKind, "kind", required=True, description="How it moved.")
    from_ = one(
        Stage,
        "Stage",
        parent=("graph_id", "from_stage"),
        child=("graph_id", "code"),
        name="from",
        description="The stage it left; null for the first entry.",
    )
    to = one(
        Stage,
        "Stage",
        parent=("graph_id", "to_stage"),
        child=("graph_id", "code"),
        required=True,
        description="The stage it led to.",
    )
    status = column(ProgrammeStatus, "to_status", required=True, description="The status after it.")
    skipped = column(
        graphene.List(graphene.NonNull(graphene.String)),
        "skipped",
        decode=orjson.loads,
        required=True,
        description="Stages passed over, of which no source tells.",
    )
    imported = column(
        graphene.Boolean, "imported", decode=bool, required=True, description="Taken from a source; nothing was asked."
    )
    occurred_on = column(PartialDateTime, "occurred_on", required=True, description="When it happened.")
    recorded_at = column(DateTime, "recorded_at", required=True, description="When it became known here.")
    reason = column(AttritionReason, "reason", description="Why.")
    reason_verbatim = column(
        graphene.String,
        "reason_verbatim",
        description="As written by whoever decided or as found in the source.",
    )
    note = column(graphene.String, "note", description="What to mind about it, such as how its date was found.")
    actor = column(graphene.String, "recorded_by", required=True, description="Who recorded it.")
    reasons = reasons_field("transition_id")
    checkpoint = one(Checkpoint, "Checkpoint", parent="checkpoint_id", description="The checkpoint passed.")
    inefficacy = computed(
        Inefficacy,
        inefficacies,
        needs=("id",),
        description="For a stop for lack of efficacy: whether the mechanism was tested; null where nobody was asked.",
    )
    versions = versions_field("Transition")


def checkpoints_field(**link: Any) -> Any:
    """Declare the checkpoints below a molecule or programme."""
    return connected(
        CheckpointConnection,
        "Checkpoint",
        order=("assessed_on",),
        where=matching(kind=equal("kind"), verdict=equal("verdict"), open=empty("verdict")),
        description="Checkpoints, oldest first.",
        kind=graphene.Argument(CheckpointKind, description="Only toxicity, or only efficacy."),
        verdict=graphene.Argument(Verdict, description="Only those decided so."),
        open=graphene.Boolean(description="Only those still to be decided, or only those decided."),
        **link,
    )


@is_node
class Programme(graphene.ObjectType):
    """One molecule developed for one indication: the thing that moves through the state graph."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Programme")
    molecule = one(
        lambda: _molecule(), "Molecule", parent="molecule_id", required=True, description="What is developed."
    )
    indication = column(
        graphene.String,
        "indication",
        description="The disease; null while the indication is still open (preclinical trunk).",
    )
    disease_group = column(graphene.String, "disease_group", description="Decides the site of phases 3 and 4.")
    biomarker = column(graphene.String, "biomarker", description="What subjects are selected by.")
    stage = one(
        Stage,
        "Stage",
        parent=("graph_id", "stage"),
        child=("graph_id", "code"),
        required=True,
        description="How far it got.",
    )
    status = column(ProgrammeStatus, "status", required=True, description="Where it stands there.")
    stage_since = column(
        Date,
        "stage_since",
        required=True,
        description="When it entered its present stage; the first day it can have been, see stageSinceReported.",
    )
    stage_since_reported = column(
        PartialDateTime, "stage_since_reported", required=True, description="The same, as precisely as is known."
    )
    graph = one(StateGraph, "StateGraph", parent="graph_id", required=True, description="What it moves along.")
    branched_from = one(
        lambda: Programme, "Programme", parent="branched_from", description="The programme it branched from."
    )
    transitions = many(
        Transition, "Transition", child="programme_id", order=("position",), description="Its moves, oldest first."
    )
    moves = computed(
        graphene.List(graphene.NonNull(Move)),
        _moves,
        needs=("id", "graph_id", "stage", "status"),
        required=True,
        description="Every move the state graph knows from here, allowed or not, and what each one still lacks.",
    )
    studies = connected(
        lambda: _study_connection(),
        "Study",
        child="id",
        parent="molecule_id",
        order=("code",),
        through=Through("study_molecules", near="molecule_id", far="study_id"),
        description="Studies of its molecule.",
    )
    checkpoints = checkpoints_field(child="programme_id")
    open_conditions = many(
        CheckpointCondition,
        "CheckpointCondition",
        child="programme_id",
        order=("due_on",),
        where=unsettled,
        description="Conditions of its decisions that nobody settled yet, the first due first.",
    )
    sites = computed(
        graphene.List(graphene.NonNull(graphene.String)),
        lambda reader, rows, *_: [
            [s.code for s in reader.graph(r["graph_id"]).site_for(r["stage"], r["disease_group"]).sites] for r in rows
        ],
        needs=("graph_id", "stage", "disease_group"),
        required=True,
        description="The sites where the work of its stage is done, as routed; empty when the graph does not say.",
    )
    version = column(graphene.Int, "version", required=True, description="Send back as expectedVersion when writing.")
    versions = versions_field("Programme")


def _molecule() -> Any:
    from schema.molecules import Molecule

    return Molecule


def _study_connection() -> Any:
    from schema.studies import StudyConnection

    return StudyConnection


ProgrammeConnection = connection(Programme)
