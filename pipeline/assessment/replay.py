"""A rule run over the past: what it would have said while it could, against what became of each programme. Pure.

A moment is what was known at one act. Only moments count at which the programme was, as far as was known, under way at
a stage the rule is for, and not after the day it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pipeline.assessment.finding import Finding
from pipeline.efficacy.response_rate import wilson
from pipeline.words import AttritionReason, CheckpointKind, Verdict

DAYS_PER_MONTH = 365.25 / 12
HOLDING_METHODS = frozenset({"B9", "B10"})
"""Methods that recommend HOLD, not NO_GO, where they found something."""

REASONS = {
    CheckpointKind.TOXICITY: frozenset({AttritionReason.TOX_NONCLINICAL, AttritionReason.TOX_CLINICAL}),
    CheckpointKind.EFFICACY: frozenset(
        {AttritionReason.EFFICACY_LACK, AttritionReason.EFFICACY_INFERIOR, AttritionReason.TARGET_INVALID}
    ),
}
"""The reasons of a stop that a rule of each kind is there to foresee."""


class Fate(StrEnum):
    """What became of a programme, as far as a rule is concerned."""

    STOPPED_FOR_IT = "STOPPED_FOR_IT"
    STOPPED_OTHERWISE = "STOPPED_OTHERWISE"
    WENT_ON = "WENT_ON"
    IN_PHASE = "IN_PHASE"


class Replay(StrEnum):
    """What a rule would have done with a programme."""

    STOPPED_EARLIER = "STOPPED_EARLIER"
    MISSED = "MISSED"
    WRONGLY_STOPPED = "WRONGLY_STOPPED"
    CORRECTLY_CONTINUED = "CORRECTLY_CONTINUED"
    IN_PHASE = "IN_PHASE"
    STOPPED_OTHERWISE = "STOPPED_OTHERWISE"
    NOT_JUDGED = "NOT_JUDGED"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a rule says on what was known at an act.

    Attributes:
        act: the act's number.
        day: the day it was recorded, YYYY-MM-DD.
        verdict: the recommendation.
        judged: whether there was evidence to say it on.
        stops: whether it would have stopped the programme.
        subjects: subjects on record then.
    """

    act: int
    day: str
    verdict: Verdict
    judged: bool
    stops: bool
    subjects: int = 0


@dataclass(frozen=True, slots=True)
class Course:
    """A programme with the moments of a rule, its fate, the last day its stop can mean, and its subjects in all."""

    programme: int
    moments: tuple[Moment, ...]
    fate: Fate
    stopped_from: str | None = None
    stopped_by: str | None = None
    subjects: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a rule would have done with one programme: when it would have stopped it, and what that had saved."""

    programme: int
    outcome: Replay
    fate: Fate
    act: int | None = None
    day: str | None = None
    months: float = 0.0
    subjects: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """k of n with a 95 % Wilson interval; no value where n is 0."""

    k: int
    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A rule over many programmes. `months_saved` and `subjects_spared` are sums over those stopped earlier."""

    programmes: int
    in_phase: int
    stopped_otherwise: int
    not_judged: int
    stopped_earlier: int
    missed: int
    wrongly_stopped: int
    correctly_continued: int
    months_saved: float
    subjects_spared: int
    sensitivity: Share
    specificity: Share


def is_judged(finding: Finding) -> bool:
    """Return whether a finding rests on evidence: a rule that waits for some has no statistic."""
    return finding.recommendation is not Verdict.HOLD or finding.statistic is not None


def stops(methods: Iterable[str], finding: Finding) -> bool:
    """Return whether a finding of a rule that uses these methods would stop a programme as it is.

    NO_GO and RECYCLE do; HOLD where the method has no other word for what it found.
    """
    if finding.recommendation in (Verdict.NO_GO, Verdict.RECYCLE):
        return True
    if finding.recommendation is not Verdict.HOLD or finding.statistic is None or finding.threshold is None:
        return False
    return bool(HOLDING_METHODS.intersection(methods)) and finding.statistic > finding.threshold


def fate_of(kind: CheckpointKind, *, stopped: bool, reason: str | None, beyond: bool, done: bool) -> Fate:
    """Return what became of a programme for a rule of a kind.

    `beyond`: it got past the stages the rule is for; `done`: its planned work was completed. A stop for what the rule
    is to foresee counts wherever it came; a stop for anything else, past those stages, counts as having gone on.
    """
    if stopped and reason in REASONS[kind]:
        return Fate.STOPPED_FOR_IT
    if beyond or (done and not stopped):
        return Fate.WENT_ON
    return Fate.STOPPED_OTHERWISE if stopped else Fate.IN_PHASE


def replayed(course: Course) -> Replayed:
    """Return what a rule would have done with one programme."""
    counted = [each for each in course.moments if course.stopped_by is None or each.day <= course.stopped_by]
    if course.fate is Fate.IN_PHASE:
        outcome = Replay.IN_PHASE
    elif course.fate is Fate.STOPPED_OTHERWISE:
        outcome = Replay.STOPPED_OTHERWISE
    elif not any(each.judged for each in counted):
        outcome = Replay.NOT_JUDGED
    else:
        outcome = None
    first = next((each for each in counted if each.stops), None)
    if outcome is None:
        bad = course.fate is Fate.STOPPED_FOR_IT
        if first is None:
            outcome = Replay.MISSED if bad else Replay.CORRECTLY_CONTINUED
        else:
            outcome = Replay.STOPPED_EARLIER if bad else Replay.WRONGLY_STOPPED
    if first is None:
        return Replayed(course.programme, outcome, course.fate)
    months, subjects = 0.0, 0
    if outcome is Replay.STOPPED_EARLIER:
        if course.stopped_from is not None:
            days = (date.fromisoformat(course.stopped_from) - date.fromisoformat(first.day)).days
            months = max(0.0, days / DAYS_PER_MONTH)
        subjects = max(0, course.subjects - first.subjects)
    return Replayed(course.programme, outcome, course.fate, first.act, first.day, months, subjects)


def summarised(found: Sequence[Replayed]) -> Summary:
    """Return a rule's record over many programmes; those still in phase or stopped for another reason stand apart."""
    counts = Counter(each.outcome for each in found)
    earlier, missed = counts[Replay.STOPPED_EARLIER], counts[Replay.MISSED]
    wrong, right = counts[Replay.WRONGLY_STOPPED], counts[Replay.CORRECTLY_CONTINUED]
    return Summary(
        programmes=len(found),
        in_phase=counts[Replay.IN_PHASE],
        stopped_otherwise=counts[Replay.STOPPED_OTHERWISE],
        not_judged=counts[Replay.NOT_JUDGED],
        stopped_earlier=earlier,
        missed=missed,
        wrongly_stopped=wrong,
        correctly_continued=right,
        months_saved=sum(each.months for each in found),
        subjects_spared=sum(each.subjects for each in found),
        sensitivity=_share(earlier, earlier + missed),
        specificity=_share(right, right + wrong),
    )


def _share(k: int, n: int) -> Share:
    low, high = wilson(k, n) if n else (None, None)
    return Share(k, n, k / n if n else None, low, high)
