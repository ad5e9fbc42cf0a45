"""Simulated operating characteristics: within their Monte Carlo error of the exact ones, and reproducible."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import find_method
from pipeline.toxicity.boin import boin_boundaries, select_mtd
from pipeline.toxicity.crm import continual_reassessment
from pipeline.toxicity.crm_grid import PosteriorGrid, distinct_rows
from pipeline.toxicity.crm_model import CrmModel, RateModel
from pipeline.toxicity.operating_characteristics import (
    boin_characteristics,
    crm_characteristics,
    keyboard_characteristics,
)
from pipeline.toxicity.simulation import EscalationCharacteristics

RATES = (0.1, 0.3, 0.5)
SKELETON = (0.1, 0.25, 0.4)
COHORTS, COHORT = 4, 3


def exact_boin() -> tuple[float, list[float], list[float]]:
    """Follow every sequence of cohorts of a small BOIN trial by its printed boundaries."""
    table = boin_boundaries(0.3, COHORTS * COHORT)
    none, select, expected = 0.0, [0.0] * 3, [0.0] * 3
    for outcomes in product(range(COHORT + 1), repeat=COHORTS):
        n, x, dose, mass, stopped = [0] * 3, [0] * 3, 0, 1.0, False
        barred = 3
        for toxic in outcomes:
            if stopped:
                mass *= 1.0 if toxic == 0 else 0.0
                continue
            p = RATES[dose]
            mass *= comb(COHORT, toxic) * p**toxic * (1 - p) ** (COHORT - toxic)
            n[dose] += COHORT
            x[dose] += toxic
            row = n[dose] - 1
            up, down, out = table.escalate_if_le[row], table.deescalate_if_ge[row], table.eliminate_if_ge[row]
            assert up is not None
            assert down is not None
            if out is not None and x[dose] >= out:
                barred = min(barred, dose)
            stopped = barred == 0
            if x[dose] <= up and dose < 2 and dose + 1 < barred:
                dose += 1
            elif x[dose] >= down and dose > 0:
                dose -= 1
        mtd = select_mtd(0.3, n, x).mtd
        if stopped or mtd is None:
            none += mass
        else:
            select[mtd - 1] += mass
        for level in range(3):
            expected[level] += mass * n[level]
    return none, select, expected


def close(found: float, exact: float, error: float) -> bool:
    return abs(found - exact) <= 4 * error + 1e-12


def test_simulated_boin_is_within_four_errors_of_the_exact_one() -> None:
    none, select, expected = exact_boin()
    assert none + sum(select) == pytest.approx(1)
    found = boin_characteristics(RATES, 0.3, COHORTS, COHORT, trials=20_000, seed=7)
    assert close(found.prob_select_none, none, found.prob_select_none_mc_error)
    for index in range(3):
        assert close(found.prob_select[index], select[index], found.prob_select_mc_error[index])
        assert close(found.expected_n[index], expected[index], found.expected_n_mc_error[index])


def simulated(design: str, seed: int = 1, trials: int = 2000) -> EscalationCharacteristics:
    if design == "boin":
        return boin_characteristics(RATES, 0.3, 6, trials=trials, seed=seed)
    if design == "keyboard":
        return keyboard_characteristics(RATES, 0.3, 6, trials=trials, seed=seed)
    return crm_characteristics(RATES, SKELETON, 0.3, 6, trials=trials, seed=seed)


@pytest.mark.parametrize("design", ["boin", "keyboard", "crm"])
def test_the_seed_decides_and_is_stored(design: str) -> None:
    first, again, other = simulated(design), simulated(design), simulated(design, seed=2)
    assert first == again
    assert first.prob_select != other.prob_select
    assert (first.parameters["seed"], first.parameters["trials"]) == (1, 2000)


@pytest.mark.parametrize("design", ["boin", "keyboard", "crm"])
def test_probabilities_add_up_and_carry_their_error(design: str) -> None:
    found = simulated(design)
    assert found.prob_select_none + sum(found.prob_select) == pytest.approx(1)
    assert sum(found.expected_n) == pytest.approx(found.expected_total_n)
    assert found.expected_total_n <= 18
    assert found.prob_select_mc_error[1] == pytest.approx(
        np.sqrt(found.prob_select[1] * (1 - found.prob_select[1]) / 2000)
    )
    assert found.prob_select_over_target == pytest.approx(found.prob_select[2])
    assert found.prob_select[1] > max(found.prob_select[0], found.prob_select[2])


def test_certain_toxicity_stops_every_trial_at_once_and_none_never_does() -> None:
    for found in (
        boin_characteristics([1.0, 1.0], 0.3, 5, trials=50),
        keyboard_characteristics([1.0, 1.0], 0.3, 5, trials=50),
        crm_characteristics([1.0, 1.0], [0.1, 0.2], 0.2, 5, trials=50),
    ):
        assert (found.prob_select_none, found.prob_stop_early) == (1, 1)
        assert found.expected_total_n < 7
    safe = boin_characteristics([0.0, 0.0], 0.3, 5, trials=50)
    assert (safe.prob_select, safe.expected_n, safe.expected_n_mc_error) == ((0, 1), (3, 12), (0, 0))


@pytest.mark.parametrize("rates", [(0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0), (0.0, 1.0, 1.0, 1.0)])
def test_a_simulated_crm_trial_follows_the_next_dose_of_the_single_fit(rates: tuple[float, ...]) -> None:
    """With rates of 0 and 1 every simulated trial is the same, and can be followed cohort by cohort."""
    skeleton, dose = (0.08, 0.16, 0.3, 0.45), 1
    level: list[int] = []
    dlt: list[int] = []
    for _ in range(6):
        level += [dose] * 3
        dlt += [int(rates[dose - 1])] * 3
        following = continual_reassessment(skeleton, 0.3, level, dlt, latest_cohort=3).next_dose
        assert following is not None
        dose = following
    found = crm_characteristics(rates, skeleton, 0.3, 6, trials=3)
    assert found.expected_n == tuple(float(level.count(number)) for number in range(1, 5))


COUNTS = st.lists(st.integers(0, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=3, max_size=3)


@settings(max_examples=30, deadline=None)
@given(st.lists(COUNTS, min_size=1, max_size=4), st.sampled_from(CrmModel))
def test_the_grid_fits_as_the_single_fit_does(trials: list[list[tuple[int, int]]], model: CrmModel) -> None:
    n = np.array([[n for n, _ in trial] for trial in trials])
    x = np.array([[x for _, x in trial] for trial in trials])
    grid = PosteriorGrid(RateModel(SKELETON, model), 0.3, 1.34**0.5, 27)
    mtd, over = grid.fit(n, x)
    for row in range(len(trials)):
        level = [dose + 1 for dose in range(3) for _ in range(n[row, dose])]
        dlt = [int(k < x[row, dose]) for dose in range(3) for k in range(n[row, dose])]
        single = continual_reassessment(SKELETON, 0.3, level, dlt, model)
        assert over[row] == pytest.approx(single.prob_lowest_over_target, abs=1e-7)
        distances = sorted(abs(p - 0.3) for p in single.ptox)
        if distances[1] - distances[0] > 1e-6:
            assert mtd[row] + 1 == single.mtd


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(1, 40), st.sampled_from([1, 3, 1000]), st.integers(0, 1000))
def test_distinct_rows_are_those_of_numpy(rows: int, columns: int, most: int, seed: int) -> None:
    counts = np.random.default_rng(seed).integers(0, most, (rows, columns), endpoint=True)
    counts = np.concatenate([counts, counts[::2]])
    states, place = distinct_rows(counts)
    expected, places = np.unique(counts, axis=0, return_inverse=True)
    assert np.array_equal(states, expected)
    assert np.array_equal(place, places.reshape(-1))
    assert np.array_equal(states[place], counts)


@pytest.mark.parametrize(
    "inputs",
    [
        {"true_dlt_prob": []},
        {"true_dlt_prob": [1.2]},
        {"cohorts": 0},
        {"cohort_size": 0},
        {"cohorts": 10**6},
        {"start_dose": 3},
        {"start_dose": 0},
        {"trials": 0},
        {"trials": 10**9},
        {"true_dlt_prob": [0.1] * 50, "cohorts": 50},
        {"seed": -1},
        {"target": 0.9},
    ],
)
def test_impossible_scenarios_are_refused(inputs: dict[str, object]) -> None:
    with pytest.raises(InputError):
        find_method("F1_boin_oc").calculate({"true_dlt_prob": [0.1, 0.2], "target": 0.3, "cohorts": 3, **inputs})
    with pytest.raises(InputError, match="one guess for each dose"):
        crm_characteristics([0.1, 0.2], [0.1], 0.3, 3)
