import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from pipeline.efficacy.recist import Response
from pipeline.efficacy.response_rate import response_rate_intervals, response_rates
from pipeline.errors import InputError
from pipeline.outcome import Reason

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.floats(0.5, 0.999)


@given(counts, levels)
@settings(max_examples=50)
def test_intervals_equal_the_libraries(count: tuple[int, int], level: float) -> None:
    x, n = count
    found = response_rate_intervals(x, n, level)
    test = binomtest(x, n)
    assert found.clopper_pearson == pytest.approx(tuple(test.proportion_ci(level, method="exact")), abs=1e-9)
    assert found.wilson == pytest.approx(tuple(test.proportion_ci(level, method="wilson")), abs=1e-9)
    if 0 < x < n:
        assert found.jeffreys == pytest.approx(proportion_confint(x, n, 1 - level, "jeffreys"), abs=1e-9)
        clipped = tuple(min(max(limit, 0), 1) for limit in found.agresti_coull or ())  # as statsmodels has it
        assert clipped == pytest.approx(proportion_confint(x, n, 1 - level, "agresti_coull"), abs=1e-9)


@given(counts, levels)
@settings(max_examples=50)
def test_intervals_contain_the_estimate_and_mirror(count: tuple[int, int], level: float) -> None:
    x, n = count
    found, mirrored = response_rate_intervals(x, n, level), response_rate_intervals(n - x, n, level)
    for name in ("clopper_pearson", "wilson", "jeffreys", "agresti_coull"):
        low, high = getattr(found, name)
        assert low - 1e-12 <= x / n <= high + 1e-12
        assert getattr(mirrored, name) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    low, high = found.clopper_pearson or (None, None)
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= 1


def test_nobody_counted_is_no_rate() -> None:
    found = response_rate_intervals(0, 0)
    assert (found.estimate, found.wilson, found.reason) == (None, None, Reason.NO_DATA)


@pytest.mark.parametrize(("x", "n", "level"), [(5, 4, 0.95), (-1, 4, 0.95), (1, 4, 1.0), (1, 4, 0.0), (0, -1, 0.95)])
def test_impossible_counts_are_refused(x: int, n: int, level: float) -> None:
    with pytest.raises(InputError):
        response_rate_intervals(x, n, level)


def test_the_denominator_is_said() -> None:
    best = [Response.CR, Response.PR, Response.SD, Response.PD, Response.NE, Response.NON_CR_NON_PD]
    treated = response_rates(best, treated=8)
    assert (treated.responders, treated.controlled, treated.denominator) == (2, 4, 8)
    assert (treated.orr, treated.dcr, treated.flags) == (0.25, 0.5, ())
    listed = response_rates(best)
    assert (listed.denominator, listed.orr, listed.flags) == (6, 2 / 6, ())
    evaluable = response_rates(best, response_evaluable=True)
    assert (evaluable.denominator, evaluable.orr, evaluable.flags) == (5, 0.4, ("response_evaluable",))
    assert response_rates([]).reason is response_rates([Response.NE], response_evaluable=True).reason is Reason.NO_DATA
    with pytest.raises(InputError):
        response_rates(best, treated=5)
    with pytest.raises(InputError):
        response_rates(best, treated=8, response_evaluable=True)
