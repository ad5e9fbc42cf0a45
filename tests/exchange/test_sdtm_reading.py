"""Small data sets of SDTM and SEND read into facts, with every row accounted for."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_csv import read_csv
from pipeline.exchange.dataset_table import DataColumn, DataSet, Source, made
from pipeline.exchange.sdtm import is_sdtm, read_sdtm
from pipeline.exchange.study_facts import (
    AdministrationFact,
    AdverseEventFact,
    Batch,
    ConcentrationFact,
    Fact,
    FindingFact,
    GroupFact,
    HeldFact,
    LaboratoryFact,
    MeasurementFact,
    PoolFact,
    QualifierFact,
    RecordLinkFact,
    ReportedParameterFact,
    ResponseFact,
    StudyRecords,
    SubjectFact,
)

PC = (
    "STUDYID,DOMAIN,USUBJID,PCSEQ,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCSTRESC,PCSTRESN,PCSTRESU,PCSPEC,PCLLOQ,VISITDY,"
    "PCDTC,PCTPT,PCTPTNUM\n"
)


def csv(name: str, text: str) -> DataSet:
    """Return a data set made of the lines of a CSV."""
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    return read_csv(Source.of(f"{name}.csv", f"{lines}\n".encode()))


def only(*datasets: DataSet, study: str | None = None) -> StudyRecords:
    """Return the only study of some data sets, in which every row is accounted for."""
    reading = read_sdtm(datasets, study=study)
    [records] = reading.studies
    rows = sum(len(chunk) + len(chunk.bad) for dataset in datasets for chunk in dataset.chunks())
    batches = [*reading.outside, *records.stream()]
    assert sum(batch.rows for batch in batches) == rows
    for batch in batches:
        told = len(batch.facts) + len(batch.held) + len(batch.quarantined) + len(batch.duplicates)
        assert not batch.facts or told <= batch.rows or batch.rows == 0
    return records


def facts(records: StudyRecords, kind: type[Fact]) -> list[Fact]:
    """Return the facts of a kind."""
    return [fact for batch in records.stream() if batch.kind is kind for fact in batch.facts]


def held(records: StudyRecords) -> list[HeldFact]:
    """Return what a person has to decide."""
    return [item for batch in records.stream() for item in batch.held]


def reasons(records: StudyRecords) -> list[tuple[int, str | None, str]]:
    """Return row, column and reason of the rows that cannot be taken."""
    return [(bad.place.row, bad.column, bad.reason) for batch in records.stream() for bad in batch.quarantined]


def fates(records: StudyRecords, kind: type[Fact]) -> Counter[str]:
    """Return how many rows of a kind met which fate."""
    found: Counter[str] = Counter()
    for batch in _of(records, kind):
        found.update(facts=len(batch.facts), held=len(batch.held), quarantined=len(batch.quarantined))
        found.update(duplicates=len(batch.duplicates), rows=batch.rows)
    return found


def _of(records: StudyRecords, kind: type[Fact]) -> Iterator[Batch]:
    return (batch for batch in records.stream() if batch.kind is kind)


def pc(*rows: str) -> DataSet:
    """Return concentrations, one row of PC a text."""
    return csv("pc", PC + "\n".join(rows))


def sample(**given: str) -> str:
    """Return one row of PC."""
    row = {
        "STUDYID": "ABC",
        "DOMAIN": "PC",
        "USUBJID": "ABC-1",
        "PCSEQ": "1",
        "PCTESTCD": "DRUG",
        "PCTEST": "Drug",
        "PCORRES": "12.5",
        "PCORRESU": "ng/mL",
        "PCSTRESC": "12.5",
        "PCSTRESN": "12.5",
        "PCSTRESU": "ng/mL",
        "PCSPEC": "PLASMA",
        "PCLLOQ": "0.5",
        "VISITDY": "1",
        "PCDTC": "2020-01-01T10:00",
        "PCTPT": "2 h",
        "PCTPTNUM": "2",
    }
    assert not given.keys() - row.keys()
    return ",".join(f'"{value}"' if "," in value else value for value in (row | given).values())


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    bad = sample(PCORRES="-3", PCSTRESN="", PCSTRESC="", PCORRESU="furlong", PCSTRESU="", PCDTC="2020-13-01")
    [(row, column, reason)] = reasons(only(pc(bad, sample(PCSEQ="2"))))
    assert (row, column) == (2, "PCDTC")
    for part in ("2020-13-01", "PCORRES: a concentration cannot be -3", "PCSTRESU: the unit 'furlong'"):
        assert part in reason
    dose = csv("ex", "STUDYID,DOMAIN,USUBJID,EXTRT,EXDOSE,EXSTDTC\nABC,EX,,,5,2020-13-01")
    [(_, column, reason)] = reasons(only(dose, pc(sample())))
    assert column == "USUBJID"
    assert "EXTRT is empty" in reason
    assert "EXSTDTC: " in reason


def test_a_value_and_a_time_in_doubt_are_both_told() -> None:
    [item] = held(only(pc(sample(PCORRES="12.5*", PCSTRESN="", PCSTRESC="", PCTPT="2 h", PCTPTNUM="5"))))
    assert item.explanation.startswith("'12.5*' is not understood as a result")


def test_a_concentration() -> None:
    records = only(pc(sample()))
    [fact] = facts(records, ConcentrationFact)
    assert isinstance(fact, ConcentrationFact)
    assert fact._asdict() == {
        "subject": "ABC-1",
        "pool": None,
        "molecule": None,
        "sequence": "1",
        "analyte": "Drug",
        "analyte_code": "DRUG",
        "specimen": "PLASMA",
        "profile": "Day 1",
        "day": 1.0,
        "reference_dose_at": None,
        "sampled_at": "2020-01-01T10:00",
        "sorted_on": "2020-01-01T10:00",
        "hours_after_dose": 2.0,
        "end_hours_after_dose": None,
        "time_source": "PCTPTNUM",
        "nominal_time": "2 h",
        "reported": "12.5",
        "reported_unit": "ng/mL",
        "concentration": 12.5,
        "unit": "ng/mL",
        "lower_limit": 0.5,
        "below_limit": False,
        "not_done": None,
        "amount_of_specimen": None,
        "amount_unit": None,
        "exclusion_reason": None,
        "exclusion_scope": None,
        "flag": None,
        "place": ("pc.csv", 2),
    }
    assert records.analytes == {"Drug"}


def test_an_order_of_samples_is_no_time_and_without_a_dose_nothing_is() -> None:
    clocks = ("07:54", "08:30", "09:00", "10:00", "12:00")
    records = only(
        pc(
            *(
                sample(PCSEQ=str(at), PCTPT="", PCTPTNUM=str(at), PCDTC=f"2020-01-01T{clock}")
                for at, clock in enumerate(clocks, 1)
            )
        )
    )
    told = [(fact.hours_after_dose, fact.flag) for fact in facts(records, ConcentrationFact)]  # type: ignore[union-attr]  # all of one kind
    assert told == [(None, "the time after the dose cannot be told")] * 5


def test_volumes_of_urine_stand_beside_its_concentrations() -> None:
    columns = "STUDYID,DOMAIN,USUBJID,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCSPEC,PCRFTDTC,PCDTC,PCENDTC,VOLUME,VOLUMEU"
    row = "ABC,PC,ABC-1,DRUG,Drug,{},ng/mL,URINE,2020-01-01T08:00,2020-01-01T{},2020-01-01T{},{}"
    records = only(
        csv(
            "pc",
            "\n".join(
                (
                    columns,
                    row.format("12", "08:00", "12:00", "310,mL"),
                    row.format("8", "12:00", "20:00", "510,"),
                    row.format("7", "20:00", "23:00", "-5,mL"),
                )
            ),
        )
    )
    told = [
        (f.hours_after_dose, f.end_hours_after_dose, f.amount_of_specimen, f.amount_unit)  # type: ignore[union-attr]  # all of one kind
        for f in facts(records, ConcentrationFact)
    ]
    assert told == [(0.0, 4.0, 310.0, "mL"), (4.0, 12.0, None, None), (12.0, 15.0, None, None)]


def test_the_same_row_twice_is_a_duplicate_whatever_its_number() -> None:
    records = only(pc(sample(), sample(PCSEQ="2"), sample(PCDTC="2020-01-02T10:00")))
    assert fates(records, ConcentrationFact) == {"rows": 3, "facts": 2, "duplicates": 1, "held": 0, "quarantined": 0}


def test_two_results_of_one_sample_are_held_both() -> None:
    other = sample(PCSEQ="2", PCORRES="13", PCSTRESC="13", PCSTRESN="13")
    records = only(pc(sample(), other, sample(PCSEQ="3", USUBJID="ABC-2")))
    assert fates(records, ConcentrationFact) == {"rows": 3, "facts": 1, "duplicates": 0, "held": 2, "quarantined": 0}
    assert {item.explanation for item in held(records)} == {
        "rows 2, 3 name the same record and differ in PCORRES, PCSTRESC, PCSTRESN: take one of them"
    }
    assert [item.proposed for item in held(records)] == [
        "take this one: PCORRES 12.5, PCSTRESC 12.5, PCSTRESN 12.5",
        "take this one: PCORRES 13, PCSTRESC 13, PCSTRESN 13",
    ]


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"USUBJID": ""}, "USUBJID", "names no subject"),
        ({"PCTEST": "", "PCTESTCD": ""}, "PCTESTCD", "names no analyte"),
        ({"PCDTC": "2020-13-45"}, "PCDTC", "not a date that exists"),
        ({"PCORRES": "what?", "PCSTRESC": "", "PCSTRESN": ""}, "PCORRES", "not understood"),
        ({"PCORRES": "-4", "PCSTRESC": "-4", "PCSTRESN": "-4"}, "PCORRES", "cannot be -4"),
        ({"USUBJID": "Jean Dupont"}, "USUBJID", "seems to hold a name"),
    ],
)
def test_rows_that_cannot_be_taken(cells: dict[str, str], column: str, reason: str) -> None:
    [(row, at, why)] = reasons(only(pc(sample(), sample(**cells))))
    assert (row, at) == (3, column)
    assert reason in why
    assert "Dupont" not in why


@pytest.mark.parametrize(
    ("cells", "column", "proposed"),
    [
        ({"PCORRES": "1,234", "PCSTRESC": "", "PCSTRESN": ""}, "PCORRES", "1234"),
        ({"PCORRES": "12.5*", "PCSTRESC": "12.5*", "PCSTRESN": ""}, "PCORRES", "12.5"),
        ({"PCORRES": "125"}, "PCORRES", "12.5"),
        ({"PCORRESU": "", "PCSTRESU": ""}, "PCSTRESU", "ng/mL"),
        ({"PCTPT": "30 min", "PCTPTNUM": "30"}, "PCTPT", "0.5 h"),
    ],
)
def test_rows_in_doubt_are_held_with_a_proposal(cells: dict[str, str], column: str, proposed: str) -> None:
    hours = [sample(PCTPT=f"{n} h", PCTPTNUM=str(n), PCDTC=f"2020-01-01T{8 + n:02d}:00") for n in (1, 3, 4)]
    [item] = held(only(pc(*hours, sample(USUBJID="ABC-2", **cells))))
    assert (item.column, item.proposed) == (column, proposed)


def test_decimal_commas_are_told_by_the_column() -> None:
    cells = {"PCSTRESC": "", "PCSTRESN": ""}
    records = only(pc(sample(PCORRES="0,75", **cells), sample(PCORRES="1,234", PCTPT="3 h", PCTPTNUM="3", **cells)))
    found = [fact.concentration for fact in facts(records, ConcentrationFact) if isinstance(fact, ConcentrationFact)]
    assert found == [0.75, 1.234]


def test_several_studies_in_one_file_are_kept_apart_and_a_row_without_one_is_not_taken() -> None:
    reading = read_sdtm([pc(sample(), sample(STUDYID="XYZ"), sample(STUDYID=""))])
    assert sorted(records.study.code for records in reading.studies) == ["ABC", "XYZ"]
    [outside] = reading.outside
    assert [(bad.place.row, bad.column) for bad in outside.quarantined] == [(4, "STUDYID")]


def test_rows_without_a_study_belong_to_the_one_that_is_said() -> None:
    nameless = pc(sample(STUDYID=""))
    assert only(nameless, study="NEW-1").study.code == "NEW-1"
    with pytest.raises(FileRefused, match="say the study"):
        read_sdtm([nameless])


def test_an_empty_data_set_is_said_and_an_unknown_domain_is_kept() -> None:
    reading = read_sdtm([csv("pc", PC), csv("vs", "STUDYID,DOMAIN,USUBJID,VSTESTCD\nABC,VS,ABC-1,PULSE"), pc(sample())])
    assert reading.warnings == [
        "pc.csv holds no rows.",
        "vs.csv (domain VS, 1 rows) is kept as it came; nothing in it is read.",
    ]
    assert not is_sdtm([csv("x", "name,phase\na,1")])


DM = """STUDYID,DOMAIN,USUBJID,RFSTDTC,AGE,AGEU,SEX,ARMCD,ARM,ACTARMCD,ACTARM,BRTHDTC,SETCD,DTHDTC
        ABC,DM,ABC-1,2020-01-01,0,DAYS,M,A,Drug,A,Drug,1950-02-03,10,
        ABC,DM,ABC-2,2020-01-01,54,YEARS,F,P,Placebo,A,Drug,1961-02-03,20,2020-03-01
        ABC,DM,ABC-3,,33,YEARS,F,SCRNFAIL,Screen Failure,SCRNFAIL,Screen Failure,,,
        ABC,DM,ABC-4,2020-01-01,40,YEARS,F,P,Placebo,P,Placebo,,20,
        ABC,DM,ABC-4,2020-01-01,41,YEARS,F,P,Placebo,P,Placebo,,20,
        ABC,DM,ABC-1,2020-01-01,0,DAYS,M,A,Drug,A,Drug,1950-02-03,10,"""


def test_subjects() -> None:
    records = only(csv("dm", DM))
    told = {fact.code: fact for fact in records.subjects}
    assert set(told) == {"ABC-1", "ABC-2", "ABC-3"}
    assert (told["ABC-1"].age, told["ABC-1"].arm, told["ABC-1"].group_code) == (None, "Drug", "10")
    assert (told["ABC-2"].arm, told["ABC-2"].arm_planned, told["ABC-2"].died_on) == ("Drug", "Placebo", "2020-03-01")
    assert [told[code].screen_failure for code in ("ABC-1", "ABC-2", "ABC-3")] == [False, False, True]
    assert "1950-02-03" not in repr(records.subjects)
    assert [item.explanation for item in held(records)] == [
        "rows 5, 6 name the same record and differ in AGE: take one of them"
    ] * 2
    assert sum(len(batch.duplicates) for batch in records.stream()) == 1


def test_dose_levels_are_told_by_the_arm() -> None:
    arms = ("Cohort 2 (20 mg)", "DL3", "Dose level 1", "Niveau de dose 4", "Drug 20 mg", "Cohort 1 to cohort 2")
    arms += ("Dose level -1", "DL: \u22122", "DL-1", "cohort - 3")
    lines = "\n".join(f"ABC,DM,ABC-{n},2020-01-01,F,A{n},{arm}" for n, arm in enumerate(arms))
    records = only(csv("dm", f"STUDYID,DOMAIN,USUBJID,RFSTDTC,SEX,ARMCD,ARM\n{lines}"))
    assert [subject.dose_level for subject in records.subjects] == [2, 3, 1, 4, None, None, -1, -2, 1, 3]


def test_trial_sets_and_pools() -> None:
    tx = csv(
        "tx",
        """STUDYID,DOMAIN,SETCD,SET,TXSEQ,TXPARMCD,TXPARM,TXVAL
           ABC,TX,1,"Group 1, Control, nonrecovery",1,TRTDOS,Dose Level,0
           ABC,TX,1,"Group 1, Control, nonrecovery",2,TCNTRL,Control Type,Vehicle
           ABC,TX,1,"Group 1, Control, nonrecovery",3,TKDESC,Toxicokinetic,non-TK
           ABC,TX,2,"Group 2, 20 mg/kg, TK",1,TRTDOS,Dose Level,20
           ABC,TX,2,"Group 2, 20 mg/kg, TK",2,TRTDOSU,Dose Units,mg/kg/day
           ABC,TX,2,"Group 2, 20 mg/kg, TK",3,TKDESC,Toxicokinetic,TK
           ABC,TX,2,"Group 2, 20 mg/kg, TK",4,TRTDOS,Dose Level,30
           ABC,TX,3,"Group 3 with recovery",1,TRTDOS,Dose Level,20""",
    )
    pooldef = csv("pooldef", "STUDYID,POOLID,USUBJID\nABC,P1,ABC-1\nABC,P1,ABC-2\nABC,P1,ABC-1")
    records = only(tx, pooldef)
    marks = [(group.code, group.dose, group.control, group.satellite, group.recovery) for group in records.groups]
    assert marks == [("1", 0.0, True, False, False), ("2", 20.0, False, True, False), ("3", 20.0, False, False, True)]
    assert records.groups[1].dose_unit == "mg/kg/d"
    assert reasons(records) == [(8, "TXVAL", "set 2 has two values of TRTDOS, 20 (row 5) and 30; correct one")]
    assert [(pool.code, pool.members) for pool in records.pools] == [("P1", '["ABC-1","ABC-2"]')]


def test_doses_name_the_molecule_and_the_analyte_is_not_it() -> None:
    ex = csv(
        "ex",
        """STUDYID,DOMAIN,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC,EXENDTC
           ABC,EX,ABC-1,1,DRUG-7,20,mg/kg,2020-01-01T08:00,
           ABC,EX,ABC-2,1,Placebo,0,mg/kg,2020-01-01T08:00,
           ABC,EX,ABC-3,1,DRUG-7,-5,mg/kg,2020-01-01T08:00,
           ABC,EX,ABC-3,2,DRUG-7,5,mg/kg,2020-02-01,2020-01-01
           ABC,EX,ABC-3,3,,5,mg/kg,2020-02-01,""",
    )
    records = only(ex, pc(sample(PCTEST="M1 metabolite")))
    given = [fact for fact in facts(records, AdministrationFact) if isinstance(fact, AdministrationFact)]
    assert [(fact.molecule is None, fact.amount, fact.unit) for fact in given] == [
        (False, 20.0, "mg/kg"),
        (True, 0.0, "mg/kg"),
    ]
    assert [row for row, _, _ in reasons(records)] == [4, 6]
    assert [item.explanation for item in held(records)] == ["the dosing ends before it begins (2020-02-01)"]
    [concentration] = facts(records, ConcentrationFact)
    assert isinstance(concentration, ConcentrationFact)
    assert (concentration.analyte, concentration.molecule) == ("M1 metabolite", given[0].molecule)
    assert concentration.reference_dose_at == "2020-01-01T08:00"


def test_an_analyte_of_a_combination_is_not_guessed() -> None:
    ex = csv(
        "ex",
        """STUDYID,DOMAIN,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC
           ABC,EX,ABC-1,1,Alphanib,20,mg,2020-01-01
           ABC,EX,ABC-1,2,Betamab,20,mg,2020-01-01""",
    )
    records = only(ex, pc(sample(PCTEST="Alphanib"), sample(PCTEST="M5", PCTESTCD="M5")))
    found = {
        fact.analyte: fact.molecule for fact in facts(records, ConcentrationFact) if isinstance(fact, ConcentrationFact)
    }
    assert found == {"Alphanib": "alphanib", "M5": None}
    assert records.analytes == {"M5"}


def test_reported_parameters_and_what_the_source_leaves_out() -> None:
    pp = csv(
        "pp",
        """STUDYID,DOMAIN,USUBJID,PPSEQ,PPTESTCD,PPTEST,PPCAT,PPORRES,PPORRESU,PPSTRESC,PPSTRESN,PPSTRESU,PPSPEC,VISITDY
           ABC,PP,ABC-1,1,CMAX,Max Conc,DRUG,1670,ng/mL,1670,1670,ng/mL,PLASMA,1
           ABC,PP,ABC-1,6,AUCIFO,AUC Inf,DRUG,-12,h*ng/mL,-12,-12,h*ng/mL,PLASMA,1
           ABC,PP,ABC-1,7,LAMZHL,Half-life,DRUG,NC,,NC,,,PLASMA,1
           ABC,PP,ABC-1,8,CMAX,Max Conc,DRUG,1670,ng/mL,1670,1670,ng/mL,PLASMA,1""",
    )
    supp = csv(
        "supppp",
        """STUDYID,RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QLABEL,QVAL,QORIG
           ABC,PP,ABC-1,PPSEQ,6.0,RSDSEXCL,Reason for exclusion,extrapolation > 25%,ASSIGNED""",
    )
    records = only(pp, supp)
    found = [fact for fact in facts(records, ReportedParameterFact) if isinstance(fact, ReportedParameterFact)]
    by_code = {fact.code: fact for fact in found}
    assert by_code["AUCIFO"].exclusion_reason == "extrapolation > 25%"
    assert (by_code["LAMZHL"].value, by_code["LAMZHL"].not_done) == (None, "NC")
    assert (by_code["CMAX"].value, by_code["CMAX"].unit, by_code["CMAX"].day) == (1670.0, "ng/mL", 1.0)
    assert fates(records, ReportedParameterFact)["duplicates"] == 1
    [qualifier] = facts(records, QualifierFact)
    assert isinstance(qualifier, QualifierFact)
    assert qualifier.of == ("PP", "ABC-1", None, "6")


def test_a_verbal_severity_is_no_grade() -> None:
    ae = csv(
        "ae",
        """STUDYID,DOMAIN,USUBJID,AESEQ,AETERM,AESEV,AETOXGR,AESER,AESTDTC,AEENDTC,AEDLT
           ABC,AE,ABC-1,1,NAUSEA,SEVERE,,N,2020-01,,
           ABC,AE,ABC-1,2,NEUTROPENIA,,3,Y,2020-01-05,2020-01-09,Y
           ABC,AE,ABC-1,3,RASH,GRADE 2,,N,2020-01-05,2020-01-02,
           ABC,AE,ABC-1,3,FEVER,MILD,,N,2020-01-05,,
           ABC,AE,ABC-1,5,,MILD,,N,2020-01-05,,""",
    )
    records = only(ae)
    found = [fact for fact in facts(records, AdverseEventFact) if isinstance(fact, AdverseEventFact)]
    assert [(f.term, f.severity, f.grade, f.serious, f.dlt, f.started_on, f.sorted_on) for f in found] == [
        ("NAUSEA", "SEVERE", None, False, False, "2020-01", "2020-01-01"),
        ("NEUTROPENIA", None, 3, True, True, "2020-01-05", "2020-01-05"),
    ]
    assert [row for row, _, _ in reasons(records)] == [6]
    assert len(held(records)) == 2


def test_laboratory_values_are_graded_where_that_is_possible() -> None:
    lb = csv(
        "lb",
        """STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBORRES,LBORRESU,LBSTRESC,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI,LBSPEC,LBDTC,LBBLFL
           ABC,LB,ABC-1,1,ALT,30,U/L,30,30,U/L,5,40,SERUM,2020-01-01,Y
           ABC,LB,ABC-1,2,ALT,250,U/L,250,250,U/L,5,40,SERUM,2020-01-08,
           ABC,LB,ABC-1,3,NEUT,0.9,GI/L,0.9,0.9,GI/L,1.5,7,BLOOD,2020-01-08,
           ABC,LB,ABC-1,4,NA,128,mmol/L,128,128,mmol/L,135,145,SERUM,2020-01-08,
           ABC,LB,ABC-1,5,ALT,90,U/L,90,90,U/L,,,SERUM,2020-01-15,
           ABC,LB,ABC-1,6,GLUC,5,mg/dL,5,5,mg/dL,,,URINE,2020-01-15,
           ABC,LB,ABC-1,7,BILI,<3,umol/L,<3,,umol/L,3,20,SERUM,2020-01-15,""",
    )
    found = [fact for fact in facts(only(lb), LaboratoryFact) if isinstance(fact, LaboratoryFact)]
    assert [(fact.test, fact.value, fact.grade) for fact in found] == [
        ("ALT", 30.0, 0),
        ("ALT", 250.0, 3),
        ("NEUT", 0.9, 3),
        ("NA", 128.0, 3),
        ("ALT", 90.0, None),
        ("GLUC", 5.0, None),
        ("BILI", None, None),
    ]
    assert found[3].grade_flag == "needs_clinical"  # 2 without symptoms: the worst case is taken, and said
    assert found[4].grade_flag == "not graded: uln_missing"
    assert found[6].flag == "<3 is no number"


def test_numbers_that_can_be_two_are_held_in_every_domain() -> None:
    pp = "STUDYID,DOMAIN,USUBJID,PPTESTCD,PPCAT,PPORRES,PPORRESU,PPSPEC\nABC,PP,ABC-1,CMAX,DRUG,{},ng/mL,PLASMA"
    lb = "STUDYID,DOMAIN,USUBJID,LBTESTCD,LBORRES,LBORRESU,LBDTC\nABC,LB,ABC-1,PLAT,{},G/L,2020-01-01"
    bw = "STUDYID,DOMAIN,USUBJID,BWTESTCD,BWORRES,BWORRESU,BWDTC\nABC,BW,ABC-1,BW,{},g,2020-01-01"
    for name, text in (("pp", pp), ("lb", lb), ("bw", bw)):
        [item] = held(only(csv(name, text.format('"1,234"'))))
        assert (item.column, item.proposed, item.field) == (f"{name.upper()}ORRES", "1234", "value")
        settled = text.format('"1,234"') + "\n" + text.splitlines()[1].replace("ABC-1", "ABC-2").format('"0,5"')
        assert not held(only(csv(name, settled)))


def test_animals_get_no_grades_of_people() -> None:
    lb = csv(
        "lb", "STUDYID,DOMAIN,USUBJID,LBTESTCD,LBSTRESN,LBSTRESU,LBSTNRHI,LBDTC\nABC,LB,ABC-1,ALT,900,U/L,40,2020-01-01"
    )
    ts = csv("ts", "STUDYID,DOMAIN,TSSEQ,TSPARMCD,TSVAL\nABC,TS,1,SPECIES,DOG")
    found = [facts(only(*sets), LaboratoryFact)[0] for sets in ((lb,), (lb, ts))]
    assert [fact.grade for fact in found if isinstance(fact, LaboratoryFact)] == [4, None]


def test_pathology_keeps_its_words_and_their_order() -> None:
    mi = csv(
        "mi",
        """STUDYID,DOMAIN,USUBJID,MISEQ,MITESTCD,MIORRES,MISTRESC,MISPEC,MISEV,MISTAT,MIREASND
           ABC,MI,ABC-1,1,MIEXAM,NORMAL,NORMAL,LIVER,,,
           ABC,MI,ABC-1,2,MIEXAM,Vacuoles,Vacuoles,LIVER,MODERATE,,
           ABC,MI,ABC-1,3,MIEXAM,Vacuoles,Vacuoles,KIDNEY,ENORMOUS,,
           ABC,MI,ABC-1,4,MIEXAM,,,HEART,,NOT DONE,autolysis""",
    )
    found = [fact for fact in facts(only(mi), FindingFact) if isinstance(fact, FindingFact)]
    assert [(fact.organ, fact.severity_rank, fact.not_done) for fact in found] == [
        ("LIVER", None, None),
        ("LIVER", 3, None),
        ("KIDNEY", None, None),
        ("HEART", None, "autolysis"),
    ]
    assert found[2].flag == "severity 'ENORMOUS' has no place in the order"


def test_tumours_and_responses_by_assessor() -> None:
    tr = csv(
        "tr",
        """STUDYID,DOMAIN,USUBJID,TRSEQ,TRGRPID,TRLNKID,TRTESTCD,TRORRES,TRORRESU,TRSTRESC,TRSTRESN,TRSTRESU,VISIT,TREVAL,TREVALID,TRACPTFL,TRDTC
           ABC,TR,ABC-1,1,TARGET,T01,LDIAM,21,mm,21,21,mm,SCREENING,INDEPENDENT ASSESSOR,R1,Y,2020-01
           ABC,TR,ABC-1,2,NON-TARGET,NT1,TUMSTATE,PRESENT,,PRESENT,,,SCREENING,INVESTIGATOR,,,2020-01-02""",
    )
    rs = csv(
        "rs",
        """STUDYID,DOMAIN,USUBJID,RSSEQ,RSTESTCD,RSORRES,RSSTRESC,VISIT,RSEVAL,RSEVALID,RSACPTFL,RSDTC,RSCAT
           ABC,RS,ABC-1,1,OVRLRESP,Partial Response,PR,WEEK 6,INDEPENDENT ASSESSOR,R1,,2020-02,RECIST 1.1
           ABC,RS,ABC-1,2,OVRLRESP,SD,SD,WEEK 6,INDEPENDENT ASSESSOR,R2,Y,2020-02,RECIST 1.1
           ABC,RS,ABC-1,3,OVRLRESP,better,better,WEEK 6,INVESTIGATOR,,,2020-02,RECIST 1.1""",
    )
    records = only(tr, rs)
    lesions = [fact for fact in facts(records, MeasurementFact) if isinstance(fact, MeasurementFact)]
    assert [(f.lesion, f.lesion_kind, f.value, f.unit, f.finding, f.accepted, f.sorted_on) for f in lesions] == [
        ("T01", "TARGET", 21.0, "mm", None, True, "2020-01-01"),
        ("NT1", "NON-TARGET", None, None, "PRESENT", None, "2020-01-02"),
    ]
    answers = [fact for fact in facts(records, ResponseFact) if isinstance(fact, ResponseFact)]
    assert [(f.response, f.assessor, f.accepted) for f in answers] == [
        ("PR", "INDEPENDENT ASSESSOR / R1", False),
        ("SD", "INDEPENDENT ASSESSOR / R2", True),
        (None, "INVESTIGATOR", None),
    ]
    assert answers[2].flag == "better is no response as known here"


def test_a_trial_says_what_it_is_and_names_nobody() -> None:
    ts = csv(
        "ts",
        """STUDYID,DOMAIN,TSSEQ,TSPARMCD,TSPARM,TSVAL,TSVALNF
           ABC,TS,1,STITLE,Title,A 4-week study in rats,
           ABC,TS,1,STDIR,Study Director,Jane Roe,
           ABC,TS,1,SPECIES,Species,RAT,
           ABC,TS,1,GLPTYP,GLP,FDA,
           ABC,TS,2,GLPTYP,GLP,OECD,
           ABC,TS,1,TRT,Treatment,DRUG-7,
           ABC,TS,1,STSTDTC,Start,2010-12-04T00:00:00,
           ABC,TS,1,AGEMAX,Oldest,,PINF
           ABC,TS,1,REGID,Registry,NCT01234567,
           ABC,TS,1,TPHASE,Phase,Phase I/II Trial,
           ABC,TS,1,PLANSUB,Planned,124,""",
    )
    study = only(ts).study
    assert (study.title, study.phases, study.enrolment) == ("A 4-week study in rats", ["PHASE_1_2"], 124)
    assert study.started_on is not None
    assert (study.started_on.text, study.registry_id) == ("2010-12-04", "NCT01234567")
    assert (study.details["species"], study.details["glp"]) == ("rat", ["FDA", "OECD"])
    assert "Roe" not in repr(study)
    assert "PINF" in repr(study.details)


AWKWARD = (
    "|NA|.|0|-1|1e309|1,234|0,5|<BLQ|ND|Predose|PT30M|2 h|2020-02-30|2020-01|2020-01-01T10:00|ng/mL|h|=1+1|Y|NOT DONE"
    "|DRUG|S1|99999999999999999999|Day 3|é\u202f1"
)
ODD = st.sampled_from(AWKWARD.split("|")) | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
DOMAIN_COLUMNS = {
    "pc": "STUDYID USUBJID PCSEQ PCTESTCD PCTEST PCORRES PCORRESU PCSTRESC PCSTRESN PCSTRESU PCSPEC PCLLOQ PCSTAT "
    "VISITDY PCDY PCDTC PCENDTC PCRFTDTC PCTPT PCTPTNUM PCELTM PCTPTREF PCEXCLFL",
    "ex": "STUDYID USUBJID POOLID EXSEQ EXTRT EXDOSE EXDOSU EXSTDTC EXENDTC EXDUR",
    "pp": "STUDYID USUBJID PPSEQ PPTESTCD PPCAT PPORRES PPORRESU PPSTRESC PPSTRESN PPSTRESU PPSPEC VISITDY PPRFTDTC",
    "ae": "STUDYID USUBJID AESEQ AETERM AESEV AETOXGR AESER AESTDTC AEENDTC",
    "lb": "STUDYID USUBJID LBSEQ LBTESTCD LBORRES LBSTRESC LBSTRESN LBSTRESU LBSTNRLO LBSTNRHI LBSPEC LBDTC LBBLFL",
    "dm": "STUDYID USUBJID RFSTDTC AGE AGEU SEX ARMCD ARM SETCD",
    "ds": "STUDYID USUBJID DSSEQ DSTERM DSDECOD DSSTDTC",
    "rs": "STUDYID USUBJID RSSEQ RSTESTCD RSORRES RSSTRESC RSEVAL RSACPTFL RSDTC VISIT",
    "tr": "STUDYID USUBJID TRSEQ TRTESTCD TRLNKID TRORRES TRSTRESN TRSTRESU TRDTC VISIT",
    "mi": "STUDYID USUBJID MISEQ MITESTCD MIORRES MISPEC MISEV MIDTC",
    "tx": "STUDYID SETCD SET TXSEQ TXPARMCD TXVAL",
    "ts": "STUDYID TSSEQ TSPARMCD TSVAL",
    "pooldef": "STUDYID POOLID USUBJID",
    "suppae": "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL QNAM QLABEL QVAL",
    "relrec": "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID",
}


@st.composite
def tables(draw: st.DrawFn) -> list[DataSet]:
    """Draw some data sets of one study whose cells hold anything."""
    found = []
    for name in draw(st.lists(st.sampled_from(sorted(DOMAIN_COLUMNS)), min_size=1, max_size=4, unique=True)):
        names = DOMAIN_COLUMNS[name].split()
        rows = draw(st.lists(st.tuples(*(st.just("S1") if n == "STUDYID" else ODD for n in names)), max_size=6))
        found.append(made(name, [DataColumn(n) for n in names], lambda rows=rows: iter(rows)))
    return found


@settings(max_examples=60, deadline=None)
@given(tables())
def test_whatever_stands_in_the_cells_every_row_has_one_fate(datasets: list[DataSet]) -> None:
    reading = read_sdtm(datasets)
    for records in reading.studies:
        for _ in range(2):  # a stream can be begun again, and is the same
            batches = list(records.stream())
            assert sum(batch.rows for batch in batches) == sum(len(c) for ds in datasets for c in ds.chunks())
            for kind in {batch.kind for batch in batches} - {RecordLinkFact, GroupFact, PoolFact, SubjectFact}:
                count = fates(records, kind)
                assert count["rows"] == count.total() - count["rows"], kind


def test_species_is_human_unless_the_files_are_of_animals() -> None:
    people = csv("dm", "STUDYID,DOMAIN,USUBJID,RFSTDTC,SEX,ARMCD,ARM\nABC,DM,ABC-1,2020-01-01,F,A,Drug")
    animals = csv("dm", "STUDYID,DOMAIN,USUBJID,RFSTDTC,SEX,ARMCD,ARM,SETCD\nABC,DM,ABC-1,2020-01-01,F,A,Drug,1")
    dogs = csv("dm", "STUDYID,DOMAIN,USUBJID,RFSTDTC,SEX,ARMCD,ARM,SPECIES\nABC,DM,ABC-1,2020-01-01,F,A,Drug,DOG")
    assert [only(dm).subjects[0].species for dm in (people, animals, dogs)] == ["human", "unknown", "dog"]
