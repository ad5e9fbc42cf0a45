"""Two survival curves compared: log-rank test and hazard ratio (C9)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.efficacy.response_rate import check_level, normal_quantile
from pipeline.efficacy.survival import check_times, number_at_risk
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoGroupSurvival(Outcome):
    """Log-rank test and hazard ratios of the other group against the reference group.

    `observed` and `expected` events are in the order of the groups' names.
    """

    chisq: float | None = None
    p_value: float | None = None
    observed: tuple[int, ...] = ()
    expected: tuple[float, ...] = ()
    hr_efron: float | None = None
    hr_efron_ci: tuple[float | None, float | None] = (None, None)
    hr_breslow: float | None = None


@method(
    "C9_logrank_cox",
    version=1,
    title="Log-rank test and hazard ratio",
    source="Mantel N. Cancer Chemother Rep 1966;50:163-170; Cox DR. J R Stat Soc B 1972;34:187-220; "
    "Efron B. J Am Stat Assoc 1977;72:557-565",
    reference_inputs={"dataset": None},
)
def compare_survival(
    time: Sequence[float],
    event: Sequence[int],
    group: Sequence[int | str],
    reference_group: int | str = 0,
    conf_level: float = 0.95,
) -> TwoGroupSurvival:
    """Compare the survival of two groups.

    The log-rank statistic has the hypergeometric variance and one degree of freedom. The hazard ratio is that of a
    Cox model with the group as its only covariate, ties after Efron (the one to print, with Wald limits) and after
    Breslow. It is missing, for `not_estimable`, when its likelihood has no maximum: no events in one group, or one
    group's events all happen when nobody or everybody at risk belongs to it.

    Args:
        time: times to the event or to the end of observation, in one unit, >= 0.
        event: 1 for an event, 0 for a censoring.
        group: group of each subject; two names in all.
        reference_group: the group the other one is compared with.
        conf_level: level of the limits of the hazard ratio.

    Raises:
        InputError: lists of different length, negative times, events other than 0 and 1, or not two groups one of
            which is the reference.
    """
    import numpy as np
    from scipy.special import chdtrc

    check_times(time, event)
    check_level(conf_level)
    if len(group) != len(time):
        raise InputError(f"every time needs a group: {len(time)} and {len(group)}", path=("group",))
    if not time:
        return TwoGroupSurvival(reason=Reason.NO_DATA)
    names = sorted(set(group), key=lambda name: (isinstance(name, str), name))
    if len(names) != 2 or reference_group not in names:
        raise InputError(
            f"two groups are compared, one of them the reference {reference_group!r}; got {names}", path=("group",)
        )
    times, events = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    treated = np.array([name != reference_group for name in group])
    table = _tied_risks(times, events, treated)
    expected_1 = float((table.events * table.at_risk_1 / table.at_risk).sum())
    observed_1, total = int(table.events_1.sum()), int(table.events.sum())
    share = table.at_risk_1 / table.at_risk
    several = np.maximum(table.at_risk - 1, 1)
    variance = float((table.events * share * (1 - share) * (table.at_risk - table.events) / several).sum())
    chisq = None if variance == 0 else (observed_1 - expected_1) ** 2 / variance
    efron, breslow = (_log_hazard_ratio(table, efron=ties) for ties in (True, False))
    missing = {} if chisq is not None else dict.fromkeys(("chisq", "p_value"), Reason.NOT_ESTIMABLE)
    if efron is None:
        missing |= dict.fromkeys(("hr_efron", "hr_efron_ci", "hr_breslow"), Reason.NOT_ESTIMABLE)
    z = normal_quantile(conf_level)
    in_order = 1 if names[0] == reference_group else -1
    return TwoGroupSurvival(
        chisq=chisq,
        p_value=None if chisq is None else float(chdtrc(1, chisq)),
        observed=(total - observed_1, observed_1)[::in_order],
        expected=(total - expected_1, expected_1)[::in_order],
        hr_efron=None if efron is None else math.exp(efron[0]),
        hr_efron_ci=(None, None)
        if efron is None
        else (math.exp(efron[0] - z * efron[1]), math.exp(efron[0] + z * efron[1])),
        hr_breslow=None if breslow is None else math.exp(breslow[0]),
        missing=missing,
    )


@dataclass(frozen=True, slots=True)
class _Risks:
    """Events and numbers at risk at each distinct event time; `_1` is the group that is not the reference."""

    events: NDArray[np.int64]
    events_1: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    at_risk_1: NDArray[np.int64]


def _tied_risks(time: NDArray[np.float64], event: NDArray[np.bool_], treated: NDArray[np.bool_]) -> _Risks:
    import numpy as np

    distinct, events = np.unique(time[event], return_counts=True)
    place = np.searchsorted(distinct, time[event & treated])
    return _Risks(
        events,
        np.bincount(place, minlength=distinct.size),
        number_at_risk(np.sort(time), None, distinct),
        number_at_risk(np.sort(time[treated]), None, distinct),
    )


def _log_hazard_ratio(table: _Risks, *, efron: bool) -> tuple[float, float] | None:
    """Return the maximum of Cox's partial likelihood and its standard error; None when it has none.

    Every event contributes its group less the chance w1 e^b / (w1 e^b + w0) that it falls in the treated group, with
    w1 and w0 those at risk; Efron takes the l-th of d tied events out in equal parts.
    """
    import numpy as np
    from scipy.optimize import brentq

    place = np.repeat(np.arange(table.events.size), table.events)
    already = np.arange(place.size) - (np.cumsum(table.events) - table.events)[place]
    out = already / table.events[place] if efron else np.zeros(place.size)
    w1 = table.at_risk_1[place] - out * table.events_1[place]
    w0 = (table.at_risk - table.at_risk_1)[place] - out * (table.events - table.events_1)[place]
    observed = int(table.events_1.sum())
    # the score falls in b from observed - sure to observed - possible; without a change of sign there is no maximum
    sure, possible = int((w0 <= 0).sum()), int((w1 > 0).sum())
    if not sure < observed < possible:
        return None
    mixed = (w1 > 0) & (w0 > 0)
    log_odds = np.log(w1[mixed]) - np.log(w0[mixed])

    def chances(b: float) -> NDArray[np.float64]:
        weights: NDArray[np.float64] = np.exp(-np.clip(b + log_odds, -700, 700))
        return 1 / (1 + weights)

    def score(b: float) -> float:
        return float(observed - sure - chances(b).sum())

    reach = 1.0
    while score(-reach) < 0 or score(reach) > 0:
        reach *= 2
    b = float(brentq(score, -reach, reach, xtol=1e-13))
    p = chances(b)
    return b, 1 / math.sqrt(float((p * (1 - p)).sum()))
