"""The review by group: modality, disease, target class, biomarker, site, period of entry; and how groups differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.attrition.counting import Tallies, proportion, rates_of
from pipeline.attrition.courses import APPROVED, STOPPED, UNANNOUNCED, Courses, Stays
from pipeline.attrition.group_logrank import group_logrank
from pipeline.attrition.portfolio import Coded
from pipeline.attrition.review_results import GroupComparison, GroupReview, StageTime
from pipeline.attrition.review_stops import late, scientific
from pipeline.attrition.review_times import cells, stage_time

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

PERIOD_YEARS = 5
MOST_GROUPS = 25
"""Groups of one dimension that are shown; the smaller ones are put together."""
REST = "all others"
LEAST_EXPECTED = 5
CHANCE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    """A way to group: names of the groups, and the group of a programme in a stage as (p, stages) or (p, 1) places."""

    name: str
    names: tuple[str, ...]
    table: Ints

    def of(self, owner: Ints, stage: Ints) -> Ints:
        """Return the group of programmes in stages; -1 for none."""
        return self.table[owner, stage] if self.table.shape[1] > 1 else self.table[:, 0][owner]


def dimensions(courses: Courses, sites: Sequence[Sequence[str]] | None = None) -> list[Dimension]:
    """Return all ways to group the programmes.

    sites: by place in the names of the disease groups, the site of each stage; None leaves the site out. A programme's
    site changes with its stage, so each phase is counted where it was run.
    """
    import numpy as np

    groups = courses.portfolio.groups
    found = [_plain(name, column) for name, column in groups.items()]
    if sites is not None and "disease_group" in groups:
        column = groups["disease_group"]
        named = Coded.of([site for row in sites for site in row])
        table = named.codes.reshape(len(column.names), len(courses.portfolio.stages)).astype(np.int64)
        found.append(Dimension("site", named.names, table[column.codes]))
    return [*found, _periods(courses)]


def _plain(name: str, column: Coded) -> Dimension:
    import numpy as np

    codes = column.codes.astype(np.int64)
    if len(column.names) <= MOST_GROUPS:
        return Dimension(name, column.names, codes[:, None])
    sizes = np.bincount(codes, minlength=len(column.names))
    kept = sorted(np.argsort(-sizes, kind="stable")[: MOST_GROUPS - 1].tolist())
    place = np.full(len(column.names), len(kept))
    place[kept] = np.arange(len(kept))
    return Dimension(name, (*(column.names[code] for code in kept), REST), place[codes][:, None])


def _periods(courses: Courses) -> Dimension:
    import numpy as np

    begun = courses.at[courses.first]
    year = begun.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    first = year - year % PERIOD_YEARS
    starts, codes = np.unique(first, return_inverse=True)
    names = tuple(f"{start}-{start + PERIOD_YEARS - 1}" for start in starts.tolist())
    return Dimension("entry_period", names, codes.astype(np.int64)[:, None])


def group_reviews(
    courses: Courses, rule: str, tallies: Tallies, stays: Stays, dimension: Dimension
) -> tuple[list[GroupReview], list[GroupComparison]]:
    """Return the figures of every group of a dimension, and how the groups compare."""
    import numpy as np

    settings, codes, count = courses.settings, courses.phases.codes, len(dimension.names)
    stage_of_phase = np.array(
        [next(n for n, s in enumerate(courses.portfolio.stages) if s.code == code) for code in codes], dtype=np.int64
    )
    if not count or not codes:
        return [], []
    counts = tallies.counts(len(codes), dimension.of(tallies.owner, stage_of_phase[tallies.phase]), count)
    sizes = np.bincount(dimension.of(np.arange(courses.last.size), _now(courses)), minlength=count).tolist()
    of_stop = dimension.of(courses.stops.owner, courses.stops.stage)
    science = scientific(courses)
    lately = np.bincount(of_stop[science & late(courses)], minlength=count).tolist()
    stopped = np.bincount(of_stop[science], minlength=count).tolist()
    times, compared = _times(courses, stays, dimension)
    reviews = []
    for number, name in enumerate(dimension.names):
        phases, likelihoods = rates_of(rule, codes, counts[number], settings)
        likelihood = next((one for one in likelihoods if one.stage == settings.likelihood_from), None)
        reviews.append(
            GroupReview(
                dimension=dimension.name,
                group=name,
                programmes=sizes[number],
                phases=phases,
                likelihood=likelihood if courses.phases.approvable else None,
                late_share=proportion(lately[number], stopped[number], settings.fewest),
                times=tuple(times[number]),
            )
        )
    rates = [_compare(dimension, code, counts[:, place], settings.fewest) for place, code in enumerate(codes)]
    return reviews, rates + compared


def _now(courses: Courses) -> Ints:
    import numpy as np

    return courses.portfolio.stage[courses.last].astype(np.int64)


def _times(courses: Courses, stays: Stays, dimension: Dimension) -> tuple[list[list[StageTime]], list[GroupComparison]]:
    """Return the time in each stage by group, and how the groups compare in it."""
    stages, fewest = courses.portfolio.stages, courses.settings.fewest
    group = dimension.of(stays.owner, stays.stage)
    parts = cells(group * len(stages) + stays.stage, len(dimension.names) * len(stages))
    times = [
        [
            stage_time(stage.code, stays, these, fewest, bounds=False)
            for stage, these in zip(stages, parts[start : start + len(stages)], strict=True)
            if these.size
        ]
        for start in range(0, len(parts), len(stages))
    ]
    compared = []
    for number, stage in enumerate(stages):
        by_group = {name: parts[place * len(stages) + number] for place, name in enumerate(dimension.names)}
        enough = {name: these for name, these in by_group.items() if these.size >= fewest}
        if any(these.size for these in by_group.values()):
            compared.append(_compare_times(dimension, stage.code, stays, enough))
    return times, compared


def _compare_times(dimension: Dimension, stage: str, stays: Stays, by_group: Mapping[str, Ints]) -> GroupComparison:
    import numpy as np

    names = tuple(by_group)
    if len(names) < 2:
        why = "fewer than two groups have enough stays to be compared"
        return GroupComparison(dimension.name, stage, names, None, None, None, why, "time")
    these = np.concatenate(list(by_group.values()))
    group = np.repeat(np.arange(len(names)), [one.size for one in by_group.values()])
    found = group_logrank(stays.days[these], stays.cause[these] >= 0, stays.entry[these], group, len(names))
    if found is None or min(found.expected) < LEAST_EXPECTED:
        why = "too few programmes left for a test: a group expects fewer than 5"
        return GroupComparison(dimension.name, stage, names, None, None, None, why, "time")
    return GroupComparison(
        dimension.name,
        stage,
        names,
        found.chi_square,
        found.df,
        found.p_value,
        f"the times in stage {_differ(found.p_value)}",
        "time",
    )


def _differ(p_value: float) -> str:
    said = "differ by more than chance" if p_value < CHANCE else "do not differ by more than chance"
    return f"{said} (p = {p_value:.2g})"


def _compare(dimension: Dimension, stage: str, counts: NDArray[np.int64], fewest: int) -> GroupComparison:
    """Compare the rates of one phase between groups; counts are (groups, 5)."""
    from scipy.special import chdtrc

    rows = []
    for name, row in zip(dimension.names, counts.tolist(), strict=True):
        passed, ended = row[APPROVED], row[STOPPED] + row[UNANNOUNCED]
        if passed + ended >= fewest:
            rows.append((name, passed, ended))
    names = tuple(name for name, _, _ in rows)
    none: tuple[str, str, tuple[str, ...], None, None, None] = (dimension.name, stage, names, None, None, None)
    if len(rows) < 2:
        return GroupComparison(*none, "fewer than two groups have enough known outcomes to be compared")
    passed, ended = sum(row[1] for row in rows), sum(row[2] for row in rows)
    total = passed + ended
    if not passed or not ended:
        return GroupComparison(*none, "all programmes of these groups had the same outcome")
    if min(passed, ended) * min(row[1] + row[2] for row in rows) < LEAST_EXPECTED * total:
        return GroupComparison(*none, "too few programmes for a test: an expected count is below 5")
    chi_square = 0.0
    for _, k, other in rows:
        expected = (k + other) * passed / total
        chi_square += (k - expected) ** 2 * (1 / expected + 1 / (k + other - expected))
    df = len(rows) - 1
    p_value = float(chdtrc(df, chi_square))
    return GroupComparison(dimension.name, stage, names, chi_square, df, p_value, f"the rates {_differ(p_value)}")


def by_group(
    courses: Courses, rule: str, tallies: Tallies, stays: Stays, ways: Sequence[Dimension]
) -> tuple[tuple[GroupReview, ...], tuple[GroupComparison, ...]]:
    """Return the figures and comparisons of all dimensions."""
    reviews: list[GroupReview] = []
    comparisons: list[GroupComparison] = []
    for way in ways:
        some, compared = group_reviews(courses, rule, tallies, stays, way)
        reviews += some
        comparisons += compared
    return tuple(reviews), tuple(comparisons)
