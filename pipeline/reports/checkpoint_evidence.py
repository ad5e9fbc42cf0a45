"""The evidence of a checkpoint, gathered from the records of a programme's molecule as they stand at one moment.

Each method reads what it computes with, and names every record version it saw. What it would need and does not find is
said, never filled in. The number of statements does not depend on how many records there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.assessment.finding import Evidence
from pipeline.reports import (
    activity_evidence,
    escalation_evidence,
    exposure_evidence,
    follow_up_evidence,
    preclinical_evidence,
    safety_evidence,
    survival_evidence,
)
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import Record, Records
from pipeline.stages.checkpoints import CheckpointRule


@dataclass(frozen=True, slots=True)
class Collector:
    """How the evidence of a method is collected, and from which kinds of records it can change.

    `easing`: further kinds that can change what the method finds, but can never be what makes it stop.
    """

    collect: Callable[[Gathering], None]
    kinds: frozenset[str]
    easing: frozenset[str] = frozenset()


def _from(collect: Callable[[Gathering], None], *kinds: str, easing: Iterable[str] = ()) -> Collector:
    return Collector(collect, frozenset({"StudyMolecule", "Study", *kinds}), frozenset(easing))


_GROWTH = ("Measurement", "Subject", "StudyGroup")
_LEVELS = ("DoseLevel", "Subject", "AdverseEvent", "StudyGroup")
_RESPONSES = ("TumourResponse", "BiomarkerResult", "Subject", "StudyGroup")
_EXPOSURES = ("MonitoringRecord", "ExposureLimit", "Administration", "MonitoringSettings", "Molecule")
_COURSES = ("TumourResponse", "Disposition", "Subject", "StudyGroup")

COLLECTORS: Mapping[str, Collector] = {
    "A2": _from(preclinical_evidence.starting_dose, "ToxicityBasis"),
    "A3": _from(preclinical_evidence.starting_dose, "ToxicityBasis"),
    "A4": _from(preclinical_evidence.herg, "MoleculeFact", "Molecule"),
    "A5": _from(preclinical_evidence.margins, "MoleculeFact"),
    "A6": _from(preclinical_evidence.tumour_growth, *_GROWTH, "Disposition"),
    "A7": _from(preclinical_evidence.xenografts, *_GROWTH),
    "B3": _from(escalation_evidence.planned_escalation, *_LEVELS),
    "B4": _from(escalation_evidence.escalation, *_LEVELS),
    "B5": _from(escalation_evidence.escalation, *_LEVELS),
    "B6": _from(escalation_evidence.planned_escalation, *_LEVELS),
    "B7": _from(follow_up_evidence.follow_up, *_LEVELS, easing=follow_up_evidence.SIGHTINGS),
    "B8": _from(safety_evidence.continued_toxicity, *_LEVELS, "EventCount"),
    "B9": _from(safety_evidence.liver, "LaboratoryResult"),
    "B10": _from(safety_evidence.heart, "LaboratoryResult", "Measurement"),
    "C3": _from(activity_evidence.response, *_RESPONSES),
    "C4": _from(activity_evidence.response, *_RESPONSES),
    "C6": _from(activity_evidence.response, *_RESPONSES),
    "C7": _from(survival_evidence.interim, *_COURSES),
    "C8": _from(survival_evidence.durations, *_COURSES),
    "C9": _from(survival_evidence.two_arms, *_COURSES),
    "C11": _from(survival_evidence.progression_free, *_COURSES),
    "D9": _from(exposure_evidence.exposure, *_EXPOSURES),
}
"""How the evidence of each method is collected. A method that is missing here is decided on documents."""


def methods_of(rule: CheckpointRule) -> tuple[str, ...]:
    """Return the methods a rule computes with: its own, and those its parameter `with` names."""
    beside: Any = rule.parameters.get("with") or ()
    return (rule.method, *(str(method) for method in beside))


def kinds_of(rule: CheckpointRule) -> frozenset[str]:
    """Return the kinds of records that can change what a rule finds, one that is not made of others."""
    used = COLLECTORS.keys() & methods_of(rule)
    return frozenset().union(*(COLLECTORS[method].kinds | COLLECTORS[method].easing for method in used))


def gather(records: Records, programme: Record, rule: CheckpointRule) -> Evidence:
    """Return what records say to a rule about a programme.

    What the methods named in `with` compute with is in the input `with`, by method.
    """
    parts = [_collected(records, programme, rule, method) for method in methods_of(rule)]
    inputs = dict(parts[0].inputs)
    if len(parts) > 1:
        inputs["with"] = {name: part.inputs for name, part in zip(methods_of(rule)[1:], parts[1:], strict=True)}
    return Evidence(
        inputs,
        tuple(dict.fromkeys(seen for part in parts for seen in part.seen)),
        _once([missing for part in parts for missing in part.missing]),
    )


def _collected(records: Records, programme: Record, rule: CheckpointRule, method: str) -> Gathering:
    gathering = Gathering(records, programme, rule)
    if method in COLLECTORS and not rule.unstated:
        COLLECTORS[method].collect(gathering)
    return gathering


def _once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
