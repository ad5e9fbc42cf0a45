"""Alerts about checkpoints: a corrected basis, and a rule that recommends to stop, in the act that causes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, utc_now
from pipeline.commands.alerts import Touched, watch
from pipeline.commands.assess_due import AssessChanged
from pipeline.reports.checkpoint_evidence import kinds_of
from pipeline.reports.rule_evidence import kinds_bearing
from pipeline.stages.checkpoints import COMPOSED, CheckpointRule
from pipeline.store import study_tables
from pipeline.store.journal import Act
from pipeline.words import CheckpointKind
from tests.support.xenograft import add_xenograft

OTHER_LEAD = Actor.of("B. Lead", Role.LEAD)
ASSESS = """mutation ($input: AssessCheckpointInput!) { assessCheckpoint(input: $input) {
    checkpoint { id recommendation } errors { message } } }"""
DECIDE = """mutation ($input: DecideCheckpointInput!) { decideCheckpoint(input: $input) { errors { message } } }"""
INACTIVE = {"veh": (100.0, 1000.0), "high": (100.0, 900.0)}
MEASURED = Touched(frozenset({"Measurement"}), studies=frozenset({1}))


@pytest.fixture
def programme(api) -> str:
    found: str = api.molecule(name="Testib")["programmes"][0]["id"]
    return found


def alerts(api) -> list[dict]:
    """Return the alerts but for those on the response of the animals, in which the growth study has none."""
    query = "{ alerts(first: 100) { nodes { kind message value threshold acknowledgedAt } } }"
    found: list[dict] = api(query)["alerts"]["nodes"]
    return [each for each in found if "PDX_RESPONSE" not in each["message"]]


def act(api, write):
    return api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())


def watched(api, touched: Touched = MEASURED):
    act(api, lambda act: {"raised": watch(act, touched)})


def correct(api, was: float, value: float):
    """Correct volumes, as a command does that watches."""

    def write(act: Act):
        table = study_tables.measurements
        for row in act.current(table, table.c.value == was):
            act.revise(table, row, {"value": value})
        return {"raised": watch(act, MEASURED)}

    act(api, write)


def test_a_correction_tells_what_it_does_to_a_decision(api, programme):
    add_xenograft(api.centre, 1)
    found = api(ASSESS, input={"programme": programme, "rule": "ANTITUMOUR_ACTIVITY"})["assessCheckpoint"]["checkpoint"]
    assert found["recommendation"] == "GO"
    assert (
        api(DECIDE, input={"checkpoint": found["id"], "verdict": "GO"}, as_=OTHER_LEAD)["decideCheckpoint"]["errors"]
        == []
    )
    watched(api)
    assert alerts(api) == []
    correct(api, 330.0, 331.0)
    told = alerts(api)
    assert [each["kind"] for each in told] == ["BASIS_CHANGED"]
    assert told[0]["message"] == (
        "A record that ANTITUMOUR_ACTIVITY of Testib at PRECLINICAL_PHARMACOLOGY (decided GO) rests on was corrected: "
        "volume on day 21 (was 330.0, now 331.0). It still recommends GO; assess it again."
    )
    correct(api, 331.0, 5000.0)
    worse = alerts(api)
    assert [each["kind"] for each in worse].count("BASIS_CHANGED") == 1
    assert "FUTILITY" in {each["kind"] for each in worse}


def test_an_assessment_that_was_replaced_is_not_told_of(api, programme):
    add_xenograft(api.centre, 1)
    content = {"programme": programme, "rule": "ANTITUMOUR_ACTIVITY"}
    api(ASSESS, input=content)
    correct(api, 330.0, 331.0)
    assert len(alerts(api)) == 1
    api(ASSESS, input=content)
    correct(api, 300.0, 301.0)
    # Day 14 is in the evidence of both assessments; only the newer one is worth a word.
    assert [each["kind"] for each in alerts(api)] == ["BASIS_CHANGED", "BASIS_CHANGED"]


def test_an_inactive_molecule_is_told_of_at_once_and_once(api, programme):
    add_xenograft(api.centre, 1, INACTIVE)
    watched(api)
    first = alerts(api)
    assert [each["kind"] for each in first] == ["FUTILITY"]
    assert "ANTITUMOUR_ACTIVITY of Testib at PRECLINICAL_PHARMACOLOGY recommends NO_GO" in first[0]["message"]
    assert "At high (day 21) the treated tumours reached 90 %" in first[0]["message"]
    watched(api)
    assert alerts(api) == first


def test_what_an_act_cannot_have_changed_is_not_looked_at(api, programme, monkeypatch):
    add_xenograft(api.centre, 1, INACTIVE)
    monkeypatch.setattr("pipeline.commands.alert_checkpoints.asked_of", None)
    kinds = frozenset({"MonitoringRecord", "LaboratoryResult"})
    watched(api, Touched(kinds, frozenset({1}), frozenset({1})))
    assert alerts(api) == []


def test_what_is_due_is_assessed_without_undoing_decisions_that_still_rest_on_the_same(api, programme):
    add_xenograft(api.centre, 1)
    count = "{ molecules { edges { node { checkpoints { edges { node { rule { code } verdict } } } } } } }"

    def standing() -> list[tuple[str, str | None]]:
        api.centre.execute(AssessChanged(), actor=api.actor)
        held = api(count)["molecules"]["edges"][0]["node"]["checkpoints"]["edges"]
        return [(each["node"]["rule"]["code"], each["node"]["verdict"]) for each in held]

    api.checkpoint(programme, "PDX_RESPONSE")
    content = {"programme": programme, "rule": "ANTITUMOUR_ACTIVITY"}
    assessed = api(ASSESS, input=content)["assessCheckpoint"]["checkpoint"]["id"]
    api(DECIDE, input={"checkpoint": assessed, "verdict": "GO"}, as_=OTHER_LEAD)
    decided = [("PDX_RESPONSE", "GO"), ("ANTITUMOUR_ACTIVITY", "GO")]
    assert standing() == decided
    # A group without animals is of a kind that may matter, and changes nothing that growth is judged by.
    empty = {"study_id": 1, "code": "spare", "control": False, "parameters": "{}"}
    act(api, lambda act: {"group": act.add(study_tables.study_groups, empty)})
    assert [each for each in standing() if each[0] == "ANTITUMOUR_ACTIVITY"] == [("ANTITUMOUR_ACTIVITY", "GO")]
    api(ASSESS, input=content)
    assert standing()[-1] == ("ANTITUMOUR_ACTIVITY", None)


def test_a_rule_made_of_others_bears_on_what_its_parts_compute_with():
    exposure = CheckpointRule("EXPOSED", 1, CheckpointKind.EFFICACY, "D9", {}, "", "")
    made = {"composition": {"or": ["EXPOSED", {"method": "A6", "parameters": {}}]}}
    both = CheckpointRule("BOTH", 1, CheckpointKind.EFFICACY, COMPOSED, made, "", "")
    found = kinds_bearing(both, {"EXPOSED": exposure})
    assert found == kinds_of(exposure) | kinds_of(replace(exposure, method="A6"))
    assert "MonitoringRecord" in found
    assert "LaboratoryResult" not in found


def test_a_programme_that_is_not_at_work_is_left_alone(api, programme):
    add_xenograft(api.centre, 1, INACTIVE)
    version = api("query ($id: ID!) { node(id: $id) { ... on Programme { version } } }", id=programme)["node"][
        "version"
    ]
    assert api.move(programme, "HOLD", version, reason="FUNDING")["errors"] == []
    watched(api)
    assert alerts(api) == []


FACT = """mutation ($input: RecordMoleculeFactInput!) { recordMoleculeFact(input: $input) { errors { message } } }"""


def test_a_margin_that_is_too_small_is_told_when_its_last_figure_comes(api):
    molecule = api.molecule(name="Testib", smiles="CCO")
    programme = molecule["programmes"][0]
    for rule in ("ANTITUMOUR_ACTIVITY", "PDX_RESPONSE"):
        api.checkpoint(programme["id"], rule)
    moved = api.move(programme["id"], "ADVANCE", programme["version"], to="PRECLINICAL_TOXICOLOGY")
    assert moved["errors"] == []
    facts = [
        ("HERG_IC50", "1", "umol/L", {}),
        ("CMAX_HUMAN", "46.07", "ng/mL", {}),
        ("FRACTION_UNBOUND", "0.5", "1", {"species": "human"}),
    ]
    for name, reported, unit, more in facts:
        assert alerts(api) == []
        about = {"molecule": molecule["id"], "name": name, "reported": reported, "unit": unit, "source": "assay 7"}
        assert api(FACT, input=about | more)["recordMoleculeFact"]["errors"] == []
    told = alerts(api)
    # 46.07 ng/mL of ethanol (46.07 g/mol) are 1 uM, 0.5 uM of them free: twice, where 30 times are asked for.
    assert [(each["kind"], each["threshold"]) for each in told] == [("MARGIN_CROSSED", 30)]
    assert told[0]["value"] == pytest.approx(2, rel=1e-3)
