"""A disk that may lose what was not synced: built from the record that disk.c takes of a process at work.

What a power cut leaves: of every file what was synced last and any part of what was written since, sector by sector;
of the folder, the names made sure of and perhaps some of the later ones, in order.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

SOURCE = Path(__file__).with_name("disk.c")
SECTOR = 512
HEADER = struct.Struct("<cHQQ")


def compiled(folder: Path) -> Path:
    """Return the compiled recording layer, or skip the test that asks where it cannot be had."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or os.uname().sysname != "Linux":
        pytest.skip("the recording layer needs Linux and a C compiler")
    library = folder / "disk.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return library


@dataclass(slots=True)
class Record:
    """One thing a process did to a file."""

    kind: str
    path: str
    offset: int
    data: bytes


def records(log: Path) -> Iterator[Record]:
    """Read a log; what a killed process left half written at its end is left out."""
    content = log.read_bytes()
    at = 0
    while at + HEADER.size <= len(content):
        kind, length, offset, size = HEADER.unpack_from(content, at)
        end = at + HEADER.size + length + size
        if end > len(content):
            return
        path = content[at + HEADER.size : at + HEADER.size + length].decode()
        yield Record(kind.decode(), path, offset, content[end - size : end])
        at = end


def put(content: bytearray, record: Record) -> None:
    """Apply a write or a truncation."""
    if record.kind == "T":
        del content[record.offset :]
        content.extend(bytes(record.offset - len(content)))
        return
    content.extend(bytes(max(0, record.offset - len(content))))
    content[record.offset : record.offset + len(record.data)] = record.data


@dataclass(slots=True)
class File:
    """What is safe of a file, and what was written to it since: that a sync will save, or (lost) no sync will."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)

    def sync(self) -> None:
        for record in self.pending:
            if id(record) not in self.lost:
                put(self.safe, record)
        self.pending.clear()
        self.lost.clear()

    def sync_failed(self) -> None:
        """The system takes the pages for clean now: a later sync does not write them."""
        self.lost.update(id(record) for record in self.pending)

    def after_a_cut(self, random: Random) -> bytes:
        content = bytearray(self.safe)
        share = random.choice([0.0, 0.5, 0.9, 1.0])
        for record in self.pending:
            if id(record) in self.lost or random.random() >= share:
                continue
            if record.kind == "T" or share == 1.0:
                put(content, record)
                continue
            for start in range(0, len(record.data), SECTOR):
                if random.random() < 0.8:
                    part = record.data[start : start + SECTOR]
                    put(content, Record("W", record.path, record.offset + start, part))
        return bytes(content)


class Disk:
    """The files of one folder, from a beginning in which everything is safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = {str(path): File(bytearray(path.read_bytes())) for path in folder.iterdir() if path.is_file()}
        self.safe_names = dict(self.files)
        self.pending_names: list[tuple[str, File | None]] = []

    def apply(self, record: Record) -> None:
        match record.kind:
            case "C":
                self.files[record.path] = File()
                self.pending_names.append((record.path, self.files[record.path]))
            case "U":
                self.files.pop(record.path, None)
                self.pending_names.append((record.path, None))
            case "S" if record.path == str(self.folder):
                for name, file in self.pending_names:
                    self._name(self.safe_names, name, file)
                self.pending_names.clear()
            case "S" if record.path in self.files:
                self.files[record.path].sync()
            case "X" if record.path in self.files:
                self.files[record.path].sync_failed()
            case "W" | "T" if record.path in self.files:
                self.files[record.path].pending.append(record)

    @staticmethod
    def _name(names: dict[str, File], name: str, file: File | None) -> None:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file

    def cut(self, into: Path, random: Random) -> None:
        """Write what a power cut leaves at this moment into another folder."""
        names = dict(self.safe_names)
        for name, file in self.pending_names[: random.randint(0, len(self.pending_names))]:
            self._name(names, name, file)
        into.mkdir()
        for name, file in names.items():
            if not name.endswith((".lock", "-shm")):
                (into / Path(name).name).write_bytes(file.after_a_cut(random))
