"""Whose an analyte is: the molecule a concentration speaks of, found on record or said by the person who imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from pipeline.commands.import_molecules import Molecules
from pipeline.names import canonical_key
from pipeline.store import tables
from pipeline.store.journal import Act
from pipeline.store.nodes import unmerged


@dataclass(slots=True)
class Analytes:
    """The molecules of the analytes of one study.

    given: id of the molecule that was said; main: key of the molecule it stands for, where the study is about one.
    """

    act: Act
    study_id: int
    molecules: Molecules
    given: int | None = None
    main: str | None = None
    _found: dict[tuple[str | None, str | None], int | str | None] = field(default_factory=dict)

    def of(self, turned: Mapping[str, Sequence[Any]]) -> list[int | str | None]:
        """Return the molecule of each of some facts, given by columns; a text says why it cannot be told."""
        analytes = turned.get("analyte") or [None] * len(turned["molecule"])
        pairs = list(zip(turned["molecule"], analytes, strict=True))
        found = {pair: self.whose(*pair) for pair in set(pairs)}
        return [found[pair] for pair in pairs]

    def whose(self, key: str | None, analyte: str | None) -> int | str | None:
        """Return the molecule of a fact that names one by its key, or else of what it measures."""
        if (key, analyte) not in self._found:
            self._found[key, analyte] = self._find(key, analyte)
        return self._found[key, analyte]

    def _find(self, key: str | None, analyte: str | None) -> int | str | None:
        if key is not None:
            if self.given is not None and key == self.main:
                return self.given
            return self.molecules.id_of_key(key) or self.molecules.refused.get(key) or f"{key} is no molecule on record"
        if analyte is None or self.given is not None:
            return None if analyte is None else self.given
        if (named := self._named(analyte)) is not None:
            return named
        of_study = self.of_study()
        if len(of_study) == 1:
            return of_study[0]
        return (
            f"{analyte} may belong to any of {len(of_study)} molecules of the study"
            if of_study
            else f"{analyte} belongs to no molecule the study names"
        ) + "; say the molecule beside the file, or give it the analyte as a synonym, and send the file again"

    def of_study(self) -> list[int]:
        """Return the molecules the study gives."""
        taken = tables.study_molecules
        statement = select(taken.c.molecule_id).where(taken.c.study_id == self.study_id, taken.c.until_act.is_(None))
        return sorted(set(self.act.connection.execute(statement).scalars()))

    def _named(self, analyte: str) -> int | None:
        key, table, names = canonical_key(analyte), tables.molecules, tables.molecule_names
        synonyms = select(names.c.molecule_id).where(names.c.until_act.is_(None), names.c.name_key == key)
        found = self.act.current(table, unmerged(table), or_(table.c.name_key == key, table.c.id.in_(synonyms)))
        return int(found[0]["id"]) if len(found) == 1 else None
