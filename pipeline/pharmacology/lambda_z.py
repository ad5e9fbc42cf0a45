"""The terminal slope: which of the last points make it (D2)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.outcome import Outcome, Reason, method
from pipeline.pharmacology.profile import Route, prepare

FEWEST_POINTS = 3
R_SQUARED_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Regression of ln concentration on time over the last n points."""

    n_points: int
    lambda_z: float
    adj_r_squared: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSlope(Outcome):
    """All falling candidates, and the one selected. lambda_z per h."""

    candidates: tuple[Candidate, ...] = ()
    selected_n_points: int | None = None
    lambda_z: float | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """A selected terminal regression: slope per h, intercept at time 0 in ln of the concentration unit."""

    lambda_z: float
    intercept: float
    adj_r_squared: float
    n_points: int
    time_first: float

    def concentration(self, time: float) -> float:
        """Return the fitted concentration."""
        return math.exp(self.intercept - self.lambda_z * time)


def terminal_candidates(
    measured: Sequence[tuple[float, float]], include_tmax: bool, infusion_end_h: float = 0.0
) -> list[Terminal]:
    """Return the regressions over the last 3, 4, ... measurable points, falling ones only.

    The points lie after the maximum (from it on where `include_tmax`) and not before the end of an infusion.
    """
    if not measured:
        return []
    tmax = max(measured, key=lambda point: point[1])[0]
    usable = [
        (t, math.log(c)) for t, c in measured if (t > tmax or (include_tmax and t == tmax)) and t >= infusion_end_h
    ]
    return [fit for fit in _regressions(usable) if fit.lambda_z > 0]


def best_terminal(candidates: Sequence[Terminal]) -> Terminal | None:
    """Return the candidate with the largest adjusted R2; of those within 1e-4 of it, the one with most points."""
    if not candidates:
        return None
    best = max(candidate.adj_r_squared for candidate in candidates)
    close = [candidate for candidate in candidates if candidate.adj_r_squared >= best - R_SQUARED_TOLERANCE]
    return max(close, key=lambda candidate: candidate.n_points)


def _regressions(points: Sequence[tuple[float, float]]) -> Iterator[Terminal]:
    """Yield the least-squares lines through the last 3, 4, ... of the points (time, ln concentration).

    Every float is a whole multiple of a power of two, so the sums are kept as whole numbers: each point is added
    once, nothing is lost where they cancel, and only the quotients are rounded.
    """
    times, per_hour = _whole([time for time, _ in points])
    logs, per_log = _whole([log for _, log in points])
    sum_t = sum_y = sum_tt = sum_ty = sum_yy = 0
    for n, (t, y) in enumerate(zip(reversed(times), reversed(logs), strict=True), start=1):
        sum_t, sum_y = sum_t + t, sum_y + y
        sum_tt, sum_ty, sum_yy = sum_tt + t * t, sum_ty + t * y, sum_yy + y * y
        if n < FEWEST_POINTS:
            continue
        # n times the sums of squares and products about the means; the times rise, so that stt is never 0
        stt, sty, syy = n * sum_tt - sum_t**2, n * sum_ty - sum_t * sum_y, n * sum_yy - sum_y**2
        slope = sty * per_hour / (stt * per_log)
        intercept = (sum_y * stt - sty * sum_t) / (n * stt * per_log)
        r_squared = sty**2 / (stt * syy) if syy else 0.0
        adjusted = 1 - (1 - r_squared) * (n - 1) / (n - 2)
        yield Terminal(-slope, intercept, adjusted, n, points[-n][0])


def _whole(values: Sequence[float]) -> tuple[list[int], int]:
    """Return the numbers as whole multiples of 1 / scale, and the scale."""
    ratios = [value.as_integer_ratio() for value in values]
    scale = max((divisor for _, divisor in ratios), default=1)
    return [whole * (scale // divisor) for whole, divisor in ratios], scale


@method(
    "D2_lambda_z_candidates",
    version=1,
    title="lambda_z candidate regressions and the selected one",
    source="Gabrielsson J, Weiner D. Methods Mol Biol 2012;929:377-389",
    reference_inputs={"dataset": None},
)
def terminal_slope(
    time_h: Sequence[float],
    conc: Sequence[float | None],
    include_tmax_in_lambda_z: bool = False,
    lloq: float | None = None,
    infusion_duration_h: float = 0.0,
) -> TerminalSlope:
    """Regress ln concentration on time over the last 3, 4, ... points and select the terminal slope.

    Only measurable points count, after Tmax (from Tmax on for an IV bolus) and not before the end of an infusion.
    Rising regressions are left out first. Selected is the largest adjusted R2 = 1 - (1 - R2)(n - 1)/(n - 2); of those
    within 1e-4 of it, the one with the most points.

    Args:
        time_h: sampling times after the dose, h, rising.
        conc: concentrations; 0 is below the limit, null without a result.
        include_tmax_in_lambda_z: whether the maximum itself may belong to the terminal phase (IV bolus).
        lloq: lower limit of quantification, in the unit of the concentrations.
        infusion_duration_h: duration of an infusion, h.

    Returns:
        The candidates and the selection; nothing, for `too_few_points` or `no_data`, where none falls.

    Raises:
        InputError: times that do not rise, a negative concentration, lists of different length.
    """
    route = Route.IV_BOLUS if include_tmax_in_lambda_z else Route.EXTRAVASCULAR
    measured = prepare(time_h, conc, lloq=lloq, route=route).measured
    candidates = terminal_candidates(measured, include_tmax_in_lambda_z, infusion_duration_h)
    selected = best_terminal(candidates)
    if selected is None:
        return TerminalSlope(reason=Reason.TOO_FEW_POINTS if measured else Reason.NO_DATA)
    return TerminalSlope(
        candidates=tuple(
            Candidate(n_points=fit.n_points, lambda_z=fit.lambda_z, adj_r_squared=fit.adj_r_squared)
            for fit in candidates
        ),
        selected_n_points=selected.n_points,
        lambda_z=selected.lambda_z,
    )
