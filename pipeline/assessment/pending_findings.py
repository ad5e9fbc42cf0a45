"""What the rule of escalation with pending subjects finds (B7): those still followed count by how long they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.assessment.escalation_findings import CUTOFF_STOP, NOBODY, skeleton_for
from pipeline.assessment.finding import Finding, not_computable
from pipeline.rounding import above
from pipeline.toxicity.keyboard import HALF_WIDTH
from pipeline.toxicity.tite import (
    MOST_PENDING,
    IntervalRule,
    PendingDecision,
    effective_sample_size,
    follow_up_thresholds,
    follow_up_weights,
)
from pipeline.words import Verdict

Inputs = Mapping[str, Any]
Parameters = Mapping[str, Any]

DESIGNS = ("BOIN", "KEYBOARD", "CRM")
REPLACED, WEIGHTED = "replaced", "weighted"
_NEXT = {PendingDecision.ESCALATE: "above", PendingDecision.STAY: "at", PendingDecision.DEESCALATE: "below"}


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The subjects that count, in order of entry; levels count from 1, and follow-up ends with the window."""

    labels: Sequence[str]
    level: Sequence[int]
    dlt: Sequence[int]
    days: Sequence[float]
    window: float
    replaced: int

    @property
    def pending(self) -> list[bool]:
        """Which subjects had no toxicity and are not followed through the window."""
        return [not toxic and days < self.window for toxic, days in zip(self.dlt, self.days, strict=True)]

    def at(self, level: int) -> tuple[list[int], list[float]]:
        """Return the toxicities and the days of follow-up of those at a level."""
        here = [n for n, each in enumerate(self.level) if each == level]
        return [self.dlt[n] for n in here], [self.days[n] for n in here]

    def many_pending(self, level: int, most: float) -> bool:
        """Return whether more than a share of those at a level are pending."""
        dlt, days = self.at(level)
        return above(sum(not x and d < self.window for x, d in zip(dlt, days, strict=True)), most * len(dlt))

    def in_words(self) -> str:
        """Return toxicities and subjects by level, with those pending."""
        told = []
        for number, label in enumerate(self.labels, 1):
            dlt, days = self.at(number)
            waiting = sum(not x and d < self.window for x, d in zip(dlt, days, strict=True))
            if dlt:
                told.append(f"{sum(dlt)}/{len(dlt)} at {label}" + (f" with {waiting} pending" if waiting else ""))
        return ", ".join(told)


def pending_escalation(inputs: Inputs, parameters: Parameters) -> Finding:
    """B7: a dose is selected with pending subjects counted in part, and the lowest dose is not too toxic.

    `subjects` in order of entry: level from 1, dlt 0 or 1, followed_days (None where no date tells it: it counts as
    none) and left. By `design` BOIN or KEYBOARD, as at the end of such a trial, or CRM, by the model. While subjects
    are pending the dose is selected on condition that they complete the window, or the rule waits for them.
    """
    cohorts = _cohorts(inputs, parameters)
    if not cohorts.level:
        return not_computable([NOBODY])
    design = parameters.get("design", DESIGNS[0])
    found = _by_model(cohorts, parameters) if design == "CRM" else _by_interval(cohorts, parameters, design)
    note = f" {_subjects(cohorts.replaced)} left before the window ended, to be replaced." if cohorts.replaced else ""
    return Finding(
        found.recommendation,
        found.explanation + note,
        found.statistic,
        found.threshold,
        {**found.outcome, "pending": sum(cohorts.pending), "replaced": cohorts.replaced},
    )


def _cohorts(inputs: Inputs, parameters: Parameters) -> Cohorts:
    window = float(parameters["window_days"])
    keep = parameters.get("left_early", REPLACED) == WEIGHTED
    counted, replaced = [], 0
    for subject in inputs["subjects"]:
        days = min(float(subject["followed_days"] or 0.0), window)
        if keep or subject["dlt"] or not subject["left"] or days >= window:
            counted.append((subject["level"], subject["dlt"], days))
        else:
            replaced += 1
    level, dlt, days_followed = zip(*counted, strict=True) if counted else ((), (), ())
    return Cohorts(inputs["levels"], level, dlt, days_followed, window, replaced)


def _by_interval(cohorts: Cohorts, parameters: Parameters, design: str) -> Finding:
    import numpy as np

    from pipeline.toxicity.selection import CUTOFF_ELIMINATE, eliminated, selected_dose

    target = float(parameters["target"])
    cutoff = float(parameters.get("cutoff_eliminate", CUTOFF_ELIMINATE))
    levels = range(1, len(cohorts.labels) + 1)
    weights = follow_up_weights(cohorts.dlt, cohorts.days, cohorts.window)
    n = np.asarray([cohorts.level.count(each) for each in levels])
    x = np.asarray([sum(cohorts.at(each)[0]) for each in levels])
    followed = np.asarray([sum(w for w, at in zip(weights, cohorts.level, strict=True) if at == k) for k in levels])
    gone = eliminated(target, n, x, cutoff)
    chosen, rates = selected_dose(target, n, x, cutoff, followed)
    counts = cohorts.in_words()
    outcome: dict[str, object] = {
        "followed": followed.tolist(),
        "isotonic": [None if rate != rate else rate for rate in rates.tolist()],
    }
    if gone[0]:
        return Finding(
            Verdict.NO_GO,
            f"Even the lowest dose is too toxic, whatever becomes of those pending: {counts} with a dose-limiting "
            f"toxicity against a target of {100 * target:g} %.",
            float(x[0] / n[0]),
            target,
            outcome,
        )
    here = cohorts.level[-1]
    decision = PendingDecision.DEESCALATE if gone[here - 1] else _decision(cohorts, here, parameters, design)
    if decision is PendingDecision.ESCALATE and here < len(gone) and gone[here]:
        decision = PendingDecision.STAY
    outcome["next"] = decision.value
    after = (
        f" The next cohort would be treated {_NEXT[decision]} {cohorts.labels[here - 1]}." if decision in _NEXT else ""
    )
    if not after or chosen < 0 or cohorts.many_pending(int(chosen) + 1, _most_pending(parameters)):
        return _waiting(cohorts, counts, after, outcome)
    label, rate = cohorts.labels[int(chosen)], float(rates[int(chosen)])
    return _selected(
        cohorts,
        f"{label} is the dose whose rate of dose-limiting toxicity is nearest {100 * target:g} % ({counts})",
        after,
        (rate, target),
        outcome | {"mtd": label},
    )


def _decision(cohorts: Cohorts, level: int, parameters: Parameters, design: str) -> PendingDecision:
    """Return what follows at the level of the latest subject.

    From nine subjects on TITE-BOIN decides by its thresholds of follow-up, below that by the effective sample size;
    in either case too many pending subjects suspend what is not a de-escalation.
    """
    dlt, days = cohorts.at(level)
    target, most = float(parameters["target"]), _most_pending(parameters)
    safe, toxic_from = (
        None if parameters.get(name) is None else float(parameters[name]) for name in ("p_saf", "p_tox")
    )
    if design == "KEYBOARD":
        margin = float(parameters.get("margin", HALF_WIDTH))
        found = effective_sample_size(
            dlt, days, cohorts.window, target, most, rule=IntervalRule.KEYBOARD, margin=margin
        )
        return found.decision or PendingDecision.SUSPEND
    found = effective_sample_size(dlt, days, cohorts.window, target, most, safe, toxic_from)
    waiting = [d for toxic, d in zip(dlt, days, strict=True) if not toxic and d < cohorts.window]
    total = min(sum(waiting) / cohorts.window, len(waiting))
    by_time = follow_up_thresholds(len(dlt), sum(dlt), len(waiting), target, safe, toxic_from, total).decision
    if not waiting or by_time is None:
        return found.decision or PendingDecision.SUSPEND
    many = cohorts.many_pending(level, most) and by_time is not PendingDecision.DEESCALATE
    return PendingDecision.SUSPEND if many else by_time


def _most_pending(parameters: Parameters) -> float:
    return float(parameters.get("max_pending_fraction", MOST_PENDING))


def _by_model(cohorts: Cohorts, parameters: Parameters) -> Finding:
    from pipeline.toxicity.crm import PRIOR_SD
    from pipeline.toxicity.crm_model import INTERCEPT, CrmModel
    from pipeline.toxicity.tite_crm import WeightScheme, tite_crm

    target = float(parameters["target"])
    model, intercept = CrmModel(parameters.get("model", "empiric")), float(parameters.get("intercept", INTERCEPT))
    skeleton = skeleton_for(parameters, len(cohorts.labels), target, model, intercept)
    if skeleton is None or len(skeleton) < len(cohorts.labels):
        return not_computable([f"a skeleton for {len(cohorts.labels)} dose levels (a parameter of the rule)"])
    fit = tite_crm(
        skeleton,
        target,
        cohorts.level,
        cohorts.dlt,
        cohorts.days,
        cohorts.window,
        WeightScheme(parameters.get("scheme", "linear")),
        model,
        float(parameters.get("prior_sd", PRIOR_SD)),
        intercept,
    )
    cutoff, counts = float(parameters.get("cutoff_stop", CUTOFF_STOP)), cohorts.in_words()
    outcome: dict[str, object] = {"skeleton": list(skeleton), "rates": list(fit.ptox), "estimate": fit.estimate}
    if above(fit.prob_lowest_over_target, cutoff):
        return Finding(
            Verdict.NO_GO,
            f"Even the lowest dose is too toxic: its rate exceeds the target of {100 * target:g} % with probability "
            f"{fit.prob_lowest_over_target:.3g}, above {cutoff:g} ({counts}).",
            fit.ptox[0],
            target,
            outcome,
        )
    given = max(cohorts.level)
    rate = fit.ptox[min(fit.mtd, given) - 1]
    if all(cohorts.pending):
        return _waiting(cohorts, counts, "", outcome)
    if fit.mtd > given:
        name = cohorts.labels[fit.mtd - 1] if fit.mtd <= len(cohorts.labels) else f"dose {fit.mtd} of the skeleton"
        return Finding(
            Verdict.HOLD,
            f"The model's dose is {name}, which nobody had; the highest given is {cohorts.labels[given - 1]}, with an "
            f"estimated rate of {100 * rate:.3g} % ({counts}).",
            rate,
            target,
            outcome,
        )
    label = cohorts.labels[fit.mtd - 1]
    return _selected(
        cohorts,
        f"{label} is the dose whose estimated rate of dose-limiting toxicity, {100 * rate:.3g} %, is nearest "
        f"{100 * target:g} % ({counts})",
        "",
        (rate, target),
        outcome | {"mtd": label},
    )


def _selected(
    cohorts: Cohorts, said: str, after: str, against: tuple[float, float], outcome: Mapping[str, object]
) -> Finding:
    waiting = sum(cohorts.pending)
    condition = (
        f", on condition that the {_subjects(waiting)} still followed complete{'s' if waiting == 1 else ''} the "
        f"window of {cohorts.window:g} days without changing it"
        if waiting
        else ""
    )
    verdict = Verdict.CONDITIONAL_GO if waiting else Verdict.GO
    return Finding(verdict, f"{said}{condition}.{after}", *against, outcome)


def _waiting(cohorts: Cohorts, counts: str, after: str, outcome: Mapping[str, object]) -> Finding:
    return Finding(
        Verdict.HOLD,
        f"{_subjects(sum(cohorts.pending))} of {len(cohorts.level)} are not followed through the window of "
        f"{cohorts.window:g} days yet; the choice of a dose waits until enough are ({counts}).{after}",
        outcome=outcome,
    )


def _subjects(n: int) -> str:
    return "1 subject" if n == 1 else f"{n} subjects"
