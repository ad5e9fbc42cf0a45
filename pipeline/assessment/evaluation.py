"""From a rule and its evidence to a finding: each method of the catalogue that a rule may name, with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.assessment import clinical_findings as clinical
from pipeline.assessment import escalation_findings as escalation
from pipeline.assessment import pending_findings as pending
from pipeline.assessment import preclinical_findings as preclinical
from pipeline.assessment import survival_findings as survival
from pipeline.assessment.finding import STATE_IT, Evidence, Finding, not_computable
from pipeline.assessment.marker_findings import by_marker
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
    "A2": Evaluator(preclinical.recommended_start, ("noaels",), ()),
    "A3": Evaluator(preclinical.starting_dose, (), ()),
    "A4": Evaluator(
        preclinical.herg,
        ("herg_ic50_um", "cmax_ng_per_ml", "molar_mass", "fraction_unbound"),
        ("alert_below", "caution_below"),
    ),
    "A5": Evaluator(preclinical.exposure_margin, ("margins",), ("free_margin_min",)),
    "A6": Evaluator(preclinical.tumour_growth, ("arms",), ("tc_percent_max",)),
    "A7": Evaluator(preclinical.xenograft_responses, ("animals",), ("response_share_min", "responses")),
    "B3": Evaluator(escalation.three_plus_three, ("levels",), ()),
    "B4": Evaluator(escalation.escalation, ("levels",), ("target",)),
    "B5": Evaluator(escalation.keyboard, ("levels",), ("target",)),
    "B6": Evaluator(escalation.reassessment, ("levels",), ("target",)),
    "B7": Evaluator(pending.pending_escalation, ("levels", "subjects"), ("target", "window_days")),
    "B8": Evaluator(clinical.continued_toxicity, ("with_dlt", "treated"), ("target", "cutoff")),
    "B9": Evaluator(clinical.liver_safety, ("subjects",), ()),
    "B10": Evaluator(clinical.cardiac_safety, ("subjects",), ("absolute_ms_max", "change_ms_max")),
    "C3": Evaluator(by_marker(clinical.response_rate), ("responders", "evaluable"), ("p0",)),
    "C4": Evaluator(by_marker(clinical.two_stage_response), ("responders", "evaluable"), ()),
    "C6": Evaluator(
        by_marker(clinical.predicted_response),
        ("responders", "evaluable", "planned"),
        ("p0", "prior", "theta_t", "theta_l"),
    ),
    "C7": Evaluator(
        survival.conditional_power_left,
        ("time", "event", "group", "events_planned", "hazard_ratio_design"),
        ("alpha_one_sided", "conditional_power_min"),
    ),
    "C8": Evaluator(survival.lasting, ("time", "event"), ()),
    "C9": Evaluator(survival.survival_benefit, ("time", "event", "group"), ("alpha_two_sided",)),
    "C11": Evaluator(survival.lasting, ("time", "event"), ()),
    "D9": Evaluator(clinical.target_exposure, ("at_target", "told"), ("share_at_target_min",)),
}
"""The methods that are computed from the records. A rule of any other is decided on documents alone."""


SEVEREST_FIRST = (Verdict.NO_GO, Verdict.HOLD, Verdict.RECYCLE, Verdict.CONDITIONAL_GO, Verdict.GO)


def evaluate(rule: CheckpointRule, evidence: Evidence) -> Finding:
    """Return what a rule finds; with incomplete evidence HOLD, with what is missing.

    A rule whose method is not computed from records (REVIEW) asks for people: it holds until somebody decides on the
    documents. A rule with a parameter `with` looks at those methods too, each by the limits in the rule's parameters
    or its usual ones, and recommends the severest of what they find.
    """
    if rule.unstated:
        names = ", ".join(rule.unstated)
        return not_computable([f"{names} (parameters only the centre can state)"], STATE_IT)
    if rule.method not in EVALUATORS:
        return Finding(
            Verdict.HOLD,
            f"{rule.code} is decided by people on documents, not computed from records: {rule.description}",
        )
    found = _found(rule.method, evidence.inputs, rule.parameters, evidence.missing)
    beside: Any = rule.parameters.get("with") or ()
    of_others: Any = evidence.inputs.get("with") or {}
    if beside:
        others = {m: _found(m, of_others.get(m, {}), rule.parameters, evidence.missing) for m in map(str, beside)}
        found = _together(found, others)
    known = found.explanation
    note = [missing for missing in evidence.missing if missing not in known]
    return replace(found, explanation=f"{known} Not on record: {'; '.join(note)}.") if note else found


def _found(method: str, inputs: Mapping[str, Any], parameters: Mapping[str, Any], missing: Sequence[str]) -> Finding:
    evaluator = EVALUATORS.get(method)
    if evaluator is None:
        return not_computable([f"a computation of method {method}"])
    absent = [name for name in evaluator.needs if inputs.get(name) in (None, [], {})]
    if absent:
        return not_computable(list(missing) or [name.replace("_", " ") for name in absent])
    try:
        return evaluator.evaluate(inputs, parameters)
    except InputError as error:
        return Finding(
            Verdict.HOLD,
            f"It cannot be assessed: the evidence contradicts itself ({error}). Correct the records, and assess again.",
        )


def _together(found: Finding, others: Mapping[str, Finding]) -> Finding:
    """Return one finding of several: the severest recommendation, and all that was said."""
    each = [found, *others.values()]
    return replace(
        found,
        recommendation=min((one.recommendation for one in each), key=SEVEREST_FIRST.index),
        explanation=" ".join(dict.fromkeys(one.explanation for one in each)),
        outcome={**found.outcome, "with": {method: dict(one.outcome) for method, one in others.items()}},
    )
