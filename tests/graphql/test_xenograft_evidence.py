"""What xenografts say to the rules of antitumour activity: volumes at the start and the reading day, losses, deaths."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.assessment.evaluation import evaluate
from pipeline.centre import SYSTEM, utc_now
from pipeline.reports.checkpoint_evidence import gather
from pipeline.reports.record_versions import RecordsSeen
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act
from pipeline.words import CheckpointKind, Verdict

PROGRAMME = {"molecule_id": 1, "stage": "PRECLINICAL_PHARMACOLOGY"}
NCI = {"tc_percent_max": 42, "max_weight_loss_percent": 20, "max_toxic_deaths": 0.1}
# animal: study, group, volume by day, weight by day, the day it was found dead
ANIMALS: dict[str, tuple[str, str, dict[int, float], dict[int, float], int | None]] = {
    "C1": ("X1", "1", {-4: 90, 1: 100, 10: 500, 21: 1000}, {}, None),
    "C2": ("X1", "1", {-4: 90, 1: 100, 10: 500, 21: 1400}, {}, None),
    "T1": ("X1", "2", {-4: 90, 1: 100, 10: 150, 21: 300}, {1: 20, 8: 15, 15: 20}, None),
    "T2": ("X1", "2", {-4: 90, 1: 100, 10: 150, 21: 420}, {1: 20, 8: 20, 15: 15}, None),
    "T3": ("X1", "3", {1: 100, 10: 30, 21: 20}, {1: 20, 8: 12}, None),
    "C3": ("X2", "1", {0: 0, 14: 800, 20: 900}, {}, None),
    "T4": ("X2", "2", {-3: 120, 14: 30, 20: 20}, {}, None),
    "T5": ("X2", "2", {0: 120, 12: 30}, {}, 12),
}


@pytest.fixture
def animals(api):
    api.molecule(name="Testib")

    def write(act: Act) -> dict[str, Any]:
        studies = {}
        for code in ("X1", "X2"):
            row = {"code": code, "title": code, "phases": "[]", "status": "COMPLETED", "species": "mouse"}
            studies[code] = study = act.add(tables.studies, row)
            source = {"study_id": study, "source": "test", "code": code, "statement": "{}", "content_digest": code}
            named = {"study_id": study, "source_id": act.add(tables.study_sources, source), "molecule_id": 1}
            act.add(tables.study_molecules, named | {"name": "Testib"})
            act.add(study_tables.study_groups, {"study_id": study, "code": "1", "control": True, "parameters": "{}"})
        for code, (study, group, volumes, weights, died) in ANIMALS.items():
            about = {"study_id": studies[study], "code": code, "species": "mouse", "group_code": group, "erased": False}
            on = {"study_id": studies[study], "sorted_on": ""}
            on["subject_id"] = act.add(study_tables.subjects, about | {"opposed_to_reuse": False})
            for what, course in (("TUMVOL", volumes), ("BW", weights)):
                for day, value in course.items():
                    one = {"what": what, "value": float(value), "day": float(day)}
                    act.add(study_tables.measurements, on | one)
            if died is not None:
                end = {"term_reported": "Found dead", "term": "FOUND DEAD", "day": float(died)}
                act.add(study_tables.dispositions, on | end)
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    return api.centre


def told(centre, method: str, **parameters: Any):
    rule = CheckpointRule("RULE", 1, CheckpointKind.EFFICACY, method, parameters, "as written", "test")
    with centre.read() as reader:
        evidence = gather(RecordsSeen(reader), PROGRAMME, rule)
    return evidence, evaluate(rule, evidence)


def test_arms_of_two_studies_stand_apart_and_start_with_the_treatment(animals):
    evidence, found = told(animals, "A6", **NCI)
    arms: Any = {arm["label"]: arm for arm in evidence.inputs["arms"]}
    assert list(arms) == ["2 (X1, day 21)", "3 (X1, day 21)", "2 (X2, day 20)"]
    assert arms["2 (X1, day 21)"]["treated_start"] == [100, 100]
    assert arms["2 (X2, day 20)"]["treated_start"] == [120, 120]
    # Both lost a fourth, but on different days: on none did the group lose more than an eighth.
    assert arms["2 (X1, day 21)"]["weight_loss_percent"] == 12.5
    assert arms["3 (X1, day 21)"]["weight_loss_percent"] == 40
    assert arms["2 (X2, day 20)"]["toxic_deaths"] == 1
    # Group 3 lost too much weight, and of the two in X2 one was found dead: what is left is group 2 of X1.
    assert found.recommendation is Verdict.GO
    assert found.statistic == pytest.approx(100 * 360 / 1200)
    assert "At 2 (X1, day 21)" in found.explanation


def test_responses_count_from_the_start_and_say_what_two_readings_on_a_day_leave_open(animals):
    rule = {"response_share_min": 0.3, "responses": ["mCR", "mPR"]}
    evidence, found = told(animals, "A7", **rule)
    courses: Any = evidence.inputs["animals"]
    assert [(c["arm"], c["day"]) for c in courses] == [
        ("2", [1, 10, 21]),
        ("2", [1, 10, 21]),
        ("3", [1, 10, 21]),
        ("2", [0, 14, 20]),
        ("2", [0, 12]),
    ]
    assert found.outcome == {"2": {"responders": 1, "animals": 3}, "3": {"responders": 1, "animals": 1}}

    def again(act: Act) -> dict[str, Any]:
        one = {"study_id": 1, "subject_id": 5, "sorted_on": "", "what": "TUMVOL", "value": 31.0, "day": 10.0}
        act.add(study_tables.measurements, one)
        return {}

    animals.journal.perform("Test", again, actor=SYSTEM, now=utc_now())
    evidence, found = told(animals, "A7", **rule)
    assert evidence.missing == ("which volume of a day counts, for 1 animals with several on one day",)
    assert found.outcome == {"2": {"responders": 1, "animals": 3}}
