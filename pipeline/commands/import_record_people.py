"""The subjects and pools of a study by their codes; those that only records speak of are put on record as they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from pipeline.commands.import_sources import Sources
from pipeline.exchange.reading import Place
from pipeline.exchange.study_facts import Related
from pipeline.store import study_tables
from pipeline.store.journal import Act


@dataclass(slots=True)
class People:
    """Ids of subjects and pools, by code."""

    act: Act
    study_id: int
    sources: Sources
    species: str
    subjects: dict[str, int] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)

    def look_up(self) -> None:
        """Read those on record."""
        for table, ids in ((study_tables.subjects, self.subjects), (study_tables.pools, self.pools)):
            statement = select(table.c.code, table.c.id).where(
                table.c.study_id == self.study_id, table.c.until_act.is_(None), table.c.code.is_not(None)
            )
            ids.update({row.code: row.id for row in self.act.connection.execute(statement)})

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

    def of(self, related: Related) -> tuple[int | None, int | None]:
        """Return the subject and the pool a source names."""
        return self.subjects.get(related.subject or ""), self.pools.get(related.pool or "")
