"""What the figures of a result mean: said by the docstring of their class, or else read off their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from inspect import getdoc
from typing import Any

from pipeline.arguments import descriptions

# The unit at the end of a name, and how it is written.
UNITS = {
    "mg_per_kg": "mg/kg",
    "mg_per_m2": "mg/m2",
    "kg_per_m2": "kg/m2",
    "ng_per_ml": "ng/mL",
    "g_per_mol": "g/mol",
    "mm3": "mm3",
    "mg": "mg",
    "mm": "mm",
    "um": "uM",
    "ms": "ms",
    "s": "s",
    "bpm": "1/min",
    "kg": "kg",
    "m2": "m2",
    "h": "h",
    "day": "days",
    "days": "days",
    "pct": "%",
    "percent": "%",
    "xuln": "multiples of the upper limit of normal",
}


def meanings(source: type[Any]) -> Mapping[str, str]:
    """Return the meaning of every field of a dataclass: its entry under `Attributes`, else its name in words.

    An entry of a base class counts where the class has none.
    """
    said: dict[str, str] = {}
    for kind in reversed(source.__mro__[:-1]):
        said |= descriptions(getdoc(kind) or "", "Attributes")
    return {f.name: said.get(f.name) or spoken(f.name) for f in fields(source)}


def spoken(name: str) -> str:
    """Return a field's name in words, with its unit."""
    unit = next((suffix for suffix in UNITS if name.endswith(f"_{suffix}")), None)
    words = name.removesuffix(f"_{unit}").replace("_", " ")
    said = words[0].upper() + words[1:]
    return f"{said}, in {UNITS[unit]}." if unit else f"{said}."
