"""The review by group: modality, disease, target class, biomarker, site, period of entry; and how groups differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.attrition.counting import PATH_BY_PATH, Tallies, proportion, rates_of
from pipeline.attrition.courses import APPROVED, STOPPED, UNANNOUNCED, Courses, Stays
from pipeline.attrition.group_logrank import group_logrank
from pipeline.attrition.portfolio import Coded
from pipeline.attrition.review_results import GroupComparison, GroupReview, StageTime
from pipeline.attrition.review_stops import late, scientific
from pipeline.attrition.review_times import stage_time
from pipeline.attrition.risk_table import Lengths, RiskTables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
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
        """Return the group of programmes in stages."""
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


@dataclass(frozen=True, eq=False)
class Grouped:
    """What is counted by group: tallies under a rule, and usable stays with their lengths."""

    courses: Courses
    rule: str
    tallies: Tallies
    stays: Stays
    lengths: Lengths

    @cached_property
    def stage_of_tally(self) -> Ints:
        """(e,), the stage of the phase of each tally."""
        import numpy as np

        codes = [stage.code for stage in self.courses.portfolio.stages]
        return np.array([codes.index(code) for code in self.courses.phases.codes], dtype=np.int64)[self.tallies.phase]

    @cached_property
    def scientific(self) -> tuple[Ints, Ints, Flags]:
        """Owner, stage, and whether it came late, of each scientific stop."""
        of, stops = scientific(self.courses), self.courses.stops
        return stops.owner[of], stops.stage[of], late(self.courses)[of]


def group_reviews(of: Grouped, dimension: Dimension) -> tuple[list[GroupReview], list[GroupComparison]]:
    """Return the figures of every group of a dimension, and how the groups compare."""
    import numpy as np

    courses, count = of.courses, len(dimension.names)
    settings, codes = courses.settings, courses.phases.codes
    if not count or not codes:
        return [], []
    of_tally = dimension.of(of.tallies.owner, of.stage_of_tally)
    counts = of.tallies.counts(len(codes), of_tally, count)
    ends = of.tallies.ends(courses, of_tally, count) if of.rule == PATH_BY_PATH else None
    sizes = np.bincount(dimension.of(np.arange(courses.last.size), _now(courses)), minlength=count).tolist()
    owner, stage, came_late = of.scientific
    of_stop = dimension.of(owner, stage)
    lately = np.bincount(of_stop[came_late], minlength=count).tolist()
    stopped = np.bincount(of_stop, minlength=count).tolist()
    times, compared = _times(of, dimension)
    reviews = []
    for number, name in enumerate(dimension.names):
        phases, likelihoods = rates_of(codes, counts[number], None if ends is None else ends[number], settings)
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


def _times(of: Grouped, dimension: Dimension) -> tuple[list[list[StageTime]], list[GroupComparison]]:
    """Return the time in each stage by group, and how the groups compare in it."""
    fewest, count = of.courses.settings.fewest, len(dimension.names)
    times: list[list[StageTime]] = [[] for _ in range(count)]
    compared = []
    tables = of.lengths.tables(dimension.of(of.stays.owner, of.stays.stage), count)
    for stage, table in zip(of.courses.portfolio.stages, tables, strict=True):
        sizes = table.stays.tolist()
        for number, size in enumerate(sizes):
            if size:
                times[number].append(stage_time(stage.code, table.group(number), fewest))
        if any(sizes):
            enough = [number for number, size in enumerate(sizes) if size >= fewest]
            compared.append(_compare_times(dimension, stage.code, table, enough))
    return times, compared


def _compare_times(dimension: Dimension, stage: str, table: RiskTables, enough: Sequence[int]) -> GroupComparison:
    names = tuple(dimension.names[number] for number in enough)
    if len(names) < 2:
        why = "fewer than two groups have enough stays to be compared"
        return GroupComparison(dimension.name, stage, names, None, None, None, why, "time")
    found = group_logrank(table.events[enough], table.at_risk[enough])
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


def by_group(of: Grouped, ways: Sequence[Dimension]) -> tuple[tuple[GroupReview, ...], tuple[GroupComparison, ...]]:
    """Return the figures and comparisons of all dimensions."""
    reviews: list[GroupReview] = []
    comparisons: list[GroupComparison] = []
    for way in ways:
        some, compared = group_reviews(of, way)
        reviews += some
        comparisons += compared
    return tuple(reviews), tuple(comparisons)
