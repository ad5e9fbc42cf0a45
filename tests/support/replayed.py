"""The past as it would be read act by act and programme by programme: what replaying many together is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from pipeline.reports.record_versions import NEVER, RecordsSeen
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.tables import acts


@dataclass(frozen=True, slots=True)
class ReadAtAnAct(RecordsSeen):
    """The records as the database gives them at an act; what they say may change with any later one."""

    until: int


@dataclass(slots=True)
class PlainPast:
    """Takes the place of `Past`: it keeps nothing and leaves out no act."""

    reader: Reader
    molecules: Sequence[int]

    @property
    def last(self) -> int:
        return self._acts()[-1]

    def at(self, act: int) -> ReadAtAnAct:
        later = [number for number in self._acts() if number > act]
        return ReadAtAnAct(self.reader.at(View(self.reader.view.as_of, act)), later[0] if later else NEVER)

    def _acts(self) -> list[int]:
        known = self.reader.view.known_at
        statement = select(acts.c.number).order_by(acts.c.number)
        if known is not None:
            statement = statement.where(acts.c.number <= known)
        return list(self.reader.connection.execute(statement).scalars())
