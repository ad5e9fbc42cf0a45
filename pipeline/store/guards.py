"""Triggers that refuse to alter or delete what was recorded, whoever asks: the only change allowed is to close a row.

The statements of a table never change once a migration has used them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    changed = f"({', '.join(f'OLD.{c}' for c in fixed)}) IS DISTINCT FROM ({', '.join(f'NEW.{c}' for c in fixed)})"
    when = f"OLD.until_act IS NOT NULL OR NEW.until_act IS NULL OR {changed}" if closable else "TRUE"
    yield (
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} "
        f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION moltrail_refuse()"
    )


def guard_names(dialect: str, table: str, *, closable: bool) -> set[str]:
    """Return the names of the triggers a table has to have."""
    if dialect == "sqlite":
        return {f"{table}_keep", f"{table}_fixed"} | ({f"{table}_close_once"} if closable else set())
    return {f"{table}_keep_delete", f"{table}_keep_truncate", f"{table}_fixed"}
