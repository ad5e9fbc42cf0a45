"""The runner: what agrees, what does not, and files that are not in the format."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.reference.__main__ import run
from tests.reference.cases import MalformedError, Tolerance, Tolerances, read_cases
from tests.reference.comparison import agree

CASE = {
    "id": "one",
    "inputs": {"species": "mouse", "dose_mg_per_kg": 22.4},
    "expected": {"km_animal": 3, "hed_mg_per_kg_km_ratio": 1.81621621622, "never_there": 4},
}
GOOD = {
    "method": "A1_hed",
    "tolerance": {"default": {"rel": 1e-6, "abs": 1e-9}},
    "optional_fields": ["never_there"],
    "cases": [CASE],
}


def ran(folder: Path, files: Mapping[str, Any], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (folder / name).write_bytes(data)
    code = run(folder)
    return code, capsys.readouterr().out.splitlines()


def changed(**expected: Any) -> dict[str, Any]:
    return {**GOOD, "cases": [{**CASE, "expected": expected}]}


def test_a_folder_of_good_cases_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"a.json": GOOD, "b.json": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "index.json": {"files": []}}
    code, lines = ran(tmp_path, {**files, "T9_table.json": {"rows": []}, "notes.txt": b"x"}, capsys)
    assert (code, lines) == (0, ["2 passed, 0 failed"])


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"km_animal": 4}, "a.json  one  km_animal  expected 4, found 3.0"),
        ({"km_animal": None}, "a.json  one  km_animal  expected None, found 3.0"),
        ({"km_animal": True}, "a.json  one  km_animal  expected True, found 3.0"),
        ({"km_animal": "3"}, "a.json  one  km_animal  expected 3, found 3.0"),
        ({"km_animal": [3]}, "a.json  one  km_animal  expected [3], found 3.0"),
        ({"km_animal": {"a": 3}}, "a.json  one  km_animal  expected {'a': 3}, found 3.0"),
        ({"absent": 4}, "a.json  one  absent  expected 4, found (absent)"),
        ({"hed_mg_per_kg_km_ratio": 1.8163}, "a.json  one  hed_mg_per_kg_km_ratio  expected 1.8163, found 1.816216"),
    ],
)
def test_each_failure_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], expected: dict[str, Any], said: str
) -> None:
    code, lines = ran(tmp_path, {"a.json": changed(**expected)}, capsys)
    assert code == 1
    assert lines[0].startswith(said)
    assert lines[1:] == ["0 passed, 1 failed"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x00\xff\xfe",
        b"[]",
        b"7",
        b"null",
        b'{"method": "A1_hed"}',
        b'{"method": "A1_hed", "cases": []}',
        b'{"method": "A1_hed", "cases": 3}',
        b'{"method": 3, "cases": [{}]}',
        {**GOOD, "tolerance": 3},
        {**GOOD, "tolerance": {"default": {"relative": 1}}},
        {**GOOD, "tolerance": {"default": {"rel": "1"}}},
        {**GOOD, "tolerance": {"default": {"abs": -1}}},
        {**GOOD, "cases": [{**CASE, "tolerance": {"default": 1}}]},
        {**GOOD, "cases": [{**CASE, "inputs": {"species": [[]], "dose_mg_per_kg": 1}}]},
        b'{"method": "A1_hed", "cases": [{}]}',
        b'{"method": "A1_hed", "cases": [3]}',
        b'{"method": "A1_hed", "cases": [{"id": "a", "inputs": [], "expected": {}}]}',
        b'{"method": "A1_hed", "cases": [{"id": "a", "inputs": {}, "expected": {}}]}',
        b'{"method": "A1_hed", "cases": [{"id": "a", "inputs": {"dose_mg_per_kg": NaN}, "expected": {"a": 1}}]}',
        b'{"method": "A9_unknown", "cases": [{"id": "a", "inputs": {}, "expected": {"a": 1}}]}',
        b'{"method": "A1_hed", "cases": [{"id": "a", "inputs": {}, "expected": {"a": 1}}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_in_the_format_fails_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object
) -> None:
    code, lines = ran(tmp_path, {"a.json": content, "b.json": GOOD}, capsys)
    assert code == 1
    assert lines[0].startswith("a.json")
    assert lines[-1] == "1 passed, 1 failed"
    assert len(lines) == 2


def test_the_command_ends_with_the_count_and_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(changed(km_animal=4)))
    found = subprocess.run(
        [sys.executable, "-m", "tests.reference", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert re.fullmatch(r"\d+ passed, \d+ failed", found.stdout.splitlines()[-1])
    assert found.stderr == ""


def test_an_empty_or_missing_folder_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        assert run(folder) == 1
        assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 0 failed"


def test_the_tolerance_of_the_case_wins_then_that_of_the_field() -> None:
    case = {"x": Tolerance(rel=0.5)}
    file = {"default": Tolerance(abs=0.1), "y": Tolerance(abs=1)}
    tolerances = Tolerances((case, file))
    assert tolerances.of(["x"]) == Tolerance(rel=0.5)
    assert tolerances.of(["y", "part"]) == Tolerance(abs=1)
    assert tolerances.of(["z"]) == Tolerance(abs=0.1)
    assert Tolerances(({"default": Tolerance(abs=2)}, file)).of(["y"]) == Tolerance(abs=2)


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        (1.05, 1.0, True),
        (1.2, 1.0, False),
        (1, 1.05, True),
        (2, 1, False),
        (0.0, 0, True),
        (True, 1, False),
        (1, True, False),
        (None, 0, False),
        ("1", 1, False),
        (None, None, True),
        (float("nan"), 1.0, False),
        (float("inf"), 1.0, False),
        (object(), 1.0, False),
    ],
)
def test_agreement(found: object, expected: object, same: bool) -> None:
    assert agree(found, expected, Tolerances(({"default": Tolerance(abs=0.1)},))) is same


@dataclass
class Part:
    a: float
    more: int = 1


def test_a_record_may_carry_more_than_expected_and_a_mapping_by_data_may_not() -> None:
    from tests.reference.cases import Case
    from tests.reference.comparison import _in_value

    case = Case("f", "m", "i", {}, {}, Tolerances(()))
    assert list(_in_value(Part(1.0), {"a": 1}, case, ("p",))) == []
    (extra,) = _in_value({"a": 1, "b": 2}, {"a": 1}, case, ("p",))
    assert (extra.field, extra.found) == ("p.b", 2)


def test_a_data_table_with_cases_is_run(tmp_path: Path) -> None:
    (tmp_path / "T9_table.json").write_text(json.dumps(GOOD))
    (found,) = read_cases(tmp_path / "T9_table.json")
    assert not isinstance(found, MalformedError)
