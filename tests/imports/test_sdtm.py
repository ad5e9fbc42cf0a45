"""Studies in SDTM brought into the store: once, again, changed, in another format, and what a person decides."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from sqlalchemy import Table, select

from pipeline.access import Actor, Role
from pipeline.centre import Centre
from pipeline.commands.import_known_records import KnownRecords
from pipeline.commands.import_record_kinds import KINDS
from pipeline.commands.import_sources import LARGE, content_of
from pipeline.commands.imports import ImportFiles
from pipeline.commands.monitoring_changes import CorrectMonitoring
from pipeline.errors import PipelineError
from pipeline.exchange.dataset_csv import read_csv
from pipeline.exchange.dataset_csv_write import write_csv
from pipeline.exchange.dataset_json_write import JsonForm, write_dataset_json
from pipeline.exchange.dataset_table import ColumnType, DataColumn, DataSet, Source, made
from pipeline.exchange.formats import read_files, told
from pipeline.exchange.reading import SentFile
from pipeline.exchange.xpt_write import write_xpt
from pipeline.store import study_tables, tables
from tests.exchange.test_sdtm_reading import tables as odd_tables
from tests.graphql.conftest import LEAD, Api
from tests.imports.conftest import Sent, answer, api, counts, decide, reviews, sent, versions, zipped

__all__ = ["api"]

UNIT = Actor.of("P. Unit", Role.PHARMACOLOGY)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
DM = """STUDYID,DOMAIN,USUBJID,RFSTDTC,AGE,AGEU,SEX,ARMCD,ARM
S1,DM,S1-1,2020-01-01,54,YEARS,F,A,DRUG-7 20 mg
S1,DM,S1-2,2020-01-01,61,YEARS,M,P,Placebo
"""
EX = """STUDYID,DOMAIN,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC
S1,EX,S1-1,1,DRUG-7,20,mg,2020-01-01T08:00
S1,EX,S1-2,1,PLACEBO,0,mg,2020-01-01T08:00
"""
PC = """STUDYID,DOMAIN,USUBJID,PCSEQ,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCSTRESC,PCSTRESN,PCSTRESU,PCSPEC,PCLLOQ,PCDTC,\
PCTPT,PCTPTNUM
S1,PC,S1-1,1,D7,DRUG-7,<LLOQ,ng/mL,<LLOQ,,ng/mL,PLASMA,0.5,2020-01-01T07:45,Pre-dose,-0.25
S1,PC,S1-1,2,D7,DRUG-7,12.5,ng/mL,12.5,12.5,ng/mL,PLASMA,0.5,2020-01-01T09:00,1 h,1
S1,PC,S1-1,3,D7,DRUG-7,362.3,ng/mL,362.3,362.29999999999995,ng/mL,PLASMA,0.5,2020-01-01T10:00,2 h,2
S1,PC,S1-2,1,D7,DRUG-7,BLQ,ng/mL,BLQ,0,ng/mL,PLASMA,0.5,2020-01-01T09:00,1 h,1
"""
PP = """STUDYID,DOMAIN,USUBJID,PPSEQ,PPTESTCD,PPTEST,PPCAT,PPORRES,PPORRESU,PPSTRESC,PPSTRESN,PPSTRESU,PPSPEC,PPRFTDTC
S1,PP,S1-1,6,CMAX,Max Conc,DRUG-7,362.3,ng/mL,362.3,362.3,ng/mL,PLASMA,2020-01-01T08:00
"""
SUPPPP = """STUDYID,RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QLABEL,QVAL,QORIG
S1,PP,S1-1,PPSEQ,6,RSDSEXCL,Reason for exclusion,not included,ASSIGNED
S1,PP,S1-1,PPSEQ,99,RSDSEXCL,Reason for exclusion,not included,ASSIGNED
"""
AE = """STUDYID,DOMAIN,USUBJID,AESEQ,AETERM,AESEV,AESER,AESTDTC,AEENDTC
S1,AE,S1-1,1,NAUSEA,MILD,N,2020-01,
S1,AE,S1-2,1,SEPSIS,SEVERE,Y,2020-01-05,2020-01-09
"""
TS = """STUDYID,DOMAIN,TSSEQ,TSPARMCD,TSPARM,TSVAL
S1,TS,1,TITLE,Trial Title,A first study of DRUG-7
S1,TS,1,TRT,Treatment,DRUG-7
S1,TS,1,TPHASE,Phase,PHASE I TRIAL
"""
STUDY = {"dm": DM, "ex": EX, "pc": PC, "pp": PP, "supppp": SUPPPP, "ae": AE, "ts": TS}
ALL = sum(text.count("\n") - 1 for text in STUDY.values())


def archive(**changed: str) -> bytes:
    """Return the study as a zip archive of CSV files."""
    return zipped({f"{name}.csv": text.encode() for name, text in (STUDY | changed).items()})


def current(centre: Centre, table: Table) -> list[dict[str, Any]]:
    """Return the current rows of a table."""
    with centre.database.read() as connection:
        statement = select(table).where(table.c.until_act.is_(None)).order_by(table.c.id)
        return [dict(row) for row in connection.execute(statement).mappings()]


def test_a_study_comes_in_whole(api: Api) -> None:
    report = sent(api, "study.zip", archive())
    assert report["format"] == "sdtm"
    assert (report["rows"], *counts(report)) == (ALL, ALL - 1, 1, 0, 0)
    [problem] = [p for p in report["problems"] if p["kind"] == "QUARANTINED"]
    assert (problem["file"], problem["row"], problem["column"]) == ("supppp.csv", 3, "IDVARVAL")
    [study] = current(api.centre, tables.studies)
    assert (study["code"], study["title"], study["phases"]) == ("S1", "A first study of DRUG-7", '["PHASE_1"]')
    [molecule] = current(api.centre, tables.molecules)
    assert molecule["name"] == "DRUG-7"
    records = current(api.centre, study_tables.monitoring_records)
    assert [
        (row["reported"], row["concentration"], row["below_limit"], row["hours_after_dose"]) for row in records
    ] == [
        ("<LLOQ", None, True, -0.25),
        ("12.5", 12.5, False, 1.0),
        ("362.3", 362.3, False, 2.0),
        ("BLQ", None, True, 1.0),
    ]
    assert {row["molecule_id"] for row in records} == {molecule["id"]}
    assert {row["state"] for row in records} == {"REGISTERED"}
    assert [row["molecule_id"] for row in current(api.centre, study_tables.administrations)] == [molecule["id"], None]
    [parameter] = current(api.centre, study_tables.reported_parameters)
    assert parameter["exclusion_reason"] == "not included"
    [qualifier] = current(api.centre, study_tables.qualifiers)
    assert (qualifier["node"], qualifier["node_id"]) == ("ReportedParameter", parameter["id"])
    assert report["written"]["MonitoringRecord"] == 4


def test_repeating_an_import_doubles_nothing(api: Api) -> None:
    sent(api, "study.zip", archive())
    before = versions(api.centre)
    report = sent(api, "study.zip", archive())
    assert counts(report) == (0, 1, 0, ALL - 1)
    after = versions(api.centre)
    assert {name for name in after if after[name] != before[name]} == {"imports", "import_problems"}


def test_the_data_sets_of_a_study_may_come_one_by_one(api: Api) -> None:
    for name in ("pc", "dm", "ts", "ex", "pp", "supppp", "ae"):
        sent(api, f"{name}.csv", STUDY[name].encode(), format="sdtm")
    [study] = current(api.centre, tables.studies)
    assert study["title"] == "A first study of DRUG-7"
    assert len(current(api.centre, tables.molecules)) == 1
    people = {row["code"]: row for row in current(api.centre, study_tables.subjects)}
    assert {code: row["sex"] for code, row in people.items()} == {"S1-1": "F", "S1-2": "M"}
    assert counts(sent(api, "study.zip", archive())) == (0, 1, 0, ALL - 1)
    assert len(current(api.centre, study_tables.monitoring_records)) == 4


def test_a_rehearsal_writes_nothing(api: Api) -> None:
    before = versions(api.centre)
    report = sent(api, "study.zip", archive(), dry_run=True)
    assert (report["rows"], report["accepted"]) == (ALL, ALL - 1)
    assert versions(api.centre) == before


CHANGED = PC.replace("12.5,ng/mL,12.5,12.5", "13.5,ng/mL,13.5,13.5")


def test_another_value_for_a_known_record_is_held_with_the_difference(api: Api) -> None:
    sent(api, "study.zip", archive())
    report = sent(api, "pc.csv", CHANGED.encode())
    assert counts(report) == (0, 0, 1, 3)
    [item] = reviews(api)
    assert item["reported"] == "reported 12.5 -> 13.5, concentration 12.5 -> 13.5"
    # asking again asks nothing new
    assert counts(sent(api, "again.csv", CHANGED.encode())) == (0, 0, 1, 3)
    assert len(reviews(api)) == 1
    assert decide(api, item["id"], "ACCEPTED", comment="the laboratory reissued it")["errors"] == []
    row = next(row for row in current(api.centre, study_tables.monitoring_records) if row["sequence"] == "2")
    assert (row["concentration"], row["version"]) == (13.5, 2)
    # decided is decided, and what was said first is still known
    assert counts(sent(api, "pc.csv", CHANGED.encode())) == (0, 0, 0, 4)
    assert counts(sent(api, "pc.csv", PC.encode())) == (0, 0, 0, 4)


DOUBTFUL = PC.replace("12.5,ng/mL,12.5,12.5", '"1,250",ng/mL,,')


@pytest.mark.parametrize(
    ("status", "value", "concentration", "below"),
    [
        ("ACCEPTED", None, 1250.0, False),
        ("CHANGED", "1.25", 1.25, False),
        ("CHANGED", "BLQ", None, True),
    ],
)
def test_a_value_in_doubt_waits_for_a_person(
    api: Api, status: str, value: str | None, concentration: float | None, below: bool
) -> None:
    assert counts(sent(api, "study.zip", archive(pc=DOUBTFUL))) == (ALL - 2, 1, 1, 0)
    [item] = reviews(api)
    assert (item["file"], item["row"], item["column"], item["reported"], item["proposed"]) == (
        *("pc.csv", 3, "PCORRES", "1,250", "1250"),
    )
    assert len(current(api.centre, study_tables.monitoring_records)) == 3
    more = {} if value is None else {"value": value}
    assert decide(api, item["id"], status, **more)["errors"] == []
    row = next(row for row in current(api.centre, study_tables.monitoring_records) if row["sequence"] == "2")
    assert (row["reported"], row["concentration"], row["below_limit"]) == ("1,250", concentration, below)
    assert "'1,250' can be 1250 or 1.25" in row["flag"]
    assert counts(sent(api, "study.zip", archive(pc=DOUBTFUL))) == (0, 1, 0, ALL - 1)
    assert len(current(api.centre, study_tables.monitoring_records)) == 4


def test_a_rejected_record_stays_out(api: Api) -> None:
    sent(api, "study.zip", archive(pc=DOUBTFUL))
    [item] = reviews(api)
    assert decide(api, item["id"], "REJECTED")["errors"] == []
    assert counts(sent(api, "pc.csv", DOUBTFUL.encode())) == (0, 0, 0, 4)
    assert len(current(api.centre, study_tables.monitoring_records)) == 3


def test_a_decision_that_cannot_be_read_changes_nothing(api: Api) -> None:
    sent(api, "study.zip", archive(pc=DOUBTFUL))
    [item] = reviews(api)
    before = versions(api.centre)
    [error] = decide(api, item["id"], "CHANGED", value="a lot")["errors"]
    assert error["path"] == ["input", "value"]
    assert "'a lot' is not understood here" in error["message"]
    assert versions(api.centre) == before


@pytest.mark.parametrize(
    ("status", "value", "hours"), [("ACCEPTED", None, 1.0), ("CHANGED", "60 h", 60.0), ("CHANGED", "2,5", 2.5)]
)
def test_a_time_in_doubt_waits_for_a_person(api: Api, status: str, value: str | None, hours: float) -> None:
    rows = """STUDYID,USUBJID,PCSEQ,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCSPEC,PCTPT,PCELTM
S1,S1-1,1,D7,DRUG-7,12.5,ng/mL,PLASMA,1 h,PT60H
"""
    assert counts(sent(api, "pc.csv", rows.encode())) == (0, 0, 1, 0)
    [item] = reviews(api)
    assert (item["column"], item["reported"], item["proposed"]) == ("PCTPT", "1 h", "1 h")
    assert "minutes and hours are confused" in item["explanation"]
    assert decide(api, item["id"], status, **({} if value is None else {"value": value}))["errors"] == []
    [row] = current(api.centre, study_tables.monitoring_records)
    assert (row["hours_after_dose"], row["concentration"]) == (hours, 12.5)


def test_an_event_that_ends_before_it_begins_waits_for_a_person(api: Api) -> None:
    rows = AE.replace("2020-01-09", "2019-01-09")
    assert counts(sent(api, "ae.csv", rows.encode())) == (1, 0, 1, 0)
    [item] = reviews(api)
    [error] = decide(api, item["id"], "CHANGED", value="later")["errors"]
    assert "give a date" in error["message"]
    assert decide(api, item["id"], "CHANGED", value="2020-01-19")["errors"] == []
    ends = {row["term"]: row["ended_on"] for row in current(api.centre, study_tables.adverse_events)}
    assert ends == {"NAUSEA": None, "SEPSIS": "2020-01-19"}


def test_several_studies_in_one_archive_are_several_studies(api: Api) -> None:
    both = zipped({"a.csv": PC.encode(), "b.csv": PC.replace("S1", "S2").encode()})
    assert counts(sent(api, "both.zip", both)) == (8, 0, 0, 0)
    assert [row["code"] for row in current(api.centre, tables.studies)] == ["S1", "S2"]
    found = answer(api, "both.zip", both)
    assert found["report"]["duplicates"] == 8


def test_of_two_results_of_one_sample_one_can_be_taken(api: Api) -> None:
    second = "S1,PC,S1-1,9,D7,DRUG-7,14,ng/mL,14,14,ng/mL,PLASMA,0.5,2020-01-01T09:00,1 h,1\n"
    assert counts(sent(api, "study.zip", archive(pc=PC + second))) == (ALL - 2, 1, 2, 0)
    one, other = reviews(api)
    assert decide(api, one["id"], "ACCEPTED")["errors"] == []
    [error] = decide(api, other["id"], "ACCEPTED")["errors"]
    assert "stands already" in error["message"]
    assert decide(api, other["id"], "REJECTED")["errors"] == []
    assert len(current(api.centre, study_tables.monitoring_records)) == 4


def test_a_record_corrected_by_hand_is_still_the_one_its_file_states(api: Api) -> None:
    sent(api, "study.zip", archive())
    record = next(row for row in current(api.centre, study_tables.monitoring_records) if row["sequence"] == "2")
    api.centre.execute(
        CorrectMonitoring(record["id"], reason_for_change="a transposed figure", reported="15.2"), actor=UNIT
    )
    assert counts(sent(api, "pc.csv", PC.encode())) == (0, 0, 0, 4)
    row = next(row for row in current(api.centre, study_tables.monitoring_records) if row["id"] == record["id"])
    assert row["concentration"] == 15.2


def test_a_small_file_reads_only_its_subjects_of_a_large_study(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.commands.import_known_records.MANY", 3)
    sent(api, "study.zip", archive())
    read: list[set[int] | None] = []
    whole = KnownRecords.__init__

    def noted(self: KnownRecords, act: Any, kind: Any, study: int, subjects: set[int] | None = None) -> None:
        read.append(subjects)
        whole(self, act, kind, study, subjects)

    monkeypatch.setattr(KnownRecords, "__init__", noted)
    head, *lines = PC.replace("\\\n", "").splitlines()
    one = "\n".join([head, lines[-1], lines[-1].replace("BLQ,ng/mL,BLQ,0", "7,ng/mL,7,7").replace("09:00", "11:00")])
    assert counts(sent(api, "one.csv", one.encode())) == (1, 0, 0, 1)
    assert read == [{2}]


def test_an_analyte_of_a_combination_waits_until_somebody_says_whose_it_is(api: Api) -> None:
    both = EX + "S1,EX,S1-1,2,Betamab,5,mg,2020-01-01T08:00\n"
    metabolite = PC.replace("DRUG-7", "M5")
    report = sent(api, "study.zip", zipped({"ex.csv": both.encode(), "pc.csv": metabolite.encode()}))
    assert counts(report) == (3, 4, 0, 0)
    assert "M5 may belong to any of 2 molecules of the study; say the molecule" in report["problems"][0]["reason"]
    document = """mutation ($file: Upload!, $input: ImportInput!) {
      importFile(file: $file, input: $input) { report { accepted } } }"""
    again = api(document, file=Sent("pc.csv", metabolite.encode()), input={"format": "auto", "molecule": "DRUG-7"})
    assert again["importFile"]["report"]["accepted"] == 4


# ---------------------------------------------------------------- study and molecule that are said


def put(api: Api, **given: str) -> dict[str, Any]:
    """Import the concentrations with what is said beside them."""
    document = """mutation ($file: Upload!, $input: ImportInput!) {
      importFile(file: $file, input: $input) { report { accepted quarantined } errors { message path } } }"""
    found: dict[str, Any] = api(document, file=Sent("pc.csv", PC.encode()), input={"format": "auto"} | given)[
        "importFile"
    ]
    return found


def test_the_molecule_and_the_study_can_be_said(api: Api) -> None:
    molecule = api.molecule("IUCT-0007", "Sevenib")
    found = put(api, molecule="IUCT-0007", study="TRIAL-9")
    assert found == {"report": {"accepted": 4, "quarantined": 0}, "errors": []}
    assert [row["code"] for row in current(api.centre, tables.studies)] == ["TRIAL-9"]
    assert {str(row["molecule_id"]) for row in current(api.centre, study_tables.monitoring_records)} == {"1"}
    assert [row["name"] for row in current(api.centre, tables.molecules)] == [molecule["name"]]


def test_a_molecule_that_is_not_on_record_is_refused(api: Api) -> None:
    before = versions(api.centre)
    [error] = put(api, molecule="NOPE")["errors"]
    assert error == {
        "message": "no molecule is known as 'NOPE'; give the code of one on record",
        "path": ["input", "molecule"],
    }
    assert versions(api.centre) == before


def test_the_molecule_is_found_by_its_synonym(api: Api) -> None:
    api.molecule("IUCT-0007", "Sevenib", synonyms=["DRUG-7"])
    assert put(api)["errors"] == []
    [molecule] = current(api.centre, tables.molecules)
    assert molecule["code"] == "IUCT-0007"


# ---------------------------------------------------------------- one content, several formats


def data_sets() -> list[DataSet]:
    """Return the study's data sets with the types that files with types give them."""
    numeric = ("SEQ", "STRESN", "LLOQ", "TPTNUM", "AGE", "DOSE")
    found = []
    for name, text in STUDY.items():
        untyped = read_csv(Source.of(f"{name}.csv", text.encode()))
        columns = [
            DataColumn(c.name, c.name, ColumnType.NUMBER if c.name.endswith(numeric) else ColumnType.TEXT, 60)
            for c in untyped.columns
        ]

        def rows(untyped: DataSet = untyped) -> Any:
            for chunk in untyped.chunks():
                yield from zip(*(chunk.texts(at) for at in range(len(untyped.columns))), strict=True)

        found.append(made(name.upper(), columns, rows, label=name, study="S1"))
    return found


def as_csv() -> dict[str, bytes]:
    return {f"{name}.csv": text.encode() for name, text in STUDY.items()}


def as_french_csv() -> dict[str, bytes]:
    return {f"{name}.csv": text.replace(",", ";").encode("utf-16") for name, text in STUDY.items()}


def as_xpt() -> dict[str, bytes]:
    found = {}
    for dataset in data_sets():
        out = io.BytesIO()
        write_xpt(out, [dataset], created=NOW)
        found[f"{dataset.name.lower()}.xpt"] = out.getvalue()
    return found


def as_json(form: JsonForm, ending: str) -> dict[str, bytes]:
    found = {}
    for dataset in data_sets():
        out = io.BytesIO()
        write_dataset_json(out, dataset, form=form, created=NOW)
        found[f"{dataset.name.lower()}.{ending}"] = out.getvalue()
    return found


def stored(folder: Path, files: Mapping[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """Return all records that an import of some files leaves, without what leads back to the files."""
    away = {"source_file", "source_row", "seal", "since_act", "until_act"}
    with Centre.open(folder) as centre:
        with centre.read() as reader:
            _, graph = reader.graphs.in_force(reader.connection)
        reading = read_files("auto", list(files.items()), graph)
        centre.execute(ImportFiles.of(reading, list(files.items()), name="study"), actor=LEAD)
        found = {}
        for kind in KINDS.values():
            rows = current(centre, kind.table)
            found[kind.node] = [{k: v for k, v in row.items() if k not in away | {"excluded_at"}} for row in rows]
        return found


def test_the_same_content_in_other_formats_leaves_the_same_records(tmp_path: Path) -> None:
    expected = stored(tmp_path / "csv", as_csv())
    assert len(expected["MonitoringRecord"]) == 4
    forms = {
        "xpt": as_xpt(),
        "json": as_json(JsonForm.JSON, "json"),
        "ndjson": as_json(JsonForm.NDJSON, "ndjson"),
        "dsjc": as_json(JsonForm.DSJC, "dsjc"),
        "utf-16": as_french_csv(),
        "zip": {"study.zip": zipped(as_csv())},
    }
    for name, files in forms.items():
        assert stored(tmp_path / name, files) == expected, name


# ---------------------------------------------------------------- what comes in wrong


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"STUDYID,USUBJID,PCTESTCD\n",
        as_xpt()["pc.xpt"][:500],
        as_xpt()["pc.xpt"][:-400],
        as_json(JsonForm.JSON, "json")["pc.json"][:-20],
        as_json(JsonForm.DSJC, "dsjc")["pc.dsjc"][:-20],
        PC.encode() + b"\0\0\0",
        PC.replace(",", "\0").encode(),
        bytes(range(256)) * 50,
    ],
)
def test_damaged_files_are_refused_or_accounted_for(api: Api, content: bytes) -> None:
    before = versions(api.centre)
    found = answer(api, "pc.dat", content, format="sdtm")
    if found["errors"]:
        assert versions(api.centre) == before
    else:
        assert sum(counts(found["report"])) == found["report"]["rows"]


def test_data_sets_are_told_by_their_content() -> None:
    for files in (as_csv(), as_xpt(), as_json(JsonForm.NDJSON, "ndjson")):
        for name, content in files.items():
            assert told([SentFile(f"x-{name}", content, f"x-{name}")]) == "sdtm", name


def test_large_files_are_kept_deflated_and_come_back_whole(api: Api) -> None:
    row = PC.splitlines()[2]
    many = PC + "".join(f"{row.replace('S1-1', f'S1-{n}')}\n" for n in range(10, 16_000))
    assert len(many) > LARGE
    sent(api, "pc.csv", many.encode())
    [kept] = current(api.centre, tables.source_files)
    assert kept["size"] == len(many) > 5 * len(bytes(kept["content"]))
    assert content_of(kept) == many.encode()


def test_whatever_stands_in_the_cells_the_store_takes_it_or_says_why_not(tmp_path: Path) -> None:
    with Centre.open(tmp_path) as centre:
        with centre.read() as reader:
            _, graph = reader.graphs.in_force(reader.connection)

        @settings(max_examples=30, deadline=None)
        @given(odd_tables())
        def bring_in(datasets: list[DataSet]) -> None:
            files = []
            for dataset in datasets:
                out = io.BytesIO()
                write_csv(out, dataset)
                files.append((f"{dataset.name}.csv", out.getvalue()))
            for _ in range(2):
                try:
                    reading = read_files("sdtm", files, graph)
                    report = centre.execute(ImportFiles.of(reading, files, name="odd"), actor=LEAD).result["report"]
                except PipelineError:
                    continue
                assert min(counts(report)) >= 0
                assert sum(counts(report)) == report["rows"]

        bring_in()
        assert centre.verify().problems == []
