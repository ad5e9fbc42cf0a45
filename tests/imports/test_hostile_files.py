"""Files that are not what they should be: one clear sentence or a quarantined row, and nothing half-written."""

import io
import json
import os
import zipfile

import pytest

from pipeline.access import Actor, Role
from pipeline.errors import FileRefused
from pipeline.exchange.formats import FORMATS, read_files
from pipeline.stages.graph import default_graph
from tests.graphql.conftest import Api
from tests.imports.conftest import IMPORT, Sent, answer, counts, sent, versions, zipped
from tests.imports.test_studies import PHASE1, STOPS, record

NOISE = os.urandom(10 * 1024 * 1024)


def bomb() -> bytes:
    """Return an archive that unpacks to a thousand times its size."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("portfolio.csv", b"\x20" * 50_000_000)
    return out.getvalue()


def lying_bomb() -> bytes:
    """Return an archive whose directory says its file is small, and it is not."""
    content = bytearray(bomb())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(content)


REFUSED = {
    "empty": b"",
    "blanks": b" \r\n\t\r\n",
    "noise": NOISE,
    "NULs": b"\x00" * 100_000,
    "a PDF": b"%PDF-1.7\n" + NOISE[:5000],
    "a picture": b"\x89PNG\r\n\x1a\n" + NOISE[:5000],
    "an old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000,
    "a web page": b"<!DOCTYPE html><html><body><table><tr><td>Name</td></tr></table></body></html>",
    "no heading": b"just a line of text without any table in it",
    "wrong columns": b"Apples,Pears\n1,2\n3,4\n",
    "deep JSON": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "JSON of something else": b'{"hello": "world"}',
    "a damaged archive": zipped({"a.csv": STOPS})[:60],
    "an empty archive": zipped({}),
    "an archive in an archive": zipped({"inner.zip": zipped({"a.csv": STOPS})}),
    "a bomb": bomb(),
    "a lying bomb": lying_bomb(),
    "too many files": zipped({f"{n}.csv": b"a" for n in range(1001)}),
    "half a set of trials": zipped({name: PHASE1[name] for name in ("trial.csv", "drug.csv")}),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_file_of_any_format_is_refused_in_a_sentence_and_nothing_is_written(api: Api, kind):
    before = versions(api.centre)
    found = answer(api, f"{kind}.csv", REFUSED[kind])
    assert found["report"] is None
    [error] = found["errors"]
    assert error["code"] in ("FILE_REFUSED", "INVALID_INPUT"), error
    assert 20 < len(error["message"]) < 700
    assert error["message"].isprintable()
    assert versions(api.centre) == before


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", REFUSED)
def test_each_reader_refuses_what_is_no_file_of_its_format(kind, format):
    with pytest.raises(FileRefused):
        read_files(format, [(f"{kind}.csv", REFUSED[kind])], default_graph())


def test_an_unknown_format_is_refused_with_those_that_are_known(api: Api):
    [error] = answer(api, "a.csv", STOPS, format="excel")["errors"]
    assert all(format in error["message"] for format in FORMATS)


BAD_ROWS = [
    ("a formula", "=HYPERLINK(A1),Lung,Phase 1,2020-01"),
    ("a command", "Alphol,Lung,=cmd|' /C calc'!A0,2020-01"),
    ("no such day", "Alphol,Lung,Phase 1,31.02.2021"),
    ("a day to come", "Alphol,Lung,Phase 1,2999-01-01"),
    ("no stage", "Alphol,Lung,Phase 17,2020-01"),
    ("NUL", "Alp\x00hol,Lung,Phase 1,2020-01"),
    ("too few cells", "Alphol,Lung"),
    ("too many cells", "Alphol,Lung,Phase 1,2020-01,more,and more"),
    ("no name", ",Lung,Phase 1,2020-01"),
    ("a name of signs", "---,Lung,Phase 1,2020-01"),
    ("a name without end", f"{'x' * 5000},Lung,Phase 1,2020-01"),
    ("half a sign", "Alphol,Lung,\ud800,2020-01"),
]


@pytest.mark.parametrize(("kind", "row"), BAD_ROWS, ids=[kind for kind, _ in BAD_ROWS])
def test_a_bad_row_is_set_aside_with_its_reason_and_the_others_are_taken(api: Api, kind, row):
    content = f"Name,Indication,Stage,Since\nGoodol,Lung,Phase 1,2020-01\n{row}\nBetol,Lung,Phase 2,2020-01\n"
    report = sent(api, "rows.csv", content.encode("utf-8", "surrogatepass"), format="portfolio")
    accepted, quarantined, held, duplicates = counts(report)
    assert (accepted, quarantined + held, duplicates) == (2, 1, 0), report["problems"]
    [problem] = [problem for problem in report["problems"] if problem["kind"] != "FLAGGED"]
    assert problem["row"] == 3
    assert len(problem["reason"]) > 10
    assert api.centre.verify().problems == []


def test_a_record_that_is_damaged_is_quarantined_and_the_others_are_taken(api: Api):
    good, bad = json.loads(record("NCT00000301")), json.loads(record("NCT00000302"))
    bad["protocolSection"]["statusModule"]["startDateStruct"]["date"] = "2021-02-31"
    report = sent(api, "records.json", json.dumps([good, bad, 7, {"protocolSection": []}]).encode())
    assert counts(report) == (1, 3, 0, 0)
    assert [problem["row"] for problem in report["problems"] if problem["kind"] == "QUARANTINED"] == [2, 3, 4]


def test_somebody_without_the_right_to_import_is_refused(api: Api):
    before = versions(api.centre)
    variables = {"file": Sent("a.csv", STOPS), "input": {"format": "auto"}}
    refused = api(IMPORT, as_=Actor.of("R. Reader", Role.RESEARCHER), **variables)["importFile"]
    assert [error["code"] for error in refused["errors"]] == ["NOT_PERMITTED"]
    assert versions(api.centre) == before
