import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.operating_characteristics import (
    CONSIDER,
    GO,
    STOP,
    checkpoint_characteristics,
    monte_carlo_error,
    simulated_characteristics,
)
from pipeline.errors import InputError
from pipeline.outcome import Reason

LOOKS, FUTILITY, FINAL_STOP, FINAL_GO = [12, 24, 36], [1, 5], 7, 11


def responses(p: float) -> Any:
    def draw(generator: np.random.Generator, replicates: int) -> Mapping[str, Any]:
        steps = [generator.binomial(12, p, replicates) for _ in LOOKS]
        return {"counts": np.cumsum(steps, axis=0)}

    return draw


def decide(seen: Mapping[str, Any]) -> Any:
    first, second, last = seen["counts"]
    futile = (first <= FUTILITY[0]) | (second <= FUTILITY[1]) | (last <= FINAL_STOP)
    return np.where(futile, STOP, np.where(last >= FINAL_GO, GO, CONSIDER))


@pytest.mark.parametrize("p", [0.2, 0.4])
def test_the_simulation_meets_the_recursion_within_four_errors(p: float) -> None:
    exact = checkpoint_characteristics(LOOKS, FUTILITY, FINAL_STOP, FINAL_GO, 0.2, 0.4)
    wanted = exact.bad if p == 0.2 else exact.good
    found = simulated_characteristics(responses(p), decide, np.random.default_rng(20260401), 20_000)
    for name in ("p_go", "p_stop", "p_consider"):
        rate = getattr(wanted, name)
        assert abs(getattr(found, name) - rate) <= 4 * math.sqrt(rate * (1 - rate) / 20_000)
        assert found.mc_se[name] == pytest.approx(monte_carlo_error(getattr(found, name), 20_000).mc_se)


def test_a_seed_gives_the_same_simulation_again() -> None:
    once, again = (simulated_characteristics(responses(0.3), decide, np.random.default_rng(1)) for _ in range(2))
    assert once == again
    assert once.replicates == 10_000


def test_a_simulation_too_small_or_undecided_is_refused() -> None:
    with pytest.raises(InputError):
        simulated_characteristics(responses(0.3), decide, np.random.default_rng(1), 999)
    with pytest.raises(InputError):
        simulated_characteristics(responses(0.3), lambda seen: np.array([2]), np.random.default_rng(1))


@given(
    st.lists(st.integers(2, 15), min_size=1, max_size=4),
    st.floats(0.05, 0.5),
    st.floats(0.05, 0.45),
    st.floats(0, 1),
    st.data(),
)
@settings(max_examples=50)
def test_decisions_add_up_and_better_molecules_pass_more_often(
    steps: list[int], p_bad: float, more: float, prevalence: float, data: st.DataObject
) -> None:
    looks = np.cumsum(steps).tolist()
    futility = [data.draw(st.one_of(st.none(), st.integers(0, look // 2))) for look in looks[:-1]]
    stop = data.draw(st.integers(0, looks[-1] - 1))
    go = data.draw(st.integers(stop + 1, looks[-1]))
    found = checkpoint_characteristics(looks, futility, stop, go, p_bad, p_bad + more, prevalence)
    for truth in (found.bad, found.good):
        assert truth.p_go + truth.p_stop + truth.p_consider == pytest.approx(1)
        assert truth.p_early_stop <= truth.p_stop + 1e-12
        assert looks[0] - 1e-9 <= truth.expected_n <= looks[-1] + 1e-9
    assert (found.false_go, found.false_stop) == (found.bad.p_go, found.good.p_stop)
    assert found.bad.p_go <= found.good.p_go + 1e-12
    assert found.good.p_stop <= found.bad.p_stop + 1e-12
    for value in (found.ppv_go, found.npv_stop):
        assert value is None or 0 <= value <= 1
    if found.ppv_go is not None:
        assert found.ppv_go >= prevalence - 1e-9


def test_predictive_values_need_a_prevalence_and_a_decision() -> None:
    assert checkpoint_characteristics([10], [], 3, 4, 0.1, 0.3).missing["ppv_go"] is Reason.NO_DATA
    never = checkpoint_characteristics([10], [], 3, 11, 0.1, 0.3, 0.5)
    assert (never.ppv_go, never.missing["ppv_go"]) == (None, Reason.UNDEFINED_LIMIT)


@pytest.mark.parametrize(
    "inputs",
    [
        ([10], [], 4, 4, 0.1, 0.3, 0.5),
        ([10, 20], [], 3, 5, 0.1, 0.3, 0.5),
        ([20, 10], [1], 3, 5, 0.1, 0.3, 0.5),
        ([10], [], 3, 5, 0.3, 0.3, 0.5),
        ([10], [], 3, 5, 0.1, 1.3, 0.5),
        ([10], [], 3, 5, 0.1, 0.3, 1.5),
        ([], [], 3, 5, 0.1, 0.3, 0.5),
    ],
)
def test_rules_that_cannot_be_are_refused(inputs: tuple[Any, ...]) -> None:
    with pytest.raises(InputError):
        checkpoint_characteristics(*inputs)


def test_the_replicates_wanted_reach_the_half_width() -> None:
    n = monte_carlo_error(0.5, 100, 0.01).n_for_half_width
    assert n == 9604
    assert monte_carlo_error(0.5, n).ci95_half_width <= 0.01
    assert monte_carlo_error(0, 100, 0.01).n_for_half_width == 0
    for wrong in ((1.5, 10, 0.1), (0.5, 0, 0.1), (0.5, 10, 0)):
        with pytest.raises(InputError):
            monte_carlo_error(*wrong)
