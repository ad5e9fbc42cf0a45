import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.efficacy.simon import simon_characteristics, simon_designs, simon_inference, simon_rule
from pipeline.errors import InputError
from pipeline.outcome import Reason

designs = st.integers(2, 40).flatmap(
    lambda n1: st.tuples(st.integers(0, n1 - 1), st.just(n1), st.integers(1, 40), st.floats(0.05, 0.95))
)


@given(designs)
@settings(max_examples=50)
def test_characteristics_equal_the_binomial_sums(design: tuple[int, int, int, float]) -> None:
    r1, n1, n2, p = design
    n = n1 + n2
    r = max(r1, n // 2)
    found = simon_characteristics(r1, n1, r, n, [p])
    reject = sum(binom.pmf(k, n1, p) * binom.sf(r - k, n2, p) for k in range(r1 + 1, n1 + 1))
    assert found.prob_reject[0] == pytest.approx(reject, abs=1e-12)
    assert found.pet[0] == pytest.approx(binom.cdf(r1, n1, p), abs=1e-12)
    assert n1 <= found.expected_n[0] <= n


@given(st.floats(0.05, 0.5), st.floats(0.15, 0.3), st.sampled_from([0.05, 0.1]), st.sampled_from([0.1, 0.2]))
@settings(max_examples=10, deadline=None)
def test_a_design_found_keeps_what_was_asked(p0: float, more: float, alpha: float, beta: float) -> None:
    found = simon_designs(p0, p0 + more, alpha, beta, n_max=60)
    if found.optimal is None or found.minimax is None:
        assert found.reason is Reason.OUTSIDE_DOMAIN
        return
    for design in (found.optimal, found.minimax):
        checked = simon_characteristics(design.r1, design.n1, design.r, design.n, [p0, p0 + more])
        assert checked.prob_reject == pytest.approx((design.type1, design.power), rel=1e-9)
        assert design.type1 <= alpha
        assert design.power >= 1 - beta
    assert found.minimax.n <= found.optimal.n
    assert found.optimal.en_p0 <= found.minimax.en_p0


def test_search_is_complete_where_it_can_be_repeated_by_hand() -> None:
    p0, p1, alpha, beta = 0.1, 0.4, 0.1, 0.2
    feasible = []
    for n in range(2, 19):
        for n1 in range(1, n):
            for r1 in range(n1):
                for r in range(r1, n):
                    oc = simon_characteristics(r1, n1, r, n, [p0, p1])
                    if oc.prob_reject[0] <= alpha and oc.prob_reject[1] >= 1 - beta and oc.pet[1] <= beta:
                        feasible.append((oc.expected_n[0], n))
    found = simon_designs(p0, p1, alpha, beta, n_max=18)
    assert found.optimal is not None
    assert found.minimax is not None
    assert found.optimal.en_p0 == pytest.approx(min(feasible)[0])
    smallest = min(n for _, n in feasible)
    assert (found.minimax.n, found.minimax.en_p0) == (
        smallest,
        pytest.approx(min(size for size, n in feasible if n == smallest)),
    )


def test_targets_out_of_reach_give_a_reason() -> None:
    found = simon_designs(0.3, 0.32, n_max=40)
    assert (found.optimal, found.minimax, found.reason) == (None, None, Reason.OUTSIDE_DOMAIN)


@pytest.mark.parametrize("rates", [(0.4, 0.2), (0.2, 0.2), (0, 0.2), (0.2, 1)])
def test_impossible_targets_are_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(InputError):
        simon_designs(*rates)


def test_an_overrun_first_stage_gets_a_new_limit() -> None:
    planned = simon_rule(3, 13, 43, 0.2, 0.4)
    assert (planned.r, planned.type1) == (12, pytest.approx(0.0495814, abs=1e-7))
    overrun = simon_rule(3, 15, 43, 0.2, 0.4)
    assert overrun.r == 13
    assert overrun.type1 is not None
    assert overrun.type1 <= 0.05
    assert simon_rule(0, 1, 2, 0.5, 0.6).reason is Reason.OUTSIDE_DOMAIN


@given(st.integers(0, 43), st.floats(0.1, 0.6))
@settings(max_examples=50, deadline=None)
def test_estimate_lies_within_its_limits(total: int, p0: float) -> None:
    found = simon_inference(total, 3, 13, 43, p0)
    assert 0 <= found.umvue <= 1
    assert 0 <= found.p_value <= 1
    if total == 0:
        assert (found.ci, found.missing) == ((None, None), {"ci": Reason.UNDEFINED_LIMIT})
        return
    low, high = found.ci
    assert low is not None
    assert high is not None
    assert low <= found.umvue <= high or total > 40
    assert simon_inference(total, 3, 13, 43, min(max(low, 1e-6), 1 - 1e-6)).p_value == pytest.approx(0.05, abs=1e-6)


def test_umvue_is_unbiased_over_the_whole_design() -> None:
    r1, n1, n, p = 1, 10, 29, 0.27
    early = sum(binom.pmf(s, n1, p) * simon_inference(s, r1, n1, n, 0.1).umvue for s in range(r1 + 1))
    late = sum(
        binom.pmf(k, n1, p) * binom.pmf(s - k, n - n1, p) * simon_inference(s, r1, n1, n, 0.1).umvue
        for k in range(r1 + 1, n1 + 1)
        for s in range(k, n - n1 + k + 1)
    )
    assert early + late == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize("bad", [(-1, 3, 13, 43), (44, 3, 13, 43), (5, 13, 13, 43), (5, 3, 43, 43), (5, -1, 13, 43)])
def test_an_impossible_trial_is_refused(bad: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError):
        simon_inference(*bad, 0.2)
