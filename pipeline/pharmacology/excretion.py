"""What is excreted in urine, from collection intervals (beside D1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import above


@dataclass(frozen=True, slots=True, kw_only=True)
class Excretion(Outcome):
    """Amounts excreted, in the mass unit of concentration x volume; rates per h.

    `amount` has None for an interval without a result or volume; the totals then are what was at least excreted, and
    the flag `incomplete` says so, as it does for a gap between intervals. Flag `more_than_dose`: check the units.
    """

    amount: tuple[float | None, ...] = ()
    rate: tuple[float | None, ...] = ()
    midpoint_h: tuple[float, ...] = ()
    amount_total: float | None = None
    pct_of_dose: float | None = None
    max_rate: float | None = None
    max_rate_midpoint_h: float | None = None
    renal_clearance: float | None = None


@method(
    "D1_urinary_excretion",
    version=1,
    title="Urinary excretion and renal clearance",
    source="Gabrielsson J, Weiner D. Methods Mol Biol 2012;929:377-389",
)
def urinary_excretion(
    start_h: Sequence[float],
    end_h: Sequence[float],
    conc: Sequence[float | None],
    volume: Sequence[float | None],
    dose: float | None = None,
    auc: float | None = None,
    lloq: float | None = None,
) -> Excretion:
    """Compute what was excreted in each collection interval and in all.

    Amount = concentration x volume; rate = amount / length of the interval, at its middle; renal clearance =
    total amount / plasma AUC over the same time. Concentrations below the limit count as 0 excreted.

    Args:
        start_h: beginning of each collection after the dose, h, rising.
        end_h: end of each collection, h, not after the next begins.
        conc: concentration in the urine, mass per volume; 0 is below the limit, null without a result.
        volume: volume collected; null where it was not recorded.
        dose: dose, in the mass unit of the amounts; null leaves the share out.
        auc: plasma AUC over the collections, mass per volume x h; null leaves the clearance out.
        lloq: lower limit of quantification of the urine; smaller values count as 0.

    Returns:
        The amounts; nothing, for `no_data`, where no interval has both concentration and volume.

    Raises:
        InputError: lists of different length, collections that overlap or have no length, or negative values.
    """
    _check(start_h, end_h, conc, volume)
    for name, value in (("dose", dose), ("auc", auc)):
        if value is not None and value <= 0:
            raise InputError(f"{name} must be above 0, got {value:g}", path=(name,))
    limit = lloq or 0.0
    lengths = [end - start for start, end in zip(start_h, end_h, strict=True)]
    amounts = [
        None if c is None or v is None else (0.0 if c < limit else c) * v for c, v in zip(conc, volume, strict=True)
    ]
    rates = [None if amount is None else amount / length for amount, length in zip(amounts, lengths, strict=True)]
    middles = tuple((start + end) / 2 for start, end in zip(start_h, end_h, strict=True))
    known = [amount for amount in amounts if amount is not None]
    gaps = any(after > before for before, after in zip(end_h, start_h[1:], strict=False))
    if not known:
        return Excretion(midpoint_h=middles, reason=Reason.NO_DATA)
    total = math.fsum(known)
    fastest = max((rate, -index) for index, rate in enumerate(rates) if rate is not None)
    flags = ("incomplete",) if gaps or len(known) < len(amounts) else ()
    values = {"pct_of_dose": dose, "renal_clearance": auc}
    return Excretion(
        amount=tuple(amounts),
        rate=tuple(rates),
        midpoint_h=middles,
        amount_total=total,
        pct_of_dose=100 * total / dose if dose else None,
        max_rate=fastest[0],
        max_rate_midpoint_h=middles[-fastest[1]],
        renal_clearance=total / auc if auc else None,
        missing={name: Reason.NO_DATA for name, given in values.items() if given is None},
        flags=(*flags, "more_than_dose") if dose and above(total, dose) else flags,
    )


def _check(
    start_h: Sequence[float], end_h: Sequence[float], conc: Sequence[float | None], volume: Sequence[float | None]
) -> None:
    if len({len(start_h), len(end_h), len(conc), len(volume)}) > 1:
        raise InputError("every collection needs a beginning, an end, a concentration and a volume", path=("end_h",))
    if any(end <= start for start, end in zip(start_h, end_h, strict=True)):
        raise InputError("a collection ends after it begins", path=("end_h",))
    if any(after < before for (_, before), (after, _) in pairwise(zip(start_h, end_h, strict=True))):
        raise InputError("collections must follow each other without overlap", path=("start_h",))
    for name, values in (("conc", conc), ("volume", volume)):
        if any(value is not None and value < 0 for value in values):
            raise InputError(f"{name} cannot be negative", path=(name,))
