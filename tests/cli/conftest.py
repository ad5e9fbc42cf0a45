"""The command line, run in this process or as the program it is."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from api.cli import main

PROJECT = Path(__file__).resolve().parents[2]
PORTFOLIO = """\
Name,Code,Modality,Indication,Disease group,Biomarker,Targets,Stage,Since,Status,Stopped on,Reason,Note,SMILES,Synonyms
examplinib,EX-1,SMALL_MOLECULE,melanoma,melanoma,BRAF V600E,"BRAF, CRAF",Phase 1,2019-03,,,,,CCO,EX 1;exa
examplinib,EX-1,,melanoma,,,,Phase 1,2019-03,ON_HOLD,2019-09-01,waiting for drug,,,
examplinib,EX-1,,melanoma,,,,Phase 1,2020-01-05,ACTIVE,,,,,
examplinib,EX-1,,melanoma,,,,Phase 3,2021-05-05,DISCONTINUED,2022-06-30,TOX_CLINICAL,"a = b, +3",,
samplimab,EX-2,ANTIBODY,breast,breast,,HER2,Phase 2,2020,COMPLETED,2021-01,,,,
"@trial, inc",EX-3,,lung,,,,Phase 1/2,2020-02-02,,,,,,
"""


@dataclass(frozen=True)
class Answer:
    """What a call printed and how it ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    def json(self) -> Any:
        return json.loads(self.out)


class Caller:
    """Calls the command line with the records in one folder."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data = data
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object) -> Answer:
        """Run `main` as the program would, catching what it prints and its exit code."""
        out, err = io.BytesIO(), io.BytesIO()
        wrapped_out, wrapped_err = (io.TextIOWrapper(raw, encoding="utf-8", newline="") for raw in (out, err))
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["moltrail", "--data", str(self.data), *map(str, arguments)])
            patch.setattr(sys, "stdout", wrapped_out)
            patch.setattr(sys, "stderr", wrapped_err)
            try:
                main()
                code: Any = 0
            except SystemExit as ending:
                code = ending.code or 0
            wrapped_out.flush()
            wrapped_err.flush()
        return Answer(code, out.getvalue(), err.getvalue().decode())

    def good(self, *arguments: object) -> Answer:
        """Run a call that has to end well."""
        answer = self(*arguments)
        assert answer.code == 0, answer.err
        return answer


@pytest.fixture
def moltrail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """The command line over an empty record."""
    for name in ("MOLTRAIL_DATABASE_URL", "MOLTRAIL_DATA"):
        monkeypatch.delenv(name, raising=False)
    return Caller(tmp_path / "records", monkeypatch)


@pytest.fixture(scope="session")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a file of a small portfolio, and with the records of its import, to be copied."""
    folder = tmp_path_factory.mktemp("portfolio")
    file = folder / "portfolio.csv"
    file.write_text(PORTFOLIO, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MOLTRAIL_DATABASE_URL", raising=False)
        Caller(folder / "records", patch).good("import", file)
    return folder


@pytest.fixture
def filled(moltrail: Caller, portfolio: Path, tmp_path: Path) -> Caller:
    """The command line over these records, with the file beside them."""
    shutil.copytree(portfolio, tmp_path, dirs_exist_ok=True)
    return moltrail


def program(*arguments: object) -> list[str]:
    """Return the words that start the command line as a program of its own."""
    return [sys.executable, "-W", "error", "-c", "from api.cli import main; main()", *map(str, arguments)]


def run_program(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as a program of its own."""
    return subprocess.run(program(*arguments), cwd=PROJECT, capture_output=True, text=True, timeout=120, **options)


def commands(group: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Return every command below a group with the words that call it."""
    found = [(path, group)]
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            below = group.get_command(context, name)
            assert below is not None, name
            found += commands(below, (*path, name))
    return found
