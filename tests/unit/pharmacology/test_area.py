import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from pipeline.pharmacology.area import area, interpolated, linear_area, moment_area

profiles = st.lists(
    st.tuples(st.floats(0.05, 5), st.one_of(st.just(0.0), st.floats(0.01, 100))), min_size=2, max_size=8
).map(lambda rows: [(sum(gap for gap, _ in rows[: index + 1]), conc) for index, (_, conc) in enumerate(rows)])


@given(profiles)
@settings(max_examples=30)
def test_areas_are_the_integrals_of_the_interpolated_curve(points: list[tuple[float, float]]) -> None:
    expected = sum(quad(lambda t: interpolated(points, t), a, b)[0] for (a, _), (b, _) in pairwise(points))
    assert area(points) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    falling = [
        (t, conc + 0.001) for (t, _), conc in zip(points, sorted((c for _, c in points), reverse=True), strict=True)
    ]
    moment = sum(quad(lambda t: t * interpolated(falling, t), a, b)[0] for (a, _), (b, _) in pairwise(falling))
    assert moment_area(falling) == pytest.approx(moment, rel=1e-6, abs=1e-9)


@given(profiles)
@settings(max_examples=30)
def test_the_logarithmic_area_is_never_larger(points: list[tuple[float, float]]) -> None:
    assert area(points) <= linear_area(points) * (1 + 1e-12)


@pytest.mark.parametrize("drop", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15])
def test_a_piece_that_hardly_falls_keeps_its_digits(drop: float) -> None:
    points = [(10.0, 5.0), (12.0, 5.0 * (1 - drop))]
    assert area(points) == pytest.approx(10.0 * (1 - drop / 2), rel=drop**2 + 1e-14)
    assert moment_area(points) == pytest.approx(110.0, rel=drop)


def test_a_piece_that_falls_out_of_range_is_still_an_area() -> None:
    points = [(0.0, 1e300), (1.0, 1e-300)]
    assert area(points) == pytest.approx(1e300 / (600 * math.log(10)), rel=1e-9)
