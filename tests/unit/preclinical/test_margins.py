"""Safety margins: hERG, therapeutic index, exposure."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason, find_method
from pipeline.preclinical.herg import MarginCategory, herg_margin
from pipeline.preclinical.therapeutic_index import therapeutic_index

POSITIVE = st.floats(1e-3, 1e3)


def test_a_margin_of_exactly_the_limit_is_not_below_it() -> None:
    """3 uM over 100 nM free is 30, whatever binary fractions make of it."""
    assert herg_margin(3, 1000, 500, 0.05).category is MarginCategory.CAUTION
    assert herg_margin(2.999, 1000, 500, 0.05).category is MarginCategory.ALERT
    assert herg_margin(10, 1000, 500, 0.05).category is MarginCategory.LOW_CONCERN


def test_reported_limits_are_flagged() -> None:
    found = herg_margin(30, 100, 400, 0.01, ic50_is_lower_limit=True, fraction_unbound_is_upper_limit=True)
    assert found.flags == ("censored", "fraction_unbound_upper_limit")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("herg_ic50_um", 0),
        ("cmax_total_ng_per_ml", -1),
        ("molar_mass_g_per_mol", 0),
        ("fraction_unbound", 0),
        ("fraction_unbound", 1.01),
        ("hill", 0),
        ("alert_below", 0),
        ("caution_below", 1),
    ],
)
def test_impossible_inputs_are_refused(field: str, value: float) -> None:
    inputs = {
        "herg_ic50_um": 1.0,
        "cmax_total_ng_per_ml": 100.0,
        "molar_mass_g_per_mol": 400.0,
        "fraction_unbound": 0.1,
    }
    with pytest.raises(InputError, match=field):
        find_method("A4_herg_margin").calculate({**inputs, field: value})


def test_numbers_that_overflow_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="A4_herg_margin"):
        herg_margin(1e300, 1e-300, 1e300, 1e-300)


@settings(max_examples=50)
@given(POSITIVE, POSITIVE, st.floats(50, 5e4), st.floats(1e-3, 1), st.floats(0.3, 3))
def test_the_block_follows_the_margin(ic50: float, cmax: float, mass: float, unbound: float, hill: float) -> None:
    found = herg_margin(ic50, cmax, mass, unbound, hill)
    assert found.margin * found.free_cmax_um == pytest.approx(ic50)
    assert 0 < found.pct_block_at_free_cmax < 100
    assert (found.pct_block_at_free_cmax <= 50) == (found.margin >= 1)
    assert herg_margin(ic50, cmax * 2, mass, unbound, hill).margin == pytest.approx(found.margin / 2)


def test_a_wide_index_can_go_with_a_certain_safety_factor_below_one() -> None:
    found = therapeutic_index(5, 100, 1, 1)
    assert (found.therapeutic_index, found.ed99) == (20, 495)
    assert found.certain_safety_factor == pytest.approx(100 / 99 / 495)
    assert found.missing["exposure_margin_free"] is Reason.NO_DATA
    assert found.reason is None


def test_a_free_margin_below_one_is_flagged_and_without_data_there_is_a_reason() -> None:
    assert therapeutic_index(auc_at_noael=100, auc_at_efficacious_dose=200, fu_animal=0.1, fu_human=0.1).flags == (
        "free_margin_below_1",
    )
    assert therapeutic_index(auc_at_noael=30, auc_at_efficacious_dose=10, fu_animal=0.1, fu_human=0.3).flags == ()
    assert therapeutic_index().reason is Reason.NO_DATA


def test_areas_over_different_intervals_are_not_divided() -> None:
    found = therapeutic_index(
        auc_at_noael=100,
        auc_at_efficacious_dose=50,
        auc_interval_at_noael="0-24 h",
        auc_interval_at_efficacious_dose="0-inf",
    )
    assert found.exposure_margin_total is None
    assert found.missing["exposure_margin_total"] is Reason.AMBIGUOUS_UNITS


@pytest.mark.parametrize("field", ["ed50", "td50", "hill_efficacy", "hill_toxicity", "auc_at_noael", "fu_animal"])
def test_zero_is_refused(field: str) -> None:
    with pytest.raises(InputError, match=f"{field} must be above 0"):
        find_method("A5_therapeutic_index").calculate({field: 0})
    with pytest.raises(InputError, match="fu_human must be from 0 to 1"):
        therapeutic_index(fu_human=1.5)


@settings(max_examples=50)
@given(POSITIVE, POSITIVE, st.floats(0.3, 5), st.floats(0.3, 5), st.floats(0.01, 100))
def test_ratios_do_not_depend_on_the_unit(ed50: float, td50: float, he: float, ht: float, factor: float) -> None:
    found = therapeutic_index(ed50, td50, he, ht)
    scaled = therapeutic_index(ed50 * factor, td50 * factor, he, ht)
    assert scaled.therapeutic_index == pytest.approx(found.therapeutic_index)
    assert scaled.certain_safety_factor == pytest.approx(found.certain_safety_factor)
    assert found.certain_safety_factor is not None
    assert found.therapeutic_index is not None
    assert found.certain_safety_factor < found.therapeutic_index
