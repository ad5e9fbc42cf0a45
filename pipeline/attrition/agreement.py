"""How far two people, or a proposer and a verifier, agree beyond chance (E8)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.bounds import same_length
from pipeline.efficacy.response_rate import check_level, normal_quantile
from pipeline.outcome import Outcome, Reason, method


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement(Outcome):
    """Cohen's kappa with its large-sample interval, and the agreement on each category.

    `kappa` is None (`not_estimable`) where both used one and the same category throughout: chance alone then agrees
    fully. With fewer than 30 pairs (flag `few_pairs`) the interval is rough.
    """

    n: int
    agreed: int | None = None
    observed: float | None = None
    expected: float | None = None
    kappa: float | None = None
    standard_error: float | None = None
    kappa_lower: float | None = None
    kappa_upper: float | None = None
    specific: Mapping[str, float] | None = None


FEW = 30


@method(
    "E8_reason_agreement",
    version=1,
    title="Agreement on attrition reasons (Cohen's kappa)",
    source="Cohen J. Educ Psychol Meas 1960;20:37-46; Fleiss JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323-327",
)
def cohens_kappa(first: Sequence[str], second: Sequence[str], conf_level: float = 0.95) -> Agreement:
    """Return how far two agree who put the same stops into categories.

    kappa = (po - pe) / (1 - pe), with po the share of pairs that agree and pe what the two distributions would give by
    chance. The standard error is that of Fleiss, Cohen and Everitt for kappa other than 0, the interval is normal and
    cut at -1 and 1. Agreement on one category is 2 agreed / (times used by the first + by the second).

    Args:
        first: category that the first gave each stop, such as the reason proposed.
        second: category that the second gave it, in the same order, such as the reason verified.
        conf_level: confidence of the interval, between 0 and 1.

    Raises:
        InputError: the lists have different lengths, or the level is not between 0 and 1.
    """
    same_length(first=first, second=second)
    check_level(conf_level)
    n = len(first)
    if n == 0:
        return Agreement(n=0, reason=Reason.NO_DATA)
    pairs = Counter(zip(first, second, strict=True))
    rows, columns = Counter(first), Counter(second)
    categories = sorted(set(rows) | set(columns))
    agreed = sum(pairs[name, name] for name in categories)
    observed = agreed / n
    expected = math.fsum(rows[name] * columns[name] for name in categories) / (n * n)
    shared = Agreement(
        n=n,
        agreed=agreed,
        observed=observed,
        expected=expected,
        specific={name: 2 * pairs[name, name] / (rows[name] + columns[name]) for name in categories},
        flags=("few_pairs",) if n < FEW else (),
    )
    if len(categories) == 1:
        names = ("kappa", "standard_error", "kappa_lower", "kappa_upper")
        return replace(shared, missing=dict.fromkeys(names, Reason.NOT_ESTIMABLE))
    kappa = (observed - expected) / (1 - expected)
    error = math.sqrt(max(_variance(pairs, rows, columns, n, kappa, expected), 0.0))
    half = normal_quantile(conf_level) * error
    return replace(
        shared,
        kappa=kappa,
        standard_error=error,
        kappa_lower=max(kappa - half, -1.0),
        kappa_upper=min(kappa + half, 1.0),
    )


def _variance(
    pairs: Mapping[tuple[str, str], int],
    rows: Mapping[str, int],
    columns: Mapping[str, int],
    n: int,
    kappa: float,
    expected: float,
) -> float:
    terms = []
    for (a, b), count in pairs.items():
        if a == b:
            terms.append(count / n * (1 - (rows[a] + columns[a]) / n * (1 - kappa)) ** 2)
        else:
            terms.append(count / n * ((1 - kappa) * (columns[a] + rows[b]) / n) ** 2)
    total = math.fsum(terms) - (kappa - expected * (1 - kappa)) ** 2
    return total / (n * (1 - expected) ** 2)
