import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.attrition.benchmark import benchmarks, find_benchmark, likelihood_of_approval
from pipeline.errors import InputError, NotFound


def test_every_phase_by_phase_row_multiplies_to_the_printed_likelihood() -> None:
    rows = [row for row in benchmarks() if row.loa is not None and row.counting == "phase-by-phase"]
    assert len(rows) == 38
    for row in rows:
        assert math.prod(row.rates) == pytest.approx(row.loa, abs=0.0021), row


def test_every_row_is_complete() -> None:
    assert len(benchmarks()) == 54
    assert len({(row.source, row.group) for row in benchmarks()}) == 54
    for row in benchmarks():
        assert len(row.rates) == len(row.steps)
        assert all(0 < rate <= 1 for rate in row.rates)
        assert row.n is None or len(row.n) == len(row.rates)
        assert row.verification in ("V1", "V2")


def test_the_tables_of_the_sources_not_their_text() -> None:
    assert find_benchmark("wong_2019", "Overall").rates == (0.664, 0.486, 0.59)
    assert find_benchmark("wong_2019", "oncology").n == (17368, 6533, 1236)
    assert find_benchmark("bio_2021", "Oncology").rates == (0.488, 0.246, 0.477, 0.92)
    assert find_benchmark("wong_2019", "Oncology").loa_from_phase2 == 0.067


def test_an_unknown_row_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="antisense"):
        find_benchmark("bio_2021", "astrology")
    with pytest.raises(NotFound, match="wong_2019"):
        find_benchmark("newspaper", "oncology")


@given(st.lists(st.floats(0, 1), min_size=3, max_size=4))
def test_the_likelihood_grows_with_every_phase_passed(rates: list[float]) -> None:
    found = likelihood_of_approval(rates)
    assert found.loa_from_phase1_published is not None
    assert found.loa_from_phase2 is not None
    assert found.loa_from_phase3 is not None
    assert 0 <= found.loa_from_phase1_published <= found.loa_from_phase2 <= found.loa_from_phase3 <= 1


@pytest.mark.parametrize("rates", [[], [0.5], [0.5] * 5, [0.5, 1.2, 0.3], [0.5, -0.1, 0.3]])
def test_impossible_rates_are_refused(rates: list[float]) -> None:
    with pytest.raises(InputError):
        likelihood_of_approval(rates)
