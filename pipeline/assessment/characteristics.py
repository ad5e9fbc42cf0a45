"""How often a rule is wrong: false stop, false go and expected size under stated truths, before it may be used (F1).

Exact where the rule counts; simulated, with the seed and the Monte Carlo error, where it escalates. What the rule
does not state (the size of the trial, the true rates) is assumed, and every assumption is part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from pipeline.assessment import counted_characteristics as counted
from pipeline.assessment import escalation_characteristics as escalation
from pipeline.assessment.composition import Branch, Composition, Criterion, leaves, read_composition
from pipeline.assessment.operating_figures import EXACT, SEED, SIMULATED, TRIALS, Characteristics, not_defined
from pipeline.errors import InputError
from pipeline.stages.checkpoints import COMPOSED, METHODS, CheckpointRule
from pipeline.words import CheckpointKind

_MARGIN = "a measured margin is held against a limit; how it scatters is not stated, so no error rate follows"
_CASES = "single cases stop it until people explain them; it separates no two rates"
_WHY = {
    "A1": "it converts a dose and decides nothing",
    "A2": "it derives a dose; what is held against it is not stated",
    "A3": "it derives a dose; what is held against it is not stated",
    "A4": _MARGIN,
    "A5": _MARGIN,
    "A6": "the scatter of tumour volumes is not stated, so no error rate follows from the limit",
    "B9": _CASES,
    "B10": _CASES,
    "C8": "it estimates a curve; no limit and no truths are stated",
    "C9": "the number of events and the hazard ratio the trial was planned for are its own; the rule states neither",
    "REVIEW": "people judge documents",
}

_METHODS: Mapping[str, Callable[[Mapping[str, Any]], Characteristics]] = {
    "A7": counted.share_of_models,
    "B3": escalation.three_plus_three,
    "B4": escalation.boin,
    "B5": escalation.keyboard,
    "B6": escalation.by_model,
    "B7": escalation.pending,
    "B8": counted.monitoring,
    "C3": counted.response_rate,
    "C4": counted.two_stage,
    "C6": counted.predicted,
    "C7": counted.conditional_power,
    "D9": counted.share_at_target,
}


def characteristics(
    method: str, parameters: Mapping[str, Any], parts: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None
) -> Characteristics:
    """Return the operating characteristics of a sound rule.

    Args:
        method: the rule's method.
        parameters: its parameters.
        parts: method and parameters of the rules a composition names, by code.
    """
    if method == COMPOSED:
        return _composed(read_composition(parameters["composition"]), parts or {})
    unstated = CheckpointRule("", 0, CheckpointKind.TOXICITY, method, parameters, "", "").unstated
    if unstated:
        return not_defined(method, f"the centre has still to state {', '.join(unstated)}")
    compute = _METHODS.get(method)
    if compute is None:
        return not_defined(method, _WHY.get(method, f"{METHODS.get(method, method)} compares no counts with a limit"))
    try:
        return compute(parameters)
    except InputError as error:
        return not_defined(method, f"they cannot be computed: {error}")


# ------------------------------------------------------------ rules made of others


def _composed(composition: Composition, parts: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Characteristics:
    """Return those of a composed rule, its parts taken to err independently; each part counts once."""
    if any(branch.word == "not" for branch in _branches(composition)):
        return not_defined(COMPOSED, "what is good for the rule is bad for a part under not: no truths follow")
    distinct = list(dict.fromkeys(_key(leaf) for leaf in leaves(composition)))
    if len(distinct) > 12:
        return not_defined(COMPOSED, "more than 12 different parts")
    found: dict[str, Characteristics] = {}
    for leaf in leaves(composition):
        method, parameters = (leaf.method, leaf.parameters) if isinstance(leaf, Criterion) else parts[leaf]
        of = characteristics(method, parameters, parts)
        if of.false_go is None or of.false_stop is None:
            return not_defined(COMPOSED, f"{_name(leaf)} has none: {of.reason}")
        found[_key(leaf)] = of
    pass_bad = pass_good = 0.0
    for outcomes in product((True, False), repeat=len(distinct)):
        passed = dict(zip(distinct, outcomes, strict=True))
        if not _passes(composition, passed):
            continue
        bad = good = 1.0
        for key, went in passed.items():
            go_bad, stop_good = found[key].false_go or 0.0, found[key].false_stop or 0.0
            bad *= go_bad if went else 1 - go_bad
            good *= 1 - stop_good if went else stop_good
        pass_bad += bad
        pass_good += good
    simulated = any(of.basis == SIMULATED for of in found.values())
    return Characteristics(
        method=COMPOSED,
        basis=SIMULATED if simulated else EXACT,
        bad="every part is bad",
        good="every part is good",
        false_go=min(pass_bad, 1.0),
        false_stop=max(0.0, 1 - pass_good),
        seed=SEED if simulated else None,
        trials=TRIALS if simulated else None,
        assumed={"parts": "err independently of each other"},
        more={"parts": {_name(leaf): found[_key(leaf)].as_json() for leaf in leaves(composition)}},
    )


def _branches(composition: Composition) -> Iterator[Branch]:
    if isinstance(composition, Branch):
        yield composition
        for part in composition.below:
            yield from _branches(part)


def _name(leaf: str | Criterion) -> str:
    return leaf if isinstance(leaf, str) else leaf.label


def _key(leaf: str | Criterion) -> str:
    return leaf if isinstance(leaf, str) else f"{leaf.method} {sorted(leaf.parameters.items())!r}"


def _passes(composition: Composition, passed: Mapping[str, bool]) -> bool:
    if not isinstance(composition, Branch):
        return passed[_key(composition)]
    below = [_passes(part, passed) for part in composition.below]
    return all(below) if composition.word == "and" else any(below)
