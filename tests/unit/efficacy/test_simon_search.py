"""The search finds, to the last digit, what judging every first stage by itself finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.bench.plain import two_stage_designs
from pipeline.efficacy.simon import simon_characteristics, simon_designs
from pipeline.outcome import Reason

error_rates = st.one_of(st.sampled_from([0.025, 0.05, 0.1, 0.2]), st.floats(1e-6, 0.7))


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.5), error_rates, error_rates, st.integers(2, 45))
@settings(max_examples=60, deadline=None)
def test_the_search_equals_the_plain_one(p0: float, more: float, alpha: float, beta: float, n_max: int) -> None:
    p1 = min(p0 + more, 0.99)
    found = simon_designs(p0, p1, alpha, beta, n_max)
    assert (found.optimal, found.minimax) == two_stage_designs(p0, p1, alpha, beta, n_max)


@pytest.mark.parametrize(
    ("p0", "p1", "alpha", "beta"), [(0.1, 0.3, 0.05, 0.2), (0.3, 0.5, 0.1, 0.1), (0.7, 0.9, 0.05, 0.1)]
)
def test_the_search_equals_the_plain_one_where_designs_are_usual(
    p0: float, p1: float, alpha: float, beta: float
) -> None:
    found = simon_designs(p0, p1, alpha, beta, 60)
    assert found.optimal is not None
    assert (found.optimal, found.minimax) == two_stage_designs(p0, p1, alpha, beta, 60)


def test_sizes_that_cannot_do_are_passed_over() -> None:
    """Tiny error rates, and rates next to each other, would have every size searched in vain."""
    for p0, p1, alpha in ((0.2, 0.3, 1e-6), (0.4, 0.41, 0.05)):
        found = simon_designs(p0, p1, alpha, 0.2, 200)
        assert (found.optimal, found.reason) == (None, Reason.OUTSIDE_DOMAIN)


def test_a_design_of_two_hundred_patients_keeps_its_error_rates() -> None:
    found = simon_designs(0.4, 0.5, n_max=200)
    assert found.optimal is not None
    assert found.minimax is not None
    assert (found.optimal.n, found.minimax.n) == (176, 154)
    for design in (found.optimal, found.minimax):
        attained = simon_characteristics(design.r1, design.n1, design.r, design.n, [0.4, 0.5])
        assert attained.prob_reject == (design.type1, design.power)
        assert design.type1 <= 0.05
        assert design.power >= 0.8


def test_many_rates_are_as_each_by_itself() -> None:
    rates = [place / 1_300 for place in range(1_301)]
    found = simon_characteristics(3, 13, 12, 43, rates)
    for place in (0, 1, 499, 500, 501, 1_000, 1_300):
        single = simon_characteristics(3, 13, 12, 43, [rates[place]])
        assert (found.prob_reject[place], found.pet[place]) == (single.prob_reject[0], single.pet[0])
    assert simon_characteristics(3, 13, 12, 43, []).prob_reject == ()
