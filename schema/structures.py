"""Search by structure: the candidates come from the store, the chemistry from pipeline.molecules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import or_, select

from pipeline.errors import InputError
from pipeline.store.nodes import unmerged, visible
from pipeline.store.paging import MOST
from pipeline.store.reader import Reader
from pipeline.store.tables import molecules


class StructureMatch(Enum):
    """How structures are compared."""

    EXACT = "EXACT"
    SUBSTRUCTURE = "SUBSTRUCTURE"
    SIMILARITY = "SIMILARITY"


def hits(reader: Reader, arguments: Mapping[str, Any]) -> Sequence[tuple[int, float | None]]:
    """Return molecules and their similarity, the best first."""
    from pipeline.molecules.search import similarity, substructure
    from pipeline.molecules.structures import read_structure

    first, smiles, match = arguments["first"], arguments["smiles"], arguments["match"]
    if not 0 <= first <= MOST:
        raise InputError(f"first is {first}; ask for 0 to {MOST}", path=("first",))
    table = molecules
    current = [visible(table, reader.view), unmerged(table), table.c.parent_smiles.is_not(None)]
    if match is StructureMatch.EXACT:
        wanted = read_structure(smiles)
        key = wanted.parent_inchi_key or wanted.inchi_key
        same = or_(table.c.parent_inchi_key == key, table.c.inchi_key == key)
        rows = reader.connection.execute(select(table.c.id).where(*current, same).order_by(table.c.id))
        return [(id, None) for id in rows.scalars()][:first]
    if match is StructureMatch.SIMILARITY:
        known = reader.connection.execute(
            select(table.c.id, table.c.fingerprint).where(*current, table.c.fingerprint.is_not(None))
        ).all()
        prints = b"".join(bytes(row.fingerprint) for row in known)
        found = similarity(smiles, [row.id for row in known], prints, arguments["min_similarity"])
        return [(id, float(value)) for id, value in found][:first]
    candidates = reader.connection.execute(
        select(table.c.id, table.c.parent_smiles, table.c.pattern).where(*current).order_by(table.c.id)
    )
    return [(id, None) for id in substructure(smiles, ((r[0], r[1], r[2]) for r in candidates))][:first]
