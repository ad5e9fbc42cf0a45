"""Safety margin on the hERG channel: the IC50 over the free peak concentration (A4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pipeline.bounds import above_zero
from pipeline.errors import InputError
from pipeline.outcome import Outcome, method
from pipeline.rounding import below
from pipeline.units import convert

ALERT_BELOW = 30.0
CAUTION_BELOW = 100.0


class MarginCategory(StrEnum):
    """How close the free peak comes to the IC50."""

    ALERT = "alert"
    CAUTION = "caution"
    LOW_CONCERN = "low_concern"


@dataclass(frozen=True, slots=True, kw_only=True)
class HergMargin(Outcome):
    """Peak concentrations in uM, their distance to the IC50 as a ratio, and the share of channels blocked there."""

    total_cmax_um: float
    free_cmax_um: float
    margin: float
    category: MarginCategory
    pct_block_at_free_cmax: float

    reference_names: ClassVar[Mapping[str, str]] = {"total_cmax_um": "total_cmax_uM", "free_cmax_um": "free_cmax_uM"}


@method(
    "A4_herg_margin",
    version=1,
    title="hERG safety margin on free Cmax",
    source="Redfern WS et al. Cardiovasc Res 2003;58:32-45; ICH E14/S7B Q&A 2022",
    reference_inputs={"herg_ic50_uM": "herg_ic50_um", "mw_g_per_mol": "molar_mass_g_per_mol"},
)
def herg_margin(
    herg_ic50_um: float,
    cmax_total_ng_per_ml: float,
    molar_mass_g_per_mol: float,
    fraction_unbound: float,
    hill: float = 1.0,
    alert_below: float = ALERT_BELOW,
    caution_below: float = CAUTION_BELOW,
    ic50_is_lower_limit: bool = False,
    fraction_unbound_is_upper_limit: bool = False,
) -> HergMargin:
    """Compare the hERG IC50 with the free peak plasma concentration.

    free = Cmax / molar mass * fu; margin = IC50 / free; block % = 100 / (1 + (IC50 / free)^hill). The category
    compares the margin, rounded to 12 significant digits, with limits that can be set; the 30-fold margin is
    provisional, so keep the assay protocol, its temperature and its positive controls with the IC50.

    Args:
        herg_ic50_um: half-maximal inhibitory concentration in uM, from a protein-free assay.
        cmax_total_ng_per_ml: total peak plasma concentration at the highest therapeutic exposure, ng/mL.
        molar_mass_g_per_mol: molar mass in g/mol of what was measured in plasma.
        fraction_unbound: fraction unbound in plasma, above 0 and at most 1.
        hill: slope of the inhibition curve.
        alert_below: margins below it are an alert.
        caution_below: margins below it, but not below the other, call for caution.
        ic50_is_lower_limit: the IC50 was reported as "> x": the margin is a lower bound, flagged `censored`.
        fraction_unbound_is_upper_limit: fu was reported as "< x" and x is used, flagged
            `fraction_unbound_upper_limit`.

    Raises:
        InputError: a concentration, mass or slope is not above 0, fu is not in (0, 1], or the limits are not in order.
    """
    above_zero(
        herg_ic50_um=herg_ic50_um,
        cmax_total_ng_per_ml=cmax_total_ng_per_ml,
        molar_mass_g_per_mol=molar_mass_g_per_mol,
        fraction_unbound=fraction_unbound,
        hill=hill,
        alert_below=alert_below,
    )
    if fraction_unbound > 1:
        raise InputError(f"fraction_unbound must be at most 1, got {fraction_unbound:g}", path=("fraction_unbound",))
    if caution_below < alert_below:
        raise InputError("caution_below must not be less than alert_below", path=("caution_below",))
    flags = (
        *(("censored",) if ic50_is_lower_limit else ()),
        *(("fraction_unbound_upper_limit",) if fraction_unbound_is_upper_limit else ()),
    )
    total = convert(cmax_total_ng_per_ml, "ng/mL", "uM", molar_mass_g_per_mol)
    free = total * fraction_unbound
    margin = herg_ic50_um / free
    category = MarginCategory.LOW_CONCERN
    if below(margin, caution_below):
        category = MarginCategory.ALERT if below(margin, alert_below) else MarginCategory.CAUTION
    return HergMargin(
        total_cmax_um=total,
        free_cmax_um=free,
        margin=margin,
        category=category,
        pct_block_at_free_cmax=100 / (1 + margin**hill),
        flags=flags,
    )
