"""What an attrition review says: every figure with the numbers it is made of, as frozen records.

Nothing here computes. A figure that cannot be given is None and says why; a list is empty where there is nothing to
list. Years are of 365.25 days. `pipeline.attrition.review_json` writes these records as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.attrition.concordance import SystemConcordance
    from pipeline.attrition.missed_signals import MissedSignals


@dataclass(frozen=True, slots=True)
class Estimate:
    """k of n with a two-sided 95 % interval. `value` is None where it must not be shown, and `reason` says why."""

    value: float | None
    k: int
    n: int
    low: float | None
    high: float | None
    method: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PhaseRate:
    """What became of the programmes of one phase under one counting rule; `stage` is the code of the phase.

    entered = advanced + stopped + in_phase + stalled, except where exits are counted instead of programmes. `stopped`
    holds `unannounced`: the phase was over and nothing followed for longer than its waiting time.
    """

    stage: str
    entered: int
    advanced: int
    stopped: int
    unannounced: int
    in_phase: int
    stalled: int
    rate: Estimate
    in_phase_share: float | None


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The likelihood of approval from a phase on; `steps` are the phases whose rates it is made of."""

    stage: str
    steps: tuple[str, ...]
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class RuleRates:
    """All rates under one counting rule: PHASE_BY_PHASE, PATH_BY_PATH or PROGRESSION_DECISION."""

    rule: str
    definition: str
    source: str
    phases: tuple[PhaseRate, ...]
    likelihoods: tuple[Likelihood, ...]


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of the time in a stage in years, with its 95 % limits; None where the curve does not come so low."""

    probability: float
    years: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long programmes stay in a stage: Kaplan-Meier with delayed entry, everyone who left counted.

    shortest_median and longest_median: the median if every date that is not known to the day lay so that the stays are
    as short, or as long, as they can be. Equal to the median where all dates are known to the day.
    """

    stage: str
    stays: int
    left: int
    late_entries: int
    smallest_risk_set: int | None
    quartiles: tuple[Quantile, ...]
    shortest_median: float | None
    longest_median: float | None

    @property
    def median(self) -> float | None:
        """The median in years."""
        return next((one.years for one in self.quartiles if one.probability == 0.5), None)


@dataclass(frozen=True, slots=True)
class IncidenceCurve:
    """Cumulative incidence of one way to leave a stage, by years since entering it, with 95 % limits.

    cause: ADVANCED, TOXICITY, EFFICACY, EXPOSURE, OTHER, NOT_STATED or UNANNOUNCED. A limit is None where it is not
    defined: at 0 and 1, and where nobody is left.
    """

    stage: str
    cause: str
    events: int
    years: tuple[float, ...]
    probability: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    at_risk: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CalendarOccupation:
    """How many programmes stood in each state on a day: state -> one count for each of the days."""

    days: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class SinceEntry:
    """Probability of each state by years since the programmes were first on record, all of them or from one stage.

    from_stage: None for all programmes, wherever they began. at_risk counts who is still followed.
    """

    from_stage: str | None
    programmes: int
    years: tuple[float, ...]
    probability: dict[str, tuple[float, ...]]
    at_risk: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GroupReview:
    """The figures of one group, under the rule of the review. dimension: "modality", "disease_group" and so on."""

    dimension: str
    group: str
    programmes: int
    phases: tuple[PhaseRate, ...]
    likelihood: Likelihood | None
    late_share: Estimate
    times: tuple[StageTime, ...]


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """Whether groups differ by more than chance in one phase.

    of: "rate", how many advance (Pearson's chi-square), or "time", how long they stay (log-rank test). groups: those
    with enough known outcomes, or stays, to be compared. p_value is None where fewer than two can be, or where an
    expected count is below 5; `statement` says it in words.
    """

    dimension: str
    stage: str
    groups: tuple[str, ...]
    chi_square: float | None
    df: int | None
    p_value: float | None
    statement: str
    of: str = "rate"


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many stops in a stage had this reason as the primary one, and how many as a contributing one.

    kind: the cause it belongs to. contributing is None where contributing reasons are not recorded.
    """

    stage: str
    reason: str
    kind: str
    count: int
    contributing: int | None = None


@dataclass(frozen=True, slots=True)
class LateShareOfYear:
    """Scientific stops of one year: how many of them came late."""

    year: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class BenchmarkComparison:
    """A published rate beside our own, counted the same way as far as the records allow.

    step: from `stage` to what the source counts as success. difference is own minus published, with Newcombe limits;
    beyond_chance: whether they leave out zero, None where it cannot be said. `statement` says it in words.
    """

    source: str
    population: str
    definition: str
    verification: str
    stage: str
    step: str
    rate: float
    n: int | None
    own: Estimate
    difference: float | None
    low: float | None
    high: float | None
    beyond_chance: bool | None
    statement: str


@dataclass(frozen=True, slots=True)
class PhaseBelief:
    """Success rate of a remaining phase: the benchmark as prior, the centre's own record, and both together."""

    stage: str
    benchmark: float
    prior_programmes: float
    successes: int
    failures: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SuccessProbability:
    """Probability of approval of each programme that is in this phase now (F2)."""

    stage: str
    programmes: int
    source: str
    phases: tuple[PhaseBelief, ...]
    mean: float
    sd: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the checkpoint of a programme says: GO or STOP, or "" where it rests on no evidence yet."""

    programme: int
    name: str
    stage: str
    checkpoint: int
    kind: str
    rule: str
    rule_version: int
    assessed_on: str
    recommendation: str
    verdict: str | None
    said: str


@dataclass(frozen=True, slots=True)
class UpdatedSuccess(Heard):
    """The probability of approval of one programme before and after its latest checkpoint in its phase (F2).

    sensitivity: of the rule's stops among past programmes that stopped for what it foresees; specificity: of its
    letting go on those that went on. likelihood_ratio: how much likelier a programme that goes on has this said of it
    than one that does not, with 95 % limits; None where the rule's record does not give one. after_low, after_high:
    with the limits of the ratio alone. basis: where each factor comes from, or why there is none.
    """

    sensitivity: Estimate
    specificity: Estimate
    likelihood_ratio: float | None
    likelihood_ratio_low: float | None
    likelihood_ratio_high: float | None
    phase_before: float
    phase_after: float | None
    before: float
    after: float | None
    after_low: float | None
    after_high: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class Standings:
    """Where every programme of the review stood, as columns of equal length, by ascending id.

    standing: IN_PHASE, STALLED, STOPPED, UNANNOUNCED or APPROVED. since: first day of the present stage or stop.
    success: probability of approval (F2), None where the programme is not under way or nothing is known to start from.
    """

    programme: tuple[int, ...]
    name: tuple[str, ...]
    stage: tuple[str, ...]
    standing: tuple[str, ...]
    since: tuple[str, ...]
    success: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Caveat:
    """What cannot be said, or not surely: how many rows it touches, and the first of them by name.

    code: a short word for programs. programmes: ids of the first ones; names: what they are called.
    """

    code: str
    sentence: str
    count: int
    programmes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What a review was asked: enough to compute it again.

    day: until when programmes are followed. as_of: the day asked for, None for all that is on record. known_at: the
    number of the last act that counts. observed_from: "history", "record" or a day. window: first and last day of the
    exits that count, None for all. filter: the portfolio filter, without its empty parts. settings: see
    `pipeline.attrition.review_settings`.
    """

    rule: str
    day: str
    as_of: str | None
    known_at: int
    observed_from: str
    window: tuple[str | None, str | None]
    filter: dict[str, object]
    settings: dict[str, object]


@dataclass(frozen=True, slots=True)
class AttritionReview:
    """Where, when and why programmes stop. `method` and `version` say how it was computed; so do `methods` by id.

    missed and concordance are None where the records of studies were not asked for, updates where checkpoints were not.
    """

    method: str
    version: int
    methods: dict[str, int]
    question: Question
    programmes: int
    transitions: int
    late_entries: int
    rates: tuple[RuleRates, ...]
    times: tuple[StageTime, ...]
    incidence: tuple[IncidenceCurve, ...]
    calendar: CalendarOccupation
    since_entry: tuple[SinceEntry, ...]
    reasons: tuple[ReasonCount, ...]
    late_share: Estimate
    late_share_by_year: tuple[LateShareOfYear, ...]
    groups: tuple[GroupReview, ...]
    comparisons: tuple[GroupComparison, ...]
    benchmarks: tuple[BenchmarkComparison, ...]
    success: tuple[SuccessProbability, ...]
    standings: Standings
    caveats: tuple[Caveat, ...]
    definitions: dict[str, str]
    missed: MissedSignals | None = None
    concordance: tuple[SystemConcordance, ...] | None = None
    updates: tuple[UpdatedSuccess, ...] | None = None

    @property
    def counted(self) -> RuleRates:
        """The rates under the rule that was asked for."""
        return next(one for one in self.rates if one.rule == self.question.rule)

    @property
    def likelihood(self) -> Likelihood | None:
        """The likelihood of approval from the first phase in man on, under the rule that was asked for."""
        begin = self.question.settings["likelihood_from"]
        return next((one for one in self.counted.likelihoods if one.stage == begin), None)

    @property
    def method_version(self) -> str:
        """Method and version in one word, as it is stamped on pages."""
        return f"{self.method} {self.version}"
