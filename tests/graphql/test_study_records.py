"""Study records over GraphQL: what is read of them, what the arguments choose, and who sees what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.access import Actor, Role
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act
from pipeline.words import EventKind
from schema.node import global_id
from tests.graphql.conftest import Api

PHARMACOLOGIST = Actor.of("P. Harma", Role.PHARMACOLOGY)
RESEARCHER = Actor.of("R. Searcher", Role.RESEARCHER)
STUDY = global_id("Study", 1)


def write(api: Api, how: Any, *, as_: Actor = PHARMACOLOGIST, reason: str | None = None) -> str:
    """Do one act and return when it was recorded."""
    return api.centre.journal.perform(
        "Test", how, actor=as_, now=datetime(2024, 1, 2, tzinfo=UTC), reason=reason
    ).recorded_at


def concentration(**more: Any) -> dict[str, Any]:
    """Return a monitoring record."""
    plain = {"molecule_id": 1, "study_id": 1, "analyte": "parent", "specimen": "plasma", "sorted_on": ""}
    return plain | {"below_limit": False, "state": "REGISTERED", "entered_by": "P. Harma"} | more


@pytest.fixture
def study(api: Api) -> Api:
    """A study of one molecule with three subjects, of whom the last was erased."""
    api.molecule()

    def begin(act: Act) -> dict[str, Any]:
        act.add(tables.studies, {"code": "S-1", "title": "First", "phases": "[]", "status": "ACTIVE"})
        for code in ("A-01", "A-02", None):
            row = {"study_id": 1, "code": code, "species": "human", "erased": code is None, "opposed_to_reuse": False}
            act.add(study_tables.subjects, row | {"group_code": "G1"})
        group = {"study_id": 1, "code": "G1", "label": "Low", "parameters": '{"FEED": "ad lib"}'}
        act.add(study_tables.study_groups, group)
        return {}

    write(api, begin)
    return api


@pytest.fixture(params=[False, True], ids=["planned", "plain"])
def ask(request: pytest.FixtureRequest, study: Api) -> Any:
    """Return a function that reads below the study, by the planned path and by the plain one."""

    def asked(fields: str, **more: Any) -> dict[str, Any]:
        result = study.result(f'{{ study(code: "S-1") {{ {fields} }} }}', plain=request.param, **more)
        assert result.errors is None, result.errors
        found: dict[str, Any] = result.data["study"]
        return found

    return asked


def test_a_pseudonym_is_for_those_who_may_see_it_and_gone_after_erasure(study: Api, ask: Any):
    fields = "subjects { totalCount nodes { code erased species group { label parameters } } }"
    seen = ask(fields, as_=PHARMACOLOGIST)["subjects"]
    assert seen["totalCount"] == 3
    assert [node["code"] for node in seen["nodes"]] == ["A-01", "A-02", None]
    assert [node["erased"] for node in seen["nodes"]] == [False, False, True]
    assert seen["nodes"][0]["group"] == {"label": "Low", "parameters": {"FEED": "ad lib"}}
    assert {node["code"] for node in ask(fields, as_=RESEARCHER)["subjects"]["nodes"]} == {None}


SAMPLED = {
    1: "",
    2: "2024-03-01",
    3: "2024-03-01T08:30",
    4: "2024-03-01T08:30:00.500",
    5: "2024-03-01T12:00:00Z",
    6: "2024-04-01",
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ('sampledFrom: "2024-03-01T00:00:00Z"', [2, 3, 4, 5, 6]),
        ('sampledFrom: "2024-03-01T08:30:00Z"', [3, 4, 5, 6]),
        ('sampledFrom: "2024-03-01T10:30:00.1+02:00"', [4, 5, 6]),
        ('sampledTo: "2024-03-01T12:00:00Z"', [2, 3, 4, 5]),
        ('sampledTo: "2024-03-01T11:59:59Z"', [2, 3, 4]),
        ('sampledFrom: "2024-03-01T08:30:00Z", sampledTo: "2024-03-01T08:30:00Z"', [3, 4]),
        ('analyte: "metabolite"', [2]),
        ('specimen: "urine", analyte: "parent"', [3]),
        ("state: VERIFIED", [4]),
        ("excluded: true", [5]),
        ("excluded: false", [1, 2, 3, 4, 6]),
        ("flagged: true", [6]),
        ("analyte: null, excluded: null, first: 2", [1, 2]),
        (f'subject: "{global_id("Subject", 2)}"', [1]),
        ('analyte: "no such analyte"', []),
        ('analyte: "\\u0000"', []),
    ],
)
def test_the_arguments_of_monitoring_choose_records(study: Api, ask: Any, arguments: str, expected: list[int]):
    more: dict[int, dict[str, Any]] = {
        1: {"subject_id": 2},
        2: {"analyte": "metabolite"},
        3: {"specimen": "urine"},
        4: {"state": "VERIFIED"},
        5: {"exclusion_reason": "haemolysed"},
        6: {"flag": "the unit was read from the heading"},
    }

    def log(act: Act) -> dict[str, Any]:
        for number, moment in SAMPLED.items():
            act.add(study_tables.monitoring_records, concentration(sorted_on=moment, **more[number]))
        return {}

    write(study, log)
    given = f"({arguments})" if arguments else ""
    found = ask(f"monitoring{given} {{ nodes {{ id }} }}")["monitoring"]["nodes"]
    assert [node["id"] for node in found] == [global_id("MonitoringRecord", n) for n in expected]


def test_pages_neither_repeat_nor_skip_records_of_one_moment(study: Api):
    def log(act: Act) -> dict[str, Any]:
        for _ in range(7):
            act.add(study_tables.monitoring_records, concentration(sorted_on="2024-03-01"))
        return {}

    write(study, log)
    document = """query Page($after: String) { study(code: "S-1") {
      monitoring(first: 3, after: $after, analyte: "parent") {
        nodes { id } totalCount pageInfo { hasNextPage endCursor }
      } } }"""
    ids, after = [], None
    for _ in range(3):
        page = study(document, after=after)["study"]["monitoring"]
        ids += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["totalCount"] == 7
    assert ids == [global_id("MonitoringRecord", n) for n in range(1, 8)]
    assert page["pageInfo"]["hasNextPage"] is False


def test_an_exclusion_says_why_of_what_who_and_when(study: Api, ask: Any):
    by_hand = {
        "exclusion_reason": "wrong tube",
        "exclusion_scope": "SUMMARIES",
        "excluded_by": "A. Lead",
        "excluded_at": "2024-02-01T00:00:00.000000Z",
    }

    def log(act: Act) -> dict[str, Any]:
        for more in ({}, by_hand, {"exclusion_reason": "outlier"}):
            act.add(study_tables.monitoring_records, concentration(**more))
        return {}

    recorded_at = write(study, log)
    fields = "monitoring { nodes { counts exclusion { reason scope by at } } }"
    plain, summaries, source = ask(fields)["monitoring"]["nodes"]
    assert plain == {"counts": True, "exclusion": None}
    assert summaries == {
        "counts": True,
        "exclusion": {
            "reason": "wrong tube",
            "scope": "SUMMARIES",
            "by": "A. Lead",
            "at": "2024-02-01T00:00:00.000000Z",
        },
    }
    whole = {"reason": "outlier", "scope": "CALCULATION", "by": "P. Harma", "at": recorded_at}
    assert source == {"counts": False, "exclusion": whole}


@pytest.mark.parametrize("plain", [False, True])
def test_a_record_tells_all_its_versions(study: Api, plain: bool):
    table = study_tables.monitoring_records

    def log(act: Act) -> dict[str, Any]:
        act.add(table, concentration(reported="12,5", concentration=125.0, subject_id=1))
        act.add(table, concentration(retest_of=1))
        return {}

    def correct(act: Act) -> dict[str, Any]:
        act.revise(table, act.find(table, 1), {"concentration": 12.5, "subject_id": 2})
        act.event(
            EventKind.MONITORING_CORRECTED,
            "corrected",
            node="MonitoringRecord",
            node_id=1,
            reason_for_change="the comma is a decimal one",
        )
        return {}

    def verify(act: Act) -> dict[str, Any]:
        act.revise(table, act.find(table, 1), {"state": "VERIFIED", "verified_by": "A. Lead"})
        return {}

    first = write(study, log)
    second = write(study, correct, reason="a batch of corrections")
    third = write(study, verify, as_=study.actor, reason="checked against the printout")
    document = """query Versions($id: ID!) { node(id: $id) { ... on MonitoringRecord { concentration retestOf { id }
      versions { number recordedAt recordedBy role command reasonForChange changes { field before after } } } } }"""

    def versions(number: int) -> list[dict[str, Any]]:
        result = study.result(document, id=global_id("MonitoringRecord", number), plain=plain)
        assert result.errors is None
        found: list[dict[str, Any]] = result.data["node"]["versions"]
        return found

    one, two, three = versions(1)
    assert [v["number"] for v in (one, two, three)] == [1, 2, 3]
    assert [v["recordedAt"] for v in (one, two, three)] == [first, second, third]
    assert [v["recordedBy"] for v in (one, two, three)] == ["P. Harma", "P. Harma", "A. Lead"]
    assert [v["role"] for v in (one, two, three)] == ["pharmacology", "pharmacology", "lead"]
    reasons = [None, "the comma is a decimal one", "checked against the printout"]
    assert [v["reasonForChange"] for v in (one, two, three)] == reasons
    begun = {change["field"]: change["after"] for change in one["changes"]}
    assert begun == {
        "molecule": global_id("Molecule", 1),
        "study": STUDY,
        "subject": global_id("Subject", 1),
        "analyte": "parent",
        "specimen": "plasma",
        "reported": "12,5",
        "concentration": 125.0,
        "belowLimit": False,
        "state": "REGISTERED",
        "enteredBy": "P. Harma",
    }
    assert {change["before"] for change in one["changes"]} == {None}
    assert two["changes"] == [
        {"field": "subject", "before": global_id("Subject", 1), "after": global_id("Subject", 2)},
        {"field": "concentration", "before": 125.0, "after": 12.5},
    ]
    assert three["changes"] == [
        {"field": "state", "before": "REGISTERED", "after": "VERIFIED"},
        {"field": "verifiedBy", "before": None, "after": "A. Lead"},
    ]
    retest = {change["field"]: change["after"] for change in versions(2)[0]["changes"]}
    assert retest["retestOf"] == global_id("MonitoringRecord", 1)


@pytest.mark.parametrize("plain", [False, True])
def test_versions_known_at_a_moment_are_those_recorded_by_then(study: Api, plain: bool):
    table = study_tables.monitoring_records
    known_at = write(study, lambda act: {"id": act.add(table, concentration(flag="one"))})
    write(study, lambda act: {"v": act.revise(table, act.find(table, 1), {"flag": "two"})})
    document = """query Then($at: DateTime) { study(code: "S-1", knownAt: $at) {
      monitoring { nodes { flag version versions { number } } } } }"""
    then = study.result(document, at=known_at, plain=plain).data["study"]["monitoring"]["nodes"]
    assert then == [{"flag": "one", "version": 1, "versions": [{"number": 1}]}]
    now = study.result(document, plain=plain).data["study"]["monitoring"]["nodes"]
    assert now == [{"flag": "two", "version": 2, "versions": [{"number": 1}, {"number": 2}]}]


@pytest.mark.parametrize("plain", [False, True])
def test_no_version_tells_a_pseudonym_that_is_not_to_be_seen(study: Api, plain: bool):
    table = study_tables.subjects
    document = """query Read($id: ID!) { node(id: $id) { ... on Subject { code
      versions { changes { field before after } } } } }"""
    id = global_id("Subject", 1)

    def told(actor: Actor) -> set[Any]:
        node = study.result(document, as_=actor, plain=plain, id=id).data["node"]
        changes = [change for version in node["versions"] for change in version["changes"]]
        return {change[side] for change in changes for side in ("before", "after") if change["field"] == "code"}

    assert told(PHARMACOLOGIST) == {None, "A-01"}
    assert told(RESEARCHER) == set()
    write(study, lambda act: {"v": act.revise(table, act.find(table, 1), {"code": None, "erased": True})})
    assert told(PHARMACOLOGIST) == set()


@pytest.mark.parametrize("plain", [False, True])
def test_a_pool_shows_its_members_as_far_as_they_are_on_record(study: Api, plain: bool):
    members = '["A-02", "A-01", "A-02", "nobody"]'

    def pool(act: Act) -> dict[str, Any]:
        act.add(study_tables.pools, {"study_id": 1, "code": "P1", "members": members})
        act.add(study_tables.pools, {"study_id": 1, "code": "P2", "members": "[]"})
        return {}

    write(study, pool)
    for deeper in ("", " monitoring { totalCount }"):
        document = f'{{ study(code: "S-1") {{ pools {{ nodes {{ code members {{ id code{deeper} }} }} }} }} }}'
        for actor, codes in ((PHARMACOLOGIST, ["A-02", "A-01"]), (RESEARCHER, [None, None])):
            first, second = study.result(document, as_=actor, plain=plain).data["study"]["pools"]["nodes"]
            assert [member["id"] for member in first["members"]] == [global_id("Subject", 2), global_id("Subject", 1)]
            assert [member["code"] for member in first["members"]] == codes
            assert second["members"] == []


def test_what_a_source_says_beside_a_record_stands_with_it_alone(study: Api, ask: Any):
    def add(act: Act) -> dict[str, Any]:
        row = {"study_id": 1, "subject_id": 1, "term": "Nausea", "dlt": False, "sorted_on": ""}
        act.add(study_tables.adverse_events, row | {"grade": 2})
        act.add(study_tables.adverse_events, row | {"grade": 3, "dlt": True, "sorted_on": "2024-01-01"})
        for node, number in (("AdverseEvent", 1), ("AdverseEvent", 2), ("MonitoringRecord", 1)):
            said = {"study_id": 1, "node": node, "node_id": number, "name": "AETRTEM", "value": f"{node} {number}"}
            act.add(study_tables.qualifiers, said)
        link = {"study_id": 1, "relation": "R1", "node": "AdverseEvent", "node_id": 2, "reported": "AE 2"}
        act.add(study_tables.record_links, link)
        act.add(study_tables.record_links, link | {"node": "Study", "node_id": None, "reported": "EX as a whole"})
        return {}

    write(study, add)
    fields = """adverseEvents(minGrade: 3) { nodes { term dlt qualifiers { name value } } }
      limiting: adverseEvents(dlt: false) { nodes { grade } }
      recordLinks { nodes { relation reported record { id __typename } } }"""
    found = ask(fields, as_=PHARMACOLOGIST)
    qualifiers = [{"name": "AETRTEM", "value": "AdverseEvent 2"}]
    assert found["adverseEvents"]["nodes"] == [{"term": "Nausea", "dlt": True, "qualifiers": qualifiers}]
    assert found["limiting"]["nodes"] == [{"grade": 2}]
    event = {"id": global_id("AdverseEvent", 2), "__typename": "AdverseEvent"}
    assert found["recordLinks"]["nodes"] == [
        {"relation": "R1", "reported": "AE 2", "record": event},
        {"relation": "R1", "reported": "EX as a whole", "record": None},
    ]
    # Relations name subjects by their codes.
    hidden = {"relation": None, "reported": None}
    assert ask(fields, as_=RESEARCHER)["recordLinks"]["nodes"] == [
        hidden | {"record": event},
        hidden | {"record": None},
    ]


def test_a_response_that_could_not_be_read_is_told_as_it_was_written(study: Api, ask: Any):
    def add(act: Act) -> dict[str, Any]:
        row = {"study_id": 1, "criteria": "RECIST 1.1", "sorted_on": ""}
        for more in ({"response": "PR", "reported": "partial"}, {"reported": "bettered"}, {}):
            act.add(study_tables.tumour_responses, row | more)
        return {}

    write(study, add)
    found = ask('responses { nodes { response } } partial: responses(response: "PR") { totalCount }')
    assert [node["response"] for node in found["responses"]["nodes"]] == ["PR", "bettered", "UNKNOWN"]
    assert found["partial"]["totalCount"] == 1


@pytest.mark.parametrize("plain", [False, True])
def test_alerts_are_told_in_the_order_they_were_raised_and_open_ones_alone(study: Api, plain: bool):
    def raise_them(act: Act) -> dict[str, Any]:
        for number, kind in enumerate(("QTC", "HYS_LAW", "QTC"), 1):
            row = {"kind": kind, "about": f"a{number}", "message": f"no. {number}", "molecule_id": 1, "study_id": 1}
            answered = {"acknowledged_by": "A. Lead", "acknowledged_at": "2024-01-01T00:00:00.000000Z"}
            moment = {"raised_at": f"2024-01-0{4 - number}T00:00:00.000000Z", "node": "Subject", "node_id": 1}
            act.add(study_tables.alerts, row | moment | (answered if number == 1 else {}))
        return {}

    write(study, raise_them)
    document = """query Alerts($open: Boolean, $kinds: [AlertKind!], $molecule: ID) {
      alerts(open: $open, kinds: $kinds, molecule: $molecule) { nodes { message } }
      last: alerts(last: 1) { nodes { message acknowledgedBy evidence { id } molecule { code } study { code } } }
      study(code: "S-1") { alerts(open: true) { totalCount } } }"""

    def told(**variables: Any) -> list[str]:
        result = study.result(document, plain=plain, **variables)
        assert result.errors is None, result.errors
        assert result.data["study"]["alerts"]["totalCount"] == 2
        assert result.data["last"]["nodes"] == [
            {
                "message": "no. 1",
                "acknowledgedBy": "A. Lead",
                "evidence": {"id": global_id("Subject", 1)},
                "molecule": {"code": "IUCT-0001"},
                "study": {"code": "S-1"},
            }
        ]
        return [node["message"] for node in result.data["alerts"]["nodes"]]

    assert told() == ["no. 3", "no. 2", "no. 1"]
    assert told(open=True) == ["no. 3", "no. 2"]
    assert told(open=False) == ["no. 1"]
    assert told(kinds=["QTC"]) == ["no. 3", "no. 1"]
    assert told(kinds=[]) == []
    assert told(molecule=global_id("Molecule", 2)) == []


@pytest.mark.parametrize("plain", [False, True])
def test_an_id_of_something_else_is_an_error_of_its_field_alone(study: Api, plain: bool):
    document = """query Wrong($subject: ID) { study(code: "S-1") { code }
      node(id: "%s") { ... on Molecule { code monitoring(subject: $subject) { totalCount } } } }"""
    result = study.result(document % global_id("Molecule", 1), subject=STUDY, plain=plain)
    assert result.data["study"] == {"code": "S-1"}
    assert result.data["node"] is None
    assert [(error.path, "is not the id of a Subject" in error.message) for error in result.errors] == [
        (["node", "monitoring"], True)
    ]


@pytest.mark.parametrize("plain", [False, True])
def test_a_review_item_leads_to_the_record_in_doubt(study: Api, plain: bool):
    def hold(act: Act) -> dict[str, Any]:
        act.add(study_tables.monitoring_records, concentration(reported="1.234,5"))
        doubt = {"study_id": 1, "explanation": "two ways to read it", "status": "OPEN"}
        act.add(tables.review_items, doubt | {"node": "MonitoringRecord", "node_id": 1})
        act.add(tables.review_items, doubt)
        return {}

    write(study, hold)
    document = """query Held($study: ID) { reviewItems(study: $study) {
      nodes { record { id ... on MonitoringRecord { reported } } } } }"""
    found = study.result(document, study=STUDY, plain=plain).data["reviewItems"]["nodes"]
    assert found == [{"record": {"id": global_id("MonitoringRecord", 1), "reported": "1.234,5"}}, {"record": None}]
