"""Exposure over one dosing interval at steady state, and accumulation (D4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.pharmacology.area import Points, area, interpolated
from pipeline.pharmacology.line import fit_line
from pipeline.pharmacology.profile import prepare
from pipeline.rounding import at_least

FEWEST_TROUGHS = 3
HALF_LIVES = 5
MEASURED = (
    *("auc_tau", "cavg", "cmax_ss", "cmin_ss", "ctrough"),
    *("fluctuation_pct", "swing_pct", "cl_ss_f", "accumulation_obs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyState(Outcome):
    """Parameters of one dosing interval, in the units of the concentrations and the dose; times in h."""

    auc_tau: float | None = None
    cavg: float | None = None
    cmax_ss: float | None = None
    cmin_ss: float | None = None
    ctrough: float | None = None
    fluctuation_pct: float | None = None
    swing_pct: float | None = None
    cl_ss_f: float | None = None
    accumulation_obs: float | None = None
    accumulation_pred: float | None = None


@method(
    "D4_steady_state",
    version=1,
    title="Steady-state parameters and accumulation",
    source="Gabrielsson J, Weiner D. Methods Mol Biol 2012;929:377-389",
)
def steady_state(
    time_h: Sequence[float],
    conc: Sequence[float | None],
    tau_h: float,
    dose: float | None = None,
    auc_tau_day1: float | None = None,
    lambda_z: float | None = None,
    lloq: float | None = None,
) -> SteadyState:
    """Compute exposure over one dosing interval.

    The area from 0 to tau is taken as in D1. Cavg = AUC / tau; fluctuation 100 (Cmax - Cmin) / Cavg; swing
    100 (Cmax - Cmin) / Cmin; the trough is the value at tau. Accumulation: observed AUCtau over that of the first
    interval, predicted 1 / (1 - exp(-lambda_z tau)). When tau was not sampled its value is interpolated (flag
    `tau_interpolated`), or carried on from the last measurable sample with lambda_z (flag `tau_extrapolated`). A
    sample at tau below the limit counts as 0 (flag `tau_below_limit`): trough and Cmin are 0, and the area ends with
    a straight piece, larger than a decline by a constant fraction would leave.

    Args:
        time_h: sampling times after the dose, h, rising; a sample before the dose counts at time 0.
        conc: concentrations; 0 is below the limit, null without a result.
        tau_h: dosing interval, h.
        dose: dose per interval; null leaves the clearance out.
        auc_tau_day1: area over the first dosing interval; null leaves the observed accumulation out.
        lambda_z: terminal slope, 1/h; null leaves the predicted accumulation out.
        lloq: lower limit of quantification; smaller values count as below it.

    Returns:
        The parameters; without a value at the start, or a way to the end, of the interval none but the predicted
        accumulation, for `no_data`.

    Raises:
        InputError: times that do not rise, negative values, an interval, first area or slope that is not above 0.
    """
    for name, value in (("tau_h", tau_h), ("auc_tau_day1", auc_tau_day1), ("lambda_z", lambda_z)):
        if value is not None and value <= 0:
            raise InputError(f"{name} must be above 0, got {value:g}", path=(name,))
    if dose is not None and dose < 0:
        raise InputError(f"a dose cannot be negative, got {dose:g}", path=("dose",))
    profile = prepare(time_h, conc, lloq=lloq)
    predicted = -1 / math.expm1(-lambda_z * tau_h) if lambda_z else None
    whole = _to_tau(profile.points, tau_h, lambda_z) if profile.measured and profile.from_dose else None
    auc = area(whole[0]) if whole else 0.0
    if whole is None or auc <= 0:
        return _without_area(predicted, profile.flags)
    points, flag = whole
    values = [c for _, c in points]
    top, low = max(values), min(values)
    missing = {}
    if low == 0:
        missing["swing_pct"] = Reason.UNDEFINED_LIMIT
    for name, needed in (("cl_ss_f", dose), ("accumulation_obs", auc_tau_day1), ("accumulation_pred", lambda_z)):
        if not needed:
            missing[name] = Reason.NO_DATA
    return SteadyState(
        auc_tau=auc,
        cavg=auc / tau_h,
        cmax_ss=top,
        cmin_ss=low,
        ctrough=values[-1],
        fluctuation_pct=100 * (top - low) / (auc / tau_h),
        swing_pct=100 * (top - low) / low if low > 0 else None,
        cl_ss_f=dose / auc if dose else None,
        accumulation_obs=auc / auc_tau_day1 if auc_tau_day1 else None,
        accumulation_pred=predicted,
        missing=missing,
        flags=(*profile.flags, *((flag,) if flag else ())),
    )


def _without_area(predicted: float | None, flags: tuple[str, ...]) -> SteadyState:
    """Return what lambda_z and tau alone say: the predicted accumulation, if anything."""
    if predicted is None:
        return SteadyState(reason=Reason.NO_DATA, flags=flags)
    return SteadyState(accumulation_pred=predicted, missing=dict.fromkeys(MEASURED, Reason.NO_DATA), flags=flags)


def _to_tau(points: Points, tau_h: float, lambda_z: float | None) -> tuple[Points, str] | None:
    """Return the points from 0 to tau, tau among them, and how it got there; None when it cannot be reached."""
    inside: list[tuple[float, float]] = [point for point in points if point[0] <= tau_h]
    if inside and inside[-1][0] == tau_h:
        return inside, "" if inside[-1][1] > 0 else "tau_below_limit"
    if inside and points[-1][0] > tau_h:
        return [*inside, (tau_h, interpolated(points, tau_h))], "tau_interpolated"
    last = max((index for index, (_, c) in enumerate(inside) if c > 0), default=None)
    if last is None or lambda_z is None:
        return None
    time, conc = inside[last]
    return [*inside[: last + 1], (tau_h, conc * math.exp(-lambda_z * (tau_h - time)))], "tau_extrapolated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStateCheck(Outcome):
    """Whether steady state is accepted, and what speaks against it."""

    accepted: bool
    enough_time: bool
    trend_p: float | None = None


@method(
    "D4_steady_state_check",
    version=1,
    title="Whether steady state is reached",
    source="Gabrielsson J, Weiner D. Methods Mol Biol 2012;929:377-389; trend test: Moltrail, definition",
)
def steady_state_check(
    trough_time_h: Sequence[float], troughs: Sequence[float], half_life_h: float, alpha: float = 0.10
) -> SteadyStateCheck:
    """Accept steady state after five half-lives and three troughs without a trend.

    The trend is the slope of ln trough on time over the last three or more troughs given, two-sided t-test; a
    p-value up to `alpha` is a trend. Flags: `too_early`, `too_few_troughs`, `trend`.

    Args:
        trough_time_h: times of the troughs since the first dose, h, rising.
        troughs: trough concentrations, > 0.
        half_life_h: elimination half-life, h.
        alpha: p-value up to which a slope counts as a trend.

    Raises:
        InputError: times that do not rise, a trough or half-life that is not above 0, lists of different length.
    """
    from scipy.special import stdtr

    if half_life_h <= 0 or any(trough <= 0 for trough in troughs):
        raise InputError("troughs and half-life must be above 0", path=("troughs",))
    prepare(trough_time_h, troughs)  # the same demands on times and values
    enough_time = bool(troughs) and at_least(trough_time_h[-1], HALF_LIVES * half_life_h)
    flags = [] if enough_time else ["too_early"]
    n = len(troughs)
    if n < FEWEST_TROUGHS:
        return SteadyStateCheck(
            accepted=False,
            enough_time=enough_time,
            flags=(*flags, "too_few_troughs"),
            missing={"trend_p": Reason.TOO_FEW_POINTS},
        )
    line = fit_line(trough_time_h, [math.log(trough) for trough in troughs])
    exact = 1.0 if line.slope == 0 else 0.0
    trend_p = exact if line.slope_se == 0 else 2 * float(stdtr(n - 2, -abs(line.slope / line.slope_se)))
    flags += ["trend"] if trend_p <= alpha else []
    return SteadyStateCheck(accepted=not flags, enough_time=enough_time, trend_p=trend_p, flags=tuple(flags))
