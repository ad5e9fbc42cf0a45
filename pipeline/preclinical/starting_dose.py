"""First dose in people: from the NOAEL (A2), and for cancer medicines from STD10 and HNSTD (A3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.bounds import above_zero, not_negative
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.preclinical.scaling import FDA_2005, HUMAN_KM, HUMAN_WEIGHT_KG, hed_by_km
from pipeline.preclinical.species import find_species
from pipeline.rounding import above, at_most, significant

LEAST_SAFETY_FACTOR = 10.0
RODENT_DIVISOR = 10.0
NONRODENT_DIVISOR = 6.0
HUMAN_AREA_M2 = 1.6


@dataclass(frozen=True, slots=True)
class NoaelStudy:
    """The highest dose without adverse effects in one species; None where none was determined."""

    species: str
    noael_mg_per_kg: float | None


@dataclass(frozen=True, slots=True)
class ActiveDose:
    """The lowest dose with the intended pharmacological effect in one species."""

    species: str
    pad_mg_per_kg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StartingDose(Outcome):
    """Maximum recommended starting dose, and the human equivalents it was chosen from."""

    hed_mg_per_kg: Mapping[str, float | None]
    selected_species: str | None
    mrsd_mg_per_kg: float | None
    mrsd_mg: float | None
    pad_hed_mg_per_kg: float | None
    mrsd_exceeds_pad: bool | None


@method("A2_mrsd", version=1, title="Maximum recommended starting dose from NOAELs", source=FDA_2005)
def maximum_recommended_starting_dose(
    studies: Sequence[NoaelStudy],
    safety_factor: float = LEAST_SAFETY_FACTOR,
    human_weight_kg: float = HUMAN_WEIGHT_KG,
    most_appropriate_species: str | None = None,
    pharmacologically_active_dose: ActiveDose | None = None,
    safety_factor_justification: str | None = None,
) -> StartingDose:
    """Divide the human equivalent of the NOAEL by a safety factor: the route for healthy volunteers.

    The species is the most appropriate one if it is named, else the one with the lowest human equivalent (Km ratio);
    of several equal to 12 significant digits, the one named first. Of several studies in one species the lowest
    NOAEL counts.

    Args:
        studies: NOAEL in mg/kg by species. A study without a NOAEL is listed but cannot be used; a LOAEL is not one.
        safety_factor: divisor of the human equivalent dose, at least 10.
        human_weight_kg: body weight in kg for the flat dose.
        most_appropriate_species: species to use instead of the one with the lowest human equivalent.
        pharmacologically_active_dose: lowest active dose in mg/kg and its species; a start above its human
            equivalent should be lowered towards it.
        safety_factor_justification: reason for a safety factor below 10.

    Returns:
        Doses in mg/kg and mg, unrounded. Without a usable NOAEL they are None, for `no_data`.

    Raises:
        InputError: a dose is negative, a species unknown, the named species has no study, or the safety factor is
            below 10 without a justification.
    """
    above_zero(safety_factor=safety_factor, human_weight_kg=human_weight_kg)
    if safety_factor < LEAST_SAFETY_FACTOR and not (safety_factor_justification or "").strip():
        raise InputError(
            f"a safety factor of {safety_factor:g} is below 10; state the justification", path=("safety_factor",)
        )
    equivalents: dict[str, float | None] = {}
    for study in studies:
        name = find_species(study.species).name
        not_negative(noael_mg_per_kg=study.noael_mg_per_kg)
        dose = None if study.noael_mg_per_kg is None else hed_by_km(study.noael_mg_per_kg, name)
        before = equivalents.get(name)
        equivalents[name] = dose if before is None else min(before, before if dose is None else dose)
    usable = {name: dose for name, dose in equivalents.items() if dose is not None}
    selected: str | None = min(usable, key=lambda name: significant(usable[name]), default=None)
    if most_appropriate_species is not None:
        selected = find_species(most_appropriate_species).name
        if selected not in equivalents:
            raise InputError(f"there is no study in the {selected}", path=("most_appropriate_species",))
    pad = pharmacologically_active_dose
    if pad is not None:
        not_negative(pad_mg_per_kg=pad.pad_mg_per_kg)
    pad_hed = None if pad is None else hed_by_km(pad.pad_mg_per_kg, pad.species)
    dose = None if selected is None else usable.get(selected)
    start = None if dose is None else dose / safety_factor
    return StartingDose(
        hed_mg_per_kg=equivalents,
        selected_species=selected,
        mrsd_mg_per_kg=start,
        mrsd_mg=None if start is None else start * human_weight_kg,
        pad_hed_mg_per_kg=pad_hed,
        mrsd_exceeds_pad=None if start is None or pad_hed is None else above(start, pad_hed),
        reason=Reason.NO_DATA if start is None else None,
        flags=tuple(f"noael_not_determined:{name}" for name, value in equivalents.items() if value is None),
    )


class StartBasis(StrEnum):
    """Which animal dose a first dose rests on."""

    RODENT = "rodent_std10_tenth"
    NONRODENT = "nonrodent_hnstd_sixth"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancerStartingDose(Outcome):
    """First dose per body surface, per body weight and flat, and the two candidates it was chosen from."""

    basis: StartBasis
    rodent_candidate_mg_per_m2: float | None
    nonrodent_candidate_mg_per_m2: float | None
    start_mg_per_m2: float | None
    start_mg_per_kg: float | None
    start_mg_flat: float | None


@method(
    "A3_ich_s9_start",
    version=1,
    title="Starting dose for a cancer medicine (ICH S9)",
    source="ICH S9 (2009) and Q&A (2018); DeGeorge JJ et al. Cancer Chemother Pharmacol 1998;41:173-185",
)
def cancer_starting_dose(
    rodent_species: str | None,
    std10_mg_per_kg: float | None,
    nonrodent_species: str | None,
    hnstd_mg_per_kg: float | None,
    rodent_is_appropriate: bool = True,
    human_bsa_m2: float = HUMAN_AREA_M2,
    std10_is_lower_limit: bool = False,
) -> CancerStartingDose:
    """Choose the first dose of a cancer medicine on the mg/m2 scale.

    The rodent candidate is a tenth of STD10, the non-rodent candidate a sixth of HNSTD, both as mg/kg * Km. The
    rodent one is used when the rodent is an appropriate species and the candidate is not above the non-rodent HNSTD
    in mg/m2 (or there is none); else the non-rodent one. Immune agonists and other mechanisms of high risk start
    from the minimal anticipated biological effect level instead, not from this rule.

    Args:
        rodent_species: species of STD10; None where there is no STD10.
        std10_mg_per_kg: dose severely toxic to 10 % of the rodents, mg/kg; None where there is none.
        nonrodent_species: species of HNSTD; None where there is no HNSTD.
        hnstd_mg_per_kg: highest non-severely toxic dose in the non-rodent, mg/kg; None where there is none.
        rodent_is_appropriate: whether the rodent is a relevant species for this medicine.
        human_bsa_m2: human body surface in m2 for the flat dose.
        std10_is_lower_limit: STD10 was reported as above the top dose; its candidate is then a lower bound and the
            result is flagged `censored`.

    Returns:
        Doses in mg/m2, mg/kg (adult Km 37) and mg, unrounded; None for `no_data` where no candidate can be used.

    Raises:
        InputError: a dose or the surface is not above 0, or the species of a dose is not in the factor table.
    """
    above_zero(std10_mg_per_kg=std10_mg_per_kg, hnstd_mg_per_kg=hnstd_mg_per_kg, human_bsa_m2=human_bsa_m2)
    std10 = _per_area(std10_mg_per_kg, rodent_species, "rodent_species")
    hnstd = _per_area(hnstd_mg_per_kg, nonrodent_species, "nonrodent_species")
    rodent = None if std10 is None else std10 / RODENT_DIVISOR
    nonrodent = None if hnstd is None else hnstd / NONRODENT_DIVISOR
    start, basis = nonrodent, StartBasis.NOT_AVAILABLE if nonrodent is None else StartBasis.NONRODENT
    if rodent is not None and rodent_is_appropriate and (hnstd is None or at_most(rodent, hnstd)):
        start, basis = rodent, StartBasis.RODENT
    return CancerStartingDose(
        basis=basis,
        rodent_candidate_mg_per_m2=rodent,
        nonrodent_candidate_mg_per_m2=nonrodent,
        start_mg_per_m2=start,
        start_mg_per_kg=None if start is None else start / HUMAN_KM,
        start_mg_flat=None if start is None else start * human_bsa_m2,
        reason=Reason.NO_DATA if start is None else None,
        flags=("censored",) if std10_is_lower_limit and rodent is not None else (),
    )


def _per_area(dose_mg_per_kg: float | None, species: str | None, name: str) -> float | None:
    """Return the dose in mg/m2, None where there is none."""
    if dose_mg_per_kg is None:
        return None
    if species is None:
        raise InputError(f"the dose of {dose_mg_per_kg:g} mg/kg needs its species in {name}", path=(name,))
    return dose_mg_per_kg * find_species(species).km_kg_per_m2
