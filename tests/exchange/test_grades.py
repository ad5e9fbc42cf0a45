"""Grade texts: what is certain is read, what a spreadsheet damaged is repaired only where one reading is possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.grades import NOT_STATED, Grade, is_date, read_grade

PLAIN = [
    ("3", 3, 3),
    (" 4 ", 4, 4),
    ("3.0", 3, 3),
    ("４", 4, 4),
    ("3 or 4", 3, 4),
    ("4 or 3", 3, 4),
    ("3, or 4", 3, 4),
    ("1 and 2", 1, 2),
    ("3/4", 3, 4),
    ("3-4", 3, 4),
    ("3 – 4", 3, 4),
    ("3 to 5", 3, 5),
    ("2-4", 2, 4),
    ("2, 3, 4", 2, 4),
    (">=3", 3, 5),
    (">= 3", 3, 5),
    ("≥3", 3, 5),
    ("≥ grade 3", 3, 5),
    ("＞＝3", 3, 5),
    (">3", 4, 5),
    (">2", 3, 5),
    ("3 or higher", 3, 5),
    ("3+", 3, 5),
    ("<=2", 1, 2),
    ("<2", 1, 1),
    ("any grade", 1, 5),
    ("G3", 3, 3),
    ("gr. 3", 3, 3),
    ("grade III", 3, 3),
    ("Grade III-IV", 3, 4),
    ("CTCAE grade 3/4", 3, 4),
    ("G3/G4", 3, 4),
]
REPAIRED = [
    ("4-Mar", 3, 4),
    ("3-Feb", 2, 3),
    ("4-Feb", 2, 4),
    ("3-Apr", 3, 4),
    ("2-Jan", 1, 2),
    ("5-Apr", 4, 5),
    ("Mar-4", 3, 4),
    ("Mar-04", 3, 4),
    ("03-avr", 3, 4),
    ("4-mars", 3, 4),
    ("4-Mrz", 3, 4),
    ("4-Mar-16", 3, 4),
    ("2016-03-04", 3, 4),
    ("2016-03-04 00:00:00", 3, 4),
    ("3/4/2016", 3, 4),
]
UNREAD = [
    *("3-Mar", "6-Aug", "12-Mar", "4-Dec", "Mar-14", "2016-03-14", "Aug-6"),
    *(
        "severe",
        "0",
        "6",
        "33",
        "3.5",
        ">5",
        "<1",
        "-3",
        "42433",
        "3 or 7",
        ">6 weeks",
        "3 weeks",
        "iiii",
        "$3",
        ".3",
        "³3",
    ),
    *("\x153", "␕3", "\ufffd3", "3\x00", "= 3", ">==3", "=1+2", "III" * 40),
]


@pytest.mark.parametrize(("text", "low", "high"), PLAIN)
def test_a_grade_is_read_without_a_word(text, low, high):
    assert read_grade(text) == Grade(low, high, None)


@pytest.mark.parametrize(("text", "low", "high"), REPAIRED)
def test_a_date_made_of_two_grades_is_repaired_and_flagged(text, low, high):
    grade = read_grade(text)
    assert (grade.low, grade.high) == (low, high)
    assert grade.flag == f"{text!r} is a date made by a spreadsheet from {low}-{high}; read as {low} to {high}"


@pytest.mark.parametrize("text", UNREAD)
def test_what_is_not_certain_is_not_read_and_flagged(text):
    grade = read_grade(text)
    assert (grade.low, grade.high) == (None, None)
    assert grade.flag
    assert "kept as reported" in grade.flag


def test_a_sign_lost_before_a_number_is_no_bare_grade():
    assert read_grade("␕3").flag == (
        "'␕3': a sign was lost beside the number, so it may be a bound; kept as reported, not read"
    )


def test_a_gap_between_grades_is_said():
    assert read_grade("1, 3") == Grade(1, 3, "'1, 3' leaves out a grade between 1 and 3; read as 1 to 3")


@pytest.mark.parametrize("text", [None, "", "NA", "N/A", " na ", "-"])
def test_nothing_is_not_a_grade_and_no_flag(text):
    assert read_grade(text) == NOT_STATED


@pytest.mark.parametrize("text", ["6-Aug", "2-Apr", "12-Aug", "avr-02", "2016-08-06", "Dec-99"])
def test_dates_are_known_as_dates(text):
    assert is_date(text)


@pytest.mark.parametrize("text", ["6", "8/6", "2-4", "may be", "mg"])
def test_other_texts_are_no_dates(text):
    assert not is_date(text)


@given(st.text(max_size=80))
def test_any_text_gives_a_grade_on_the_scale_or_none(text):
    grade = read_grade(text)
    if grade.low is None or grade.high is None:
        assert (grade.low, grade.high) == (None, None)
    else:
        assert 1 <= grade.low <= grade.high <= 5


@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([" or ", "/", "-", " – ", " to ", ", "]))
def test_two_grades_read_the_same_in_either_order(one, other, between):
    grade = read_grade(f"{one}{between}{other}")
    assert (grade.low, grade.high) == (min(one, other), max(one, other))
