"""CRM and its time-to-event version: the integral against adaptive quadrature, guards, weights, skeletons."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from pipeline.errors import InputError
from pipeline.outcome import Reason, find_method
from pipeline.toxicity.boin import boin_boundaries
from pipeline.toxicity.crm import continual_reassessment, crm_skeleton
from pipeline.toxicity.crm_model import CrmModel, RateModel
from pipeline.toxicity.keyboard import mtpi2_decision
from pipeline.toxicity.tite import IntervalRule, PendingDecision, effective_sample_size, follow_up_thresholds
from pipeline.toxicity.tite_crm import WeightScheme, adaptive_weight, tite_crm

SKELETON = (0.05, 0.1, 0.2, 0.35, 0.5)
PATIENTS = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 1), st.floats(0, 1)), max_size=30)


def adaptive(levels: list[int], dlt: list[int], weights: list[float], model: CrmModel) -> tuple[float, float]:
    """Return the posterior mean and variance by adaptive quadrature between the points where mass is."""
    rates = RateModel(SKELETON, model)

    def density(a: float, power: int) -> float:
        f = rates.rates(np.asarray([a]))[0]
        likelihood = 1.0
        for level, toxic, weight in zip(levels, dlt, weights, strict=True):
            likelihood *= f[level - 1] if toxic else 1 - weight * f[level - 1]
        return float(a**power * likelihood * np.exp(-(a**2) / 2 / 1.34)) * 2.0 ** len(levels)

    points = np.linspace(-10, 10, 81)
    moments = [
        sum(quad(density, low, high, args=(power,), epsabs=0, epsrel=1e-10)[0] for low, high in pairwise(points))
        for power in range(3)
    ]
    mean = moments[1] / moments[0]
    return mean, moments[2] / moments[0] - mean**2


@pytest.mark.parametrize("model", CrmModel)
@pytest.mark.parametrize(
    ("levels", "dlt", "weights"),
    [
        ([], [], []),
        ([1, 1, 1], [0, 0, 0], [1, 1, 1]),
        ([1, 1, 1], [1, 1, 1], [1, 1, 1]),
        ([3, 4, 4, 3, 3, 4, 3, 2], [0, 0, 1, 0, 0, 1, 1, 0], [1, 0.3, 1, 0, 1, 1, 1, 0.9]),
        ([5] * 60, [0, 1] * 30, [1] * 60),
    ],
)
def test_the_integral_is_that_of_adaptive_quadrature(
    levels: list[int], dlt: list[int], weights: list[float], model: CrmModel
) -> None:
    found = tite_crm(SKELETON, 0.25, levels, dlt, weights, 1.0, model=model)
    assert (found.estimate, found.post_var) == pytest.approx(adaptive(levels, dlt, weights, model), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("model", CrmModel)
def test_without_data_the_skeleton_comes_back(model: CrmModel) -> None:
    found = continual_reassessment(SKELETON, 0.2, [], [], model)
    assert found.ptox == pytest.approx(SKELETON)
    assert (found.mtd, found.next_dose) == (3, 1)
    assert found.post_var == pytest.approx(1.34, rel=1e-9)


def test_of_doses_equally_far_from_the_target_the_lower_is_chosen() -> None:
    """B6: lowest index on ties, also where 0.2 - 0.15 and 0.25 - 0.2 differ in the last digit."""
    assert continual_reassessment((0.05, 0.15, 0.25, 0.4), 0.2, [], []).mtd == 2


@settings(max_examples=30, deadline=None)
@given(PATIENTS, st.sampled_from(CrmModel), st.floats(0.1, 0.5))
def test_rates_increase_and_a_toxicity_raises_them(
    patients: list[tuple[int, int, float]], model: CrmModel, target: float
) -> None:
    levels, dlt = [level for level, _, _ in patients], [toxic for _, toxic, _ in patients]
    found = continual_reassessment(SKELETON, target, levels, dlt, model)
    assert list(found.ptox) == sorted(found.ptox)
    for low, rate, high in zip(found.ptox_lower90, found.ptox, found.ptox_upper90, strict=True):
        assert 0 <= low <= rate <= high <= 1
    assert 0 <= found.prob_lowest_over_target <= 1
    worse = continual_reassessment(SKELETON, target, [*levels, 3], [*dlt, 1], model)
    better = continual_reassessment(SKELETON, target, [*levels, 3], [*dlt, 0], model)
    assert better.ptox[2] <= found.ptox[2] * (1 + 1e-9)
    assert found.ptox[2] <= worse.ptox[2] * (1 + 1e-9)
    assert worse.mtd <= better.mtd


def test_guards_hold_the_next_dose_back() -> None:
    skipping = continual_reassessment(SKELETON, 0.3, [1, 1, 1], [0, 0, 0])
    assert (skipping.mtd > 2, skipping.next_dose) == (True, 2)
    after_toxic_cohort = continual_reassessment(SKELETON, 0.3, [1] * 9 + [2] * 3, [0] * 9 + [0, 0, 1])
    assert after_toxic_cohort.mtd > 2
    assert after_toxic_cohort.next_dose == 2
    two_cohorts = [1] * 9 + [2] * 6, [0] * 9 + [0, 0, 0, 0, 0, 1]
    assert continual_reassessment(SKELETON, 0.3, *two_cohorts).next_dose == 3
    assert continual_reassessment(SKELETON, 0.3, *two_cohorts, latest_cohort=3).next_dose == 2
    stopped = continual_reassessment(SKELETON, 0.2, [1] * 6, [1] * 6)
    assert (stopped.next_dose, stopped.flags) == (None, ("stop_lowest_dose_too_toxic",))
    assert stopped.prob_lowest_over_target > 0.95


@pytest.mark.parametrize(
    "inputs",
    [
        {"skeleton": [0.1, 0.1]},
        {"skeleton": [0.2, 0.1]},
        {"skeleton": [0.0, 0.1]},
        {"skeleton": [0.1, 1.0]},
        {"skeleton": []},
        {"target": 0},
        {"level": [1], "dlt": []},
        {"level": [3], "dlt": [0]},
        {"level": [0], "dlt": [0]},
        {"level": [1], "dlt": [2]},
        {"level": [1], "dlt": [-1]},
        {"prior_sd": 0},
        {"model": "cubic"},
    ],
)
def test_impossible_models_are_refused(inputs: dict[str, object]) -> None:
    usual = {"skeleton": [0.1, 0.2], "target": 0.2, "level": [], "dlt": []}
    with pytest.raises(InputError):
        find_method("B6_crm").calculate({**usual, **inputs})


@settings(max_examples=40)
@given(st.floats(0.1, 0.5), st.floats(0.01, 0.09), st.integers(1, 6), st.sampled_from(CrmModel))
def test_a_skeleton_has_the_target_at_the_prior_dose(target: float, half: float, nu: int, model: CrmModel) -> None:
    found = crm_skeleton(half, target, nu, 6, model).skeleton
    assert found is not None
    assert found[nu - 1] == pytest.approx(target)
    assert all(low < high for low, high in pairwise(found))


def test_a_skeleton_that_runs_out_of_the_unit_interval_is_not_given() -> None:
    assert crm_skeleton(0.24, 0.25, 1, 50).reason is Reason.OUTSIDE_DOMAIN
    assert crm_skeleton(0.1, 0.4, 1, 5, CrmModel.LOGISTIC, intercept=0.0).reason is Reason.OUTSIDE_DOMAIN
    with pytest.raises(InputError, match="target_minus_halfwidth"):
        crm_skeleton(0.3, 0.25, 1, 5)
    with pytest.raises(InputError, match="nu"):
        crm_skeleton(0.1, 0.25, 6, 5)


@settings(max_examples=30, deadline=None)
@given(PATIENTS)
def test_complete_follow_up_is_the_ordinary_method(patients: list[tuple[int, int, float]]) -> None:
    levels, dlt = [level for level, _, _ in patients], [toxic for _, toxic, _ in patients]
    complete = tite_crm(SKELETON, 0.25, levels, dlt, [28.0] * len(levels), 28)
    assert complete.weights == (1.0,) * len(levels)
    assert complete.ptox == pytest.approx(continual_reassessment(SKELETON, 0.25, levels, dlt).ptox, rel=1e-9)


@settings(max_examples=50)
@given(st.lists(st.floats(0.1, 28), max_size=5), st.floats(0, 60), st.floats(0, 60))
def test_adaptive_weights_rise_from_0_to_1(times: list[float], early: float, late: float) -> None:
    marks = sorted(times)
    first, second = sorted((early, late))
    assert 0 <= adaptive_weight(first, marks, 28) <= adaptive_weight(second, marks, 28) + 1e-12 <= 1 + 1e-12
    assert adaptive_weight(28, marks, 28) == 1


def test_adaptive_weights_without_a_toxicity_are_linear() -> None:
    linear = tite_crm(SKELETON, 0.25, [1, 1], [0, 0], [7, 14], 28)
    adaptive_fit = tite_crm(SKELETON, 0.25, [1, 1], [0, 0], [7, 14], 28, WeightScheme.ADAPTIVE)
    assert linear.weights == adaptive_fit.weights == (0.25, 0.5)
    with pytest.raises(InputError, match="after the window"):
        tite_crm(SKELETON, 0.25, [1], [1], [29], 28, WeightScheme.ADAPTIVE)
    assert tite_crm(SKELETON, 0.25, [1], [1], [29], 28) == tite_crm(SKELETON, 0.25, [1], [1], [3], 28)


def test_pending_patients_alone_never_escalate() -> None:
    for fraction in (0.5, 1.0):
        found = effective_sample_size([0, 0, 0], [10, 10, 10], 28, 0.3, fraction)
        assert found.decision is PendingDecision.SUSPEND
    unseen = effective_sample_size([0], [0], 28, 0.3)
    assert (unseen.decision, unseen.p_hat, unseen.missing) == (
        PendingDecision.SUSPEND,
        None,
        {"p_hat": Reason.NO_DATA},
    )
    assert effective_sample_size([], [], 28, 0.3).reason is Reason.NO_DATA


def test_as_many_pending_as_the_fraction_allows_do_not_suspend() -> None:
    """B7: 29 pending of 100 are not more than 0.29, although 0.29 * 100 is a little less than 29 in binary."""
    followup = [28.0] * 71 + [14.0] * 29
    assert effective_sample_size([0] * 100, followup, 28, 0.3, 0.29).decision is PendingDecision.ESCALATE
    assert effective_sample_size([0] * 100, followup, 28, 0.3, 0.28).decision is PendingDecision.SUSPEND


def test_observed_toxicities_force_deescalation_through_a_suspension() -> None:
    found = effective_sample_size([1, 1, 0, 0, 0, 0], [5, 9, 1, 1, 1, 1], 28, 0.3)
    assert found.decision is PendingDecision.DEESCALATE


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 60)), min_size=1, max_size=12), st.floats(0.1, 0.4))
def test_the_effective_sample_size_is_between_the_complete_and_all(
    patients: list[tuple[int, float]], target: float
) -> None:
    dlt, days = [toxic for toxic, _ in patients], [when for _, when in patients]
    found = effective_sample_size(dlt, days, 28, target)
    assert len(patients) - found.pending <= found.ess + 1e-12
    assert found.ess <= len(patients) + 1e-12
    assert found.p_hat is None or 0 <= found.p_hat <= 1


@settings(max_examples=40)
@given(st.integers(1, 15).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.floats(0.1, 0.4))
def test_with_complete_follow_up_the_interval_designs_decide(counts: tuple[int, int], target: float) -> None:
    n, x = counts
    dlt = [1] * x + [0] * (n - x)
    by_keys = effective_sample_size(dlt, [28] * n, 28, target, rule=IntervalRule.KEYBOARD)
    assert by_keys.decision == mtpi2_decision(n, x, target).decision
    by_rates = effective_sample_size(dlt, [28] * n, 28, target)
    table = boin_boundaries(target, n, cutoff_eliminate=0.999999)
    escalate, deescalate = table.escalate_if_le[-1], table.deescalate_if_ge[-1]
    assert (by_rates.decision is PendingDecision.ESCALATE) == (escalate is not None and x <= escalate)
    assert (by_rates.decision is PendingDecision.DEESCALATE) == (deescalate is not None and x >= deescalate)


@pytest.mark.parametrize(
    ("n", "dlt", "pending", "stft", "decision"),
    [(9, 1, 3, 0.78, "E"), (9, 1, 3, 0.77, "S"), (9, 2, 3, 2.65, "D"), (9, 2, 3, 2.66, "S"), (6, 1, 3, 1, None)],
)
def test_follow_up_decides_against_the_thresholds(
    n: int, dlt: int, pending: int, stft: float, decision: str | None
) -> None:
    assert follow_up_thresholds(n, dlt, pending, 0.2, stft=stft).decision == decision


def test_follow_up_of_pending_patients_alone_never_escalates() -> None:
    assert follow_up_thresholds(9, 0, 9, 0.2, stft=9).decision is PendingDecision.SUSPEND
    with pytest.raises(InputError, match="stft"):
        follow_up_thresholds(9, 1, 3, 0.2, stft=4)


def test_thresholds_decide_from_nine_patients_on() -> None:
    few, enough = follow_up_thresholds(6, 1, 3, 0.2), follow_up_thresholds(9, 1, 3, 0.2)
    assert (few.decides, few.flags) == (False, ("effective_sample_size_decides",))
    assert enough.decides
    assert enough.escalate_if_stft_ge > enough.deescalate_if_stft_le
    with pytest.raises(InputError, match="too many"):
        follow_up_thresholds(6, 2, 5, 0.2)
    with pytest.raises(InputError, match="n must be above 0"):
        follow_up_thresholds(0, 0, 0, 0.2)
