"""`moltrail demo`: load and status, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli import cli, main
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.molecules import RegisterMolecule
from pipeline.demo import ATTRIBUTION, STEPS
from pipeline.words import Modality


def run(data: Path, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["--data", str(data), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_load_and_status(tmp_path: Path) -> None:
    with Centre.open(tmp_path):
        pass
    assert run(tmp_path, "demo", "status").startswith("empty\n")
    lines = run(tmp_path, "demo", "load").splitlines()
    assert [line.partition(":")[0].strip() for line in lines[1:]] == [step.title for step in STEPS]
    assert "loaded already" in run(tmp_path, "demo", "load")
    assert run(tmp_path, "demo", "status").splitlines()[0] == "loaded"
    assert json.loads(run(tmp_path, "--json", "demo", "status")) == {
        "state": "LOADED",
        "attribution": str(ATTRIBUTION),
    }
    assert json.loads(run(tmp_path, "--json", "demo", "load")) == {"loaded": []}


def test_the_status_of_a_folder_without_records_is_refused_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["moltrail", "--data", str(tmp_path / "mistyped"), "demo", "status"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 2
    assert "there are no records in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_record_in_use_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Centre.open(tmp_path) as centre:
        centre.execute(RegisterMolecule("IUCT-0001", "Examplinib", Modality.SMALL_MOLECULE), actor=SYSTEM)
    monkeypatch.setattr("sys.argv", ["moltrail", "--data", str(tmp_path), "demo", "load"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "moltrail --data demo demo load" in error
