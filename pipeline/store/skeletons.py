"""SELECTs compiled by SQLAlchemy to text with holes, so that levels are put together as text.

A statement of many levels, built and compiled as a whole, takes longer than it runs. What a link reads is the same
wherever it stands in a query: it is built and compiled once, and kept.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Dialect, Select

COLUMNS = "c$"
"""The hole where a SELECT's columns go. No column, key or name of a query holds a dollar."""
SOURCE = "s$"
"""What the rows are called in a SELECT that is kept."""
ABOVE = "u$"
"""What the row above is called in one."""

Process = Callable[[Any], Any] | None
Named = tuple[str, Process]
"""A parameter's name, and what makes the driver's value of its value."""

_PLACES = {"sqlite": re.compile(r":(\w+)"), "postgresql": re.compile(r"(?<=%\()(\w+)(?=\)s)")}


@dataclass(slots=True)
class Bound:
    """The parameters of a statement. prefix: what the names of those without one begin with.

    named: the names of those that were given none, by their key. values: all of them, as the driver takes them.
    """

    prefix: str
    named: dict[str, Named] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)
    """The parameters: their keys hold the place in memory, which another would take once one is gone."""

    def compiled(self, dialect: Dialect, statement: Select[Any]) -> str:
        """Return a SELECT as text, its parameters taken in; one that stands in several of them is the same one."""
        compiled: Any = statement.compile(dialect=dialect)
        names: dict[str, str] = {}
        for parameter, name in compiled.bind_names.items():
            self._alive.append(parameter)
            process = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            known = name if name == parameter.key else f"{self.prefix}{len(self.named)}"
            names[name], process = self.named.setdefault(parameter.key, (known, process))
            value = parameter.effective_value
            self.values[names[name]] = value if process is None else process(value)
        place = _PLACES[dialect.name]
        sign = ":" if dialect.name == "sqlite" else ""
        text: str = place.sub(lambda found: f"{sign}{names.get(found[1], found[1])}", compiled.string)
        return text


@dataclass(frozen=True, slots=True)
class Skeleton:
    """SQL text with holes, and its parameters with their values, which never vary or are put in by name."""

    text: str
    values: dict[str, Any]


_kept: dict[Hashable, tuple[Skeleton, ...]] = {}
_numbers = itertools.count()  # no two skeletons have a parameter of one name, whichever thread makes them


def kept(dialect: Dialect, key: Hashable, make: Callable[[], list[Select[Any]]]) -> tuple[Skeleton, ...]:
    """Return the skeletons of the SELECTs that `make` makes for a key, of which there are as many as links."""
    found = _kept.get((dialect.name, key))
    if found is None:
        bound = Bound(f"k{next(_numbers)}_")
        texts = [bound.compiled(dialect, statement) for statement in make()]
        found = _kept[dialect.name, key] = tuple(Skeleton(text, bound.values) for text in texts)
    return found
