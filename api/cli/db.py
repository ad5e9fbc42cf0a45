"""moltrail db."""

from __future__ import annotations

import click

from api.cli.shared import Session


@click.group("db")
def command() -> None:
    """Migrate the database, or say where it stands."""


@command.command("upgrade", short_help="Bring the database to the tables of this version.")
@click.pass_obj
def upgrade(session: Session) -> None:
    """Bring the database to the tables of this version; nothing happens where it is there already."""
    from pipeline.store.migrations import HEAD

    with session.open():
        session.say({"migration": HEAD}, f"The database is at migration {HEAD}, the newest.")


@command.command("status", short_help="Say where the records are and how many there are.")
@click.pass_obj
def status(session: Session) -> None:
    """Say where the records are, at which migration, and how many there are."""
    from sqlalchemy import func, select

    from pipeline.store.migrations import version_of
    from pipeline.store.tables import RECORD_TABLES, acts

    with session.open(begun=True) as centre:
        database = centre.database
        migration = version_of(database)
        with database.read() as connection:
            counts = {
                str(table.name): connection.execute(
                    select(func.count()).select_from(table).where(table.c.until_act.is_(None))
                ).scalar_one()
                for table in RECORD_TABLES
            }
            number = connection.execute(select(func.max(acts.c.number))).scalar() or 0
        where = database.url.render_as_string(hide_password=True)
    content = {"database": where, "migration": migration, "acts": number, "records": counts}
    filled = [f"  {name:22} {count:>12,}" for name, count in counts.items() if count]
    session.say(content, "\n".join([where, f"migration {migration}, {number:,} acts", *filled]))
