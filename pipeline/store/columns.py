"""Column types that mean the same on SQLite (STRICT tables) and PostgreSQL, and the shape every record table shares."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import TEXT as PG_TEXT
from sqlalchemy.dialects.sqlite import REAL
from sqlalchemy.types import TypeEngine

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Text compares byte by byte on both engines: the order of a page is the same everywhere.
Words = Text().with_variant(PG_TEXT(collation="C"), "postgresql")
Whole = BigInteger().with_variant(Integer(), "sqlite")
Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
Blob = LargeBinary()


class Flag(TypeDecorator[bool]):
    """True or false; an INTEGER 0 or 1 in SQLite, whose STRICT tables know no boolean."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return INTEGER for SQLite, BOOLEAN elsewhere."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> bool | int | None:
        """Hand SQLite a number."""
        return value if value is None or dialect.name != "sqlite" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        """Give a boolean back."""
        return None if value is None else bool(value)


def text_column(name: str, *, required: bool = False) -> Column[Any]:
    """Declare a column of text."""
    return Column(name, Words, nullable=not required)


def whole_column(name: str, *, required: bool = False) -> Column[Any]:
    """Declare a column of whole numbers, ids among them."""
    return Column(name, Whole, nullable=not required)


def real_column(name: str) -> Column[Any]:
    """Declare a column of doubles."""
    return Column(name, Real)


def flag_column(name: str, *, required: bool = False) -> Column[Any]:
    """Declare a column of true or false."""
    return Column(name, Flag, nullable=not required)


def source_columns() -> tuple[Column[Any], Column[Any]]:
    """Declare the columns that lead back to the imported file and its row."""
    return whole_column("source_file"), whole_column("source_row")


def records(name: str, *columns: Column[Any], unique: tuple[str, ...] = (), look_up: tuple[str, ...] = ()) -> Table:
    """Declare a table of row versions.

    Every row version belongs to the act that opened it (`since_act`) and, once replaced, to the act that
    closed it (`until_act`). `seal` is 16 bytes of salt and the SHA-256 of the salted content.
    unique: columns that together name one current row. look_up: columns (or "a,b" pairs) to find current rows by.
    """
    table = Table(
        name,
        METADATA,
        Column("id", Whole, nullable=False, autoincrement=False),
        Column("version", Whole, nullable=False, autoincrement=False),
        Column("since_act", Whole, nullable=False),
        Column("until_act", Whole),
        Column("seal", Blob, nullable=False),
        *columns,
        PrimaryKeyConstraint("id", "version"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    current = text("until_act IS NULL")
    Index(f"ix_{name}_since_act", table.c.since_act)
    Index(
        f"ix_{name}_until_act",
        table.c.until_act,
        sqlite_where=text("until_act IS NOT NULL"),
        postgresql_where=text("until_act IS NOT NULL"),
    )
    if unique:
        Index(
            f"uq_{name}_{'_'.join(unique)}",
            *(table.c[column] for column in unique),
            unique=True,
            sqlite_where=current,
            postgresql_where=current,
        )
    for group in look_up:
        names = group.split(",")
        Index(f"ix_{name}_{'_'.join(names)}", *(table.c[column] for column in names))
    return table
