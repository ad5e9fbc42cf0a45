"""Which stage molecules are in over time, and forecasts from a stage (E6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from pipeline.attrition.risk_table import MOST_TICKS, distinct
from pipeline.efficacy.survival import Values, number_at_risk
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STATES = ("CREFRE", "CLIPP", "PHASE3", "APPROVED", "DROPPED")


@dataclass(frozen=True, slots=True)
class StatePath:
    """One molecule's way: the states in order, the time it entered each, and until when it was followed."""

    states: tuple[str, ...]
    entry_times: tuple[float, ...]
    last_follow_up: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOccupation(Outcome):
    """Probability of each state at the times asked for; at every time they add up to 1.

    `at_risk` counts the molecules in a state just before each time. `horizon` is the last time anyone is followed.
    Flags: `beyond_horizon`; `empty_risk_set` when a state that molecules leave still has probability but nobody in
    it; `markov` when the forecast starts after time 0 and so assumes that the past of a molecule does not matter;
    `landmark` when only the molecules in the start state at that time were counted, which checks that assumption.
    """

    occupation: Mapping[str, Values]
    at_risk: Mapping[str, tuple[int, ...]]
    horizon: float | None

    def as_reference(self) -> Mapping[str, object]:
        """Return the probabilities by state, as the reference files have them."""
        return dict(self.occupation)


Step = tuple[float, int, int]
"""(time, state left, state entered), states by number."""


@method(
    "E6_stage_occupation",
    version=1,
    title="Stage occupation probabilities",
    source="Aalen OO, Johansen S. Scand J Stat 1978;5:141-150; "
    "Putter H, Fiocco M, Geskus RB. Stat Med 2007;26:2389-2430",
    reference_inputs={"description": None},
)
def stage_occupation(
    paths: Sequence[StatePath],
    times: Sequence[float],
    start_state: str = STATES[0],
    from_time: float = 0.0,
    states: Sequence[str] = STATES,
    landmark: bool = False,
) -> StageOccupation:
    """Estimate the probability of being in each state, given the start state at a time.

    Multi-state Aalen-Johansen on the time since nomination: at each transition time t the matrix A(t) is the identity
    with d_hg / n_h moved from h to g, n_h counting the molecules in h just before t (entered before t, left at or after
    t); P(s, t) is the product of A over (s, t]. Transitions at exactly s are not included. An empty risk set changes
    nothing. A sojourn of length 0 is passed over; a correction of the record is not a transition. Molecules acquired
    later count from their first entry on.

    Args:
        paths: one path for each molecule.
        times: times at which the probabilities are wanted, not before `from_time`.
        start_state: state the molecule is in at `from_time`.
        from_time: time of the start, same scale as the paths.
        states: all states; probabilities come in this order.
        landmark: count only the molecules that are in the start state at `from_time`, without the Markov assumption.

    Raises:
        InputError: an unknown state, entry times that fall or do not match the states, follow-up that ends before the
            last entry, or a time before `from_time`.
    """
    number = {name: index for index, name in enumerate(states)}
    if start_state not in number:
        raise InputError(f"no state is called {start_state!r}; known: {', '.join(states)}", path=("start_state",))
    if early := [time for time in times if time < from_time]:
        raise InputError(f"a time asked for lies before the start at {from_time:g}: {early[0]:g}", path=("times",))
    courses = [_checked(path, number, index) for index, path in enumerate(paths)]
    if landmark:
        courses = [course for course in courses if _is_in(number[start_state], course, from_time)]
    if not courses:
        return StageOccupation(
            occupation=dict.fromkeys(states, (None,) * len(times)),
            at_risk=dict.fromkeys(states, (0,) * len(times)),
            horizon=None,
            reason=Reason.NO_DATA,
        )
    risks = _Risks.of(courses, len(states))
    wanted = sorted(range(len(times)), key=times.__getitem__)
    found: list[tuple[float, ...]] = [()] * len(times)
    chance = [0.0] * len(states)
    chance[number[start_state]] = 1.0
    steps = risks.grouped(from_time)
    ahead = next(steps, None)
    for index in wanted:
        while ahead is not None and ahead[0] <= times[index]:
            moved = [(left, entered, chance[left] * share) for left, entered, share in ahead[1]]
            for left, entered, mass in moved:
                chance[left] -= mass
                chance[entered] += mass
            ahead = next(steps, None)
        found[index] = tuple(max(value, 0.0) for value in chance)
    horizon = max(course[-1][0] for course in courses)
    at_risk = {name: risks.at(index, times) for name, index in number.items()}
    flags = ["landmark"] if landmark else ["markov"] if from_time > 0 else []
    flags += ["beyond_horizon"] if any(time > horizon for time in times) else []
    empty = any(
        found[place][index] > 0 and at_risk[name][place] == 0 and index in risks.left
        for name, index in number.items()
        for place in range(len(times))
    )
    return StageOccupation(
        occupation={name: tuple(row[index] for row in found) for name, index in number.items()},
        at_risk=at_risk,
        horizon=horizon,
        flags=(*flags, *(("empty_risk_set",) if empty else ())),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Movements:
    """Paths given as columns, counted by cohort.

    Attributes:
        states: how many states there are.
        used: (k,), numbers of those that occur; what follows is about them only.
        steps: (m,), distinct times at which a path moves from one to another, ascending.
        begun: (cohorts, k), paths that begin in each.
        moved: (cohorts, m, k, k), how many move at each time.
        at_risk: (cohorts, k, m), who is in a state just before each time: entered before, and leaves then or later.
    """

    states: int
    used: NDArray[np.int64]
    steps: NDArray[np.float64]
    begun: NDArray[np.int64]
    moved: NDArray[np.int64]
    at_risk: NDArray[np.int64]

    def occupation(self, cohorts: range, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each state in these cohorts together at times, (t, states).

        The same estimate as `stage_occupation` gives, from the states the paths begin in.

        times: (t,), ascending, not below 0.
        """
        import numpy as np

        some = slice(cohorts.start, cohorts.stop)
        counts = self.moved[some].sum(axis=0)
        here = np.flatnonzero(counts.any(axis=(1, 2)))
        shares = counts[here].astype(float)
        shares /= np.maximum(self.at_risk[some].sum(axis=0)[:, here].T, 1)[:, :, None]
        diagonal = np.arange(self.used.size)
        shares[:, diagonal, diagonal] += 1 - shares.sum(axis=2)
        begun = self.begun[some].sum(axis=0)
        chance = begun / max(int(begun.sum()), 1)
        found = np.zeros((len(times), self.states))
        done = 0
        for row, until in enumerate(np.searchsorted(self.steps[here], times, side="right").tolist()):
            if until > done:
                chance = chance @ _product(shares[done:until])
            done = until
            found[row, self.used] = chance
        return np.maximum(found, 0.0)


def movements(
    owner: NDArray[np.int64],
    time: NDArray[np.float64],
    state: NDArray[np.int64],
    followed: NDArray[np.float64],
    states: int,
    cohort: NDArray[np.int64],
    cohorts: int,
) -> Movements:
    """Count the movements of many paths given as columns.

    Args:
        owner: (r,), the path each entry into a state belongs to, ascending; every path has one.
        time: (r,), when the state was entered, not falling within a path; the first of a path is 0.
        state: (r,), number of the state entered.
        followed: (p,), end of follow-up of each path, not before its last entry; in the order of `owner`.
        states: how many states there are.
        cohort: (p,), the cohort of each path; one below 0 is left out.
        cohorts: how many cohorts there are.
    """
    import numpy as np

    # Of several states at one time only the last lasted, and to enter the state one is in is no move.
    lasted = np.append((owner[1:] != owner[:-1]) | (time[1:] > time[:-1]), True)
    if cohort.min(initial=0) < 0:
        lasted &= cohort[owner] >= 0
    owner, time, state = owner[lasted], time[lasted], state[lasted]
    kept = np.append(True, (owner[1:] != owner[:-1]) | (state[1:] != state[:-1]))[: owner.size]
    owner, time, state = owner[kept], time[kept], state[kept]
    used, state = distinct(state, states)
    k = used.size
    begins = np.append(True, owner[1:] != owner[:-1])[: owner.size]
    left_at = np.append(time[1:], 0.0)[: owner.size]
    left_at[np.append(begins[1:], True)[: owner.size]] = followed[owner[begins]]
    moves = np.flatnonzero(~begins)
    steps, after_entry, after_exit = _ranks(time, left_at, moves)
    m, of = steps.size, cohort[owner]
    index = ((of[moves] * m + after_entry[moves] - 1) * k + state[moves - 1]) * k + state[moves]
    moved = np.bincount(index, minlength=cohorts * m * k * k).reshape(cohorts, m, k, k)
    row = (of * k + state) * (m + 1)
    change = np.bincount(row + after_entry, minlength=cohorts * k * (m + 1))
    change -= np.bincount(row + after_exit, minlength=cohorts * k * (m + 1))
    at_risk = np.cumsum(change.reshape(cohorts, k, m + 1)[:, :, :-1], axis=2)
    begun = np.bincount((of * k + state)[begins], minlength=cohorts * k).reshape(cohorts, k)
    return Movements(states, used, steps, begun, moved, at_risk)


def _ranks(
    entry: NDArray[np.float64], leave: NDArray[np.float64], moves: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct times of the moves, and how many of them are not after each entry and each exit.

    Days and half days, which times mostly are, need no search.
    """
    import numpy as np

    ticks, exits = (2 * entry).astype(np.int64), (2 * leave).astype(np.int64)
    halves = bool((2 * entry == ticks).all()) and bool((2 * leave == exits).all())
    most = max(int(exits.max(initial=0)), int(ticks.max(initial=0))) + 1
    if not halves or most > MOST_TICKS:
        steps = np.unique(entry[moves])
        return steps, np.searchsorted(steps, entry, side="right"), np.searchsorted(steps, leave, side="right")
    present = np.zeros(most, dtype=bool)
    present[ticks[moves]] = True
    up_to = np.cumsum(present)
    return np.flatnonzero(present) / 2, up_to[ticks], up_to[exits]


def _product(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of matrices (n, k, k) in their order, neighbours multiplied at once."""
    import numpy as np

    while len(matrices) > 1:
        odd = matrices[len(matrices) - len(matrices) % 2 :]
        pairs = np.matmul(matrices[0 : len(matrices) - len(odd) : 2], matrices[1 : len(matrices) - len(odd) : 2])
        matrices = np.concatenate([pairs, odd])
    product: NDArray[np.float64] = matrices[0]
    return product


def _checked(path: StatePath, number: Mapping[str, int], index: int) -> list[Step]:
    """Return a path as (time entered, state) with its end of follow-up as the last, without sojourns of length 0."""
    where = ("paths", str(index))
    if not path.states or len(path.states) != len(path.entry_times):
        raise InputError(f"path {index} needs one entry time for each of its states", path=where)
    if unknown := [name for name in path.states if name not in number]:
        raise InputError(f"path {index} has the unknown state {unknown[0]!r}; known: {', '.join(number)}", path=where)
    ends = [*path.entry_times[1:], path.last_follow_up]
    if any(end < start for start, end in zip(path.entry_times, ends, strict=True)):
        raise InputError(f"path {index} goes back in time: entries and the end of follow-up must not fall", path=where)
    last = len(path.states) - 1
    kept = [
        (start, number[name])
        for place, (name, start, end) in enumerate(zip(path.states, path.entry_times, ends, strict=True))
        if end > start or place == last
    ]
    sojourns = [next(same) for _, same in groupby(kept, key=lambda entry: entry[1])]
    steps = [(end, state, after) for (_, state), (end, after) in pairwise(sojourns)]
    return [(sojourns[0][0], -1, sojourns[0][1]), *steps, (path.last_follow_up, sojourns[-1][1], -1)]


def _is_in(state: int, steps: Sequence[Step], time: float) -> bool:
    """Return whether a path has entered a state by a time and is seen in it after that time."""
    return any(after == state and start <= time < end for (start, _, after), (end, _, _) in pairwise(steps))


@dataclass(frozen=True, slots=True)
class _Risks:
    """Transitions by time, and for every state the sorted times of entering and leaving it."""

    transitions: NDArray[np.float64]
    entries: tuple[NDArray[np.float64], ...]
    exits: tuple[NDArray[np.float64], ...]
    left: frozenset[int]

    @classmethod
    def of(cls, paths: Sequence[Sequence[Step]], states: int) -> _Risks:
        import numpy as np

        rows = np.array([step for path in paths for step in path], dtype=float).reshape(-1, 3)
        time, left, entered = rows[:, 0], rows[:, 1], rows[:, 2]
        transitions = rows[(left >= 0) & (entered >= 0)]
        return cls(
            transitions,
            tuple(np.sort(time[entered == state]) for state in range(states)),
            tuple(np.sort(time[left == state]) for state in range(states)),
            frozenset(transitions[:, 1].astype(int).tolist()),
        )

    def at(self, state: int, times: Sequence[float]) -> tuple[int, ...]:
        """Return how many are in a state just before each time."""
        return tuple(number_at_risk(self.exits[state], self.entries[state], times).tolist())

    def grouped(self, after: float) -> Iterator[tuple[float, list[tuple[int, int, float]]]]:
        """Yield every later transition time with the share of each state that moves, as (left, entered, share)."""
        import numpy as np

        later = self.transitions[self.transitions[:, 0] > after]
        distinct, counts = np.unique(later, axis=0, return_counts=True)
        left = distinct[:, 1].astype(int)
        shares = np.empty(len(distinct))
        for state in set(left.tolist()):
            rows = left == state
            shares[rows] = counts[rows] / number_at_risk(self.exits[state], self.entries[state], distinct[rows, 0])
        moves = zip(
            distinct[:, 0].tolist(), left.tolist(), distinct[:, 2].astype(int).tolist(), shares.tolist(), strict=True
        )
        for time, same in groupby(moves, key=lambda move: move[0]):
            yield time, [(state, entered, share) for _, state, entered, share in same]
