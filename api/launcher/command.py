"""The options of `start.py` and the order of its steps."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from api.launcher import checks
from api.launcher.checks import CannotStart
from api.launcher.environment import Environment

PROJECT = Path(__file__).resolve().parents[2]
REFUSED = 2
NEEDED_MB = {"run.txt": 900, "test.txt": 1400}  # what the environment takes, with room for pip to unpack

EPILOG = """\
python3 start.py                  the first time: installs, loads the demonstration data, serves
python3 start.py --data ~/trials  keeps the record elsewhere
python3 start.py test [ARGS]      installs what tests need and runs them; ARGS go to pytest
"""


def main(arguments: list[str]) -> int:
    """Carry out `start.py` with these arguments; return the exit code: 0, 2 refused, 130 interrupted."""
    signal.signal(signal.SIGTERM, _interrupted)  # pip is then ended too, instead of going on alone
    try:
        if arguments[:1] == ["test"]:
            test(arguments[1:])
        serve(read_options(arguments))
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
    except OSError as error:
        where = Path(error.filename) if isinstance(error.filename, str) else PROJECT
        print(checks.refusal_of(error, where, "give yourself the right to write there"), file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return REFUSED


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Read the options of a start; argparse itself refuses wrong ones with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="start.py",
        description="Start Moltrail on this machine, with nothing but Python 3.11 or newer.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=_port, default=8000, metavar="N", help="port to serve on (default 8000)")
    parser.add_argument(
        "--data",
        type=_folder,
        metavar="DIR",
        default=os.environ.get("MOLTRAIL_DATA") or str(PROJECT / "data"),
        help="folder of the record (default: $MOLTRAIL_DATA, or data beside this file)",
    )
    parser.add_argument("--no-demo", action="store_true", help="do not load the demonstration data on the first run")
    return parser.parse_args(arguments)


def serve(options: argparse.Namespace) -> NoReturn:
    """Prepare the environment, then become the server."""
    checks.require_free_port(options.port)
    environment = Environment(PROJECT)
    requirements = PROJECT / "requirements" / "run.txt"
    if not environment.is_ready(requirements):
        require_means(requirements)
    checks.require_writable(options.data, "choose another folder with --data DIR")
    prepare(environment, requirements)
    checks.require_free_port(options.port)  # preparing may have taken minutes
    where = ["--host", checks.HOST, "--port", str(options.port), "--data", options.data]
    demo = "--no-demo" if options.no_demo else "--demo"
    become([environment.python, "-P", environment.command, "serve", *where, demo])


def test(arguments: list[str]) -> NoReturn:
    """Prepare the environment with what tests need, then become pytest."""
    environment = Environment(PROJECT)
    requirements = PROJECT / "requirements" / "test.txt"
    if not environment.is_ready(requirements):
        require_means(requirements)
    prepare(environment, requirements)
    cores = min(os.cpu_count() or 1, 8)
    parallel = ["-n", str(cores), "--dist", "worksteal"] if not arguments and cores > 1 else []
    os.chdir(PROJECT)
    become([environment.python, "-m", "pytest", *parallel, *arguments])


def require_means(requirements: Path) -> None:
    """Refuse, before anything is touched, where the environment cannot be prepared."""
    checks.require_environments()
    checks.require_writable(
        PROJECT, "copy Moltrail to a folder you may write to, or give yourself that right, and run this again"
    )
    checks.require_space(PROJECT, NEEDED_MB[requirements.name])


def prepare(environment: Environment, requirements: Path) -> None:
    """Install what is missing; costs a millisecond when nothing is."""
    if not environment.is_ready(requirements):
        print(f"Preparing {environment.folder} (only now and after updates)", file=sys.stderr, flush=True)
        environment.prepare(requirements)
    environment.link()


def become(command: list[str | Path]) -> NoReturn:
    """Replace this process by `command`, so that signals and exit code are its own; never returns."""
    words = [str(word) for word in command]
    for name in ("PYTHONHOME", "PYTHONPATH"):  # meant for another Python
        os.environ.pop(name, None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(words[0], words)
    # Windows has no exec that a console would wait for.
    process = subprocess.Popen(words)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:
            continue  # the server has received it as well and ends by itself


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to 65535")
    return int(text)


def _folder(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError("the folder's name is empty")
    return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - Path's own fails for an unknown ~name


def _interrupted(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
