"""What a rule of each method may state: its parameters, the values they may have, and the stages it has evidence at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipeline.assessment.evaluation import EVALUATORS
from pipeline.assessment.pending_findings import DESIGNS, REPLACED, WEIGHTED
from pipeline.stages.checkpoints import LEFT_TO_CENTRE

MOST_SUBJECTS = 500
"""More than any early trial plans; the sums behind the characteristics stay quick."""
LARGEST_WHOLE = 2**53


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`; with `open_ends` strictly between them; `whole`: without a fraction."""

    low: float
    high: float = float("inf")
    open_ends: bool = False
    whole: bool = False

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value, or None."""
        kind = "whole number" if self.whole else "number"
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return f"has to be a {kind}, not {str(value)[:40]!r}"
        if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
            return f"has to be a {kind} that can be"
        if abs(value) == float("inf") or (self.whole and value != int(value)):
            return f"has to be a {kind}, not {value}"
        inside = self.low < value < self.high if self.open_ends else self.low <= value <= self.high
        if inside:
            return None
        if self.high == float("inf"):
            return f"has to be {'above' if self.open_ends else 'at least'} {self.low:g}, not {value:g}"
        between = "between" if self.open_ends else "from"
        joined = "and" if self.open_ends else "to"
        return f"has to lie {between} {self.low:g} {joined} {self.high:g}, not {value:g}"


@dataclass(frozen=True, slots=True)
class Words:
    """One of the words; `several`: a list of them, not empty."""

    allowed: tuple[str, ...]
    several: bool = False

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value, or None."""
        listed = value if self.several and isinstance(value, list | tuple) else [value]
        if listed and all(isinstance(each, str) and each in self.allowed for each in listed):
            return None if self.several == isinstance(value, list | tuple) else "has to be a list"
        kind = "a list of" if self.several else "one of"
        return f"has to be {kind} {', '.join(self.allowed)}, not {str(value)[:60]!r}"


@dataclass(frozen=True, slots=True)
class Text:
    """Any text that says something."""

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value, or None."""
        return None if isinstance(value, str) and value.strip() else f"has to be a text, not {str(value)[:40]!r}"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value, or None."""
        return None if isinstance(value, bool) else f"has to be true or false, not {str(value)[:40]!r}"


@dataclass(frozen=True, slots=True)
class Numbers:
    """A list of at most 20 numbers; `length` None for any but none at all; `rising`: each above the one before."""

    each: Number
    length: int | None = None
    rising: bool = False

    def fault(self, value: object) -> str | None:
        """Return what is wrong with a value, or None."""
        if not isinstance(value, list | tuple) or not 0 < len(value) <= 20 or self.length not in (None, len(value)):
            count = "1 to 20 numbers" if self.length is None else f"{self.length} numbers"
            return f"has to be a list of {count}, not {str(value)[:40]!r}"
        for number in value:
            wrong = self.each.fault(number)
            if wrong is not None:
                return f"holds a number that {wrong}"
        if self.rising and any(low >= high for low, high in pairwise(value)):
            return "has to rise from each number to the next"
        return None


Bound = Number | Words | Text | Flag | Numbers

_SHARE = Number(0, 1)
_INSIDE = Number(0, 1, open_ends=True)
_POSITIVE = Number(0, open_ends=True)
_NOT_NEGATIVE = Number(0)
_COUNT = Number(0, MOST_SUBJECTS, whole=True)
_SIZE = Number(1, MOST_SUBJECTS, whole=True)
_PRIOR = Numbers(Number(0, 10_000, open_ends=True), 2)
_ESCALATION = {"target": Number(0.05, 0.6), "cutoff_eliminate": _INSIDE}
_MODEL: Mapping[str, Bound] = {
    "skeleton": Numbers(_INSIDE, rising=True),
    "model": Words(("empiric", "logistic")),
    "prior_sd": Number(0.1, 10),
    "intercept": Number(-10, 10),
    "halfwidth": Number(0, 0.5, open_ends=True),
    "cutoff_stop": _INSIDE,
}
_COURSE: Mapping[str, Bound] = {
    "events_planned": Number(1, 100_000, whole=True),
    "endpoint": Words(("PFS", "OS")),
    "assessment_interval_days": _POSITIVE,
}

BOUNDS: Mapping[str, Mapping[str, Bound]] = {
    "A2": {"safety_factor": Number(10, 10_000), "human_weight_kg": Number(1, 300), "species": Text()},
    "A3": {"human_bsa_m2": Number(0.5, 3)},
    "A4": {"alert_below": _POSITIVE, "caution_below": _POSITIVE},
    "A5": {"free_margin_min": _POSITIVE},
    "A6": {
        "summary": Words(("mean", "median")),
        "tc_percent_max": Number(0, 100, open_ends=True),
        "highly_active_below": Number(0, 100),
        "max_toxic_deaths": _SHARE,
        "max_weight_loss_percent": Number(0, 100),
    },
    "A7": {
        "min_day": _NOT_NEGATIVE,
        "response_share_min": Number(0, 1),
        "responses": Words(("mCR", "mPR", "mSD", "mPD"), several=True),
    },
    "B3": {"allow_deescalate": Flag(), "target": Number(0.05, 0.6)},
    "B4": {**_ESCALATION, "p_saf": _INSIDE, "p_tox": _INSIDE},
    "B5": {**_ESCALATION, "margin_left": Number(0, 0.5), "margin_right": Number(0, 0.5), "prior": _PRIOR},
    "B6": {"target": _INSIDE, **_MODEL},
    "B7": {
        **_ESCALATION,
        "window_days": Number(0, 3_650, open_ends=True),
        "design": Words(DESIGNS),
        "left_early": Words((REPLACED, WEIGHTED)),
        "max_pending_fraction": Number(0, 1),
        "p_saf": _INSIDE,
        "p_tox": _INSIDE,
        "margin": Number(0.005, 0.5),
        "scheme": Words(("linear", "adaptive")),
        **_MODEL,
    },
    "B8": {"target": _INSIDE, "prior": _PRIOR, "cutoff": _INSIDE, "p_bad": _INSIDE, "planned": _SIZE, "event": Text()},
    "B9": {"potential_cases_max": _COUNT},
    "B10": {
        "correction": Words(("Fridericia", "Bazett", "Framingham", "Hodges")),
        "absolute_ms_max": Number(300, 700),
        "change_ms_max": Number(0, 300, open_ends=True),
    },
    "C3": {"p0": _INSIDE, "p1": _INSIDE, "conf_level": _INSIDE, "planned": _SIZE, "biomarker": Text()},
    "C4": {
        "p0": _INSIDE,
        "p1": _INSIDE,
        "alpha": Number(0, 0.5, open_ends=True),
        "beta": Number(0, 0.5, open_ends=True),
        "r1": _COUNT,
        "n1": _SIZE,
        "r": _COUNT,
        "n": _SIZE,
        "biomarker": Text(),
    },
    "C6": {
        "p0": _INSIDE,
        "p1": _INSIDE,
        "prior": _PRIOR,
        "theta_t": _INSIDE,
        "theta_l": Number(0, 1),
        "planned": _SIZE,
        "biomarker": Text(),
    },
    "C7": {
        "alpha_one_sided": Number(0, 0.5, open_ends=True),
        "conditional_power_min": _INSIDE,
        "hazard_ratio_design": _INSIDE,
        **_COURSE,
    },
    "C8": {
        "conf_level": _INSIDE,
        "ci_type": Words(("log-log",)),
        "median_days_min": _POSITIVE,
        **_COURSE,
    },
    "C9": {"alpha_two_sided": Number(0, 0.5, open_ends=True), "ties": Words(("efron",)), **_COURSE},
    "C11": {"conf_level": _INSIDE, "median_days_min": _POSITIVE, **_COURSE},
    "D9": {"share_at_target_min": Number(0, 1)},
    "REVIEW": {"by": Text()},
}
"""By method, what each parameter may be. Of a method that is not here only the parameters it needs are asked for."""

_PRECLINICAL = frozenset({"PRECLINICAL_PHARMACOLOGY", "PRECLINICAL_TOXICOLOGY", "CTA"})
_ESCALATING = frozenset({"CTA", "PHASE_1", "PHASE_1_2"})
_LATE = frozenset({"PHASE_1_2", "PHASE_2", "PHASE_2_3", "PHASE_3", "PREAPPROVAL", "APPROVAL", "PHASE_4"})
_CLINICAL = _LATE | _ESCALATING
_RESPONSE = _LATE | {"PHASE_1"}

EVIDENCE_AT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("A1", "A2", "A3", "A4", "A5", "A6", "A7"), _PRECLINICAL),
    **dict.fromkeys(("B3", "B4", "B5", "B6", "B7"), _ESCALATING),
    **dict.fromkeys(("B1", "B2", "B8", "B9", "B10"), _CLINICAL),
    **dict.fromkeys(("C1", "C2", "C3", "C4", "C5", "C6", "C8", "C10", "C11"), _RESPONSE),
    **dict.fromkeys(("C7", "C9"), _LATE),
    **dict.fromkeys(("D6", "D7", "D9"), _CLINICAL),
}
"""By method, the stages at which its evidence can come about; a known medicine brings clinical records to its CTA."""

OF_PORTFOLIOS = frozenset({*(f"E{n}" for n in range(1, 11)), "F1", "F2"})
"""Methods that say something of many programmes or of a rule, never of what one programme shows."""


def needed(method: str) -> tuple[str, ...]:
    """Return the parameters a rule of a method has to state."""
    evaluator = EVALUATORS.get(method)
    return () if evaluator is None else evaluator.parameters


def bounds_of(method: str, parameters: Mapping[str, Any]) -> Mapping[str, Bound] | None:
    """Return what each parameter of a rule may be, or None where its method leaves that open.

    A parameter `with` names further methods the rule looks at; their parameters may be stated as well.
    """
    if method not in BOUNDS:
        return None
    beside = parameters.get("with")
    further = [each for each in beside if isinstance(each, str)] if isinstance(beside, list | tuple) else []
    found: dict[str, Bound] = {"with": Words(tuple(EVALUATORS), several=True)}
    for each in (*further, method):
        found |= BOUNDS.get(each, {})
    return found | {LEFT_TO_CENTRE: Words(tuple(sorted(found)), several=True)}
