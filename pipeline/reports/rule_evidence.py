"""The evidence of any rule, one made of others included: each part is gathered as if it stood alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from pipeline.assessment.composition import Criterion, leaves, read_composition
from pipeline.assessment.finding import Evidence, Seen
from pipeline.reports.checkpoint_evidence import gather, kinds_of
from pipeline.reports.record_versions import Records, RecordsSeen
from pipeline.reports.rules_on_record import the_rule
from pipeline.stages.checkpoints import COMPOSED, CheckpointRule
from pipeline.store.basis import rule_of
from pipeline.store.checkpoint_tables import evidence_packets
from pipeline.store.nodes import among, visible
from pipeline.store.reader import Reader
from pipeline.store.tables import checkpoint_rules, programmes


def evidence_of(
    reader: Reader,
    programme: Mapping[str, Any],
    rule: CheckpointRule,
    parts: Mapping[str, CheckpointRule] | None = None,
    records: Records | None = None,
) -> Evidence:
    """Return what the records say to a rule about a programme: those of the moment the reader sees, or `records`.

    The inputs of a composed rule are its `parts`, one for each leaf, with the version of the rule each was gathered
    for: the one in use at that moment, unless `parts` gives another.
    """
    if rule.method != COMPOSED:
        return gather(records or RecordsSeen(reader), programme, rule)
    gathered: list[dict[str, object]] = []
    seen: dict[Seen, None] = {}
    missing: dict[str, None] = {}
    for leaf in leaves(read_composition(rule.parameters["composition"])):
        part = part_of(reader, programme, rule, leaf, parts or {})
        found = evidence_of(reader, programme, part, parts, records)
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


def kinds_bearing(rule: CheckpointRule, parts: Mapping[str, CheckpointRule]) -> frozenset[str]:
    """Return the kinds of records that can change what a rule finds; of a composed one, those of its `parts`."""
    if rule.method != COMPOSED:
        return kinds_of(rule)
    found: frozenset[str] = frozenset()
    for leaf in leaves(read_composition(rule.parameters["composition"])):
        part = leaf.as_rule(rule.kind) if isinstance(leaf, Criterion) else parts.get(leaf)
        found |= frozenset() if part is None else kinds_bearing(part, parts)
    return found


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


def evidence_again(reader: Reader, rows: Sequence[Mapping[str, Any]]) -> dict[int, tuple[CheckpointRule, Evidence]]:
    """Return, by checkpoint, the version of the rule it was assessed by and what the records say to that now.

    Checkpoints that were decided on documents have none.

    Args:
        reader: sees the moment the records are read at.
        rows: of checkpoints: id, programme_id, stage, rule_code, rule_number.
    """
    packets, view = evidence_packets, reader.view
    wanted = among(packets.c.checkpoint_id, [row["id"] for row in rows])
    assessed = set(
        reader.connection.execute(select(packets.c.checkpoint_id).where(visible(packets, view), wanted)).scalars()
    )
    rows = [row for row in rows if row["id"] in assessed]
    of_codes = among(checkpoint_rules.c.code, sorted({row["rule_code"] for row in rows}))
    recorded = select(checkpoint_rules).where(visible(checkpoint_rules, view), of_codes)
    rules = {(row["code"], row["number"]): rule_of(dict(row)) for row in reader.connection.execute(recorded).mappings()}
    of_ids = among(programmes.c.id, sorted({row["programme_id"] for row in rows}))
    found = select(programmes).where(visible(programmes, view), of_ids)
    developed = {row["id"]: dict(row) for row in reader.connection.execute(found).mappings()}
    again = {}
    for row in rows:
        rule = rules.get((row["rule_code"], row["rule_number"]))
        if rule is not None and row["programme_id"] in developed:
            then = developed[row["programme_id"]] | {"stage": row["stage"]}
            again[row["id"]] = rule, evidence_of(reader, then, rule)
    return again


def values_of(evidence: Evidence) -> dict[tuple[str, int, str], str]:
    """Return what was taken from each record, by its node, id and what it says."""
    return {(seen.node, seen.id, seen.label): seen.value for seen in evidence.seen}
