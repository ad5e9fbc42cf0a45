"""The two-by-two of animals and people: shares, likelihood ratios, and what was not studied."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.concordance import Studied, by_system, two_by_two
from pipeline.efficacy.response_rate import wilson
from pipeline.errors import InputError


def test_a_table_by_hand():
    found = two_by_two(both=30, finding_only=10, event_only=20, neither=40)
    assert (found.sensitivity, found.specificity, found.ppv, found.npv) == (0.6, 0.8, 0.75, 2 / 3)
    assert found.sensitivity_limits == wilson(30, 50)
    assert found.npv_limits == wilson(40, 60)
    assert found.lr_positive == pytest.approx(3.0)
    assert found.lr_negative == pytest.approx(0.5)
    half = 1.959963984540054 * math.sqrt(1 / 30 - 1 / 50 + 1 / 10 - 1 / 50)
    assert found.lr_positive_limits == pytest.approx((3 * math.exp(-half), 3 * math.exp(half)), rel=1e-9)
    half = 1.959963984540054 * math.sqrt(1 / 20 - 1 / 50 + 1 / 40 - 1 / 50)
    assert found.lr_negative_limits == pytest.approx((0.5 * math.exp(-half), 0.5 * math.exp(half)), rel=1e-9)


def test_empty_cells_leave_no_ratio():
    found = two_by_two(both=3, finding_only=0, event_only=1, neither=6)
    assert (found.lr_positive, found.lr_positive_limits) == (None, None)
    assert found.missing["lr_positive"] == "not_estimable"
    assert found.lr_negative == pytest.approx(0.25)
    nothing = two_by_two(0, 0, 0, 0)
    assert (nothing.n, nothing.sensitivity, nothing.reason) == (0, None, "no_data")


@pytest.mark.parametrize("cell", ["both", "finding_only", "event_only", "neither"])
def test_negative_counts_are_refused(cell):
    counts = {"both": 1, "finding_only": 1, "event_only": 1, "neither": 1} | {cell: -1}
    with pytest.raises(InputError, match=f"{cell} is a count"):
        two_by_two(**counts)


@settings(max_examples=60)
@given(*[st.integers(1, 500)] * 4)
def test_exchanging_found_and_not_found_exchanges_the_shares(a, b, c, d):
    one, other = two_by_two(a, b, c, d), two_by_two(d, c, b, a)
    assert (one.sensitivity, one.ppv) == (other.specificity, other.npv)
    assert one.lr_positive == pytest.approx(1 / other.lr_negative)
    assert one.lr_positive_limits[0] <= one.lr_positive <= one.lr_positive_limits[1]


def test_not_studied_stays_apart_from_not_found():
    studied = Studied(
        animals={"RENAL": {*range(1, 11), 13}, "EYE": {1}},
        findings={"RENAL": {1, 2, 3, 4, 5, 13}, "EYE": {1}},
        events={"RENAL": {1, 2, 3, 6, 7, 11}, "LIVER": set()},
        people=set(range(1, 13)),
    )
    whole, eye, renal = by_system(studied, 5, molecules=14)
    assert (renal.both, renal.finding_only, renal.event_only, renal.neither) == (3, 2, 2, 3)
    assert (renal.not_studied_in_animals, renal.not_studied_in_people, renal.studied_in_none) == (2, 1, 1)
    assert renal.name == "Kidney and urinary tract"
    assert (renal.sensitivity.value, renal.sensitivity.k, renal.sensitivity.n) == (0.6, 3, 5)
    assert renal.lr_positive == pytest.approx(1.5)
    assert renal.molecules["not_studied_in_animals"] == (11, 12)
    assert renal.molecules["event_only"] == (6, 7)
    assert (eye.finding_only, eye.ppv.value, eye.ppv.reason) == (
        1,
        None,
        "fewer than 5 known outcomes: the counts alone",
    )
    assert eye.lr_positive is None
    assert (whole.system, whole.both, whole.finding_only, whole.molecules) == ("ALL", 3, 3, {})
    assert (eye.not_studied_in_animals, eye.studied_in_none, whole.studied_in_none) == (11, 2, 3)
    assert by_system(Studied({"EYE": {1}}, {}, {}, {1}), 5, molecules=3) == ()
