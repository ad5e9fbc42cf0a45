"""Non-compartmental analysis of many profiles at once: D1 over a padded matrix, equal to the single profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.area import FAR_APART, NEARLY_FLAT
from pipeline.pharmacology.lambda_z import FEWEST_POINTS, R_SQUARED_TOLERANCE
from pipeline.pharmacology.nca import LARGE_EXTRAPOLATION_PCT, LOW_ADJ_R_SQUARED, SHORT_SPAN
from pipeline.pharmacology.profile import CARRY_OVER_FRACTION, BelowLimit, Route
from pipeline.pharmacology.sample_matrix import (
    Samples,
    check_samples,
    refuse_rows,
    settle_below_limit,
    settle_dose_time,
    settle_pre_dose,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ExposureTable:
    """Parameters of n profiles by name, as `pipeline.pharmacology.nca.Exposure` defines them.

    Attributes:
        values: name -> (n,) masked array; a masked entry has no value.
        flags: flag -> (n,), which profiles carry it.
        reasons: (n,), why a profile has no or not all values; None where it has all of its route.
    """

    values: Mapping[str, np.ma.MaskedArray[tuple[int, ...], np.dtype[np.float64]]]
    flags: Mapping[str, Bools]
    reasons: tuple[Reason | None, ...]

    def __len__(self) -> int:
        return len(self.reasons)

    def row(self, index: int) -> dict[str, float | None]:
        """Return the values of one profile; None stands for a missing one."""
        import numpy as np

        found = {name: column[index] for name, column in self.values.items()}
        return {name: None if value is np.ma.masked else float(value) for name, value in found.items()}

    def flags_of(self, index: int) -> tuple[str, ...]:
        """Return the flags of one profile, by name."""
        return tuple(sorted(flag for flag, carried in self.flags.items() if carried[index]))


def exposure_table(
    time_h: ArrayLike,
    conc: ArrayLike,
    dose: ArrayLike | None = None,
    route: Route | Sequence[Route] = Route.EXTRAVASCULAR,
    infusion_duration_h: ArrayLike = 0.0,
    *,
    lloq: float | None = None,
    below_limit: BelowLimit = BelowLimit.DEFAULT,
    zero_at_dose: bool = False,
    first_period: bool = True,
) -> ExposureTable:
    """Compute the exposure parameters of many profiles.

    Args:
        time_h: (n, m), sampling times after the dose, h, rising within a row; NaN pads short profiles.
        conc: (n, m), concentrations; 0 is below the limit, NaN without a result.
        dose: (n,) or one, in one mass unit; None or NaN leaves clearance and volume out.
        route: route of all, or (n,) of each.
        infusion_duration_h: (n,) or one, h; used for infusions.
        lloq: lower limit of quantification; smaller values count as below it.
        below_limit: what becomes of values below the limit.
        zero_at_dose: take 0 at time 0 when nothing was measured there.
        first_period: whether nothing should be there before the dose.

    Raises:
        InputError: shapes that do not fit, times that do not rise, negative or infinite values; it names the row.
    """
    import numpy as np

    time, values = np.array(time_h, dtype=float), np.array(conc, dtype=float)
    if time.ndim != 2 or time.shape != values.shape:
        raise InputError(
            f"times and concentrations must be matrices of one shape, got {time.shape} and {values.shape}",
            path=("conc",),
        )
    if not time.shape[1]:
        time = values = np.full((time.shape[0], 1), np.nan)
    rows = time.shape[0]
    routes = np.full(rows, route) if isinstance(route, Route) else np.array(list(route), dtype=object)
    if routes.shape != (rows,):
        raise InputError(f"every profile needs a route: {rows} and {len(routes)}", path=("route",))
    bolus: Bools = np.equal(routes, Route.IV_BOLUS).astype(bool)
    infused: Bools = np.equal(routes, Route.IV_INFUSION).astype(bool)
    doses = np.broadcast_to(np.asarray(np.nan if dose is None else dose, dtype=float), rows)
    infusion_h = np.where(infused, np.broadcast_to(np.asarray(infusion_duration_h, dtype=float), rows), 0.0)
    refuse_rows(
        ~(doses >= 0) & ~np.isnan(doses) | np.isinf(doses), "has a dose that is not a finite number >= 0", "dose"
    )
    lasts = (infusion_h > 0) & np.isfinite(infusion_h)
    refuse_rows(infused & ~lasts, "is an infusion without a duration above 0 h", "infusion_duration_h")
    held = ~np.isnan(time) & ~np.isnan(values)
    samples = Samples(np.where(held, time, 0.0), np.where(held, values, 0.0), held, held)
    samples.keep(held)
    check_samples(samples)
    samples.conc[samples.conc < (lloq or 0.0)] = 0.0
    flags = {"pre_dose_at_zero": settle_pre_dose(samples, bolus)}
    samples.measured = samples.held & (samples.conc > 0)
    c0, flags["c0_extrapolated"], flags["zero_at_dose"] = settle_dose_time(samples, bolus, zero_at_dose)
    settle_below_limit(samples, below_limit)
    return _table(samples, doses, bolus, infusion_h, c0, flags, first_period)


def _table(
    samples: Samples,
    doses: Floats,
    bolus: Bools,
    infusion_h: Floats,
    c0: Floats,
    flags: dict[str, Bools],
    first_period: bool,
) -> ExposureTable:
    import numpy as np

    rows, width = samples.time.shape
    place = np.arange(rows)
    some = samples.measured.any(axis=1)
    top = np.where(samples.measured, samples.conc, -1.0).argmax(axis=1)
    last = width - 1 - samples.measured[:, ::-1].argmax(axis=1)
    tmax, cmax = samples.time[place, top], samples.conc[place, top]
    tlast, clast = samples.time[place, last], samples.conc[place, last]
    from_dose = some & samples.held[:, 0] & (samples.time[:, 0] <= 0) & (tlast > 0)
    auc, linear, aumc = _areas(samples, last)
    after = np.minimum(last + 1, width - 1)
    beyond = np.where((after > last) & samples.held[place, after], samples.time[place, after] - tlast, 0.0)
    slope = _slopes(samples, tmax, tlast, clast, bolus, infusion_h)
    chosen = some & slope.found
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        lz = slope.lambda_z
        half_life = np.log(2) / lz
        span = (tlast - slope.time_first) / half_life
        clast_pred = clast * slope.fitted_over_last
        auc_inf = auc + clast / lz
        aumc_inf = aumc + tlast * clast / lz + clast / lz**2
        extrapolated = 100 * (auc_inf - auc) / auc_inf
        columns = {
            "cmax": (cmax, some),
            "tmax": (tmax, some),
            "clast": (clast, some),
            "tlast": (tlast, some),
            "c0": (c0, some & bolus),
            "lambda_z": (lz, chosen),
            "lambda_z_n_points": (slope.n_points, chosen),
            "lambda_z_time_first": (slope.time_first, chosen),
            "adj_r_squared": (slope.adj_r_squared, chosen),
            "half_life": (half_life, chosen),
            "span_ratio": (span, chosen),
            "clast_pred": (clast_pred, chosen),
            "auc_last": (auc, from_dose),
            "auc_last_linear": (linear, from_dose),
            "auc_all": (auc + clast * beyond / 2, from_dose),
            "auc_inf_obs": (auc_inf, chosen & from_dose),
            "auc_inf_pred": (auc + clast_pred / lz, chosen & from_dose),
            "auc_pct_extrap_obs": (extrapolated, chosen & from_dose),
            "aumc_last": (aumc, from_dose),
            "aumc_inf_obs": (aumc_inf, chosen & from_dose),
            "mrt_inf_obs": (aumc_inf / auc_inf - infusion_h / 2, chosen & from_dose),
            "cl_or_cl_f": (doses / auc_inf, chosen & from_dose & (doses > 0)),
            "vz_or_vz_f": (doses / auc_inf / lz, chosen & from_dose & (doses > 0)),
        }
    flags["low_adj_r_squared"] = chosen & (np.round(slope.adj_r_squared, 12) < LOW_ADJ_R_SQUARED)
    flags["short_span"] = chosen & (np.round(span, 11) < SHORT_SPAN)
    flags["large_extrapolation"] = chosen & from_dose & (np.round(extrapolated, 10) > LARGE_EXTRAPOLATION_PCT)
    at_dose = samples.measured[:, 0] & (samples.time[:, 0] == 0)
    left_over = np.round(samples.conc[:, 0] / np.where(some, cmax, 1.0), 13) > CARRY_OVER_FRACTION
    flags["carry_over"] = at_dose & first_period & ~bolus & left_over
    why = np.where(~some | ~from_dose, 1, np.where(~chosen, 2, 0))
    return ExposureTable(
        {
            name: np.ma.MaskedArray(np.where(known, column, 0.0), mask=~(known & np.isfinite(column)))
            for name, (column, known) in columns.items()
        },
        {flag: carried for flag, carried in flags.items() if carried.any()},
        tuple((None, Reason.NO_DATA, Reason.TOO_FEW_POINTS)[code] for code in why.tolist()),
    )


def _areas(samples: Samples, last: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Return the area to the last measurable sample, the all-linear one, and the moment."""
    import numpy as np

    inside = samples.held[:, 1:] & samples.held[:, :-1] & (np.arange(1, samples.time.shape[1]) <= last[:, None])
    t1, c1, c2 = samples.time[:, :-1], samples.conc[:, :-1], samples.conc[:, 1:]
    width = np.where(inside, samples.time[:, 1:] - t1, 0.0)
    linear = width * (c1 + c2) / 2
    falls = inside & (c2 > 0) & (c2 < c1)
    top, low = np.where(falls, c1, 2.0), np.where(falls, c2, 1.0)
    near = top < FAR_APART * low
    x = np.where(near, np.log1p((top - low) / np.where(near, low, 1.0)), np.log(top) - np.log(low))
    flat = np.minimum(x, NEARLY_FLAT)
    series = 1 / 2 - flat * (1 / 3 - flat * (1 / 8 - flat * (1 / 30 - flat * (1 / 144 - flat / 840))))
    moment = np.where(x < NEARLY_FLAT, series, (1 - (1 + x) * np.exp(-x)) / x**2)
    area = np.where(falls, (top - low) * width / x, linear)
    aumc = np.where(falls, t1 * area + c1 * width**2 * moment, width * (t1 * c1 + samples.time[:, 1:] * c2) / 2)
    return area.sum(axis=1), linear.sum(axis=1), aumc.sum(axis=1)


@dataclass(frozen=True, slots=True)
class _Slopes:
    """The selected terminal slopes of n profiles; what was not found holds numbers without a meaning."""

    found: Bools
    lambda_z: Floats
    adj_r_squared: Floats
    n_points: Floats
    time_first: Floats
    fitted_over_last: Floats


def _slopes(samples: Samples, tmax: Floats, tlast: Floats, clast: Floats, bolus: Bools, infusion_h: Floats) -> _Slopes:
    """Regress over the last 3, 4, ... points of every profile at once, by sums that run from the last point back."""
    import numpy as np

    rows, width = samples.time.shape
    after_top = (samples.time > tmax[:, None]) | (bolus[:, None] & (samples.time == tmax[:, None]))
    usable = samples.measured & after_top & (samples.time >= infusion_h[:, None])
    backwards = Samples(samples.time[:, ::-1], samples.conc[:, ::-1], usable[:, ::-1], usable[:, ::-1])
    backwards.keep(backwards.held)
    held = backwards.held
    # both axes are shifted to the last point, so that the sums stay small and keep their digits
    x = np.where(held, backwards.time - tlast[:, None], 0.0)
    y = np.where(
        held, np.log(np.where(held, backwards.conc, 1.0)) - np.log(np.where(clast > 0, clast, 1.0))[:, None], 0
    )
    n = np.arange(1.0, width + 1)
    sum_x, sum_y = np.cumsum(x, axis=1), np.cumsum(y, axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        sxx = np.cumsum(x * x, axis=1) - sum_x**2 / n
        sxy = np.cumsum(x * y, axis=1) - sum_x * sum_y / n
        syy = np.cumsum(y * y, axis=1) - sum_y**2 / n
        slope = sxy / sxx
        adjusted = 1 - (1 - slope * sxy / syy) * (n - 1) / (n - 2)
    enough = (n >= FEWEST_POINTS) & held
    adjusted = np.where(enough & (slope < 0) & np.isfinite(adjusted), adjusted, -np.inf)
    best = adjusted.max(axis=1)
    close = (adjusted >= best[:, None] - R_SQUARED_TOLERANCE) & np.isfinite(adjusted)
    chosen = width - 1 - close[:, ::-1].argmax(axis=1)
    place = np.arange(rows)
    count, slope_of = n[chosen], slope[place, chosen]
    with np.errstate(over="ignore", invalid="ignore"):
        fitted = np.exp((sum_y[place, chosen] - slope_of * sum_x[place, chosen]) / count)
    return _Slopes(np.isfinite(best), -slope_of, adjusted[place, chosen], count, backwards.time[place, chosen], fitted)
