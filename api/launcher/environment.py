"""The environment in `.venv`: made once, recognised in a millisecond, made again when it is not whole.

The project is not installed into it. A `.pth` file with a relative path makes the packages importable and a small
script is the `moltrail` command: this needs no build backend on the user's machine, shows every edit at once, and
both go on working when the folder is moved, which an editable install (absolute paths in both) does not.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.launcher.checks import CannotStart, cannot_make_environments
from api.launcher.packages import NotFetched, install

WINDOWS = os.name == "nt"
STAMP = "moltrail.json"  # written last: what is installed, for which Python
MARKER = "moltrail.unfinished"  # there from the first step of making to the last
LOCK = "moltrail.lock"

# Valid for sh, which passes itself to the Python beside it wherever the folder lies, and for Python, to which the
# first statement is a string.
COMMAND = """\
#!/bin/sh
'''exec' "$(dirname "$(readlink -f "$0" 2>/dev/null || echo "$0")")/python" -P "$0" "$@"
' '''
import sys

if __name__ == "__main__":
    try:
        from api.cli import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
"""
COMMAND_FOR_WINDOWS = '@"%~dp0python.exe" -P "%~dp0moltrail" %*\n'


class Environment:
    """The `.venv` of a project folder."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.folder = project / ".venv"
        self.scripts = self.folder / ("Scripts" if WINDOWS else "bin")
        self.python = self.scripts / ("python.exe" if WINDOWS else "python")
        self.command = self.scripts / "moltrail"

    def is_ready(self, requirements: Path) -> bool:
        """Tell without starting a process whether all of `requirements` is installed and still in its place."""
        try:
            stamp = json.loads((self.folder / STAMP).read_bytes())
            site = self.folder / stamp["site"]
            return bool(
                stamp["installed"].get(requirements.name) == digest(requirements)
                and stamp["python"] == self._interpreter()
                and set(stamp["names"]) <= _names(site)
                and (self.folder / "pyvenv.cfg").is_file()
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return False

    def prepare(self, requirements: Path) -> None:
        """Make the environment, or complete it, so that `requirements` are installed."""
        self._make_room()
        with self._lock() as inherited:
            if not self.is_ready(requirements):  # another start may have done it while this one waited
                installed = self._installed()
                self._begin(keep=installed is not None)
                try:
                    install(self.python, requirements, inherited)
                except NotFetched:
                    if installed is not None:
                        self._give_up()
                    raise
                self._finish({**(installed or {}), requirements.name: digest(requirements)})

    def link(self) -> None:
        """Make the project importable and its command runnable; costs two short reads when nothing has changed."""
        site = self._site()
        _write_if_different(site / "moltrail.pth", os.path.relpath(self.project, site) + "\n")
        _write_if_different(self.command, COMMAND)
        if WINDOWS:
            _write_if_different(self.command.with_suffix(".cmd"), COMMAND_FOR_WINDOWS)

    def _installed(self) -> dict[str, str] | None:
        """Return what the stamp says is installed, {} for an environment of other origin, None for a broken one."""
        if (self.folder / MARKER).exists() or not self._has_pip():
            return None
        try:
            stamp: dict[str, Any] = json.loads((self.folder / STAMP).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            return None
        try:
            whole = stamp["python"] == self._interpreter() and set(stamp["names"]) <= _names(self._site())
        except (OSError, LookupError, TypeError):
            return None
        # A requirement file that has changed since is no longer installed.
        current = {name: value for name, value in stamp["installed"].items() if self._is_current(name, value)}
        return current if whole else None

    def _is_current(self, name: str, value: str) -> bool:
        path = self.project / "requirements" / name
        return path.is_file() and digest(path) == value

    def _begin(self, *, keep: bool) -> None:
        """Mark the environment as unfinished; unless `keep`, make it anew."""
        marker, stamp = self.folder / MARKER, self.folder / STAMP
        if keep and stamp.exists():
            stamp.replace(marker)
            return
        marker.write_text("{}\n")
        if keep:
            return
        stamp.unlink(missing_ok=True)  # first of all: nobody may believe what is about to go
        for path in self.folder.iterdir():
            if path.name in (MARKER, LOCK):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        import venv  # here, since Debian may lack it: checks.require_environments

        try:
            venv.EnvBuilder(symlinks=not WINDOWS).create(self.folder)
        except ValueError as error:  # a path separator in the folder's name
            raise CannotStart(f"No environment can be made in {self.folder} ({error}): rename the folder.") from None
        done = subprocess.run(
            [self.python, "-I", "-m", "ensurepip", "--upgrade", "--default-pip"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
        if done.returncode:
            raise cannot_make_environments((done.stdout.strip().splitlines() or ["ensurepip failed"])[-1])

    def _give_up(self) -> None:
        """Take `_begin` back: an older state of the project, or of the network, finds the environment as it was."""
        marker = self.folder / MARKER
        if marker.read_text() == "{}\n":
            marker.unlink()
        else:
            marker.replace(self.folder / STAMP)

    def _finish(self, installed: dict[str, str]) -> None:
        """Turn the marker into the stamp, as one step of the file system."""
        site = self._site()
        stamp = {
            "installed": installed,
            "python": self._interpreter(),
            "site": site.relative_to(self.folder).as_posix(),
            "names": sorted(_names(site)),
        }
        marker = self.folder / MARKER
        marker.write_text(json.dumps(stamp, indent=1) + "\n")
        marker.replace(self.folder / STAMP)

    def _interpreter(self) -> str:
        """Return the file that runs behind the environment; its path names its version on every system.

        Raises:
            OSError: it is gone, as after an upgrade of Python.
        """
        if not WINDOWS:
            return str(self.python.resolve(strict=True))
        settings = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        homes = [line.partition("=")[2].strip() for line in settings if line.startswith("home")]
        return str(Path(*homes[:1], "python.exe").resolve(strict=True))

    def _has_pip(self) -> bool:
        try:
            done = subprocess.run(
                [self.python, "-I", "-c", "import pip"], stdin=subprocess.DEVNULL, capture_output=True
            )
        except OSError:
            return False
        return done.returncode == 0

    def _site(self) -> Path:
        if WINDOWS:
            return self.folder / "Lib" / "site-packages"
        found = sorted(self.folder.glob("lib/python3*/site-packages"))
        if not found:
            raise FileNotFoundError(2, "no site-packages", str(self.folder))
        return found[-1]

    def _make_room(self) -> None:
        if self.folder.is_symlink() and not self.folder.exists():
            self.folder.unlink()
        elif self.folder.exists() and not self.folder.is_dir():
            raise CannotStart(f"{self.folder} is not a folder: move it away and run this again.")
        self.folder.mkdir(exist_ok=True)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int | None]:
        """Let one start at a time work here; yields the lock's descriptor for pip to inherit.

        An installation that outlives a killed start keeps the lock, so that the next start waits for it.
        """
        if WINDOWS:
            yield None
            return
        import fcntl

        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another start is still preparing this folder: waiting for it.", file=sys.stderr, flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError:
                pass  # a file system without locks: then nothing keeps two first starts apart
            yield lock.fileno()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _write_if_different(path: Path, text: str) -> None:
    data = text.encode()
    try:
        if path.read_bytes() == data:
            return
    except FileNotFoundError:
        pass
    path.write_bytes(data)
    path.chmod(0o755 if path.suffix == "" else 0o644)
