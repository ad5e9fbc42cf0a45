"""When a rule would first have fired, against the day of the drop (E10)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import at_least

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class FollowedMolecule:
    """One molecule, the days it was followed, what became of it, and the days on which the rule fired.

    `dropped_strategic` is a drop that neither toxicity nor lack of efficacy brought about.
    """

    id: str
    entry_day: float
    end_day: float
    outcome: Literal["dropped", "dropped_strategic", "advanced", "active"]
    fire_days: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """Whether the rule fired while the molecule was followed and, if it was dropped, how many days before."""

    id: str
    detected: bool
    lead_time_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTimes(Outcome):
    """How early a rule sees drops coming, and how often it cries wolf.

    `apart` lists molecules dropped for strategy, on which the rule is neither right nor wrong.
    """

    per_molecule: tuple[Detection, ...]
    dropped: int
    sensitivity: float | None
    sensitivity_at_lead: float | None
    median_lead_days_detected: float | None
    mean_relative_lead: float | None
    false_alarm_count: int
    false_alarm_rate_per_molecule_year: float | None
    apart: tuple[str, ...]


@method("E10_detection_lead_time", version=1, title="Detection lead time", source="Moltrail, definition")
def detection_lead_time(molecules: Sequence[FollowedMolecule], min_lead_days: float = 0.0) -> LeadTimes:
    """Replay a rule over molecules whose end is known.

    The firing days are those of knowledge, not of sampling. Only firings from entry to end count, the first one of
    each molecule. A dropped molecule is detected if the rule fired; its lead is the days from then to the drop, 0
    allowed. On one that advanced or is active any firing is a false alarm; it is at risk of one up to the first firing
    or its end, in years of 365.25 days. A rule tuned on these molecules gets no evidence from them: split by date.

    Args:
        molecules: what became of each molecule, and when the rule fired.
        min_lead_days: lead that is worth having, for `sensitivity_at_lead`.

    Raises:
        InputError: a molecule ends before it begins, two have the same id, or the lead is negative.
    """
    if min_lead_days < 0:
        raise InputError(f"a lead cannot be negative, got {min_lead_days:g}", path=("min_lead_days",))
    found, leads, shares, apart = [], [], [], []
    dropped = alarms = 0
    risk_days = 0.0
    seen: set[str] = set()
    for molecule in molecules:
        if molecule.end_day < molecule.entry_day:
            raise InputError(f"{molecule.id} ends before it begins", path=("molecules", molecule.id))
        if molecule.id in seen:
            raise InputError(f"{molecule.id} occurs twice", path=("molecules", molecule.id))
        seen.add(molecule.id)
        first = min((d for d in molecule.fire_days if molecule.entry_day <= d <= molecule.end_day), default=None)
        lead = None
        if molecule.outcome == "dropped":
            dropped += 1
            if first is not None:
                lead = molecule.end_day - first
                leads.append(lead)
                length = molecule.end_day - molecule.entry_day
                shares += [lead / length] if length > 0 else []
        elif molecule.outcome == "dropped_strategic":
            apart.append(molecule.id)
        else:
            alarms += first is not None
            risk_days += (molecule.end_day if first is None else first) - molecule.entry_day
        found.append(Detection(molecule.id, first is not None, lead))
    early = sum(at_least(lead, min_lead_days) for lead in leads)
    values = {
        "sensitivity": len(leads) / dropped if dropped else None,
        "sensitivity_at_lead": early / dropped if dropped else None,
        "median_lead_days_detected": float(statistics.median(leads)) if leads else None,
        "mean_relative_lead": statistics.fmean(shares) if shares else None,
        "false_alarm_rate_per_molecule_year": alarms / (risk_days / DAYS_PER_YEAR) if risk_days > 0 else None,
    }
    return LeadTimes(
        per_molecule=tuple(found),
        dropped=dropped,
        sensitivity=values["sensitivity"],
        sensitivity_at_lead=values["sensitivity_at_lead"],
        median_lead_days_detected=values["median_lead_days_detected"],
        mean_relative_lead=values["mean_relative_lead"],
        false_alarm_rate_per_molecule_year=values["false_alarm_rate_per_molecule_year"],
        false_alarm_count=alarms,
        apart=tuple(apart),
        reason=None if molecules else Reason.NO_DATA,
        missing={name: Reason.NO_DATA for name, value in values.items() if value is None},
    )
