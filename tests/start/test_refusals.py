"""Whatever keeps Moltrail from starting is said in one sentence, with exit code 2 and no traceback."""

import ast
import os
import runpy
import socket
import sys
from contextlib import contextmanager

import pytest

from api.launcher import checks, command
from api.launcher.packages import explain

from .conftest import PROJECT


@contextmanager
def another_user():
    """Give up the superuser's rights, to which no folder is read-only."""
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(os.getuid())


def refusal(capsys, arguments):
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said.strip()


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    (folder / "requirements").mkdir(parents=True)
    (folder / "requirements" / "run.txt").write_text("tinypackage==1.0\n")
    monkeypatch.setattr(command, "PROJECT", folder)
    monkeypatch.delenv("MOLTRAIL_DATA", raising=False)
    return folder


def test_a_taken_port(project, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(capsys, ["--port", str(port)])
    assert said.startswith(f"Port {port} is taken by another program")
    suggested = int(said.rpartition("--port ")[2].rstrip("`."))
    assert suggested != port
    checks.require_free_port(suggested)
    assert not (project / "data").exists()  # nothing was begun


@pytest.mark.skipif(os.name == "nt", reason="rights are other there")
def test_a_read_only_project_folder(project, free_port, capsys, monkeypatch):
    monkeypatch.setattr(checks, "require_environments", lambda: None)  # may lie where the other user cannot look
    project.chmod(0o555)
    with another_user():
        said = refusal(capsys, ["--port", str(free_port)])
    assert said.startswith(f"{project} cannot be written to (Permission denied): copy Moltrail to a folder")


@pytest.mark.skipif(os.name == "nt", reason="rights are other there")
def test_a_read_only_data_folder(project, tmp_path, free_port, capsys, monkeypatch):
    monkeypatch.setattr(command, "require_means", lambda _: None)
    data = tmp_path / "data"
    data.mkdir(mode=0o555)
    with another_user():
        said = refusal(capsys, ["--port", str(free_port), "--data", str(data)])
    assert said == f"{data} cannot be written to (Permission denied): choose another folder with --data DIR."


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_data_folder_that_is_a_file(project, tmp_path, free_port, capsys, name):
    (tmp_path / "file").touch()
    said = refusal(capsys, ["--port", str(free_port), "--data", str(tmp_path / name)])
    assert said == f"{tmp_path / name} is not a folder: choose another folder with --data DIR."


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_environments(project, free_port, capsys, monkeypatch, module):
    found = checks.importlib.util.find_spec
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda name: None if name == module else found(name))
    said = refusal(capsys, ["--port", str(free_port)])
    assert f"its module {module} is missing" in said
    assert f"`sudo apt install python3.{sys.version_info.minor}-venv`" in said


def test_a_disk_without_room(project, free_port, capsys, monkeypatch):
    monkeypatch.setitem(command.NEEDED_MB, "run.txt", 10**9)
    said = refusal(capsys, ["--port", str(free_port)])
    assert said.startswith(f"The disk of {project} has ")
    assert said.endswith("MB left and installing needs 1000000000: make room and run this again.")


def test_an_environment_that_is_a_file(project, free_port, capsys, monkeypatch):
    (project / ".venv").touch()
    assert command.main(["--port", str(free_port)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"{project / '.venv'} is not a folder: move it away and run this again."
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "abc"], "'abc' is not a port: give a number from 1 to 65535"),
        (["--port", "0"], "'0' is not a port: give a number from 1 to 65535"),
        (["--port", "65536"], "'65536' is not a port: give a number from 1 to 65535"),
        (["--port", "9" * 5000], "is not a port: give a number from 1 to 65535"),
        (["--port", "٨٠"], "'٨٠' is not a port: give a number from 1 to 65535"),
        (["--data", " "], "the folder's name is empty"),
        (["--data"], "expected one argument"),
        (["--dat", "x"], "unrecognized arguments: --dat x"),
        (["serve"], "unrecognized arguments: serve"),
    ],
)
def test_wrong_options(capsys, arguments, said):
    with pytest.raises(SystemExit) as end:
        command.main(arguments)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_the_setting_of_the_data_folder_is_checked_like_the_option(capsys, monkeypatch):
    monkeypatch.setenv("MOLTRAIL_DATA", " ")
    with pytest.raises(SystemExit) as end:
        command.main([])
    assert end.value.code == 2
    assert "the folder's name is empty" in capsys.readouterr().err


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as end:
        command.main(["--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert all(option in said for option in ("--port", "--data", "--no-demo", "start.py test"))


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "The disk is full: make room"),
        (
            "Collecting scipy==1.17.1\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "A package that was offered is not the one this version of Moltrail was made with (scipy)",
        ),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...)': /simple/rdkit/\n"
            "ERROR: Could not find a version that satisfies the requirement rdkit==2026.9.1 (from versions: none)\n"
            "ERROR: No matching distribution found for rdkit==2026.9.1",
            "The packages cannot be fetched (rdkit): connect this machine to the internet",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement rdkit==2026.9.1 (from versions: 1, 2)\n"
            "ERROR: No matching distribution found for rdkit==2026.9.1",
            "There is no ready-made package of rdkit for this system and this Python",
        ),
        ("ERROR: [Errno 13] Permission denied: 'x'", "The environment cannot be written to"),
        ("what\nERROR: something new", "pip could not install the packages (something new): remedy that"),
        ("", "pip could not install the packages (no reason given)"),
    ],
)
def test_the_reasons_of_pip(printed, said):
    assert explain(printed).startswith(said)
    assert "\n" not in explain(printed)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
def test_an_older_python(capsys, monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(PROJECT / "start.py"), run_name="__main__")
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"Moltrail needs Python 3.11 or newer and this is {version[0]}.{version[1]}: "
        "install one and run `python3.11 start.py`.\n"
    )


def test_older_pythons_can_read_the_refusal():
    source = (PROJECT / "start.py").read_text(encoding="ascii")
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef, ast.TryStar, ast.Starred)
    nodes = list(ast.walk(ast.parse(source, feature_version=(3, 7))))
    assert not [node for node in nodes if isinstance(node, newer)]
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


def test_starting_needs_the_standard_library_only():
    imported = set()
    for path in [PROJECT / "start.py", PROJECT / "api" / "__init__.py", *(PROJECT / "api" / "launcher").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(".".join(node.module.split(".")[:2]))
    assert {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names} == {"api.launcher"}
