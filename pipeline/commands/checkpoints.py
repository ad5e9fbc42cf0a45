"""Record a checkpoint decided by people outside this program: the verdict of a committee, with its reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.conditions import agree, read_conditions
from pipeline.commands.conflicts import excluded
from pipeline.commands.texts import checked
from pipeline.dates import PartialDate
from pipeline.errors import InputError, PipelineError, refuse
from pipeline.stages.checkpoints import PASSING
from pipeline.store.checkpoint_tables import evidence_packets
from pipeline.store.journal import Act
from pipeline.store.tables import checkpoints, programmes
from pipeline.words import EventKind, Verdict


@dataclass(frozen=True, slots=True)
class RecordCheckpoint:
    """A decision on one rule of the state graph for a programme at its present stage."""

    programme: int
    rule: str
    verdict: Verdict
    explanation: str
    reference: str | None = None
    statistic: float | None = None
    threshold: float | None = None
    decided_on: PartialDate | None = None
    conditions: str | None = None
    """Of a CONDITIONAL_GO: one to a line, "what | owner | YYYY-MM-DD"."""


@handles(RecordCheckpoint, Permission.DECIDE_CHECKPOINT)
def record_checkpoint(act: Act, command: RecordCheckpoint) -> Mapping[str, Any]:
    """Record the verdict; it counts for advances from the stage the programme is at now."""
    programme = act.find(programmes, command.programme)
    graph = act.graphs.of(act.connection, programme["graph_id"])
    errors: list[PipelineError] = []
    explanation = checked(command.explanation, "explanation", errors, required=True, longest=10_000)
    reference = checked(command.reference, "reference", errors, longest=1_000)
    rule = graph.rules.get(command.rule)
    wanted = sorted({code for edge in graph.edges_from(programme["stage"]) for code in edge.requires})
    if rule is None or command.rule not in wanted:
        errors.append(
            InputError(
                f"{command.rule[:60]!r} is not asked at {programme['stage']}; "
                f"asked there: {', '.join(wanted) or 'no rule'}",
                path=("input", "rule"),
            )
        )
    today = act.recorded_at[:10]
    decided_on = command.decided_on or PartialDate.parse(today)
    if decided_on.earliest > today:
        errors.append(InputError(f"decidedOn {decided_on.text} lies in the future", path=("input", "decidedOn")))
    moment = _moment(decided_on, act.recorded_at)
    conditions = read_conditions(command.conditions, command.verdict, errors, agreed_on=moment[:10])
    errors += excluded(act, programme["molecule_id"])
    if command.verdict in PASSING and reference is None and _advises_against(act, programme, command.rule):
        errors.append(
            InputError(
                f"{command.rule} was assessed on the records and recommends NO_GO; decide that assessment, or name "
                "the document that holds the decision taken elsewhere",
                path=("input", "reference"),
            )
        )
    refuse(errors)
    assert rule is not None
    row = {
        "programme_id": programme["id"],
        "stage": programme["stage"],
        "kind": rule.kind.value,
        "rule_code": rule.code,
        "rule_number": rule.version,
        "recommendation": command.verdict.value,
        "verdict": command.verdict.value,
        "justification": None,
        "statistic": command.statistic,
        "threshold": command.threshold,
        "explanation": explanation,
        "assessed_on": moment,
        "decided_by": act.actor.name,
        "reference": reference,
    }
    id = act.add(checkpoints, row)
    agree(act, row | {"id": id}, conditions, agreed_on=moment[:10])
    act.event(
        EventKind.CHECKPOINT_DECIDED,
        f"{rule.code}: {command.verdict.value} at {programme['stage']}",
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
        node="Checkpoint",
        node_id=id,
        occurred_on=decided_on,
        reason_for_change=reference,
    )
    return {"checkpoint": id}


def _advises_against(act: Act, programme: Mapping[str, Any], code: str) -> bool:
    """Whether the last assessment of a rule at the present stage recommends to stop."""
    held = act.current(
        checkpoints,
        checkpoints.c.programme_id == programme["id"],
        checkpoints.c.stage == programme["stage"],
        checkpoints.c.rule_code == code,
    )
    packets = evidence_packets
    if not held or not act.current(packets, packets.c.checkpoint_id == held[-1]["id"]):
        return False
    return bool(held[-1]["recommendation"] == Verdict.NO_GO.value)


def _moment(decided_on: PartialDate, recorded_at: str) -> str:
    """Return the instant a decision counts from: the last day it can have been taken, or now where that is not over."""
    return recorded_at if decided_on.latest >= recorded_at[:10] else f"{decided_on.latest}T00:00:00.000000Z"
