"""Mappings of columns from the command line: propose, correct, confirm, list, import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Caller

EXPORT = """LC-MS/MS export;;;;;
Série: 12;;;;;
Sujet;Molécule;Matrice;Temps nominal (h);Conc. (ng/mL);Opérateur
S-001;examplinib;Plasma;0,5;12,5;xx
S-001;examplinib;Plasma;1;1 362,3;xx
S-001;examplinib;Plasma;24;<LIQ;xx
S-002;examplinib;Plasma;0,5;0;xx
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "export.csv"
    file.write_bytes(EXPORT.encode("cp1252"))
    return file


def test_an_unknown_table_is_refused_with_what_it_seems_to_be(moltrail: Caller, table: Path):
    answer = moltrail("import", table, "--study", "ST-1")
    assert answer.code == 2
    assert "looks like concentrations" in answer.err
    assert "moltrail mapping confirm" in answer.err
    assert "'Opérateur'" in answer.err


def test_propose_correct_confirm_and_import(moltrail: Caller, table: Path, tmp_path: Path):
    target = tmp_path / "m.json"
    told = moltrail.good("mapping", "propose", table, "--output", target)
    assert "? Opérateur -> (not read)" in told.text
    mapping = json.loads(target.read_text(encoding="utf-8"))
    assert {heading: column["field"] for heading, column in mapping["columns"].items()} == {
        "Sujet": "subject",
        "Molécule": "analyte",
        "Matrice": "specimen",
        "Temps nominal (h)": "nominal_time",
        "Conc. (ng/mL)": "concentration",
        "Opérateur": None,
    }
    assert mapping["decimal"] == ","
    assert moltrail.good("mapping", "confirm", target, "--name", "LCMS-1").text.startswith("LCMS-1 is in force")
    report = moltrail("--json", "import", table, "--mapping", "LCMS-1", "--study", "ST-1").json()["report"]
    assert [report[name] for name in ("rows", "accepted", "quarantined", "held", "duplicates")] == [4, 3, 0, 1, 0]
    assert report["format"] == "tables: LCMS-1@1"
    again = moltrail("--json", "import", table, "--study", "ST-1").json()["report"]
    assert [again[name] for name in ("rows", "accepted", "quarantined", "held", "duplicates")] == [4, 0, 0, 1, 3]
    mapping["zero"] = "below the limit"
    target.write_text(json.dumps(mapping), encoding="utf-8")
    moltrail.good("mapping", "confirm", target, "--name", "LCMS-1")
    assert [row["version"] for row in moltrail.good("--json", "mapping", "list").json()] == [1, 2]
    third = moltrail("--json", "import", table, "--mapping", "LCMS-1", "--study", "ST-1").json()["report"]
    assert [third[name] for name in ("accepted", "held", "duplicates")] == [1, 0, 3]
    assert "LCMS-1" in moltrail("import", table, "--mapping", "LCMS-9").err


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("no json", "no JSON"),
        ('{"kind": "SOMETHING"}', "one of ANALYSIS"),
        ('{"kind": "DOSES", "columns": {"a": {"field": "subject"}}}', "no column gives the dose"),
        ('{"kind": "DOSES", "columns": {"a": {"field": "nonsense"}}}', "is no field"),
        ('{"kind": "DOSES", "columns": {"a": "subject", "b": "subject"}}', "already"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(moltrail: Caller, tmp_path: Path, text: str, wrong: str):
    file = tmp_path / "m.json"
    file.write_text(text, encoding="utf-8")
    answer = moltrail("mapping", "confirm", file, "--name", "X")
    assert (answer.code, wrong in answer.err) == (2, True), answer.err
    assert moltrail.good("mapping", "list").text.strip() == "There are no mappings."
