"""The log-rank test of groups: that of two groups, and what holds for any number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.group_logrank import group_logrank
from pipeline.attrition.review import Asked, review
from pipeline.attrition.risk_table import Lengths
from pipeline.efficacy.logrank import compare_survival
from tests.attrition.histories import portfolio

ROWS = st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 1)), min_size=4, max_size=40)


def compared(time, event, entry, group, groups):
    """Compare stays of one stage."""
    lengths = Lengths.of(np.zeros(time.size, dtype=int), time.astype(float), event.astype(bool), entry, 1)
    [table] = lengths.tables(group, groups)
    return group_logrank(table.events, table.at_risk)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_of_two_groups_it_is_the_known_test(rows):
    time, event, group = (np.array(column) for column in zip(*rows, strict=True))
    found = compared(time, event, np.zeros(time.size), group, 2)
    if len(set(group.tolist())) < 2:
        assert found is None
        return
    known = compare_survival(time.tolist(), event.astype(int).tolist(), group.tolist())
    if known.chisq is None:
        assert found is None
        return
    assert found.chi_square == pytest.approx(known.chisq, abs=1e-9)
    assert found.p_value == pytest.approx(known.p_value, abs=1e-9)
    assert (found.df, found.observed) == (1, known.observed)
    assert found.expected == pytest.approx(known.expected)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 3)), min_size=8, max_size=40),
    st.permutations(range(4)),
)
def test_what_the_groups_are_called_does_not_matter(rows, order):
    time, event, group = (np.array(column) for column in zip(*rows, strict=True))
    entry = np.where(time > 4, 2.0, 0.0)
    one, other = (compared(time, event, entry, names, 4) for names in (group, np.array(order)[group]))
    assert (one is None) == (other is None)
    if one is not None:
        assert one.chi_square == pytest.approx(other.chi_square, abs=1e-7)
        assert sum(one.observed) == pytest.approx(sum(one.expected))


def test_groups_that_stay_long_and_short_are_told_apart():
    short = [f"PHASE_1 2010-01-01; PHASE_2 2010-0{1 + n % 9}-15" for n in range(20)]
    long = [f"PHASE_1 2010-01-01; PHASE_2 2013-0{1 + n % 9}-15" for n in range(20)]
    made = portfolio(short + long, groups={"modality": ["ANTIBODY"] * 20 + ["PEPTIDE"] * 20})
    found = review(made, Asked(day="2016-01-01"))
    compared = next(
        one for one in found.comparisons if (one.dimension, one.stage, one.of) == ("modality", "PHASE_1", "time")
    )
    assert (compared.groups, compared.df) == (("ANTIBODY", "PEPTIDE"), 1)
    assert compared.p_value < 1e-6
    assert compared.statement.startswith("the times in stage differ by more than chance")
