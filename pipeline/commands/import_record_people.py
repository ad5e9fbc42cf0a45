"""The subjects and pools of a study by their codes; those that only records speak of are put on record as they come."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from pipeline.commands.import_sources import Sources
from pipeline.exchange.reading import Place
from pipeline.exchange.study_facts import Related
from pipeline.store import study_tables
from pipeline.store.journal import Act

_PARTS = re.compile(r"[^\W\d_]+|\d+")


@dataclass(slots=True)
class People:
    """Ids of subjects and pools, by code."""

    act: Act
    study_id: int
    sources: Sources
    species: str
    subjects: dict[str, int] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)
    _before: frozenset[str] = frozenset()
    """Codes of the subjects that were on record before."""

    def look_up(self) -> None:
        """Read those on record."""
        for table, ids in ((study_tables.subjects, self.subjects), (study_tables.pools, self.pools)):
            statement = select(table.c.code, table.c.id).where(
                table.c.study_id == self.study_id, table.c.until_act.is_(None), table.c.code.is_not(None)
            )
            ids.update({row.code: row.id for row in self.act.connection.execute(statement)})
        self._before = frozenset(self.subjects)

    def name_subjects(self, codes: Iterable[str | None], place: Place) -> int:
        """Put subjects on record that records speak of and nothing else does; return how many."""
        missing = sorted({code for code in codes if code is not None and code not in self.subjects})
        ids = self.act.add_all(
            study_tables.subjects,
            ("study_id", "code", "species", "erased", "opposed_to_reuse", "source_file", "source_row"),
            [
                (self.study_id, code, self.species, False, False, self.sources.of(place.file), place.row)
                for code in missing
            ],
        )
        self.subjects |= dict(zip(missing, ids, strict=True))
        return len(missing)

    def name_pools(self, codes: Iterable[str | None], place: Place) -> None:
        """Put pools on record whose members nobody told."""
        missing = sorted({code for code in codes if code is not None and code not in self.pools})
        ids = self.act.add_all(
            study_tables.pools,
            ("study_id", "code", "members", "source_file", "source_row"),
            [(self.study_id, code, "[]", self.sources.of(place.file), place.row) for code in missing],
        )
        self.pools |= dict(zip(missing, ids, strict=True))

    def alike(self) -> list[str]:
        """Return the codes, side by side, of new subjects that only case, signs or leading zeros tell from others."""
        spelled: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for code in sorted(self.subjects):
            spelled[tuple(part.lstrip("0") for part in _PARTS.findall(code.casefold()))].append(code)
        return [
            " and ".join(codes) for codes in spelled.values() if len(codes) > 1 and not self._before.issuperset(codes)
        ]

    def of(self, related: Related) -> tuple[int | None, int | None]:
        """Return the subject and the pool a source names."""
        return self.subjects.get(related.subject or ""), self.pools.get(related.pool or "")
