"""Proposed reasons that wait for a verifier, and how far proposers and verifiers agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import and_, func, select

from pipeline.attrition.agreement import Agreement, cohens_kappa
from pipeline.attrition.reason_rules import RULES_NAME
from pipeline.store import tables
from pipeline.store.nodes import source_of, visible
from pipeline.store.reader import Reader

NODE = "AttritionReasonRecord"


@dataclass(frozen=True, slots=True)
class ReasonAgreement:
    """Agreement on main reasons between one kind of proposer and the verifiers, with what they disagree on.

    `disagreements`: (proposed, verified, how often), the most frequent first.
    """

    proposer: str
    agreement: Agreement
    disagreements: tuple[tuple[str, str, int], ...]


def reasons_waiting(reader: Reader) -> Sequence[Mapping[str, Any]]:
    """Return proposed reasons that nobody has verified, in the order of their proposal.

    Each with id, reason, main, words (a list), verbatim, proposed_by, and `of`: the codes of what stopped.
    """
    view = reader.view
    of, move, study = (source_of(node, view) for node in (NODE, "Transition", "Study"))
    programme, molecule = tables.programmes.alias("programme"), tables.molecules.alias("molecule")
    wanted = (
        select(
            *(of.c[name] for name in ("id", "reason", "main", "words", "verbatim", "proposed_by")),
            func.coalesce(study.c.code, molecule.c.code).label("of"),
            move.c.kind,
        )
        .select_from(of)
        .outerjoin(study, and_(study.c.id == of.c.study_id, visible(study, view)))
        .outerjoin(move, and_(move.c.id == of.c.transition_id, visible(move, view)))
        .outerjoin(programme, and_(programme.c.id == move.c.programme_id, visible(programme, view)))
        .outerjoin(molecule, and_(molecule.c.id == programme.c.molecule_id, visible(molecule, view)))
        .where(visible(of, view), of.c.verified_by.is_(None))
        .order_by(of.c.id)
    )
    rows = [{str(key): row[key] for key in row} for row in reader.connection.execute(wanted).mappings()]
    return [row | {"main": bool(row["main"]), "words": orjson.loads(row["words"] or "[]")} for row in rows]


def reason_agreement(reader: Reader) -> Sequence[ReasonAgreement]:
    """Return how far main reasons proposed by all, by the rules and by people agree with those verified."""
    of = source_of(NODE, reader.view)
    verified = select(of.c.proposed_by, of.c.reason, of.c.verified_reason).where(
        visible(of, reader.view), of.c.main, of.c.verified_reason.is_not(None)
    )
    rows = [tuple(row) for row in reader.connection.execute(verified.order_by(of.c.id))]
    kinds = {
        "ALL": rows,
        "RULES": [row for row in rows if row[0].startswith(RULES_NAME)],
        "PEOPLE": [row for row in rows if not row[0].startswith(RULES_NAME)],
    }
    return [_agreement(name, of_kind) for name, of_kind in kinds.items()]


def _agreement(name: str, rows: Sequence[tuple[str, str, str]]) -> ReasonAgreement:
    counts: dict[tuple[str, str], int] = {}
    for _, proposed, verified in rows:
        if proposed != verified:
            counts[proposed, verified] = counts.get((proposed, verified), 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ReasonAgreement(
        name,
        cohens_kappa([row[1] for row in rows], [row[2] for row in rows]),
        tuple((proposed, verified, count) for (proposed, verified), count in ordered),
    )
