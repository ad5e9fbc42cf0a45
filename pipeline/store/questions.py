"""Questions that rules and reports ask of the records, each a fixed number of statements for any number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.stages.checkpoints import PASSING, Doubt, Overdue, Standing
from pipeline.store.basis import changed_inputs, newest_in_use
from pipeline.store.nodes import among, seen, source_of, visible
from pipeline.store.selection import View
from pipeline.store.tables import checkpoints, transitions
from pipeline.words import MoveKind, Verdict


def histories(connection: Connection, programme_ids: Sequence[int], view: View) -> dict[int, list[dict[str, Any]]]:
    """Return the transitions of programmes, oldest first, seen from a moment."""
    found: dict[int, list[dict[str, Any]]] = {id: [] for id in programme_ids}
    statement = select(transitions).where(
        visible(transitions, view), transitions.c.programme_id.in_(list(programme_ids))
    )
    if view.as_of is not None:
        statement = statement.where(transitions.c.occurred_to <= view.as_of)
    for row in connection.execute(statement.order_by(transitions.c.programme_id, transitions.c.position)).mappings():
        found[row["programme_id"]].append(dict(row))
    return found


def verdicts_in_force(
    connection: Connection,
    programme_ids: Sequence[int],
    view: View,
    *,
    before_last: bool = False,
    by: str | None = None,
) -> dict[int, dict[str, Standing]]:
    """Return, by programme, how each rule stands by the checkpoints held in the present stay at its stage.

    A stay begins when a stage is entered or a programme restarts there; what was decided in an earlier stay does not
    count again. The latest assessment of a rule counts. before_last: as if the last transition had not happened.
    by: only what was decided by this day counts. A decision that would open the way is in doubt where a record of its
    evidence was corrected since, or a newer version of the rule is in use.
    """
    past = histories(connection, programme_ids, view)
    if before_last:
        past = {id: rows[:-1] for id, rows in past.items()}
    since = _first_acts(connection, transitions, programme_ids)
    held_since = _first_acts(connection, checkpoints, programme_ids)
    statement = select(checkpoints).where(
        visible(checkpoints, view), checkpoints.c.programme_id.in_(list(programme_ids))
    )
    if view.as_of is not None:
        statement = statement.where(func.substr(checkpoints.c.assessed_on, 1, 10) <= view.as_of)
    if by is not None:
        statement = statement.where(func.substr(checkpoints.c.assessed_on, 1, 10) <= by)
    verdicts: dict[int, dict[str, Standing]] = {id: {} for id in programme_ids}
    passing: dict[tuple[int, str], Any] = {}
    stays = {id: _stay(rows) for id, rows in past.items()}
    for row in connection.execute(statement.order_by(checkpoints.c.id)).mappings():
        begun = stays[row["programme_id"]]
        if begun is None or row["stage"] != begun["to_stage"] or held_since[row["id"]] < since[begun["id"]]:
            continue
        verdict = None if row["verdict"] is None else Verdict(row["verdict"])
        verdicts[row["programme_id"]][row["rule_code"]] = verdict
        key = (row["programme_id"], row["rule_code"])
        if verdict in PASSING:
            passing[key] = row
        else:
            passing.pop(key, None)
    if passing and not before_last:
        newest = newest_in_use(connection, view)
        changed = changed_inputs(connection, sorted(row["id"] for row in passing.values()), view)
        for (programme, code), row in passing.items():
            if changed[row["id"]]:
                verdicts[programme][code] = Doubt.BASIS_CHANGED
            elif row["rule_number"] < newest.get(code, 0):
                verdicts[programme][code] = Doubt.RULE_SUPERSEDED
    return verdicts


def overdue_conditions(
    connection: Connection, programme_ids: Sequence[int], view: View, day: str
) -> dict[int, list[Overdue]]:
    """Return, by programme, the conditions of its decisions that were due before a day and not settled by then.

    view: what is known; the day it looks back from is not minded.
    """
    then = View(day, view.known_at)
    source = source_of("CheckpointCondition", then)
    statement = (
        select(source, checkpoints.c.rule_code, checkpoints.c.stage)
        .join(checkpoints, (checkpoints.c.id == source.c.checkpoint_id) & visible(checkpoints, then))
        .where(
            *seen("CheckpointCondition", source, then),
            among(source.c.programme_id, programme_ids),
            source.c.due_on < day,
            source.c.outcome.is_(None),
        )
        .order_by(source.c.due_on, source.c.id)
    )
    found: dict[int, list[Overdue]] = {id: [] for id in programme_ids}
    for row in connection.execute(statement).mappings():
        one = Overdue(row["rule_code"], row["stage"], row["condition"], row["owner"], row["due_on"])
        found[row["programme_id"]].append(one)
    return found


def _stay(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the transition that began the present stay."""
    begun = [row for row in rows if row["from_stage"] != row["to_stage"] or row["kind"] == MoveKind.RESTART]
    return begun[-1] if begun else None


def _first_acts(connection: Connection, table: Any, programme_ids: Sequence[int]) -> dict[int, int]:
    """Return the act that first recorded each row, whatever was corrected in it since."""
    statement = (
        select(table.c.id, func.min(table.c.since_act))
        .where(table.c.programme_id.in_(list(programme_ids)))
        .group_by(table.c.id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}
