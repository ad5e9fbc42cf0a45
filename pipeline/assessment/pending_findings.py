"""What the rule of escalation with pending subjects finds (B7): those still followed count by how long they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.assessment.escalation_findings import NOBODY
from pipeline.assessment.finding import Finding, not_computable
from pipeline.assessment.model_findings import by_model
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
    if design == "CRM":
        counts = cohorts.in_words()
        found = by_model(cohorts.labels, cohorts.level, cohorts.dlt, counts, parameters, cohorts.days)
        if all(cohorts.pending):
            found = _waiting(cohorts, counts, "", found.outcome)
    else:
        found = _by_interval(cohorts, parameters, design)
    found = _on_condition(found, cohorts)
    note = f" {_subjects(cohorts.replaced)} left before the window ended, to be replaced." if cohorts.replaced else ""
    outcome = {**found.outcome, "pending": sum(cohorts.pending), "replaced": cohorts.replaced}
    return replace(found, explanation=found.explanation + note, outcome=outcome)


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
    lowest = min(cohorts.level) - 1
    if gone[lowest]:
        return Finding(
            Verdict.NO_GO,
            f"Even the lowest dose is too toxic, whatever becomes of those pending: {counts} with a dose-limiting "
            f"toxicity against a target of {100 * target:g} %.",
            float(x[lowest] / n[lowest]),
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
    return Finding(
        Verdict.GO,
        f"{label} is the dose whose rate of dose-limiting toxicity is nearest {100 * target:g} % ({counts}).{after}",
        rate,
        target,
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


def _on_condition(found: Finding, cohorts: Cohorts) -> Finding:
    """Return the finding of a dose that was chosen while subjects are pending: it holds if they do not change it."""
    waiting = sum(cohorts.pending)
    if found.recommendation is not Verdict.GO or not waiting:
        return found
    condition = (
        f" It holds on condition that the {_subjects(waiting)} still followed {'does' if waiting == 1 else 'do'} not "
        f"change it by the end of the window of {cohorts.window:g} days."
    )
    return replace(found, recommendation=Verdict.CONDITIONAL_GO, explanation=found.explanation + condition)


def _waiting(cohorts: Cohorts, counts: str, after: str, outcome: Mapping[str, object]) -> Finding:
    return Finding(
        Verdict.HOLD,
        f"{_subjects(sum(cohorts.pending))} of {len(cohorts.level)} are not followed through the window of "
        f"{cohorts.window:g} days yet; the choice of a dose waits until enough are ({counts}).{after}",
        outcome=outcome,
    )


def _subjects(n: int) -> str:
    return "1 subject" if n == 1 else f"{n} subjects"
