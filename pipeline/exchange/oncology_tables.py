"""What tables of oncology programmes leave open: whose a figure is where an arm gives two compounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipeline.exchange.dataset_table import number_text

_COMPOUND = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2,6}-?\d{2,7}[A-Z]?(?![A-Za-z0-9])")
"""A compound's research code: ABC123, BMS-986205."""


_DAY_H = 24.0
_FEWEST_STEPS = 5


def compounds_in(arm: str | None) -> tuple[str, ...]:
    """Return the research codes in the name of an arm, each once, in their order."""
    return tuple(dict.fromkeys(_COMPOUND.findall(arm or "")))


def common_compound(arms: Sequence[str | None]) -> str | None:
    """Return the compound that every arm gives; None where none is, or several are."""
    told = [set(compounds_in(arm)) for arm in set(arms) if compounds_in(arm)]
    common = set.intersection(*told) if told else set()
    return next(iter(common)) if len(common) == 1 else None


def count_hours(subjects: Sequence[str | None], times: Sequence[float | None]) -> bool:
    """Tell whether the times of a dosing history without a unit are hours: most doses follow the last one after 24.

    Args:
        subjects: whose each dose is, in the order of the table.
        times: when it was given.
    """
    steps = [
        later - time
        for (who, time), (next_one, later) in pairwise(zip(subjects, times, strict=True))
        if who == next_one and time is not None and later is not None and later > time
    ]
    daily = sum(_DAY_H - 2 <= step <= _DAY_H + 2 for step in steps)
    return len(steps) >= _FEWEST_STEPS and 2 * daily > len(steps)


def is_fraction(best: list[float], others: list[float]) -> bool | None:
    """Tell whether changes are fractions (True) or percent (False), None where both can be.

    Args:
        best: the changes in question.
        others: changes of the same subjects known to be percent.
    """
    if any(abs(value) > 1.5 for value in best):
        return False
    if any(abs(value) > 1.5 for value in others):
        return True
    return None


def as_percent(value: float | None, fraction: bool) -> Any:
    """Return a change in percent as text."""
    return None if value is None else number_text(value * 100 if fraction else value)
