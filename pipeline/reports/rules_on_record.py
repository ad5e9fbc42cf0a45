"""The checkpoint rules on record: every version, which one is in use, and what is known of how often it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, select

from pipeline.assessment.characteristics import characteristics
from pipeline.assessment.composition import codes, read_composition
from pipeline.errors import NotFound
from pipeline.stages.checkpoints import COMPOSED, CheckpointRule
from pipeline.stages.graph import StageGraph
from pipeline.store.basis import newest_in_use, rule_of
from pipeline.store.checkpoint_tables import rule_definitions
from pipeline.store.nodes import visible
from pipeline.store.selection import View
from pipeline.store.tables import checkpoint_rules

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class RecordedRule:
    """One version of a rule.

    Attributes:
        id: of its row.
        in_use: whether it is the version assessments of now are made by.
        stages: the stages it was defined for; empty for a rule of the graph.
        characteristics: as stored when it was defined; None for a rule of the graph.
    """

    id: int
    rule: CheckpointRule
    in_use: bool
    stages: tuple[str, ...]
    characteristics: Mapping[str, Any] | None
    defined_by: str | None


def recorded_rules(connection: Connection, graph: StageGraph, view: View | None = None) -> dict[Key, RecordedRule]:
    """Return every version of every rule by code and version, in that order."""
    view = view or View()
    table = checkpoint_rules
    statement = select(table).where(visible(table, view)).order_by(table.c.code, table.c.number)
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    definition = rule_definitions
    defined = {
        (row["rule_code"], row["rule_number"]): row
        for row in connection.execute(select(definition).where(visible(definition, view))).mappings()
    }
    used = numbers_in_use(connection, graph, view)
    found = {}
    for row in rows:
        key = row["code"], row["number"]
        own = defined.get(key)
        found[key] = RecordedRule(
            row["id"],
            rule_of(row),
            used.get(row["code"]) == row["number"],
            tuple(orjson.loads(own["stages"])) if own is not None else (),
            orjson.loads(own["characteristics"]) if own is not None else None,
            own["defined_by"] if own is not None else None,
        )
    return found


def numbers_in_use(connection: Connection, graph: StageGraph, view: View | None = None) -> dict[str, int]:
    """Return, by code, the version in use: the newest put to use, or the graph's where that is newer."""
    found = {code: rule.version for code, rule in graph.rules.items()}
    for code, number in newest_in_use(connection, view).items():
        found[code] = max(number, found.get(code, 0))
    return found


def the_rule(
    connection: Connection, graph: StageGraph, code: str, version: int | None = None, view: View | None = None
) -> RecordedRule:
    """Return one version of a rule: without a number the one in use, or the newest where none is.

    Raises:
        NotFound: there is no such rule or version.
    """
    rules = recorded_rules(connection, graph, view)
    of_code = [one for (name, _), one in rules.items() if name == code]
    if not of_code:
        raise NotFound(f"there is no rule {code[:60]!r}; see checkpointRules for those on record", path=("rule",))
    if version is None:
        return next((one for one in of_code if one.in_use), of_code[-1])
    for one in of_code:
        if one.rule.version == version:
            return one
    numbers = ", ".join(str(one.rule.version) for one in of_code)
    raise NotFound(f"there is no version {version} of {code}; its versions are {numbers}", path=("version",))


def parts_of(rule: CheckpointRule, known: Mapping[Key, RecordedRule]) -> dict[str, CheckpointRule]:
    """Return the rules a composed one rests on, by code: the versions in use, or the newest where none is."""
    found: dict[str, CheckpointRule] = {}
    waiting = [rule]
    while waiting:
        above = waiting.pop()
        if above.method != COMPOSED:
            continue
        for code in codes(read_composition(above.parameters["composition"])):
            versions = [one for (name, _), one in known.items() if name == code]
            if code not in found and versions:
                found[code] = next((one for one in versions if one.in_use), versions[-1]).rule
                waiting.append(found[code])
    return found


def latest_parameters(rules: Mapping[Key, RecordedRule]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return, by code, method and parameters of the version in use, or of the newest where none is."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    settled: set[str] = set()
    for (code, _), one in rules.items():
        if code not in settled:
            found[code] = one.rule.method, one.rule.parameters
        if one.in_use:
            settled.add(code)
    return found


def stages_of(graph: StageGraph, one: RecordedRule) -> tuple[str, ...]:
    """Return the stages a rule is for: those it was defined for, else those at which the graph asks for it."""
    if one.stages:
        return one.stages
    return graph.stages_asking(one.rule.code)


def shown_characteristics(one: RecordedRule, known: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return a rule's characteristics: those stored with it, or worked out now for a rule of the graph.

    `known`: method and parameters by code, for a rule that names others.
    """
    if one.characteristics is not None:
        return dict(one.characteristics)
    text = orjson.dumps(dict(one.rule.parameters), option=orjson.OPT_SORT_KEYS)
    if one.rule.method == COMPOSED:
        return characteristics(COMPOSED, one.rule.parameters, known).as_json()
    return dict(_worked_out(one.rule.method, text))


@lru_cache(maxsize=256)
def _worked_out(method: str, parameters: bytes) -> Mapping[str, Any]:
    return characteristics(method, orjson.loads(parameters)).as_json()
