"""Triggers that refuse to alter or delete what was recorded, whoever asks: the only change allowed is to close a row.

The statements of a table never change once a migration has used them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, Table

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION moltrail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'moltrail: % on % is not allowed: what was recorded stays', TG_OP, TG_TABLE_NAME; END $$
"""


def guard_statements(dialect: str, table: str, columns: Sequence[str]) -> Iterator[str]:
    """Yield the statements that guard one table. `acts`, which has no until_act, may not change at all."""
    closable = "until_act" in columns
    fixed = [column for column in columns if column != "until_act"]
    if dialect == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, 'moltrail: what was recorded in {table} stays'); END"
        yield f"CREATE TRIGGER {table}_keep BEFORE DELETE ON {table} {refuse}"
        yield f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {', '.join(fixed)} ON {table} {refuse}"
        if closable:
            yield (
                f"CREATE TRIGGER {table}_close_once BEFORE UPDATE OF until_act ON {table} "
                f"WHEN OLD.until_act IS NOT NULL OR NEW.until_act IS NULL {refuse}"
            )
        return
    yield _POSTGRES_FUNCTION
    for operation in ("DELETE", "TRUNCATE"):
        each = "ROW" if operation == "DELETE" else "STATEMENT"
        yield (
            f"CREATE TRIGGER {table}_keep_{operation.lower()} BEFORE {operation} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION moltrail_refuse()"
        )
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in fixed)
    when = f"OLD.until_act IS NOT NULL OR NEW.until_act IS NULL OR {changed}" if closable else "TRUE"
    yield (
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} "
        f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION moltrail_refuse()"
    )


def missing_guards(connection: Connection, tables: Iterable[Table]) -> Iterator[str]:
    """Yield, for every trigger that is missing, switched off or no longer what it was, what is wrong with it."""
    look = _sqlite_triggers if connection.dialect.name == "sqlite" else _postgres_triggers
    found = look(connection)
    for table in tables:
        columns = [column.name for column in table.columns]
        for statement in guard_statements(connection.dialect.name, table.name, columns):
            if statement is _POSTGRES_FUNCTION:
                continue
            name = statement.split()[2]
            if (table.name, name) not in found:
                yield f"the trigger {name} that protects {table.name} is missing"
            elif found[table.name, name] != _essence(statement):
                yield f"the trigger {name} that protects {table.name} was altered or switched off"


def _sqlite_triggers(connection: Connection) -> dict[tuple[str, str], str]:
    query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'"
    return {(table, name): _essence(sql) for table, name, sql in connection.exec_driver_sql(query)}


def _postgres_triggers(connection: Connection) -> dict[tuple[str, str], str]:
    query = """
        SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid, true), t.tgenabled IN ('O', 'A'), p.prosrc
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)
    """
    refusal = _POSTGRES_FUNCTION.split("$$")[1]
    return {
        (table, name): _essence(definition) if enabled and source == refusal else "off"
        for table, name, definition, enabled, source in connection.exec_driver_sql(query)
    }


def _essence(definition: str) -> str:
    """Return a definition without what PostgreSQL rewrites in it: case, blanks, brackets and quotes."""
    return re.sub(r'[\s()"]', "", definition).lower()
