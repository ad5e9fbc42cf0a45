"""Every figure of every method, and every field of a record a method takes, has a meaning of its own."""

import dataclasses
import typing

import pytest

from pipeline.calculation import COMMON
from pipeline.figure_meanings import MEANINGS
from pipeline.figures import meanings
from pipeline.outcome import catalogue


def records():
    """Return every class of results, and every record they hold or a method takes."""
    found = []
    waiting = [method.result_type for method in catalogue().values()]
    waiting += [parameter.annotation for method in catalogue().values() for parameter in method.parameters]
    while waiting:
        kind = waiting.pop()
        waiting += typing.get_args(kind)
        if dataclasses.is_dataclass(kind) and kind not in found:
            found.append(kind)
            waiting += typing.get_type_hints(kind).values()
    return sorted(found, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", records(), ids=lambda kind: kind.__name__)
def test_every_figure_is_described(kind):
    said = meanings(kind)
    assert [name for name, meaning in said.items() if meaning == f"{name.replace('_', ' ')}."] == []


def test_no_meaning_is_left_over():
    fields = {(base.__name__, f.name) for kind in records() for base in kind.__mro__ for f in _fields(base)}
    names = {name for _, name in fields}
    assert [key for key in MEANINGS if (tuple(key.split(".")) if "." in key else key) not in fields | names] == []


def _fields(kind):
    return dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()


UNITS = {"mg_per_kg": "mg/kg", "mg_per_m2": "mg/m2", "ms": "ms", "mm3": "mm3", "pct": "%", "um": "uM", "days": "days"}


@pytest.mark.parametrize("kind", records(), ids=lambda kind: kind.__name__)
def test_a_unit_in_a_name_is_said(kind):
    for name, meaning in meanings(kind).items():
        unit = next((said for end, said in UNITS.items() if name.endswith(f"_{end}")), None)
        if unit is not None and name not in COMMON and not meaning.startswith(("limits", "its ", "the same")):
            assert unit.rstrip("s") in meaning, (name, meaning)
