"""moltrail demo."""

from __future__ import annotations

import click

from api.cli.shared import Session


@click.group("demo")
def command() -> None:
    """Load the demonstration data: facts from public sets, with their sources."""


@command.command("load", short_help="Load the demonstration into an empty record.")
@click.pass_obj
def load(session: Session) -> None:
    """Load the demonstration into an empty record; an interrupted load goes on, a finished one stays as it is."""
    from pipeline.demo import load as load_demonstration

    with session.open() as centre:
        done = load_demonstration(centre)
    text = "\n".join(["The demonstration is loaded:", *(f"  {line}" for line in done)])
    session.say({"loaded": done}, text if done else "The demonstration was loaded already; nothing was done.")


@command.command("status", short_help="Say whether the demonstration is in the record.")
@click.pass_obj
def status(session: Session) -> None:
    """Say whether the demonstration is in the record, and where its data come from."""
    from pipeline.demo import ATTRIBUTION, state_of

    with session.open(begun=True) as centre:
        state = state_of(centre)
    session.say({"state": state.name, "attribution": str(ATTRIBUTION)}, f"{state}\nSources and licences: {ATTRIBUTION}")
