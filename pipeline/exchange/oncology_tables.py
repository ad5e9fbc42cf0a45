"""What tables of oncology programmes leave open: whose a figure is where an arm gives two compounds."""

from __future__ import annotations

import re
from typing import Any

from pipeline.exchange.dataset_table import number_text

_COMPOUND = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2,6}-?\d{2,7}[A-Z]?(?![A-Za-z0-9])")
"""A compound's research code: ABC123, BMS-986205."""


def compounds_in(arm: str | None) -> tuple[str, ...]:
    """Return the research codes in the name of an arm, each once, in their order."""
    return tuple(dict.fromkeys(_COMPOUND.findall(arm or "")))


def common_compound(arms: list[str | None]) -> str | None:
    """Return the compound that every arm gives; None where none is, or several are."""
    told = [set(compounds_in(arm)) for arm in set(arms) if compounds_in(arm)]
    common = set.intersection(*told) if told else set()
    return next(iter(common)) if len(common) == 1 else None


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
