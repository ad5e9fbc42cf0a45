"""What the columns of a table seem to be, with a sentence on each: a proposal that a person confirms.

Three things are looked at: the words of the heading, a unit in it, and the values below. A column that only some of
them speak for is in doubt, and so is one that nothing is known of: it is not read unless somebody says what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from pipeline.errors import FileRefused
from pipeline.exchange.cells import habit_of as date_habit_of
from pipeline.exchange.cells import read_date
from pipeline.exchange.column_mapping import MappedColumn, Mapping, lacking
from pipeline.exchange.column_mapping_fields import As, Kind
from pipeline.exchange.column_mapping_kinds import KINDS
from pipeline.exchange.dataset_table import DataSet, visible
from pipeline.exchange.result_words import Kind as Word
from pipeline.exchange.result_words import read_words
from pipeline.exchange.written_numbers import Habit, habit_of, read_number
from pipeline.exchange.written_units import unit_code
from pipeline.units import parse_unit

MARKERS = ("-", "--", "---", "n/a", "N/A", "#N/A", "#N/D", "/", "?", "NaN", "na", "null", "NULL")
"""How tables write that a cell is empty, beside what every reader knows."""
_LOOKED_AT = 2_000
ORDER_OF_DATES = 'say in the mapping "date_order": "day first" or "month first"'
_BRACKETS = re.compile(r"[(\[{]\s*([^)\]}]*?)\s*[)\]}]")
_TRAILING = re.compile(r"(?:[_,;: ]|\bin\b|\ben\b)+([^\s_,;:()\[\]]+)$", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_METABOLITE = re.compile(r"[A-Z]\d{1,3}")
_USUAL_UNITS = {"tumour_volume": "mm3", "body_weight": "g", "length": "mm", "width": "mm"}
_DIMENSIONS = {"tumour_volume": "mm3", "body_weight": "g", "length": "mm", "width": "mm"}
_SPELLED_TEXT = """
day days jour jours hour hours heure heures week weeks min minute minutes dose cell cells
"""
_SPELLED = frozenset(_SPELLED_TEXT.split())
"""Words that are part of a name where they end a heading."""
_TIME_WORDS = (("day", "d"), ("days", "d"), ("jour", "d"), ("jours", "d"), ("j", "d"), ("tag", "d"), ("dpi", "d"))
_ANALYSIS_TIMES = tuple(
    (name, "h") for name in ("afrlt", "nfrlt", "arrlt", "nrrlt", "aefrlt", "aerrlt", "nrlt", "arlt", "aerlt", "afrelt")
)
_HOUR_WORDS = (("hour", "h"), ("hours", "h"), ("heure", "h"), ("heures", "h"), ("hpd", "h"), ("hr", "h"))


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """What a column seems to be. doubt: a person has to look; assumed: what was taken for granted, in words.

    constants: what its heading says of all its cells, where there is a column for each analyte, test or time.
    """

    heading: str
    field: str | None
    unit: str | None
    why: str
    doubt: bool
    assumed: str | None = None
    constants: Map[str, str] = dataclass_field(default_factory=dict)


@dataclass(slots=True)
class Proposal:
    """What a table seems to be, column by column. kind None: nothing could be told."""

    place: str
    kind: Kind | None
    columns: list[ProposedColumn]
    lacks: list[str] = dataclass_field(default_factory=list)
    """What a table of its kind needs and no column gives."""
    notes: list[str] = dataclass_field(default_factory=list)
    missing: tuple[str, ...] = ()
    decimal_comma: bool | None = None
    day_first: bool | None = None

    @property
    def certain(self) -> bool:
        """Whether every column that would be read is beyond doubt, and nothing is lacking."""
        read = [column for column in self.columns if column.field]
        return self.kind is not None and not self.lacks and bool(read) and not any(column.doubt for column in read)

    def mapping(self, *, name: str = "", **constants: str) -> Mapping:
        """Return the mapping that is proposed; the caller sees to what it lacks.

        Raises:
            FileRefused: nothing could be told.
        """
        if self.kind is None:
            raise FileRefused(f"{self.place}: no column is understood; write the mapping by hand")
        columns = {column.heading: MappedColumn(column.field, column.unit, column.constants) for column in self.columns}
        return Mapping(
            self.kind.code,
            columns,
            constants,
            self.missing,
            decimal_comma=self.decimal_comma,
            day_first=self.day_first,
            name=name,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the proposal as it is written down: what `mapping_from` reads, with the reasons beside it."""
        columns = {
            column.heading: {"field": column.field, "unit": column.unit, "doubt": column.doubt, "why": column.why}
            | ({"constants": dict(column.constants)} if column.constants else {})
            for column in self.columns
        }
        return {
            "table": self.place,
            "kind": None if self.kind is None else self.kind.code,
            "columns": columns,
            "constants": {},
            "missing": list(self.missing),
            "below_limit": [],
            "decimal": {True: ",", False: ".", None: None}[self.decimal_comma],
            "date_order": {True: "day first", False: "month first", None: None}[self.day_first],
            "zero": None,
            "lacks": self.lacks,
            "notes": self.notes,
            "fields": [] if self.kind is None else list(self.kind.fields),
        }

    def sentence(self) -> str:
        """Return the outcome as one sentence, for a refusal."""
        if self.kind is None:
            return f"{self.place} is no table whose columns are understood"
        read = [
            f"{column.heading[:40]!r} as {' of '.join((column.field, *column.constants.values()))}"
            for column in self.columns
            if column.field
        ]
        doubts = [repr(column.heading[:40]) for column in self.columns if column.doubt]
        parts = [
            f"{self.place} looks like {self.kind.title}: {', '.join(read[:8])}" + (" ..." if len(read) > 8 else "")
        ]
        if self.lacks:
            parts.append(f"it lacks the {', '.join(self.lacks)}")
        if doubts:
            parts.append(f"in doubt: {', '.join(doubts[:6])}" + (" ..." if len(doubts) > 6 else ""))
        return "; ".join(parts)


def propose(
    dataset: DataSet, *, only: Sequence[str] = (), apart: Map[str, ProposedColumn] = MappingProxyType({})
) -> Proposal:
    """Return what a table seems to be.

    Args:
        dataset: the table.
        only: kinds to choose from, where not from all.
        apart: heading -> what it is, of the columns for each analyte, test or time of a table that has such.
    """
    headings = [column.name for column in dataset.columns]
    values = _values(dataset)
    shared = ["" if name in apart else name for name in headings]
    judged = [(kind, _read_as(kind, shared)) for code, kind in KINDS.items() if not only or code in only]
    kind, found = max(judged, key=lambda item: _score(item[0], item[1]))
    if not apart and not _tells(kind, found):
        unknown = [ProposedColumn(name, None, None, "the heading is not understood", True) for name in headings]
        return Proposal(dataset.place, None, unknown)
    read = [at for at, name in enumerate(headings) if at in found or name in apart]
    numeric = [at for at in read if headings[at] in apart or _is_numeric(kind, found[at][0])]
    habit = habit_of(text for at in numeric for text in values[at])
    columns = [
        apart.get(name) or _judge(kind, at, name, found.get(at), values[at], habit) for at, name in enumerate(headings)
    ]
    proposal = Proposal(dataset.place, kind, columns, decimal_comma=habit.decimal_comma)
    given = {name for column in columns if column.field for name in (column.field, *column.constants)}
    proposal.lacks = lacking(kind, given.__contains__)
    proposal.missing = tuple(marker for marker in MARKERS if any(marker in values[at] for at in read))
    _note_units(proposal, given)
    dates = [text for at, (name, _) in found.items() if kind.fields[name].form is As.DATE for text in values[at]]
    order = date_habit_of(text for text in dates if text is not None)
    proposal.day_first = order.day_first if dates else None
    if any(text is not None and read_date(text, order).proposals for text in dates):
        proposal.notes.append(f"dates can be read day first or month first: {ORDER_OF_DATES}")
    return proposal


def _values(dataset: DataSet) -> list[list[str | None]]:
    """Return the first cells of every column."""
    for chunk in dataset.chunks():
        if len(chunk):
            return [chunk.texts(at)[:_LOOKED_AT] for at in range(len(dataset.columns))]
    return [[] for _ in dataset.columns]


# ------------------------------------------------------------ headings


@lru_cache(maxsize=4096)
def split_heading(heading: str) -> tuple[str, str | None]:
    """Return the words of a heading, folded, and the unit it names: `Conc. (ng/mL)`, `BW_g`, `Temps [h]`."""
    rest, unit = named(heading)
    return fold(_BRACKETS.sub(lambda m: f" {m[1]} ", rest)), unit


def named(heading: str) -> tuple[str, str | None]:
    """Return a heading without the unit it names, as it is written, and the unit."""
    for found in _BRACKETS.finditer(heading):
        if unit_code(found[1]) is not None:
            return f"{heading[: found.start()]} {heading[found.end() :]}".strip(), found[1]
    last = _TRAILING.search(heading)
    if last is not None and unit_code(last[1]) is not None and _is_unit_word(last[1], heading[: last.end(1)]):
        return heading[: last.start()].strip(), last[1]
    return heading, None


def _is_unit_word(word: str, heading: str) -> bool:
    """Whether the last word of a heading is a unit, as in `BW_g`, and no part of its name, as in `Study Day`."""
    if word.isdigit() or _METABOLITE.fullmatch(word) or fold(word) in _SPELLED or not fold(heading[: -len(word)]):
        return False
    separator = heading[: -len(word)].rstrip(" ")[-1:]
    return "/" in word or any(sign.isdigit() for sign in word) or separator in ("_", ",") or len(word) > 1


def fold(text: str) -> str:
    """Return the words of a text in small letters without accents and signs; `animalID` is two words."""
    decomposed = unicodedata.normalize("NFKD", _HUMP.sub(" ", text.replace("°", " ")))
    plain = "".join(sign if sign.isalnum() else " " for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(plain.casefold().split())


@lru_cache(maxsize=16)
def _words(kind: str) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for name, about in KINDS[kind].fields.items():
        for rank, words in enumerate(about.words.split("|")):
            key = fold(words)
            if key and (key not in found or rank < found[key][1]):
                found[key] = (name, rank)
    return found


@dataclass(frozen=True, slots=True)
class _Match:
    rank: int
    exact: bool


def _read_as(kind: Kind, headings: Sequence[str]) -> dict[int, tuple[str, _Match]]:
    """Return for each heading the field it names; of two headings for one field the clearer counts."""
    best: dict[str, tuple[int, _Match]] = {}
    for at, heading in enumerate(headings):
        found = _field_of(kind, heading)
        if found is None:
            continue
        name, match = found
        known = best.get(name)
        if known is None or (not match.exact, match.rank) < (not known[1].exact, known[1].rank):
            best[name] = (at, match)
    return {at: (name, match) for name, (at, match) in best.items()}


def _field_of(kind: Kind, heading: str) -> tuple[str, _Match] | None:
    """Return the field a heading names, or seems to name."""
    return _exactly(kind.code, heading) or _roughly(kind.code, heading)


@lru_cache(maxsize=8192)
def _exactly(code: str, heading: str) -> tuple[str, _Match] | None:
    kind, words = KINDS[code], _words(code)
    plain, unit = split_heading(heading)
    whole = fold(heading)
    for text in (plain, whole, whole.replace(" ", ""), plain.replace(" ", "")):
        if text in words:
            name, rank = words[text]
            if not _is_unit_only(kind, name, unit):
                return name, _Match(rank, True)
    return None


@lru_cache(maxsize=8192)
def _roughly(code: str, heading: str) -> tuple[str, _Match] | None:
    words = _words(code)
    parts = split_heading(heading)[0].split()
    candidates = []
    for key, (name, rank) in words.items():
        sought = key.split()
        if len(key) >= 3 and len(sought) < len(parts) and _within(sought, parts) and rank < 40:
            candidates.append((-len(sought), rank, name))
    if not candidates or len(parts) > 6:
        return None
    _, rank, name = min(candidates)
    return name, _Match(rank, False)


def known_as(kind: str, heading: str) -> str | None:
    """Return the field of a kind that a heading names beyond doubt."""
    found = _exactly(kind, heading)
    return None if found is None else found[0]


def known_headings(kind: str, headings: Sequence[str]) -> int:
    """Return how many headings are beyond doubt fields of a kind, each field counted once."""
    return len({name for heading in headings if (name := known_as(kind, heading)) is not None})


def _is_unit_only(kind: Kind, name: str, unit: str | None) -> bool:
    """Whether a heading that holds a unit cannot be the field it names (a text has no unit)."""
    return unit is not None and kind.fields[name].form is As.TEXT and name.endswith("unit")


def _within(sought: Sequence[str], parts: Sequence[str]) -> bool:
    return any(parts[at : at + len(sought)] == list(sought) for at in range(len(parts) - len(sought) + 1))


def _score(kind: Kind, found: dict[int, tuple[str, _Match]]) -> tuple[float, float]:
    fields = dict(found.values())
    needed = sum(any(name in fields for name in choices) for choices in kind.needs)
    telling = sum(1.0 if fields[name].exact else 0.4 for name in kind.telling if name in fields)
    clarity = sum(1.0 / (1 + match.rank) for match in fields.values() if match.exact)
    return needed / len(kind.needs) * 3 + telling, len(fields) + clarity


def _tells(kind: Kind, found: dict[int, tuple[str, _Match]]) -> bool:
    """Whether the headings show a kind: a field that tells it, and at least two that it needs."""
    fields = {name for name, _ in found.values()}
    needed = sum(any(name in fields for name in choices) for choices in kind.needs)
    return bool(fields.intersection(kind.telling)) and needed >= min(2, len(kind.needs))


# ------------------------------------------------------------ columns


def _is_numeric(kind: Kind, name: str) -> bool:
    return kind.fields[name].form in (As.NUMBER, As.RESULT, As.HOURS, As.DAYS)


def _judge(
    kind: Kind, at: int, heading: str, found: tuple[str, _Match] | None, values: Sequence[str | None], habit: Habit
) -> ProposedColumn:
    if found is None:
        other = _field_of(kind, heading)
        why = "nothing in the heading is understood; name its field, or leave it as it is and it is not read"
        if other is not None:
            why = f"the heading can be the {kind.titles[other[0]]} too, which a clearer column gives; it is not read"
        return ProposedColumn(heading, None, None, why, True)
    name, match = found
    title = kind.titles[name]
    filled = [text for text in values if text is not None and text not in MARKERS]
    reasons = [f"the heading {'says' if match.exact else 'seems to say'} {title}"]
    doubt = not match.exact
    if _is_numeric(kind, name) and filled:
        wrong = [text for text in filled if not _fits(kind.fields[name].form, text, habit)]
        if len(wrong) * 5 > len(filled):
            reasons.append(
                f"but {visible(wrong[0])[:30]!r} and {len(wrong) - 1} more are neither numbers nor known words"
            )
            doubt = True
        else:
            reasons.append("and the values are numbers" + (" or words of results" if wrong else ""))
    if not filled:
        reasons.append("but the column is empty")
    unit, assumed, unclear = _unit(kind, name, heading, filled, habit)
    if unit is not None:
        reasons.append(f"in {unit}" if assumed is None else assumed)
    if unclear:
        reasons.append(unclear)
    return ProposedColumn(heading, name, unit, ", ".join(reasons), doubt or bool(unclear), assumed)


def _fits(form: As, text: str, habit: Habit) -> bool:
    reading = read_number(text, habit)
    if reading.value is not None or reading.either is not None:
        return True
    if form is As.NUMBER:
        return False
    return form is As.HOURS or read_words(text).kind is not Word.UNREAD


def _unit(
    kind: Kind, name: str, heading: str, filled: Sequence[str], habit: Habit
) -> tuple[str | None, str | None, str | None]:
    """Return the unit of a column, what was assumed about it, and what is unclear."""
    form = kind.fields[name].form
    if form not in (As.RESULT, As.NUMBER, As.HOURS, As.DAYS):
        return None, None, None
    words, unit = split_heading(heading)
    if unit is not None:
        expected = _DIMENSIONS.get(name) or ("h" if form in (As.HOURS, As.DAYS) else None)
        code = unit_code(unit)
        if expected and code and parse_unit(code).dimension != parse_unit(expected).dimension:
            return unit, None, f"{unit} is no unit of it"
        return unit, None, None
    if form in (As.HOURS, As.DAYS):
        told = dict(_TIME_WORDS + _HOUR_WORDS + _ANALYSIS_TIMES)
        said = next((told[word] for word in words.split() if word in told), None)
        if said is not None:
            return said, None, None
        if any(read_number(text, habit).value not in (None, 0) for text in filled):
            usual = "h" if form is As.HOURS else "d"
            return usual, None, f"no unit is said; {'hours' if usual == 'h' else 'days'} are proposed"
        return None, None, None
    if name in _USUAL_UNITS:
        usual = _USUAL_UNITS[name]
        return usual, f"no unit is said: {usual} is taken, as is usual", _improbable(name, usual, filled, habit)
    return None, None, None


_PROBABLE = {"tumour_volume": (0.0, 20_000.0, 20.0), "body_weight": (5.0, 1500.0, 10.0)}
"""field -> the least and the most a value may be in its usual unit, and what the largest value has to reach."""


def _improbable(name: str, unit: str, filled: Sequence[str], habit: Habit) -> str | None:
    """Return a sentence where values cannot well be in the usual unit: volumes in cm3, weights in kg."""
    if name not in _PROBABLE:
        return None
    least, most, reached = _PROBABLE[name]
    numbers = sorted(value for value in (read_number(text, habit).value for text in filled) if value is not None)
    middle = numbers[len(numbers) // 2] if numbers else None
    if middle is not None and (not least <= middle <= most or numbers[-1] < reached):
        return f"but values around {middle:g} are improbable in {unit}: say the unit"
    return None


def _note_units(proposal: Proposal, given: set[str]) -> None:
    kind = proposal.kind
    if kind is None:
        return
    result = next((name for name in ("concentration", "value", "result") if name in kind.fields), None)
    if kind.code == "CONCENTRATIONS" and "unit" not in given:
        for at, column in enumerate(proposal.columns):
            if column.field == result and column.unit is None:
                why = f"{column.why}, but no unit is said: write one, such as ng/mL"
                proposal.columns[at] = replace(column, why=why, doubt=True)
    if "study" not in given:
        proposal.notes.append("no column names the study: say it when the file is imported, or as a constant")
    if kind.code == "CONCENTRATIONS" and "lower_limit" not in given:
        proposal.notes.append(
            "no limit of quantification is given: zeros are asked about, unless the mapping says what they mean "
            '("zero": "below the limit" or "a value")'
        )
    for column in proposal.columns:
        if column.assumed:
            proposal.notes.append(f"{column.heading}: {column.assumed}")
