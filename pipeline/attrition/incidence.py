"""Cumulative incidence of advance and of each reason to drop, as competing risks (E4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipeline.efficacy.response_rate import check_level
from pipeline.efficacy.survival import Values, as_values, at_risk_next, check_times, log_log_limits, number_at_risk
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

CENSORED = "censored"
AT_ONCE = 16
CAUSES = ("advance", "drop_toxicity", "drop_efficacy", "drop_other")


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeIncidence(Outcome):
    """Incidence of every cause at the times asked for, with standard errors and log-log limits.

    `event_free` is the probability of still being in the stage; with the incidences it adds up to 1. `horizon` is
    the last time anyone is observed: later values are carried on, and the flag `beyond_horizon` says so.
    """

    cif: Mapping[str, Values]
    standard_error: Mapping[str, Values]
    ci_lower: Mapping[str, Values]
    ci_upper: Mapping[str, Values]
    event_free: Values
    at_risk: tuple[int, ...]
    horizon: float | None

    reference_names: ClassVar[Mapping[str, str]] = {"standard_error": "aalen_se"}


@dataclass(frozen=True, slots=True)
class IncidenceCurves:
    """Aalen-Johansen curves of k causes as arrays.

    Attributes:
        times: (m,), distinct times of an event of any cause, ascending.
        at_risk: (m,), subjects with entry < time <= exit.
        event_free: (m,), probability of no event up to and including each time.
        incidence: (m, k), probability of an event of each cause by then.
        variance: (m, k), of the incidence.
    """

    times: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    event_free: NDArray[np.float64]
    incidence: NDArray[np.float64]
    variance: NDArray[np.float64]

    def at(self, times: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return event-free probability (t,), incidence (t, k) and variance (t, k) at any times."""
        import numpy as np

        step = np.searchsorted(self.times, times, side="right")
        before = np.zeros((1, self.incidence.shape[1]))
        return (
            np.append(1.0, self.event_free)[step],
            np.concatenate([before, self.incidence])[step],
            np.concatenate([before, self.variance])[step],
        )


def incidence_curves(
    time: ArrayLike, cause: ArrayLike, causes: int, entry: ArrayLike | None = None, wanted: range | None = None
) -> IncidenceCurves:
    """Return the Aalen-Johansen curves of competing causes, of all or of those wanted; see `curves_of_counts`.

    Args:
        time: (n,), times of the event or of the end of observation.
        cause: (n,), number of the cause from 0, or -1 for a censoring.
        causes: number of causes.
        entry: (n,), times from which each subject is observed; it is at risk when entry < t <= time.
        wanted: numbers of the causes whose curves are wanted; the others count as events all the same.
    """
    import numpy as np

    wanted = range(causes) if wanted is None else wanted
    time, cause = np.asarray(time, dtype=float), np.asarray(cause)
    happened = cause >= 0
    times, place = np.unique(time[happened], return_inverse=True)
    m, k = times.size, len(wanted)
    shown = np.isin(cause[happened], wanted)
    events = np.bincount(place[shown] * k + cause[happened][shown] - wanted.start, minlength=m * k).reshape(m, k)
    entries = None if entry is None else np.sort(np.asarray(entry, dtype=float))
    at_risk = number_at_risk(np.sort(time), entries, times)
    return curves_of_counts(times, events, np.bincount(place, minlength=m), at_risk)


def curves_of_counts(
    times: NDArray[np.float64], events: NDArray[np.int64], total: NDArray[np.int64], at_risk: NDArray[np.int64]
) -> IncidenceCurves:
    """Return Aalen-Johansen curves from counts.

    At each event time F_k += S(t-) d_k / n for all causes with the same S(t-), then S *= 1 - d / n; censorings at that
    time leave after it. The variance is Aalen's: the hazard increments of the cause and of all others together are
    independent with variance d (n - d) / (n^2 (n - 1)), and F_k(t) moves with an increment at s of its own cause by
    S(s-) (1 - (F_k(t) - F_k(s)) / S(s)), of another by -S(s-) (F_k(t) - F_k(s)) / S(s).

    Args:
        times: (m,), distinct times of an event of any cause, ascending.
        events: (m, k), events of each cause whose curve is wanted.
        total: (m,), events of any cause.
        at_risk: (m,), subjects with entry < time <= exit.
    """
    import numpy as np

    n, total = at_risk.astype(float)[:, None], total[:, None]
    event_free = np.cumprod(1 - total / n, axis=0)
    before = np.vstack([np.ones((1, 1)), event_free[:-1]]) if times.size else event_free
    incidence = np.cumsum(before * events / n, axis=0)
    spread = n**2 * np.maximum(n - 1, 1)
    own = events * np.where(n > 1, n - events, 1) / spread
    others = (total - events) * np.where(n > 1, n - total + events, 1) / spread
    ratio = np.divide(before, event_free, out=np.zeros_like(before), where=event_free > 0)
    # sums over s <= t of [1 - (F(t) - F(s)) / S(s)]^2 and the like, multiplied out so that one pass does for all t
    constant = np.cumsum(before**2 * own, axis=0)
    linear = before * ratio * own
    square = ratio**2 * (own + others)
    variance = constant - 2 * (incidence * np.cumsum(linear, axis=0) - np.cumsum(linear * incidence, axis=0))
    variance += incidence**2 * np.cumsum(square, axis=0)
    variance += np.cumsum(square * incidence**2, axis=0) - 2 * incidence * np.cumsum(square * incidence, axis=0)
    return IncidenceCurves(times, at_risk, event_free[:, 0], incidence, np.maximum(variance, 0.0))


@method(
    "E4_cumulative_incidence",
    version=1,
    title="Competing-risk cumulative incidence",
    source="Aalen OO, Johansen S. Scand J Stat 1978;5:141-150",
    reference_inputs={"description": None},
)
def cumulative_incidence(
    time: Sequence[float],
    state: Sequence[str],
    times: Sequence[float],
    entry: Sequence[float] | None = None,
    causes: Sequence[str] = CAUSES,
    conf_level: float = 0.95,
) -> CumulativeIncidence:
    """Estimate how many of the molecules in a stage have advanced, or dropped for each reason, by a time.

    Aalen-Johansen with ties: see `incidence_curves`. One minus the Kaplan-Meier curve of a single cause is too high
    and never shown. A hold is not an exit; a molecule that enters the stage again starts a new sojourn.

    Args:
        time: time in the stage, to the exit or to the day of the question, >= 0.
        state: what ended it: one of the causes, or "censored" for a molecule still in the stage.
        times: times at which the incidences are wanted.
        entry: time from which each molecule is observed in the stage (acquired later); null for its beginning.
        causes: names of the causes.
        conf_level: level of the limits.

    Raises:
        InputError: lists of different length, negative times, entries not before exits, or an unknown state.
    """
    import numpy as np

    number = {name: index for index, name in enumerate(causes)} | {CENSORED: -1}
    if unknown := [name for name in state if name not in number]:
        raise InputError(f"no cause is called {unknown[0]!r}; known: {', '.join(number)}", path=("state",))
    if len(number) != len(causes) + 1:
        raise InputError(f"the causes must have different names, other than {CENSORED!r}", path=("causes",))
    codes = [number[name] for name in state]
    check_times(time, [int(code >= 0) for code in codes], event_name="state", entry=entry)
    check_level(conf_level)
    if not time:
        nothing: dict[str, Values] = dict.fromkeys(causes, (None,) * len(times))
        return CumulativeIncidence(
            cif=nothing,
            standard_error=nothing,
            ci_lower=nothing,
            ci_upper=nothing,
            event_free=(None,) * len(times),
            at_risk=(0,) * len(times),
            horizon=None,
            reason=Reason.NO_DATA,
        )
    event_free, incidence, variance = _at(times, time, codes, len(causes), entry)
    relative = np.divide(variance, incidence**2, out=np.zeros_like(variance), where=incidence > 0)
    lower, upper = log_log_limits(incidence, relative, conf_level)
    horizon = max(time)
    entries = None if entry is None else np.sort(np.asarray(entry, dtype=float))
    undefined = {"ci_lower": np.isnan(lower), "ci_upper": np.isnan(upper)}
    return CumulativeIncidence(
        cif=_columns(causes, incidence),
        standard_error=_columns(causes, np.sqrt(variance)),
        ci_lower={name: as_values(lower[:, index]) for index, name in enumerate(causes)},
        ci_upper={name: as_values(upper[:, index]) for index, name in enumerate(causes)},
        event_free=tuple(event_free.tolist()),
        at_risk=tuple(at_risk_next(np.sort(np.asarray(time, dtype=float)), entries, times).tolist()),
        horizon=horizon,
        missing={name: Reason.UNDEFINED_LIMIT for name, lacking in undefined.items() if lacking.any()},
        flags=("beyond_horizon",) if any(t > horizon for t in times) else (),
    )


def _at(
    times: Sequence[float], time: Sequence[float], codes: Sequence[int], causes: int, entry: Sequence[float] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what `IncidenceCurves.at` does, a few causes at a time: curves of thousands would fill the memory."""
    import numpy as np

    cause = np.asarray(codes, dtype=np.int64)
    blocks = [range(first, min(first + AT_ONCE, causes)) for first in range(0, causes, AT_ONCE)] or [range(0)]
    found = [incidence_curves(time, cause, causes, entry, wanted).at(times) for wanted in blocks]
    free, incidence, variance = zip(*found, strict=True)
    return free[0], np.concatenate(incidence, axis=1), np.concatenate(variance, axis=1)


def _columns(causes: Sequence[str], values: NDArray[np.float64]) -> dict[str, Values]:
    return {name: tuple(values[:, index].tolist()) for index, name in enumerate(causes)}
