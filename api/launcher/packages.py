"""Installing a hash-pinned requirement file with pip, with progress, and with its failures told in a sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

from api.launcher.checks import CannotStart


class NotFetched(CannotStart):
    """The packages could not be had; nothing in the environment has been changed."""


# What the sign in pip's output means; the first that is found counts.
_FAILURES = (
    (
        r"No space left on device|Disk quota exceeded|Errno 28",
        "The disk is full: make room and run this again.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A package that was offered is not the one this version of Moltrail was made with ({package}): "
        "nothing of it was installed; clear pip's cache with `pip cache purge`, or ask who runs your package mirror.",
    ),
    (
        r"NewConnectionError|ConnectTimeout|Read timed out|NameResolutionError|Failed to establish|ProxyError|"
        r"Connection to .* timed out|Could not fetch URL|SSLError|Connection aborted|Network is unreachable",
        "The packages cannot be fetched ({package}): connect this machine to the internet, or name your "
        "package mirror or proxy to pip (`pip config set global.index-url ADDRESS`), and run this again.",
    ),
    (
        r"No matching distribution found|Could not find a version",
        "There is no ready-made package of {package} for this system and this Python: Moltrail runs on 64-bit Linux "
        "with glibc, on macOS with Apple silicon and on Windows, with Python 3.11 to 3.14; or else the package "
        "mirror that pip is set to lacks it.",
    ),
    (
        r"Permission denied|Read-only file system",
        "The environment cannot be written to: give yourself the right to write to the folder of start.py.",
    ),
)


def install(python: Path, requirements: Path, inherited: int | None = None) -> None:
    """Install exactly the wheels that `requirements` names into the environment of `python`.

    Args:
        python: the environment's interpreter.
        requirements: a file with every package, its version and its hashes.
        inherited: a file descriptor that pip keeps open while it runs.

    Raises:
        NotFetched: pip did not come as far as changing anything; the sentence says why and what to do.
        CannotStart: pip failed later.
    """
    total = len(re.findall(r"^[A-Za-z0-9]", requirements.read_text(encoding="utf-8"), re.MULTILINE))
    progress = Progress(total)
    output: list[str] = []
    process = subprocess.Popen(
        _command(python, requirements),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_settings(),
        pass_fds=() if inherited is None else (inherited,),
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    with process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output.append(line.rstrip())
                progress.see(line)
        except BaseException:  # Ctrl-C above all: pip must not go on behind the user's back
            process.terminate()
            raise
        finally:
            progress.end()
    if process.returncode:
        raise (CannotStart if progress.unpacking else NotFetched)(explain("\n".join(output)))


def _command(python: Path, requirements: Path) -> list[str]:
    return [
        *(str(python), "-I", "-X", "utf8", "-m", "pip", "install", "--requirement", str(requirements)),
        # The file is complete, so that pip neither searches nor adds. Wheels only: no compiler is needed, and no
        # code of a package runs while it is installed.
        *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
        *("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-color"),
    ]


def _settings() -> dict[str, str]:
    """Return the surroundings for pip: the user's index, proxy, certificates and cache, but no other destination."""
    strayed = {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_DRY_RUN", "PIP_QUIET", "PIP_REPORT"}
    return {key: value for key, value in os.environ.items() if key not in strayed} | {"PIP_USER": "0"}


def explain(output: str) -> str:
    """Return the sentence for a failed run of pip that printed `output`."""
    named = re.findall(
        r"(?:No matching distribution found for|requirement|Collecting) ([\w.-]+)|^ +([\w.-]+)==\S+ from ",
        output,
        re.MULTILINE,
    )
    for sign, sentence in _FAILURES:
        if re.search(sign, output):
            return sentence.format(package="".join(named[-1]) if named else "one of them")
    lines = output.splitlines() or ["no reason given"]
    last = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")] or lines
    return f"pip could not install the packages ({last[-1]}): remedy that and run this again."


class Progress:
    """One line that counts packages, rewritten on a terminal; elsewhere only its beginning and its end."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen = 0
        self.unpacking = False
        self.live = sys.stderr.isatty()
        self._say(f"Fetching packages ({total})")

    def see(self, line: str) -> None:
        """Take note of one line of pip's output."""
        if match := re.match(r"(?:Collecting|Ignoring|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line):
            self.seen += 1
            if self.live:
                self._say(f"Fetching packages {min(self.seen, self.total)}/{self.total} {match[1]}")
        elif line.startswith("Installing collected packages"):
            self.unpacking = True
            self._say("Unpacking them")

    def end(self) -> None:
        """Leave the line."""
        if self.live:
            print(file=sys.stderr, flush=True)

    def _say(self, text: str) -> None:
        if self.live:
            print(f"\r  {text:<70.70}", end="", file=sys.stderr, flush=True)
        else:
            print(f"  {text}", file=sys.stderr, flush=True)
