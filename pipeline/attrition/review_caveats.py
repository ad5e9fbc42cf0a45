"""What a review cannot say, or not surely, and which programmes it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.attrition.courses import STALLED, UNANNOUNCED, Courses, Stays
from pipeline.attrition.portfolio import KINDS, Portfolio
from pipeline.attrition.review_results import Caveat, RuleRates
from pipeline.attrition.review_times import day_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

NAMED = 20
"""How many programmes of a caveat are named."""
MOVES_NAMED = 12
MANY_IN_PHASE = 0.5

DEFINITIONS = {
    "programme": "One molecule in one indication. A return from a hold, or a restart, is not a new programme.",
    "phases": (
        "A combined phase counts as its later one: 1/2 as 2, 2/3 as 3. A programme that advanced is one that was ever "
        "in a later phase, even if it went back."
    ),
    "in_phase": "Under way or on hold at the day of the review: right-censored there, and in no denominator of a rate.",
    "late_entry": (
        "First on record at a stage where none begins. Such a programme is left-truncated: it counts in a phase only "
        "where it was seen (phase by phase, exits), or every earlier phase counts as passed (path by path)."
    ),
    "stalled": (
        "Active, and without any move for longer than the silence limit of its stage, or recorded as stalled: neither "
        "in phase nor stopped, and in no denominator. In curves it is followed until the limit was over."
    ),
    "unannounced": (
        "A stage that was completed, and no further move for longer than its waiting time: counted as a stop, on the "
        "day the waiting time was over."
    ),
    "stop": "Every discontinuation, at the stage it came from; one that was restarted later stays a stop.",
    "late_share": (
        "Scientific stops, for toxicity or want of effect: those at the late stage or beyond over all of them."
    ),
    "dates": (
        "A date that is not known to the day is counted with the middle of the days that it can be and that agree with "
        "the order of the moves. The shortest and longest median of a stage show what these dates leave open."
    ),
    "stay": (
        "From entering a stage, or a restart in it, to a move onward or a stop; a hold does not end it. One that began "
        "and ended on the same day lasted half a day."
    ),
    "group": "A programme's site is where the state graph routes the stage in question for its disease group.",
    "probability_of_success": (
        "Product over the phases that remain of posterior means, prior from the benchmark, own outcomes added (F2). "
        "Evidence at checkpoints is not in it."
    ),
    "after_checkpoint": (
        "Where checkpoints were asked for: the odds of the present phase times the likelihood ratio of what the latest "
        "checkpoint said, from the replay of its rule over past programmes whose fate is known (F2). Checkpoints of "
        "one programme are not multiplied, because they may hang together."
    ),
    "window": "Outcomes outside of the window do not count; a path by path rate is always of the whole history.",
}


def caveats(
    asked: Portfolio, courses: Courses, stays: Stays, counted: RuleRates, *, contributing: bool
) -> tuple[Caveat, ...]:
    """Return all that has to be known beside the figures."""
    import numpy as np

    found: list[Caveat] = []

    def say(code: str, sentence: str, which: Ints, of: Portfolio = courses.portfolio, *, moves: bool = False) -> None:
        if which.size:
            first = which[:NAMED]
            names = tuple(_named(of, place, moves=moves) for place in first.tolist())
            found.append(Caveat(code, sentence, int(which.size), tuple(of.ids[first].tolist()), names))

    _about_size(found, courses, counted)
    say(
        "unknown_stage",
        "These programmes have a stage that no state graph in use knows; they are left out.",
        courses.unknown,
        asked,
    )
    say(
        "future_date",
        "These programmes have a move dated after the day of the review; it and all after it are left out.",
        courses.future,
        asked,
        moves=True,
    )
    _about_dates(say, courses, stays)
    say(
        "stalled",
        "These programmes are stalled: they are neither in phase nor stopped, and in no rate.",
        np.flatnonzero(courses.standing == STALLED),
    )
    say(
        "unannounced",
        "These programmes count as stopped because their stage was completed and nothing followed; nobody said so.",
        np.flatnonzero(courses.standing == UNANNOUNCED),
    )
    say(
        "late_entry",
        "These programmes were first on record at a later stage: what came before is not known here.",
        np.flatnonzero(courses.late_entry),
    )
    unsaid = np.unique(courses.stops.owner[courses.stops.reason < 0])
    say("no_reason", "These programmes have a stop without a reason; it counts as UNSPECIFIED.", unsaid)
    if not contributing and courses.stops.owner.size:
        found.append(
            Caveat(
                "no_contributing", "Contributing reasons are not recorded: each stop has one.", courses.stops.owner.size
            )
        )
    return tuple(found)


def _named(portfolio: Portfolio, place: int, *, moves: bool) -> str:
    """Return what a programme is called; `moves`: and its moves in the order they are on record."""
    import numpy as np

    if not moves:
        return portfolio.names[place]
    rows = np.flatnonzero(portfolio.owner == place).tolist()
    told = []
    for row in rows[:MOVES_NAMED]:
        number = portfolio.stage[row]
        stage = portfolio.stages[number].code if number >= 0 else "an unknown stage"
        earliest, latest = day_of(portfolio.earliest[row]), day_of(portfolio.latest[row])
        when = earliest if earliest == latest else f"{earliest} to {latest}"
        told.append(f"{KINDS[portfolio.kind[row]]} {stage} {when}")
    more = f"; and {len(rows) - MOVES_NAMED} more" if len(rows) > MOVES_NAMED else ""
    return f"{portfolio.names[place]}: {'; '.join(told)}{more}"


def _about_size(found: list[Caveat], courses: Courses, counted: RuleRates) -> None:
    size = courses.portfolio.ids.size
    if size == 0:
        found.append(Caveat("empty", "No programme fits what was asked: there is nothing to review.", 0))
        return
    if size == 1:
        p = courses.portfolio
        sentence = "There is one programme: its way can be told, no rate."
        found.append(Caveat("one_programme", sentence, 1, tuple(p.ids.tolist()), p.names))
    if not any(phase.rate.n for phase in counted.phases):
        found.append(
            Caveat("no_outcome", "No programme left a phase in the time that is counted: no rate can be given.", size)
        )
    few = [phase.stage for phase in counted.phases if phase.rate.n and phase.rate.value is None]
    if few:
        least = courses.settings.fewest
        sentence = f"Fewer than {least} known outcomes in {', '.join(few)}: counts are given, no rate."
        found.append(Caveat("few_outcomes", sentence, len(few)))
    young = [phase for phase in counted.phases if (phase.in_phase_share or 0) > MANY_IN_PHASE]
    if young and any(phase.rate.n for phase in counted.phases):
        sentence = (
            f"More than half of the programmes are still in phase in {', '.join(phase.stage for phase in young)}: "
            "what is known so far comes from the fast ones."
        )
        found.append(Caveat("mostly_in_phase", sentence, sum(phase.in_phase for phase in young)))
    if not courses.phases.approvable:
        approval = courses.settings.approval
        found.append(Caveat("no_approval", f"No stage is called {approval}: there is no likelihood of approval.", 1))


def _about_dates(say: Callable[..., None], courses: Courses, stays: Stays) -> None:
    import numpy as np

    p = courses.portfolio
    if courses.conflict.any():
        offset = p.owner * (1 << 22)
        highest = np.maximum.accumulate(offset + p.earliest) - offset
        wrong = (p.latest < highest) & courses.conflict[p.owner]
        stop = np.zeros(p.ids.size, dtype=bool)
        stop[p.owner[wrong & courses.off]] = True
        say(
            "stop_before_start",
            "These programmes were stopped before they began what was stopped; they count in rates, not in times.",
            np.flatnonzero(stop),
            moves=True,
        )
        say(
            "overlapping_stages",
            "These programmes have a move dated before the one it follows; they count in rates, not in times.",
            np.flatnonzero(courses.conflict & ~stop),
            moves=True,
        )
    vague = np.zeros(p.ids.size, dtype=bool)
    vague[p.owner[courses.earliest != courses.latest]] = True
    say(
        "vague_dates",
        "These programmes have a date that is not known to the day.",
        np.flatnonzero(vague & ~courses.conflict),
    )
    say(
        "sighted",
        "These programmes were first seen in the midst of a stage; how long they were in it is not known.",
        np.flatnonzero(p.sighted),
    )
    brief = np.unique(stays.owner[(stays.days <= 0.5) & (stays.cause >= 0) & stays.usable])
    say("same_day", "These programmes left a stage on the day they entered it.", brief)
