"""Why something stopped: proposed by rules or people, verified by somebody else, compared by kappa."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.access import Actor, Role
from pipeline.commands.reason_decisions import VerifyReasons
from pipeline.commands.reasons import ProposeMissingReasons
from pipeline.errors import NotPermitted, RowError
from pipeline.exchange.reason_decisions import ReasonDecision
from pipeline.reports.reason_agreement import reasons_waiting
from pipeline.words import AttritionReason
from tests.graphql.conftest import LEAD, Api

BEA = Actor.of("B. Lead", Role.LEAD)
READER = Actor.of("R. Reader", Role.DATA_PROTECTION)
RULES = "reason rules version 1"

PROPOSE = """
mutation P($input: ProposeReasonsInput!) {
  proposeReasons(input: $input) {
    reasons { id reason main verbatim words proposedBy comment version verifiedReason transition { id } study { code } }
    errors { __typename code message path }
  }
}
"""
VERIFY = """
mutation V($input: VerifyReasonInput!) {
  verifyReason(input: $input) {
    record { reason verifiedReason verifiedBy verifiedAt comment version transition { reason } study { reason } }
    errors { __typename code message path ... on StaleVersion { currentVersion } }
  }
}
"""


@pytest.fixture
def stop(api: Api) -> dict[str, Any]:
    """A programme that was stopped, in words: the transition."""
    programme = api.molecule()["programmes"][0]
    answer = api.move(
        programme["id"],
        "DISCONTINUE",
        programme["version"],
        reason="STRATEGIC",
        reasonVerbatim="Unexpected toxicity; slow accrual, not due to lack of efficacy",
    )
    assert answer["errors"] == [], answer
    found: dict[str, Any] = answer["transition"]
    return found


def propose(api: Api, *, as_: Actor = LEAD, **content: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api(PROPOSE, as_=as_, input=content)["proposeReasons"]
    return answer


def verify(api: Api, *, as_: Actor = BEA, **content: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api(VERIFY, as_=as_, input=content)["verifyReason"]
    return answer


def test_the_rules_propose_from_the_words_on_record(api: Api, stop: dict[str, Any]) -> None:
    answer = propose(api, transition=stop["id"])
    assert answer["errors"] == []
    main, further = answer["reasons"]
    assert (main["reason"], main["main"], main["words"]) == ("TOX_CLINICAL", True, ["toxicity"])
    assert (further["reason"], further["main"], further["words"]) == ("ACCRUAL", False, ["slow accrual"])
    assert main["verbatim"] == "Unexpected toxicity; slow accrual, not due to lack of efficacy"
    assert (main["proposedBy"], main["verifiedReason"], main["study"]) == (RULES, None, None)
    assert main["transition"] == {"id": stop["id"]}


def test_a_verified_main_reason_becomes_that_of_the_move(api: Api, stop: dict[str, Any]) -> None:
    main, further = propose(api, transition=stop["id"])["reasons"]
    answer = verify(api, record=main["id"], reason="TOX_CLINICAL", expectedVersion=1)
    assert answer["errors"] == []
    record = answer["record"]
    assert (record["verifiedReason"], record["verifiedBy"], record["version"]) == ("TOX_CLINICAL", "B. Lead", 2)
    assert record["transition"] == {"reason": "TOX_CLINICAL"}
    dropped = verify(api, record=further["id"], reason="UNSPECIFIED", comment="accrual was as planned")["record"]
    assert (dropped["verifiedReason"], dropped["comment"]) == ("UNSPECIFIED", "accrual was as planned")
    assert dropped["transition"] == {"reason": "TOX_CLINICAL"}
    document = """query N($id: ID!) { node(id: $id) { ... on Transition {
        reason reasons { reason main verifiedReason versions { number recordedBy command } } versions { number command }
    } } }"""
    told = api(document, id=stop["id"])["node"]
    assert [(one["reason"], one["main"]) for one in told["reasons"]] == [("TOX_CLINICAL", True), ("ACCRUAL", False)]
    assert [one["command"] for one in told["versions"]] == ["MoveProgramme", "VerifyReason"]
    assert told["reasons"][0]["versions"] == [
        {"number": 1, "recordedBy": "A. Lead", "command": "ProposeReasons"},
        {"number": 2, "recordedBy": "B. Lead", "command": "VerifyReason"},
    ]
    history = api('{ molecule(code: "IUCT-0001") { history(first: 10) { nodes { kind summary actor } } } }')
    assert {
        "kind": "CORRECTED",
        "summary": "reason of the stop: TOX_CLINICAL instead of STRATEGIC, verified",
        "actor": "B. Lead",
    } in history["molecule"]["history"]["nodes"]


def test_a_person_proposes_and_does_not_verify(api: Api, stop: dict[str, Any]) -> None:
    (main,) = propose(api, transition=stop["id"], reasons=["ACCRUAL"], comment="by the minutes")["reasons"]
    assert (main["proposedBy"], main["comment"], main["words"]) == ("A. Lead", "by the minutes", ["slow accrual"])
    before = api.acts()
    answer = verify(api, as_=LEAD, record=main["id"], reason="ACCRUAL")
    assert answer["record"] is None
    assert [error["message"] for error in answer["errors"]] == [
        "A. Lead proposed this reason; somebody else has to verify it"
    ]
    assert api.acts() == before
    assert verify(api, record=main["id"], reason="ACCRUAL")["errors"] == []


def test_a_proposal_is_replaced_until_it_is_verified(api: Api, stop: dict[str, Any]) -> None:
    first = propose(api, transition=stop["id"])["reasons"]
    second = propose(api, transition=stop["id"], reasons=["FUNDING", "ACCRUAL", "FUNDING"])["reasons"]
    assert [one["reason"] for one in second] == ["FUNDING", "ACCRUAL"]
    assert api("{ reasons { totalCount nodes { id } } }")["reasons"]["totalCount"] == 2
    gone = verify(api, record=first[0]["id"], reason="TOX_CLINICAL")
    assert gone["errors"][0]["code"] == "NOT_FOUND"
    assert verify(api, record=second[0]["id"], reason="FUNDING")["errors"] == []
    (error,) = propose(api, transition=stop["id"])["errors"]
    assert error["message"].startswith("its reasons were verified by B. Lead on ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "say what stopped: a transition or a study, one of the two"),
        ({"reasons": ["UNSPECIFIED", "ACCRUAL"]}, "UNSPECIFIED says that nothing is known; it stands alone"),
        ({"verbatim": "x" * 10_001}, "verbatim has 10001 characters; at most 10000 are kept"),
        ({"verbatim": "a\x00b"}, "verbatim holds the character U+0000 at place 2, which is not text; remove it"),
    ],
)
def test_what_cannot_be_proposed(api: Api, stop: dict[str, Any], content: dict[str, Any], said: str) -> None:
    before = api.acts()
    answer = propose(api, **(content and {"transition": stop["id"], **content}))
    assert [error["message"] for error in answer["errors"]] == [said]
    assert answer["reasons"] == []
    assert api.acts() == before


def test_a_move_that_is_no_stop_has_no_reasons(api: Api) -> None:
    api.molecule()
    document = '{ molecule(code: "IUCT-0001") { programmes { transitions { id kind } } } }'
    (entry,) = api(document)["molecule"]["programmes"][0]["transitions"]
    (error,) = propose(api, transition=entry["id"], reasons=["FUNDING"])["errors"]
    assert (
        error["message"] == f"this transition is no stop ({entry['kind']}); reasons are recorded for DISCONTINUE, HOLD"
    )


def test_another_reason_asks_for_a_comment_and_the_version_seen(api: Api, stop: dict[str, Any]) -> None:
    main, _ = propose(api, transition=stop["id"])["reasons"]
    (error,) = verify(api, record=main["id"], reason="EFFICACY_LACK")["errors"]
    assert error["message"] == "comment is empty; give it"
    assert verify(api, record=main["id"], reason="EFFICACY_LACK", comment="see the report")["errors"] == []
    (error,) = verify(api, record=main["id"], reason="EFFICACY_LACK", expectedVersion=1)["errors"]
    assert (error["__typename"], error["currentVersion"]) == ("StaleVersion", 2)
    again = verify(api, record=main["id"], reason="TOX_CLINICAL", comment="the report was mended")
    assert again["record"]["transition"] == {"reason": "TOX_CLINICAL"}


def test_several_are_verified_as_one_act_or_none(api: Api, stop: dict[str, Any]) -> None:
    _, further = propose(api, transition=stop["id"])["reasons"]
    rows = (ReasonDecision(2, "t.csv, row 2", 1, 1), ReasonDecision(3, "t.csv, row 3", 2, 1, AttritionReason.ETHICS))
    before = api.acts()
    with pytest.raises(RowError, match="row 3: comment is empty; give it"):
        api.centre.execute(VerifyReasons(rows), actor=BEA)
    with pytest.raises(NotPermitted):
        api.centre.execute(VerifyReasons(rows), actor=READER)
    assert api.acts() == before
    done = api.centre.execute(VerifyReasons(rows, comment="by the minutes"), actor=BEA)
    assert done.result == {"agreed": 1, "changed": 1, "unchanged": 0}
    assert api.acts() == before + 1
    again = api.centre.execute(VerifyReasons(rows, comment="by the minutes"), actor=BEA)
    assert (again.number, again.result) == (0, {"agreed": 0, "changed": 0, "unchanged": 2})
    with pytest.raises(RowError, match="proposed as TOX_CLINICAL and is now verified as TOX_CLINICAL by B"):
        api.centre.execute(VerifyReasons(rows[:1]), actor=LEAD)
    assert verify(api, record=further["id"], reason="ACCRUAL", comment="no")["record"]["version"] == 3
    assert api("query N($id: ID!) { node(id: $id) { ... on Transition { reason } } }", id=stop["id"]) == {
        "node": {"reason": "TOX_CLINICAL"}
    }
    assert api.centre.verify().intact


def test_several_are_verified_in_one_document(api: Api, stop: dict[str, Any]) -> None:
    main, further = propose(api, transition=stop["id"])["reasons"]
    answer = api(
        """mutation V($one: VerifyReasonInput!, $two: VerifyReasonInput!) {
          one: verifyReason(input: $one) { record { verifiedReason } errors { message } }
          two: verifyReason(input: $two) { record { verifiedReason } errors { message } }
        }""",
        as_=BEA,
        one={"record": main["id"], "reason": "TOX_CLINICAL", "expectedVersion": 1},
        two={"record": further["id"], "reason": "ETHICS", "expectedVersion": 1},
    )
    assert answer["one"] == {"record": {"verifiedReason": "TOX_CLINICAL"}, "errors": []}
    assert answer["two"] == {"record": None, "errors": [{"message": "comment is empty; give it"}]}


def test_whoever_may_not_decide_does_not(api: Api, stop: dict[str, Any]) -> None:
    main, _ = propose(api, transition=stop["id"])["reasons"]
    assert verify(api, as_=READER, record=main["id"], reason="TOX_CLINICAL")["errors"][0]["code"] == "NOT_PERMITTED"
    assert propose(api, as_=READER, transition=stop["id"])["errors"][0]["code"] == "NOT_PERMITTED"
    nobody = Actor("nobody", ())
    for document in (
        "{ reasons { totalCount } }",
        '{ reasonProposal(text: "x") { primary } }',
        "{ reasonAgreement { kappa } }",
    ):
        result = api.result(document, as_=nobody)
        assert [type(error.original_error).__name__ for error in result.errors] == ["NotPermitted"], document


def test_what_was_known_before_stays(api: Api, stop: dict[str, Any]) -> None:
    before = api("{ viewer { name } stateGraph { name } }")
    assert before["viewer"]["name"] == "A. Lead"
    main, _ = propose(api, transition=stop["id"])["reasons"]
    moment = api(
        "query N($id: ID!) { node(id: $id) { ... on AttritionReasonRecord { versions { recordedAt } } } }",
        id=main["id"],
    )
    known = moment["node"]["versions"][0]["recordedAt"]
    verify(api, record=main["id"], reason="TOX_CLINICAL")
    document = """query K($at: DateTime) { molecule(code: "IUCT-0001", knownAt: $at) { programmes { transitions {
        kind reason reasons { reason verifiedReason } } } } }"""
    then = api(document, at=known)["molecule"]["programmes"][0]["transitions"][-1]
    now = api(document)["molecule"]["programmes"][0]["transitions"][-1]
    assert (then["reason"], then["reasons"][0]["verifiedReason"]) == ("STRATEGIC", None)
    assert (now["reason"], now["reasons"][0]["verifiedReason"]) == ("TOX_CLINICAL", "TOX_CLINICAL")


def test_the_rules_propose_for_every_stop_that_has_none(api: Api, stop: dict[str, Any]) -> None:
    done = api.centre.execute(ProposeMissingReasons(), actor=LEAD)
    assert done.result == {"first": 1, "count": 2, "stops": 1}
    assert api.centre.execute(ProposeMissingReasons(), actor=LEAD).result["stops"] == 0
    waiting = api("{ reasons(verified: false) { totalCount nodes { reason transition { kind } } } }")["reasons"]
    assert waiting["totalCount"] == 2
    assert waiting["nodes"][0] == {"reason": "TOX_CLINICAL", "transition": {"kind": "DISCONTINUE"}}
    with api.centre.read(LEAD) as reader:
        listed = [(row["of"], row["reason"], row["main"], row["words"]) for row in reasons_waiting(reader)]
    assert listed == [
        ("IUCT-0001", "TOX_CLINICAL", True, ["toxicity"]),
        ("IUCT-0001", "ACCRUAL", False, ["slow accrual"]),
    ]
    assert api.centre.verify().intact


def test_agreement_between_proposer_and_verifier(api: Api) -> None:
    for number, (words, found) in enumerate(
        [
            ("slow accrual", "ACCRUAL"),
            ("toxicity", "TOX_CLINICAL"),
            ("slow accrual", "ACCRUAL"),
            ("futility", "FUNDING"),
        ]
    ):
        programme = api.molecule(code=f"IUCT-{number:04}")["programmes"][0]
        move = api.move(
            programme["id"], "DISCONTINUE", programme["version"], reason="UNSPECIFIED", reasonVerbatim=words
        )["transition"]
        main = propose(api, transition=move["id"])["reasons"][0]
        assert verify(api, record=main["id"], reason=found, comment="read again")["errors"] == []
    document = """{ reasonAgreement { proposer stops agreed observed expected kappa kappaLower kappaUpper whyNot flags
        disagreements { proposed verified count } method version } }"""
    everybody, rules, people = api(document)["reasonAgreement"]
    # 3 of 4 agree; by chance 2/4 * 2/4 + 1/4 * 1/4 = 5/16; kappa = (12 - 5) / (16 - 5).
    assert (everybody["stops"], everybody["agreed"], everybody["observed"]) == (4, 3, 0.75)
    assert everybody["expected"] == pytest.approx(5 / 16)
    assert everybody["kappa"] == pytest.approx(7 / 11)
    assert everybody["kappaLower"] < 7 / 11 < everybody["kappaUpper"] <= 1
    assert everybody["disagreements"] == [{"proposed": "EFFICACY_LACK", "verified": "FUNDING", "count": 1}]
    assert (everybody["flags"], everybody["method"]) == (["few_pairs"], "E8_reason_agreement")
    assert {**rules, "proposer": "ALL"} == everybody
    assert (people["stops"], people["kappa"], people["whyNot"]) == (0, None, "no_data")


def test_a_text_is_read_without_being_recorded(api: Api) -> None:
    document = """{ reasonProposal(text: "<b>Slow accrual</b>, not due to safety") {
        primary why openTargets proposedBy
        reasons { reason openTargets fiveR triggers { rule language words start end } }
        ruledOut { reason triggers { words } } } }"""
    before = api.acts()
    assert api(document)["reasonProposal"] == {
        "primary": "ACCRUAL",
        "why": None,
        "openTargets": ["Insufficient enrollment"],
        "proposedBy": RULES,
        "reasons": [
            {
                "reason": "ACCRUAL",
                "openTargets": "Insufficient enrollment",
                "fiveR": "none",
                "triggers": [{"rule": "too-few", "language": "en", "words": "Slow accrual", "start": 0, "end": 12}],
            }
        ],
        "ruledOut": [{"reason": "TOX_CLINICAL", "triggers": [{"words": "safety"}]}],
    }
    assert api('{ reasonProposal(text: "") { primary why } }')["reasonProposal"] == {
        "primary": "UNSPECIFIED",
        "why": "NO_TEXT",
    }
    assert api.acts() == before
