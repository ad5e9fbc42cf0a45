"""The log-rank test of any number of groups, with delayed entry: do programmes of these groups stay equally long?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LogRank:
    """Statistic, degrees of freedom and p-value; events observed and expected in each group."""

    chi_square: float
    df: int
    p_value: float
    observed: tuple[int, ...]
    expected: tuple[float, ...]


def group_logrank(events: NDArray[np.int64], at_risk: NDArray[np.int64]) -> LogRank | None:
    """Compare the survival of groups; None where nothing happens, or nobody is ever at risk beside another group.

    With d events among n at risk, of them n_i in group i, a group expects d n_i / n of them; the covariance of
    observed less expected is d (n - d) / (n - 1) times (n_i / n) (1[i = j] - n_j / n), summed over the event times.

    Args:
        events: (groups, m), events of each group at each time.
        at_risk: (groups, m), how many of it were at risk then, late entries from their entry on.

    Source: Mantel N. Cancer Chemother Rep 1966;50:163-170; Klein JP, Moeschberger ML. Survival Analysis, 2nd ed. 2003,
    section 7.3.
    """
    import numpy as np
    from scipy.special import chdtrc

    some = np.flatnonzero(events.any(axis=0))
    if not some.size:
        return None
    happened, there = events[:, some].T, at_risk[:, some].T
    total, whole = happened.sum(axis=1), there.sum(axis=1)
    share = there / whole[:, None]
    expected = (total[:, None] * share).sum(axis=0)
    weight = total * (whole - total) / np.maximum(whole - 1, 1)
    covariance = np.diag(weight @ share) - (share * weight[:, None]).T @ share
    apart = (happened.sum(axis=0) - expected)[1:]
    inner = covariance[1:, 1:]
    df = int(np.linalg.matrix_rank(inner))
    if not df:
        return None
    chi_square = float(apart @ np.linalg.pinv(inner) @ apart)
    observed = tuple(int(count) for count in happened.sum(axis=0))
    return LogRank(chi_square, df, float(chdtrc(df, chi_square)), observed, tuple(expected.tolist()))
