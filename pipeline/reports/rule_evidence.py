"""The evidence of any rule, one made of others included: each part is gathered as if it stood alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.assessment.composition import Criterion, leaves, read_composition
from pipeline.assessment.finding import Evidence, Seen
from pipeline.reports.checkpoint_evidence import gather
from pipeline.reports.rules_on_record import the_rule
from pipeline.stages.checkpoints import COMPOSED, CheckpointRule
from pipeline.store.reader import Reader


def evidence_of(
    reader: Reader,
    programme: Mapping[str, Any],
    rule: CheckpointRule,
    parts: Mapping[str, CheckpointRule] | None = None,
) -> Evidence:
    """Return what the records say to a rule about a programme, from the moment the reader sees.

    The inputs of a composed rule are its `parts`, one for each leaf, with the version of the rule each was gathered
    for: the one in use at that moment, unless `parts` gives another.
    """
    if rule.method != COMPOSED:
        return gather(reader, programme, rule)
    gathered: list[dict[str, object]] = []
    seen: dict[Seen, None] = {}
    missing: dict[str, None] = {}
    for leaf in leaves(read_composition(rule.parameters["composition"])):
        part = part_of(reader, programme, rule, leaf, parts or {})
        found = evidence_of(reader, programme, part, parts)
        seen |= dict.fromkeys(found.seen)
        missing |= dict.fromkeys(found.missing)
        gathered.append(
            {
                "rule": {
                    "code": part.code,
                    "version": part.version,
                    "kind": part.kind.value,
                    "method": part.method,
                    "parameters": dict(part.parameters),
                    "description": part.description,
                    "source": part.source,
                },
                "inputs": dict(found.inputs),
                "missing": list(found.missing),
            }
        )
    return Evidence({"parts": gathered}, tuple(seen), tuple(missing))


def part_of(
    reader: Reader,
    programme: Mapping[str, Any],
    rule: CheckpointRule,
    leaf: str | Criterion,
    parts: Mapping[str, CheckpointRule],
) -> CheckpointRule:
    """Return the rule a leaf of a composition stands for."""
    if isinstance(leaf, Criterion):
        return leaf.as_rule(rule.kind)
    if leaf in parts:
        return parts[leaf]
    return the_rule(reader.connection, reader.graph(programme["graph_id"]), leaf, None, reader.view).rule
