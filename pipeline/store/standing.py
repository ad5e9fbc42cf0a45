"""How far a molecule got, what it acts on, what a dose level gives: in SQL, for the planned read path."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Table, func, select
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store import tables
from pipeline.store.nodes import among, seen, source_of, visible
from pipeline.store.plans import Above
from pipeline.store.selection import View
from pipeline.words import Status

_STAGE = ("code", "name", "platform", "ordinal")


def furthest_stage(molecule: Above, view: View) -> list[Select[Any]]:
    """Return the furthest stage of the programmes; else what the studies show."""
    return [_of_programmes(molecule, view), _of_studies(molecule, view)]


def active_stage(molecule: Above, view: View) -> list[Select[Any]]:
    """Return the furthest stage of the programmes that are under way."""
    return [_of_programmes(molecule, view, (Status.ACTIVE.value, Status.ON_HOLD.value))]


def targets(molecule: Above, view: View) -> list[Select[Any]]:
    """Return what a molecule acts on, each once, in the order they were recorded."""
    table = _own(tables.molecule_targets)
    return [
        select(table.c.target.label("value"))
        .where(visible(table, view), table.c.molecule_id == molecule("id"))
        .group_by(table.c.target)
        .order_by(func.min(table.c.id))
    ]


def readable_doses(level: Above, view: View) -> list[Select[Any]]:
    """Return what a dose level gives, where amount and unit could be read."""
    table = _own(tables.doses)
    return [
        select(
            table.c.name.label("molecule"),
            table.c.amount,
            table.c.unit,
            func.coalesce(func.nullif(table.c.schedule, ""), table.c.frequency).label("schedule"),
            table.c.route,
        )
        .where(visible(table, view), table.c.dose_level_id == level("id"))
        .where(table.c.amount.is_not(None), table.c.unit.is_not(None))
        .order_by(table.c.id)
    ]


@lru_cache(maxsize=64)
def _own(table: Table) -> NamedFromClause:
    """Return a table under a name of this module; none of these SELECTs stands inside another of them."""
    return table.alias(f"{table.name}_")


def _programmes(view: View) -> NamedFromClause:
    source = source_of("Programme", view)
    return _own(source) if isinstance(source, Table) else source.alias("programmes_")


def _of_programmes(molecule: Above, view: View, statuses: tuple[str, ...] = ()) -> Select[Any]:
    programme, stage = _programmes(view), _own(tables.stages)
    found = (
        select(*(stage.c[name] for name in _STAGE))
        .join(programme, (programme.c.graph_id == stage.c.graph_id) & (programme.c.stage == stage.c.code))
        .where(*seen("Programme", programme, view), programme.c.molecule_id == molecule("id"))
    )
    if statuses:
        found = found.where(among(programme.c.status, statuses))
    # A graph never changes: its stages are read as they are, whenever it was adopted.
    return found.order_by(stage.c.ordinal.desc(), programme.c.id).limit(1)


def _of_studies(molecule: Above, view: View) -> Select[Any]:
    stage, taken, study = _own(tables.stages), _own(tables.study_molecules), _own(tables.studies)
    shown = (
        select(study.c.id)
        .join(taken, taken.c.study_id == study.c.id)
        .where(visible(taken, view), visible(study, view), taken.c.molecule_id == molecule("id"))
        .where(func.replace(study.c.phases, '"' + stage.c.code + '"', "") != study.c.phases)
        .correlate(stage)
    )
    return (
        select(*(stage.c[name] for name in _STAGE))
        .where(stage.c.graph_id == _in_force(), shown.exists())
        .order_by(stage.c.ordinal.desc())
        .limit(1)
    )


def _in_force() -> Any:
    return select(func.max(tables.state_graphs.c.id)).scalar_subquery()
