"""How often a rule is wrong: false stop, false go and expected size under stated truths, before it may be used (F1).

Exact where the rule counts; simulated, with the seed and the Monte Carlo error, where it escalates. What the rule
does not state (the size of the trial, the true rates) is assumed, and every assumption is part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import sqrt
from typing import Any

from pipeline.assessment.clinical_findings import monitoring_prior
from pipeline.assessment.composition import Branch, Composition, Criterion, leaves, read_composition
from pipeline.errors import InputError
from pipeline.rounding import above, at_least
from pipeline.stages.checkpoints import COMPOSED, METHODS, CheckpointRule
from pipeline.words import CheckpointKind

EXACT, SIMULATED, NOT_DEFINED = "exact", "simulated", "not defined"
SEED = 20_240_101
TRIALS = 10_000
COHORTS, COHORT, LEVELS = 10, 3, 5
PLANNED = 36
LOOKS = tuple(range(3, 31, 3))
SIGNAL_SUBJECTS, SIGNAL_LOOKS = 500, 10
APART = 0.2
"""How far a bad rate is from the good one where the rule states only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """What a rule does to bad and good molecules; nothing but `reason` where the method does not tell.

    Attributes:
        basis: exact, simulated or not defined.
        bad, good: the truths that are told apart, in words.
        false_go: probability of letting a bad one go on; false_stop: of stopping a good one.
        expected_n_bad, expected_n_good: expected number of subjects.
        errors: Monte Carlo standard error of each simulated figure, by its name.
        assumed: what was assumed since the rule does not state it.
        more: further figures of the method.
    """

    method: str
    basis: str
    reason: str | None = None
    bad: str | None = None
    good: str | None = None
    false_go: float | None = None
    false_stop: float | None = None
    expected_n_bad: float | None = None
    expected_n_good: float | None = None
    errors: Mapping[str, float] = field(default_factory=dict)
    trials: int | None = None
    seed: int | None = None
    assumed: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what is kept with the rule; figures the method does not have are left out."""
        content = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in content.items() if value is not None and value != {}}


def characteristics(
    method: str, parameters: Mapping[str, Any], parts: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None
) -> Characteristics:
    """Return the operating characteristics of a sound rule.

    Args:
        method: the rule's method.
        parameters: its parameters.
        parts: method and parameters of the rules a composition names, by code.
    """
    if method == COMPOSED:
        return _composed(read_composition(parameters["composition"]), parts or {})
    unstated = CheckpointRule("", 0, CheckpointKind.TOXICITY, method, parameters, "", "").unstated
    if unstated:
        return _not_defined(method, f"the centre has still to state {', '.join(unstated)}")
    compute = _METHODS.get(method)
    if compute is None:
        return _not_defined(method, _WHY.get(method, f"{METHODS.get(method, method)} compares no counts with a limit"))
    try:
        return compute(parameters)
    except InputError as error:
        return _not_defined(method, f"they cannot be computed: {error}")


def _not_defined(method: str, reason: str) -> Characteristics:
    return Characteristics(method=method, basis=NOT_DEFINED, reason=reason)


_MARGIN = "a measured margin is held against a limit; how it scatters is not stated, so no error rate follows"
_CASES = "single cases stop it until people explain them; it separates no two rates"
_WHY = {
    "A1": "it converts a dose and decides nothing",
    "A2": "it derives a dose; what is held against it is not stated",
    "A3": "it derives a dose; what is held against it is not stated",
    "A4": _MARGIN,
    "A5": _MARGIN,
    "A6": "the scatter of tumour volumes is not stated, so no error rate follows from the limit",
    "B9": _CASES,
    "B10": _CASES,
    "C8": "it estimates a curve; no limit and no truths are stated",
    "C9": "the number of events and the hazard ratio the trial was planned for are its own; the rule states neither",
    "REVIEW": "people judge documents",
}

# ------------------------------------------------------------ counts, exactly


def _two_stage(parameters: Mapping[str, Any]) -> Characteristics:
    from pipeline.efficacy.simon import simon_characteristics, simon_designs

    if "n1" in parameters:
        r1, n1, r, n = (int(parameters[name]) for name in ("r1", "n1", "r", "n"))
    else:
        p0, p1, alpha, beta = (float(parameters[name]) for name in ("p0", "p1", "alpha", "beta"))
        optimal = simon_designs(p0, p1, alpha, beta).optimal
        if optimal is None:
            return _not_defined("C4", "there is no design of at most 100 subjects for these rates")
        r1, n1, r, n = optimal.r1, optimal.n1, optimal.r, optimal.n
    if "p0" not in parameters or "p1" not in parameters:
        return _not_defined("C4", "the design states no rates to tell apart; give p0 and p1 beside r1, n1, r and n")
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


def _predicted(parameters: Mapping[str, Any]) -> Characteristics:
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


def _monitoring(parameters: Mapping[str, Any]) -> Characteristics:
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


def _share(method: str, bar: float, n: int, what: str) -> Characteristics:
    """Hold a share of n subjects against a bar: the count is binomial."""
    from pipeline.efficacy.sequential import binomial_pmf

    bad, good = max(bar - APART, bar / 2), min(bar + APART, (1 + bar) / 2)
    needed = next((k for k in range(n + 1) if at_least(k / n, bar)), n + 1)
    return Characteristics(
        method=method,
        basis=EXACT,
        bad=f"{what} {bad:g}",
        good=f"{what} {good:g}",
        false_go=float(binomial_pmf(n, bad)[needed:].sum()),
        false_stop=float(binomial_pmf(n, good)[:needed].sum()),
        expected_n_bad=float(n),
        expected_n_good=float(n),
        assumed={"n": n, "bad": bad, "good": good},
        more={"go_from": needed},
    )


def _xenografts(parameters: Mapping[str, Any]) -> Characteristics:
    return _share("A7", float(parameters["response_share_min"]), 20, "share of models that respond")


def _exposure(parameters: Mapping[str, Any]) -> Characteristics:
    return _share("D9", float(parameters["share_at_target_min"]), 20, "share of subjects at the target")


def _rate(parameters: Mapping[str, Any]) -> Characteristics:
    """Hold the lower limit of the exact interval against p0, at the planned size: the count is binomial."""
    from pipeline.efficacy.response_rate import clopper_pearson
    from pipeline.efficacy.sequential import binomial_pmf

    p0, level = float(parameters["p0"]), float(parameters.get("conf_level", 0.95))
    p1 = float(parameters.get("p1", min(p0 + APART, (1 + p0) / 2)))
    n = int(parameters.get("planned", PLANNED))
    needed = next((x for x in range(n + 1) if above(clopper_pearson(x, n, level)[0], p0)), n + 1)
    assumed: dict[str, Any] = {} if "planned" in parameters else {"planned": n}
    return Characteristics(
        method="C3",
        basis=EXACT,
        bad=f"response rate {p0:g}",
        good=f"response rate {p1:g}",
        false_go=float(binomial_pmf(n, p0)[needed:].sum()),
        false_stop=float(binomial_pmf(n, p1)[:needed].sum()),
        expected_n_bad=float(n),
        expected_n_good=float(n),
        assumed=assumed if "p1" in parameters else {**assumed, "p1": p1},
        more={"go_from": needed},
    )


def _conditional_power(parameters: Mapping[str, Any]) -> Characteristics:
    """Take the interim z as normal: mean 0 without an effect, else drift times the root of the fraction."""
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


# ------------------------------------------------------------ escalation


def scenario(target: float, *, good: bool) -> tuple[float, ...]:
    """Return true toxicity rates of five doses: the third at the target, or even the lowest well above it."""
    if good:
        return tuple(round(min(target * times, 0.95), 6) for times in (0.25, 0.5, 1.0, 1.5, 2.0))
    lowest = min(target + APART, (1 + target) / 2)
    return tuple(round(lowest + step * (0.98 - lowest) / LEVELS, 6) for step in range(LEVELS))


def _escalation(method: str, target: float, found: Sequence[Any], *, exact: bool, **assumed: Any) -> Characteristics:
    bad, good = found
    rates_bad, rates_good = (list(scenario(target, good=each)) for each in (False, True))
    sizes = [sum(each.expected_n) for each in found]
    errors: dict[str, float] = {}
    if not exact:
        errors = {
            "false_go": bad.prob_select_none_mc_error,
            "false_stop": good.prob_select_none_mc_error,
            "expected_n_bad": bad.expected_total_n_mc_error,
            "expected_n_good": good.expected_total_n_mc_error,
            "right_dose": good.prob_select_mc_error[2],
        }
    return Characteristics(
        method=method,
        basis=EXACT if exact else SIMULATED,
        bad=f"toxicity rates {', '.join(f'{rate:.2g}' for rate in rates_bad)}: every dose is too toxic",
        good=f"toxicity rates {', '.join(f'{rate:.2g}' for rate in rates_good)}: the third dose is right",
        false_go=1 - bad.prob_select_none,
        false_stop=good.prob_select_none,
        expected_n_bad=sizes[0],
        expected_n_good=sizes[1],
        errors=errors,
        trials=None if exact else TRIALS,
        seed=None if exact else SEED,
        assumed={"true_rates_bad": rates_bad, "true_rates_good": rates_good, **assumed},
        more={"right_dose": good.prob_select[2], "selected_good": list(good.prob_select)},
    )


def _three_plus_three(parameters: Mapping[str, Any]) -> Characteristics:
    from pipeline.toxicity.three_plus_three import three_plus_three_characteristics

    target = float(parameters.get("target", 0.3))
    again = bool(parameters.get("allow_deescalate", False))
    found = [three_plus_three_characteristics(scenario(target, good=good), again) for good in (False, True)]
    return _escalation("B3", target, found, exact=True)


def _boin(parameters: Mapping[str, Any]) -> Characteristics:
    from pipeline.toxicity.operating_characteristics import boin_characteristics

    target = float(parameters["target"])
    names = {"p_saf", "p_tox", "cutoff_eliminate"} & parameters.keys()
    options: dict[str, Any] = {name: float(parameters[name]) for name in names}
    found = [
        boin_characteristics(scenario(target, good=good), target, COHORTS, COHORT, trials=TRIALS, seed=SEED, **options)
        for good in (False, True)
    ]
    return _escalation("B4", target, found, exact=False, cohorts=COHORTS, cohort_size=COHORT)


def _keyboard(parameters: Mapping[str, Any]) -> Characteristics:
    from pipeline.toxicity.operating_characteristics import keyboard_characteristics

    target = float(parameters["target"])
    names = {"margin_left", "margin_right", "cutoff_eliminate"} & parameters.keys()
    options: dict[str, Any] = {name: float(parameters[name]) for name in names}
    found = [
        keyboard_characteristics(
            scenario(target, good=good), target, COHORTS, COHORT, trials=TRIALS, seed=SEED, **options
        )
        for good in (False, True)
    ]
    return _escalation("B5", target, found, exact=False, cohorts=COHORTS, cohort_size=COHORT)


def _crm(parameters: Mapping[str, Any]) -> Characteristics:
    from pipeline.toxicity.crm import usual_skeleton
    from pipeline.toxicity.crm_model import INTERCEPT, CrmModel
    from pipeline.toxicity.operating_characteristics import crm_characteristics

    target = float(parameters["target"])
    model = CrmModel(parameters.get("model", "empiric"))
    names = {"prior_sd", "intercept"} & parameters.keys()
    options: dict[str, Any] = {name: float(parameters[name]) for name in names}
    assumed: dict[str, Any] = {"cohorts": COHORTS, "cohort_size": COHORT}
    skeleton = parameters.get("skeleton")
    if skeleton is None or len(skeleton) != LEVELS:
        skeleton = usual_skeleton(
            target, LEVELS, parameters.get("halfwidth"), model, options.get("intercept", INTERCEPT)
        )
        assumed["skeleton"] = list(skeleton)
    if not skeleton:
        return _not_defined("B6", "no skeleton of five doses follows from the target")
    found = [
        crm_characteristics(
            scenario(target, good=good),
            [float(guess) for guess in skeleton],
            target,
            COHORTS,
            COHORT,
            model=model,
            trials=TRIALS,
            seed=SEED,
            **options,
        )
        for good in (False, True)
    ]
    return _escalation("B6", target, found, exact=False, **assumed)


def _pending(parameters: Mapping[str, Any]) -> Characteristics:
    """Return those of the design with every subject followed before the next cohort: the selection is the same."""
    design = parameters.get("design", "BOIN")
    margin = parameters.get("margin")
    margins = {} if margin is None else {"margin_left": margin, "margin_right": margin}
    compute = {"BOIN": _boin, "KEYBOARD": _keyboard, "CRM": _crm}[design]
    found = compute({**parameters, **margins})
    follow_up = "complete before each cohort; what deciding on pending subjects adds to the error is not in the figures"
    assumed = {**found.assumed, "follow_up": follow_up}
    return replace(found, method="B7", assumed=assumed)


_METHODS: Mapping[str, Callable[[Mapping[str, Any]], Characteristics]] = {
    "A7": _xenografts,
    "B3": _three_plus_three,
    "B4": _boin,
    "B5": _keyboard,
    "B6": _crm,
    "B7": _pending,
    "B8": _monitoring,
    "C3": _rate,
    "C4": _two_stage,
    "C6": _predicted,
    "C7": _conditional_power,
    "D9": _exposure,
}

# ------------------------------------------------------------ rules made of others


def _composed(composition: Composition, parts: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Characteristics:
    """Return those of a composed rule, its parts taken to err independently; each part counts once."""
    if any(branch.word == "not" for branch in _branches(composition)):
        return _not_defined(COMPOSED, "what is good for the rule is bad for a part under not: no truths follow")
    distinct = list(dict.fromkeys(_key(leaf) for leaf in leaves(composition)))
    if len(distinct) > 12:
        return _not_defined(COMPOSED, "more than 12 different parts")
    found: dict[str, Characteristics] = {}
    for leaf in leaves(composition):
        method, parameters = (leaf.method, leaf.parameters) if isinstance(leaf, Criterion) else parts[leaf]
        of = characteristics(method, parameters, parts)
        if of.false_go is None or of.false_stop is None:
            return _not_defined(COMPOSED, f"{_name(leaf)} has none: {of.reason}")
        found[_key(leaf)] = of
    pass_bad = pass_good = 0.0
    for outcomes in product((True, False), repeat=len(distinct)):
        passed = dict(zip(distinct, outcomes, strict=True))
        if not _passes(composition, passed):
            continue
        bad = good = 1.0
        for key, went in passed.items():
            go_bad, stop_good = found[key].false_go or 0.0, found[key].false_stop or 0.0
            bad *= go_bad if went else 1 - go_bad
            good *= 1 - stop_good if went else stop_good
        pass_bad += bad
        pass_good += good
    simulated = any(of.basis == SIMULATED for of in found.values())
    return Characteristics(
        method=COMPOSED,
        basis=SIMULATED if simulated else EXACT,
        bad="every part is bad",
        good="every part is good",
        false_go=min(pass_bad, 1.0),
        false_stop=max(0.0, 1 - pass_good),
        seed=SEED if simulated else None,
        trials=TRIALS if simulated else None,
        assumed={"parts": "err independently of each other"},
        more={"parts": {_name(leaf): found[_key(leaf)].as_json() for leaf in leaves(composition)}},
    )


def _branches(composition: Composition) -> Iterator[Branch]:
    if isinstance(composition, Branch):
        yield composition
        for part in composition.below:
            yield from _branches(part)


def _name(leaf: str | Criterion) -> str:
    return leaf if isinstance(leaf, str) else leaf.label


def _key(leaf: str | Criterion) -> str:
    return leaf if isinstance(leaf, str) else f"{leaf.method} {sorted(leaf.parameters.items())!r}"


def _passes(composition: Composition, passed: Mapping[str, bool]) -> bool:
    if not isinstance(composition, Branch):
        return passed[_key(composition)]
    below = [_passes(part, passed) for part in composition.below]
    return all(below) if composition.word == "and" else any(below)
