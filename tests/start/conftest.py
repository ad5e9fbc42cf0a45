"""A copy of the project whose only requirement is a package made here, so that real starts need no network."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SERVER = """
import json, os, sys
import tinypackage

def main():
    print(json.dumps({"arguments": sys.argv[1:], "prefix": sys.prefix, "safe": sys.flags.safe_path}))
    return 0
"""


@dataclass
class Copy:
    """A project folder with `start.py`, and the folder that its packages come from."""

    folder: Path
    wheels: Path

    @property
    def environment(self) -> Path:
        return self.folder / ".venv"

    def settings(self, **changes: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON", "MOLTRAIL_"))}
        # pip as it is without anybody's settings, and without a network
        only = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
        return kept | only | changes

    def start(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.folder / "start.py"), *arguments]
        return subprocess.run(
            command,
            env=self.settings(**changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder.parent,
        )

    def require(self, wheel: Path, name: str = "run.txt") -> None:
        pin = "-".join(wheel.name.split("-")[:2]).replace("-", "==")
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.folder / "requirements").mkdir(exist_ok=True)
        (self.folder / "requirements" / name).write_text(f"{pin} \\\n    --hash=sha256:{sha256}\n")


def make_wheel(folder: Path, version: str) -> Path:
    """Write a wheel of `tinypackage` and return its path."""
    info = f"tinypackage-{version}.dist-info"
    files = {
        "tinypackage.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tinypackage\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},"
        f"{len(text)}\n"
        for name, text in files.items()
    )
    wheel = folder / f"tinypackage-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return wheel


def make_copy(folder: Path, wheels: Path) -> Copy:
    folder.mkdir()
    shutil.copy(PROJECT / "start.py", folder)
    shutil.copytree(
        PROJECT / "api" / "launcher", folder / "api" / "launcher", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "api" / "__init__.py").touch()
    (folder / "api" / "cli.py").write_text(SERVER)
    return Copy(folder, wheels)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "1.0")
    make_wheel(folder, "1.1")
    return folder


@pytest.fixture
def fresh(tmp_path, wheels):
    """A project that was never started."""
    copy = make_copy(tmp_path / "project", wheels)
    copy.require(wheels / "tinypackage-1.0-py3-none-any.whl")
    return copy


@pytest.fixture(scope="session")
def first_start(tmp_path_factory, wheels, free_port):
    """A project after its first start, and what that start said."""
    copy = make_copy(tmp_path_factory.mktemp("started") / "project", wheels)
    copy.require(wheels / "tinypackage-1.0-py3-none-any.whl")
    return copy, copy.start("--port", str(free_port))


@pytest.fixture
def started(first_start, tmp_path):
    """A project that was started once, and has been moved since."""
    copy, _ = first_start
    folder = tmp_path / "moved project"
    shutil.copytree(copy.folder, folder, symlinks=True)
    return Copy(folder, copy.wheels)


@pytest.fixture(scope="session")
def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
