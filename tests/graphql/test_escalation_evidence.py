"""What subjects at dose levels say to the rules of escalation: who counts where, and how long each was followed."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.assessment.evaluation import evaluate
from pipeline.centre import SYSTEM, utc_now
from pipeline.reports.checkpoint_evidence import gather
from pipeline.reports.record_versions import RecordsSeen
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store import study_tables as st
from pipeline.store import tables
from pipeline.store.journal import Act
from pipeline.words import CheckpointKind, Verdict

PROGRAMME = {"molecule_id": 1, "stage": "PHASE_1"}
TITE = {"target": 0.3, "window_days": 28}


class Trial:
    """A first trial in man whose subjects are on record one by one."""

    def __init__(self, api) -> None:
        self.centre = api.centre
        api.molecule(name="Testib")
        self.act(self._study)

    def act(self, write) -> None:
        def perform(act: Act) -> dict[str, Any]:
            write(act)
            return {}

        self.centre.journal.perform("Test", perform, actor=SYSTEM, now=utc_now())

    def _study(self, act: Act) -> None:
        row = {"code": "P1", "title": "P1", "phases": '["PHASE_1"]', "status": "ACTIVE"}
        study = act.add(tables.studies, row)
        source = {"study_id": study, "source": "test", "code": "P1", "statement": "{}", "content_digest": "x"}
        named = {"study_id": study, "source_id": act.add(tables.study_sources, source), "molecule_id": 1}
        act.add(tables.study_molecules, named | {"name": "Testib"})
        group = {"study_id": study, "code": "placebo", "control": True, "parameters": "{}"}
        act.add(st.study_groups, group)

    def subject(self, level: int | None, *, dlt: str | None = None, seen: Any = None, **more: Any) -> None:
        """Add a subject. `dlt`, `seen`: the day of its toxicity, and the last on which a laboratory result tells of it.

        A day is a date, or a study day; "" is a toxicity of which no day is told.
        """

        def write(act: Act) -> None:
            code = f"S{len(act.current(st.subjects)) + 1}"
            about = {"study_id": 1, "code": code, "species": "human", "dose_level": level, "erased": False}
            left, first = more.pop("left", None), more.pop("dosed", None)
            id = act.add(st.subjects, about | {"opposed_to_reuse": False} | more)
            on = {"study_id": 1, "subject_id": id, "sorted_on": ""}
            if first is not None:
                act.add(st.administrations, on | {"treatment": "Testib", "started_on": first})
            if dlt is not None:
                event = {"term": "neutropenia", "dlt": True, "started_on": dlt or None}
                act.add(st.adverse_events, on | event)
            if isinstance(seen, str):
                act.add(st.laboratory_results, on | {"test": "ALT", "sampled_at": seen})
            elif seen is not None:
                act.add(st.laboratory_results, on | {"test": "ALT", "day": float(seen)})
            if left is not None:
                term, category, day = left
                act.add(
                    st.dispositions,
                    on | {"term_reported": term, "term": term, "category": category, "happened_on": day},
                )

        self.act(write)

    def told(self, method: str, **parameters: Any):
        rule = CheckpointRule("RULE", 1, CheckpointKind.TOXICITY, method, parameters, "as written", "test")
        with self.centre.read() as reader:
            evidence = gather(RecordsSeen(reader), PROGRAMME, rule)
        return evidence, evaluate(rule, evidence)


@pytest.fixture
def trial(api) -> Trial:
    return Trial(api)


def counted(evidence) -> list[tuple[str, int, int]]:
    return [(each["label"], each["treated"], each["with_dlt"]) for each in evidence.inputs["levels"]]


def test_a_level_below_the_first_is_a_level(trial):
    for level, toxic in ((1, 3), (-1, 1)):
        for n in range(3):
            trial.subject(level, dlt="2026-01-05" if n < toxic else None)
    evidence, found = trial.told("B4", target=0.3)
    assert counted(evidence) == [("level -1", 3, 1), ("level 1", 3, 3)]
    assert (found.recommendation, found.outcome["mtd"]) == (Verdict.GO, "level -1")
    assert counted(trial.told("B3")[0]) == [("level -1", 3, 1), ("level 1", 3, 3)]


def test_those_with_placebo_and_those_not_enrolled_do_not_count(trial):
    trial.subject(1, dlt="2026-01-05")
    trial.subject(1)
    trial.subject(1, group_code="placebo")
    trial.subject(1, screen_failure=True)
    trial.subject(None)
    evidence, _ = trial.told("B8", target=0.3, prior=[0.6, 1.4], cutoff=0.95)
    assert (evidence.inputs["treated"], evidence.inputs["with_dlt"]) == (2, 1)


def test_a_level_that_was_skipped_is_one_nobody_had(trial):
    for level in (1, 2, 4):
        for _ in range(3):
            trial.subject(level)
    planned = counted(trial.told("B6", target=0.3)[0])
    assert planned == [("level 1", 3, 0), ("level 2", 3, 0), ("level 3", 0, 0), ("level 4", 3, 0)]
    assert len(counted(trial.told("B4", target=0.3)[0])) == 3


def test_arms_with_several_levels_are_escalations_of_their_own(trial):
    for arm, levels in (("daily", (1, 1, 1, 2, 2, 2, 3)), ("weekly", (1, 1))):
        for level in levels:
            trial.subject(level, arm=arm, dlt="2026-01-05" if arm == "weekly" else None)
    evidence, _ = trial.told("B4", target=0.3)
    assert counted(evidence) == [("level 1", 3, 0), ("level 2", 3, 0), ("level 3", 1, 0)]
    assert evidence.missing == ("one order for the levels of 2 escalations: the largest is judged",)


def test_arms_that_are_levels_are_one_escalation(trial):
    for level, arm in ((1, "10 mg"), (2, "20 mg"), (2, "expansion")):
        trial.subject(level, arm=arm)
    evidence, _ = trial.told("B4", target=0.3)
    assert counted(evidence) == [("level 1", 1, 0), ("level 2", 2, 0)]
    assert evidence.missing == ()


def followed(evidence) -> list[tuple[int, int, int | None, bool]]:
    return [(s["level"], s["dlt"], s["followed_days"], s["left"]) for s in evidence.inputs["subjects"]]


def test_follow_up_runs_from_the_first_dose_to_the_last_day_told(trial):
    start = {"reference_start": "2026-01-01"}
    trial.subject(2, seen="2026-02-20T08:00", reference_start="2026-02-01")
    trial.subject(1, seen="2026-01-29", **start)
    trial.subject(1, seen=15, **start)  # study day 15 is 14 days on
    trial.subject(1, seen="2026-01-20", dosed="2026-01-03", **start)  # the reference is the consent
    trial.subject(1, seen="2026-03-01", dlt="2026-01-10", **start)
    evidence, found = trial.told("B7", **TITE)
    assert evidence.inputs["levels"] == ["level 1", "level 2"]
    assert followed(evidence) == [
        (1, 0, 28, False),
        (1, 0, 14, False),
        (1, 1, 9, False),
        (1, 0, 17, False),
        (2, 0, 19, False),
    ]
    assert evidence.missing == ()
    assert {(seen.node, seen.label.split(",")[0]) for seen in evidence.seen} >= {
        ("LaboratoryResult", "last seen"),
        ("Administration", "first dose"),
        ("AdverseEvent", "dose-limiting toxicity"),
    }
    assert found.recommendation is Verdict.HOLD  # the one at level 2 is pending, and alone there


def test_who_left_is_told_from_who_passed_a_milestone(trial):
    about = {"reference_start": "2026-01-01", "seen": "2026-01-08"}
    trial.subject(1, left=("WITHDRAWAL BY SUBJECT", "DISPOSITION EVENT", "2026-01-09"), **about)
    trial.subject(1, left=("RANDOMIZED", "PROTOCOL MILESTONE", "2026-01-01"), **about)
    trial.subject(1, died_on="2026-01-20", **about)
    assert followed(trial.told("B7", **TITE)[0]) == [(1, 0, 8, True), (1, 0, 7, False), (1, 0, 19, True)]


def test_dates_that_are_missing_are_said(trial):
    trial.subject(1, reference_start="2026-01-01", seen="2026-01-29")
    trial.subject(1, seen="2026-01-29")  # nobody knows since when
    trial.subject(1, reference_start="2026-01")  # nor here, and it was never seen
    trial.subject(1, reference_start="2026-01-01")
    trial.subject(1, reference_start="2026-01-01", seen="2026-01-29", dlt="")
    evidence, found = trial.told("B7", **TITE)
    assert sorted(days or -1 for _, _, days, _ in followed(evidence)) == [-1, -1, -1, 28, 28]
    assert evidence.missing == (
        "the day of the first dose of 2 subjects",
        "the day of the dose-limiting toxicity of 1 subject",
        "any day on which 1 subject can be told to have been in the study",
    )
    assert found.recommendation is Verdict.HOLD
    assert "Not on record: the day of the first dose of 2 subjects" in found.explanation


def test_study_days_alone_tell_enough(trial):
    trial.subject(1, seen=29)
    assert followed(trial.told("B7", **TITE)[0]) == [(1, 0, 28, False)]


def test_without_subjects_nothing_tells_who_is_pending(trial):
    evidence, found = trial.told("B7", **TITE)
    assert found.recommendation is Verdict.HOLD
    assert "counts do not tell how long each was followed" in evidence.missing[0]
