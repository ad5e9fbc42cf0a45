"""moltrail reasons: proposals for texts and tables, and their quality on labels."""

import csv
import io

import pytest

TABLE = """nctid,stop_date,why_stopped
NCT00000001,2019-01-01,"Slow accrual; PI left, not due to safety"
NCT00000002,2019-01-01,NA
NCT00000003,2019-01-01,"=HYPERLINK(""x"") lack of funding"
"""


def test_a_text_is_told_with_the_words_that_speak_for_each_reason(moltrail):
    told = moltrail.good("reasons", "classify", "slow accrual; PI left, not due to safety", "Study terminated").text
    assert 'primary: ACCRUAL, from "slow accrual" (too-few)' in told
    assert 'also: STAFF_SITE, from "PI left" (people)' in told
    assert 'ruled out: TOX_CLINICAL, in "safety" (harm)' in told
    assert "cannot tell (STOP_WITHOUT_REASON): it tells that it stopped, or when, and not why." in told


def test_a_text_as_json(moltrail):
    (found,) = moltrail.good("--json", "reasons", "classify", "Arrêt pour futilité").json()
    assert (found["primary"], found["why"], found["openTargets"]) == ("EFFICACY_LACK", None, ["Negative"])
    assert found["reasons"][0]["triggers"] == [
        {"rule": "fr-no-effect", "language": "fr", "words": "futilité", "start": 11, "end": 19}
    ]


def test_a_table_is_proposed_for_row_by_row(moltrail, tmp_path):
    (tmp_path / "stops.csv").write_text(TABLE, encoding="utf-8")
    out = tmp_path / "proposals.csv"
    told = moltrail.good("reasons", "classify", "--file", tmp_path / "stops.csv", "-o", out).text
    assert "3 proposals" in told
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [(row["row"], row["key"], row["primary"], row["further"]) for row in rows] == [
        ("2", "NCT00000001", "ACCRUAL", "STAFF_SITE"),
        ("3", "NCT00000002", "UNSPECIFIED", ""),
        ("4", "NCT00000003", "FUNDING", ""),
    ]
    assert rows[0]["ruled_out"] == "TOX_CLINICAL"
    assert rows[1]["why"] == "NO_TEXT"
    assert rows[2]["text"].startswith("'=")
    counted = moltrail.good("--json", "reasons", "classify", "--file", tmp_path / "stops.csv", "-o", out).json()
    assert counted["primary"] == {"ACCRUAL": 1, "UNSPECIFIED": 1, "FUNDING": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["classify"], "give texts, or --file"),
        (["classify", "x", "--file", "{folder}/stops.csv"], "give texts, or --file"),
        (["classify", "--file", "{folder}/none.csv"], "cannot be read"),
        (["classify", "--file", "{folder}/stops.csv", "--column", "wrong"], "has no column 'wrong'; it has 'nctid'"),
        (["classify", "--file", "{folder}/bare.csv"], "has no column that holds texts; name it, one of 'a', 'b'"),
        (["evaluate", "{folder}/stops.csv"], "needs a column of labels"),
        (["evaluate", "{folder}/mixed.csv"], "row 3: 'Bananas' is neither a reason"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(moltrail, tmp_path, arguments, said):
    (tmp_path / "stops.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "bare.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "mixed.csv").write_text("text,label\nslow accrual,ACCRUAL\nx,Bananas\n", encoding="utf-8")
    answer = moltrail("reasons", *(word.format(folder=tmp_path) for word in arguments))
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == b""


OURS = """text,label,further
slow accrual,ACCRUAL,
lack of efficacy and toxicity,EFFICACY_LACK,TOX_CLINICAL
no money left,STRATEGIC,
lorem ipsum,UNSPECIFIED,
"""
THEIRS = """text,label
slow accrual,Insufficient_Enrollment
lack of efficacy and toxicity,Negative
lack of efficacy and toxicity,Safety_Sideeffects
COVID-19 pandemic,Covid19
sponsor decision,Business_Administrative
PI left,Study_Staff_Moved
interim analysis,Interim_Analysis
"""


def test_labels_of_our_own_are_compared(moltrail, tmp_path):
    (tmp_path / "ours.csv").write_text(OURS, encoding="utf-8")
    found = moltrail.good("--json", "reasons", "evaluate", tmp_path / "ours.csv").json()
    assert (found["labels"], found["texts"], found["primaryRight"], found["allRight"]) == ("attrition reasons", 4, 3, 3)
    classes = {one["class"]: one for one in found["classes"]}
    assert (classes["FUNDING"]["proposed"], classes["FUNDING"]["precision"], classes["FUNDING"]["recall"]) == (
        1,
        0,
        None,
    )
    assert (classes["TOX_CLINICAL"]["recall"], classes["STRATEGIC"]["recall"]) == (1, 0)
    assert found["confused"] == [{"labelled": "STRATEGIC", "proposed": "FUNDING", "times": 1}]
    told = moltrail.good("reasons", "evaluate", tmp_path / "ours.csv").text
    assert "primary right: 3/4 = 0.75 (0.30-0.95)" in told
    assert "STRATEGIC as FUNDING: 1" in told


def test_classes_of_open_targets_are_understood(moltrail, tmp_path):
    (tmp_path / "theirs.csv").write_text(THEIRS, encoding="utf-8")
    found = moltrail.good("--json", "reasons", "evaluate", tmp_path / "theirs.csv").json()
    assert (found["labels"], found["texts"], found["primaryRight"], found["allRight"]) == (
        "Open Targets classes",
        6,
        6,
        6,
    )


def test_labels_and_texts_in_two_files_and_one_part_alone(moltrail, tmp_path):
    (tmp_path / "stops.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "labels.csv").write_text(
        "nctid,part,reason,further\nNCT00000001,open,ACCRUAL,STAFF_SITE\nNCT00000003,held_out,FUNDING,\n",
        encoding="utf-8",
    )
    arguments = ["--json", "reasons", "evaluate", tmp_path / "labels.csv", "--texts", tmp_path / "stops.csv"]
    assert moltrail.good(*arguments).json()["texts"] == 2
    found = moltrail.good(*arguments, "--part", "open").json()
    assert (found["texts"], found["allRight"]) == (1, 1)


PORTFOLIO = """Name,Code,Indication,Stage,Since,Status,Stopped on,Reason
examplinib,EX-1,melanoma,Phase 1,2019-03,DISCONTINUED,2020-01-05,slow accrual and unexpected toxicity
samplimab,EX-2,breast,Phase 2,2019-03,DISCONTINUED,2020-01-05,Fin du financement
"""


def test_reasons_are_proposed_listed_verified_and_compared(moltrail, tmp_path):
    (tmp_path / "portfolio.csv").write_text(PORTFOLIO, encoding="utf-8")
    moltrail.good("import", tmp_path / "portfolio.csv")
    assert moltrail.good("reasons", "propose").text.startswith("3 reasons are proposed for 2 stops;")
    assert moltrail.good("--json", "reasons", "propose").json() == {"stops": 0, "reasons": 0}
    told = moltrail.good("reasons", "waiting").text
    assert "3 proposals wait for a verifier" in told
    assert "slow accrual" in told
    rows = moltrail.good("--json", "reasons", "waiting").json()
    assert [(row["of"], row["reason"], row["main"]) for row in rows] == [
        ("EX-1", "TOX_CLINICAL", True),
        ("EX-1", "ACCRUAL", False),
        ("EX-2", "FUNDING", True),
    ]
    assert "and 2 more; --most shows more at once" in moltrail.good("reasons", "waiting", "--most", "1").text
    refused = moltrail("reasons", "verify", rows[0]["id"], "EFFICACY_LACK")
    assert (refused.code, refused.err) == (2, "comment is empty; give it\n")
    wrong = moltrail("reasons", "verify", rows[0]["id"], "bananas")
    assert (wrong.code, "'bananas' is no reason; known are TOX_NONCLINICAL" in wrong.err) == (2, True)
    told = moltrail.good("reasons", "verify", rows[0]["id"], "efficacy_lack", "--comment", "see the minutes").text
    assert told == f"Reason {rows[0]['id']} is verified as EFFICACY_LACK.\n"
    moltrail.good("reasons", "verify", rows[2]["id"], "FUNDING")
    assert [row["reason"] for row in moltrail.good("--json", "reasons", "waiting").json()] == ["ACCRUAL"]
    everybody, rules, people = moltrail.good("--json", "reasons", "agreement").json()
    assert (everybody["stops"], everybody["agreed"], people["stops"]) == (2, 1, 0)
    assert everybody["disagreements"] == [{"proposed": "TOX_CLINICAL", "verified": "EFFICACY_LACK", "count": 1}]
    assert rules["kappa"] == everybody["kappa"]
    assert "TOX_CLINICAL proposed, EFFICACY_LACK verified: 1" in moltrail.good("reasons", "agreement").text


def test_without_records_there_is_nothing_to_list(moltrail):
    answer = moltrail("reasons", "waiting")
    assert answer.code == 2
    assert "there are no records in" in answer.err


STOPS = """nctid,stop_date,stop_status,restart_date,restart_status,why_stopped
NCT00000001,2019-01-01,Terminated,NA,NA,Slow accrual
NCT00000002,2019-01-01,Withdrawn,NA,NA,No funding
"""


def test_a_verified_reason_outlives_another_import_of_the_same_words(moltrail, tmp_path):
    for name, text in (
        ("stops.csv", STOPS),
        ("later.csv", STOPS.replace("2019-01-01", "2019-02-01")),
        ("other.csv", STOPS.replace("2019-01-01", "2019-03-01").replace("Slow accrual", "Sponsor decision")),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def reasons():
        moltrail.good("export", "studies", "-o", tmp_path / "studies.csv")
        rows = csv.DictReader(io.StringIO((tmp_path / "studies.csv").read_text(encoding="utf-8-sig")))
        return {row["registry_id"]: row["reason"] for row in rows}

    moltrail("import", tmp_path / "stops.csv")
    moltrail.good("reasons", "propose")
    moltrail.good("reasons", "verify", 1, "ACCRUAL")
    moltrail.good("reasons", "verify", 2, "STRATEGIC", "--comment", "the sponsor gave it up")
    assert reasons() == {"NCT00000001": "ACCRUAL", "NCT00000002": "STRATEGIC"}
    moltrail("import", tmp_path / "later.csv")
    assert reasons() == {"NCT00000001": "ACCRUAL", "NCT00000002": "STRATEGIC"}
    moltrail("import", tmp_path / "other.csv")
    assert reasons() == {"NCT00000001": "", "NCT00000002": "STRATEGIC"}
