"""Human equivalent dose: an animal dose scaled to people by body surface or by body weight (A1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.bounds import above_zero, not_negative, within
from pipeline.outcome import Outcome, Reason, method
from pipeline.preclinical.species import find_species

HUMAN_KM = 37.0
HUMAN_WEIGHT_KG = 60.0
WEIGHT_EXPONENT = 0.67

FDA_2005 = (
    "FDA. Estimating the Maximum Safe Starting Dose in Initial Clinical Trials for Therapeutics in Adult Healthy "
    "Volunteers. July 2005"
)


class ScalingForm(StrEnum):
    """How a dose is scaled. Margins made with different forms are not comparable."""

    KM_RATIO = "km_ratio"
    TABLE_DIVISOR = "table_divisor"
    WEIGHT_EXPONENT = "weight_exponent"


class ScalingBasis(StrEnum):
    """What doses are equal per.

    BODY_WEIGHT is for topical, intranasal, subcutaneous or intramuscular products limited by local exposure, for
    products given into a compartment from which little is distributed, and for proteins above 100 kDa given into a
    vessel: their mg/kg holds for people as it is.
    """

    BODY_SURFACE = "body_surface"
    BODY_WEIGHT = "body_weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanEquivalentDose(Outcome):
    """The dose by the form chosen, and by the two table forms beside it; mg/kg and mg/m2, unrounded."""

    hed_mg_per_kg: float | None
    form: ScalingForm
    scaling_basis: ScalingBasis
    km_animal: float
    hed_mg_per_kg_km_ratio: float | None
    hed_mg_per_kg_table_divisor: float | None
    dose_mg_per_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AllometricDose(Outcome):
    """Human equivalent dose in mg/kg, unrounded."""

    hed_mg_per_kg: float


def hed_by_km(dose_mg_per_kg: float, species: str, human_km_kg_per_m2: float = HUMAN_KM) -> float:
    """Return dose * Km(species) / Km(human) in mg/kg: the form every method of this package uses by default."""
    return dose_mg_per_kg * find_species(species).km_kg_per_m2 / human_km_kg_per_m2


def hed_by_weight(dose_mg_per_kg: float, animal_weight_kg: float, human_weight_kg: float, exponent: float) -> float:
    """Return dose * (W_animal / W_human)^(1-b) in mg/kg."""
    return float(dose_mg_per_kg * (animal_weight_kg / human_weight_kg) ** (1 - exponent))


@method("A1_hed", version=1, title="Human equivalent dose from the species factor table", source=FDA_2005)
def human_equivalent_dose(
    species: str,
    dose_mg_per_kg: float,
    form: ScalingForm = ScalingForm.KM_RATIO,
    scaling_basis: ScalingBasis = ScalingBasis.BODY_SURFACE,
    human_weight_kg: float = HUMAN_WEIGHT_KG,
    human_km_kg_per_m2: float = HUMAN_KM,
) -> HumanEquivalentDose:
    """Scale an animal dose to the human dose of equal exposure per body surface.

    km_ratio: HED = dose * Km(animal) / Km(human). table_divisor: HED = dose / divisor, within about 4 % of it.
    weight_exponent: HED = dose * (W_animal / W_human)^0.33 at the species' reference weight, which is further off.
    The surface dose is dose * Km(animal) in mg/m2.

    Args:
        species: name of the species, as in the factor table ("rat", "mini_pig", "cynomolgus monkey").
        dose_mg_per_kg: animal dose in mg/kg, not negative; 0 gives 0.
        form: which form `hed_mg_per_kg` follows.
        scaling_basis: body_weight where the mg/kg dose holds for people unscaled (see `ScalingBasis`).
        human_weight_kg: human body weight in kg, used by weight_exponent only.
        human_km_kg_per_m2: human Km in kg/m2; 37 for adults of 60 kg, 25 for children of 20 kg.

    Returns:
        HED in mg/kg, unrounded and without a safety factor. The table forms are missing for `outside_domain` where
        they do not apply: people have no divisor, and nothing is surface-scaled on a body-weight basis.

    Raises:
        InputError: the species is not in the table, the dose is negative, or a weight or Km is not above 0.
    """
    row = find_species(species)
    not_negative(dose_mg_per_kg=dose_mg_per_kg)
    above_zero(human_weight_kg=human_weight_kg, human_km_kg_per_m2=human_km_kg_per_m2)
    forms: dict[ScalingForm, float | None] = {
        ScalingForm.KM_RATIO: hed_by_km(dose_mg_per_kg, species, human_km_kg_per_m2),
        ScalingForm.TABLE_DIVISOR: None if row.divisor is None else dose_mg_per_kg / row.divisor,
        ScalingForm.WEIGHT_EXPONENT: hed_by_weight(dose_mg_per_kg, row.weight_kg, human_weight_kg, WEIGHT_EXPONENT),
    }
    chosen = forms[form]
    if scaling_basis is ScalingBasis.BODY_WEIGHT:
        chosen, forms = dose_mg_per_kg, dict.fromkeys(forms)
    tabled = {f"hed_mg_per_kg_{name}": forms[name] for name in (ScalingForm.KM_RATIO, ScalingForm.TABLE_DIVISOR)}
    return HumanEquivalentDose(
        hed_mg_per_kg=chosen,
        form=form,
        scaling_basis=scaling_basis,
        km_animal=row.km_kg_per_m2,
        hed_mg_per_kg_km_ratio=forms[ScalingForm.KM_RATIO],
        hed_mg_per_kg_table_divisor=forms[ScalingForm.TABLE_DIVISOR],
        dose_mg_per_m2=dose_mg_per_kg * row.km_kg_per_m2,
        reason=Reason.OUTSIDE_DOMAIN if chosen is None else None,
        missing={name: Reason.OUTSIDE_DOMAIN for name, value in tabled.items() if value is None},
    )


@method(
    "A1_hed_allometric",
    version=1,
    title="Human equivalent dose by body-weight exponent",
    source="Nair AB, Jacob S. J Basic Clin Pharm 2016;7:27-31",
)
def human_equivalent_dose_by_weight(
    dose_mg_per_kg: float,
    animal_weight_kg: float,
    human_weight_kg: float = HUMAN_WEIGHT_KG,
    exponent_b: float = WEIGHT_EXPONENT,
) -> AllometricDose:
    """Scale an animal dose by body weight: HED = dose * (W_animal / W_human)^(1-b).

    About 12 % below the Km form for a mouse of 20 g and 15 % for a rat of 150 g: do not mix the two in one margin.

    Args:
        dose_mg_per_kg: animal dose in mg/kg, not negative.
        animal_weight_kg: body weight of the animal in kg.
        human_weight_kg: body weight of the person in kg.
        exponent_b: allometric exponent b, from 0 to 1; 1 leaves the mg/kg dose as it is.

    Raises:
        InputError: the dose is negative, a weight is not above 0, or b is not from 0 to 1.
    """
    not_negative(dose_mg_per_kg=dose_mg_per_kg)
    above_zero(animal_weight_kg=animal_weight_kg, human_weight_kg=human_weight_kg)
    within(0, 1, exponent_b=exponent_b)
    return AllometricDose(hed_mg_per_kg=hed_by_weight(dose_mg_per_kg, animal_weight_kg, human_weight_kg, exponent_b))
