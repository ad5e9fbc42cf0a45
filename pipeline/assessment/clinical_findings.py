"""What the clinical rules find: continued toxicity, liver, heart, exposure and response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.assessment.finding import STATE_IT, Finding, not_computable
from pipeline.efficacy.predictive_probability import predictive_probability
from pipeline.efficacy.response_rate import check_counts, clopper_pearson, wilson
from pipeline.efficacy.simon import simon_designs
from pipeline.rounding import above, at_least, below
from pipeline.toxicity.liver_course import LiverTest, candidate, peaks
from pipeline.toxicity.selection import prob_over
from pipeline.words import Verdict

Inputs = Mapping[str, Any]
Parameters = Mapping[str, Any]


def continued_toxicity(inputs: Inputs, parameters: Parameters) -> Finding:
    """B8: the posterior probability that toxicity exceeds the target stays at or below the cutoff.

    Toxicity is a dose-limiting one, or the `event` the rule names; the target of that may be the rate of the label.
    """
    k, n = inputs["with_dlt"], inputs["treated"]
    target, cutoff = float(parameters["target"]), float(parameters["cutoff"])
    check_counts(k, n)
    probability = float(prob_over(target, k, n, monitoring_prior(parameters)))
    stop = probability > cutoff
    event = parameters.get("event")
    had = "a dose-limiting toxicity" if event is None else f"the event {event}"
    return Finding(
        Verdict.NO_GO if stop else Verdict.GO,
        f"{k} of {n} subjects had {had}: the probability that its rate exceeds "
        f"{100 * target:g} % is {probability:.3g}, {'above' if stop else 'not above'} {cutoff:g}.",
        probability,
        cutoff,
        {"with_dlt": k, "treated": n},
    )


def monitoring_prior(parameters: Parameters) -> tuple[float, float]:
    """Return the prior a rule of B8 states, else one worth a single subject whose mean is the target."""
    target = float(parameters["target"])
    first, second = parameters.get("prior") or (target, 1 - target)
    return float(first), float(second)


def liver_safety(inputs: Inputs, parameters: Parameters) -> Finding:
    """B9: no candidate for Hy's law. `subjects`: results as id, test, day and multiple of the upper limit."""
    cases, unknown = [], 0
    for subject in inputs["subjects"]:
        tests = [LiverTest(*each) for each in subject["tests"]]
        if candidate(tests) is not None:
            cases.append(subject["id"])
        unknown += None in peaks(tests)
    allowed = int(parameters.get("potential_cases_max", 0))
    n = len(inputs["subjects"]) - unknown
    if n == 0:
        return not_computable(["an aminotransferase and a bilirubin with their upper limits in one subject"])
    note = f" {unknown} subjects have no complete set of liver tests." if unknown else ""
    over = len(cases) > allowed
    return Finding(
        Verdict.HOLD if over else Verdict.GO,
        f"{len(cases)} of {n} subjects are potential Hy's law cases; {allowed} are allowed.{note}"
        + (" Each has to be explained before the programme goes on." if over else ""),
        float(len(cases)),
        float(allowed),
        {"cases": cases, "subjects": n},
    )


def cardiac_safety(inputs: Inputs, parameters: Parameters) -> Finding:
    """B10: QTc at or below the absolute limit, and within the change from baseline, ms."""
    limit, change_limit = float(parameters.get("absolute_ms_max", 500)), float(parameters.get("change_ms_max", 60))
    beyond = [
        subject["id"]
        for subject in inputs["subjects"]
        if above(subject["longest_ms"], limit)
        or (subject.get("longest_change_ms") is not None and above(subject["longest_change_ms"], change_limit))
    ]
    n = len(inputs["subjects"])
    longest = max((subject["longest_ms"] for subject in inputs["subjects"]), default=None)
    if longest is None:
        return not_computable(["a QTc reading"])
    return Finding(
        Verdict.HOLD if beyond else Verdict.GO,
        f"{len(beyond)} of {n} subjects had a QTc above {limit:g} ms or {change_limit:g} ms above baseline (longest "
        f"{longest:g} ms)." + (" Each has to be explained." if beyond else ""),
        longest,
        limit,
        {"beyond": beyond, "subjects": n},
    )


def target_exposure(inputs: Inputs, parameters: Parameters) -> Finding:
    """D9: the share of subjects at target exposure is at or above the bar."""
    k, n = inputs["at_target"], inputs["told"]
    bar = float(parameters["share_at_target_min"])
    if n == 0:
        return not_computable(["subjects whose exposure can be held against a target"])
    low, high = wilson(k, n)
    passed = at_least(k / n, bar)
    return Finding(
        Verdict.GO if passed else Verdict.RECYCLE,
        f"{k} of {n} subjects reach the target exposure (95 % interval {100 * low:.0f} to {100 * high:.0f} %); "
        f"{100 * bar:g} % are asked for."
        + ("" if passed else " The mechanism has not been tested: the dose has to be looked at, not the target."),
        k / n,
        bar,
        {"at_target": k, "told": n, "low": low, "high": high},
    )


def response_rate(inputs: Inputs, parameters: Parameters) -> Finding:
    """C3: the exact interval of the response rate lies above `p0`; where it lies below `p1` (else `p0`) it stops."""
    x, n = inputs["responders"], inputs["evaluable"]
    if n == 0:
        return not_computable(["evaluable subjects"])
    check_counts(x, n)
    level, p0 = float(parameters.get("conf_level", 0.95)), float(parameters["p0"])
    p1 = float(parameters.get("p1", p0))
    low, high = clopper_pearson(x, n, level)
    shown = f"{x} of {n} evaluable subjects respond ({100 * level:g} % interval {_percent((low, high))})"
    outcome: dict[str, object] = {"responders": x, "evaluable": n, "low": low, "high": high}
    if above(low, p0):
        verdict, said = Verdict.GO, f"the rate is above {100 * p0:g} %"
    elif below(high, p1):
        verdict, said = Verdict.NO_GO, f"a rate of {100 * p1:g} % is ruled out"
    else:
        verdict, said = Verdict.HOLD, f"neither a rate of {100 * p0:g} % nor one of {100 * p1:g} % is ruled out"
    return Finding(verdict, f"{shown}: {said}.", x / n, p0, outcome)


def two_stage_response(inputs: Inputs, parameters: Parameters) -> Finding:
    """C4: responses pass the stages of Simon's optimal design, or of the one given by r1, n1, r, n."""
    x, evaluable = inputs["responders"], inputs["evaluable"]
    design = two_stage_design(parameters)
    if design is None:
        return not_computable(["a two-stage design of at most 100 subjects for these rates"], STATE_IT)
    r1, n1, r, n = design
    outcome: dict[str, object] = {"r1": r1, "n1": n1, "r": r, "n": n, "responders": x, "evaluable": evaluable}
    if evaluable < n1 and x + n1 - evaluable > r1:
        return Finding(
            Verdict.HOLD,
            f"{x} responses in {evaluable} subjects; the first stage of the design asks for {n1}.",
            float(x),
            float(r1),
            outcome,
        )
    interval = clopper_pearson(x, evaluable)
    shown = f"{x} responses in {evaluable} subjects (95 % interval {_percent(interval)})"
    if x <= r1 and evaluable < n:
        # Not more than r1 now, or not even if all that are left of n1 respond: the stage cannot be passed any more.
        return Finding(
            Verdict.NO_GO,
            f"{shown}: not more than the {r1} of the first stage ({n1} subjects) can be reached; the trial stops for "
            "futility.",
            float(x),
            float(r1),
            outcome,
        )
    if x + n - evaluable <= r:
        return Finding(
            Verdict.NO_GO,
            f"{shown}: more than the {r} of the design of {n} subjects cannot be reached any more.",
            float(x),
            float(r),
            outcome,
        )
    if evaluable < n and x <= r:
        return Finding(
            Verdict.CONDITIONAL_GO,
            f"{shown}: more than the {r1} of the first stage ({n1} subjects); the second goes on to {n}.",
            float(x),
            float(r1),
            outcome,
        )
    passed = x > r
    return Finding(
        Verdict.GO if passed else Verdict.NO_GO,
        f"{shown}: {'more than' if passed else 'not more than'} the {r} of the design of {n} subjects.",
        float(x),
        float(r),
        outcome,
    )


def two_stage_design(parameters: Parameters) -> tuple[int, int, int, int] | None:
    """Return r1, n1, r, n: as a rule of C4 states them, else Simon's optimal ones; None where there are none."""
    if "n1" in parameters:
        return (int(parameters["r1"]), int(parameters["n1"]), int(parameters["r"]), int(parameters["n"]))
    p0, p1, alpha, beta = (float(parameters[name]) for name in ("p0", "p1", "alpha", "beta"))
    optimal = simon_designs(p0, p1, alpha, beta).optimal
    return None if optimal is None else (optimal.r1, optimal.n1, optimal.r, optimal.n)


def predicted_response(inputs: Inputs, parameters: Parameters) -> Finding:
    """C6: the predictive probability of success at the planned size is not below the futility limit."""
    x, n, planned = inputs["responders"], inputs["evaluable"], inputs["planned"]
    first, second = parameters["prior"]
    limit = float(parameters["theta_l"])
    if n > planned:
        planned = n
    result = predictive_probability(
        x, n, planned, (float(first), float(second)), float(parameters["p0"]), float(parameters["theta_t"])
    )
    futile = below(result.pp, limit)
    return Finding(
        Verdict.NO_GO if futile else Verdict.GO if n == planned else Verdict.CONDITIONAL_GO,
        f"{x} responses in {n} of {planned} planned subjects: the predictive probability of success is "
        f"{result.pp:.3g}, {'below' if futile else 'not below'} {limit:g}.",
        result.pp,
        limit,
        {"responders": x, "evaluable": n, "planned": planned},
    )


def _percent(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.0f} to {100 * interval[1]:.0f} %"
