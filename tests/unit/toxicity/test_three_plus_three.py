"""3+3: decisions, strings that could not arise, and exact characteristics against the enumeration of every path."""

from itertools import combinations
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.toxicity.three_plus_three import decide, three_plus_three, three_plus_three_characteristics, too_toxic


def enumerated(rates: list[float], allow_deescalate: bool) -> tuple[float, list[float], list[float]]:
    """Follow every path of cohorts of three, merging those with equal counts."""
    none, select, expected = 0.0, [0.0] * len(rates), [0.0] * len(rates)
    zero = (0,) * len(rates)
    states = {(1, zero, zero): 1.0}
    while states:
        following: dict[tuple[int, tuple[int, ...], tuple[int, ...]], float] = {}
        for (dose, n, x), mass in states.items():
            p = rates[dose - 1]
            expected[dose - 1] += 3 * mass
            for toxic in range(4):
                path = mass * comb(3, toxic) * p**toxic * (1 - p) ** (3 - toxic)
                counts = [*n], [*x]
                counts[0][dose - 1] += 3
                counts[1][dose - 1] += toxic
                chosen, going = decide(*counts, dose, allow_deescalate)
                if going:
                    assert chosen is not None
                    key = chosen, tuple(counts[0]), tuple(counts[1])
                    following[key] = following.get(key, 0.0) + path
                elif chosen is None:
                    none += path
                else:
                    select[chosen - 1] += path
        states = following
    return none, select, expected


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.booleans())
def test_characteristics_equal_the_enumeration(rates: list[float], allow_deescalate: bool) -> None:
    found = three_plus_three_characteristics(rates, allow_deescalate)
    none, select, expected = enumerated(rates, allow_deescalate)
    assert found.prob_select_none == pytest.approx(none, abs=1e-12)
    assert found.prob_select == pytest.approx(select, abs=1e-12)
    assert found.expected_n == pytest.approx(expected, abs=1e-12)
    assert found.prob_select_none + sum(found.prob_select) == pytest.approx(1)
    assert found.expected_dlt == pytest.approx([n * p for n, p in zip(expected, rates, strict=True)])


def test_certain_rates_have_certain_ends() -> None:
    assert three_plus_three_characteristics([0.0, 0.0]).prob_select == (0, 1)
    assert three_plus_three_characteristics([1.0, 1.0], True).prob_select_none == 1


def test_before_the_first_patient_the_dose_is_the_lowest() -> None:
    found = three_plus_three("", 3)
    assert (found.recommended_dose, found.continue_trial) == (1, True)


def test_a_recommended_dose_with_three_patients_says_so() -> None:
    few = three_plus_three("1NNN 2TTT", 3)
    assert (few.recommended_dose, few.flags) == (1, ("recommended_dose_has_fewer_than_6",))
    assert three_plus_three("1NNN 2TTT 1NNN", 3, allow_deescalate=True).flags == ()
    assert three_plus_three("1TTT", 3).flags == ("no_safe_dose",)


@pytest.mark.parametrize("outcomes", ["2NNN", "1NNN 1NNN", "1NNN 3NNN", "1NTT 1N", "1NNN 2NN 3N", "1NNT 2NNN"])
def test_a_string_that_could_not_arise_is_refused_unless_asked_for(outcomes: str) -> None:
    with pytest.raises(InputError, match="the rules ask for"):
        three_plus_three(outcomes, 5)
    assert three_plus_three(outcomes, 5, strict=False).recommended_dose in (None, 1, 2, 3, 4)


@pytest.mark.parametrize("outcomes", ["1NNX", "NNN", "0NNN", "6NNN", "1", "١NNN", "1NNN,2NNN", "1nnn", "9" * 5000])
def test_a_string_that_cannot_be_read_is_refused(outcomes: str) -> None:
    with pytest.raises(InputError):
        three_plus_three(outcomes, 5, strict=False)


@pytest.mark.parametrize("rates", [[], [0.1] * 51, [-0.1], [1.1]])
def test_impossible_rates_are_refused(rates: list[float]) -> None:
    with pytest.raises(InputError):
        three_plus_three_characteristics(rates)


@settings(max_examples=50)
@given(st.integers(1, 4), st.booleans(), st.randoms(use_true_random=False))
def test_every_trial_that_follows_the_rules_ends(doses: int, allow_deescalate: bool, random: object) -> None:
    outcomes, found = "", three_plus_three("", doses)
    for _ in range(2 * doses + 1):
        if not found.continue_trial:
            break
        letters = "".join(random.choice("NT") for _ in range(3))  # type: ignore[attr-defined]
        outcomes += f" {found.recommended_dose}{letters}"
        found = three_plus_three(outcomes, doses, allow_deescalate)
    assert not found.continue_trial


@given(st.integers(0, 14).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_a_dose_is_too_toxic_where_every_order_of_its_subjects_makes_it_so(counts):
    n, x = counts
    subjects = [1] * x + [0] * (n - x)
    first_six = {sum(each) >= 2 for each in combinations(subjects, min(n, 6))}
    assert too_toxic(n, x) is (first_six.pop() if len(first_six) == 1 else None)
