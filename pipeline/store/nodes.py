"""The nodes that can be read: each is one table of records, seen from a moment.

A node's `source` is what stands in FROM. Most are the table itself; a programme seen as of an earlier day takes its
stage from the transitions of that day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Table, and_, bindparam, case, exists, false, func, literal, or_, select
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ClauseList
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store import centre_tables, checkpoint_tables, study_tables, tables
from pipeline.store.columns import Whole, Words
from pipeline.store.selection import View
from pipeline.words import StudyStatus


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A kind of record that can be read, by the name the API gives it.

    happened: the column with the day the fact happened; what happened later is not seen `as_of` a day. source: where
    more than that depends on the moment.
    """

    name: str
    table: Table
    happened: str | None = None
    source: Callable[[View], NamedFromClause] | None = None


_TRUTH = Boolean()


def among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of the values; each is a parameter of its own.

    It is made for every request, and so put together from its parts: `in_` takes four times as long.
    """
    if not values:
        return false()
    each = [BindParameter(None, value, column.type, unique=True) for value in values]
    listed: Any = ClauseList(*each).self_group(against=operators.in_op)
    return BinaryExpression(column, listed, operators.in_op, type_=_TRUTH, negate=operators.not_in_op)


_OPPOSITE = {
    operators.eq: operators.ne,
    operators.gt: operators.le,
    operators.ge: operators.lt,
    operators.le: operators.gt,
}


def compared(column: ColumnElement[Any], sign: Any, value: object) -> ColumnElement[bool]:
    """Return the condition that a column compares so (operators.eq, gt, ge, le) with a value, its own parameter.

    Made for every request, like `among`.
    """
    bound = BindParameter(None, value, column.type, unique=True)
    return BinaryExpression(column, bound, sign, type_=_TRUTH, negate=_OPPOSITE[sign])


@lru_cache(maxsize=64)
def unmerged(molecules: NamedFromClause) -> ColumnElement[bool]:
    """Return the condition that a molecule was not merged into another.

    Not IS NULL: SQLite would take the index of the few that were merged for it, and read all of the others.
    """
    return func.coalesce(molecules.c.merged_into, 0) == 0


def _known_at(view: View) -> ColumnElement[int]:
    return bindparam("known_at", view.known_at, type_=Whole)


def _as_of(view: View) -> ColumnElement[str]:
    return bindparam("as_of", view.as_of, type_=Words)


def visible(table: Any, view: View) -> ColumnElement[bool]:
    """Return the condition under which a row version is seen: the current one, or the one known at an act."""
    if view.known_at is None:
        return table.c.until_act.is_(None)  # type: ignore[no-any-return]
    return and_(
        table.c.since_act <= _known_at(view),
        or_(table.c.until_act.is_(None), table.c.until_act > _known_at(view)),
    )


def _programmes(view: View) -> NamedFromClause:
    """Programmes with the stage and status they had on a day: those of the last transition by then."""
    programmes, transitions, stage = tables.programmes, tables.transitions, tables.stages
    if view.as_of is None:
        return programmes
    last, entry, by_then = transitions.alias("last"), transitions.alias("entry"), transitions.alias("by_then")
    # Only the positions of one programme are looked through, whoever asks for it.
    position = (
        select(func.max(by_then.c.position))
        .where(by_then.c.programme_id == programmes.c.id, visible(by_then, view), by_then.c.occurred_to <= _as_of(view))
        .correlate(programmes)
    )
    # When the present stage was entered: the last transition by then that came from another stage.
    entering = position.where(or_(by_then.c.from_stage.is_(None), by_then.c.from_stage != by_then.c.to_stage))
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
        .select_from(programmes)
        .join(
            last,
            and_(
                last.c.programme_id == programmes.c.id,
                visible(last, view),
                last.c.position == position.scalar_subquery(),
            ),
        )
        .join(
            entry,
            and_(
                entry.c.programme_id == programmes.c.id,
                visible(entry, view),
                entry.c.position == entering.scalar_subquery(),
            ),
        )
        .join(
            stage,
            and_(stage.c.graph_id == programmes.c.graph_id, stage.c.code == last.c.to_stage, visible(stage, view)),
        )
        .where(visible(programmes, view))
        .subquery("programmes_then")
    )


def _by_then(day: ColumnElement[Any], view: View) -> ColumnElement[bool]:
    """Return the condition that a day, however precisely it is known, is over: 2022-02 when February is."""
    whole = func.substr(day, 1, 10)
    last = case((func.length(whole) == 4, whole + "-12-31"), (func.length(whole) == 7, whole + "-31"), else_=whole)
    return last <= _as_of(view)


def _studies(view: View) -> NamedFromClause:
    """Return studies without what happened to them later: the end, why it came, and the status it left."""
    studies, stops = tables.studies, tables.study_stops
    if view.as_of is None:
        return studies
    dated = select(literal(1)).where(
        stops.c.study_id == studies.c.id, visible(stops, view), stops.c.stopped_on.is_not(None)
    )
    undated = and_(studies.c.ended_on.is_(None), ~exists(dated))
    over = or_(
        undated,
        and_(studies.c.ended_on.is_not(None), _by_then(studies.c.ended_on, view)),
        exists(dated.where(_by_then(stops.c.stopped_on, view))),
    )
    later = {
        "ended_on": case((_by_then(studies.c.ended_on, view), studies.c.ended_on)),
        "why_stopped": case((over, studies.c.why_stopped)),
        "reason": case((over, studies.c.reason)),
        "status": case(
            (and_(among(studies.c.status, _ENDED), ~over), StudyStatus.UNKNOWN.value), else_=studies.c.status
        ),
    }
    return (
        select(*(later[c.name].label(c.name) if c.name in later else c for c in studies.columns))
        .where(visible(studies, view))
        .subquery("studies_then")
    )


_ENDED = [
    s.value for s in (StudyStatus.COMPLETED, StudyStatus.TERMINATED, StudyStatus.WITHDRAWN, StudyStatus.SUSPENDED)
]


def _study_stops(view: View) -> NamedFromClause:
    """Return the stops that had come by then, with their restarts where these had come as well."""
    stops = tables.study_stops
    if view.as_of is None:
        return stops
    again = and_(stops.c.restarted_on.is_not(None), _by_then(stops.c.restarted_on, view))
    later = {
        name: case((again, stops.c[name])).label(name)
        for name in ("restarted_on", "restart_status", "restart_status_reported")
    }
    return (
        select(*(later.get(c.name, c) for c in stops.columns))
        .where(visible(stops, view), or_(stops.c.stopped_on.is_(None), _by_then(stops.c.stopped_on, view)))
        .subquery("stops_then")
    )


def _checkpoint_conditions(view: View) -> NamedFromClause:
    """Return conditions of decisions with what had become of them by then."""
    conditions = checkpoint_tables.checkpoint_conditions
    if view.as_of is None:
        return conditions
    settled = _by_then(conditions.c.settled_on, view)
    later = {
        name: case((settled, conditions.c[name])).label(name)
        for name in ("outcome", "settled_on", "settled_by", "note")
    }
    return (
        select(*(later.get(c.name, c) for c in conditions.columns))
        .where(visible(conditions, view))
        .subquery("conditions_then")
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
        NodeKind("Study", tables.studies, happened="started_from", source=_studies),
        NodeKind("StudySource", tables.study_sources),
        NodeKind("StudyMolecule", tables.study_molecules),
        NodeKind("Arm", tables.arms),
        NodeKind("DoseLevel", tables.dose_levels),
        NodeKind("Dose", tables.doses),
        NodeKind("DltDefinition", tables.dlt_definitions),
        NodeKind("DltObservation", tables.dlt_observations),
        NodeKind("RecommendedDose", tables.recommended_doses),
        NodeKind("EventCount", tables.event_counts),
        NodeKind("StudyStop", tables.study_stops, source=_study_stops),
        NodeKind("Event", tables.events, happened="sorted_on"),
        NodeKind("ReviewItem", tables.review_items),
        NodeKind("SourceFile", tables.source_files),
        NodeKind("Import", tables.imports),
        NodeKind("ImportProblem", tables.import_problems),
        NodeKind("Subject", study_tables.subjects),
        NodeKind("StudyGroup", study_tables.study_groups),
        NodeKind("Pool", study_tables.pools),
        NodeKind("Administration", study_tables.administrations, happened="sorted_on"),
        NodeKind("MonitoringRecord", study_tables.monitoring_records, happened="sorted_on"),
        NodeKind("ReportedParameter", study_tables.reported_parameters),
        NodeKind("AdverseEvent", study_tables.adverse_events, happened="sorted_on"),
        NodeKind("LaboratoryResult", study_tables.laboratory_results, happened="sorted_on"),
        NodeKind("Finding", study_tables.findings, happened="sorted_on"),
        NodeKind("Disposition", study_tables.dispositions, happened="sorted_on"),
        NodeKind("Measurement", study_tables.measurements, happened="sorted_on"),
        NodeKind("TumourResponse", study_tables.tumour_responses, happened="sorted_on"),
        NodeKind("BiomarkerResult", study_tables.biomarker_results, happened="sorted_on"),
        NodeKind("MonitoringSettings", study_tables.monitoring_settings),
        NodeKind("ExposureLimit", study_tables.exposure_limits),
        NodeKind("ToxicityBasis", study_tables.toxicity_bases),
        NodeKind("ColumnMapping", study_tables.column_mappings),
        NodeKind("Qualifier", study_tables.qualifiers),
        NodeKind("RecordLink", study_tables.record_links),
        NodeKind("Alert", study_tables.alerts, happened="raised_at"),
        NodeKind("EvidencePacket", checkpoint_tables.evidence_packets),
        NodeKind("EvidenceItem", checkpoint_tables.evidence_items),
        NodeKind("CheckpointVote", checkpoint_tables.checkpoint_votes),
        NodeKind(
            "CheckpointCondition",
            checkpoint_tables.checkpoint_conditions,
            happened="agreed_on",
            source=_checkpoint_conditions,
        ),
        NodeKind("InefficacyAnswer", checkpoint_tables.inefficacy_answers),
        NodeKind("ConflictOfInterest", checkpoint_tables.conflicts_of_interest),
        NodeKind("RuleDefinition", checkpoint_tables.rule_definitions),
        NodeKind("MoleculeFact", checkpoint_tables.molecule_facts),
        NodeKind("YearlyCount", centre_tables.yearly_counts),
        NodeKind("AttritionReasonRecord", study_tables.attrition_reasons),
    )
}


def source_of(node: str, view: View) -> NamedFromClause:
    """Return what a node is read from, seen from a moment: rows not visible then may still be in it."""
    kind = NODES[node]
    return kind.source(view) if kind.source else kind.table


def seen(node: str, source: Any, view: View) -> list[ColumnElement[bool]]:
    """Return the conditions under which rows of a source are seen from a moment."""
    kind = NODES[node]
    of_table = source is kind.table or getattr(source, "element", None) is kind.table
    conditions = [visible(source, view)] if of_table else []
    if kind.happened is not None and view.as_of is not None:
        happened = source.c[kind.happened]
        conditions.append(or_(happened.is_(None), func.substr(happened, 1, 10) <= _as_of(view)))
    return conditions
