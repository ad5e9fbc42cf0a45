"""Tumour growth inhibition, growth delay and the response of single xenografts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.preclinical.mrecist import XenograftResponse, xenograft_response
from pipeline.preclinical.tumour_growth import Activity, Summary, log_cell_kill, tumour_growth_inhibition

VOLUMES = st.lists(st.floats(1, 5000), min_size=1, max_size=12)


def test_animals_without_both_readings_are_dropped_and_counted() -> None:
    found = tumour_growth_inhibition([100, 110, None], [200, None, 50], [100, 100], [400, 600])
    assert (found.treated_start_mm3, found.treated_end_mm3) == (100, 200)
    assert (found.treated_animals, found.treated_dropped, found.control_dropped) == (1, 2, 0)
    assert found.tgi_pct == 75


def test_the_median_ignores_an_outlier() -> None:
    found = tumour_growth_inhibition([100] * 3, [200, 210, 9000], [100] * 3, [900, 1000, 1100], summary=Summary.MEDIAN)
    assert (found.treated_end_mm3, found.nci_class) == (210, Activity.ACTIVE)


def test_controls_that_did_not_grow_give_no_inhibition() -> None:
    found = tumour_growth_inhibition([100], [150], [100], [100])
    assert (found.tgi_pct, found.dt_dc_pct, found.tc_volume_pct) == (None, None, 150)
    assert set(found.missing.items()) == {
        ("tgi_pct", Reason.NOT_ESTIMABLE),
        ("dt_dc_pct", Reason.NOT_ESTIMABLE),
    }


def test_groups_that_differ_in_the_last_digit_only_are_alike() -> None:
    """A6: 0.1 + 0.2 + 0.6 and 0.1 + 0.3 + 0.5 are one mean, so nothing shrank and the controls did not grow."""
    one, other = (0.1, 0.2, 0.2 * 3), (0.1, 0.1 * 3, 0.5)
    found = tumour_growth_inhibition(one, other, other, [2.0] * 3)
    assert (found.dt_dc_pct, found.tgi_pct) == (pytest.approx(0, abs=1e-9), pytest.approx(100))
    assert found.regression_pct is None
    still = tumour_growth_inhibition(one, [2.0] * 3, other, one)
    assert (still.tgi_pct, still.missing["tgi_pct"]) == (None, Reason.NOT_ESTIMABLE)


def test_an_empty_group_gives_a_reason() -> None:
    found = tumour_growth_inhibition([], [], [100], [200])
    assert (found.reason, found.tgi_pct, found.nci_class, found.evaluable) == (Reason.NO_DATA, None, None, False)
    vanished = tumour_growth_inhibition([100], [50], [100], [0])
    assert (vanished.tc_volume_pct, vanished.regression_pct) == (None, -50)
    assert vanished.missing["tc_volume_pct"] is Reason.NOT_ESTIMABLE


@pytest.mark.parametrize(
    ("tc", "expected"), [(9.99, "highly_active"), (10, "active"), (42, "active"), (42.1, "inactive")]
)
def test_the_limits_of_activity_belong_to_the_printed_side(tc: float, expected: str) -> None:
    assert tumour_growth_inhibition([1], [tc * 10], [1], [1000]).nci_class == expected


def test_a_toxic_dose_is_not_evaluable() -> None:
    group: tuple[list[float | None], ...] = ([100.0] * 10, [200.0] * 10, [100.0] * 10, [800.0] * 10)
    assert tumour_growth_inhibition(*group, treated_toxic_deaths=1, treated_weight_loss_percent=20).evaluable
    deaths = tumour_growth_inhibition(*group, treated_toxic_deaths=2)
    loss = tumour_growth_inhibition(*group, treated_weight_loss_percent=20.5)
    assert (deaths.evaluable, deaths.flags) == (False, ("toxic_deaths_above_1_in_10",))
    assert (loss.evaluable, loss.flags) == (False, ("weight_loss_above_20_percent",))


def test_impossible_groups_are_refused() -> None:
    with pytest.raises(InputError, match="negative"):
        tumour_growth_inhibition([100], [-1], [100], [200])
    with pytest.raises(InputError, match="equally long"):
        tumour_growth_inhibition([100, 100], [100], [100], [200])
    with pytest.raises(InputError, match="more toxic deaths"):
        tumour_growth_inhibition([100], [100], [100], [200], treated_toxic_deaths=2)


@settings(max_examples=50)
@given(VOLUMES, VOLUMES, st.floats(1.01, 20), st.floats(0.0, 20), st.floats(0.01, 100))
def test_percentages_do_not_depend_on_the_unit(
    treated: list[float], control: list[float], grown: float, course: float, factor: float
) -> None:
    groups = treated, [v * course for v in treated], control, [v * grown for v in control]
    found = tumour_growth_inhibition(*groups)
    scaled = tumour_growth_inhibition(*([v * factor for v in group] for group in groups))
    assert scaled.tgi_pct == pytest.approx(found.tgi_pct, rel=1e-6, abs=1e-6)
    assert scaled.tc_volume_pct == pytest.approx(found.tc_volume_pct)
    assert (found.dt_dc_pct is None) != (found.regression_pct is None)
    if found.dt_dc_pct is not None and found.tgi_pct is not None:
        assert found.dt_dc_pct + found.tgi_pct == pytest.approx(100)


def test_a_group_equal_to_its_controls_is_not_inhibited() -> None:
    assert tumour_growth_inhibition([100, 120], [300, 500], [100, 120], [300, 500]).tgi_pct == 0


def test_growth_delay_without_regrowth_is_not_estimable() -> None:
    assert log_cell_kill(None, 14, 3.5).reason is Reason.NOT_ESTIMABLE
    assert log_cell_kill(10, 14, 4).growth_delay_days == -4
    with pytest.raises(InputError, match="tumour_doubling_days"):
        log_cell_kill(20, 14, 0)


def test_readings_are_sorted_and_the_order_does_not_count() -> None:
    forward = xenograft_response([0, 7, 14, 21], [200, 150, 60, 50])
    assert xenograft_response([21, 0, 14, 7], [50, 200, 60, 150]).as_reference() == forward.as_reference()


@pytest.mark.parametrize(
    ("last", "expected"), [(270, XenograftResponse.PD), (269.9, XenograftResponse.SD), (100, XenograftResponse.SD)]
)
def test_limits_are_strict(last: float, expected: XenograftResponse) -> None:
    """A best change of exactly 35 % is progression, one of exactly -50 % is not a partial response."""
    assert xenograft_response([0, 10, 20], [200, 300, last]).mrecist is expected


def test_a_day_without_a_volume_is_no_reading() -> None:
    """A7: the average is over readings, and two of them are needed from day 10 on."""
    assert xenograft_response([0, 4, 12, 14, 20], [200, None, 150, None, 120]) == xenograft_response(
        [0, 12, 20], [200, 150, 120]
    )
    assert xenograft_response([0, 12, 20], [200, 150, None]).reason is Reason.TOO_FEW_POINTS


def test_too_few_readings_give_no_response() -> None:
    found = xenograft_response([0, 5, 12], [200, 150, 100])
    assert (found.mrecist, found.reason, len(found.volume_change_pct)) == (None, Reason.TOO_FEW_POINTS, 3)
    assert xenograft_response([], []).reason is Reason.NO_DATA


def test_a_tumour_that_starts_at_nothing() -> None:
    found = xenograft_response([0, 10, 20], [0, 9, 4])
    assert found.volume_change_pct == (0, 900, 400)
    assert found.flags == ("one_mm3_added",)


def test_impossible_courses_are_refused() -> None:
    with pytest.raises(InputError, match="day 3 occurs twice"):
        xenograft_response([0, 3, 3], [1, 2, 3])
    with pytest.raises(InputError, match="negative"):
        xenograft_response([0, 3], [1, -2])
    with pytest.raises(InputError, match="equally long"):
        xenograft_response([0, 3], [1])
    with pytest.raises(InputError, match="negative"):
        xenograft_response([-1, 3], [1, 1])


@settings(max_examples=50)
@given(st.lists(st.floats(1, 5000), min_size=5, max_size=15), st.floats(0.5, 2))
def test_a_response_does_not_depend_on_the_unit_and_smaller_is_never_worse(volumes: list[float], factor: float) -> None:
    days = [4.0 * index for index in range(len(volumes))]
    found = xenograft_response(days, volumes)
    scaled = xenograft_response(days, [v * factor for v in volumes])
    assert scaled.best_response == pytest.approx(found.best_response, rel=1e-9, abs=1e-9)
    smaller = xenograft_response(days, [volumes[0], *(v / 2 for v in volumes[1:])])
    order = list(XenograftResponse)
    assert found.mrecist is not None
    assert smaller.mrecist is not None
    assert order.index(smaller.mrecist) <= order.index(found.mrecist)
