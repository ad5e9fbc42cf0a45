"""SAS transport files (XPT), versions 5 and 8: every member a data set, read in constant memory.

Before a row is handed out the whole file is looked through once: where its members begin and end, whether it is cut
off, and which encoding its texts are in, as no transport file says. What SAS would read, this reads; what cannot have
been written so is refused, or quarantined where it concerns one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.exchange.dataset_table import (
    FIRST_ROW,
    Chunk,
    ColumnType,
    DataColumn,
    DataSet,
    Source,
    at,
    rounded,
    tidy,
    visible,
)
from pipeline.exchange.ibm_float import from_ibm
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.xpt_header import FIRST_BYTES, Field, Tokens, read_version
from pipeline.exchange.xpt_members import Extent, blocks, find_members
from pipeline.exchange.xpt_text import Texts, find_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_CACHED = 50_000
_WHOLE_DOUBLES = 1e15
_DECIMALS = 1e9
_FIRST_PRINTED, _LAST_PRINTED = 0x20, 0x7E
_BLANK = b" \0"


def is_xpt(start: bytes) -> bool:
    """Whether a file with these first bytes is a SAS transport file."""
    return start.startswith(FIRST_BYTES)


def read_xpt(source: Source, encoding: str | None = None) -> list[DataSet]:
    """Return the members of a transport file, opened.

    Args:
        source: the file.
        encoding: how its texts are encoded (a Python codec), where the sender says so; else it is found out.

    Raises:
        FileRefused: it is no transport file, is cut off, or its parts contradict each other.
    """
    with source.open() as stream:
        tokens = read_version(stream, source.place)
        extents = find_members(stream, tokens, source.place)
        texts = find_texts(stream, extents, source.place, encoding)
    return [_dataset(source, tokens, extent, texts) for extent in extents]


def _dataset(source: Source, tokens: Tokens, extent: Extent, texts: Texts) -> DataSet:
    member = extent.member
    columns = tuple(
        DataColumn(
            texts.read(field.name),
            visible(texts.read(field.label).strip()),
            ColumnType.TEXT if field.is_text else ColumnType.NUMBER,
            field.width,
            visible(texts.read(field.format)),
        )
        for field in member.fields
    )

    def read() -> Iterator[Chunk]:
        reader = _Reader(source.place, member.fields, columns, texts)
        with source.open() as stream:
            first = FIRST_ROW
            for block in blocks(stream, extent, source.place):
                last = first + len(block) == FIRST_ROW + extent.rows
                yield reader.chunk(block, first, last=last)
                first += len(block)

    return DataSet(
        texts.read(member.name),
        visible(texts.read(member.label).strip()),
        columns,
        source.place,
        tokens.version,
        read,
        records=extent.rows,
        warnings=texts.warnings + extent.warnings,
        details={"created": member.created.decode("latin-1")},
    )


class _Cells(dict[bytes, str | None]):
    """Field contents already decoded; `spoilt` says of which of them what is wrong."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.spoilt: dict[bytes, str] = {}
        self.misses = 0
        self.crowded = False
        """Whether the cells of the column differ so much that remembering them does not pay."""
        self._texts = texts

    def __missing__(self, raw: bytes) -> str | None:
        self.misses += 1
        if len(self) >= _MOST_CACHED:
            self.clear()
        try:
            text = tidy(self._texts.read(raw.rstrip(_BLANK)))
        except ValueError as wrong:
            self.spoilt[raw] = str(wrong)
            return None
        self[raw] = text
        return text


def _plain_texts(cells: NDArray[np.uint8]) -> list[str | None] | None:
    """Return the texts of fields of the shape (n, width) that are all printable ASCII; None where one is not."""
    import numpy as np

    if len(cells) == 0 or cells.min() < _FIRST_PRINTED or cells.max() > _LAST_PRINTED:
        return None
    texts: list[str] = np.strings.strip(cells.view(f"S{cells.shape[1]}")[:, 0]).astype(str).tolist()
    return [text or None for text in texts]


def _has_few_digits(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers are surely at 15 significant digits or fewer: those with at most 9 decimals, mostly.

    A whole number below 10**15 over 10**9 is the double nearest to that decimal, so it is what rounding would give.
    """
    import numpy as np

    scaled = np.rint(values * _DECIMALS)
    whole = (np.trunc(values) == values) & (np.abs(values) < _WHOLE_DOUBLES)
    few: NDArray[np.bool_] = whole | ((scaled / _DECIMALS == values) & (np.abs(scaled) < _WHOLE_DOUBLES))
    return few


class _Reader:
    """Turns blocks of bytes into chunks; what it has decoded once it knows."""

    def __init__(self, place: str, fields: tuple[Field, ...], columns: tuple[DataColumn, ...], texts: Texts) -> None:
        self._place = place
        self._fields = fields
        self._columns = columns
        self._at = at(columns)
        self._numeric = [not field.is_text for field in fields]
        self._cells = [_Cells(texts) for _ in fields]
        self._coded: dict[str, Counter[str]] = {}

    def chunk(self, block: NDArray[np.uint8], first: int, *, last: bool) -> Chunk:
        """Return the rows of a block, the first of which stands in row `first`."""
        import numpy as np

        bad: dict[int, Quarantined] = {}
        values: list[list[str | None] | list[float | None]] = []
        for index, field in enumerate(self._fields):
            cells = np.ascontiguousarray(block[:, field.start : field.start + field.width])
            if field.is_text:
                values.append(self._text_cells(cells, index, first, bad))
            else:
                values.append(self._number_cells(cells, index, first, bad))
        rows: range | list[int] = range(first, first + len(block))
        if bad:
            kept = [number for number in range(len(block)) if number not in bad]
            values = [[column[number] for number in kept] for column in values]  # type: ignore[misc]
            rows = [first + number for number in kept]
        in_order = [bad[number] for number in sorted(bad)]
        warnings = self._code_warnings() if last else ()
        return Chunk(self._at, rows, values, numeric=self._numeric, bad=in_order, warnings=warnings)

    def _text_cells(
        self, cells: NDArray[np.uint8], index: int, first: int, bad: dict[int, Quarantined]
    ) -> list[str | None]:
        known = self._cells[index]
        if known.crowded and (plain := _plain_texts(cells)) is not None:
            return plain
        known.spoilt.clear()
        before = known.misses
        raw: list[bytes] = cells.view(f"S{cells.shape[1]}")[:, 0].tolist()
        texts = list(map(known.__getitem__, raw))
        known.crowded = known.misses - before > len(raw) // 4
        if known.spoilt:
            for number, content in enumerate(raw):
                if content in known.spoilt:
                    self._quarantine(bad, number, first, index, content, known.spoilt[content])
        return texts

    def _number_cells(
        self, cells: NDArray[np.uint8], index: int, first: int, bad: dict[int, Quarantined]
    ) -> list[float | None]:
        import numpy as np

        values, codes, spoilt = from_ibm(cells)
        missing = np.isnan(values)
        for code, count in zip(*np.unique(codes[codes > 0], return_counts=True), strict=True):
            if code != ord("."):
                self._coded.setdefault(self._columns[index].name, Counter())[f".{chr(code)}"] += int(count)
        if spoilt.any():
            for number in np.flatnonzero(spoilt).tolist():
                reason = "holds bytes that are neither a number nor a missing value; the file is damaged there"
                self._quarantine(bad, number, first, index, cells[number].tobytes(), reason)
        found = values.astype(object)
        found[missing] = None
        listed: list[float | None] = found.tolist()
        for number in np.flatnonzero(~(missing | _has_few_digits(values))).tolist():
            listed[number] = rounded(listed[number])  # type: ignore[arg-type]  # not one of the missing
        return listed

    def _quarantine(
        self, bad: dict[int, Quarantined], number: int, first: int, index: int, content: bytes, reason: str
    ) -> None:
        name = self._columns[index].name
        value = visible(content.rstrip(_BLANK).decode("latin-1"))
        bad.setdefault(number, Quarantined(Place(self._place, first + number), name, value, f"the cell {reason}"))

    def _code_warnings(self) -> tuple[str, ...]:
        return tuple(
            f"{self._place}, {name}: {counts.total():,} missing value(s) carry a code "
            f"({', '.join(f'{code} {count:,}' for code, count in sorted(counts.items()))}); they are read as missing."
            for name, counts in self._coded.items()
        )
