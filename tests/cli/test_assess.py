"""Assessing and deciding from the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, Centre, utc_now
from pipeline.commands.assessments import AssessCheckpoint
from pipeline.commands.checkpoints import RecordCheckpoint
from pipeline.commands.molecules import RegisterMolecule
from pipeline.dates import PartialDate
from pipeline.store import study_tables
from pipeline.store.journal import Act
from pipeline.words import Modality, Verdict
from tests.cli.conftest import Caller
from tests.support.xenograft import add_xenograft

ANA = Actor.of("Ana", Role.LEAD)


@pytest.fixture
def unit(moltrail: Caller) -> Caller:
    """Two molecules in preclinical pharmacology, the first with a xenograft study."""
    with Centre.open(moltrail.data) as centre:
        for code in ("XE-1", "XE-2"):
            centre.execute(RegisterMolecule(code=code, name=f"Mol {code}", modality=Modality.SMALL_MOLECULE), actor=ANA)
        add_xenograft(centre, 1)
    return moltrail


def test_a_programme_is_assessed_by_its_number_or_its_molecules_code(unit: Caller):
    found = unit("--json", "assess", "1", "ANTITUMOUR_ACTIVITY").json()
    assert [(row["rule_code"], row["recommendation"]) for row in found] == [("ANTITUMOUR_ACTIVITY", "GO")]
    assert found[0]["statistic"] == pytest.approx(100 * 331 / 1101)
    both = unit("--json", "assess", "xe-1").json()
    assert [row["rule_code"] for row in both] == ["ANTITUMOUR_ACTIVITY", "PDX_RESPONSE"]
    assert both[0]["id"] == found[0]["id"]
    assert unit("--json", "assess", "mol xe-1").json() == both
    shown = unit("assess", "XE-1")
    assert "ANTITUMOUR_ACTIVITY" in shown.text
    assert "high (day 21)" in shown.text


def test_changed_assesses_only_what_an_act_can_have_changed(unit: Caller):
    first = unit("--json", "assess", "--changed").json()
    assert [(row["molecule"], row["rule_code"]) for row in first] == [
        ("XE-1", "ANTITUMOUR_ACTIVITY"),
        ("XE-1", "PDX_RESPONSE"),
    ]
    assert "Nothing has changed" in unit("assess", "--changed").text
    with Centre.open(unit.data) as centre:
        add_xenograft(centre, 2)
    second = unit("--json", "assess", "--changed").json()
    assert {row["molecule"] for row in second} == {"XE-2"}
    with Centre.open(unit.data) as centre:

        def write(act: Act):
            table = study_tables.measurements
            row = act.current(table, table.c.study_id == 1, table.c.value == 330.0)[0]
            return {"version": act.revise(table, row, {"value": 2000.0})}

        centre.journal.perform("Correct", write, actor=SYSTEM, now=utc_now())
    third = unit("--json", "assess", "--changed").json()
    assert [(row["molecule"], row["recommendation"]) for row in third] == [("XE-1", "NO_GO"), ("XE-1", "NO_GO")]


def test_what_does_not_exist_is_refused_in_one_sentence(unit: Caller):
    assert unit("assess").code == 2
    assert unit("assess", "1", "--changed").code == 2
    refused = unit("assess", "NOBODY")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "no programme 'NOBODY'" in refused.err
    assert "asked there: ANTITUMOUR_ACTIVITY, PDX_RESPONSE" in unit("assess", "1", "HERG_MARGIN").err


def test_deciding_is_another_persons_and_keeps_its_conditions(unit: Caller):
    own = unit("--json", "assess", "1", "ANTITUMOUR_ACTIVITY").json()[0]["id"]
    assert "somebody else has to" in unit("decide", own, "GO").err
    with Centre.open(unit.data) as centre:
        theirs = centre.execute(AssessCheckpoint(1, "PDX_RESPONSE"), actor=ANA).result["checkpoint"]
    refused = unit("decide", theirs, "CONDITIONAL_GO", "--justification", "one model only")
    assert (refused.code, "needs conditions" in refused.err) == (2, True)
    line = "a second model | Dr Martin | 2099-01-31"
    done = unit("decide", theirs, "CONDITIONAL_GO", "--justification", "one model only", "--conditions", line)
    assert (done.code, done.text.strip()) == (0, f"Checkpoint {theirs} is decided CONDITIONAL_GO.")
    assert "never overwritten" in unit("decide", theirs, "GO").err


def test_conditions_are_listed_until_they_are_settled(unit: Caller):
    assert (unit("conditions").code, unit("conditions").text.strip()) == (0, "No condition is open.")
    with Centre.open(unit.data) as centre:
        lines = "second model | Dr Martin | 2025-06-30\nassay | Dr Roche | 2099-01-31"
        decided_on = PartialDate.parse("2025-01-31")
        decision = RecordCheckpoint(1, "PDX_RESPONSE", Verdict.CONDITIONAL_GO, "board", conditions=lines)
        centre.execute(replace(decision, decided_on=decided_on), actor=ANA)
    listed = unit("--json", "conditions")
    assert listed.code == 1
    states = [(row["condition"], row["state"]) for row in listed.json()]
    assert states == [("second model", "OVERDUE"), ("assay", "OPEN")]
    settled = unit("conditions", "settle", "1", "met", "--note", "report 7", "--on", "2025-07-01")
    assert settled.text.strip() == "Condition 1 is met."
    assert "never overwritten" in unit("conditions", "settle", "1", "lifted", "--note", "no").err
    assert "no checkpoint condition with id 9" in unit("conditions", "settle", "9", "met", "--note", "x").err
    assert unit("conditions", "settle", "2", "met", "--note", "x", "--on", "2025-02-30").code == 2
    left = unit("--json", "conditions")
    assert (left.code, [row["condition"] for row in left.json()]) == (0, ["assay"])
