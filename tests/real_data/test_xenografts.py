"""Two xenograft studies: growth inhibition of every treated group, response class and weight loss of every animal."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pytest

from pipeline.outcome import Reason
from pipeline.preclinical.mrecist import XenograftCourse, XenograftResponse, xenograft_response
from pipeline.preclinical.tumour_growth import TumourGrowthInhibition, tumour_growth_inhibition
from tests.real_data.sources import delimited

VEHICLE = {"vismodegib": "dose_0.0", "palb_temo_01": "veh"}
READING_DAY = 21.0
"""The last day on which all animals of both vehicle groups were measured, chosen before any group was compared."""


@dataclass(slots=True)
class Animal:
    """Days of study with tumour volume (mm3) and body weight (g), each without the days on which it is missing."""

    group: str
    volume: dict[float, float] = field(default_factory=dict)
    weight: dict[float, float] = field(default_factory=dict)

    @property
    def greatest_loss_percent(self) -> float:
        start = self.weight[0.0]
        return max(100 * (start - weight) / start for weight in self.weight.values())

    def course(self) -> XenograftCourse:
        return xenograft_response(list(self.volume), list(self.volume.values()))


def animals(study: str) -> dict[str, Animal]:
    found: dict[str, Animal] = {}
    for row in delimited("xenograft", study):
        animal = found.setdefault(row["animalID"], Animal(row["group_name"]))
        assert animal.group == row["group_name"]
        for values, name in ((animal.volume, "TUMOR_VOLUME"), (animal.weight, "BODY_WEIGHT")):
            if row[name]:
                values[float(row["DAY_OF_STUDY"])] = float(row[name])
    return found


def readings(study: str, group: str, day: float) -> list[float | None]:
    return [animal.volume.get(day) for animal in animals(study).values() if animal.group == group]


def compared(study: str, group: str, toxic_deaths: int = 0) -> TumourGrowthInhibition:
    return tumour_growth_inhibition(
        readings(study, group, 0.0),
        readings(study, group, READING_DAY),
        readings(study, VEHICLE[study], 0.0),
        readings(study, VEHICLE[study], READING_DAY),
        treated_toxic_deaths=toxic_deaths,
    )


def mean_of_pairs(start: Iterable[float | None], end: Iterable[float | None]) -> tuple[float, float]:
    pairs = np.array([(a, b) for a, b in zip(start, end, strict=True) if a is not None and b is not None])
    return float(pairs[:, 0].mean()), float(pairs[:, 1].mean())


# group: animals compared, animals dropped before day 21, TGI %, T/C %
INHIBITION = {
    "vismodegib": {
        "dose_0.3": (4, 1, 8.73, 98.19),
        "dose_1.0": (5, 0, -13.80, 104.29),
        "dose_3.0": (5, 0, 72.26, 53.90),
        "dose_6.0": (4, 0, 110.37, 39.57),
        "dose_10": (4, 0, 135.51, 25.39),
        "dose_25": (4, 0, 145.69, 13.64),
        "dose_50": (4, 0, 155.82, 8.53),
        "dose_75": (4, 0, 161.76, 7.25),
        "dose_100": (5, 0, 159.15, 5.96),
    },
    "palb_temo_01": {
        "tem_2.25": (3, 0, 39.85, 69.71),
        "tem_6.8": (3, 0, 99.38, 14.78),
        "tem_22.5": (4, 3, 103.09, 18.61),
        "palb_200": (3, 4, 92.74, 22.43),
        "palb_200+tem_2.25": (2, 1, 102.10, 12.63),
        "palb_200+tem_6.8": (2, 1, 106.40, 11.97),
        "palb_200+tem_22.5": (4, 3, 91.56, 24.93),
    },
}


@pytest.mark.parametrize("study", VEHICLE)
def test_every_treated_group_is_compared_with_the_vehicle(study: str) -> None:
    groups = {animal.group for animal in animals(study).values()}
    assert set(INHIBITION[study]) == groups - {VEHICLE[study]}
    for group, (present, dropped, tgi, tc) in INHIBITION[study].items():
        found = compared(study, group)
        assert (found.reason, found.evaluable) == (None, True)
        assert (found.treated_animals, found.treated_dropped) == (present, dropped)
        assert (found.control_animals, found.control_dropped) == ({"vismodegib": 6, "palb_temo_01": 7}[study], 0)
        assert found.tgi_pct == pytest.approx(tgi, abs=0.005)
        assert found.tc_volume_pct == pytest.approx(tc, abs=0.005)
        t0, tt = mean_of_pairs(readings(study, group, 0.0), readings(study, group, READING_DAY))
        c0, ct = mean_of_pairs(*(readings(study, VEHICLE[study], day) for day in (0.0, READING_DAY)))
        assert found.tgi_pct == pytest.approx(100 * (1 - (tt - t0) / (ct - c0)), rel=1e-12)
        assert (found.regression_pct is not None) == (tt < t0)


def test_inhibition_of_vismodegib_rises_with_its_dose() -> None:
    classes = {group: compared("vismodegib", group).nci_class for group in INHIBITION["vismodegib"]}
    assert list(classes.values()) == ["inactive"] * 3 + ["active"] * 3 + ["highly_active"] * 3


def test_lost_animals_decide_whether_a_dose_can_be_judged() -> None:
    """The source does not say why animals left; if they died of the treatment, the group is not evaluable."""
    lost = compared("palb_temo_01", "palb_200+tem_22.5", toxic_deaths=3)
    assert (lost.evaluable, lost.flags) == (False, ("toxic_deaths_above_1_in_10",))
    assert lost.tgi_pct == compared("palb_temo_01", "palb_200+tem_22.5").tgi_pct


SD, PD, PR = XenograftResponse.SD, XenograftResponse.PD, XenograftResponse.PR
CLASSES: dict[str, dict[str, dict[XenograftResponse | None, int]]] = {
    "vismodegib": {
        "dose_0.0": {PD: 5, SD: 1},
        "dose_0.3": {PD: 4, SD: 1},
        "dose_1.0": {PD: 4, SD: 1},
        "dose_3.0": {PD: 2, SD: 3},
        "dose_6.0": {SD: 4},
        "dose_10": {SD: 2, PR: 2},
        "dose_25": {PR: 4},
        "dose_50": {PR: 4},
        "dose_75": {PR: 4},
        "dose_100": {PR: 5},
    },
    "palb_temo_01": {
        "veh": {PD: 7},
        "tem_2.25": {PD: 2, SD: 1},
        "tem_6.8": {PD: 1, SD: 2},
        "tem_22.5": {PD: 1, SD: 2, PR: 3, None: 1},
        "palb_200": {PD: 3, SD: 1, None: 3},
        "palb_200+tem_2.25": {SD: 1, PR: 1, None: 1},
        "palb_200+tem_6.8": {SD: 1, PR: 1, None: 1},
        "palb_200+tem_22.5": {SD: 4, None: 3},
    },
}


@pytest.mark.parametrize(("study", "number", "classified"), [("vismodegib", 46, 46), ("palb_temo_01", 40, 31)])
def test_every_animal_has_a_response_class_or_a_reason(study: str, number: int, classified: int) -> None:
    found: dict[str, Counter[XenograftResponse | None]] = defaultdict(Counter)
    courses = {name: animal.course() for name, animal in animals(study).items()}
    for name, animal in animals(study).items():
        found[animal.group][courses[name].mrecist] += 1
    assert found == CLASSES[study]
    assert len(courses) == number
    assert sum(course.mrecist is not None for course in courses.values()) == classified
    without = [(course.reason, max(course.day)) for course in courses.values() if course.mrecist is None]
    assert {reason for reason, _ in without} <= {Reason.TOO_FEW_POINTS}
    # they had left by day 11: fewer than two readings from day 10 on
    assert all(last <= 11 for _, last in without)


@pytest.mark.parametrize("study", VEHICLE)
def test_response_classes_follow_from_the_running_means(study: str) -> None:
    for animal in animals(study).values():
        days, volumes = (np.array(values) for values in zip(*sorted(animal.volume.items()), strict=True))
        change = 100 * (volumes / volumes[0] - 1)
        average = np.cumsum(change) / np.arange(1, len(change) + 1)
        late = days >= 10
        course = animal.course()
        if late.sum() < 2:
            assert course.mrecist is None
            continue
        best, best_average = change[late].min(), average[late].min()
        limits = {"mSD": (35, 30), "mPR": (-50, -20), "mCR": (-95, -40)}
        expected = [name for name, (a, b) in limits.items() if best < a and best_average < b]
        assert course.mrecist == (expected or ["mPD"])[-1]
        assert course.best_response == pytest.approx(best, rel=1e-9)
        assert course.best_avg_response == pytest.approx(best_average, rel=1e-9)


@pytest.mark.parametrize(
    ("study", "animal", "day", "loss", "above_20_percent"),
    [("vismodegib", "3810609", 14.0, 32.99, 4), ("palb_temo_01", "6331634", 3.0, 31.79, 4)],
)
def test_greatest_weight_losses(study: str, animal: str, day: float, loss: float, above_20_percent: int) -> None:
    losses = {name: each.greatest_loss_percent for name, each in animals(study).items()}
    worst = max(losses, key=losses.__getitem__)
    assert worst == animal
    assert losses[worst] == pytest.approx(loss, abs=0.005)
    weight = animals(study)[worst].weight
    assert min(weight, key=weight.__getitem__) == day
    assert sum(percent > 20 for percent in losses.values()) == above_20_percent


@pytest.mark.parametrize(
    ("study", "rows", "volumes", "weights"), [("vismodegib", 385, 1, 1), ("palb_temo_01", 668, 21, 1)]
)
def test_missing_readings_are_left_out_and_counted(study: str, rows: int, volumes: int, weights: int) -> None:
    found = animals(study).values()
    assert sum(len(animal.volume) for animal in found) == rows - volumes
    assert sum(len(animal.weight) for animal in found) == rows - weights
    assert all({0.0} <= set(animal.volume) & set(animal.weight) for animal in found)
