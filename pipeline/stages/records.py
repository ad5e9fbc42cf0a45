"""The records of a state graph file: stages, rules, edges, sites, disease groups and routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product

from pipeline.stages.checkpoints import METHODS, CheckpointRule
from pipeline.stages.document import Table, read_toml
from pipeline.stages.graph import Edge, StageGraph, StageInfo
from pipeline.stages.sites import DiseaseGroup, Route, Site
from pipeline.stages.soundness import unsound
from pipeline.words import CheckpointKind, MoveKind, Status

_MAX_EDGES = 5_000


def read_graph(text: str) -> tuple[StageGraph | None, list[str]]:
    """Return the graph a TOML text describes and every defect of it; no graph when the text is not TOML."""
    defects: list[str] = []
    top = read_toml(text, defects)
    if top is None:
        return None, defects
    stages = [_stage(table, n) for n, table in enumerate(top.tables("stage"))]
    rules = [_rule(table) for table in top.tables("rule")]
    edges = list(islice((edge for table in top.tables("edge") for edge in _edges(table)), _MAX_EDGES + 1))
    if len(edges) > _MAX_EDGES:
        top.fault(f"more than {_MAX_EDGES} edges; is this a state graph?")
    graph = StageGraph(
        name=top.text("name"),
        version=top.whole("version", 1),
        stages=tuple(sorted(stages, key=lambda stage: stage.ordinal)),
        rules={rule.code: rule for rule in rules},
        edges=tuple(edges),
        sites=tuple(_site(table) for table in top.tables("site")),
        disease_groups=tuple(_group(table) for table in top.tables("disease_group", required=False)),
        routes=tuple(_route(table) for table in top.tables("route")),
        source_text=text,
    )
    top.end()
    return graph, [*defects, *unsound(graph, rules)]


def _stage(table: Table, index: int) -> StageInfo:
    stage = StageInfo(
        code=table.code("code"),
        name=table.text("name"),
        platform=table.code("platform"),
        ordinal=table.whole("ordinal", -index),
        entry_status=table.word("entry_status", (Status.ACTIVE, Status.DISCONTINUED, Status.COMPLETED)),
        initial=table.flag("initial"),
        terminal=table.flag("terminal"),
        early_phase=table.flag("early_phase"),
        combines=table.codes("combines", required=False),
        watches=table.codes("watches", required=False),
    )
    table.end()
    return stage


def _rule(table: Table) -> CheckpointRule:
    rule = CheckpointRule(
        code=table.code("code"),
        version=table.whole("version", 1),
        kind=table.word("kind", tuple(CheckpointKind)),
        method=table.code("method"),
        parameters=table.parameters("parameters"),
        description=table.text("description"),
        source=table.text("source"),
    )
    if rule.method and rule.method not in METHODS:
        table.fault(f"unknown method {rule.method}; the methods are {', '.join(METHODS)}")
    table.end()
    return rule


def _edges(table: Table) -> Iterator[Edge]:
    kind = table.word("kind", tuple(MoveKind))
    ends: Iterable[tuple[str, str]]
    if "at" in table:
        ends = ((code, code) for code in table.codes("at"))
    else:
        ends = product(table.codes("from"), table.codes("to"))
    requires = table.codes("requires", required=False)
    table.end()
    return (Edge(kind, source, target, requires) for source, target in ends)


def _site(table: Table) -> Site:
    site = Site(code=table.code("code"), name=table.text("name"), city=table.text("city"))
    table.end()
    return site


def _group(table: Table) -> DiseaseGroup:
    group = DiseaseGroup(code=table.code("code"), also=table.lines("also"))
    table.end()
    return group


def _route(table: Table) -> Route:
    route = Route(
        stages=table.codes("stages"),
        sites=table.codes("sites"),
        disease_groups=table.codes("disease_groups", required=False),
    )
    table.end()
    return route
