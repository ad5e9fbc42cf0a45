"""Whether what a checkpoint rests on still stands: its evidence records by version, and its rule by number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from pipeline.stages.checkpoints import CheckpointRule
from pipeline.stages.graph import StageGraph
from pipeline.store.checkpoint_tables import evidence_items, rule_definitions
from pipeline.store.nodes import NODES, among, visible
from pipeline.store.selection import View
from pipeline.store.tables import checkpoint_rules
from pipeline.words import CheckpointKind

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ChangedInput:
    """A record of the evidence that was corrected since. `version` None: it no longer stands."""

    node: str
    node_id: int
    label: str
    was: str
    seen_version: int
    version: int | None


def changed_inputs(
    connection: Connection, checkpoint_ids: Sequence[int], view: View | None = None
) -> dict[int, list[ChangedInput]]:
    """Return, by checkpoint, the records of its evidence that have another version now, or none.

    One statement for the items and one for each kind of record among them.
    """
    view = view or View()
    items: dict[str, list[Any]] = defaultdict(list)
    statement = select(evidence_items).where(
        visible(evidence_items, view), among(evidence_items.c.checkpoint_id, checkpoint_ids)
    )
    for row in connection.execute(statement.order_by(evidence_items.c.id)).mappings():
        items[row["node"]].append(row)
    found: dict[int, list[ChangedInput]] = {id: [] for id in checkpoint_ids}
    for node, rows in items.items():
        current = _versions(connection, node, sorted({row["node_id"] for row in rows}), view)
        for row in rows:
            version = current.get(row["node_id"])
            if version != row["node_version"]:
                found[row["checkpoint_id"]].append(
                    ChangedInput(node, row["node_id"], row["label"], row["value"], row["node_version"], version)
                )
    return found


def _versions(connection: Connection, node: str, ids: Sequence[int], view: View) -> dict[int, int]:
    table = NODES[node].table
    found: dict[int, int] = {}
    for first in range(0, len(ids), _AT_ONCE):
        statement = select(table.c.id, table.c.version).where(
            visible(table, view), among(table.c.id, ids[first : first + _AT_ONCE])
        )
        found.update((row.id, row.version) for row in connection.execute(statement))
    return found


def resting_on(connection: Connection, node: str, ids: Sequence[int]) -> list[int]:
    """Return the checkpoints whose evidence names one of the records."""
    found: set[int] = set()
    for first in range(0, len(ids), _AT_ONCE):
        statement = select(evidence_items.c.checkpoint_id).where(
            evidence_items.c.until_act.is_(None),
            evidence_items.c.node == node,
            among(evidence_items.c.node_id, ids[first : first + _AT_ONCE]),
        )
        found.update(connection.execute(statement.distinct()).scalars())
    return sorted(found)


def newest_in_use(connection: Connection, view: View | None = None) -> dict[str, int]:
    """Return, by code, the newest version of each rule that was defined here and put to use."""
    definition = rule_definitions
    statement = (
        select(definition.c.rule_code, func.max(definition.c.rule_number).label("number"))
        .where(visible(definition, view or View()), definition.c.in_use == True)  # noqa: E712  (SQL, not Python)
        .group_by(definition.c.rule_code)
    )
    return {row.rule_code: row.number for row in connection.execute(statement)}


def rules_asked(
    connection: Connection, graph: StageGraph, stage: str, view: View | None = None
) -> dict[str, CheckpointRule]:
    """Return, by code in order, the rules that are assessed at a stage, each in the version that is in use.

    They are those of the graph (required by advances, or watched), and those defined here for the stage under a code
    of their own.
    """
    of_graph = {code: graph.rules[code] for code in graph.rules_at(stage)}
    newest = newest_in_use(connection, view)
    newer = {code: n for code, n in newest.items() if code in of_graph and n > of_graph[code].version}
    own = {code: n for code, n in newest.items() if code not in graph.rules}
    if own:
        definition = rule_definitions
        statement = select(definition).where(visible(definition, view or View()), among(definition.c.rule_code, [*own]))
        for row in connection.execute(statement).mappings():
            if own[row["rule_code"]] == row["rule_number"] and stage in orjson.loads(row["stages"]):
                newer[row["rule_code"]] = row["rule_number"]
    found = dict(of_graph)
    if newer:
        rule = checkpoint_rules
        statement = select(rule).where(visible(rule, view or View()), among(rule.c.code, sorted(newer)))
        for row in connection.execute(statement).mappings():
            if newer[row["code"]] == row["number"]:
                found[row["code"]] = rule_of(dict(row))
    return dict(sorted(found.items()))


def rule_of(row: Mapping[str, Any]) -> CheckpointRule:
    """Return a recorded rule as the assessments see it."""
    return CheckpointRule(
        row["code"],
        row["number"],
        CheckpointKind(row["kind"]),
        row["method"],
        orjson.loads(row["parameters"]),
        row["description"],
        row["source"],
    )
