import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.steady_state import steady_state, steady_state_check


def test_one_exponential_at_steady_state() -> None:
    k, tau = 0.1, 12.0
    times = [0.0, 1, 2, 4, 8, 12]
    conc = [10 * math.exp(-k * t) for t in times]
    found = steady_state(times, conc, tau, 50, 40, k)
    assert found.auc_tau == pytest.approx(10 * (1 - math.exp(-1.2)) / k)
    assert found.ctrough == pytest.approx(10 * math.exp(-1.2))
    assert found.accumulation_pred == pytest.approx(1 / (1 - math.exp(-1.2)))
    assert found.cl_ss_f == pytest.approx(50 / (found.auc_tau or 0))
    between = steady_state([0.0, 1, 2, 4, 8, 16], [10 * math.exp(-k * t) for t in [0.0, 1, 2, 4, 8, 16]], tau)
    assert between.auc_tau == pytest.approx(found.auc_tau)
    assert "tau_interpolated" in between.flags
    beyond = steady_state(times[:-1], conc[:-1], tau, lambda_z=k)
    assert beyond.auc_tau == pytest.approx(found.auc_tau)
    assert "tau_extrapolated" in beyond.flags


def test_a_trough_below_the_limit_is_flagged() -> None:
    found = steady_state([0.0, 2, 7, 24], [0, 1670.0, 669, 0], 24)
    assert (found.ctrough, found.cmin_ss, found.flags) == (0, 0, ("tau_below_limit",))
    assert found.missing["swing_pct"] is Reason.UNDEFINED_LIMIT
    assert steady_state([0.0, 2, 7, 24], [0, 1670.0, 669, 0.1], 24).flags == ()
    assert steady_state([0.0, 2, 7, 24], [0, 1670.0, 669, 0.1], 24, lloq=20).flags == ("tau_below_limit",)


def test_an_interval_that_cannot_be_reached_has_no_area() -> None:
    assert steady_state([0, 1, 2], [5.0, 4.0, 3.0], 12).reason is Reason.NO_DATA
    assert steady_state([1, 2, 12], [5.0, 4.0, 3.0], 12).reason is Reason.NO_DATA
    assert steady_state([0, 12], [0.0, 0.0], 12).reason is Reason.NO_DATA
    assert steady_state([], [], 12).reason is Reason.NO_DATA


def test_the_predicted_accumulation_needs_no_profile() -> None:
    """D4: 1 / (1 - exp(-lambda_z tau)), also where the area over the interval is missing."""
    for times, conc in (([1, 2, 12], [5.0, 4.0, 3.0]), ([], [])):
        found = steady_state(times, conc, 12, 100, 40, lambda_z=0.1)
        assert (found.accumulation_pred, found.reason) == (pytest.approx(1 / (1 - math.exp(-1.2))), None)
        assert (found.auc_tau, found.missing["accumulation_obs"]) == (None, Reason.NO_DATA)


def test_what_was_not_given_is_named() -> None:
    found = steady_state([0, 2, 12], [0.0, 4.0, 0.0], 12)
    assert found.swing_pct is None
    assert found.missing == {
        "swing_pct": Reason.UNDEFINED_LIMIT,
        "cl_ss_f": Reason.NO_DATA,
        "accumulation_obs": Reason.NO_DATA,
        "accumulation_pred": Reason.NO_DATA,
    }


@pytest.mark.parametrize("more", [{"tau_h": 0}, {"tau_h": 12, "lambda_z": -1}, {"tau_h": 12, "auc_tau_day1": 0}])
def test_impossible_parameters_are_refused(more: dict[str, float]) -> None:
    with pytest.raises(InputError):
        steady_state([0, 1, 12], [1.0, 2.0, 1.0], **more)


@given(st.lists(st.floats(0.5, 100), min_size=3, max_size=8), st.floats(0.1, 50), st.floats(1, 24))
@settings(max_examples=50)
def test_parameters_scale_and_order(conc: list[float], factor: float, step: float) -> None:
    times = [step * index for index in range(len(conc))]
    plain = steady_state(times, conc, times[-1], 10)
    scaled = steady_state(times, [value * factor for value in conc], times[-1], 10)
    assert plain.auc_tau is not None
    assert plain.cavg is not None
    assert min(conc) * (1 - 1e-9) <= plain.cavg <= max(conc) * (1 + 1e-9)
    assert scaled.auc_tau == pytest.approx(plain.auc_tau * factor)
    assert scaled.fluctuation_pct == pytest.approx(plain.fluctuation_pct, abs=1e-9)
    assert scaled.swing_pct == pytest.approx(plain.swing_pct, abs=1e-9)


def test_steady_state_takes_time_and_flat_troughs() -> None:
    flat = steady_state_check([96, 120, 144], [10.0, 10.4, 9.9], 20)
    assert (flat.accepted, flat.flags) == (True, ())
    early = steady_state_check([24, 48, 72], [10.0, 10.4, 9.9], 20)
    assert (early.accepted, early.flags) == (False, ("too_early",))
    rising = steady_state_check([96, 120, 144], [10.0, 14.0, 19.6], 20)
    assert (rising.accepted, rising.flags) == (False, ("trend",))
    few = steady_state_check([96, 120], [10.0, 10.0], 20)
    assert (few.accepted, few.flags) == (False, ("too_few_troughs",))
    assert few.missing["trend_p"] is Reason.TOO_FEW_POINTS
    with pytest.raises(InputError):
        steady_state_check([96, 90, 120], [1.0, 1.0, 1.0], 20)
    with pytest.raises(InputError):
        steady_state_check([96, 100, 120], [1.0, 0.0, 1.0], 20)
