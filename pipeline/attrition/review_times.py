"""Time in the review: cumulative incidence of leaving a stage, time in stage, occupation of the stages."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.attrition.courses import CAUSES, LEAST_DAYS, STALLED, UNANNOUNCED, Courses, Stays
from pipeline.attrition.incidence import incidence_curves
from pipeline.attrition.occupation import occupation_curve
from pipeline.attrition.review_results import (
    CalendarOccupation,
    IncidenceCurve,
    Quantile,
    SinceEntry,
    StageTime,
)
from pipeline.efficacy.survival import Curve, first_time, log_log_limits, number_at_risk, survival_curve

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


def number_of(day: str) -> int:
    """Return the days from 1970-01-01 to an ISO day."""
    return (date.fromisoformat(day[:10]) - EPOCH).days


def stage_time(stage: str, stays: Stays, these: Ints, fewest: int, *, bounds: bool) -> StageTime:
    """Return how long these stays (places) in a stage last.

    Kaplan-Meier of leaving the stage in any way; limits are log-log. Of fewer stays than are shown there are only
    counts. bounds: with the shortest and longest median.
    """
    days, left, entry = stays.days[these], stays.cause[these] >= 0, stays.entry[these]
    late = int((entry > 0).sum())
    if these.size < fewest:
        return StageTime(stage, int(these.size), int(left.sum()), late, None, (), None, None)
    begun = entry if late else None
    curve = survival_curve(days, left, begun)
    lower, upper = log_log_limits(curve.survival, curve.hazard_variance, 0.95)
    quartiles = tuple(
        Quantile(
            share,
            _years(first_time(curve.times, curve.survival, 1 - share)),
            _years(first_time(curve.times, lower, 1 - share)),
            _years(first_time(curve.times, upper, 1 - share)),
        )
        for share in QUARTILES
    )
    ends: tuple[float | None, float | None] = (quartiles[1].years, quartiles[1].years)
    if bounds and bool((stays.least[these] != stays.most[these]).any()):
        ends = (_median(stays.least[these], left, begun), _median(stays.most[these], left, begun))
    return StageTime(
        stage=stage,
        stays=int(these.size),
        left=int(left.sum()),
        late_entries=late,
        smallest_risk_set=_smallest(curve),
        quartiles=quartiles,
        shortest_median=ends[0],
        longest_median=ends[1],
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


def _smallest(curve: Curve) -> int | None:
    return int(curve.at_risk.min()) if curve.at_risk.size else None


def _years(days: float | None) -> float | None:
    return None if days is None else days / YEAR


def by_length(stays: Stays) -> Stays:
    """Return the usable stays, the shortest first: what is cut from them needs no further sorting."""
    import numpy as np

    usable = np.flatnonzero(stays.usable)
    days = stays.days[usable]
    halves = (2 * days).astype(np.int16) if days.max(initial=0) < np.iinfo(np.int16).max / 2 else days
    exact = halves if bool((halves == 2 * days).all()) else days
    order = usable[np.argsort(exact, kind="stable")]  # on 16 bits this is a radix sort
    return Stays(*(getattr(stays, column.name)[order] for column in fields(Stays)))


def cells(number: Ints, count: int) -> list[Ints]:
    """Return the places of each of `count` small numbers, in the order they come in."""
    import numpy as np

    small = number.astype(np.int16) if count < np.iinfo(np.int16).max else number
    order = np.argsort(small, kind="stable")
    return np.split(order, np.cumsum(np.bincount(number, minlength=count))[:-1])


def incidence(stage: str, stays: Stays, these: Ints) -> list[IncidenceCurve]:
    """Return the cumulative incidence of every way to leave a stage that was ever taken (Aalen-Johansen).

    The first point is 0; the others are as MOST_POINTS says, up to the last stay observed.
    """
    import numpy as np

    days, cause, entry = stays.days[these], stays.cause[these], stays.entry[these]
    curves = incidence_curves(days, cause, len(CAUSES), entry if entry.any() else None)
    longest = min(float(days.max()) / YEAR, MOST_YEARS)
    at = np.append(0.0, curves.times)
    if at.size > MOST_POINTS:
        at = np.arange(int(longest / FINE_YEARS) + 1) * (FINE_YEARS * YEAR)
    _, probability, variance = curves.at(at)
    happened = probability > 0
    relative = np.divide(variance, probability**2, out=np.zeros_like(variance), where=happened)
    low, high = log_log_limits(probability, relative, 0.95)
    there = number_at_risk(np.sort(days), np.sort(entry), np.append(LEAST_DAYS / 2, at[1:]))
    counts = np.bincount(cause[cause >= 0], minlength=len(CAUSES))
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
    state, names = states(courses)
    if not state.size:
        return []
    p = courses.portfolio
    fine = ~courses.conflict & ~p.sighted
    start = p.stage[courses.first]
    wanted: list[tuple[str | None, Flags]] = [(None, fine)]
    for code in (next((s.code for s in p.stages if s.initial), None), courses.settings.likelihood_from):
        number = next((place for place, stage in enumerate(p.stages) if stage.code == code), None)
        if number is not None:
            wanted.append((code, fine & (start == number)))
    return [_since(courses, state, names, code, who) for code, who in wanted if int(who.sum()) >= fewest]


def _since(courses: Courses, state: Ints, names: tuple[str, ...], code: str | None, who: Flags) -> SinceEntry:
    import numpy as np

    begun = courses.at[courses.first]
    over = np.flatnonzero(who & (courses.standing == UNANNOUNCED))
    owner, when, reached = courses.portfolio.owner, courses.at, state
    if not who.all():
        rows = np.flatnonzero(who[owner])
        owner, when, reached = owner[rows], when[rows], reached[rows]
    if over.size:
        place = np.searchsorted(owner, over, side="right")
        owner, when = np.insert(owner, place, over), np.insert(when, place, courses.ended[over])
        reached = np.insert(reached, place, len(names) - 1)
    followed = np.where(courses.standing == STALLED, courses.ended, float(courses.day))
    followed = np.maximum(followed, courses.at[courses.last]) - begun
    longest = float(followed[who].max())
    years = np.arange(min(int(longest / YEAR), MOST_YEARS) + 1, dtype=float)
    chance = occupation_curve(owner, when - begun[owner], reached, followed[who], len(names), years * YEAR)
    ends = np.sort(followed[who])
    return SinceEntry(
        from_stage=code,
        programmes=int(who.sum()),
        years=tuple(years.tolist()),
        probability={
            name: tuple(chance[:, number].tolist()) for number, name in enumerate(names) if chance[:, number].any()
        },
        at_risk=tuple((ends.size - np.searchsorted(ends, years * YEAR, side="left")).tolist()),
    )


def times_of(courses: Courses, stays: Stays, places: Sequence[Ints], *, bounds: bool) -> tuple[StageTime, ...]:
    """Return the time in every stage that anybody was observed in."""
    stages = courses.portfolio.stages
    return tuple(
        stage_time(stage.code, stays, these, courses.settings.fewest, bounds=bounds)
        for stage, these in zip(stages, places, strict=True)
        if these.size
    )
