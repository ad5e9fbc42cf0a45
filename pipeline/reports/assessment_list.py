"""Assessments as a list for people: which programme, what is recommended, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select

from pipeline.errors import NotFound
from pipeline.names import canonical_key
from pipeline.store.nodes import among, visible
from pipeline.store.reader import Reader
from pipeline.store.tables import checkpoints, molecule_names, molecules, programmes
from pipeline.words import Status

_SHOWN = ("id", "stage", "rule_code", "rule_number", "recommendation", "statistic", "threshold", "explanation")


def assessment_list(reader: Reader, checkpoint_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return assessments in the order of molecules, programmes and rules."""
    statement = (
        select(
            *(checkpoints.c[name] for name in (*_SHOWN, "verdict")),
            checkpoints.c.programme_id.label("programme"),
            programmes.c.indication,
            molecules.c.code.label("molecule"),
        )
        .join(programmes, and_(programmes.c.id == checkpoints.c.programme_id, visible(programmes, reader.view)))
        .join(molecules, and_(molecules.c.id == programmes.c.molecule_id, visible(molecules, reader.view)))
        .where(visible(checkpoints, reader.view), among(checkpoints.c.id, sorted(set(checkpoint_ids))))
        .order_by(molecules.c.code, checkpoints.c.programme_id, checkpoints.c.rule_code)
    )
    return [{str(k): v for k, v in row.items()} for row in reader.connection.execute(statement).mappings()]


def programmes_named(reader: Reader, name: str) -> list[int]:
    """Return the programme of a number, or the active ones of a molecule by its code, name or synonym.

    Raises:
        NotFound: there is none.
    """
    key = canonical_key(name)
    synonyms = select(molecule_names.c.molecule_id).where(
        visible(molecule_names, reader.view), molecule_names.c.name_key == key
    )
    wanted = [molecules.c.code.in_((name, name.upper())), molecules.c.name_key == key, molecules.c.id.in_(synonyms)]
    statement = (
        select(programmes.c.id)
        .join(molecules, and_(molecules.c.id == programmes.c.molecule_id, visible(molecules, reader.view)))
        .where(
            visible(programmes, reader.view),
            programmes.c.id == int(name)
            if name.isascii() and name.isdecimal() and len(name) < 19
            else and_(or_(*wanted), programmes.c.status == Status.ACTIVE.value),
        )
        .order_by(programmes.c.id)
    )
    found = list(reader.connection.execute(statement).scalars())
    if not found:
        raise NotFound(
            f"there is no programme {name[:60]!r}: give the number of a programme, or the code or name of a molecule "
            "with an active one"
        )
    return found
