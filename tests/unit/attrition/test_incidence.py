import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight

from pipeline.attrition.incidence import CAUSES, CENSORED, cumulative_incidence, incidence_curves
from pipeline.efficacy.survival import kaplan_meier
from pipeline.errors import InputError
from pipeline.outcome import Reason

sojourns = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([*CAUSES, CENSORED]), st.integers(1, 6)), min_size=1, max_size=40
)
Rows = list[tuple[int, str, int]]
ASKED = list(range(14))


@given(sojourns)
@settings(max_examples=50)
def test_curves_equal_statsmodels_and_add_up(rows: Rows) -> None:
    time, state = [row[0] for row in rows], [row[1] for row in rows]
    found = cumulative_incidence(time, state, ASKED)
    for index, free in enumerate(found.event_free):
        assert free + sum(found.cif[cause][index] for cause in CAUSES) == pytest.approx(1)
    codes = np.array([CAUSES.index(name) + 1 if name in CAUSES else 0 for name in state])
    if not codes.any():
        assert all(value == 0 for curve in found.cif.values() for value in curve)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # divides by 0 where nobody is left
        theirs = CumIncidenceRight(np.array(time), codes)
    for number, cause in enumerate(CAUSES[: len(theirs.cinc)]):
        steps = np.searchsorted(theirs.times, ASKED, side="right")
        assert found.cif[cause] == pytest.approx(np.append(0.0, theirs.cinc[number])[steps], abs=1e-12)


@given(sojourns)
@settings(max_examples=50)
def test_intervals_contain_the_incidence_and_one_cause_alone_is_kaplan_meier(rows: Rows) -> None:
    time = [row[0] for row in rows]
    found = cumulative_incidence(time, [row[1] for row in rows], ASKED)
    for cause in CAUSES:
        curve = found.cif[cause]
        assert list(curve) == sorted(curve)
        for value, low, high in zip(curve, found.ci_lower[cause], found.ci_upper[cause], strict=True):
            assert (low is None) is (high is None) is (value <= 0 or value >= 1 - 1e-12)
            assert low is None or high is None or low <= value <= high
    event = [int(row[1] != CENSORED) for row in rows]
    alone = cumulative_incidence(time, ["exit" if e else CENSORED for e in event], ASKED, causes=["exit"])
    survival = kaplan_meier(time, event, ASKED).survival
    assert alone.event_free == pytest.approx(survival)
    assert found.event_free == pytest.approx(survival)


@given(st.integers(0, 60), st.integers(1, 120), st.booleans(), st.integers(0, 1000))
@settings(max_examples=50)
def test_a_few_causes_at_a_time_are_as_all_at_once(causes: int, rows: int, late: bool, seed: int) -> None:
    generator = np.random.default_rng(seed)
    time = np.ceil(generator.exponential(30, rows)).tolist()
    cause = generator.integers(-1, causes, rows)
    entry = [t - generator.uniform(0.5, 20) for t in time] if late else None
    names = [f"cause {number}" for number in range(causes)]
    state = [CENSORED if number < 0 else names[number] for number in cause]
    found = cumulative_incidence(time, state, ASKED, entry, names)
    free, incidence, variance = incidence_curves(time, cause, causes, entry).at(ASKED)
    assert found.event_free == tuple(free.tolist())
    for number, name in enumerate(names):
        assert found.cif[name] == tuple(incidence[:, number].tolist())
        assert found.standard_error[name] == tuple(np.sqrt(variance[:, number]).tolist())


@given(sojourns)
@settings(max_examples=30)
def test_variance_is_the_sum_written_out(rows: Rows) -> None:
    time = np.array([row[0] for row in rows], dtype=float)
    cause = np.array([CAUSES.index(row[1]) if row[1] in CAUSES else -1 for row in rows])
    found = incidence_curves(time, cause, len(CAUSES))
    for k in range(len(CAUSES)):
        for t, variance in enumerate(found.variance[:, k]):
            total = 0.0
            for s in range(t + 1):
                n = int(found.at_risk[s])
                own = int(((time == found.times[s]) & (cause == k)).sum())
                other = int(((time == found.times[s]) & (cause >= 0)).sum()) - own
                free, before = found.event_free[s], found.event_free[s - 1] if s else 1.0
                later = (found.incidence[t, k] - found.incidence[s, k]) / free if free > 1e-12 else 0.0
                spread = [d * (n - d) / (n * n * (n - 1)) if n > 1 else d for d in (own, other)]
                total += before**2 * ((1 - later) ** 2 * spread[0] + later**2 * spread[1])
            assert variance == pytest.approx(total, abs=1e-9)


@given(sojourns)
@settings(max_examples=30)
def test_everyone_there_from_the_start_is_no_delay(rows: Rows) -> None:
    time, state = [row[0] for row in rows], [row[1] for row in rows]
    late = [row[0] - row[2] if row[0] > row[2] else 0 for row in rows]
    plain = cumulative_incidence(time, state, ASKED)
    same = cumulative_incidence(time, state, ASKED, entry=[0] * len(rows))
    assert (same.cif, same.at_risk) == (plain.cif, plain.at_risk)
    delayed = cumulative_incidence(time, state, ASKED, entry=late)
    for index, free in enumerate(delayed.event_free):
        assert free + sum(delayed.cif[cause][index] for cause in CAUSES) == pytest.approx(1)
    assert all(math.isfinite(value) for curve in delayed.standard_error.values() for value in curve)


def test_beyond_the_last_molecule_the_value_is_carried_on_and_marked() -> None:
    found = cumulative_incidence([5, 8], ["advance", CENSORED], [6, 9])
    assert (found.cif["advance"], found.horizon, found.flags) == ((0.5, 0.5), 8, ("beyond_horizon",))
    assert cumulative_incidence([5, 8], ["advance", CENSORED], [8]).flags == ()


def test_no_molecule_is_no_incidence() -> None:
    found = cumulative_incidence([], [], [1])
    assert (found.reason, found.cif["advance"], found.event_free, found.at_risk) == (
        Reason.NO_DATA,
        (None,),
        (None,),
        (0,),
    )


@pytest.mark.parametrize(
    ("time", "state", "entry"),
    [
        ([1], ["vanished"], None),
        ([1], [""], None),
        ([1, 2], ["advance"], None),
        ([-1], ["advance"], None),
        ([1], ["advance"], [1]),
        ([1], ["advance"], [0, 0]),
    ],
)
def test_impossible_sojourns_are_refused(time: list[float], state: list[str], entry: list[float] | None) -> None:
    with pytest.raises(InputError):
        cumulative_incidence(time, state, [1], entry)
