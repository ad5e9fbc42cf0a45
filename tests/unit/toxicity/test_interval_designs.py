"""BOIN, keyboard and mTPI-2: boundaries agree with the posterior they come from; the choice of the dose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression
from scipy.stats import beta

from pipeline.errors import InputError
from pipeline.outcome import Reason, find_method
from pipeline.toxicity.boin import boin_boundaries, boin_cut_points, select_mtd
from pipeline.toxicity.keyboard import Decision, keyboard_boundaries, keys, mtpi2_decision
from pipeline.toxicity.selection import isotonic

TARGETS = st.floats(0.1, 0.45)

# Cut-points to three decimals: Liu S, Yuan Y 2015, table 1; 0.359 by the formula where 0.358 is printed.
PUBLISHED = [
    (0.15, 0.118, 0.179),
    (0.20, 0.157, 0.238),
    (0.25, 0.197, 0.298),
    (0.30, 0.236, 0.359),
    (0.35, 0.276, 0.419),
    (0.40, 0.316, 0.480),
]


@pytest.mark.parametrize(("target", "lambda_e", "lambda_d"), PUBLISHED)
def test_published_cut_points(target: float, lambda_e: float, lambda_d: float) -> None:
    found = boin_cut_points(target)
    assert (found.lambda_e, found.lambda_d) == pytest.approx((lambda_e, lambda_d), abs=5e-4)


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"target": 0.04}, "target"),
        ({"target": 0.61}, "target"),
        ({"target": 0.3, "p_saf": 0.28}, "p_saf"),
        ({"target": 0.3, "p_tox": 0.32}, "p_tox"),
        ({"target": 0.3, "p_saf": 0}, "p_saf"),
        ({"target": 0.3, "p_tox": 1}, "p_tox"),
    ],
)
def test_impossible_targets_are_refused(inputs: dict[str, float], field: str) -> None:
    with pytest.raises(InputError, match=field):
        find_method("B4_boin_lambda").calculate(inputs)


def test_rates_at_ten_percent_of_the_target_are_allowed() -> None:
    """0.27 is 10 % below 0.3, whatever binary fractions make of it."""
    found = boin_cut_points(0.3, 0.27, 0.33)
    assert found.lambda_e < 0.3 < found.lambda_d


@settings(max_examples=40)
@given(TARGETS, st.integers(1, 60), st.floats(0.8, 0.99))
def test_boin_boundaries_agree_with_rates_and_posterior(target: float, n_max: int, cutoff: float) -> None:
    found = boin_boundaries(target, n_max, cutoff_eliminate=cutoff)
    assert found.lambda_e < target < found.lambda_d
    rows = zip(found.n, found.escalate_if_le, found.deescalate_if_ge, found.eliminate_if_ge, strict=True)
    for n, escalate, deescalate, eliminate in rows:
        assert escalate is not None
        assert deescalate is not None
        assert escalate / n <= found.lambda_e < (escalate + 1) / n
        assert deescalate > escalate
        over = [beta.sf(target, 1 + x, 1 + n - x) > cutoff for x in range(n + 1)]
        expected = over.index(True) if n >= 3 and True in over else None
        assert eliminate == expected
        assert deescalate <= (n if eliminate is None else eliminate)
        if deescalate != eliminate:
            assert (deescalate - 1) / n < found.lambda_d <= deescalate / n


@settings(max_examples=40)
@given(TARGETS, st.integers(1, 30), st.floats(0.02, 0.08), st.floats(0.02, 0.08))
def test_keyboard_and_mtpi2_decide_alike(target: float, n: int, left: float, right: float) -> None:
    found = keyboard_boundaries(target, [n], left, right)
    escalate, deescalate, eliminate = found.escalate_if_le[0], found.deescalate_if_ge[0], found.eliminate_if_ge[0]
    for x in range(n + 1):
        single = mtpi2_decision(n, x, target, left, right)
        assert (escalate is not None and x <= escalate) == (single.decision is Decision.ESCALATE)
        assert (eliminate is not None and x >= eliminate) == single.eliminate
        if not single.eliminate:
            assert (deescalate is not None and x >= deescalate) == (single.decision is Decision.DEESCALATE)


@settings(max_examples=40)
@given(TARGETS, st.floats(0.02, 0.09), st.floats(0.02, 0.09))
def test_keys_tile_the_unit_interval(target: float, left: float, right: float) -> None:
    edges, middle = keys(target, left, right)
    widths = np.diff(edges)
    assert (edges[0], edges[-1]) == (0, 1)
    assert edges[middle : middle + 2] == pytest.approx([target - left, target + right])
    assert widths[1:-1] == pytest.approx(left + right)
    assert (widths > 0).all()
    assert (widths <= left + right + 1e-9).all()


@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.5, 0.5)])
@pytest.mark.parametrize("n", [2, 4, 6, 10, 20])
def test_of_equally_strong_keys_the_right_most_counts(n: int, prior: tuple[float, float]) -> None:
    """B5: with half of the patients toxic, [0.4, 0.5] and [0.5, 0.6] are equally strong by symmetry."""
    assert mtpi2_decision(n, n // 2, 0.45, prior=prior).decision is Decision.DEESCALATE


def test_keys_that_fit_exactly_leave_no_sliver() -> None:
    edges, middle = keys(0.25, 0.05, 0.05)
    assert edges == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert middle == 2


def test_two_of_two_are_not_eliminated() -> None:
    found = mtpi2_decision(2, 2, 0.2)
    assert (found.decision, found.eliminate) == (Decision.DEESCALATE, False)
    assert mtpi2_decision(3, 3, 0.2).eliminate
    assert mtpi2_decision(0, 0, 0.2).reason is Reason.NO_DATA


@pytest.mark.parametrize(
    "inputs",
    [
        {"n": 3, "dlt": 4, "target": 0.3},
        {"n": -1, "dlt": 0, "target": 0.3},
        {"n": 3, "dlt": -1, "target": 0.3},
        {"n": 3, "dlt": 1, "target": 0},
        {"n": 3, "dlt": 1, "target": 1.2},
        {"n": 3, "dlt": 1, "target": 0.04},
        {"n": 3, "dlt": 1, "target": 0.3, "prior": [0, 1]},
        {"n": 3, "dlt": 1, "target": 0.3, "prior": [1]},
        {"n": 3, "dlt": 1, "target": 0.3, "epsilon1": 0, "epsilon2": 0},
        {"n": 3.5, "dlt": 1, "target": 0.3},
    ],
)
def test_impossible_counts_and_intervals_are_refused(inputs: dict[str, object]) -> None:
    with pytest.raises(InputError):
        find_method("B5_mtpi2_decision").calculate(inputs)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 50)), min_size=1, max_size=8),
    st.sets(st.integers(0, 7)),
)
def test_the_isotonic_fit_is_that_of_pooling_adjacent_violators(
    doses: list[tuple[float, float]], left_out: set[int]
) -> None:
    values = np.array([value for value, _ in doses])
    weights = np.array([0.0 if index in left_out else weight for index, (_, weight) in enumerate(doses)])
    used = weights > 0
    fit = isotonic(values, weights)
    assert np.isnan(fit[~used]).all()
    if used.any():
        expected = isotonic_regression(values[used], weights=weights[used]).x
        assert fit[used] == pytest.approx(expected, abs=1e-9)


def test_a_dose_of_a_million_does_not_blur_one_of_three() -> None:
    rates = select_mtd(0.3, [1_000_000, 3], [0, 1]).isotonic_p
    assert rates == pytest.approx((0.05 / 1_000_000.1, 1.05 / 3.1), rel=1e-12)


def test_ties_go_up_below_the_target_and_down_above_it() -> None:
    assert select_mtd(0.3, [6, 6], [1, 1]).mtd == 2
    assert select_mtd(0.1, [6, 6], [1, 1]).mtd == 1


def test_without_patients_or_with_all_doses_too_toxic_there_is_no_dose() -> None:
    assert select_mtd(0.3, [0, 0], [0, 0]).reason is Reason.NO_DATA
    assert select_mtd(0.3, [], []).reason is Reason.NO_DATA
    toxic = select_mtd(0.3, [3, 3], [3, 0])
    assert (toxic.mtd, toxic.reason, toxic.flags) == (None, Reason.NOT_ESTIMABLE, ("all_doses_eliminated",))
    with pytest.raises(InputError, match="more events than patients"):
        select_mtd(0.3, [3], [4])
    with pytest.raises(InputError, match="equally long"):
        select_mtd(0.3, [3, 3], [1])


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=1, max_size=6),
    TARGETS,
)
def test_the_dose_was_tried_and_its_estimates_do_not_decrease(doses: list[tuple[int, int]], target: float) -> None:
    n, x = [n for n, _ in doses], [x for _, x in doses]
    found = select_mtd(target, n, x)
    tried = [p for p in found.isotonic_p if p is not None]
    assert tried == sorted(tried)
    assert [p is not None for p in found.isotonic_p] == [patients > 0 for patients in n]
    if found.mtd is not None:
        assert n[found.mtd - 1] > 0
        top = boin_boundaries(target, max(n)).eliminate_if_ge[n[found.mtd - 1] - 1] if target >= 0.05 else None
        assert top is None or x[found.mtd - 1] < top
