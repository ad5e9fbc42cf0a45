"""The measurement of imports: fair turns, the very same rows, a made-up set that is read without complaint."""

import contextlib
import json

import pytest

from pipeline.bench.harness import Comparison, Timing, peak_memory, race
from pipeline.bench.imports import compare_on_postgres, compare_on_sqlite, memory_of_import
from pipeline.bench.synthetic import synthetic_phase1
from pipeline.errors import FileRefused
from pipeline.exchange.phase1_dlt import read_phase1
from pipeline.exchange.phase1_tables import COLUMNS


@pytest.fixture
def small_set(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for name, content in synthetic_phase1(trials=5):
        (folder / name).write_bytes(content)
    return folder


def test_contenders_take_turns_from_a_fresh_state_and_the_first_round_is_not_counted():
    order = []

    def contender(name):
        @contextlib.contextmanager
        def prepared():
            order.append(f"{name} made")
            yield lambda: order.append(f"{name} run")
            order.append(f"{name} cleared")

        return prepared

    timings = race({"a": contender("a"), "b": contender("b")}, 2)
    each = [f"{name} {what}" for name in "ab" for what in ("made", "run", "cleared")]
    assert order == each * 3
    assert {name: len(timing.seconds) for name, timing in timings.items()} == {"a": 2, "b": 2}


def test_ratios_are_of_medians_and_of_minima():
    found = Comparison("x", Timing((1.0, 2.0, 4.0)), Timing((3.0, 4.0, 9.0)), 3.0, 10)
    assert (found.ratio, found.least_ratio) == (2.0, 3.0)
    assert found.as_json()["within"] is True
    assert Comparison("x", Timing((1.0,)), Timing((3.1,)), 3.0, 10).as_json()["within"] is False


def test_the_made_up_set_is_the_same_every_time_and_has_the_published_shape():
    files = dict(synthetic_phase1())
    assert files == dict(synthetic_phase1())
    assert set(files) == set(COLUMNS)
    reading = read_phase1(files)
    assert (reading.quarantined, reading.held, reading.warnings) == ([], [], [])
    assert len(reading.studies) == 826
    assert 20_000 < reading.rows < 26_000  # the published set has 21,928


def test_both_contenders_write_the_same_number_of_rows(small_set):
    found = compare_on_sqlite(small_set, 1)
    assert found.name == "SQLite"
    assert found.rows > 100
    assert len(found.limit.seconds) == len(found.ours.seconds) == 1


def test_databases_made_for_measuring_are_dropped(small_set, postgres_url):
    from sqlalchemy import create_engine, make_url, text

    found = compare_on_postgres(small_set, 1, postgres_url)
    assert found.rows > 100
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        names = connection.execute(text("SELECT datname FROM pg_database")).scalars().all()
    engine.dispose()
    assert not [name for name in names if name.startswith("moltrail_bench_")]


def test_a_folder_without_the_seven_files_is_refused(tmp_path):
    with pytest.raises(FileRefused, match=r"does not hold trial\.csv, drug\.csv"):
        compare_on_sqlite(tmp_path, 1)


def test_memory_is_that_of_a_process_of_its_own(small_set):
    little = peak_memory("pass", [])
    much = peak_memory("kept = bytearray(200_000_000); kept[::4096] = b'x' * len(kept[::4096])", [])
    assert little is not None
    assert much is not None
    assert 195 < much - little < 230
    assert memory_of_import(small_set) > little


def test_the_command_tells_programs_all_figures(small_set, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from api.cli import cli

    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)  # SQLite alone: PostgreSQL is tried above
    done = CliRunner().invoke(cli, ["--json", "bench", "import", str(small_set), "--repeat", "1"])
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert content["target_memory_mb"] == 300
    (only,) = content["comparisons"]
    assert only["name"] == "SQLite"
    assert only["ratio"] == only["ours_s"]["median"] / only["limit_s"]["median"]
    done = CliRunner().invoke(cli, ["bench", "import", str(small_set), "--repeat", "1"])
    assert "SQLite" in done.output
    assert max(map(len, done.output.splitlines())) <= 120
