"""Saved mappings: how the columns of an instrument's or a laboratory's table are to be read, as a person confirmed it.

A mapping is JSON, so that it can be looked at, edited and kept:

    {"kind": "CONCENTRATIONS", "columns": {"Conc. (ng/mL)": {"field": "concentration", "unit": "ng/mL"}, ...},
     "constants": {"analyte": "examplinib"}, "missing": ["--"], "below_limit": ["NQ*"], "decimal": ",",
     "date_order": "day first", "zero": "below the limit"}

A column whose field is null is not read. What is left out is told by the values of each table.

Where a table has a column for each analyte, test or time, several columns are read as one field, and each says what
sets it apart: {"field": "concentration", "unit": "ng/mL", "constants": {"analyte": "examplinib"}}. Columns with the
same constants belong together (a result and its limit), and every row gives a record for each such group.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any

import orjson

from pipeline.errors import InputError, PipelineError, refuse
from pipeline.exchange.column_mapping_fields import Kind
from pipeline.exchange.column_mapping_kinds import KINDS
from pipeline.exchange.dataset_table import visible
from pipeline.exchange.written_units import unit_code

LONGEST = 200_000
"""Letters a mapping may have as JSON."""
_MOST_COLUMNS = 500
_MOST_WORDS = 100
_DECIMALS = {",": True, ".": False}
_ORDERS = {"day first": True, "month first": False}
_ZEROS = {"below the limit": True, "a value": False}
_EXAMPLE = '"constants": {"analyte": "examplinib"}'


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """What one column is read as.

    field: None where it is not read. unit: of all its cells, where no column gives one. constants: field -> what is the
    same for all its cells and sets it apart from other columns of its field.
    """

    field: str | None
    unit: str | None = None
    constants: Map[str, str] = dataclass_field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapping:
    """How one kind of table is read. None in the habits: the values of each table tell."""

    kind: str
    columns: Map[str, MappedColumn]
    constants: Map[str, str] = dataclass_field(default_factory=dict)
    missing: tuple[str, ...] = ()
    below_limit: tuple[str, ...] = ()
    decimal_comma: bool | None = None
    day_first: bool | None = None
    zero_is_below_limit: bool | None = None
    name: str = ""
    """Under which it was saved, with its number; empty for one that was not."""

    @property
    def about(self) -> Kind:
        """The kind of table."""
        return KINDS[self.kind]

    def of_field(self, name: str) -> list[str]:
        """Return the headings read as a field."""
        return [heading for heading, column in self.columns.items() if column.field == name]

    def parts(self) -> list[Mapping]:
        """Return a mapping for each group of columns with the same constants; itself where no column has any."""
        groups: dict[tuple[tuple[str, str], ...], dict[str, MappedColumn]] = {}
        for heading, column in self.columns.items():
            groups.setdefault(_apart(column), {})[heading] = column
        common = groups.pop((), {})
        return [
            replace(self, columns=common | own, constants={**self.constants, **dict(key)})
            for key, own in groups.items()
        ] or [self]

    def has(self, name: str) -> bool:
        """Whether a field comes from a column or is the same for the whole table."""
        return name in self.constants or bool(self.of_field(name))

    def fits(self, headings: Sequence[str]) -> bool:
        """Whether a table has every column that is read."""
        there = {folded(heading) for heading in headings}
        return all(folded(heading) in there for heading, column in self.columns.items() if column.field)


def _apart(column: MappedColumn) -> tuple[tuple[str, str], ...]:
    """Return what sets a column apart from others of its field, in a fixed order."""
    return tuple(sorted(column.constants.items()))


def folded(heading: str) -> str:
    """Return a heading without differences of case and blanks."""
    return " ".join(heading.split()).casefold()


def mapping_from(text: str | bytes, *, name: str = "") -> Mapping:
    """Read a mapping from JSON; the output of a proposal is one.

    Raises:
        InputError: one for every thing that is wrong, each saying where.
    """
    if len(text) > LONGEST:
        raise InputError(f"a mapping has at most {LONGEST:,} letters, not {len(text):,}", path=("mapping",))
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        raise InputError(f"the mapping is no JSON: {wrong}; write it with moltrail mapping propose", path=()) from wrong
    if not isinstance(said, dict) or not isinstance(said.get("kind"), str) or said["kind"] not in KINDS:
        raise InputError(f'a mapping is a JSON object with "kind": one of {", ".join(KINDS)}', path=("mapping", "kind"))
    errors: list[PipelineError] = []
    kind = KINDS[said["kind"]]
    columns = _columns(said.get("columns"), kind, errors)
    constants = _constants(said.get("constants"), kind, errors, ("mapping", "constants"))
    habits = (
        _choice(said, "decimal", _DECIMALS, errors),
        _choice(said, "date_order", _ORDERS, errors),
        _choice(said, "zero", _ZEROS, errors),
    )
    words = tuple(_words(said, key, errors) for key in ("missing", "below_limit"))
    refuse(errors)
    found = Mapping(said["kind"], columns, constants, words[0], words[1], *habits, name=name)
    refuse(_lacks(found))
    return found


def mapping_text(mapping: Mapping) -> str:
    """Return a mapping as JSON: what `mapping_from` reads."""
    columns = {
        heading: {"field": column.field}
        | ({"unit": column.unit} if column.unit else {})
        | ({"constants": dict(column.constants)} if column.constants else {})
        for heading, column in mapping.columns.items()
    }
    said: dict[str, Any] = {"kind": mapping.kind, "columns": columns, "constants": dict(mapping.constants)}
    said |= {"missing": list(mapping.missing), "below_limit": list(mapping.below_limit)}
    for key, choices, chosen in (
        ("decimal", _DECIMALS, mapping.decimal_comma),
        ("date_order", _ORDERS, mapping.day_first),
        ("zero", _ZEROS, mapping.zero_is_below_limit),
    ):
        said[key] = next((word for word, meaning in choices.items() if meaning is chosen), None)
    return orjson.dumps(said).decode()


def lacking(kind: Kind, has: Any) -> list[str]:
    """Return what a table of a kind needs and does not give, as words; has: tells whether a field is given."""
    return [
        " or ".join(kind.titles[name] for name in choices)
        for choices in kind.needs
        if not any(has(name) for name in choices)
    ]


def _lacks(mapping: Mapping) -> list[PipelineError]:
    parts = mapping.parts()
    lacks = dict.fromkeys(what for part in parts for what in lacking(mapping.about, part.has))
    where = "for the whole table" if len(parts) == 1 else "of the column or for the whole table"
    return [
        InputError(
            f"no column gives the {what}; name one, or give it as a constant {where}", path=("mapping", "columns")
        )
        for what in lacks
    ]


def _columns(said: Any, kind: Kind, errors: list[PipelineError]) -> dict[str, MappedColumn]:
    found: dict[str, MappedColumn] = {}
    if not isinstance(said, dict) or not said or len(said) > _MOST_COLUMNS:
        errors.append(InputError(f"a mapping names 1 to {_MOST_COLUMNS} columns", path=("mapping", "columns")))
        return found
    for heading, about in said.items():
        path = ("mapping", "columns", visible(heading)[:60])
        about = {"field": about} if isinstance(about, str) else about or {"field": None}
        name, unit = (about.get("field"), about.get("unit")) if isinstance(about, dict) else (0, None)
        if name is None:
            found[heading] = MappedColumn(None)
            continue
        if not isinstance(name, str) or name not in kind.fields:
            errors.append(InputError(f"{str(name)[:60]!r} is no field; there are {', '.join(kind.fields)}", path=path))
            continue
        if unit is not None and (not isinstance(unit, str) or unit_code(unit) is None):
            errors.append(InputError(f"the unit {str(unit)[:40]!r} is not known; write one such as ng/mL", path=path))
        constants = _constants(about.get("constants"), kind, errors, (*path, "constants"))
        found[heading] = MappedColumn(name, unit or None, constants)
    errors += _said_twice(found)
    return found


def _said_twice(columns: Map[str, MappedColumn]) -> list[PipelineError]:
    """Return what is wrong where two columns, or a column and the constants of another, say the same field."""
    errors: list[PipelineError] = []
    common = {column.field: heading[:60] for heading, column in columns.items() if not column.constants}
    taken: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    for heading, column in columns.items():
        path = ("mapping", "columns", visible(heading)[:60])
        if column.field is None:
            continue
        other = taken.setdefault((column.field, _apart(column)), heading)
        if column.constants and column.field in common:
            other = common[column.field]
        if other != heading:
            apart = f'say in "constants" what sets them apart, as in {_EXAMPLE}'
            why = f"{column.field} is read from {other[:60]!r} already; leave one of them out, or {apart}"
            errors.append(InputError(why, path=path))
        for name in column.constants:
            if name == column.field or name in common:
                where = "the column itself" if name == column.field else repr(common[name])
                errors.append(InputError(f"{name} is read from {where}; leave it out of the constants", path=path))
    return errors


def _constants(said: Any, kind: Kind, errors: list[PipelineError], path: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    if said is not None and not isinstance(said, dict):
        errors.append(InputError('constants are an object such as {"analyte": "examplinib"}', path=path))
        return found
    for name, value in (said or {}).items():
        if name not in kind.fields or not isinstance(value, str | int | float) or not str(value).strip():
            errors.append(
                InputError(f"{str(name)[:60]!r} is no field with a text; there are {', '.join(kind.fields)}", path=path)
            )
        else:
            found[name] = str(value).strip()[:300]
    return found


def _choice(said: Map[str, Any], key: str, choices: Map[str, bool], errors: list[PipelineError]) -> bool | None:
    value = said.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or value not in choices:
        listed = " or ".join(f'"{choice}"' for choice in choices)
        errors.append(InputError(f"{key} is {listed}, or null, not {str(value)[:40]!r}", path=("mapping", key)))
        return None
    return choices[value]


def _words(said: Map[str, Any], key: str, errors: list[PipelineError]) -> tuple[str, ...]:
    value = said.get(key) or []
    sound = isinstance(value, list) and len(value) <= _MOST_WORDS
    if not sound or not all(isinstance(word, str) and 0 < len(word) <= 60 for word in value):
        errors.append(InputError(f"{key} is a list of at most {_MOST_WORDS} short texts", path=("mapping", key)))
        return ()
    return tuple(value)
