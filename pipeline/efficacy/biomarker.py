"""Response by biomarker status: in one arm (Fisher's test) and as an interaction with treatment (C10)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.efficacy.logistic import fit_logistic
from pipeline.efficacy.response_rate import Limits, check_counts, check_level, wilson
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PATIENTS = 1_000_000
AS_LIKELY = 1 + 1e-7
"""Tables whose probabilities differ by less than this factor are equally likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerResponse(Outcome):
    """Response of marker-positive against marker-negative patients; those of unknown status stand apart."""

    fisher_p: float | None = None
    odds_ratio_conditional_mle: float | None = None
    odds_ratio_ci: Limits = (None, None)
    risk_difference: float | None = None
    newcombe_ci: tuple[float, float] | None = None
    unknown_rate: float | None = None
    unknown_ci: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerInteraction(Outcome):
    """Interaction of treatment and marker on the log odds ratio, with the treatment's odds ratio in each stratum."""

    log_or_interaction: float | None = None
    se: float | None = None
    wald_p: float | None = None
    lrt_chisq: float | None = None
    lrt_p: float | None = None
    or_marker_pos: float | None = None
    or_marker_neg: float | None = None
    fisher_p_marker_pos: float | None = None
    fisher_p_marker_neg: float | None = None


@method(
    "C10_biomarker_fisher",
    version=1,
    title="Response by marker status",
    source="Fisher RA. J R Stat Soc 1935;98:39-82; Newcombe RG. Stat Med 1998;17:873-890, method 10",
)
def marker_response(
    marker_pos_resp: int,
    marker_pos_n: int,
    marker_neg_resp: int,
    marker_neg_n: int,
    marker_unknown_resp: int = 0,
    marker_unknown_n: int = 0,
    conf_level: float = 0.95,
) -> MarkerResponse:
    """Compare the response rates of marker-positive and marker-negative patients of one arm.

    Fisher's exact p is two-sided: the sum of all tables not more likely than the observed one. The odds ratio is the
    conditional maximum-likelihood estimate with its exact limits; an infinite one is missing, for `undefined_limit`.
    The difference of the rates has Newcombe's limits. A difference in one arm shows prognosis or prediction and
    cannot tell them apart: the flag `prognosis_or_prediction` says so. Unknown status is a group of its own.

    Args:
        marker_pos_resp: marker-positive patients with a response.
        marker_pos_n: marker-positive patients.
        marker_neg_resp: marker-negative patients with a response.
        marker_neg_n: marker-negative patients.
        marker_unknown_resp: patients of unknown status with a response.
        marker_unknown_n: patients of unknown status.
        conf_level: level of the limits.

    Raises:
        InputError: a count is negative or there are more responses than patients.
    """
    check_counts(marker_pos_resp, marker_pos_n, of="marker_pos_resp")
    check_counts(marker_neg_resp, marker_neg_n, of="marker_neg_resp")
    check_counts(marker_unknown_resp, marker_unknown_n, of="marker_unknown_resp")
    _check_size(marker_pos_n, marker_neg_n)
    check_level(conf_level)
    unknown_rate = marker_unknown_resp / marker_unknown_n if marker_unknown_n else None
    unknown_ci = wilson(marker_unknown_resp, marker_unknown_n, conf_level) if marker_unknown_n else None
    unknown = {} if marker_unknown_n else dict.fromkeys(("unknown_rate", "unknown_ci"), Reason.NO_DATA)
    if not marker_pos_n or not marker_neg_n:
        return MarkerResponse(unknown_rate=unknown_rate, unknown_ci=unknown_ci, reason=Reason.NO_DATA, missing=unknown)
    table = _Table.of(marker_pos_resp, marker_pos_n, marker_neg_resp, marker_neg_n)
    odds, limits = table.odds_ratio(), table.odds_ratio_limits(conf_level)
    missing = {"odds_ratio_conditional_mle": Reason.NOT_ESTIMABLE if table.fixed else Reason.UNDEFINED_LIMIT, **unknown}
    if table.fixed:
        missing["odds_ratio_ci"] = Reason.NOT_ESTIMABLE
    elif None in limits:
        missing["odds_ratio_ci"] = Reason.UNDEFINED_LIMIT
    if odds is not None:
        del missing["odds_ratio_conditional_mle"]
    return MarkerResponse(
        fisher_p=table.fisher_p(),
        odds_ratio_conditional_mle=odds,
        odds_ratio_ci=limits,
        risk_difference=marker_pos_resp / marker_pos_n - marker_neg_resp / marker_neg_n,
        newcombe_ci=newcombe(marker_pos_resp, marker_pos_n, marker_neg_resp, marker_neg_n, conf_level),
        unknown_rate=unknown_rate,
        unknown_ci=unknown_ci,
        missing=missing,
        flags=("prognosis_or_prediction",),
    )


def newcombe(x1: int, n1: int, x2: int, n2: int, conf_level: float = 0.95) -> tuple[float, float]:
    """Return the limits of x1/n1 - x2/n2 from the Wilson limits of both rates (Newcombe's method 10)."""
    p1, p2 = x1 / n1, x2 / n2
    (low1, high1), (low2, high2) = wilson(x1, n1, conf_level), wilson(x2, n2, conf_level)
    difference = p1 - p2
    return difference - math.hypot(p1 - low1, high2 - p2), difference + math.hypot(high1 - p1, p2 - low2)


@dataclass(frozen=True, slots=True)
class _Table:
    """A 2 x 2 table seen from its margins: the first cell, and the log weights of all values it could have."""

    cell: int
    values: NDArray[np.float64]
    log_weights: NDArray[np.float64]

    @classmethod
    def of(cls, x1: int, n1: int, x2: int, n2: int) -> _Table:
        import numpy as np
        from scipy.special import gammaln

        values = np.arange(max(0, x1 + x2 - n2), min(n1, x1 + x2) + 1, dtype=float)
        others = x1 + x2 - values
        log = -(gammaln(values + 1) + gammaln(n1 - values + 1) + gammaln(others + 1) + gammaln(n2 - others + 1))
        return cls(x1, values, log)

    @property
    def fixed(self) -> bool:
        """Whether the margins leave only one table, so that it says nothing."""
        return self.values.size == 1

    def probabilities(self, log_odds: float = 0.0) -> NDArray[np.float64]:
        import numpy as np

        log = self.log_weights + log_odds * self.values
        weights: NDArray[np.float64] = np.exp(log - log.max())
        return weights / float(weights.sum())

    def fisher_p(self) -> float:
        p = self.probabilities()
        observed = p[int(self.cell - self.values[0])]
        return min(float(p[p <= observed * AS_LIKELY].sum()), 1.0)

    def odds_ratio(self) -> float | None:
        """Return the odds ratio whose expected cell is the observed one; None when it is infinite or anything."""
        if self.fixed or self.cell == self.values[-1]:
            return None
        if self.cell == self.values[0]:
            return 0.0
        return math.exp(self._solve(lambda p: float(p @ self.values) - self.cell))

    def odds_ratio_limits(self, conf_level: float) -> Limits:
        """Return the exact limits; 0 below when the cell is the smallest possible, None above when the largest."""
        tail = (1 - conf_level) / 2
        if self.fixed:
            return None, None
        at_least, at_most = self.values >= self.cell, self.values <= self.cell
        lower = upper = None
        if self.cell > self.values[0]:
            lower = math.exp(self._solve(lambda p: float(p[at_least].sum()) - tail))
        if self.cell < self.values[-1]:
            upper = math.exp(self._solve(lambda p: tail - float(p[at_most].sum())))
        return 0.0 if lower is None else lower, upper

    def _solve(self, rising: Callable[[NDArray[np.float64]], float]) -> float:
        """Return the log odds ratio at which a function of the probabilities, rising in it, is 0."""
        from scipy.optimize import brentq

        reach = 1.0
        while rising(self.probabilities(-reach)) > 0 or rising(self.probabilities(reach)) < 0:
            reach *= 2
        return float(brentq(lambda odds: rising(self.probabilities(odds)), -reach, reach, xtol=1e-12))


@method(
    "C10_biomarker_interaction",
    version=1,
    title="Treatment by marker interaction",
    source="Polley MC et al. J Natl Cancer Inst 2013;105:1677-1683",
)
def marker_interaction(
    pos_trt_resp: int,
    pos_trt_n: int,
    pos_ctl_resp: int,
    pos_ctl_n: int,
    neg_trt_resp: int,
    neg_trt_n: int,
    neg_ctl_resp: int,
    neg_ctl_n: int,
) -> MarkerInteraction:
    """Test in two arms whether the marker predicts the effect of treatment on response.

    Logistic model logit p = arm + marker + arm x marker. The interaction is the difference of the log odds ratios of
    the strata; Wald p from its standard error, likelihood-ratio p against the model without it. Where a cell is empty
    (nobody, or everybody, responds) these are missing, for `not_estimable`; Fisher's exact p of each stratum stands.

    Args:
        pos_trt_resp: marker-positive, treated, with a response.
        pos_trt_n: marker-positive, treated.
        pos_ctl_resp: marker-positive, control, with a response.
        pos_ctl_n: marker-positive, control.
        neg_trt_resp: marker-negative, treated, with a response.
        neg_trt_n: marker-negative, treated.
        neg_ctl_resp: marker-negative, control, with a response.
        neg_ctl_n: marker-negative, control.

    Raises:
        InputError: a count is negative or there are more responses than patients.
    """
    import numpy as np
    from scipy.special import chdtrc, ndtr

    positive = (pos_trt_resp, pos_trt_n, pos_ctl_resp, pos_ctl_n)
    negative = (neg_trt_resp, neg_trt_n, neg_ctl_resp, neg_ctl_n)
    for name, x, n in (
        ("pos_trt_resp", pos_trt_resp, pos_trt_n),
        ("pos_ctl_resp", pos_ctl_resp, pos_ctl_n),
        ("neg_trt_resp", neg_trt_resp, neg_trt_n),
        ("neg_ctl_resp", neg_ctl_resp, neg_ctl_n),
    ):
        check_counts(x, n, of=name)
    _check_size(*positive[1::2], *negative[1::2])
    ratios = [_sample_log_odds_ratio(*stratum) for stratum in (positive, negative)]
    exact = [_Table.of(*stratum).fisher_p() if stratum[1] and stratum[3] else None for stratum in (positive, negative)]
    strata = {
        "or_marker_pos": None if ratios[0] is None else math.exp(ratios[0][0]),
        "or_marker_neg": None if ratios[1] is None else math.exp(ratios[1][0]),
    }
    why = Reason.NOT_ESTIMABLE if all((*positive[1::2], *negative[1::2])) else Reason.NO_DATA
    if ratios[0] is None or ratios[1] is None:
        names = ("log_or_interaction", "se", "wald_p", "lrt_chisq", "lrt_p")
        return MarkerInteraction(
            or_marker_pos=strata["or_marker_pos"],
            or_marker_neg=strata["or_marker_neg"],
            fisher_p_marker_pos=exact[0],
            fisher_p_marker_neg=exact[1],
            missing=dict.fromkeys((*names, *(name for name, value in strata.items() if value is None)), why),
        )
    difference = ratios[0][0] - ratios[1][0]
    se = math.sqrt(ratios[0][1] + ratios[1][1])
    events = np.array([*positive[::2], *negative[::2]], dtype=float)
    trials = np.array([*positive[1::2], *negative[1::2]], dtype=float)
    without = fit_logistic(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0], [1, 0, 0]], dtype=float), events, trials)
    saturated = float(np.sum(events * np.log(events / trials) + (trials - events) * np.log(1 - events / trials)))
    chisq = None if without is None else max(2 * (saturated - without.log_likelihood), 0.0)
    return MarkerInteraction(
        log_or_interaction=difference,
        se=se,
        wald_p=2 * float(ndtr(-abs(difference) / se)),
        lrt_chisq=chisq,
        lrt_p=None if chisq is None else float(chdtrc(1, chisq)),
        or_marker_pos=strata["or_marker_pos"],
        or_marker_neg=strata["or_marker_neg"],
        fisher_p_marker_pos=exact[0],
        fisher_p_marker_neg=exact[1],
        missing={} if chisq is not None else dict.fromkeys(("lrt_chisq", "lrt_p"), Reason.NOT_ESTIMABLE),
    )


def _check_size(*patients: int) -> None:
    if sum(patients) > MOST_PATIENTS:
        raise InputError(f"exact tests are made of at most {MOST_PATIENTS} patients, got {sum(patients)}")


def _sample_log_odds_ratio(x1: int, n1: int, x2: int, n2: int) -> tuple[float, float] | None:
    """Return the log odds ratio of a table and its variance; None when a cell is empty."""
    cells = (x1, n1 - x1, x2, n2 - x2)
    if 0 in cells:
        return None
    return math.log(cells[0] * cells[3] / (cells[1] * cells[2])), sum(1 / cell for cell in cells)
