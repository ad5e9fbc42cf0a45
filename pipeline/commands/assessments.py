"""Assess a rule on the records, freeze what it saw, and let people decide on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.assessment.composition import judge
from pipeline.assessment.finding import Evidence
from pipeline.commands import handles
from pipeline.commands.conditions import agree, read_conditions
from pipeline.commands.conflicts import excluded
from pipeline.commands.texts import checked
from pipeline.errors import InputError, NotPermitted, PipelineError, StaleVersion, refuse
from pipeline.reports.rule_evidence import evidence_of
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store.basis import changed_inputs, rules_asked
from pipeline.store.checkpoint_tables import checkpoint_votes, evidence_items, evidence_packets
from pipeline.store.journal import Act
from pipeline.store.reader import Reader
from pipeline.store.tables import checkpoints, programmes
from pipeline.words import EventKind, Verdict


@dataclass(frozen=True, slots=True)
class AssessCheckpoint:
    """Assess one rule for a programme at its present stage, on the records as they stand."""

    programme: int
    rule: str


@handles(AssessCheckpoint, Permission.ASSESS_CHECKPOINT)
def assess_checkpoint(act: Act, command: AssessCheckpoint) -> Mapping[str, Any]:
    """Gather the evidence, compute, recommend, and freeze what was seen. Equal evidence is not assessed twice."""
    programme = act.find(programmes, command.programme)
    return {"checkpoint": assess(act, programme, command.rule)}


def assess(act: Act, programme: Mapping[str, Any], code: str) -> int:
    """Assess a rule for a programme and return the checkpoint: the open one, where it saw the very same.

    Raises:
        InputError: the rule is not asked at the programme's stage.
    """
    rules = rules_asked(act.connection, act.graphs.of(act.connection, programme["graph_id"]), programme["stage"])
    if code not in rules:
        raise InputError(
            f"{code[:60]!r} is not asked at {programme['stage']}; asked there: {', '.join(rules) or 'no rule'}",
            path=("input", "rule"),
        )
    evidence = evidence_of(Reader(act.connection, act.actor, act.graphs), programme, rules[code])
    return freeze(act, programme, rules[code], evidence)


def freeze(
    act: Act, programme: Mapping[str, Any], rule: CheckpointRule, evidence: Evidence, *, anew: bool = True
) -> int:
    """Record what a rule finds in the evidence, with the evidence, and return the checkpoint.

    It is the last one where that saw the very same and is open; a decided one too, where it shall not be decided
    `anew`: a new assessment takes the place of a decision.
    """
    same = _already_assessed(act, programme, rule, evidence, decided=not anew)
    if same is not None:
        return same
    found = judge(rule, evidence)
    id = act.add(
        checkpoints,
        {
            "programme_id": programme["id"],
            "stage": programme["stage"],
            "kind": rule.kind.value,
            "rule_code": rule.code,
            "rule_number": rule.version,
            "recommendation": found.recommendation.value,
            "statistic": found.statistic,
            "threshold": found.threshold,
            "explanation": found.explanation,
            "assessed_on": act.recorded_at,
        },
    )
    act.add(
        evidence_packets,
        {
            "checkpoint_id": id,
            "method": rule.method,
            "method_version": found.method_version,
            "parameters": _json(rule.parameters),
            "inputs": _json(evidence.inputs),
            "outcome": _json(found.outcome),
            "missing": _json(list(evidence.missing)),
            "digest": evidence.digest(),
            "seen_act": act.number - 1,
            "proposed_by": act.actor.name,
        },
    )
    columns = ("checkpoint_id", "node", "node_id", "node_version", "label", "value")
    act.add_all(evidence_items, columns, [(id, *seen) for seen in evidence.seen])
    act.event(
        EventKind.CHECKPOINT_ASSESSED,
        f"{rule.code}: {found.recommendation.value} recommended. {found.explanation}",
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
        node="Checkpoint",
        node_id=id,
    )
    return id


def _already_assessed(
    act: Act, programme: Mapping[str, Any], rule: CheckpointRule, evidence: Evidence, *, decided: bool
) -> int | None:
    """Return the newest checkpoint of a rule in the present stage where it saw the same; one `decided` if so wished."""
    held = act.current(
        checkpoints,
        checkpoints.c.programme_id == programme["id"],
        checkpoints.c.rule_code == rule.code,
        checkpoints.c.stage == programme["stage"],
    )
    if not held or held[-1]["rule_number"] != rule.version or (held[-1]["verdict"] is not None and not decided):
        return None
    packets = act.current(evidence_packets, evidence_packets.c.checkpoint_id == held[-1]["id"])
    return held[-1]["id"] if packets and packets[0]["digest"] == evidence.digest() else None


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


# ------------------------------------------------------------ deciding


@dataclass(frozen=True, slots=True)
class DecideCheckpoint:
    """Decide on an assessment. `conditions`: one line each, "what | owner | YYYY-MM-DD", for CONDITIONAL_GO."""

    checkpoint: int
    verdict: Verdict
    justification: str | None = None
    conditions: str | None = None
    expected_version: int | None = None


@handles(DecideCheckpoint, Permission.DECIDE_CHECKPOINT)
def decide_checkpoint(act: Act, command: DecideCheckpoint) -> Mapping[str, Any]:
    """Take the decision: against the recommendation only with a justification, and never on one's own proposal."""
    checkpoint = act.find(checkpoints, command.checkpoint)
    programme = act.find(programmes, checkpoint["programme_id"])
    errors: list[PipelineError] = []
    justification = checked(command.justification, "justification", errors, longest=10_000)
    today = act.recorded_at[:10]
    conditions = read_conditions(command.conditions, command.verdict, errors, agreed_on=today)
    if command.verdict is Verdict.CONDITIONAL_GO and not (command.conditions or "").strip():
        errors.append(
            InputError(
                'CONDITIONAL_GO needs conditions, one to a line: "what | owner | 2027-01-31"',
                path=("input", "conditions"),
            )
        )
    if command.expected_version is not None and command.expected_version != checkpoint["version"]:
        errors.append(
            StaleVersion(
                f"the checkpoint is at version {checkpoint['version']}, not {command.expected_version}; read it again",
                current=checkpoint["version"],
                path=("input", "expectedVersion"),
            )
        )
    if checkpoint["verdict"] is not None:
        errors.append(
            InputError(
                f"it was decided {checkpoint['verdict']} by {checkpoint['decided_by']}; a decision is never "
                "overwritten: assess the rule again and decide on the new assessment",
                path=("input", "checkpoint"),
            )
        )
    elif command.verdict.value != checkpoint["recommendation"] and justification is None:
        errors.append(
            InputError(
                f"the rule recommends {checkpoint['recommendation']}; a decision of {command.verdict.value} needs a "
                "justification",
                path=("input", "justification"),
            )
        )
    errors += _barred(act, checkpoint, programme)
    refuse(errors)
    act.add(
        checkpoint_votes,
        {
            "checkpoint_id": checkpoint["id"],
            "voter": act.actor.name,
            "verdict": command.verdict.value,
            "justification": justification,
        },
    )
    agree(act, checkpoint, conditions, agreed_on=today)
    decided = {"verdict": command.verdict.value, "justification": justification, "decided_by": act.actor.name}
    version = act.revise(checkpoints, checkpoint, decided)
    act.event(
        EventKind.CHECKPOINT_DECIDED,
        f"{checkpoint['rule_code']}: {command.verdict.value} at {checkpoint['stage']}",
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
        node="Checkpoint",
        node_id=checkpoint["id"],
        reason_for_change=justification,
    )
    return {"checkpoint": checkpoint["id"], "version": version}


def _barred(act: Act, checkpoint: Mapping[str, Any], programme: Mapping[str, Any]) -> list[PipelineError]:
    """Return why this person cannot decide on this assessment now."""
    errors: list[PipelineError] = []
    packets = act.current(evidence_packets, evidence_packets.c.checkpoint_id == checkpoint["id"])
    if packets and packets[0]["proposed_by"] == act.actor.name:
        errors.append(
            NotPermitted(
                f"{act.actor.name} asked for this assessment and cannot be the only one who decides on it; somebody "
                "else has to",
                permission=Permission.DECIDE_CHECKPOINT,
            )
        )
    errors += excluded(act, programme["molecule_id"])
    changed = changed_inputs(act.connection, [checkpoint["id"]])[checkpoint["id"]]
    if changed:
        errors.append(
            InputError(
                f"{len(changed)} records of its evidence were corrected since ({changed[0].label}, first); assess the "
                "rule again and decide on the new assessment",
                path=("input", "checkpoint"),
            )
        )
    return errors
