"""Decisions of interval designs while patients are still being followed (B7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.bounds import above_zero, events_among, not_negative, same_length, within
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import above
from pipeline.toxicity.boin import cut_points
from pipeline.toxicity.keyboard import HALF_WIDTH, keyboard_decision

MOST_PENDING = 0.5
FEWEST_FOR_THRESHOLDS = 9


class PendingDecision(StrEnum):
    """What to do at a dose while follow-up goes on."""

    ESCALATE = "E"
    STAY = "S"
    DEESCALATE = "D"
    SUSPEND = "SUSPEND"


class IntervalRule(StrEnum):
    """Which interval design turns the observed rate into a decision."""

    BOIN = "boin"
    KEYBOARD = "keyboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSampleSize(Outcome):
    """Patients counted by how much of the window they were followed, and the decision that follows."""

    ess: float
    pending: int
    p_hat: float | None
    decision: PendingDecision | None


@method(
    "B7_tite_ess",
    version=1,
    title="Decision with pending patients by effective sample size",
    source="Lin R, Yuan Y. Biostatistics 2020;21:807-824; cut-points of Liu and Yuan 2015",
    reference_inputs={"followup": "followup_days", "window": "window_days"},
)
def effective_sample_size(
    dlt: Sequence[int],
    followup_days: Sequence[float],
    window_days: float,
    target: float,
    max_pending_fraction: float = MOST_PENDING,
    p_saf: float | None = None,
    p_tox: float | None = None,
    rule: IntervalRule = IntervalRule.BOIN,
    margin: float = HALF_WIDTH,
) -> EffectiveSampleSize:
    """Decide at one dose with pending patients counted in part.

    A patient with a toxicity or followed through the window weighs 1, a pending one follow-up / window, and ess is
    the sum. BOIN: with p = x / ess escalate if p <= lambda_e, de-escalate if p >= lambda_d, else stay. Keyboard: the
    strongest key under Beta(1 + x, 1 + ess - x). Accrual is suspended while
    more than the largest fraction is pending, unless the toxicities ask for de-escalation, and whenever all are
    pending without a toxicity and escalation would follow.

    Args:
        dlt: 1 for a patient at this dose with a dose-limiting toxicity, else 0, (n,).
        followup_days: days each was followed, (n,); longer than the window counts as complete.
        window_days: days over which toxicity is looked for.
        target: target rate of dose-limiting toxicity, from 0.05 to 0.6.
        max_pending_fraction: share of pending patients above which accrual is suspended.
        p_saf: highest rate deemed under-dosing; 0.6 of the target by default.
        p_tox: lowest rate deemed over-dosing; 1.4 of the target by default.
        rule: boin, with p_saf and p_tox, or keyboard, with margin.
        margin: how far the target key reaches to either side of the target.

    Returns:
        E, S, D or SUSPEND. Without a patient there is no decision, for `no_data`; with no follow-up at all accrual is
        suspended and the rate is missing for `no_data`.

    Raises:
        InputError: the lists differ in length, a time is negative, or a number is out of range.
    """
    weights = follow_up_weights(dlt, followup_days, window_days)
    within(0, 1, max_pending_fraction=max_pending_fraction)
    lambda_e, lambda_d = cut_points(target, p_saf, p_tox)
    n, x, ess = len(dlt), sum(dlt), sum(weights)
    pending = sum(not toxic and days < window_days for toxic, days in zip(dlt, followup_days, strict=True))
    if n == 0:
        return EffectiveSampleSize(ess=0.0, pending=0, p_hat=None, decision=None, reason=Reason.NO_DATA)
    if ess == 0:
        return EffectiveSampleSize(
            ess=ess, pending=pending, p_hat=None, decision=PendingDecision.SUSPEND, missing={"p_hat": Reason.NO_DATA}
        )
    rate = x / ess
    decision = PendingDecision.STAY
    if rule is IntervalRule.KEYBOARD:
        decision = PendingDecision(keyboard_decision(x, ess, target, margin, margin))
    elif rate <= lambda_e:
        decision = PendingDecision.ESCALATE
    elif rate >= lambda_d:
        decision = PendingDecision.DEESCALATE
    many = above(pending, max_pending_fraction * n) and decision is not PendingDecision.DEESCALATE
    if many or (pending == n and decision is PendingDecision.ESCALATE):
        decision = PendingDecision.SUSPEND
    return EffectiveSampleSize(ess=ess, pending=pending, p_hat=rate, decision=decision)


def follow_up_weights(dlt: Sequence[int], followup_days: Sequence[float], window_days: float) -> list[float]:
    """Return the weight of each patient: 1 after a toxicity, else the share of the window that was followed."""
    same_length(dlt=dlt, followup_days=followup_days)
    above_zero(window_days=window_days)
    for toxic, days in zip(dlt, followup_days, strict=True):
        within(0, 1, dlt=toxic)
        not_negative(followup_days=days)
    return [1.0 if toxic else min(days / window_days, 1.0) for toxic, days in zip(dlt, followup_days, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpThresholds(Outcome):
    """Thresholds of the standardised total follow-up of the pending patients, in units of the window.

    `decides` is false below 9 patients, where the effective sample size decides.
    """

    lambda_e: float
    lambda_d: float
    p_interim: float
    escalate_if_stft_ge: float
    deescalate_if_stft_le: float
    decides: bool
    decision: PendingDecision | None


@method(
    "B7_titeboin_stft",
    version=1,
    title="TITE-BOIN thresholds of the standardised total follow-up time",
    source="Yuan Y et al. Clin Cancer Res 2018;24:4921-4930",
)
def follow_up_thresholds(
    n: int,
    dlt: int,
    pending: int,
    target: float,
    p_saf: float | None = None,
    p_tox: float | None = None,
    stft: float | None = None,
) -> FollowUpThresholds:
    """Compute the follow-up of pending patients that allows escalation, or asks for de-escalation.

    p = (x + target/2) / (n - c + 1) with c pending of n and x toxicities; STFT = sum of follow-up / window over the
    pending. Escalate if STFT >= c - (1-p)/p (n lambda_e - x), de-escalate if STFT <= c - (1-p)/p (n lambda_d - x).

    Args:
        n: patients at the dose.
        dlt: patients among them with a dose-limiting toxicity.
        pending: patients without toxicity whose follow-up is not complete.
        target: target rate of dose-limiting toxicity, from 0.05 to 0.6.
        p_saf: highest rate deemed under-dosing; 0.6 of the target by default.
        p_tox: lowest rate deemed over-dosing; 1.4 of the target by default.
        stft: total follow-up of the pending patients in units of the window, to decide by.

    Returns:
        The thresholds, and the decision where `stft` is given and there are at least 9 patients. While all patients
        are pending without a toxicity the dose is not raised; accrual is suspended instead.

    Raises:
        InputError: there are more toxic and pending patients than patients, or a number is out of range.
    """
    above_zero(n=n)
    events_among(n, dlt)
    not_negative(pending=pending)
    if pending > n - dlt:
        raise InputError(f"{pending} pending and {dlt} toxic of {n} patients are too many", path=("pending",))
    lambda_e, lambda_d = cut_points(target, p_saf, p_tox)
    within(0, pending, stft=stft)
    rate = (dlt + target / 2) / (n - pending + 1)
    odds = (1 - rate) / rate
    escalate, deescalate = pending - odds * (n * lambda_e - dlt), pending - odds * (n * lambda_d - dlt)
    decision = None
    if stft is not None and n >= FEWEST_FOR_THRESHOLDS:
        decision = PendingDecision.STAY
        if stft >= escalate:
            decision = PendingDecision.SUSPEND if pending == n else PendingDecision.ESCALATE
        elif stft <= deescalate:
            decision = PendingDecision.DEESCALATE
    return FollowUpThresholds(
        lambda_e=lambda_e,
        lambda_d=lambda_d,
        p_interim=rate,
        escalate_if_stft_ge=escalate,
        deescalate_if_stft_le=deescalate,
        decides=n >= FEWEST_FOR_THRESHOLDS,
        decision=decision,
        flags=() if n >= FEWEST_FOR_THRESHOLDS else ("effective_sample_size_decides",),
    )
