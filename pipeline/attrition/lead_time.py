"""When a rule would first have fired, against the day of the drop (E10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import at_least

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Days = NDArray[np.float64]
    Ints = NDArray[np.int64]

DAYS_PER_YEAR = 365.25
OUTCOMES = ("dropped", "dropped_strategic", "advanced", "active")
DROPPED, DROPPED_STRATEGIC, ADVANCED, ACTIVE = range(len(OUTCOMES))


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
    import numpy as np

    seen: set[str] = set()
    for molecule in molecules:
        if molecule.end_day < molecule.entry_day:
            raise InputError(f"{molecule.id} ends before it begins", path=("molecules", molecule.id))
        if molecule.id in seen:
            raise InputError(f"{molecule.id} occurs twice", path=("molecules", molecule.id))
        seen.add(molecule.id)
    fired = [
        min((day for day in one.fire_days if one.entry_day <= day <= one.end_day), default=None) for one in molecules
    ]
    sums = lead_sums(
        np.array([one.entry_day for one in molecules], dtype=float),
        np.array([one.end_day for one in molecules], dtype=float),
        np.array([OUTCOMES.index(one.outcome) for one in molecules], dtype=int),
        np.array(fired, dtype=float),
    )
    early = sum(at_least(lead, min_lead_days) for lead in sums.leads)
    values = {
        "sensitivity": len(sums.leads) / sums.dropped if sums.dropped else None,
        "sensitivity_at_lead": early / sums.dropped if sums.dropped else None,
        "median_lead_days_detected": sums.median_lead_days,
        "mean_relative_lead": sums.mean_relative_lead,
        "false_alarm_rate_per_molecule_year": sums.false_alarms_per_year,
    }
    return LeadTimes(
        per_molecule=tuple(
            Detection(
                one.id,
                first is not None,
                one.end_day - first if one.outcome == "dropped" and first is not None else None,
            )
            for one, first in zip(molecules, fired, strict=True)
        ),
        dropped=sums.dropped,
        sensitivity=values["sensitivity"],
        sensitivity_at_lead=values["sensitivity_at_lead"],
        median_lead_days_detected=values["median_lead_days_detected"],
        mean_relative_lead=values["mean_relative_lead"],
        false_alarm_rate_per_molecule_year=values["false_alarm_rate_per_molecule_year"],
        false_alarm_count=sums.false_alarms,
        apart=tuple(one.id for one in molecules if one.outcome == "dropped_strategic"),
        reason=None if molecules else Reason.NO_DATA,
        missing={name: Reason.NO_DATA for name, value in values.items() if value is None},
    )


@dataclass(frozen=True, slots=True)
class LeadSums:
    """What firings say of many molecules: days before each drop that was seen, and false alarms on `others`."""

    dropped: int
    leads: tuple[float, ...]
    median_lead_days: float | None
    mean_relative_lead: float | None
    false_alarms: int
    others: int
    false_alarms_per_year: float | None
    apart: int


def lead_sums(entry: Days, end: Days, outcome: Ints, fired: Days) -> LeadSums:
    """Sum up molecules by the first firing within the time each was followed; see `detection_lead_time`.

    Args:
        entry: (n,), first day each was followed.
        end: (n,), last day.
        outcome: (n,), places in OUTCOMES.
        fired: (n,), day of the first firing, NaN for none.
    """
    import numpy as np

    seen = ~np.isnan(fired)
    detected = (outcome == DROPPED) & seen
    leads, lengths = (end - fired)[detected], (end - entry)[detected]
    shares = leads[lengths > 0] / lengths[lengths > 0]
    others = (outcome == ADVANCED) | (outcome == ACTIVE)
    alarms = int((others & seen).sum())
    risk_days = float((np.where(seen, fired, end) - entry)[others].sum())
    return LeadSums(
        dropped=int((outcome == DROPPED).sum()),
        leads=tuple(leads.tolist()),
        median_lead_days=float(np.median(leads)) if leads.size else None,
        mean_relative_lead=float(shares.mean()) if shares.size else None,
        false_alarms=alarms,
        others=int(others.sum()),
        false_alarms_per_year=alarms / (risk_days / DAYS_PER_YEAR) if risk_days > 0 else None,
        apart=int((outcome == DROPPED_STRATEGIC).sum()),
    )
