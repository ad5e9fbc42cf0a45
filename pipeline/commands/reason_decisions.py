"""Verify many proposed reasons at once, as decided in a table: all of them in one act, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.reasons import checked_verification, write_verification
from pipeline.errors import PipelineError, RowError, refuse
from pipeline.exchange.reason_decisions import PROPOSED, RECORD, ReasonDecision
from pipeline.store.journal import Act, Rehearsed
from pipeline.store.study_tables import attrition_reasons
from pipeline.words import AttritionReason

AT_ONCE = 500
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VerifyReasons:
    """Decisions on proposed reasons. comment: stands where a row has none; problems: what could not be read."""

    decisions: tuple[ReasonDecision, ...]
    comment: str | None = None
    problems: tuple[PipelineError, ...] = field(default=(), metadata={"fingerprint": False})


@handles(VerifyReasons, Permission.MOVE_PROGRAMME)
def verify_all(act: Act, command: VerifyReasons) -> Mapping[str, Any]:
    """Verify what the rows decide; where one of them cannot be, say all that is wrong and write nothing.

    What the actor has verified as the same reason before is left alone; where that is all, there is no act.
    """
    histories = _histories(act, {one.record for one in command.decisions})
    errors = list(command.problems)
    done = {"agreed": 0, "changed": 0, "unchanged": 0}
    first: dict[int, ReasonDecision] = {}
    verified: list[tuple[Row, AttritionReason, str | None]] = []
    for one in command.decisions:
        before = first.setdefault(one.record, one)
        if before is not one:
            if (before.reason, before.comment) != (one.reason, one.comment):
                errors.append(_refusal(one, f"row {before.row} decides otherwise on the same reason, {one.record}"))
            continue
        history = histories.get(one.record, ())
        seen = next((row for row in history if row["version"] == one.version), None)
        if seen is None or one.proposed not in (None, seen["reason"]):
            errors.append(_refusal(one, _no_such(one, seen)))
            continue
        reason = one.reason or AttritionReason(seen["verified_reason"] or seen["reason"])
        current = history[-1]
        if _verified_so(act, current, reason, one.comment):
            done["unchanged"] += 1
        elif current is not seen or current["until_act"] is not None:
            errors.append(_refusal(one, _changed(act, seen, current)))
        else:
            said: list[PipelineError] = []
            comment = checked_verification(act, current, reason, one.comment or command.comment, said)
            errors += [_refusal(one, error.message) for error in said]
            verified.append((current, reason, comment))
    refuse(errors)
    for row, reason, comment in verified:
        done["agreed" if reason == row["reason"] else "changed"] += 1
        write_verification(act, row, reason, comment)
    if not verified:
        raise Rehearsed(done)
    return done


def _histories(act: Act, records: Iterable[int]) -> Mapping[int, Sequence[Row]]:
    """Return all versions of records, the last one last."""
    found: dict[int, list[Row]] = {}
    of = attrition_reasons
    ids = sorted(records)
    for at in range(0, len(ids), AT_ONCE):
        wanted = select(of).where(of.c.id.in_(ids[at : at + AT_ONCE])).order_by(of.c.version)
        for row in act.connection.execute(wanted).mappings():
            found.setdefault(row["id"], []).append(dict(row))
    return found


def _verified_so(act: Act, row: Row, reason: AttritionReason, comment: str | None) -> bool:
    same = (row["verified_by"], row["verified_reason"]) == (act.actor.name, reason)
    return same and comment in (None, row["comment"])


def _refusal(one: ReasonDecision, what: str) -> RowError:
    return RowError(f"{one.place}: {what}", row=one.row)


def _no_such(one: ReasonDecision, seen: Row | None) -> str:
    if seen is None:
        what = f"there is no reason {one.record} in version {one.version}"
    else:
        what = f"reason {one.record} was proposed as {seen['reason']} and not {str(one.proposed)[:40]!r}"
    return f"{what}; leave {RECORD}, version and {PROPOSED} as they were exported, and sort whole rows only"


def _changed(act: Act, seen: Row, current: Row) -> str:
    """Say what became of a reason since it was exported."""
    what = f"reason {seen['id']} changed since it was exported: "
    if current["until_act"] is not None:
        kind = "study_id" if seen["transition_id"] is None else "transition_id"
        others = act.current(attrition_reasons, attrition_reasons.c[kind] == seen[kind])
        by = others[0]["proposed_by"] if others else "nobody"
        now = f"{', '.join(one['reason'] for one in others) or 'nothing'} is proposed in its place, by {by}"
    else:
        now = f"it was {_state(seen)} and is now {_state(current)}"
        if _state(seen) == _state(current):
            now = f"its comment is now {str(current['comment'])[:100]!r}"
    return f"{what}{now}; export it again and decide on that"


def _state(row: Row) -> str:
    if row["verified_by"] is None:
        return f"proposed as {row['reason']}"
    return f"verified as {row['verified_reason']} by {row['verified_by']} on {row['verified_at'][:10]}"
