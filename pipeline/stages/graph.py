"""The state graph: stages, moves between them, checkpoints, sites; read from a TOML text and refused if unsound."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from pipeline.errors import InputError, StageGraphError
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.stages.sites import DiseaseGroup, Route, Routing, Site, group_of
from pipeline.words import MoveKind, Status

if TYPE_CHECKING:
    import networkx as nx

_MAX_DEFECTS = 200


@dataclass(frozen=True, slots=True)
class StageInfo:
    """One stage. `ordinal` orders stages, earliest first; `combines` are the phases a combined phase stands for.

    `watches`: the rules that are assessed while a programme is at the stage although no advance requires them.
    """

    code: str
    name: str
    platform: str
    ordinal: int
    entry_status: Status = Status.ACTIVE
    initial: bool = False
    terminal: bool = False
    early_phase: bool = False
    combines: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """One move the graph knows; an advance names the checkpoint rules it requires."""

    kind: MoveKind
    source: str
    target: str
    requires: tuple[str, ...] = ()

    @property
    def forward(self) -> bool:
        """Whether the edge leads to a later stage: an advance, or a discontinuation with a stage of its own."""
        return self.kind is MoveKind.ADVANCE or (self.kind is MoveKind.DISCONTINUE and self.source != self.target)


@dataclass(frozen=True, eq=False)
class StageGraph:
    """A sound state graph. Built by `load_graph`, which refuses unsound ones."""

    name: str
    version: int
    stages: tuple[StageInfo, ...]
    rules: Mapping[str, CheckpointRule]
    edges: tuple[Edge, ...]
    sites: tuple[Site, ...]
    disease_groups: tuple[DiseaseGroup, ...]
    routes: tuple[Route, ...]
    source_text: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the source text, in hexadecimal."""
        return hashlib.sha256(self.source_text.encode()).hexdigest()

    @cached_property
    def digraph(self) -> nx.MultiDiGraph[str]:
        """The graph over stage codes, each edge keyed by its kind and holding its Edge as `edge`.

        A multigraph, because a stage holds, resumes, discontinues, restarts and is corrected on loops that a plain
        directed graph would merge into one.
        """
        return as_digraph(self.stages, self.edges)

    @cached_property
    def _forward(self) -> nx.DiGraph[str]:
        return forward_digraph(self.stages, self.edges)

    @cached_property
    def _by_code(self) -> dict[str, StageInfo]:
        return {stage.code: stage for stage in self.stages}

    @cached_property
    def _by_ends(self) -> dict[tuple[MoveKind, str, str], Edge]:
        return {(edge.kind, edge.source, edge.target): edge for edge in self.edges}

    @cached_property
    def _by_source(self) -> dict[str, tuple[Edge, ...]]:
        return {s.code: tuple(edge for edge in self.edges if edge.source == s.code) for s in self.stages}

    @cached_property
    def _ways(self) -> dict[tuple[str, str], tuple[str, ...] | None]:
        return {}

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def stage(self, code: str) -> StageInfo:
        """Return the stage of a code, or refuse the code with the list of those there are."""
        if code not in self._by_code:
            raise InputError(
                f"{code[:60]!r} is not a stage of {self.name} version {self.version}; "
                f"the stages are {', '.join(self._by_code)}"
            )
        return self._by_code[code]

    @property
    def initial(self) -> StageInfo:
        """The stage where a programme begins when nothing else is said."""
        return next(stage for stage in self.stages if stage.initial)

    def edge(self, kind: MoveKind, source: str, target: str) -> Edge | None:
        """Return the edge of this kind between two stages, or None."""
        return self._by_ends.get((kind, source, target))

    def edges_from(self, code: str, *kinds: MoveKind) -> tuple[Edge, ...]:
        """Return the edges that leave a stage (loops included), of these kinds or of all, in the order of the file."""
        return tuple(edge for edge in self._by_source[self.stage(code).code] if not kinds or edge.kind in kinds)

    def rules_at(self, code: str) -> tuple[str, ...]:
        """Return the rules that advances from a stage require, or that are watched at it, in order."""
        required = {rule for edge in self.edges_from(code) for rule in edge.requires}
        return tuple(sorted(required.union(self.stage(code).watches)))

    def stages_asking(self, rule: str) -> tuple[str, ...]:
        """Return the stages at which a rule is required or watched, earliest first."""
        return tuple(stage.code for stage in self.stages if rule in self.rules_at(stage.code))

    def advances_from(self, code: str) -> tuple[Edge, ...]:
        """Return the advances that leave a stage, in the order of the file."""
        return self.edges_from(code, MoveKind.ADVANCE)

    def ahead_of(self, code: str) -> tuple[StageInfo, ...]:
        """Return every stage that lies ahead, however far, earliest first."""
        import networkx as nx

        ahead = nx.descendants(self._forward, self.stage(code).code)
        return tuple(stage for stage in self.stages if stage.code in ahead)

    def reachable_by_advances(self, source: str, target: str) -> tuple[str, ...] | None:
        """Return the stages passed over between two stages, or None when no forward way leads from one to the other.

        Empty when an edge joins them. Otherwise the longest way through single phases, because a molecule found in
        phase 3 after phase 1 has missed phase 2, not phase 1/2; stages that either end combines are not missed.
        """
        ends = (self.stage(source).code, self.stage(target).code)
        if ends not in self._ways:
            self._ways[ends] = self._way(*ends)
        return self._ways[ends]

    def _way(self, source: str, target: str) -> tuple[str, ...] | None:
        if self._forward.has_edge(source, target):
            return ()
        single = {stage.code for stage in self.stages if not stage.combines} | {source, target}
        way = self._longest_way(source, target, single) or self._longest_way(source, target, set(self._by_code))
        if way is None:
            return None
        combined = {*self.stage(source).combines, *self.stage(target).combines}
        return tuple(code for code in way if code not in combined)

    def _longest_way(self, source: str, target: str, through: set[str]) -> tuple[str, ...] | None:
        """Return the stages between two stages on the longest way; of equal ways, the first in the file."""
        ways: dict[str, tuple[str, ...]] = {source: ()}
        for stage in self.stages:  # by ordinal, which every forward edge follows
            if stage.code in ways:
                here = ways[stage.code] + ((stage.code,) if stage.code != source else ())
                for edge in self._by_source[stage.code]:
                    longer = edge.target not in ways or len(here) > len(ways[edge.target])
                    if edge.forward and edge.target in through and longer:
                        ways[edge.target] = here
        return ways.get(target) if target != source else None

    def furthest(self, codes: Iterable[str]) -> str | None:
        """Return the furthest of these stages by ordinal, or None for none."""
        return max(codes, key=lambda code: self.stage(code).ordinal, default=None)

    def site_for(self, code: str, disease_group: str | None) -> Routing:
        """Return where the work of a stage is done for a disease group; no site, with the reason, when unknown."""
        routes = [route for route in self.routes if self.stage(code).code in route.stages]
        group = group_of(disease_group, self.disease_groups) if disease_group else None
        for route in routes:
            if not route.disease_groups:
                return Routing(self._sites(route), f"{code}: all disease groups")
            if group is not None and group.code in route.disease_groups:
                return Routing(self._sites(route), f"{code}: {group.code}")
        known = ", ".join(name for route in routes for name in route.disease_groups)
        given = f"disease group {disease_group[:60]!r} has no route" if disease_group else "no disease group is given"
        return Routing((), f"{code}: {given}; routed are {known}")

    def routing_of(self, site: str) -> tuple[str, ...]:
        """Return in words which stages and disease groups are run at a site, one line per route."""
        return tuple(
            f"{', '.join(route.stages)}: {', '.join(route.disease_groups) or 'all disease groups'}"
            for route in self.routes
            if site in route.sites
        )

    def _sites(self, route: Route) -> tuple[Site, ...]:
        return tuple(site for site in self.sites if site.code in route.sites)


def as_digraph(stages: Iterable[StageInfo], edges: Iterable[Edge]) -> nx.MultiDiGraph[str]:
    """Return the networkx multigraph of stages and edges, keyed by kind."""
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from((stage.code, {"stage": stage}) for stage in stages)
    for edge in edges:
        graph.add_edge(edge.source, edge.target, key=edge.kind.value, edge=edge)
    return graph


def forward_digraph(stages: Iterable[StageInfo], edges: Iterable[Edge]) -> nx.DiGraph[str]:
    """Return the networkx graph of the edges that lead to a later stage."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(stage.code for stage in stages)
    graph.add_edges_from((edge.source, edge.target) for edge in edges if edge.forward)
    return graph


def load_graph(text: str, *, name: str) -> StageGraph:
    """Read a state graph, or raise one StageGraphError that names every defect. `name` is what the text is called."""
    from pipeline.stages.records import read_graph

    graph, defects = read_graph(text)
    if graph is None or defects:
        more = len(defects) - _MAX_DEFECTS
        named = [f"{name}: {defect}" for defect in defects[:_MAX_DEFECTS]]
        raise StageGraphError(named + ([f"{name}: and {more} more"] if more > 0 else []))
    return graph


@lru_cache(maxsize=1)
def default_graph() -> StageGraph:
    """Return the graph the project ships."""
    source = files("pipeline.stages").joinpath("default.toml")
    return load_graph(source.read_text(encoding="utf-8"), name="default.toml")
