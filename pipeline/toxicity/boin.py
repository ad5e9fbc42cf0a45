"""The Bayesian optimal interval design (B4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from pipeline.bounds import between, events_among, same_length, within
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import below
from pipeline.toxicity.boundaries import MOST_PATIENTS, NEVER, Boundaries, DecisionTable, listed, smallest_over
from pipeline.toxicity.selection import CUTOFF_ELIMINATE, FEWEST_TO_ELIMINATE, counts, selected_dose

LOWEST_TARGET, HIGHEST_TARGET = 0.05, 0.6
UNDERDOSING, OVERDOSING = 0.6, 1.4
LEAST_DISTANCE = 0.1
MOST_DOSES = 50
INTEGER_WITHIN = 1e-12

LIU_YUAN = "Liu S, Yuan Y. J R Stat Soc C 2015;64:507-523; Yuan Y et al. Clin Cancer Res 2016;22:4291-4301"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPoints(Outcome):
    """Observed toxicity rates at or below which to escalate, and at or above which to de-escalate."""

    lambda_e: float
    lambda_d: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BoinBoundaries(Boundaries):
    """Boundaries for 1 to n_max patients, and the cut-points they come from."""

    lambda_e: float
    lambda_d: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedDose(Outcome):
    """The maximum tolerated dose, counted from 1, and the isotonic rate of every dose that was tried."""

    mtd: int | None
    isotonic_p: tuple[float | None, ...]


def cut_points(target: float, p_saf: float | None = None, p_tox: float | None = None) -> tuple[float, float]:
    """Return lambda_e and lambda_d; see `boin_cut_points` for arguments and refusals."""
    within(LOWEST_TARGET, HIGHEST_TARGET, target=target)
    safe = UNDERDOSING * target if p_saf is None else p_saf
    toxic = OVERDOSING * target if p_tox is None else p_tox
    between(0, 1, p_saf=safe, p_tox=toxic)
    if below(target - safe, LEAST_DISTANCE * target):
        raise InputError(f"p_saf must be at least 10 % below the target {target:g}, got {safe:g}", path=("p_saf",))
    if below(toxic - target, LEAST_DISTANCE * target):
        raise InputError(f"p_tox must be at least 10 % above the target {target:g}, got {toxic:g}", path=("p_tox",))
    lambda_e = log((1 - safe) / (1 - target)) / log(target * (1 - safe) / (safe * (1 - target)))
    lambda_d = log((1 - target) / (1 - toxic)) / log(toxic * (1 - target) / (target * (1 - toxic)))
    return lambda_e, lambda_d


@method("B4_boin_lambda", version=1, title="BOIN escalation and de-escalation cut-points", source=LIU_YUAN)
def boin_cut_points(target: float, p_saf: float | None = None, p_tox: float | None = None) -> CutPoints:
    """Compute the rates between which a dose is kept.

    lambda_e = log((1-phi1)/(1-phi)) / log(phi(1-phi1)/(phi1(1-phi))), lambda_d = log((1-phi)/(1-phi2)) /
    log(phi2(1-phi)/(phi(1-phi2))), for the target phi, phi1 = p_saf and phi2 = p_tox.

    Args:
        target: target rate of dose-limiting toxicity, from 0.05 to 0.6.
        p_saf: highest rate deemed under-dosing, at least 10 % below the target; 0.6 of it by default.
        p_tox: lowest rate deemed over-dosing, at least 10 % above the target; 1.4 of it by default.

    Raises:
        InputError: the target or one of the rates is outside its range.
    """
    lambda_e, lambda_d = cut_points(target, p_saf, p_tox)
    return CutPoints(lambda_e=lambda_e, lambda_d=lambda_d)


def boin_table(
    target: float,
    n_max: int,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff_eliminate: float = CUTOFF_ELIMINATE,
) -> DecisionTable:
    """Return the decisions for 0 to n_max patients; see `boin_boundaries` for the rule and the refusals."""
    import numpy as np

    within(1, MOST_PATIENTS, n_max=n_max)
    between(0, 1, cutoff_eliminate=cutoff_eliminate)
    lambda_e, lambda_d = cut_points(target, p_saf, p_tox)
    n = np.arange(n_max + 1)
    escalate = np.floor(lambda_e * n).astype(np.int64)
    escalate[0] = NEVER
    limit = lambda_d * n
    whole = np.abs(limit - np.round(limit)) < INTEGER_WITHIN
    deescalate = np.where(whole, np.round(limit) + 1, np.ceil(limit)).astype(np.int64)
    eliminate = np.where(n >= FEWEST_TO_ELIMINATE, smallest_over(target, n, cutoff_eliminate), n + 1)
    return DecisionTable(escalate, np.minimum(deescalate, eliminate), eliminate)


@method("B4_boin_boundaries", version=1, title="BOIN integer boundaries and elimination", source=LIU_YUAN)
def boin_boundaries(
    target: float,
    n_max: int,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff_eliminate: float = CUTOFF_ELIMINATE,
) -> BoinBoundaries:
    """Tabulate the decisions for 1 to n_max patients at a dose.

    Escalate if x <= floor(lambda_e n); de-escalate if x >= ceil(lambda_d n), one more where lambda_d n is an integer;
    eliminate this dose and all above if n >= 3 and P(p > target | x, n) > cutoff under Beta(1, 1). The limit for
    de-escalation is never above the one for elimination.

    Args:
        target: target rate of dose-limiting toxicity, from 0.05 to 0.6.
        n_max: largest number of patients at one dose, up to 1000.
        p_saf: highest rate deemed under-dosing; 0.6 of the target by default.
        p_tox: lowest rate deemed over-dosing; 1.4 of the target by default.
        cutoff_eliminate: posterior probability above which a dose is too toxic.

    Raises:
        InputError: the target, a rate, the cutoff or n_max is outside its range.
    """
    table = boin_table(target, n_max, p_saf, p_tox, cutoff_eliminate)
    lambda_e, lambda_d = cut_points(target, p_saf, p_tox)
    import numpy as np

    found = listed(np.arange(1, n_max + 1), table.escalate[1:], table.deescalate[1:], table.eliminate[1:])
    return BoinBoundaries(
        n=found.n,
        escalate_if_le=found.escalate_if_le,
        deescalate_if_ge=found.deescalate_if_ge,
        eliminate_if_ge=found.eliminate_if_ge,
        lambda_e=lambda_e,
        lambda_d=lambda_d,
    )


@method("B4_boin_select_mtd", version=1, title="Maximum tolerated dose by isotonic regression", source=LIU_YUAN)
def select_mtd(
    target: float, n: Sequence[int], dlt: Sequence[int], cutoff_eliminate: float = CUTOFF_ELIMINATE
) -> SelectedDose:
    """Choose the dose at the end of a trial, for BOIN, keyboard and mTPI-2 alike.

    Over the doses tried and not eliminated, p = (x+0.05)/(n+0.1) is made isotonic with the inverse variances as
    weights and the dose closest to the target is taken; of equal rates the higher dose below the target, the lower
    above it.

    Args:
        target: target rate of dose-limiting toxicity, between 0 and 1.
        n: patients at each dose, lowest dose first.
        dlt: patients with a dose-limiting toxicity at each dose.
        cutoff_eliminate: posterior probability above which a dose and all above it are eliminated.

    Returns:
        The dose, and the isotonic rate of each dose tried. None for `no_data` before the first patient, and for
        `not_estimable` with the flag `all_doses_eliminated` when the lowest dose is too toxic.

    Raises:
        InputError: the lists differ in length, or there are more toxicities than patients.
    """
    between(0, 1, target=target, cutoff_eliminate=cutoff_eliminate)
    same_length(n=n, dlt=dlt)
    within(0, MOST_DOSES, doses=len(n))
    for patients, events in zip(n, dlt, strict=True):
        events_among(patients, events)
    if not sum(n):
        return SelectedDose(mtd=None, isotonic_p=(None,) * len(n), reason=Reason.NO_DATA)
    chosen, fit = selected_dose(target, *counts(n, dlt), cutoff=cutoff_eliminate)
    rates = tuple(rate if tried else None for rate, tried in zip(fit.tolist(), n, strict=True))
    if chosen < 0:
        return SelectedDose(mtd=None, isotonic_p=rates, reason=Reason.NOT_ESTIMABLE, flags=("all_doses_eliminated",))
    return SelectedDose(mtd=int(chosen) + 1, isotonic_p=rates)
