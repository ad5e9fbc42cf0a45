"""Survival in a stage when molecules are acquired later than they began it (E7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.efficacy.survival import Values, as_values, at_risk_next, check_times, survival_curve
from pipeline.outcome import Outcome, Reason, method

ENOUGH_AT_RISK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedEntrySurvival(Outcome):
    """Survival with late entries counted from their entry on, and what ignoring them would give.

    `smallest_risk_set` is the fewest at risk at any event; the curve conditional on being there at
    `conditional_from`, the first event with enough at risk, does not depend on what came before.
    """

    survival_left_truncated: Values = ()
    std_err: Values = ()
    at_risk: tuple[int, ...] = ()
    survival_naive: Values = ()
    smallest_risk_set: int | None = None
    conditional_from: float | None = None
    survival_conditional: Values = ()


@method(
    "E7_left_truncation",
    version=1,
    title="Delayed entry: left-truncated survival",
    source="Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481; risk sets after Putter H et al. Stat Med 2007;26:2389",
    reference_inputs={"description": None},
)
def delayed_entry_survival(
    entry: Sequence[float],
    exit: Sequence[float],
    event: Sequence[int],
    times: Sequence[float],
    enough_at_risk: int = ENOUGH_AT_RISK,
) -> DelayedEntrySurvival:
    """Estimate survival when some molecules are observed only from a later time on.

    A molecule is at risk for times t with entry < t <= exit, so entering at another's event time does not count for
    it. Ignoring the entry makes drops look rarer (`survival_naive`). A small early risk set can drive the curve to
    0: the smallest one is reported (flag `small_risk_set` below `enough_at_risk`), and the conditional curve
    multiplies only from the first event with enough at risk.

    Args:
        entry: time from which each molecule is observed, in the time scale of the stage.
        exit: time of the drop or of the end of observation, later than the entry.
        event: 1 for a drop, 0 for a censoring.
        times: times at which the curves are wanted.
        enough_at_risk: how many at risk the conditional curve asks for.

    Raises:
        InputError: lists of different length, negative times, an entry not before its exit, events other than 0 and 1.
    """
    import numpy as np

    check_times(exit, event, entry=entry)
    nothing: Values = (None,) * len(times)
    if not exit:
        return DelayedEntrySurvival(
            survival_left_truncated=nothing,
            std_err=nothing,
            at_risk=(0,) * len(times),
            survival_naive=nothing,
            survival_conditional=nothing,
            reason=Reason.NO_DATA,
        )
    curve = survival_curve(exit, event, entry)
    survival, variance = curve.at(times)
    naive, _ = survival_curve(exit, event).at(times)
    alive = survival > 0
    std_err = np.where(alive, survival * np.sqrt(np.where(alive, variance, 0.0)), np.nan)
    enough = np.flatnonzero(curve.at_risk >= enough_at_risk)
    start = float(curve.times[enough[0]]) if enough.size else None
    conditional = nothing
    if enough.size:
        later = slice(int(enough[0]), None)
        steps = np.cumprod(1 - curve.events[later] / curve.at_risk[later])
        step = np.searchsorted(curve.times[later], times, side="right")
        values = np.append(1.0, steps)[step]
        conditional = as_values(np.where(np.asarray(times) >= start, values, np.nan))
    smallest = int(curve.at_risk.min()) if curve.at_risk.size else None
    missing = {"conditional_from": Reason.TOO_FEW_POINTS} if start is None else {}
    if None in conditional:
        missing["survival_conditional"] = Reason.TOO_FEW_POINTS
    if not alive.all():
        missing["std_err"] = Reason.UNDEFINED_LIMIT
    return DelayedEntrySurvival(
        survival_left_truncated=as_values(survival),
        std_err=as_values(std_err),
        at_risk=tuple(at_risk_next(curve.exits, curve.entries, times).tolist()),
        survival_naive=as_values(naive),
        smallest_risk_set=smallest,
        conditional_from=start,
        survival_conditional=conditional,
        missing=missing,
        flags=("small_risk_set",) if smallest is not None and smallest < enough_at_risk else (),
    )
