"""The three published ways to count who passes a phase (E1), from the courses of programmes.

Each way yields tallies: a programme (or an exit), a phase, and what became of it there. Counting them by phase, and by
any group of programmes, is the same for all three.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.attrition.courses import APPROVED, IN_PHASE, STALLED, STOPPED, UNANNOUNCED, Courses
from pipeline.attrition.review_results import Estimate, Likelihood, PhaseRate, RuleRates
from pipeline.attrition.review_settings import Settings
from pipeline.efficacy.response_rate import wilson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

PHASE_BY_PHASE, PATH_BY_PATH, PROGRESSION_DECISION = RULES = (
    "PHASE_BY_PHASE",
    "PATH_BY_PATH",
    "PROGRESSION_DECISION",
)
Window = tuple[int | None, int | None]
ALWAYS: Window = (None, None)

DEFINITIONS: Mapping[str, str] = {
    PHASE_BY_PHASE: (
        "Programmes seen in a phase: those that reached a later one over those whose outcome is known. A programme "
        "counts once in a phase, however often it was there. Likelihood of approval: the product of the rates."
    ),
    PATH_BY_PATH: (
        "Programmes known to have reached a phase, seen there or further on: a phase passed over counts as passed. "
        "Likelihood of approval: approved over all whose outcome is known, not a product."
    ),
    PROGRESSION_DECISION: (
        "Exits from a phase, each when it happened: those that led to a later phase over all exits, stops included. "
        "Programmes in the phase do not count. Likelihood of approval: the product of the rates."
    ),
}
SOURCES: Mapping[str, str] = {
    PHASE_BY_PHASE: "Wong CH, Siah KW, Lo AW. Biostatistics 2019;20:273-286, equations 3.1-3.5; BIO 2011-2020 (2021)",
    PATH_BY_PATH: "Wong CH, Siah KW, Lo AW. Biostatistics 2019;20:273-286, equations 3.1-3.5",
    PROGRESSION_DECISION: "Dowden H, Munro J. Nat Rev Drug Discov 2019;18:495-496 (progression decision methodology)",
}
WILSON = "Wilson score, 95 %"
OF_A_PRODUCT = "product of the rates, limits by variance recovery from their Wilson limits, 95 %"


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """What became of programmes in phases: owner (e,), phase (e,), and outcome (e,) as courses names standings.

    APPROVED stands for having advanced.
    """

    owner: Ints
    phase: Ints
    outcome: Ints

    def counts(self, phases: int, group: Ints | None = None, groups: int = 1) -> NDArray[np.int64]:
        """Return how often each outcome came, (groups, phases, 5); group: (e,), None puts all into one."""
        return self._table(self.outcome, phases, group, groups)

    def ends(self, courses: Courses, group: Ints | None = None, groups: int = 1) -> NDArray[np.int64]:
        """Return as `counts` how the whole ways of the programmes counted in each phase ended; APPROVED is that."""
        return self._table(courses.end[self.owner], len(courses.phases.codes), group, groups)

    def _table(self, what: Ints, phases: int, group: Ints | None, groups: int) -> NDArray[np.int64]:
        import numpy as np

        place = self.phase * 5 + what
        if group is not None:
            place += group * (phases * 5)
        return np.bincount(place, minlength=groups * phases * 5).reshape(groups, phases, 5)


def tallies(courses: Courses, rule: str, window: Window = ALWAYS) -> Tallies:
    """Return what became of programmes in each phase under a rule.

    window: first and last day of the outcomes that count; programmes without an outcome are told as they stand.
    """
    if rule == PROGRESSION_DECISION:
        return _exits(courses, window)
    return _programmes(courses, window, seen_only=rule == PHASE_BY_PHASE)


def _programmes(courses: Courses, window: Window, *, seen_only: bool) -> Tallies:
    import numpy as np

    phases, top = len(courses.phases.codes), courses.top
    if seen_only:
        there = np.zeros((top.size, phases + 1), dtype=bool)  # the last column is that of approval
        there.reshape(-1)[courses.portfolio.owner * (phases + 1) + courses.phase] = True
        there = there[:, :phases]
    else:
        there = top[:, None] >= np.arange(phases)
    owner, phase = np.nonzero(there)
    outcome = np.where(top[owner] > phase, APPROVED, courses.standing[owner])
    if window != ALWAYS:
        fine = ~np.isin(outcome, (APPROVED, STOPPED, UNANNOUNCED)) | _inside(
            _outcome_days(courses, phases)[there], window
        )
        fine &= ~courses.conflict[owner]
        owner, phase, outcome = owner[fine], phase[fine], outcome[fine]
    return Tallies(owner, phase, outcome)


def _outcome_days(courses: Courses, phases: int) -> NDArray[np.float64]:
    """Return the day each programme went beyond each phase, else the day it is followed until, (p, phases)."""
    import numpy as np

    owner = courses.portfolio.owner
    stopped = courses.standing == STOPPED
    until = np.where(stopped, courses.at[courses.last], courses.ended)
    days = np.repeat(until[:, None], phases, axis=1)
    beyond = np.full(days.shape, np.inf)
    for phase in range(phases):
        past = courses.phase > phase
        np.minimum.at(beyond[:, phase], owner[past], courses.at[past])
    return np.where(np.isinf(beyond), days, beyond)


def _exits(courses: Courses, window: Window) -> Tallies:
    import numpy as np

    p, phases = courses.portfolio, len(courses.phases.codes)
    same = np.append(False, p.owner[1:] == p.owner[:-1])
    before = np.append(phases, courses.phase[:-1])[: p.owner.size]
    onward = np.flatnonzero(same & (courses.phase > before))
    stops, phase_of = courses.stops, np.asarray(courses.phases.of_stage, dtype=np.int64)
    last = np.arange(p.ids.size)
    over = last[courses.standing == UNANNOUNCED]
    inside = last[(courses.standing == IN_PHASE) | (courses.standing == STALLED)]
    stands = courses.phase[courses.last]
    owner = np.concatenate([p.owner[onward], stops.owner, over, inside])
    phase = np.concatenate([before[onward], phase_of[stops.stage], stands[over], stands[inside]])
    outcome = np.concatenate(
        [
            np.full(onward.size, APPROVED),
            np.full(stops.owner.size, STOPPED),
            np.full(over.size, UNANNOUNCED),
            courses.standing[inside],
        ]
    )
    fine = phase < phases
    if window != ALWAYS:
        day = np.concatenate([courses.at[onward], stops.day, courses.ended[over], courses.ended[inside]])
        fine &= _inside(day, window) | np.isin(outcome, (IN_PHASE, STALLED))
        fine &= ~courses.conflict[owner]
    return Tallies(owner[fine], phase[fine], outcome[fine])


def _inside(day: NDArray[np.float64], window: Window) -> Flags:
    import numpy as np

    since, until = window
    return (day >= (-np.inf if since is None else since)) & (day < (np.inf if until is None else until + 1))


# ---------------------------------------------------------------- from counts to rates


def rates_of(
    codes: Sequence[str], counts: NDArray[np.int64], ends: NDArray[np.int64] | None, settings: Settings
) -> tuple[tuple[PhaseRate, ...], tuple[Likelihood, ...]]:
    """Return the rates of all phases and the likelihoods of approval from each.

    counts, ends: (phases, 5), see `Tallies`; with the ends of whole ways the likelihoods are of these, else products.

    Filing is a step of its own where any programme was seen in it; else the phase before it leads to approval.
    """
    table, fewest, filing = counts.tolist(), settings.fewest, settings.filing
    phases = tuple(_phase(code, row, fewest) for code, row in zip(codes, table, strict=True))
    found = []
    for place, code in enumerate(codes):
        steps = [n for n in range(place, len(codes)) if codes[n] != filing or sum(table[n])]
        named = tuple(codes[n] for n in steps)
        estimate = product([phases[n].rate for n in steps]) if ends is None else ended(ends[place].tolist(), fewest)
        found.append(Likelihood(code, named, estimate))
    return phases, tuple(found)


def _phase(code: str, row: Sequence[int], fewest: int) -> PhaseRate:
    advanced, stopped, unannounced = row[APPROVED], row[STOPPED] + row[UNANNOUNCED], row[UNANNOUNCED]
    entered = sum(row)
    return PhaseRate(
        stage=code,
        entered=entered,
        advanced=advanced,
        stopped=stopped,
        unannounced=unannounced,
        in_phase=row[IN_PHASE],
        stalled=row[STALLED],
        rate=proportion(advanced, advanced + stopped, fewest),
        in_phase_share=row[IN_PHASE] / entered if entered else None,
    )


def ended(row: Sequence[int], fewest: int) -> Estimate:
    """Return the share approved of the ways that ended, from one row of `Tallies.ends`."""
    approved = row[APPROVED]
    return proportion(approved, approved + row[STOPPED] + row[UNANNOUNCED], fewest)


def proportion(k: int, n: int, fewest: int) -> Estimate:
    """Return k of n with its Wilson interval; below the fewest that are shown, the counts alone."""
    if n < fewest:
        why = "nothing to count" if n == 0 else f"fewer than {fewest} known outcomes: the counts alone"
        return Estimate(None, k, n, None, None, WILSON, why)
    low, high = wilson(k, n)
    return Estimate(k / n, k, n, low, high, WILSON)


def product(rates: Sequence[Estimate]) -> Estimate:
    """Return the product of independent rates with limits by variance recovery (MOVER) on the log scale.

    With l and u the Wilson limits of each rate r, the logarithm of the lower limit is sum(log r) -
    sqrt(sum((log r - log l)^2)), of the upper likewise with u. A rate of 0 makes the product 0 with the lower limit 0;
    its upper limit then takes the place of the rate, which is wide. k are those that passed the last step, n those
    whose outcome in the first is known: the product is not k / n.

    Source: Zou GY, Donner A. Stat Med 2008;27:1693-1702.
    """
    k, n = (rates[-1].k, rates[0].n) if rates else (0, 0)
    lacking = [rate for rate in rates if rate.value is None]
    if not rates or lacking:
        why = lacking[0].reason if lacking else "nothing to count"
        return Estimate(None, k, n, None, None, OF_A_PRODUCT, f"a step has no rate: {why}")
    value = math.prod(rate.value for rate in rates if rate.value is not None)
    upper_logs, upper_spread, lower_spread = 0.0, 0.0, 0.0
    for rate in rates:
        assert rate.value is not None
        assert rate.low is not None
        assert rate.high is not None
        if rate.value > 0:
            upper_logs += math.log(rate.value)
            upper_spread += (math.log(rate.high) - math.log(rate.value)) ** 2
            lower_spread += (math.log(rate.value) - math.log(rate.low)) ** 2
        else:
            upper_logs += math.log(rate.high)
    low = value and math.exp(math.log(value) - math.sqrt(lower_spread))
    high = min(math.exp(upper_logs + math.sqrt(upper_spread)), 1.0)
    return Estimate(value, k, n, float(low), high, OF_A_PRODUCT)


def difference(own: Estimate, k: int, n: int) -> tuple[float, float, float] | None:
    """Return own rate minus k / n with Newcombe's hybrid score limits; None where there is no own rate.

    Source: Newcombe RG. Stat Med 1998;17:873-890, method 10.
    """
    if own.value is None or own.low is None or own.high is None or n <= 0:
        return None
    other = k / n
    low, high = wilson(k, n)
    apart = own.value - other
    return (
        apart,
        apart - math.hypot(own.value - own.low, high - other),
        apart + math.hypot(own.high - own.value, other - low),
    )


def all_rates(courses: Courses, window: Window = ALWAYS) -> tuple[dict[str, Tallies], tuple[RuleRates, ...]]:
    """Return the tallies and the rates under every rule; the window does not touch the whole history of a path."""
    codes = courses.phases.codes
    made: dict[str, Tallies] = {}
    found = []
    for rule in RULES:
        made[rule] = tallies(courses, rule, ALWAYS if rule == PATH_BY_PATH else window)
        ends = made[rule].ends(courses)[0] if rule == PATH_BY_PATH else None
        phases, likelihoods = rates_of(codes, made[rule].counts(len(codes))[0], ends, courses.settings)
        if not courses.phases.approvable:
            likelihoods = ()
        found.append(RuleRates(rule, DEFINITIONS[rule], SOURCES[rule], phases, likelihoods))
    return made, tuple(found)
