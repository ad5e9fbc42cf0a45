"""No method breaks on what it is given: it answers with finite numbers and reasons, or refuses with a sentence."""

import copy
import json
import math
import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.outcome import Outcome, catalogue

REFERENCE = Path(__file__).parents[1] / "reference"
FILES = sorted(path for path in REFERENCE.glob("[A-F]*.json"))
HOSTILE = (None, -1, 0, 0.5, 2, 7, 1e-300, 1e300, 10**30, math.nan, math.inf, "x", True, [], {}, "\0")
TRIES = 60


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def spoil(inputs: Any, chance: random.Random) -> None:
    """Put something hostile in one place of the inputs, or repeat, drop, reorder or scale a list."""
    *path, last = chance.choice(list(places(inputs)))
    target = inputs
    for key in path:
        target = target[key]
    item = target[last]
    if not isinstance(item, list) or not item or chance.random() < 0.3:
        target[last] = chance.choice(HOSTILE)
        return
    turned = [item[::-1], item[:-1], item + item[-1:], item[:1] * len(item), []]
    if all(isinstance(entry, (int, float)) for entry in item):
        turned += [[entry * factor for entry in item] for factor in (-1, 0, 1e-200, 1e200)]
    target[last] = chance.choice(turned)


def not_finite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if is_dataclass(value):
        return any(not_finite(getattr(value, f.name)) for f in fields(value) if f.name != "parameters")
    if isinstance(value, dict):
        return any(not_finite(item) for item in value.values())
    return isinstance(value, (tuple, list)) and any(not_finite(item) for item in value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_hostile_inputs_get_an_answer_or_a_refusal(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    method = catalogue()[content["method"]]
    chance = random.Random(content["method"])
    answered = refused = 0
    for _ in range(TRIES):
        inputs = copy.deepcopy(chance.choice(content["cases"])["inputs"])
        for _ in range(chance.choice((1, 1, 2))):
            spoil(inputs, chance)
        try:
            found = method.calculate_reference(inputs)
        except PipelineError:
            refused += 1
            continue
        assert isinstance(found, Outcome)
        assert not not_finite(found), inputs
        answered += 1
    assert answered + refused == TRIES
    assert refused
