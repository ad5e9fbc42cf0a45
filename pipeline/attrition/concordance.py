"""Preclinical finding against clinical event: the two-by-two of each organ system over molecules (E11)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from pipeline.attrition.counting import proportion
from pipeline.attrition.organ_systems import organ_name, organ_systems
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


@dataclass(frozen=True, slots=True, eq=False)
class Studied:
    """Which molecules were studied, and in which something was found, by organ system.

    animals: those whose animals were looked at there. findings, events: those with a finding in animals, with an event
    in people. people: those with safety records of people, whatever was found.
    """

    animals: Mapping[str, Set[int]]
    findings: Mapping[str, Set[int]]
    events: Mapping[str, Set[int]]
    people: Set[int]

    def cells(self, system: str) -> dict[str, Set[int]]:
        """Return the molecules of each cell; those that were studied in neither are not among them."""
        findings, events = self.findings.get(system, _NOBODY), self.events.get(system, _NOBODY)
        clear = self.animals.get(system, _NOBODY) - findings
        well = self.people - events
        looked_at = findings | clear
        return {
            "both": findings & events,
            "finding_only": findings & well,
            "event_only": clear & events,
            "neither": clear & well,
            "not_studied_in_animals": (events | well) - looked_at,
            "not_studied_in_people": looked_at - events - well,
        }


_NOBODY: Set[int] = frozenset()


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


def by_system(studied: Studied, fewest: int, molecules: int) -> tuple[SystemConcordance, ...]:
    """Return the two-by-two of every system with anything found in it, and of all of them together first.

    molecules: how many there are, those that were studied in nothing among them.
    """
    found = {system for of in (studied.findings, studied.events) for system, some in of.items() if some}
    cells = {one.code: studied.cells(one.code) for one in organ_systems() if one.code in found}
    if not cells:
        return ()
    rows = []
    whole: Counter[str] = Counter()
    for code, of in cells.items():
        count = Counter({cell: len(some) for cell, some in of.items()})
        count[_IN_NONE] = molecules - count.total()
        whole.update(count)
        ids = {cell: tuple(sorted(some)) for cell, some in of.items() if some}
        rows.append(_row(code, organ_name(code), count, fewest, ids))
    return (_row(ALL_SYSTEMS, "All systems together", whole, fewest, {}), *rows)


def _row(
    code: str, name: str, count: Mapping[str, int], fewest: int, molecules: dict[str, tuple[int, ...]]
) -> SystemConcordance:
    both, finding, event, neither = (count[cell] for cell in ("both", "finding_only", "event_only", "neither"))
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
        molecules=molecules,
    )


_IN_NONE = "studied_in_none"


def _with_limits(value: float | None, limits: Sequence[float] | None, *, shown: bool) -> tuple[float | None, ...]:
    if value is None or limits is None or not shown:
        return None, None, None
    return value, limits[0], limits[1]
