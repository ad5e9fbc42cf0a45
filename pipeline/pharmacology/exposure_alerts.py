"""Alerts on exposure as it is monitored, by limits that are data (D9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from pipeline.outcome import Outcome, method
from pipeline.rounding import above, below

UNEXPECTED_ACCUMULATION = 1.5
DECLINE_FRACTION = 0.70


class Alert(StrEnum):
    """What an observation may raise."""

    UNDER_EXPOSURE_FIRST = "under_exposure_first"
    UNDER_EXPOSURE_CONFIRMED = "under_exposure_confirmed"
    OVER_EXPOSURE = "over_exposure"
    AUC_ABOVE_NONCLINICAL_CAP = "auc_above_nonclinical_cap"
    CMAX_ABOVE_NONCLINICAL_CAP = "cmax_above_nonclinical_cap"
    UNEXPECTED_ACCUMULATION = "unexpected_accumulation"
    EXPOSURE_DECLINE = "exposure_decline_gt30pct"


@dataclass(frozen=True, slots=True)
class ExposureLimits:
    """The limits of one molecule; None where there is none. Caps are the exposures at the NOAEL or HNSTD."""

    target_trough: float | None = None
    toxic_trough: float | None = None
    auc_cap: float | None = None
    cmax_cap: float | None = None
    predicted_accumulation: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One monitored value of one subject, in the unit of its limits."""

    type: Literal["trough", "auc", "cmax"]
    value: float | None
    evaluable: bool = True
    accumulation: float | None = None
    auc_prev_cycle: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureAlerts(Outcome):
    """The alerts of every observation, in the order of the observations."""

    alerts: tuple[tuple[Alert, ...], ...]

    reference_names: ClassVar[Mapping[str, str]] = {"alerts": "flags"}


@method("D9_exposure_alerts", version=1, title="Exposure alert rules", source="Moltrail, rules as data")
def exposure_alerts(config: ExposureLimits, observations: Sequence[Observation]) -> ExposureAlerts:
    """Compare one subject's exposures, in the order of time, with the limits of the molecule.

    A trough below target raises `under_exposure_first`, the next evaluable one below it in a row
    `under_exposure_confirmed`; a trough at or above target resets; one that is not evaluable neither counts nor
    resets. A trough above the toxic limit raises `over_exposure`. An AUC raises `auc_above_nonclinical_cap`,
    `unexpected_accumulation` (more than 1.5 times the predicted) and `exposure_decline_gt30pct` (below 70 % of the
    previous cycle); a Cmax `cmax_above_nonclinical_cap`. All comparisons are strict, at twelve digits.

    Args:
        config: limits of the molecule.
        observations: monitored values in the order of time.
    """
    found: list[tuple[Alert, ...]] = []
    low_before = False
    for seen in observations:
        if seen.value is None or not seen.evaluable:
            found.append(())
        elif seen.type == "trough":
            low = config.target_trough is not None and below(seen.value, config.target_trough)
            found.append(_trough_alerts(config, seen.value, low, low_before))
            low_before = low
        else:
            found.append(
                _auc_alerts(config, seen, seen.value) if seen.type == "auc" else _cmax_alerts(config, seen.value)
            )
    return ExposureAlerts(alerts=tuple(found))


def _trough_alerts(config: ExposureLimits, value: float, low: bool, low_before: bool) -> tuple[Alert, ...]:
    if low:
        return (Alert.UNDER_EXPOSURE_CONFIRMED if low_before else Alert.UNDER_EXPOSURE_FIRST,)
    if config.toxic_trough is not None and above(value, config.toxic_trough):
        return (Alert.OVER_EXPOSURE,)
    return ()


def _auc_alerts(config: ExposureLimits, seen: Observation, value: float) -> tuple[Alert, ...]:
    raised = []
    if config.auc_cap is not None and above(value, config.auc_cap):
        raised.append(Alert.AUC_ABOVE_NONCLINICAL_CAP)
    predicted, accumulated = config.predicted_accumulation, seen.accumulation
    if predicted is not None and accumulated is not None and above(accumulated, UNEXPECTED_ACCUMULATION * predicted):
        raised.append(Alert.UNEXPECTED_ACCUMULATION)
    if seen.auc_prev_cycle is not None and below(value, DECLINE_FRACTION * seen.auc_prev_cycle):
        raised.append(Alert.EXPOSURE_DECLINE)
    return tuple(raised)


def _cmax_alerts(config: ExposureLimits, value: float) -> tuple[Alert, ...]:
    return (Alert.CMAX_ABOVE_NONCLINICAL_CAP,) if config.cmax_cap is not None and above(value, config.cmax_cap) else ()
