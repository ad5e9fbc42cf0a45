"""Trough monitoring of oral anticancer medicines (D6) and the published targets."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import above, at_least, below

HALF_LIVES_TO_STEADY_STATE = 5
LATE_FRACTION = 0.10


@dataclass(frozen=True, slots=True)
class TroughTarget:
    """One published target. `verification` V3 has to be confirmed before a clinician sees it."""

    medicine: str
    trough: float
    unit: str
    verification: Literal["V1", "V2", "V3"]
    context: str = ""
    kind: Literal["threshold", "median", "window"] = "threshold"
    window: tuple[float, float] | None = None
    source: str = ""


@functools.cache
def trough_targets() -> Sequence[TroughTarget]:
    """Return the published targets, in the order of the file."""
    text = files("pipeline.pharmacology").joinpath("trough_targets.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["target"]
    return tuple(TroughTarget(**row | {"window": tuple(row["window"]) if "window" in row else None}) for row in rows)


def targets_of(medicine: str) -> Sequence[TroughTarget]:
    """Return the targets of one medicine; capitals do not count. Empty where none is published."""
    wanted = medicine.strip().casefold()
    return tuple(target for target in trough_targets() if target.medicine.casefold() == wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class TroughEstimate(Outcome):
    """A concentration carried on to the end of the dosing interval, and its ratio to the target.

    `evaluable` is false before steady state, up to Tmax, or when the sample was taken after the next dose was due;
    the flags say which (`before_steady_state`, `before_tmax`, `after_interval`).
    """

    estimated_trough: float | None = None
    ratio_to_target: float | None = None
    below_target: bool | None = None
    steady_state: bool
    evaluable: bool


@method(
    "D6_tdm_trough",
    version=1,
    title="Trough extrapolation and target check",
    source="Wang Y et al. Ther Drug Monit 2009;31:579-584; Yu H et al. Clin Pharmacokinet 2014;53:305-325; "
    "Groenland SL et al. Clin Pharmacokinet 2019;58:299-308",
    reference_inputs={"drug": None, "unit": None},
)
def trough_estimate(
    conc: float,
    time_after_dose_h: float,
    tau_h: float,
    half_life_h: float,
    target_trough: float | None = None,
    doses_taken: int = 0,
    tmax_h: float | None = None,
) -> TroughEstimate:
    """Carry a concentration of the elimination phase on to the trough and compare it with the target.

    trough = C * 0.5^((tau - t) / half-life). Below target when the trough is under it, strictly, at twelve digits.
    Steady state is reached when doses * tau is at least 5 half-lives. A sample up to Tmax is not of the elimination
    phase: its trough is missing, for `outside_domain`. A medicine under development has no published target: use its
    preclinical efficacious exposure, free, with the source.

    Args:
        conc: measured concentration, in the unit of the target.
        time_after_dose_h: time since the last dose, h.
        tau_h: dosing interval, h.
        half_life_h: elimination half-life, h.
        target_trough: target; null where there is none.
        doses_taken: doses taken at this dose so far.
        tmax_h: time of the maximum, h; null where it is not known.

    Raises:
        InputError: a negative concentration, time, target or number of doses, or an interval or half-life of 0.
    """
    for name, value in (("conc", conc), ("time_after_dose_h", time_after_dose_h), ("doses_taken", doses_taken)):
        if value < 0:
            raise InputError(f"{name} cannot be negative, got {value:g}", path=(name,))
    for name, value in (("tau_h", tau_h), ("half_life_h", half_life_h)):
        if value <= 0:
            raise InputError(f"{name} must be above 0 h, got {value:g}", path=(name,))
    if target_trough is not None and target_trough <= 0:
        raise InputError(f"a target must be above 0, got {target_trough:g}", path=("target_trough",))
    steady = at_least(doses_taken * tau_h, HALF_LIVES_TO_STEADY_STATE * half_life_h)
    early = tmax_h is not None and time_after_dose_h <= tmax_h
    late = above(time_after_dose_h, tau_h * (1 + LATE_FRACTION))
    why_not = {"before_steady_state": not steady, "before_tmax": early, "after_interval": late}
    flags = tuple(flag for flag, applies in why_not.items() if applies)
    if early:
        missing = dict.fromkeys(("estimated_trough", "ratio_to_target", "below_target"), Reason.OUTSIDE_DOMAIN)
        return TroughEstimate(steady_state=steady, evaluable=False, flags=flags, missing=missing)
    trough = conc * 0.5 ** ((tau_h - time_after_dose_h) / half_life_h)
    return TroughEstimate(
        estimated_trough=trough,
        ratio_to_target=None if target_trough is None else trough / target_trough,
        below_target=None if target_trough is None else below(trough, target_trough),
        steady_state=steady,
        evaluable=not flags,
        flags=flags,
        missing={} if target_trough else dict.fromkeys(("ratio_to_target", "below_target"), Reason.NO_DATA),
    )
