import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio

from pipeline.efficacy.biomarker import marker_interaction, marker_response
from pipeline.efficacy.logistic import fit_logistic
from pipeline.errors import InputError
from pipeline.outcome import Reason

arm = st.integers(1, 25).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
full_arm = st.integers(4, 40).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))


@given(arm, arm)
@settings(max_examples=50, deadline=None)
def test_fisher_equals_scipy(positive: tuple[int, int], negative: tuple[int, int]) -> None:
    (x1, n1), (x2, n2) = positive, negative
    table = [[x1, n1 - x1], [x2, n2 - x2]]
    found = marker_response(x1, n1, x2, n2)
    assert found.fisher_p == pytest.approx(fisher_exact(table).pvalue, abs=1e-9)
    assert found.newcombe_ci is not None
    assert found.risk_difference is not None
    assert found.newcombe_ci[0] - 1e-12 <= found.risk_difference <= found.newcombe_ci[1] + 1e-12
    if set(found.missing) - {"unknown_rate", "unknown_ci"}:
        assert None in (found.odds_ratio_conditional_mle, *found.odds_ratio_ci)
        return
    with np.errstate(all="ignore"):
        theirs = odds_ratio(table, kind="conditional")
        limits = theirs.confidence_interval(0.95)
    assert found.odds_ratio_conditional_mle == pytest.approx(theirs.statistic, rel=1e-4, abs=1e-9)
    assert found.odds_ratio_ci == pytest.approx((limits.low, limits.high), rel=1e-3, abs=1e-9)


@given(arm, arm)
@settings(max_examples=50)
def test_exchanging_the_groups_mirrors(positive: tuple[int, int], negative: tuple[int, int]) -> None:
    forward, backward = marker_response(*positive, *negative), marker_response(*negative, *positive)
    assert forward.fisher_p == pytest.approx(backward.fisher_p)
    assert forward.risk_difference is not None
    assert backward.risk_difference is not None
    assert forward.risk_difference == pytest.approx(-backward.risk_difference)
    assert forward.newcombe_ci == pytest.approx(tuple(-limit for limit in (backward.newcombe_ci or ())[::-1]))
    if forward.odds_ratio_conditional_mle and backward.odds_ratio_conditional_mle:
        assert forward.odds_ratio_conditional_mle == pytest.approx(1 / backward.odds_ratio_conditional_mle, rel=1e-8)


def test_margins_that_leave_one_table_say_nothing() -> None:
    found = marker_response(0, 10, 0, 12)
    assert (found.fisher_p, found.odds_ratio_conditional_mle, found.odds_ratio_ci) == (1, None, (None, None))
    assert found.missing["odds_ratio_ci"] is Reason.NOT_ESTIMABLE


def test_nobody_in_a_group_is_no_comparison_and_unknown_is_never_pooled() -> None:
    found = marker_response(0, 0, 3, 12, marker_unknown_resp=2, marker_unknown_n=8)
    assert (found.fisher_p, found.reason, found.unknown_rate) == (None, Reason.NO_DATA, 0.25)
    assert marker_response(1, 9, 3, 12, 2, 8).missing == {}
    assert marker_response(1, 9, 3, 12).missing == dict.fromkeys(("unknown_rate", "unknown_ci"), Reason.NO_DATA)
    assert marker_response(1, 9, 3, 12, 2, 8).fisher_p == marker_response(1, 9, 3, 12).fisher_p
    assert "prognosis_or_prediction" in marker_response(1, 9, 3, 12).flags


def test_more_responses_than_patients_are_refused() -> None:
    with pytest.raises(InputError):
        marker_response(11, 10, 0, 10)
    with pytest.raises(InputError):
        marker_interaction(1, 10, 2, 10, 3, 10, 11, 10)


@given(st.tuples(full_arm, full_arm, full_arm, full_arm))
@settings(max_examples=40, deadline=None)
def test_interaction_equals_statsmodels(arms: tuple[tuple[int, int], ...]) -> None:
    found = marker_interaction(*(count for pair in arms for count in pair))
    events, trials = np.array(arms, dtype=float).T
    design = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=float)
    table = np.column_stack([events, trials - events])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a saturated model has no degrees of freedom left
        full = sm.GLM(table, design, sm.families.Binomial()).fit(tol=1e-12)
        without = sm.GLM(table, design[:, :3], sm.families.Binomial()).fit(tol=1e-12)
    assert found.log_or_interaction == pytest.approx(full.params[3], abs=1e-6)
    assert found.se == pytest.approx(full.bse[3], rel=1e-6)
    assert found.wald_p == pytest.approx(full.pvalues[3], abs=1e-6)
    assert found.lrt_chisq == pytest.approx(2 * (full.llf - without.llf), abs=1e-6)


def test_an_empty_cell_leaves_the_exact_tests() -> None:
    found = marker_interaction(5, 10, 2, 10, 0, 10, 3, 10)
    assert (found.log_or_interaction, found.wald_p, found.lrt_p, found.or_marker_neg) == (None, None, None, None)
    assert found.missing["wald_p"] is Reason.NOT_ESTIMABLE
    assert found.or_marker_pos == pytest.approx(4)
    assert found.fisher_p_marker_neg == pytest.approx(fisher_exact([[0, 10], [3, 7]]).pvalue)
    assert marker_interaction(5, 10, 2, 10, 0, 0, 3, 10).missing["wald_p"] is Reason.NO_DATA


def test_separated_events_have_no_fit() -> None:
    design = np.column_stack([np.ones(6), np.arange(6.0)])
    assert fit_logistic(design, np.array([0, 0, 0, 1, 1, 1.0]), np.ones(6)) is None
    assert fit_logistic(np.ones((6, 2)), np.array([0, 1, 0, 1, 0, 1.0]), np.ones(6)) is None
    assert fit_logistic(np.column_stack([np.ones(6), np.zeros(6)]), np.ones(6), np.ones(6)) is None
