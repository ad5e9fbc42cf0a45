"""Times of samples: durations, words, numbers and clocks, compared before any of them is believed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.elapsed_times import Elapsed, iso_hours, worded_hours
from pipeline.exchange.moments import NO_MOMENT, read_moment
from pipeline.exchange.sample_clock import checked_by_clock, collected_until
from pipeline.exchange.sample_origin import Origin
from pipeline.exchange.sample_times import Meaning, Plan, PlannedTime, only_an_order, read_plan, understand
from pipeline.exchange.sdtm_study import DoseTimes


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("PT0.5H", 0.5),
        ("PT30M", 0.5),
        ("-PT15M", -0.25),
        ("PT-0.083H", -0.083),
        ("P1DT2H", 26.0),
        ("P1W", 168.0),
        ("-P1D", -24.0),
        ("PT0H", 0.0),
        ("PT", None),
        ("P1Y", None),
        ("0.5", None),
        ("", None),
        (None, None),
    ],
)
def test_iso_durations(text: str | None, hours: float | None) -> None:
    assert iso_hours(text) == hours


@pytest.mark.parametrize(
    ("text", "hours", "end"),
    [
        ("0.5H", 0.5, None),
        ("30 MIN", 0.5, None),
        ("1h Post-dose", 1.0, None),
        ("24 h post-dose", 24.0, None),
        ("0-6h Post-dose", 0.0, 6.0),
        ("0 to 4 HRS", 0.0, 4.0),
        ("24-48h Post-dose", 24.0, 48.0),
        ("15 min pre-dose", -0.25, None),
        ("30 min avant la dose", -0.5, None),
        ("2 heures après administration", 2.0, None),
        ("H24", 24.0, None),
        ("T0.5", 0.5, None),
        ("1h30", 1.5, None),
        ("Day 1 2h", 2.0, None),
        ("Day 1, 2 h", 2.0, None),
        ("C1D1 2H", 2.0, None),
        ("0,5 h", 0.5, None),
        ("-0.5 h", -0.5, None),
        ("7 days post dose", 168.0, None),
        ("5 min post EOI", None, None),
        ("End of infusion", None, None),
        ("Day 8", None, None),
        ("Unscheduled", None, None),
        ("6", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_words_of_schedules(text: str | None, hours: float | None, end: float | None) -> None:
    assert worded_hours(text)[:2] == (hours, end)


@pytest.mark.parametrize("text", ["Predose", "Pre-dose", "PRE-INFUSION", "Avant administration", "Prédose", "Trough"])
def test_before_the_dose(text: str) -> None:
    assert worded_hours(text) == Elapsed(0.0, None, some_time_before=True)


@given(st.text(max_size=40))
def test_any_words_are_read_or_not(text: str) -> None:
    read = worded_hours(text)
    assert read.end is None or (read.hours is not None and read.hours != read.end)


ORDINAL = [
    Plan("Predose", 1.0, None),
    Plan("0.5H", 2.0, "PT0.5H"),
    Plan("2H", 3.0, "PT2H"),
    Plan("4H", 4.0, "PT4H"),
    Plan("24H", 5.0, "PT24H"),
]


def test_an_order_of_samples_is_not_hours() -> None:
    meaning = understand(ORDINAL)
    assert meaning is Meaning.ORDER
    read = [read_plan(plan, meaning) for plan in ORDINAL]
    assert [time.hours for time in read] == [0.0, 0.5, 2.0, 4.0, 24.0]
    assert {time.source for time in read} == {"PCTPT", "PCELTM"}
    assert not any(time.flag or time.doubt for time in read)


@pytest.mark.parametrize(
    ("plans", "meaning"),
    [
        ([Plan("Pre-dose", -0.5, None), Plan("5 Min", 0.08, None), Plan("0-6h", 3.0, None)], Meaning.HOURS),
        ([Plan("30 min", 30.0, None), Plan("1 h", 60.0, None), Plan("2 h", 120.0, None)], Meaning.MINUTES),
        ([Plan("24 h", 1.0, None), Plan("48 h", 2.0, None), Plan("168 h", 7.0, None)], Meaning.DAYS),
        ([Plan(None, float(n), None) for n in range(1, 6)], Meaning.UNCLEAR),
        ([Plan(None, n, None) for n in (0.0, 0.5, 1.0, 2.0, 4.0)], Meaning.HOURS),
        ([Plan(None, n, None) for n in (0.0, 2.0, 8.0, 24.0)], Meaning.HOURS),
        ([], Meaning.HOURS),
    ],
)
def test_what_the_numbers_are(plans: list[Plan], meaning: Meaning) -> None:
    assert understand(plans) is meaning


def test_a_wrong_unit_in_an_elapsed_time_is_outvoted_and_named() -> None:
    time = read_plan(Plan("0.5H", 0.5, "PT30H"), Meaning.HOURS)
    assert (time.hours, time.source, time.doubt) == (0.5, "PCTPTNUM", None)
    assert time.flag is not None
    assert "PCELTM 30 h" in time.flag
    assert "minutes and hours are confused" in time.flag


def test_two_that_contradict_each_other_are_for_a_person() -> None:
    time = read_plan(Plan("1H", None, "PT60H"), Meaning.HOURS)
    assert time.hours == 1.0
    assert time.doubt == "PCELTM 60 h and PCTPT 1 h do not agree: minutes and hours are confused in one of them"


def test_numbers_alone_that_may_be_an_order_are_for_a_person() -> None:
    time = read_plan(Plan(None, 2.0, None), Meaning.UNCLEAR)
    assert time.doubt == "PCTPTNUM 2 may be hours or only the order of the samples"


def test_an_interval_has_both_its_ends_and_a_sample_before_the_dose_its_own_hour() -> None:
    assert read_plan(Plan("24-48h Post-dose", 37.0, None), Meaning.HOURS)[:3] == (24.0, 48.0, "PCTPT")
    assert read_plan(Plan("Pre-dose", -0.5, None), Meaning.HOURS)[:3] == (-0.5, None, "PCTPTNUM")


@pytest.mark.parametrize(
    ("text", "kept", "first", "timed"),
    [
        ("2014-07-02T11:45", "2014-07-02T11:45", "2014-07-02T11:45", True),
        ("2014-07-02 11:45:30", "2014-07-02T11:45:30", "2014-07-02T11:45:30", True),
        ("2013-07", "2013-07", "2013-07-01", False),
        ("1986", "1986", "1986-01-01", False),
        ("2013---15", "2013", "2013-01-01", False),
        ("02JAN2014", "2014-01-02", "2014-01-02", False),
        ("02JAN2014:11:45:00", "2014-01-02T11:45:00", "2014-01-02T11:45:00", True),
        ("13/02/2014 10:30", "2014-02-13T10:30", "2014-02-13T10:30", True),
    ],
)
def test_moments_keep_their_precision(text: str, kept: str, first: str, timed: bool) -> None:
    moment = read_moment(text)
    assert (moment.text, moment.sorted_on, moment.timed, moment.error) == (kept, first, timed, None)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("2014-UNK-UNK", "2014"), ("2014-02-UN", "2014-02"), ("2014-02-xx", "2014-02"), ("2014-UK", "2014")],
)
def test_a_day_that_is_written_as_unknown_is_left_open(text: str, kept: str) -> None:
    moment = read_moment(text)
    assert (moment.text, moment.note) == (kept, f"{text} is known to {kept} only")


@pytest.mark.parametrize("text", ["2014-13-01", "2014-02-30", "2014-01-02T25:00", "garbage", "02/01/2014", "\x00"])
def test_moments_that_cannot_be_are_refused(text: str) -> None:
    moment = read_moment(text)
    assert moment.text is None
    assert moment.error is not None


@given(st.text(max_size=25))
def test_any_text_is_a_moment_or_says_why_not(text: str) -> None:
    moment = read_moment(text)
    assert moment == NO_MOMENT or (moment.text is None) == (moment.error is not None)


PLANNED = PlannedTime(2.0, None, "PCTPTNUM", None, None, (("PCTPTNUM", 2.0),))


def clock(planned: PlannedTime, sampled: str, reference: str | None, *, idle: bool = False, dosed: str | None = None):  # type: ignore[no-untyped-def]  # a tuple
    doses = DoseTimes()
    if dosed is not None:
        moment = read_moment(dosed)
        assert moment.hours is not None
        doses.add("S1", moment.hours, timed=moment.timed)
    return checked_by_clock(planned, read_moment(sampled), read_moment(reference), "S1", doses, idle=idle)


def schedule(*planned: str, doses: Sequence[int], who: str = "S1") -> Origin:
    """Return what samples half an hour after each of some doses (days from the first) show of their plans."""
    found = Origin()
    found.add(
        [who] * len(planned),
        [Plan(None, None, text) for text in planned],
        [f"2020-01-{day + 1:02d}T08:35" for day in doses],
        [f"2020-01-{day + 1:02d}T08:00" for day in doses],
    )
    found.settle(Meaning.HOURS)
    return found


def test_plans_that_count_from_the_first_dose_are_told_by_the_clock() -> None:
    assert schedule("PT0.5H", "PT24.5H", "P2DT30M", doses=(0, 1, 2)).from_first
    assert not schedule("PT0.5H", "PT0.5H", "PT0.5H", doses=(0, 1, 2)).from_first
    assert not schedule("PT0.5H", "PT5H", doses=(0, 0)).from_first, "with one dose both are the same"
    assert not schedule("PT0.5H", "PT100H", "PT0.5H", doses=(0, 1, 2)).from_first, "one slip is no schedule"
    assert not schedule("", "PTxH", doses=(0, 1)).from_first


def from_first(elapsed: str, sampled: str, reference: str) -> tuple[float | None, str | None, str | None]:
    first = read_moment("2020-01-01T08:00").hours
    planned = read_plan(Plan(None, None, elapsed), Meaning.HOURS)
    time = checked_by_clock(
        planned, read_moment(sampled), read_moment(reference), "S1", DoseTimes(), idle=False, first=first
    )
    return time.hours, time.source, time.flag


def test_hours_are_those_since_the_dose_that_is_named() -> None:
    assert from_first("PT48.5H", "2020-01-03T08:51", "2020-01-03T08:15") == (0.6, "PCDTC", None)
    assert from_first("PT0.5H", "2020-01-01T08:33", "2020-01-01T08:00") == (0.55, "PCDTC", None)
    assert from_first("PT48.5H", "2020-01-03", "2020-01-03T08:15") == (0.5, "PCELTM", None)
    assert from_first("PT23.9H", "2020-01-02T08:00", "2020-01-02T08:06") == (-0.1, "PCDTC", None)
    hours, source, flag = from_first("PT48.5H", "2020-01-03T14:15", "2020-01-03T08:15")
    assert (hours, source) == (0.5, "PCELTM")
    assert flag == "PCDTC 2020-01-03T14:15 is 6 h after the dose (2020-01-03T08:15), planned is 0.5 h"


def test_the_clock_ends_a_collection_that_no_plan_ends() -> None:
    time = clock(PLANNED, "2020-01-01T10:00", "2020-01-01T08:00")
    began = read_moment("2020-01-01T10:00")
    until = collected_until(time, began, read_moment("2020-01-01T14:30"))
    assert (until.hours, until.end, until.source) == (2.0, 6.5, "PCDTC")
    for ended in ("2020-01-01T09:00", "2020-01-02", None):
        assert collected_until(time, began, read_moment(ended)) == time
    planned = time._replace(end=8.0)
    assert collected_until(planned, began, read_moment("2020-01-01T14:30")) == planned


def test_a_clock_that_agrees_says_nothing() -> None:
    time = clock(PLANNED, "2020-01-01T10:05", "2020-01-01T08:00")
    assert (time.hours, time.source, time.flag, time.reference) == (2.0, "PCTPTNUM", None, "2020-01-01T08:00")


def test_a_clock_that_disagrees_is_said() -> None:
    time = clock(PLANNED, "2020-01-01T14:00", "2020-01-01T08:00")
    assert (time.hours, time.doubt) == (2.0, None)
    assert time.flag == "PCDTC 2020-01-01T14:00 is 6 h after the dose (2020-01-01T08:00), planned is 2 h"


def test_an_idle_clock_is_not_compared_but_its_date_is() -> None:
    assert clock(PLANNED, "2020-01-01T12:00", "2020-01-01T08:00", idle=True).flag is None
    assert clock(PLANNED, "2020-03-01T12:00", "2020-01-01T08:00", idle=True).flag is not None


def test_a_reference_that_is_another_dose_is_not_used() -> None:
    time = clock(PLANNED, "2016-05-01", "2016-02-01")
    assert time.reference is None
    assert time.flag is not None
    assert "90 days after the dose" in time.flag


def test_the_dose_is_found_where_no_reference_is_given() -> None:
    assert clock(PLANNED, "2020-01-01T10:00", None, dosed="2020-01-01T08:00").reference == "2020-01-01T08:00"
    nothing = PlannedTime()
    time = clock(nothing, "2020-01-01T10:00", None, dosed="2020-01-01T08:00")
    assert (time.hours, time.source) == (2.0, "PCDTC")
    assert clock(nothing, "2020-01-01", None, dosed="2020-01-01").hours is None


def test_the_clock_decides_between_two_that_contradict_each_other() -> None:
    planned = read_plan(Plan("1H", None, "PT60H"), Meaning.HOURS)
    time = clock(planned, "2020-01-01T09:00", "2020-01-01T08:00")
    assert (time.hours, time.source, time.doubt) == (1.0, "PCTPT", None)
    assert time.flag is not None
    assert time.flag.endswith("PCDTC agrees with PCTPT")


def test_a_sample_shortly_before_the_first_dose_is_counted_from_it() -> None:
    order = read_plan(Plan(None, 1.0, None), Meaning.UNCLEAR)
    time = clock(order, "2020-01-01T07:45", None, dosed="2020-01-01T08:00")
    assert (time.hours, time.source, time.reference) == (-0.25, "PCDTC", "2020-01-01T08:00")
    far = clock(order, "2019-12-20T07:45", None, dosed="2020-01-01T08:00")
    assert far.doubt is not None


def test_a_number_near_the_clock_is_still_no_hour() -> None:
    order = read_plan(Plan(None, 5.0, None), Meaning.UNCLEAR)
    time = clock(order, "2020-01-01T12:00", "2020-01-01T08:00")
    assert (time.hours, time.source) == (4.0, "PCDTC")


def test_numbers_whose_steps_the_clock_contradicts_are_an_order() -> None:
    assert only_an_order([(1, 0.6), (1, 0.5), (1, 1.0), (1, 2.0)])
    assert not only_an_order([(1, 1.05), (1, 0.9), (2, 2.0)]), "an order may look the same"
    assert not only_an_order([])


def test_the_clock_tells_an_order_from_hours() -> None:
    order = read_plan(Plan(None, 2.0, None), Meaning.UNCLEAR)
    time = clock(order, "2020-01-01T08:30", "2020-01-01T08:00")
    assert (time.hours, time.source, time.doubt) == (0.5, "PCDTC", None)
    assert time.flag is not None
    assert "by PCDTC it is 0.5 h, which is taken" in time.flag
    hours = clock(order, "2020-01-01T10:00", "2020-01-01T08:00")
    assert (hours.hours, hours.source, hours.doubt, hours.flag) == (2.0, "PCTPTNUM", None, None)
    assert clock(order, "2020-01-01", "2020-01-01").doubt == order.doubt
