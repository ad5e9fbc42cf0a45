"""Conditional and predictive power at an interim look (C7)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.outcome import Outcome, method


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalPower(Outcome):
    """Probability to reject at the end, given the interim result, under three drifts and averaged over the rate."""

    conditional_power_design: float
    conditional_power_trend: float
    conditional_power_null: float
    predictive_power_flat: float


@method(
    "C7_conditional_power",
    version=1,
    title="Conditional and predictive power",
    source="Lan KKG, Wittes J. Biometrics 1988;44:579-585; "
    "Spiegelhalter DJ, Freedman LS, Blackburn PR. Control Clin Trials 1986;7:8-17",
)
def conditional_power(
    z: float, information_fraction: float, alpha_one_sided: float, drift_design: float
) -> ConditionalPower:
    """Return the chance of a significant result at the end of a trial, given its interim result.

    With B = z sqrt(t) and z_a the one-sided critical value, CP(theta) = Phi((B + theta (1 - t) - z_a) / sqrt(1 - t))
    for theta the design drift, the current trend z / sqrt(t), and 0. The predictive power averages over a flat prior.
    Which value stops for futility is a parameter of the trial; a look that may be overruled spends no alpha.

    Args:
        z: interim test statistic, positive in favour of the drug.
        information_fraction: t, between 0 and 1; for survival endpoints the fraction of the events.
        alpha_one_sided: one-sided significance level of the final test.
        drift_design: expected z at full information under the design.

    Raises:
        InputError: the fraction or alpha is not strictly between 0 and 1.
    """
    from scipy.special import ndtr, ndtri

    if not 0 < information_fraction < 1:
        raise InputError(
            f"the information fraction lies strictly between 0 and 1, got {information_fraction:g}: "
            "there is nothing to foresee before the first or after the last information",
            path=("information_fraction",),
        )
    if not 0 < alpha_one_sided < 1:
        raise InputError(f"alpha lies between 0 and 1, got {alpha_one_sided:g}", path=("alpha_one_sided",))
    critical, left = -float(ndtri(alpha_one_sided)), 1 - information_fraction
    so_far = z * math.sqrt(information_fraction)

    def power(drift: float) -> float:
        return float(ndtr((so_far + drift * left - critical) / math.sqrt(left)))

    return ConditionalPower(
        conditional_power_design=power(drift_design),
        conditional_power_trend=power(z / math.sqrt(information_fraction)),
        conditional_power_null=power(0.0),
        predictive_power_flat=float(ndtr((z - critical * math.sqrt(information_fraction)) / math.sqrt(left))),
    )
