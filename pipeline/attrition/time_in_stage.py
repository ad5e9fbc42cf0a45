"""How long molecules stay in a stage (E5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.efficacy.response_rate import check_level
from pipeline.efficacy.survival import Values, check_times, survival_curve
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInStage(Outcome):
    """Quantiles of the time in a stage with their limits; None where the curve does not come down so far."""

    quantiles: Values
    ci_lower: Values
    ci_upper: Values
    n: int
    n_exits: int


@method(
    "E5_time_in_stage",
    version=1,
    title="Time in stage quantiles",
    source="Brookmeyer R, Crowley J. Biometrics 1982;38:29-41",
    reference_inputs={"description": None},
)
def time_in_stage(
    time: Sequence[float],
    exited: Sequence[int],
    probs: Sequence[float] = (0.25, 0.5, 0.75),
    entry: Sequence[float] | None = None,
    conf_level: float = 0.95,
    ci_type: Literal["log-log"] = "log-log",
) -> TimeInStage:
    """Return quantiles of the time to leaving a stage for any reason.

    Kaplan-Meier with molecules still in the stage censored; a quantile is the first time at which the curve is at most
    1 - p, its limits follow the same rule on the log-log limits of the curve. The mean of completed sojourns is not
    given: it forgets those still waiting.

    Args:
        time: time in the stage, to the exit or to the day of the question, >= 0.
        exited: 1 for a molecule that left, 0 for one still in the stage.
        probs: which quantiles, between 0 and 1.
        entry: time from which each molecule is observed in the stage; null for its beginning.
        conf_level: level of the limits.
        ci_type: scale of the limits.

    Raises:
        InputError: lists of different length, negative times, exits other than 0 and 1, a probability out of range.
    """
    check_times(time, exited, event_name="exited", entry=entry)
    check_level(conf_level)
    if wrong := [p for p in probs if not 0 < p < 1]:
        raise InputError(f"a quantile lies between 0 and 1, got {wrong[0]:g}", path=("probs",))
    empty = (None,) * len(probs)
    if not time:
        return TimeInStage(quantiles=empty, ci_lower=empty, ci_upper=empty, n=0, n_exits=0, reason=Reason.NO_DATA)
    curve = survival_curve(time, exited, entry)
    quantiles = tuple(curve.quantile(p) for p in probs)
    limits = [curve.quantile_limits(p, conf_level) for p in probs]
    lower, upper = tuple(low for low, _ in limits), tuple(high for _, high in limits)
    missing = {
        name: Reason.UNDEFINED_LIMIT for name, ends in (("ci_lower", lower), ("ci_upper", upper)) if None in ends
    }
    if None in quantiles:
        missing["quantiles"] = Reason.NOT_ESTIMABLE
    return TimeInStage(
        quantiles=quantiles,
        ci_lower=lower,
        ci_upper=upper,
        n=len(time),
        n_exits=sum(exited),
        missing=missing,
    )
