"""Which records of a study are on record already: by what names them, and by all their source ever stated of them.

A record corrected by hand stays known by what its source said before: the same file sent again says nothing new.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pipeline.commands.import_record_kinds import RecordKind
from pipeline.store.journal import Act

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.int64]

_AT_ONCE = 20_000
MANY = 20_000
"""Records of one kind in a study, beyond which only those of the subjects at hand are read."""
FEW_SUBJECTS = 200


class KnownRecords:
    """The records of one kind and study, kept as 24 bytes each."""

    def __init__(self, act: Act, kind: RecordKind, study_id: int, subjects: Collection[int] | None = None) -> None:
        """Read what was on record before this act, every version of it; of some subjects only, where they are given."""
        names = list(dict.fromkeys((*kind.names, *(other for _, other in kind.without), *kind.stated)))
        table = kind.table
        statement = select(*(table.c[name] for name in ("id", "until_act", *names))).where(
            table.c.study_id == study_id, table.c.since_act < act.number
        )
        if subjects is not None:
            statement = statement.where(table.c.subject_id.in_(sorted(subjects)))
        contents, keys, ids = array("q"), array("q"), array("q")
        result = act.connection.execute(statement.execution_options(yield_per=_AT_ONCE))
        for part in result.partitions():
            id_column, until, *columns = zip(*part, strict=True)
            given = dict(zip(names, columns, strict=True))
            contents.extend(content_hashes(kind, given, len(part)))
            current = [at for at, act_number in enumerate(until) if act_number is None]
            hashes = key_hashes(kind, given, len(part))
            keys.extend(hashes[at] for at in current)
            ids.extend(id_column[at] for at in current)
        self.empty = not contents
        if self.empty:
            return
        import numpy as np

        self._contents = np.unique(np.frombuffer(contents, dtype=np.int64))
        order = np.argsort(np.frombuffer(keys, dtype=np.int64), kind="stable")
        self._keys = np.frombuffer(keys, dtype=np.int64)[order]
        self._ids = np.frombuffer(ids, dtype=np.int64)[order]

    def stated(self, hashes: Sequence[int]) -> list[bool]:
        """Tell for each content whether it was stated before."""
        if self.empty:
            return [False] * len(hashes)
        import numpy as np

        wanted = np.fromiter(hashes, dtype=np.int64, count=len(hashes))
        return [bool(found) for found in np.isin(wanted, self._contents)]

    def named(self, hashes: Sequence[int]) -> list[int | None]:
        """Return for each name the id of the current record that has it."""
        if self.empty or not len(self._keys):
            return [None] * len(hashes)
        import numpy as np

        wanted = np.fromiter(hashes, dtype=np.int64, count=len(hashes))
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return [int(self._ids[i]) if self._keys[i] == key else None for i, key in zip(at, wanted, strict=True)]


def are_many(act: Act, kind: RecordKind, study_id: int) -> bool:
    """Whether a study has so many records of a kind that reading them all for a small file would be a waste."""
    some = select(kind.table.c.id).where(kind.table.c.study_id == study_id).limit(MANY + 1).subquery()
    return act.connection.execute(select(func.count()).select_from(some)).scalar_one() > MANY


def content_hashes(kind: RecordKind, columns: Mapping[str, Sequence[Any]], rows: int) -> list[int]:
    """Return the hash of what the source states of each row; equal within one process only."""
    return list(map(hash, zip(*(columns[name] for name in kind.stated), strict=True))) if rows else []


def key_hashes(kind: RecordKind, columns: Mapping[str, Sequence[Any]], rows: int) -> list[int]:
    """Return the hash of what names each row."""
    if not rows:
        return []
    parts: list[Sequence[Any]] = [columns[name] for name in kind.names]
    for empty, instead in kind.without:
        parts.append(
            [
                None if given is not None else other
                for given, other in zip(columns[empty], columns[instead], strict=True)
            ]
        )
    return list(map(hash, zip(*parts, strict=True)))
