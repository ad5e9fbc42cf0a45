"""The files of an import, kept as they came, so that every record leads back to its file and row."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from pipeline.exchange.reading import SentFile
from pipeline.store.journal import Act
from pipeline.store.tables import source_files


class Sources:
    """The ids of the kept files, by the name that places give them. Nothing is kept when nothing is to be written."""

    def __init__(self, ids: dict[str, int], kept_before: frozenset[int] = frozenset()) -> None:
        """Take the ids of files by name; `kept_before` are those of files kept before this import."""
        self._ids = ids
        self._kept_before = kept_before

    def was_kept(self, file: str) -> bool:
        """Whether the file was brought in before, byte by byte the same."""
        return self.of(file) in self._kept_before

    def of(self, file: str | None) -> int | None:
        """Return the id of the file a place is in: the file itself, or the workbook of a sheet ("book.xlsx[Sheet]")."""
        if file is None:
            return None
        if file not in self._ids and "[" in file:
            within = [name for name in self._ids if file.startswith(f"{name}[")]
            if within:
                self._ids[file] = self._ids[max(within, key=len)]
        return self._ids.get(file)


def keep(act: Act, sent: Sequence[tuple[str, bytes]], files: Sequence[SentFile]) -> Sources:
    """Keep what was sent byte by byte, and what archives held beside them; what is kept already is not kept twice."""
    first = act.next_id(source_files)
    ids = {file.name: _keep(act, f"{file.archive}/{file.name}", file.content) for file in files if file.archive}
    contents = {id(content): _keep(act, name, content) for name, content in sent}
    ids |= {file.name: contents[id(file.content)] for file in files if not file.archive}
    return Sources(ids, frozenset(id for id in ids.values() if id < first))


def _keep(act: Act, name: str, content: bytes) -> int:
    digest = sha256(content).hexdigest()
    known = act.connection.execute(
        source_files.select().with_only_columns(source_files.c.id).where(source_files.c.sha256 == digest)
    ).scalar()
    kept = content if len(content) < LARGE else _packed(content)
    return known or act.add(source_files, {"sha256": digest, "name": name, "size": len(content), "content": kept})


LARGE = 1024 * 1024
"""Files from this size on are kept deflated: what is kept is shorter than the file's `size` then."""
_PIECE = 1024 * 1024


def _packed(content: bytes) -> bytes:
    """Return content deflated piece by piece, or as it is where that does not make it shorter."""
    deflate = zlib.compressobj(1)
    view = memoryview(content)
    pieces = [deflate.compress(view[start : start + _PIECE]) for start in range(0, len(content), _PIECE)]
    packed = b"".join([*pieces, deflate.flush()])
    return packed if len(packed) < len(content) else content


def content_of(kept: Mapping[str, Any]) -> bytes:
    """Return a file as it came, from its row of `source_files`."""
    content = bytes(kept["content"])
    return zlib.decompress(content) if len(content) < kept["size"] else content
