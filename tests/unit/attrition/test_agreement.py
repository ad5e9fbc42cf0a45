import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa as theirs

from pipeline.attrition.agreement import cohens_kappa
from pipeline.errors import InputError
from pipeline.outcome import Reason


def spread(table):
    """Return the two lists a square table of counts stands for."""
    pairs = [(a, b) for a, row in enumerate(table) for b, count in enumerate(row) for _ in range(count)]
    return [f"c{a}" for a, _ in pairs], [f"c{b}" for _, b in pairs]


def test_a_table_worked_by_hand():
    # Two readers, 50 stops: 20 both yes, 15 both no, 5 and 10 apart. po = 35/50 = 0.7, pe = 0.5*0.6 + 0.5*0.4 = 0.5.
    found = cohens_kappa(*spread([[20, 5], [10, 15]]))
    assert (found.n, found.agreed, found.observed, found.expected) == (50, 35, 0.7, pytest.approx(0.5))
    assert found.kappa == pytest.approx(0.4)
    # The variance of Fleiss, Cohen and Everitt is (A + B - C) / (50 * 0.25), with C = (0.4 - 0.5 * 0.6)^2.
    a = 0.4 * (1 - 1.1 * 0.6) ** 2 + 0.3 * (1 - 0.9 * 0.6) ** 2
    b = 0.36 * (0.1 * 1.1**2 + 0.2 * 0.9**2)
    assert found.standard_error == pytest.approx(((a + b - 0.01) / 12.5) ** 0.5)
    assert found.specific == {"c0": pytest.approx(40 / 55), "c1": pytest.approx(30 / 45)}
    assert found.flags == ()


@given(
    st.integers(2, 5).flatmap(
        lambda k: st.lists(st.lists(st.integers(0, 9), min_size=k, max_size=k), min_size=k, max_size=k)
    )
)
@settings(max_examples=60)
def test_kappa_and_its_interval_equal_statsmodels(table):
    first, second = spread(table)
    used = {*first, *second}
    if len(used) < 2:
        return
    found = cohens_kappa(first, second)
    with np.errstate(all="ignore"):  # a variance of -1e-20 there is 0 here
        other = theirs(table)
    assert found.kappa == pytest.approx(other.kappa, abs=1e-12)
    assert found.standard_error == pytest.approx(max(other.var_kappa, 0) ** 0.5, abs=1e-7)
    if other.var_kappa > 1e-12:
        assert found.kappa_lower == pytest.approx(max(other.kappa_low, -1), abs=1e-6)
        assert found.kappa_upper == pytest.approx(min(other.kappa_upp, 1), abs=1e-6)
    assert cohens_kappa(second, first).kappa == pytest.approx(found.kappa)
    assert ("few_pairs" in found.flags) is (len(first) < 30)


def test_perfect_agreement_is_one_and_swapped_labels_are_minus_one():
    assert cohens_kappa(["a", "b"] * 20, ["a", "b"] * 20).kappa == 1
    assert cohens_kappa(["a", "b"] * 20, ["b", "a"] * 20).kappa == pytest.approx(-1)


def test_nothing_and_one_category_have_no_kappa():
    assert cohens_kappa([], []).reason is Reason.NO_DATA
    found = cohens_kappa(["a"] * 40, ["a"] * 40)
    assert (found.kappa, found.missing["kappa"], found.observed) == (None, Reason.NOT_ESTIMABLE, 1)


def test_lists_of_different_length_are_refused():
    with pytest.raises(InputError, match="first has 2, second has 1"):
        cohens_kappa(["a", "b"], ["a"])
    with pytest.raises(InputError):
        cohens_kappa(["a"], ["a"], conf_level=1)
