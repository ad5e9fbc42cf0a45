"""When after the dose a sample was planned: an elapsed time, a number and words are compared, none is believed alone.

SDTM gives up to three statements of one planned time: PCELTM (ISO 8601), PCTPTNUM (often hours, sometimes only the
order of the samples, sometimes minutes) and PCTPT (words). What the numbers of a data set are is settled by all of its
samples together (`understand`); then each planned time is read once (`read_plan`). Where two of three agree the third
is named in a flag; where they contradict each other it is a person's to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from pipeline.exchange.dataset_table import number_text, rounded
from pipeline.exchange.elapsed_times import Elapsed, iso_hours, worded_hours

ABSOLUTE_H = 0.02
RELATIVE = 0.05
"""How far two statements of one planned time may differ: 5 min are written 0.08 h as well as 0.0833 h."""


class Meaning(StrEnum):
    """What the numbers of planned times are."""

    HOURS = "HOURS"
    MINUTES = "MINUTES"
    DAYS = "DAYS"
    ORDER = "ORDER"
    UNCLEAR = "UNCLEAR"


_HOURS_PER = {Meaning.HOURS: 1.0, Meaning.MINUTES: 1 / 60, Meaning.DAYS: 24.0}


class Plan(NamedTuple):
    """A planned time as the source states it."""

    words: str | None
    number: float | None
    elapsed: str | None


class PlannedTime(NamedTuple):
    """What was read. doubt: the statements contradict each other, and `hours` is only proposed.

    candidates: (source, hours) of every statement that could be read.
    """

    hours: float | None = None
    end: float | None = None
    source: str | None = None
    flag: str | None = None
    doubt: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()


def understand(plans: Iterable[Plan]) -> Meaning:
    """Tell what the numbers of a data set's planned times are, from all distinct plans together."""
    plans = [plan for plan in plans if plan.number is not None]
    compared = [(plan.number, other) for plan in plans for other in _others(plan) if plan.number is not None]
    telling = [(figure, other) for figure, other in compared if figure or other.hours or other.end]
    if not telling:
        return _by_themselves(sorted({plan.number for plan in plans if plan.number is not None}))
    for meaning, factor in _HOURS_PER.items():
        right = sum(agree(Elapsed(figure * factor), other) for figure, other in telling)
        if 2 * right > len(telling):
            return meaning
    return Meaning.ORDER if _in_order(telling) else Meaning.UNCLEAR


def only_an_order(steps: Sequence[tuple[float, float]]) -> bool:
    """Whether numbers cannot be hours: how far samples are apart by their numbers, and in hours by the clock."""
    wrong = sum(abs(by_number - by_clock) > max(0.25, 0.2 * by_number) for by_number, by_clock in steps)
    return 2 * wrong > len(steps)


def _others(plan: Plan) -> list[Elapsed]:
    hours = iso_hours(plan.elapsed)
    found = [Elapsed(hours)] if hours is not None else []
    words = worded_hours(plan.words)
    return [*found, words] if words.hours is not None else found


def _in_order(compared: Sequence[tuple[float, Elapsed]]) -> bool:
    """Whether the numbers are whole and only rise with the hours."""
    if any(figure != int(figure) or figure < 0 for figure, _ in compared):
        return False
    ordered = sorted({(other.hours if other.hours is not None else 0.0, figure) for figure, other in compared})
    return all(a[1] <= b[1] or a[0] == b[0] for a, b in pairwise(ordered))


def _by_themselves(numbers: Sequence[float]) -> Meaning:
    """Judge numbers beside which nothing is said: 1, 2, 3, 4 may be hours or only an order."""
    running = len(numbers) >= 3 and list(numbers) == [numbers[0] + step for step in range(len(numbers))]
    if running and numbers[0] in (0, 1):
        return Meaning.UNCLEAR
    return Meaning.HOURS


def agree(one: Elapsed, other: Elapsed) -> bool:
    """Whether two statements can be about one planned time."""
    if one.hours is None or other.hours is None:
        return False
    for first, second in ((one, other), (other, one)):
        if first.some_time_before:
            return second.end is None and (second.hours or 0.0) <= ABSOLUTE_H
    if one.end is not None and other.end is not None:
        return _near(one.hours, other.hours) and _near(one.end, other.end)
    for interval, moment in ((one, other), (other, one)):
        if interval.end is not None and interval.hours is not None and moment.hours is not None:
            slack = ABSOLUTE_H + RELATIVE * abs(interval.end)
            return interval.hours - slack <= moment.hours <= interval.end + slack
    return _near(one.hours, other.hours)


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= max(ABSOLUTE_H, RELATIVE * max(abs(one), abs(other)))


def read_plan(plan: Plan, meaning: Meaning, *, prefix: str = "PC") -> PlannedTime:
    """Read one planned time, given what the numbers of its data set are. prefix: of the variables to name."""
    found: dict[str, Elapsed] = {}
    elapsed, words = iso_hours(plan.elapsed), worded_hours(plan.words)
    if elapsed is not None:
        found[f"{prefix}ELTM"] = Elapsed(elapsed)
    if plan.number is not None and meaning in _HOURS_PER:
        found[f"{prefix}TPTNUM"] = Elapsed(rounded(plan.number * _HOURS_PER[meaning]))
    if words.hours is not None:
        found[f"{prefix}TPT"] = words
    notes = []
    if plan.elapsed and elapsed is None:
        notes.append(f"{prefix}ELTM {plan.elapsed[:30]!r} is no duration in ISO 8601 and is left out")
    if meaning in (Meaning.MINUTES, Meaning.DAYS) and plan.number is not None:
        notes.append(f"{prefix}TPTNUM counts {meaning.lower()}")
    if not found:
        return _unread(plan, meaning, prefix, notes)
    return _settled(found, notes)


def _unread(plan: Plan, meaning: Meaning, prefix: str, notes: list[str]) -> PlannedTime:
    if plan.number is not None and meaning is Meaning.UNCLEAR:
        doubt = f"{prefix}TPTNUM {number_text(plan.number)} may be hours or only the order of the samples"
        return PlannedTime(plan.number, None, f"{prefix}TPTNUM", None, doubt, ((f"{prefix}TPTNUM", plan.number),))
    if plan.words:
        notes.append(f"{prefix}TPT {plan.words[:40]!r} gives no time after the dose")
    return PlannedTime(flag="; ".join(notes) or None)


def _settled(found: dict[str, Elapsed], notes: list[str]) -> PlannedTime:
    votes = {source: sum(agree(said, other) for other in found.values()) for source, said in found.items()}
    most = max(votes.values())
    winners = [source for source in found if votes[source] == most]
    if most < len(found) and (most == 1 or 2 * most <= len(found)):
        # Words are what people check a schedule by: their reading is proposed, else the first statement.
        proposed = next((source for source in found if source.endswith("TPT")), winners[0])
        return _as_time(found, proposed, found, doubt=f"{_contradiction(found)}")
    agreeing = [source for source in found if agree(found[source], found[winners[0]])]
    outvoted = {source: said for source, said in found.items() if source not in agreeing}
    if outvoted:
        notes.append(f"{_contradiction({**outvoted, winners[0]: found[winners[0]]})}; {agreeing[0]} is taken")
    return _as_time(found, agreeing[0], {source: found[source] for source in agreeing}, notes)


def _as_time(
    found: dict[str, Elapsed],
    source: str,
    among: dict[str, Elapsed],
    notes: Sequence[str] = (),
    doubt: str | None = None,
) -> PlannedTime:
    """Return the time one statement gives; an interval among those that agree says when it began and ended."""
    said = found[source]
    interval = next((name for name, other in among.items() if other.end is not None), None)
    if doubt is None and interval is not None:
        source, said = interval, found[interval]
    if said.some_time_before:
        # Another statement may say how long before.
        source, said = next(
            ((name, other) for name, other in among.items() if not other.some_time_before and doubt is None),
            (source, said),
        )
    candidates = tuple((name, other.hours) for name, other in found.items() if other.hours is not None)
    return PlannedTime(said.hours, said.end, source, "; ".join(notes) or None, doubt, candidates)


def _contradiction(found: dict[str, Elapsed]) -> str:
    told = " and ".join(f"{source} {_hours_text(said)}" for source, said in found.items())
    cause = _likely_cause(list(found.values()))
    return f"{told} do not agree{cause}"


def _hours_text(said: Elapsed) -> str:
    if said.some_time_before:
        return "before the dose"
    text = f"{said.hours or 0.0:.4g}"
    return f"{text} h" if said.end is None else f"{text}-{said.end:.4g} h"


def _likely_cause(said: Sequence[Elapsed]) -> str:
    """Name the wrong unit that would explain two hours that differ."""
    hours = [one.hours for one in said if one.hours]
    for factor, units in ((60.0, "minutes and hours"), (24.0, "hours and days"), (3600.0, "seconds and hours")):
        if len(hours) >= 2 and any(_near(abs(a), abs(b) * factor) for a in hours for b in hours if a is not b):
            return f": {units} are confused in one of them"
    return ""
