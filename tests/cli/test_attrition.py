"""The attrition review on the command line: tables, files, verification, comparison, refusals."""

import json

import pytest

from tests.cli.conftest import Caller


def rates(answer):
    found = {rule["rule"]: rule for rule in answer["rates"]}
    return {phase["stage"]: phase for phase in found[answer["question"]["rule"]]["phases"]}


def test_tables_for_people(filled: Caller):
    text = filled.good("attrition", "--as-of", "2023-01-01", "--by", "modality").text
    assert "3 programmes with 8 moves, followed until 2023-01-01; 3 entered late; attrition_review 1" in text
    assert "Late share" in text
    assert "By modality" in text
    assert "Fewer than 5 known outcomes in PHASE_1, PHASE_2, PHASE_3" in text


def test_the_same_for_programs(filled: Caller):
    found = filled.good("--json", "attrition", "--as-of", "2023-01-01").json()
    assert (found["method"], found["version"], found["question"]["day"]) == ("attrition_review", 1, "2023-01-01")
    phase_1, phase_3 = (rates(found)[stage] for stage in ("PHASE_1", "PHASE_3"))
    assert (phase_1["entered"], phase_1["advanced"], phase_1["rate"]["value"]) == (1, 1, None)
    assert (phase_3["entered"], phase_3["stopped"], phase_3["rate"]["n"]) == (1, 1, 1)
    assert found["reasons"] == [
        {"contributing": None, "count": 1, "kind": "TOXICITY", "reason": "TOX_CLINICAL", "stage": "PHASE_3"}
    ]
    assert (found["late_share"]["k"], found["late_share"]["n"]) == (1, 1)
    assert found["updates"] is None
    assert filled.good("--json", "attrition", "--checkpoints").json()["updates"] == []


@pytest.mark.parametrize(
    ("options", "programmes"),
    [
        (("--modality", "ANTIBODY"), ["EX-2 (breast)"]),
        (("--status", "DISCONTINUED"), ["EX-1 (melanoma)"]),
        (("--biomarker",), ["EX-1 (melanoma)"]),
        (("--no-biomarker",), ["EX-2 (breast)", "EX-3 (lung)"]),
        (("--target", "her2"), ["EX-2 (breast)"]),
        (("--text", "exa"), ["EX-1 (melanoma)"]),
        (("--disease-group", "breast"), ["EX-2 (breast)"]),
        (("--stage", "PHASE_3", "--stage", "PHASE_2"), ["EX-1 (melanoma)", "EX-2 (breast)"]),
        (("--site", "CLIPP"), ["EX-2 (breast)", "EX-3 (lung)"]),
        (("--site", "ONCOPOLE"), ["EX-1 (melanoma)"]),
        (("--entered-from", "2020-02-02", "--entered-to", "2020-12-31"), ["EX-3 (lung)"]),
        (("--target", "nothing"), []),
    ],
)
def test_filters(filled: Caller, options, programmes):
    assert filled.good("--json", "attrition", *options).json()["standings"]["name"] == programmes


def test_a_review_is_written_and_comes_out_again_after_more_was_recorded(filled: Caller, tmp_path):
    file, more = tmp_path / "review.json", tmp_path / "more.csv"
    filled.good(
        "attrition", "-o", file, "--rule", "path_by_path", "--as-of", "2023-06-01", "--observed-from", "2020-01-01"
    )
    more.write_text(
        "Name,Code,Indication,Stage,Since,Status,Stopped on,Reason\n"
        "samplimab,EX-2,breast,Phase 3,2022-01-05,DISCONTINUED,2022-06-01,EFFICACY_LACK\n"
    )
    filled.good("import", more)
    assert filled.good("attrition", "verify", file).text == f"{file}: every figure comes out as it was written.\n"
    later = tmp_path / "later.json"
    filled.good("attrition", "-o", later, "--rule", "path_by_path", "--as-of", "2023-06-01")
    compared = filled.good("--json", "attrition", "compare", file, later).json()
    assert compared["moved"] == [
        {
            "programme": 2,
            "name": "EX-2 (breast)",
            "from": {"stage": "PHASE_2", "standing": "UNANNOUNCED"},
            "to": {"stage": "PHASE_3", "standing": "STOPPED"},
        }
    ]
    assert {"path": "late_share.n", "before": 1, "after": 2} in compared["figures"]
    assert {one["path"] for one in compared["question"]} == {"known_at", "observed_from"}
    text = filled.good("attrition", "compare", file, later).text
    assert "- EX-2 (breast): PHASE_2 UNANNOUNCED -> PHASE_3 STOPPED" in text


def test_what_was_altered_is_refused_and_what_differs_is_said(filled: Caller, tmp_path):
    from pipeline.attrition.review_json import FORMAT, digest

    file = tmp_path / "review.json"
    filled.good("attrition", "-o", file)
    content = json.loads(file.read_bytes())
    content["review"]["programmes"] = 4
    file.write_text(json.dumps(content))
    answer = filled("attrition", "verify", file)
    assert (answer.code, "was altered after it was written" in answer.err) == (2, True)
    body = json.dumps(content["review"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    file.write_text(json.dumps({"format": FORMAT, "sha256": digest(body), "review": content["review"]}))
    answer = filled("--json", "attrition", "verify", file)
    assert answer.code == 1
    assert answer.json()["differences"] == [{"path": "programmes", "before": 4, "after": 3}]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("window", [None, 3], "does not say what it was asked"),
        ("known_at", -5, "does not say what it was asked"),
        ("known_at", 99, "which these records do not hold"),
        ("rule", "GUESS", "is no counting rule"),
        ("day", "2026-13-45", "takes a day that exists"),
        ("filter", {"stage": ["MARS"]}, "is not a stage"),
    ],
)
def test_a_question_nobody_can_ask_is_refused_though_its_digest_fits(filled: Caller, tmp_path, name, value, said):
    from pipeline.attrition.review_json import FORMAT, digest

    file = tmp_path / "review.json"
    filled.good("attrition", "-o", file)
    review = json.loads(file.read_bytes())["review"]
    review["question"][name] = value
    body = json.dumps(review, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    file.write_text(json.dumps({"format": FORMAT, "sha256": digest(body), "review": review}))
    answer = filled("attrition", "verify", file)
    assert (answer.code, said in answer.err) == (2, True), answer.err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 50,
        b"[]",
        b"{}",
        b'{"format": "moltrail attrition review"}',
        b"{" * 5000,
        b'{"a":' * 3000,
        b"\xff\xfe{}",
    ],
)
def test_a_file_that_is_no_review_is_refused_in_a_sentence(filled: Caller, tmp_path, content):
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    for call in (("verify", file), ("compare", file, file)):
        answer = filled("attrition", *call)
        assert answer.code == 2
        assert answer.err.count("\n") == 1
        assert "Internal error" not in answer.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stage", "PHASE_9"), "is not a stage"),
        (("--site", "MARS"), "is no site"),
        (("--as-of", "2021-02-30"), "takes a day that exists"),
        (("--entered-from", "soon"), "--entered-from takes a day that exists"),
        (("--exits-from", "soon"), "window takes a day that exists"),
        (("--exits-from", "2020-01-01", "--exits-to", "2019-01-01"), "before it begins"),
        (("--observed-from", "dawn"), "observed from takes a day"),
        (("--rule", "GUESS"), "phase_by_phase"),
        (("-o", "review.docx"), "ends in none of .json"),
    ],
)
def test_refusals_say_what_is_wrong(filled: Caller, options, said):
    answer = filled("attrition", *options)
    assert answer.code == 2
    assert said in answer.err


def test_silence_limits_are_set_by_stage(filled: Caller, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text("[silence_days]\nPHASE_1_2 = 30000\n")
    before, after = (
        filled.good("--json", "attrition", "--as-of", "2026-11-01", *options).json()
        for options in ((), ("--settings", settings))
    )
    assert before["standings"]["standing"][2] == "STALLED"
    assert after["standings"]["standing"][2] == "IN_PHASE"
    settings.write_text("[silence_days]\nPHASE_1_2 = -1\n")
    answer = filled("attrition", "--settings", settings)
    assert (answer.code, "silence_days.PHASE_1_2 has to be a whole number of days" in answer.err) == (2, True)


def test_an_empty_record_has_nothing_to_review(moltrail: Caller, tmp_path):
    assert "there are no records" in moltrail("attrition").err
    moltrail.good("db", "upgrade")
    text = moltrail.good("attrition").text
    assert "No programme fits what was asked: there is nothing to review." in text


TRIALS = b"""nctid,status,why_stop,phase,diseases,drugs
NCT90000001,completed,,phase 1,['glioma'],['alphol']
NCT90000002,terminated,closed due to toxicity,phase 1/phase 2,['glioma'],"['alphol', 'betol']"
NCT90000003,withdrawn,slow accrual,phase 1/phase 2,['melanoma'],['betol']
NCT90000003,withdrawn,slow accrual,phase 1/phase 2,['melanoma'],['betol']
NCT90000004,suspended,,,['melanoma'],['gammol']
"""
STOPS = b"""nctid,stop_date,stop_status,restart_date,restart_status,why_stopped
NCT90000004,2012-03-04,Suspended,2012-06-01,Recruiting,supply
NCT90000004,2014-01-05,Suspended,NA,NA,supply
"""


def test_studies_are_counted_as_their_tables_say(moltrail: Caller, tmp_path):
    trials, stops = tmp_path / "trials.csv", tmp_path / "stops.csv"
    trials.write_bytes(TRIALS)
    stops.write_bytes(STOPS)
    report = moltrail.good("--json", "import", trials).json()["report"]
    assert [report[name] for name in ("format", "rows", "accepted", "duplicates")] == ["trial-table", 5, 4, 1]
    moltrail.good("import", stops)
    found = moltrail.good("--json", "attrition", "studies").json()
    assert (found["studies"], found["stopped"]) == (4, 3)
    assert {(one["phase"], one["status"]): one["studies"] for one in found["by_phase"]} == {
        ("PHASE_1", "COMPLETED"): 1,
        ("PHASE_1_2", "TERMINATED"): 1,
        ("PHASE_1_2", "WITHDRAWN"): 1,
        ("none said", "SUSPENDED"): 1,
    }
    assert (found["stops"], found["restarts"]) == ({"2012": 1, "2014": 1}, {"2012": 1})
    assert {one["reason"] for one in found["reasons"]} == {"not proposed yet"}
    moltrail.good("reasons", "propose")
    text = moltrail.good("attrition", "studies").text
    assert "4 studies, 3 of them stand stopped" in text
    assert all(word in text for word in ("TOX_CLINICAL", "ACCRUAL", "proposed"))
