"""The numbers of records within a subject (--SEQ): those of the source where they are numbers, each given once."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_DIGITS = 9


def numbered(given: Sequence[str | None]) -> list[str]:
    """Return a number for every record, all different: its own where it has one that no record before it has."""
    own = [text if _is_number(text) else None for text in given]
    taken = {int(text) for text in own if text is not None}
    following = max(taken, default=0)
    used: set[str] = set()
    numbers: list[str] = []
    for text in own:
        if text is None or text in used:
            following += 1
            numbers.append(str(following))
        else:
            used.add(text)
            numbers.append(text)
    return numbers


def _is_number(text: str | None) -> bool:
    return (
        text is not None
        and text.isascii()
        and text.isdigit()
        and len(text) <= _MOST_DIGITS
        and not text.startswith("0")
    )
