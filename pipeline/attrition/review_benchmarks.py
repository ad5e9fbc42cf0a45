"""Published rates beside our own, counted alike, and the probability of success they give together (E2, F2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.attrition.benchmark import Benchmark
from pipeline.attrition.counting import (
    PATH_BY_PATH,
    PHASE_BY_PHASE,
    Tallies,
    difference,
    ended,
    proportion,
)
from pipeline.attrition.courses import APPROVED, IN_PHASE, STALLED, Courses
from pipeline.attrition.review_results import (
    BenchmarkComparison,
    Estimate,
    PhaseBelief,
    RuleRates,
    SuccessProbability,
)
from pipeline.attrition.success_probability import PhaseEvidence, success_probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

STAGE_OF_STEP: Mapping[str, str] = {
    "phase 1 to 2": "PHASE_1",
    "phase 2 to 3": "PHASE_2",
    "phase 3 to filing": "PHASE_3",
    "phase 3 to approval": "PHASE_3",
    "filing to approval": "PREAPPROVAL",
}
TO_APPROVAL = "phase 1 to approval"
TO_FILING, FROM_FILING = "phase 3 to filing", "filing to approval"
_RULE_OF = {"phase-by-phase": PHASE_BY_PHASE, "path-by-path": PATH_BY_PATH}


def compare(
    courses: Courses, rates: tuple[RuleRates, ...], tallies: Mapping[str, Tallies]
) -> tuple[BenchmarkComparison, ...]:
    """Set the published rows of the settings beside our own rates, each counted as its source counts."""
    by_rule = {one.rule: one for one in rates}
    found = []
    for row in courses.settings.benchmarks():
        rule = _RULE_OF[row.counting]
        numbers = row.n or (None,) * len(row.rates)
        for step, rate, n in zip(row.steps, row.rates, numbers, strict=True):
            stage = STAGE_OF_STEP[step]
            own, why = _own(courses, by_rule[rule], tallies[rule], step)
            found.append(_beside(row, stage, step, rate, n, own, why))
        if row.loa is not None:
            stage = courses.settings.likelihood_from
            likelihood = next((one for one in by_rule[rule].likelihoods if one.stage == stage), None)
            own = likelihood.estimate if likelihood else _nothing("no stage of approval is known")
            found.append(_beside(row, stage, TO_APPROVAL, row.loa, None, own, None))
    return tuple(found)


def _own(courses: Courses, rates: RuleRates, tallies: Tallies, step: str) -> tuple[Estimate, str | None]:
    """Return our rate of a step, and why it must not be compared, if so."""
    phases, stage = courses.phases.codes, STAGE_OF_STEP[step]
    if stage not in phases:
        return _nothing(f"{stage} is no phase of the state graph"), None
    rate = next(one for one in rates.phases if one.stage == stage)
    if step == "phase 3 to approval":
        return ended(tallies.ends(courses)[0, phases.index(stage)].tolist(), courses.settings.fewest), None
    if step == TO_FILING and courses.settings.filing in phases:
        filed = next(one for one in rates.phases if one.stage == courses.settings.filing)
        if not filed.entered and rate.advanced:
            return rate.rate, "filing is not on record here, so our rate is one to approval"
    return rate.rate, None


def _nothing(why: str) -> Estimate:
    empty = proportion(0, 0, 1)
    return Estimate(None, 0, 0, None, None, empty.method, why)


def _beside(
    row: Benchmark, stage: str, step: str, rate: float, n: int | None, own: Estimate, why: str | None
) -> BenchmarkComparison:
    apart = low = high = beyond = None
    if own.value is None:
        statement = f"no rate of our own to compare: {own.reason}"
    elif why is not None:
        statement = f"not compared: {why}"
    else:
        limits = None if n is None else difference(own, round(rate * n), n)
        if limits is None:
            assert own.low is not None
            assert own.high is not None
            apart, beyond = own.value - rate, not own.low <= rate <= own.high
            because = "the published rate comes without its numbers; it was held against our own interval"
        else:
            apart, low, high = limits
            beyond = not low <= 0 <= high
            because = f"95 % limits of the difference {100 * low:+.1f} to {100 * high:+.1f} points"
        more = "more" if beyond else "no more"
        statement = f"the difference of {100 * apart:+.1f} points is {more} than chance; {because}"
    return BenchmarkComparison(
        source=row.title,
        population=row.group,
        definition=f"{row.counting}, {step}",
        verification=row.verification,
        stage=stage,
        step=step,
        rate=rate,
        n=n,
        own=own,
        difference=apart,
        low=low,
        high=high,
        beyond_chance=beyond,
        statement=statement,
    )


def success(courses: Courses, tallies: Tallies) -> tuple[SuccessProbability, ...]:
    """Return the probability of approval from every phase a programme is in now (F2).

    The benchmark of the settings is the prior, our own outcomes phase by phase are added to it. Programmes before the
    first phase of the benchmark have none: nobody publishes such rates.
    """
    settings, prior, codes = courses.settings, courses.settings.prior, courses.phases.codes
    steps = [(STAGE_OF_STEP[step], rate) for step, rate in zip(prior.steps, prior.rates, strict=True)]
    if not courses.phases.approvable or any(stage not in codes for stage, _ in steps):
        return ()
    counts = tallies.counts(len(codes))[0]
    here = phase_now(courses)
    found = []
    for place, (stage, _) in enumerate(steps):
        number = codes.index(stage)
        inside = int((here == number).sum())
        if not inside:
            continue
        evidence = []
        for code, rate in steps[place:]:
            row = counts[codes.index(code)].tolist()
            ended = sum(row) - row[APPROVED] - row[IN_PHASE] - row[STALLED]
            evidence.append(PhaseEvidence(rate, settings.prior_programmes, row[APPROVED], ended))
        result = success_probability(evidence)
        if result.pts_mean is None or result.pts_sd is None:
            continue
        beliefs = tuple(
            PhaseBelief(
                stage=code,
                benchmark=one.benchmark,
                prior_programmes=one.prior_ess,
                successes=one.successes,
                failures=one.failures,
                mean=posterior.mean,
                low=posterior.ci95[0] if posterior.ci95 else None,
                high=posterior.ci95[1] if posterior.ci95 else None,
            )
            for (code, _), one, posterior in zip(steps[place:], evidence, result.phases, strict=True)
        )
        source = f"{prior.title}, {prior.group}"
        found.append(
            SuccessProbability(stage, inside, source, beliefs, result.pts_mean, result.pts_sd, tuple(result.flags))
        )
    return tuple(found)


def phase_now(courses: Courses) -> Ints:
    """Return the phase each programme is in now, (p,); -1 where it is not under way or has been approved."""
    import numpy as np

    phase = courses.phase[courses.last]
    under_way = (courses.standing == IN_PHASE) & (courses.top < len(courses.phases.codes))
    return np.where(under_way, phase, -1)


def success_of_each(courses: Courses, beliefs: tuple[SuccessProbability, ...]) -> tuple[float | None, ...]:
    """Return the probability of approval of every programme, None where there is none."""
    import numpy as np

    by_phase = np.full(len(courses.phases.codes) + 1, None)  # the last place is that of no phase, -1
    for one in beliefs:
        by_phase[courses.phases.codes.index(one.stage)] = one.mean
    return tuple(by_phase[phase_now(courses)].tolist())
