"""Reasons decided on in a table: exported, filled in, handed back by somebody other than the proposer, once."""

from __future__ import annotations

import csv
import getpass
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.reason_decisions import read_reason_decisions
from pipeline.words import AttritionReason

STOPS = """Name,Code,Indication,Stage,Since,Status,Stopped on,Reason
examplinib,EX-1,melanoma,Phase 1,2019-03,DISCONTINUED,2020-01-05,slow accrual and unexpected toxicity
samplimab,EX-2,breast,Phase 2,2019-03,DISCONTINUED,2020-01-05,Fin du financement
testinib,EX-3,lung,Phase 2,2019-03,DISCONTINUED,2020-01-05,"=futility"
quietinib,EX-4,lung,Phase 2,2019-03,DISCONTINUED,2020-01-05,see the minutes
"""
Rows = list[dict[str, str]]


@pytest.fixture
def records(moltrail, tmp_path, monkeypatch):
    """The command line over four stops, for which the rules have proposed five reasons; `amy` is logged in."""
    monkeypatch.setattr(getpass, "getuser", lambda: "amy")
    (tmp_path / "portfolio.csv").write_text(STOPS, encoding="utf-8")
    moltrail.good("import", tmp_path / "portfolio.csv")
    moltrail.good("reasons", "propose")
    return moltrail


@pytest.fixture
def table(records, tmp_path) -> Callable[..., Any]:
    """Export the reasons that wait, fill in decisions by number of the record, and return the file."""

    def fill(*, name="filled.csv", what="waiting-reasons", **decided: str) -> Any:
        file = tmp_path / name
        records.good("export", what, "-o", file)
        rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
        at = {heading: n for n, heading in enumerate(rows[0])}
        for row in rows[1:]:
            decision, _, comment = decided.get(f"r{row[at['record']]}", "").partition("|")
            row[at["decision"]], row[at["comment"]] = decision, comment
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows)
        file.write_text(out.getvalue(), encoding="utf-8", newline="")
        return file

    return fill


def exported(records, tmp_path, what="reasons") -> Rows:
    records.good("export", what, "-o", tmp_path / "now.csv")
    return list(csv.DictReader(io.StringIO((tmp_path / "now.csv").read_text(encoding="utf-8-sig"), newline="")))


def acts(records) -> int:
    return records.good("--json", "db", "status").json()["acts"]


def test_the_table_has_all_that_a_verifier_needs(records, tmp_path):
    rows = exported(records, tmp_path, "waiting-reasons")
    shown = [[row[c] for c in ("record", "version", "of", "stop", "main", "proposed", "words")] for row in rows]
    assert shown == [
        ["1", "1", "EX-1", "DISCONTINUE", "true", "TOX_CLINICAL", "toxicity"],
        ["2", "1", "EX-1", "DISCONTINUE", "false", "ACCRUAL", "slow accrual"],
        ["3", "1", "EX-2", "DISCONTINUE", "true", "FUNDING", "financement"],
        ["4", "1", "EX-3", "DISCONTINUE", "true", "EFFICACY_LACK", "futility"],
        ["5", "1", "EX-4", "DISCONTINUE", "true", "UNSPECIFIED", ""],
    ]
    assert [row["verbatim"] for row in rows][:1] == ["slow accrual and unexpected toxicity"]
    assert {row["decision"] + row["comment"] + row["verified"] for row in rows} == {""}
    assert {row["stopped_on"] for row in rows} == {"2020-01-05"}


def test_decisions_become_verifications_of_whoever_hands_them_in(records, table, tmp_path):
    file = table(
        r1="agree", r2="unspecified|accrual was as planned", r3="OK", r4="tox clinical|it was the liver", r5=""
    )
    done = records.good("--json", "reasons", "verify", "--file", file).json()
    assert {name: done[name] for name in ("agreed", "changed", "unchanged", "undecided")} == {
        **{"agreed": 2, "changed": 2, "unchanged": 0, "undecided": 1},
    }
    rows = exported(records, tmp_path)
    assert [(row["verified"], row["verified_by"], row["version"]) for row in rows] == [
        ("TOX_CLINICAL", "amy (command line)", "2"),
        ("UNSPECIFIED", "amy (command line)", "2"),
        ("FUNDING", "amy (command line)", "2"),
        ("TOX_CLINICAL", "amy (command line)", "2"),
        ("", "", "1"),
    ]
    assert [row["remark"] for row in rows[:4]] == ["", "accrual was as planned", "", "it was the liver"]
    everybody = records.good("--json", "reasons", "agreement").json()[0]
    assert (everybody["stops"], everybody["agreed"]) == (3, 2)
    # Proposed T F E, verified T F T: 2/3 observed; by chance 1/3 * 2/3 + 1/3 * 1/3 = 1/3; kappa (2/3 - 1/3) / (2/3).
    assert everybody["kappa"] == pytest.approx(0.5)
    assert everybody["disagreements"] == [{"proposed": "EFFICACY_LACK", "verified": "TOX_CLINICAL", "count": 1}]
    moves = {row["code"]: row["reason"] for row in _programmes(records)}
    assert moves == {"EX-1": "TOX_CLINICAL", "EX-2": "FUNDING", "EX-3": "TOX_CLINICAL", "EX-4": ""}
    assert [row["record"] for row in exported(records, tmp_path, "waiting-reasons")] == ["5"]
    assert records.good("verify").code == 0


def _programmes(records) -> Rows:
    text = records.good("export", "programmes").out.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_same_table_again_changes_nothing(records, table, tmp_path):
    file = table(r1="agree", r2="unspecified|accrual was as planned", r4="tox clinical")
    records.good("reasons", "verify", "--file", file, "--comment", "read the minutes")
    before, rows = acts(records), exported(records, tmp_path)
    done = records.good("--json", "reasons", "verify", "--file", file, "--comment", "read the minutes").json()
    assert (done["unchanged"], done["agreed"], done["changed"], done["act"]) == (3, 0, 0, None)
    assert acts(records) == before + 1  # the export alone
    assert exported(records, tmp_path) == rows
    assert [row["remark"] for row in rows[:4]] == [
        *("read the minutes", "accrual was as planned", "", "read the minutes"),
    ]


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(records, table, tmp_path):
    file = table(r1="agree", r2="FUNDING", r3="maybe", r4="agree", r5="agree")
    text = file.read_text(encoding="utf-8")
    first, number_4, number_5 = (next(line for line in text.splitlines() if line.startswith(f"{n},1,")) for n in "145")
    other, torn = first.replace("agree", "FUNDING"), "3,1"
    moved = first.replace("1,1,", "3,1,", 1)
    text = text.replace(number_4, f"four{number_4[1:]}").replace(number_5, f"77{number_5[1:]}")
    file.write_text("\n".join([text, other, torn, moved]), encoding="utf-8", newline="")
    before = acts(records)
    answer = records("reasons", "verify", "--file", file)
    assert (answer.code, answer.out) == (2, b"")
    said = [line.partition(": ")[2].split("; ")[0] for line in answer.err.splitlines()]
    assert sorted(said) == sorted(
        [
            "'four' is no number of a record",
            "'maybe' is no decision",
            "comment is empty",
            "row 2 decides otherwise on the same reason, 1",
            "there is no reason 77 in version 1",
            "reason 3 was proposed as FUNDING and not 'TOX_CLINICAL'",
            "the row has 2 cells where the heading has 19",
        ]
    )
    assert acts(records) == before


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (
            ("reasons", "verify", 1, "FUNDING", "--comment", "no"),
            "it was proposed as TOX_CLINICAL and is now verified as FUNDING by bob (command line) on ",
        ),
        (("reasons", "verify", 1, "TOX_CLINICAL"), "and is now verified as TOX_CLINICAL by bob (command line) on "),
    ],
)
def test_a_reason_that_changed_meanwhile_is_refused_with_what_changed(records, table, monkeypatch, other, told):
    file = table(r1="agree", r3="agree")
    monkeypatch.setattr(getpass, "getuser", lambda: "bob")
    records.good(*other)
    monkeypatch.setattr(getpass, "getuser", lambda: "amy")
    before = acts(records)
    answer = records("reasons", "verify", "--file", file)
    assert answer.code == 2
    assert answer.err.startswith("filled.csv, row 2: reason 1 changed since it was exported: ")
    assert told in answer.err
    assert len(answer.err.splitlines()) == 1
    assert acts(records) == before


def test_a_proposal_that_was_replaced_is_refused_with_what_took_its_place(records, table):
    from pipeline.access import Actor, Role
    from pipeline.centre import Centre
    from pipeline.commands.reasons import ProposeReasons
    from pipeline.words import AttritionReason
    from tests.cli.conftest import Caller

    assert isinstance(records, Caller)
    file = table(r1="agree")
    with Centre.open(records.data) as centre, centre.database.read() as connection:
        from pipeline.store.study_tables import attrition_reasons as of

        transition = connection.execute(of.select().where(of.c.id == 1)).one().transition_id
    with Centre.open(records.data) as centre:
        proposed = ProposeReasons(transition=transition, reasons=(AttritionReason.ETHICS,))
        centre.execute(proposed, actor=Actor.of("amy (command line)", Role.LEAD))
    answer = records("reasons", "verify", "--file", file)
    assert "ETHICS is proposed in its place, by amy (command line); export it again" in answer.err
    answer = records("reasons", "verify", "--file", table(r6="agree", r3="agree"))
    assert answer.err == "filled.csv, row 5: amy (command line) proposed this reason; somebody else has to verify it\n"


def test_a_workbook_filled_in_is_taken(records, tmp_path):
    file = tmp_path / "filled.xlsx"
    records.good("export", "reasons", "-o", file)
    book = openpyxl.load_workbook(file)
    sheet = book["reasons"]
    [offer] = sheet.data_validations.dataValidation
    assert (offer.formula1, str(offer.sqref)) == ("Lists!$A$1:$V$1", "K2:K1048576")
    assert [cell.value for cell in book["Lists"][1]] == ["agree", *AttritionReason]
    at = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, at["decision"], "oui")
    sheet.cell(3, at["decision"], True)
    sheet.cell(4, at["decision"], "Staff site")
    sheet.cell(4, at["comment"], "=1+1")
    sheet.cell(6, at["comment"], "ask Bob")
    book.save(file)
    told = records.good("reasons", "verify", "--file", file).text
    assert "2 reasons of filled.xlsx are verified as proposed and 1 as another; 0 were so already, 2 rows" in told
    assert "mind: 1 row(s) have a comment and no decision; nothing of them is kept" in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"record,version,verbatim\n1,1,x\n", "has no column 'decision'; fill in the table as"),
        (b"%PDF-1.4", "is a PDF, not a table"),
        (b"a,b\n" + bytes(range(256)), ""),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(records, tmp_path, content, said):
    (tmp_path / "filled.csv").write_bytes(content)
    answer = records("reasons", "verify", "--file", tmp_path / "filled.csv")
    assert (answer.code, answer.out) == (2, b"")
    assert said in answer.err


CELL = st.sampled_from(
    ["", "1", "1.0", "999999999999999", "agree", "FUNDING", "tox clinical", "=1+1", "-1", "é", "x" * 50]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL), max_size=8))
def test_every_row_is_a_decision_a_problem_or_left(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("record", "Version", "proposed", "Decision", "comment"), *rows])
    said = read_reason_decisions(out.getvalue().encode(), "t.csv")
    wrong = {error.row for error in said.problems}
    filled = [row for row in rows if any(row)]
    assert len(said.decisions) + len(wrong) + said.undecided == len(filled)
    assert said.undecided == sum(not row[3] for row in filled)
    assert not wrong & {one.row for one in said.decisions}


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_refused_by_one_sentence(noise):
    with pytest.raises(FileRefused):
        read_reason_decisions(noise, "t.csv")


def test_one_reason_or_a_table(records, tmp_path):
    for arguments in ([], [1], [1, "FUNDING", "--file", tmp_path / "portfolio.csv"]):
        answer = records("reasons", "verify", *arguments)
        assert (answer.code, "give RECORD and REASON, or --file" in answer.err) == (2, True)
