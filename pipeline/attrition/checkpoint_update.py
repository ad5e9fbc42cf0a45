"""The probability of approval of a programme after its checkpoint (F2): the odds of its phase times a likelihood ratio.

The ratio is that of the rule's own record: how often it stopped, or let go on, past programmes that later stopped for
what it is there to foresee, and past programmes that went on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pipeline.attrition.concordance import two_by_two
from pipeline.attrition.counting import proportion
from pipeline.attrition.review_results import Heard, SuccessProbability, UpdatedSuccess
from pipeline.attrition.success_probability import PhaseEvidence, success_probability

GO, STOP = "GO", "STOP"


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """A version of a rule over the past: what it would have done with programmes whose fate is known.

    stopped_bad, missed_bad: of those that stopped for what it is to foresee. stopped_good, passed_good: of those that
    went on.
    """

    rule: str
    version: int
    stopped_bad: int
    missed_bad: int
    stopped_good: int
    passed_good: int

    @property
    def bad(self) -> int:
        """Programmes that stopped for what the rule is to foresee."""
        return self.stopped_bad + self.missed_bad

    @property
    def good(self) -> int:
        """Programmes that went on."""
        return self.stopped_good + self.passed_good


def updated(
    heard: Heard, before: SuccessProbability, record: RuleRecord | None, fewest: int, beside: Sequence[str] = ()
) -> UpdatedSuccess:
    """Return the probability of approval of a programme after what its checkpoint said.

    With GO the likelihood ratio is P(go | good) / P(go | bad) = specificity / (1 - sensitivity) of the rule's stops,
    with STOP (1 - specificity) / sensitivity; its limits are log-normal. There is none where fewer than `fewest`
    programmes of either fate are known, or none of one fate was stopped or let go on.

    Args:
        heard: what the checkpoint says.
        before: the probability of the phase the programme is in, from the benchmark and our own outcomes.
        record: the replay of the rule; None where it cannot be run.
        fewest: how many programmes of each fate have to be known.
        beside: other checkpoints of the phase, which are not multiplied: they may hang together with this one.
    """
    first = before.phases[0]
    known = record or RuleRecord(heard.rule, heard.rule_version, 0, 0, 0, 0)
    ratio, told = _ratio(heard, known, fewest) if record else (None, "the rule is not on record, so it has no replay")
    values = [_after(before, one) for one in ratio or ()] or [(None, None)] * 3
    left_out = f"; not multiplied, as they may hang together: {', '.join(beside)}" if beside else ""
    return UpdatedSuccess(
        **asdict(heard),
        sensitivity=proportion(known.stopped_bad, known.bad, fewest),
        specificity=proportion(known.passed_good, known.good, fewest),
        likelihood_ratio=ratio and ratio[0],
        likelihood_ratio_low=ratio and ratio[1],
        likelihood_ratio_high=ratio and ratio[2],
        phase_before=first.mean,
        phase_after=values[0][0],
        before=before.mean,
        after=values[0][1],
        after_low=values[1][1],
        after_high=values[2][1],
        basis=(
            f"prior {before.source}: {100 * first.benchmark:.3g} % weighing {first.prior_programmes:g} programmes; own "
            f"record {first.successes} of {first.successes + first.failures}; {told}{left_out}"
        ),
    )


def _ratio(heard: Heard, record: RuleRecord, fewest: int) -> tuple[tuple[float, float, float] | None, str]:
    """Return how much likelier a good programme has this said of it than a bad one, with 95 % limits, and why."""
    none = "no likelihood ratio:"
    if not heard.said:
        return None, f"{none} the checkpoint waits for evidence"
    stop = heard.said == STOP
    bad, good = (record.stopped_bad, record.stopped_good) if stop else (record.missed_bad, record.passed_good)
    told = f"its replay has {good} of {record.good} that went on and {bad} of {record.bad} that stopped for it"
    told = f"{heard.said} of {heard.rule} {heard.rule_version}: {told}"
    if min(record.bad, record.good) < fewest:
        return None, f"{told}; {none} fewer than {fewest} of one fate are known"
    table = two_by_two(record.stopped_bad, record.stopped_good, record.missed_bad, record.passed_good)
    value, limits = (
        (table.lr_positive, table.lr_positive_limits) if stop else (table.lr_negative, table.lr_negative_limits)
    )
    if value is None or limits is None:
        return None, f"{told}; {none} none of one fate had it said of them"
    return (1 / value, 1 / limits[1], 1 / limits[0]), told


def _after(before: SuccessProbability, ratio: float) -> tuple[float | None, float | None]:
    """Return the rate of the current phase and the probability of approval after evidence with a likelihood ratio."""
    phases = [PhaseEvidence(p.benchmark, p.prior_programmes, p.successes, p.failures) for p in before.phases]
    found = success_probability(phases, ratio)
    return found.first_phase_after_evidence, found.pts_after_evidence
