"""How many programmes pass from phase to phase (E1), and the interval of such a rate (E3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.efficacy.response_rate import ProportionIntervals, proportion_intervals
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import above

PHASES = (1, 2, 3)
APPROVAL = 4
TERMINATION_LAG_DAYS: Mapping[str, float] = MappingProxyType({"1": 360, "2": 540, "3": 900})
PHASE_OF_STAGE: Mapping[str, int] = MappingProxyType(
    {"PHASE_1": 1, "PHASE_1_2": 2, "PHASE_2": 2, "PHASE_2_3": 3, "PHASE_3": 3}
)
"""Clinical stage -> phase: a combined phase counts as its later one."""


@dataclass(frozen=True, slots=True)
class ProgrammePath:
    """What is known of one programme: phases seen, approved, declared terminated, end day of the last phase."""

    observed_phases: tuple[int, ...]
    approved: bool = False
    terminated: bool = False
    last_phase_end_day: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTransitions(Outcome):
    """Counts by phase ("1", "2", "3"; reached also "4", approval) and transition rates, in two ways of counting.

    `missing_phases` are those a programme passed without being seen in them. `in_progress_share` is the part of the
    programmes that entered a phase and have no outcome there yet: it biases recent rates upward.
    """

    reached: Mapping[str, int]
    observed: Mapping[str, int]
    missing_phases: Mapping[str, int]
    in_progress: Mapping[str, int]
    terminated: Mapping[str, int]
    in_progress_share: tuple[float | None, ...]
    path_by_path: tuple[float | None, ...]
    path_by_path_loa: float | None
    phase_by_phase: tuple[float | None, ...]
    phase_by_phase_loa: float | None

    def as_reference(self) -> Mapping[str, object]:
        """Return the values under the names the reference files use."""
        names = ("reached", "observed", "in_progress", "terminated", "path_by_path", "path_by_path_loa")
        named = {name: getattr(self, name) for name in (*names, "phase_by_phase", "phase_by_phase_loa")}
        return {**named, "missing": self.missing_phases}


@method(
    "E1_phase_transition",
    version=1,
    title="Phase transition probability: path-by-path and phase-by-phase",
    source="Wong CH, Siah KW, Lo AW. Biostatistics 2019;20:273-286, equations 3.1-3.5",
    reference_inputs={"programs": "programmes"},
)
def phase_transitions(
    programmes: Sequence[ProgrammePath],
    as_of_day: float,
    termination_lag_days: Mapping[str, float] = TERMINATION_LAG_DAYS,
) -> PhaseTransitions:
    """Return the probability to pass from each phase to the next.

    A programme is a molecule in one indication. Its highest phase counts as reached and every lower one as passed,
    seen or not. In its last phase it is terminated if so declared or if more than the waiting time has passed since
    the end of that phase, else in progress. With N_j programmes that reached phase j and ip_j in progress there:

    - path by path, for a whole history: POS_j = N_(j+1) / (N_j - ip_j), LOA = N_4 / (N_1 - ip_1 - ip_2 - ip_3);
    - phase by phase, for a window of years: only programmes seen in phase j, LOA the product of the three.

    A combined phase 1/2 counts as 2 and 2/3 as 3 (PHASE_OF_STAGE). A return from hold is not a new programme.

    Args:
        programmes: what is known of each programme on the day.
        as_of_day: day on which it is known, on any day count.
        termination_lag_days: phase -> days of silence after which a programme counts as terminated.

    Returns:
        Counts and rates; a rate without a programme whose outcome is known is missing.

    Raises:
        InputError: a programme without a phase or an approval, a phase other than 1 to 3, or a waiting time that is
            missing or negative.
    """
    for name in map(str, PHASES):
        if termination_lag_days.get(name, -1.0) < 0:
            raise InputError(
                f"phase {name} needs a waiting time of 0 days or more", path=("termination_lag_days", name)
            )
    reached, observed, running = (
        dict.fromkeys((*PHASES, APPROVAL), 0),
        dict.fromkeys(PHASES, 0),
        dict.fromkeys(PHASES, 0),
    )
    ended, observed_running, observed_passed = (dict.fromkeys(PHASES, 0) for _ in range(3))
    for index, programme in enumerate(programmes):
        last = _last_phase(programme, index)
        top = APPROVAL if programme.approved else last
        in_progress = not programme.approved and not _terminated(programme, last, as_of_day, termination_lag_days)
        for phase in range(1, top + 1):
            reached[phase] += 1
        for phase in set(programme.observed_phases):
            observed[phase] += 1
            observed_passed[phase] += top > phase
        if not programme.approved:
            (running if in_progress else ended)[last] += 1
            observed_running[last] += in_progress
    rates = tuple(_rate(reached[j + 1], reached[j] - running[j]) for j in PHASES)
    seen_rates = tuple(_rate(observed_passed[j], observed[j] - observed_running[j]) for j in PHASES)
    loa = _rate(reached[APPROVAL], reached[1] - sum(running.values()))
    seen_loa = None if None in seen_rates else math.prod(rate for rate in seen_rates if rate is not None)
    shares = tuple(_rate(running[j], reached[j]) for j in PHASES)
    values = {"path_by_path": rates, "phase_by_phase": seen_rates, "in_progress_share": shares}
    values |= {"path_by_path_loa": (loa,), "phase_by_phase_loa": (seen_loa,)}
    return PhaseTransitions(
        reached=_by_phase(reached),
        observed=_by_phase(observed),
        missing_phases={str(j): reached[j] - observed[j] for j in PHASES},
        in_progress=_by_phase(running),
        terminated=_by_phase(ended),
        in_progress_share=shares,
        path_by_path=rates,
        path_by_path_loa=loa,
        phase_by_phase=seen_rates,
        phase_by_phase_loa=seen_loa,
        reason=None if programmes else Reason.NO_DATA,
        missing={name: Reason.NO_DATA for name, rates_of in values.items() if None in rates_of},
    )


def _last_phase(programme: ProgrammePath, index: int) -> int:
    unseen = not programme.observed_phases and not programme.approved
    if unseen or not set(programme.observed_phases) <= set(PHASES):
        raise InputError(
            f"programme {index} must have been seen in phases from 1 to 3, got {list(programme.observed_phases)}",
            path=("programmes", str(index), "observed_phases"),
        )
    return max(programme.observed_phases, default=0)


def _terminated(programme: ProgrammePath, last: int, as_of_day: float, lags: Mapping[str, float]) -> bool:
    ended = programme.last_phase_end_day
    return programme.terminated or (ended is not None and above(as_of_day - ended, lags[str(last)]))


def _rate(passed: int, known: int) -> float | None:
    return passed / known if known > 0 else None


def _by_phase(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(phase): count for phase, count in counts.items()}


@method(
    "E3_transition_ci",
    version=1,
    title="Interval for a transition probability",
    source="Brown LD, Cai TT, DasGupta A. Stat Sci 2001;16:101-133",
)
def transition_interval(x: int, n: int, conf_level: float = 0.95) -> ProportionIntervals:
    """Return a transition rate with its intervals. The one to print is Wilson; Jeffreys serves as a prior.

    They say nothing of the bias from programmes still in progress.

    Args:
        x: programmes that advanced.
        n: programmes with a known outcome.
        conf_level: confidence level of the two-sided intervals.

    Raises:
        InputError: a count is negative, x is larger than n, or the level is not between 0 and 1.
    """
    return proportion_intervals(x, n, conf_level)
