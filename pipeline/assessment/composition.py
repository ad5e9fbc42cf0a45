"""Rules made of others: criteria combined with and, or, not, as data, and evaluated to one finding that shows them all.

A composition is a JSON tree. Its leaves are codes of rules, or criteria of their own:

    {"and": ["HERG_MARGIN", {"or": ["RESPONSE_TWO_STAGE", {"method": "B8", "parameters": {...}}]}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.assessment.evaluation import evaluate
from pipeline.assessment.finding import Evidence, Finding
from pipeline.errors import InputError
from pipeline.stages.checkpoints import COMPOSED, CheckpointRule
from pipeline.words import CheckpointKind, Verdict

MOST_LEAVES = 20
DEEPEST = 10
RISING = (Verdict.NO_GO, Verdict.RECYCLE, Verdict.HOLD, Verdict.CONDITIONAL_GO, Verdict.GO)
"""The verdicts from stop to go: "and" takes the lowest, "or" the highest, "not" the one opposite."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A leaf that states its own method and bar instead of naming a rule."""

    label: str
    method: str
    parameters: Mapping[str, Any]

    def as_rule(self, kind: CheckpointKind) -> CheckpointRule:
        """Return the criterion as a rule, for the evidence to be gathered and the method to be evaluated."""
        return CheckpointRule(self.label, 0, kind, self.method, self.parameters, self.label, "part of a composed rule")


@dataclass(frozen=True, slots=True)
class Branch:
    """`word` is and, or or not."""

    word: str
    below: tuple[Composition, ...]


Composition = str | Criterion | Branch
"""The code of a rule, a criterion, or what combines them."""


def read_composition(tree: object) -> Composition:
    """Read a composition from its JSON value.

    Raises:
        InputError: it is no tree of and, or, not over rule codes and criteria, or it is too large.
    """
    found = _read(tree, 0)
    count = len(list(leaves(found)))
    if count > MOST_LEAVES:
        raise InputError(
            f"a composed rule has at most {MOST_LEAVES} parts, this one has {count}", path=("composition",)
        )
    return found


def _read(tree: object, depth: int) -> Composition:
    path = ("composition",)
    if depth > DEEPEST:
        raise InputError(f"a composition is at most {DEEPEST} deep", path=path)
    if isinstance(tree, str) and tree.strip():
        return tree.strip()
    if not isinstance(tree, Mapping):
        raise InputError(
            f"a part of a composition is the code of a rule, a criterion or and/or/not; {str(tree)[:60]!r} is none",
            path=path,
        )
    if "method" in tree:
        return _criterion(tree)
    words = [word for word in ("and", "or", "not") if word in tree]
    if len(words) != 1 or len(tree) != 1:
        named = ", ".join(str(key)[:20] for key in tree) or "nothing"
        raise InputError(f'one of "and", "or", "not" is needed where {named} stands', path=path)
    word, below = words[0], tree[words[0]]
    if word == "not":
        return Branch(word, (_read(below, depth + 1),))
    if not isinstance(below, Sequence) or isinstance(below, str) or len(below) < 2:
        raise InputError(f'"{word}" takes a list of two parts or more', path=path)
    return Branch(word, tuple(_read(part, depth + 1) for part in below))


def _criterion(tree: Mapping[str, Any]) -> Criterion:
    unknown = sorted(str(key)[:20] for key in tree.keys() - {"method", "parameters", "label"})
    method, parameters = tree["method"], tree.get("parameters", {})
    label = tree.get("label", method)
    if unknown or not isinstance(method, str) or not isinstance(parameters, Mapping) or not isinstance(label, str):
        raise InputError(
            "a criterion has a method, its parameters and at most a label" + (f", not {unknown[0]}" if unknown else ""),
            path=("composition",),
        )
    return Criterion(label, method, parameters)


def leaves(composition: Composition) -> Iterator[str | Criterion]:
    """Yield the leaves from left to right; a rule that occurs twice comes twice."""
    if isinstance(composition, Branch):
        for part in composition.below:
            yield from leaves(part)
    else:
        yield composition


def codes(composition: Composition) -> tuple[str, ...]:
    """Return the codes of the rules it names, each once."""
    return tuple(dict.fromkeys(leaf for leaf in leaves(composition) if isinstance(leaf, str)))


def in_words(composition: Composition) -> str:
    """Return the composition as people write it: A and (B or not C)."""
    if isinstance(composition, str):
        return composition
    if isinstance(composition, Criterion):
        return composition.label
    parts = [f"({in_words(part)})" if isinstance(part, Branch) else in_words(part) for part in composition.below]
    return f"not {parts[0]}" if composition.word == "not" else f" {composition.word} ".join(parts)


def combined(composition: Composition, verdicts: Iterator[Verdict]) -> Verdict:
    """Return the verdict of a composition from those of its leaves, from left to right.

    "and" is the lowest and "or" the highest of NO_GO < RECYCLE < HOLD < CONDITIONAL_GO < GO: one stop decides an
    "and" and one go an "or", whatever is still waited for. "not" turns the order round: GO is NO_GO, HOLD stays.
    """
    if not isinstance(composition, Branch):
        return next(verdicts)
    found = [RISING.index(combined(part, verdicts)) for part in composition.below]
    if composition.word == "not":
        return RISING[len(RISING) - 1 - found[0]]
    return RISING[min(found) if composition.word == "and" else max(found)]


def rule_from(part: Mapping[str, Any]) -> CheckpointRule:
    """Return the rule a part of composed evidence was gathered for."""
    return CheckpointRule(
        part["code"],
        part["version"],
        CheckpointKind(part["kind"]),
        part["method"],
        part["parameters"],
        part["description"],
        part["source"],
    )


def judge(rule: CheckpointRule, evidence: Evidence) -> Finding:
    """Return what a rule finds, composed ones from their parts: `evidence.inputs["parts"]`, one for each leaf."""
    if rule.method != COMPOSED:
        return evaluate(rule, evidence)
    composition = read_composition(rule.parameters["composition"])
    shown: list[dict[str, object]] = []
    verdicts: list[Verdict] = []
    parts: Any = evidence.inputs["parts"]
    for part in parts:
        of = rule_from(part["rule"])
        found = judge(of, Evidence(part["inputs"], (), part["missing"]))
        verdicts.append(found.recommendation)
        shown.append(
            {
                "of": of.code,
                "version": of.version,
                "recommendation": found.recommendation.value,
                "statistic": found.statistic,
                "threshold": found.threshold,
                "explanation": found.explanation,
                "outcome": found.outcome,
            }
        )
    verdict = combined(composition, iter(verdicts))
    said = " ".join(f"{part['of']}: {part['recommendation']}. {part['explanation']}" for part in shown)
    return Finding(verdict, f"{in_words(composition)}: {verdict}. {said}", outcome={"parts": shown})
