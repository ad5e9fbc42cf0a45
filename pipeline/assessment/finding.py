"""What a rule finds in its evidence: a recommendation with its statistic, its bar and a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from pipeline.words import Verdict


class Seen(NamedTuple):
    """One version of a record the rule saw, with the value it took from it."""

    node: str
    id: int
    version: int
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the records say to one rule.

    Attributes:
        inputs: what the rule computes with, JSON values only.
        seen: the record versions the inputs were taken from.
        missing: what would be needed and is not on record, each in a few words.
    """

    inputs: Mapping[str, object] = field(default_factory=dict)
    seen: Sequence[Seen] = ()
    missing: Sequence[str] = ()

    def digest(self) -> str:
        """Return the SHA-256 of the record versions and inputs, in hexadecimal: equal evidence, equal digest."""
        content = [sorted(seen[:3] for seen in self.seen), self.inputs, sorted(self.missing)]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule recommends. `statistic` against `threshold`; `outcome`: all that was computed, JSON values only."""

    recommendation: Verdict
    explanation: str
    statistic: float | None = None
    threshold: float | None = None
    outcome: Mapping[str, object] = field(default_factory=dict)
    method_version: int = 1


RECORD_IT = "Record or import it, and assess again."
STATE_IT = "Define a version of the rule that states it."


def not_computable(missing: Sequence[str], what_to_do: str = RECORD_IT) -> Finding:
    """Return the finding of a rule whose evidence is not complete: wait, and say for what and what to do."""
    return Finding(Verdict.HOLD, f"It cannot be assessed yet. Missing: {'; '.join(missing)}. {what_to_do}")
