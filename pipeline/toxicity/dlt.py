"""Dose-limiting toxicity of one patient, by a rule set that is data (B2)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pipeline.bounds import above_zero, not_negative, within
from pipeline.outcome import Outcome, method
from pipeline.rounding import at_least

WORST_GRADE = 5


@dataclass(frozen=True, slots=True)
class DltCriterion:
    """What makes an event dose-limiting: at least this grade, longer than so many days, with bleeding."""

    code: str
    grade: int
    longer_than_days: float | None = None
    bleeding: bool = False


@dataclass(frozen=True, slots=True)
class DltGroup:
    """Terms that are judged by the same criteria."""

    terms: tuple[str, ...]
    criteria: tuple[DltCriterion, ...]


@dataclass(frozen=True, slots=True)
class DltRules:
    """A protocol's definition; see dlt_default.toml for the meaning of each entry."""

    name: str
    version: int
    window_days: float
    least_dose_fraction: float
    longest_cycle_delay_days: float
    never: tuple[str, ...]
    laboratory: tuple[DltCriterion, ...]
    other: tuple[DltCriterion, ...]
    groups: tuple[DltGroup, ...]

    def criteria_for(self, event: DltEvent) -> tuple[DltCriterion, ...]:
        """Return the criteria an event is judged by; none for a term that never counts."""
        term = plain_term(event.term)
        if term in self.never:
            return ()
        for group in self.groups:
            if term in group.terms:
                return group.criteria
        return self.laboratory if event.lab_only else self.other


@dataclass(frozen=True, slots=True)
class DltEvent:
    """One adverse event. `duration_days` is None while it goes on, `grade` where it was not graded by CTCAE."""

    term: str
    grade: int | None
    onset_day: float
    duration_days: float | None = None
    related: bool = True
    bleeding: bool = False
    lab_only: bool = False


@dataclass(frozen=True, slots=True)
class DltObservation:
    """How long and how fully one patient was observed and treated; days count from the first dose as day 1."""

    followup_days: float
    dose_fraction_received: float
    on_study: bool
    window_days: float | None = None
    hys_law: bool = False
    next_cycle_delay_days: float | None = None


class DltStatus(StrEnum):
    """What a patient counts as for dose escalation."""

    DLT = "dlt"
    NO_DLT = "no_dlt"
    PENDING = "pending"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class DltAssessment(Outcome):
    """The status, whether the patient counts, and the codes of what was dose-limiting, in order of occurrence."""

    status: DltStatus
    is_dlt: bool
    evaluable: bool
    reasons: tuple[str, ...]
    provisional: bool


@functools.cache
def default_rules() -> DltRules:
    """Return the rule set used where a protocol gives none."""
    import tomllib
    from importlib.resources import files

    return rules_from(
        tomllib.loads(files("pipeline.toxicity").joinpath("dlt_default.toml").read_text(encoding="utf-8"))
    )


def rules_from(content: Mapping[str, Any]) -> DltRules:
    """Return the rule set a parsed TOML file states."""
    plain: dict[str, Any] = dict(content)
    return DltRules(
        **{
            **plain,
            "never": tuple(plain["never"]),
            "laboratory": _criteria(plain["laboratory"]),
            "other": _criteria(plain["other"]),
            "groups": tuple(DltGroup(tuple(group["terms"]), _criteria(group["criteria"])) for group in plain["groups"]),
        }
    )


def _criteria(rows: Iterable[Mapping[str, Any]]) -> tuple[DltCriterion, ...]:
    return tuple(DltCriterion(**row) for row in rows)


def plain_term(term: str) -> str:
    """Return a term as rule sets spell it: lower case, one underscore between words."""
    return "_".join(term.lower().replace("-", " ").replace("_", " ").split())


@method(
    "B2_dlt",
    version=1,
    title="Dose-limiting toxicity of one patient",
    source="Le Tourneau C et al. J Natl Cancer Inst 2009;101:708-720",
    reference_inputs={"meta": "observation"},
)
def dose_limiting_toxicity(
    events: Sequence[DltEvent], observation: DltObservation, rules: DltRules | None = None
) -> DltAssessment:
    """Decide whether a patient had a dose-limiting toxicity, and whether the patient counts.

    An event counts when it is at least possibly related and starts on day 1 to the last day of the window. The same
    event graded twice (same term, same onset) counts once, at its worst. Hy's law and a delay of the next cycle
    beyond the limit count as well. Status: dlt if any; else no_dlt with enough of the dose and follow-up through the
    window; else pending while on study with enough of the dose; else replace. A dose-limiting toxicity makes the
    patient evaluable whatever the dose.

    Args:
        events: adverse events with CTCAE grade, onset day and duration in days.
        observation: follow-up, share of the planned dose received, and what is not an event.
        rules: the protocol's definition; without one, the default rule set.

    Returns:
        Status and codes. `provisional` is true when an event that goes on, or was not graded, may still change it.

    Raises:
        InputError: a grade is not 0 to 5, or a day, duration or dose is negative.
    """
    rules = rules or default_rules()
    window = rules.window_days if observation.window_days is None else observation.window_days
    above_zero(window_days=window)
    not_negative(
        followup_days=observation.followup_days,
        dose_fraction_received=observation.dose_fraction_received,
        next_cycle_delay_days=observation.next_cycle_delay_days,
    )
    reasons: dict[str, None] = {}
    provisional = False
    for event in events:
        within(0, WORST_GRADE, grade=event.grade)
        not_negative(duration_days=event.duration_days)
    for event in _worst([event for event in events if event.related and 1 <= event.onset_day <= window]):
        code, open_still = _judged(event, rules, observation.followup_days)
        if code is not None:
            reasons[code] = None
        provisional = provisional or open_still
    if observation.hys_law:
        reasons["hys_law"] = None
    delay = observation.next_cycle_delay_days
    if delay is not None and delay > rules.longest_cycle_delay_days:
        reasons["cycle_delay"] = None
    treated = at_least(observation.dose_fraction_received, rules.least_dose_fraction)
    status = DltStatus.REPLACE
    if reasons:
        status = DltStatus.DLT
    elif treated and observation.followup_days >= window:
        status = DltStatus.NO_DLT
    elif treated and observation.on_study:
        status = DltStatus.PENDING
    return DltAssessment(
        status=status,
        is_dlt=bool(reasons),
        evaluable=status in (DltStatus.DLT, DltStatus.NO_DLT),
        reasons=tuple(reasons),
        provisional=provisional and not reasons,
    )


def _worst(events: Sequence[DltEvent]) -> list[DltEvent]:
    """Return the events, one for each term and onset: the one of the highest grade, then of the longest duration.

    Bleeding seen at one grading counts; an abnormality is isolated only if every grading calls it so.
    """
    worst: dict[tuple[str, float], DltEvent] = {}
    for event in events:
        key = plain_term(event.term), event.onset_day
        before = worst.get(key, event)
        worst[key] = replace(
            max(before, event, key=_severity),
            bleeding=before.bleeding or event.bleeding,
            lab_only=before.lab_only and event.lab_only,
        )
    return list(worst.values())


def _severity(event: DltEvent) -> tuple[int, float]:
    duration = float("inf") if event.duration_days is None else event.duration_days
    return (-1 if event.grade is None else event.grade), duration


def _judged(event: DltEvent, rules: DltRules, followup_days: float) -> tuple[str | None, bool]:
    """Return the code of the criterion an event meets, and whether time may still let it meet one."""
    if event.grade is None:
        return None, True
    if event.grade == WORST_GRADE:
        return "grade_5", False
    ongoing = event.duration_days is None
    days = max(followup_days - event.onset_day + 1, 0) if event.duration_days is None else event.duration_days
    open_still = False
    for criterion in rules.criteria_for(event):
        if event.grade < criterion.grade or (criterion.bleeding and not event.bleeding):
            continue
        if criterion.longer_than_days is None or days > criterion.longer_than_days:
            return criterion.code, False
        open_still = open_still or ongoing
    return None, open_still
