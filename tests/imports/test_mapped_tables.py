"""Tables that are no CDISC data sets, brought into the store: once, again, changed, and with what cannot be told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pipeline.reports.study_exposures import exposures_beside
from pipeline.store import study_tables, tables
from tests.graphql.conftest import LEAD, Api
from tests.imports.conftest import IMPORT, Sent, answer, api, counts, decide, reviews, sent, zipped
from tests.imports.test_sdtm import current
from tests.support.datasets import dataset

__all__ = ["api"]

MICE = """study_id,group_name,cohort_id,animalID,DAY_OF_STUDY,BODY_WEIGHT,TUMOR_VOLUME
X-1,veh,07,M1,0,28.1,210.5
X-1,veh,07,M1,3,28.4,380.2
X-1,veh,07,M1,6,27.9,
X-1,drug_50,02,M2,0,27.0,205
X-1,drug_50,02,M2,3,26.1,198.4
"""


def test_volumes_and_weights_come_in_once(api: Api) -> None:
    report = sent(api, "mice.csv", MICE.encode())
    assert report["format"] == "tables: tumour_growth"
    assert (report["rows"], *counts(report)) == (5, 5, 0, 0, 0)
    assert report["written"]["Measurement"] == 10
    [study] = current(api.centre, tables.studies)
    assert study["code"] == "X-1"
    groups = current(api.centre, study_tables.study_groups)
    assert [(g["code"], g["control"], g["dose"]) for g in groups] == [("veh", True, None), ("drug_50", False, 50.0)]
    subjects = current(api.centre, study_tables.subjects)
    assert [(s["code"], s["group_code"], s["species"]) for s in subjects] == [
        ("M1", "veh", "animal"),
        ("M2", "drug_50", "animal"),
    ]
    volumes = [m for m in current(api.centre, study_tables.measurements) if m["what"] == "TUMVOL"]
    assert [(v["day"], v["value"], v["unit"], v["not_done"]) for v in volumes] == [
        (0.0, 210.5, "mm3", None),
        (3.0, 380.2, "mm3", None),
        (6.0, None, "mm3", "no result is given"),
        (0.0, 205.0, "mm3", None),
        (3.0, 198.4, "mm3", None),
    ]
    again = sent(api, "mice.csv", MICE.encode())
    assert (again["rows"], *counts(again)) == (5, 0, 0, 0, 5)


def test_a_row_is_new_when_one_of_its_values_is(api: Api) -> None:
    sent(api, "mice.csv", MICE.encode())
    longer = MICE + "X-1,drug_50,02,M2,6,25.8,170\n"
    report = sent(api, "mice.csv", longer.encode())
    assert (report["rows"], *counts(report)) == (6, 1, 0, 0, 5)
    changed = longer.replace("198.4", "189.4")
    report = sent(api, "mice.csv", changed.encode())
    assert (report["rows"], *counts(report)) == (6, 0, 0, 1, 5)
    [question] = reviews(api)
    assert "198.4" in question["explanation"]
    assert decide(api, question["id"], "ACCEPTED")["errors"] == []
    report = sent(api, "mice.csv", changed.encode())
    assert (report["rows"], *counts(report)) == (6, 0, 0, 0, 6)


def test_subjects_whose_codes_hardly_differ_are_told(api: Api) -> None:
    report = sent(api, "mice.csv", (MICE + "X-1,veh,07,m-01,9,28,400\nX-1,veh,07,M11,9,28,400\n").encode())
    [told] = [warning for warning in report["warnings"] if "hardly differ" in warning]
    assert told.startswith("X-1: subjects whose codes hardly differ are taken for different ones: M1 and m-01. If")
    report = sent(api, "mice.csv", (MICE + "X-1,veh,07,M11,12,28,400\n").encode())
    assert not any("hardly differ" in warning for warning in report["warnings"])


def test_the_other_headings_of_france(api: Api) -> None:
    text = (
        "Étude;Groupe;N° souris;Jour;Volume tumoral (mm³);Poids (g)\n"
        "X-2;Contrôle;S1;0;120,5;20,1\n"
        "X-2;DrugA 10 mg/kg;S2;0;1 234,5;21,0\n"
        "X-2;Moyenne;;;677,5;20,5\n"
        "Mesures faites au pied à coulisse;;;;;\n"
    )
    report = sent(api, "souris.csv", text.encode("cp1252"))
    assert (report["rows"], *counts(report)) == (4, 2, 2, 0, 0)
    volumes = [m for m in current(api.centre, study_tables.measurements) if m["what"] == "TUMVOL"]
    assert [(v["value"], v["reported"], v["reported_unit"]) for v in volumes] == [
        (120.5, "120,5", "mm³"),
        (1234.5, "1 234,5", "mm³"),
    ]
    groups = current(api.centre, study_tables.study_groups)
    assert [(g["control"], g["dose"], g["dose_unit"]) for g in groups] == [(True, None, None), (False, 10.0, "mg/kg")]


@pytest.mark.parametrize(
    ("name", "rows", "groups", "missing"),
    [("vismodegib.csv", 385, 10, (1, 1)), ("palb_temo_01.csv", 668, 8, (21, 1))],
)
def test_published_xenografts(api: Api, name: str, rows: int, groups: int, missing: tuple[int, int]) -> None:
    content = (dataset("xenograft") / name).read_bytes()
    report = sent(api, name, content)
    assert (report["rows"], *counts(report)) == (rows, rows, 0, 0, 0)
    found = current(api.centre, study_tables.study_groups)
    assert (len(found), sum(bool(group["control"]) for group in found)) == (groups, 1)
    again = sent(api, name, content)
    assert counts(again) == (0, 0, 0, rows)
    empty = missing_values(api)
    assert (empty["TUMVOL"], empty["BW"]) == missing


def missing_values(api: Api) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in current(api.centre, study_tables.measurements):
        if row["value"] is None:
            found[row["what"]] = found.get(row["what"], 0) + 1
    return found


def refusal(api: Api, name: str, content: bytes) -> dict[str, Any]:
    [error] = answer(api, name, content)["errors"]
    found: dict[str, Any] = error
    return found


HEADINGS = (
    "STUDYID,USUBJID,PCSPEC,PARAM,METABFL,AFRLT,NFRLT,ARRLT,NRRLT,RRLTU,AVAL,AVALU,VOLUME,VOLUMEU,DOSETRT,TRT01A,"
    "DOSEA,DOSEU,ROUTE,ADOSEDUR,ATPTREF,NCA1XRS,NCA2XRS,AEFRLT,AERRLT"
)
DRIP = "DrugA,DrugA 5mg,5,mg,INTRAVENOUS DRIP"
ANALYSIS = f"""{HEADINGS}
A1,A1-1,SERUM,DrugA,,-0.1,0,-0.1,0,Hours,0,ug/mL,NA,NA,{DRIP},2.9,DOSE 1,,,-0.1,-0.1
A1,A1-1,SERUM,DrugA,,1.51,1.5,1.51,1.5,Hours,3.1,ug/mL,NA,NA,{DRIP},2.9,DOSE 1,,,1.51,1.51
A1,A1-1,SERUM,DrugA,,1.70,1.5,1.70,1.5,Hours,3.2,ug/mL,NA,NA,{DRIP},2.9,DOSE 1,,,1.70,1.70
A1,A1-1,SERUM,Metab-DrugA,Y,25.5,25.5,1.5,1.5,Hours,0.4,ug/mL,NA,NA,{DRIP},3,DOSE 2,Bad line,Late,25.5,1.5
A1,A1-1,URINE,DrugA,,24.5,24.5,0.5,0.5,Hours,2,mg/mL,103,mL,{DRIP},3,DOSE 2,,,27.5,2.5
"""


def test_an_analysis_table_tells_samples_doses_and_exclusions(api: Api) -> None:
    report = sent(api, "adnca.csv", ANALYSIS.encode())
    assert report["format"] == "tables: analysis"
    assert (report["rows"], *counts(report)) == (5, 5, 0, 0, 0)
    records = current(api.centre, study_tables.monitoring_records)
    assert [(r["hours_after_dose"], r["end_hours_after_dose"], r["day"], r["profile"]) for r in records] == [
        (-0.1, None, 1.0, "DOSE 1"),
        (1.51, None, 1.0, "DOSE 1"),
        (1.7, None, 1.0, "DOSE 1"),
        (1.5, None, 2.0, "DOSE 2"),
        (0.5, 2.5, 2.0, "DOSE 2"),
    ]
    assert [(r["exclusion_reason"], r["exclusion_scope"]) for r in records][3:] == [
        ("Bad line; Late", "CALCULATION"),
        (None, None),
    ]
    assert (records[4]["amount_of_specimen"], records[4]["amount_unit"], records[4]["unit"]) == (103.0, "mL", "mg/mL")
    assert "lasted 2 h by AERRLT and 3 h by AEFRLT" in records[4]["flag"]
    assert len({r["molecule_id"] for r in records}) == 1
    doses = current(api.centre, study_tables.administrations)
    assert [(d["visit"], d["started_day"], d["amount"], d["unit"], d["duration_hours"]) for d in doses] == [
        ("DOSE 1", 1.0, 5.0, "mg", 2.9),
        ("DOSE 2", 2.0, 5.0, "mg", 3.0),
    ]
    [subject] = current(api.centre, study_tables.subjects)
    assert subject["arm"] == "DrugA 5 mg"
    again = sent(api, "adnca.csv", ANALYSIS.encode())
    assert counts(again) == (0, 0, 0, 5)


def test_the_published_analysis_table_gives_exposures(api: Api) -> None:
    content = (dataset("nca-analysis") / "adnca_example.csv").read_bytes()
    report = sent(api, "adnca_example.csv", content)
    assert (report["rows"], *counts(report)) == (1308, 1308, 0, 0, 0)
    records = current(api.centre, study_tables.monitoring_records)
    assert sum(r["exclusion_reason"] is not None for r in records) == 90
    assert sum(";" in (r["exclusion_reason"] or "") for r in records) == 1
    assert len(current(api.centre, study_tables.administrations)) == 64
    again = sent(api, "adnca_example.csv", content)
    assert counts(again) == (0, 0, 0, 1308)
    with api.centre.read(LEAD) as reader:
        found = exposures_beside(reader, [1])[1]
    told = Counter((e.profile.whose.analyte, e.profile.whose.specimen) for e in found if e.profile.doubtful is None)
    assert told == {("DrugA", "SERUM"): 60, ("Metab-DrugA", "SERUM"): 60, ("DrugA", "URINE"): 36}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("dzz_PKConc.csv", (341, 153, 0, 188, 0)),
        ("PPtmp_NCA.csv", (826, 156, 0, 661, 9)),
        ("AE_xgx.csv", (12, 0, 5, 7, 0)),
        ("Oncology_Efficacy_Data.csv", (57, 43, 0, 0, 14)),
    ],
)
def test_published_tables_of_an_oncology_programme(api: Api, name: str, wanted: tuple[int, ...]) -> None:
    content = (dataset("onc-pkpd") / name).read_bytes()
    report = within(api, name, content, "ONC-1")
    assert (report["rows"], *counts(report)) == wanted
    again = within(api, name, content, "ONC-1")
    assert (again["rows"], again["accepted"], again["held"]) == (wanted[0], 0, wanted[3])


def within(api: Api, name: str, content: bytes, study: str, **more: str) -> dict[str, Any]:
    variables = {"file": Sent(name, content), "input": {"format": "auto", "study": study, **more}}
    found = api(IMPORT, **variables)["importFile"]
    assert found["errors"] == [], found
    report: dict[str, Any] = found["report"]
    assert sum(counts(report)) == report["rows"]
    assert min(counts(report)) >= 0
    return report


def test_a_dosing_history_needs_to_know_what_was_given(api: Api) -> None:
    api.molecule("ABC-1", "ABC123")
    table = "IDSHORT,DOSE,TIME,COMB\n" + "".join(f"7,{0 if n == 3 else 20},{24 * n},Single\n" for n in range(8))
    refused = refusal(api, "dose.csv", table.encode())
    assert "gives no treatment" in refused["message"]
    report = within(api, "dose.csv", table.encode(), "ONC-1", molecule="ABC-1")
    assert (report["rows"], *counts(report)) == (8, 8, 0, 0, 0)
    assert any("TIME counts hours" in warning for warning in report["warnings"])
    doses = current(api.centre, study_tables.administrations)
    assert [(dose["amount"], dose["started_day"]) for dose in doses][2:5] == [(20.0, 2.0), (0.0, 3.0), (20.0, 4.0)]
    assert [row["name"] for row in current(api.centre, tables.molecules)] == ["ABC123"]


def test_what_arms_and_zeros_leave_open_is_asked(api: Api) -> None:
    table = (
        "SUBJID,ARM,VISIT,PCDTC,TMTPT,RESN,RESU\n"
        "1,ABC123 80mg Q2W,CYCLE 1 DAY 1,2016-01-01T08:00:00,0,0,ug/mL\n"
        "1,ABC123 80 mg Q2W,CYCLE 1 DAY 1,2016-01-01T10:00:00,2,11,ug/mL\n"
        "1,ABC123 80 mg Q2W,CYCLE 1 DAY 15,2016-01-15T08:00:00,336,5,ug/mL\n"
        "1,ABC123 80 mg Q2W,CYCLE 2 DAY 1,2016-01-15T08:00:00,0,5,ug/mL\n"
        "2,ABC123 80 mg Q2W + DEF456,CYCLE 1 DAY 1,2016-01-01T10:00:00,2,9,ug/mL\n"
    )
    report = within(api, "conc.csv", table.encode(), "ONC-2")
    assert (report["rows"], *counts(report)) == (5, 2, 0, 3, 0)
    asked = {item["row"]: (item["column"], item["proposed"]) for item in reviews(api)}
    assert asked == {
        2: ("RESN", "below the limit"),
        5: ("TMTPT", "a second record of the same sample"),
        6: ("analyte", "ABC123"),
    }
    for item in reviews(api):
        assert decide(api, item["id"], "ACCEPTED")["errors"] == []
    records = current(api.centre, study_tables.monitoring_records)
    assert sorted((r["reported"], r["below_limit"], r["concentration"]) for r in records) == [
        ("0", True, None),
        ("11", False, 11.0),
        ("5", False, 5.0),
        ("5", False, 5.0),
        ("9", False, 9.0),
    ]
    again = within(api, "conc.csv", table.encode(), "ONC-2")
    assert counts(again) == (0, 0, 0, 5)


def test_one_study_says_the_same_as_extracts_and_as_an_analysis_table(api: Api) -> None:
    folder = dataset("nca-analysis")
    names = ("dm_example.csv", "ex_example.csv", "pc_example.csv")
    report = sent(api, "examples.zip", zipped({name: (folder / name).read_bytes() for name in names}))
    assert report["warnings"] == [
        "S1: planned times count from the first dose, PCRFTDTC names a later one; hours are those since PCRFTDTC."
    ]
    content = (folder / "adnca_example.csv").read_bytes().replace(b'"S1"', b'"S2"').replace(b'"S1-', b'"S2-')
    sent(api, "adnca_example.csv", content)
    subjects = {r["id"]: r["code"][3:] for r in current(api.centre, study_tables.subjects)}
    told: dict[int, list[tuple[Any, ...]]] = {1: [], 2: []}
    hours: dict[int, list[float]] = {1: [], 2: []}
    for r in current(api.centre, study_tables.monitoring_records):
        what = (r["analyte"], r["specimen"], r["day"], r["concentration"], r["unit"])
        told[r["study_id"]].append((subjects[r["subject_id"]], *what, r["amount_of_specimen"], r["amount_unit"]))
        hours[r["study_id"]].append(r["hours_after_dose"])
    assert told[1] == told[2]
    assert sum(unit == "mL" for *_, unit in told[1]) == 160
    assert hours[1] == pytest.approx(hours[2], abs=0.005)


def test_extracts_that_name_their_domain_in_the_rows_are_read_as_sdtm(api: Api) -> None:
    folder = dataset("nca-analysis")
    names = ("dm_example.csv", "ex_example.csv", "pc_example.csv")
    report = sent(api, "examples.zip", zipped({name: (folder / name).read_bytes() for name in names}))
    assert (report["format"], report["rows"], *counts(report)) == ("sdtm", 1380, 1380, 0, 0, 0)
    assert {name: report["written"][name] for name in ("Subject", "Administration", "MonitoringRecord")} == {
        "Subject": 8,
        "Administration": 64,
        "MonitoringRecord": 1308,
    }
    before = [r for r in current(api.centre, study_tables.monitoring_records) if r["nominal_time"] == "PT-0.083H"]
    assert sorted({round(r["hours_after_dose"], 3) for r in before}) == [-0.085, -0.084, -0.083]
    durations = [dose["duration_hours"] for dose in current(api.centre, study_tables.administrations)]
    assert durations[0] == 2.889
