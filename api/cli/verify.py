"""moltrail verify."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from api.cli.shared import Session


@click.command("verify")
@click.option(
    "--anchor",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The anchor file to compare with, where it is kept elsewhere than in the data folder.",
)
@click.pass_obj
def command(session: Session, anchor: Path | None) -> None:
    """Walk the audit chain: is every act in its place, and does every row belong to its one act, unaltered?

    Exit code 1 when something was altered, removed, added or cut off.
    """
    from pipeline.store.keys import Anchor
    from pipeline.store.verify import verify

    with session.open(begun=True) as centre, session.progress("Walking the audit chain"):
        journal = centre.journal
        chosen = Anchor(anchor, journal.key) if anchor else journal.anchor
        report = verify(journal.database, journal.key, chosen)
    content = {
        "intact": report.intact,
        "acts": report.acts,
        "rows": report.rows,
        "head": report.head,
        "problems": report.problems,
    }
    found = "\n".join(f"  {problem}" for problem in report.problems)
    text = f"{report.acts:,} acts and {report.rows:,} row versions, head {report.head[:16]}…\n"
    text += "Intact: nothing was altered." if report.intact else f"NOT intact:\n{found}"
    session.say(content, text)
    if not report.intact:
        sys.exit(1)
