"""Reasons of stops as they are exported: a table in which a person can decide on each, to be handed back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import orjson
from sqlalchemy import Connection, and_, func, or_, select

from pipeline.exchange.export import Column, Row
from pipeline.exchange.reason_decisions import CHOICES, COMMENT, DECISION, PROPOSED, RECORD, VERSION
from pipeline.reports.exported_rows import RECORDED, batches, with_act
from pipeline.store import tables
from pipeline.store.nodes import seen, visible
from pipeline.store.selection import View
from pipeline.store.study_tables import attrition_reasons

REASON_COLUMNS = (
    Column(RECORD, "number of the reason on record; leave it as it is"),
    Column(VERSION, "the version of it that this row tells; leave it as it is"),
    Column("of", "code of the study that stopped, or of the molecule whose programme did"),
    Column("indication", "the programme's indication"),
    Column("stop", "what it was: DISCONTINUE or HOLD of a programme, or the status of a study"),
    Column("stopped_on", "when, at the precision known"),
    Column("main", "true for the main reason of the stop, false for a further one"),
    Column("verbatim", "the words of the source"),
    Column("words", "the words of it that speak for the reason"),
    Column(PROPOSED, "the reason proposed"),
    Column(DECISION, "for you: agree, or the reason it is; UNSPECIFIED for a further reason that is none", CHOICES),
    Column(COMMENT, "for you: why, where you decide for another reason"),
    Column("proposed_by", "who proposed it, or which rules"),
    Column("verified", "the reason verified, where somebody has"),
    Column("verified_by", "who verified it"),
    Column("verified_at", "when it was verified, UTC"),
    Column("remark", "what is on record beside it"),
    *RECORDED,
)


def _rows(connection: Connection, view: View, molecule: int | None, *, waiting: bool) -> Iterator[Row]:
    of, move, study = attrition_reasons, tables.transitions, tables.studies
    programme, named, taken = tables.programmes, tables.molecules, tables.study_molecules
    labels = (
        func.coalesce(study.c.code, named.c.code).label("of"),
        programme.c.indication,
        func.coalesce(study.c.status, move.c.kind).label("stop"),
        func.coalesce(study.c.ended_on, move.c.occurred_on).label("stopped_on"),
    )
    statement = (
        with_act(of, *labels)
        .join(study, and_(study.c.id == of.c.study_id, visible(study, view)), isouter=True)
        .join(move, and_(move.c.id == of.c.transition_id, visible(move, view)), isouter=True)
        .join(programme, and_(programme.c.id == move.c.programme_id, visible(programme, view)), isouter=True)
        .join(named, and_(named.c.id == programme.c.molecule_id, visible(named, view)), isouter=True)
        .where(*seen("AttritionReasonRecord", of, view))
        .order_by(of.c.id)
    )
    if waiting:
        statement = statement.where(of.c.verified_by.is_(None))
    if molecule is not None:
        given = select(taken.c.study_id).where(visible(taken, view), taken.c.molecule_id == molecule)
        statement = statement.where(or_(programme.c.molecule_id == molecule, of.c.study_id.in_(given)))
    for batch in batches(connection, statement):
        for row in batch:
            yield (
                *(row["id"], row["version"], row["of"], row["indication"], row["stop"], row["stopped_on"]),
                *(bool(row["main"]), row["verbatim"], orjson.loads(row["words"] or "[]"), row["reason"], None, None),
                *(row["proposed_by"], row["verified_reason"], row["verified_by"], row["verified_at"], row["comment"]),
                *(row["recorded_at"], row["actor"]),
            )


reasons = partial(_rows, waiting=False)
"""Yield every reason of a stop, in the order of their proposal."""
waiting_reasons = partial(_rows, waiting=True)
"""Yield those that nobody has verified."""
