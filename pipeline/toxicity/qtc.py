"""Heart-rate correction of the QT interval and its categories (B10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, sqrt
from statistics import fmean

from pipeline.bounds import above_zero
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import above, significant

CODES = ("QTCF", "QTCFAG", "QTCF INTERVAL", "QTC", "QTCAG", "QTCB", "QTCBAG")
"""Names of corrected intervals in records. A change is only taken between values of one correction."""
UNTOLD_CODES = ("QTC", "QTCAG")
"""Names that do not tell the correction."""
ABSOLUTE_MS = (450.0, 480.0, 500.0)
CHANGE_MS = (30.0, 60.0)
SLOWEST_BPM, FASTEST_BPM = 40.0, 120.0
# CTCAE v5.0 on whole milliseconds: the lowest value of each grade.
GRADE_FROM_MS = ((3, 501), (2, 481), (1, 450))
GRADE_3_CHANGE_MS = 60.0


class Correction(StrEnum):
    """Formula that corrects QT for heart rate."""

    BAZETT = "Bazett"
    FRIDERICIA = "Fridericia"
    FRAMINGHAM = "Framingham"
    HODGES = "Hodges"


@dataclass(frozen=True, slots=True)
class Electrocardiogram:
    """One further reading of a set taken together."""

    qt_ms: float
    heart_rate_bpm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedQt(Outcome):
    """All four corrections in ms, the change from baseline in ms, and the categories; RR in s."""

    rr_s: float
    qtcb_ms: float
    qtcf_ms: float
    qtc_framingham_ms: float
    qtc_hodges_ms: float
    delta_qtcf_ms: float | None
    e14_absolute: str
    e14_change: str | None
    ctcae_v5_grade: int


@method(
    "B10_qtc",
    version=1,
    title="QT correction and categories",
    source="ICH E14 (2005) and Q&A R3; CTCAE v5.0, electrocardiogram QT corrected interval prolonged",
    reference_inputs={"method_for_categories": "correction"},
)
def corrected_qt(
    qt_ms: float,
    heart_rate_bpm: float | None = None,
    rr_s: float | None = None,
    baseline_qtcf_ms: float | None = None,
    correction: Correction = Correction.FRIDERICIA,
    further_readings: Sequence[Electrocardiogram] = (),
) -> CorrectedQt:
    """Correct QT for heart rate.

    RR = 60 / HR in s. Bazett QT / RR^(1/2); Fridericia QT / RR^(1/3), the default for decisions; Framingham
    QT + 154 (1 - RR); Hodges QT + 1.75 (HR - 60). Of several readings taken together the corrected values are
    averaged. Categories: QTc above 450, 480, 500 ms, change above 30, 60 ms, unrounded. The CTCAE grade is that of
    QTcF in whole ms, 3 for a change above 60 ms; grade 4 is clinical and never given here.

    Args:
        qt_ms: QT interval in ms.
        heart_rate_bpm: heart rate per minute; or give RR.
        rr_s: RR interval in s; or give the heart rate.
        baseline_qtcf_ms: QTcF before treatment in ms.
        correction: formula the absolute category uses. A change is only ever taken between Fridericia values.
        further_readings: the other readings of a set, usually two.

    Returns:
        Corrected intervals, unrounded. Without a baseline there is no change, for `no_data`. A heart rate outside 40
        to 120 per minute is flagged `heart_rate_outside_40_120`: look at all four corrections.

    Raises:
        InputError: an interval or rate is not above 0, or neither or both of heart rate and RR are given.
    """
    above_zero(qt_ms=qt_ms, heart_rate_bpm=heart_rate_bpm, rr_s=rr_s, baseline_qtcf_ms=baseline_qtcf_ms)
    if heart_rate_bpm is None and rr_s is not None:
        readings = [(qt_ms, rr_s)]
    elif heart_rate_bpm is not None and rr_s is None:
        readings = [(qt_ms, 60 / heart_rate_bpm)]
    else:
        raise InputError("give either the heart rate or RR", path=("heart_rate_bpm",))
    for reading in further_readings:
        above_zero(qt_ms=reading.qt_ms, heart_rate_bpm=reading.heart_rate_bpm)
        readings.append((reading.qt_ms, 60 / reading.heart_rate_bpm))
    corrected = {
        Correction.BAZETT: fmean(qt / sqrt(rr) for qt, rr in readings),
        Correction.FRIDERICIA: fmean(qt / rr ** (1 / 3) for qt, rr in readings),
        Correction.FRAMINGHAM: fmean(qt + 154 * (1 - rr) for qt, rr in readings),
        Correction.HODGES: fmean(qt + 1.75 * (60 / rr - 60) for qt, rr in readings),
    }
    qtcf = corrected[Correction.FRIDERICIA]
    change = None if baseline_qtcf_ms is None else qtcf - baseline_qtcf_ms
    unusual = any(not SLOWEST_BPM <= significant(60 / rr) <= FASTEST_BPM for _, rr in readings)
    return CorrectedQt(
        rr_s=fmean(rr for _, rr in readings),
        qtcb_ms=corrected[Correction.BAZETT],
        qtcf_ms=qtcf,
        qtc_framingham_ms=corrected[Correction.FRAMINGHAM],
        qtc_hodges_ms=corrected[Correction.HODGES],
        delta_qtcf_ms=change,
        e14_absolute=category(corrected[correction], ABSOLUTE_MS),
        e14_change=None if change is None else category(change, CHANGE_MS),
        ctcae_v5_grade=qtc_grade(qtcf, change),
        missing={} if change is not None else dict.fromkeys(("delta_qtcf_ms", "e14_change"), Reason.NO_DATA),
        flags=("heart_rate_outside_40_120",) if unusual else (),
    )


def category(value_ms: float, limits_ms: Sequence[float]) -> str:
    """Return ">limit" for the highest limit the value is above, "<=limit" of the lowest if it is above none."""
    passed = [limit for limit in limits_ms if above(value_ms, limit)]
    return f">{passed[-1]:g}" if passed else f"<={limits_ms[0]:g}"


def qtc_grade(qtcf_ms: float, change_ms: float | None) -> int:
    """Return the CTCAE v5.0 grade, 0 to 3, of QTcF rounded to whole ms and its unrounded change from baseline."""
    if change_ms is not None and above(change_ms, GRADE_3_CHANGE_MS):
        return 3
    whole = floor(significant(qtcf_ms) + 0.5)
    return next((grade for grade, lowest in GRADE_FROM_MS if whole >= lowest), 0)
