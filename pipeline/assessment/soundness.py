"""What is wrong with a rule when it is defined: everything at once, each by name, before anybody relies on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pipeline.assessment.composition import Criterion, codes, leaves, read_composition
from pipeline.assessment.evaluation import EVALUATORS
from pipeline.assessment.parameter_bounds import EVIDENCE_AT, OF_PORTFOLIOS, bounds_of, needed
from pipeline.errors import InputError
from pipeline.stages.checkpoints import COMPOSED, LEFT_TO_CENTRE, METHODS

Fault = tuple[str, str]
"""The parameter it is about ("" for the rule as a whole), and what is wrong."""


def faults(
    code: str,
    method: str,
    parameters: Mapping[str, Any],
    stages: Collection[str],
    rules: Mapping[str, Mapping[str, Any]],
    known_stages: Collection[str],
) -> tuple[InputError, ...]:
    """Return all that is wrong with a rule; nothing where it can be used.

    Args:
        code: the rule's code.
        method: a method of the catalogue.
        parameters: its bar, JSON values.
        stages: the stages the rule is for; none stands for all at which its evidence can come about.
        rules: the parameters of every rule on record, by code; what a composition may name.
        known_stages: the stages of the state graph in force.
    """
    found = [InputError(sentence, path=("input", "stages")) for sentence in _unknown_stages(stages, known_stages)]
    stages = [stage for stage in stages if stage in known_stages]
    if method not in METHODS:
        sentence = f"{str(method)[:40]!r} is no method; the methods are {', '.join(METHODS)}"
        return (*found, InputError(sentence, path=("input", "method")))
    if method == COMPOSED:
        wrong = list(_composition_faults(code, parameters, stages, rules))
    else:
        wrong = list(_method_faults(method, parameters, stages))
    for name, sentence in wrong:
        path = ("input", "parameters", name) if name else ("input", "method")
        found.append(InputError(sentence, path=path))
    return tuple(found)


def _unknown_stages(stages: Collection[str], known: Collection[str]) -> Iterator[str]:
    for stage in stages:
        if stage not in known:
            yield f"{stage[:60]!r} is not a stage of the state graph; its stages are {', '.join(known)}"


def _method_faults(method: str, parameters: Mapping[str, Any], stages: Collection[str]) -> Iterator[Fault]:
    if method in OF_PORTFOLIOS:
        yield "", f"{method} ({METHODS[method]}) says nothing of one programme; it cannot be a checkpoint rule"
        return
    if method not in EVALUATORS and method != "REVIEW":
        yield (
            "",
            f"nothing is recommended by {method} ({METHODS[method]}) from the records; take one of "
            f"{', '.join(EVALUATORS)}, or REVIEW for what people judge",
        )
        return
    left = parameters.get(LEFT_TO_CENTRE)
    for name in needed(method):
        if name not in parameters and not (isinstance(left, list | tuple) and name in left):
            yield name, f"{method} needs the parameter {name}"
    bounds = bounds_of(method, parameters)
    sound: dict[str, Any] = {}
    for name, value in parameters.items():
        if bounds is not None and name not in bounds and name not in needed(method):
            yield name, f"{method} has no parameter {name[:40]!r}; it has {', '.join(sorted(bounds))}"
            continue
        bound = None if bounds is None else bounds.get(name)
        wrong = None if bound is None else bound.fault(value)
        if wrong is None:
            sound[name] = value
        else:
            yield name, f"{name} {wrong}"
    together = _TOGETHER.get(method)
    if together is not None:
        yield from together(sound, parameters)
    yield from _no_evidence(method, stages)


def _no_evidence(method: str, stages: Collection[str]) -> Iterator[Fault]:
    possible = EVIDENCE_AT.get(method)
    if possible is None:
        return
    never = [stage for stage in stages if stage not in possible]
    if never:
        yield (
            "",
            f"the evidence of {method} ({METHODS[method]}) can never come about at {', '.join(never)}; it does at "
            f"{', '.join(sorted(possible))}",
        )


# ------------------------------------------------------------ parameters that do not go together


def _ordered(sound: Mapping[str, Any], low: str, high: str, *, equal: bool = False) -> Iterator[Fault]:
    if low in sound and high in sound:
        fine = sound[low] <= sound[high] if equal else sound[low] < sound[high]
        if not fine:
            least = "at most" if equal else "below"
            yield low, f"{low} has to be {least} {high}; {sound[low]:g} is not, beside {sound[high]:g}"


def _margins(sound: Mapping[str, Any], _all: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _ordered(sound, "alert_below", "caution_below", equal=True)


def _boin(sound: Mapping[str, Any], _all: Mapping[str, Any]) -> Iterator[Fault]:
    if "target" not in sound:
        return
    from pipeline.toxicity.boin import cut_points

    try:
        cut_points(sound["target"], sound.get("p_saf"), sound.get("p_tox"))
    except InputError as error:
        yield error.path[0], error.message


def _keyboard(sound: Mapping[str, Any], _all: Mapping[str, Any]) -> Iterator[Fault]:
    target = sound.get("target")
    if target is None:
        return
    left, right = sound.get("margin_left", 0.05), sound.get("margin_right", 0.05)
    if target - left <= 0 or target + right >= 1:
        yield "margin_left", f"the target key from {target - left:g} to {target + right:g} has to lie between 0 and 1"
    if left + right < 0.01:
        yield "margin_left", "the target key has to be at least 0.01 wide"


def _crm(sound: Mapping[str, Any], _all: Mapping[str, Any]) -> Iterator[Fault]:
    target, half = sound.get("target"), sound.get("halfwidth")
    if target is not None and half is not None and not 0 < target - half < target + half < 1:
        yield "halfwidth", f"the interval {target:g} -+ {half:g} has to lie between 0 and 1"


_OF_DESIGN = {
    "BOIN": ("p_saf", "p_tox", "cutoff_eliminate", "max_pending_fraction"),
    "KEYBOARD": ("margin", "cutoff_eliminate", "max_pending_fraction"),
    "CRM": ("scheme", "skeleton", "model", "prior_sd", "intercept", "halfwidth", "cutoff_stop"),
}
"""By design of B7, the parameters that are its own."""


def _pending(sound: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Fault]:
    design = sound.get("design", "BOIN")
    for name in sorted({name for names in _OF_DESIGN.values() for name in names} - set(_OF_DESIGN[design])):
        if name in parameters:
            yield name, f"{name} says nothing under the design {design}; it has {', '.join(_OF_DESIGN[design])}"
    if design == "BOIN":
        yield from _boin(sound, parameters)
    elif design == "CRM":
        yield from _crm(sound, parameters)
    else:
        both = {"margin_left": sound.get("margin", 0.05), "margin_right": sound.get("margin", 0.05)}
        for _, sentence in _keyboard({**sound, **both}, parameters):
            yield "margin", sentence


def _monitoring(sound: Mapping[str, Any], _all: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _ordered(sound, "target", "p_bad")


def _rate(sound: Mapping[str, Any], _all: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _ordered(sound, "p0", "p1")


_GIVEN, _SOUGHT = ("r1", "n1", "r", "n"), ("p0", "p1", "alpha", "beta")


def _two_stage(sound: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Fault]:
    given = [name for name in _GIVEN if name in parameters]
    if given:
        for name in _GIVEN:
            if name not in parameters:
                yield name, f"a design that states {', '.join(given)} has to state {name} as well"
    else:
        for name in _SOUGHT:
            if name not in parameters:
                yield name, f"C4 needs either the design (r1, n1, r, n) or {', '.join(_SOUGHT)}; {name} is missing"
    wrong = [
        *_ordered(sound, "p0", "p1"),
        *_ordered(sound, "r1", "n1"),
        *_ordered(sound, "n1", "n"),
        *_ordered(sound, "r", "n"),
        *_ordered(sound, "r1", "r", equal=True),
    ]
    yield from wrong
    if not given and not wrong and all(name in sound for name in _SOUGHT):
        from pipeline.efficacy.simon import simon_designs

        p0, p1, alpha, beta = (float(sound[name]) for name in _SOUGHT)
        if simon_designs(p0, p1, alpha, beta).optimal is None:
            yield "p1", "no two-stage design of at most 100 subjects separates these rates with these errors"


def _predictive(sound: Mapping[str, Any], _all: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _ordered(sound, "p0", "p1")
    if not {"planned", "prior", "p0", "theta_t"} <= sound.keys():
        return
    from pipeline.efficacy.predictive_probability import predictive_probability

    planned, prior = sound["planned"], tuple(sound["prior"])
    best = predictive_probability(planned, planned, planned, prior, sound["p0"], sound["theta_t"])
    if best.pp <= 0:
        yield "theta_t", f"not even {planned} responses in {planned} subjects would be a success"


_TOGETHER: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Fault]]] = {
    "A4": _margins,
    "B4": _boin,
    "B5": _keyboard,
    "B6": _crm,
    "B7": _pending,
    "B8": _monitoring,
    "C3": _rate,
    "C4": _two_stage,
    "C6": _predictive,
}


# ------------------------------------------------------------ rules made of others


def _composition_faults(
    code: str, parameters: Mapping[str, Any], stages: Collection[str], rules: Mapping[str, Mapping[str, Any]]
) -> Iterator[Fault]:
    for name in parameters:
        if name != "composition":
            yield name, f"a composed rule has only a composition, no {name[:40]!r}"
    if "composition" not in parameters:
        yield "composition", "a composed rule needs a composition: rules and criteria joined by and, or, not"
        return
    try:
        composition = read_composition(parameters["composition"])
    except InputError as error:
        yield "composition", error.message
        return
    for leaf in leaves(composition):
        if not isinstance(leaf, Criterion):
            continue
        if leaf.method not in METHODS or leaf.method in (COMPOSED, "REVIEW"):
            yield "composition", f"a criterion of a composition names a method that is computed, not {leaf.method!r}"
            continue
        for _, sentence in _method_faults(leaf.method, leaf.parameters, stages):
            yield "composition", f"in the criterion {leaf.label[:40]!r}: {sentence}"
    for name in codes(composition):
        if name != code and name not in rules:
            yield "composition", f"there is no rule {name[:60]!r}"
    circle = _circle(code, parameters, rules)
    if circle:
        yield "composition", f"the rule would rest on itself: {' -> '.join(circle)}"


def _circle(code: str, parameters: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...] | None:
    """Return the way a rule leads back to itself through what it names, or None."""
    after = {**rules, code: parameters}
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> tuple[str, ...] | None:
        if name in way:
            return (*way, name)
        if name in done:
            return None
        done.add(name)
        for below in _named(after.get(name, {})):
            found = walk(below, (*way, name))
            if found:
                return found
        return None

    return walk(code, ())


def _named(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    if "composition" not in parameters:
        return ()
    try:
        return codes(read_composition(parameters["composition"]))
    except InputError:
        return ()
