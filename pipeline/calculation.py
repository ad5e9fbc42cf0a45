"""A method of the catalogue applied to what a user typed: all that is wrong is said at once, and nothing runs long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from pipeline.arguments import Parameter, accept
from pipeline.errors import InputError, PipelineError, each, refuse
from pipeline.outcome import Method, Outcome

MOST_ENTRIES = 20_000
"""Entries that all lists of one calculation may have together: far beyond a study, and done within seconds."""

MOST: Mapping[str, Mapping[str, int]] = {
    "E4_cumulative_incidence": {"causes": 200, "times": 1_000},
    "E6_stage_occupation": {"states": 50, "times": 1_000},
    "F1_crm_oc": {"true_dlt_prob": 20, "skeleton": 20, "cohorts": 50},
}
"""Method -> input -> its largest value, or the most entries of a list: what takes about three seconds at most."""

COMMON = frozenset(f.name for f in fields(Outcome))
"""What every outcome has beside its values."""


def calculate(method: Method, inputs: Mapping[str, object]) -> Outcome:
    """Apply a method to inputs that come from outside.

    Raises:
        InputError, Refused: an input is unknown, missing, of the wrong kind, too long, or impossible. What `check`
            finds is said at once; whether the inputs fit each other is asked when each is of its kind.
    """
    refuse(check(method, inputs))
    return method.calculate(inputs)


def check(method: Method, inputs: Mapping[str, object]) -> list[PipelineError]:
    """Return a refusal for every input that is unknown, missing, or not of its kind; if any is too much, only that."""
    if too_long := _too_long(inputs) or _too_much(method, inputs):
        return too_long
    known = {parameter.name: parameter for parameter in method.parameters}
    refusals: list[PipelineError] = [
        InputError(f"{method.id} has no input {name[:60]!r}; it takes {', '.join(known)}", path=(name[:60],))
        for name in sorted(set(inputs) - set(known))
    ]
    for name, parameter in known.items():
        if name in inputs:
            try:
                accept(inputs[name], parameter.annotation, (name,))
            except PipelineError as refusal:
                refusals += each(refusal)
        elif parameter.required:
            refusals.append(InputError(f"{method.id} needs {name}: {describe(method, parameter)}", path=(name,)))
    return refusals


def describe(method: Method, parameter: Parameter) -> str:
    """Return what an input means, and how much of it is taken."""
    most = MOST.get(method.id, {}).get(parameter.name)
    if most is None:
        return parameter.description
    entries = "" if parameter.annotation is int else " entries"
    return f"{parameter.description.rstrip('.')}. At most {most:,}{entries}."


def plain(value: object) -> object:
    """Return a value of an outcome, or an outcome, as what JSON knows: records as objects, tuples as lists."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value


def figures(outcome: Outcome) -> dict[str, object]:
    """Return what a method found, by name, without what every outcome has."""
    return {f.name: getattr(outcome, f.name) for f in fields(outcome) if f.name not in COMMON}


def _too_long(inputs: Mapping[str, object]) -> list[PipelineError]:
    counts = {name: _entries(value) for name, value in inputs.items()}
    total = sum(counts.values())
    if total <= MOST_ENTRIES:
        return []
    longest = max(counts, key=lambda name: counts[name])
    return [
        InputError(
            f"the lists have {total:,} entries together, most of them in {longest}; at most {MOST_ENTRIES:,} are taken",
            path=(longest,),
        )
    ]


def _too_much(method: Method, inputs: Mapping[str, object]) -> list[PipelineError]:
    refusals: list[PipelineError] = []
    for name, most in MOST.get(method.id, {}).items():
        value = inputs.get(name)
        if isinstance(value, (list, tuple, Mapping)) and len(value) > most:
            message = f"{name} has {len(value):,} entries; at most {most:,} are taken"
            refusals.append(InputError(message, path=(name,)))
        elif isinstance(value, (int, float)) and value > most:
            refusals.append(InputError(f"{name} must be at most {most:,}, got {str(value)[:40]}", path=(name,)))
    return refusals


def _entries(value: object) -> int:
    """Count the entries of all lists and mappings in a value, without recursion."""
    total = 0
    waiting = [value]
    while waiting and total <= MOST_ENTRIES:
        current = waiting.pop()
        if isinstance(current, Mapping):
            current = tuple(current.values())
        if isinstance(current, (list, tuple)):
            total += len(current)
            waiting.extend(item for item in current if isinstance(item, (list, tuple, Mapping)))
    return total
