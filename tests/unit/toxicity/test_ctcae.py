"""Laboratory grades: limits, baselines, missing limits, units."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason, find_method
from pipeline.toxicity.ctcae import Baseline, lab_terms, laboratory_grade

ALT, NEUTROPHILS, CREATININE = (
    "Alanine aminotransferase increased",
    "Neutrophil count decreased",
    "Creatinine increased",
)
TERMS = st.sampled_from([term.name for term in lab_terms().values()])


@pytest.mark.parametrize(
    ("value", "grade"), [(1.8, 0), (1.79, 1), (1.5, 1), (1.49, 2), (1.0, 2), (0.99, 3), (0.5, 3), (0.49, 4), (0, 4)]
)
def test_a_value_at_a_limit_belongs_to_the_lower_grade(value: float, grade: int) -> None:
    assert laboratory_grade(NEUTROPHILS, value, lln=1.8).grade == grade


def test_multiples_are_compared_after_rounding() -> None:
    """3 x 40.1 is 120.30000000000001 in binary; 120.3 is not above it, and 1.5 x 0.7 is 1.05."""
    assert laboratory_grade(ALT, 120.3, uln=40.1).grade == 1
    assert laboratory_grade("Creatinine increased", 1.05, uln=2.0, baseline=0.7).grade == 0


def test_a_high_baseline_takes_the_place_of_the_upper_limit() -> None:
    assert laboratory_grade(ALT, 130, uln=40, baseline=80, baseline_indicator=Baseline.HIGH).grade == 1
    assert laboratory_grade(ALT, 130, uln=40, baseline=80, baseline_indicator=Baseline.NORMAL).grade == 2
    assert laboratory_grade(ALT, 120, uln=40, baseline=80, baseline_indicator=Baseline.HIGH).grade == 1
    assert laboratory_grade(ALT, 119, uln=40, baseline=80, baseline_indicator=Baseline.HIGH).grade == 0
    unknown = laboratory_grade(ALT, 119, uln=40, baseline_indicator=Baseline.HIGH)
    assert (unknown.grade, unknown.reason) == (None, Reason.UNDEFINED_LIMIT)


def test_a_missing_limit_that_decides_gives_no_grade() -> None:
    assert laboratory_grade(NEUTROPHILS, 1.2).grade == 2
    missing = laboratory_grade(NEUTROPHILS, 1.6)
    assert (missing.grade, missing.reason, missing.flags) == (None, Reason.UNDEFINED_LIMIT, ("lln_missing",))
    assert laboratory_grade(NEUTROPHILS, None, lln=1.8).reason is Reason.NO_DATA


def test_a_grade_found_past_an_untested_rule_says_so() -> None:
    without_baseline = laboratory_grade(CREATININE, 170, uln=100)
    assert (without_baseline.grade, without_baseline.flags) == (2, ("baseline_missing",))
    assert laboratory_grade(CREATININE, 90, uln=100).grade == 0
    without_limit = laboratory_grade(CREATININE, 300, baseline=80)
    assert (without_limit.grade, without_limit.flags) == (3, ("uln_missing",))


@pytest.mark.parametrize(
    ("term", "value", "limits", "clinical"),
    [
        ("Hyponatremia", 127, {"lln": 135}, True),
        ("Hyponatremia", 124, {"lln": 135}, False),
        ("Hypokalemia", 3.2, {"lln": 3.5}, True),
        ("Hypokalemia", 2.9, {"lln": 3.5}, False),
        ("Lipase increased", 150, {"uln": 60}, True),
        ("Lipase increased", 110, {"uln": 60}, False),
        ("Anemia", 70, {"lln": 120}, True),
    ],
)
def test_where_symptoms_decide_the_grade_says_so(
    term: str, value: float, limits: dict[str, float], clinical: bool
) -> None:
    assert ("needs_clinical" in laboratory_grade(term, value, **limits).flags) is clinical


def test_units_are_converted_to_those_of_the_criteria() -> None:
    assert laboratory_grade("Anemia", 7.9, "g/dL", lln=12.0).grade == 3
    assert laboratory_grade(NEUTROPHILS, 990, "/uL", lln=1800).grade == 3
    assert laboratory_grade("Hypoglycemia", 39, "mg/dL", lln=70).grade == 3
    assert laboratory_grade(ALT, 121, "anything", uln=40).grade == 2
    with pytest.raises(InputError, match="not known"):
        laboratory_grade("Anemia", 7.9, "G/DL", lln=12)
    with pytest.raises(InputError, match="different things"):
        laboratory_grade("Anemia", 7.9, "10^9/L", lln=12)


@pytest.mark.parametrize(
    "inputs",
    [
        {"term": "Headache", "value": 1},
        {"term": ALT, "value": -1},
        {"term": ALT, "value": 1, "uln": 0},
        {"term": ALT, "value": 1, "ctcae_version": "4.0"},
        {"term": ALT, "value": 1, "baseline_indicator": "SOMEWHAT HIGH"},
    ],
)
def test_what_cannot_be_graded_is_refused(inputs: dict[str, object]) -> None:
    with pytest.raises(InputError):
        find_method("B1_ctcae_lab_grade").calculate(inputs)


@settings(max_examples=50)
@given(TERMS, st.floats(0, 2000), st.floats(0.1, 50), st.floats(0.1, 2000))
def test_grades_are_from_none_to_four_and_follow_the_direction(
    term: str, value: float, baseline: float, limit: float
) -> None:
    def grade(measured: float) -> int:
        found = laboratory_grade(term, measured, lln=limit, uln=limit, baseline=baseline).grade
        assert found in (0, 1, 2, 3, 4)
        return found

    low = any(criterion.op.startswith("<") for rule in lab_terms()[term.lower()].rules for criterion in rule.any)
    nearer, further = grade(value), grade(value / 2 if low else value * 2)
    assert nearer <= further


@settings(max_examples=50)
@given(st.floats(0, 2000), st.floats(1, 100), st.floats(0.01, 100))
def test_ratios_do_not_depend_on_the_unit(value: float, uln: float, factor: float) -> None:
    inside = abs(value / uln % 1) > 1e-6
    scaled = laboratory_grade("CPK increased", value * factor, uln=uln * factor)
    assert not inside or scaled.grade == laboratory_grade("CPK increased", value, uln=uln).grade
