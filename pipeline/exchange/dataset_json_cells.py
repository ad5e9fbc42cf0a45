"""The rows of Dataset-JSON turned into columns: every cell tidied, what fits no column set aside with its reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pipeline.exchange.dataset_json_header import Header
from pipeline.exchange.dataset_table import (
    Chunk,
    ColumnType,
    DataColumn,
    at,
    number,
    number_text,
    rounded,
    tidy,
    visible,
)
from pipeline.exchange.reading import Place, Quarantined

_MOST_CACHED = 50_000
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_NONE = type(None)
_TEXTS = frozenset((str, _NONE))
_NUMBERS = frozenset((int, float, _NONE))


class _Texts(dict[str | None, str | None]):
    """Texts already tidied; what holds control characters is no key of it."""

    def __missing__(self, cell: str | None) -> str | None:
        if len(self) >= _MOST_CACHED:
            self.clear()
        text = self[cell] = None if cell is None else tidy(cell)
        return text


class _Rounded(dict[float | None, float | None]):
    """Numbers already rounded."""

    def __missing__(self, value: float | None) -> float | None:
        if len(self) >= _MOST_CACHED:
            self.clear()
        short = self[value] = None if value is None else _as_float(value)
        return short


def _as_float(value: float) -> float | None:
    try:
        return rounded(float(value))
    except OverflowError:
        return None


class Cells:
    """Turns rows into chunks; what it has tidied once it knows."""

    def __init__(self, header: Header, place: str) -> None:
        self._header = header
        self._place = place
        self._at = at(header.columns)
        self._kept = [index for index in range(header.width) if index not in header.skipped]
        self._texts = [_Texts() for _ in header.columns]
        self._rounded = [_Rounded() for _ in header.columns]
        self._odd: Counter[str] = Counter()

    def chunk(self, rows: Sequence[Any], places: Sequence[int], broken: Sequence[Quarantined], *, last: bool) -> Chunk:
        """Return a chunk of rows that were parsed; `broken` are those between them that could not be."""
        bad = {item.place.row: item for item in broken}
        good: list[list[Any]] = []
        good_places: list[int] = []
        for row, place in zip(rows, places, strict=True):
            if isinstance(row, list) and len(row) == self._header.width:
                good.append(row)
                good_places.append(place)
            else:
                bad[place] = self._refused(place, row)
        values, numeric = self._columns(good, good_places, bad)
        if bad:
            kept = [index for index, place in enumerate(good_places) if place not in bad]
            values = [[column[index] for index in kept] for column in values]
            good_places = [good_places[index] for index in kept]
        in_order = [bad[place] for place in sorted(bad)]
        warnings = self._warnings() if last else ()
        return Chunk(self._at, good_places, values, numeric=numeric, bad=in_order, warnings=warnings)

    def _refused(self, place: int, row: object) -> Quarantined:
        if isinstance(row, list):
            reason = f"the row has {len(row)} values where the file describes {self._header.width} columns"
        else:
            reason = "the row is no list of values"
        return Quarantined(Place(self._place, place), None, visible(str(row)), reason)

    def _columns(
        self, rows: list[list[Any]], places: list[int], bad: dict[int, Quarantined]
    ) -> tuple[list[Any], list[bool]]:
        turned = list(zip(*rows, strict=True)) if rows else [()] * self._header.width
        values: list[Any] = []
        numeric = []
        for index, (column, place_in_row) in enumerate(zip(self._header.columns, self._kept, strict=True)):
            cells = turned[place_in_row]
            kinds = set(map(type, cells))
            is_number = column.type is ColumnType.NUMBER and kinds <= _NUMBERS
            numeric.append(is_number)
            if is_number:
                values.append(list(map(self._rounded[index].__getitem__, cells)))
                continue
            try:
                if column.type is ColumnType.TEXT and kinds <= _TEXTS:
                    values.append(list(map(self._texts[index].__getitem__, cells)))
                    continue
            except ValueError:
                pass  # one of the cells holds control characters: look at each
            values.append([self._cell(cell, column, place, bad) for cell, place in zip(cells, places, strict=True)])
        return values, numeric

    def _cell(self, cell: object, column: DataColumn, place: int, bad: dict[int, Quarantined]) -> str | None:
        """Return the text of a cell that is not simply what its column declares."""
        match cell:
            case None:
                return None
            case str():
                return self._text(cell, column, place, bad)
            case bool():
                self._odd[column.name] += column.data_type != "boolean"
                return "true" if cell else "false"
            case int():
                self._odd[column.name] += column.type is not ColumnType.NUMBER
                return str(cell)
            case float():
                self._odd[column.name] += column.type is not ColumnType.NUMBER
                return number_text(cell)
        reason = "the cell is a list or an object, where a plain value belongs"
        bad.setdefault(place, Quarantined(Place(self._place, place), column.name, visible(str(cell)), reason))
        return None

    def _text(self, cell: str, column: DataColumn, place: int, bad: dict[int, Quarantined]) -> str | None:
        try:
            text = tidy(cell)
        except ValueError as wrong:
            said = Quarantined(Place(self._place, place), column.name, visible(cell), f"the cell {wrong}")
            bad.setdefault(place, said)
            return None
        if column.type is ColumnType.NUMBER and text is not None:
            # Decimals are texts in JSON, and the standard lets commas (and nothing else) set their thousands apart.
            grouped = column.data_type == "decimal" and _THOUSANDS.fullmatch(text)
            plain = text.replace(",", "") if grouped else text
            self._odd[column.name] += number(plain) is None
            return plain
        return text

    def _warnings(self) -> tuple[str, ...]:
        return tuple(
            f"{self._place}, {name}: {count:,} cell(s) are not of the type the file declares; kept as they are written."
            for name, count in self._odd.items()
            if count
        )
