"""Is a state graph sound? Every defect in a sentence, none raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from pipeline.stages.checkpoints import CheckpointRule
from pipeline.stages.document import shown
from pipeline.stages.sites import spelling
from pipeline.words import MoveKind, Status

if TYPE_CHECKING:
    from pipeline.stages.graph import Edge, StageGraph

Value = TypeVar("Value")

_LOOPS = frozenset({MoveKind.HOLD, MoveKind.RESUME, MoveKind.COMPLETE, MoveKind.CORRECT})


def unsound(graph: StageGraph, rules: Sequence[CheckpointRule]) -> list[str]:
    """Return every defect of a graph as read; `rules` are all that the file holds, repeated codes included."""
    return [
        *_duplicates(graph, rules),
        *_strangers(graph),
        *_edge_faults(graph),
        *_order_faults(graph),
        *_dead_ends(graph),
        *_routing_faults(graph),
    ]


def _twice(values: Iterable[Value]) -> list[Value]:
    return [value for value, count in Counter(values).items() if count > 1 and value != ""]


def _duplicates(graph: StageGraph, rules: Sequence[CheckpointRule]) -> Iterator[str]:
    for what, codes in (
        ("stages", [stage.code for stage in graph.stages]),
        ("rules", [rule.code for rule in rules]),
        ("sites", [site.code for site in graph.sites]),
        ("disease groups", [group.code for group in graph.disease_groups]),
    ):
        for code in _twice(codes):
            yield f"two {what} have the code {code}; give each its own"
    for ordinal in _twice(stage.ordinal for stage in graph.stages):
        named = [stage.code for stage in graph.stages if stage.ordinal == ordinal]
        yield f"stages {', '.join(named)} share the ordinal {ordinal}; give each its own"
    for kind, source, target in _twice((edge.kind, edge.source, edge.target) for edge in graph.edges):
        yield f"two edges coincide: {kind} {shown(source)} -> {shown(target)}; keep one"


def _strangers(graph: StageGraph) -> Iterator[str]:
    sites = {site.code for site in graph.sites}
    groups = {group.code for group in graph.disease_groups}
    named: list[tuple[str, str]] = []
    named += [(f"stage {stage.code} combines", code) for stage in graph.stages for code in stage.combines]
    named += [("an edge joins", code) for edge in graph.edges for code in (edge.source, edge.target)]
    named += [("a route names", code) for route in graph.routes for code in route.stages]
    for where, code in dict.fromkeys(named):
        if code not in graph:
            yield f"{where} the unknown stage {shown(code)}; define it or correct the spelling"
    for code in dict.fromkeys(code for edge in graph.edges for code in edge.requires):
        if code not in graph.rules:
            yield f"an edge requires the unknown rule {shown(code)}; define it or correct the spelling"
    for stage in graph.stages:
        for code in stage.watches:
            if code not in graph.rules:
                yield f"stage {stage.code} watches the unknown rule {shown(code)}; define it or correct the spelling"
    for code in dict.fromkeys(code for route in graph.routes for code in route.sites):
        if code not in sites:
            yield f"a route names the unknown site {shown(code)}; define it or correct the spelling"
    for code in dict.fromkeys(code for route in graph.routes for code in route.disease_groups):
        if code not in groups:
            yield f"a route names the unknown disease group {shown(code)}; define it or correct the spelling"


def _known(graph: StageGraph) -> list[Edge]:
    return [edge for edge in graph.edges if edge.source in graph and edge.target in graph]


def _edge_faults(graph: StageGraph) -> Iterator[str]:
    for edge in graph.edges:
        label = f"{edge.kind} {shown(edge.source)} -> {shown(edge.target)}"
        if edge.kind is MoveKind.ADVANCE and not edge.requires:
            yield f"{label} has no checkpoint; name at least one rule in requires"
        if edge.kind is not MoveKind.ADVANCE and edge.requires:
            yield f"{label} requires checkpoints, which only an advance does; remove requires"
        if edge.kind in _LOOPS and edge.source != edge.target:
            yield f"{label} changes the stage, which {edge.kind} never does; write it with at"
    for edge in _known(graph):
        source, target = graph.stage(edge.source), graph.stage(edge.target)
        label = f"{edge.kind} {edge.source} -> {edge.target}"
        if edge.forward and source.ordinal >= target.ordinal:
            yield f"{label} does not lead onward: ordinal {source.ordinal} is not before {target.ordinal}"
        if edge.kind is MoveKind.DISCONTINUE and edge.forward and target.entry_status is not Status.DISCONTINUED:
            yield f"{label} ends a programme in a stage whose entry_status is {target.entry_status}, not DISCONTINUED"
        if edge.kind is MoveKind.RESTART and target.ordinal > source.ordinal:
            yield f"{label} goes further than the programme came and would pass by its checkpoints"
        if edge.kind is MoveKind.RESTART and target.entry_status is not Status.ACTIVE:
            yield f"{label} restarts in a stage whose entry_status is {target.entry_status}, not ACTIVE"


def _order_faults(graph: StageGraph) -> Iterator[str]:
    import networkx as nx

    from pipeline.stages.graph import forward_digraph

    forward = forward_digraph(graph.stages, _known(graph))
    for ring in nx.strongly_connected_components(forward):
        if len(ring) > 1 or any(forward.has_edge(code, code) for code in ring):
            yield f"advances form a cycle: {', '.join(s.code for s in graph.stages if s.code in ring)}"
    begins = [stage.code for stage in graph.stages if stage.initial]
    if len(begins) != 1:
        yield f"{len(begins)} initial stages ({', '.join(begins) or 'none'}); exactly one needs initial = true"
        return
    reached = {begins[0]} | nx.descendants(forward, begins[0])
    for stage in graph.stages:
        if stage.code and stage.code not in reached:
            yield f"stage {stage.code} cannot be reached from {begins[0]}"


def _dead_ends(graph: StageGraph) -> Iterator[str]:
    edges = _known(graph)
    onward = {edge.source for edge in edges if edge.forward}
    kinds = {(edge.source, edge.kind) for edge in edges}
    for stage in graph.stages:
        code = stage.code
        if not stage.terminal and code not in onward:
            yield f"stage {code} cannot be left; add an advance or set terminal = true"
        if stage.terminal and code in onward:
            yield f"stage {code} is terminal but an edge leads on from it"
        if not stage.terminal and stage.entry_status is Status.DISCONTINUED:
            yield f"stage {code} is entered DISCONTINUED, so nothing can leave it, but it is not terminal"
        if stage.entry_status is Status.ACTIVE and (code, MoveKind.DISCONTINUE) not in kinds:
            yield f"stage {code} is active but cannot be discontinued; add it to a DISCONTINUE edge"
        if (code, MoveKind.HOLD) in kinds and (code, MoveKind.RESUME) not in kinds:
            yield f"stage {code} can be held but not resumed; add it to a RESUME edge"


def _routing_faults(graph: StageGraph) -> Iterator[str]:
    spelled: dict[str, str] = {}
    for group in graph.disease_groups:
        for text in (group.code, *group.also):
            other = spelled.setdefault(spelling(text), group.code)
            if other != group.code:
                yield f"disease groups {other} and {group.code} both go by {shown(text)}"
    for one, two in combinations(graph.routes, 2):
        groups = set(one.disease_groups) & set(two.disease_groups)
        everywhere = not one.disease_groups or not two.disease_groups
        if groups or everywhere:
            for code in sorted(set(one.stages) & set(two.stages)):
                which = ", ".join(sorted(groups)) or "all disease groups of one of them"
                yield f"two routes overlap at {shown(code)} for {which}; leave one"
    routed = {code for route in graph.routes for code in route.stages}
    for stage in graph.stages:
        if stage.code and stage.code not in routed:
            yield f"stage {stage.code} has no route; add it to a [[route]]"
