"""Refusals of numbers that are out of their range; None passes, it is missing and not wrong."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import InputError

MOST_PATIENTS = 1_000_000


def above_zero(**values: float | None) -> None:
    """Refuse the first value that is not above 0."""
    for name, value in values.items():
        if value is not None and not value > 0:
            raise InputError(f"{name} must be above 0, got {value:g}", path=(name,))


def not_negative(**values: float | None) -> None:
    """Refuse the first value below 0."""
    for name, value in values.items():
        if value is not None and not value >= 0:
            raise InputError(f"{name} must not be negative, got {value:g}", path=(name,))


def within(low: float, high: float, **values: float | None) -> None:
    """Refuse the first value outside [low, high]."""
    for name, value in values.items():
        if value is not None and not low <= value <= high:
            raise InputError(f"{name} must be from {low:g} to {high:g}, got {value:g}", path=(name,))


def between(low: float, high: float, **values: float | None) -> None:
    """Refuse the first value that is not strictly between low and high."""
    for name, value in values.items():
        if value is not None and not low < value < high:
            raise InputError(f"{name} must be above {low:g} and below {high:g}, got {value:g}", path=(name,))


def same_length(**lists: Sequence[object]) -> None:
    """Refuse lists that do not have one entry each for the same things."""
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise InputError(f"the lists must be equally long: {counted}", path=(next(iter(lists)),))


def events_among(patients: int, events: int, *, path: tuple[str, ...] = ("dlt",)) -> None:
    """Refuse negative counts, more events than patients, and more patients than any study has."""
    if patients < 0 or events < 0:
        raise InputError(f"counts must not be negative, got {events} of {patients}", path=path)
    if patients > MOST_PATIENTS:
        raise InputError(f"{patients} patients are more than the {MOST_PATIENTS} a study may have", path=path)
    if events > patients:
        raise InputError(f"there are more events than patients: {events} of {patients}", path=path)
