import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.exposure_response import exposure_response

rows = st.lists(st.tuples(st.floats(0, 100).map(lambda x: round(x, 1)), st.integers(0, 1)), min_size=8, max_size=40)


@given(rows, st.floats(1e-6, 1e6))
@settings(max_examples=50, deadline=None)
def test_model_equals_statsmodels_and_units_scale(drawn: list[tuple[float, int]], unit: float) -> None:
    x, y = (list(column) for column in zip(*drawn, strict=True))
    found = exposure_response(x, y, [20.0, 60.0])
    scaled = exposure_response([value * unit for value in x], y, [20 * unit, 60 * unit])
    assert (found.reason is None) is (scaled.reason is None)
    if found.reason is not None:
        assert found.reason is Reason.NOT_ESTIMABLE
        assert (found.slope, found.prob_at, found.exposure_at_p30) == (None, None, None)
        return
    design = sm.add_constant(np.array(x), has_constant="add")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sm.Logit(np.array(y), design).fit(disp=0, maxiter=200, tol=1e-12)
    assert found.slope == pytest.approx(theirs.params[1], rel=1e-5, abs=1e-7)
    assert found.slope_se == pytest.approx(theirs.bse[1], rel=1e-4)
    assert found.slope_p == pytest.approx(theirs.pvalues[1], abs=1e-5)
    assert found.prob_at == pytest.approx(theirs.predict([[1, 20.0], [1, 60.0]]), abs=1e-6)
    assert scaled.prob_at == pytest.approx(found.prob_at, abs=1e-6)
    for low, p, high in zip(found.ci95_lower or (), found.prob_at or (), found.ci95_upper or (), strict=True):
        assert 0 <= low <= p <= high <= 1


def test_the_wanted_exposure_has_the_wanted_probability() -> None:
    x, y = [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 1, 0, 1, 0, 1, 1]
    found = exposure_response(x, y, target_probability=0.4)
    assert found.exposure_at_p30 is not None
    again = exposure_response(x, y, [found.exposure_at_p30])
    assert again.prob_at == pytest.approx((0.4,))
    assert "association" in found.flags


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1]),
        ([1, 2, 3, 4], [1, 1, 0, 0]),
        ([1, 2, 2, 3], [0, 0, 1, 1]),
        ([1, 2, 3, 4], [0, 0, 0, 0]),
        ([2, 2, 2, 2], [0, 1, 0, 1]),
    ],
)
def test_separated_or_constant_data_have_no_estimate(x: list[float], y: list[int]) -> None:
    assert exposure_response(x, y, [2.0]).reason is Reason.NOT_ESTIMABLE


def test_a_steep_slope_is_estimated_where_the_groups_just_overlap() -> None:
    """D7: only complete separation has no estimate."""
    x = [5.3, 1.9, 10.3, 6.9, 4.4, 12.7, 3.6, 16.2, 1.1, 17.9, 7.3, 7.1, 15.3]
    x += [16.5, 2.8, 12.1, 2.6, 12.6, 9.4, 9.2, 9.0, 9.6, 16.2, 4.6, 19.3]
    y = [0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1]
    found = exposure_response(x, y, [9.3])
    theirs = sm.GLM(np.array(y), sm.add_constant(np.array(x)), family=sm.families.Binomial()).fit(tol=1e-12)
    assert (found.intercept, found.slope) == pytest.approx(tuple(theirs.params), rel=1e-6)
    assert found.slope_se == pytest.approx(theirs.bse[1], rel=1e-5)
    assert found.prob_at == pytest.approx(theirs.predict([[1.0, 9.3]]), rel=1e-6)


def test_subjects_without_exposure_or_answer_are_left_out() -> None:
    """Section 0: missing is not zero. R glm() leaves such rows out as well."""
    whole = exposure_response([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1], [3.0])
    found = exposure_response([1, 2, None, 3, 4, 5, 9, 6], [0, 1, 1, 0, 1, 0, None, 1], [3.0])
    assert (found.slope, found.prob_at) == (whole.slope, whole.prob_at)
    assert found.flags == ("association", "incomplete_left_out")
    assert exposure_response([None], [1]).reason is Reason.NO_DATA


def test_nobody_observed_and_impossible_input() -> None:
    assert exposure_response([], []).reason is Reason.NO_DATA
    for x, y, p in (([1.0], [0, 1], 0.3), ([1.0], [2], 0.3), ([1.0], [1], 1.0)):
        with pytest.raises(InputError):
            exposure_response(x, y, target_probability=p)
