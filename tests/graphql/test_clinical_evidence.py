"""What the records of a trial with a control arm say to the rules of response and survival."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.assessment.evaluation import evaluate
from pipeline.centre import SYSTEM, Centre, utc_now
from pipeline.reports.checkpoint_evidence import gather
from pipeline.reports.record_versions import RecordsSeen
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act
from pipeline.words import CheckpointKind, Verdict

PROGRAMME = {"molecule_id": 1, "stage": "PHASE_2"}
# subject: arm, responses by study day, day of death, marker present
COURSES: dict[str, tuple[str, dict[int, str], int | None, bool | None]] = {
    "T1": ("drug", {43: "PR", 85: "PR", 127: "PD"}, None, True),
    "T2": ("drug", {43: "PR", 85: "SD", 127: "SD"}, None, True),
    "T3": ("drug", {43: "SD", 85: "PD"}, 120, False),
    "T4": ("drug", {43: "NE"}, 60, None),
    "C1": ("placebo", {43: "PD"}, None, True),
    "C2": ("placebo", {43: "PR", 85: "PD"}, None, False),
}


@pytest.fixture
def trial(api) -> Centre:
    api.molecule(name="Testib")

    def write(act: Act) -> dict[str, Any]:
        row = {"code": "P2", "title": "P2", "phases": '["PHASE_2"]', "status": "ACTIVE", "enrolment": 40}
        study = act.add(tables.studies, row)
        source = {"study_id": study, "source": "test", "code": "P2", "statement": "{}", "content_digest": "x"}
        named = {"study_id": study, "source_id": act.add(tables.study_sources, source), "molecule_id": 1}
        act.add(tables.study_molecules, named | {"name": "Testib"})
        for code in ("drug", "placebo"):
            group = {"study_id": study, "code": code, "control": code == "placebo", "parameters": "{}"}
            act.add(study_tables.study_groups, group)
        for code, (arm, responses, death, present) in COURSES.items():
            about = {"study_id": study, "code": code, "species": "human", "arm": arm, "erased": False}
            subject = act.add(study_tables.subjects, about | {"opposed_to_reuse": False})
            on = {"study_id": study, "subject_id": subject, "sorted_on": ""}
            for day, response in responses.items():
                one = {"criteria": "RECIST 1.1", "test": "OVRLRESP", "response": response, "day": float(day)}
                act.add(study_tables.tumour_responses, on | one)
            if death is not None:
                act.add(
                    study_tables.dispositions, on | {"term_reported": "Death", "term": "DEATH", "day": float(death)}
                )
            if present is not None:
                result = {"marker": "HER2", "assay": "IHC", "cut_off": 10.0, "positive": present}
                act.add(study_tables.biomarker_results, on | result)
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    found: Centre = api.centre
    return found


def told(centre: Centre, method: str, **parameters: Any):
    rule = CheckpointRule("RULE", 1, CheckpointKind.EFFICACY, method, parameters, "as written", "test")
    with centre.read() as reader:
        evidence = gather(RecordsSeen(reader), PROGRAMME, rule)
    return evidence, evaluate(rule, evidence)


def test_responses_are_those_of_the_treated_and_by_marker(trial):
    evidence, found = told(trial, "C4", p0=0.05, p1=0.25, alpha=0.1, beta=0.1)
    assert (evidence.inputs["responders"], evidence.inputs["evaluable"]) == (2, 3)
    (marker,) = evidence.inputs["markers"]
    assert marker["assays"] == [{"assay": "IHC", "cut_off": 10.0}]
    assert marker["treated"]["present"] == {"responders": 2, "evaluable": 2}
    assert marker["treated"]["absent"] == {"responders": 0, "evaluable": 1}
    assert marker["control"]["present"] == {"responders": 0, "evaluable": 1}
    assert found.recommendation is Verdict.HOLD
    assert "Exploratory, not planned by the rule: with HER2 2 of 2 respond" in found.explanation


def test_a_planned_marker_nobody_measured_is_missing(trial):
    evidence, _ = told(trial, "C4", p0=0.05, p1=0.25, alpha=0.1, beta=0.1, biomarker="PD-L1")
    assert evidence.missing == ("results of the biomarker PD-L1",)


def test_progression_and_death_in_both_arms(trial):
    """Study day 43 is day 42 from the start: study days have no day 0."""
    evidence, found = told(trial, "C9", alpha_two_sided=0.05)
    inputs = evidence.inputs
    assert list(zip(inputs["group"], inputs["time"], inputs["event"], strict=True)) == [
        ("treated", 126, 1),
        ("treated", 126, 0),
        ("treated", 84, 1),
        ("treated", 59, 1),
        ("control", 42, 1),
        ("control", 84, 1),
    ]
    assert found.recommendation is Verdict.NO_GO
    assert "5 events" in found.explanation


def test_overall_survival_where_the_rule_asks_for_it(trial):
    evidence, _ = told(trial, "C9", alpha_two_sided=0.05, endpoint="OS")
    assert sum(evidence.inputs["event"]) == 2


def test_responses_last_from_the_first_to_progression(trial):
    evidence, found = told(trial, "C8", median_days_min=80)
    assert list(zip(evidence.inputs["time"], evidence.inputs["event"], strict=True)) == [(84, 1), (84, 0)]
    assert found.recommendation is Verdict.GO


def test_conditional_power_says_which_parameters_it_needs(trial):
    evidence, found = told(trial, "C7", alpha_one_sided=0.025, conditional_power_min=0.2)
    assert found.recommendation is Verdict.HOLD
    assert "events planned (a parameter of the rule)" in evidence.missing


def test_without_a_control_group_no_comparison_is_made(trial):
    def write(act: Act) -> dict[str, Any]:
        for row in act.current(study_tables.study_groups):
            act.revise(study_tables.study_groups, row, {"control": False})
        return {}

    trial.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    _, found = told(trial, "C9", alpha_two_sided=0.05)
    assert (found.recommendation, "mark its group as control" in found.explanation) == (Verdict.HOLD, True)


def test_qtc_is_held_against_its_limit_in_the_correction_the_rule_names(trial):
    """T1 is long by Bazett alone, T2 by Fridericia from its own baseline; of T3 the correction is not told."""
    readings = [(1, "QTCB", 510, 8), (1, "QTCF", 440, 8), (2, "QTCF", 400, -1), (2, "QTCF", 465, 8), (3, "QTC", 430, 8)]

    def write(act: Act) -> dict[str, Any]:
        for subject, test, ms, day in [*readings, (4, "QTCB", 505, 8)]:
            on = {"study_id": 1, "subject_id": subject, "sorted_on": "", "day": float(day)}
            act.add(study_tables.laboratory_results, on | {"test": test, "value": float(ms), "unit": "ms"})
        return {}

    trial.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    evidence, found = told(trial, "B10", absolute_ms_max=500, change_ms_max=60)
    subjects: Any = evidence.inputs["subjects"]
    assert [(s["id"], s["longest_ms"], s["longest_change_ms"]) for s in subjects] == [
        (1, 440, None),
        (2, 465, 65),
        (3, 430, None),
    ]
    assert found.outcome["beyond"] == [2]
    assert evidence.missing == ("QTc corrected as Fridericia did, of 1 subjects",)
    assert told(trial, "B10", absolute_ms_max=500, change_ms_max=60, correction="Bazett")[1].outcome["beyond"] == [1, 4]


def test_noaels_are_gathered_by_species(trial):
    def write(act: Act) -> dict[str, Any]:
        for code, species, dose in (("R", "rat", 50.0), ("D", "dog", 15.0)):
            study = act.add(tables.studies, {"code": code, "title": code, "phases": "[]", "status": "UNKNOWN"})
            act.revise(tables.studies, act.find(tables.studies, study), {"species": species})
            basis = {"molecule_id": 1, "study_id": study, "basis": "NOAEL", "relation": "=", "dose": dose}
            act.add(
                study_tables.toxicity_bases, basis | {"dose_unit": "mg/kg", "group_codes": "[]", "parameter": "AUCTAU"}
            )
        return {}

    trial.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    evidence, found = told(trial, "A2")
    assert sorted(evidence.inputs["noaels"]) == [["dog", 15.0], ["rat", 50.0]]
    assert found.statistic == pytest.approx(0.810811, abs=5e-7)


def test_readings_taken_together_count_as_their_mean_and_each_is_kept_in_the_evidence(trial):
    """One of a set before the first dose is marked as the baseline; of 9 January only the day is known."""
    readings = [("2024-01-01T08:00", 1, True, 400), ("2024-01-01T08:02", 1, None, 406)]
    readings += [("2024-01-08T08:00", 8, None, 505), ("2024-01-08T08:01", 8, None, 485)]
    readings += [("2024-01-08T08:03", 8, None, 480), ("2024-01-09", 9, None, 470), ("2024-01-09", 9, None, 430)]

    def write(act: Act) -> dict[str, Any]:
        for moment, day, baseline, ms in readings:
            on = {"study_id": 1, "subject_id": 1, "sorted_on": moment, "day": float(day), "baseline": baseline}
            row = {"test": "QTCF", "value": float(ms), "unit": "ms", "sampled_at": moment}
            act.add(study_tables.laboratory_results, on | row)
        return {}

    trial.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    evidence, found = told(trial, "B10", absolute_ms_max=500, change_ms_max=60)
    assert evidence.inputs["subjects"] == [{"id": 1, "longest_ms": 490, "longest_change_ms": 87}]
    assert found.outcome["beyond"] == [1]
    assert [seen.value for seen in evidence.seen] == [
        *("400 ms, in a mean of 2: 403 ms", "406 ms, in a mean of 2: 403 ms"),
        *(f"{ms} ms, in a mean of 3: 490 ms" for ms in (505, 485, 480)),
        *("470 ms", "430 ms"),
    ]
