"""What the exposure of PDS2014 says once it is computed: proportionality, accumulation, doses for man."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import linregress, t

from pipeline.pharmacology.proportionality import dose_proportionality
from pipeline.pharmacology.steady_state import SteadyState, steady_state
from pipeline.preclinical.scaling import human_equivalent_dose
from tests.real_data.sources import transport
from tests.real_data.test_rat_study import STUDY, TAU_H, exposures, profiles

FIRST, LAST = 1.0, 29.0


@cache
def dose_mg_per_kg() -> dict[str, float]:
    doses: dict[str, set[float]] = {}
    for row in transport(STUDY, "ex"):
        assert row["EXDOSU"] == "mg/kg"
        doses.setdefault(row["USUBJID"], set()).add(row["EXDOSE"])
    assert all(len(levels) == 1 for levels in doses.values())
    return {animal: levels.pop() for animal, levels in doses.items()}


def animals() -> list[str]:
    return sorted({animal for animal, _ in profiles()})


@pytest.mark.parametrize(("sex", "day"), [("M", FIRST), ("F", FIRST), ("M", LAST), ("F", LAST)])
def test_areas_against_doses_are_an_ordinary_regression_of_logarithms(sex: str, day: float) -> None:
    of_sex = {row["USUBJID"] for row in transport(STUDY, "dm") if row["SEX"] == sex}
    chosen = [animal for animal in animals() if animal in of_sex]
    doses = [dose_mg_per_kg()[animal] for animal in chosen]
    areas = [exposures()[animal, day].auc_last for animal in chosen]
    assert sorted(doses) == [20] * 3 + [200] * 3 + [400] * 3
    found = dose_proportionality(doses, areas, subject=chosen)
    line = linregress(np.log(doses), np.log(areas))
    half = t.ppf(0.95, 7) * line.stderr
    assert found.slope == pytest.approx(line.slope, rel=1e-9)
    assert found.slope_ci == pytest.approx((line.slope - half, line.slope + half), rel=1e-9)
    assert found.dose_ratio == 20
    # exposure rises less than the dose does, on both days and in both sexes
    assert found.conclusion == "not_proportional"
    assert found.slope_ci[1] < found.critical_region[0]


def interval(animal: str, day: float, first_area: float | None = None) -> SteadyState:
    samples = profiles()[animal, day]
    times, concentrations = list(samples.times), list(samples.concentrations)
    if samples.zero_at_dose:
        times, concentrations = [0.0, *times], [0.0, *concentrations]
    return steady_state(times, concentrations, TAU_H, dose=dose_mg_per_kg()[animal], auc_tau_day1=first_area)


def test_accumulation_is_the_ratio_of_the_reported_areas() -> None:
    reported = {
        (row["USUBJID"], row["VISITDY"]): row["PPSTRESN"]
        for row in transport(STUDY, "pp")
        if row["PPTESTCD"] == "AUCTAU"
    }
    # of the other four animals one of the two 24 h samples is below the limit
    measured = [animal for animal in animals() if min(exposures()[animal, day].tlast for day in (FIRST, LAST)) >= TAU_H]
    assert len(measured) == 14
    for animal in measured:
        first = interval(animal, FIRST)
        last = interval(animal, LAST, first.auc_tau)
        ratio = reported[animal, LAST] / reported[animal, FIRST]
        assert last.accumulation_obs == pytest.approx(ratio, rel=2 * 0.5 / 14000)
        assert last.cavg == pytest.approx(last.auc_tau / TAU_H)


def test_doses_for_man_follow_from_the_surface_of_a_rat() -> None:
    assert {row["SPECIES"] for row in transport(STUDY, "dm")} == {"RAT"}
    levels = sorted(set(dose_mg_per_kg().values()) - {0})
    found = {dose: human_equivalent_dose("rat", dose) for dose in levels}
    assert list(found) == [20, 200, 400]
    # Km of 6 for a rat and of 37 for man
    assert [each.hed_mg_per_kg_km_ratio for each in found.values()] == pytest.approx([6 / 37 * d for d in levels])
