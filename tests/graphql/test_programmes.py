"""Opening and moving programmes, and what was known when."""

import time
from datetime import UTC, datetime

import pytest

from tests.graphql.conftest import Api

OPEN = """
mutation Open($input: OpenProgrammeInput!) {
  openProgramme(input: $input) {
    programme { id indication stage { code } branchedFrom { id } sites }
    errors { __typename code message path ... on Conflict { existing { id } } }
  }
}
"""


def first_programme(api: Api, **more):
    return api.molecule(**more)["programmes"][0]


def pass_checkpoints(api: Api, programme: str, to: str):
    document = (
        "query M($id: ID!) { node(id: $id) { ... on Programme { moves { kind to { code } unmet { criterion } } } } }"
    )
    moves = api(document, id=programme)["node"]["moves"]
    [wanted] = [m for m in moves if m["kind"] == "ADVANCE" and m["to"]["code"] == to]
    for unmet in wanted["unmet"]:
        api.checkpoint(programme, unmet["criterion"])


def test_an_advance_is_refused_with_everything_that_is_unmet_and_nothing_is_written(api: Api):
    programme = first_programme(api)
    before = api.acts()
    answer = api.move(programme["id"], "ADVANCE", 1, to="PRECLINICAL_TOXICOLOGY", occurredOn="2100-01-01")
    [error] = answer["errors"]
    assert error["__typename"] == "CheckpointNotMet"
    assert [unmet["criterion"] for unmet in error["unmet"]] == ["ANTITUMOUR_ACTIVITY", "PDX_RESPONSE", "occurredOn"]
    assert api.acts() == before


def test_a_programme_advances_past_its_checkpoints(api: Api):
    programme = first_programme(api)
    api.checkpoint(programme["id"], "ANTITUMOUR_ACTIVITY")
    api.checkpoint(programme["id"], "PDX_RESPONSE", "NO_GO")
    [error] = api.move(programme["id"], "ADVANCE", 1)["errors"]
    assert [(u["criterion"], u["found"]) for u in error["unmet"]] == [("PDX_RESPONSE", "NO_GO")]
    api.checkpoint(programme["id"], "PDX_RESPONSE", "CONDITIONAL_GO")
    answer = api.move(programme["id"], "ADVANCE", 1)
    assert answer["errors"] == []
    assert answer["programme"]["stage"] == {"code": "PRECLINICAL_TOXICOLOGY"}
    assert answer["programme"]["version"] == 2
    assert answer["transition"]["from"] == {"code": "PRECLINICAL_PHARMACOLOGY"}


def test_what_was_decided_in_an_earlier_stay_does_not_count_again(api: Api):
    programme = first_programme(api)
    pass_checkpoints(api, programme["id"], "PRECLINICAL_TOXICOLOGY")
    api.move(programme["id"], "DISCONTINUE", 1, reason="STRATEGIC")
    api.move(programme["id"], "RESTART", 2, reason="STRATEGIC")
    [error] = api.move(programme["id"], "ADVANCE", 3)["errors"]
    assert [unmet["criterion"] for unmet in error["unmet"]] == ["ANTITUMOUR_ACTIVITY", "PDX_RESPONSE"]


def test_of_two_who_decided_on_one_version_the_second_is_told_the_current_one(api: Api):
    programme = first_programme(api)
    assert api.move(programme["id"], "HOLD", 1, reason="FUNDING")["errors"] == []
    [error] = api.move(programme["id"], "DISCONTINUE", 1, reason="FUNDING")["errors"]
    assert (error["__typename"], error["currentVersion"]) == ("StaleVersion", 2)


def test_repeating_a_move_under_its_key_has_no_second_effect(api: Api):
    programme = first_programme(api)
    first = api.move(programme["id"], "HOLD", 1, reason="FUNDING", idempotencyKey="k")
    before = api.acts()
    again = api.move(programme["id"], "HOLD", 1, reason="FUNDING", idempotencyKey="k")
    assert again == first
    [error] = api.move(programme["id"], "HOLD", 1, reason="ETHICS", idempotencyKey="k")["errors"]
    assert error["code"] == "IDEMPOTENCY_MISMATCH"
    assert api.acts() == before


def test_a_programme_branches_by_indication_at_the_stage_of_its_trunk(api: Api):
    molecule = api.molecule()
    trunk = molecule["programmes"][0]
    pass_checkpoints(api, trunk["id"], "PRECLINICAL_TOXICOLOGY")
    api.move(trunk["id"], "ADVANCE", 1)
    content = {"molecule": molecule["id"], "indication": "Breast cancer", "branchFrom": trunk["id"]}
    answer = api(OPEN, input=content)["openProgramme"]
    assert answer["programme"]["stage"] == {"code": "PRECLINICAL_TOXICOLOGY"}
    assert answer["programme"]["branchedFrom"] == {"id": trunk["id"]}
    again = api(OPEN, input={"molecule": molecule["id"], "indication": "breast  Cancer"})["openProgramme"]
    assert [e["existing"]["id"] for e in again["errors"]] == [answer["programme"]["id"]]


@pytest.mark.parametrize(
    ("group", "sites"), [("melanoma", ["ONCOPOLE"]), ("gastric", ["PURPAN", "RANGUEIL"]), ("unheard of", [])]
)
def test_late_phases_are_routed_by_disease_group(api: Api, group, sites):
    programme = first_programme(api, diseaseGroup=group)
    answer = api.move(programme["id"], "CORRECT", 1, to="PHASE_3", reasonVerbatim="acquired in phase 3")
    assert answer["errors"] == []
    found = api("query P($id: ID!) { node(id: $id) { ... on Programme { sites } } }", id=programme["id"])["node"]
    known = {site["code"] for site in api("{ sites { code } }")["sites"]}
    assert len(found["sites"]) == len(sites)
    assert set(found["sites"]) <= known


VIEW = """
query View($id: ID!, $knownAt: DateTime, $asOf: DateTime) {
  molecule(id: $id, knownAt: $knownAt, asOf: $asOf) {
    furthestStage { code } activeStage { code }
    programmes { stage { code } status stageSince transitions { kind to { code } occurredOn } }
    history { nodes { kind summary occurredOn } totalCount }
  }
}
"""


def a_moment() -> str:
    """Return an instant that lies strictly between the acts before and after."""
    time.sleep(0.002)
    now = datetime.now(UTC).isoformat()
    time.sleep(0.002)
    return now


def test_before_a_correction_is_shown_what_was_believed_and_after_it_what_is_true(api: Api):
    molecule = api.molecule()
    programme = molecule["programmes"][0]
    api.move(programme["id"], "CORRECT", 1, to="PHASE_1", reasonVerbatim="began elsewhere", occurredOn="2013-07")
    believed_at = a_moment()
    believed = api(VIEW, id=molecule["id"])["molecule"]
    api.move(programme["id"], "CORRECT", 2, to="PHASE_2", reasonVerbatim="was phase 2", occurredOn="2014-01-15")
    assert api(VIEW, id=molecule["id"], knownAt=believed_at)["molecule"] == believed
    true = api(VIEW, id=molecule["id"])["molecule"]
    assert believed["programmes"][0]["stage"] == {"code": "PHASE_1"}
    assert believed["programmes"][0]["transitions"] == [
        {"kind": "ADVANCE", "to": {"code": "PHASE_1"}, "occurredOn": "2013-07"}
    ]
    assert true["programmes"][0]["stage"] == {"code": "PHASE_2"}
    assert true["furthestStage"] == {"code": "PHASE_2"}
    assert [n["kind"] for n in true["history"]["nodes"]].count("CORRECTED") == 2
    transitions = [n for n in true["history"]["nodes"] if n["kind"] == "REGISTERED"]
    assert len(transitions) == 2
    before_it_all = api(VIEW, id=molecule["id"], knownAt="2000-01-01T00:00:00Z")["molecule"]
    assert before_it_all is None


def test_as_of_a_day_is_shown_what_was_true_then(api: Api):
    molecule = api.molecule()
    programme = molecule["programmes"][0]
    api.move(programme["id"], "CORRECT", 1, to="PHASE_1", reasonVerbatim="began elsewhere", occurredOn="2013-07")
    api.move(programme["id"], "HOLD", 2, reason="FUNDING", occurredOn="2015-03-02")
    api.move(programme["id"], "RESUME", 3, occurredOn="2016")
    seen = {
        day: [
            (p["stage"]["code"], p["status"], len(p["transitions"]))
            for p in api(VIEW, id=molecule["id"], asOf=f"{day}T12:00:00Z")["molecule"]["programmes"]
        ]
        for day in ("2013-07-30", "2013-07-31", "2015-03-01", "2015-03-02", "2016-06-01", "2016-12-31")
    }
    assert seen == {
        "2013-07-30": [],  # in July, but perhaps later in July
        "2013-07-31": [("PHASE_1", "ACTIVE", 1)],
        "2015-03-01": [("PHASE_1", "ACTIVE", 1)],
        "2015-03-02": [("PHASE_1", "ON_HOLD", 2)],
        "2016-06-01": [("PHASE_1", "ON_HOLD", 2)],
        "2016-12-31": [("PHASE_1", "ACTIVE", 3)],
    }


BOARD = """
query Board($first: Int!) {
  programmes(first: $first) {
    totalCount
    nodes {
      id indication stage { code name } status graph { version }
      molecule { code name synonyms { name } externalIds { value } targets furthestStage { code } depiction }
      transitions { kind from { code } to { code } actor recordedAt checkpoint { verdict rule { code } } }
      moves { kind allowed to { code } unmet { criterion } }
      checkpoints(first: 5) { totalCount nodes { verdict rule { code } } pageInfo { hasNextPage } }
      studies { totalCount nodes { code doseLevels { label doses { amount } } } }
    }
  }
}
"""


def test_statements_depend_on_the_query_and_not_on_the_rows(api: Api, statements):
    counts = []
    for number in range(7):
        programme = api.molecule(f"M-{number}", synonyms=[f"S {number}"], targets=["T"])["programmes"][0]
        api.checkpoint(programme["id"], "ANTITUMOUR_ACTIVITY")
        statements.clear()
        assert len(api(BOARD, first=100)["programmes"]["nodes"]) == number + 1
        counts.append(len([statement for statement in statements if statement.startswith("SELECT")]))
    assert counts == [counts[0]] * 7
    assert counts[0] <= 22


FILTERED = "query F($filter: PortfolioFilter) { programmes(filter: $filter) { nodes { molecule { code } } } }"


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        ({}, ["A", "B"]),
        ({"modality": ["ANTIBODY"]}, ["B"]),
        ({"diseaseGroup": ["melanoma"]}, ["A"]),
        ({"biomarkerSelected": True}, ["A"]),
        ({"biomarkerSelected": False}, ["B"]),
        ({"target": "braf"}, ["A"]),
        ({"text": "alph"}, ["A"]),
        ({"text": "%"}, []),
        ({"stage": ["PHASE_3"]}, []),
        ({"status": ["ACTIVE"]}, ["A", "B"]),
        ({"enteredFrom": "2020-01-01"}, ["A", "B"]),
        ({"enteredTo": "2020-01-01"}, []),
        ({"site": ["CREFRE"]}, ["A", "B"]),
    ],
)
def test_the_portfolio_filter(api: Api, wanted, codes):
    api.molecule("A", "Alpha", diseaseGroup="melanoma", biomarker="BRAF V600E", targets=["BRAF"])
    api.molecule("B", "Beta", modality="ANTIBODY")
    nodes = api(FILTERED, filter=wanted)["programmes"]["nodes"]
    assert [node["molecule"]["code"] for node in nodes] == codes
    found = api(FILTERED.replace("programmes", "molecules").replace("molecule { code }", "code"), filter=wanted)
    assert [node["code"] for node in found["molecules"]["nodes"]] == codes


@pytest.mark.parametrize("wanted", [{"stage": ["PHASE_9"]}, {"site": ["MARS"]}])
def test_a_filter_that_names_nothing_known_is_refused(api: Api, wanted):
    result = api.result(FILTERED, filter=wanted)
    assert "is not a s" in result.errors[0].message
