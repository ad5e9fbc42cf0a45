"""What checkpoints rest on: the records a rule saw, whether they still stand, and who voted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
from sqlalchemy import select

from pipeline import words
from pipeline.assessment.composition import judge
from pipeline.centre import utc_now
from pipeline.reports.rule_evidence import evidence_again, values_of
from pipeline.store.basis import changed_inputs
from pipeline.store.checkpoint_tables import evidence_packets
from pipeline.store.nodes import among, visible
from pipeline.store.reader import Reader
from schema.node import Node, is_node, node_id
from schema.reading import any_node, column, computed, given, many, one
from schema.scalars import JSON, Date
from schema.versions import versions_field
from schema.words import ConditionState, Verdict


class Evidence(graphene.ObjectType):
    """One record version a rule saw, and what it took from it."""

    node = any_node(
        graphene.NonNull(Node), node_column="node", id_column="node_id", description="The record, as it is now."
    )
    node_version = column(graphene.Int, "node_version", required=True, description="The version that was seen.")
    label = column(graphene.String, "label", required=True, description="What it says of the matter.")
    value = column(graphene.String, "value", required=True, description="The value that was taken.")


class ChangedInput(graphene.ObjectType):
    """A record of the evidence that was corrected since the assessment."""

    kind = given(graphene.String, required=True, description="What kind of record.")
    label = given(graphene.String, required=True, description="What it said of the matter.")
    was = given(graphene.String, required=True, description="The value the rule saw.")
    now = given(graphene.String, description="The value it would see; null where it would not look at the record.")
    seen_version = given(graphene.Int, required=True, description="The version the rule saw.")
    version = given(graphene.Int, description="The version now; null where the record no longer stands.")


def day_of(reader: Reader) -> str:
    """Return the day a reader looks back from, YYYY-MM-DD: today, where it does not look back."""
    return (reader.view.as_of or utc_now().isoformat())[:10]


def _states(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[ConditionState]:
    today = day_of(reader)
    return [
        words.ConditionState(row["outcome"])
        if row["outcome"]
        else words.ConditionState.OVERDUE
        if row["due_on"] < today
        else words.ConditionState.OPEN
        for row in rows
    ]


def unsettled(source: Any, _arguments: Mapping[str, Any]) -> list[Any]:
    """Return the condition that nothing became of a condition of a decision yet."""
    return [source.c.outcome.is_(None)]


@is_node
class CheckpointCondition(graphene.ObjectType):
    """What a conditional decision asks for. Overdue, it stands against every advance of the programme."""

    class Meta:
        interfaces = (Node,)

    id = node_id("CheckpointCondition")
    checkpoint = one(
        lambda: _checkpoint(),
        "Checkpoint",
        parent="checkpoint_id",
        required=True,
        description="The decision that asks for it.",
    )
    condition = column(graphene.String, "condition", required=True, description="What is asked for.")
    owner = column(graphene.String, "owner", required=True, description="From whom.")
    due_on = column(Date, "due_on", required=True, description="By when.")
    state = computed(
        ConditionState,
        _states,
        needs=("outcome", "due_on"),
        required=True,
        description="How it stands, on the day that is looked back from.",
    )
    settled_on = column(Date, "settled_on", description="When it was met, lifted or superseded; null while it is not.")
    settled_by = column(graphene.String, "settled_by", description="Who said so.")
    note = column(graphene.String, "note", description="What shows it, or why it is no longer asked for.")
    version = column(graphene.Int, "version", required=True, description="Send back as expectedVersion when writing.")
    versions = versions_field("CheckpointCondition")


def _checkpoint() -> Any:
    from schema.programmes import Checkpoint

    return Checkpoint


class CheckpointVote(graphene.ObjectType):
    """A vote at a checkpoint."""

    voter = column(graphene.String, "voter", required=True, description="Who voted.")
    verdict = column(Verdict, "verdict", description="How.")
    justification = column(graphene.String, "justification", description="Why so.")


def _packets(reader: Reader, rows: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    statement = select(evidence_packets).where(
        visible(evidence_packets, reader.view), among(evidence_packets.c.checkpoint_id, [row["id"] for row in rows])
    )
    return {row["checkpoint_id"]: dict(row) for row in reader.connection.execute(statement).mappings()}


def _of_packet(name: str) -> Any:
    def read(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[Any]:
        packets = _packets(reader, rows)
        return [packets[row["id"]][name] if row["id"] in packets else None for row in rows]

    return read


def _hashes(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[str]:
    packets = _packets(reader, rows)
    return [packets[row["id"]]["digest"] if row["id"] in packets else "" for row in rows]


def _changed(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
    found = changed_inputs(reader.connection, sorted({row["id"] for row in rows}), reader.view)
    again = evidence_again(reader, [row for row in rows if found[row["id"]]])
    answers = []
    for row in rows:
        now = values_of(again[row["id"]][1]) if row["id"] in again else {}
        answers.append(
            [
                {
                    "kind": each.node,
                    "label": each.label,
                    "was": each.was,
                    "now": now.get((each.node, each.node_id, each.label)),
                    "seenVersion": each.seen_version,
                    "version": each.version,
                }
                for each in found[row["id"]]
            ]
        )
    return answers


def _basis_changed(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[bool]:
    found = changed_inputs(reader.connection, sorted({row["id"] for row in rows}), reader.view)
    return [bool(found[row["id"]]) for row in rows]


def _recommended_now(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[Any]:
    """Evaluate the same version of the rule on the records as they stand; checkpoints with a packet only."""
    again = evidence_again(reader, rows)
    return [judge(*again[row["id"]]).recommendation.value if row["id"] in again else None for row in rows]


def _inputs_now(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[Any]:
    again = evidence_again(reader, rows)
    return [dict(again[row["id"]][1].inputs) if row["id"] in again else None for row in rows]


_AGAIN = ("id", "programme_id", "rule_code", "rule_number", "stage")


class OnEvidence:
    """What a checkpoint rests on."""

    evidence = many(Evidence, "EvidenceItem", child="checkpoint_id", description="The record versions the rule saw.")
    evidence_hash = computed(
        graphene.String,
        _hashes,
        needs=("id",),
        required=True,
        description="SHA-256 of the evidence; empty where the decision was taken outside this program.",
    )
    inputs = computed(
        JSON, _of_packet("inputs"), needs=("id",), description="What was computed with; null where nothing was."
    )
    outcome = computed(JSON, _of_packet("outcome"), needs=("id",), description="All that was computed.")
    missing = computed(JSON, _of_packet("missing"), needs=("id",), description="What was not on record.")
    proposed_by = computed(
        graphene.String, _of_packet("proposed_by"), needs=("id",), description="Who asked for the assessment."
    )
    basis_changed = computed(
        graphene.Boolean,
        _basis_changed,
        needs=("id",),
        required=True,
        description="True when a record in the evidence has since been corrected.",
    )
    changed_inputs = computed(
        graphene.List(graphene.NonNull(ChangedInput)),
        _changed,
        needs=_AGAIN,
        required=True,
        description="The records of the evidence that were corrected since.",
    )
    recommendation_now = computed(
        Verdict,
        _recommended_now,
        needs=_AGAIN,
        description="What the same version of the rule recommends on the records as they stand.",
    )
    inputs_now = computed(
        JSON, _inputs_now, needs=_AGAIN, description="What it would compute with on the records as they stand."
    )
    conditions = many(
        CheckpointCondition, "CheckpointCondition", child="checkpoint_id", description="What the decision asks for."
    )
    votes = many(CheckpointVote, "CheckpointVote", child="checkpoint_id", description="Who voted, and how.")
