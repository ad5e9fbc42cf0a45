"""Kaplan-Meier curves, their quantiles and the restricted mean (C8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.efficacy.response_rate import check_level, normal_quantile
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

QUANTILE_SLACK = 1e-9
ROUNDING = 1e-12
LARGEST_SPREAD = 700.0
Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KaplanMeier(Outcome):
    """A survival curve at the times asked for, its quartiles and its restricted mean."""

    survival: Values = ()
    std_err: Values = ()
    ci_lower: Values = ()
    ci_upper: Values = ()
    at_risk: tuple[int, ...] = ()
    q25: float | None = None
    median: float | None = None
    q75: float | None = None
    median_ci: tuple[float | None, float | None] = (None, None)
    rmst: float | None = None
    rmst_se: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A Kaplan-Meier curve as arrays.

    Attributes:
        exits: (n,), times of leaving observation, ascending.
        entries: (n,), times of entering it, ascending; None when everyone is observed from the start.
        times: (m,), distinct event times, ascending.
        events: (m,), events at each.
        at_risk: (m,), subjects with entry < time <= exit.
        survival: (m,), probability to survive beyond each.
        hazard_variance: (m,), Greenwood's sum of d / (n (n - d)); infinite once nobody survived.
    """

    exits: NDArray[np.float64]
    entries: NDArray[np.float64] | None
    times: NDArray[np.float64]
    events: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    survival: NDArray[np.float64]
    hazard_variance: NDArray[np.float64]

    def at(self, times: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the survival at each time, and Greenwood's sum."""
        import numpy as np

        step = np.searchsorted(self.times, times, side="right")
        return np.append(1.0, self.survival)[step], np.append(0.0, self.hazard_variance)[step]

    def limits(self, conf_level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the log-log limits at the event times; NaN where the survival is 0 or 1."""
        return log_log_limits(self.survival, self.hazard_variance, conf_level)

    def quantile(self, probability: float) -> float | None:
        """Return the first time at which the survival is at most 1 - probability; None if it never is."""
        return first_time(self.times, self.survival, 1 - probability)

    def quantile_limits(self, probability: float, conf_level: float) -> tuple[float | None, float | None]:
        """Return the times at which the lower and the upper limit come down to 1 - probability."""
        lower, upper = self.limits(conf_level)
        level = 1 - probability
        return first_time(self.times, lower, level), first_time(self.times, upper, level)


def number_at_risk(
    exits: NDArray[np.float64], entries: NDArray[np.float64] | None, times: ArrayLike
) -> NDArray[np.int64]:
    """Return how many of the sorted exits are >= each time, less those whose sorted entry is not before it."""
    import numpy as np

    staying = exits.size - np.searchsorted(exits, times, side="left")
    if entries is not None:
        staying = staying - (entries.size - np.searchsorted(entries, times, side="left"))
    return np.asarray(staying, dtype=np.int64)


def at_risk_next(
    exits: NDArray[np.float64], entries: NDArray[np.float64] | None, times: ArrayLike
) -> NDArray[np.int64]:
    """Return how many the next step at or after each time is out of: those at risk at the first exit from then on.

    Without late entries these are simply those with exit >= time; after the last exit nobody.
    """
    import numpy as np

    following = np.searchsorted(exits, times, side="left")
    return number_at_risk(exits, entries, np.append(exits, np.inf)[following])


def survival_curve(time: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None) -> Curve:
    """Return the Kaplan-Meier curve; events come before censorings at the same time.

    Args:
        time: (n,), times of the event or of the end of observation.
        event: (n,), 1 for an event, 0 for a censoring.
        entry: (n,), times from which each subject is observed; it is at risk when entry < t <= time.
    """
    import numpy as np

    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    exits = np.sort(time)
    entries = None if entry is None else np.sort(np.asarray(entry, dtype=float))
    times, events = np.unique(time[event], return_counts=True)
    at_risk = number_at_risk(exits, entries, times)
    return Curve(exits, entries, times, events, at_risk, *product_limit(events, at_risk))


def product_limit(
    events: NDArray[np.int64], at_risk: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Kaplan-Meier survival beyond each event time, and Greenwood's sum up to it, from counts (m,)."""
    import numpy as np

    survival = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
    with np.errstate(divide="ignore"):
        variance = np.cumsum(events / (at_risk * (at_risk - events).astype(float)))
    return survival, variance


def log_log_limits(
    survival: NDArray[np.float64], hazard_variance: NDArray[np.float64], conf_level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return limits on the log(-log) scale; NaN where the survival is 0 or 1 and the scale ends."""
    import numpy as np

    inside = (survival > 0) & (survival < 1 - ROUNDING)
    log = np.log(np.where(inside, survival, 0.5))
    spread = normal_quantile(conf_level) * np.sqrt(np.where(inside, hazard_variance, 0.0)) / -log
    spread = np.minimum(spread, LARGEST_SPREAD)
    return (
        np.where(inside, np.exp(log * np.exp(spread)), np.nan),
        np.where(inside, np.exp(log * np.exp(-spread)), np.nan),
    )


def first_time(times: NDArray[np.float64], curve: NDArray[np.float64], level: float) -> float | None:
    """Return the first time at which a falling curve is at most `level`, with a slack of 1e-9."""
    import numpy as np

    reached = np.flatnonzero(curve <= level + QUANTILE_SLACK)
    return float(times[reached[0]]) if reached.size else None


def restricted_mean(curve: Curve, tau: float) -> tuple[float, float] | None:
    """Return the area under the curve up to tau and its standard error.

    None when observation ends before tau with survivors left: nobody knows how the curve goes on.
    """
    import numpy as np

    ends_alive = not curve.survival.size or curve.survival[-1] > 0
    if tau > curve.exits[-1] and ends_alive:
        return None
    before = curve.times < tau
    grid = np.concatenate(([0.0], curve.times[before], [tau]))
    pieces = np.append(1.0, curve.survival[before]) * np.diff(grid)
    remaining = (pieces.sum() - np.cumsum(pieces))[:-1]
    events, at_risk = curve.events[before], curve.at_risk[before]
    left = np.maximum(at_risk - events, 1)  # where all have the event no area remains, and no variance
    share = np.where(at_risk > events, events / (at_risk * left), 0.0)
    return float(pieces.sum()), float(np.hypot.reduce(remaining * np.sqrt(share)))


def check_times(
    time: Sequence[float], event: Sequence[int], *, event_name: str = "event", entry: Sequence[float] | None = None
) -> None:
    """Refuse lists of different length, negative times, and events that are neither 0 nor 1."""
    if len(time) != len(event):
        raise InputError(f"every time needs an entry in {event_name}: {len(time)} and {len(event)}", path=("time",))
    if any(value < 0 for value in time):
        raise InputError(f"times cannot be negative, got {min(time):g}", path=("time",))
    if wrong := next((value for value in event if value not in (0, 1)), None):
        raise InputError(f"{event_name} is 1 or 0, got {wrong}", path=(event_name,))
    if entry is not None:
        if len(entry) != len(time):
            raise InputError(f"every time needs an entry time: {len(time)} and {len(entry)}", path=("entry",))
        for start, end in zip(entry, time, strict=True):
            if start >= end:
                raise InputError(f"an entry has to come before the exit, got {start:g} and {end:g}", path=("entry",))


def as_values(array: NDArray[np.float64]) -> Values:
    """Return an array as a tuple, with None for what is not a number."""
    return tuple(value if value == value else None for value in array.tolist())


@method(
    "C8_kaplan_meier",
    version=1,
    title="Kaplan-Meier",
    source="Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481",
    reference_inputs={"dataset": None},
)
def kaplan_meier(
    time: Sequence[float],
    event: Sequence[int],
    times: Sequence[float] = (),
    tau: float | None = None,
    conf_level: float = 0.95,
    ci_type: Literal["log-log"] = "log-log",
) -> KaplanMeier:
    """Estimate a survival curve: progression-free or overall survival, or time in a stage.

    Events come before censorings at the same time. Standard errors are Greenwood's, limits are on the log(-log)
    scale and missing where the survival is 0 or 1. A quantile is the first time at which the curve is at most
    1 - p; its limits follow the same rule on the limits of the curve. The restricted mean is the area up to tau; it
    is missing when observation ends before tau with survivors left.

    Args:
        time: times to the event or to the end of observation, in one unit, >= 0.
        event: 1 for an event, 0 for a censoring.
        times: times at which the curve is wanted.
        tau: horizon of the restricted mean; None leaves it out.
        conf_level: level of the two-sided limits.
        ci_type: scale of the limits.

    Raises:
        InputError: lists of different length, negative times, events other than 0 and 1, or tau not above 0.
    """
    import numpy as np

    check_times(time, event)
    check_level(conf_level)
    if tau is not None and tau <= 0:
        raise InputError(f"the horizon of the restricted mean must be above 0, got {tau:g}", path=("tau",))
    if not time:
        nothing = (None,) * len(times)
        return KaplanMeier(
            survival=nothing,
            std_err=nothing,
            ci_lower=nothing,
            ci_upper=nothing,
            at_risk=(0,) * len(times),
            reason=Reason.NO_DATA,
        )
    curve = survival_curve(time, event)
    survival, variance = curve.at(times)
    lower, upper = log_log_limits(survival, variance, conf_level)
    alive = survival > 0
    std_err = np.where(alive, survival * np.sqrt(np.where(alive, variance, 0.0)), np.nan)
    mean = None if tau is None else restricted_mean(curve, tau)
    values = {"q25": curve.quantile(0.25), "median": curve.quantile(0.5), "q75": curve.quantile(0.75)}
    missing = {name: Reason.NOT_ESTIMABLE for name, value in values.items() if value is None}
    median_ci = curve.quantile_limits(0.5, conf_level)
    undefined = {"std_err": ~alive, "ci_lower": np.isnan(lower), "ci_upper": np.isnan(upper)}
    missing |= {name: Reason.UNDEFINED_LIMIT for name, lacking in undefined.items() if lacking.any()}
    if None in median_ci:
        missing["median_ci"] = Reason.UNDEFINED_LIMIT
    if mean is None:
        missing |= dict.fromkeys(("rmst", "rmst_se"), Reason.NO_DATA if tau is None else Reason.NOT_ESTIMABLE)
    return KaplanMeier(
        survival=as_values(survival),
        std_err=as_values(std_err),
        ci_lower=as_values(lower),
        ci_upper=as_values(upper),
        at_risk=tuple(at_risk_next(curve.exits, curve.entries, times).tolist()),
        q25=values["q25"],
        median=values["median"],
        q75=values["q75"],
        median_ci=median_ci,
        rmst=None if mean is None else mean[0],
        rmst_se=None if mean is None else mean[1],
        missing=missing,
    )
