"""A mapped table as data sets of SDTM: each field becomes a variable, prepared by the habits of the table.

What has no variable, or has to be said otherwise than SDTM says it, is kept beside as `extras` of the row: the planned
time as it was written, the true time after the dose, the dosing interval, the words that stand for "below the limit".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import InputError
from pipeline.exchange.cells import DateHabit, read_date
from pipeline.exchange.cells import habit_of as date_habit_of
from pipeline.exchange.column_mapping import Mapping, folded
from pipeline.exchange.column_mapping_fields import As, Field
from pipeline.exchange.column_mapping_propose import ORDER_OF_DATES, fold
from pipeline.exchange.column_mapping_spread import NUMERIC, empty_marks
from pipeline.exchange.dataset_table import Chunk, ColumnType, DataColumn, DataSet, at, number_text, rounded, visible
from pipeline.exchange.oncology_tables import common_compound, compounds_in
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.written_numbers import Habit, habit_of, read_number
from pipeline.exchange.written_units import unit_code
from pipeline.units import conversion_factor

Column = list[str | None]
Extras = dict[int, dict[str, Any]]
"""Row -> what its facts are to say instead of what was read in the variables."""

_SUMMARY_TEXT = """
mean average avg sd std sem cv median min max n total sum moyenne ecart type mediane effectif somme ecarttype
minimum maximum geomean mittelwert summe
"""
_SUMMARY = frozenset(_SUMMARY_TEXT.split())
_DOSE_UNITS = ("mg", "ug", "µg", "mcg", "ng", "g/", "kg", "ml", "iu")
_CLOCK_SEPARATORS = str.maketrans({"h": ":", "H": ":", ".": ":"})


@dataclass(slots=True)
class Rows:
    """The rows of a table by fields, as texts; None where nothing is said. `numbers`: where each row stands."""

    dataset: DataSet
    mapping: Mapping
    numbers: list[int]
    cells: dict[str, Column]
    units: dict[str, str]
    """Field -> unit of its column."""
    headings: dict[str, str]
    """Field -> heading."""
    habit: Habit
    dates: DateHabit
    bad: dict[int, Quarantined] = field(default_factory=dict)
    """Row -> why it cannot be read."""
    count: int = 0
    """Rows of the table, whatever became of them."""
    unsure: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Row -> the compounds of its arm, where nothing says of which of them it is."""
    remarks: set[int] = field(default_factory=set)
    """Rows that are no records."""

    def __len__(self) -> int:
        return len(self.numbers)

    def has(self, name: str) -> bool:
        """Whether a field is given."""
        return name in self.cells

    def texts(self, name: str) -> Column:
        """Return the cells of a field."""
        return self.cells.get(name) or [None] * len(self)

    def spoil(self, row: int, name: str, value: str | None, reason: str) -> None:
        """Put a row aside, or say what else is wrong with it; of what is no record nothing more is said."""
        heading = self.headings.get(name)
        if row not in self.bad:
            place = Place(self.dataset.place, row)
            self.bad[row] = Quarantined(place, heading, value and visible(value)[:100], reason)
        elif row not in self.remarks:
            self.bad[row] = self.bad[row].also(heading or self.mapping.about.fields[name].title, reason)

    def values(self, name: str) -> list[float | None]:
        """Return the numbers of a field; a row whose cell is none is put aside."""
        found: list[float | None] = []
        for row, text in zip(self.numbers, self.texts(name), strict=True):
            reading = read_number(text, self.habit)
            if text is not None and reading.either is not None:
                one, other = map(number_text, reading.either)
                self.spoil(
                    row, name, text, f"this can be {one} or {other}; say in the mapping how decimals are written"
                )
            elif text is not None and reading.value is None:
                self.spoil(row, name, text, "this is no number; write one")
            found.append(reading.value)
        return found


def rows_of(dataset: DataSet, mapping: Mapping) -> Rows:
    """Read a table by fields."""
    by_heading = {folded(column.name): index for index, column in enumerate(dataset.columns)}
    places = {
        column.field: (by_heading[folded(heading)], heading, column.unit)
        for heading, column in mapping.columns.items()
        if column.field is not None and folded(heading) in by_heading
    }
    markers = empty_marks(mapping)
    numbers: list[int] = []
    cells: dict[str, Column] = {name: [] for name in places}
    bad: dict[int, Quarantined] = {}
    for chunk in dataset.chunks():
        bad |= {item.place.row: item for item in chunk.bad}
        numbers += chunk.rows
        for name, (index, _, _) in places.items():
            cells[name] += [None if text in markers else text for text in chunk.texts(index)]
    for name, value in mapping.constants.items():
        known = cells.get(name)
        cells[name] = [value if text is None else text for text in known] if known else [value] * len(numbers)
    units = {name: unit for name, (_, _, unit) in places.items() if unit}
    headings = {name: heading for name, (_, heading, _) in places.items()}
    rows = Rows(dataset, mapping, numbers, cells, units, headings, Habit(), DateHabit(), bad, len(numbers) + len(bad))
    _learn_habits(rows)
    _put_notes_aside(rows)
    if "analyte" in mapping.about.fields and not rows.has("analyte") and rows.has("arm"):
        _name_analytes(rows)
    return rows


def _name_analytes(rows: Rows) -> None:
    """Tell by its arm of which compound a row is: one that gives a single compound says it, one of several does not."""
    arms = rows.texts("arm")
    common = common_compound(arms)
    told = [compounds_in(arm) for arm in arms]
    if not any(told):
        return
    rows.cells["analyte"] = [
        compounds[0] if len(compounds) == 1 else common or next(iter(compounds), None) for compounds in told
    ]
    for row, compounds in zip(rows.numbers, told, strict=True):
        if len(compounds) > 1:
            rows.unsure[row] = compounds
        elif not compounds:
            rows.spoil(row, "arm", None, "nothing says of which analyte the row is; give it as a constant")


def _learn_habits(rows: Rows) -> None:
    fields, mapping = rows.mapping.about.fields, rows.mapping
    if mapping.decimal_comma is not None:
        rows.habit = Habit(mapping.decimal_comma)
    else:
        numeric = [name for name in rows.cells if fields[name].form in NUMERIC]
        rows.habit = habit_of(text for name in numeric for text in rows.cells[name])
    dates = [name for name in rows.cells if fields[name].form is As.DATE]
    habit = date_habit_of(text for name in dates for text in rows.cells[name] if text is not None)
    rows.dates = DateHabit(habit.day_first if mapping.day_first is None else mapping.day_first, habit.points_day_first)


def _put_notes_aside(rows: Rows) -> None:
    """Put aside what is no record: remarks below a table, means and totals."""
    given = [name for name in rows.headings if name not in rows.mapping.constants]
    subjects = rows.texts("subject")
    for index, row in enumerate(rows.numbers):
        filled = [name for name in given if rows.cells[name][index] is not None]
        who = subjects[index]
        if len(filled) <= 1 and len(given) > 2:
            name = filled[0] if filled else "subject"
            value = rows.cells[name][index] if filled else None
            rows.spoil(row, name, value, "only one cell is filled: this is a remark, not a record; it is left out")
            rows.remarks.add(row)
        elif who is not None and set(fold(who).split()) and set(fold(who).split()) <= _SUMMARY:
            rows.spoil(row, "subject", who, "the row sums others up; it is left out")
            rows.remarks.add(row)
        elif who is None:
            rows.spoil(row, "subject", None, "the row names no subject; give its pseudonym")


# ------------------------------------------------------------ cells


def prepared(rows: Rows, name: str, about: Field) -> Column:
    """Return the cells of a field as the reader of its variable wants them."""
    texts = rows.texts(name)
    if about.form is As.NUMBER:
        return [None if value is None else number_text(value) for value in rows.values(name)]
    if about.form is As.DAYS:
        per = days_per(rows, name)
        return [None if value is None else number_text(rounded(value * per)) for value in rows.values(name)]
    if about.form is As.DATE:
        return dates(rows, name)
    if about.form is As.LABEL:
        known = {text: label(text) for text in set(texts) if text is not None}
        return [None if text is None else known[text] for text in texts]
    return texts


def in_unit_of_result(rows: Rows, name: str, cells: Column, units: Sequence[str | None]) -> Column:
    """Return the limits of a field in the unit of the result of each row, where their column has a unit of its own.

    cells: the limits as numbers. units: those of the results.
    """
    stated = rows.units.get(name)
    if stated is None:
        return cells
    found: Column = []
    for row, cell, unit in zip(rows.numbers, cells, units, strict=True):
        own, wanted = unit_code(stated), unit_code(unit)
        if cell is None or own is None or wanted is None or own == wanted:
            found.append(cell)
            continue
        try:
            found.append(number_text(rounded(float(cell) * conversion_factor(own, wanted))))
        except InputError:
            found.append(None)
            why = f"a limit in {stated} cannot be held against a result in {unit}; give both in units of one kind"
            rows.spoil(row, name, cell, why)
    return found


def label(text: str) -> str:
    """Return a label with its blanks put in order: a dose is written with one before its unit."""
    words: list[str] = []
    for word in text.split():
        cut = len(word) - len(word.lstrip("0123456789.,"))
        if 0 < cut < len(word) and word[cut:].lower().startswith(_DOSE_UNITS) and unit_code(word[cut:]) is not None:
            words += [word[:cut], word[cut:]]
        else:
            words.append(word)
    return " ".join(words)


def days_per(rows: Rows, name: str) -> float:
    """Return how many days one of a column is."""
    return _per(rows.units.get(name) or "d", "d")


def hours_per(rows: Rows, name: str) -> float:
    """Return how many hours one of a column is."""
    return _per(rows.units.get(name) or "h", "h")


def _per(unit: str, wanted: str) -> float:
    try:
        return conversion_factor(unit_code(unit) or unit, wanted)
    except InputError:
        return 1.0


def dates(rows: Rows, name: str) -> Column:
    """Return dates and times as ISO 8601; one that can mean two days stays as it is, and is told so later."""
    known: dict[str, str | None] = {}
    found: Column = []
    for row, text in zip(rows.numbers, rows.texts(name), strict=True):
        if text is not None and text not in known:
            known[text] = _iso(text, rows.dates)
        value = None if text is None else known[text]
        if text is not None and value is None:
            reading = read_date(text, rows.dates)
            choices = f": {' or '.join(reading.proposals)}" if reading.proposals else ""
            mend = f"; {ORDER_OF_DATES}" if reading.proposals and rows.dates.day_first is None else ""
            why = reading.doubt or reading.error or "this is no date"
            rows.spoil(row, name, text, f"{why}{choices}{mend}"[:300])
        found.append(value)
    return found


def _iso(text: str, habit: DateHabit) -> str | None:
    if len(text) >= 10 and text[4:5] == "-" and text[7:8] == "-":
        return text
    reading = read_date(text, habit)
    if reading.value is None:
        return None
    clock = text.rpartition(" ")[2] if ":" in text.rpartition(" ")[2] else None
    return reading.value.text if clock is None else f"{reading.value.text}T{clock_time(clock) or '00:00'}"


def clock_time(text: str | None) -> str | None:
    """Return a time of day as HH:MM or HH:MM:SS: `8:05`, `08h05`, `8.05`; None for anything else."""
    if text is None:
        return None
    parts = text.strip().rstrip("hH").translate(_CLOCK_SEPARATORS).split(":")
    if not 1 <= len(parts) <= 3 or not all(part.isdigit() and len(part) <= 2 for part in parts):
        return None
    figures = [int(part) for part in parts]
    if figures[0] > 24 or any(figure > 59 for figure in figures[1:]):
        return None
    return ":".join(f"{figure:02d}" for figure in (*figures, 0)[: max(2, len(figures))])


# ------------------------------------------------------------ data sets


@dataclass(slots=True)
class Drafts:
    """The data sets a table becomes, and what is to be said beside them."""

    place: str
    datasets: list[DataSet] = field(default_factory=list)
    extras: Extras = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)
    """Domains whose facts are told by the rows of others."""
    words: dict[str, str] = field(default_factory=dict)
    """Variable -> the heading it was read from."""
    people: list[tuple[int, dict[str, str | None]]] = field(default_factory=list)
    """(row, what it says of its subject) for every row that says something new in its table."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the import has to know of the table."""
    silent: list[int] = field(default_factory=list)
    """Rows that say nothing which another row of the table has not said."""

    def say(self, row: int, **fields: Any) -> None:
        """Say something of the facts of a row."""
        self.extras.setdefault(row, {}).update(fields)

    def add(
        self, domain: str, numbers: Sequence[int], columns: dict[str, Column], *, keep: tuple[str, ...] = ()
    ) -> None:
        """Add a data set; empty columns are left out, but for those to keep."""
        filled = {
            name: cells for name, cells in columns.items() if name in keep or any(cell is not None for cell in cells)
        }
        if not numbers:
            return
        about = tuple(DataColumn(name, type=ColumnType.TEXT) for name in filled)
        places = at(about)
        chunk = Chunk(places, list(numbers), list(filled.values()), numeric=[False] * len(about))
        opened = DataSet(domain, "", about, self.place, "table", lambda: iter((chunk,)), records=len(numbers))
        self.datasets.append(opened)
