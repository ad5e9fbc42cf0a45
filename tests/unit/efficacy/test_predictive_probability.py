import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, betabinom

from pipeline.bench.plain import predictive_chances
from pipeline.efficacy.conditional_power import conditional_power
from pipeline.efficacy.predictive_probability import predictive_design, predictive_probability
from pipeline.efficacy.sequential import count_course
from pipeline.errors import InputError

trials = st.integers(1, 60).flatmap(
    lambda n_max: st.integers(0, n_max).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.just(n), st.just(n_max)),
    )
)
priors = st.tuples(st.floats(0.1, 3), st.floats(0.1, 3))


@given(trials, priors, st.floats(0.05, 0.8), st.floats(0.5, 0.99))
@settings(max_examples=50)
def test_predictive_probability_is_the_beta_binomial_sum(
    trial: tuple[int, int, int], prior: tuple[float, float], p0: float, theta_t: float
) -> None:
    x, n, n_max = trial
    a, b = prior
    y = np.arange(n_max - n + 1)
    success = beta.sf(p0, a + x + y, b + n_max - x - y) >= theta_t
    expected = float(betabinom.pmf(y, n_max - n, a + x, b + n - x)[success].sum())
    assert predictive_probability(x, n, n_max, prior, p0, theta_t).pp == pytest.approx(expected, abs=1e-10)


@given(st.integers(10, 40), priors, st.floats(0.1, 0.5), st.floats(0.01, 0.2))
@settings(max_examples=30)
def test_boundaries_agree_with_the_probability_they_come_from(
    n_max: int, prior: tuple[float, float], p0: float, theta_l: float
) -> None:
    design = predictive_design(n_max, prior, p0, p0 + 0.2, 0.9, theta_l, n_first_look=5, look_every=3, theta_u=0.95)
    assert design.n[-1] == n_max
    for n, low, high in zip(design.n, design.stop_futility_if_le, design.stop_efficacy_if_ge, strict=True):
        for x in range(n + 1):
            pp = predictive_probability(x, n, n_max, prior, p0, 0.9).pp
            if n == n_max:
                assert (pp == 1) is (x >= design.success_if_ge)
            else:
                assert (pp < theta_l) is (low is not None and x <= low)
                assert (pp > 0.95) is (high is not None and x >= high)
    assert 0 <= design.type1 <= design.power <= 1
    assert 5 <= design.en_p0 <= n_max


@given(trials, priors, st.floats(0, 1))
@settings(max_examples=100)
def test_the_average_over_the_next_patient_equals_the_plain_sum(
    trial: tuple[int, int, int], prior: tuple[float, float], share: float
) -> None:
    x, n, n_max = trial
    p0, theta_t = 0.05 + 0.9 * share, 0.9
    needed = next(
        (k for k in range(n_max + 1) if beta.sf(p0, prior[0] + k, prior[1] + n_max - k) >= theta_t), n_max + 1
    )
    expected = predictive_chances(n, n_max, prior, needed)[x]
    assert predictive_probability(x, n, n_max, prior, p0, theta_t).pp == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_nine_of_ten_is_not_above_nine_tenths() -> None:
    """2 responses in 7 of 15 patients foresee the third with exactly 9/10 under a uniform prior."""
    design = predictive_design(15, (1, 1), 0.2, 0.5, 0.53, 0.001, n_first_look=7, theta_u=0.9)
    assert design.success_if_ge == 3
    assert predictive_probability(2, 7, 15, (1, 1), 0.2, 0.53).pp == pytest.approx(0.9, rel=1e-14)
    assert design.stop_efficacy_if_ge[0] == 3
    assert predictive_design(15, (1, 1), 0.2, 0.5, 0.53, 0.001, 7, theta_u=0.8999).stop_efficacy_if_ge[0] == 2


def test_a_success_out_of_reach_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be reached"):
        predictive_design(5, (0.2, 0.8), 0.9, 0.95, 0.999, 0.05, n_first_look=2)


@pytest.mark.parametrize("x_n", [(5, 4), (-1, 4), (3, 50)])
def test_impossible_counts_are_refused(x_n: tuple[int, int]) -> None:
    with pytest.raises(InputError):
        predictive_probability(*x_n, 40, (1, 1), 0.2, 0.9)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=5), st.floats(0, 1))
@settings(max_examples=50)
def test_the_mass_of_a_course_is_one(steps: list[int], p: float) -> None:
    looks = np.cumsum(steps).tolist()
    low = [look // 4 for look in looks[:-1]]
    high = [max(look - 1, low + 1) for look, low in zip(looks[:-1], low, strict=True)]
    course = count_course(looks, low, p, high)
    assert sum(course.stop_low) + sum(course.stop_high) + course.final.sum() == pytest.approx(1)
    assert looks[0] - 1e-9 <= course.expected_n <= looks[-1] + 1e-9


def test_looks_that_do_not_rise_are_refused() -> None:
    for looks in ([], [0], [5, 5], [5, 3]):
        with pytest.raises(InputError):
            count_course(looks, [1] * (len(looks) - 1), 0.5)
    with pytest.raises(InputError):
        count_course([5, 10], [], 0.5)


@given(st.floats(-4, 4), st.floats(0.05, 0.95), st.floats(0.005, 0.2), st.floats(0.5, 5))
@settings(max_examples=50)
def test_power_rises_with_the_drift_and_the_interim_result(z: float, t: float, alpha: float, drift: float) -> None:
    found = conditional_power(z, t, alpha, drift)
    assert found.conditional_power_null <= found.conditional_power_design
    better = conditional_power(z + 0.5, t, alpha, drift)
    for name in ("design", "trend", "null"):
        name = f"conditional_power_{name}"
        assert 0 <= getattr(found, name) <= getattr(better, name) <= 1


def test_power_equals_a_simulated_one() -> None:
    generator = np.random.default_rng(20260101)
    z, t, drift = 1.0, 0.4, 2.8
    ends = z * t**0.5 + drift * (1 - t) + (1 - t) ** 0.5 * generator.standard_normal(200_000)
    simulated = float((ends >= 1.959964).mean())
    found = conditional_power(z, t, 0.025, drift).conditional_power_design
    assert found == pytest.approx(simulated, abs=4 * (simulated * (1 - simulated) / 200_000) ** 0.5)


@pytest.mark.parametrize("t", [0, 1, -0.1, 1.5])
def test_nothing_is_foreseen_outside_the_trial(t: float) -> None:
    with pytest.raises(InputError):
        conditional_power(1, t, 0.025, 3)
