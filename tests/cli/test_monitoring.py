"""Logging concentrations and answering alerts from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.centre import Centre
from pipeline.commands.monitoring_settings import SetExposureLimit
from pipeline.exchange.logged_concentrations import read_logged
from pipeline.store.tables import molecules
from tests.cli.conftest import Caller
from tests.support.monitored import ANA, add_study

TABLE = """Molecule;Study;Subject;Analyte;Specimen;Reported;Unit;Hours after dose;lower_limit
EX-1;ST-1;S-001;examplinib;PLASMA;12,5;ng/mL;2;0,5
EX-1;ST-1;S-001;examplinib;PLASMA;<BLQ;ng/mL;24;0,5
"""


@pytest.fixture
def unit(filled: Caller) -> Caller:
    """Records with a study that gives EX-1, and a cap of 100 ng/mL."""
    with Centre.open(filled.data) as centre:
        with centre.database.read() as connection:
            found = connection.execute(molecules.select().where(molecules.c.code == "EX-1")).mappings().one()
        add_study(centre, found["id"])
        centre.execute(SetExposureLimit(found["id"], "CMAX", "ng/mL", "protocol 1", upper=100.0), actor=ANA)
    return filled


def written(tmp_path: Path, text: str, name: str = "records.csv") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_table_is_logged_corrected_excluded_and_retracted(unit: Caller, tmp_path: Path):
    file = written(tmp_path, TABLE)
    answer = unit.good("--json", "monitoring", "log", file, "--key", "k").json()
    assert (answer["count"], answer["subjects"], answer["alerts"]) == (2, 1, [])
    assert unit.good("--json", "monitoring", "log", file, "--key", "k").json() == answer
    first = answer["first"]
    assert unit("monitoring", "log", file).code == 2
    assert "corrected" in unit.good("monitoring", "correct", first, "--reported", "13", "--reason", "misread").text
    unit.good("monitoring", "exclude", first, "--scope", "summaries", "--reason", "late")
    unit.good("monitoring", "include", first, "--reason", "not late")
    own = unit("monitoring", "verify", first, "--reason", "seen")
    assert (own.code, "somebody else" in own.err) == (2, True)
    unit.good("monitoring", "reject", first, "--reason", "calibration")
    unit.good("monitoring", "reinstate", first, "--reason", "calibration was right")
    unit.good("monitoring", "retract", first, "--reason", "wrong tube")
    gone = unit("monitoring", "correct", first, "--reported", "14", "--reason", "x")
    assert (gone.code, "RETRACTED" in gone.err) == (2, True)


def test_json_lines_and_every_bad_row_is_named(unit: Caller, tmp_path: Path):
    lines = [
        '{"molecule": "EX-1", "study": "ST-1", "analyte": "a", "specimen": "p", "reported": "5", "unit": "ng/mL"}',
        '{"molecule": "EX-9", "study": "ST-1", "analyte": "a", "specimen": "p", "reported": 5, "unit": "ng/mL",'
        ' "sampledAt": "yesterday", "hoursAfterDose": "soon"}',
    ]
    answer = unit("monitoring", "log", written(tmp_path, "\n".join(lines), "r.jsonl"))
    assert answer.code == 2
    assert [line.partition(":")[0] for line in answer.err.strip().splitlines()] == ["row 2"] * 3
    assert unit.good("--json", "monitoring", "log", written(tmp_path, lines[0], "s.jsonl")).json()["count"] == 1


def test_a_molecule_is_named_by_its_code_or_by_a_name_of_its_own(unit: Caller, tmp_path: Path):
    with Centre.open(unit.data) as centre, centre.database.read() as connection:
        found = connection.execute(molecules.select().where(molecules.c.code == "EX-1")).mappings().one()
    named = written(tmp_path, TABLE.replace("EX-1", found["name"].upper()))
    assert unit.good("--json", "monitoring", "log", named).json()["count"] == 2
    answer = unit("monitoring", "log", written(tmp_path, TABLE.replace("EX-1", "nobody")))
    assert answer.err.splitlines()[0] == "row 1: no molecule, or more than one, is called 'nobody'; give its code"


def test_alerts_are_listed_and_answered_for(unit: Caller, tmp_path: Path):
    assert unit.good("alerts").text.strip() == "There are no alerts."
    unit.good("monitoring", "log", written(tmp_path, TABLE.replace("12,5", "120")))
    listed = unit("alerts", "--open")
    assert listed.code == 1
    assert "EXPOSURE_ABOVE_LIMIT" in listed.text
    [alert] = unit("--json", "alerts").json()
    assert (alert["molecule"], alert["study"], alert["value"]) == ("EX-1", "ST-1", 120)
    assert unit("alerts", "acknowledge", alert["id"], "--comment", " ").code == 2
    unit.good("alerts", "acknowledge", alert["id"], "--comment", "dose held")
    assert unit.good("alerts", "--open").text.strip() == "None is open."
    assert unit("alerts", "acknowledge", alert["id"], "--comment", "again").code == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("molecule,study\nA,B\n", "no analyte"),
        (TABLE.replace("Subject", "Patient name"), "'Patient name' that means nothing"),
        ("[1]", "no object"),
        ("{nonsense", "not JSON"),
        ("", "empty"),
        ("\x00\x01\x02" * 50, "not text"),
    ],
)
def test_files_that_mean_nothing_are_refused_in_a_sentence(unit: Caller, tmp_path: Path, text, says):
    answer = unit("monitoring", "log", written(tmp_path, text, "x.csv"))
    assert (answer.code, len(answer.err.strip().splitlines())) == (2, 1)
    assert says in answer.err


def test_headings_may_be_written_in_several_ways():
    [row, _] = read_logged(TABLE.encode(), "t.csv")
    assert row.fields["hoursAfterDose"] == "2"
    assert row.fields["lowerLimit"] == "0,5"
