"""A migrated database has the tables of this version; what cannot be migrated is refused, and left as it was."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from pipeline.errors import StoreRefused
from pipeline.store.columns import METADATA
from pipeline.store.database import Database
from pipeline.store.guards import missing_guards
from pipeline.store.migrations import HEAD, config, upgrade, version_of
from pipeline.store.tables import RECORD_TABLES, acts


def test_a_migrated_database_equals_the_tables(database):
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert list(missing_guards(connection, (acts, *RECORD_TABLES))) == []


def test_sqlite_tables_are_strict(tmp_path):
    with Database(f"sqlite:///{tmp_path / 'moltrail.db'}") as database:
        upgrade(database)
        with database.read() as connection:
            strict = dict(connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list").all())
    assert {name: strict[name] for name in METADATA.tables} == dict.fromkeys(METADATA.tables, 1)


def test_the_head_known_by_heart_is_the_head_of_the_scripts(database):
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD
    assert version_of(database) == HEAD
    assert upgrade(database) is False


def test_a_database_of_a_newer_version_is_refused(database):
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreRefused, match="is at migration 9999, which this version does not know; start a newer"):
        upgrade(database)


@pytest.mark.parametrize("table", ["acts", "alembic_version"])
def test_a_database_of_another_program_is_refused_and_left_alone(database_url, table):
    with Database(database_url) as database:
        with database.write() as connection:
            connection.execute(text(f"CREATE TABLE {table} (version_num TEXT)"))
            connection.execute(text(f"INSERT INTO {table} VALUES ('0001')"))
        with pytest.raises(StoreRefused, match="give it a database of its own"):
            upgrade(database)
        assert tables_in(database) == {table}


def tables_in(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


def test_a_migration_that_fails_in_the_middle_leaves_nothing(database_url, monkeypatch):
    made = []
    create_table = Operations.create_table

    def create_some(self, name, *columns, **options):
        made.append(name)
        if len(made) == 5:
            return self.execute("CREATE NONSENSE")
        return create_table(self, name, *columns, **options)

    with Database(database_url) as database:
        with monkeypatch.context() as patched:
            patched.setattr(Operations, "create_table", create_some)
            with pytest.raises(StoreRefused, match="nothing was changed") as refused:
                upgrade(database)
        assert "\n" not in refused.value.message
        assert len(made) == 5
        assert tables_in(database) == set()
        assert upgrade(database) is True
        assert tables_in(database) == {*METADATA.tables, "alembic_version"}


def test_an_upgrade_by_two_at_once_happens_once(database_url, monkeypatch):
    """The second one looked before the first was done: it finds nothing left to do."""
    real = command.upgrade

    def upgraded_meanwhile(configuration, revision):
        real(configuration, revision)
        real(configuration, revision)

    with Database(database_url) as database:
        monkeypatch.setattr(command, "upgrade", upgraded_meanwhile)
        assert upgrade(database) is True
        assert version_of(database) == HEAD
