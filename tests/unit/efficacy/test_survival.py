import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time
from pandas import DataFrame
from statsmodels.duration.hazard_regression import PHReg

from pipeline.efficacy.logrank import compare_survival
from pipeline.efficacy.survival import kaplan_meier
from pipeline.errors import InputError
from pipeline.outcome import Reason

subjects = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 1)), min_size=1, max_size=40)


@given(subjects)
@settings(max_examples=50, deadline=None)
def test_curve_equals_lifelines(rows: list[tuple[int, int]]) -> None:
    time, event = [row[0] for row in rows], [row[1] for row in rows]
    asked = list(range(13))
    found = kaplan_meier(time, event, asked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = KaplanMeierFitter().fit(time, event)
        limits = theirs.confidence_interval_.to_numpy()
    assert found.survival == pytest.approx(theirs.survival_function_at_times(asked).to_numpy(), abs=1e-12)
    steps = np.searchsorted(theirs.timeline, asked, side="right") - 1
    for survival, low, high, step in zip(found.survival, found.ci_lower, found.ci_upper, steps, strict=True):
        if survival in (0, 1):
            assert (low, high) == (None, None)
        else:
            assert (low, high) == pytest.approx(tuple(limits[step]), abs=1e-9)
            assert low is not None
            assert high is not None
            assert survival is not None
            assert low <= survival <= high


@given(subjects, st.floats(0.1, 10))
@settings(max_examples=50, deadline=None)
def test_times_scale_and_the_curve_falls(rows: list[tuple[int, int]], factor: float) -> None:
    time, event = [float(row[0]) for row in rows], [row[1] for row in rows]
    tau = float(max(time))
    plain = kaplan_meier(time, event, time, tau)
    scaled = kaplan_meier([t * factor for t in time], event, [t * factor for t in time], tau * factor)
    assert scaled.survival == plain.survival
    if plain.median is not None:
        assert scaled.median == pytest.approx(plain.median * factor)
    assert plain.rmst is not None
    assert scaled.rmst is not None
    assert scaled.rmst == pytest.approx(plain.rmst * factor)
    assert 0 <= plain.rmst <= tau + 1e-9
    by_time = [survival for _, survival in sorted(zip(time, plain.survival, strict=True))]
    assert all(before >= after for before, after in itertools.pairwise(by_time))


def test_restricted_mean_equals_lifelines() -> None:
    generator = np.random.default_rng(7)
    time, event = generator.exponential(10, 60), generator.integers(0, 2, 60)
    theirs = restricted_mean_survival_time(KaplanMeierFitter().fit(time, event), t=8.0)
    assert kaplan_meier(time.tolist(), event.tolist(), tau=8.0).rmst == pytest.approx(theirs, abs=1e-9)


def test_a_curve_that_ends_with_survivors_has_no_longer_mean() -> None:
    found = kaplan_meier([1, 2, 3], [1, 1, 0], tau=4)
    assert (found.rmst, found.missing["rmst"]) == (None, Reason.NOT_ESTIMABLE)
    assert kaplan_meier([1, 2, 3], [1, 1, 1], tau=4).rmst == pytest.approx(2)


def test_nobody_observed_is_no_curve() -> None:
    found = kaplan_meier([], [], [1.0])
    assert (found.reason, found.survival, found.at_risk) == (Reason.NO_DATA, (None,), (0,))


def test_every_limit_that_is_missing_has_its_reason() -> None:
    found = kaplan_meier([5], [1], [1, 5])
    assert (found.std_err, found.ci_lower, found.median_ci) == ((0, None), (None, None), (None, None))
    assert set(found.missing) == {"std_err", "ci_lower", "ci_upper", "median_ci", "rmst", "rmst_se"}
    assert kaplan_meier([5, 6], [1, 0], [5], 6).missing.keys() == {"q75", "median_ci"}


@pytest.mark.parametrize(
    ("time", "event"), [([1, 2], [1]), ([-1], [1]), ([1], [2]), ([float("nan")], [1]), ([float("inf")], [0])]
)
def test_impossible_observations_are_refused(time: list[float], event: list[int]) -> None:
    with pytest.raises(InputError):
        kaplan_meier(time, event)


groups = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 1), st.integers(0, 1)), min_size=6, max_size=40).filter(
    lambda rows: len({row[2] for row in rows}) == 2
)


@given(groups)
@settings(max_examples=40, deadline=None)
def test_comparison_equals_the_libraries(rows: list[tuple[int, int, int]]) -> None:
    time, event, group = (np.array(column) for column in zip(*rows, strict=True))
    found = compare_survival(time, event, group)  # type: ignore[arg-type]
    one = group == 1
    if found.chisq is None:
        assert found.missing["chisq"] is Reason.NOT_ESTIMABLE
    else:
        theirs = logrank_test(time[one], time[~one], event[one], event[~one])
        assert found.chisq == pytest.approx(theirs.test_statistic, abs=1e-9)
        assert found.p_value == pytest.approx(theirs.p_value, abs=1e-9)
    assert sum(found.observed) == pytest.approx(sum(found.expected))
    if found.hr_efron is None or not 0.01 < found.hr_efron < 100:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cox = CoxPHFitter().fit(DataFrame({"t": time, "e": event, "g": group}), "t", "e")
        breslow = PHReg(time, group[:, None].astype(float), event, ties="breslow").fit(disp=0)
    assert found.hr_efron == pytest.approx(float(np.exp(cox.params_["g"])), rel=1e-3)
    assert None not in found.hr_efron_ci
    assert np.log(found.hr_efron_ci) == pytest.approx(cox.confidence_intervals_.to_numpy()[0], abs=1e-2)
    assert found.hr_breslow == pytest.approx(float(np.exp(breslow.params[0])), rel=1e-3)


@given(groups)
@settings(max_examples=40, deadline=None)
def test_exchanging_the_groups_turns_the_ratio_over(rows: list[tuple[int, int, int]]) -> None:
    time, event, group = (list(column) for column in zip(*rows, strict=True))
    forward = compare_survival(time, event, group)
    backward = compare_survival(time, event, [1 - g for g in group])
    assert backward.observed == forward.observed[::-1]
    if forward.hr_efron is None:
        assert backward.hr_efron is None
    else:
        assert backward.hr_efron == pytest.approx(1 / forward.hr_efron, rel=1e-6)
        assert compare_survival(time, event, group, reference_group=1).hr_efron == pytest.approx(backward.hr_efron)


def test_no_events_in_one_group_has_no_ratio() -> None:
    found = compare_survival([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1])
    assert (found.hr_efron, found.hr_breslow, found.missing["hr_efron"]) == (None, None, Reason.NOT_ESTIMABLE)
    assert found.chisq is not None


@pytest.mark.parametrize("group", [[0, 0, 0], [0, 1, 2], [1, 2, 2], [0, 1]])
def test_anything_but_two_groups_is_refused(group: list[int]) -> None:
    with pytest.raises(InputError):
        compare_survival([1, 2, 3], [1, 1, 1], group)  # type: ignore[arg-type]
