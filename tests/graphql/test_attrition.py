"""The attrition review over GraphQL: what it answers, when it was known, and for which programmes."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM
from pipeline.commands.imports import ImportFiles
from pipeline.commands.reasons import ProposeReasons, VerifyReason
from pipeline.exchange.formats import read_files
from pipeline.reports.attrition_portfolio import forget, portfolio_of
from pipeline.store import tables
from pipeline.store.study_tables import attrition_reasons
from pipeline.words import AttritionReason
from tests.graphql.conftest import Api

REVIEW = """
query Review($filter: PortfolioFilter, $rule: CountingRule, $asOf: DateTime, $knownAt: DateTime) {
  attrition(filter: $filter, countingRule: $rule, asOf: $asOf, knownAt: $knownAt) {
    countingRule methodVersion programmes followedUntil lateEntries definition
    phases {
      stage { code name } entered advanced stopped unannounced inPhase stalled medianYears
      rate { value k n low high method reason }
    }
    likelihoodOfApproval { value k n low high method }
    lateShare { value k n }
    lateShareByYear { year share { k n } }
    reasons { stage { code } reason count contributing }
    incidence(stage: "PHASE_2") { cause years probability low high atRisk }
    groups(dimension: "modality") { group programmes phases { rate { k n } } lateShare { k n } }
    benchmarks { source population definition stage rate n own { value k n } difference beyondChance statement }
    caveats { code sentence count names }
  }
}
"""
HEAD = "Name,Code,Modality,Disease group,Stage,Since,Status,Stopped on,Reason,Note\n"


def put_on_record(api: Api, *rows: str):
    files = [("portfolio.csv", (HEAD + "\n".join(rows) + "\n").encode())]
    with api.centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files("portfolio", files, graph)
    api.centre.execute(ImportFiles.of(reading, files, name="portfolio.csv"), actor=SYSTEM)
    assert (reading.quarantined, reading.held) == ([], [])


@pytest.fixture
def filled(api: Api) -> Api:
    rows = []
    for n in range(6):
        rows += [
            f"a{n},A-{n},ANTIBODY,breast,Phase 2,2010-0{n + 1}-01,,,,",
            f"a{n},A-{n},ANTIBODY,breast,Phase 3,2012-0{n + 1}-01,DISCONTINUED,2014-06-01,EFFICACY_LACK,",
        ]
    rows += [f"s{n},S-{n},SMALL_MOLECULE,melanoma,Phase 2,2011-01-01,DISCONTINUED,2013,TOX_CLINICAL," for n in range(4)]
    rows.append("late,L-1,PEPTIDE,,Phase 2,2013-05-01,,,,")
    put_on_record(api, *rows)
    return api


def phases(answer):
    return {phase["stage"]["code"]: phase for phase in answer["phases"]}


def test_a_review(filled: Api):
    found = filled(REVIEW, asOf="2016-01-01T00:00:00Z")["attrition"]
    assert (found["countingRule"], found["methodVersion"]) == ("PHASE_BY_PHASE", "attrition_review 1")
    assert (found["programmes"], found["followedUntil"], found["lateEntries"]) == (11, "2016-01-01", 11)
    second, third = (phases(found)[code] for code in ("PHASE_2", "PHASE_3"))
    assert [second[name] for name in ("entered", "advanced", "stopped", "inPhase", "stalled")] == [11, 6, 4, 1, 0]
    assert (second["rate"]["value"], second["rate"]["k"], second["rate"]["n"]) == (0.6, 6, 10)
    assert second["rate"]["low"] == pytest.approx(0.3127, abs=1e-4)
    assert second["rate"]["method"] == "Wilson score, 95 %"
    assert second["medianYears"] == pytest.approx(2.0, abs=0.01)
    assert (third["rate"]["value"], third["rate"]["n"]) == (0.0, 6)
    assert phases(found)["PHASE_1"]["rate"]["reason"] == "nothing to count"
    assert found["likelihoodOfApproval"]["value"] is None
    assert found["lateShare"] == {"value": 0.6, "k": 6, "n": 10}
    assert [(one["year"], one["share"]["k"], one["share"]["n"]) for one in found["lateShareByYear"]] == [
        (2013, 0, 4),
        (2014, 6, 6),
    ]
    assert [(one["stage"]["code"], one["reason"], one["count"]) for one in found["reasons"]] == [
        ("PHASE_2", "TOX_CLINICAL", 4),
        ("PHASE_3", "EFFICACY_LACK", 6),
    ]
    curves = {one["cause"]: one for one in found["incidence"]}
    assert curves["TOXICITY"]["probability"][-1] == pytest.approx(4 / 11)
    assert curves["ADVANCED"]["atRisk"][0] == 11
    assert all(
        low <= p <= high
        for one in found["incidence"]
        for low, p, high in zip(one["low"], one["probability"], one["high"], strict=True)
    )
    assert [(one["group"], one["programmes"]) for one in found["groups"]] == [
        ("ANTIBODY", 6),
        ("PEPTIDE", 1),
        ("SMALL_MOLECULE", 4),
    ]
    beside = next(one for one in found["benchmarks"] if (one["stage"], one["n"]) == ("PHASE_2", 1732))
    assert (beside["rate"], beside["own"]["k"], beside["beyondChance"]) == (0.246, 6, True)
    assert {one["code"] for one in found["caveats"]} >= {"vague_dates", "late_entry", "no_contributing"}


@pytest.mark.parametrize(
    ("rule", "first", "second"),
    [("PHASE_BY_PHASE", 0, 11), ("PATH_BY_PATH", 11, 11), ("PROGRESSION_DECISION", 0, 11)],
)
def test_each_counting_rule(filled: Api, rule, first, second):
    found = filled(REVIEW, rule=rule, asOf="2016-01-01T00:00:00Z")["attrition"]
    assert found["countingRule"] == rule
    assert [phases(found)[f"PHASE_{n}"]["entered"] for n in (1, 2)] == [first, second]


@pytest.mark.parametrize(
    ("wanted", "programmes"),
    [
        ({"modality": ["ANTIBODY", "PEPTIDE"]}, 7),
        ({"diseaseGroup": ["melanoma"]}, 4),
        ({"status": ["DISCONTINUED"], "stage": ["PHASE_3"]}, 6),
        ({"biomarkerSelected": True}, 0),
        ({"enteredFrom": "2012-03-01", "enteredTo": "2013-12-31"}, 5),
        ({"text": "S-1"}, 1),
        ({"target": "EGFR"}, 0),
        ({"site": ["ONCOPOLE"]}, 6),
    ],
)
def test_filters_choose_the_programmes_that_the_list_of_programmes_shows(filled: Api, wanted, programmes):
    found = filled(REVIEW, filter=wanted)["attrition"]
    listed = filled("query P($f: PortfolioFilter) { programmes(filter: $f) { totalCount } }", f=wanted)
    assert found["programmes"] == listed["programmes"]["totalCount"] == programmes


def test_a_review_as_known_does_not_change_when_more_is_recorded(filled: Api):
    moment = datetime.now(UTC).isoformat()
    before = filled(REVIEW, knownAt=moment)["attrition"]
    put_on_record(
        filled, "late,L-1,PEPTIDE,,Phase 3,2014-05-01,DISCONTINUED,2014-06-01,TOX_CLINICAL,", "n,N,,,Phase 1,2015,,,,"
    )
    assert filled(REVIEW, knownAt=moment)["attrition"] == before
    after = filled(REVIEW)["attrition"]
    assert (after["programmes"], after["lateShare"]["n"]) == (12, 11)
    forget()
    assert filled(REVIEW, knownAt=moment)["attrition"] == before


def test_planned_and_plain_answers_are_the_same(filled: Api):
    planned, plain = (filled.result(REVIEW, plain=plain, asOf="2016-01-01T00:00:00Z") for plain in (False, True))
    assert planned.errors is plain.errors is None
    assert planned.data == plain.data


def test_an_empty_record_and_an_unknown_stage(api: Api):
    found = api(REVIEW)["attrition"]
    assert (found["programmes"], found["incidence"]) == (0, [])
    assert [one["code"] for one in found["caveats"]] == ["empty"]
    refused = api.result('{ attrition { incidence(stage: "PHASE_9") { cause } } }')
    assert "'PHASE_9' is not a stage" in refused.errors[0].message


def test_moves_told_by_snapshots_lie_between_them(api: Api):
    snapshots = [
        (f"{year}-01-10.csv", f"name,phase\nx{tail}\n".encode())
        for year, tail in ((2015, ",Phase 1"), (2017, ",Phase 2"))
    ]
    with api.centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files("snapshots", snapshots, graph)
    api.centre.execute(ImportFiles.of(reading, snapshots, name="snapshots"), actor=SYSTEM)
    with api.centre.read() as reader:
        _, portfolio = portfolio_of(reader)
    assert portfolio.sighted.tolist() == [True]
    assert (portfolio.latest - portfolio.earliest).tolist() == [0, 731]


def test_the_portfolio_is_read_once_until_something_is_recorded(filled: Api):
    scans = []
    engine = filled.centre.database.reader

    def note(_connection, _cursor, statement, *_args):
        scans.append("FROM transitions" in statement)

    forget()
    event.listen(engine, "before_cursor_execute", note)
    try:
        filled("{ attrition { programmes } }")
        filled("{ attrition(filter: {modality: [ANTIBODY]}) { programmes } }")
        assert sum(scans) == 1
        put_on_record(filled, "n,N,,,Phase 1,2015,,,,")
        assert filled("{ attrition { programmes } }")["attrition"]["programmes"] == 12
        assert sum(scans) == 2
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_contributing_reasons_count_once_somebody_has_verified_them(filled: Api):
    with filled.centre.database.read() as connection:
        move = tables.transitions.c
        stop = connection.execute(select(move.id).where(move.reason == "TOX_CLINICAL").order_by(move.id)).scalar()
    reasons = (AttritionReason.TOX_CLINICAL, AttritionReason.ACCRUAL)
    filled.centre.execute(ProposeReasons(transition=stop, reasons=reasons), actor=filled.actor)
    with filled.centre.database.read() as connection:
        of = attrition_reasons.c
        [record] = connection.execute(select(of.id).where(~of.main)).scalars()
    before = filled(REVIEW)["attrition"]["reasons"]
    assert [one["contributing"] for one in before] == [None, None]
    filled.centre.execute(VerifyReason(record, AttritionReason.ACCRUAL), actor=Actor.of("B. Reader", Role.LEAD))
    found = filled(REVIEW)["attrition"]["reasons"]
    assert [(one["reason"], one["count"], one["contributing"]) for one in found] == [
        ("TOX_CLINICAL", 4, 0),
        ("ACCRUAL", 0, 1),
        ("EFFICACY_LACK", 6, 0),
    ]
    assert filled(REVIEW, asOf="2012-12-31T00:00:00Z")["attrition"]["reasons"] == []
