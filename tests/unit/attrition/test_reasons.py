import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from pipeline.attrition.reasons import published_mixes, reason_mix
from pipeline.errors import InputError
from pipeline.outcome import Reason

NAMES = ("efficacy", "safety", "other", "not stated")
mixes = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20)), min_size=2, max_size=4)


@given(mixes)
@settings(max_examples=50)
def test_chi_square_equals_scipy_and_shares_add_up(rows: list[tuple[int, int]]) -> None:
    counts = {name: count for name, (count, _) in zip(NAMES, rows, strict=False)}
    weight = sum(part for _, part in rows)
    benchmark = {name: part / weight for name, (_, part) in zip(NAMES, rows, strict=False)}
    found = reason_mix(counts, benchmark)
    n = sum(counts.values())
    if n == 0:
        assert (found.reason, found.share) == (Reason.NO_DATA, None)
        return
    theirs = chisquare(list(counts.values()), [n * part for part in benchmark.values()])
    assert found.chisq_vs_benchmark == pytest.approx(theirs.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(theirs.pvalue, abs=1e-12)
    assert found.share is not None
    assert found.wilson95 is not None
    assert sum(found.share.values()) == pytest.approx(1)
    for name, (low, high) in found.wilson95.items():
        assert low - 1e-12 <= found.share[name] <= high + 1e-12
    assert ("small_expected" in found.flags) is any(n * part < 5 for part in benchmark.values())
    if found.exact_p is not None:
        assert 0 < found.exact_p <= 1


@given(st.integers(0, 12), st.integers(1, 12), st.floats(0.05, 0.95))
@settings(max_examples=50)
def test_two_categories_are_the_binomial_test(x: int, rest: int, share: float) -> None:
    found = reason_mix({"a": x, "b": rest}, {"a": share, "b": 1 - share})
    if found.exact_p is not None:
        assert found.exact_p == pytest.approx(binomtest(x, x + rest, share).pvalue, abs=1e-6)


def test_an_expected_count_of_five_is_not_below_five() -> None:
    share = 1 - 0.4 - 0.4
    assert 25 * share < 5  # in doubles; counts are compared to 12 digits
    assert reason_mix({"a": 11, "b": 9, "c": 5}, {"a": 0.4, "b": 0.4, "c": share}).flags == ()
    assert reason_mix({"a": 11, "b": 9, "c": 4}, {"a": 0.4, "b": 0.4, "c": share}).flags == ("small_expected",)


def test_one_category_or_an_impossible_one_has_no_test() -> None:
    assert reason_mix({"a": 3}, {"a": 1.0}).missing["p_value"] is Reason.OUTSIDE_DOMAIN
    assert reason_mix({"a": 3, "b": 2}, {"a": 1.0, "b": 0.0}).missing["p_value"] is Reason.OUTSIDE_DOMAIN
    alone = reason_mix({"a": 3, "b": 1})
    assert (alone.share, alone.missing["p_value"]) == ({"a": 0.75, "b": 0.25}, Reason.NO_DATA)


def test_too_many_mixes_to_sum_leave_the_exact_value_out() -> None:
    counts = {str(index): 40 for index in range(8)}
    benchmark = {"0": 0.01, **{str(index): 0.99 / 7 for index in range(1, 8)}}
    found = reason_mix(counts, benchmark)
    assert (found.exact_p, found.missing["exact_p"]) == (None, Reason.OUTSIDE_DOMAIN)
    assert "small_expected" in found.flags


@pytest.mark.parametrize(
    ("counts", "benchmark"),
    [
        ({"a": -1, "b": 2}, {"a": 0.5, "b": 0.5}),
        ({"a": 1, "b": 2}, {"a": 0.5, "c": 0.5}),
        ({"a": 1, "b": 2}, {"a": 0.5, "b": 0.4}),
        ({"a": 1, "b": 2}, {"a": 1.5, "b": -0.5}),
    ],
)
def test_impossible_mixes_are_refused(counts: dict[str, int], benchmark: dict[str, float]) -> None:
    with pytest.raises(InputError):
        reason_mix(counts, benchmark)


def test_the_published_mixes() -> None:
    mixes = published_mixes()
    assert len(mixes) == 11
    assert mixes[0].share == {"efficacy": 0.56, "safety": 0.28, "other": 0.16}
    assert all(sum(mix.share.values()) <= 1 + 1e-9 for mix in mixes)
    hwang = next(mix for mix in mixes if mix.source == "Hwang 2016")
    assert sum(hwang.counts.values()) == hwang.failures == 344
