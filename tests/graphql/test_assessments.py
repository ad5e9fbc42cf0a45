"""Assessing rules on frozen evidence, deciding on them, and what a corrected record does to a decision."""

from __future__ import annotations

import orjson
import pytest

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, utc_now
from pipeline.reports.assessments_due import _last_written
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act
from tests.support.escalated import perform, phase_one

OTHER_LEAD = Actor.of("B. Lead", Role.LEAD)

ASSESS = """
mutation ($input: AssessCheckpointInput!) {
  assessCheckpoint(input: $input) {
    checkpoint {
      id version recommendation verdict statistic threshold explanation evidenceHash basisChanged proposedBy
      inputs outcome missing evidence { label value nodeVersion node { __typename id } }
    }
    errors { code message }
  }
}
"""
DECIDE = """
mutation ($input: DecideCheckpointInput!) {
  decideCheckpoint(input: $input) {
    checkpoint {
      id version verdict justification decidedBy basisChanged
      conditions { condition owner dueOn } votes { voter verdict }
    }
    errors { __typename code message }
  }
}
"""
FACT = """
mutation ($input: RecordMoleculeFactInput!) {
  recordMoleculeFact(input: $input) { fact { id name value relation version } errors { message path } }
}
"""
ANIMALS = {"veh": (100.0, 1000.0), "low": (100.0, 600.0), "high": (100.0, 300.0)}


@pytest.fixture
def programme(api) -> str:
    """A programme in preclinical pharmacology, with a xenograft study: vehicle, low and high dose, three mice each."""
    molecule = api.molecule(name="Testib", smiles="CCO")

    def write(act: Act):
        row = {"code": "XENO-1", "title": "XENO-1", "species": "mouse", "phases": "[]", "status": "COMPLETED"}
        study = act.add(tables.studies, row)
        source = {"study_id": study, "source": "test", "code": "XENO-1", "statement": "{}", "content_digest": "x"}
        source_id = act.add(tables.study_sources, source)
        act.add(
            tables.study_molecules,
            {"study_id": study, "source_id": source_id, "molecule_id": 1, "name": "Testib"},
        )
        for code in ANIMALS:
            group = {"study_id": study, "code": code, "control": code == "veh", "parameters": "{}"}
            act.add(study_tables.study_groups, group)
        for code, (start, end) in ANIMALS.items():
            for n in range(3):
                subject = {"study_id": study, "code": f"{code}-{n}", "species": "mouse", "group_code": code}
                id = act.add(study_tables.subjects, subject | {"erased": False, "opposed_to_reuse": False})
                for day, value in ((0.0, start), (14.0, end), (21.0, end * 1.1)):
                    row = {"study_id": study, "subject_id": id, "what": "TUMVOL", "value": value + n, "day": day}
                    act.add(study_tables.measurements, row | {"unit": "mm3", "sorted_on": ""})
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    found: str = molecule["programmes"][0]["id"]
    return found


def assess(api, programme: str, rule: str = "ANTITUMOUR_ACTIVITY", **more):
    answer = api(ASSESS, input={"programme": programme, "rule": rule}, **more)["assessCheckpoint"]
    assert answer["errors"] == [], answer
    return answer["checkpoint"]


def decide(api, checkpoint: str, verdict: str, *, as_: Actor = OTHER_LEAD, **more):
    return api(DECIDE, input={"checkpoint": checkpoint, "verdict": verdict} | more, as_=as_)["decideCheckpoint"]


def test_an_assessment_gathers_computes_and_freezes(api, programme):
    found = assess(api, programme)
    # 331 + 1.1 over 1101.1: the means of three animals on day 21 with 0, 1 and 2 mm3 more.
    assert found["recommendation"] == "GO"
    assert found["statistic"] == pytest.approx(100 * 331 / 1101)
    assert (found["threshold"], found["verdict"], found["proposedBy"]) == (42, None, "A. Lead")
    assert "high (day 21)" in found["explanation"]
    assert "3 treated, 3 control animals" in found["explanation"]
    assert len(found["evidence"]) == 27
    assert {item["node"]["__typename"] for item in found["evidence"]} == {"Measurement"}
    assert found["basisChanged"] is False
    assert len(found["evidenceHash"]) == 64
    assert found["missing"] == []


def test_equal_evidence_is_not_assessed_twice_and_other_evidence_is(api, programme):
    first, again = assess(api, programme), assess(api, programme)
    assert again["id"] == first["id"]
    correct(api, 350.0)
    changed = assess(api, programme)
    assert changed["id"] != first["id"]
    assert changed["evidenceHash"] != first["evidenceHash"]


def correct(api, value: float):
    """Correct the volume of the first animal of the high dose on day 21."""

    def write(act: Act):
        table = study_tables.measurements
        row = act.current(table, table.c.day == 21.0, table.c.value == ANIMALS["high"][1] * 1.1)[0]
        return {"version": act.revise(table, row, {"value": value})}

    api.centre.journal.perform("Correct", write, actor=SYSTEM, now=utc_now())


def test_a_decision_is_another_persons_and_never_overwritten(api, programme):
    found = assess(api, programme)
    own = decide(api, found["id"], "GO", as_=api.actor)
    assert "cannot be the only one who decides" in own["errors"][0]["message"]
    done = decide(api, found["id"], "GO", expectedVersion=found["version"])
    assert done["errors"] == []
    assert (done["checkpoint"]["verdict"], done["checkpoint"]["decidedBy"]) == ("GO", "B. Lead")
    assert done["checkpoint"]["votes"] == [{"voter": "B. Lead", "verdict": "GO"}]
    again = decide(api, found["id"], "NO_GO", justification="changed my mind")
    assert "never overwritten" in again["errors"][0]["message"]


def test_against_the_recommendation_needs_a_justification_and_conditions_an_owner_and_a_day(api, programme):
    found = assess(api, programme)
    before = api.acts()
    refused = decide(api, found["id"], "CONDITIONAL_GO", conditions="another model")
    messages = [error["message"] for error in refused["errors"]]
    assert len(messages) == 2
    assert 'not "what | owner | YYYY-MM-DD"' in messages[0]
    assert "needs a justification" in messages[1]
    assert api.acts() == before
    line = "a second xenograft model | Dr Martin | 2099-01-31"
    done = decide(api, found["id"], "CONDITIONAL_GO", justification="one model only", conditions=line)
    assert done["checkpoint"]["conditions"] == [
        {"condition": "a second xenograft model", "owner": "Dr Martin", "dueOn": "2099-01-31"}
    ]


def test_who_declared_a_conflict_has_no_vote(api, programme):
    molecule = api('{ molecule(code: "IUCT-0001") { id } }')["molecule"]["id"]
    declare = "mutation ($input: DeclareConflictInput!) { declareConflict(input: $input) { errors { message } } }"
    content = {"molecule": molecule, "statement": "inventor on the patent"}
    assert api(declare, input=content, as_=OTHER_LEAD)["declareConflict"]["errors"] == []
    found = assess(api, programme)
    assert "declared a conflict of interest" in decide(api, found["id"], "GO")["errors"][0]["message"]


MOVES = """query ($id: ID!) { node(id: $id) { ... on Programme { version moves {
    kind to { code } allowed unmet { criterion required found explanation } } } } }"""


def test_a_corrected_record_changes_the_basis_and_closes_the_way(api, programme):
    found = assess(api, programme)
    decide(api, found["id"], "GO")
    api.checkpoint(programme, "PDX_RESPONSE")
    advance = [m for m in api(MOVES, id=programme)["node"]["moves"] if m["kind"] == "ADVANCE"]
    assert advance[0]["allowed"]
    correct(api, 2000.0)
    query = """query ($id: ID!) { node(id: $id) { ... on Checkpoint {
        basisChanged recommendation recommendationNow changedInputs { kind label was now seenVersion version } } } }"""
    state = api(query, id=found["id"])["node"]
    assert (state["basisChanged"], state["recommendation"], state["recommendationNow"]) == (True, "GO", "NO_GO")
    assert state["changedInputs"] == [
        {
            "kind": "Measurement",
            "label": "volume on day 21",
            "was": "330.0",
            "now": "2000.0",
            "seenVersion": 1,
            "version": 2,
        }
    ]
    differ = api("query ($id: ID!) { node(id: $id) { ... on Checkpoint { inputs inputsNow } } }", id=found["id"])[
        "node"
    ]
    assert differ["inputs"] != differ["inputsNow"]
    node = api(MOVES, id=programme)["node"]
    advance = [m for m in node["moves"] if m["kind"] == "ADVANCE"]
    assert not advance[0]["allowed"]
    assert [unmet["found"] for unmet in advance[0]["unmet"]] == ["BASIS_CHANGED"]
    refused = api.move(programme, "ADVANCE", node["version"], to=advance[0]["to"]["code"])
    assert "corrected since" in str(refused["errors"])
    again = assess(api, programme)
    assert again["recommendation"] == "NO_GO"


RECORD = "mutation ($i: RecordCheckpointInput!) { recordCheckpoint(input: $i) { errors { message path } } }"


def test_a_committee_overrules_an_assessment_only_by_a_document_and_by_somebody_without_a_conflict(api, programme):
    correct(api, 2000.0)
    assert assess(api, programme)["recommendation"] == "NO_GO"
    content = {"programme": programme, "rule": "ANTITUMOUR_ACTIVITY", "verdict": "GO", "explanation": "committee"}
    refused = api(RECORD, i=content)["recordCheckpoint"]["errors"]
    assert [error["path"] for error in refused] == [["input", "reference"]]
    assert "recommends NO_GO; decide that assessment" in refused[0]["message"]
    molecule = api('{ molecule(code: "IUCT-0001") { id } }')["molecule"]["id"]
    declare = "mutation ($i: DeclareConflictInput!) { declareConflict(input: $i) { errors { message } } }"
    api(declare, i={"molecule": molecule, "statement": "inventor"}, as_=OTHER_LEAD)
    content |= {"reference": "minutes 7"}
    assert "no vote" in api(RECORD, i=content, as_=OTHER_LEAD)["recordCheckpoint"]["errors"][0]["message"]
    assert api(RECORD, i=content)["recordCheckpoint"]["errors"] == []


def test_the_molar_mass_of_a_molecule_without_a_structure_is_a_fact(api):
    molecule = api.molecule(name="Testib")
    programme = molecule["programmes"][0]["id"]
    for rule in ("ANTITUMOUR_ACTIVITY", "PDX_RESPONSE"):
        api.checkpoint(programme, rule)
    assert api.move(programme, "ADVANCE", 1, to="PRECLINICAL_TOXICOLOGY")["errors"] == []
    facts = {"HERG_IC50": ("30", "umol/L"), "CMAX_HUMAN": ("200", "ng/mL"), "FRACTION_UNBOUND": ("0.05", "1")}
    for name, (reported, unit) in facts.items():
        content = {"molecule": molecule["id"], "name": name, "reported": reported, "unit": unit, "source": "report"}
        api(FACT, input=content | ({"species": "human"} if name == "FRACTION_UNBOUND" else {}))
    assert assess(api, programme, "HERG_MARGIN")["missing"] == ["MOLAR MASS"]
    api(FACT, input=content | {"name": "MOLAR_MASS", "reported": "400", "unit": "g/mol"})
    assert assess(api, programme, "HERG_MARGIN")["statistic"] == pytest.approx(1200)


def test_what_is_missing_is_said_and_holds(api):
    programme = api.molecule(name="Testib")["programmes"][0]["id"]
    found = assess(api, programme)
    assert found["recommendation"] == "HOLD"
    assert found["missing"] == ["tumour volumes of animals"]
    assert "tumour volumes of animals" in found["explanation"]


def test_a_rule_that_is_not_asked_is_refused_with_those_that_are(api, programme):
    answer = api(ASSESS, input={"programme": programme, "rule": "HERG_MARGIN"})["assessCheckpoint"]
    assert answer["checkpoint"] is None
    assert "asked there: ANTITUMOUR_ACTIVITY, PDX_RESPONSE" in answer["errors"][0]["message"]


def test_facts_of_a_molecule_are_kept_as_written_and_refused_by_name(api, programme):
    molecule = api('{ molecule(code: "IUCT-0001") { id } }')["molecule"]["id"]
    content = {"molecule": molecule, "name": "HERG_IC50", "reported": "> 30", "unit": "umol/L", "source": "assay 7"}
    found = api(FACT, input=content)["recordMoleculeFact"]
    assert found["fact"] | {"id": ""} == {"id": "", "name": "HERG_IC50", "value": 30, "relation": ">", "version": 1}
    mended = api(FACT, input=content | {"reported": "25"})["recordMoleculeFact"]["fact"]
    assert (mended["id"], mended["version"]) == (found["fact"]["id"], 2)
    wrong = {"name": "FRACTION_UNBOUND", "reported": "5", "unit": "1"}
    refused = api(FACT, input=content | wrong)["recordMoleculeFact"]
    assert refused["fact"] is None
    assert [error["path"][-1] for error in refused["errors"]] == ["species", "reported"]


def test_planned_and_plain_answers_are_equal(api, programme):
    found = assess(api, programme)
    query = """query ($id: ID!) { node(id: $id) { ... on Checkpoint { evidenceHash inputs basisChanged recommendationNow
        evidence { label value node { id __typename } } conditions { condition } votes { voter } study { code } } } }"""
    assert api.result(query, id=found["id"]).data == api.result(query, id=found["id"], plain=True).data


def test_the_same_evidence_gives_the_same_digest_whatever_else_is_recorded(api, programme):
    first = assess(api, programme)
    api.molecule("IUCT-0002", name="Other")
    assert assess(api, programme)["id"] == first["id"]
    assert orjson.dumps(first["inputs"]) == orjson.dumps(assess(api, programme)["inputs"])


def test_a_corrected_molecule_is_taken_for_itself_and_not_for_a_study_of_its_number(centre):
    phase_one(centre, "A")
    phase_one(centre, "B")

    def write(act):
        molecules = tables.molecules
        (row,) = act.current(molecules, molecules.c.code == "B")
        act.revise(molecules, row, {"molar_mass": 400.0})
        # The study with the number of this molecule develops the other one.
        for link in act.current(tables.study_molecules):
            act.revise(tables.study_molecules, link, {"molecule_id": 3 - link["molecule_id"]})
        return {"act": act.number}

    number = perform(centre, write)["act"]
    with centre.read() as reader:
        assert _last_written(reader, {"Molecule"}, number - 1) == {("Molecule", 2): number}
