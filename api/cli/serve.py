"""moltrail serve."""

from __future__ import annotations

import os
from pathlib import Path

import click

from api.cli.shared import Session


@click.command("serve")
@click.option("--host", help="The address to answer on; other than this machine only with tokens. [127.0.0.1]")
@click.option("--port", type=int, help="The port. [8000]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The folder of the records.")
@click.option("--demo/--no-demo", default=False, help="Load the demonstration data where nothing is on record yet.")
@click.pass_obj
def command(session: Session, host: str | None, port: int | None, data: Path | None, demo: bool) -> None:
    """Serve the GraphQL API and its pages, after migrating the database; Ctrl-C ends it."""
    from dataclasses import replace

    from api.running import run
    from api.settings import settings_from

    environment = dict(os.environ)
    if host is not None:
        environment["MOLTRAIL_HOST"] = host
    if port is not None:
        environment["MOLTRAIL_PORT"] = str(port)
    settings = replace(settings_from(environment), data=data or session.data, database_url=session.database_url)
    run(settings, demo=demo, say=click.echo)
