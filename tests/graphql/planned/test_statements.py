"""How many statements a planned query takes, and what its pages hold while others write."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.sql import operators

from pipeline.store.json_postgres import JsonOfPostgres
from pipeline.store.json_sqlite import JsonOfSqlite
from pipeline.store.nodes import compared
from pipeline.store.skeletons import Bound
from pipeline.store.statements import Prepared
from pipeline.store.study_tables import adverse_events
from tests.graphql.conftest import Api
from tests.graphql.planned.records import fill

MOLECULE = """
query Molecule($id: ID!, $first: Int!, $kinds: [EventKind!]) {
  molecule(id: $id) {
    id code name modality molarMass targets furthestStage { code } activeStage { name }
    synonyms { name source } externalIds { scheme value }
    programmes {
      indication stage { code } status
      transitions { kind from { code } to { code } occurredOn recordedAt actor checkpoint { verdict statistic } }
      checkpoints(first: 5) { totalCount nodes { kind rule { code version } threshold } }
    }
    studies(first: $first) {
      edges { cursor node { code phases doseLevels { label treated doses { molecule amount unit } } } }
      pageInfo { hasNextPage endCursor }
    }
    history(last: $first, kinds: $kinds) {
      totalCount nodes { kind summary recordedAt subject { id ... on Study { title } } } pageInfo { startCursor }
    }
  }
}
"""
BOARD = """
query Board($first: Int!, $after: String) {
  programmes(first: $first, after: $after) {
    totalCount
    nodes { id molecule { code targets furthestStage { code } } stage { code } transitions { kind } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
STUDY = """
query Study($id: ID!, $analyte: String, $from: DateTime, $subject: ID, $grade: Int) {
  study(id: $id) {
    subjects {
      nodes {
        code erased group { parameters } monitoring(first: 2) { nodes { reported } } qualifiers { name value }
        adverseEvents(minGrade: $grade) { totalCount }
      }
    }
    monitoring(analyte: $analyte, sampledFrom: $from, subject: $subject, first: 9) {
      totalCount
      edges {
        cursor
        node {
          concentration belowLimit exclusion { reason scope by at } retestOf { id } counts
          subject { code } pool { code } molecule { name } sourceFile { name } recordedBy
        }
      }
      pageInfo { endCursor hasNextPage }
    }
    laboratory(minGrade: $grade) { nodes { test grade subject { id } } }
    responses { nodes { response assessedOn } } measurements { nodes { value unit } }
    biomarkers { nodes { marker positive } } administrations { nodes { amount molecule { code } } }
    findings { nodes { organ } } dispositions { nodes { term } } reportedParameters { nodes { code value } }
    recordLinks { nodes { record { id } } } alerts(open: true) { nodes { kind evidence { id } } }
  }
}
"""
VERSIONS = """{ study(id: "U3R1ZHk.1") {
  monitoring { nodes { versions { number reasonForChange changes { field after } } } }
} }"""
BELOW_WORKED = """query Below($id: ID!, $of: ID!, $with: Boolean!) {
  study(id: $id) {
    code title arms { label } groups { totalCount }
    pools {
      nodes {
        code
        members {
          x: code y: code group { label parameters } monitoring(first: 2) { totalCount nodes { reported } }
          versions { number } study @include(if: $with) { code }
        }
      }
    }
    exposures { analyte subject { id code monitoring(first: 1) { edges { cursor node { reported } } } } }
  }
  molecule(id: $of) { code programmes { status } exposureMargins { margin study { code arms { label } } } }
}"""
SITES = "{ sites { code name routing } }"


def selects(statements: list[str]) -> list[str]:
    """Return the statements that read."""
    return [statement for statement in statements if "SELECT" in statement]


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        (MOLECULE, {"id": "TW9sZWN1bGU.1", "first": 3, "kinds": ["REGISTERED", "HELD"]}, 1),
        (MOLECULE, {"id": "TW9sZWN1bGU.5", "first": 9}, 1),
        (BOARD, {"first": 10}, 1),
        (STUDY, {"id": "U3R1ZHk.1", "from": "2013-07-02T00:00:00Z", "grade": 1}, 1),
        (STUDY, {"id": "U3R1ZHk.3", "analyte": "plain", "subject": "U3ViamVjdA.2"}, 1),
        (VERSIONS, {}, 3),
        (SITES, {}, 1),
        ("{ reviewItems { totalCount nodes { reported study { code } } } a: checkpointRules { code } }", {}, 2),
        ('{ node(id: "UHJvZ3JhbW1l.1") { ... on Programme { molecule { code } } id } }', {}, 1),
        ('{ molecules(knownAt: "2013-01-01T00:00:00Z", asOf: "2020-01-01T00:00:00Z") { nodes { code } } }', {}, 2),
        ('{ molecule(code: "mol-1") { code history { totalCount } } }', {}, 1),
        ('{ moleculesByCode(codes: ["mol-1", "no such name"]) { code } }', {}, 4),
    ],
)
def test_a_root_field_takes_one_statement_and_twice_the_rows_take_no_more(
    api: Api, statements, document, variables, expected
):
    fill(api.centre, seed=5)
    counts = []
    for seed in (5, 6):
        statements.clear()
        found = api.result(document, **variables)
        assert found.errors is None
        assert found.data == api.result(document, plain=True, **variables).data
        statements.clear()
        api.result(document, **variables)
        counts.append(len(selects(statements)))
        fill(api.centre, seed=seed + 1)
    assert counts == [expected, expected]


def test_other_values_take_the_statement_that_is_there(api: Api, monkeypatch: pytest.MonkeyPatch):
    fill(api.centre, seed=5)
    api(MOLECULE, id="TW9sZWN1bGU.1", first=3, kinds=["REGISTERED"])
    made: list[str] = []
    remade = Prepared.__init__

    def note(self: Prepared, sql: str, *rest: object) -> None:
        made.append(sql)
        remade(self, sql, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Prepared, "__init__", note)
    for number in range(1, 9):
        variables = {"id": f"TW9sZWN1bGU.{number}", "first": number, "kinds": [["HELD"], ["SIGNED"]][number % 2]}
        assert api(MOLECULE, **variables) == api.result(MOLECULE, plain=True, **variables).data
    # The document is parsed anew by every call here, so that each is planned; what differs in value is not.
    assert len(set(made)) == 1


@pytest.mark.parametrize("levels", [3, 6, 9])
def test_deep_queries_are_planned_too(api: Api, statements, levels):
    fill(api.centre, seed=5)
    inner = "code"
    for _ in range(levels):
        inner = f"code programmes {{ status transitions {{ kind programme {{ molecule {{ {inner} }} }} }} }}"
    document = f'{{ molecule(id: "TW9sZWN1bGU.3") {{ {inner} }} }}'
    counts = []
    for _ in range(2):
        statements.clear()
        found = api.result(document)
        counts.append(len(selects(statements)))
        assert found.errors is None
    assert counts[0] == counts[1] <= 1 + levels
    assert found.data == api.result(document, plain=True).data


def test_records_below_worked_values_leave_the_rest_planned(api: Api, statements):
    fill(api.centre, seed=5)
    members = 0
    for number in range(1, 9):
        for included in (True, False):
            ids = {"id": f"U3R1ZHk.{number}", "of": f"TW9sZWN1bGU.{number}", "with": included}
            statements.clear()
            planned = api.result(BELOW_WORKED, **ids)
            counts = [len(selects(statements))]
            statements.clear()
            plain = api.result(BELOW_WORKED, plain=True, **ids)
            counts.append(len(selects(statements)))
            assert (planned.data, planned.errors) == (plain.data, plain.errors)
            study = plain.data["study"]
            if study is not None:
                members += sum(len(pool["members"]) for pool in study["pools"]["nodes"])
                assert counts[0] < counts[1]
    assert members


def test_a_page_neither_repeats_nor_skips_while_others_write(api: Api):
    for number in range(6):
        api.molecule(f"M-{number}")
    seen: list[str] = []
    after = None
    for turn in range(10):
        page = api(BOARD, first=2, after=after)["programmes"]
        seen += [node["molecule"]["code"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if turn < 3:
            api.molecule(f"N-{turn}")
            api.move(page["nodes"][0]["id"], "HOLD", 1, reason="FUNDING")
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [f"M-{n}" for n in range(6)] + ["N-0", "N-1", "N-2"]


def test_the_last_page_costs_what_the_first_does(api: Api, statements):
    fill(api.centre, seed=5, rows=30)
    whole = [node["id"] for node in api(BOARD, first=200)["programmes"]["nodes"]]
    pages: list[str] = []
    after = None
    texts = set()
    while True:
        statements.clear()
        page = api(BOARD, first=3, after=after)["programmes"]
        texts.add((after is None, *selects(statements)))
        pages += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert pages == whole
    assert len(texts) == 2  # without a cursor, and with one: the same statement for every further page


@pytest.mark.parametrize("text", ["\0", "M\0-1", "\ud800", "", "%s :x", "M-1' OR ''='"])
def test_what_no_record_can_be_called_is_not_found(api: Api, text: str):
    api.molecule("M-1")
    document = """query($t: String!) {
      molecule(code: $t) { code } moleculesByCode(codes: [$t, "M-1"]) { code }
      a: study(code: $t) { code } b: study(registryId: $t) { code }
    }"""
    for plain in (False, True):
        found = api.result(document, plain=plain, t=text)
        assert found.errors is None
        assert found.data == {"molecule": None, "moleculesByCode": [None, {"code": "M-1"}], "a": None, "b": None}


@pytest.mark.parametrize("json", [JsonOfSqlite(), JsonOfPostgres()], ids=["sqlite", "postgresql"])
def test_parameters_of_conditions_that_are_gone_are_not_mixed_up(json):
    bound = Bound("x")
    grade = adverse_events.c.grade
    wanted = (select(grade).where(compared(grade, operators.ge, least)) for least in range(200))
    texts = {bound.compiled(json.dialect, statement) for statement in wanted}
    assert len(texts) == 200
    assert sorted(bound.values.values()) == list(range(200))
