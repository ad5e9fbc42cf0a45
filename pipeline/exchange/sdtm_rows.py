"""Rows of one SDTM or SEND data set that belong to one study, read by variable and column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar

from pipeline.exchange.cells import habit_of as date_habit_of
from pipeline.exchange.dataset_table import Chunk, DataSet
from pipeline.exchange.moments import Moment, read_moment
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.study_facts import Fact, HeldFact
from pipeline.exchange.written_numbers import habit_of, read_number

MISSING = frozenset({"NA", ".", "NULL", "null", "NaN", "nan", "<NA>", "None"})
"""How programs write that a cell is empty; SDTM itself has no such word."""
_TOPICS = ("TESTCD", "PARMCD", "QNAM", "COUNTRY", "LNKID")
"""Variables in which NA is a value: sodium, Namibia."""

_Cell = TypeVar("_Cell")

Outcome = Fact | HeldFact | Quarantined
"""What became of one row."""


class Rows:
    """Some rows of a data set, all of one study."""

    __slots__ = ("_chunk", "_columns", "_picked", "file", "numbers_of_rows")

    def __init__(self, dataset: DataSet, chunk: Chunk, picked: Sequence[int] | None = None) -> None:
        """Take the rows of a chunk that `picked` names by their place in it; None: all of them."""
        self.file = dataset.place
        self._chunk = chunk
        self._columns = dataset.at
        self._picked = picked
        self.numbers_of_rows = chunk.rows if picked is None else [chunk.rows[at] for at in picked]

    def __len__(self) -> int:
        return len(self.numbers_of_rows)

    def has(self, name: str) -> bool:
        """Whether there is such a variable."""
        return name in self._columns

    def texts(self, *names: str) -> Sequence[str | None]:
        """Return the texts of the first of these variables that there is; None for each row where there is none."""
        name = next((name for name in names if name in self._columns), None)
        if name is None:
            return [None] * len(self)
        cells = self._of(self._chunk.texts(name))
        if not name.endswith(_TOPICS) and not MISSING.isdisjoint(cells):
            return [None if cell in MISSING else cell for cell in cells]
        return cells

    def numbers(self, *names: str) -> Sequence[float | None]:
        """Return the numbers of the first of these variables that there is."""
        name = next((name for name in names if name in self._columns), None)
        if name is None:
            return [None] * len(self)
        numbers = self._of(self._chunk.numbers(name))
        if None not in numbers:
            return numbers
        # Where a file has no types, a number may be written with a decimal comma.
        texts = self._of(self._chunk.texts(name))
        if not any(text is not None and "," in text for text in texts):
            return numbers
        habit = habit_of(texts)
        return [
            read_number(text, habit).value if number is None else number
            for number, text in zip(numbers, texts, strict=True)
        ]

    def moments(self, *names: str) -> list[Moment]:
        """Return the moments of the first of these variables that there is.

        03/04/2024 is read where the other rows settle what comes first, day or month.
        """
        texts = self.texts(*names)
        read = list(map(read_moment, texts))
        if not any(moment.error is not None for moment in read):
            return read
        habit = date_habit_of([text for text in texts if text])
        return [
            read_moment(text, habit) if moment.error is not None else moment
            for text, moment in zip(texts, read, strict=True)
        ]

    def _of(self, cells: list[_Cell]) -> list[_Cell]:
        return cells if self._picked is None else [cells[at] for at in self._picked]

    def places(self) -> list[Place]:
        """Return where each row stands."""
        return list(map(Place, repeat(self.file, len(self)), self.numbers_of_rows))

    def tuples(self, names: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
        """Yield the texts of some variables, row by row."""
        return zip(*(self.texts(name) for name in names), strict=True) if names else repeat((), len(self))

    def only(self, which: Sequence[int]) -> Rows:
        """Return some of these rows."""
        rows = object.__new__(Rows)
        rows.file, rows._chunk, rows._columns = self.file, self._chunk, self._columns
        rows._picked = [which_at if self._picked is None else self._picked[which_at] for which_at in which]
        rows.numbers_of_rows = [self.numbers_of_rows[at] for at in which]
        return rows


def facts_of(kind: type[Fact], rows: Rows, columns: Mapping[str, Iterable[Any]]) -> list[Outcome]:
    """Return a fact per row, from columns named like the fields of its kind; fields without a column are None."""
    places = rows.places()
    nothing = [None] * len(rows)
    given = {"place": places, **columns}
    return list(map(kind._make, zip(*(given.get(name, nothing) for name in kind._fields), strict=True)))
