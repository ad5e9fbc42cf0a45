"""Stages, sites, checkpoint rules and the state graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
import orjson

from pipeline.reports.rules_on_record import RecordedRule, latest_parameters, recorded_rules, shown_characteristics
from pipeline.store.reader import Reader
from schema.reading import column, computed, given, many
from schema.scalars import JSON
from schema.words import CheckpointKind, MoveKind


class Stage(graphene.ObjectType):
    """How far a programme got: one stage of a state graph."""

    code = column(graphene.String, "code", required=True, description="For example PHASE_1.")
    name = column(graphene.String, "name", required=True, description="For people to read.")
    platform = column(
        graphene.String, "platform", required=True, description="CREFRE, CLIPP or the site network of late phases."
    )
    ordinal = column(graphene.Int, "ordinal", required=True, description="Orders stages, earliest first.")


class Site(graphene.ObjectType):
    """A place where studies are run."""

    code = column(graphene.String, "code", required=True, description="The site's code.")
    name = column(graphene.String, "name", required=True, description="The site's name.")
    city = column(graphene.String, "city", description="Where it is.")
    routing = column(
        graphene.List(graphene.NonNull(graphene.String)),
        "routing",
        decode=orjson.loads,
        required=True,
        description="Which phases and disease groups are run there.",
    )


def _rules_of(reader: Reader) -> dict[tuple[str, int], Any]:
    return recorded_rules(reader.connection, reader.graphs.in_force(reader.connection)[1], reader.view)


def _in_use(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[bool]:
    rules = _rules_of(reader)
    return [rules[row["code"], row["number"]].in_use for row in rows]


def _characteristics(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[dict[str, Any]]:
    rules = _rules_of(reader)
    known = latest_parameters(rules)
    return [shown_characteristics(rules[row["code"], row["number"]], known) for row in rows]


class CheckpointRule(graphene.ObjectType):
    """A rule as data: what is measured, the statistic, its parameters and the bar."""

    code = column(graphene.String, "code", required=True, description="The rule's code.")
    version = column(graphene.Int, "number", required=True, description="The rule's version.")
    kind = column(CheckpointKind, "kind", required=True, description="Toxicity or efficacy.")
    method = column(graphene.String, "method", required=True, description="The statistic, by its method number.")
    parameters = column(JSON, "parameters", required=True, description="The bar and what else the method needs.")
    description = column(graphene.String, "description", required=True, description="What it asks, in a sentence.")
    source = column(graphene.String, "source", required=True, description="Where the rule comes from.")
    in_use = computed(
        graphene.Boolean,
        _in_use,
        needs=("code", "number"),
        required=True,
        description="Whether assessments are made by this version now.",
    )
    characteristics = computed(
        JSON,
        _characteristics,
        needs=("code", "number"),
        required=True,
        description="How often it is wrong under stated truths: false_go, false_stop, expected sizes; or why not.",
    )


class StageEdge(graphene.ObjectType):
    """A move the state graph knows."""

    # `from` is a word of Python.
    from_ = given(Stage, name="from", required=True, description="The stage it leaves.")
    to = given(Stage, required=True, description="The stage it leads to; the same for a hold or a stop.")
    kind = given(MoveKind, required=True, description="How it moves.")
    requires = given(
        graphene.List(graphene.NonNull(CheckpointRule)),
        required=True,
        description="The checkpoint rules an advance has to pass.",
    )


def stage_row(stage: Any) -> dict[str, Any]:
    """Return a stage of a graph as a row of `Stage`."""
    return {"code": stage.code, "name": stage.name, "platform": stage.platform, "ordinal": stage.ordinal}


class _RuleRow(dict[str, Any]):
    """A rule as a row of `CheckpointRule`; its characteristics are worked out where they are asked for."""

    def __init__(self, one: RecordedRule, known: Mapping[str, Any]) -> None:
        rule = one.rule
        super().__init__(
            code=rule.code,
            version=rule.version,
            kind=rule.kind,
            method=rule.method,
            parameters=dict(rule.parameters),
            description=rule.description,
            source=rule.source,
            inUse=one.in_use,
        )
        self._one, self._known = one, known

    def __missing__(self, name: str) -> Any:
        if name != "characteristics":
            raise KeyError(name)
        self[name] = shown_characteristics(self._one, self._known)
        return self[name]


def rule_row(one: RecordedRule, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule on record as a row of `CheckpointRule`; `known`: what a composed one names, by code."""
    return _RuleRow(one, known)


def _edges(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
    rules = _rules_of(reader)
    known = latest_parameters(rules)
    answers = []
    for row in rows:
        graph = reader.graph(row["id"])
        answers.append(
            [
                {
                    "from": stage_row(graph.stage(edge.source)),
                    "to": stage_row(graph.stage(edge.target)),
                    "kind": edge.kind,
                    "requires": [rule_row(rules[code, graph.rules[code].version], known) for code in edge.requires],
                }
                for edge in graph.edges
            ]
        )
    return answers


def _dot(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[str]:
    from pipeline.stages.drawing import dot

    return [dot(reader.graph(row["id"])) for row in rows]


def _svg(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[str]:
    from pipeline.stages.drawing import svg

    return [svg(reader.graph(row["id"])) for row in rows]


class StateGraph(graphene.ObjectType):
    """The stages and every move between them, as a version that never changes."""

    name = column(graphene.String, "name", required=True, description="Whose graph it is.")
    version = column(graphene.Int, "number", required=True, description="Programmes keep the version they began under.")
    digest = column(graphene.String, "digest", required=True, description="SHA-256 of the graph's text.")
    stages = many(Stage, "Stage", child="graph_id", order=("ordinal",), description="Earliest first.")
    edges = computed(
        graphene.List(graphene.NonNull(StageEdge)), _edges, needs=("id",), required=True, description="Every move."
    )
    dot = computed(graphene.String, _dot, needs=("id",), required=True, description="Graphviz DOT of the graph.")
    svg = computed(graphene.String, _svg, needs=("id",), required=True, description="A drawing of the graph.")
