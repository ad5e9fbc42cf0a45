"""What is told of how often a rule is wrong (F1): false stop, false go and expected size under stated truths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EXACT, SIMULATED, NOT_DEFINED = "exact", "simulated", "not defined"
SEED = 20_240_101
TRIALS = 10_000
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


def not_defined(method: str, reason: str) -> Characteristics:
    """Return the characteristics of a rule that has none, and why."""
    return Characteristics(method=method, basis=NOT_DEFINED, reason=reason)
