"""Defining a rule, seeing how often it is wrong, and putting it to use; assessments keep their version."""

from __future__ import annotations

import pytest

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, utc_now
from pipeline.store import checkpoint_tables, tables
from pipeline.store.journal import Act

OTHER = Actor.of("B. Lead", Role.LEAD)
DEFINE = """mutation ($input: DefineRuleInput!) { defineRule(input: $input) {
    rule { code version inUse parameters characteristics } errors { code message path } } }"""
USE = """mutation ($input: UseRuleInput!) { useRule(input: $input) {
    rule { code version inUse } errors { code message path } } }"""
ASSESS = """mutation ($input: AssessCheckpointInput!) { assessCheckpoint(input: $input) {
    checkpoint { recommendation explanation outcome rule { code version } } errors { message } } }"""
HERG = {
    "code": "HERG_MARGIN",
    "kind": "TOXICITY",
    "method": "A4",
    "parameters": {"alert_below": 45, "caution_below": 100},
    "description": "hERG IC50 is at least 45 times the free peak concentration.",
    "source": "Leishman 2020",
}
TWO_STAGE = {
    "code": "RESPONSE_TWO_STAGE",
    "kind": "EFFICACY",
    "method": "C4",
    "parameters": {"p0": 0.2, "p1": 0.4, "alpha": 0.05, "beta": 0.2},
    "description": "Responses pass both stages.",
    "source": "Simon 1989",
}


def define(api, content, **more):
    return api(DEFINE, input=content, **more)["defineRule"]


def use(api, code, version, **more):
    return api(USE, input={"code": code, "version": version}, **more)["useRule"]


def rules(api, code):
    found = api("{ checkpointRules { code version inUse characteristics } }")["checkpointRules"]
    return {rule["version"]: rule for rule in found if rule["code"] == code}


def test_a_defined_rule_shows_its_characteristics_and_is_not_in_use(api):
    answer = define(api, TWO_STAGE)
    assert answer["errors"] == []
    assert (answer["rule"]["version"], answer["rule"]["inUse"]) == (2, False)
    found = answer["rule"]["characteristics"]
    assert (found["more"]["r1"], found["more"]["n1"], found["more"]["r"], found["more"]["n"]) == (3, 13, 12, 43)
    assert found["basis"] == "exact"
    assert found["false_go"] == pytest.approx(0.049581, abs=1e-6)
    assert found["false_stop"] == pytest.approx(0.19979, abs=1e-5)
    assert found["expected_n_bad"] == pytest.approx(20.58, abs=5e-3)
    assert [rules(api, "RESPONSE_TWO_STAGE")[n]["inUse"] for n in (1, 2)] == [True, False]
    assert rules(api, "RESPONSE_TWO_STAGE")[1]["characteristics"]["more"]["n1"] == 9


def test_exact_characteristics_speak_for_themselves_and_others_need_a_second_person(api):
    define(api, TWO_STAGE)
    assert use(api, "RESPONSE_TWO_STAGE", 2)["errors"] == []
    assert [rules(api, "RESPONSE_TWO_STAGE")[n]["inUse"] for n in (1, 2)] == [False, True]
    assert define(api, HERG)["rule"]["characteristics"]["basis"] == "not defined"
    own = use(api, "HERG_MARGIN", 2)
    assert own["rule"] is None
    assert "somebody else has to look at them" in own["errors"][0]["message"]
    assert use(api, "HERG_MARGIN", 2, as_=OTHER)["rule"]["inUse"]


def test_an_older_version_comes_back_into_use(api):
    define(api, TWO_STAGE)
    define(api, TWO_STAGE | {"parameters": TWO_STAGE["parameters"] | {"beta": 0.1}})
    for version in (3, 2, 1):
        assert use(api, "RESPONSE_TWO_STAGE", version)["errors"] == []
        found = rules(api, "RESPONSE_TWO_STAGE")
        assert [number for number, rule in found.items() if rule["inUse"]] == [version]


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(api):
    before = api.acts()
    wrong = HERG | {"parameters": {"alert_below": -1, "limit": 3}, "stages": ["PHASE_3", "PHASE_9"], "source": " "}
    answer = define(api, wrong)
    assert answer["rule"] is None
    messages = [error["message"] for error in answer["errors"]]
    assert len(messages) == 6
    for said in ("source is empty", "'PHASE_9' is not a stage", "needs the parameter caution_below", "alert_below has"):
        assert any(said in message for message in messages), (said, messages)
    assert any("has no parameter 'limit'; it has alert_below, caution_below" in message for message in messages)
    assert any("can never come about at PHASE_3" in message for message in messages)
    assert api.acts() == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"method": "Z9"}, "'Z9' is no method"),
        ({"code": "herg margin"}, "capital letters"),
        ({"kind": "EFFICACY"}, "is a rule about toxicity"),
        ({"parameters": [1]}, "the parameters are an object"),
        ({"parameters": {"alert_below": "x" * 30_000, "caution_below": 1}}, "longer than 20,000"),
        ({"parameters": {"alert_below": 30, "caution_below": 100}}, None),
    ],
)
def test_refusals(api, changed, said):
    answer = define(api, HERG | changed)
    if said is None:
        assert answer["errors"] == []
        assert define(api, HERG | changed)["errors"][0]["code"] == "CONFLICT"
    else:
        assert said in answer["errors"][0]["message"]


def test_who_may_not_define_is_refused(api):
    researcher = Actor.of("C. Researcher", Role.RESEARCHER)
    answer = define(api, HERG, as_=researcher)
    assert answer["errors"][0]["code"] == "NOT_PERMITTED"
    assert "no version 7" in use(api, "HERG_MARGIN", 7)["errors"][0]["message"]


@pytest.fixture
def programme(api) -> str:
    """A programme in toxicology with what the hERG margin needs: 40 times the free peak."""
    molecule = api.molecule(name="Testib", smiles="CCO")
    code = molecule["programmes"][0]["id"]

    def write(act: Act):
        row = act.current(tables.programmes)[0]
        act.revise(tables.programmes, row, {"stage": "PRECLINICAL_TOXICOLOGY", "stage_ordinal": 2})
        mass = act.current(tables.molecules)[0]["molar_mass"]
        for name, value, unit, species in (
            ("HERG_IC50", 40.0, "umol/L", None),
            ("CMAX_HUMAN", mass, "ng/mL", None),
            ("FRACTION_UNBOUND", 1.0, "1", "human"),
        ):
            fact = {"molecule_id": 1, "name": name, "species": species, "relation": "=", "value": value}
            act.add(
                checkpoint_tables.molecule_facts,
                fact | {"unit": unit, "reported": str(value), "source": "assay"},
            )
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    return code


def assess(api, programme, rule="HERG_MARGIN"):
    answer = api(ASSESS, input={"programme": programme, "rule": rule})["assessCheckpoint"]
    assert answer["errors"] == []
    return answer["checkpoint"]


def test_assessments_keep_the_version_they_were_made_by(api, programme):
    first = assess(api, programme)
    assert first["rule"]["version"] == 1
    define(api, HERG | {"parameters": {"alert_below": 50_000, "caution_below": 60_000}})
    assert assess(api, programme)["rule"]["version"] == 1
    use(api, "HERG_MARGIN", 2, as_=OTHER)
    second = assess(api, programme)
    assert second["rule"]["version"] == 2
    assert (first["recommendation"], second["recommendation"]) == ("CONDITIONAL_GO", "NO_GO")
    found = api("{ programmes { nodes { checkpoints { nodes { rule { version } } } } } }")
    versions = [c["rule"]["version"] for c in found["programmes"]["nodes"][0]["checkpoints"]["nodes"]]
    assert sorted(versions) == [1, 2]


def test_a_composed_rule_shows_its_parts(api, programme):
    tree = {"or": ["EXPOSURE_MARGIN", {"method": "A4", "parameters": {"alert_below": 1, "caution_below": 2}}]}
    answer = define(api, HERG | {"method": "COMPOSED", "parameters": {"composition": tree}})
    assert answer["errors"] == []
    assert "EXPOSURE_MARGIN has none" in answer["rule"]["characteristics"]["reason"]
    assert use(api, "HERG_MARGIN", 2, as_=OTHER)["errors"] == []
    found = assess(api, programme)
    assert found["recommendation"] == "GO"
    assert [(part["of"], part["recommendation"]) for part in found["outcome"]["parts"]] == [
        ("EXPOSURE_MARGIN", "HOLD"),
        ("A4", "GO"),
    ]
    assert found["explanation"].startswith("EXPOSURE_MARGIN or A4: GO.")


LABELLED = {
    "code": "LABELLED_RATE",
    "kind": "TOXICITY",
    "method": "B8",
    "parameters": {"cutoff": 0.95, "event": "Myocarditis", "target": 0.01},
    "description": "Myocarditis is not more frequent than the label says.",
    "source": "The label",
}


@pytest.fixture
def marketed(api) -> str:
    """A programme in phase 4, with a study of 200 subjects that counted 8 of one event and 2 of another."""
    code = api.molecule(name="Testib")["programmes"][0]["id"]

    def write(act: Act):
        row = act.current(tables.programmes)[0]
        act.revise(tables.programmes, row, {"stage": "PHASE_4", "stage_ordinal": 110})
        study = act.add(
            tables.studies,
            {"code": "P4", "title": "P4", "phases": '["PHASE_4"]', "status": "ACTIVE", "species": "human"},
        )
        source = {"study_id": study, "source": "test", "code": "P4", "statement": "{}", "content_digest": "x"}
        of = {"study_id": study, "source_id": act.add(tables.study_sources, source)}
        act.add(tables.study_molecules, of | {"molecule_id": 1, "name": "Testib"})
        for term, affected in (("Myocarditis", 8), ("Rash", 2)):
            counted = {"arm": "drug", "term": term, "serious": True, "affected": affected, "at_risk": 200}
            act.add(tables.event_counts, of | counted)
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    return code


def test_after_approval_an_event_is_watched_once_the_centre_names_it_and_its_rate(api, marketed):
    waiting = assess(api, marketed, "LABELLED_RATE")
    assert waiting["recommendation"] == "HOLD"
    assert "event, target (parameters only the centre can state" in waiting["explanation"]
    assert rules(api, "LABELLED_RATE")[1]["characteristics"]["reason"] == "the centre has still to state event, target"
    answer = define(api, LABELLED)
    assert answer["errors"] == []
    found = answer["rule"]["characteristics"]
    assert (found["basis"], found["bad"], found["good"]) == ("exact", "toxicity rate 0.02", "toxicity rate 0.01")
    assert use(api, "LABELLED_RATE", 2)["errors"] == []
    signal = assess(api, marketed, "LABELLED_RATE")
    assert signal["recommendation"] == "NO_GO"
    assert signal["explanation"].startswith("8 of 200 subjects had the event Myocarditis")


def test_a_rule_of_an_own_code_is_assessed_at_the_stages_it_was_defined_for(api, marketed):
    rash = LABELLED | {"code": "RASH_RATE", "parameters": LABELLED["parameters"] | {"event": "Rash"}}
    assert define(api, rash | {"stages": ["PHASE_4"]})["errors"] == []
    assert use(api, "RASH_RATE", 1)["errors"] == []
    assert assess(api, marketed, "RASH_RATE")["recommendation"] == "GO"
    assert define(api, rash | {"code": "RASH_EARLIER", "stages": ["PHASE_2"]})["errors"] == []
    assert use(api, "RASH_EARLIER", 1)["errors"] == []
    refused = api(ASSESS, input={"programme": marketed, "rule": "RASH_EARLIER"})["assessCheckpoint"]
    assert refused["checkpoint"] is None


def test_rules_of_the_graph_tell_the_same_beside_its_edges(api):
    query = "{ stateGraph { edges { requires { code inUse characteristics } } } }"
    edges = api(query)["stateGraph"]["edges"]
    found = {rule["code"]: rule for edge in edges for rule in edge["requires"]}
    for code, rule in found.items():
        assert rule["characteristics"] == rules(api, code)[1]["characteristics"]
        assert rule["inUse"]
    assert api.result(query).data == api.result(query, plain=True).data
    query = "{ checkpointRules { code version inUse characteristics } }"
    assert api.result(query).data == api.result(query, plain=True).data
