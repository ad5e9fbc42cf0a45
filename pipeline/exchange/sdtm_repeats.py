"""Rows of a domain that say the same thing twice, or two things about the same: found in two passes, in little memory.

The first pass keeps 8 bytes a row: the hash of what names the record (subject, analyte, specimen, time ...). Only rows
whose hash occurs more than once are compared in the second. Equal ones are duplicates of the first; different ones
contradict each other, and none of them is taken until a person decides.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.exchange.reading import Duplicate, Place, Quarantined
from pipeline.exchange.sdtm_rows import Outcome, Rows
from pipeline.exchange.study_facts import HeldFact

_SHOWN = 4
_Texts = tuple[str | None, ...]


@dataclass(slots=True)
class Repeats:
    """The repeated rows of one domain of one study.

    names: variables that together name a record. times: those of them that say when; rows in which all of these are
    empty are named by all they say. whole: records are named by all they say, and by their number within the subject.
    """

    prefix: str
    names: tuple[str, ...]
    times: tuple[str, ...] = ()
    whole: bool = False
    columns: set[str] = field(default_factory=set)
    """Every variable of the domain's data sets."""
    _hashes: array[int] = field(default_factory=lambda: array("q"))
    _numbers: array[int] = field(default_factory=lambda: array("q"))
    _repeated: frozenset[int] = frozenset()
    _renumbered: frozenset[int] = frozenset()
    _waiting: dict[_Texts, list[tuple[Outcome, _Texts]]] = field(default_factory=dict)

    def note(self, rows: Rows) -> None:
        """Look at some rows in the first pass."""
        self._hashes.extend(map(hash, self._keys(rows)))
        if self.whole:
            self._numbers.extend(map(hash, self._numbered(rows)))

    def merge(self, other: Repeats) -> None:
        """Take what another one has seen."""
        self._hashes.extend(other._hashes)
        self._numbers.extend(other._numbers)

    def settle(self) -> None:
        """End the first pass."""
        self._repeated = _twice(self._hashes)
        self._renumbered = _twice(self._numbers)
        self._hashes, self._numbers = array("q"), array("q")
        self._waiting = {}

    def split(self, rows: Rows, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the outcomes of rows that stand for themselves; the others wait for `rest`."""
        if not self._repeated and not self._renumbered:
            return list(outcomes)
        kept: list[Outcome] = []
        contents = self._contents(rows)
        numbered = self._numbered(rows) if self.whole else [()] * len(rows)
        for outcome, key, content, number in zip(outcomes, self._keys(rows), contents, numbered, strict=True):
            if isinstance(outcome, Quarantined):
                kept.append(outcome)
            elif self._renumbered and number[-1] is not None and hash(number) in self._renumbered:
                self._waiting.setdefault(number, []).append((outcome, content))
            elif hash(key) in self._repeated:
                self._waiting.setdefault(key, []).append((outcome, content))
            else:
                kept.append(outcome)
        return kept

    def rest(self) -> tuple[list[Outcome], list[Duplicate]]:
        """End the second pass: return the outcomes of the rows that waited, and those that are duplicates."""
        outcomes: list[Outcome] = []
        duplicates: list[Duplicate] = []
        for told in self._waiting.values():
            distinct: dict[_Texts, Outcome] = {}
            for outcome, content in told:
                first = distinct.setdefault(content, outcome)
                if first is not outcome:
                    duplicates.append(Duplicate(_place(outcome), _place(first)))
            if len(distinct) == 1:
                outcomes += distinct.values()
            else:
                outcomes += self._ambiguous(list(distinct.items()))
        self._waiting = {}
        return outcomes, duplicates

    def _ambiguous(self, told: list[tuple[_Texts, Outcome]]) -> list[Outcome]:
        names = self._content_names()
        differing = [
            name for at, name in enumerate(names) if len({content[at] for content, _ in told}) > 1 and name is not None
        ]
        rows = ", ".join(str(_place(outcome).row) for _, outcome in told[:_SHOWN])
        found: list[Outcome] = []
        for content, outcome in told:
            fact = outcome.fact if isinstance(outcome, HeldFact) else outcome
            if isinstance(fact, Quarantined):
                found.append(fact)
                continue
            said = dict(zip(names, content, strict=True))
            what = ", ".join(f"{name} {said[name] or 'empty'}" for name in differing[:_SHOWN])
            why = f"rows {rows} name the same record and differ in {', '.join(differing[:_SHOWN])}: take one of them"
            if isinstance(outcome, HeldFact):
                why = f"{why}; {outcome.explanation}"
            column = differing[0] if differing else None
            found.append(HeldFact(fact, column, said.get(column or ""), f"take this one: {what}"[:200], why))
        return found

    def _keys(self, rows: Rows) -> list[_Texts]:
        if self.whole:
            return self._contents(rows)
        keys = list(rows.tuples(self.names))
        timeless = [at for at, key in enumerate(rows.tuples(self.times)) if not any(key)] if self.times else []
        if timeless:
            contents = self._contents(rows)
            for at in timeless:
                keys[at] = contents[at]
        return keys

    def _contents(self, rows: Rows) -> list[_Texts]:
        return list(rows.tuples(self._content_names()))

    def _content_names(self) -> list[str]:
        return sorted(self.columns - {f"{self.prefix}SEQ", "DOMAIN"})

    def _numbered(self, rows: Rows) -> list[_Texts]:
        return list(rows.tuples(("USUBJID", "POOLID", f"{self.prefix}SEQ")))


def _twice(hashes: array[int]) -> frozenset[int]:
    """Return the hashes that occur more than once."""
    if len(hashes) < 2:
        return frozenset()
    import numpy as np

    ordered = np.sort(np.frombuffer(hashes, dtype=np.int64))
    return frozenset(int(value) for value in ordered[1:][ordered[1:] == ordered[:-1]])


def _place(outcome: Outcome) -> Place:
    return outcome.fact.place if isinstance(outcome, HeldFact) else outcome.place
