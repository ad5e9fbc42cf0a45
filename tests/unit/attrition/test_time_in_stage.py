import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from pipeline.attrition.delayed_entry import delayed_entry_survival
from pipeline.attrition.time_in_stage import time_in_stage
from pipeline.errors import InputError
from pipeline.outcome import Reason

sojourns = st.lists(
    st.tuples(st.integers(0, 10), st.integers(1, 12), st.integers(0, 1)), min_size=1, max_size=30
)  # entry, stay, exited


@given(sojourns, st.floats(0.05, 0.95))
@settings(max_examples=50)
def test_quantiles_lie_between_their_limits_and_rise(rows: list[tuple[int, int, int]], p: float) -> None:
    stay, exited = [row[1] for row in rows], [row[2] for row in rows]
    found = time_in_stage(stay, exited, [p, min(p + 0.04, 0.99)])  # type: ignore[arg-type]
    first, second = found.quantiles
    assert (found.n, found.n_exits) == (len(rows), sum(exited))
    if second is not None:
        assert first is not None
        assert first <= second
    for value, low, high in zip(found.quantiles, found.ci_lower, found.ci_upper, strict=True):
        if value is not None and low is not None:
            assert low <= value
        if value is not None and high is not None:
            assert value <= high


def test_nobody_and_nothing_reached() -> None:
    assert time_in_stage([], []).reason is Reason.NO_DATA
    found = time_in_stage([5, 6], [0, 0])
    undefined = dict.fromkeys(("ci_lower", "ci_upper"), Reason.UNDEFINED_LIMIT)
    assert (found.quantiles, found.missing) == ((None,) * 3, {"quantiles": Reason.NOT_ESTIMABLE, **undefined})
    with pytest.raises(InputError):
        time_in_stage([5], [1], [1.0])
    with pytest.raises(InputError):
        time_in_stage([5], [2])


@given(sojourns)
@settings(max_examples=50, deadline=None)
def test_delayed_entry_equals_lifelines(rows: list[tuple[int, int, int]]) -> None:
    # two are there all the time: lifelines refuses risk sets that run empty
    entry = [0, 0, *(row[0] for row in rows)]
    exits = [30, 30, *(row[0] + row[1] for row in rows)]
    event = [0, 0, *(row[2] for row in rows)]
    asked = list(range(24))
    found = delayed_entry_survival(entry, exits, event, asked)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = KaplanMeierFitter().fit(exits, event, entry=entry)
    expected = theirs.survival_function_at_times(asked).to_numpy()
    assert found.survival_left_truncated == pytest.approx(expected, abs=1e-9)
    naive = KaplanMeierFitter().fit(exits, event).survival_function_at_times(asked).to_numpy()
    assert found.survival_naive == pytest.approx(naive, abs=1e-12)
    if sum(event):
        assert found.smallest_risk_set is not None
        assert ("small_risk_set" in found.flags) is (found.smallest_risk_set < 5)


def test_the_conditional_curve_begins_with_enough_at_risk() -> None:
    found = delayed_entry_survival([0, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 1], [1, 2, 4])
    assert (found.survival_left_truncated[0], found.smallest_risk_set) == (0, 1)
    assert (found.conditional_from, found.survival_conditional) == (2, (None, 0.8, pytest.approx(0.8 * 2 / 3)))
    assert found.std_err == (None, None, None)
    never = delayed_entry_survival([0], [1], [1], [1])
    assert (never.conditional_from, never.survival_conditional) == (None, (None,))
    few = dict.fromkeys(("conditional_from", "survival_conditional"), Reason.TOO_FEW_POINTS)
    assert never.missing == {**few, "std_err": Reason.UNDEFINED_LIMIT}
    nobody = delayed_entry_survival([], [], [], [1, 2])
    assert (nobody.reason, nobody.survival_naive, nobody.at_risk) == (Reason.NO_DATA, (None, None), (0, 0))


def test_an_entry_after_the_exit_is_refused() -> None:
    with pytest.raises(InputError):
        delayed_entry_survival([2], [2], [1], [1])
    assert delayed_entry_survival([], [], [], [1]).reason is Reason.NO_DATA
