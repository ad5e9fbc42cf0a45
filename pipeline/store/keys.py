"""What is kept outside the database on purpose: the key of the audit chain and the anchor that shows a cut tail."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from pipeline.errors import StoreRefused
from pipeline.store.chain import code_of, key_id
from pipeline.store.locks import locked

_KEY_BYTES = 32
_LINE_BYTES = 4096  # more than any line of an anchor has


@dataclass(frozen=True, slots=True)
class ChainKey:
    """The centre's secret that acts are coded with."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """A name for the key that does not give it away."""
        return key_id(self.secret)

    @classmethod
    def load(cls, path: Path) -> ChainKey:
        """Read the key, or make one on first use, readable by its owner alone."""
        try:
            if not path.exists():
                _make_key(path)
            secret = bytes.fromhex(path.read_text().strip())
            if len(secret) != _KEY_BYTES:
                raise ValueError(f"it holds {len(secret)} bytes instead of {_KEY_BYTES}")
            return cls(secret)
        except (OSError, ValueError) as error:
            raise StoreRefused(
                f"the key of the audit chain at {path} cannot be read ({error}); "
                "restore it from its backup: without it, acts can be neither written nor verified"
            ) from error


def _make_key(path: Path) -> None:
    """Write a new key: whole or not at all, and never over one that another process made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names of new files in a folder survive a power cut (where the system can)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


Head = tuple[int, str]
"""An act's number and hash."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """What an anchor remembers: heads by act number, and what is wrong with the file."""

    heads: dict[int, str]
    problems: list[str]
    exists: bool

    @property
    def last(self) -> int:
        """The last act remembered; 0 when there is none."""
        return max(self.heads, default=0)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A file, best on another disk, that repeats the head of the chain after every act.

    Acts that were cut off the end of the database leave a valid, shorter chain; only this file shows them missing.
    It names every act from the first, in order: a line that is missing, doubled or out of place was tampered with.
    """

    path: Path
    key: ChainKey

    def begin(self) -> None:
        """Make the file, before the first act: from then on its absence is a finding.

        Raises:
            StoreRefused: its folder cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            sync_folder(self.path.parent)
        except OSError as error:
            raise StoreRefused(
                f"the anchor of the audit chain at {self.path} cannot be begun ({error.strerror}); "
                "give it a folder that can be written"
            ) from error

    def extend(self, number: int, head: str, missed: Callable[[int, int], Sequence[Head]]) -> None:
        """Add the head of the chain, and before it the heads that were missed.

        Called after the commit, so the anchor can lag but never lead. It lags when a process ended between the
        two, when the anchor's disk was full, or when another process's act comes first; the next act mends that.
        missed(first, last): the heads of these acts, from the database.
        """
        begun = self.path.exists()
        with self.path.open("a+b") as file, locked(file):
            last = self._last_number(file)
            if last is not None and number <= last:
                return  # written already as one that was missed; or acts were cut off, and the anchor keeps them
            # A lost anchor is not made up from the database, whose loss of acts it is meant to show.
            first_missed = number if last is None or not begun else last + 1
            heads = missed(first_missed, number - 1) if first_missed < number else ()
            end = file.seek(0, os.SEEK_END)
            try:
                file.write(b"".join(self._line(*entry) for entry in (*heads, (number, head))))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                # What failed to reach the disk once is not trusted to reach it later: the next act writes it anew.
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise

    def extend_by_one(self, number: int, head: str) -> None:
        """Add the head of the chain where the anchor ends at the act before it, which is where a kill leaves it."""
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 2 * _LINE_BYTES))
            lines = file.read().splitlines(keepends=True)
        whole = [found for line in lines[-2:] if (found := _number_in(line)) is not None]
        if whole and whole[-1] == number - 1:
            self.extend(number, head, lambda _first, _last: ())

    def _last_number(self, file: BinaryIO) -> int | None:
        """Return the act of the last line, having taken off one that a power cut or a full disk left half written.

        None for a last line that cannot be read though it is not the very last: somebody altered it, and it stays.
        """
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - 2 * _LINE_BYTES)
        file.seek(start)
        tail = file.read()
        last = tail.rfind(b"\n", 0, -1) + 1
        if tail and _number_in(tail[last:]) is None:
            file.truncate(start + last)
            tail = tail[:last]
            last = tail.rfind(b"\n", 0, -1) + 1
        return _number_in(tail[last:]) if tail else 0

    def _line(self, number: int, head: str) -> bytes:
        return orjson.dumps({"number": number, "hash": head, "mac": self._code(number, head)}) + b"\n"

    def _code(self, number: int, head: str) -> str:
        return code_of(self.key.secret, f"anchor {number} {head}")

    def read(self) -> Anchored:
        """Read and check the whole file."""
        if not self.path.exists():
            return Anchored({}, [], exists=False)
        heads: dict[int, str] = {}
        problems: list[str] = []
        expected = 1
        for place, line in enumerate(self._lines(), start=1):
            where = f"line {place} of the anchor {self.path.name}"
            try:
                entry = orjson.loads(line)
                number, head, mac = int(entry["number"]), str(entry["hash"]), str(entry["mac"])
            except (ValueError, KeyError, TypeError):
                problems.append(f"{where} cannot be read")
                continue
            if mac != self._code(number, head):
                problems.append(f"{where} (act {number}) was altered")
                continue
            if number != expected:
                problems.append(f"{where} names act {number} where act {expected} belongs: lines were removed or moved")
            heads.setdefault(number, head)
            expected = number + 1
        return Anchored(heads, problems, exists=True)

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines; a last one that cannot be read is a power cut, not an alteration."""
        with self.path.open("rb") as file:
            line = file.readline()
            while line:
                following = file.readline()
                if following or _number_in(line) is not None:
                    yield line
                line = following


def _number_in(line: bytes) -> int | None:
    if line.endswith(b"\n"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return int(orjson.loads(line)["number"])
    return None
