"""Tumour growth inhibition in groups of animals, and growth delay (A6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median
from typing import ClassVar

from pipeline.bounds import above_zero, not_negative, same_length
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import above, at_most, below

HIGHLY_ACTIVE_BELOW = 10.0
ACTIVE_UP_TO = 42.0
DOUBLINGS_PER_DECADE = 3.32
GREATEST_WEIGHT_LOSS_PERCENT = 20.0
ANIMALS_PER_TOXIC_DEATH = 10


class Summary(StrEnum):
    """How the animals of a group are summed up."""

    MEAN = "mean"
    MEDIAN = "median"


class Activity(StrEnum):
    """Activity by T/C in percent, after the National Cancer Institute."""

    HIGHLY_ACTIVE = "highly_active"
    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class TumourGrowthInhibition(Outcome):
    """Group volumes in mm3 and their comparison in percent; counts of the animals behind them.

    Of `dt_dc_pct` and `regression_pct` one is given: the first when the treated tumours grew, the second when not.
    """

    treated_start_mm3: float | None
    treated_end_mm3: float | None
    control_start_mm3: float | None
    control_end_mm3: float | None
    tc_volume_pct: float | None
    dt_dc_pct: float | None
    regression_pct: float | None
    tgi_pct: float | None
    nci_class: Activity | None
    evaluable: bool
    treated_animals: int
    control_animals: int
    treated_dropped: int
    control_dropped: int

    reference_names: ClassVar[Mapping[str, str]] = {
        "treated_start_mm3": "mean_T0",
        "treated_end_mm3": "mean_Tt",
        "control_start_mm3": "mean_C0",
        "control_end_mm3": "mean_Ct",
    }


@method(
    "A6_tgi",
    version=1,
    title="Tumour growth inhibition and T/C",
    source="Plowman J et al. Anticancer Drug Development Guide 1997; Hollingshead MG. J Natl Cancer Inst 2008;100:1500",
    reference_inputs={
        "treated_day0": "treated_start_mm3",
        "treated_dayt": "treated_end_mm3",
        "control_day0": "control_start_mm3",
        "control_dayt": "control_end_mm3",
    },
)
def tumour_growth_inhibition(
    treated_start_mm3: Sequence[float | None],
    treated_end_mm3: Sequence[float | None],
    control_start_mm3: Sequence[float | None],
    control_end_mm3: Sequence[float | None],
    summary: Summary = Summary.MEAN,
    treated_weight_loss_percent: float | None = None,
    treated_toxic_deaths: int = 0,
) -> TumourGrowthInhibition:
    """Compare tumour growth of a treated and a control group on one reading day, fixed beforehand.

    T/C % = 100 * Tt / Ct. With dT = Tt - T0 and dC = Ct - C0: dT/dC % = 100 * dT / dC when dT >= 0, else regression %
    = 100 * dT / T0. TGI % = 100 * (1 - dT/dC), above 100 when tumours shrank. Other formulas are also called TGI;
    this one does not depend on the groups starting apart.

    Args:
        treated_start_mm3: volume at the start of each treated animal, mm3; None where it was not measured.
        treated_end_mm3: volume of the same animals on the reading day; None for an animal that was dropped.
        control_start_mm3: as above for the control group.
        control_end_mm3: as above for the control group.
        summary: mean or median over the animals measured on both days.
        treated_weight_loss_percent: greatest mean body-weight loss of the treated group in percent, if known.
        treated_toxic_deaths: treated animals that died of toxicity.

    Returns:
        Percentages, unrounded. TGI and dT/dC are missing for `not_estimable` when the controls did not grow; a group
        without an animal measured on both days gives `no_data`. `evaluable` is false, with a flag that says why, when
        more than 20 % of body weight or more than one animal in ten was lost to toxicity.

    Raises:
        InputError: a volume is negative, or the lists of a group are not equally long.
    """
    same_length(treated_start_mm3=treated_start_mm3, treated_end_mm3=treated_end_mm3)
    same_length(control_start_mm3=control_start_mm3, control_end_mm3=control_end_mm3)
    not_negative(treated_weight_loss_percent=treated_weight_loss_percent, treated_toxic_deaths=treated_toxic_deaths)
    if treated_toxic_deaths > len(treated_start_mm3):
        raise InputError("there are more toxic deaths than treated animals", path=("treated_toxic_deaths",))
    t0, tt, treated = _group("treated", treated_start_mm3, treated_end_mm3, summary)
    c0, ct, control = _group("control", control_start_mm3, control_end_mm3, summary)
    flags = []
    if treated_weight_loss_percent is not None and treated_weight_loss_percent > GREATEST_WEIGHT_LOSS_PERCENT:
        flags.append("weight_loss_above_20_percent")
    if treated_toxic_deaths * ANIMALS_PER_TOXIC_DEATH > len(treated_start_mm3):
        flags.append("toxic_deaths_above_1_in_10")
    values = _compared(t0, tt, c0, ct)
    empty = not treated or not control
    wanted = ("tc_volume_pct", "tgi_pct", "regression_pct" if _shrank(t0, tt) else "dt_dc_pct")
    return TumourGrowthInhibition(
        treated_start_mm3=t0,
        treated_end_mm3=tt,
        control_start_mm3=c0,
        control_end_mm3=ct,
        tc_volume_pct=values.get("tc_volume_pct"),
        dt_dc_pct=values.get("dt_dc_pct"),
        regression_pct=values.get("regression_pct"),
        tgi_pct=values.get("tgi_pct"),
        nci_class=None if "tc_volume_pct" not in values else activity(values["tc_volume_pct"]),
        evaluable=not flags and not empty,
        treated_animals=treated,
        control_animals=control,
        treated_dropped=len(treated_start_mm3) - treated,
        control_dropped=len(control_start_mm3) - control,
        reason=Reason.NO_DATA if empty else None,
        missing=dict.fromkeys(
            (name for name in wanted if name not in values), Reason.NO_DATA if empty else Reason.NOT_ESTIMABLE
        ),
        flags=tuple(flags),
    )


def activity(tc_percent: float) -> Activity:
    """Return the activity class of a T/C in percent: highly active below 10, active up to 42."""
    if below(tc_percent, HIGHLY_ACTIVE_BELOW):
        return Activity.HIGHLY_ACTIVE
    return Activity.ACTIVE if at_most(tc_percent, ACTIVE_UP_TO) else Activity.INACTIVE


def _group(
    name: str, start: Sequence[float | None], end: Sequence[float | None], summary: Summary
) -> tuple[float | None, float | None, int]:
    for volume in (*start, *end):
        if volume is not None and volume < 0:
            raise InputError(f"a {name} tumour volume is negative: {volume:g}", path=(f"{name}_end_mm3",))
    pairs = [(a, b) for a, b in zip(start, end, strict=True) if a is not None and b is not None]
    if not pairs:
        return None, None, 0
    middle = fmean if summary is Summary.MEAN else median
    return middle(a for a, _ in pairs), middle(b for _, b in pairs), len(pairs)


def _compared(t0: float | None, tt: float | None, c0: float | None, ct: float | None) -> dict[str, float]:
    values: dict[str, float] = {}
    if t0 is None or tt is None or c0 is None or ct is None:
        return values
    if ct > 0:
        values["tc_volume_pct"] = 100 * tt / ct
    if _shrank(t0, tt):
        values["regression_pct"] = 100 * (tt - t0) / t0
    if above(ct, c0):
        growth = (tt - t0) / (ct - c0)
        values["tgi_pct"] = 100 * (1 - growth)
        if not _shrank(t0, tt):
            values["dt_dc_pct"] = 100 * growth
    return values


def _shrank(start: float | None, end: float | None) -> bool:
    return start is not None and end is not None and below(end, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthDelay(Outcome):
    """How many days later the treated tumours reach the volume, and how many decades of cells that stands for."""

    growth_delay_days: float | None
    log10_cell_kill: float | None


@method(
    "A6_log_cell_kill",
    version=1,
    title="Growth delay and log cell kill",
    source="Plowman J et al. Anticancer Drug Development Guide 1997",
)
def log_cell_kill(
    median_days_treated: float | None, median_days_control: float | None, tumour_doubling_days: float
) -> GrowthDelay:
    """Turn the growth delay T - C into log10 of the cells killed: (T - C) / (3.32 * Td).

    Args:
        median_days_treated: median days of the treated group to a fixed volume; None when it was not reached.
        median_days_control: median days of the control group to the same volume.
        tumour_doubling_days: doubling time of the control tumours in days.

    Returns:
        Days and log10 units, unrounded, negative when the treated tumours were faster; without a median there is
        none, for `not_estimable`.

    Raises:
        InputError: a median is negative or the doubling time is not above 0.
    """
    not_negative(median_days_treated=median_days_treated, median_days_control=median_days_control)
    above_zero(tumour_doubling_days=tumour_doubling_days)
    if median_days_treated is None or median_days_control is None:
        return GrowthDelay(growth_delay_days=None, log10_cell_kill=None, reason=Reason.NOT_ESTIMABLE)
    delay = median_days_treated - median_days_control
    return GrowthDelay(growth_delay_days=delay, log10_cell_kill=delay / (DOUBLINGS_PER_DECADE * tumour_doubling_days))
