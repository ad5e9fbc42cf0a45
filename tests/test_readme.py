"""The README tells the truth: its answers are the demonstration's, its commands and settings exist."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from api.cli import COMMANDS, cli
from api.limits import Limits
from api.settings import Settings, settings_from
from pipeline.access import Actor, Role
from pipeline.centre import Centre
from pipeline.demo import load
from schema import SCHEMA
from schema.context import request

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
LOCAL = Actor.of("local", *Role)
LEFT_OUT = "…"

QUERIES: list[tuple[str, str]] = re.findall(r"```graphql\n(.+?)```\n+```json\n(.+?)```", README, re.DOTALL)


def disagreements(shown: Any, real: Any, path: str = "") -> Iterator[str]:
    """Yield where an answer shown differs from the real one; … stands for any items, keys or rest of a text."""
    if shown == LEFT_OUT:
        return
    if isinstance(shown, str) and isinstance(real, str) and LEFT_OUT in shown:
        pattern = ".*".join(re.escape(part) for part in shown.split(LEFT_OUT))
        if not re.fullmatch(pattern, real, re.DOTALL):
            yield f"{path}: {shown!r} is {real!r}"
    elif isinstance(shown, dict) and isinstance(real, dict):
        if shown.keys() - {LEFT_OUT} != real.keys() and not (LEFT_OUT in shown and shown.keys() <= {*real, LEFT_OUT}):
            yield f"{path}: has {sorted(real)}, shows {sorted(shown)}"
        for key in shown.keys() & real.keys():
            yield from disagreements(shown[key], real[key], f"{path}.{key}")
    elif isinstance(shown, list) and isinstance(real, list):
        cut = shown.index(LEFT_OUT) if LEFT_OUT in shown else len(shown)
        head, tail = shown[:cut], shown[cut + 1 :]
        if len(real) < len(head) + len(tail) + (LEFT_OUT in shown) or (LEFT_OUT not in shown and len(real) > len(head)):
            yield f"{path}: has {len(real)} items, shows {len(shown)}"
            return
        for at, item in enumerate(head):
            yield from disagreements(item, real[at], f"{path}[{at}]")
        for at, item in enumerate(reversed(tail), 1):
            yield from disagreements(item, real[-at], f"{path}[-{at}]")
    elif shown != real or isinstance(shown, bool) != isinstance(real, bool):
        yield f"{path}: {shown!r} is {real!r}"


@pytest.mark.parametrize(
    ("shown", "real", "agree"),
    [
        ([1, "…"], [1, 2, 3], True),
        ([1, "…"], [1], False),  # nothing was left out, so the … would lie
        ([1, "…", 3], [1, 2, 3], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "…": "…"}, {"a": 1, "b": 2}, True),
        ({"a": 20}, {"a": 20.0}, True),
        ({"a": True}, {"a": 1}, False),
        ("one, …", "one, two", True),
        ("one, …", "two", False),
    ],
)
def test_what_agreeing_means(shown: Any, real: Any, agree: bool) -> None:
    assert (not list(disagreements(shown, real))) is agree


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A record that holds the demonstration and nothing else."""
    with Centre.open(tmp_path_factory.mktemp("readme")) as opened:
        load(opened)
        yield opened


def run(centre: Centre, document: str) -> Any:
    with request(centre, LOCAL) as context:
        result = SCHEMA.execute(document, context=context)
    assert result.errors is None, result.errors
    return result.data


def test_there_are_five_queries() -> None:
    assert len(QUERIES) == len(re.findall(r"^### \d\. ", README, re.MULTILINE)) == 5
    assert README.count("```graphql") == README.count("```json") == 5


@pytest.mark.parametrize("number", range(1, 6))
def test_the_answers_shown_are_the_real_ones(centre: Centre, number: int) -> None:
    query, shown = QUERIES[number - 1]
    assert list(disagreements(json.loads(shown), run(centre, query))) == []


def test_the_decision_shown_does_what_is_said(tmp_path: Path) -> None:
    mutation = re.search(r"`(mutation \{ decideReview\(.+?)`", README)
    assert mutation is not None
    stage = '{ %s: programmes(filter: {text: "DEMO-B"}%s) { nodes { stage { code } transitions { recordedAt } } } }'
    with Centre.open(tmp_path) as own:
        load(own)
        before = run(own, stage % ("now", ""))["now"]["nodes"][0]
        (item,) = run(own, "{ reviewItems(status: OPEN) { nodes { id } } }")["reviewItems"]["nodes"]
        decided = run(own, mutation[1].replace(LEFT_OUT, item["id"]))["decideReview"]
        assert decided == {"item": {"status": "ACCEPTED"}, "errors": []}
        known = before["transitions"][-1]["recordedAt"]
        assert run(own, stage % ("now", ""))["now"]["nodes"][0]["stage"]["code"] == "PHASE_1"
        then = run(own, stage % ("then", f', knownAt: "{known}"'))["then"]["nodes"][0]
        assert then["stage"]["code"] == "PHASE_2"


def test_every_command_is_named_and_every_named_one_exists() -> None:
    present = set(cli.list_commands(click.Context(cli)))
    table = set(re.findall(r"^\| `moltrail ([\w-]+)` \|", README, re.MULTILINE))
    assert table == present
    named = set(re.findall(r"`moltrail (?:--\w+ \w+ )?([a-z]+(?:-[a-z]+)*)", README))
    assert named <= present <= set(COMMANDS)


def test_the_import_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^    moltrail (--data mine import .+?)(?:  +.*)?$", README, re.MULTILINE)
    assert len(lines) == 3
    runner = CliRunner()
    done = runner.invoke(cli, shlex.split(lines[0]), catch_exceptions=False)
    assert done.exit_code == 0
    _fill(tmp_path / "portfolio.xlsx")
    for line, programmes in zip(lines[1:], ("would be new", "new or changed"), strict=True):
        done = runner.invoke(cli, shlex.split(line), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "1 molecules, 1 programmes" in done.output
        assert programmes in done.output


def _fill(workbook: Path) -> None:
    """Write one programme into the template."""
    import openpyxl

    book = openpyxl.load_workbook(workbook)
    sheet = book.worksheets[0]
    headings = [cell.value for cell in sheet[1]]
    for heading, value in {"Name": "Examplinib", "Stage": "Phase 1", "Since": "2024-03-01"}.items():
        sheet.cell(2, headings.index(heading) + 1, value)
    book.save(workbook)


def test_every_setting_is_named_and_every_named_one_exists() -> None:
    named = set(re.findall(r"MOLTRAIL_[A-Z_]*[A-Z]", README)) - {"MOLTRAIL_LIMIT"}
    limits = {f"MOLTRAIL_LIMIT_{field.name.upper()}" for field in fields(Limits)}
    plain = {f"MOLTRAIL_{field.name.upper()}" for field in fields(Settings)} - {"MOLTRAIL_LIMITS"}
    assert named - limits == plain
    for name in named & limits:
        settings_from({name: "1"})  # an unknown limit is refused
    launcher = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "api" / "launcher").glob("*.py"))
    assert "MOLTRAIL_DATA" in launcher


def test_every_path_and_link_exists() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (PROJECT / target).exists(), target
    tree = README.split("## Where things are")[1].split("Imports point inwards")[0]
    for line in tree.splitlines():
        for name in re.findall(r"(?<!\S)[a-z]+/(?!\S)", line):
            assert any((PROJECT / parent / name).is_dir() for parent in ("", "pipeline")), name


def test_no_command_promised_for_later_is_there_already() -> None:
    """When these appear, the part on what is not there yet has to change."""
    later = README.split("## What is not there yet")[1]
    assert "There is no `backup` command" in later
    assert "backup" not in cli.list_commands(click.Context(cli))
    assert not {"subjectRequests", "audit"} & set(SCHEMA.graphql_schema.query_type.fields)
    assert "signCheckpoint" not in str(SCHEMA)
