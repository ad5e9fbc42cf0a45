import csv
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.excretion import urinary_excretion
from tests.support.datasets import dataset


def test_amounts_rates_and_clearance() -> None:
    found = urinary_excretion([0, 6, 12], [6, 12, 24], [10, 4, 1], [0.3, 0.6, 1.2], dose=20, auc=13.2)
    assert found.amount == pytest.approx((3, 2.4, 1.2))
    assert found.rate == pytest.approx((0.5, 0.4, 0.1))
    assert (found.midpoint_h, found.max_rate_midpoint_h) == ((3, 9, 18), 3)
    assert found.amount_total == pytest.approx(6.6)
    assert found.pct_of_dose == pytest.approx(33)
    assert found.renal_clearance == pytest.approx(0.5)
    assert found.flags == ()


def test_what_was_not_collected_is_said() -> None:
    lost = urinary_excretion([0, 6], [6, 12], [10, None], [0.3, 0.6], dose=2)
    assert (lost.amount, lost.flags) == ((3, None), ("incomplete", "more_than_dose"))
    assert urinary_excretion([0, 7], [6, 12], [10, 0.1], [0.3, 0.6], lloq=0.5).amount == (3, 0)
    assert urinary_excretion([0, 7], [6, 12], [10, 1], [0.3, 0.6]).flags == ("incomplete",)
    assert urinary_excretion([0], [6], [10], [None]).reason is Reason.NO_DATA
    assert urinary_excretion([], [], [], []).reason is Reason.NO_DATA


@pytest.mark.parametrize(
    "rows", [([0, 5], [6, 12], [1, 1], [1, 1]), ([6], [6], [1], [1]), ([0], [6], [-1], [1]), ([0], [6], [1], [1, 1])]
)
def test_impossible_collections_are_refused(rows: tuple[list[float], ...]) -> None:
    with pytest.raises(InputError):
        urinary_excretion(*rows)


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0, 50), st.floats(0, 3)), min_size=1, max_size=8))
@settings(max_examples=50)
def test_the_fastest_interval_is_one_of_them_and_amounts_add_up(rows: list[tuple[float, float, float]]) -> None:
    ends = [sum(length for length, _, _ in rows[: index + 1]) for index in range(len(rows))]
    found = urinary_excretion([0, *ends[:-1]], ends, [c for _, c, _ in rows], [v for _, _, v in rows])
    amounts = [amount for amount in found.amount if amount is not None]
    assert found.amount_total == pytest.approx(sum(amounts))
    assert found.max_rate in found.rate
    assert found.flags == ()


def test_every_urine_collection_of_the_analysis_data_set_is_computed() -> None:
    groups: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with (dataset("nca-analysis") / "adnca_example.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["PCSPEC"] == "URINE":
                groups[row["USUBJID"], row["ATPTREF"]].append(row)
    assert len(groups) == 40
    for rows in groups.values():
        rows.sort(key=lambda row: float(row["NRRLT"]))
        found = urinary_excretion(
            [float(row["NRRLT"]) for row in rows],
            [float(row["NERRLT"]) for row in rows],
            [float(row["AVAL"]) for row in rows],
            [float(row["VOLUME"]) for row in rows],
            float(rows[0]["DOSEA"]),
        )
        assert found.amount_total is not None
        # the collections leave gaps, and the concentrations in mg/mL come to more than was given
        assert set(found.flags) == {"incomplete", "more_than_dose"}
