"""What the names of groups of animals say: controls, and doses of one treatment or of several."""

from __future__ import annotations

import pytest

from pipeline.exchange.xenograft_groups import read_group


@pytest.mark.parametrize(
    "name",
    [
        "veh",
        "Vehicle",
        "VEHICLE CONTROL",
        "Contrôle",
        "Témoin",
        "dose_0.0",
        "PBS",
        "untreated",
        "0 mg/kg",
        "non traité",
    ],
)
def test_controls(name: str) -> None:
    assert read_group(name).control


@pytest.mark.parametrize("name", ["palb_200", "veh + drug 10 mg/kg", "Group 3", "Treated", "G1", "dose_0.3"])
def test_no_controls(name: str) -> None:
    assert not read_group(name).control


@pytest.mark.parametrize(
    ("name", "doses"),
    [
        ("dose_0.3", [("", 0.3, None)]),
        ("dose_100", [("", 100.0, None)]),
        ("palb_200+tem_22.5", [("palb", 200.0, None), ("tem", 22.5, None)]),
        ("DrugA 10 mg/kg", [("DrugA", 10.0, "mg/kg")]),
        ("DrugA 10mpk QD", [("DrugA", 10.0, "mg/kg")]),
        ("12,5 mg/kg", [("", 12.5, "mg/kg")]),
        ("50 mg/kg et DrugB 5 mg/kg", [("", 50.0, "mg/kg"), ("DrugB", 5.0, "mg/kg")]),
        ("veh", []),
        ("Group 3", []),
        ("G1", []),
        ("Lot 2", []),
        ("cohort_4", []),
        ("BRCA1", []),
    ],
)
def test_doses_in_names(name: str, doses: list[tuple[str, float, str | None]]) -> None:
    assert [(dose.name, dose.amount, dose.unit) for dose in read_group(name).doses] == doses
