"""Time in the review: cumulative incidence of leaving a stage, time in stage, occupation of the stages."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.attrition.courses import CAUSES, LEAST_DAYS, STALLED, UNANNOUNCED, Courses, Stays
from pipeline.attrition.incidence import curves_of_counts
from pipeline.attrition.occupation import Movements, movements
from pipeline.attrition.review_results import (
    CalendarOccupation,
    IncidenceCurve,
    Quantile,
    SinceEntry,
    StageTime,
)
from pipeline.attrition.risk_table import Lengths, Risk, RiskTables
from pipeline.efficacy.survival import first_time, log_log_limits, number_at_risk, product_limit, survival_curve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

YEAR = 365.25
EPOCH = date(1970, 1, 1)
QUARTILES = (0.25, 0.5, 0.75)
FINE_YEARS = 0.25
MOST_POINTS = 200
"""Points of a curve: every day something happened, or, where those are more, a quarter of a year apart."""
MOST_YEARS = 40
STOPPED_STATE = "STOPPED"


@functools.lru_cache(maxsize=1 << 15)
def day_of(number: float) -> str:
    """Return the day of a number of days since 1970-01-01, ISO."""
    return (EPOCH + timedelta(days=int(number))).isoformat()


@functools.lru_cache(maxsize=1 << 15)
def number_of(day: str) -> int:
    """Return the days from 1970-01-01 to an ISO day."""
    return (date.fromisoformat(day[:10]) - EPOCH).days


def stage_time(stage: str, risk: Risk, fewest: int) -> StageTime:
    """Return how long a stage lasts.

    Kaplan-Meier of leaving the stage in any way; limits are log-log. Of fewer stays than are shown there are only
    counts.
    """
    left = int(risk.events.sum())
    if risk.stays < fewest:
        return StageTime(stage, risk.stays, left, risk.late, None, (), None, None)
    survival, variance = product_limit(risk.events, risk.at_risk)
    lower, upper = log_log_limits(survival, variance, 0.95)
    quartiles = tuple(
        Quantile(share, *(_years(first_time(risk.times, curve, 1 - share)) for curve in (survival, lower, upper)))
        for share in QUARTILES
    )
    return StageTime(
        stage=stage,
        stays=risk.stays,
        left=left,
        late_entries=risk.late,
        smallest_risk_set=int(risk.at_risk.min()) if risk.at_risk.size else None,
        quartiles=quartiles,
        shortest_median=quartiles[1].years,
        longest_median=quartiles[1].years,
    )


def _median(days: Days, left: Flags, entry: Days | None) -> float | None:
    import numpy as np

    if entry is not None:
        seen = days > entry
        days, left, entry = days[seen], left[seen], entry[seen]
    if not days.size:
        return None
    curve = survival_curve(np.maximum(days, 0.0), left, entry)
    return _years(first_time(curve.times, curve.survival, 0.5))


def _years(days: float | None) -> float | None:
    return None if days is None else days / YEAR


def lengths_of(stays: Stays, stages: int) -> Lengths:
    """Return usable stays by the place of their length among all of their stage."""
    return Lengths.of(stays.stage, stays.days, stays.cause >= 0, stays.entry, stages)


def left_by_cause(courses: Courses, stays: Stays, lengths: Lengths) -> tuple[list[StageTime], list[IncidenceCurve]]:
    """Return the time in every stage anybody was observed in, and the cumulative incidence of each way to leave it.

    Incidences are given of stages with as many stays as are shown, for every way that was ever taken
    (Aalen-Johansen). The first point is 0; the others are as MOST_POINTS says, up to the last stay observed.
    """
    fewest = courses.settings.fewest
    times, curves = [], []
    tables = lengths.tables(stays.cause + 1, len(CAUSES) + 1)  # the first of these groups are those that did not leave
    parts = cells(stays.stage, len(tables))
    for stage, table, these in zip(courses.portfolio.stages, tables, parts, strict=True):
        if not these.size:
            continue
        whole = table.whole()
        time = stage_time(stage.code, whole, fewest)
        if these.size >= fewest:
            time = _with_bounds(time, stays, these)
            curves += _incidence(stage.code, stays, these, table, whole)
        times.append(time)
    return times, curves


def _with_bounds(time: StageTime, stays: Stays, these: Ints) -> StageTime:
    """Return the time in a stage with its shortest and longest median, where dates leave them open."""
    least, most, entry = stays.least[these], stays.most[these], stays.entry[these]
    if not bool((least != most).any()):
        return time
    left, begun = stays.cause[these] >= 0, entry if entry.any() else None
    return replace(time, shortest_median=_median(least, left, begun), longest_median=_median(most, left, begun))


def cells(number: Ints, count: int) -> list[Ints]:
    """Return the places of each of `count` small numbers, in the order they come in."""
    import numpy as np

    small = number.astype(np.int16) if count < np.iinfo(np.int16).max else number
    order = np.argsort(small, kind="stable")  # on 16 bits this is a radix sort
    return np.split(order, np.cumsum(np.bincount(number, minlength=count))[:-1])


def _incidence(stage: str, stays: Stays, these: Ints, table: RiskTables, whole: Risk) -> list[IncidenceCurve]:
    import numpy as np

    days, entry = np.sort(stays.days[these]), stays.entry[these]
    happened = table.events[1:].T[whole.events_at]
    curves = curves_of_counts(whole.times, happened, whole.events, whole.at_risk)
    at = np.append(0.0, curves.times)
    if at.size > MOST_POINTS:
        longest = min(float(days[-1]) / YEAR, MOST_YEARS)
        at = np.arange(int(longest / FINE_YEARS) + 1) * (FINE_YEARS * YEAR)
    _, probability, variance = curves.at(at)
    relative = np.divide(variance, probability**2, out=np.zeros_like(variance), where=probability > 0)
    low, high = log_log_limits(probability, relative, 0.95)
    there = number_at_risk(days, np.sort(entry) if entry.any() else None, np.append(LEAST_DAYS / 2, at[1:]))
    counts = happened.sum(axis=0)
    return [
        IncidenceCurve(
            stage=stage,
            cause=name,
            events=int(counts[number]),
            years=tuple((at / YEAR).tolist()),
            probability=tuple(probability[:, number].tolist()),
            low=_values(low[:, number]),
            high=_values(high[:, number]),
            at_risk=tuple(there.tolist()),
        )
        for number, name in enumerate(CAUSES)
        if counts[number] or name == CAUSES[0]
    ]


def _values(array: Days) -> tuple[float | None, ...]:
    return tuple(value if value == value else None for value in array.tolist())


def states(courses: Courses) -> tuple[Ints, tuple[str, ...]]:
    """Return the state after each transition, (t,), with the names of the states: the stages, and STOPPED."""
    import numpy as np

    p = courses.portfolio
    names = (*(stage.code for stage in p.stages), STOPPED_STATE)
    return np.where(courses.off, len(names) - 1, p.stage).astype(np.int64), names


def calendar(courses: Courses, most: int = 60) -> CalendarOccupation:
    """Return how many programmes stood in each state at the end of each year, and on the day of the review.

    Programmes that fell silent stand where they were last.
    """
    import numpy as np

    state, names = states(courses)
    if not state.size:
        return CalendarOccupation((), {})
    this_year = int(day_of(courses.day)[:4])
    begun = max(int(day_of(float(courses.at.min()))[:4]), this_year - most)
    days = [number_of(f"{year:04d}-12-31") for year in range(begun, this_year)]
    days = [day for day in days if day < courses.day] + [courses.day]
    last = np.zeros(state.size, dtype=bool)
    last[courses.last] = True
    entered = np.searchsorted(days, courses.at, side="left")
    left = np.where(last, len(days), np.append(entered[1:], 0))
    shape = (len(names), len(days) + 1)
    change = np.bincount(state * shape[1] + entered, minlength=shape[0] * shape[1])
    change -= np.bincount(state * shape[1] + left, minlength=shape[0] * shape[1])
    there = np.cumsum(change.reshape(shape)[:, :-1], axis=1)
    ever = np.bincount(state, minlength=len(names))
    counts = {name: tuple(there[number].tolist()) for number, name in enumerate(names) if ever[number]}
    return CalendarOccupation(tuple(day_of(day) for day in days), counts)


def since_entry(courses: Courses, fewest: int) -> list[SinceEntry]:
    """Return where programmes are by years since they were first on record (E6, Aalen-Johansen).

    All together, and those that began in the first stage of all and in the first phase in man. A programme that fell
    silent is followed until then. Programmes whose dates contradict each other are left out, and so are those only
    sighted in their first stage, as nobody knows when they entered it.
    """
    import numpy as np

    state, names = states(courses)
    if not state.size:
        return []
    p = courses.portfolio
    fine = ~courses.conflict & ~p.sighted
    codes = [stage.code for stage in p.stages]
    first = next((stage.code for stage in p.stages if stage.initial), None)
    wanted = [code for code in dict.fromkeys((first, courses.settings.likelihood_from)) if code in codes]
    number = np.full(len(codes), 0)
    for place, code in enumerate(wanted, 1):
        number[codes.index(code)] = place
    cohort = np.where(fine, number[p.stage[courses.first]], -1)
    sizes = np.bincount(cohort[fine], minlength=len(wanted) + 1)
    if int(fine.sum()) < fewest:
        return []
    followed = _followed_for(courses)
    counted = _movements(courses, state, len(names), followed, cohort, len(wanted) + 1)
    cohorts = [(None, range(len(wanted) + 1))] + [(code, range(n, n + 1)) for n, code in enumerate(wanted, 1)]
    return [
        _since(code, counted, names, these, np.sort(followed[fine if code is None else cohort == these[0]]))
        for code, these in cohorts
        if int(sizes[these.start : these.stop].sum()) >= fewest
    ]


def _followed_for(courses: Courses) -> Days:
    """Return how many days each programme is followed from its first move on, (p,)."""
    import numpy as np

    until = np.where(courses.standing == STALLED, courses.ended, float(courses.day))
    followed: Days = np.maximum(until, courses.at[courses.last]) - courses.at[courses.first]
    return followed


def _movements(courses: Courses, state: Ints, states: int, followed: Days, cohort: Ints, cohorts: int) -> Movements:
    """Count the moves from state to state, those that fell silent among them: they end in the last state of all."""
    import numpy as np

    owner, when = courses.portfolio.owner, courses.at
    over = np.flatnonzero((courses.standing == UNANNOUNCED) & (cohort >= 0))
    if over.size:
        place = courses.last[over] + 1
        owner, when = np.insert(owner, place, over), np.insert(when, place, courses.ended[over])
        state = np.insert(state, place, states - 1)
    return movements(owner, when - courses.at[courses.first][owner], state, followed, states, cohort, cohorts)


def _since(code: str | None, counted: Movements, names: Sequence[str], cohorts: range, ends: Days) -> SinceEntry:
    import numpy as np

    years = np.arange(min(int(float(ends[-1]) / YEAR), MOST_YEARS) + 1, dtype=float)
    chance = counted.occupation(cohorts, years * YEAR)
    return SinceEntry(
        from_stage=code,
        programmes=int(ends.size),
        years=tuple(years.tolist()),
        probability={
            name: tuple(chance[:, number].tolist()) for number, name in enumerate(names) if chance[:, number].any()
        },
        at_risk=tuple((ends.size - np.searchsorted(ends, years * YEAR, side="left")).tolist()),
    )
