"""The species factor table: body weight, surface and Km of each laboratory species."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import InputError


@dataclass(frozen=True, slots=True)
class Species:
    """One row of the table. `divisor` is the rounded factor from animal to human mg/kg; people have none."""

    name: str
    weight_kg: float
    area_m2: float
    km_kg_per_m2: float
    divisor: float | None = None
    aliases: tuple[str, ...] = ()


@functools.cache
def species_table() -> Mapping[str, Species]:
    """Return the table by name, in its order."""
    import tomllib
    from importlib.resources import files

    rows = tomllib.loads(files("pipeline.preclinical").joinpath("species.toml").read_text(encoding="utf-8"))
    return {name: Species(name, **{**row, "aliases": tuple(row.get("aliases", ()))}) for name, row in rows.items()}


def find_species(name: str) -> Species:
    """Return a species by its name or an alias; capitals, blanks and hyphens do not count.

    Raises:
        InputError: the species is not in the table; the message names those that are.
    """
    table = species_table()
    plain = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
    for row in table.values():
        if plain == row.name or plain in row.aliases:
            return row
    raise InputError(f"no factor for the species {name[:40]!r}; known: {', '.join(table)}", path=("species",))
