"""How late molecules are dropped: the late-stage attrition index (E9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

PRECLINICAL_STAGES = ("CREFRE", "PRECLINICAL_PHARMACOLOGY", "PRECLINICAL_TOXICOLOGY", "CTA")
EARLY_STAGES = (*PRECLINICAL_STAGES, "CLIPP", "PHASE1", "PHASE2", "PHASE_1", "PHASE_1_2", "PHASE_2")
LATE_STAGES = (
    *("PHASE3", "PHASE4", "APPROVED"),
    *("PHASE_2_3", "PHASE_3", "PREAPPROVAL", "APPROVAL", "PHASE_4", "WITHDRAWAL"),
)
FEW_DROPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LateStageIndex(Outcome):
    """Share of the drops that happen late, by count and by weight, beside a benchmark.

    `late_failure_rate` is that of the late-stage programmes with an outcome. Flags: `few_drops`, below 10, show counts;
    `preclinical_included`, the benchmark knows no preclinical drops but the index beside it counts some.
    """

    late_drops: int
    drops: int
    lsai_count: float | None
    lsai_weighted: float | None
    benchmark_lsai: float | None
    ratio_to_benchmark: float | None
    late_failure_rate: float | None


@method(
    "E9_late_stage_attrition_index",
    version=1,
    title="Late-stage attrition index",
    source="Moltrail, definition",
)
def late_stage_index(
    drops_by_stage: Mapping[str, int],
    weights: Mapping[str, float] | None = None,
    benchmark_phase_success: tuple[float, float, float] | None = None,
    late_stage_outcomes: int | None = None,
    late_stages: Sequence[str] = LATE_STAGES,
) -> LateStageIndex:
    """Return which part of all drops happens in phase 3 or later.

    LSAI = late drops / all drops; weighted with a weight for each stage (relative cost, or patients exposed). The
    benchmark among drops after entering the clinic is p1 p2 (1 - p3) / (1 - p1 p2 p3), with p3 from phase 3 to
    approval. It has no preclinical drops: leave the preclinical stages out when comparing with it; else the flag
    `preclinical_included` says that they were counted.

    Args:
        drops_by_stage: stage -> drops in it.
        weights: stage -> weight of a drop there, for every stage with drops; null leaves the weighted index out.
        benchmark_phase_success: success of phases 1, 2 and 3; null leaves the benchmark out.
        late_stage_outcomes: late-stage programmes with an outcome; null leaves the failure rate out.
        late_stages: which stages are late.

    Returns:
        The indices; without drops they are missing, for `no_data`.

    Raises:
        InputError: an unknown stage, a negative count or weight, a stage without a weight, a success rate outside 0
            to 1, or more late drops than late-stage outcomes.
    """
    _check(drops_by_stage, weights, benchmark_phase_success, late_stages)
    late = {stage: count for stage, count in drops_by_stage.items() if stage in late_stages}
    late_drops, drops = sum(late.values()), sum(drops_by_stage.values())
    if late_stage_outcomes is not None and late_drops > late_stage_outcomes:
        raise InputError(
            f"{late_drops} late drops among {late_stage_outcomes} late-stage outcomes cannot be",
            path=("late_stage_outcomes",),
        )
    count = late_drops / drops if drops else None
    weighted = benchmark = None
    if weights is not None:
        whole = sum(weights[stage] * number for stage, number in drops_by_stage.items() if number)
        weighted = sum(weights[stage] * number for stage, number in late.items() if number) / whole if whole else None
    if benchmark_phase_success is not None:
        p1, p2, p3 = benchmark_phase_success
        failing = 1 - p1 * p2 * p3
        benchmark = p1 * p2 * (1 - p3) / failing if failing > 0 else None
    unlike = benchmark is not None and any(drops_by_stage.get(stage) for stage in PRECLINICAL_STAGES)
    values = {
        "lsai_count": count,
        "lsai_weighted": weighted,
        "benchmark_lsai": benchmark,
        "ratio_to_benchmark": count / benchmark if count is not None and benchmark else None,
        "late_failure_rate": late_drops / late_stage_outcomes if late_stage_outcomes else None,
    }
    return LateStageIndex(
        late_drops=late_drops,
        drops=drops,
        lsai_count=count,
        lsai_weighted=weighted,
        benchmark_lsai=benchmark,
        ratio_to_benchmark=values["ratio_to_benchmark"],
        late_failure_rate=values["late_failure_rate"],
        missing={name: Reason.NO_DATA for name, value in values.items() if value is None},
        flags=(*(("few_drops",) if drops < FEW_DROPS else ()), *(("preclinical_included",) if unlike else ())),
    )


def _check(
    drops: Mapping[str, int],
    weights: Mapping[str, float] | None,
    success: tuple[float, float, float] | None,
    late_stages: Sequence[str],
) -> None:
    for stage, count in drops.items():
        if stage not in late_stages and stage not in EARLY_STAGES:
            raise InputError(
                f"is {stage!r} an early or a late stage? known: {', '.join((*EARLY_STAGES, *late_stages))}",
                path=("drops_by_stage", stage),
            )
        if count < 0:
            raise InputError(f"the drops in {stage} are negative", path=("drops_by_stage", stage))
        if weights is not None and count and weights.get(stage, -1.0) < 0:
            raise InputError(f"the stage {stage} needs a weight of 0 or more", path=("weights", stage))
    if success is not None and not all(0 <= rate <= 1 for rate in success):
        raise InputError(f"success rates lie between 0 and 1, got {success}", path=("benchmark_phase_success",))
