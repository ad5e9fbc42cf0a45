"""How often rules of dose escalation are wrong: where every dose is too toxic, and where the third of five is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from pipeline.assessment.operating_figures import (
    APART,
    EXACT,
    SEED,
    SIMULATED,
    TRIALS,
    Characteristics,
    not_defined,
)

COHORTS, COHORT, LEVELS = 10, 3, 5


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


def three_plus_three(parameters: Mapping[str, Any]) -> Characteristics:
    """B3: every path, exactly."""
    from pipeline.toxicity.three_plus_three import three_plus_three_characteristics

    target = float(parameters.get("target", 0.3))
    again = bool(parameters.get("allow_deescalate", False))
    found = [three_plus_three_characteristics(scenario(target, good=good), again) for good in (False, True)]
    return _escalation("B3", target, found, exact=True)


def boin(parameters: Mapping[str, Any]) -> Characteristics:
    """B4: simulated."""
    from pipeline.toxicity.operating_characteristics import boin_characteristics

    return _by_interval("B4", boin_characteristics, parameters, {"p_saf", "p_tox", "cutoff_eliminate"})


def keyboard(parameters: Mapping[str, Any]) -> Characteristics:
    """B5: simulated."""
    from pipeline.toxicity.operating_characteristics import keyboard_characteristics

    return _by_interval("B5", keyboard_characteristics, parameters, {"margin_left", "margin_right", "cutoff_eliminate"})


def _by_interval(
    method: str, compute: Callable[..., Any], parameters: Mapping[str, Any], names: AbstractSet[str]
) -> Characteristics:
    target = float(parameters["target"])
    options = {name: float(parameters[name]) for name in names & parameters.keys()}
    found = [
        compute(scenario(target, good=good), target, COHORTS, COHORT, trials=TRIALS, seed=SEED, **options)
        for good in (False, True)
    ]
    return _escalation(method, target, found, exact=False, cohorts=COHORTS, cohort_size=COHORT)


def by_model(parameters: Mapping[str, Any]) -> Characteristics:
    """B6: simulated, with the usual skeleton of five doses where the rule states none."""
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
        return not_defined("B6", "no skeleton of five doses follows from the target")
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


def pending(parameters: Mapping[str, Any]) -> Characteristics:
    """B7: those of the design with every subject followed before the next cohort: the selection is the same."""
    design = parameters.get("design", "BOIN")
    margin = parameters.get("margin")
    margins = {} if margin is None else {"margin_left": margin, "margin_right": margin}
    compute = {"BOIN": boin, "KEYBOARD": keyboard, "CRM": by_model}[design]
    found = compute({**parameters, **margins})
    follow_up = "complete before each cohort; what deciding on pending subjects adds to the error is not in the figures"
    assumed = {**found.assumed, "follow_up": follow_up}
    return replace(found, method="B7", assumed=assumed)
