"""How often rules that hold counts of subjects, or a statistic of them, against a limit are wrong: exact figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any

from pipeline.assessment.clinical_findings import monitoring_prior, two_stage_design
from pipeline.assessment.operating_figures import APART, EXACT, Characteristics, not_defined
from pipeline.rounding import above, at_least

COHORT = 3
PLANNED = 36
SHARED_BY = 20
"""So many models or subjects a share is taken of."""
LOOKS = tuple(range(3, 31, 3))
SIGNAL_SUBJECTS, SIGNAL_LOOKS = 500, 10


def two_stage(parameters: Mapping[str, Any]) -> Characteristics:
    """C4: both stages of the design, followed exactly."""
    from pipeline.efficacy.simon import simon_characteristics

    design = two_stage_design(parameters)
    if design is None:
        return not_defined("C4", "there is no design of at most 100 subjects for these rates")
    r1, n1, r, n = design
    if "p0" not in parameters or "p1" not in parameters:
        return not_defined("C4", "the design states no rates to tell apart; give p0 and p1 beside r1, n1, r and n")
    p0, p1 = float(parameters["p0"]), float(parameters["p1"])
    found = simon_characteristics(r1, n1, r, n, [p0, p1])
    return Characteristics(
        method="C4",
        basis=EXACT,
        bad=f"response rate {p0:g}",
        good=f"response rate {p1:g}",
        false_go=found.prob_reject[0],
        false_stop=1 - found.prob_reject[1],
        expected_n_bad=found.expected_n[0],
        expected_n_good=found.expected_n[1],
        more={"r1": r1, "n1": n1, "r": r, "n": n, "early_stop_bad": found.pet[0], "early_stop_good": found.pet[1]},
    )


def predicted(parameters: Mapping[str, Any]) -> Characteristics:
    """C6: every look of the design the limits lead to, followed exactly."""
    from pipeline.attrition.operating_characteristics import checkpoint_characteristics
    from pipeline.efficacy.predictive_probability import predictive_design

    p0, theta_t, theta_l = (float(parameters[name]) for name in ("p0", "theta_t", "theta_l"))
    first, second = (float(each) for each in parameters["prior"])
    planned = int(parameters.get("planned", PLANNED))
    p1 = float(parameters.get("p1", min(p0 + APART, (1 + p0) / 2)))
    first_look = min(10, planned)
    design = predictive_design(planned, (first, second), p0, p1, theta_t, theta_l, first_look, 1)
    go = design.success_if_ge
    found = checkpoint_characteristics(design.n, design.stop_futility_if_le[:-1], go - 1, go, p0, p1)
    assumed: dict[str, Any] = {"looks": f"after each subject from {first_look}"}
    assumed |= {} if "planned" in parameters else {"planned": planned}
    assumed |= {} if "p1" in parameters else {"p1": p1}
    return Characteristics(
        method="C6",
        basis=EXACT,
        bad=f"response rate {p0:g}",
        good=f"response rate {p1:g}",
        false_go=found.false_go,
        false_stop=found.false_stop,
        expected_n_bad=found.bad.expected_n,
        expected_n_good=found.good.expected_n,
        assumed=assumed,
        more={"success_from": go, "early_stop_bad": found.bad.p_early_stop},
    )


def monitoring(parameters: Mapping[str, Any]) -> Characteristics:
    """B8: every look, followed exactly; with an `event`, ten looks at many subjects."""
    from pipeline.toxicity.monitoring import toxicity_monitoring

    target, cutoff = float(parameters["target"]), float(parameters["cutoff"])
    planned, every, apart = parameters.get("planned"), COHORT, APART
    last = LOOKS[-1] if planned is None else int(planned)
    if "event" in parameters:  # rare, and looked for among many
        last = SIGNAL_SUBJECTS if planned is None else last
        every, apart = max(1, last // SIGNAL_LOOKS), target
    bad = float(parameters.get("p_bad", min(target + apart, (1 + target) / 2)))
    looks = tuple(sorted({*range(every, last + 1, every), last}))
    found = toxicity_monitoring(target, looks, [bad, target], monitoring_prior(parameters), cutoff)
    assumed: dict[str, Any] = {"looks": f"after every {every} subjects up to {looks[-1]}"}
    assumed |= {} if "p_bad" in parameters else {"p_bad": bad}
    return Characteristics(
        method="B8",
        basis=EXACT,
        bad=f"toxicity rate {bad:g}",
        good=f"toxicity rate {target:g}",
        false_go=1 - found.prob_stop[0],
        false_stop=found.prob_stop[1],
        expected_n_bad=found.expected_n[0],
        expected_n_good=found.expected_n[1],
        assumed=assumed,
        more={
            "looks": list(found.looks),
            "stop_from": list(found.stop_if_dlt_ge),
            "first_look_that_can_stop": found.first_look_that_can_stop,
        },
    )


def share_of_models(parameters: Mapping[str, Any]) -> Characteristics:
    """A7: a share of 20 models that respond is held against the bar."""
    return _share("A7", float(parameters["response_share_min"]), "share of models that respond")


def share_at_target(parameters: Mapping[str, Any]) -> Characteristics:
    """D9: a share of 20 subjects at the target exposure is held against the bar."""
    return _share("D9", float(parameters["share_at_target_min"]), "share of subjects at the target")


def _share(method: str, bar: float, what: str) -> Characteristics:
    n, bad, good = SHARED_BY, max(bar - APART, bar / 2), min(bar + APART, (1 + bar) / 2)
    assumed = {"n": n, "bad": bad, "good": good}
    return _binomial(method, what, (bad, good), n, lambda k: at_least(k / n, bar), assumed)


def response_rate(parameters: Mapping[str, Any]) -> Characteristics:
    """C3: the lower limit of the exact interval is held against p0, at the planned size."""
    from pipeline.efficacy.response_rate import clopper_pearson

    p0, level = float(parameters["p0"]), float(parameters.get("conf_level", 0.95))
    p1 = float(parameters.get("p1", min(p0 + APART, (1 + p0) / 2)))
    n = int(parameters.get("planned", PLANNED))
    assumed = {name: value for name, value in (("planned", n), ("p1", p1)) if name not in parameters}

    def goes(x: int) -> bool:
        return above(clopper_pearson(x, n, level)[0], p0)

    return _binomial("C3", "response rate", (p0, p1), n, goes, assumed)


def _binomial(
    method: str,
    what: str,
    rates: tuple[float, float],
    n: int,
    goes: Callable[[int], bool],
    assumed: Mapping[str, Any],
) -> Characteristics:
    """Return those of a rule that goes on from some count among n upwards, for a bad and a good rate."""
    from pipeline.efficacy.sequential import binomial_pmf

    bad, good = rates
    needed = next((k for k in range(n + 1) if goes(k)), n + 1)
    return Characteristics(
        method=method,
        basis=EXACT,
        bad=f"{what} {bad:g}",
        good=f"{what} {good:g}",
        false_go=float(binomial_pmf(n, bad)[needed:].sum()),
        false_stop=float(binomial_pmf(n, good)[:needed].sum()),
        expected_n_bad=float(n),
        expected_n_good=float(n),
        assumed=assumed,
        more={"go_from": needed},
    )


def conditional_power(parameters: Mapping[str, Any]) -> Characteristics:
    """C7: the interim z is normal, with mean 0 without an effect, else the drift times the root of the fraction."""
    from scipy.special import ndtr, ndtri

    alpha, bar = float(parameters["alpha_one_sided"]), float(parameters["conditional_power_min"])
    fraction, power = 0.5, 0.9
    critical = float(ndtri(1 - alpha))
    drift = critical + float(ndtri(power))
    # Conditional power is at the bar where B(t) + drift (1 - t) - critical = ndtri(bar) root(1 - t).
    limit = (float(ndtri(bar)) * sqrt(1 - fraction) + critical - drift * (1 - fraction)) / sqrt(fraction)
    return Characteristics(
        method="C7",
        basis=EXACT,
        bad="no effect",
        good="the effect the trial was designed for",
        false_go=float(1 - ndtr(limit)),
        false_stop=float(ndtr(limit - drift * sqrt(fraction))),
        assumed={"information_fraction": fraction, "power_of_the_design": power},
        more={"stop_below_z": limit},
    )
