"""What the rules of survival find: how long responses and freedom from progression last, and two arms compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pipeline.assessment.finding import Finding, not_computable
from pipeline.efficacy.conditional_power import conditional_power
from pipeline.efficacy.logrank import TwoGroupSurvival, compare_survival
from pipeline.efficacy.survival import kaplan_meier
from pipeline.rounding import at_least, below
from pipeline.words import Verdict

Inputs = Mapping[str, Any]
Parameters = Mapping[str, Any]


def lasting(inputs: Inputs, parameters: Parameters) -> Finding:
    """C8, C11: at least half are still without the event at the day the rule asks for (`median_days_min`).

    Where it asks for none, the curve is given and people decide.
    """
    time, event = inputs["time"], inputs["event"]
    level = float(parameters.get("conf_level", 0.95))
    bar = parameters.get("median_days_min")
    days = () if bar is None else (float(bar),)
    curve = kaplan_meier(time, event, days, conf_level=level)
    median = "not reached" if curve.median is None else f"{curve.median:g} days"
    low, high = curve.median_ci
    limits = f"{100 * level:g} % interval {_days(low)} to {_days(high)}"
    shown = f"The median is {median} ({limits}; {sum(event)} events in {len(time)} subjects)"
    outcome: dict[str, object] = {"median_days": curve.median, "low": low, "high": high, "subjects": len(time)}
    if bar is None:
        return Finding(Verdict.HOLD, f"{shown}; the rule names no bar, so people decide.", curve.median, None, outcome)
    share = curve.survival[0]
    last = max(time)
    if share is None or (below(last, float(bar)) and share > 0.5):
        return Finding(
            Verdict.HOLD,
            f"{shown}; observation ends on day {last:g}, before the {float(bar):g} days that are asked for.",
            None,
            float(bar),
            outcome,
        )
    passed = share > 0.5 or (curve.median is not None and at_least(curve.median, float(bar)))
    return Finding(
        Verdict.GO if passed else Verdict.NO_GO,
        f"{shown}; {100 * share:.3g} % are without the event at the {float(bar):g} days that are asked for.",
        share,
        0.5,
        outcome | {"share": share},
    )


def survival_benefit(inputs: Inputs, parameters: Parameters) -> Finding:
    """C9: the log-rank test at the planned level, in favour of the treatment, once the planned events are there."""
    alpha = float(parameters["alpha_two_sided"])
    planned = parameters.get("events_planned")
    result = compare_survival(inputs["time"], inputs["event"], inputs["group"], "control")
    events = sum(inputs["event"])
    if result.p_value is None or result.hr_efron is None:
        return not_computable([f"events in both arms ({events} so far)"])
    shown = _compared(result, events)
    outcome = _outcome(result, events)
    if planned is not None and events < int(planned):
        return Finding(
            Verdict.HOLD,
            f"{shown}; {int(planned)} events are planned before it is judged.",
            result.p_value,
            alpha,
            outcome,
        )
    better = result.hr_efron < 1 and not at_least(result.p_value, alpha)
    return Finding(
        Verdict.GO if better else Verdict.NO_GO,
        f"{shown}: {'a benefit' if better else 'no benefit'} at the two-sided level of {alpha:g}.",
        result.p_value,
        alpha,
        outcome,
    )


def conditional_power_left(inputs: Inputs, parameters: Parameters) -> Finding:
    """C7: conditional power under the design effect is at or above the bar; z from the log-rank test of both arms."""
    bar, alpha = float(parameters["conditional_power_min"]), float(parameters["alpha_one_sided"])
    planned, design = float(inputs["events_planned"]), float(inputs["hazard_ratio_design"])
    events = sum(inputs["event"])
    result = compare_survival(inputs["time"], inputs["event"], inputs["group"], "control")
    if result.chisq is None or result.hr_efron is None or not 0 < design < 1:
        return not_computable([f"events in both arms ({events} so far), and a design hazard ratio below 1"])
    shown = _compared(result, events)
    if events >= planned:
        return Finding(
            Verdict.HOLD,
            f"{shown}; all {planned:g} planned events are there, so the trial is judged by its final test.",
            outcome=_outcome(result, events),
        )
    z = math.copysign(math.sqrt(result.chisq), 1 - result.hr_efron)
    treated = inputs["group"].count("treated") / len(inputs["group"])
    drift = -math.log(design) * math.sqrt(planned * treated * (1 - treated))
    power = conditional_power(z, events / planned, alpha, drift)
    left = power.conditional_power_design
    return Finding(
        Verdict.GO if at_least(left, bar) else Verdict.NO_GO,
        f"{shown}: at {100 * events / planned:.0f} % of the {planned:g} planned events the conditional power under a "
        f"hazard ratio of {design:g} is {left:.3g}; {bar:g} is asked for.",
        left,
        bar,
        _outcome(result, events)
        | {"z": z, "trend": power.conditional_power_trend, "null": power.conditional_power_null},
    )


def _compared(result: TwoGroupSurvival, events: int) -> str:
    low, high = result.hr_efron_ci
    return (
        f"The hazard ratio to control is {result.hr_efron:.3g} (95 % interval {_plain(low)} to {_plain(high)}), "
        f"log-rank p = {result.p_value:.3g}, {events} events"
    )


def _outcome(result: TwoGroupSurvival, events: int) -> dict[str, object]:
    low, high = result.hr_efron_ci
    return {"hazard_ratio": result.hr_efron, "low": low, "high": high, "p_value": result.p_value, "events": events}


def _days(value: float | None) -> str:
    return "not reached" if value is None else f"{value:g}"


def _plain(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
