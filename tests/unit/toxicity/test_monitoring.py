"""Bayesian toxicity monitoring: the boundary is the posterior's, the characteristics are exact."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from pipeline.errors import InputError
from pipeline.outcome import Reason, find_method
from pipeline.toxicity.monitoring import binomial_masses, toxicity_monitoring, toxicity_posterior

LOOKS = st.sets(st.integers(1, 30), min_size=1, max_size=6).map(sorted)


def test_characteristics_equal_the_enumeration_of_every_trial() -> None:
    looks, p = [2, 5, 8], 0.4
    found = toxicity_monitoring(0.3, looks, [p], (1, 1), 0.8)
    stop = expected = 0.0
    for outcomes in product((0, 1), repeat=looks[-1]):
        mass = p ** sum(outcomes) * (1 - p) ** (looks[-1] - sum(outcomes))
        limits = zip(looks, found.stop_if_dlt_ge, strict=True)
        stopped = [n for n, limit in limits if limit is not None and sum(outcomes[:n]) >= limit]
        stop += mass * bool(stopped)
        expected += mass * (stopped[0] if stopped else looks[-1])
    assert found.prob_stop[0] == pytest.approx(stop, rel=1e-12)
    assert found.expected_n[0] == pytest.approx(expected, rel=1e-12)


@settings(max_examples=50)
@given(LOOKS, st.floats(0.05, 0.6), st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.6, 0.99))
def test_the_boundary_is_where_the_posterior_passes_the_cutoff(
    looks: list[int], target: float, a: float, b: float, cutoff: float
) -> None:
    found = toxicity_monitoring(target, looks, [0.0, 0.2, 0.5, 1.0], (a, b), cutoff)
    for n, limit in zip(looks, found.stop_if_dlt_ge, strict=True):
        over = [beta.sf(target, a + x, b + n - x) > cutoff for x in range(n + 1)]
        assert limit == (over.index(True) if True in over else None)
    assert list(found.prob_stop) == pytest.approx(sorted(found.prob_stop), abs=1e-12)
    assert all(0 <= p <= 1 for p in found.prob_stop)
    assert all(looks[0] - 1e-9 <= n <= looks[-1] + 1e-9 for n in found.expected_n)


def test_a_rule_that_cannot_stop_says_so() -> None:
    found = toxicity_monitoring(0.5, [1, 2], [0.9], (1, 1), 0.99)
    assert (found.stop_if_dlt_ge, found.flags, found.prob_stop) == ((None, None), ("can_never_stop",), (0,))
    assert found.expected_n == pytest.approx((2,))
    later = toxicity_monitoring(0.3, [1, 2, 3], (), (1, 1))
    assert later.first_look_that_can_stop == 2
    assert toxicity_monitoring(0.3, []).reason is Reason.NO_DATA


def test_the_default_prior_has_the_mean_of_the_target() -> None:
    assert toxicity_posterior(0, 0, 0.3).prob_over_target == pytest.approx(beta.sf(0.3, 0.3, 0.7))
    assert toxicity_posterior(1, 4, 0.3, prior_size=2).prob_over_target == pytest.approx(beta.sf(0.3, 1.6, 4.4))


@pytest.mark.parametrize(
    "inputs",
    [
        {"looks": [3, 3]},
        {"looks": [6, 3]},
        {"looks": [0, 3]},
        {"looks": [3], "true_p": [1.5]},
        {"looks": [3], "cutoff": 1},
        {"looks": [3], "prior": [0, 1]},
        {"looks": [3], "prior_size": 0},
        {"looks": [10**9]},
        {"looks": "3"},
    ],
)
def test_impossible_rules_are_refused(inputs: dict[str, object]) -> None:
    with pytest.raises(InputError):
        find_method("B8_tox_monitoring").calculate({"target": 0.3, **inputs})


def test_more_events_than_patients_are_refused() -> None:
    with pytest.raises(InputError, match="more events than patients"):
        toxicity_posterior(4, 3, 0.3)
    with pytest.raises(InputError, match="1000000 a study may have"):
        toxicity_posterior(4, 10**7, 0.3)
    with pytest.raises(InputError, match="target"):
        toxicity_posterior(1, 3, 1)


@pytest.mark.parametrize("n", [0, 1, 5, 40, 1000])
def test_binomial_masses_are_those_of_the_distribution(n: int) -> None:
    rates = np.array([[0.0], [1e-9], [0.3], [0.999], [1.0]])
    assert binomial_masses(n, rates) == pytest.approx(binom.pmf(np.arange(n + 1), n, rates), rel=1e-10, abs=1e-300)
