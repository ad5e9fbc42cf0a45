"""The records a gathering reads: as a reader sees them now, or as they were known at any act of the past.

The past of many molecules is read at once: every version of what is asked for, in one statement for each way of asking
and some hundred keys. What was known at an act is then told from memory, and with it until when that stayed so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import ColumnElement, select

from pipeline.store.nodes import NODES, among, seen
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.study_tables import subjects
from pipeline.store.tables import study_molecules

Record = Mapping[str, Any]
Condition = ColumnElement[bool]

NEVER = 2**62
"""The act at which a version ends that is still the current one."""
_AT_ONCE = 500
_BY_ID = itemgetter("id")


class Records(Protocol):
    """What a gathering reads from."""

    def rows(
        self, node: str, key: str, ids: Sequence[int], where: Sequence[Condition] = (), columns: Sequence[str] = ()
    ) -> Sequence[Record]:
        """Return the rows of a node of which the column `key` is among ids, by id.

        where: further conditions; the past is read once for those that are the same objects, so keep them.
        columns: those wanted; none for all.
        """
        ...


@dataclass(frozen=True, slots=True)
class RecordsSeen:
    """The records from the moment a reader sees."""

    reader: Reader

    def rows(
        self, node: str, key: str, ids: Sequence[int], where: Sequence[Condition] = (), columns: Sequence[str] = ()
    ) -> list[Record]:
        """Return rows as `Records` says; one statement."""
        table = NODES[node].table
        wanted = [table.c[name] for name in columns] or list(table.columns)
        conditions = *seen(node, table, self.reader.view), among(table.c[key], ids), *where
        statement = select(*wanted).where(*conditions).order_by(table.c.id)
        return [dict(row) for row in self.reader.connection.execute(statement).mappings()]


# ------------------------------------------------------------ the past


@dataclass(slots=True)
class _Versions:
    """The versions of the records of one key, by id, and the acts at which another set of them came to be known."""

    versions: list[tuple[int, int, Record]] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    _told: tuple[int, list[Record]] | None = None

    def at(self, act: int) -> tuple[list[Record], int]:
        """Return the records as known at an act, by id, and the next act at which they change."""
        place = bisect_right(self.changes, act)
        if self._told is None or self._told[0] != place:
            self._told = place, [row for since, until, row in self.versions if since <= act < until]
        return self._told[1], self.changes[place] if place < len(self.changes) else NEVER


@dataclass(slots=True)
class Past:
    """Every version of the records of some molecules, up to what the reader knows; read when first asked for."""

    reader: Reader
    molecules: Sequence[int]
    _read: dict[tuple[Any, ...], tuple[dict[int, _Versions], Sequence[Condition]]] = field(default_factory=dict)
    _keys: dict[str, list[int]] = field(default_factory=dict)

    def at(self, act: int) -> RecordsThen:
        """Return the records as they were known at an act."""
        return RecordsThen(self, act)

    @property
    def last(self) -> int:
        """The last act that is known."""
        known = self.reader.view.known_at
        return NEVER - 1 if known is None else known

    def versions(
        self, node: str, key: str, ids: Iterable[int], where: Sequence[Condition], columns: Sequence[str]
    ) -> dict[int, _Versions]:
        """Return by key, at least of these ids, the versions of a node's rows; read with those of all molecules."""
        asked = (node, key, tuple(map(id, where)), tuple(columns))
        if asked not in self._read:
            # The conditions are kept, so that no other ones can have their ids.
            self._read[asked] = {}, where
        known, _ = self._read[asked]
        missing = [each for each in ids if each not in known]
        if missing:
            of_all = () if known else self._of_molecules(node, key)
            self._load(node, key, sorted({*missing, *of_all}), where, columns, known)
        return known

    def _load(
        self,
        node: str,
        key: str,
        ids: Sequence[int],
        where: Sequence[Condition],
        columns: Sequence[str],
        known: dict[int, _Versions],
    ) -> None:
        table = NODES[node].table
        by_then = seen(node, table, View(self.reader.view.as_of))[1:]  # all but that a version is the current one
        wanted = [table.c[name] for name in columns] or list(table.columns)
        known.update({id: _Versions() for id in ids})
        acts: dict[int, set[int]] = defaultdict(set)
        for some in _some(ids):
            statement = (
                select(table.c[key].label("of_key"), table.c.since_act.label("from_act"), table.c.until_act, *wanted)
                .where(among(table.c[key], some), table.c.since_act <= self.last, *by_then, *where)
                .order_by(table.c.id)
            )
            for of_key, since, until, row in _split(self.reader.connection.execute(statement), wanted):
                end = NEVER if until is None or until > self.last else until
                known[of_key].versions.append((since, end, row))
                acts[of_key] |= {since, end}
        for id, changed in acts.items():
            known[id].changes = sorted(changed - {NEVER})

    def _of_molecules(self, node: str, key: str) -> Sequence[int]:
        """Return the keys by which a node has records of the molecules."""
        of = {"Molecule": "molecule_id", "Study": "study_id", "Subject": "subject_id"}.get(node) if key == "id" else key
        if of == "molecule_id":
            return self.molecules
        if of is None or of not in ("study_id", "subject_id"):
            return ()
        if "study_id" not in self._keys:
            column, parent = study_molecules.c.study_id, study_molecules.c.molecule_id
            self._keys["study_id"] = self._known(column, parent, self.molecules)
        if of not in self._keys:
            self._keys[of] = self._known(subjects.c.id, subjects.c.study_id, self._keys["study_id"])
        return self._keys[of]

    def _known(self, column: Any, parent: Any, ids: Sequence[int]) -> list[int]:
        found: set[int] = set()
        for some in _some(ids):
            statement = select(column).where(among(parent, some), column.table.c.since_act <= self.last).distinct()
            found.update(self.reader.connection.execute(statement).scalars())
        return sorted(found)


def _some(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), _AT_ONCE):
        yield ids[first : first + _AT_ONCE]


def _split(rows: Iterable[Any], wanted: Sequence[Any]) -> Iterator[tuple[int, int, int | None, Record]]:
    names = [column.name for column in wanted]
    for of_key, since, until, *values in rows:
        yield of_key, since, until, dict(zip(names, values, strict=True))


@dataclass(slots=True)
class RecordsThen:
    """The records as they were known at an act; `until` is the next act at which something that was read changes."""

    past: Past
    act: int
    until: int = NEVER

    def rows(
        self, node: str, key: str, ids: Sequence[int], where: Sequence[Condition] = (), columns: Sequence[str] = ()
    ) -> list[Record]:
        """Return rows as `Records` says; they are shared and not to be changed."""
        known = self.past.versions(node, key, ids, where, columns)
        found: list[Record] = []
        for id in ids:
            rows, until = known[id].at(self.act)
            self.until = min(self.until, until)
            if len(ids) == 1:
                return rows
            found += rows
        return sorted(found, key=_BY_ID)
