"""moltrail assess."""

from __future__ import annotations

from typing import Any

import click

from api.cli.shared import Session, table


@click.command("assess")
@click.argument("programme", required=False)
@click.argument("rule", required=False)
@click.option("--changed", is_flag=True, help="All programmes whose evidence an act can have changed since.")
@click.pass_obj
def command(session: Session, programme: str | None, rule: str | None, changed: bool) -> None:
    """Assess checkpoints on the records as they stand, and freeze what was seen.

    PROGRAMME is a programme's number, or a molecule's code or name for all its active programmes; RULE one of the
    rules asked at its stage (all of them that are computed from records, where left out).
    """
    from pipeline.commands.assess_due import AssessChanged, AssessProgrammes
    from pipeline.reports.assessment_list import assessment_list, programmes_named

    if changed is (programme is not None):
        raise click.UsageError("give a programme or a molecule's code, or --changed for all that changed")
    with session.open(begun=True) as centre:
        command: Any = AssessChanged()
        if programme is not None:
            with centre.read(session.actor) as reader:
                command = AssessProgrammes(tuple(programmes_named(reader, programme)), rule)
        with session.progress("Assessing"):
            recorded = centre.execute(command, actor=session.actor)
        with centre.read(session.actor) as reader:
            rows = assessment_list(reader, recorded.result["checkpoints"])
    cells = [
        (
            row["id"],
            row["molecule"],
            row["programme"],
            row["stage"],
            row["rule_code"],
            row["recommendation"],
            row["explanation"],
        )
        for row in rows
    ]
    headings = ("checkpoint", "molecule", "programme", "stage", "rule", "recommends", "because")
    session.say(rows, table(headings, cells) if rows else "Nothing has changed since it was last assessed.")
