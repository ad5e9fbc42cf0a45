"""What can keep Moltrail from starting, each told in one sentence that says what to do."""

import errno
import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

HOST = "127.0.0.1"
_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class CannotStart(Exception):
    """Moltrail cannot start; the message is one sentence for the user, with the remedy."""


def require_environments() -> None:
    """Refuse a Python that cannot make environments: Debian and Ubuntu ship that part as a package of its own."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise cannot_make_environments(f"its module {missing[0]} is missing")


def cannot_make_environments(why: str) -> CannotStart:
    """Return the refusal of a Python without a working `venv` or `ensurepip`."""
    version = f"python3.{sys.version_info.minor}"
    return CannotStart(
        f"This Python ({sys.executable}) cannot make environments ({why}): install that part, on Debian and Ubuntu "
        f"with `sudo apt install {version}-venv`, or use a Python from python.org, and run this again."
    )


def require_free_port(port: int) -> None:
    """Refuse a port of this machine that another program listens on, or that the user may not open."""
    try:
        _open(port)
    except PermissionError:
        raise CannotStart(
            f"Port {port} may not be opened by this user: choose one above 1023, such as `--port 8000`."
        ) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port} of {HOST} cannot be opened ({error.strerror}): try another --port."
            ) from None
        raise CannotStart(
            f"Port {port} is taken by another program, perhaps a Moltrail that already runs: "
            f"stop that one, or choose another port, such as `--port {_free_port_after(port)}`."
        ) from None


def _open(port: int) -> None:
    with socket.socket() as listener:
        # Elsewhere than on Windows this only forgives connections that are fading out, as the server will; on
        # Windows it would steal the port.
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()


def _free_port_after(port: int) -> int:
    for candidate in range(max(port + 1, 1024), min(port + 100, 65535)):
        try:
            _open(candidate)
        except OSError:
            continue
        return candidate
    with socket.socket() as any_free:
        any_free.bind((HOST, 0))
        return int(any_free.getsockname()[1])


def require_writable(folder: Path, remedy: str) -> None:
    """Make `folder` if it is missing and refuse one in which no file can be made; `remedy` ends the sentence."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Trying is the only honest test: the superuser's rights and read-only mounts defeat os.access.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError):
        raise CannotStart(f"{folder} is not a folder: {remedy}.") from None
    except OSError as error:
        raise refusal_of(error, folder, remedy) from None


def require_space(folder: Path, megabytes: int) -> None:
    """Refuse when the disk of `folder` has less than `megabytes` MB (10^6 bytes) left."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise CannotStart(
            f"The disk of {folder} has {free} MB left and installing needs {megabytes}: make room and run this again."
        )


def refusal_of(error: OSError, where: Path, remedy: str) -> CannotStart:
    """Turn a failure of the operating system at `where` into a sentence; `remedy` ends it if rights are the matter."""
    if error.errno in _FULL:
        return CannotStart(f"The disk of {where} is full: make room and run this again.")
    if error.errno in _FORBIDDEN:
        return CannotStart(f"{where} cannot be written to ({error.strerror}): {remedy}.")
    return CannotStart(f"{where} cannot be used ({error.strerror or error}): {remedy}.")
