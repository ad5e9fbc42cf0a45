"""Fields of a JSON record taken out with their type checked and their path remembered."""

from __future__ import annotations

import re
from typing import Any

from pipeline.dates import PartialDate
from pipeline.errors import InputError

LONGEST_TEXT = 20_000
_LARGEST_COUNT = 2**31 - 1
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Unreadable(Exception):
    """A field that is not what the format says it is; the record that holds it cannot be taken."""

    def __init__(self, path: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.value = repr(value)[:200]
        self.reason = reason


class Fields:
    """One JSON object of a record. What is absent or null is None or empty; a wrong type is `Unreadable`."""

    def __init__(self, content: dict[str, Any], path: str = "") -> None:
        self.content = content
        self.path = path

    def __bool__(self) -> bool:
        return bool(self.content)

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def below(self, name: str) -> Fields:
        """Return the object under a name, empty when it is absent."""
        value = self.content.get(name)
        if value is not None and not isinstance(value, dict):
            raise Unreadable(self._at(name), value, f"{self._at(name)} is no object")
        return Fields(value or {}, self._at(name))

    def each(self, name: str) -> list[Fields]:
        """Return the objects of a list."""
        return [
            Fields(self._checked(value, f"{self._at(name)}[{n}]", dict, "no object"), f"{self._at(name)}[{n}]")
            for n, value in enumerate(self._list(name))
        ]

    def text(self, name: str) -> str | None:
        """Return a text as the source gave it, without outer white space; None when it is empty."""
        value = self.content.get(name)
        return None if value is None else self._text(value, self._at(name)) or None

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list (a single text counts as a list of one)."""
        value = self.content.get(name)
        values = [value] if isinstance(value, str) else self._list(name)
        found = (self._text(value, f"{self._at(name)}[{n}]") for n, value in enumerate(values))
        return [text for text in found if text]

    def count(self, name: str) -> int | None:
        """Return a whole number from 0, None when it is absent: absent is never 0."""
        value = self.content.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_COUNT:
            raise Unreadable(self._at(name), value, f"{self._at(name)} is no count of 0 or more")
        return value

    def date(self, name: str) -> PartialDate | None:
        """Return a date at the precision it is given in (YYYY, YYYY-MM, YYYY-MM-DD)."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return PartialDate.parse(text)
        except InputError as wrong:
            raise Unreadable(self._at(name), text, wrong.message) from wrong

    def _list(self, name: str) -> list[Any]:
        value: list[Any] = self._checked(self.content.get(name) or [], self._at(name), list, "no list")
        return value

    def _text(self, value: object, path: str) -> str:
        text: str = self._checked(value, path, str, "no text")
        if len(text) > LONGEST_TEXT:
            raise Unreadable(path, text, f"{path} has {len(text):,} characters, more than {LONGEST_TEXT:,}")
        if _CONTROL.search(text):
            raise Unreadable(path, text, f"{path} holds control characters (NUL or the like); remove them")
        return text.strip()

    @staticmethod
    def _checked(value: Any, path: str, kind: type, otherwise: str) -> Any:
        if not isinstance(value, kind):
            raise Unreadable(path, value, f"{path} is {otherwise}")
        return value
