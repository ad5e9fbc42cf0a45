"""Stops in the review: reasons by stage, and the share of the scientific ones that came late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.attrition.counting import proportion
from pipeline.attrition.courses import CAUSES, Courses
from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.review_results import Estimate, LateShareOfYear, ReasonCount
from pipeline.attrition.review_settings import SCIENTIFIC
from pipeline.words import AttritionReason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


def reasons(courses: Courses, contributing: Mapping[tuple[str, str], int] | None = None) -> tuple[ReasonCount, ...]:
    """Return how many stops in each stage had each primary reason; a stop without one counts as UNSPECIFIED.

    contributing: (stage, reason) -> stops with that reason beside the primary one; None where none are recorded.
    """
    import numpy as np

    stops, p = courses.stops, courses.portfolio
    unspecified = REASONS.index(AttritionReason.UNSPECIFIED)
    reason = np.where(stops.reason < 0, unspecified, stops.reason)
    counts = np.bincount(stops.stage * len(REASONS) + reason, minlength=len(p.stages) * len(REASONS))
    table = counts.reshape(len(p.stages), len(REASONS)).tolist()
    beside = contributing or {}
    return tuple(
        ReasonCount(
            stage.code,
            name,
            courses.settings.kind_of(name),
            count,
            None if contributing is None else beside.get((stage.code, name), 0),
        )
        for stage, row in zip(p.stages, table, strict=True)
        for name, count in zip(REASONS, row, strict=True)
        if count or beside.get((stage.code, name))
    )


def scientific(courses: Courses) -> Flags:
    """Return which stops are scientific, (k,): for toxicity or for want of effect."""
    import numpy as np

    return np.isin(courses.stops.kind, [CAUSES.index(kind) for kind in SCIENTIFIC])


def late(courses: Courses) -> Flags:
    """Return which stops came late, (k,): at the late stage of the settings or beyond."""
    import numpy as np

    stages = courses.portfolio.stages
    begin = next((s.ordinal for s in stages if s.code == courses.settings.late_from), None)
    lately = np.array([begin is not None and stage.ordinal >= begin for stage in stages] or [False], dtype=bool)
    # A combined phase that holds the late stage is late too: phase 2/3 is where a late stop begins.
    for number, stage in enumerate(stages):
        lately[number] |= courses.settings.late_from in stage.combines
    return lately[courses.stops.stage]


def late_share(courses: Courses) -> Estimate:
    """Return the late share of the scientific stops."""
    of = scientific(courses)
    return proportion(int((of & late(courses)).sum()), int(of.sum()), courses.settings.fewest)


def late_share_by_year(courses: Courses) -> tuple[LateShareOfYear, ...]:
    """Return the late share by the year of the stop, of every year with a scientific stop.

    A stop that is known only to the year counts in it; one that may lie in either of two years, in that of the day in
    the middle.
    """
    import numpy as np

    of, lately = scientific(courses), late(courses)
    year = courses.stops.day.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    found = []
    for one in np.unique(year[of]).tolist():
        these = of & (year == one)
        share = proportion(int((these & lately).sum()), int(these.sum()), courses.settings.fewest)
        found.append(LateShareOfYear(one, share))
    return tuple(found)
