"""The attrition review: where, when and why programmes stop, from a portfolio in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipeline.attrition.counting import ALWAYS, PHASE_BY_PHASE, RULES, all_rates
from pipeline.attrition.courses import IN_PHASE, STANDINGS, Courses, Stays, follow, observed_from
from pipeline.attrition.portfolio import Portfolio
from pipeline.attrition.review_benchmarks import compare, success, success_of_each
from pipeline.attrition.review_caveats import DEFINITIONS, caveats
from pipeline.attrition.review_groups import Grouped, by_group, dimensions
from pipeline.attrition.review_results import AttritionReview, Question, Standings, SuccessProbability
from pipeline.attrition.review_settings import Settings, default_settings
from pipeline.attrition.review_stops import late_share, late_share_by_year, reasons
from pipeline.attrition.review_times import calendar, day_of, left_by_cause, lengths_of, number_of, since_entry
from pipeline.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHOD = "attrition_review"
VERSION = 1
METHODS = {
    "E1_phase_transition": 1,
    "E2_loa_benchmark": 1,
    "E3_transition_ci": 1,
    "E4_cumulative_incidence": 1,
    "E5_time_in_stage": 1,
    "E6_stage_occupation": 1,
    "E7_left_truncation": 1,
    "E9_late_stage_attrition_index": 1,
    "F2_pts_update": 1,
}
"""Methods of the catalogue whose definitions the review follows, with the versions it was written for."""

HISTORY, RECORD = "history", "record"

Sites = Callable[[tuple[str, ...]], Sequence[Sequence[str]]]
"""Gives, for names of disease groups, the site of each stage."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a review is asked.

    Attributes:
        rule: how the rates by group, the caveats and `counted` are counted.
        day: until when programmes are followed, ISO.
        as_of: look back as of this day, ISO, not after `day`; None takes all that is on record.
        known_at: number of the last act that counts, for the record.
        observed_from: when watching began: "history" takes a history as complete, "record" from the day a programme
            was put on record, a day (ISO) from then. Stays under way by then are left-truncated in every curve.
        window: first and last day (ISO) of the outcomes that count, phase by phase and by exits.
        filter: what the portfolio was filtered by, for the record.
        settings: what is taken for granted.
    """

    day: str
    rule: str = PHASE_BY_PHASE
    as_of: str | None = None
    known_at: int = 0
    observed_from: str = HISTORY
    window: tuple[str | None, str | None] = (None, None)
    filter: Mapping[str, object] = field(default_factory=dict)
    settings: Settings = field(default_factory=default_settings)

    def question(self) -> Question:
        """Return it as a record."""
        return Question(
            rule=self.rule,
            day=self.day,
            as_of=self.as_of,
            known_at=self.known_at,
            observed_from=self.observed_from,
            window=self.window,
            filter=dict(self.filter),
            settings=self.settings.as_table(),
        )


def followed(portfolio: Portfolio, asked: Asked) -> Courses:
    """Follow the programmes of a portfolio as a review asks; see `courses.follow`.

    Raises:
        InputError: an unknown rule, something that is not a day, or a day before the one looked back to.
    """
    if asked.rule not in RULES:
        raise InputError(f"{asked.rule[:60]!r} is no counting rule; the rules are {', '.join(RULES)}", path=("rule",))
    day = _day(asked.day, "day")
    as_of = None if asked.as_of is None else _day(asked.as_of, "as of")
    if as_of is not None and as_of > day:
        raise InputError(f"a review followed until {asked.day} cannot look back from {asked.as_of}", path=("as_of",))
    return follow(portfolio, asked.settings, day, as_of)


def review(
    portfolio: Portfolio,
    asked: Asked,
    *,
    courses: Courses | None = None,
    sites: Sites | None = None,
    contributing: Mapping[tuple[str, str], int] | None = None,
) -> AttritionReview:
    """Review a portfolio.

    Args:
        portfolio: programmes and transitions.
        asked: what is asked.
        courses: those of them that are reviewed, `followed` as asked; None takes all.
        sites: gives the site of each stage for disease groups; None leaves the site out of the groups.
        contributing: (stage, reason) -> stops reviewed with that reason beside the primary one; None where none are
            recorded.

    Returns:
        The review; what cannot be said is None with a reason, and listed among the caveats.

    Raises:
        InputError: an unknown rule, something that is not a day, or days in the wrong order.
    """
    courses = followed(portfolio, asked) if courses is None else courses
    stays = _watched(courses, asked.observed_from)
    window = _window(asked.window)
    tallies, rates = all_rates(courses, window)
    counted = next(one for one in rates if one.rule == asked.rule)
    timed = stays.only_usable()
    lengths = lengths_of(timed, len(courses.portfolio.stages))
    times, curves = left_by_cause(courses, timed, lengths)
    ways = dimensions(courses, _sites(courses, sites))
    grouped = Grouped(courses, asked.rule, tallies[asked.rule], timed, lengths)
    groups, comparisons = by_group(grouped, ways)
    beliefs = success(courses, tallies[PHASE_BY_PHASE])
    return AttritionReview(
        method=METHOD,
        version=VERSION,
        methods=dict(METHODS),
        question=asked.question(),
        programmes=int(courses.portfolio.ids.size),
        transitions=int(courses.portfolio.owner.size),
        late_entries=int(courses.late_entry.sum()),
        rates=rates,
        times=tuple(times),
        incidence=tuple(curves),
        calendar=calendar(courses),
        since_entry=tuple(since_entry(courses, asked.settings.fewest)),
        reasons=reasons(courses, contributing),
        late_share=late_share(courses),
        late_share_by_year=late_share_by_year(courses),
        groups=groups,
        comparisons=comparisons,
        benchmarks=compare(courses, rates, tallies),
        success=beliefs,
        standings=standings(courses, beliefs),
        caveats=caveats(portfolio, courses, stays, counted, contributing=contributing is not None),
        definitions={**DEFINITIONS, "counting": counted.definition},
    )


def chosen(courses: Courses, wanted: NDArray[np.bool_]) -> Courses:
    """Return the courses of some programmes only, (p,) of true and false."""
    if wanted.all():
        return courses
    rows = wanted[courses.portfolio.owner]
    return replace(
        courses,
        portfolio=courses.portfolio.only(wanted),
        earliest=courses.earliest[rows],
        latest=courses.latest[rows],
        at=courses.at[rows],
        conflict=courses.conflict[wanted],
    )


def standings(courses: Courses, beliefs: tuple[SuccessProbability, ...]) -> Standings:
    """Return where every programme stands."""
    import numpy as np

    p, last = courses.portfolio, courses.last
    moved = np.append(True, p.stage[1:] != p.stage[:-1])[: p.owner.size] | courses.off
    moved[courses.first] = True
    entered = np.maximum.accumulate(np.where(moved, np.arange(p.owner.size), 0))[last]
    standing = np.where(courses.standing == IN_PHASE, courses.end, courses.standing)
    days, since = np.unique(courses.earliest[entered], return_inverse=True)
    return Standings(
        programme=tuple(p.ids.tolist()),
        name=p.names,
        stage=_words([stage.code for stage in p.stages], p.stage[last]),
        standing=_words(STANDINGS, standing),
        since=_words([day_of(day) for day in days.tolist()], since),
        success=success_of_each(courses, beliefs),
    )


def _words(names: Sequence[str], places: NDArray[np.integer[Any]]) -> tuple[str, ...]:
    """Return the name at each place."""
    import numpy as np

    return tuple(np.array([*names, None], dtype=object)[places].tolist())


def _watched(courses: Courses, since: str) -> Stays:
    import numpy as np

    if since == HISTORY:
        return courses.stays
    if since == RECORD:
        return observed_from(courses, courses.portfolio.recorded.astype(float))
    return observed_from(courses, np.full(courses.portfolio.ids.size, float(_day(since, "observed from"))))


def _sites(courses: Courses, sites: Sites | None) -> Sequence[Sequence[str]] | None:
    column = courses.portfolio.groups.get("disease_group")
    return None if sites is None or column is None else sites(column.names)


def _window(window: tuple[str | None, str | None]) -> tuple[int | None, int | None]:
    begin, end = (None if day is None else _day(day, "window") for day in window)
    if begin is not None and end is not None and begin > end:
        raise InputError(f"the window ends on {window[1]}, before it begins on {window[0]}", path=("window",))
    return (begin, end) if window != (None, None) else ALWAYS


def _day(text: str, name: str) -> int:
    try:
        return number_of(text)
    except ValueError:
        raise InputError(f"{name} takes a day that exists, YYYY-MM-DD; {text[:40]!r} is none", path=(name,)) from None
