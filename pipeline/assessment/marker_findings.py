"""What a rule of response finds where a biomarker is present, beside what it finds in all subjects (C10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.assessment.finding import Finding
from pipeline.efficacy.biomarker import marker_interaction, marker_response
from pipeline.efficacy.response_rate import clopper_pearson
from pipeline.names import fold
from pipeline.words import Verdict

Inputs = Mapping[str, Any]
Parameters = Mapping[str, Any]
Evaluate = Callable[[Inputs, Parameters], Finding]

MOST_TOLD = 2
"""So many markers that the rule did not plan are told of in words; all are in the outcome."""
_PASSING = (Verdict.GO, Verdict.CONDITIONAL_GO)


def by_marker(evaluate: Evaluate) -> Evaluate:
    """Return an evaluator that adds the verdict in the subjects in whom each marker on record is present.

    Only the marker the rule names (`biomarker`) was planned; any other is exploratory and changes nothing. Where all
    subjects together do not pass and those with the planned marker do, the recommendation is to go on in these alone.
    """

    def found_in_all_and_by_marker(inputs: Inputs, parameters: Parameters) -> Finding:
        found = evaluate(inputs, parameters)
        planned_name = parameters.get("biomarker")
        told: list[dict[str, Any]] = []
        for marker in inputs.get("markers") or ():
            if marker["treated"]["present"]["evaluable"]:
                planned = isinstance(planned_name, str) and fold(planned_name) == fold(marker["marker"])
                told.append(_of_marker(evaluate, inputs, parameters, marker, planned=planned))
        if not told:
            return found
        shown = [each for each in told if each["planned"]] or told[:MOST_TOLD]
        explanation = " ".join([found.explanation, *(_in_words(each) for each in shown)])
        recommendation = found.recommendation
        passing = [each for each in told if each["planned"] and each["recommendation"] in _PASSING]
        if recommendation is Verdict.NO_GO and passing:
            recommendation = Verdict.CONDITIONAL_GO
            explanation += f" It goes on in subjects with {passing[0]['marker']} alone."
        outcome = {**found.outcome, "markers": told}
        return replace(found, recommendation=recommendation, explanation=explanation, outcome=outcome)

    return found_in_all_and_by_marker


def _of_marker(
    evaluate: Evaluate, inputs: Inputs, parameters: Parameters, marker: Mapping[str, Any], *, planned: bool
) -> dict[str, Any]:
    states = marker["treated"]
    x, n = states["present"]["responders"], states["present"]["evaluable"]
    of_size = inputs.get("planned")
    # The planned size holds for all subjects; of those with the marker as large a share is to be expected.
    share = n / max(n, inputs["evaluable"])
    size = None if of_size is None else max(n, round(of_size * share))
    here = evaluate({**inputs, "responders": x, "evaluable": n, "planned": size, "markers": []}, parameters)
    compared = marker_response(
        *(states[state][what] for state in ("present", "absent", "unknown") for what in ("responders", "evaluable"))
    )
    return {
        "marker": marker["marker"],
        "assays": marker["assays"],
        "planned": planned,
        "recommendation": here.recommendation.value,
        "statistic": here.statistic,
        **{state: _rate(states[state]) for state in ("present", "absent", "unknown")},
        "fisher_p": compared.fisher_p,
        "risk_difference": compared.risk_difference,
        "risk_difference_limits": compared.newcombe_ci,
        "interaction": _interaction(marker),
    }


def _rate(counts: Mapping[str, int]) -> dict[str, Any]:
    x, n = counts["responders"], counts["evaluable"]
    low, high = clopper_pearson(x, n) if n else (None, None)
    return {"responders": x, "evaluable": n, "low": low, "high": high}


def _interaction(marker: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return whether the marker changes the effect of treatment; None without control subjects of both kinds."""
    counts = [
        (marker[arm][state]["responders"], marker[arm][state]["evaluable"])
        for state in ("present", "absent")
        for arm in ("treated", "control")
    ]
    if not all(n for _, n in counts):
        return None
    result = marker_interaction(*(number for pair in counts for number in pair))
    return {
        "log_odds_ratio": result.log_or_interaction,
        "se": result.se,
        "wald_p": result.wald_p,
        "likelihood_ratio_p": result.lrt_p,
    }


def _in_words(told: Mapping[str, Any]) -> str:
    here, without = told["present"], told["absent"]
    label = "Planned" if told["planned"] else "Exploratory, not planned by the rule"
    p = "" if told["fisher_p"] is None else f", Fisher p = {told['fisher_p']:.2g}"
    beside = f" against {without['responders']} of {without['evaluable']} without{p}" if without["evaluable"] else ""
    return (
        f"{label}: with {told['marker']} {here['responders']} of {here['evaluable']} respond (95 % interval "
        f"{100 * here['low']:.0f} to {100 * here['high']:.0f} %){beside}, {told['recommendation']} in these."
    )
