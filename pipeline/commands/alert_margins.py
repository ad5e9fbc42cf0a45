"""Exposure margins that fall below what was asked for, from the records as the act leaves them (A5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from pipeline.commands.alerts import Matter, Touched
from pipeline.reports.exposure_margins import MarginBeside, exposure_margins
from pipeline.rounding import readable
from pipeline.store.journal import Act
from pipeline.store.reader import Reader
from pipeline.store.study_tables import toxicity_bases
from pipeline.words import AlertKind

BEARING = frozenset({"MonitoringRecord", "Administration", "ToxicityBasis", "Subject"})
"""The kinds of records a margin rests on."""


def margins_crossed(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the margins below their threshold of the molecules the act touched, where somebody set a threshold.

    Only molecules with a basis are looked at: the work is that of their own studies, whatever the portfolio.
    """
    if not touched.kinds & BEARING:
        return []
    table = toxicity_bases
    statement = select(table.c.molecule_id).where(
        table.c.until_act.is_(None), table.c.threshold.is_not(None), table.c.molecule_id.in_(sorted(touched.molecules))
    )
    concerned = sorted(set(act.connection.execute(statement).scalars()))
    if not concerned:
        return []
    found = exposure_margins(Reader(act.connection, act.actor, act.graphs), concerned)
    return [matter for molecule, of in found.items() for matter in _crossed(molecule, of.margins)]


def _crossed(molecule: int, margins: Iterable[MarginBeside]) -> Iterator[Matter]:
    for each in margins:
        margin = each.margin
        if not margin.crossed or margin.threshold is None:
            continue
        yield Matter(
            AlertKind.MARGIN_CROSSED,
            about=f"margin:{each.basis_id}:{margin.human_level}",
            message=(
                f"{each.parameter} of people at {margin.human_level} leaves a margin of {readable(margin.margin)} to "
                f"the {each.basis} in the {each.species} (mean of {each.animals} animals, {each.people} people); "
                f"{margin.threshold:g} is asked for"
            ),
            node="ToxicityBasis",
            node_id=each.basis_id,
            value=margin.margin,
            threshold=margin.threshold,
            unit="1",
            molecule_id=molecule,
            study_id=each.study_id,
        )
