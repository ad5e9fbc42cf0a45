"""What rules that count at dose levels recommend, for many states of many trials side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from pipeline.assessment.evaluation import evaluate
from pipeline.assessment.finding import Evidence
from pipeline.assessment.replay import is_judged
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.words import Verdict

State = tuple[tuple[int, int], ...]
"""Subjects treated, and with a dose-limiting toxicity, at each level, lowest first."""

Said = tuple[Verdict, bool]
"""The recommendation, and whether there was evidence to give it on."""

JUDGED_TOGETHER = frozenset({("B4",), ("B5",)})
"""The methods, with those beside them, of rules that take so long that many states are judged side by side."""

_MOST_LEVELS, _MOST_SUBJECTS = 20, 1_000


def state_of(evidence: Evidence) -> State:
    """Return what a rule counts in its evidence."""
    levels: Any = evidence.inputs.get("levels", ())
    return tuple((level["treated"], level["with_dlt"]) for level in levels)


def counted_verdicts(rule: CheckpointRule, states: Collection[State]) -> dict[State, Said]:
    """Return what a rule of method B4 or B5 recommends in each state: the same as evaluating them one by one.

    States no trial can be in (more toxicities than subjects), and long ones, are evaluated one by one.
    """
    found: dict[State, Said] = {}
    regular: dict[int, list[State]] = defaultdict(list)
    for state in states:
        treated = sum(n for n, _ in state)
        if treated and len(state) <= _MOST_LEVELS and all(0 <= x <= n <= _MOST_SUBJECTS for n, x in state):
            regular[len(state)].append(state)
        else:
            found[state] = _one(rule, state)
    for of_length in regular.values():
        found |= _escalations(rule, of_length)
    return found


def _one(rule: CheckpointRule, state: State) -> Said:
    inputs: dict[str, object] = {
        "levels": [{"label": f"level {n}", "treated": k, "with_dlt": x} for n, (k, x) in enumerate(state, 1)]
    }
    finding = evaluate(rule, Evidence(inputs))
    return finding.recommendation, is_judged(finding)


def _escalations(rule: CheckpointRule, states: list[State]) -> dict[State, Said]:
    import numpy as np

    from pipeline.toxicity.selection import selected_dose

    counts = np.asarray(states, dtype=np.int64)
    target = float(rule.parameters["target"])  # type: ignore[arg-type]  # JSON numbers, checked when defined
    cutoff = float(rule.parameters.get("cutoff_eliminate", 0.95))  # type: ignore[arg-type]
    chosen, _ = selected_dose(target, counts[..., 0], counts[..., 1], cutoff)
    return {
        state: (Verdict.NO_GO if dose < 0 else Verdict.GO, True)
        for state, dose in zip(states, chosen.tolist(), strict=True)
    }
