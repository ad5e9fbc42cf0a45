"""Tables of trials as registers export them and people compile them: counted as by hand, in any layout."""

import csv
import io
import random
from collections import Counter
from datetime import date

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.formats import told
from pipeline.exchange.reading import Place, Reading, SentFile
from pipeline.exchange.registry_status import read_status
from pipeline.exchange.trial_cells import read_enrolment, read_list, read_phases, read_treatments
from pipeline.exchange.trial_headings import columns_of, tells_trials
from pipeline.exchange.trial_tables import read_trial_tables
from pipeline.words import StudyStatus

TODAY = date(2026, 3, 1)
HEADING = "NCT Number,Status,Phases,Interventions,Conditions,Why Stopped,Start Date,Completion Date,Enrollment"


def table(*rows: list[str], heading: str = HEADING, sign: str = ",", encoding: str = "utf-8") -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=sign).writerows([heading.split(","), *rows])
    return stream.getvalue().encode(encoding)


def read(*rows: list[str], **layout: str) -> Reading:
    return read_trial_tables([("trials.csv", table(*rows, **layout))], today=TODAY)


def adds_up(reading: Reading) -> bool:
    fates = [*reading.quarantined, *reading.held, *reading.duplicates]
    return reading.rows == len({item.place for item in fates}) + sum(study.rows for study in reading.studies)


def test_a_row_of_a_registers_export_is_a_study():
    reading = read(
        ["NCT00000001", "TERMINATED", "PHASE1|PHASE2", "DRUG: Alphol 20 mg|PROCEDURE: Biopsy|DRUG: Placebo",
         "Glioma|Melanoma", "Slow accrual;\n no safety concern", "2015-03", "2017-05-06", "12 (Actual)"],
    )  # fmt: skip
    [study] = reading.studies
    assert (study.code, study.registry_id, study.source, study.row) == (*["NCT00000001"] * 2, "trial-table", 2)
    assert (study.phases, study.status, study.enrolment) == (["PHASE_1_2"], StudyStatus.TERMINATED, 12)
    assert study.why_stopped == "Slow accrual; no safety concern"
    assert (study.started_on.text, study.ended_on.text) == ("2015-03", "2017-05-06")
    assert [(part.molecule.name, part.name) for part in study.molecules] == [("Alphol", "Alphol 20 mg")]
    assert study.conditions == ["Glioma", "Melanoma"]
    assert study.details["other_interventions"] == [
        {"type": "PROCEDURE", "name": "Biopsy"}, {"type": "DRUG", "name": "Placebo"},
    ]  # fmt: skip
    assert reading.flags == []


def test_lists_are_read_as_programs_print_them():
    row = ["NCT00000001", "terminated", "\n    closed due to toxicity\n  ", "0", "phase 1/phase 2",
           "['melanoma (skin)', 'lung cancer, small cell']", "['alphol', 'betol + gammol']"]  # fmt: skip
    reading = read(row, heading="nctid,status,why_stop,label,phase,diseases,drugs")
    [study] = reading.studies
    assert study.why_stopped == "closed due to toxicity"
    assert study.conditions == ["melanoma (skin)", "lung cancer, small cell"]
    assert [part.name for part in study.molecules] == ["alphol", "betol", "gammol"]
    assert reading.flags == []
    assert reading.warnings == ["trials.csv: 1 column(s) are not kept: 'label'."]


@pytest.mark.parametrize(("sign", "encoding"), [(";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8-sig")])
def test_french_tables_are_read(sign, encoding):
    heading = "N° NCT,Statut,Phase,Médicament(s),Pathologie(s),Motif d'arrêt,Date de début,Promoteur"
    data = table(
        ["NCT00000001", "Arrêt prématuré", "Phase I/II", "alphol, bêtol", "Peau", "Toxicité", "25/03/2015", "CHU"],
        ["NCT00000002", "Terminé", "Phase IIb", "alphol", "Sein", "", "04/03/2015", "CHU"],
        heading=heading, sign=sign, encoding=encoding,
    )  # fmt: skip
    assert told([SentFile("essais.csv", data, "essais.csv")]) == "trial-table"
    one, two = read_trial_tables([("essais.csv", data)], today=TODAY).studies
    assert (one.status, one.phases, one.why_stopped) == (StudyStatus.TERMINATED, ["PHASE_1_2"], "Toxicité")
    assert [part.name for part in one.molecules] == ["alphol", "bêtol"]
    assert (two.status, two.phases) == (StudyStatus.COMPLETED, ["PHASE_2"])
    assert two.started_on.text == "2015-03-04"


def test_a_trial_that_takes_several_rows_is_one_study():
    heading = "nct_id,overall_status,phase,intervention_type,intervention_name,condition"
    reading = read(
        ["NCT00000001", "COMPLETED", "PHASE2", "DRUG", "alphol", "Glioma"],
        ["NCT00000001", "COMPLETED", "PHASE2", "BEHAVIORAL", "Diet", "Glioma"],
        ["NCT00000001", "COMPLETED", "PHASE2", "DRUG", "betol", "Melanoma"],
        ["NCT00000001", "COMPLETED", "PHASE2", "DRUG", "betol", "Glioma"],
        heading=heading,
    )
    [study] = reading.studies
    assert [part.name for part in study.molecules] == ["alphol", "betol"]
    assert study.conditions == ["Glioma", "Melanoma"]
    assert (study.rows, len(reading.duplicates), adds_up(reading)) == (3, 1, True)


def test_rows_that_contradict_each_other_are_held():
    row = ["NCT00000001", "COMPLETED", "PHASE2", "DRUG: alphol", "Glioma", "", "2015-03", "", ""]
    reading = read(
        row, [*row[:6], "2015-03-04", "", ""], [*row[:2], "PHASE3", *row[3:]], [row[0], "TERMINATED", *row[2:]]
    )
    assert [item.place.row for item in reading.held] == [4, 5]
    assert "phases 'PHASE_2' and 'PHASE_3'" in reading.held[0].explanation
    assert adds_up(reading)


def test_stops_with_restarts_are_read_where_the_table_tells_them():
    heading = "nctid,phase,drug,stop_date,stop_status,restart_date,restart_status,why_stopped"
    reading = read(
        ["NCT00000001", "Phase 2", "alphol", "2012-03-04", "Suspended", "2012-06-01", "Recruiting", "supply"],
        ["NCT00000001", "Phase 2", "alphol", "2014-03-04", "Terminated", "NA", "NA", "futility"],
        ["NCT00000001", "Phase 2", "alphol", "2014-03-04", "Terminated", "NA", "NA", "toxicity"],
        ["NCT00000002", "Phase 3", "betol", "2013-01-01", "Withdrawn", "2012-01-01", "Recruiting", "x"],
        ["NCT00000003", "Phase 3", "betol", "", "Completed", "", "", ""],
        heading=heading,
    )
    first, third = reading.studies
    assert [(stop.status, stop.restart_status) for stop in first.stops] == [
        (StudyStatus.SUSPENDED, StudyStatus.RECRUITING), (StudyStatus.TERMINATED, None),
    ]  # fmt: skip
    assert (first.status, first.why_stopped, first.phases) == (StudyStatus.TERMINATED, "futility", ["PHASE_2"])
    assert (third.status, third.stops) == (StudyStatus.COMPLETED, [])
    assert [item.place.row for item in reading.held] == [4]
    assert [item.reason for item in reading.quarantined] == [
        "it restarted on 2012-01-01, before it stopped on 2013-01-01; correct one of the two"
    ]
    assert adds_up(reading)


def test_a_column_of_dates_is_read_as_the_others_are_written():
    reading = read(
        ["NCT00000001", "Completed", "2", "Drug: alphol", "", "", "03/04/2015", "25/12/2016", ""],
        ["NCT00000002", "Completed", "2", "Drug: alphol", "", "", "05/06/2015", "", ""],
    )
    assert [study.started_on.text for study in reading.studies] == ["2015-04-03", "2015-06-05"]
    assert reading.flags == []


def test_plans_are_kept_apart_from_what_happened():
    reading = read(
        ["NCT00000001", "Withdrawn", "2", "Drug: alphol", "", "funding", "2015-03", "", "60 [Anticipated]"],
        ["NCT00000002", "Recruiting", "2", "Drug: alphol", "", "", "2025-03", "2031-01", "0"],
    )
    never, running = reading.studies
    assert (never.started_on, never.enrolment) == (None, None)
    assert never.details["start_date_planned"] == "2015-03"
    assert never.details["enrolment_planned"] == 60
    assert (running.ended_on, running.details["completion_date_planned"], running.enrolment) == (None, "2031-01", 0)


def test_what_is_odd_is_flagged_and_what_is_no_trial_quarantined():
    reading = read(
        ["NCT1", "Completed", "", "", "", "", "", "", ""],
        ["NCT00000001", "GB - no longer", "phase 9", "", "", "=1+1", "03/04/2015", "", "some"],
        ["NCT00000002", "Completed", "N/A", "", "", "slow accrual", "", "", ""],
    )
    assert [(item.place.row, item.column) for item in reading.quarantined] == [(2, "NCT Number")]
    assert [(flag.place.row, flag.column) for flag in reading.flags] == [
        (3, "Why Stopped"), (3, "Status"), (3, "Phases"), (3, "Start Date"), (3, "Enrollment"), (4, "Why Stopped"),
    ]  # fmt: skip
    assert reading.studies[0].status is StudyStatus.UNKNOWN
    assert reading.studies[0].details["started_reported"] == "03/04/2015"


def test_counts_are_those_taken_by_hand():
    chance = random.Random(5)
    phases = {
        "PHASE1": "PHASE_1",
        "PHASE1|PHASE2": "PHASE_1_2",
        "EARLY_PHASE1": "PHASE_1",
        "PHASE3": "PHASE_3",
        "NA": "",
    }
    rows = [
        [f"NCT0{n:07d}", chance.choice(["COMPLETED", "TERMINATED", "WITHDRAWN"]), chance.choice(list(phases)),
         f"DRUG: mol{chance.randrange(20)}x", "", "", "", "", str(n)]
        for n in range(300)
    ]  # fmt: skip
    reading = read(*rows, *rows[:9])
    by_hand = Counter((phases[row[2]], row[1]) for row in rows)
    assert Counter(("".join(study.phases), study.status.value) for study in reading.studies) == by_hand
    assert {part.molecule.key for study in reading.studies for part in study.molecules} == {row[3][6:] for row in rows}
    assert (reading.accepted, len(reading.duplicates)) == (300, 9)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Phase 1/Phase 2", ("PHASE_1_2",)),
        ("PHASE2|PHASE3", ("PHASE_2_3",)),
        ("['phase 2']", ("PHASE_2",)),
        ("Phases I-II", ("PHASE_1_2",)),
        ("EARLY_PHASE1", ("PHASE_1",)),
        ("Phase 0", ("PHASE_1",)),
        ("IIb", ("PHASE_2",)),
        ("Phase 3;Phase 4", ("PHASE_3", "PHASE_4")),
        ("Not Applicable", ()),
        ("Human pharmacology (Phase I): no\nTherapeutic exploratory (Phase II): yes\n(Phase III): no", ("PHASE_2",)),
        ("Pharmacology (Phase I): yes Exploratory (Phase II): yes Use (Phase IV): no", ("PHASE_1_2",)),
        ("(Phase I): no (Phase II): no", ()),
        ("phase 9", ()),
        ("[" * 5_000, ()),
    ],
)
def test_phases(text, codes):
    assert read_phases(text).codes == codes


def test_cells():
    assert read_list('["a, b", "c", ""]') == ["a, b", "c"]
    assert read_list("[not a list]") == ["[not a list]"]
    assert read_list("['" + "x" * 30_000 + "']")[0].startswith("['x")
    assert (read_enrolment("Actual: 12"), read_enrolment("n/a")) == ((12, False, None), (None, False, None))
    found = read_treatments("alphol, oral, 5-fluoro-2,4-dione (a, b)", "", drugs=True, place=Place("f", 2))
    assert [part.molecule.name for part in found.molecules] == ["alphol", "5-fluoro-2,4-dione (a, b)"]
    either = read_treatments("alphol / betol / placebo, trifluol/tipirol", "", drugs=True, place=Place("f", 2))
    assert [part.molecule.name for part in either.molecules] == ["alphol", "betol", "trifluol/tipirol"]
    both = read_treatments("alphol + CD4+ cells|betol+gammol | delta + placebo", "", drugs=True, place=Place("f", 2))
    assert [part.molecule.name for part in both.molecules] == ["alphol", "CD4+ cells", "betol", "gammol", "delta"]
    typed = read_treatments("Drug: alphol + betol", "", drugs=False, place=Place("f", 2))
    assert (typed.molecules, len(typed.flags)) == ([], 1)
    untyped = read_treatments("diet", "", drugs=False, place=Place("f", 2))
    assert (untyped.molecules, [reason for *_, reason in untyped.flags]) == ([], ["no known type of intervention"])


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Terminé", StudyStatus.COMPLETED),
        ("Prematurely Ended", StudyStatus.TERMINATED),
        ("Arrêt anticipé", StudyStatus.TERMINATED),
        ("Temporarily Halted", StudyStatus.SUSPENDED),
        ("Clos aux inclusions", StudyStatus.ACTIVE),
        ("Annulé", StudyStatus.WITHDRAWN),
        ("Interrompu", None),
    ],
)
def test_words_of_other_registers(word, status):
    assert read_status(word) is status


@pytest.mark.parametrize(
    ("heading", "trials"),
    [
        ("nctid,status,why_stop,phase,drugs", True),
        ("NCT Number,Study Title,Study Status", True),
        ("nctid,stop_date,stop_status,why_stopped", False),
        ("Name,Stage,Since,Status,NCT number,Indication", False),
        ("Drug,Phase,Start date,Status", False),
    ],
)
def test_headings_tell_a_table_of_trials(heading, trials):
    assert tells_trials(heading.split(",")) is trials


OTHERS = [
    "Trial Identifier;Trial status (at export);Trial Phase;Primary Tested Drug;Disease Type;Termination Reason"
    ";Actual Start Date;Termination Date;Target sample size;Sponsors",
    "Main ID;Recruitment status (current);Development Phase;Investigational Medicinal Product;Health Condition(s)"
    ";Reason for early stopping;Date of first enrolment;Overall trial end date;Number of participants;Company",
    "Numéro d'enregistrement NCT;Statut du recrutement;Phase de développement;Produit(s) à l'étude;Pathologie(s)"
    ";Motif de l'arrêt prématuré;Date de début de l'étude;Date de fin de l'étude;Nombre de patients;Promoteurs",
]


@pytest.mark.parametrize("heading", OTHERS, ids=["provider", "platform", "french"])
def test_headings_of_other_providers_are_understood_by_their_words(heading):
    assert tells_trials(heading.split(";"))
    row = "NCT00000001;Terminated;Phase IIa;Alphol mesylate + betol;glioma;Slow accrual;25/12/2015;01/02/2017;20;Firm"
    [study] = read(row.split(";"), heading=heading.replace(";", ","), sign=";").studies
    assert (study.code, study.status, study.phases, study.enrolment, study.sponsor) == (
        *("NCT00000001", StudyStatus.TERMINATED, ["PHASE_2"], 20, "Firm"),
    )
    assert ([part.molecule.key for part in study.molecules], study.conditions) == (["alphol", "betol"], ["glioma"])
    assert (study.why_stopped, study.started_on.text, study.ended_on.text) == (
        *("Slow accrual", "2015-12-25", "2017-02-01"),
    )


@pytest.mark.parametrize(
    ("heading", "format"),
    [
        ("Trial Number;Suspension date;Status when stopped;Reason for suspension;Resumed on", "trial-stops"),
        ("N° NCT;Date d'interruption;Statut d'arrêt;Motif;Date de reprise", "trial-stops"),
        ("stop_date;nctid;stop_status", "trial-stops"),
        ("NCT Number;Date stopped;Stop status;Phase;Drugs;Status", "trial-table"),
        ("Name;Stage;Since;Status;Stopped on;NCT number", "portfolio"),
    ],
)
def test_a_list_of_stops_is_told_by_its_headings(heading, format):
    book = openpyxl.Workbook()
    for cells in ([heading.replace(";", " ")], heading.split(";"), ["x"] * (heading.count(";") + 1)):
        book.active.append(cells)
    out = io.BytesIO()
    book.save(out)
    for name, content in (("a.csv", f"{heading}\n".encode("cp1252")), ("a.xlsx", out.getvalue())):
        assert told([SentFile(name, content, name)]) == format


def test_a_heading_known_word_by_word_comes_before_one_that_is_like_it():
    at = columns_of(["Study Number", "Reason trial stopped", "NCT Number", "Why Stopped", "Primary Completion Date"])
    assert at == {"trial": 2, "why_stopped": 3}
    assert columns_of(["Colour", "Phase end", "the study was stopped because of no date of a new phase of it"]) == {}


@pytest.mark.parametrize("data", [b"a,b\n1,2\n", b"nctid,why_stopped\nNCT00000001,x\n", b"\x00\x01" * 400, b""])
def test_what_is_no_table_of_trials_is_refused(data):
    with pytest.raises(FileRefused):
        read_trial_tables([("x.csv", data)], today=TODAY)


CELL = st.sampled_from(["", "NA", "Terminated", "PHASE1|PHASE2", "['a', 'b'", "Drug: x|Other: y", "03/04/2015", "=1"])


@given(st.lists(st.tuples(st.sampled_from(["NCT00000001", "NCT00000002", "x"]), *[CELL] * 8), min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_every_row_is_accounted_for(rows):
    reading = read(*map(list, rows))
    assert reading.rows == len(rows)
    assert adds_up(reading)
