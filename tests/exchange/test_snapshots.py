"""Snapshots: moves inferred between dated lists, a step back held, three encodings, one fate for every row."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.reading import Duplicate, Place
from pipeline.exchange.snapshot_dates import snapshot_date
from pipeline.exchange.snapshots import read_snapshots
from tests.exchange.test_portfolio import STAGES, TODAY, entries, fates

HEADING = "pert_iname\tclinical_phase\tmoa\ttarget\tdisease_area\tindication\n"
FIRST = (
    "!made by hand\n!three lines\n"
    + HEADING
    + "alpha-1\tPhase 1\tinhibiteur d’EGFR\tEGFR|HER2\toncology\tSjögren|Ménière\n"
    + "bêta\tPreclinical\tcrème\t\t\t\n"
    + "gamma\tPhase 3\t\t\t\t\n"
    + "delta\tLaunched\t\t\t\t\n"
    + "zêta\tPhase 2\t\t\t\t\n"
)
SECOND = (
    HEADING
    + "Alpha 1\tPhase 1/Phase 2\tinhibiteur d’EGFR\tEGFR|HER2\toncology\tMénière|Waldenström\n"
    + "bêta\tPreclinical\tcrème\t\t\t\n"
    + "gamma\tPhase 2\t\t\t\t\n"
    + "delta\tWithdrawn\t\t\t\t\n"
)
THIRD = "Nom;Phase\nalpha-1;Phase 2/Phase 3\nbêta;Phase I\nGamma;Phase 2\nzêta;Phase 2\nêta;Phase 1\n"


def read(*files, **options):
    return read_snapshots(
        [(name, text if isinstance(text, bytes) else text.encode()) for name, text in files],
        STAGES,
        today=TODAY,
        **options,
    )


def test_three_snapshots_in_three_encodings_give_one_history():
    reading = read(
        ("hub_20200324.csv", THIRD.encode("utf-8")),
        ("hub_20170327.txt", FIRST.encode("mac_roman")),
        ("hub_2018-09-07.txt", SECOND.encode("cp1252")),
    )
    assert {programme.molecule.name: entries(programme) for programme in reading.programmes} == {
        "alpha-1": [
            ("PHASE_1", "2017-03-27", "ACTIVE"),
            ("PHASE_1_2", "2018-09-07", "ACTIVE"),
            ("PHASE_2_3", "2020-03-24", "ACTIVE"),
        ],
        "bêta": [("PRECLINICAL_PHARMACOLOGY", "2017-03-27", "ACTIVE"), ("PHASE_1", "2020-03-24", "ACTIVE")],
        "gamma": [("PHASE_3", "2017-03-27", "ACTIVE")],
        "delta": [("APPROVAL", "2017-03-27", "ACTIVE"), ("WITHDRAWAL", "2018-09-07", "ACTIVE")],
        "zêta": [("PHASE_2", "2017-03-27", "ACTIVE")],
        "êta": [("PHASE_1", "2020-03-24", "ACTIVE")],
    }
    alpha = reading.programmes[0]
    assert [entry.note for entry in alpha.entries] == [
        "first seen in the snapshot of 2017-03-27; indications named: Sjögren|Ménière",
        "seen between 2017-03-27 and 2018-09-07",
        "seen between 2018-09-07 and 2020-03-24",
    ]
    assert (alpha.molecule.targets, alpha.molecule.synonyms) == (["EGFR", "HER2"], ["Alpha 1"])
    assert "hub_20170327.txt was read as Mac Roman, by the look of its special letters." in reading.warnings
    assert "hub_2018-09-07.txt was read as Windows-1252, by the look of its special letters." in reading.warnings
    assert fates(reading) == (10, 0, 1, 3)


def test_a_step_back_is_held_as_a_correction_and_its_repetition_is_a_duplicate():
    days_and_phases = (("20170327", 3), ("20180907", 2), ("20200324", 2))
    reading = read(*((f"a_{day}.csv", f"name,phase\ng,{phase}\n") for day, phase in days_and_phases))
    (item,) = reading.held
    assert (item.place, item.column, item.value) == (Place("a_20180907.csv", 2), "phase", "Phase 2")
    assert item.proposed == "correct Phase 3 to Phase 2"
    assert item.act == {
        "kind": "correct",
        "molecule": "g",
        "indication": None,
        "from_stage": "PHASE_3",
        "from_date": "2017-03-27",
        "to": "PHASE_2",
        "occurred_on": "2017-03-27",
        "seen_on": "2018-09-07",
    }
    assert reading.duplicates == [Duplicate(Place("a_20200324.csv", 2), Place("a_20180907.csv", 2))]
    assert entries(reading.programmes[0]) == [("PHASE_3", "2017-03-27", "ACTIVE")]


def test_a_salt_in_one_snapshot_is_the_molecule_of_the_others():
    reading = read(
        ("hub_2017-03-01.csv", "Name,Phase\nalphinib,Phase 2\nbetinib hydrochloride,Phase 1\n"),
        ("hub_2018-03-01.csv", "Drug;Phase\nAlphinib mesylate;Phase 1\nBETINIB®;Phase 2\nbetinib HCl;Phase II\n"),
        ("hub_2019-03-01.csv", "Name,Phase\nalphinib,Phase 2\nbetinib,PHASE2\n"),
    )
    assert [entries(programme) for programme in reading.programmes] == [
        [("PHASE_2", "2017-03-01", "ACTIVE")],
        [("PHASE_1", "2017-03-01", "ACTIVE"), ("PHASE_2", "2018-03-01", "ACTIVE")],
    ]
    assert [programme.molecule.synonyms for programme in reading.programmes] == [
        ["Alphinib mesylate"], ["BETINIB®", "betinib"],
    ]  # fmt: skip
    assert fates(reading) == (3, 0, 1, 3)
    assert not any("no longer in the snapshot" in warning for warning in reading.warnings)


def test_disappearing_is_told_and_is_no_stop():
    reading = read(
        ("a_2017.01.02.csv", "name,phase\na,1\nb,1\n"),
        ("a_2018.01.02.csv", "name,phase\na,1\n"),
        ("a_2019.01.02.csv", "name,phase\na,1\nb,2\n"),
    )
    assert [warning for warning in reading.warnings if "name(s)" in warning] == [
        "1 name(s) are no longer in the snapshot of 2018-01-02 (not taken for a stop): b.",
        "1 name(s) are back in the snapshot of 2019-01-02 after being absent: b.",
    ]
    assert entries(reading.programmes[1]) == [("PHASE_1", "2017-01-02", "ACTIVE"), ("PHASE_2", "2019-01-02", "ACTIVE")]


def test_a_status_in_place_of_the_phase_stops_in_the_stage_last_seen():
    reading = read(
        ("p_2017-03-27.csv", "Name,Development status\nalphol,Phase 1\nbetol,Phase 2\n"),
        ("p_2018-03-27.csv", "Name,Development status\nalphol,Phase 2\nbetol,Discontinued\ngammol,Suspended\n"),
        ("p_2019-03-27.csv", "Name,Development status\nalphol,No development reported\nbetol,Arrêté\n"),
        ("p_2020-03-27.csv", "Name,Development status\nalphol,Phase 2\nbetol,Phase 3\n"),
    )
    assert {programme.molecule.name: entries(programme) for programme in reading.programmes} == {
        "alphol": [
            ("PHASE_1", "2017-03-27", "ACTIVE"),
            ("PHASE_2", "2018-03-27", "ACTIVE"),
            ("PHASE_2", "2019-03-27", "STALLED"),
            ("PHASE_2", "2020-03-27", "ACTIVE"),
        ],
        "betol": [
            ("PHASE_2", "2017-03-27", "ACTIVE"),
            ("PHASE_2", "2018-03-27", "DISCONTINUED"),
            ("PHASE_3", "2020-03-27", "ACTIVE"),
        ],
    }
    assert [(item.place, item.value) for item in reading.quarantined] == [(Place("p_2018-03-27.csv", 4), "Suspended")]
    assert reading.duplicates == [Duplicate(Place("p_2019-03-27.csv", 3), Place("p_2018-03-27.csv", 3))]
    assert sum(fates(reading)) == reading.rows == 9


def test_a_column_of_statuses_counts_beside_the_phase():
    heading = "Version;Name;Phase;Status;Reason\n"
    rows = (
        "27/03/2017;alphol;Phase 2;Active;\n27/03/2018;alphol;Phase 2;Discontinued;Toxicity\n27/03/2018;betol;1;odd;\n"
    )
    reading = read(("versions.csv", heading + rows))
    alphol, betol = reading.programmes
    assert entries(alphol) == [("PHASE_2", "2017-03-27", "ACTIVE"), ("PHASE_2", "2018-03-27", "DISCONTINUED")]
    assert (alphol.entries[1].reason, alphol.entries[1].reason_verbatim) == (None, "Toxicity")
    assert entries(betol) == [("PHASE_1", "2018-03-27", "ACTIVE")]
    assert "versions.csv: status 'odd' is not known and was not read (1 row(s))." in reading.warnings


def test_one_name_in_two_phases_of_a_snapshot_is_held():
    reading = read(("a_20170327.csv", "name,phase\na,1\na,2\nb,1\nB,Phase I\n"))
    assert [(item.place.row, item.proposed) for item in reading.held] == [(n, "Phase 1 or Phase 2") for n in (2, 3)]
    assert reading.duplicates == [Duplicate(Place("a_20170327.csv", 5), Place("a_20170327.csv", 4))]
    assert fates(reading) == (1, 0, 2, 1)


def test_an_indication_tells_programmes_of_one_molecule_apart():
    reading = read(("a_20170327.csv", "name,indication,phase\na,AML,1\na,ALL,2\n"))
    assert [(p.molecule.name, p.indication, p.entries[0].stage) for p in reading.programmes] == [
        ("a", "AML", "PHASE_1"),
        ("a", "ALL", "PHASE_2"),
    ]


@pytest.mark.parametrize("heading", ["snapshot date", "date", "Date d’extraction"])
def test_a_column_can_date_the_rows_of_many_snapshots(heading):
    rows = "2017-03,a,1\n2018-09-07,a,2\n31.02.2019,a,3\n03/04/2019,a,3\n,a,3\n"
    reading = read(("all.csv", f"{heading},name,phase\n{rows}"))
    assert entries(reading.programmes[0]) == [("PHASE_1", "2017-03", "ACTIVE"), ("PHASE_2", "2018-09-07", "ACTIVE")]
    assert fates(reading) == (2, 2, 1, 0)


def test_a_commercial_provider_says_the_phase_as_a_status():
    rows = ("15/01/2016;alphinib;Phase I Clinical Trial", "20/01/2017;ALPHINIB;Pre-registration")
    reading = read(("list.csv", "Report date;Drug Name;Global Status\n" + "\n".join(rows)))
    [alphinib] = reading.programmes
    assert entries(alphinib) == [("PHASE_1", "2016-01-15", "ACTIVE"), ("PREAPPROVAL", "2017-01-20", "ACTIVE")]


def test_rows_that_cannot_be_read_are_quarantined_by_name():
    reading = read(("a_20170327.csv", "name,phase\na,\nb,Phase 9\n,1\n=1+1,1\nc,discontinued\nd,1,2\ne,1\n"))
    assert [(item.place.row, item.column) for item in reading.quarantined] == [
        (7, None),
        (2, "phase"),
        (3, "phase"),
        (4, "name"),
        (5, "name"),
        (6, "phase"),
    ]
    assert fates(reading) == (1, 6, 0, 0)


def test_files_of_one_name_keep_their_rows_apart():
    told = {"a.csv": "2017", "a.csv (2)": "2018"}
    reading = read(("x/a.csv", "of a centre\nname,phase\na,1\n"), ("y/a.csv", "name,phase\na,1\n"), dates=told)
    assert reading.duplicates == [Duplicate(Place("a.csv (2)", 2), Place("a.csv", 3))]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("repurposing_drugs_20200324.txt", "2020-03-24"),
        ("portfolio-2018-09-07.csv", "2018-09-07"),
        ("portfolio_3_24_2020.csv", "2020-03-24"),
        ("p_24mars2020.xlsx", "2020-03-24"),
        ("24-Mar-2020.csv", "2020-03-24"),
        ("mars 2020.csv", "2020-03"),
        ("2020-03.csv", "2020-03"),
        ("v2_20200324.csv", "2020-03-24"),
    ],
)
def test_a_file_name_dates_its_snapshot(name, day):
    assert snapshot_date(name, [], TODAY).text == day


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("p_3_4_2020.csv", "2020-03-04 or 2020-04-03"),
        ("p_20200324_20210101.csv", "2020-03-24 or 2021-01-01"),
        ("p.csv", "put the date into the file's name"),
        ("p_31.02.2020.csv", "put the date into the file's name"),
        ("p_20300101.csv", "lies in the future"),
    ],
)
def test_a_name_without_a_certain_date_is_asked_about(name, said):
    with pytest.raises(FileRefused, match=said):
        snapshot_date(name, [], TODAY)


def test_a_comment_or_the_sender_can_say_the_date():
    assert snapshot_date("p.csv", ["!date: 3/24/2020"], TODAY).text == "2020-03-24"
    assert snapshot_date("p.csv", ["# Extraction du 24 mars 2020"], TODAY).text == "2020-03-24"
    assert snapshot_date("p.csv", [], TODAY, {"p.csv": "2019-05"}).text == "2019-05"


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "is empty"), (b"foo,bar\n1,2\n", "no columns for a name and a phase"), (b"%PDF", "is a PDF")],
)
def test_files_that_are_no_snapshots_are_refused(data, said):
    with pytest.raises(FileRefused, match=said):
        read(("a_20170327.csv", data))
    with pytest.raises(FileRefused, match="at least one file"):
        read()


NAMES = st.sampled_from(["a", "B", "b", "ç", "", "=x"])
PHASES = st.sampled_from(["1", "II", "Phase 3", "launched", "?", "9"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.tuples(NAMES, PHASES), max_size=6), min_size=1, max_size=4))
def test_every_row_of_every_file_has_exactly_one_fate(files):
    texts = ["name;phase\n" + "".join(f"{name};{phase}\n" for name, phase in rows) for rows in files]
    reading = read(*((f"s_{2015 + n}-01-01.csv", text) for n, text in enumerate(texts)))
    kinds = [{item.place for item in items} for items in (reading.quarantined, reading.held, reading.duplicates)]
    set_aside = set().union(*kinds)
    assert sum(map(len, kinds)) == len(set_aside)
    assert reading.rows == sum(map(len, files))
    told = [Place(entry.file, entry.row) for programme in reading.programmes for entry in programme.entries]
    assert not set(told) & set_aside
    assert reading.accepted == len(told) == len(set(told))
    order = list(STAGES)
    for programme in reading.programmes:
        path = [order.index(entry.stage) for entry in programme.entries]
        assert path == sorted(set(path))
        days = [entry.occurred_on.text for entry in programme.entries]
        assert days == sorted(days)


def test_a_future_day_is_judged_by_the_clock_handed_in():
    with pytest.raises(FileRefused, match="lies in the future"):
        read_snapshots([("a_20170327.csv", b"name,phase\na,1\n")], STAGES, today=date(2017, 1, 1))
