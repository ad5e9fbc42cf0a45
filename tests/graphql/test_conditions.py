"""Conditions of conditional decisions: seen, overdue in the way of an advance, settled once, by somebody else."""

from __future__ import annotations

import pytest

from pipeline.access import Actor, Role
from pipeline.commands.assess_due import AssessChanged
from pipeline.store.questions import overdue_conditions
from pipeline.store.selection import View

OTHER_LEAD = Actor.of("B. Lead", Role.LEAD)
RECORD = """
mutation ($input: RecordCheckpointInput!) {
  recordCheckpoint(input: $input) { checkpoint { id conditions { id state } } errors { message } }
}
"""
SETTLE = """
mutation ($input: SettleConditionInput!) {
  settleCondition(input: $input) {
    condition { id state settledOn settledBy note version checkpoint { rule { code } } }
    errors { __typename message }
  }
}
"""
BOARD = """
query ($id: ID!) {
  programmes { edges { node { openConditions { condition owner dueOn state } } } }
  node(id: $id) { ... on Programme { version moves { kind to { code } allowed unmet { criterion required found } } } }
}
"""
PAST = "second model | Dr Martin | 2025-06-30"
FUTURE = "second model | Dr Martin | 2099-06-30"


@pytest.fixture
def programme(api) -> str:
    """A programme whose first stage is passed but for ANTITUMOUR_ACTIVITY."""
    found: str = api.molecule(name="Testib")["programmes"][0]["id"]
    api.checkpoint(found, "PDX_RESPONSE")
    return found


def agree(api, programme: str, conditions: str, **more) -> dict:
    """Record a conditional decision of early 2025 and return its only condition."""
    content = {"programme": programme, "rule": "ANTITUMOUR_ACTIVITY", "verdict": "CONDITIONAL_GO"}
    content |= {"explanation": "committee", "decidedOn": "2025-01-31", "conditions": conditions}
    answer = api(RECORD, input=content | more)["recordCheckpoint"]
    assert answer["errors"] == [], answer
    return answer["checkpoint"]["conditions"][0]


def settle(api, condition: str, *, met: bool = True, note: str = "report 7", as_=None, **more) -> dict:
    content = {"condition": condition, "met": met, "note": note} | more
    return api(SETTLE, input=content, as_=as_)["settleCondition"]


def advance(api, programme: str) -> dict:
    """Return the advance the programme could make, as its moves tell it."""
    return next(move for move in api(BOARD, id=programme)["node"]["moves"] if move["kind"] == "ADVANCE")


def board(api, programme: str) -> list[dict]:
    found = api(BOARD, id=programme)["programmes"]["edges"]
    return [each for edge in found for each in edge["node"]["openConditions"]]


def test_a_condition_that_is_not_due_lets_the_programme_advance_and_one_overdue_does_not(api, programme):
    agree(api, programme, FUTURE)
    assert advance(api, programme)["allowed"]
    assert [each["state"] for each in board(api, programme)] == ["OPEN"]
    agree(api, programme, PAST)
    listed = {"condition": "second model", "owner": "Dr Martin", "dueOn": "2025-06-30", "state": "OVERDUE"}
    assert board(api, programme) == [listed]
    move = advance(api, programme)
    unmet = {"criterion": "ANTITUMOUR_ACTIVITY", "required": "condition met by 2025-06-30: second model"}
    assert move["unmet"] == [unmet | {"found": "OVERDUE"}]
    version = api(BOARD, id=programme)["node"]["version"]
    refused = api.move(programme, "ADVANCE", version, to=move["to"]["code"])["errors"]
    assert "“second model” (Dr Martin), due on 2025-06-30; record that it is met" in refused[0]["message"]
    assert api.move(programme, "HOLD", version, reason="STRATEGIC")["errors"] == []


def test_a_condition_follows_the_programme_past_the_stage_it_was_agreed_at(api, programme):
    condition = agree(api, programme, FUTURE)["id"]
    version = api(BOARD, id=programme)["node"]["version"]
    assert api.move(programme, "ADVANCE", version, to=advance(api, programme)["to"]["code"])["errors"] == []
    assert len(board(api, programme)) == 1
    assert settle(api, condition)["errors"] == []
    assert board(api, programme) == []


def test_a_condition_is_settled_once_and_keeps_who_when_and_why(api, programme):
    condition = agree(api, programme, PAST)["id"]
    done = settle(api, condition, on="2025-05-02", expectedVersion=1)
    assert done["errors"] == []
    assert done["condition"] | {"id": ""} == {
        "id": "",
        "state": "MET",
        "settledOn": "2025-05-02",
        "settledBy": "A. Lead",
        "note": "report 7",
        "version": 2,
        "checkpoint": {"rule": {"code": "ANTITUMOUR_ACTIVITY"}},
    }
    assert advance(api, programme)["allowed"]
    again = settle(api, condition, met=False, as_=OTHER_LEAD)
    assert "A. Lead recorded it as MET on 2025-05-02; that is never overwritten" in again["errors"][0]["message"]
    query = '{ molecule(code: "IUCT-0001") { history(kinds: [CONDITION_SETTLED]) { edges { node { summary } } } } }'
    told = [edge["node"]["summary"] for edge in api(query)["molecule"]["history"]["edges"]]
    assert told == ["ANTITUMOUR_ACTIVITY at PRECLINICAL_PHARMACOLOGY: “second model” is met"]


def test_looking_back_a_condition_stands_as_it_stood(api, programme):
    condition = agree(api, programme, PAST)["id"]
    settle(api, condition, on="2025-07-15")
    days = ("2025-01-30", "2025-06-30", "2025-07-01", "2025-07-14", "2025-07-15")
    with api.centre.database.read() as connection:
        found = [overdue_conditions(connection, [1], View(), day)[1] for day in days]
    assert [[each.condition for each in overdue] for overdue in found] == [
        [],
        [],
        ["second model"],
        ["second model"],
        [],
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"note": " "}, "note is empty"),
        ({"on": "2024-12-31"}, "lies before the decision of 2025-01-31"),
        ({"on": "2099-01-01"}, "lies in the future"),
        ({"expectedVersion": 3}, "at version 1, not 3"),
        ({"as_": Actor.of("Dr Martin", Role.LEAD)}, "owns this condition"),
        ({"as_": Actor.of("R. Reader", Role.RESEARCHER)}, "may not decide checkpoints"),
    ],
)
def test_what_cannot_be_settled_is_refused_and_nothing_is_written(api, programme, more, said):
    condition = agree(api, programme, PAST)["id"]
    before = api.acts()
    refused = settle(api, condition, **more)
    assert said in refused["errors"][0]["message"]
    assert refused["condition"] is None
    assert api.acts() == before


def test_who_declared_a_conflict_cannot_settle(api, programme):
    molecule = api('{ molecule(code: "IUCT-0001") { id } }')["molecule"]["id"]
    declare = "mutation ($input: DeclareConflictInput!) { declareConflict(input: $input) { errors { message } } }"
    api(declare, input={"molecule": molecule, "statement": "holds shares"}, as_=OTHER_LEAD)
    condition = agree(api, programme, PAST)["id"]
    assert "no vote on it" in settle(api, condition, as_=OTHER_LEAD)["errors"][0]["message"]


def test_a_new_decision_supersedes_the_conditions_of_the_one_before(api, programme):
    condition = agree(api, programme, PAST)["id"]
    api.checkpoint(programme, "ANTITUMOUR_ACTIVITY", "GO")
    query = "query ($id: ID!) { node(id: $id) { ... on CheckpointCondition { state note versions { recordedBy } } } }"
    found = api(query, id=condition)["node"]
    assert (found["state"], found["note"]) == ("SUPERSEDED", "ANTITUMOUR_ACTIVITY was decided anew")
    assert len(found["versions"]) == 2
    assert advance(api, programme)["allowed"]


def test_an_overdue_condition_raises_one_alert_which_says_when_it_was_met(api, programme):
    condition = agree(api, programme, PAST)["id"]
    for _ in range(2):
        api.centre.execute(AssessChanged(), actor=api.actor)
    query = "{ alerts(first: 9) { edges { node { kind message evidence { id } acknowledgedAt } } } }"
    raised = [edge["node"] for edge in api(query)["alerts"]["edges"]]
    assert [(each["kind"], each["evidence"]["id"]) for each in raised] == [("CONDITION_OVERDUE", condition)]
    assert "“second model” (Dr Martin), which was due on 2025-06-30" in raised[0]["message"]
    settle(api, condition)
    after = api(query)["alerts"]["edges"]
    assert len(after) == 1
    assert "the record was changed and no longer does" in after[0]["node"]["message"]


def test_conditions_of_other_verdicts_and_days_before_the_decision_are_refused(api, programme):
    content = {"programme": programme, "rule": "ANTITUMOUR_ACTIVITY", "explanation": "committee"}
    content |= {"decidedOn": "2025-01-31", "verdict": "GO", "conditions": "a | b | 2025-01-30\nc | d | 2025-02-30"}
    messages = [error["message"] for error in api(RECORD, input=content)["recordCheckpoint"]["errors"]]
    assert messages[0].startswith("only CONDITIONAL_GO has conditions")
    assert messages[1] == "condition 1 was due on 2025-01-30, before it was agreed"
    assert messages[2].startswith("condition 2: ")


def test_planned_and_plain_answers_are_equal(api, programme):
    agree(api, programme, PAST)
    query = """{ programmes { edges { node { openConditions {
        id state dueOn note settledBy checkpoint { id } versions { recordedBy } } } } } }"""
    assert api.result(query).data == api.result(query, plain=True).data
