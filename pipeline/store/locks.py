"""Locks on open files, held by one process at a time and given back by the system when the process ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import IO, Any

if sys.platform == "win32":  # pragma: no cover - exercised on Windows only
    import msvcrt

    def lock_file(file: IO[Any], *, wait: bool) -> None:
        """Lock an open file.

        Raises:
            BlockingIOError: another holds it, and `wait` is false.
        """
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error

    def unlock_file(file: IO[Any]) -> None:
        """Give the lock back."""
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock_file(file: IO[Any], *, wait: bool) -> None:
        """Lock an open file.

        Raises:
            BlockingIOError: another holds it, and `wait` is false.
        """
        fcntl.flock(file.fileno(), fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock_file(file: IO[Any]) -> None:
        """Give the lock back."""
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)


@contextlib.contextmanager
def locked(file: IO[Any]) -> Iterator[None]:
    """Hold the lock of an open file, waiting for whoever has it; what is written is flushed before it is given back."""
    lock_file(file, wait=True)
    try:
        yield
        file.flush()
    finally:
        unlock_file(file)
