"""Adopt a state graph: from then on new programmes begin under it; older ones keep theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.errors import Conflict
from pipeline.store.journal import Act
from pipeline.store.tables import checkpoint_rules, sites, stages, state_graphs


@dataclass(frozen=True, slots=True)
class AdoptStateGraph:
    """Put a state graph, given as its TOML text, in force."""

    text: str


@handles(AdoptStateGraph, Permission.ADMINISTER)
def adopt_state_graph(act: Act, command: AdoptStateGraph) -> Mapping[str, Any]:
    """Read, check and record a graph with its stages, rules and sites; refuse a changed text under a used version."""
    from pipeline.stages.graph import load_graph

    graph = load_graph(command.text, name="the state graph")
    for row in act.current(state_graphs, state_graphs.c.name == graph.name, state_graphs.c.number == graph.version):
        if row["digest"] == graph.digest:
            return {"state_graph": row["id"], "adopted": False}
        raise Conflict(
            f"version {graph.version} of {graph.name} is adopted already with another text; raise its version",
            node="StateGraph",
            id=row["id"],
        )
    id = act.add(
        state_graphs,
        {"name": graph.name, "number": graph.version, "text": graph.source_text, "digest": graph.digest},
    )
    act.add_all(
        stages,
        ("graph_id", "code", "name", "platform", "ordinal"),
        [(id, s.code, s.name, s.platform, s.ordinal) for s in graph.stages],
    )
    _record_rules(act, graph.rules.values())
    known = {row["code"]: row for row in act.current(sites)}
    for site in graph.sites:
        content = {
            "code": site.code,
            "name": site.name,
            "city": site.city,
            "routing": orjson.dumps(list(graph.routing_of(site.code))).decode(),
        }
        found = known.get(site.code)
        if found is None:
            act.add(sites, content)
        elif any(found[name] != value for name, value in content.items()):
            act.revise(sites, found, content)
    return {"state_graph": id, "adopted": True}


def _record_rules(act: Act, rules: Any) -> None:
    known = {(row["code"], row["number"]): row for row in act.current(checkpoint_rules)}
    for rule in rules:
        content = {
            "code": rule.code,
            "number": rule.version,
            "kind": rule.kind.value,
            "method": rule.method,
            "parameters": orjson.dumps(dict(rule.parameters), option=orjson.OPT_SORT_KEYS).decode(),
            "description": rule.description,
            "source": rule.source,
        }
        found = known.get((rule.code, rule.version))
        if found is None:
            act.add(checkpoint_rules, content)
        elif any(found[name] != value for name, value in content.items()):
            raise Conflict(
                f"version {rule.version} of rule {rule.code} is on record with another content; raise its version",
                node="CheckpointRule",
                id=found["id"],
            )
