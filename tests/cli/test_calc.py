"""moltrail calc: every method from the command line, with the values it has in Python, and clear refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from pipeline.calculation import plain
from pipeline.method_page import count_cases, page
from pipeline.outcome import Method, catalogue
from tests.support.inputs import REFERENCE, inputs_of

PROJECT = Path(__file__).parents[2]


class Ran:
    """What one call of the command line printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def moltrail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command line in this process."""

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["moltrail", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as ending:
            code = ending.code
        out, err = capsys.readouterr()
        return Ran(int(code or 0), out, err)  # type: ignore[call-overload]

    return run


def as_options(inputs: Mapping[str, Any]) -> list[str]:
    """Write inputs as options: records and lists as JSON, true and false as flags."""
    words = []
    for name, value in inputs.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words.append(f"--{option}={value if isinstance(value, str) else json.dumps(value)}")
    return words


@pytest.mark.parametrize("id", catalogue())
def test_inputs_as_options_and_as_a_file(id: str, moltrail: Any, tmp_path: Path) -> None:
    method = catalogue()[id]
    inputs = inputs_of(id)[0]
    answer = json.loads(json.dumps(plain(method.calculate(inputs))))
    options = [word for word in as_options(inputs) if not word.endswith("=null") or _takes_null(method, word)]
    ran = moltrail("calc", id, "--json", *options)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == answer

    file = tmp_path / "inputs.json"
    file.write_text(json.dumps(inputs), encoding="utf-8")
    assert json.loads(moltrail("--json", "calc", id, "--input", str(file)).out) == answer


def _takes_null(method: Method, word: str) -> bool:
    name = word.split("=")[0].removeprefix("--").replace("-", "_")
    return any(p.name == name and p.required for p in method.parameters)


@pytest.mark.parametrize("id", catalogue())
def test_help_says_what_goes_in(id: str, moltrail: Any) -> None:
    said = moltrail("calc", id, "--help").out
    method = catalogue()[id]
    assert method.title in said
    for parameter in method.parameters:
        assert f"--{parameter.name.replace('_', '-')}" in said


def test_help_and_list_load_no_heavy_library() -> None:
    code = (
        "import sys; from api.cli import cli\n"
        "for words in (['calc', '--help'], ['calc', '--list'], ['calc', 'D1_nca', '--help']):\n"
        "    try: cli(words)\n"
        "    except SystemExit: pass\n"
        "print([m for m in ('numpy', 'scipy', 'statsmodels', 'rdkit', 'sqlalchemy', 'graphene') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "A1_hed" in done.stdout


def test_people_read_figures_with_their_units(moltrail: Any) -> None:
    ran = moltrail("calc", "a1-hed", "--species", "dog", "--dose-mg-per-kg", "10")
    assert ran.code == 0
    assert ["hed_mg_per_kg", "5.4054054"] in [line.split() for line in ran.out.splitlines()]
    assert "human_weight_kg 60" in ran.out


def test_what_is_missing_is_said_with_its_reason(moltrail: Any) -> None:
    ran = moltrail("calc", "D1_nca", "--time-h", "0,1,2", "--conc", "0,5,4")
    assert ["half_life", "-", "(too_few_points)"] in [line.split() for line in ran.out.splitlines()]


def test_options_go_before_the_file(moltrail: Any, tmp_path: Path) -> None:
    file = tmp_path / "dose.json"
    file.write_text('{"species": "dog", "dose_mg_per_kg": 10}', encoding="utf-8")
    ran = moltrail("calc", "A1_hed", "--input", str(file), "--species", "rat", "--json")
    assert json.loads(ran.out)["km_animal"] == 6


def test_everything_wrong_is_said_at_once(moltrail: Any) -> None:
    ran = moltrail("calc", "A1_hed", "--dose-mg-per-kg", "ten", "--human-weight-kg", "nan", "--form", "x")
    assert ran.code == 2
    assert ran.out == ""
    first, second, *rest = ran.err.splitlines()
    assert first == "dose_mg_per_kg must be a number, not 'ten'"
    assert second.startswith("A1_hed needs species: ")
    assert [line.split(" must be ")[0] for line in rest] == ["form", "human_weight_kg"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["A1_hedd"], "did you mean A1_hed?"),
        (["nothing-of-the-kind"], "`moltrail calc --list` names them all"),
        ([], "name a method"),
        (["A1_hed", "--species", "dog", "--dose-mg-per-kg", "-1"], "must not be negative"),
        (["A1_hed", "--species", "dog", "--dose-mg-per-kg", "1e400"], "must be a finite number"),
        (["A1_hed", "--species", "dog", "--dose-mg-per-kg", "NaN"], "must be a finite number"),
        (["A1_hed", "--species", "\0", "--dose-mg-per-kg", "1"], "species"),
        (["C8_kaplan_meier", "--time", "[1, NaN]", "--event", "1,1"], "time is not JSON"),
        (["C8_kaplan_meier", "--time", "[" * 100_000, "--event", "1"], "time is not JSON"),
        (["C8_kaplan_meier", "--time", "1," * 30_000 + "1", "--event", "1"], "at most 20,000"),
        (["C8_kaplan_meier", "--time", "1,2", "--event", "1,x"], "event[1] must be a whole number"),
        (["C8_kaplan_meier", "--time", "1,2", "--event", "1,0.5"], "event[1] must be a whole number"),
        (["A1_hed", "--input", "no-such-file.json"], "cannot be read"),
        (["A2_mrsd", "--studies", '[{"species": "dog"}]'], "studies[0] lacks noael_mg_per_kg"),
        (
            ["F1_boin_oc", "--true-dlt-prob", "0.1,0.3", "--target", "0.3", "--cohorts", "10", "--trials", "9" * 30],
            "tri",
        ),
    ],
)
def test_refusals(arguments: list[str], said: str, moltrail: Any) -> None:
    ran = moltrail("calc", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "Internal error" not in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff\xfe", b"{", b"\0" * 50, b'{"species": NaN}', b'{"x": 1}'])
def test_a_file_that_is_none_is_refused(content: bytes, moltrail: Any, tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_bytes(content)
    ran = moltrail("calc", "A1_hed", "--input", str(file))
    assert (ran.code, ran.out) == (2, "")
    assert "Internal error" not in ran.err


def test_the_page_of_methods_is_up_to_date() -> None:
    written = (PROJECT / "docs" / "METHODS.md").read_text(encoding="utf-8")
    assert written == page(catalogue().values(), count_cases(REFERENCE)), "run `moltrail calc --document`"


def test_the_page_holds_every_method_once(moltrail: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    assert moltrail("calc", "--document", str(file)).code == 0
    headings = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("### ")]
    assert headings == [f"### {id}" for id in catalogue()]
