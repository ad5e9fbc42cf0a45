"""Human equivalent doses and first doses: forms, refusals, and what stays true for any dose."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason, find_method
from pipeline.preclinical.scaling import (
    ScalingBasis,
    ScalingForm,
    human_equivalent_dose,
    human_equivalent_dose_by_weight,
)
from pipeline.preclinical.species import find_species, species_table
from pipeline.preclinical.starting_dose import (
    ActiveDose,
    NoaelStudy,
    StartBasis,
    cancer_starting_dose,
    maximum_recommended_starting_dose,
)

ANIMALS = st.sampled_from([name for name in species_table() if not name.startswith("human")])
DOSES = st.floats(1e-6, 1e6)


def test_the_table_is_consistent_with_itself() -> None:
    """Km is weight over surface, and the divisor is 37 over Km, both to the printed rounding."""
    for row in species_table().values():
        assert row.weight_kg / row.area_m2 == pytest.approx(row.km_kg_per_m2, rel=0.06)
        if row.divisor is not None:
            assert 37 / row.km_kg_per_m2 == pytest.approx(row.divisor, rel=0.04)


# Nair AB, Jacob S. J Basic Clin Pharm 2016;7:27-31, Table 1: factors to three decimals.
@pytest.mark.parametrize(("species", "factor"), [("mouse", 0.081), ("rat", 0.162), ("monkey", 0.324), ("dog", 0.541)])
def test_published_factors(species: str, factor: float) -> None:
    assert human_equivalent_dose(species, 1.0).hed_mg_per_kg == pytest.approx(factor, abs=5e-4)


def test_names_of_species_are_read_leniently_and_unknown_ones_refused() -> None:
    assert find_species("Cynomolgus Monkey").name == "monkey"
    assert find_species("mini-pig").name == find_species("MiniPig").name == "mini_pig"
    with pytest.raises(InputError, match=r"known: .*mouse.*mini_pig"):
        find_species("zebrafish")


def test_the_form_chosen_is_stored_with_the_result() -> None:
    found = human_equivalent_dose("rat", 50, form=ScalingForm.TABLE_DIVISOR)
    assert found.hed_mg_per_kg == 50 / 6.2
    assert found.method == "A1_hed"
    assert found.version == 1
    assert found.parameters["form"] is ScalingForm.TABLE_DIVISOR
    assert found.parameters["human_km_kg_per_m2"] == 37.0


def test_the_weight_form_is_the_allometric_method_at_the_reference_weight() -> None:
    by_form = human_equivalent_dose("mouse", 10, form=ScalingForm.WEIGHT_EXPONENT)
    assert by_form.hed_mg_per_kg == human_equivalent_dose_by_weight(10, 0.02).hed_mg_per_kg


def test_without_surface_scaling_the_dose_stays() -> None:
    found = human_equivalent_dose("monkey", 7.5, scaling_basis=ScalingBasis.BODY_WEIGHT)
    assert (found.hed_mg_per_kg, found.hed_mg_per_kg_km_ratio) == (7.5, None)
    assert found.missing["hed_mg_per_kg_km_ratio"] is Reason.OUTSIDE_DOMAIN


def test_people_have_no_divisor() -> None:
    found = human_equivalent_dose("human child", 3.7, form=ScalingForm.TABLE_DIVISOR)
    assert (found.hed_mg_per_kg, found.reason) == (None, Reason.OUTSIDE_DOMAIN)


@settings(max_examples=50)
@given(ANIMALS, DOSES, st.floats(0.01, 100))
def test_doses_scale_and_forms_agree(species: str, dose: float, factor: float) -> None:
    found, scaled = human_equivalent_dose(species, dose), human_equivalent_dose(species, dose * factor)
    assert scaled.hed_mg_per_kg == pytest.approx((found.hed_mg_per_kg or 0) * factor)
    assert found.hed_mg_per_kg_table_divisor == pytest.approx(found.hed_mg_per_kg_km_ratio, rel=0.04)
    assert found.dose_mg_per_m2 / 37 == pytest.approx(found.hed_mg_per_kg)


@pytest.mark.parametrize("dose", [-1, float("nan"), float("inf"), "10", None, True, 10**400])
def test_impossible_doses_are_refused(dose: object) -> None:
    with pytest.raises(InputError, match="dose_mg_per_kg"):
        find_method("A1_hed").calculate({"species": "rat", "dose_mg_per_kg": dose})


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"dose_mg_per_kg": 1}, "needs species"),
        ({"species": "rat", "dose_mg_per_kg": 1, "color": 2}, "no input 'color'"),
        ({"species": "rat", "dose_mg_per_kg": 1, "form": "guess"}, "km_ratio, table_divisor, weight_exponent"),
    ],
)
def test_inputs_from_outside_are_checked_by_name(inputs: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        find_method("A1_hed").calculate(inputs)


def test_a_small_safety_factor_needs_a_justification() -> None:
    studies = (NoaelStudy("rat", 10.0),)
    with pytest.raises(InputError, match="justification"):
        maximum_recommended_starting_dose(studies, safety_factor=5)
    found = maximum_recommended_starting_dose(studies, safety_factor=5, safety_factor_justification="well known class")
    assert found.mrsd_mg_per_kg == pytest.approx(10 * 6 / 37 / 5)


def test_a_study_without_noael_is_shown_and_not_used() -> None:
    found = maximum_recommended_starting_dose([NoaelStudy("rat", None), NoaelStudy("dog", 2.0)])
    assert (found.selected_species, found.hed_mg_per_kg["rat"]) == ("dog", None)
    assert found.flags == ("noael_not_determined:rat",)
    named = maximum_recommended_starting_dose(
        [NoaelStudy("rat", None), NoaelStudy("dog", 2.0)], most_appropriate_species="rat"
    )
    assert (named.mrsd_mg_per_kg, named.reason) == (None, Reason.NO_DATA)
    assert maximum_recommended_starting_dose([]).reason is Reason.NO_DATA


def test_the_lowest_noael_of_a_species_counts_and_the_named_species_must_be_there() -> None:
    studies = [NoaelStudy("rat", 20.0), NoaelStudy("Rat", 5.0), NoaelStudy("rat", None)]
    found = maximum_recommended_starting_dose(studies)
    assert found.hed_mg_per_kg == {"rat": pytest.approx(5 * 6 / 37)}
    with pytest.raises(InputError, match="no study in the dog"):
        maximum_recommended_starting_dose(studies, most_appropriate_species="dog")


@settings(max_examples=50)
@given(st.dictionaries(ANIMALS, DOSES, min_size=1), st.floats(10, 100), DOSES)
def test_the_start_is_never_above_any_equivalent_over_the_factor(
    noaels: dict[str, float], factor: float, active: float
) -> None:
    found = maximum_recommended_starting_dose(
        [NoaelStudy(name, dose) for name, dose in noaels.items()],
        safety_factor=factor,
        pharmacologically_active_dose=ActiveDose("mouse", active),
    )
    assert found.mrsd_mg_per_kg is not None
    for equivalent in found.hed_mg_per_kg.values():
        assert equivalent is not None
        assert found.mrsd_mg_per_kg <= equivalent / factor * (1 + 1e-11)
    assert found.mrsd_exceeds_pad == (found.mrsd_mg_per_kg > active * 3 / 37)


def test_a_rodent_start_equal_to_the_nonrodent_limit_is_allowed() -> None:
    """STD10 of 100 mg/kg in rats is 60 mg/m2 at a tenth; HNSTD of 3 mg/kg in dogs is 60 mg/m2."""
    assert cancer_starting_dose("rat", 100, "dog", 3).basis is StartBasis.RODENT
    assert cancer_starting_dose("rat", 100.001, "dog", 3).basis is StartBasis.NONRODENT


def test_a_censored_std10_is_flagged() -> None:
    assert cancer_starting_dose("rat", 100, "dog", None, std10_is_lower_limit=True).flags == ("censored",)
    nothing = cancer_starting_dose("rat", None, "dog", None)
    assert (nothing.basis, nothing.start_mg_flat, nothing.reason) == (
        StartBasis.NOT_AVAILABLE,
        None,
        Reason.NO_DATA,
    )


@pytest.mark.parametrize("bad", [0, -5])
def test_impossible_toxic_doses_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="std10_mg_per_kg must be above 0"):
        cancer_starting_dose("rat", bad, "dog", 1)
    with pytest.raises(InputError, match="human_bsa_m2 must be above 0"):
        cancer_starting_dose("rat", 1, "dog", 1, human_bsa_m2=bad)


@settings(max_examples=50)
@given(DOSES, DOSES, st.floats(0.01, 100))
def test_first_doses_scale_with_the_animal_doses(std10: float, hnstd: float, factor: float) -> None:
    found = cancer_starting_dose("mouse", std10, "monkey", hnstd)
    scaled = cancer_starting_dose("mouse", std10 * factor, "monkey", hnstd * factor)
    assert found.start_mg_per_m2 is not None
    if abs(std10 * 3 / 10 / (hnstd * 12) - 1) > 1e-9:
        assert scaled.start_mg_per_m2 == pytest.approx(found.start_mg_per_m2 * factor)
    assert found.start_mg_per_m2 <= hnstd * 12 * (1 + 1e-11)


def test_a_dose_that_does_not_exist_needs_no_species() -> None:
    """A3: without an HNSTD the rodent candidate stands alone, whatever is said of the non-rodent."""
    found = cancer_starting_dose("rat", 20, None, None)
    assert (found.basis, found.start_mg_per_m2) == (StartBasis.RODENT, 12)
    assert cancer_starting_dose(None, None, None, None).basis is StartBasis.NOT_AVAILABLE
    with pytest.raises(InputError, match="nonrodent_species"):
        cancer_starting_dose("rat", 20, None, 5)


def test_an_exponent_of_1_is_scaling_by_weight() -> None:
    """A1: the ends of the range are allowed; b = 1 keeps mg/kg, b = 0 keeps the dose in mg."""
    assert human_equivalent_dose_by_weight(18, 0.15, 60, 1).hed_mg_per_kg == 18
    assert human_equivalent_dose_by_weight(18, 0.15, 60, 0).hed_mg_per_kg == pytest.approx(18 * 0.15 / 60)
