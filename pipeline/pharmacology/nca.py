"""Non-compartmental analysis of one profile (D1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.pharmacology.area import area, linear_area, moment_area
from pipeline.pharmacology.lambda_z import Terminal, best_terminal, terminal_candidates
from pipeline.pharmacology.profile import CARRY_OVER_FRACTION, BelowLimit, Profile, Route, prepare
from pipeline.rounding import above, below

LOW_ADJ_R_SQUARED = 0.80
SHORT_SPAN = 2.0
LARGE_EXTRAPOLATION_PCT = 20.0

TERMINAL = ("lambda_z", "lambda_z_n_points", "lambda_z_time_first", "adj_r_squared", "half_life", "span_ratio")
FROM_ZERO = ("auc_last", "auc_last_linear", "auc_all", "aumc_last")
TO_INFINITY = ("auc_inf_obs", "auc_inf_pred", "auc_pct_extrap_obs", "aumc_inf_obs", "mrt_inf_obs")
CLEARANCE = ("cl_or_cl_f", "vz_or_vz_f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure(Outcome):
    """Parameters of one profile, in the units of its times (h), concentrations and dose.

    Attributes:
        cmax: largest concentration; tmax the first time of it.
        clast: last measurable concentration, at tlast; clast_pred is its fitted value.
        c0: concentration at the end of an IV bolus.
        lambda_z: terminal slope, 1/h, over n points from time_first on; half_life in h.
        span_ratio: length of the terminal phase in half-lives.
        auc_last: area to tlast, linear up, logarithmic down; auc_last_linear with linear pieces only; auc_all adds
            the triangle to the first sample below the limit after tlast. Concentration x h.
        auc_inf_obs: area to infinity from the observed clast; auc_inf_pred from the fitted one.
        auc_pct_extrap_obs: share of auc_inf_obs beyond tlast, %.
        aumc_last: area under concentration x time to tlast; aumc_inf_obs to infinity. Concentration x h x h.
        mrt_inf_obs: mean residence time, h, with half an infusion taken off.
        cl_or_cl_f: clearance, dose unit per concentration unit per h; over bioavailability when extravascular.
        vz_or_vz_f: volume of the terminal phase, dose unit per concentration unit.
    """

    cmax: float | None = None
    tmax: float | None = None
    clast: float | None = None
    tlast: float | None = None
    c0: float | None = None
    lambda_z: float | None = None
    lambda_z_n_points: int | None = None
    lambda_z_time_first: float | None = None
    adj_r_squared: float | None = None
    half_life: float | None = None
    span_ratio: float | None = None
    clast_pred: float | None = None
    auc_last: float | None = None
    auc_last_linear: float | None = None
    auc_all: float | None = None
    auc_inf_obs: float | None = None
    auc_inf_pred: float | None = None
    auc_pct_extrap_obs: float | None = None
    aumc_last: float | None = None
    aumc_inf_obs: float | None = None
    mrt_inf_obs: float | None = None
    cl_or_cl_f: float | None = None
    vz_or_vz_f: float | None = None


@method(
    "D1_nca",
    version=1,
    title="Non-compartmental analysis",
    source="Gabrielsson J, Weiner D. Methods Mol Biol 2012;929:377-389",
    reference_inputs={"dataset": None, "lambda_z_rule": None, "blq_rule": None},
)
def non_compartmental(
    time_h: Sequence[float],
    conc: Sequence[float | None],
    dose: float | None = None,
    route: Route = Route.EXTRAVASCULAR,
    infusion_duration_h: float = 0.0,
    lloq: float | None = None,
    include_tmax_in_lambda_z: bool | None = None,
    below_limit: BelowLimit = BelowLimit.DEFAULT,
    zero_at_dose: bool = False,
    first_period: bool = True,
    lambda_z_n_points: int | None = None,
    auc_method: Literal["lin-up/log-down"] = "lin-up/log-down",
) -> Exposure:
    """Compute the exposure parameters of one profile after one dose.

    Areas are linear when the concentration rises, stays, or touches 0, and logarithmic when it falls, also before
    Tmax. An area from time 0 exists only when the profile has a value there: a sample, a sample before the dose, C0
    of an IV bolus, or 0 where `zero_at_dose` allows it; else the areas are missing, for `no_data`. The terminal slope
    is selected as in D2, or taken over the last `lambda_z_n_points`, flagged `lambda_z_manual`. With fewer than 3
    terminal points everything that needs the slope is missing, for `too_few_points`.

    Flags: `low_adj_r_squared` (< 0.80), `short_span` (< 2 half-lives), `large_extrapolation` (> 20 %),
    `carry_over` (a value at the first dose above 5 % of Cmax), and what `prepare` did to the samples.

    Args:
        time_h: actual sampling times after the dose, h, rising; before the dose negative.
        conc: concentrations in one unit; 0 is below the limit, null without a result.
        dose: dose, in one mass unit; null leaves clearance and volume out.
        route: extravascular, iv_bolus or iv_infusion.
        infusion_duration_h: duration of an infusion, h.
        lloq: lower limit of quantification; smaller values count as below it.
        include_tmax_in_lambda_z: whether the maximum may belong to the terminal phase; null: for an IV bolus only.
        below_limit: what becomes of values below the limit.
        zero_at_dose: take 0 at time 0 when nothing was measured there (a first dose).
        first_period: whether nothing should be there before the dose.
        lambda_z_n_points: use the last so many terminal points instead of selecting.
        auc_method: how the pieces of the area are taken.

    Raises:
        InputError: times that do not rise, negative values, lists of different length, an infusion without duration.
    """
    if dose is not None and dose < 0:
        raise InputError(f"a dose cannot be negative, got {dose:g}", path=("dose",))
    if infusion_duration_h < 0 or (route is Route.IV_INFUSION and infusion_duration_h == 0):
        raise InputError(
            f"an infusion lasts longer than 0 h, got {infusion_duration_h:g}", path=("infusion_duration_h",)
        )
    infusion_h = infusion_duration_h if route is Route.IV_INFUSION else 0.0
    profile = prepare(time_h, conc, lloq=lloq, route=route, below_limit=below_limit, zero_at_dose=zero_at_dose)
    if not profile.measured:
        return Exposure(reason=Reason.NO_DATA, flags=profile.flags)
    include_tmax = route is Route.IV_BOLUS if include_tmax_in_lambda_z is None else include_tmax_in_lambda_z
    candidates = terminal_candidates(profile.measured, include_tmax, infusion_h)
    terminal = best_terminal(candidates)
    if lambda_z_n_points is not None:
        terminal = next((fit for fit in candidates if fit.n_points == lambda_z_n_points), None)
    return _parameters(profile, terminal, dose, infusion_h, first_period, manual=lambda_z_n_points is not None)


def _parameters(
    profile: Profile,
    terminal: Terminal | None,
    dose: float | None,
    infusion_h: float,
    first_period: bool,
    *,
    manual: bool,
) -> Exposure:
    tmax, cmax = max(profile.measured, key=lambda point: point[1])
    tlast, clast = profile.measured[-1]
    missing: dict[str, Reason] = {} if profile.c0 is not None else {"c0": Reason.OUTSIDE_DOMAIN}
    values: dict[str, float] = {"cmax": cmax, "tmax": tmax, "clast": clast, "tlast": tlast}
    flags = [*profile.flags, *(["lambda_z_manual"] if manual else [])]
    first_time, first_conc = profile.measured[0]
    if first_period and profile.c0 is None and first_time == 0 and above(first_conc, CARRY_OVER_FRACTION * cmax):
        flags.append("carry_over")
    if profile.from_dose and tlast > 0:
        kept = [point for point in profile.points if point[0] <= tlast]
        after = next((t for t, _ in profile.points if t > tlast), tlast)
        values |= {"auc_last": area(kept), "auc_last_linear": linear_area(kept), "aumc_last": moment_area(kept)}
        values["auc_all"] = values["auc_last"] + clast * (after - tlast) / 2
    else:
        missing |= dict.fromkeys(FROM_ZERO, Reason.NO_DATA)
    if terminal is None:
        missing |= dict.fromkeys((*TERMINAL, "clast_pred", *TO_INFINITY, *CLEARANCE), Reason.TOO_FEW_POINTS)
        return _exposure(profile, None, values, missing, flags)
    half_life = math.log(2) / terminal.lambda_z
    span = (tlast - terminal.time_first) / half_life
    values |= {"lambda_z": terminal.lambda_z, "lambda_z_time_first": terminal.time_first, "half_life": half_life}
    values |= {"adj_r_squared": terminal.adj_r_squared, "span_ratio": span, "clast_pred": terminal.concentration(tlast)}
    flags += ["low_adj_r_squared"] if below(terminal.adj_r_squared, LOW_ADJ_R_SQUARED) else []
    flags += ["short_span"] if below(span, SHORT_SPAN) else []
    if "auc_last" not in values:
        missing |= dict.fromkeys((*TO_INFINITY, *CLEARANCE), Reason.NO_DATA)
        return _exposure(profile, terminal.n_points, values, missing, flags)
    lz, auc = terminal.lambda_z, values["auc_last"]
    auc_inf = auc + clast / lz
    aumc_inf = values["aumc_last"] + tlast * clast / lz + clast / lz**2
    extrapolated = 100 * (auc_inf - auc) / auc_inf
    values |= {"auc_inf_obs": auc_inf, "auc_inf_pred": auc + values["clast_pred"] / lz}
    values |= {"auc_pct_extrap_obs": extrapolated, "aumc_inf_obs": aumc_inf}
    values["mrt_inf_obs"] = aumc_inf / auc_inf - infusion_h / 2
    flags += ["large_extrapolation"] if above(extrapolated, LARGE_EXTRAPOLATION_PCT) else []
    if dose:
        values |= {"cl_or_cl_f": dose / auc_inf, "vz_or_vz_f": dose / auc_inf / lz}
    else:
        missing |= dict.fromkeys(CLEARANCE, Reason.NO_DATA)
    return _exposure(profile, terminal.n_points, values, missing, flags)


def _exposure(
    profile: Profile, n_points: int | None, values: dict[str, float], missing: dict[str, Reason], flags: list[str]
) -> Exposure:
    return Exposure(
        **values,  # type: ignore[arg-type]
        c0=profile.c0,
        lambda_z_n_points=n_points,
        missing=missing,
        flags=tuple(flags),
    )
