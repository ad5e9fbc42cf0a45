"""Records as rows of SDTM, with supplemental rows for what their variables do not carry exactly.

Each row is read back as it is written: a field that would come back otherwise is stated beside, so that an export
gives the same records when it is imported, whatever they hold. Texts longer than a format takes go on in supplemental
rows that are named after their variable, as the SDTM Implementation Guide has it (AETERM, AETERM1, AETERM2 ...).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, get_args, get_type_hints

from pipeline.errors import InputError
from pipeline.exchange.cells import armed
from pipeline.exchange.dataset_table import rounded, tidy
from pipeline.exchange.export_layouts import BESIDE, OWN, SUBJECTS, Cell, Form, Layout, Record, Variable, sorted_on
from pipeline.exchange.ibm_float import LARGEST, SMALLEST
from pipeline.exchange.study_facts import Fact
from pipeline.names import canonical_key

CONTINUES = "continues "
"""Begins the label of a supplemental row that goes on with a text; the name of what it continues follows."""
_PIECES = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MISSING_WORDS = frozenset({"NA", ".", "null"})
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_LEAST_IN_A_CELL, _MOST_IN_A_CELL = 1e-300, 1e300
_UNSTATED = {"below_limit": False, "dlt": False, "sorted_on": ""}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the cells of a format hold: size of a text in its own measure, the most it may be; and which numbers.

    workbook: a cell that says NA is empty to whoever reads it, since a workbook has no quotation marks.
    """

    most: int | None = None
    size: Callable[[str], int] = len
    ibm_numbers: bool = False
    workbook: bool = False

    def fits(self, text: str) -> bool:
        """Whether a cell can hold a text."""
        return self.most is None or len(text) * 4 <= self.most or self.size(text) <= self.most

    def holds(self, value: float) -> bool:
        """Whether a cell can hold a number."""
        if value == 0:
            return True
        if self.workbook:
            return _LEAST_IN_A_CELL <= abs(value) <= _MOST_IN_A_CELL
        return not self.ibm_numbers or SMALLEST <= abs(value) <= LARGEST


class Beside(NamedTuple):
    """One supplemental qualifier of a record; `own` marks those of ours."""

    name: str
    label: str | None
    value: str | None
    origin: str | None
    own: bool = True


@lru_cache(maxsize=50_000)
def plain(text: str) -> bool:
    """Whether a text comes back from every format as it is."""
    try:
        tidied = tidy(text)
    except ValueError:
        return False
    return tidied == text and text not in _MISSING_WORDS and armed(text) == text and not _INVISIBLE.search(text)


def awkward(text: str) -> bool:
    """Whether a text would come back from some format as another one; the empty text is told by its absence."""
    return bool(text) and not plain(text)


def encoded(value: Any) -> str:
    """Return a value as the text of a qualifier of ours: plain texts as they are, everything else as JSON."""
    if isinstance(value, str) and plain(value) and not value.startswith('"'):
        return value
    return json.dumps(value)


def decoded(text: str | None, kinds: tuple[type, ...]) -> Any:
    """Return the value of one of some kinds that `encoded` made a text of; None for None.

    Raises:
        ValueError: it is no such text, or of another kind.
    """
    if text is None or text == "null":
        return None
    if str in kinds and not text.startswith('"'):
        return text
    value = json.loads(text)
    if type(value) is int and float in kinds:
        value = float(value)
    if type(value) not in kinds:
        raise ValueError(f"{text[:40]!r} is of another kind")
    return value


_KINDS: dict[type, dict[str, tuple[type, ...]]] = {}


def kinds_of(fact: type[Fact]) -> dict[str, tuple[type, ...]]:
    """Return the kinds of value each field of a fact can have; NoneType where it can be empty."""
    if fact not in _KINDS:
        hints = get_type_hints(fact)
        _KINDS[fact] = {name: get_args(kind) or (kind,) for name, kind in hints.items()}
    return _KINDS[fact]


def pieces(text: str, limits: Limits, where: str) -> list[str]:
    """Return a text in pieces that cells can hold; joined they are the text.

    Raises:
        InputError: it cannot be cut so that no piece begins or ends with a blank, or there would be too many.
    """
    found: list[str] = []
    rest = text
    while not limits.fits(rest):
        end = min(len(rest), limits.most or 0)
        while end and (limits.size(rest[:end]) > (limits.most or 0) or rest[end - 1].isspace() or rest[end].isspace()):
            end -= 1
        if not end or len(found) == len(_PIECES):
            raise InputError(f"{where}: a text of {len(text):,} letters cannot be cut into pieces; export as csv")
        found.append(rest[:end])
        rest = rest[end:]
    return [*found, rest]


def continued(name: str, rest: Sequence[str], origin: str | None) -> Iterator[Beside]:
    """Yield the qualifiers that go on with a text."""
    for number, piece in zip(_PIECES, rest, strict=False):
        yield Beside(f"{name[:7]}{number}", f"{CONTINUES}{name}", piece, origin)


def read_back(layout: Layout, cells: Mapping[str, Cell]) -> dict[str, Any]:
    """Return the fields of a record from the cells of its row, by the names of the variables."""
    found: dict[str, Any] = {}
    carried = layout.carried
    for name in layout.fields:
        variable = carried.get(name)
        if name in layout.read:
            found[name] = layout.read[name](cells)
        elif variable is None:
            found[name] = cells.get(f"{layout.code}SEQ") if name == "sequence" else _UNSTATED.get(name)
        else:
            found[name] = _field(variable, cells[variable.name])
    if layout.moment is not None and found.get(layout.moment) is not None:
        found["sorted_on"] = sorted_on(found[layout.moment])
    return found


def _field(variable: Variable, cell: Cell) -> Any:
    if variable.form in (Form.YES, Form.YES_NO):
        return {"Y": True, "N": False}.get(str(cell)) if cell is not None else None
    return cell


@dataclass(slots=True)
class Rows:
    """Makes the rows of a domain. `codes` keeps the short codes of analytes apart."""

    layout: Layout
    limits: Limits
    codes: dict[str, str] = field(default_factory=dict)

    def of(self, record: Record, number: str) -> tuple[dict[str, Cell], list[Beside]]:
        """Return the cells of a record by variable, and what has to stand beside them.

        Raises:
            InputError: a text is too long for the format and cannot be cut.
        """
        layout = self.layout
        cells: dict[str, Cell] = {"DOMAIN": layout.code, f"{layout.code}SEQ": number}
        whole = dict(cells)
        beside: list[Beside] = []
        for variable in layout.variables:
            cell = whole[variable.name] = self._cell(variable, record)
            if isinstance(cell, str) and not self.limits.fits(cell):
                cell, *rest = pieces(cell, self.limits, f"{layout.code}.{variable.name}, number {number}")
                beside += continued(variable.name, rest, None)
            cells[variable.name] = cell
        for name, value in read_back(layout, whole).items():
            wanted = record[name]
            if value == wanted and type(value) is type(wanted) and not (isinstance(wanted, str) and awkward(wanted)):
                continue
            if name == "molecule" and value and wanted and canonical_key(value) == canonical_key(wanted):
                continue
            beside += self._stated(name, wanted, number)
        return cells, beside

    def _cell(self, variable: Variable, record: Record) -> Cell:
        """Return what stands in a variable, None where it would not come back as it is."""
        value = variable.show(record) if variable.show is not None else record[variable.field or ""]
        if value is None or value == "":
            return None
        if variable.form is Form.YES:
            return "Y" if value is True else None
        if variable.form is Form.YES_NO:
            return "Y" if value else "N"
        if variable.form is Form.NUMBER:
            number = rounded(float(value))
            return number if self.limits.holds(number) else None
        if variable.name == "PCTESTCD":
            return self._short(str(record["analyte"]), str(value))
        text = str(value)
        if not awkward(text):
            return text
        return None if self.limits.workbook else _shown(text)

    def _short(self, analyte: str, code: str) -> str:
        """Return the code of an analyte, another for every analyte."""
        if analyte not in self.codes:
            taken, number = set(self.codes.values()), 2
            made = code
            while made in taken:
                made = f"{code[: 8 - len(str(number))]}{number}"
                number += 1
            self.codes[analyte] = made
        return self.codes[analyte] if code not in self.codes.values() else code

    def _stated(self, name: str, value: Any, number: str) -> Iterator[Beside]:
        qualifier, label = BESIDE[name]
        origin = "Derived" if name in ("sorted_on", "hours_after_dose", "grade", "severity_rank") else "Assigned"
        first, *rest = pieces(encoded(value), self.limits, f"{self.layout.code} {name}, number {number}")
        yield Beside(qualifier, label, first, origin)
        yield from continued(qualifier, rest, origin)


def _shown(text: str) -> str | None:
    """Return the nearest a cell can hold to a text that would not come back as it is."""
    visible = "".join(sign if sign.isprintable() else " " for sign in text)
    return tidy(_INVISIBLE.sub("", visible))


def qualifier_of_source(
    name: str, label: str | None, value: str | None, origin: str | None, limits: Limits
) -> Iterator[Beside]:
    """Yield a qualifier a source gave, in pieces where a cell does not hold it."""
    text = value
    if text is not None and (text.startswith('"') or tidy_differs(text) or (limits.workbook and not plain(text))):
        text = json.dumps(text)
    cut = [] if text is None else pieces(text, limits, f"qualifier {name}")
    yield Beside(name, label, cut[0] if cut else None, origin, own=False)
    yield from continued(name, cut[1:], origin)


def tidy_differs(text: str) -> bool:
    """Whether a cell of any format would change a text."""
    try:
        return tidy(text) != text
    except ValueError:
        return True


def columns_of(layout: Layout, *, pooled: bool) -> list[tuple[str, str, Form, int | None]]:
    """Return the variables of a domain in their order: name, label, form, place in the key."""
    number = f"{layout.code}SEQ"
    whose = [("USUBJID", "Unique Subject Identifier", Form.TEXT, 2)]
    if pooled and layout is not SUBJECTS:
        whose.append(("POOLID", "Pool Identifier", Form.TEXT, 3))
    numbered = [] if layout is SUBJECTS else [(number, "Sequence Number", Form.NUMBER, 4)]
    return [
        ("STUDYID", "Study Identifier", Form.TEXT, 1),
        ("DOMAIN", "Domain Abbreviation", Form.TEXT, None),
        *whose,
        *numbered,
        *((variable.name, variable.label, variable.form, None) for variable in layout.variables),
    ]


SUPPLEMENT = (
    ("STUDYID", "Study Identifier", 1),
    ("RDOMAIN", "Related Domain Abbreviation", 2),
    ("USUBJID", "Unique Subject Identifier", 3),
    ("POOLID", "Pool Identifier", 4),
    ("IDVAR", "Identifying Variable", 5),
    ("IDVARVAL", "Identifying Variable Value", 6),
    ("QNAM", "Qualifier Variable Name", 7),
    ("QLABEL", "Qualifier Variable Label", None),
    ("QVAL", "Data Value", None),
    ("QORIG", "Origin", None),
    ("QEVAL", "Evaluator", None),
)
"""The variables of supplemental data sets: name, label, place in the key."""


def supplement_row(study: str, domain: str, who: tuple[str | None, str | None], number: str, one: Beside) -> list[Cell]:
    """Return the row of a qualifier."""
    variable = None if domain == "DM" else f"{domain}SEQ"
    value = None if domain == "DM" else number
    return [study, domain, *who, variable, value, one.name, one.label, one.value, one.origin, OWN if one.own else None]
