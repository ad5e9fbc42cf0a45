"""Hy's law and QT correction: limits, missing tests, rates."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.toxicity.liver import InjuryPattern, Quadrant, hys_law
from pipeline.toxicity.qtc import Correction, Electrocardiogram, corrected_qt, qtc_grade
from pipeline.toxicity.qtc_course import SET_WITHIN, Reading, reading_sets

MULTIPLES = st.floats(0, 50)


@pytest.mark.parametrize(
    ("alt", "bilirubin", "quadrant"),
    [
        (3, 2.01, Quadrant.HYS_LAW_RANGE),
        (3, 2, Quadrant.TEMPLES_COROLLARY),
        (2.99, 2.01, Quadrant.CHOLESTASIS),
        (2.99, 2, Quadrant.NORMAL),
    ],
)
def test_the_limits_of_the_quadrants(alt: float, bilirubin: float, quadrant: Quadrant) -> None:
    assert hys_law(alt, None, bilirubin, 1).edish_quadrant is quadrant


def test_a_case_needs_a_low_alkaline_phosphatase() -> None:
    assert hys_law(5, 5, 3, 1.99).potential_hys_law
    assert not hys_law(5, 5, 3, 2).potential_hys_law
    unknown = hys_law(5, 5, 3, None)
    assert (unknown.potential_hys_law, unknown.needs_alp, unknown.r_value) == (False, True, None)
    assert unknown.missing == {"r_value": Reason.NO_DATA, "injury_pattern": Reason.NO_DATA}


def test_without_a_test_there_is_no_quadrant() -> None:
    assert hys_law(None, None, 3, 1).reason is Reason.NO_DATA
    assert hys_law(5, None, None, 1).reason is Reason.NO_DATA
    assert hys_law(None, 5, 3, 1).peak_at_xuln == 5


@pytest.mark.parametrize(
    ("ratio", "pattern"), [(5, "hepatocellular"), (4.99, "mixed"), (2.01, "mixed"), (2, "cholestatic")]
)
def test_the_pattern_of_injury(ratio: float, pattern: str) -> None:
    assert hys_law(ratio, 1, 1, 1).injury_pattern == InjuryPattern(pattern)


def test_what_weakens_a_case_is_flagged_and_does_not_remove_it() -> None:
    found = hys_law(5, 5, 3, 1, bilirubin_days_after_peak=45, baseline_abnormal=True)
    assert found.potential_hys_law
    assert found.flags == ("bilirubin_outside_window", "compare_with_baseline")
    assert hys_law(5, 5, 3, 1, bilirubin_days_after_peak=30).flags == ()


def test_impossible_multiples_are_refused() -> None:
    with pytest.raises(InputError, match="alt_xuln"):
        hys_law(-1, 1, 1, 1)
    with pytest.raises(InputError, match="alp_xuln"):
        hys_law(1, 1, 1, 0)


@settings(max_examples=50)
@given(MULTIPLES, MULTIPLES, MULTIPLES, st.floats(0.1, 10))
def test_the_two_aminotransferases_are_alike_for_the_quadrant(alt: float, ast: float, tbili: float, alp: float) -> None:
    found, swapped = hys_law(alt, ast, tbili, alp), hys_law(ast, alt, tbili, alp)
    assert found.edish_quadrant is swapped.edish_quadrant
    assert found.potential_hys_law == swapped.potential_hys_law
    assert not found.potential_hys_law or found.edish_quadrant is Quadrant.HYS_LAW_RANGE


@settings(max_examples=50)
@given(st.floats(200, 700))
def test_at_sixty_beats_all_corrections_leave_qt_alone(qt: float) -> None:
    found = corrected_qt(qt, 60)
    corrected = (found.qtcb_ms, found.qtcf_ms, found.qtc_framingham_ms, found.qtc_hodges_ms)
    assert corrected == pytest.approx((qt,) * 4)


@settings(max_examples=50)
@given(st.floats(200, 700), st.floats(61, 200))
def test_bazett_corrects_most_at_fast_rates_and_rr_is_the_rate(qt: float, rate: float) -> None:
    found = corrected_qt(qt, rate)
    assert qt < found.qtcf_ms < found.qtcb_ms
    by_rr = corrected_qt(qt, rr_s=60 / rate)
    assert by_rr.qtc_hodges_ms == pytest.approx(found.qtc_hodges_ms)
    assert ("heart_rate_outside_40_120" in found.flags) == (rate > 120)


@pytest.mark.parametrize(
    ("qtcf", "change", "grade"),
    [
        (449.4, None, 0),
        (449.5, None, 1),
        (480.4, 0, 1),
        (480.5, 0, 2),
        (500.4, 60, 2),
        (500.5, None, 3),
        (400, 60.0000000000001, 0),
        (400, 60.001, 3),
    ],
)
def test_grades_on_whole_milliseconds(qtcf: float, change: float | None, grade: int) -> None:
    assert qtc_grade(qtcf, change) == grade


@pytest.mark.parametrize(
    ("qt", "category"), [(450, "<=450"), (450.1, ">450"), (480.1, ">480"), (500, ">480"), (501, ">500")]
)
def test_absolute_categories_are_strict(qt: float, category: str) -> None:
    assert corrected_qt(qt, 60).e14_absolute == category


def test_a_set_of_readings_is_averaged_after_correction() -> None:
    found = corrected_qt(400, 60, further_readings=(Electrocardiogram(380, 75), Electrocardiogram(440, 80)))
    singles = [corrected_qt(qt, rate).qtcf_ms for qt, rate in ((400, 60), (380, 75), (440, 80))]
    assert found.qtcf_ms == pytest.approx(sum(singles) / 3)


def test_without_a_baseline_there_is_no_change_and_the_formula_can_be_chosen() -> None:
    found = corrected_qt(400, 90, correction=Correction.BAZETT)
    assert (found.delta_qtcf_ms, found.missing["e14_change"]) == (None, Reason.NO_DATA)
    assert found.e14_absolute == ">480"
    assert corrected_qt(400, 90).e14_absolute == ">450"


@pytest.mark.parametrize(
    ("rate", "rr", "said"),
    [(None, None, "either"), (60.0, 1.0, "either"), (0.0, None, "above 0"), (None, -1.0, "above 0")],
)
def test_impossible_rates_are_refused(rate: float | None, rr: float | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        corrected_qt(400, rate, rr)


MINUTES = st.lists(st.tuples(st.integers(0, 90), st.integers(300, 600)), max_size=12)


@given(MINUTES, st.sampled_from(["2024-01-01T08:00", "2024-01-01"]))
def test_every_reading_is_in_one_set_of_ten_minutes(readings, first):
    rows = []
    for id, (minutes, ms) in enumerate(readings):
        moment = (datetime.fromisoformat(first) + timedelta(minutes=minutes)).isoformat()[: len(first)]
        about = {"id": id, "day": 8.0, "visit": None, "test": "QTCF", "unit": "ms", "value": ms}
        rows.append(about | {"sampled_at": moment, "sorted_on": moment})
    found = reading_sets(Reading.of("LaboratoryResult", row) for row in rows)
    assert sorted(reading.row["id"] for each in found for reading in each.readings) == list(range(len(rows)))
    for each in found:
        values = [reading.ms for reading in each.readings]
        assert min(values) - 1e-9 <= each.ms <= max(values) + 1e-9
        assert len(first) > 10 or len(values) == 1
        moments = [reading.moment for reading in each.readings]
        assert max(moments) - min(moments) <= SET_WITHIN if None not in moments else len(moments) == 1
    for one, other in pairwise(found):
        if one.readings[0].moment is not None:
            assert other.readings[0].moment - one.readings[0].moment > SET_WITHIN


@pytest.mark.parametrize(
    ("at", "visit"), [("2024-01-01T08:01Z", "V1"), ("2024-01-01T08:01", "V2"), ("2024-13-41T0", "V1")]
)
def test_readings_that_cannot_be_told_to_be_together_stand_alone(at, visit):
    about = {"day": 8.0, "test": "QTCF", "unit": "ms", "value": 400, "sorted_on": ""}
    rows = [about | {"id": 1, "sampled_at": "2024-01-01T08:00", "visit": "V1"}]
    rows.append(about | {"id": 2, "sampled_at": at, "visit": visit})
    assert len(reading_sets(Reading.of("LaboratoryResult", row) for row in rows)) == 2
