"""What is kept outside the database on purpose: the key of the audit chain and the anchor that shows a cut tail."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.errors import StoreRefused
from pipeline.store.chain import code_of, key_id


@dataclass(frozen=True, slots=True)
class ChainKey:
    """The centre's secret that acts are coded with."""

    secret: bytes

    @property
    def id(self) -> str:
        """A name for the key that does not give it away."""
        return key_id(self.secret)

    @classmethod
    def load(cls, path: Path) -> ChainKey:
        """Read the key, or make one on first use, readable by its owner alone."""
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(secrets.token_hex(32))
                    file.flush()
                    os.fsync(file.fileno())
            return cls(bytes.fromhex(path.read_text().strip()))
        except (OSError, ValueError) as error:
            raise StoreRefused(
                f"the key of the audit chain at {path} cannot be read ({error}); "
                "restore it from its backup: without it, acts can be neither written nor verified"
            ) from error


@dataclass(frozen=True, slots=True)
class Anchor:
    """A file, best on another disk, that repeats the head of the chain after every act.

    Acts that were cut off the end of the database leave a valid, shorter chain; only this file shows them missing.
    """

    path: Path
    key: ChainKey

    def append(self, number: int, head: str) -> None:
        """Add the head of the chain. Called after the commit, so the anchor can lag by an act but never lead."""
        line = {"number": number, "hash": head, "mac": code_of(self.key.secret, f"anchor {number} {head}")}
        with self.path.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")

    def heads(self) -> tuple[dict[int, str], list[str]]:
        """Return the heads by act number, and what is wrong with the file."""
        heads: dict[int, str] = {}
        problems: list[str] = []
        if not self.path.exists():
            return heads, problems
        lines = self.path.read_bytes().split(b"\n")
        for place, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                entry = orjson.loads(line)
                number, head, mac = int(entry["number"]), str(entry["hash"]), str(entry["mac"])
            except (ValueError, KeyError, TypeError):
                if place < len(lines):  # a torn last line is a power cut, not an alteration
                    problems.append(f"line {place} of the anchor {self.path.name} cannot be read")
                continue
            if mac != code_of(self.key.secret, f"anchor {number} {head}"):
                problems.append(f"line {place} of the anchor {self.path.name} (act {number}) was altered")
            else:
                heads[number] = head
        return heads, problems
