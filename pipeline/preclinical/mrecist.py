"""Response of one xenograft by modified RECIST (A7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise

from pipeline.bounds import not_negative, same_length
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import below

MIN_DAY = 10.0
FEWEST_READINGS = 2


class XenograftResponse(StrEnum):
    """Response of a tumour to one treatment course."""

    CR = "mCR"
    PR = "mPR"
    SD = "mSD"
    PD = "mPD"


# (response, best change below, best average below) in percent; the last one that holds counts.
LIMITS = (
    (XenograftResponse.SD, 35.0, 30.0),
    (XenograftResponse.PR, -50.0, -20.0),
    (XenograftResponse.CR, -95.0, -40.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class XenograftCourse(Outcome):
    """Changes from the start in percent, by day, and the best of them; times in days."""

    day: tuple[float, ...]
    volume_change_pct: tuple[float, ...]
    average_response_pct: tuple[float, ...]
    best_response: float | None
    best_response_time: float | None
    best_avg_response: float | None
    best_avg_response_time: float | None
    mrecist: XenograftResponse | None


@method(
    "A7_mrecist_pdx",
    version=1,
    title="PDX mRECIST best and best-average response",
    source="Gao H et al. Nat Med 2015;21:1318-1325",
)
def xenograft_response(
    day: Sequence[float], volume_mm3: Sequence[float | None], min_day: float = MIN_DAY
) -> XenograftCourse:
    """Classify one animal's tumour volumes.

    change(t) = 100 * (V(t) - V(0)) / V(0); average(t) = mean of the changes from the start, itself 0, up to t. The
    best of each is its minimum from `min_day` on, at the earliest time. mPD, unless best < 35 and best average < 30
    (mSD), best < -50 and average < -20 (mPR), best < -95 and average < -40 (mCR); the last that holds counts.

    Args:
        day: days since the start of treatment, (n,), in any order, each once; the start is day 0.
        volume_mm3: tumour volumes in mm3, (n,); null where it was not measured, which is no reading.
        min_day: first day that counts for the best responses.

    Returns:
        Percentages by day in ascending order. With fewer than two readings from `min_day` on there is no response,
        for `too_few_points`; without any reading, for `no_data`. Where the first volume is 0, 1 mm3 is added to all
        of them and the result is flagged `one_mm3_added`; a first reading after day 0 is flagged
        `first_reading_after_day_0`.

    Raises:
        InputError: the lists differ in length, a day or volume is negative, or a day occurs twice.
    """
    same_length(day=day, volume_mm3=volume_mm3)
    for when, volume in zip(day, volume_mm3, strict=True):
        not_negative(day=when, volume_mm3=volume)
    readings = sorted((when, volume) for when, volume in zip(day, volume_mm3, strict=True) if volume is not None)
    days = tuple(when for when, _ in readings)
    if twice := [when for when, later in pairwise(days) if when == later]:
        raise InputError(f"day {twice[0]:g} occurs twice", path=("day",))
    volumes = [volume for _, volume in readings]
    flags = ("first_reading_after_day_0",) if days and days[0] > 0 else ()
    if volumes and volumes[0] == 0:
        volumes, flags = [volume + 1 for volume in volumes], (*flags, "one_mm3_added")
    changes = tuple(100 * (volume - volumes[0]) / volumes[0] for volume in volumes)
    averages = tuple(total / count for count, total in enumerate(accumulate(changes), start=1))
    counted = [index for index, when in enumerate(days) if when >= min_day]
    if len(counted) < FEWEST_READINGS:
        return XenograftCourse(
            day=days,
            volume_change_pct=changes,
            average_response_pct=averages,
            best_response=None,
            best_response_time=None,
            best_avg_response=None,
            best_avg_response_time=None,
            mrecist=None,
            reason=Reason.TOO_FEW_POINTS if days else Reason.NO_DATA,
            flags=flags,
        )
    best = min(counted, key=changes.__getitem__)
    best_average = min(counted, key=averages.__getitem__)
    response = XenograftResponse.PD
    for candidate, change_below, average_below in LIMITS:
        if below(changes[best], change_below) and below(averages[best_average], average_below):
            response = candidate
    return XenograftCourse(
        day=days,
        volume_change_pct=changes,
        average_response_pct=averages,
        best_response=changes[best],
        best_response_time=days[best],
        best_avg_response=averages[best_average],
        best_avg_response_time=days[best_average],
        mrecist=response,
        flags=flags,
    )
