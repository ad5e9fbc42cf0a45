"""Classes of targets, as data: which kind of target a molecule acts on."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

NONE = "no target recorded"
OTHER = "not classified"
SEVERAL = "several classes"


@functools.cache
def _classes() -> Mapping[str, str]:
    text = files("pipeline.attrition").joinpath("target_classes.toml").read_text(encoding="utf-8")
    table: dict[str, list[str]] = tomllib.loads(text)["class"]
    return {_key(target): name for name, targets in table.items() for target in targets}


def _key(target: str) -> str:
    return "".join(c for c in target.casefold() if c.isalnum())


def target_class(target: str) -> str:
    """Return the class of one target."""
    return _classes().get(_key(target), OTHER)
