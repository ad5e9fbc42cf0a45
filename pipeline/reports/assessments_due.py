"""Which rules of which programmes an act can have changed since they were last assessed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table, and_, func, or_, select

from pipeline.reports.rule_evidence import kinds_bearing
from pipeline.reports.rules_on_record import parts_of, recorded_rules
from pipeline.stages.checkpoints import COMPOSED, CheckpointRule
from pipeline.stages.graph import StageGraph
from pipeline.store.basis import rules_asked
from pipeline.store.checkpoint_tables import evidence_packets
from pipeline.store.nodes import NODES, among, visible
from pipeline.store.reader import Reader
from pipeline.store.tables import checkpoints, programmes, study_molecules
from pipeline.words import Status

_AT_ONCE = 500


class Due(NamedTuple):
    """A rule to assess for a programme (its row), and the kinds of records that can change what it finds."""

    programme: Mapping[str, Any]
    rule: CheckpointRule
    kinds: frozenset[str]


def assessments_due(reader: Reader) -> list[Due]:
    """Return what is due in all active programmes.

    Due is a rule computed from records that was neither assessed nor decided on documents in the present stage, of
    which a newer version is in use, or whose kinds of records were written of the molecule since. The work is that of
    the acts since the oldest last assessment, and one row for each programme.
    """
    statement = select(programmes).where(visible(programmes, reader.view), programmes.c.status == Status.ACTIVE.value)
    asked = asked_of(reader, [dict(row) for row in reader.connection.execute(statement).mappings()])
    last = _last_assessed(reader, asked)
    since = min((seen for _, seen in last.values()), default=None)
    written = {} if since is None else _last_written(reader, {kind for due in asked for kind in due.kinds}, since)
    found = []
    for due in asked:
        number, seen = last.get((due.programme["id"], due.programme["stage"], due.rule.code), (None, 0))
        molecule = due.programme["molecule_id"]
        newest = max((written.get((kind, molecule), 0) for kind in due.kinds), default=0)
        if number is None or number < due.rule.version or newest > seen:
            found.append(due)
    return found


def asked_of(reader: Reader, rows: Sequence[Mapping[str, Any]]) -> list[Due]:
    """Return the rules computed from records that are asked where programmes are now."""
    rules: dict[tuple[int, str], list[tuple[CheckpointRule, frozenset[str]]]] = {}
    found = []
    for row in rows:
        place = (row["graph_id"], row["stage"])
        if place not in rules:
            graph = reader.graphs.of(reader.connection, row["graph_id"])
            asked = rules_asked(reader.connection, graph, row["stage"], reader.view).values()
            rules[place] = [(rule, _kinds(reader, graph, rule)) for rule in asked]
        found += [Due(row, rule, kinds) for rule, kinds in rules[place] if kinds]
    return found


def _kinds(reader: Reader, graph: StageGraph, rule: CheckpointRule) -> frozenset[str]:
    if rule.method != COMPOSED:
        return kinds_bearing(rule, {})
    return kinds_bearing(rule, parts_of(rule, recorded_rules(reader.connection, graph, reader.view)))


def _last_assessed(reader: Reader, asked: Sequence[Due]) -> dict[tuple[int, str, str], tuple[int, int]]:
    """Return, by programme, stage and rule, the version that was last assessed and the last act it saw.

    What was decided on documents saw all that was on record then.
    """
    found: dict[tuple[int, str, str], tuple[int, int]] = {}
    ids = sorted({due.programme["id"] for due in asked})
    for first in range(0, len(ids), _AT_ONCE):
        statement = (
            select(checkpoints, func.coalesce(evidence_packets.c.seen_act, checkpoints.c.since_act).label("seen_act"))
            .outerjoin(
                evidence_packets,
                and_(evidence_packets.c.checkpoint_id == checkpoints.c.id, visible(evidence_packets, reader.view)),
            )
            .where(
                visible(checkpoints, reader.view),
                among(checkpoints.c.programme_id, ids[first : first + _AT_ONCE]),
            )
            .order_by(checkpoints.c.id)
        )
        for row in reader.connection.execute(statement).mappings():
            found[row["programme_id"], row["stage"], row["rule_code"]] = (row["rule_number"], row["seen_act"])
    return found


def _last_written(reader: Reader, kinds: set[str], since: int) -> dict[tuple[str, int], int]:
    """Return, by kind of record and molecule, the last act after `since` that wrote such a record."""
    found: dict[tuple[str, int], int] = defaultdict(int)
    of_study = _molecules_of_studies(reader)
    for kind in sorted(kinds):
        table = NODES[kind].table
        by_molecule = kind == "Molecule" or "molecule_id" in table.c
        owner = _owner(table)
        last = func.max(func.coalesce(table.c.until_act, table.c.since_act))
        statement = select(owner, last).where(or_(table.c.since_act > since, table.c.until_act > since)).group_by(owner)
        for id, act in reader.connection.execute(statement):
            for molecule in [id] if by_molecule else of_study.get(id, ()):
                found[kind, molecule] = max(found[kind, molecule], act)
    return found


def _owner(table: Table) -> Any:
    """Return the column that leads to the molecule: its id, that of the study, or the record itself."""
    return next((table.c[name] for name in ("molecule_id", "study_id") if name in table.c), table.c.id)


def _molecules_of_studies(reader: Reader) -> dict[int, set[int]]:
    table = study_molecules
    statement = select(table.c.study_id, table.c.molecule_id).where(
        visible(table, reader.view), table.c.molecule_id.is_not(None)
    )
    found: dict[int, set[int]] = defaultdict(set)
    for study, molecule in reader.connection.execute(statement):
        found[study].add(molecule)
    return found
