import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rounding import above, at_least, at_most, below, readable, significant

finite = st.floats(min_value=-1e200, max_value=1e200, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "limit"),
    [(0.1 + 0.2, 0.3), (3 * 40, 120), (100 * (15.6 - 13) / 13, 20), (10.1 - 5.1, 5), (1.1 * 1.1, 1.21), (0, 0)],
)
def test_what_is_equal_on_paper_is_equal(value: float, limit: float) -> None:
    assert at_least(value, limit)
    assert at_most(value, limit)
    assert not above(value, limit)
    assert not below(value, limit)


def test_the_twelfth_digit_still_counts() -> None:
    assert above(1.00000000001, 1)
    assert not above(1.0000000000001, 1)
    assert below(-1.00000000001, -1)


def test_what_is_not_finite_stays() -> None:
    assert significant(math.inf) == math.inf
    assert math.isnan(significant(math.nan))


@given(finite, finite)
def test_exactly_one_side_of_a_limit(value: float, limit: float) -> None:
    assert above(value, limit) is not at_most(value, limit)
    assert below(value, limit) is not at_least(value, limit)
    assert significant(significant(value)) == significant(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,230"), (999.6, "1,000"), (999.4, "999"), (-98765, "-98,800"), (0.012345, "0.0123"), (0, "0")],
)
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert readable(value) == text
