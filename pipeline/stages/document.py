"""Reading a state graph file: TOML text into plain records, with every fault of form collected, none raised."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, cast

MAX_CHARACTERS = 200_000
"""A state graph is written by hand; a longer text is something else."""

_MAX_RECORDS = 500
_MAX_DOTS = 100
_MAX_CODES = 200
_MAX_DEPTH = 8
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,59}")

Word = TypeVar("Word", bound=StrEnum)


def shown(value: object) -> str:
    """Return a value as a refusal quotes it: short, on one line, whatever it is."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else f"{value[:40]}…")
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else "a number too large"
    if isinstance(value, float):
        return repr(value)
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a date or time"


@dataclass(slots=True)
class Table:
    """One TOML table being read. What is wrong goes to `defects`; the value asked for is then a harmless stand-in."""

    values: dict[str, object]
    place: str
    defects: list[str]

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def fault(self, sentence: str) -> None:
        """Note a defect of this table."""
        self.defects.append(f"{self.place}: {sentence}")

    def _take(self, key: str, what: str, fits: Callable[[object], bool], required: bool) -> object:
        value = self.values.pop(key, None)
        if value is None:
            if required:
                self.fault(f"{key} is missing; give {what}")
            return None
        if not fits(value):
            self.fault(f"{key} is {shown(value)}; give {what}")
            return None
        return value

    def code(self, key: str) -> str:
        """Read a code such as PHASE_1."""
        what = "a code of capital letters, digits and underscores, at most 60"
        return cast(str, self._take(key, what, lambda v: isinstance(v, str) and bool(_CODE.fullmatch(v)), True) or "")

    def text(self, key: str) -> str:
        """Read a line of text."""
        return cast(str, self._take(key, "one line of text, at most 300 characters", _is_line, True) or "")

    def whole(self, key: str, stand_in: int) -> int:
        """Read a whole number from 1."""
        value = self._take(
            key,
            "a whole number from 1 to 1000000",
            lambda v: isinstance(v, int) and not isinstance(v, bool) and 1 <= v <= 10**6,
            True,
        )
        return stand_in if value is None else cast(int, value)

    def flag(self, key: str) -> bool:
        """Read true or false; absent is false."""
        return bool(self._take(key, "true or false", lambda v: isinstance(v, bool), False))

    def word(self, key: str, words: Sequence[Word]) -> Word:
        """Read one of the words."""
        known = {word.value: word for word in words}
        value = self._take(key, f"one of {', '.join(known)}", lambda v: isinstance(v, str) and v in known, True)
        return words[0] if value is None else known[cast(str, value)]

    def codes(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        """Read one code or a list of codes, each named once."""
        value = self._take(
            key,
            f"a code or a list of at most {_MAX_CODES} codes",
            lambda v: (
                isinstance(v, str)
                or (isinstance(v, list) and len(v) <= _MAX_CODES and all(isinstance(c, str) for c in v))
            ),
            required,
        )
        listed = [] if value is None else [value] if isinstance(value, str) else cast(list[str], value)
        if value is not None and not listed:
            self.fault(f"{key} is an empty list; name at least one code or leave the key out")
        for code in _repeated(listed):
            self.fault(f"{key} names {shown(code)} twice")
        return tuple(dict.fromkeys(listed))

    def lines(self, key: str) -> tuple[str, ...]:
        """Read a list of lines of text; absent is empty."""
        value = self._take(key, "a list of texts", lambda v: isinstance(v, list) and all(map(_is_line, v)), False)
        return tuple(cast(list[str], value or []))

    def parameters(self, key: str) -> dict[str, object]:
        """Read a table of JSON values: text, finite numbers, true or false, lists and tables of them."""
        what = "a table of texts, finite numbers, true or false, and lists of them"
        value = self._take(key, what, _is_json_table, True)
        return cast(dict[str, object], value or {})

    def tables(self, key: str, *, required: bool = True) -> list[Table]:
        """Read an array of tables, each named by its place and its code."""
        value = self._take(key, f"at least one [[{key}]]", lambda v: isinstance(v, list) and bool(v), required)
        listed = cast(list[object], value or [])
        found = []
        for number, values in enumerate(listed[:_MAX_RECORDS], start=1):
            if isinstance(values, dict):
                label = values.get("code")
                known = f" ({label})" if isinstance(label, str) and _CODE.fullmatch(label) else ""
                found.append(Table(dict(values), f"{key} {number}{known}", self.defects))
            else:
                self.fault(f"{key} {number} is {shown(values)}; write it as [[{key}]]")
        if len(listed) > _MAX_RECORDS:
            self.fault(f"more than {_MAX_RECORDS} [[{key}]]; is this a state graph?")
        return found

    def end(self) -> None:
        """Note the keys nobody asked for."""
        for key in self.values:
            self.fault(f"unknown key {shown(key)}; remove it or correct its spelling")


def read_toml(text: str, defects: list[str]) -> Table | None:
    """Return the top table of a TOML text, or None with the reason in `defects`."""
    if len(text) > MAX_CHARACTERS:
        defects.append(f"the text has {len(text)} characters, at most {MAX_CHARACTERS} are read; is it a state graph?")
        return None
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MAX_DOTS:  # tomllib needs time and memory with the square of a dotted key's length
            defects.append(f"line {number} has more than {_MAX_DOTS} dots; is it a state graph?")
            return None
    try:
        text.encode("utf-8")
        return Table(tomllib.loads(text), "top level", defects)
    except UnicodeEncodeError:
        defects.append("the text holds half a character (a lone surrogate); save it as UTF-8")
    except ValueError as wrong:  # TOMLDecodeError, and numbers of thousands of digits
        reason = str(wrong) if isinstance(wrong, tomllib.TOMLDecodeError) else "a number has too many digits"
        defects.append(f"not TOML: {reason[:200]}; correct that line")
    except RecursionError:
        defects.append("not a state graph: brackets are nested too deeply")
    return None


def _is_line(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= 300 and value.isprintable()


def _is_json(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_is_line(k) and _is_json(v, depth - 1) for k, v in value.items())
    if isinstance(value, list):
        return depth > 0 and all(_is_json(v, depth - 1) for v in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 2**53
    return isinstance(value, str) and len(value) <= 1_000


def _is_json_table(value: object) -> bool:
    return isinstance(value, dict) and _is_json(value, _MAX_DEPTH)


def _repeated(values: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    again: dict[str, None] = {}
    for value in values:
        if value in seen:
            again[value] = None
        seen.add(value)
    return list(again)
