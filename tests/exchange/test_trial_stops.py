"""Lists of stopped trials: restarts, doubts, damage; nothing dropped, nothing doubled."""

import io
import random
from collections import Counter

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dates import PartialDate
from pipeline.errors import FileRefused
from pipeline.exchange.reading import Duplicate, Place
from pipeline.exchange.registry_status import read_status
from pipeline.exchange.trial_stops import read_trial_stops
from pipeline.words import StudyStatus
from tests.support.datasets import dataset

HEADING = "nctid,stop_date,stop_status,restart_date,restart_status,why_stopped"


def read(*rows, heading=HEADING, encoding="utf-8"):
    return read_trial_stops("\n".join([heading, *rows, ""]).encode(encoding), "stops.csv")


def adds_up(reading):
    outside = len(reading.quarantined) + len(reading.held) + len(reading.duplicates)
    return reading.accepted + outside == reading.rows and sum(len(s.stops) for s in reading.studies) == reading.accepted


def test_a_stop_becomes_a_partial_study_under_its_registry_number():
    reading = read("NCT00000001,2018-03-02,Terminated,NA,NA,slow accrual")
    (study,) = reading.studies
    assert (study.code, study.registry_id, study.source, study.partial) == ("NCT00000001",) * 2 + ("trial-stops", True)
    assert (study.status, study.why_stopped, study.reason, study.row) == (
        StudyStatus.TERMINATED,
        "slow accrual",
        None,
        2,
    )
    (stop,) = study.stops
    assert (stop.stopped_on, stop.status) == (PartialDate.parse("2018-03-02"), StudyStatus.TERMINATED)
    assert (stop.why_stopped, stop.restarted_on, stop.restart_status, stop.flag) == ("slow accrual", None, None, None)
    assert (reading.rows, reading.accepted, reading.flags, reading.warnings) == (1, 1, [], [])


def test_a_final_status_that_was_left_again_is_kept_and_flagged():
    reading = read("NCT00000001,2018-03-02,Withdrawn,2018-06-01,Recruiting,NA")
    (study,) = reading.studies
    assert study.status is StudyStatus.RECRUITING
    assert study.why_stopped is None
    assert study.stops[0].restarted_on == PartialDate.parse("2018-06-01")
    assert study.stops[0].flag == "withdrawn is meant to be final, and yet the trial restarted"
    assert [(flag.place.row, flag.column) for flag in reading.flags] == [(2, "stop_status")]


def test_a_restart_without_a_status_is_flagged_and_leaves_the_status_unknown():
    reading = read("NCT00000001,2018-03-02,Suspended,2018-06-01,NA,NA")
    assert reading.studies[0].status is StudyStatus.UNKNOWN
    assert reading.studies[0].stops[0].flag == "it restarted, but into which status is not said"


@pytest.mark.parametrize(
    ("row", "flag"),
    [
        ("NCT00000001,2018-03-02,Suspended,NA,Completed,x", "it restarted, but when is not said"),
        ("NCT00000001,2018-03-02,Suspended,2018-04,Resting,x", "'Resting' is no known status; kept as reported"),
        ("NCT00000001,2018-03-02,Suspended,2018-04,Terminated,x",
         "Terminated is itself a stop, not a restart; kept as reported"),
        ("NCT00000001,NA,Suspended,NA,NA,x", "it is not known when the trial stopped"),
        ("NCT 00000001,2018-03-02,Suspended,NA,NA,x", "'NCT 00000001' was read as NCT00000001"),
        ('NCT00000001,2018-03-02,Suspended,NA,NA,"=HYPERLINK(""http://x"")"',
         "looks like a formula; kept as text and never computed"),
    ],
)  # fmt: skip
def test_an_odd_row_is_taken_with_a_flag(row, flag):
    reading = read(row)
    assert reading.studies[0].stops[0].flag == flag
    assert [item.reason for item in reading.flags] == [flag]
    assert reading.accepted == 1


def test_a_formula_stays_the_text_it_is():
    reading = read("NCT00000001,2018-03-02,Suspended,NA,NA,=1+cmd|' /C calc'!A0")
    assert reading.studies[0].stops[0].why_stopped == "=1+cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("NCT123,2018-03-02,Suspended,NA,NA,x", "nctid", "'NCT123' is no registry number"),
        (",2018-03-02,Suspended,NA,NA,x", "nctid", "'' is no registry number"),
        ("NCT00000001 NCT00000002,2018-03-02,Suspended,NA,NA,x", "nctid", "is 2 registry numbers"),
        ("NCT00000001,2018-03-02,Completed,NA,NA,x", "stop_status", "'Completed' is no way to stop"),
        ("NCT00000001,2018-03-02,,NA,NA,x", "stop_status", "'' is no way to stop"),
        ("NCT00000001,31.02.2021,Suspended,NA,NA,x", "stop_date", "there is no such day"),
        ("NCT00000001,soon,Suspended,NA,NA,x", "stop_date", "this is no date"),
        ("NCT00000001,2099-02,Suspended,NA,NA,x", "stop_date", "2099-02 lies in the future"),
        ("NCT00000001,2018-03-02,Suspended,2099-02-01,Recruiting,x", "restart_date", "2099-02-01 lies in the future"),
        ("NCT00000001,2018-03-02,Suspended,2018-13-01,Recruiting,x", "restart_date", "there is no such day"),
        ("NCT00000001,2018-03-02,Suspended,2018-03-01,Recruiting,x", "restart_date",
         "it restarted on 2018-03-01, before it stopped on 2018-03-02"),
        ("NCT00000001,2018-03-02,Suspended,NA,NA,x\x00y", "why_stopped", "control characters"),
        ("NCT00000001,2018-03-02,Suspended", None, "3 cells where the heading has 6"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_quarantined_with_its_place(row, column, reason):
    reading = read("NCT00000009,2017-01-01,Terminated,NA,NA,x", row)
    (item,) = reading.quarantined
    assert item.place == Place("stops.csv", 3)
    assert item.column == column
    assert reason in item.reason
    assert [study.code for study in reading.studies] == ["NCT00000009"]
    assert adds_up(reading)


def test_a_restart_in_the_month_of_the_stop_is_no_contradiction():
    reading = read(
        "NCT00000001,2018-03-20,Suspended,2018-03,Recruiting,x",
        "NCT00000002,2018-03-20,Suspended,2018-03-20,Recruiting,x",
    )
    assert reading.accepted == 2
    assert reading.quarantined == []


def test_several_stops_of_one_trial_are_one_study_in_the_order_of_dates():
    reading = read(
        "NCT00000001,2019-03-02,Terminated,NA,NA,no funds",
        "NCT00000002,2017-01-01,Suspended,NA,NA,x",
        "NCT00000001,2017-05-01,Suspended,2017-09,Recruiting,drug supply",
    )
    assert [study.code for study in reading.studies] == ["NCT00000001", "NCT00000002"]
    first = reading.studies[0]
    assert [stop.stopped_on.text for stop in first.stops] == ["2017-05-01", "2019-03-02"]
    assert ([stop.row for stop in first.stops], first.rows) == ([4, 2], 2)
    assert (first.status, first.why_stopped) == (StudyStatus.TERMINATED, "no funds")
    assert adds_up(reading)


def test_an_exact_repetition_is_counted_and_a_contradiction_is_held():
    reading = read(
        "NCT00000001,2018-03-02,Terminated,NA,NA,slow accrual",
        "NCT00000001,2018-03-02,Terminated,NA,NA,slow accrual",
        "NCT00000001,2018-03-02,Terminated,NA,NA,toxicity",
    )
    assert reading.duplicates == [Duplicate(Place("stops.csv", 3), Place("stops.csv", 2))]
    (held,) = reading.held
    assert (held.place.row, held.proposed) == (4, "keep what row 2 says")
    assert len(reading.studies[0].stops) == 1
    assert adds_up(reading)


def test_a_date_of_two_meanings_is_held_until_the_column_settles_it():
    doubtful = read("NCT00000001,03/04/2018,Terminated,NA,NA,x")
    assert [(held.column, held.proposed) for held in doubtful.held] == [("stop_date", "2018-03-04 or 2018-04-03")]
    settled = read("NCT00000001,03/04/2018,Terminated,NA,NA,x", "NCT00000002,25/04/2018,Terminated,NA,NA,x")
    assert settled.studies[0].stops[0].stopped_on.text == "2018-04-03"


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("why_stopped;restart_status;restart_date;stop_status;stop_date;nctid",
         "gelöst;NA;NA;TERMINATED;2018-03-02;NCT00000001"),
        ("NCT Number\tStatus\tDate stopped\tWhy Stopped\tnotes", "NCT00000001\tterminated\t2 March 2018\tgelöst\tmine"),
        ("Registry ID,Stop date,Stop status,Reason", "NCT00000001,2018-03-02,Terminated,gelöst"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "mac_roman", "utf-16"])
def test_columns_come_in_any_order_and_files_in_any_encoding(heading, row, encoding):
    reading = read(row, heading=heading, encoding=encoding)
    assert reading.studies[0].why_stopped == "gelöst"
    assert reading.studies[0].stops[0].stopped_on == PartialDate.parse("2018-03-02")


def test_a_column_that_is_not_read_is_named():
    reading = read("NCT00000001,2018-03-02,Terminated,mine", heading="nctid,stop_date,stop_status,notes")
    assert reading.warnings == ["stops.csv: not read: 'notes'."]


def test_a_workbook_with_a_formula_is_read_and_the_formula_flagged():
    book = openpyxl.Workbook()
    for row in (HEADING.split(","), ["NCT00000001", "2018-03-02", "Terminated", None, None, "=1+1"]):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    reading = read_trial_stops(stream.getvalue(), "stops.xlsx")
    assert reading.accepted == 1
    assert [flag.column for flag in reading.flags] == ["why_stopped"]
    assert "never computed" in reading.flags[0].reason
    assert reading.studies[0].stops[0].why_stopped == "=1+1"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is empty"),
        (b"\x00" * 1_000, "is empty"),
        (b"nctid,why_stopped\nNCT00000001,x\n", "has no column for stop_date, stop_status"),
        (b"a,b,c\n1,2,3\n", "has no column for trial, stop_date, stop_status"),
        (b"%PDF-1.4 x", "a PDF"),
        (random.Random(7).randbytes(10_000_000), "not text"),
        (b"<html><body>x</body></html>", "a web page"),
    ],
    ids=["empty", "nul", "columns", "other", "pdf", "noise", "html"],
)  # fmt: skip
def test_what_is_no_list_of_stopped_trials_is_refused(data, complaint):
    with pytest.raises(FileRefused, match=complaint):
        read_trial_stops(data, "stops.csv")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["NCT00000001", "NCT00000002", "NCT1", "NA"]),
            st.sampled_from(["2018-03-02", "2018", "NA", "02/03/2018", "31.02.2018", "x"]),
            st.sampled_from(["Terminated", "SUSPENDED", "Withdrawn", "Completed", "NA"]),
            st.sampled_from(["NA", "2017-01-01", "2019-01"]),
            st.sampled_from(["NA", "Recruiting", "Odd"]),
            st.text(alphabet="ab =\"'é", max_size=5),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=80, deadline=None)
def test_every_row_is_accounted_for(rows):
    lines = [",".join((*row[:5], '"' + row[5].replace('"', '""') + '"')) for row in rows]
    reading = read(*lines)
    assert reading.rows == len(rows)
    assert adds_up(reading)
    assert all(stop.row for study in reading.studies for stop in study.stops)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Active, not recruiting", StudyStatus.ACTIVE),
        ("ACTIVE_NOT_RECRUITING", StudyStatus.ACTIVE),
        ("Enrolling by invitation", StudyStatus.RECRUITING),
        ("NOT_YET_RECRUITING", StudyStatus.PLANNED),
        ("Unknown status", StudyStatus.UNKNOWN),
        ("WITHHELD", StudyStatus.UNKNOWN),
        ("No longer available", StudyStatus.UNKNOWN),
        ("resting", None),
        ("", None),
    ],
)
def test_status_words_are_read_in_both_spellings(word, status):
    assert read_status(word) is status


def test_the_published_list_of_stops_is_read_whole():
    reading = read_trial_stops((dataset("trial-stops") / "comparator.csv").read_bytes(), "comparator.csv")
    assert (reading.rows, reading.accepted, len(reading.studies)) == (9_665, 9_665, 9_665)
    stops = [stop for study in reading.studies for stop in study.stops]
    assert Counter(stop.status.value for stop in stops) == {"TERMINATED": 5_388, "WITHDRAWN": 2_862, "SUSPENDED": 1_415}
    restarted = [stop for stop in stops if stop.restarted_on]
    assert sum(stop.status is not StudyStatus.SUSPENDED for stop in restarted) == 227
    assert sum(stop.restart_status_reported is None for stop in restarted) == 1
    assert sum(stop.why_stopped is None for stop in stops) == 1_320
    assert len(reading.flags) == 228
