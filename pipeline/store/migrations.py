"""Bring a database to the tables of this version, with Alembic. The scripts are in alembic/ (in a wheel: _alembic)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from pipeline.errors import StoreRefused
from pipeline.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
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
    """Return the migration a database is at; None for an empty one."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(database: Database) -> bool:
    """Bring the database to HEAD in one transaction; tell whether there was anything to do.

    Raises:
        StoreRefused: the database was written by a newer version.
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
    with database.write() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
    return True
