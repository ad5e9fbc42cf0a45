"""The log-rank test of any number of groups, with delayed entry: do programmes of these groups stay equally long?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.efficacy.survival import number_at_risk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogRank:
    """Statistic, degrees of freedom and p-value; events observed and expected in each group."""

    chi_square: float
    df: int
    p_value: float
    observed: tuple[int, ...]
    expected: tuple[float, ...]


def group_logrank(
    time: Floats, event: NDArray[np.bool_], entry: Floats, group: NDArray[np.int64], groups: int
) -> LogRank | None:
    """Compare the survival of groups; None where nothing happens, or nobody is ever at risk beside another group.

    With d events among n at risk, of them n_i in group i, a group expects d n_i / n of them; the covariance of
    observed less expected is d (n - d) / (n - 1) times (n_i / n) (1[i = j] - n_j / n), summed over the event times.

    Args:
        time: (n,), times of the event or of the end of observation.
        event: (n,), whether it was an event.
        entry: (n,), times from which each is observed; at risk when entry < t <= time.
        group: (n,), group of each, from 0.
        groups: how many groups there are.

    Source: Mantel N. Cancer Chemother Rep 1966;50:163-170; Klein JP, Moeschberger ML. Survival Analysis, 2nd ed. 2003,
    section 7.3.
    """
    import numpy as np
    from scipy.special import chdtrc

    times = np.unique(time[event])
    place = np.searchsorted(times, time[event])  # faster than the inverse of unique where times of a group are in order
    if not times.size:
        return None
    happened = np.bincount(place * groups + group[event], minlength=times.size * groups).reshape(-1, groups)
    there = np.empty((times.size, groups))
    for number in range(groups):
        mine = group == number
        there[:, number] = number_at_risk(np.sort(time[mine]), np.sort(entry[mine]), times)
    events, whole = happened.sum(axis=1), there.sum(axis=1)
    share = there / whole[:, None]
    expected = (events[:, None] * share).sum(axis=0)
    weight = events * (whole - events) / np.maximum(whole - 1, 1)
    covariance = np.diag(weight @ share) - (share * weight[:, None]).T @ share
    apart = (happened.sum(axis=0) - expected)[1:]
    inner = covariance[1:, 1:]
    df = int(np.linalg.matrix_rank(inner))
    if not df:
        return None
    chi_square = float(apart @ np.linalg.pinv(inner) @ apart)
    observed = tuple(int(count) for count in happened.sum(axis=0))
    return LogRank(chi_square, df, float(chdtrc(df, chi_square)), observed, tuple(expected.tolist()))
