"""Therapeutic index, certain safety factor and exposure margins (A5)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.bounds import above_zero, within
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import below


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapeuticIndex(Outcome):
    """Ratios between the toxic and the efficacious dose, and between the exposures at the two."""

    therapeutic_index: float | None
    ed99: float | None
    td01: float | None
    certain_safety_factor: float | None
    exposure_margin_total: float | None
    exposure_margin_free: float | None


@method(
    "A5_therapeutic_index",
    version=1,
    title="Therapeutic index, certain safety factor, exposure margins",
    source="Standard definitions on log-logistic dose-response curves",
)
def therapeutic_index(
    ed50: float | None = None,
    td50: float | None = None,
    hill_efficacy: float | None = None,
    hill_toxicity: float | None = None,
    auc_at_noael: float | None = None,
    auc_at_efficacious_dose: float | None = None,
    fu_animal: float | None = None,
    fu_human: float | None = None,
    auc_interval_at_noael: str | None = None,
    auc_interval_at_efficacious_dose: str | None = None,
) -> TherapeuticIndex:
    """Compare toxic with efficacious doses and exposures.

    TI = TD50 / ED50; ED99 = ED50 * 99^(1/h); TD01 = TD50 * 99^(-1/h); certain safety factor = TD01 / ED99. With
    shallow slopes a wide index can go with a certain safety factor below 1: show both. Margin = AUC at the NOAEL /
    AUC at the efficacious dose, and the same with each AUC times its unbound fraction.

    Args:
        ed50: dose efficacious in half, any unit.
        td50: dose toxic to half, in the unit and by the route of ED50.
        hill_efficacy: Hill slope of the efficacy curve.
        hill_toxicity: Hill slope of the toxicity curve.
        auc_at_noael: AUC at the NOAEL or HNSTD, any unit.
        auc_at_efficacious_dose: AUC at the efficacious dose, same unit.
        fu_animal: unbound fraction in the species of the NOAEL, above 0 and at most 1.
        fu_human: unbound fraction in people, above 0 and at most 1.
        auc_interval_at_noael: interval of the AUC at the NOAEL ("0-24 h"), if known.
        auc_interval_at_efficacious_dose: interval of the other AUC.

    Returns:
        Ratios, unrounded. What lacks an input is missing for `no_data`; margins of AUCs over different intervals
        are missing for `ambiguous_units`. A free margin below 1 is flagged `free_margin_below_1`.

    Raises:
        InputError: a dose, slope or AUC is not above 0, or an unbound fraction is not in (0, 1].
    """
    above_zero(ed50=ed50, td50=td50, hill_efficacy=hill_efficacy, hill_toxicity=hill_toxicity)
    above_zero(auc_at_noael=auc_at_noael, auc_at_efficacious_dose=auc_at_efficacious_dose)
    above_zero(fu_animal=fu_animal, fu_human=fu_human)
    within(0, 1, fu_animal=fu_animal, fu_human=fu_human)
    ed99 = None if ed50 is None or hill_efficacy is None else ed50 * float(99 ** (1 / hill_efficacy))
    td01 = None if td50 is None or hill_toxicity is None else td50 * float(99 ** (-1 / hill_toxicity))
    intervals = {
        " ".join(interval.split()).lower()
        for interval in (auc_interval_at_noael, auc_interval_at_efficacious_dose)
        if interval is not None
    }
    comparable = len(intervals) < 2
    total = _ratio(auc_at_noael, auc_at_efficacious_dose) if comparable else None
    unbound = _ratio(fu_animal, fu_human)
    free = None if total is None or unbound is None else total * unbound
    values: dict[str, float | None] = {
        "therapeutic_index": _ratio(td50, ed50),
        "ed99": ed99,
        "td01": td01,
        "certain_safety_factor": _ratio(td01, ed99),
        "exposure_margin_total": total,
        "exposure_margin_free": free,
    }
    missing = {name: Reason.NO_DATA for name, value in values.items() if value is None}
    if not comparable:
        missing |= dict.fromkeys(("exposure_margin_total", "exposure_margin_free"), Reason.AMBIGUOUS_UNITS)
    return TherapeuticIndex(
        therapeutic_index=values["therapeutic_index"],
        ed99=ed99,
        td01=td01,
        certain_safety_factor=values["certain_safety_factor"],
        exposure_margin_total=total,
        exposure_margin_free=free,
        reason=Reason.NO_DATA if len(missing) == len(values) else None,
        missing=missing,
        flags=("free_margin_below_1",) if free is not None and below(free, 1) else (),
    )


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    return None if numerator is None or denominator is None else numerator / denominator
