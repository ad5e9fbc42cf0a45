"""Help: it comes at once, says what every command and option is for, and leads back from a wrong word."""

import json
import subprocess
import sys

import click
import pytest

from api.cli import COMMANDS, cli
from tests.cli.conftest import PROJECT, commands, run_program

HEAVY = ("sqlalchemy", "graphene", "graphql", "rdkit", "rich", "numpy", "scipy", "networkx", "openpyxl", "starlette")
EVERY = commands(cli)


def names(path):
    return " ".join(path) or "moltrail"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["export", "--help"], ["import", "-h"]])
def test_help_imports_nothing_heavy(arguments):
    code = f"""
import json, sys
from api.cli import main
sys.argv = ["moltrail", *{arguments!r}]
try:
    main()
finally:
    print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "moltrail" in done.stdout
    assert json.loads(done.stderr) == []


def test_every_command_is_listed_with_what_it_is_for():
    listed = run_program("--help").stdout
    assert all(f"\n  {name} " in listed for name in COMMANDS)


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[names(path) for path, _ in EVERY])
def test_every_command_and_option_says_what_it_is_for(path, command):
    assert command.help or command.short_help
    assert command.callback is None or not command.hidden
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{names(path)} {parameter.opts[-1]} has no help"


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[names(path) for path, _ in EVERY])
def test_help_of_every_command_fits_a_terminal(path, command, moltrail, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    answer = moltrail.good(*path, "--help")
    assert answer.text.startswith("Usage: moltrail")
    assert max(map(len, answer.text.splitlines())) <= 80
    assert "..." not in answer.text.partition("Commands:")[2], "a summary is cut off"


def test_a_wrong_command_names_the_nearest(moltrail):
    answer = moltrail("exprot")
    assert (answer.code, answer.text) == (2, "")
    assert answer.err.endswith("Error: No such command 'exprot'. Did you mean export?\n")


def test_a_word_near_nothing_is_refused_plainly(moltrail):
    answer = moltrail("qqqqqq")
    assert answer.code == 2
    assert answer.err.endswith("Error: No such command 'qqqqqq'.\n")


@pytest.mark.parametrize(
    "arguments", [["export"], ["export", "everything"], ["token", "create", "x"], ["import"], ["export", "--no-such"]]
)
def test_wrong_usage_is_exit_code_2_with_a_hint(arguments, moltrail):
    answer = moltrail(*arguments)
    assert (answer.code, answer.text) == (2, "")
    assert answer.err.startswith("Usage: moltrail ")
    assert "--help" in answer.err
