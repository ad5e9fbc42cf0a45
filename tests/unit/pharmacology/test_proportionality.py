import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress, t

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.proportionality import Verdict, dose_proportionality

pairs = st.lists(
    st.tuples(st.sampled_from([5.0, 10.0, 25.0, 50.0, 100.0]), st.floats(0.1, 1e4)), min_size=4, max_size=20
).filter(lambda rows: len({dose for dose, _ in rows}) > 2 and len({exposure for _, exposure in rows}) > 1)


@given(pairs)
@settings(max_examples=50)
def test_slope_equals_linregress(rows: list[tuple[float, float]]) -> None:
    dose, exposure = zip(*rows, strict=True)
    found = dose_proportionality(dose, exposure)
    line = linregress(np.log(dose), np.log(exposure))
    half = t.ppf(0.95, len(rows) - 2) * line.stderr
    assert found.slope == pytest.approx(line.slope, abs=1e-9)
    assert found.slope_ci == pytest.approx((line.slope - half, line.slope + half), abs=1e-7)


@given(pairs, st.floats(0.01, 100), st.floats(0.01, 100))
@settings(max_examples=50)
def test_units_do_not_change_the_verdict(rows: list[tuple[float, float]], of_dose: float, of_exposure: float) -> None:
    dose, exposure = zip(*rows, strict=True)
    plain = dose_proportionality(dose, exposure)
    scaled = dose_proportionality([d * of_dose for d in dose], [e * of_exposure for e in exposure])
    assert scaled.slope == pytest.approx(plain.slope, abs=1e-8)
    assert scaled.critical_region == pytest.approx(plain.critical_region)


def test_exact_proportionality_is_proportional_and_two_levels_only_explore() -> None:
    assert dose_proportionality([1, 2, 4, 8], [10, 20, 40, 80]).conclusion is Verdict.PROPORTIONAL
    assert dose_proportionality([1, 2, 4, 8], [10, 10, 10, 10]).conclusion is Verdict.NOT_PROPORTIONAL
    assert dose_proportionality([1, 1, 4, 4], [10, 11, 40, 43]).conclusion is Verdict.EXPLORATORY


def test_a_dose_without_exposure_is_left_out() -> None:
    """Section 0: missing is not zero. R lm() leaves such rows out as well."""
    whole = dose_proportionality([5, 10, 20, 40], [11, 23, 44, 93])
    found = dose_proportionality([5, 10, 20, 40, 80], [11, 23, 44, 93, None])
    assert (found.slope, found.slope_ci, found.dose_ratio) == (whole.slope, whole.slope_ci, 8)
    assert found.flags == ("incomplete_left_out",)
    assert dose_proportionality([5, 10], [None, None]).reason is Reason.NO_DATA


@pytest.mark.parametrize("rows", [([5, 5, 5], [1, 2, 3]), ([5], [1])])
def test_one_level_gives_nothing(rows: tuple[list[float], list[float]]) -> None:
    assert dose_proportionality(*rows).reason is Reason.TOO_FEW_POINTS
    assert dose_proportionality([], []).reason is Reason.NO_DATA


def test_two_points_give_a_slope_that_is_exploratory_and_has_no_interval() -> None:
    """D5: with 2 dose levels the verdict is labelled exploratory."""
    found = dose_proportionality([5, 20], [1, 8])
    assert (found.slope, found.dose_ratio) == (pytest.approx(1.5), 4)
    assert (found.conclusion, found.reason) == (Verdict.EXPLORATORY, None)
    assert (found.slope_se, found.slope_ci) == (None, None)
    assert set(found.missing.values()) == {Reason.TOO_FEW_POINTS}


@pytest.mark.parametrize(
    ("dose", "exposure", "more"),
    [
        ([0, 1, 2], [1, 2, 3], {}),
        ([1, 2, 3], [1, 0, 3], {}),
        ([1, 2], [1, 2, 3], {}),
        ([1, 2, 3], [1, 2, 3], {"theta_low": 1.1}),
        ([1, 2, 3], [1, 2, 3], {"subject": ["a", "b", "a"]}),
        ([1, 2, 3], [1, 2, 3], {"subject": ["a", "b"]}),
    ],
)
def test_what_the_model_cannot_take_is_refused(
    dose: list[float], exposure: list[float], more: dict[str, object]
) -> None:
    with pytest.raises(InputError):
        dose_proportionality(dose, exposure, **more)  # type: ignore[arg-type]
