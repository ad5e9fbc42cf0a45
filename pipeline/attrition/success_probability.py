"""Probability of technical success over the phases that remain (F2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.efficacy.response_rate import check_level
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method


@dataclass(frozen=True, slots=True)
class PhaseEvidence:
    """One remaining phase: benchmark rate and its weight in programmes, and the centre's own record there."""

    benchmark: float
    prior_ess: float = 10.0
    successes: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class PhasePosterior:
    """Posterior Beta(alpha, beta) of a phase's success rate; no interval when the benchmark leaves no doubt."""

    posterior_alpha: float
    posterior_beta: float
    mean: float
    ci95: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessProbability(Outcome):
    """Posterior of every phase, their product with its standard deviation, and both after evidence at a checkpoint.

    Flag `weak_prior`: a prior of less than one programme lets a handful of failures decide.
    """

    phases: tuple[PhasePosterior, ...]
    pts_mean: float | None
    pts_sd: float | None
    first_phase_after_evidence: float | None
    pts_after_evidence: float | None


@method(
    "F2_pts_update",
    version=1,
    title="Probability of technical success update",
    source="Hampson LV et al. Clin Pharmacol Ther 2022;111:1050-1060",
)
def success_probability(
    phases: Sequence[PhaseEvidence],
    likelihood_ratio_first_phase: float | None = None,
    conf_level: float = 0.95,
) -> SuccessProbability:
    """Update the probability of technical success with the centre's record and with evidence at a checkpoint.

    Prior of a phase: Beta(m n0, (1 - m) n0) with benchmark rate m and n0 programmes of weight; own successes and
    failures are added. PTS is the product of the means (phases independent), its standard deviation comes from the
    second moments. Evidence with likelihood ratio LR turns the odds of the current phase only, and PTS is rescaled.
    LR comes from the operating characteristics of the checkpoint: P(go | good) / P(go | bad), or of stop. Pieces of
    evidence that hang together (response rate and tumour shrinkage) are one piece and must not be multiplied.

    Args:
        phases: the remaining phases, the current one first.
        likelihood_ratio_first_phase: likelihood ratio of the evidence, 0 for what a good molecule never shows; null
            for none.
        conf_level: level of the intervals.

    Raises:
        InputError: a benchmark outside 0 to 1, a weight that is not above 0, a negative count or likelihood ratio.
    """
    for index, phase in enumerate(phases):
        if not 0 <= phase.benchmark <= 1 or phase.prior_ess <= 0 or min(phase.successes, phase.failures) < 0:
            raise InputError(
                f"phase {index} needs a benchmark from 0 to 1, a weight above 0 and counts of 0 or more",
                path=("phases", str(index)),
            )
    ratio = likelihood_ratio_first_phase
    if ratio is not None and ratio < 0:
        raise InputError(f"a likelihood ratio is not negative, got {ratio:g}", path=("likelihood_ratio_first_phase",))
    check_level(conf_level)
    if not phases:
        return SuccessProbability(
            phases=(),
            pts_mean=None,
            pts_sd=None,
            first_phase_after_evidence=None,
            pts_after_evidence=None,
            reason=Reason.NO_DATA,
        )
    posteriors = tuple(_posterior(phase, conf_level) for phase in phases)
    mean = math.prod(posterior.mean for posterior in posteriors)
    second = math.prod(
        posterior.mean * (posterior.posterior_alpha + 1) / (posterior.posterior_alpha + posterior.posterior_beta + 1)
        for posterior in posteriors
    )
    updated = after = None
    if ratio is not None:
        first = posteriors[0].mean
        whole = first * ratio + 1 - first
        updated = first * ratio / whole if whole > 0 else None
        after = None if updated is None else updated * math.prod(posterior.mean for posterior in posteriors[1:])
    why = Reason.NO_DATA if ratio is None else Reason.NOT_ESTIMABLE
    missing = {} if after is not None else dict.fromkeys(("first_phase_after_evidence", "pts_after_evidence"), why)
    return SuccessProbability(
        phases=posteriors,
        pts_mean=mean,
        pts_sd=math.sqrt(max(second - mean**2, 0.0)),
        first_phase_after_evidence=updated,
        pts_after_evidence=after,
        missing=missing,
        flags=("weak_prior",) if any(phase.prior_ess < 1 for phase in phases) else (),
    )


def _posterior(phase: PhaseEvidence, conf_level: float) -> PhasePosterior:
    from scipy.special import betaincinv

    alpha = phase.benchmark * phase.prior_ess + phase.successes
    beta = (1 - phase.benchmark) * phase.prior_ess + phase.failures
    tail = (1 - conf_level) / 2
    interval = None
    if alpha > 0 and beta > 0:
        interval = (float(betaincinv(alpha, beta, tail)), float(betaincinv(alpha, beta, 1 - tail)))
    return PhasePosterior(alpha, beta, alpha / (alpha + beta), interval)
