"""Made-up records: as many as are asked for, the same every time, sealed like any others, and true to the graph."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from api.cli import cli
from pipeline.bench.generate import OF_A_BLOCK, counted, generate
from pipeline.bench.generate_lives import lives_of
from pipeline.bench.generate_rows import COLUMNS, monitoring_of, programmes_before
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.molecules import RegisterMolecule
from pipeline.commands.programmes import as_moved
from pipeline.errors import Conflict, InputError
from pipeline.stages.moves import Position, replay
from pipeline.store import study_tables, tables
from pipeline.words import Modality, Status


def content(centre):
    """Return every generated row without what differs by nature: the seal, and the act that wrote it."""
    left_out = {"seal", "since_act", "until_act"}
    found = {}
    with centre.database.read() as connection:
        for table in COLUMNS:
            columns = [column for column in table.columns if column.name not in left_out]
            found[table.name] = connection.execute(select(*columns).order_by(table.c.id)).all()
    return found


def test_what_is_generated_verifies_on_both_engines(centre):
    blocks = list(generate(centre, OF_A_BLOCK + 20, each=5))
    assert [block.molecules for block in blocks] == [OF_A_BLOCK, OF_A_BLOCK + 20]
    assert sum(block.rows for block in blocks) == sum(counted(centre).values())
    report = centre.verify()
    assert report.problems == []
    assert report.acts == 3  # the graph, and an act for each block


def test_the_same_seed_makes_the_same_content(tmp_path):
    found = []
    for name, seed in (("one", 7), ("other", 7), ("third", 8)):
        with Centre.open(tmp_path / name) as centre:
            list(generate(centre, 5, seed=seed, each=10))
            found.append(content(centre))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_load_goes_on_where_it_stopped_and_can_be_made_larger(tmp_path):
    with Centre.open(tmp_path) as centre:
        assert next(generate(centre, 2 * OF_A_BLOCK, each=1)).molecules == OF_A_BLOCK
        blocks = list(generate(centre, 3 * OF_A_BLOCK, each=1))
        assert [block.rows > 0 for block in blocks] == [False, True, True]
        assert counted(centre)["molecules"] == 3 * OF_A_BLOCK
        with pytest.raises(Conflict, match="another seed"):
            list(generate(centre, OF_A_BLOCK, seed=2, each=1))


def test_nothing_is_generated_among_other_molecules(tmp_path):
    with Centre.open(tmp_path) as centre:
        centre.execute(RegisterMolecule("IUCT-0001", "own", Modality.ANTIBODY), actor=SYSTEM)
        with pytest.raises(Conflict, match="hold other molecules"):
            list(generate(centre, 1))
        with pytest.raises(InputError, match="not 0"):
            list(generate(centre, 0))
        with pytest.raises(InputError, match="not -1"):
            list(generate(centre, 1, each=-1))


def test_a_hundred_thousand_molecules_have_what_is_promised(tmp_path):
    with Centre.open(tmp_path) as centre, centre.read() as reader:
        lives = lives_of(reader.graphs.in_force(reader.connection)[1])
    programmes = programmes_before(100_001)
    assert programmes == 150_000
    assert sum(len(lives[number % len(lives)].steps) for number in range(programmes)) == 600_000
    assert sum(monitoring_of(molecule, 100) for molecule in range(1, 100_001)) == 10_000_000
    assert monitoring_of(1, 100) > 2000  # two analytes: a thousand of one within a few weeks


def test_programmes_stand_where_their_transitions_led(tmp_path):
    with Centre.open(tmp_path) as centre:
        list(generate(centre, 30, each=1))
        with centre.database.read() as connection:
            moves = connection.execute(select(tables.transitions).order_by(tables.transitions.c.position)).mappings()
            histories = {}
            for move in moves:
                histories.setdefault(move["programme_id"], []).append(move)
            found = connection.execute(select(tables.programmes)).all()
            assert len(found) == len(histories) == 45
            for row in found:
                history = histories[row.id]
                assert replay([as_moved(move) for move in history]) == Position(row.stage, Status(row.status))
                entered = [move for move in history if move["from_stage"] != move["to_stage"]]
                assert row.stage_since == entered[-1]["occurred_on"]
                assert [move["occurred_on"] for move in history] == sorted(move["occurred_on"] for move in history)


def test_concentrations_are_what_was_reported_in_their_unit(tmp_path):
    records = study_tables.monitoring_records
    with Centre.open(tmp_path) as centre:
        list(generate(centre, 2, each=100))
        with centre.database.read() as connection:
            rows = connection.execute(select(records)).all()
            masses = dict(connection.execute(select(tables.molecules.c.id, tables.molecules.c.molar_mass)).all())
    assert {row.analyte for row in rows} == {"parent", "metabolite"}
    assert any(row.below_limit for row in rows)
    for row in rows:
        assert (row.reported == "<1.0") is row.below_limit is (row.concentration is None)
        if row.reported_unit == "nmol/L" and not row.below_limit:
            assert row.concentration == float(row.reported) * masses[row.molecule_id] / 1000
        elif not row.below_limit:
            assert row.concentration == float(row.reported)


def test_the_command_says_what_it_wrote_and_refuses_in_a_sentence(tmp_path):
    arguments = ["bench", "generate", "--molecules", "3", "--folder", str(tmp_path / "made"), "--concentrations", "2"]
    done = CliRunner().invoke(cli, ["--json", *arguments])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["tables"]["molecules"] == 3
    assert said["rows_written"] == sum(said["tables"].values())
    again = CliRunner().invoke(cli, arguments)
    assert "0 rows written" in again.output
    arguments[3] = "0"
    refused = CliRunner().invoke(cli, arguments)
    assert isinstance(refused.exception, InputError)
    assert "from 1 to 10,000,000 molecules" in str(refused.exception)
