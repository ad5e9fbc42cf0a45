"""Exposure against response by logistic regression (D7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.efficacy.logistic import fit_logistic
from pipeline.efficacy.response_rate import check_level, normal_quantile
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

FARTHEST = 1e6
"""How many spreads of the exposures away a prediction may lie; farther on it is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureResponse(Outcome):
    """A logistic model of an event on exposure; limits are set on the logit scale.

    `exposure_at_p30` is the exposure at `target_probability`, 30 % unless told otherwise.
    """

    intercept: float | None = None
    slope: float | None = None
    slope_se: float | None = None
    slope_p: float | None = None
    prob_at: tuple[float, ...] | None = None
    ci95_lower: tuple[float, ...] | None = None
    ci95_upper: tuple[float, ...] | None = None
    exposure_at_p30: float | None = None


@method(
    "D7_exposure_response",
    version=1,
    title="Logistic exposure-response",
    source="Overgaard RV et al. CPT Pharmacometrics Syst Pharmacol 2015;4:565-575",
)
def exposure_response(
    exposure: Sequence[float | None],
    event: Sequence[int | None],
    predict_at: Sequence[float] = (),
    target_probability: float = 0.3,
    conf_level: float = 0.95,
) -> ExposureResponse:
    """Fit logit P(event) = a + b * exposure.

    Exposure may be given as its logarithm; that has to be said beside the result. When exposure separates those with
    from those without the event, or there is no variation, nothing can be estimated, for `not_estimable`. Dose and
    health confound this relation as a rule: the flag `association` says that it is no proof of effect. A subject
    without an exposure or without an answer is left out (flag `incomplete_left_out`).

    Args:
        exposure: exposure of each subject, one unit, or its logarithm; null where it was not measured.
        event: 1 for an event, 0 for none, null where it is not known.
        predict_at: exposures at which the probability is wanted, in the same unit.
        target_probability: probability whose exposure is wanted.
        conf_level: level of the limits of the probabilities.

    Raises:
        InputError: lists of different length, events other than 0 and 1, a probability outside 0 to 1.
    """
    import numpy as np
    from scipy.special import expit, ndtr

    if len(exposure) != len(event):
        raise InputError(f"every exposure needs an event: {len(exposure)} and {len(event)}", path=("event",))
    if any(value not in (0, 1, None) for value in event):
        raise InputError("an event is 1 or 0", path=("event",))
    if not 0 < target_probability < 1:
        raise InputError(
            f"a probability lies between 0 and 1, got {target_probability:g}", path=("target_probability",)
        )
    check_level(conf_level)
    subjects = [(x, y) for x, y in zip(exposure, event, strict=True) if x is not None and y is not None]
    left_out = ("incomplete_left_out",) if len(subjects) < len(exposure) else ()
    if not subjects:
        return ExposureResponse(reason=Reason.NO_DATA, flags=left_out)
    if _separated(subjects):
        return ExposureResponse(reason=Reason.NOT_ESTIMABLE, flags=("separated", *left_out))
    x, events = np.asarray(subjects, dtype=float).T
    with np.errstate(over="ignore", under="ignore"):
        # centred and scaled, so that the fit does not depend on the unit; the coefficients are put back below
        centre = float(np.mean(x / x.size) * x.size)
        spread = float(np.abs(x - centre).max())
        scaled = (x - centre) / spread if 0 < spread < math.inf else np.zeros(x.size)
        design = np.column_stack([np.ones(x.size), scaled])
        # events and others overlap, so the maximum is finite however steep the slope
        fit = fit_logistic(design, events, np.ones(x.size), largest_predictor=math.inf)
        if fit is None:
            return ExposureResponse(reason=Reason.NOT_ESTIMABLE, flags=left_out)
        a, b = (float(value) for value in fit.coefficients)
        slope, error = b / spread, math.sqrt(float(fit.covariance[1, 1])) / spread
        at = np.clip((np.asarray(predict_at, dtype=float) - centre) / spread, -FARTHEST, FARTHEST)
        where = np.column_stack([np.ones(at.size), at])
        logit = where @ fit.coefficients
        half = normal_quantile(conf_level) * np.sqrt(np.einsum("ij,jk,ik->i", where, fit.covariance, where))
    wanted = None
    if b != 0:
        wanted = centre + spread * (math.log(target_probability / (1 - target_probability)) - a) / b
    return ExposureResponse(
        intercept=a - b * centre / spread,
        slope=slope,
        slope_se=error,
        slope_p=2 * float(ndtr(-abs(b) / math.sqrt(float(fit.covariance[1, 1])))),
        prob_at=tuple(expit(logit).tolist()),
        ci95_lower=tuple(expit(logit - half).tolist()),
        ci95_upper=tuple(expit(logit + half).tolist()),
        exposure_at_p30=wanted,
        flags=("association", *left_out),
        missing={} if wanted is not None else {"exposure_at_p30": Reason.NOT_ESTIMABLE},
    )


def _separated(subjects: Sequence[tuple[float, int]]) -> bool:
    """Return whether a limit of exposure divides events from non-events, so that the slope has no maximum."""
    with_event = [x for x, y in subjects if y == 1]
    without = [x for x, y in subjects if y == 0]
    if not with_event or not without:
        return True
    return max(without) <= min(with_event) or max(with_event) <= min(without)
