"""The mix of reasons for attrition, against a published one (E8)."""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from pipeline.efficacy.response_rate import wilson
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import below

SMALL_EXPECTED = 5
MOST_TABLES = 200_000
SUM_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class PublishedMix:
    """Reasons for failure as a source prints them: shares, or counts."""

    source: str
    scope: str
    verification: str
    failures: int | None = None
    with_reason: int | None = None
    share: Mapping[str, float] = field(default_factory=dict, hash=False)
    counts: Mapping[str, int] = field(default_factory=dict, hash=False)


@functools.cache
def published_mixes() -> Sequence[PublishedMix]:
    """Return the published mixes, in the order of the file."""
    text = files("pipeline.attrition").joinpath("published_reasons.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["mix"]
    return tuple(PublishedMix(**row) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonMix(Outcome):
    """Share of each reason with Wilson limits, and how far the mix is from the benchmark.

    With an expected count below 5 (flag `small_expected`) the chi-square p-value is not to be shown; `exact_p`, the
    probability under the benchmark of a mix not more likely than this one, stands in its place where it can be summed.
    """

    n: int
    share: Mapping[str, float] | None = None
    wilson95: Mapping[str, tuple[float, float]] | None = None
    chisq_vs_benchmark: float | None = None
    df: int | None = None
    p_value: float | None = None
    exact_p: float | None = None


@method(
    "E8_reason_mix",
    version=1,
    title="Mix of attrition reasons",
    source="Pearson K. Philos Mag 1900;50:157-175; Brown LD, Cai TT, DasGupta A. Stat Sci 2001;16:101-133",
)
def reason_mix(counts: Mapping[str, int], benchmark_share: Mapping[str, float] | None = None) -> ReasonMix:
    """Return the shares of the reasons for dropping, and Pearson's chi-square against a benchmark mix.

    Every drop has one primary reason; "not stated" is a category of its own and never left out.

    Args:
        counts: category -> drops with that primary reason.
        benchmark_share: category -> share in the benchmark, the same categories, adding up to 1; null for none.

    Raises:
        InputError: a negative count, different categories, or shares that are negative or do not add up to 1.
    """
    from scipy.special import chdtrc

    if wrong := [name for name, count in counts.items() if count < 0]:
        raise InputError(f"the count of {wrong[0]} is negative", path=("counts", wrong[0]))
    if benchmark_share is not None:
        _check_benchmark(counts, benchmark_share)
    n = sum(counts.values())
    if n == 0:
        return ReasonMix(n=0, reason=Reason.NO_DATA)
    share = {name: count / n for name, count in counts.items()}
    limits = {name: wilson(count, n) for name, count in counts.items()}
    if benchmark_share is None:
        missing = dict.fromkeys(("chisq_vs_benchmark", "df", "p_value", "exact_p"), Reason.NO_DATA)
        return ReasonMix(n=n, share=share, wilson95=limits, missing=missing)
    df = len(counts) - 1
    if df == 0 or any(benchmark_share[name] == 0 for name in counts):
        missing = dict.fromkeys(("chisq_vs_benchmark", "p_value", "exact_p"), Reason.OUTSIDE_DOMAIN)
        return ReasonMix(n=n, share=share, wilson95=limits, df=df, missing=missing)
    chisq = math.fsum(
        (count - n * benchmark_share[name]) ** 2 / (n * benchmark_share[name]) for name, count in counts.items()
    )
    small = any(below(n * part, SMALL_EXPECTED) for part in benchmark_share.values())
    exact = _exact_p(tuple(counts.values()), tuple(benchmark_share[name] for name in counts)) if small else None
    return ReasonMix(
        n=n,
        share=share,
        wilson95=limits,
        chisq_vs_benchmark=chisq,
        df=df,
        p_value=float(chdtrc(df, chisq)),
        exact_p=exact,
        missing={} if exact is not None else {"exact_p": Reason.OUTSIDE_DOMAIN},
        flags=("small_expected",) if small else (),
    )


def _check_benchmark(counts: Mapping[str, int], benchmark: Mapping[str, float]) -> None:
    if set(counts) != set(benchmark):
        lacking = ", ".join(sorted(set(counts) ^ set(benchmark)))
        raise InputError(
            f"counts and benchmark must have the same categories; only one has {lacking}", path=("benchmark_share",)
        )
    total = math.fsum(benchmark.values())
    if any(part < 0 for part in benchmark.values()) or abs(total - 1) > SUM_SLACK:
        raise InputError(
            f"the shares of a benchmark are not negative and add up to 1, here to {total:g}: "
            "add a category for the rest",
            path=("benchmark_share",),
        )


def _exact_p(counts: Sequence[int], shares: Sequence[float]) -> float | None:
    """Return the probability of all mixes not more likely than the observed; None when there are too many to sum."""
    n, k = sum(counts), len(counts)
    if math.comb(n + k - 1, k - 1) > MOST_TABLES:
        return None
    logs = [math.log(share) for share in shares]

    def log_probability(mix: Sequence[int]) -> float:
        return math.lgamma(n + 1) + sum(c * log - math.lgamma(c + 1) for c, log in zip(mix, logs, strict=True))

    limit = log_probability(counts) + 1e-7
    return min(math.fsum(math.exp(p) for mix in _mixes(n, k) if (p := log_probability(mix)) <= limit), 1.0)


def _mixes(n: int, k: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to spread n drops over k categories."""
    if k == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in _mixes(n - first, k - 1):
            yield (first, *rest)
