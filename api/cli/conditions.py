"""moltrail conditions."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from api.cli.shared import Session, table


@click.group("conditions", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the conditions of decisions that nobody settled yet, the first due first; `conditions settle` settles one.

    Exit code 1 when any is overdue, so that a script can tell.
    """
    if context.invoked_subcommand is not None:
        return
    from pipeline.centre import utc_now
    from pipeline.reports.condition_list import condition_list
    from pipeline.words import ConditionState

    session: Session = context.obj
    with session.open(begun=True) as centre, centre.read(session.actor) as reader:
        rows = condition_list(reader, utc_now().isoformat()[:10])
    shown = ("id", "state", "due_on", "molecule", "programme", "stage", "rule_code", "condition", "owner")
    headings = ("id", "state", "due", "molecule", "programme", "decided at", "rule", "condition", "owner")
    cells = [tuple(row[name] for name in shown) for row in rows]
    session.say(rows, table(headings, cells) if rows else "No condition is open.")
    if any(row["state"] == ConditionState.OVERDUE.value for row in rows):
        sys.exit(1)


@command.command("settle", short_help="Record that a condition is met, or lifted.")
@click.argument("condition", type=int)
@click.argument("outcome", type=click.Choice(["met", "lifted"], case_sensitive=False))
@click.option("--note", required=True, help="What shows that it is met, or why it is no longer asked for.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="When; today where left out.")
@click.pass_obj
def settle(session: Session, condition: int, outcome: str, note: str, on: datetime | None) -> None:
    """Record what became of CONDITION, by the id the list shows. Its owner cannot be the one who says so."""
    from pipeline.commands.conditions import SettleCondition

    done = SettleCondition(condition, outcome.lower() == "met", note, None if on is None else on.date())
    with session.open(begun=True) as centre:
        recorded = centre.execute(done, actor=session.actor, reason=note)
    session.say(recorded.result, f"Condition {condition} is {outcome.lower()}.")
