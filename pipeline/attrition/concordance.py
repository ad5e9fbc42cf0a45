"""Preclinical finding against clinical event: the two-by-two of each organ system over molecules (E11)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.attrition.counting import proportion
from pipeline.attrition.organ_systems import organ_name
from pipeline.attrition.review_results import Estimate
from pipeline.efficacy.response_rate import check_level, normal_quantile, wilson
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

ALL_SYSTEMS = "ALL"
Limits = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concordance(Outcome):
    """How well a preclinical finding tells of a clinical event, each share with Wilson limits.

    Likelihood ratios have log-normal limits; they are None (`not_estimable`) where a cell that they divide by is empty.
    """

    n: int
    sensitivity: float | None
    sensitivity_limits: Limits | None
    specificity: float | None
    specificity_limits: Limits | None
    ppv: float | None
    ppv_limits: Limits | None
    npv: float | None
    npv_limits: Limits | None
    lr_positive: float | None
    lr_positive_limits: Limits | None
    lr_negative: float | None
    lr_negative_limits: Limits | None


@method(
    "E11_concordance",
    version=1,
    title="Concordance of preclinical findings and clinical events",
    source="Simel DL, Samsa GP, Matchar DB. J Clin Epidemiol 1991;44:763-770; Wilson EB. J Am Stat Assoc "
    "1927;22:209-212",
)
def two_by_two(both: int, finding_only: int, event_only: int, neither: int, conf_level: float = 0.95) -> Concordance:
    """Return what a two-by-two of preclinical finding against clinical event says.

    sensitivity = both / (both + event_only), specificity = neither / (neither + finding_only), ppv = both / (both +
    finding_only), npv = neither / (neither + event_only), LR+ = sensitivity / (1 - specificity), LR- = (1 -
    sensitivity) / specificity. The variance of log LR+ is 1/both - 1/(both + event_only) + 1/finding_only -
    1/(finding_only + neither), of log LR- the same with event_only and neither.

    Args:
        both: molecules with the finding in animals and the event in people.
        finding_only: those with the finding alone.
        event_only: those with the event alone.
        neither: those studied in both, with neither.
        conf_level: level of the two-sided limits.

    Raises:
        InputError: a negative count, or a level outside of 0 to 1.
    """
    check_level(conf_level)
    for name, count in (("both", both), ("finding_only", finding_only), ("event_only", event_only)):
        if count < 0:
            raise InputError(f"{name} is a count, got {count}", path=(name,))
    if neither < 0:
        raise InputError(f"neither is a count, got {neither}", path=("neither",))
    with_event, without = both + event_only, neither + finding_only
    found, clear = both + finding_only, neither + event_only
    shares: dict[str, tuple[int, int]] = {
        "sensitivity": (both, with_event),
        "specificity": (neither, without),
        "ppv": (both, found),
        "npv": (neither, clear),
    }
    values = {name: k / n if n else None for name, (k, n) in shares.items()}
    limits = {name: wilson(k, n, conf_level) if n else None for name, (k, n) in shares.items()}
    positive = _ratio(both, with_event, finding_only, without, conf_level)
    negative = _ratio(event_only, with_event, neither, without, conf_level)
    missing = {name: Reason.NO_DATA for name, value in values.items() if value is None}
    missing |= {f"{name}_limits": reason for name, reason in missing.items()}
    for name, ratio in (("lr_positive", positive), ("lr_negative", negative)):
        if ratio is None:
            missing |= {name: Reason.NOT_ESTIMABLE, f"{name}_limits": Reason.NOT_ESTIMABLE}
    return Concordance(
        n=with_event + without,
        sensitivity=values["sensitivity"],
        sensitivity_limits=limits["sensitivity"],
        specificity=values["specificity"],
        specificity_limits=limits["specificity"],
        ppv=values["ppv"],
        ppv_limits=limits["ppv"],
        npv=values["npv"],
        npv_limits=limits["npv"],
        lr_positive=positive[0] if positive else None,
        lr_positive_limits=positive[1:] if positive else None,
        lr_negative=negative[0] if negative else None,
        lr_negative_limits=negative[1:] if negative else None,
        reason=None if with_event + without else Reason.NO_DATA,
        missing=missing,
    )


def _ratio(a: int, of_a: int, b: int, of_b: int, conf_level: float) -> tuple[float, float, float] | None:
    """Return a/of_a over b/of_b with log-normal limits; None where a cell is empty."""
    if not a or not b:
        return None
    value = (a / of_a) / (b / of_b)
    half = normal_quantile(conf_level) * math.sqrt(1 / a - 1 / of_a + 1 / b - 1 / of_b)
    return value, value * math.exp(-half), value * math.exp(half)


# ---------------------------------------------------------------- over molecules


class Studied(StrEnum):
    """Whether something was found, looked for without being found, or not looked for."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    NOT_STUDIED = "NOT_STUDIED"


@dataclass(frozen=True, slots=True)
class OrganPair:
    """What animals and people say of one organ system of one molecule."""

    molecule: int
    system: str
    preclinical: Studied
    clinical: Studied


@dataclass(frozen=True, slots=True)
class SystemConcordance:
    """The two-by-two of one organ system; `system` "ALL" sums over the pairs of molecule and system.

    The four cells hold the molecules that were studied in animals and in people; those that were not are counted apart.
    Each cell has the ids of its molecules, none for "ALL" and for those studied in neither. A likelihood ratio is None
    where a cell is empty or fewer than the fewest outcomes are known; its limits are those of 95 %.
    """

    system: str
    name: str
    both: int
    finding_only: int
    event_only: int
    neither: int
    not_studied_in_animals: int
    not_studied_in_people: int
    studied_in_none: int
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    lr_positive: float | None
    lr_positive_low: float | None
    lr_positive_high: float | None
    lr_negative: float | None
    lr_negative_low: float | None
    lr_negative_high: float | None
    molecules: dict[str, tuple[int, ...]]


_CELLS = {
    (Studied.FOUND, Studied.FOUND): "both",
    (Studied.FOUND, Studied.NOT_FOUND): "finding_only",
    (Studied.NOT_FOUND, Studied.FOUND): "event_only",
    (Studied.NOT_FOUND, Studied.NOT_FOUND): "neither",
}


def cell_of(pair: OrganPair) -> str:
    """Return in which cell a molecule counts."""
    if pair.preclinical is Studied.NOT_STUDIED:
        return _IN_NONE if pair.clinical is Studied.NOT_STUDIED else "not_studied_in_animals"
    if pair.clinical is Studied.NOT_STUDIED:
        return "not_studied_in_people"
    return _CELLS[pair.preclinical, pair.clinical]


def by_system(pairs: Iterable[OrganPair], fewest: int, unstudied: int = 0) -> tuple[SystemConcordance, ...]:
    """Return the two-by-two of every system with anything found in it, and of all of them together first.

    unstudied: how many molecules were studied in nothing, and are in no pair.
    """
    cells: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    whole: dict[str, list[int]] = defaultdict(list)
    for pair in pairs:
        cells[pair.system][cell_of(pair)].append(pair.molecule)
        whole[cell_of(pair)].append(pair.molecule)
    if not cells:
        return ()
    rows = [_row(ALL_SYSTEMS, "All systems together", whole, fewest, unstudied * len(cells), ids=False)]
    rows += [_row(code, organ_name(code), of, fewest, unstudied, ids=True) for code, of in cells.items()]
    return tuple(rows)


def _row(
    code: str, name: str, cells: Mapping[str, list[int]], fewest: int, unstudied: int, *, ids: bool
) -> SystemConcordance:
    count = {cell: len(cells.get(cell, ())) for cell in (*_CELLS.values(), *_APART)}
    count[_IN_NONE] += unstudied
    both, finding, event, neither = (count[cell] for cell in _CELLS.values())
    table = two_by_two(both, finding, event, neither)
    shown = min(both + event, neither + finding) >= fewest
    positive = _with_limits(table.lr_positive, table.lr_positive_limits, shown=shown)
    negative = _with_limits(table.lr_negative, table.lr_negative_limits, shown=shown)
    return SystemConcordance(
        system=code,
        name=name,
        both=both,
        finding_only=finding,
        event_only=event,
        neither=neither,
        not_studied_in_animals=count["not_studied_in_animals"],
        not_studied_in_people=count["not_studied_in_people"],
        studied_in_none=count[_IN_NONE],
        sensitivity=proportion(both, both + event, fewest),
        specificity=proportion(neither, neither + finding, fewest),
        ppv=proportion(both, both + finding, fewest),
        npv=proportion(neither, neither + event, fewest),
        lr_positive=positive[0],
        lr_positive_low=positive[1],
        lr_positive_high=positive[2],
        lr_negative=negative[0],
        lr_negative_low=negative[1],
        lr_negative_high=negative[2],
        molecules={cell: tuple(sorted(of)) for cell, of in cells.items() if of and cell != _IN_NONE} if ids else {},
    )


_IN_NONE = "studied_in_none"
_APART = ("not_studied_in_animals", "not_studied_in_people", _IN_NONE)


def _with_limits(value: float | None, limits: Sequence[float] | None, *, shown: bool) -> tuple[float | None, ...]:
    if value is None or limits is None or not shown:
        return None, None, None
    return value, limits[0], limits[1]
