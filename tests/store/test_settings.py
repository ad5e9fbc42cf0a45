"""The store starts safely or says in one sentence why not; and the log of an SQLite file stays small."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from pipeline.errors import StoreRefused, Unavailable
from pipeline.store import sqlite
from pipeline.store.database import Database
from pipeline.store.keys import Anchor, ChainKey
from pipeline.store.migrations import upgrade
from pipeline.store.tables import acts, molecules
from pipeline.store.verify import verify
from tests.support.history import LEAD
from tests.support.writer import journal_in, perform

PROJECT = Path(__file__).resolve().parents[2]


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def refusal(url: str) -> str:
    """Return the sentence with which a database is refused."""
    with pytest.raises(StoreRefused) as refused:
        Database(url)
    assert "\n" not in refused.value.message
    assert "; " in refused.value.message  # what is wrong; what to do
    return refused.value.message


# ---------------------------------------------------------------- settings


def test_every_connection_has_the_settings(tmp_path):
    with Database(url_of(tmp_path / "moltrail.db")) as database:
        for opened in (database.read, database.write):
            with opened() as connection:
                found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in sqlite.SETTINGS}
                assert found == {
                    "journal_mode": "wal",
                    "synchronous": 2,
                    "foreign_keys": 1,
                    "busy_timeout": 5000,
                    "secure_delete": 1,
                    "trusted_schema": 0,
                    "cell_size_check": 1,
                    "mmap_size": 0,
                    "wal_autocheckpoint": 0,
                }


@pytest.mark.parametrize(("name", "value"), [("mmap_size", 10**18), ("synchronous", 7), ("journal_mode", "nonsense")])
def test_a_setting_that_does_not_take_is_a_reason_not_to_start(tmp_path, monkeypatch, name, value):
    monkeypatch.setitem(sqlite.SETTINGS, name, value)
    said = refusal(url_of(tmp_path / "moltrail.db"))
    assert f"{name} is " in said
    assert f"instead of {value!r}" in said
    monkeypatch.undo()
    Database(url_of(tmp_path / "moltrail.db")).close()  # the refused one let the file go


def test_a_session_of_postgres_keeps_what_it_acknowledges(empty_postgres):
    name = empty_postgres.rsplit("/", 1)[-1].split("?")[0]
    admin = create_engine(empty_postgres)
    with admin.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    admin.dispose()
    with Database(empty_postgres) as database:
        for opened in (database.read, database.write):
            with opened() as connection:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
                assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "1min"


def test_a_postgres_with_another_encoding_is_refused(empty_postgres):
    admin = create_engine(empty_postgres, isolation_level="AUTOCOMMIT")
    name = "test_encoding"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
    try:
        url = admin.url.set(database=name).render_as_string(hide_password=False)
        assert "server_encoding is SQL_ASCII instead of UTF8" in refusal(url)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


# ---------------------------------------------------------------- one process per file


HOLD = """
import sys, time
from pipeline.store.database import Database
from pipeline.errors import StoreRefused
try:
    database = Database(sys.argv[1])
except StoreRefused as refused:
    print(refused.message, flush=True)
else:
    print("held", flush=True)
    time.sleep(60)
"""


def other_process(url: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True, cwd=PROJECT)


def test_a_second_process_is_refused_by_name_of_the_first_until_that_is_killed(tmp_path):
    url = url_of(tmp_path / "moltrail.db")
    with other_process(url) as first:
        assert first.stdout.readline() == "held\n"
        with other_process(url) as second:
            said = second.communicate(timeout=30)[0]
        assert said.startswith(f"{tmp_path / 'moltrail.db'} is in use by process {first.pid}; stop it")
        (tmp_path / "link.db").symlink_to(tmp_path / "moltrail.db")
        assert f"process {first.pid}" in refusal(url_of(tmp_path / "link.db"))
        first.send_signal(signal.SIGKILL)
        first.wait()
        Database(url).close()


def test_a_second_opening_in_the_same_process_is_refused(tmp_path):
    url = url_of(tmp_path / "moltrail.db")
    with Database(url):
        assert f"in use by process {os.getpid()}" in refusal(url)
    Database(url).close()


# ---------------------------------------------------------------- what cannot be opened


def test_a_directory_in_place_of_the_file(tmp_path):
    (tmp_path / "moltrail.db").mkdir()
    assert "cannot be opened as a database" in refusal(url_of(tmp_path / "moltrail.db"))


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    assert "cannot be written" in refusal(url_of(tmp_path / "data" / "moltrail.db"))


@pytest.mark.parametrize(
    "content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 8192, b"x"], ids=repr
)
def test_a_file_that_is_no_database(tmp_path, content):
    (tmp_path / "moltrail.db").write_bytes(content)
    assert "cannot be opened as a database" in refusal(url_of(tmp_path / "moltrail.db"))
    assert (tmp_path / "moltrail.db").read_bytes() == content


def a_database(tmp_path: Path) -> Path:
    path = tmp_path / "moltrail.db"
    with Database(url_of(path)) as database:
        upgrade(database)
        perform(journal_in(tmp_path, database), "one")
    return path


@pytest.mark.parametrize("left", [100, 4096, 0.5, 0.99])
def test_a_database_that_was_cut_off(tmp_path, left):
    path = a_database(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: left if isinstance(left, int) else int(len(content) * left)])
    said = refusal(url_of(path))
    assert "cannot be opened as a database" in said
    assert "restore a backup" in said


def test_damage_found_later_is_called_damage(tmp_path):
    path = a_database(tmp_path)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        (page,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'molecules'").fetchone()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xa5" * 4096)
    with Database(url_of(path)) as database:
        with pytest.raises(Unavailable, match=r"is damaged .* restore a backup"), database.read() as connection:
            connection.execute(select(molecules)).all()
        journal = journal_in(tmp_path, database)
        problems = verify(database, journal.key, journal.anchor).problems
        assert any("is damaged" in problem for problem in problems)


def as_nobody(code: str, *arguments: str) -> str:
    """Run code as a user without rights; the tests may run as root, whom no permission stops."""
    if os.getuid() == 0:
        code = f"import os, pipeline.store.migrations, psycopg\nos.setuid(65534)\n{code}"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout


def test_a_read_only_folder_and_a_read_only_file(tmp_path):
    path = a_database(tmp_path)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    tmp_path.chmod(0o555)
    try:
        assert as_nobody(HOLD, url_of(path)).startswith(
            f"the data folder {tmp_path} cannot be written (Permission denied)"
        )
        tmp_path.chmod(0o777)
        for file in tmp_path.iterdir():
            file.chmod(0o666)
        path.chmod(0o444)
        said = as_nobody(HOLD, url_of(path))
        assert said.startswith(f"{path} cannot be opened as a database (attempt to write a readonly database)")
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:secret@127.0.0.1:9/none", "does not answer"),
        ("mysql://u@localhost/x", "not in mysql"),
        ("no url at all", "cannot be read"),
        ("sqlite://", "needs a file"),
    ],
)
def test_addresses_that_lead_nowhere(url, words):
    said = refusal(url)
    assert words in said
    assert "secret" not in said


# ---------------------------------------------------------------- key


@pytest.mark.parametrize("content", ["", "00ff", "no hexadecimal", "ab" * 31, "ab" * 33])
def test_a_damaged_key_is_refused(tmp_path, content):
    (tmp_path / "chain.key").write_text(content)
    with pytest.raises(StoreRefused, match="restore it from its backup"):
        ChainKey.load(tmp_path / "chain.key")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    made = ChainKey.load(tmp_path / "new" / "chain.key")
    assert ChainKey.load(tmp_path / "new" / "chain.key") == made
    assert (tmp_path / "new" / "chain.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["chain.key"]
    assert made.secret.hex() not in repr(made)


def test_an_anchor_that_cannot_be_begun_is_said_before_the_first_act(database, tmp_path):
    journal = journal_in(tmp_path, database)
    (tmp_path / "file").write_text("")
    journal.anchor = Anchor(tmp_path / "file" / "anchor.jsonl", journal.key)
    with pytest.raises(StoreRefused, match="cannot be begun"):
        perform(journal, "one")
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(acts)).scalar() == 0


# ---------------------------------------------------------------- the log


def write_much(journal, rows: int, size: int) -> None:
    columns = ("code", "name", "name_key", "modality")
    start = time.monotonic_ns()
    content = [(f"{start}-{n}", "x" * size, "x", "UNKNOWN") for n in range(rows)]
    journal.perform(
        "Much", lambda act: {"first": act.add_all(molecules, columns, content).start}, actor=LEAD, now=datetime.now(UTC)
    )


def test_the_log_is_written_back_by_the_writer_and_does_not_grow_without_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "LOG_BYTES", 400_000)
    path = tmp_path / "moltrail.db"
    log = Path(f"{path}-wal")
    with Database(url_of(path)) as database:
        upgrade(database)
        journal = journal_in(tmp_path, database)
        sizes = []
        for _ in range(60):
            write_much(journal, 20, 3000)
            with database.read() as connection:
                connection.execute(select(func.count()).select_from(molecules)).scalar()
            sizes.append(log.stat().st_size)
        assert max(sizes) < 1_000_000
        assert sizes.count(0) >= 3
        assert path.stat().st_size > 60 * 20 * 3000
    assert not log.exists() or log.stat().st_size == 0


def test_a_reader_that_stays_delays_the_log_and_writers_only_a_little(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "LOG_BYTES", 400_000)
    monkeypatch.setattr(sqlite, "_CHECKPOINT_WAIT_MS", 50)
    path = tmp_path / "moltrail.db"
    log = Path(f"{path}-wal")
    with Database(url_of(path)) as database:
        upgrade(database)
        journal = journal_in(tmp_path, database)
        write_much(journal, 1, 1)
        count = select(func.count()).select_from(molecules)
        with database.read() as connection:
            assert connection.execute(count).scalar() == 1
            began = time.monotonic()
            for _ in range(30):
                write_much(journal, 20, 3000)
            assert time.monotonic() - began < 20
            assert connection.execute(count).scalar() == 1
        while log.stat().st_size:
            write_much(journal, 20, 3000)
            assert log.stat().st_size < 12_000_000


def test_sqlite_reads_while_it_writes(tmp_path):
    with Database(url_of(tmp_path / "moltrail.db")) as database:
        upgrade(database)
        with database.write(), database.read() as connection:
            assert connection.execute(select(func.count()).select_from(acts)).scalar() == 0
            with pytest.raises(Unavailable), database.read() as reader:
                reader.exec_driver_sql("DELETE FROM acts")


def test_other_connections_of_sqlite_leave_the_log_alone(tmp_path):
    """The version at hand may have the bug that made us keep checkpoints to ourselves."""
    assert sqlite3.sqlite_version_info >= (3, 37), "STRICT tables"
    with Database(url_of(tmp_path / "moltrail.db")) as database:
        upgrade(database)
        log = Path(f"{database.path}-wal")
        perform(journal_in(tmp_path, database), "one")
        size = log.stat().st_size
        assert size > 0
        database.reader.dispose()
        database.writer.dispose()
        assert log.stat().st_size == size
