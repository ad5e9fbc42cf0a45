"""moltrail schema."""

from __future__ import annotations

import click

from api.cli.shared import Session


@click.command("schema")
@click.pass_obj
def command(session: Session) -> None:
    """Print the GraphQL schema in its definition language."""
    from schema import SCHEMA

    text = str(SCHEMA)
    session.say({"schema": text}, text)
