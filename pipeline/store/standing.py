"""How far a molecule got, what it acts on, what a dose level gives: in SQL, for the planned read path."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from pipeline.store import tables
from pipeline.store.nodes import among, seen, source_of, visible
from pipeline.store.plans import Parent
from pipeline.store.selection import View
from pipeline.words import Status

_STAGE = ("code", "name", "platform", "ordinal")


def furthest_stage(molecule: Parent, view: View) -> list[Select[Any]]:
    """Return the furthest stage of the programmes; else what the studies show."""
    return [_of_programmes(molecule, view), _of_studies(molecule, view)]


def active_stage(molecule: Parent, view: View) -> list[Select[Any]]:
    """Return the furthest stage of the programmes that are under way."""
    return [_of_programmes(molecule, view, (Status.ACTIVE.value, Status.ON_HOLD.value))]


def targets(molecule: Parent, view: View) -> list[Select[Any]]:
    """Return what a molecule acts on, each once, in the order they were recorded."""
    table = tables.molecule_targets.alias()
    return [
        select(table.c.target.label("value"))
        .where(visible(table, view), table.c.molecule_id == molecule("id"))
        .group_by(table.c.target)
        .order_by(func.min(table.c.id))
    ]


def readable_doses(level: Parent, view: View) -> list[Select[Any]]:
    """Return what a dose level gives, where amount and unit could be read."""
    table = tables.doses.alias()
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


def _of_programmes(molecule: Parent, view: View, statuses: tuple[str, ...] = ()) -> Select[Any]:
    programme, stage = source_of("Programme", view).alias(), tables.stages.alias()
    found = (
        select(*(stage.c[name] for name in _STAGE))
        .join(programme, (programme.c.graph_id == stage.c.graph_id) & (programme.c.stage == stage.c.code))
        .where(*seen("Programme", programme, view), programme.c.molecule_id == molecule("id"))
    )
    if statuses:
        found = found.where(among(programme.c.status, statuses))
    # A graph never changes: its stages are read as they are, whenever it was adopted.
    return found.order_by(stage.c.ordinal.desc(), programme.c.id).limit(1)


def _of_studies(molecule: Parent, view: View) -> Select[Any]:
    stage, taken, study = tables.stages.alias(), tables.study_molecules.alias(), tables.studies.alias()
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
