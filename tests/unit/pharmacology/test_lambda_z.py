"""The terminal regressions: equal to fitting each line by itself, and as quick as adding each point once."""

import math
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.bench.plain import terminal_lines
from pipeline.pharmacology.below_limit import compare_below_limit
from pipeline.pharmacology.lambda_z import Terminal, best_terminal, terminal_candidates, terminal_slope
from pipeline.pharmacology.nca import non_compartmental

samples = st.lists(st.tuples(st.floats(0.01, 1000), st.floats(1e-6, 1e6)), min_size=3, max_size=40)


def one_by_one(points: list[tuple[float, float]]) -> list[Terminal]:
    """Return the falling regressions over the last 3, 4, ... points, each fitted from the start."""
    return [
        Terminal(-line.slope, line.intercept, line.adj_r_squared, line.n, points[-line.n][0])
        for line in terminal_lines(points)
        if line.slope < -1e-12
    ]


@given(samples, st.floats(0, 1e4))
@settings(max_examples=100)
def test_every_regression_equals_the_one_fitted_by_itself(drawn: list[tuple[float, float]], start: float) -> None:
    points = [(0.0, 1e7)]  # the maximum, which does not belong to the terminal phase
    for gap, conc in drawn:
        points.append((max(points[-1][0], start) + gap, conc))
    found = [fit for fit in terminal_candidates(points, include_tmax=False) if fit.lambda_z > 1e-12]
    expected = one_by_one(points[1:])
    assert [fit.n_points for fit in found] == [fit.n_points for fit in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.lambda_z == pytest.approx(theirs.lambda_z, rel=1e-9, abs=1e-14)
        assert ours.intercept == pytest.approx(theirs.intercept, rel=1e-9, abs=1e-9)
        assert ours.adj_r_squared == pytest.approx(theirs.adj_r_squared, abs=1e-12)
        assert ours.time_first == theirs.time_first


@given(st.floats(1e-3, 10), st.floats(1e-3, 1e3), st.integers(3, 30))
def test_a_level_end_has_no_slope(gap: float, conc: float, n: int) -> None:
    points = [(0.0, 1e7), *((gap * place, conc) for place in range(1, n + 1))]
    assert terminal_candidates(points, include_tmax=False) == []


@given(st.floats(1e-3, 2), st.integers(3, 20))
def test_an_exact_decline_takes_all_points(slope: float, n: int) -> None:
    points = [(float(time), 100 * math.exp(-slope * time)) for time in range(n)]
    best = best_terminal(terminal_candidates(points, include_tmax=True))
    assert best is not None
    assert (best.n_points, best.time_first) == (n, 0)
    assert best.lambda_z == pytest.approx(slope, rel=1e-10)
    assert best.adj_r_squared == pytest.approx(1, abs=1e-10)


def test_a_long_profile_takes_no_longer_by_the_point() -> None:
    time = [0.01 * place for place in range(9_500)]
    conc = [100 * math.exp(-t / 30) * (1 + 0.1 * math.sin(7 * t)) for t in time]
    before = perf_counter()
    assert non_compartmental(time, conc, 100).lambda_z == pytest.approx(1 / 30, rel=0.05)
    assert len(terminal_slope(time, conc).candidates) > 5_000
    assert compare_below_limit(time, conc, 0.01).default.lambda_z is not None
    assert perf_counter() - before < 6  # a fit of each line from the start takes minutes
