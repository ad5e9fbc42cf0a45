"""A stop for lack of efficacy says first whether the mechanism was tested."""

from __future__ import annotations

import pytest

from pipeline.centre import SYSTEM, utc_now
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act

MOVE = """mutation ($input: MoveProgrammeInput!) { moveProgramme(input: $input) {
  transition { id reason note inefficacy { conclusive answers {
    question answer found explanation justification records { kind number version } } } }
  errors { __typename message path ... on CheckpointNotMet { unmet { criterion required found } } } } }"""
THREE = ["EXPOSURE_REACHED", "TARGET_ENGAGED", "FUNCTION_AFFECTED"]


@pytest.fixture
def programme(api) -> str:
    found: str = api.molecule(name="Testib")["programmes"][0]["id"]
    return found


def stop(api, programme: str, reason: str = "EFFICACY_LACK", **inefficacy):
    content = {"programme": programme, "kind": "DISCONTINUE", "reason": reason, "expectedVersion": 1}
    return api(MOVE, input=content | ({"inefficacy": inefficacy} if inefficacy else {}))["moveProgramme"]


def measured(api, responses: list[str], engaged: list[bool]):
    """Write a phase 2 study with responses and results of a marker of engagement, one of each for a subject."""

    def write(act: Act):
        row = {"code": "P2", "title": "P2", "phases": '["PHASE_2"]', "status": "COMPLETED"}
        study = act.add(tables.studies, row)
        source = {"study_id": study, "source": "test", "code": "P2", "statement": "{}", "content_digest": "x"}
        named = {"study_id": study, "source_id": act.add(tables.study_sources, source), "molecule_id": 1}
        act.add(tables.study_molecules, named | {"name": "Testib"})
        for n, (response, positive) in enumerate(zip(responses, engaged, strict=True)):
            about = {"study_id": study, "code": f"S-{n}", "species": "human", "erased": False}
            subject = act.add(study_tables.subjects, about | {"opposed_to_reuse": False})
            on = {"study_id": study, "subject_id": subject, "sorted_on": ""}
            act.add(study_tables.tumour_responses, on | {"criteria": "RECIST 1.1", "response": response})
            act.add(study_tables.biomarker_results, on | {"marker": "Target occupancy", "positive": positive})
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())


def test_what_nobody_measured_and_nobody_answers_is_asked_by_name(api, programme):
    before = api.acts()
    refused = stop(api, programme)
    assert refused["transition"] is None
    assert [unmet["criterion"] for unmet in refused["errors"][0]["unmet"]] == THREE
    assert "was the target engaged? The records do not tell" in refused["errors"][0]["message"]
    assert api.acts() == before


def test_other_reasons_are_not_asked(api, programme):
    done = stop(api, programme, reason="STRATEGIC")
    assert (done["errors"], done["transition"]["inefficacy"]) == ([], None)


def test_what_was_not_measured_may_be_said_and_makes_the_stop_inconclusive(api, programme):
    nothing = "NOT_MEASURED"
    done = stop(api, programme, exposureReached=nothing, targetEngaged=nothing, functionAffected=nothing)
    assert done["errors"] == []
    assert done["transition"]["inefficacy"]["conclusive"] is False
    assert done["transition"]["note"].startswith("inconclusive: exposure reached not measured")
    assert {each["found"] for each in done["transition"]["inefficacy"]["answers"]} == {None}


def test_what_is_shown_without_records_needs_a_justification(api, programme):
    shown = dict.fromkeys(("exposureReached", "targetEngaged", "functionAffected"), "SHOWN")
    refused = stop(api, programme, **shown)
    assert [unmet["required"] for unmet in refused["errors"][0]["unmet"]] == ["a justification"] * 3
    done = stop(api, programme, **shown, justification="report 12 of the sponsor")
    assert done["transition"]["inefficacy"]["conclusive"] is True
    assert {each["justification"] for each in done["transition"]["inefficacy"]["answers"]} == {
        "report 12 of the sponsor"
    }


def test_the_records_answer_what_they_can(api, programme):
    measured(api, ["PR", "SD", "PD", "PD"], [True, True, False, True])
    refused = stop(api, programme)
    assert [unmet["criterion"] for unmet in refused["errors"][0]["unmet"]] == ["EXPOSURE_REACHED"]
    done = stop(api, programme, exposureReached="NOT_MEASURED")
    by_question = {each["question"]: each for each in done["transition"]["inefficacy"]["answers"]}
    engaged, function = by_question["TARGET_ENGAGED"], by_question["FUNCTION_AFFECTED"]
    assert (engaged["answer"], engaged["explanation"]) == ("SHOWN", "3 of 4 subjects have their target engaged")
    assert (function["answer"], function["explanation"]) == (
        "SHOWN",
        "the tumours of 1 of 4 treated subjects responded",
    )
    assert [record["kind"] for record in engaged["records"]] == ["BiomarkerResult"] * 4
    assert done["transition"]["inefficacy"]["conclusive"] is False


def test_against_the_records_needs_a_justification(api, programme):
    measured(api, ["PD", "PD"], [True, False])
    answers = {"exposureReached": "NOT_MEASURED", "functionAffected": "SHOWN"}
    refused = stop(api, programme, **answers)
    assert "the records say NOT_SHOWN (the tumours of 0 of 2 treated subjects responded)" in str(refused["errors"])
    done = stop(api, programme, **answers, justification="a marker of apoptosis rose")
    kept = done["transition"]["inefficacy"]["answers"][2]
    assert (kept["answer"], kept["found"], kept["justification"]) == (
        "SHOWN",
        "NOT_SHOWN",
        "a marker of apoptosis rose",
    )


def test_planned_and_plain_answers_are_equal(api, programme):
    measured(api, ["PD"], [True])
    id = stop(api, programme, exposureReached="NOT_MEASURED")["transition"]["id"]
    query = """query ($id: ID!) { node(id: $id) { ... on Transition { inefficacy { conclusive answers {
        question answer records { kind number } } } } } }"""
    assert api.result(query, id=id).data == api.result(query, id=id, plain=True).data


def test_repeating_the_stop_under_its_key_has_no_second_effect(api, programme):
    content = {"programme": programme, "kind": "DISCONTINUE", "reason": "EFFICACY_LACK", "expectedVersion": 1}
    answers = dict.fromkeys(("exposureReached", "targetEngaged", "functionAffected"), "NOT_MEASURED")
    first, again = (
        api(MOVE, input=content | {"inefficacy": answers, "idempotencyKey": "k"})["moveProgramme"] for _ in range(2)
    )
    assert first == again
    assert first["errors"] == []
