"""What waits for a decision: accepting a row enters all that it says."""

import pytest

from tests.graphql.conftest import Api
from tests.imports.conftest import counts, decide, reviews, sent

HEADING = "Name,Code,Modality,Indication,Phase,Date,Status,Stopped on,Reason"
PORTFOLIO = """
{ programmes { nodes {
  molecule { code name modality } indication stage { code } status
  transitions { kind to { code } occurredOn reason reasonVerbatim note }
} } }
"""


@pytest.mark.parametrize(
    ("row", "decision", "entered", "stopped"),
    [
        (
            "A,A-1,antibody,AML,Phase 1,19/05/12,stopped,2014-03,too toxic",
            {"status": "ACCEPTED"},
            "2012-05-19",
            "2014-03",
        ),
        (
            "A,A-1,antibody,AML,Phase 1,2012-05,stopped,19/05/13,too toxic",
            {"status": "ACCEPTED"},
            "2012-05",
            "2013-05-19",
        ),
        (
            "A,A-1,antibody,AML,Phase 1,2012-05,stopped,,too toxic",
            {"status": "CHANGED", "value": "2013"},
            "2012-05",
            "2013",
        ),
        (
            "A,A-1,antibody,AML,Phase 1,,stopped,2014-03,too toxic",
            {"status": "CHANGED", "value": "2012"},
            "2012",
            "2014-03",
        ),
    ],
)
def test_accepting_a_row_enters_all_that_it_says(api: Api, row: str, decision: dict, entered: str, stopped: str):
    content = f"{HEADING}\n{row}\n".encode()
    assert counts(sent(api, "p.csv", content)) == (0, 0, 1, 0)
    (item,) = reviews(api)
    assert decide(api, item["id"], **decision)["errors"] == []
    (programme,) = api(PORTFOLIO)["programmes"]["nodes"]
    assert programme["molecule"] == {"code": "A-1", "name": "A", "modality": "ANTIBODY"}
    assert (programme["indication"], programme["stage"]["code"], programme["status"]) == (
        "AML",
        "PHASE_1",
        "DISCONTINUED",
    )
    assert [(t["kind"], t["occurredOn"], t["reasonVerbatim"]) for t in programme["transitions"]] == [
        ("ADVANCE", entered, None),
        ("DISCONTINUE", stopped, "too toxic"),
    ]
    assert counts(sent(api, "p.csv", content)) == (0, 0, 0, 1)


def test_a_date_that_does_not_fit_the_row_is_refused(api: Api):
    sent(api, "p.csv", f"{HEADING}\nA,A-1,antibody,AML,Phase 1,2012-05,stopped,,too toxic\n".encode())
    (item,) = reviews(api)
    for value, said in (("2011", "comes before"), ("05/06/2013", "day/month"), ("soon", "no date"), ("2098", "future")):
        (error,) = decide(api, item["id"], "CHANGED", value=value)["errors"]
        assert said in error["message"]
    assert decide(api, item["id"], "ACCEPTED")["errors"][0]["path"] == ["input", "value"]
    assert api(PORTFOLIO)["programmes"]["nodes"] == []
    assert [open_["id"] for open_ in reviews(api)] == [item["id"]]


def test_the_same_doubt_about_another_molecule_is_another_question(api: Api):
    row = f"{HEADING}\n{{}},,antibody,AML,Phase 1,19/05/12,,,\n"
    sent(api, "p.csv", row.format("Alphatinib").encode())
    (item,) = reviews(api)
    assert decide(api, item["id"], "REJECTED")["errors"] == []
    assert counts(sent(api, "p.csv", row.format("Alphatinib").encode())) == (0, 0, 0, 1)
    assert counts(sent(api, "p.csv", row.format("Betatinib").encode())) == (0, 0, 1, 0)  # next year's file


def test_a_row_the_graph_cannot_follow_leaves_no_molecule_behind(api: Api):
    content = b"Name,Phase,Date,Status\nA,Withdrawn,2018-07-07,paused\nB,Withdrawn,2018,paused\nB,Phase 1,2012,\n"
    report = sent(api, "p.csv", content)
    assert counts(report) == (1, 2, 0, 0)
    assert report["written"]["molecules"] == 1
    assert [problem["row"] for problem in report["problems"] if problem["kind"] == "QUARANTINED"] == [2, 3]
    assert "the graph knows no" in report["problems"][0]["reason"]
    assert [p["molecule"]["name"] for p in api(PORTFOLIO)["programmes"]["nodes"]] == ["B"]
    assert api("{ molecules { totalCount } }")["molecules"]["totalCount"] == 1
