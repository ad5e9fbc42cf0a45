"""The nodes that can be read: each is one table of records, seen from a moment.

A node's `source` is what stands in FROM. Most are the table itself; a programme seen as of an earlier day takes its
stage from the transitions of that day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, and_, func, or_, select

from pipeline.store import tables
from pipeline.store.selection import View


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A kind of record that can be read, by the name the API gives it.

    happened: the column with the last day the fact can have happened; what happened later is not seen `as_of` a day.
    """

    name: str
    table: Table
    happened: str | None = None
    source: Callable[[View], FromClause] | None = None


def visible(table: Any, view: View) -> ColumnElement[bool]:
    """Return the condition under which a row version is seen: the current one, or the one known at an act."""
    if view.known_at is None:
        return table.c.until_act.is_(None)  # type: ignore[no-any-return]
    return and_(
        table.c.since_act <= view.known_at,
        or_(table.c.until_act.is_(None), table.c.until_act > view.known_at),
    )


def _programmes(view: View) -> FromClause:
    """Programmes with the stage and status they had on a day: those of the last transition by then."""
    programmes, transitions = tables.programmes, tables.transitions
    if view.as_of is None:
        return programmes
    by_then = (
        select(
            transitions,
            func.row_number()
            .over(partition_by=transitions.c.programme_id, order_by=transitions.c.position.desc())
            .label("place"),
        )
        .where(visible(transitions, view), transitions.c.occurred_to <= view.as_of)
        .subquery()
    )
    last = select(by_then).where(by_then.c.place == 1).subquery()
    # When the present stage was entered: the first of the unbroken run of transitions that kept the stage.
    entered = (
        select(by_then.c.programme_id, func.max(by_then.c.position).label("position"))
        .where(or_(by_then.c.from_stage.is_(None), by_then.c.from_stage != by_then.c.to_stage))
        .group_by(by_then.c.programme_id)
        .subquery()
    )
    entry = select(by_then).subquery()
    stage = tables.stages
    taken = {"stage", "stage_ordinal", "status", "stage_since", "stage_since_reported"}
    return (
        select(
            *(column for column in programmes.columns if column.name not in taken),
            last.c.to_stage.label("stage"),
            stage.c.ordinal.label("stage_ordinal"),
            last.c.to_status.label("status"),
            entry.c.occurred_from.label("stage_since"),
            entry.c.occurred_on.label("stage_since_reported"),
        )
        .join(last, last.c.programme_id == programmes.c.id)
        .join(entered, entered.c.programme_id == programmes.c.id)
        .join(entry, and_(entry.c.programme_id == programmes.c.id, entry.c.position == entered.c.position))
        .join(
            stage,
            and_(stage.c.graph_id == programmes.c.graph_id, stage.c.code == last.c.to_stage, visible(stage, view)),
        )
        .where(visible(programmes, view))
        .subquery("programmes_then")
    )


NODES: dict[str, NodeKind] = {
    kind.name: kind
    for kind in (
        NodeKind("Molecule", tables.molecules),
        NodeKind("Synonym", tables.molecule_names),
        NodeKind("ExternalId", tables.external_ids),
        NodeKind("Target", tables.molecule_targets),
        NodeKind("Programme", tables.programmes, source=_programmes),
        NodeKind("Transition", tables.transitions, happened="occurred_to"),
        NodeKind("Checkpoint", tables.checkpoints, happened="assessed_on"),
        NodeKind("CheckpointRule", tables.checkpoint_rules),
        NodeKind("StateGraph", tables.state_graphs),
        NodeKind("Stage", tables.stages),
        NodeKind("Site", tables.sites),
        NodeKind("Study", tables.studies, happened="started_from"),
        NodeKind("StudySource", tables.study_sources),
        NodeKind("StudyMolecule", tables.study_molecules),
        NodeKind("Arm", tables.arms),
        NodeKind("DoseLevel", tables.dose_levels),
        NodeKind("Dose", tables.doses),
        NodeKind("DltDefinition", tables.dlt_definitions),
        NodeKind("DltObservation", tables.dlt_observations),
        NodeKind("RecommendedDose", tables.recommended_doses),
        NodeKind("EventCount", tables.event_counts),
        NodeKind("StudyStop", tables.study_stops, happened="stopped_on"),
        NodeKind("Event", tables.events, happened="sorted_on"),
        NodeKind("ReviewItem", tables.review_items),
        NodeKind("Import", tables.imports),
        NodeKind("ImportProblem", tables.import_problems),
    )
}


def source_of(node: str, view: View) -> FromClause:
    """Return what a node is read from, seen from a moment: rows not visible then may still be in it."""
    kind = NODES[node]
    return kind.source(view) if kind.source else kind.table


def seen(node: str, source: Any, view: View) -> list[ColumnElement[bool]]:
    """Return the conditions under which rows of a source are seen from a moment."""
    kind = NODES[node]
    conditions = [visible(source, view)] if source is kind.table else []
    if kind.happened is not None and view.as_of is not None:
        happened = source.c[kind.happened]
        conditions.append(or_(happened.is_(None), func.substr(happened, 1, 10) <= view.as_of))
    return conditions
