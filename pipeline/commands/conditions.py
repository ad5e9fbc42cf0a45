"""The conditions of conditional decisions: agreed with the decision, settled by somebody other than their owner."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.alerts import Touched, watch
from pipeline.commands.conflicts import excluded
from pipeline.commands.texts import checked
from pipeline.dates import PartialDate
from pipeline.errors import InputError, NotPermitted, PipelineError, StaleVersion, refuse
from pipeline.names import fold
from pipeline.store.checkpoint_tables import checkpoint_conditions
from pipeline.store.journal import Act
from pipeline.store.tables import checkpoints, programmes
from pipeline.words import ConditionOutcome, EventKind, Verdict

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a conditional decision asks for: what, from whom, by when."""

    condition: str
    owner: str
    due_on: str


def read_conditions(
    text: str | None, verdict: Verdict, errors: list[PipelineError], *, agreed_on: str
) -> Sequence[Condition]:
    """Read conditions, one to a line, "what | owner | YYYY-MM-DD"; only CONDITIONAL_GO has any."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    path = ("input", "conditions")
    if verdict is not Verdict.CONDITIONAL_GO and lines:
        errors.append(InputError("only CONDITIONAL_GO has conditions; leave them out or decide so", path=path))
    found = []
    for number, line in enumerate(lines, 1):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3 or not all(parts) or not _DAY.fullmatch(parts[2]):
            errors.append(
                InputError(f'condition {number} is not "what | owner | YYYY-MM-DD": {line[:80]!r}', path=path)
            )
            continue
        try:
            due = PartialDate.parse(parts[2]).text
        except InputError as error:
            errors.append(InputError(f"condition {number}: {error}", path=path))
            continue
        if due < agreed_on:
            errors.append(InputError(f"condition {number} was due on {due}, before it was agreed", path=path))
        for part, name in zip(parts[:2], ("condition", "owner"), strict=True):
            checked(part, f"{name} {number}", errors, longest=2_000)
        found.append(Condition(parts[0], parts[1], due))
    return found


def agree(act: Act, checkpoint: Mapping[str, Any], conditions: Sequence[Condition], *, agreed_on: str) -> None:
    """Keep the conditions of a decision; those of the decision it takes the place of are no longer asked for.

    checkpoint: its row, decided in this act.
    """
    table = checkpoint_conditions
    before = {
        row["id"]
        for row in act.current(
            checkpoints,
            checkpoints.c.programme_id == checkpoint["programme_id"],
            checkpoints.c.stage == checkpoint["stage"],
            checkpoints.c.rule_code == checkpoint["rule_code"],
        )
    }
    open_ones = act.current(table, table.c.programme_id == checkpoint["programme_id"], table.c.outcome.is_(None))
    for row in open_ones:
        if row["checkpoint_id"] in before:
            note = f"{checkpoint['rule_code']} was decided anew"
            _close(act, row, ConditionOutcome.SUPERSEDED, settled_on=max(agreed_on, row["agreed_on"]), note=note)
    names = ("checkpoint_id", "programme_id", "condition", "owner", "agreed_on", "due_on")
    rows = [
        (checkpoint["id"], checkpoint["programme_id"], each.condition, each.owner, agreed_on, each.due_on)
        for each in conditions
    ]
    act.add_all(table, names, rows)


def _close(act: Act, row: Mapping[str, Any], outcome: ConditionOutcome, *, settled_on: str, note: str | None) -> int:
    settled = {"outcome": outcome.value, "settled_on": settled_on, "settled_by": act.actor.name, "note": note}
    return act.revise(checkpoint_conditions, row, settled)


@dataclass(frozen=True, slots=True)
class SettleCondition:
    """Say that a condition is met, or that it is lifted: no longer asked for. `on`: today where left out."""

    condition: int
    met: bool
    note: str
    on: date | None = None
    expected_version: int | None = None


@handles(SettleCondition, Permission.DECIDE_CHECKPOINT)
def settle_condition(act: Act, command: SettleCondition) -> Mapping[str, Any]:
    """Record what became of a condition, once: its owner cannot be the one who says so."""
    row = act.find(checkpoint_conditions, command.condition)
    programme = act.find(programmes, row["programme_id"])
    checkpoint = act.find(checkpoints, row["checkpoint_id"])
    errors: list[PipelineError] = []
    note = checked(command.note, "note", errors, required=True, longest=10_000)
    today = act.recorded_at[:10]
    on = today if command.on is None else command.on.isoformat()
    if on > today:
        errors.append(InputError(f"on {on} lies in the future", path=("input", "on")))
    if on < row["agreed_on"]:
        errors.append(InputError(f"on {on} lies before the decision of {row['agreed_on']}", path=("input", "on")))
    if row["outcome"] is not None:
        errors.append(
            InputError(
                f"{row['settled_by']} recorded it as {row['outcome']} on {row['settled_on']}; that is never "
                "overwritten: assess and decide the rule again to ask anew",
                path=("input", "condition"),
            )
        )
    if command.expected_version is not None and command.expected_version != row["version"]:
        errors.append(
            StaleVersion(
                f"the condition is at version {row['version']}, not {command.expected_version}; read it again",
                current=row["version"],
                path=("input", "expectedVersion"),
            )
        )
    if fold(row["owner"]) == fold(act.actor.name):
        errors.append(
            NotPermitted(
                f"{act.actor.name} owns this condition and cannot be the only one who says what became of it; somebody "
                "else has to",
                permission=Permission.DECIDE_CHECKPOINT,
            )
        )
    errors += excluded(act, programme["molecule_id"])
    refuse(errors)
    outcome = ConditionOutcome.MET if command.met else ConditionOutcome.LIFTED
    version = _close(act, row, outcome, settled_on=on, note=note)
    act.event(
        EventKind.CONDITION_SETTLED,
        f"{checkpoint['rule_code']} at {checkpoint['stage']}: “{row['condition']}” is {outcome.value.lower()}",
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
        node="CheckpointCondition",
        node_id=row["id"],
        occurred_on=PartialDate.parse(on),
        reason_for_change=note,
    )
    touched = frozenset({row["id"]})
    kinds, molecules = frozenset({"CheckpointCondition"}), frozenset({programme["molecule_id"]})
    watch(act, Touched(kinds, molecules, revised={"CheckpointCondition": touched}))
    return {"condition": row["id"], "version": version}
