"""Results and units as laboratories write them: what is a number, what is below the limit, what is in doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.concentration_values import Result, Stated, read_result
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.written_numbers import PLAIN, Habit, habit_of, read_number
from pipeline.exchange.written_units import unit_code

COMMAS = Habit(decimal_comma=True)
POINTS = Habit(decimal_comma=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ug/ml", "ug/mL"),
        ("NG/ML", "ng/mL"),
        ("ng per mL", "ng/mL"),
        ("mcg/L", "ug/L"),
        ("µg/L", "ug/L"),
        ("hr*ng/mL", "h*ng/mL"),
        ("h*(ng/mL)", "h*ng/mL"),
        ("(h*ng/mL)/(mg/kg)", "h*ng*kg/mL/mg"),
        ("ng·h/mL", "ng*h/mL"),
        ("H*NG/ML", "h*ng/mL"),
        ("1/h", "/h"),
        ("uM", "umol/L"),
        ("10*9/L", "10^9/L"),
        ("mg/kg/day", "mg/kg/d"),
        ("IU/mL", "[IU]/mL"),
        ("microgrammes par litre", "ug/L"),
        ("ng//mL", None),
        ("ng/mL plasma", None),
        ("furlong", None),
        ("", None),
        (None, None),
        ("ng/(mL", None),
        ("x" * 500, None),
    ],
)
def test_units_in_any_spelling(text: str | None, code: str | None) -> None:
    assert unit_code(text) == code


@given(st.text(max_size=30))
def test_any_text_is_a_unit_or_none(text: str) -> None:
    code = unit_code(text)
    assert code is None or unit_code(code) == code


@pytest.mark.parametrize(
    ("text", "plain", "commas", "points"),
    [
        ("1,234.5", 1234.5, 1234.5, 1234.5),
        ("1.234,5", 1234.5, 1234.5, 1234.5),
        ("1 234,5", 1234.5, 1234.5, 1234.5),
        ("1\u202f234", 1234.0, 1234.0, 1234.0),
        ("0,05", 0.05, 0.05, 0.05),
        ("12,34", 12.34, 12.34, 12.34),
        ("1,234", None, 1.234, 1234.0),
        ("1.234", 1.234, 1234.0, 1.234),
        ("0.123", 0.123, 0.123, 0.123),
        ("1,234,567", 1234567.0, 1234567.0, 1234567.0),
        ("1.2E+03", 1200.0, 1200.0, 1200.0),
        ("1,2x10^3", 1200.0, 1200.0, 1200.0),
        ("-3,5", -3.5, -3.5, -3.5),
        ("abc", None, None, None),
        ("1e400", None, None, None),
        ("12,345,6", None, None, None),
    ],
)
def test_numbers_as_people_write_them(
    text: str, plain: float | None, commas: float | None, points: float | None
) -> None:
    assert [read_number(text, habit).value for habit in (PLAIN, COMMAS, POINTS)] == [plain, commas, points]


def test_a_number_that_can_be_two_is_neither() -> None:
    assert read_number("1,234").either == (1234.0, 1.234)


def test_the_rest_of_the_column_settles_the_comma() -> None:
    assert habit_of(["1,234", "0,5", "<LLOQ", None]) == COMMAS
    assert habit_of(["1,234", "0.5"]) == POINTS
    assert habit_of(["1,234", "5,678"]) == PLAIN
    assert habit_of(["0,5", "0.5"]) == PLAIN


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False).map(lambda value: f"{value:.6g}"))
def test_a_plain_number_is_itself(text: str) -> None:
    assert read_number(text, POINTS).value == float(text)


BELOW = [
    *("<BLQ", "BQL", "BLOQ", "blq", "<LLOQ", "< LLOQ", "ND", "N.D.", "BLQ*", "BLQ (1)", "<LOD", "< LIMIT", "LLOQ"),
    *("Below the limit of quantification", "BELOW QUANTIFIABLE LIMIT", "Not detected", "not quantifiable", "0 (BLQ)"),
    *("inférieur à la limite de quantification", "< LDQ", "non détecté", "Non détectable", "sous la limite", "inf LQ"),
    *("nicht nachweisbar", "unter der Bestimmungsgrenze", "no detectado"),
]


@pytest.mark.parametrize("text", BELOW)
def test_below_the_limit_in_words(text: str) -> None:
    assert read_words(text).kind is Kind.BELOW


@pytest.mark.parametrize(
    ("text", "limit"),
    [("<0.5", 0.5), ("< 0,5", 0.5), ("≤ 0.5 ng/mL", 0.5), ("BLQ (<0.5)", 0.5), ("BLQ<0.10", 0.1), ("<10 (LLOQ)", 10.0)],
)
def test_a_limit_named_in_the_result(text: str, limit: float) -> None:
    assert read_words(text) == (Kind.BELOW, limit)


@pytest.mark.parametrize("text", ["NC", "NR", "Not Done", "non fait", "QNS", "No sample", "échantillon insuffisant"])
def test_no_result(text: str) -> None:
    assert read_words(text).kind is Kind.NOT_DONE


@pytest.mark.parametrize("text", [">ULOQ", "> 5000", "ALQ", "Above limit of quantification"])
def test_above_the_limit(text: str) -> None:
    assert read_words(text).kind is Kind.ABOVE


@pytest.mark.parametrize("text", ["foo", "12*", "--", "", "<", "\x00", "?" * 300])
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    assert read_words(text).kind is Kind.UNREAD


def result(
    reported: str | None = None,
    unit: str | None = "ng/mL",
    standard: str | None = None,
    number: float | None = None,
    standard_unit: str | None = None,
    limit: float | None = None,
    status: str | None = None,
    reason: str | None = None,
    *,
    usual: str | None = None,
) -> Result:
    return read_result(Stated(reported, unit, standard, number, standard_unit, limit, status, reason), PLAIN, usual)


def test_a_number_with_its_unit() -> None:
    assert result("998", "ng/mL", "998", 998.0, "ng/mL", 20.0) == Result(998.0, "ng/mL", 20.0)
    assert result("998", "ng/mL", "0.998", 0.998, "ug/mL", 0.02) == Result(0.998, "ug/mL", 0.02)
    assert result("998", "NG/ML") == Result(998.0, "ng/mL")


@pytest.mark.parametrize(("text", "number"), [("<BLQ", 0.0), ("<BLQ", None), ("ND", 0.0), ("< 20", 0.0), ("0", 0.0)])
def test_below_the_limit_is_never_a_number(text: str, number: float | None) -> None:
    found = result(text, "ng/mL", text, number, "ng/mL", 20.0)
    assert (found.value, found.below, found.limit) == (None, True, 20.0)


def test_a_figure_under_the_limit_is_below_it_and_said_so() -> None:
    found = result("5", "ng/mL", "5", 5.0, "ng/mL", 20.0)
    assert (found.value, found.below, found.flag) == (None, True, "5 is below the limit of 20")


def test_a_bare_zero_without_a_limit_stays_and_is_flagged() -> None:
    found = result("0", "ng/mL", "0", 0.0, "ng/mL")
    assert (found.value, found.below, found.flag) == (0.0, False, "0, and no limit of quantification is given")


def test_a_comma_is_settled_by_the_standardised_number() -> None:
    assert result("1,234", "ng/mL", "1234", 1234.0, "ng/mL").value == 1234.0
    assert result("1,234", "ng/mL", "1.234", 1.234, "ng/mL").value == 1.234
    assert result("1,234", "ng/mL").doubt == "'1,234' can be 1234 or 1.234"


def test_two_numbers_that_differ_are_in_doubt() -> None:
    found = result("998", "ng/mL", "9.98", 9.98, "ng/mL")
    assert (found.value, found.doubt) == (9.98, "998 ng/mL and the standardised 9.98 ng/mL are not the same")


def test_a_standardised_result_a_little_apart_is_taken_and_flagged() -> None:
    found = result("239", "ng/mL", "263", 263.0, "ng/mL")
    assert (found.value, found.doubt) == (263.0, None)
    assert found.flag == "239 ng/mL and the standardised 263 ng/mL are not the same; the standardised one is taken"


def test_below_the_limit_beside_a_number_above_it_is_in_doubt() -> None:
    found = result("BLQ", "ng/mL", "BLQ", 55.0, "ng/mL", 20.0)
    assert found.below
    assert found.doubt == "'BLQ' says below the limit, but the standardised result is 55"


def test_a_missing_unit_is_proposed_only_where_the_others_have_one() -> None:
    found = result("998", None, usual="ng/mL")
    assert (found.unit, found.column, found.doubt) == (
        "ng/mL",
        "unit",
        "the unit is missing; the other rows are in ng/mL",
    )
    assert result("998", "nbg/ml").unit_error == "the unit 'nbg/ml' is not known; write one such as ng/mL"


def test_not_done_keeps_its_reason() -> None:
    assert result(None, status="NOT DONE", reason="haemolysed").not_done == "haemolysed"
    assert result("NC").not_done == "NC"
    assert result(None).not_done == "no result is given"


def test_what_cannot_be_a_concentration_is_refused_or_proposed() -> None:
    assert result("-3").error == "a concentration cannot be -3"
    assert result("what").error == "'what' is not understood as a result; write a number or BLQ"
    found = result("12.5*")
    assert (found.value, found.doubt) == (12.5, "'12.5*' is not understood as a result")
    assert result("> 5000") == Result(unit="ng/mL", flag="> 5000 is above what was measurable: no number")


@given(st.text(max_size=20), st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)))
def test_any_result_is_read_held_or_refused(text: str, number: float | None) -> None:
    found = result(text or None, "ng/mL", None, number, "ng/mL", 1.0)
    assert not (found.below and found.value is not None)
    assert found.value is None or found.value >= 0 or found.doubt or found.error
