"""From a rule and its evidence to a finding: each method of the catalogue that a rule may name, with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.assessment import clinical_findings as clinical
from pipeline.assessment import preclinical_findings as preclinical
from pipeline.assessment.finding import Evidence, Finding, not_computable
from pipeline.errors import InputError
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.words import Verdict


@dataclass(frozen=True, slots=True)
class Evaluator:
    """How rules of one method are evaluated.

    Attributes:
        evaluate: inputs and parameters of the rule -> finding.
        needs: the inputs without which there is nothing to evaluate.
        parameters: the parameters a rule of the method has to state.
    """

    evaluate: Callable[[Mapping[str, Any], Mapping[str, Any]], Finding]
    needs: tuple[str, ...]
    parameters: tuple[str, ...]


EVALUATORS: Mapping[str, Evaluator] = {
    "A3": Evaluator(preclinical.starting_dose, (), ()),
    "A4": Evaluator(
        preclinical.herg,
        ("herg_ic50_um", "cmax_ng_per_ml", "molar_mass", "fraction_unbound"),
        ("alert_below", "caution_below"),
    ),
    "A5": Evaluator(preclinical.exposure_margin, ("margins",), ("free_margin_min",)),
    "A6": Evaluator(preclinical.tumour_growth, ("arms",), ("tc_percent_max",)),
    "A7": Evaluator(preclinical.xenograft_responses, ("animals",), ("response_share_min", "responses")),
    "B4": Evaluator(clinical.escalation, ("levels",), ("target",)),
    "B8": Evaluator(clinical.continued_toxicity, ("with_dlt", "treated"), ("target", "prior", "cutoff")),
    "B9": Evaluator(clinical.liver_safety, ("subjects",), ()),
    "B10": Evaluator(clinical.cardiac_safety, ("subjects",), ("absolute_ms_max", "change_ms_max")),
    "C4": Evaluator(clinical.two_stage_response, ("responders", "evaluable"), ()),
    "C6": Evaluator(
        clinical.predicted_response, ("responders", "evaluable", "planned"), ("p0", "prior", "theta_t", "theta_l")
    ),
    "C7": Evaluator(
        clinical.conditional_power_left,
        ("z", "information_fraction", "drift_design"),
        ("alpha_one_sided", "conditional_power_min"),
    ),
    "D9": Evaluator(clinical.target_exposure, ("at_target", "told"), ("share_at_target_min",)),
}
"""The methods that are computed from the records. A rule of any other is decided on documents alone."""


def evaluate(rule: CheckpointRule, evidence: Evidence) -> Finding:
    """Return what a rule finds; with incomplete evidence HOLD, with what is missing.

    A rule whose method is not computed from records (REVIEW, survival in a confirmatory trial) asks for people: it
    holds until somebody decides on the documents.
    """
    evaluator = EVALUATORS.get(rule.method)
    if evaluator is None:
        return Finding(
            Verdict.HOLD,
            f"{rule.code} is decided by people on documents, not computed from records: {rule.description}",
        )
    absent = [name for name in evaluator.needs if evidence.inputs.get(name) in (None, [], {})]
    if absent:
        return not_computable(list(evidence.missing) or [name.replace("_", " ") for name in absent])
    try:
        found = evaluator.evaluate(evidence.inputs, rule.parameters)
    except InputError as error:
        return not_computable([f"the evidence contradicts itself ({error})"])
    if evidence.missing:
        note = f" Not on record: {'; '.join(evidence.missing)}."
        return Finding(
            found.recommendation,
            found.explanation + note,
            found.statistic,
            found.threshold,
            found.outcome,
            found.method_version,
        )
    return found
