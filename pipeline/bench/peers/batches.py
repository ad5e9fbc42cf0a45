"""The SQL behind the data loaders: for many keys at once, one statement; rows as SQLAlchemy Core hands them out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, select, tuple_

from pipeline.bench.peers.pages import Page, day, place
from pipeline.store import study_tables, tables
from pipeline.store.nodes import unmerged

Batch = Callable[[Connection, list[Any]], list[Any]]
"""Returns what stands under each key, in their order."""


def _columns(table: Table, names: str, **renamed: str) -> list[Any]:
    return [*(table.c[name] for name in names.split()), *(table.c[n].label(a) for a, n in renamed.items())]


def _current(table: Table, columns: Sequence[Any], *conditions: Any) -> Select[Any]:
    return select(*columns).select_from(table).where(table.c.until_act.is_(None), *conditions)


def _lists(table: Table, child: str, columns: Sequence[Any], *order: str, only: Sequence[Any] = ()) -> Batch:
    """Return the batch of all rows below each key."""
    ordered = [table.c[name] for name in (*order, "id")]

    def batch(connection: Connection, keys: list[Any]) -> list[Any]:
        found: dict[Any, list[Any]] = {key: [] for key in keys}
        statement = _current(table, [table.c[child].label("key_"), *columns], table.c[child].in_(keys), *only)
        for row in connection.execute(statement.order_by(*ordered)):
            found[row.key_].append(row)
        return [found[key] for key in keys]

    return batch


def _ones(table: Table, columns: Sequence[Any], key: str = "id") -> Batch:
    """Return the batch of the one row of each key."""

    def batch(connection: Connection, keys: list[Any]) -> list[Any]:
        statement = _current(table, [table.c[key].label("key_"), *columns], table.c[key].in_(keys))
        found = {row.key_: row for row in connection.execute(statement)}
        return [found.get(one) for one in keys]

    return batch


def _pages(table: Table, child: str, columns: Sequence[Any], order: str, only: Sequence[Any] = ()) -> Batch:
    """Return the batch of the first rows below each (key, how many)."""

    def batch(connection: Connection, keys: list[Any]) -> list[Any]:
        most = max(first for _, first in keys)
        ordered = [table.c[order], table.c.id]
        number = func.row_number().over(partition_by=table.c[child], order_by=ordered).label("number_")
        parents = list({parent for parent, _ in keys})
        kept = [table.c[child].label("key_"), table.c[order].label("sorted_"), number, *columns]
        rows = _current(table, kept, table.c[child].in_(parents), *only).subquery()
        statement = select(rows).where(rows.c.number_ <= most + 1).order_by(rows.c.key_, rows.c.number_)
        found: dict[Any, list[Any]] = {parent: [] for parent in parents}
        for row in connection.execute(statement):
            found[row.key_].append(row)
        return [Page(found[p][: first + 1], first, None, lambda row: [row.sorted_, row.id]) for p, first in keys]

    return batch


_MOLECULE = _columns(tables.molecules, "id code name modality molar_mass")
_CHECKPOINT = _columns(
    tables.checkpoints,
    "id kind stage recommendation verdict statistic threshold explanation assessed_on decided_by",
)
_STUDY = _columns(tables.studies, "id code title phases registry_id status started_on enrolment")
_PROGRAMME = _columns(
    tables.programmes,
    "id molecule_id graph_id indication disease_group biomarker status stage_since",
    stage_code="stage",
)
_RECORDS = study_tables.monitoring_records
_RECORD = _columns(
    _RECORDS,
    "id subject_id analyte specimen profile sampled_at sorted_on hours_after_dose nominal_time reported reported_unit "
    "concentration unit lower_limit below_limit state",
)
_TRANSITION = _columns(
    tables.transitions,
    "id graph_id from_stage to_stage kind occurred_on reason reason_verbatim checkpoint_id",
    status="to_status",
)


def _stages(connection: Connection, keys: list[Any]) -> list[Any]:
    table = tables.stages
    statement = _current(
        table, _columns(table, "graph_id code name ordinal"), tuple_(table.c.graph_id, table.c.code).in_(keys)
    )
    found = {(row.graph_id, row.code): row for row in connection.execute(statement)}
    return [found.get(key) for key in keys]


def _transitions(connection: Connection, keys: list[Any]) -> list[Any]:
    table, acts = tables.transitions, tables.acts
    statement = (
        select(table.c.programme_id.label("key_"), *_TRANSITION, acts.c.recorded_at, acts.c.actor)
        .join(acts, acts.c.number == table.c.since_act)
        .where(table.c.until_act.is_(None), table.c.programme_id.in_(keys))
        .order_by(table.c.position, table.c.id)
    )
    found: dict[Any, list[Any]] = {key: [] for key in keys}
    for row in connection.execute(statement):
        found[row.key_].append(row)
    return [found[key] for key in keys]


def _studies(connection: Connection, keys: list[Any]) -> list[Any]:
    table, taken = tables.studies, tables.study_molecules
    pairs = (
        select(taken.c.molecule_id, taken.c.study_id)
        .where(taken.c.until_act.is_(None), taken.c.molecule_id.in_([molecule for molecule, _ in keys]))
        .distinct()
        .subquery()
    )
    statement = (
        select(pairs.c.molecule_id.label("key_"), *_STUDY)
        .join(pairs, pairs.c.study_id == table.c.id)
        .where(table.c.until_act.is_(None))
        .order_by(table.c.code, table.c.id)
    )
    found: dict[Any, list[Any]] = {molecule: [] for molecule, _ in keys}
    for row in connection.execute(statement):
        found[row.key_].append(row)
    return [Page(found[m][: first + 1], first, None, lambda row: [row.code, row.id]) for m, first in keys]


def _records_of_study(connection: Connection, keys: list[Any]) -> list[Any]:
    pages = []
    for study, analyte, since, until, first, after in keys:
        table, past = _RECORDS, place(after, 2)
        conditions = [
            table.c.study_id == study,
            table.c.analyte == analyte,
            table.c.sorted_on >= day(since),
            and_(table.c.sorted_on > "", table.c.sorted_on <= day(until) + "T00:00:00~"),
            *([] if past is None else [tuple_(table.c.sorted_on, table.c.id) > past]),
        ]
        statement = _current(table, _RECORD, *conditions).order_by(table.c.sorted_on, table.c.id).limit(first + 1)
        rows = connection.execute(statement).all()
        pages.append(Page(rows, first, after, lambda row: [row.sorted_on, row.id]))
    return pages


def _programme_page(connection: Connection, keys: list[Any]) -> list[Any]:
    pages = []
    for first, after in keys:
        table, past = tables.programmes, place(after, 1)
        statement = _current(table, _PROGRAMME, table.c.id > (past[0] if past else 0))
        rows = connection.execute(statement.order_by(table.c.id).limit(first + 1)).all()
        pages.append(Page(rows, first, after, lambda row: [row.id]))
    return pages


def _molecule_page(connection: Connection, keys: list[Any]) -> list[Any]:
    pages = []
    for first, after in keys:
        table, past = tables.molecules, place(after, 2)
        statement = _current(table, _MOLECULE, unmerged(table)).order_by(table.c.code, table.c.id).limit(first + 1)
        if past is not None:
            statement = statement.where(tuple_(table.c.code, table.c.id) > past)
        pages.append(Page(connection.execute(statement).all(), first, after, lambda row: [row.code, row.id]))
    return pages


def _targets(connection: Connection, keys: list[Any]) -> list[Any]:
    rows = _lists(tables.molecule_targets, "molecule_id", [tables.molecule_targets.c.target])(connection, keys)
    return [list(dict.fromkeys(row.target for row in some)) for some in rows]


def _molecules_by_code(connection: Connection, keys: list[Any]) -> list[Any]:
    table = tables.molecules
    statement = _current(table, _MOLECULE, table.c.code.in_(keys), unmerged(table))
    found = {row.code: row for row in connection.execute(statement)}
    return [found.get(key) for key in keys]


_LEVEL = _columns(
    tables.dose_levels,
    "id arm ordinal label treated",
    with_dlt_at_least="with_dlt_min",
    with_dlt_at_most="with_dlt_max",
)
_DOSE = _columns(tables.doses, "amount unit", molecule="name")
_READABLE = (tables.doses.c.amount.is_not(None), tables.doses.c.unit.is_not(None))

BATCHES: dict[str, Batch] = {
    "molecule_by_code": _molecules_by_code,
    "molecule": _ones(tables.molecules, _MOLECULE),
    "study_by_code": _ones(tables.studies, _STUDY, "code"),
    "synonyms": _lists(tables.molecule_names, "molecule_id", _columns(tables.molecule_names, "name source")),
    "targets": _targets,
    "programmes": _lists(tables.programmes, "molecule_id", _PROGRAMME),
    "stage": _stages,
    "transitions": _transitions,
    "checkpoint": _ones(tables.checkpoints, _CHECKPOINT),
    "checkpoints": _pages(tables.checkpoints, "programme_id", _CHECKPOINT, "assessed_on"),
    "open_checkpoints": _pages(
        tables.checkpoints, "programme_id", _CHECKPOINT, "assessed_on", [tables.checkpoints.c.verdict.is_(None)]
    ),
    "studies": _studies,
    "dose_levels": _lists(tables.dose_levels, "study_id", _LEVEL, "arm", "ordinal"),
    "doses": _lists(tables.doses, "dose_level_id", _DOSE, only=_READABLE),
    "records": _pages(_RECORDS, "molecule_id", _RECORD, "sorted_on"),
    "records_of_study": _records_of_study,
    "subject": _ones(study_tables.subjects, _columns(study_tables.subjects, "id code")),
    "programme_page": _programme_page,
    "molecule_page": _molecule_page,
}
"""By the name of the loader."""
