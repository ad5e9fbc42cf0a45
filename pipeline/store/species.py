"""Whether a study is of people or of animals: an import says so of every study of animals, the others are of people."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from pipeline.store.nodes import among, visible
from pipeline.store.selection import View
from pipeline.store.tables import studies

HUMAN = "human"
PEOPLE = frozenset({HUMAN, "homo sapiens", "man"})


def is_people(species: str | None) -> bool:
    """Whether a species is ours; a study or subject without one is taken to be of people."""
    return species_named(species) in PEOPLE


def species_named(species: str | None) -> str:
    """Return a species in lower case; ours where none is named."""
    return (species or HUMAN).strip().lower()


def species_of(connection: Connection, study_ids: Collection[int], view: View) -> dict[int, str]:
    """Return the species of studies, in lower case."""
    statement = select(studies.c.id, studies.c.species).where(
        visible(studies, view), among(studies.c.id, sorted(study_ids)), studies.c.species.is_not(None)
    )
    found = {row.id: row.species.strip().lower() for row in connection.execute(statement)}
    return {id: found.get(id, HUMAN) for id in study_ids}
