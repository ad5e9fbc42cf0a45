"""When a sample was taken by the clock, beside when it was planned: the two are compared, and disagreement is said.

The planned time is what is used, where there is one: it is what profiles are compared by, and many clock times are
filled in rather than read. The clock decides where nothing else is known, between planned times that contradict each
other, and where planned times count from another dose than the rows name.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.elapsed_times import Elapsed
from pipeline.exchange.moments import Moment, moment_text, read_moment
from pipeline.exchange.sample_origin import counted_from
from pipeline.exchange.sample_times import PlannedTime, agree
from pipeline.exchange.sdtm_study import DoseTimes

ABSOLUTE_H = 0.25
RELATIVE = 0.2
"""How far the clock may be from the plan before it is said."""
DAY_H = 24.0


class SampleTime(NamedTuple):
    """The hours after the dose that are used, where they come from, and the moment of the dose."""

    hours: float | None
    end: float | None
    source: str | None
    reference: str | None
    flag: str | None
    doubt: str | None


def checked_by_clock(
    planned: PlannedTime,
    sampled: Moment,
    reference: Moment,
    who: str | None,
    doses: DoseTimes,
    *,
    idle: bool,
    first: float | None = None,
) -> SampleTime:
    """Compare a planned time with the clock.

    Args:
        planned: the planned time.
        sampled: when the sample was taken.
        reference: the moment of the reference dose, where the row gives it.
        who: subject or pool.
        doses: when everybody was dosed.
        idle: the times of day of the samples say nothing.
        first: the first dose, in hours since 1970, where planned times count from it and not from the one named.
    """
    if first is not None and reference.hours is not None:
        planned = counted_from(planned, reference.hours, first)
    hours, end, source, flag, doubt, _ = planned
    if sampled.hours is None or (reference.hours is None and who not in doses.starts):
        return SampleTime(hours, end, source, reference.text, flag, doubt)
    dosed, dosed_timed, dosed_text = _reference(planned, sampled, reference, who or "", doses)
    if dosed is None:
        return SampleTime(hours, end, source, reference.text, flag, doubt)
    timed = sampled.timed and dosed_timed and not idle
    by_clock = sampled.hours - dosed if timed else None
    if hours is None or doubt is not None:
        if by_clock is None:
            return SampleTime(hours, end, source, dosed_text, flag, doubt)
        return _by_clock(planned, by_clock, dosed_text)
    apart = _apart(planned, by_clock, sampled.hours - dosed)
    if apart is None and first is not None and by_clock is not None and end is None:
        return SampleTime(_elapsed(by_clock), None, "PCDTC", dosed_text, flag, doubt)
    if apart is None:
        return SampleTime(hours, end, source, dosed_text, flag, doubt)
    said = f"PCDTC {sampled.text} is {apart} after the dose ({dosed_text}), planned is {number_text(hours)} h"
    if reference.hours is not None and abs(sampled.hours - reference.hours - hours) >= 2 * DAY_H:
        # It names another dose than the one the plan counts from.
        said += "; PCRFTDTC is not used"
        dosed_text = None
    return SampleTime(hours, end, source, dosed_text, f"{flag}; {said}" if flag else said, doubt)


def collected_until(time: SampleTime, began: Moment, ended: Moment) -> SampleTime:
    """Return the time of a sample with the end of its collection by the clock, where no plan says it."""
    dosed = read_moment(time.reference)
    if time.end is not None or not (began.timed and ended.timed and dosed.timed):
        return time
    if began.hours is None or ended.hours is None or dosed.hours is None or ended.hours <= began.hours:
        return time
    start, end = _elapsed(began.hours - dosed.hours), _elapsed(ended.hours - dosed.hours)
    return time._replace(hours=start, end=end, source="PCDTC")


def _reference(
    planned: PlannedTime, sampled: Moment, reference: Moment, who: str, doses: DoseTimes
) -> tuple[float | None, bool, str | None]:
    """Return the moment of the reference dose: as the row gives it, else the dose the plan points at."""
    if reference.hours is not None:
        return reference.hours, reference.timed, reference.text
    timed = doses.timed.get(who, False)
    if planned.hours is None or planned.doubt is not None:
        found = _last_dose(doses, who, sampled.hours or 0.0) if timed and sampled.timed else None
    else:
        expected = (sampled.hours or 0.0) - planned.hours
        found = doses.nearest(who, expected)
        if found is not None and abs(found - expected) >= (DAY_H if timed and sampled.timed else 2 * DAY_H):
            found = None
    return found, timed, None if found is None else moment_text(found, timed=timed)


def _last_dose(doses: DoseTimes, who: str, sampled: float) -> float | None:
    """Return the dose before a sample; the first one for a sample taken shortly before it."""
    first = doses.first(who)
    before = first is not None and 0 < first - sampled < DAY_H
    return first if before else doses.last_before(who, sampled)


def _by_clock(planned: PlannedTime, by_clock: float, dosed_text: str | None) -> SampleTime:
    """Let the clock decide where the plan says nothing, or contradicts itself."""
    elapsed = _elapsed(by_clock)
    if planned.doubt is None:
        return SampleTime(elapsed, None, "PCDTC", dosed_text, planned.flag, None)
    if len(planned.candidates) == 1 and agree(Elapsed(planned.hours), Elapsed(by_clock)):
        return SampleTime(planned.hours, planned.end, planned.source, dosed_text, planned.flag, None)
    if len(planned.candidates) == 1:
        # A number that may be an order of samples, and is not what the clock says, is no time.
        said = f"{planned.doubt}; by PCDTC it is {number_text(elapsed)} h, which is taken"
        return SampleTime(elapsed, None, "PCDTC", dosed_text, f"{planned.flag}; {said}" if planned.flag else said, None)
    right = {hours for _, hours in planned.candidates if _close(hours, by_clock)}
    wrong = [hours for _, hours in planned.candidates if not _close(hours, by_clock)]
    if len(right) == 1 and not wrong:
        return SampleTime(planned.hours, planned.end, planned.source, dosed_text, planned.flag, None)
    if len(right) != 1 or not wrong:
        doubt = f"{planned.doubt}; by PCDTC it is {number_text(elapsed)} h"
        return SampleTime(planned.hours, planned.end, planned.source, dosed_text, planned.flag, doubt)
    hours = right.pop()
    source = next(source for source, said in planned.candidates if said == hours)
    said = f"{planned.doubt}; PCDTC agrees with {source}"
    end = planned.end if source == planned.source else None
    return SampleTime(hours, end, source, dosed_text, f"{planned.flag}; {said}" if planned.flag else said, None)


def _elapsed(by_clock: float) -> float:
    return float(f"{by_clock:.6g}")


def _close(planned: float, by_clock: float) -> bool:
    return abs(planned - by_clock) <= max(ABSOLUTE_H, RELATIVE * abs(planned))


def _apart(planned: PlannedTime, by_clock: float | None, elapsed: float) -> str | None:
    """Return the hours or days by the clock where they cannot be the planned time; None where they can."""
    hours = planned.hours or 0.0
    last = planned.end if planned.end is not None else hours
    if by_clock is not None:
        slack = max(ABSOLUTE_H, RELATIVE * abs(last))
        before = planned.source is not None and planned.hours == 0 and -DAY_H <= by_clock <= slack
        return None if before or hours - slack <= by_clock <= last + slack else f"{by_clock:.4g} h"
    # Without the time of day a date is right when some time of that day fits.
    return None if hours - DAY_H < elapsed < last + DAY_H else f"{elapsed / DAY_H:.4g} days"
