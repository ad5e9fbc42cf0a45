"""Bring a database to the tables of this version, with Alembic. The scripts are in alembic/ (in a wheel: _alembic)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import StoreRefused, Unavailable
from pipeline.store.database import Database
from pipeline.store.tables import acts

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The newest migration. Known here so that a start need not load Alembic to find nothing to do."""

_IN_CHECKOUT = Path(__file__).resolve().parents[2] / "alembic"
_IN_WHEEL = Path(__file__).resolve().parents[1] / "_alembic"


def scripts() -> Path:
    """Return the folder of the migration scripts."""
    return _IN_CHECKOUT if (_IN_CHECKOUT / "env.py").exists() else _IN_WHEEL


def config() -> Config:
    """Return Alembic's configuration, built in code."""
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    return configuration


def version_of(database: Database) -> str | None:
    """Return the migration a database is at; None for an empty one.

    Raises:
        StoreRefused: it holds tables of another program.
    """
    with database.read() as connection:
        present = inspect(connection)
        found = None
        if present.has_table("alembic_version"):
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if present.has_table(acts.name) != (found is not None):
            raise StoreRefused(
                f"{database.url.render_as_string(hide_password=True)} holds tables that Moltrail did not make; "
                "give it a database of its own"
            )
        return None if found is None else str(found)


def upgrade(database: Database) -> bool:
    """Bring the database to HEAD in one transaction; tell whether there was anything to do.

    Raises:
        StoreRefused: the database was written by a newer version, or by another program; or a migration failed,
            and nothing was changed.
    """
    found = version_of(database)
    if found == HEAD:
        return False
    from alembic import command
    from alembic.script import ScriptDirectory

    configuration = config()
    if found is not None and found not in {
        s.revision for s in ScriptDirectory.from_config(configuration).walk_revisions()
    }:
        raise StoreRefused(
            f"the database is at migration {found}, which this version does not know; start a newer Moltrail"
        )
    try:
        with database.write() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except (Unavailable, DBAPIError) as error:
        cause = error.__cause__ or error
        reason = str(getattr(cause, "orig", cause)).splitlines()[0]
        raise StoreRefused(
            f"the database could not be brought to migration {HEAD} ({reason}); nothing was changed: "
            "check the free space and the rights, then start again"
        ) from error
    return True
