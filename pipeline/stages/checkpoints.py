"""What an advance has to show: checkpoint rules as data, and which of them are still unmet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import Unmet
from pipeline.words import CheckpointKind, Verdict

COMPOSED = "COMPOSED"
"""The method of a rule that is made of others; see pipeline.assessment.composition."""

METHODS: Mapping[str, str] = {
    "A1": "human equivalent dose",
    "A2": "maximum recommended starting dose",
    "A3": "first dose of a cancer medicine (ICH S9)",
    "A4": "hERG safety margin",
    "A5": "therapeutic index and exposure margins",
    "A6": "tumour growth inhibition",
    "A7": "response of patient-derived xenografts (mRECIST)",
    "B1": "CTCAE laboratory grades",
    "B2": "dose-limiting toxicity",
    "B3": "3+3 escalation",
    "B4": "BOIN escalation",
    "B5": "keyboard and mTPI-2 escalation",
    "B6": "continual reassessment method",
    "B7": "escalation with pending subjects (TITE)",
    "B8": "Bayesian toxicity monitoring",
    "B9": "Hy's law and eDISH",
    "B10": "QTc",
    "C1": "RECIST 1.1 response",
    "C2": "best overall response",
    "C3": "response rate and intervals",
    "C4": "Simon two-stage design",
    "C5": "estimate after a two-stage design",
    "C6": "Bayesian predictive probability",
    "C7": "conditional and predictive power",
    "C8": "Kaplan-Meier estimate",
    "C9": "log-rank test and hazard ratio",
    "C10": "response by biomarker",
    "C11": "progression-free survival",
    "D1": "non-compartmental analysis",
    "D2": "terminal slope",
    "D3": "values below the limit of quantification",
    "D4": "steady state and accumulation",
    "D5": "dose proportionality",
    "D6": "trough monitoring",
    "D7": "exposure and response",
    "D8": "unit conversion",
    "D9": "exposure alerts",
    "E1": "phase transition probability",
    "E2": "likelihood of approval",
    "E3": "interval of a transition probability",
    "E4": "cumulative incidence of advance and stop",
    "E5": "time in stage",
    "E6": "stage occupation",
    "E7": "delayed entry",
    "E8": "mix of attrition reasons",
    "E9": "late-stage attrition index",
    "E10": "detection lead time",
    "F1": "operating characteristics",
    "F2": "probability of technical success",
    "REVIEW": "documented judgement, without a statistic",
    COMPOSED: "other rules and criteria, combined with and, or, not",
}
"""The methods a rule may name."""

LEFT_TO_CENTRE = "centre_states"
"""The parameter that names those only a centre can state; until it does, in a version of its own, the rule waits."""


class Doubt(StrEnum):
    """Why a decision that would open the way no longer does."""

    BASIS_CHANGED = "BASIS_CHANGED"
    RULE_SUPERSEDED = "RULE_SUPERSEDED"


Standing = Verdict | Doubt | None
"""How a rule stands: its decision in force, why that no longer holds, or None while it is open."""

PASSING = frozenset({Verdict.GO, Verdict.CONDITIONAL_GO})
"""The verdicts that open the way."""


@dataclass(frozen=True, slots=True)
class CheckpointRule:
    """One rule of one version: what is looked at, by which method, and the bar in `parameters` (JSON values)."""

    code: str
    version: int
    kind: CheckpointKind
    method: str
    parameters: Mapping[str, object]
    description: str
    source: str

    @property
    def unstated(self) -> tuple[str, ...]:
        """The parameters a rule leaves to the centre (`centre_states`) that it does not state yet."""
        left = self.parameters.get(LEFT_TO_CENTRE) or ()
        names = [str(name) for name in left] if isinstance(left, list | tuple) else []
        return tuple(name for name in names if name not in self.parameters)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A condition of an earlier decision whose day is over: of which rule, decided at which stage."""

    rule: str
    stage: str
    condition: str
    owner: str
    due_on: str


def unmet_conditions(overdue: Iterable[Overdue]) -> list[Unmet]:
    """Return what no advance passes: conditions of decisions that nobody settled by the day they were due."""
    return [
        Unmet(
            each.rule,
            f"condition met by {each.due_on}: {each.condition}",
            "OVERDUE",
            f"{each.rule} was decided CONDITIONAL_GO at {each.stage} on the condition “{each.condition}” "
            f"({each.owner}), due on {each.due_on}; record that it is met, or that it is lifted",
        )
        for each in overdue
    ]


def unmet_checkpoints(rules: Iterable[CheckpointRule], verdicts: Mapping[str, Standing]) -> tuple[Unmet, ...]:
    """Return every rule that does not let an advance pass, in the order given.

    `verdicts` maps rule codes to the decision in force: an absent code was never assessed, None is assessed but not
    decided. GO and CONDITIONAL_GO pass, unless there is doubt about what they rest on.
    """
    unmet = []
    for rule in rules:
        verdict = verdicts.get(rule.code)
        if verdict in PASSING:
            continue
        if rule.code not in verdicts:
            found, state = None, "has not been assessed; assess and decide it first"
        elif verdict is Doubt.BASIS_CHANGED:
            found, state = verdict.value, "rests on records that were corrected since; assess and decide it again"
        elif verdict is Doubt.RULE_SUPERSEDED:
            found, state = verdict.value, "was decided under an older version of the rule; assess and decide it again"
        elif verdict is None:
            found, state = "OPEN", "is assessed but not decided; decide it first"
        else:
            found, state = verdict.value, f"was decided {verdict}; only a new assessment decided GO opens the way"
        explanation = f"{rule.code} {state} ({rule.description.rstrip('.')})"
        unmet.append(Unmet(rule.code, "GO or CONDITIONAL_GO", found, explanation))
    return tuple(unmet)
