"""Whatever is changed behind the program's back, in the database or in the anchor, is noticed; and triggers refuse it.

The changes are made with the triggers out of the way, inside a transaction that verify reads and that is then undone.
MOLTRAIL_TAMPERINGS sets how many random changes are tried on each engine.
"""

import contextlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import (
    Connection,
    Double,
    LargeBinary,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from pipeline.centre import Centre
from pipeline.store.chain import ACT_FIELDS, BOOKKEEPING, TableTally, act_hash, code_of, rows_digest, seal, stream_of
from pipeline.store.columns import Flag
from pipeline.store.database import Database
from pipeline.store.guards import guard_statements
from pipeline.store.journal import Journal
from pipeline.store.keys import Anchor, ChainKey
from pipeline.store.migrations import upgrade
from pipeline.store.tables import RECORD_TABLES, acts, molecules
from pipeline.store.verify import verify
from tests.conftest import ENGINES
from tests.support.history import write_acts

ROUNDS = int(os.environ.get("MOLTRAIL_TAMPERINGS", "52"))
ACTS = 18


class Seen:
    """Stands in for a Database: verify reads the transaction in which the tampering is."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextlib.contextmanager
    def read(self):
        yield self.connection


class Intruder:
    """Somebody with every right on the database, and without the key."""

    def __init__(self, url: str, key: ChainKey, anchor: Anchor) -> None:
        self.key, self.anchor = key, anchor
        self.is_sqlite = url.startswith("sqlite")
        self.engine = create_engine(url, **({"connect_args": {"isolation_level": None}} if self.is_sqlite else {}))
        if self.is_sqlite:
            event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    @contextlib.contextmanager
    def inside(self, *, triggers_off: bool = True):
        with self.engine.connect() as connection, connection.begin() as transaction:
            if triggers_off and not self.is_sqlite:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            yield connection
            transaction.rollback()

    @contextlib.contextmanager
    def no_triggers(self, connection: Connection, table: Table):
        """Drop a table's triggers and put them back, as an intruder who hides would."""
        if not self.is_sqlite:
            yield
            return
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        triggers = connection.exec_driver_sql(query, (table.name,)).all()
        for name, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield
        for _, sql in triggers:
            connection.exec_driver_sql(sql)

    def problems(self, connection: Connection, anchor: Anchor | None = None) -> list[str]:
        return verify(Seen(connection), self.key, anchor or self.anchor).problems


@pytest.fixture(scope="module", params=ENGINES)
def intruder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tampering")
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{folder / 'moltrail.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        key = ChainKey.load(folder / "chain.key")
        anchor = Anchor(folder / "anchor.jsonl", key)
        with Database(url) as database:
            upgrade(database)
            url = database.url.render_as_string(hide_password=False)
            list(write_acts(Journal(database, key, anchor), Random(4), ACTS, tables=13))
        made = Intruder(url, key, anchor)
        yield made
        made.engine.dispose()


def another(value, column, random: Random):
    """Return a value the column can hold and that is not the one it holds."""
    if value is not None and column.nullable and random.random() < 0.25:
        return None
    match column.type:
        case Flag():
            return not value
        case Double():
            return 0.5 if value is None else value + max(1.0, abs(value) / 8)
        case LargeBinary():
            if not value:
                return b"\0"
            place = random.randrange(len(value))
            return value[:place] + bytes([value[place] ^ (1 << random.randrange(8))]) + value[place + 1 :]
        case Text():
            if value is None:
                return ""
            return random.choice([value + " ", value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x", value + "\n"])
    if value is None:
        return random.randint(0, ACTS + 2)
    return random.choice([n for n in (value + 1, value - 1, 0, 1, -7, 2**63 - 1) if n != value and abs(n) < 2**63])


def a_row(connection: Connection, table: Table, random: Random):
    return random.choice(connection.execute(select(table)).mappings().all())


def identified(table: Table, row):
    if table is acts:
        return acts.c.number == row["number"]
    return (table.c.id == row["id"]) & (table.c.version == row["version"])


# ---------------------------------------------------------------- single changes


def alter(intruder: Intruder, connection: Connection, table: Table, column_name: str, random: Random) -> str:
    """Change one value of one row."""
    column = table.c[column_name]
    for _ in range(20):
        row = a_row(connection, table, random)
        new = another(row[column_name], column, random)
        change = update(table).where(identified(table, row)).values({column_name: new})
        with intruder.no_triggers(connection, table), contextlib.suppress(DBAPIError), connection.begin_nested():
            connection.execute(change)
            break  # else a unique index is in the way
    return f"alter {table.name}.{column_name} from {row[column_name]!r} to {new!r}"


def alter_somewhere(intruder, connection, random):
    table = random.choice((acts, *RECORD_TABLES))
    return alter(intruder, connection, table, random.choice([c.name for c in table.columns]), random)


def alter_seal(intruder, connection, random):
    return alter(intruder, connection, random.choice(RECORD_TABLES), "seal", random)


def alter_act(intruder, connection, random):
    return alter(intruder, connection, acts, random.choice([c.name for c in acts.columns]), random)


def move_to_another_act(intruder, connection, random):
    return alter(intruder, connection, random.choice(RECORD_TABLES), random.choice(["since_act", "until_act"]), random)


def alter_and_seal_anew(intruder, connection, random):
    """Change a row and give it a seal that fits: salts are no secret."""
    table = random.choice(RECORD_TABLES)
    row = dict(a_row(connection, table, random))
    name = random.choice([c.name for c in table.columns if c.name not in BOOKKEEPING | {"id", "version"}])
    row[name] = another(row[name], table.c[name], random)
    row["seal"] = sealed(table, row, random)
    with intruder.no_triggers(connection, table):
        connection.execute(update(table).where(identified(table, row)).values(row))
    return f"alter {table.name}.{name} and seal anew"


def sealed(table: Table, row, random: Random) -> bytes:
    content = {str(name): value for name, value in row.items() if name not in BOOKKEEPING}
    return seal(table.name, content, random.randbytes(16))


def remove_row(intruder, connection, random):
    table = random.choice(RECORD_TABLES)
    row = a_row(connection, table, random)
    with intruder.no_triggers(connection, table):
        connection.execute(delete(table).where(identified(table, row)))
    return f"remove {table.name} {row['id']} version {row['version']}"


def insert_row(intruder, connection, random):
    """Add a row, a copy or one with its own seal, to an act that is there, that was never, or that comes first."""
    table = random.choice(RECORD_TABLES)
    row = dict(a_row(connection, table, random))
    row["id"] = random.choice([connection.execute(select(func.max(table.c.id))).scalar() + 1, 0, -5, 2**63 - 1])
    row["since_act"] = random.choice([row["since_act"], 0, -1, ACTS, ACTS + 1, 2**63 - 1])
    row["until_act"] = random.choice([row["until_act"], 0, ACTS, 2**63 - 1])
    for column in table.columns:
        if isinstance(column.type, Text) and row[column.name] is not None:
            row[column.name] += "~"
    row["seal"] = random.choice([row["seal"], sealed(table, row, random)])
    connection.execute(insert(table).values(row))
    return f"insert {table.name} {row['id']} into act {row['since_act']}"


def swap_rows(intruder, connection, random):
    """Exchange the places (id and version) of two rows, or their contents with the seals."""
    table = random.choice(RECORD_TABLES)
    rows = connection.execute(select(table)).mappings().all()
    one, other = random.sample(rows, 2)
    bookkeeping = random.choice([True, False])
    kept = {"id", "version"} | (BOOKKEEPING - {"seal"} if bookkeeping else set())
    with intruder.no_triggers(connection, table):
        connection.execute(delete(table).where(identified(table, one) | identified(table, other)))
        for place, content in ((one, other), (other, one)):
            connection.execute(insert(table).values({k: (place if k in kept else content)[k] for k in place}))
    return f"swap {table.name} {one['id']}/{one['version']} and {other['id']}/{other['version']}"


def remove_act(intruder, connection, random):
    """Remove an act, with or without its rows, and let the numbers close up or not."""
    number = random.randint(1, ACTS)
    with_rows, close_up = random.random() < 0.5, random.random() < 0.5
    with contextlib.ExitStack() as stack:
        for table in (acts, *RECORD_TABLES):
            stack.enter_context(intruder.no_triggers(connection, table))
        connection.execute(delete(acts).where(acts.c.number == number))
        if with_rows:
            for table in RECORD_TABLES:
                connection.execute(delete(table).where(table.c.since_act == number))
        if close_up:
            for later in range(number + 1, ACTS + 1):
                connection.execute(update(acts).where(acts.c.number == later).values(number=later - 1))
                for table in RECORD_TABLES:
                    for column in ("since_act", "until_act"):
                        connection.execute(update(table).where(table.c[column] == later).values({column: later - 1}))
    return f"remove act {number}, rows {with_rows}, close up {close_up}"


def swap_acts(intruder, connection, random):
    one, other = random.sample(range(1, ACTS + 1), 2)
    with intruder.no_triggers(connection, acts):
        for old, new in ((one, -1), (other, one), (-1, other)):
            connection.execute(update(acts).where(acts.c.number == old).values(number=new))
    return f"swap acts {one} and {other}"


def append_act(intruder, connection, random):
    """Add an act of one's own to the end, chained as it should be but for the key."""
    found = connection.execute(select(acts).where(acts.c.number == ACTS)).mappings().one()
    last = {str(name): value for name, value in found.items()}
    new = last | {"number": ACTS + 1, "previous_hash": last["hash"], "idempotency_key": None}
    new |= {"rows": 0, "rows_digest": rows_digest({})}
    new["hash"] = act_hash(new)
    new["mac"] = random.choice([last["mac"], code_of(b"guess", new["hash"])])
    connection.execute(insert(acts).values(new))
    return "append an act"


def cut_tail(intruder, connection, random):
    """Take the last acts back as if they had never been: a shorter chain without a flaw."""
    first = random.randint(2, ACTS)
    with contextlib.ExitStack() as stack:
        for table in (acts, *RECORD_TABLES):
            stack.enter_context(intruder.no_triggers(connection, table))
        connection.execute(delete(acts).where(acts.c.number >= first))
        for table in RECORD_TABLES:
            connection.execute(delete(table).where(table.c.since_act >= first))
            connection.execute(update(table).where(table.c.until_act >= first).values(until_act=None))
    return f"cut acts from {first}"


def rewrite_history(intruder, connection, random):
    """Alter a row and make seal, digests and hashes fit from there to the end; only the key is missing."""
    alter_and_seal_anew(intruder, connection, random)
    previous = None
    with intruder.no_triggers(connection, acts):
        for act in connection.execute(select(acts).order_by(acts.c.number)).mappings().all():
            new = {str(name): value for name, value in act.items()} | {
                "rows_digest": digest_found(connection, act["number"])
            }
            new["previous_hash"] = previous or act["previous_hash"]
            new["hash"] = act_hash(new)
            if new["hash"] != act["hash"]:
                new["mac"] = code_of(b"guess", new["hash"])
                connection.execute(update(acts).where(acts.c.number == act["number"]).values(new))
            previous = new["hash"]
    return "rewrite history"


def digest_found(connection: Connection, number: int) -> str:
    tallies = {}
    for table in RECORD_TABLES:
        order = (table.c.id, table.c.version)
        opened = select(table.c.version, table.c.seal).where(table.c.since_act == number).order_by(*order)
        closed = select(table.c.version, table.c.seal).where(table.c.until_act == number).order_by(*order)
        tally = TableTally()
        for version, found in connection.execute(opened):
            tally.add(stream_of(version), bytes(found))
        for _, found in connection.execute(closed):
            tally.add("closed", bytes(found))
        tallies[str(table.name)] = tally
    return rows_digest(tallies)


KINDS = (
    alter_somewhere,
    alter_seal,
    alter_act,
    move_to_another_act,
    alter_and_seal_anew,
    remove_row,
    insert_row,
    swap_rows,
    remove_act,
    swap_acts,
    append_act,
    cut_tail,
    rewrite_history,
)


def test_an_untouched_history_is_intact_and_fills_every_table(intruder):
    with intruder.inside() as connection:
        assert intruder.problems(connection) == []
        assert (
            digest_found(connection, 5)
            == connection.execute(select(acts.c.rows_digest).where(acts.c.number == 5)).scalar()
        )
        for table in RECORD_TABLES:
            assert connection.execute(select(func.count()).select_from(table)).scalar() > 1, table.name


def test_the_columns_of_every_table_are_watched(intruder):
    random = Random(1)
    unnoticed = []
    columns = [(table, column.name) for table in (acts, *RECORD_TABLES) for column in table.columns]
    if ROUNDS < 500:  # the long run takes all of them
        columns = random.sample(columns, 100 if intruder.is_sqlite else 20)
    for table, column in columns:
        with intruder.inside() as connection:
            done = alter(intruder, connection, table, column, random)
            if not intruder.problems(connection):
                unnoticed.append(done)
    assert unnoticed == []


def test_single_changes_of_every_kind_are_noticed(intruder):
    random = Random(2)
    unnoticed, tried = [], Counter()
    for number in range(ROUNDS):
        kind = KINDS[number % len(KINDS)]
        with intruder.inside() as connection:
            try:
                done = kind(intruder, connection, random)
            except DBAPIError:
                continue  # the database itself refuses it: a unique index, a number out of range
            tried[kind.__name__] += 1
            if not intruder.problems(connection):
                unnoticed.append(done)
    assert unnoticed == []
    assert set(tried) == {kind.__name__ for kind in KINDS}
    print(f"{tried.total()} changes noticed on {'SQLite' if intruder.is_sqlite else 'PostgreSQL'}: {dict(tried)}")


def test_bytes_that_are_no_text_and_texts_no_engine_keeps_are_noticed(intruder):
    if not intruder.is_sqlite:
        pytest.skip("PostgreSQL does not take them")
    for table, column in ((acts, "reason"), (acts, "hash"), (acts, "key_id"), (molecules, "name")):
        for value in ("CAST(X'ff41' AS TEXT)", "CAST(X'410042' AS TEXT)"):
            with intruder.inside() as connection, intruder.no_triggers(connection, table):
                first = "number = 1" if table is acts else "id = 1 AND version = 1"
                connection.execute(text(f"UPDATE {table.name} SET {column} = {value} WHERE {first}"))
                found = intruder.problems(connection)
                assert found != []
                "\n".join(found).encode()  # and can be printed


# ---------------------------------------------------------------- the anchor


def damaged(lines: list[bytes], kind: str, random: Random) -> list[bytes]:
    place = random.randrange(1, len(lines) - 2)
    match kind:
        case "byte":
            line = lines[place]
            at = line.index(random.choice([b'"hash":"', b'"mac":"'])) + 8 + random.randrange(8)
            changed = line[:at] + (b"0" if line[at : at + 1] != b"0" else b"1") + line[at + 1 :]
            return [*lines[:place], changed, *lines[place + 1 :]]
        case "number":
            return [*lines[:place], lines[place].replace(b'"number":', b'"number":1'), *lines[place + 1 :]]
        case "removed":
            return [*lines[:place], *lines[place + 1 :]]
        case "first removed":
            return lines[1:]
        case "swapped":
            return [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
        case "doubled":
            return [*lines[:place], lines[place], *lines[place:]]
        case "garbage":
            return [*lines[:place], b"\0\xffnothing", *lines[place:]]
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["byte", "number", "removed", "first removed", "swapped", "doubled", "garbage"])
def test_an_altered_anchor_is_noticed(intruder, tmp_path, kind):
    random = Random(kind)
    lines = intruder.anchor.path.read_bytes().splitlines()
    other = Anchor(tmp_path / "anchor.jsonl", intruder.key)
    with intruder.inside() as connection:
        for _ in range(5):
            other.path.write_bytes(b"".join(line + b"\n" for line in damaged(lines, kind, random)))
            assert intruder.problems(connection, other) != []


def test_a_missing_anchor_is_noticed(intruder, tmp_path):
    with intruder.inside() as connection:
        (problem,) = intruder.problems(connection, Anchor(tmp_path / "none.jsonl", intruder.key))
        assert "is missing" in problem


def test_writing_on_over_a_cut_tail_does_not_hide_it(database, tmp_path):
    key = ChainKey.load(tmp_path / "chain.key")
    anchor = Anchor(tmp_path / "anchor.jsonl", key)
    list(write_acts(Journal(database, key, anchor), Random(5), 4))
    with database.write() as connection:
        only_last_acts = [3, 4]
        for table in (acts, *RECORD_TABLES):
            for sql in disabling(database, table):
                connection.exec_driver_sql(sql)
        connection.execute(delete(acts).where(acts.c.number.in_(only_last_acts)))
        for table in RECORD_TABLES:
            connection.execute(delete(table).where(table.c.since_act.in_(only_last_acts)))
            connection.execute(update(table).where(table.c.until_act.in_(only_last_acts)).values(until_act=None))
        for table in (acts, *RECORD_TABLES):
            for sql in enabling(database, table):
                connection.execute(text(sql.replace(":", "\\:")))
    assert verify(database, key, anchor).problems == [
        "the anchor remembers act 4, the database ends at act 2: acts were cut off its end"
    ]
    again = Journal(database, key, anchor)
    list(write_acts(again, Random(6), 5))
    problems = verify(database, key, anchor).problems
    assert "act 3 is not the one the anchor remembers: the chain was rewritten" in problems
    assert "act 4 is not the one the anchor remembers: the chain was rewritten" in problems


def disabling(database: Database, table: Table):
    if not database.is_sqlite:
        return [f"ALTER TABLE {table.name} DISABLE TRIGGER USER"]
    names = [s.split()[2] for s in guard_statements("sqlite", table.name, [c.name for c in table.columns])]
    return [f"DROP TRIGGER {name}" for name in names]


def enabling(database: Database, table: Table):
    if not database.is_sqlite:
        return [f"ALTER TABLE {table.name} ENABLE TRIGGER USER"]
    return list(guard_statements("sqlite", table.name, [c.name for c in table.columns]))


# ---------------------------------------------------------------- triggers


def test_triggers_refuse_every_change_but_closing_a_row(intruder):
    for table in (acts, *RECORD_TABLES):
        statements = [f"DELETE FROM {table.name}"]
        statements += [f"UPDATE {table.name} SET {c.name} = {c.name}" for c in table.columns if intruder.is_sqlite]
        key = "number" if table is acts else "id"
        statements += [f"UPDATE {table.name} SET {key} = {key} + 1000"]
        if not intruder.is_sqlite:
            statements += [f"TRUNCATE {table.name}"]
        if table is not acts:
            statements += [f"UPDATE {table.name} SET until_act = NULL", f"UPDATE {table.name} SET until_act = 1"]
        for statement in statements:
            with (
                intruder.inside(triggers_off=False) as connection,
                pytest.raises(DBAPIError, match=r"stays") as refused,
                connection.begin_nested(),
            ):
                connection.exec_driver_sql(statement)
            assert "moltrail" in str(refused.value)
    columns = [c for c in RECORD_TABLES[0].columns if c.name != "until_act"]
    with intruder.inside(triggers_off=False) as connection:
        row = (
            connection.execute(select(RECORD_TABLES[0]).where(RECORD_TABLES[0].c.until_act.is_(None)))
            .mappings()
            .first()
        )
        for column in columns:
            new = another(row[column.name], column, Random(0))
            statement = update(RECORD_TABLES[0]).where(identified(RECORD_TABLES[0], row)).values({column.name: new})
            with pytest.raises(DBAPIError, match=r"stays"), connection.begin_nested():
                connection.execute(statement)


def test_missing_altered_and_sleeping_triggers_are_noticed(intruder):
    first = RECORD_TABLES[0].name
    if intruder.is_sqlite:
        harmless = f"BEFORE DELETE ON {first} WHEN 0 BEGIN SELECT RAISE(ABORT, 'moltrail: stays'); END"
        ways = {
            "is missing": [f"DROP TRIGGER {first}_keep"],
            "was altered": [f"DROP TRIGGER {first}_keep", f"CREATE TRIGGER {first}_keep {harmless}"],
        }
    else:
        ways = {
            "is missing": [f"DROP TRIGGER {first}_keep_delete ON {first}"],
            "was altered": [f"ALTER TABLE {first} DISABLE TRIGGER {first}_fixed"],
            "or switched off": [f"ALTER TABLE {first} ENABLE REPLICA TRIGGER {first}_fixed"],
            "altered or switched off": [
                "CREATE OR REPLACE FUNCTION moltrail_refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN OLD; END $$"
            ],
        }
    for words, statements in ways.items():
        with intruder.inside() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            found = intruder.problems(connection)
            assert found
            assert all(words in problem and "that protects" in problem for problem in found)


# ---------------------------------------------------------------- from the command line


def moltrail(data: Path, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from api.cli import main; main()", "--data", str(data), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command_ends_with_1_and_names_what_was_altered(tmp_path):
    with Centre.open(tmp_path):
        pass
    fine = moltrail(tmp_path, "verify")
    assert (fine.returncode, fine.stderr) == (0, "")
    assert "Intact" in fine.stdout
    engine = create_engine(f"sqlite:///{tmp_path / 'moltrail.db'}")
    with engine.begin() as connection:
        (sql,) = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'sites_fixed'").one()
        connection.exec_driver_sql("DROP TRIGGER sites_fixed")
        connection.exec_driver_sql("UPDATE sites SET city = 'Elsewhere' WHERE id = 1")
        connection.exec_driver_sql(sql)
    engine.dispose()
    altered = moltrail(tmp_path, "verify")
    assert altered.returncode == 1
    assert "sites 1 version 1 (act 1) was altered" in altered.stdout
    assert moltrail(tmp_path, "--json", "verify").returncode == 1


def test_all_fields_of_an_act_but_its_seal_are_hashed():
    assert {column.name for column in acts.columns} - set(ACT_FIELDS) == {"hash", "key_id", "mac"}
