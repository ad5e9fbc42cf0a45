"""Reference inputs with parts replaced by what does not belong there: an answer or a refusal, never anything else."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.outcome import catalogue
from tests.reference.cases import Case, read_cases, reference_files

CASES = [case for path in reference_files(Path(__file__).parent) for case in read_cases(path) if isinstance(case, Case)]
FAMILIES = ("A", "B", "D8_")
METHODS = sorted({case.method for case in CASES if case.method.startswith(FAMILIES)})

STRANGE = [
    *(None, True, False, "", "x", "\x00", "NaN", [], [None], [[]], {}, {"a": 1}),
    *(0, -1, 1, 2, 3.5, 0.5, 0.999999999, 1e-12, 5e-324, 1e308, -1e308, 10**30, float("nan"), float("inf")),
    *([1], [1, 2], [0, 0, 0], [-1, 2], [1e308] * 3),
]


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every part of a JSON value, the whole excepted."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], part: object) -> Any:
    """Return a copy of a JSON value with one part replaced."""
    if not path:
        return part
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], part)
    return copy


def finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return all(map(finite, value))
    if isinstance(value, Mapping):
        return all(map(finite, value.values()))
    if is_dataclass(value):
        return all(finite(getattr(value, f.name)) for f in fields(value))
    return True


@pytest.mark.parametrize("method", METHODS)
def test_strange_parts_are_answered_or_refused(method: str) -> None:
    cases = [case for case in CASES if case.method == method]

    @settings(max_examples=50, deadline=None, derandomize=True)
    @given(st.data())
    def try_parts(data: st.DataObject) -> None:
        inputs: Any = dict(data.draw(st.sampled_from(cases)).inputs)
        for _ in range(data.draw(st.integers(1, 2))):
            path = data.draw(st.sampled_from(sorted(places(inputs), key=str)))
            inputs = replaced(inputs, path, data.draw(st.sampled_from(STRANGE)))
        try:
            outcome = catalogue()[method].calculate_reference(inputs)
        except PipelineError:
            return
        assert finite(outcome)

    try_parts()
