"""Portfolios: headings in two languages, one row per programme or per stage entry, one fate for every row."""

import csv
import io
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.portfolio import read_portfolio
from pipeline.exchange.portfolio_template import template
from pipeline.exchange.quarantine import summary, write_quarantine
from pipeline.exchange.reading import Place
from pipeline.exchange.stage_names import StageNames, fold_words
from pipeline.words import AttritionReason, Modality, Status

STAGES = {
    "PRECLINICAL_PHARMACOLOGY": "Preclinical pharmacology",
    "PRECLINICAL_TOXICOLOGY": "Preclinical toxicology",
    "CTA": "Clinical trial authorisation",
    "PHASE_1": "Phase 1",
    "PHASE_1_2": "Phase 1/2",
    "PHASE_2": "Phase 2",
    "PHASE_2_3": "Phase 2/3",
    "PHASE_3": "Phase 3",
    "PREAPPROVAL": "Pre-approval",
    "APPROVAL": "Approval",
    "PHASE_4": "Phase 4",
    "WITHDRAWAL": "Withdrawal from the market",
}
TODAY = date(2026, 11, 24)


def read(text, filename="p.csv", **options):
    data = text if isinstance(text, bytes) else text.encode()
    return read_portfolio(data, filename, STAGES, today=TODAY, **options)


def entries(programme):
    return [(entry.stage, entry.occurred_on.text, entry.status.value) for entry in programme.entries]


def fates(reading):
    return (
        reading.accepted,
        len({item.place for item in reading.quarantined}),
        len({item.place for item in reading.held}),
        len({item.place for item in reading.duplicates}),
    )


def test_a_french_workbook_of_one_row_per_programme():
    reading = read(
        "Molécule;Code;Modalité;Indication;Groupe;Cible(s);Stade;Depuis;Statut;Date d'arrêt;Motif\n"
        "Alphatinib;A-1;Anticorps monoclonal;LAM;hématologie;FLT3, KIT;Phase II;12/03/2019;Arrêté;25/06/2020;toxicité\n"
    )
    (programme,) = reading.programmes
    assert entries(programme) == [("PHASE_2", "2019-03-12", "ACTIVE"), ("PHASE_2", "2020-06-25", "DISCONTINUED")]
    assert (programme.entries[1].reason, programme.entries[1].reason_verbatim) == (None, "toxicité")
    assert (programme.molecule.name, programme.molecule.code) == ("Alphatinib", "A-1")
    assert (programme.molecule.modality, programme.molecule.targets) == (Modality.ANTIBODY, ["FLT3", "KIT"])
    assert (programme.indication, programme.disease_group) == ("LAM", "hématologie")


def test_one_row_per_stage_entry_becomes_one_programme():
    reading = read("name,phase,date\nA,Phase 2,2015-04\nA,Phase 1,2013\nA,Phase 1/2,2014-01-02\nB,Phase 1,2013\n")
    assert [entries(programme) for programme in reading.programmes] == [
        [("PHASE_1", "2013", "ACTIVE"), ("PHASE_1_2", "2014-01-02", "ACTIVE"), ("PHASE_2", "2015-04", "ACTIVE")],
        [("PHASE_1", "2013", "ACTIVE")],
    ]
    assert fates(reading) == (4, 0, 0, 0)


@pytest.mark.parametrize(
    "heading", ["Phase II", "Phase 2 start", "Début phase II", "Date de passage en phase 2", "Ph2 date"]
)
def test_a_column_of_dates_per_stage(heading):
    reading = read(f"Nom,Phase 1 start date,{heading},Phase 2 end\nA,2010,2012-03,2013\n")
    assert entries(reading.programmes[0]) == [("PHASE_1", "2010", "ACTIVE"), ("PHASE_2", "2012-03", "ACTIVE")]
    assert reading.warnings == ["p.csv: 1 column(s) are not kept: 'Phase 2 end'."]


def test_dates_per_stage_under_a_row_of_groups():
    reading = read(",Phase 1,,Phase 2,\nName,start,end,start,end\nA,2010,2011,2012,2013\n")
    assert entries(reading.programmes[0]) == [("PHASE_1", "2010", "ACTIVE"), ("PHASE_2", "2012", "ACTIVE")]


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("A,Phase 9,2020,,", "phase", "no stage is called this"),
        ("A,Phase 0,2020,,", "phase", "no stage is called this"),
        ("A,discontinued,2020,,", "phase", "this is a status, not a stage"),
        ("A,2024-02-01,2020,,", "phase", "a spreadsheet may have taken 1/2"),
        ("A,,2020,,", "phase", "the row names no stage"),
        ("A,Phase 1,31.02.2021,,", "date", "there is no such day (2021-02-31)"),
        ("A,Phase 1,soon,,", "date", "this is no date"),
        ("A,Phase 1,2027-01-01,,", "date", "the date lies in the future"),
        ("A,Phase 1,2020,lost,", "status", "no status is called this"),
        ("A,Phase 1,2020,stopped,2019", None, "Phase 1 DISCONTINUED on 2019 comes before Phase 1 on 2020"),
        ("=1+1,Phase 1,2020,,", "name", "a formula stands where a value belongs"),
        ("A,=B1,2020,,", "phase", "a formula stands where a value belongs"),
        ("A,Phase 1,=TODAY(),,", "date", "a formula stands where a value belongs"),
        (",Phase 1,2020,,", "name", "the row names no molecule"),
        ("---,Phase 1,2020,,", "name", "the row names no molecule"),
        ("A,Phase 1,2020,", None, "the row has 4 cells where the heading has 5"),
        ("A\x00,Phase 1,2020,,", "name", "control characters"),
    ],
)
def test_a_row_that_cannot_be_read_is_quarantined_by_name(row, column, said):
    reading = read(f"name,phase,date,status,stopped on\n{row}\nB,Phase 1,2020,,\n")
    (item,) = reading.quarantined
    assert (item.place, item.column) == (Place("p.csv", 2), column)
    assert said in item.reason
    assert fates(reading) == (1, 1, 0, 0)
    assert [programme.molecule.name for programme in reading.programmes] == ["B"]


@pytest.mark.parametrize(
    ("row", "proposed", "said"),
    [
        ("A,Phase 1,,,", "the date it entered Phase 1", "when did it enter this stage?"),
        ("A,Phase 1,03/04/2021,,", "2021-03-04 or 2021-04-03", "day/month or month/day"),
        ("A,Phase 1,12-Mar-13,,", "2013-03-12", "the year has two digits"),
        ("A,Phase 1,2020,withdrawn,", "status DISCONTINUED, or stage Withdrawal", "say which"),
        ("A,Phase 1,2020,,2021", "DISCONTINUED or COMPLETED; write the status", "date of stopping"),
    ],
)
def test_a_row_that_can_be_read_in_two_ways_is_held_with_a_proposal(row, proposed, said):
    reading = read(f"name,phase,date,status,stopped on\n{row}\n")
    (item,) = reading.held
    assert (item.place, item.proposed) == (Place("p.csv", 2), proposed)
    assert said in item.explanation
    assert (reading.programmes, fates(reading)) == ([], (0, 0, 1, 0))


def test_a_held_row_says_what_accepting_it_would_do():
    (item,) = read("name,indication,phase,date\nA,AML,Phase 1,Mar-13\n").held
    assert item.act == {
        "kind": "enter",
        "molecule": "A",
        "code": None,
        "indication": "AML",
        "row": {"name": "A", "indication": "AML", "stage": "Phase 1", "since": "Mar-13"},
        "column": "since",
        "stage": "PHASE_1",
        "occurred_on": "2013-03",
        "choices": ["2013-03"],
    }


def test_other_date_columns_of_the_table_settle_day_and_month():
    reading = read("name,phase,start date,status,stop date\nA,1,03/04/2019,stopped,25/06/2020\n")
    assert entries(reading.programmes[0]) == [
        ("PHASE_1", "2019-04-03", "ACTIVE"),
        ("PHASE_1", "2020-06-25", "DISCONTINUED"),
    ]


@pytest.mark.parametrize(("order", "day"), [("jj/mm/aaaa", "2019-04-03"), ("MM/DD/YYYY", "2019-03-04")])
def test_a_heading_can_say_how_its_dates_are_written(order, day):
    reading = read(f"Nom,Phase en cours,Date de début ({order}),Indication thérapeutique\nA,1,03/04/2019,LAM\n")
    assert entries(reading.programmes[0]) == [("PHASE_1", day, "ACTIVE")]
    assert reading.programmes[0].indication == "LAM"


def test_what_other_rows_say_differently_of_a_molecule_is_flagged():
    reading = read("name,phase,date,biomarker,modality\nA,1,2013,KRAS,ADC\nA,2,2014,BRAF,peptide\nA,2,2014,,x\n")
    flagged = {(flag.place.row, flag.column) for flag in reading.flags}
    assert flagged == {(3, "biomarker"), (3, "modality"), (4, "modality")}
    assert reading.programmes[0].biomarker == "KRAS"


def test_exact_repetitions_are_duplicates_and_a_coarser_date_says_nothing_new():
    reading = read("name,phase,date\nA,1,2013-04-05\na,Phase I,2013-04-05\nA,1,2013\n")
    assert [(item.place.row, item.of) for item in reading.duplicates] == [
        (3, Place("p.csv", 2)),
        (4, Place("p.csv", 2)),
    ]
    assert entries(reading.programmes[0]) == [("PHASE_1", "2013-04-05", "ACTIVE")]


def test_two_dates_for_one_stage_are_both_held():
    reading = read("name,phase,date\nA,1,2013\nA,1,2015\nA,2,2016\n")
    assert [item.place.row for item in reading.held] == [2, 3]
    assert (reading.held[0].column, reading.held[0].value) == ("date", "2013")
    assert reading.held[0].proposed == "2013 or 2015"
    assert entries(reading.programmes[0]) == [("PHASE_2", "2016", "ACTIVE")]


def test_a_hold_and_a_resumption_are_no_contradiction():
    reading = read("name,phase,date,status\nA,1,2013,\nA,1,2014,on hold\nA,1,2015,active\n")
    assert entries(reading.programmes[0]) == [
        ("PHASE_1", "2013", "ACTIVE"),
        ("PHASE_1", "2014", "ON_HOLD"),
        ("PHASE_1", "2015", "ACTIVE"),
    ]


def test_a_step_back_between_rows_is_held_as_a_correction():
    reading = read("name,phase,date\nA,2,2012\nA,1,2014\n")
    (item,) = reading.held
    assert item.place.row == 3
    assert item.act is not None
    assert (item.act["kind"], item.act["from_stage"], item.act["to"]) == ("correct", "PHASE_2", "PHASE_1")
    assert entries(reading.programmes[0]) == [("PHASE_2", "2012", "ACTIVE")]


def test_a_stage_completed_on_the_way_is_not_the_end_of_the_programme():
    reading = read("name,phase,date,status\nA,1,2013,completed\nA,2,2014,completed\n")
    assert entries(reading.programmes[0]) == [("PHASE_1", "2013", "ACTIVE"), ("PHASE_2", "2014", "COMPLETED")]
    assert reading.programmes[0].entries[0].note == "the source says this stage was completed"


def test_one_code_with_two_names_is_held():
    reading = read("code,name,phase,date\nX-1,alpha,1,2013\nX-1,beta,1,2013\n")
    assert [item.place.row for item in reading.held] == [3]
    assert "row 2 has code X-1 with name alpha" in reading.held[0].explanation


def test_a_row_with_only_the_code_is_about_the_molecule_that_has_it():
    reading = read("code,name,phase,date\nX-1,alpha,1,2013\nX 1,,2,2014\n")
    assert [(p.molecule.name, p.molecule.code, entries(p)) for p in reading.programmes] == [
        ("alpha", "X-1", [("PHASE_1", "2013", "ACTIVE"), ("PHASE_2", "2014", "ACTIVE")])
    ]


def test_a_row_without_indication_beside_rows_with_one_is_held():
    reading = read("name,indication,phase,date\nA,AML,1,2013\nA,,2,2014\nB,,1,2013\n")
    assert [(item.place.row, item.proposed) for item in reading.held] == [(3, "AML")]
    assert [(p.molecule.name, p.indication) for p in reading.programmes] == [("A", "AML"), ("B", None)]


def test_programmes_of_one_molecule_share_its_fact():
    reading = read(
        "name,indication,phase,date,chembl,cid,synonyms\nA,AML,1,2013,CHEMBL25,12,a one; a two\nA,ALL,1,2014,,,\n"
    )
    one, other = reading.programmes
    assert one.molecule is other.molecule
    assert one.molecule.external_ids == [("CHEMBL", "CHEMBL25"), ("PUBCHEM_CID", "12")]
    assert one.molecule.synonyms == ["a one", "a two"]


def test_a_stop_without_a_reason_is_unspecified_and_a_code_is_read():
    reading = read(
        "name,phase,date,status,reason\nA,1,2013,stopped,\nB,1,2013,stopped,efficacy lack\nC,1,2013,hold,x\n"
    )
    assert [programme.entries[0].reason for programme in reading.programmes] == [
        AttritionReason.UNSPECIFIED,
        AttritionReason.EFFICACY_LACK,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo,bar\n1,2\n", "has no molecule (a column such as Name, Code, Molécule) and no stage"),
        ("name,phase\nA,1\n", "has no date of entering it"),
        ("name,phase\nA,1\n", "can be imported as snapshots."),
        ("name,date\nA,2013\n", "has no stage"),
        ("foo,bar\n1,2\n", "the headings found in row 1 are 'foo', 'bar'. `moltrail import --template`"),
    ],
)
def test_missing_columns_are_refused_with_what_was_found_and_wanted(text, said):
    with pytest.raises(FileRefused) as refused:
        read(text)
    assert said in refused.value.message


def test_a_mapping_names_columns_the_reader_does_not_know():
    reading = read("Wirkstoff,Stufe,seit\nA,1,2013\n", mapping={"wirkstoff": "name", "Stufe": "stage", "seit": "since"})
    assert entries(reading.programmes[0]) == [("PHASE_1", "2013", "ACTIVE")]
    with pytest.raises(FileRefused, match="neither a column"):
        read("a,b\n1,2\n", mapping={"a": "colour"})


def test_several_sheets_are_read_and_others_named():
    book = openpyxl.Workbook()
    book.active.title = "LAM"
    for sheet, name in ((book.active, "A"), (book.create_sheet("Sein"), "B")):
        sheet.append(["Nom", "Phase", "Depuis"])
        sheet.append([name, "II", datetime(2020, 5, 4)])
    book.create_sheet("Lisez-moi").append(["bonjour", "vous"])
    out = io.BytesIO()
    book.save(out)
    reading = read(out.getvalue(), "p.xlsx")
    assert [(p.molecule.name, p.file, entries(p)) for p in reading.programmes] == [
        ("A", "p.xlsx[LAM]", [("PHASE_2", "2020-05-04", "ACTIVE")]),
        ("B", "p.xlsx[Sein]", [("PHASE_2", "2020-05-04", "ACTIVE")]),
    ]
    assert reading.warnings[0].startswith("p.xlsx[Lisez-moi] was left out")


def test_the_template_is_read_back_when_filled():
    book = openpyxl.load_workbook(io.BytesIO(template(STAGES)))
    assert book.sheetnames == ["Portfolio", "Columns", "Lists"]
    sheet = book["Portfolio"]
    assert len(sheet.data_validations.dataValidation) == 4
    headings = [cell.value for cell in sheet[1]]
    examples = {row[0].value: row[3].value for row in book["Columns"].iter_rows(min_row=2)}
    assert list(examples) == headings
    sheet.append([examples[heading] for heading in headings])
    out = io.BytesIO()
    book.save(out)
    reading = read(out.getvalue(), "t.xlsx")
    (programme,) = reading.programmes
    assert entries(programme) == [("PHASE_1", "2021-03", "ACTIVE"), ("PHASE_1", "2022-06-30", "DISCONTINUED")]
    assert programme.molecule.smiles == "CCO"
    assert dict(programme.molecule.external_ids)["CAS"] == "64-17-5"
    assert fates(reading) == (1, 0, 0, 0)


def test_the_empty_template_says_that_it_is_empty():
    reading = read(template(STAGES), "t.xlsx")
    assert reading.rows == 0
    assert "t.xlsx[Portfolio] has a heading and no rows below it." in reading.warnings


CELLS = {
    "name": ["A", "B", "b", "", "=1+1", "C\x00"],
    "code": ["", "X-1", "X-2"],
    "indication": ["", "AML", "aml", "ALL"],
    "phase": ["1", "Phase II", "Préclinique", "Phase 9", "", "I/II"],
    "date": ["2013", "2013-04", "2013-04-05", "05/06/2014", "31.02.2021", "", "2015", "2099"],
    "status": ["", "active", "stopped", "on hold", "completed", "withdrawn", "?!"],
    "stopped on": ["", "", "", "2016", "2012"],
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*(st.sampled_from(values) for values in CELLS.values())), max_size=14), st.booleans())
def test_every_row_has_exactly_one_fate(rows, ragged):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([list(CELLS), *rows, *([["A", "1"]] if ragged else [])])
    reading = read(out.getvalue())
    kinds = [{item.place.row for item in items} for items in (reading.quarantined, reading.held, reading.duplicates)]
    set_aside = set().union(*kinds)
    assert sum(map(len, kinds)) == len(set_aside)
    accepted = set(range(2, reading.rows + 2)) - set_aside
    assert reading.accepted == len(accepted)
    assert {entry.row for programme in reading.programmes for entry in programme.entries} == accepted
    ranks = StageNames(STAGES)
    for programme in reading.programmes:
        path = [ranks.rank(entry.stage) for entry in programme.entries]
        assert path == sorted(path)
        assert len({(p.molecule.key, p.indication) for p in reading.programmes}) == len(reading.programmes)


def test_the_quarantine_file_names_every_row_and_cannot_run():
    reading = read('name,phase,date,note\n"=HYPERLINK(""http://x"")",1,2013,\nB,1,Mar-13,\nC,1,2013,=1+1\n')
    rows = list(csv.reader(io.StringIO(write_quarantine(reading).decode("utf-8-sig"))))
    formula = "a formula stands where a value belongs; it is not computed: write the value"
    short_year = "the year has two digits and may be the day; write four digits (proposed: 2013-03)"
    assert rows == [
        ["file", "row", "column", "value", "reason", "kind"],
        ["p.csv", "2", "name", '\'=HYPERLINK("http://x")', formula, "quarantined"],
        ["p.csv", "3", "date", "Mar-13", short_year, "held"],
        ["p.csv", "4", "note", "'=1+1", "looks like a formula; kept as text, not computed", "flag"],
    ]
    assert summary(reading) == {
        "format": "portfolio",
        "rows": 3,
        "accepted": 1,
        "quarantined": 1,
        "held": 1,
        "duplicates": 0,
        "flags": 1,
        "programmes": 1,
        "studies": 0,
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("PHASE_1_2", "PHASE_1_2"), ("Phase I/II", "PHASE_1_2"), ("phase 1b/2", "PHASE_1_2"), ("I-II", "PHASE_1_2"),
        ("Phase 1/Phase 2", "PHASE_1_2"), ("PHASE1, PHASE2", "PHASE_1_2"), ("Phase ½", "PHASE_1_2"),
        ("Ph2", "PHASE_2"), ("Phase IIa", "PHASE_2"), ("ph. II", "PHASE_2"), ("2", "PHASE_2"), ("2.0", "PHASE_2"),
        ("Ⅱ", "PHASE_2"), ("Essai de phase II", "PHASE_2"), ("Phase II–III", "PHASE_2_3"), ("Phase 2b/3", "PHASE_2_3"),
        ("Phase Ia/Ib", "PHASE_1"), ("Préclinique", "PRECLINICAL_PHARMACOLOGY"),
        ("Pre-clinical", "PRECLINICAL_PHARMACOLOGY"),
        ("GLP tox", "PRECLINICAL_TOXICOLOGY"), ("IND/CTA", "CTA"), ("Autorisation d’essai clinique", "CTA"),
        ("NDA filed", "PREAPPROVAL"), ("Registration/NDA/MAA filed", "PREAPPROVAL"), ("Launched", "APPROVAL"),
        ("Approved / Marketed", "APPROVAL"), ("AMM", "APPROVAL"), ("Post-marketing", "PHASE_4"),
        ("Withdrawn", "WITHDRAWAL"), ("phase iii trial", "PHASE_3"),
    ],
)  # fmt: skip
def test_common_spellings_of_stages(text, code):
    assert StageNames(STAGES).read(text).code == code


@pytest.mark.parametrize(
    "text",
    ["Phase 0", "Phase V", "phase 12", "Phase 3/4", "Phase 1/3", "clinical", "early phase 1", "x", "", "Phase 2 or 3"],
)
def test_words_that_are_no_stage_for_certain_are_never_guessed(text):
    reading = StageNames(STAGES).read(text)
    assert reading.code is None
    assert reading.problem


def test_a_centre_s_own_stages_are_known_by_their_own_names():
    names = StageNames({"LEAD": "Tête de série", "PHASE_1": "Première administration"})
    assert names.read("tete de serie").code == "LEAD"
    assert names.read("Phase I").code == "PHASE_1"
    assert names.read("Phase II").problem == "the state graph in use has no stage PHASE_2"


def test_words_are_folded_to_one_form():
    assert fold_words("  Autorisation d’Essai_:clinique / IND ") == "autorisation d essai clinique/ind"


def test_status_codes_are_read_as_they_are():
    reading = read("name,phase,date,status\n" + "".join(f"m{n},1,2013,{s.value}\n" for n, s in enumerate(Status)))
    assert [programme.entries[0].status for programme in reading.programmes] == list(Status)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("name,phase,date,status,stopped on\nA,Phase 2,2020-03,{},\n", "stopped on"),
        ("name,phase,phase start,status\nA,Phase 2,2020-03,{}\n", "status"),
        ("Nom,Date de début de phase 2,Statut\nA,2020-03,{}\n", "Statut"),
    ],
)
@pytest.mark.parametrize("status", ["Discontinued", "on hold", "completed", "dormant"])
def test_the_day_a_stage_was_entered_is_not_the_day_it_was_stopped(table, column, status):
    reading = read(table.format(status))
    (item,) = reading.held
    assert (item.place, item.column) == (Place("p.csv", 2), column)
    assert "since when?" in item.explanation
    assert "2020-03 is the day it entered that stage" in item.explanation
    assert (reading.programmes, fates(reading)) == ([], (0, 0, 1, 0))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        # a date beside a status that may be of both; another row says when the stage was entered; the stage is the stop
        ("name,phase,date,status\nA,Phase 2,2020-03,stopped\n", [("PHASE_2", "2020-03", "DISCONTINUED")]),
        (
            "name,phase,start date,status\nA,Phase 2,2020-03,active\nA,Phase 2,2021-06,stopped\n",
            [("PHASE_2", "2020-03", "ACTIVE"), ("PHASE_2", "2021-06", "DISCONTINUED")],
        ),
        (
            "name,phase,start date,status\nA,Phase 1,2020-03,completed\nA,Phase 2,2021-06,active\n",
            [("PHASE_1", "2020-03", "ACTIVE"), ("PHASE_2", "2021-06", "ACTIVE")],
        ),
        ("name,phase,start date,status\nA,Withdrawn,2020-03,stopped\n", [("WITHDRAWAL", "2020-03", "DISCONTINUED")]),
    ],
)
def test_where_one_date_is_enough(table, said):
    reading = read(table)
    assert reading.held == []
    assert entries(reading.programmes[0]) == said


def test_the_date_of_an_active_status_is_no_stop():
    reading = read("name,phase,date,status,status date\nA,Phase 2,2020-03,active,2021-04\n")
    assert entries(reading.programmes[0]) == [("PHASE_2", "2020-03", "ACTIVE")]
    assert [flag.reason for flag in reading.flags] == [
        "the date of an active status is not kept; nothing stopped on it"
    ]


@pytest.mark.parametrize(("printed", "letter"), [("Phase IIb", True), ("phase 1b/2", True), ("Phase II", False)])
def test_a_letter_the_graph_does_not_know_is_said_aloud(printed, letter):
    reading = read(f"name,stage,since\nA,{printed},2020\n")
    assert any("is read as" in warning for warning in reading.warnings) is letter


def test_an_outcome_and_the_day_it_was_left_are_how_a_programme_stands():
    reading = read("Molecule,Indication,Stage,Entered on,Left on,Outcome\nA,x,Phase 3,2015-03-01,2018-07-15,STOPPED\n")
    assert entries(reading.programmes[0])[-1] == ("PHASE_3", "2018-07-15", "DISCONTINUED")
    assert reading.warnings == []


def test_a_column_of_statuses_under_an_unknown_name_is_pointed_out():
    reading = read("Molecule,Stage,Since,Verdict of the board\nA,Phase 3,2015,stopped\nB,Phase 1,2016,active\n")
    assert any("'Verdict of the board' tells how programmes stand ('stopped')" in text for text in reading.warnings)
    reading = read("Molecule,Stage,Since,Colour\nA,Phase 3,2015,red\nB,Phase 1,2016,active\n")
    assert not any("tells how programmes stand" in text for text in reading.warnings)
