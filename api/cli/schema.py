"""moltrail schema."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the GraphQL schema in its definition language."""
    from schema import SCHEMA

    click.echo(str(SCHEMA))
