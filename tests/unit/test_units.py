"""Units: spellings, exactness, what is refused, and scaling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.units import conversion_factor, convert, convert_unit, parse_unit

SAME = [
    ("ng/mL", "ug/L"),
    ("ug/mL", "mg/L"),
    ("mg/mL", "g/L"),
    ("nM", "nmol/L"),
    ("uM", "umol/L"),
    ("µg/mL", "mcg/mL"),
    ("μM", "uM"),
    ("ng/ml", "ng/mL"),
    ("h*ng/mL", "ng.h/mL"),
    ("hr*ng/mL", "h*ng/mL"),
    ("10^9/L", "10*9/L"),
    ("10^9/L", "10^3/uL"),
    ("x10^9/L", "10**9/L"),
    ("mm3", "uL"),
    ("mm^3", "mm³"),
    ("mg/kg/day", "mg/kg/d"),
    ("[IU]/L", "IU/L"),
]
REFUSED = ["", " ", "NG/ML", "MG", "foo", "ng//mL", "ng/mL/", "m\x00", "(ng)", "mg/kg*h", "10^999", "°C", "ng" * 500]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_spellings_of_one_unit_convert_by_exactly_one(left: str, right: str) -> None:
    assert conversion_factor(left, right) == 1.0


@pytest.mark.parametrize("text", REFUSED)
def test_an_unknown_spelling_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_unit(text)


def test_molar_is_not_milli_and_upper_case_gets_a_hint() -> None:
    assert conversion_factor("M", "mM") == 1000.0
    assert conversion_factor("m", "mm") == 1000.0
    with pytest.raises(InputError, match="did you mean mg"):
        parse_unit("MG")


@pytest.mark.parametrize(("left", "right"), [("ng/mL", "h"), ("U/L", "IU/L"), ("mg/kg", "mg/m2"), ("ng/mL", "mol")])
def test_units_of_different_things_do_not_convert(left: str, right: str) -> None:
    with pytest.raises(InputError, match="different things"):
        convert(1.0, left, right, 100.0)


def test_mass_to_molar_needs_the_molar_mass() -> None:
    assert convert(1100, "ng/mL", "uM", 500.0) == pytest.approx(2.2, rel=1e-15)
    with pytest.raises(InputError, match="molar mass"):
        convert(1100, "ng/mL", "uM")
    with pytest.raises(InputError, match="above 0"):
        convert(1100, "ng/mL", "uM", 0.0)
    with pytest.raises(InputError, match="finite"):
        convert(float("nan"), "ng/mL", "ug/mL")
    found = convert_unit(1100, "ng/mL", "uM")
    assert (found.value, found.reason) == (None, Reason.AMBIGUOUS_UNITS)


def test_a_molar_mass_of_unknown_form_is_flagged() -> None:
    assert convert_unit(1.0, "uM", "ng/mL", 450.0).flags == ("molar_mass_form_not_stated",)
    assert convert_unit(1.0, "uM", "ng/mL", 450.0, "salt").flags == ()
    assert convert_unit(1.0, "ug/mL", "ng/mL", 450.0).flags == ()


CONCENTRATIONS = st.sampled_from(["pg/mL", "ng/mL", "ug/mL", "mg/mL", "g/L", "pM", "nM", "umol/L", "mM", "M"])
POSITIVE = st.floats(1e-6, 1e6)


@settings(max_examples=50)
@given(POSITIVE, CONCENTRATIONS, CONCENTRATIONS, st.floats(10, 1e5))
def test_there_and_back_is_the_same(value: float, left: str, right: str, molar_mass: float) -> None:
    there = convert(value, left, right, molar_mass)
    assert convert(there, right, left, molar_mass) == pytest.approx(value, rel=1e-14)


@settings(max_examples=50)
@given(POSITIVE, CONCENTRATIONS, CONCENTRATIONS, CONCENTRATIONS, st.floats(10, 1e5))
def test_a_detour_changes_nothing(value: float, a: str, b: str, c: str, molar_mass: float) -> None:
    detour = convert(convert(value, a, b, molar_mass), b, c, molar_mass)
    assert detour == pytest.approx(convert(value, a, c, molar_mass), rel=1e-13)
