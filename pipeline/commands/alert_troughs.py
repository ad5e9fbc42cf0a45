"""Troughs below target, the second in a row apart, and troughs above a toxic level (D6, D9)."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.commands.alerts import Matter
from pipeline.commands.exposure_limits import (
    TROUGHS,
    Limits,
    amount,
    records_of_subjects,
    value_of,
    whose,
)
from pipeline.pharmacology.exposure_alerts import Alert, ExposureLimits, Observation, exposure_alerts
from pipeline.pharmacology.trough import trough_estimate
from pipeline.store.journal import Act
from pipeline.words import AlertKind

_NAMED = re.compile(
    r"trough|\bpre[\s_-]?dose|predose|\bc(?:min|trough|0)\b|r[ée]siduel|vall[ée]e|avant la (?:prise|dose)", re.I
)
_SHARE = 0.10
"""How far from the end of the dosing interval a sample may be taken and still be its trough."""


class Trough(NamedTuple):
    """A trough in the unit of its limit. below_limit: lower than could be measured, `value` is then 0."""

    row: Mapping[str, Any]
    value: float
    below_limit: bool


def troughs_beyond_limits(act: Act, limits: Limits, subject_ids: Collection[int]) -> Iterator[Matter]:
    """Return the troughs of subjects that are out of their bounds and that the act wrote, or gave another meaning."""
    courses: dict[tuple[Any, ...], list[Trough]] = defaultdict(list)
    by_id = {limit["id"]: limit for of in limits.of_molecule.values() for limit in of}
    for row in records_of_subjects(act, limits, subject_ids):
        for limit in limits.fitting(row, TROUGHS):
            trough = trough_of(act, limits, row, limit)
            if trough is not None:
                courses[limit["id"], row["study_id"], whose(row), row["analyte"], row["specimen"]].append(trough)
    for key, course in courses.items():
        yield from _beyond(act, limits, by_id[key[0]], course)


def trough_of(act: Act, limits: Limits, row: Mapping[str, Any], limit: Mapping[str, Any]) -> Trough | None:
    """Return a record as a trough, carried on to the end of the interval where the study says how; else None."""
    factor = limits.factor(act, row, row["unit"], limit)
    value = value_of(row)
    if factor is None:
        return None
    settings = limits.settings_of(act, row["study_id"], row["analyte"])
    tau, half_life = settings.get("tau_h"), settings.get("half_life_h")
    hours = row["hours_after_dose"]
    if not _is_trough(row, tau):
        if value is None or not tau or not half_life or hours is None or not 0 < hours <= tau * (1 + _SHARE):
            return None
        doses = 0 if row["day"] is None or row["day"] < 1 else math.floor((row["day"] - 1) * 24 / tau) + 1
        estimate = trough_estimate(value * factor, hours, tau, half_life, limit["lower"], doses, settings.get("tmax_h"))
        carried = estimate.estimated_trough
        return Trough(row, carried, False) if estimate.evaluable and carried is not None else None
    if not row["below_limit"]:
        return None if value is None else Trough(row, value * factor, False)
    least = row["lower_limit"]
    if limit["lower"] is None or (least is not None and least * factor > limit["lower"]):
        return None  # below what could be measured, which may still be above the target
    return Trough(row, 0.0, True)


def _is_trough(row: Mapping[str, Any], tau: float | None) -> bool:
    """Whether a sample was taken at the end of a dosing interval: by its name, but not before the first dose."""
    name = f"{row['nominal_time'] or ''} {row['profile'] or ''}"
    if _NAMED.search(name):
        return row["day"] is None or row["day"] > 1
    hours = row["hours_after_dose"]
    return tau is not None and hours is not None and abs(hours - tau) <= _SHARE * tau


_ORDER = ("sorted_on", "day", "hours_after_dose", "id")


def _beyond(act: Act, limits: Limits, limit: Mapping[str, Any], course: list[Trough]) -> Iterator[Matter]:
    """Judge the troughs of one subject in the order of time."""
    course.sort(key=lambda trough: tuple((trough.row[name] is not None, trough.row[name] or 0) for name in _ORDER[1:]))
    course.sort(key=lambda trough: str(trough.row["sorted_on"]))
    bounds = ExposureLimits(target_trough=limit["lower"], toxic_trough=limit["upper"])
    found = exposure_alerts(bounds, [Observation("trough", trough.value) for trough in course])
    before_is_new = False
    for trough, raised in zip(course, found.alerts, strict=True):
        is_new = limits.judges(act, trough.row)
        for alert in raised:
            # A trough entered late makes the next one the second in a row.
            if is_new or (before_is_new and alert is Alert.UNDER_EXPOSURE_CONFIRMED):
                yield _matter(act, limits, limit, trough, alert)
        before_is_new = is_new


def _matter(act: Act, limits: Limits, limit: Mapping[str, Any], trough: Trough, alert: Alert) -> Matter:
    row = trough.row
    high = alert is Alert.OVER_EXPOSURE
    bound, side = (limit["upper"], "above the limit of") if high else (limit["lower"], "below the target of")
    value = "below the limit of quantification" if trough.below_limit else amount(trough.value, limit["unit"])
    again = ", the second in a row" if alert is Alert.UNDER_EXPOSURE_CONFIRMED else ""
    about = f"{'ABOVE' if high else 'BELOW'}:{limit['id']}:{whose(row)}"
    return Matter(
        AlertKind.EXPOSURE_ABOVE_LIMIT if high else AlertKind.EXPOSURE_BELOW_TARGET,
        f"{about}:confirmed" if again else about,
        f"Trough of {row['analyte']} in {row['specimen']}: {value}, {side} {amount(bound, limit['unit'])}{again} "
        f"({limit['source']}), study {limits.study_code(act, row['study_id'])}",
        "MonitoringRecord",
        row["id"],
        value=None if trough.below_limit else trough.value,
        threshold=bound,
        unit=limit["unit"],
        molecule_id=row["molecule_id"],
        study_id=row["study_id"],
        subject_id=row["subject_id"],
    )
