"""The measurement of monitoring: both contenders write the same rows, and what is asked is answered in full."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from api.cli import cli
from api.cli.bench_overhead import answer_of
from pipeline.bench import monitoring
from pipeline.bench.fresh_centres import on_sqlite
from pipeline.bench.harness import Timing
from pipeline.bench.monitoring import Call, Rate, calls, import_study, memory_of_import, rates
from pipeline.bench.synthetic_study import write_study
from pipeline.errors import PipelineError
from pipeline.store.study_tables import monitoring_records
from pipeline.store.tables import RECORD_TABLES


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    write_study(folder, 230)
    return folder


def test_the_made_up_study_is_the_same_every_time_and_is_accepted_whole(small_set: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    write_study(again, 230)
    assert [file.name for file in sorted(small_set.iterdir())] == ["dm.xpt", "ex.xpt", "pc.xpt"]
    assert all((again / file.name).read_bytes() == file.read_bytes() for file in small_set.iterdir())
    with on_sqlite(tmp_path) as fresh, fresh() as centre:
        import_study(centre, small_set)
        with centre.database.read() as connection:
            table = monitoring_records
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 230
            below = connection.execute(select(func.count()).where(table.c.below_limit.is_(True))).scalar_one()
            assert 23 <= below < 115  # the sample at the time of each dose, and the last of some
            assert set(connection.execute(select(table.c.unit).distinct()).scalars()) == {"ng/mL"}


def test_the_limit_writes_the_very_rows_of_the_import(small_set: Path, tmp_path: Path) -> None:
    with on_sqlite(tmp_path) as fresh, fresh() as centre, fresh() as beside:
        number = import_study(centre, small_set)
        seconds, rows = monitoring._inserted(centre.database, number, beside.database, monitoring._executemany)
        assert seconds > 0
        assert rows > 230 + 30
        for table in RECORD_TABLES:
            statement = select(table).where(table.c.since_act == number)
            with centre.database.read() as here, beside.database.read() as there:
                assert here.execute(statement).all() == there.execute(statement).all()


def test_rates_on_both_engines(small_set: Path, database_url: str) -> None:
    found = rates(small_set, 1, database_url if database_url.startswith("postgresql") else None)
    assert [one.least for one in found] == [0.3, 0.15][: len(found)]
    assert all(0 < one.share < 5 for one in found)
    assert len({one.rows for one in found}) == 1


def test_rates_and_calls_say_whether_they_reach_what_is_wanted() -> None:
    slow, fast = Timing((4.0,)), Timing((1.0,))
    assert Rate("x", 10, fast, slow, 0.3).as_json()["within"] is False
    assert Rate("x", 10, fast, slow, 0.25).as_json()["share"] == 0.25
    assert Call("x", slow, 1.0).as_json()["within"] is False
    assert Call("x", fast, 1.0).as_json()["within"] is True


def test_calls_are_answered_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("PROFILES_OF_STUDY", 4), ("RECORDS", 12), ("_SINGLE", 2)):
        monkeypatch.setattr(monitoring, name, small)
    found = calls(answer_of, 1)
    assert [one.most for one in found] == [0.25, 0.01, 1.0]
    assert [len(one.taken.seconds) for one in found] == [1, 2, 1]


def test_a_study_that_is_not_accepted_whole_is_no_measurement(small_set: Path, tmp_path: Path) -> None:
    with on_sqlite(tmp_path) as fresh, fresh() as centre:
        import_study(centre, small_set)
        with pytest.raises(PipelineError, match="only 0 of"):
            import_study(centre, small_set)


def test_memory_is_looked_at_in_a_process_of_its_own(small_set: Path) -> None:
    memory = memory_of_import(small_set)
    assert memory is None or 30 < memory < monitoring.MOST_MEMORY_MB


def test_the_command_says_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("PROFILES_OF_STUDY", 2), ("RECORDS", 3), ("_SINGLE", 1)):
        monkeypatch.setattr(monitoring, name, small)
    monkeypatch.setattr("api.cli.bench.importlib.util.find_spec", lambda name: None)
    file = tmp_path / "found.json"
    arguments = ["bench", "monitoring", "--rows", "120", "--repeat", "1", "--memory-rows", "0", "--json", str(file)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    found = json.loads(file.read_text())
    assert [one["name"] for one in found["imports"]] == ["SQLite, beside executemany"]
    assert len(found["calls"]) == 3
    assert found["memory"] == {"rows": 0, "mb": None, "target_mb": 400.0}
    assert "share" in done.output
