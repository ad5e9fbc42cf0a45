"""moltrail alerts."""

from __future__ import annotations

import sys

import click

from api.cli.shared import Session, table


@click.group("alerts", invoke_without_command=True)
@click.option("--open", "open_only", is_flag=True, help="Only those nobody answered for yet.")
@click.pass_context
def command(context: click.Context, open_only: bool) -> None:
    """List the alerts, the oldest first; `alerts acknowledge` answers for one.

    Exit code 1 when any is open, so that a script can tell.
    """
    if context.invoked_subcommand is not None:
        return
    from pipeline.reports.alert_list import alert_list

    session: Session = context.obj
    with session.open(begun=True) as centre, centre.read(session.actor) as reader:
        rows = alert_list(reader, open_only=open_only)
    cells = [
        (
            r["id"],
            r["raised_at"][:16],
            r["kind"],
            r["molecule"],
            r["study"],
            r["message"],
            r["acknowledged_by"] or "open",
        )
        for r in rows
    ]
    headings = ("id", "raised", "kind", "molecule", "study", "message", "answered by")
    session.say(rows, table(headings, cells) if rows else "There are no alerts." if not open_only else "None is open.")
    if any(row["acknowledged_at"] is None for row in rows):
        sys.exit(1)


@command.command("acknowledge", short_help="Answer for an alert.")
@click.argument("alert", type=int)
@click.option("--comment", required=True, help="What it means and what is done.")
@click.pass_obj
def acknowledge(session: Session, alert: int, comment: str) -> None:
    """Answer for ALERT, by the id the list shows; it is open until then."""
    from pipeline.commands.alerts import AcknowledgeAlert

    with session.open(begun=True) as centre:
        centre.execute(AcknowledgeAlert(alert, comment), actor=session.actor, reason=comment)
    session.say({"alert": alert, "acknowledged": True}, f"Alert {alert} is answered for.")
