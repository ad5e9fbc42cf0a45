"""Checks of text that a person types: what every input field has in common."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.errors import InputError, PipelineError

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def checked(
    value: str | None, field: str, errors: list[PipelineError], *, required: bool = False, longest: int = 500
) -> str | None:
    """Return the text without surrounding blanks; note in `errors` what is wrong with it.

    None and blank are the same: nothing was given.
    """
    text = (value or "").strip()
    if not text:
        if required:
            errors.append(InputError(f"{field} is empty; give it", path=("input", field)))
        return None
    if len(text) > longest:
        errors.append(
            InputError(f"{field} has {len(text)} characters; at most {longest} are kept", path=("input", field))
        )
    if found := _FORBIDDEN.search(text):
        errors.append(
            InputError(
                f"{field} holds the character U+{ord(found[0]):04X} at place {found.start() + 1}, "
                "which is not text; remove it",
                path=("input", field),
            )
        )
        return None
    return text


def checked_list(values: Sequence[str], field: str, errors: list[PipelineError], *, most: int = 200) -> tuple[str, ...]:
    """Return the texts that are not blank, each once, in the order given."""
    if len(values) > most:
        errors.append(InputError(f"{field} has {len(values)} entries; at most {most} are kept", path=("input", field)))
        return ()
    kept = (checked(value, field, errors) for value in values)
    return tuple(dict.fromkeys(text for text in kept if text))
