"""The portfolio filter as SQL conditions on programmes, and on the molecules that have such programmes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, exists, func, literal, or_, select

from pipeline.names import canonical_key
from pipeline.store import tables
from pipeline.store.nodes import among, seen, source_of, visible
from pipeline.store.selection import View


@dataclass(frozen=True, slots=True)
class PortfolioFilter:
    """Which programmes are meant. Empty means all; within a list any, between fields all."""

    modality: tuple[str, ...] = ()
    disease_group: tuple[str, ...] = ()
    biomarker_selected: bool | None = None
    entered_from: str | None = None
    entered_to: str | None = None
    stage: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    target: str | None = None
    text: str | None = None
    site: tuple[str, ...] = ()
    site_pairs: tuple[tuple[str, str | None], ...] = field(default=())
    """The (stage, disease group) pairs that are routed to the sites; None for any disease group."""


def programme_conditions(source: Any, wanted: PortfolioFilter, view: View) -> list[ColumnElement[bool]]:
    """Return the conditions on a source of programmes, their molecule's included."""
    conditions = _own(source, wanted)
    about_molecule = _molecule(tables.molecules, wanted, view)
    if about_molecule:
        molecules = tables.molecules
        conditions.append(
            exists(
                select(literal(1)).where(
                    visible(molecules, view), molecules.c.id == source.c.molecule_id, *about_molecule
                )
            )
        )
    return conditions


def molecule_conditions(source: FromClause, wanted: PortfolioFilter, view: View) -> list[ColumnElement[bool]]:
    """Return the conditions on molecules: their own, and one programme that meets all of the programme's."""
    conditions = _molecule(source, wanted, view)
    programmes = source_of("Programme", view)
    about_programme = _own(programmes, wanted)
    if about_programme:
        conditions.append(
            exists(
                select(literal(1)).where(
                    *seen("Programme", programmes, view), programmes.c.molecule_id == source.c.id, *about_programme
                )
            )
        )
    return conditions


def _own(source: Any, wanted: PortfolioFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for values, column in (
        (wanted.stage, source.c.stage),
        (wanted.status, source.c.status),
        (wanted.disease_group, source.c.disease_group),
    ):
        if values:
            conditions.append(among(column, values))
    if wanted.biomarker_selected is not None:
        column = source.c.biomarker
        conditions.append(column.is_not(None) if wanted.biomarker_selected else column.is_(None))
    if wanted.entered_from is not None:
        conditions.append(source.c.stage_since >= wanted.entered_from)
    if wanted.entered_to is not None:
        conditions.append(source.c.stage_since <= wanted.entered_to)
    if wanted.site:
        conditions.append(
            or_(
                literal(False),
                *(
                    (source.c.stage == stage)
                    if group is None
                    else (source.c.stage == stage) & (source.c.disease_group == group)
                    for stage, group in wanted.site_pairs
                ),
            )
        )
    return conditions


def _molecule(source: Any, wanted: PortfolioFilter, view: View) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.modality:
        conditions.append(among(source.c.modality, wanted.modality))
    if wanted.target is not None:
        targets = tables.molecule_targets
        conditions.append(
            exists(
                select(literal(1)).where(
                    visible(targets, view),
                    targets.c.molecule_id == source.c.id,
                    func.lower(targets.c.target) == wanted.target.lower(),
                )
            )
        )
    if wanted.text is not None:
        conditions.append(_says(source, wanted.text, view))
    return conditions


def _says(source: Any, text: str, view: View) -> ColumnElement[bool]:
    """Return the condition that a molecule's code, name, synonym or external id holds the text."""
    key = canonical_key(text)
    matches = [_holds(source.c.code, text)]
    if key:
        matches.append(_holds(source.c.name_key, key))
        names = tables.molecule_names
        matches.append(_below(names, source, view, [_holds(names.c.name_key, key)]))
    ids = tables.external_ids
    matches.append(_below(ids, source, view, [func.lower(ids.c.value) == text.lower()]))
    return or_(*matches)


def _below(table: Any, source: Any, view: View, conditions: Sequence[Any]) -> ColumnElement[bool]:
    return exists(select(literal(1)).where(visible(table, view), table.c.molecule_id == source.c.id, *conditions))


def _holds(column: Any, text: str) -> ColumnElement[bool]:
    return func.lower(column).contains(text.lower(), autoescape=True)
