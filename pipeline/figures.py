"""What the figures of a result mean: said by the docstring of their class, or by the list of meanings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from inspect import getdoc
from typing import Any

from pipeline.arguments import descriptions
from pipeline.figure_meanings import MEANINGS


def meanings(source: type[Any]) -> Mapping[str, str]:
    """Return the meaning of every field of a dataclass: its entry under `Attributes`, else in the list.

    An entry of a base class counts where the class has none; what nobody described is its name in words.
    """
    said: dict[str, str] = {}
    for kind in reversed(source.__mro__[:-1]):
        said |= descriptions(getdoc(kind) or "", "Attributes")
    names = [kind.__name__ for kind in source.__mro__[:-1]]
    for f in fields(source):
        keys = [*(f"{name}.{f.name}" for name in names), f.name]
        known = next((MEANINGS[key] for key in keys if key in MEANINGS), None)
        said.setdefault(f.name, known or f"{f.name.replace('_', ' ')}.")
    return {f.name: said[f.name] for f in fields(source)}
