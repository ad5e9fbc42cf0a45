import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.below_limit import compare_below_limit
from pipeline.pharmacology.lambda_z import terminal_slope
from pipeline.pharmacology.nca import FROM_ZERO, TO_INFINITY, non_compartmental
from pipeline.pharmacology.profile import BelowLimit, Route

TIMES = [0, 0.5, 1, 2, 4, 8, 12, 24]
ORAL = [0, 12.0, 30.0, 41.0, 33.0, 14.0, 6.0, 0.5]

concs = st.one_of(st.just(0.0), st.floats(0.01, 1000))
profiles = st.lists(st.tuples(st.floats(0.1, 6), concs), min_size=1, max_size=14).map(
    lambda rows: (
        [0.0, *(sum(gap for gap, _ in rows[: index + 1]) for index in range(len(rows)))],
        [0.0, *(conc for _, conc in rows)],
    )
)


def exponential(dose: float, volume: float, k: float) -> list[float]:
    return [dose / volume * math.exp(-k * t) for t in TIMES]


def test_a_bolus_into_one_compartment_gives_its_constants_back() -> None:
    found = non_compartmental(TIMES, exponential(100, 20, 0.2), 100, Route.IV_BOLUS)
    assert found.c0 == pytest.approx(5)
    assert found.lambda_z == pytest.approx(0.2)
    assert found.cl_or_cl_f == pytest.approx(4)
    assert found.vz_or_vz_f == pytest.approx(20)
    assert found.mrt_inf_obs == pytest.approx(5)
    assert found.auc_pct_extrap_obs == pytest.approx(100 * math.exp(-4.8))


def test_c0_of_a_bolus_is_carried_back_over_a_sample_before_the_dose() -> None:
    times, conc = [-0.1, *TIMES[1:]], [0.0, *exponential(100, 20, 0.2)[1:]]
    found = non_compartmental(times, conc, 100, Route.IV_BOLUS)
    assert found.c0 == pytest.approx(5)
    assert "c0_extrapolated" in found.flags
    rising = non_compartmental([1, 2, 3], [4.0, 5.0, 6.0], 100, Route.IV_BOLUS)
    assert rising.c0 == 4.0


def test_half_an_infusion_is_taken_off_the_residence_time() -> None:
    plain = non_compartmental(TIMES, ORAL, 100)
    infused = non_compartmental(TIMES, ORAL, 100, Route.IV_INFUSION, 1.5)
    assert plain.mrt_inf_obs is not None
    assert infused.mrt_inf_obs == pytest.approx(plain.mrt_inf_obs - 0.75)


def test_terminal_points_do_not_lie_within_the_infusion() -> None:
    found = non_compartmental(TIMES, ORAL, 100, Route.IV_INFUSION, 8)
    assert (found.lambda_z_n_points, found.lambda_z_time_first) == (3, 8)


def test_without_a_value_at_the_dose_there_is_no_area_from_it() -> None:
    found = non_compartmental(TIMES[1:], ORAL[1:], 100)
    assert [getattr(found, name) for name in (*FROM_ZERO, *TO_INFINITY)] == [None] * 9
    assert found.missing["auc_last"] is Reason.NO_DATA
    assert found.lambda_z is not None
    first_dose = non_compartmental(TIMES[1:], ORAL[1:], 100, zero_at_dose=True)
    assert first_dose.auc_last == non_compartmental(TIMES, ORAL, 100).auc_last
    assert "zero_at_dose" in first_dose.flags


def test_a_sample_before_the_dose_stands_at_its_time() -> None:
    found = non_compartmental([-0.5, -0.1, *TIMES[1:]], [9.0, 2.0, *ORAL[1:]], 100)
    same = non_compartmental(TIMES, [2.0, *ORAL[1:]], 100)
    assert found.auc_last == same.auc_last
    assert "pre_dose_at_zero" in found.flags
    assert ("carry_over" in found.flags) is ("carry_over" in same.flags) is False
    assert "carry_over" in non_compartmental(TIMES, [3.0, *ORAL[1:]], 100).flags
    assert "carry_over" not in non_compartmental(TIMES, [3.0, *ORAL[1:]], 100, first_period=False).flags


def test_a_manual_choice_of_points_is_flagged() -> None:
    found = non_compartmental(TIMES, ORAL, 100, lambda_z_n_points=3)
    slope = linregress(TIMES[-3:], [math.log(conc) for conc in ORAL[-3:]])
    assert found.lambda_z == pytest.approx(-slope.slope)
    assert "lambda_z_manual" in found.flags
    assert non_compartmental(TIMES, ORAL, 100, lambda_z_n_points=9).missing["lambda_z"] is Reason.TOO_FEW_POINTS


def test_values_below_the_limit_count_as_such_and_missing_ones_do_not() -> None:
    limited = non_compartmental(TIMES, ORAL, 100, lloq=1)
    assert (limited.tlast, limited.clast) == (12, 6)
    assert limited.auc_all == pytest.approx((limited.auc_last or 0) + 6 * 12 / 2)
    gap: list[float | None] = [*ORAL]
    gap[4] = None
    assert (
        non_compartmental(TIMES, gap, 100).auc_last
        == non_compartmental([t for t in TIMES if t != 4], [c for c in ORAL if c != 33.0], 100).auc_last
    )


@pytest.mark.parametrize("conc", [[0.0] * 8, [None] * 8, [0.0] * 7 + [None]])
def test_nothing_measurable_is_no_exposure(conc: list[float | None]) -> None:
    found = non_compartmental(TIMES, conc, 100)
    assert (found.reason, found.cmax, found.auc_last) == (Reason.NO_DATA, None, None)
    assert terminal_slope(TIMES, conc).reason is Reason.NO_DATA
    assert compare_below_limit(TIMES, conc, 1).reason is Reason.NO_DATA


def test_a_single_sample_at_the_dose_has_no_area() -> None:
    found = non_compartmental([0], [5.0], 100)
    assert (found.cmax, found.auc_last, found.missing["auc_last"]) == (5, None, Reason.NO_DATA)


def test_quality_flags() -> None:
    found = non_compartmental([0, 1, 2, 3, 4, 5], [0, 10, 9.9, 9.5, 9.7, 9.4], 100)
    assert {"low_adj_r_squared", "short_span", "large_extrapolation"} <= set(found.flags)


@pytest.mark.parametrize(
    ("times", "conc", "more"),
    [
        ([0, 2, 1], [0, 1, 2], {}),
        ([0, 1, 1], [0, 1, 2], {}),
        ([0, 1], [0, 1, 2], {}),
        ([0, 1, 2], [0, -1, 2], {}),
        ([0, 1, 2], [0, math.nan, 2], {}),
        ([0, 1, math.inf], [0, 1, 2], {}),
        ([0, 1, 2], [0, 1, 2], {"dose": -1}),
        ([0, 1, 2], [0, 1, 2], {"lloq": -1}),
        ([0, 1, 2], [0, 1, 2], {"route": "iv_infusion"}),
        ([0, 1, 2], [0, 1, 2], {"route": "by mouth"}),
    ],
)
def test_impossible_profiles_are_refused(times: list[float], conc: list[float], more: dict[str, object]) -> None:
    with pytest.raises(InputError):
        non_compartmental(times, conc, **more)  # type: ignore[arg-type]


@given(profiles, st.floats(0.01, 1000), st.floats(0.1, 100), st.sampled_from(list(BelowLimit)))
@settings(max_examples=50)
def test_units_scale(
    profile: tuple[list[float], list[float]], conc_unit: float, time_unit: float, rule: BelowLimit
) -> None:
    times, conc = profile
    plain = non_compartmental(times, conc, 100, below_limit=rule)
    other = non_compartmental([t * time_unit for t in times], [c * conc_unit for c in conc], 100, below_limit=rule)
    powers = {"cmax": (1, 0), "tmax": (0, 1), "clast": (1, 0), "tlast": (0, 1), "auc_last": (1, 1), "auc_all": (1, 1)}
    powers |= {"aumc_last": (1, 2), "auc_last_linear": (1, 1)}
    for name, (of_conc, of_time) in powers.items():
        before, after = getattr(plain, name), getattr(other, name)
        assert (before is None) is (after is None)
        if before is not None:
            assert after == pytest.approx(before * conc_unit**of_conc * time_unit**of_time, rel=1e-9)


@given(profiles)
@settings(max_examples=50)
def test_what_is_reported_hangs_together(profile: tuple[list[float], list[float]]) -> None:
    found = non_compartmental(*profile, 100)
    if found.reason is not None:
        assert not any(profile[1])
        return
    assert found.cmax == max(profile[1])
    assert found.auc_last is not None
    assert found.auc_all is not None
    assert found.auc_last_linear is not None
    assert 0 < found.auc_last <= found.auc_last_linear * (1 + 1e-12)
    assert found.auc_last <= found.auc_all
    if found.lambda_z is None:
        assert found.missing["half_life"] is Reason.TOO_FEW_POINTS
        return
    assert found.lambda_z > 0
    if found.auc_inf_obs is not None:
        assert found.auc_last <= found.auc_inf_obs
        assert found.auc_pct_extrap_obs is not None
        assert 0 <= found.auc_pct_extrap_obs <= 100


@given(profiles)
@settings(max_examples=50)
def test_candidates_equal_linregress_and_the_best_is_selected(profile: tuple[list[float], list[float]]) -> None:
    found = terminal_slope(*profile)
    points = [(t, math.log(c)) for t, c in zip(*profile, strict=True) if c > 0]
    for candidate in found.candidates:
        line = linregress(*zip(*points[-candidate.n_points :], strict=True))
        assert candidate.lambda_z == pytest.approx(-line.slope, rel=1e-7, abs=1e-12)
        assert candidate.lambda_z > 0
        n = candidate.n_points
        assert candidate.adj_r_squared == pytest.approx(1 - (1 - line.rvalue**2) * (n - 1) / (n - 2), abs=1e-6)
    if found.candidates:
        best = max(candidate.adj_r_squared for candidate in found.candidates)
        close = [c.n_points for c in found.candidates if c.adj_r_squared >= best - 1e-4]
        assert found.selected_n_points == max(close)


def test_the_rule_for_low_values_decides_the_notches() -> None:
    found = compare_below_limit([0, 1, 2, 3, 4, 6], [0, 8, 0, 6, 4, 0], 0.5)
    assert found.drop_all.auc_last is None
    assert found.keep_zero.auc_last is not None
    assert found.default.auc_last is not None
    assert found.keep_zero.auc_last < found.default.auc_last
    assert found.default.auc_all == pytest.approx(found.default.auc_last + 4)
