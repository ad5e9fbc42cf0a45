"""The published phase I trials: every quirk of the files on hand-made rows, exact counts on the full set.

The counts were taken from the files by csv.reader and collections.Counter over the columns named, before any of the
project's code read them.
"""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.phase1_dlt import read_phase1
from pipeline.exchange.reading import Place, Reading
from tests.support.datasets import dataset

HAND_MADE = Path(__file__).parents[1] / "data" / "phase1"
NAMES = ("trial", "drug", "schema", "dlt_definition", "dose_level", "observed_dlt", "mtd")


def a_set(**changes):
    """Return the seven hand-made files, some of them changed by a function of their bytes."""
    files = {f"{name}.csv": (HAND_MADE / f"{name}.csv").read_bytes() for name in NAMES}
    return files | {f"{name}.csv": change(files[f"{name}.csv"]) for name, change in changes.items()}


def adding(*rows):
    return lambda data: data + "".join(f"{row}\r\n" for row in rows).encode()


def flags(reading: Reading, file: str, row: int) -> list[str]:
    return [flag.reason for flag in reading.flags if flag.place == Place(file, row)]


def assert_every_row_has_one_fate(reading: Reading) -> None:
    places = [item.place for item in (*reading.quarantined, *reading.held, *reading.duplicates)]
    assert len(places) == len(set(places))
    assert reading.accepted + len(places) == reading.rows
    facts = sum(study.rows for study in reading.studies)
    assert facts == reading.accepted


@pytest.fixture(scope="module")
def reading() -> Reading:
    return read_phase1(a_set())


@pytest.fixture(scope="module")
def first(reading):
    return reading.studies[0]


def test_every_row_has_one_fate(reading):
    assert reading.rows == 3 + 7 + 3 + 4 + 15 + 10 + 5
    assert [(item.place, item.of) for item in reading.duplicates] == [
        (Place("dose_level.csv", 5), Place("dose_level.csv", 4)),
        (Place("mtd.csv", 5), Place("mtd.csv", 4)),
    ]
    assert reading.quarantined == []
    assert_every_row_has_one_fate(reading)


def test_a_study_counts_the_rows_that_tell_of_it(reading):
    # trial, drug, schema, definitions, doses, observations, recommended doses; repeated rows are not counted.
    assert [study.rows for study in reading.studies] == [
        1 + 4 + 2 + 3 + 10 + 6 + 2,
        1 + 1 + 1 + 1 + 2 + 2 + 1,
        1 + 2 + 0 + 0 + 2 + 2 + 1,
    ]


def test_a_study_is_told_with_its_protocol(first):
    assert (first.code, first.source, first.phases, first.title) == ("PMID 90000001", "phase1-dlt", ["PHASE_1"], None)
    assert (first.registry_id, first.registry_id_reported) == ("NCT00000011", " NCT00000011")
    assert (first.population, first.dlt_window) == ("adults, solid\nnon␂small tumours", "first 28 days")
    assert first.design == "3 + 3"
    assert [schema["text"] for schema in first.details["schemas"]] == ["three at a time,\rthen six", None]
    assert (first.file, first.row) == ("trial.csv", 2)


def test_a_control_character_becomes_visible_and_is_flagged(reading):
    assert flags(reading, "trial.csv", 2) == [
        "control character U+0002 stands where the source had a symbol (a hyphen, a bound, a unit); shown as ␂"
    ]


def test_registry_numbers_are_cleaned_or_kept_with_a_flag(reading):
    assert [study.registry_id for study in reading.studies] == ["NCT00000011", "2010-012345-67", None]
    assert reading.studies[2].registry_id_reported == "NCT0110429"
    assert flags(reading, "trial.csv", 4) == ["'NCT0110429' is not a registry number of a known form; kept as reported"]


def test_spellings_are_one_molecule_and_radiation_is_none(reading, first):
    assert [(part.name, part.molecule.key, part.arm) for part in first.molecules] == [
        ("17-AAG", "tanespimycin", "5"),
        ("cisplatin", "cisplatin", "6"),
    ]
    assert [(part["name"], part["kind"]) for part in first.details["other_components"]] == [
        ("radiation therapy", "radiation"),
        ("rtx 12", "radiation"),
    ]
    doses = first.dose_levels[2].doses
    assert [(dose.name, dose.molecule and dose.molecule.key) for dose in doses] == [
        ("17aag", "tanespimycin"),
        ("radiation therapy", None),
    ]
    assert doses[0].molecule is first.molecules[0].molecule
    yttrium = reading.studies[2].molecules[1]
    assert (yttrium.name, yttrium.molecule.key) == ("90Y-sometamab", "90ysometamab")


def test_arms_are_the_combinations(first):
    assert [(arm.label, arm.kind, arm.description) for arm in first.arms] == [
        ("5", "COMBINATION", "17-AAG + radiation therapy"),
        ("6", "COMBINATION", "cisplatin + rtx 12 (arm\nB)"),
    ]


def test_levels_are_ordered_within_their_combination(reading, first):
    assert [(level.arm, level.label, level.ordinal) for level in first.dose_levels] == [
        ("5", "not stated", 0),
        ("5", "-1", 1),
        ("5", "1", 2),
        ("5", "2", 3),
        ("5", "2.5", 4),
        ("6", "1", 1),
        ("6", "1A", 2),
    ]
    assert [level.label for level in reading.studies[1].dose_levels] == ["-2B", "1a"]


def test_doses_keep_what_was_printed_beside_what_was_read(reading, first):
    read = [
        (dose.amount_reported, dose.amount, dose.unit_reported, dose.unit)
        for level in first.dose_levels
        for dose in level.doses
    ]
    assert read == [
        ("8", 8.0, "mg", "mg"),
        ("50", 50.0, "mg m^-2", "mg/m2"),
        ("75", 75.0, "mg/m2/weel", "mg/m2/wk"),
        ("2", 2.0, "Gy", "Gy"),
        ("100", 100.0, "mg/m2", "mg/m2"),
        ("400/250", None, "mg/m2", "mg/m2"),
        ("6-Aug", None, "mg/m2", "mg/m2"),
        ("20", 20.0, "mg/m2", "mg/m2"),
        ("60", 60.0, "Gy", "Gy"),
        ("25", 25.0, "mg/m2", "mg/m2"),
    ]
    assert flags(reading, "dose_level.csv", 4) == ["'mg/m2/weel' is misspelled; read as mg/m2/wk"]
    assert flags(reading, "dose_level.csv", 9) == ["'6-Aug': a spreadsheet made a date of it; kept as reported"]
    loading = first.dose_levels[5].doses[:2]
    assert [(dose.schedule, dose.route) for dose in loading] == [("loading dose", "i.v."), ("weekly", "i.v.")]
    [low, high] = reading.studies[1].dose_levels
    assert [(dose.amount, dose.unit) for dose in low.doses + high.doses] == [(4.0, "mg.min/mL"), (5.0, "mg.min/mL")]


def test_a_drug_that_drug_csv_does_not_list_is_kept_and_flagged(reading, first):
    assert first.dose_levels[6].doses[0].molecule.key == "cisplatin"
    assert flags(reading, "dose_level.csv", 12) == []
    assert flags(reading, "dose_level.csv", 8) == ["'dexamethasone' is not listed for this combination in drug.csv"]


def test_grades_are_repaired_only_where_certain(reading):
    read = [
        (item.grade_reported, item.grade_min, item.grade_max, item.flag is not None)
        for study in reading.studies
        for item in study.dlt_definitions
    ]
    assert read == [
        ("4-Mar", 3, 4, True),
        (">= 3", 3, 5, False),
        ("␕3", None, None, True),
        ("severe", None, None, True),
    ]
    assert reading.studies[1].dlt_definitions[0].term == "not stated"
    assert [reason for reason in flags(reading, "dlt_definition.csv", 4) if "␕3" in reason] == [
        "'␕3': a sign was lost beside the number, so it may be a bound; kept as reported, not read"
    ]


def test_subjects_are_never_events_added_up(first):
    counts = {
        (level.arm, level.label): (level.treated, level.with_dlt, level.with_dlt_min, level.with_dlt_max)
        for level in first.dose_levels
    }
    assert counts == {
        ("5", "not stated"): (None, None, None, None),
        ("5", "-1"): (None, None, None, None),
        ("5", "1"): (6, 1, 1, 1),
        ("5", "2"): (4, None, 3, 4),
        ("5", "2.5"): (3, None, None, None),
        ("6", "1"): (None, None, 1, 2),
        ("6", "1A"): (None, None, None, None),
    }


def test_no_toxicity_in_any_row_is_certain(reading):
    level = reading.studies[1].dose_levels[1]
    assert (level.label, level.treated, level.with_dlt) == ("1a", 6, 0)


def test_more_subjects_with_a_toxicity_than_treated_are_not_believed(reading, first):
    observation = first.dlt_observations[3]
    assert (observation.affected_reported, observation.affected, observation.treated) == ("4", None, 3)
    assert observation.flag == (
        "4 subjects with a toxicity among 3 treated; kept as reported; '2b' is taken for level 2.5"
    )
    assert observation.level == "2.5"
    assert len(flags(reading, "observed_dlt.csv", 5)) == 2


def test_a_toxicity_at_an_unknown_level_is_kept(reading):
    study = reading.studies[2]
    assert [(item.level, item.term, item.treated) for item in study.dlt_observations] == [
        (None, "not stated", None),
        ("7", "rash", 6),
    ]
    assert study.details["doses_without_level"] == [{"arm": "1", "level": None, "doses": "5fu (2000 mg/m2)", "row": 10}]
    assert [(level.label, level.doses == [], level.treated) for level in study.dose_levels] == [
        ("1", False, None),
        ("7", True, 6),
    ]
    assert flags(reading, "observed_dlt.csv", 11) == ["dose_level.csv has no level '7' for this combination"]


def test_differing_totals_leave_the_number_treated_open(reading):
    assert flags(reading, "observed_dlt.csv", 6) == [
        "level 1: the number treated differs within the level (3, 6); left open"
    ]


def test_recommended_doses_say_what_they_are(reading):
    read = [
        (dose.kind, dose.reported, dose.amount_low, dose.amount_high, dose.unit)
        for study in reading.studies
        for dose in study.recommended_doses
    ]
    assert read == [
        ("RP2D", "18-24", 18.0, 24.0, "mg/m2"),
        ("MTD_NOT_REACHED", "as tolerated", None, None, "mg/m2"),
        ("MTD", "5", 5.0, 5.0, "mg.min/mL"),
        ("RP2D", "2000", 2000.0, 2000.0, "mg/m2"),
    ]


def test_a_folder_and_corrected_headings_are_taken():
    files = {f"set/{name}": data for name, data in a_set().items()}
    files["set/dlt_definition.csv"] = files["set/dlt_definition.csv"].replace(b"DLT_Exculsion", b"DLT_Exclusion")
    files["set/observed_dlt.csv"] = files["set/observed_dlt.csv"].replace(b"Occurence", b"Occurrence")
    files["set/LICENSE.txt"] = b"free"
    reading = read_phase1(files)
    assert reading.rows == 47
    assert reading.warnings == ["not part of a phase I set and not read: set/LICENSE.txt"]
    assert reading.studies[0].dlt_observations[0].occurrence == "day 8"


def test_columns_in_another_order_are_found():
    def turn(data):
        return b"\r\n".join(b",".join(reversed(line.split(b","))) for line in data.split(b"\r\n") if line) + b"\r\n"

    assert read_phase1(a_set(dlt_definition=turn)).studies[0].dlt_definitions[1].grade_min == 3


@pytest.mark.parametrize("missing", NAMES)
def test_a_missing_file_is_named(missing):
    files = a_set()
    del files[f"{missing}.csv"]
    with pytest.raises(FileRefused, match=f"{missing}.csv is missing"):
        read_phase1(files)


def test_a_file_given_twice_is_refused():
    files = a_set()
    with pytest.raises(FileRefused, match=r"more than once: trial\.csv"):
        read_phase1({**files, "old/trial.csv": files["trial.csv"]})


def test_wrong_columns_are_named():
    with pytest.raises(
        FileRefused, match=r"mtd\.csv has no column MTD_Value; wanted: PMID.* found: PMID, NCTID, .*Dose"
    ):
        read_phase1(a_set(mtd=lambda data: data.replace(b"MTD_Value", b"Dose", 1)))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\r\n\r\n", "is empty"),
        (b"PK\x03\x04" + b"\x00" * 1000, "does not begin with a heading"),
        (b"\x00" * 1000, "does not begin with a heading"),
        (b"PMID,NCTID,ES,DesignType,schema\r\n" + bytes(range(256)) * 4000, "noise"),
        (b"PMID,NCTID,ES,DesignType,schema\r\n" + b"a,b\n" * 500, "damaged beyond reading"),
        (b"PMID,NCTID,ES,DesignType,schema\r\n" + b',"\n' * 30_000, "damaged beyond reading"),
        (b"PMID,NCTID,ES,DesignType,schema\r\n" + b"x\n" * 200_000, "noise"),
    ],
)
def test_what_is_no_table_is_refused(data, reason):
    with pytest.raises(FileRefused, match=reason):
        read_phase1(a_set(schema=lambda _: data))


def test_a_row_without_its_trial_or_combination_is_quarantined():
    reading = read_phase1(
        a_set(
            trial=adding("9x,NA,NA,NA,NA,NA,NA,NA,NA", "90000001,NA,Other,No,NA,NA,NA,NA,NA"),
            drug=adding("90000009,NA,1,cisplatin,i.v.,NA,NA", "90000001,NA,5,NA,i.v.,NA,NA"),
            dose_level=adding("90000001,NA,NA,cisplatin,1,5,mg,1,NA,NA", "90000001,NA,5,--,1,5,mg,1,NA,NA"),
        )
    )
    assert [(item.place.file, item.place.row, item.column) for item in reading.quarantined] == [
        ("trial.csv", 5, "PMID"),
        ("trial.csv", 6, "PMID"),
        ("drug.csv", 9, "PMID"),
        ("drug.csv", 10, "Drug_Name"),
        ("dose_level.csv", 17, "CombnID"),
        ("dose_level.csv", 18, "Drug_Name"),
    ]
    assert_every_row_has_one_fate(reading)


def test_a_combination_that_drug_csv_does_not_know_is_attached_with_a_flag():
    reading = read_phase1(a_set(dose_level=adding("90000002,NA,44,cisplatin,1,5,mg,1,NA,NA")))
    assert [arm.label for arm in reading.studies[1].arms] == ["1", "44"]
    assert flags(reading, "dose_level.csv", 17)[0] == "drug.csv lists no drug for this combination of this trial"
    assert_every_row_has_one_fate(reading)


def test_a_quotation_mark_never_closed_costs_its_own_line_only():
    whole = read_phase1(a_set())
    reading = read_phase1(a_set(mtd=lambda data: data.replace(b"18-24", b'"18-24', 1)))
    assert [(item.place, item.value) for item in reading.quarantined] == [
        (Place("mtd.csv", 2), '90000001,NCT00000011,5,17-aag,"18-24,mg/m2,NA,weekly,RP2D')
    ]
    assert reading.accepted == whole.accepted - 1
    assert_every_row_has_one_fate(reading)


def test_other_encodings_and_line_ends_are_read():
    expected = read_phase1(a_set())
    for change in (
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.replace(b"\r\n", b"\n"),
    ):
        reading = read_phase1({name: change(data) for name, data in a_set().items()})
        assert reading.studies == expected.studies
    spoilt = read_phase1(a_set(drug=lambda data: data.replace("5‑fu".encode(), b"\xb5-fu")))
    assert spoilt.studies[2].molecules[0].name == "µ-fu"
    assert any("drug.csv" in warning for warning in spoilt.warnings)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    cut=st.integers(0, 2000),
    noise=st.binary(max_size=40),
)
def test_damage_anywhere_is_refused_or_leaves_every_row_one_fate(name, cut, noise):
    files = a_set(**{name: lambda data: data[: cut % (len(data) + 1)] + noise + data[cut % (len(data) + 1) :]})
    try:
        reading = read_phase1(files)
    except FileRefused:
        return
    assert_every_row_has_one_fate(reading)
    texts = repr(reading.studies)
    assert not any(sign in texts for sign in ("\\x00", "\\x15", "\\ud8"))


@pytest.fixture(scope="module")
def published() -> Reading:
    folder = dataset("phase1-dlt")
    return read_phase1({f"{name}.csv": (folder / f"{name}.csv").read_bytes() for name in NAMES})


def test_all_published_rows_have_one_fate(published):
    assert published.rows == 826 + 2074 + 881 + 4447 + 10053 + 3009 + 638
    assert Counter(item.place.file for item in published.duplicates) == {"dose_level.csv": 1701, "mtd.csv": 127}
    assert (published.accepted, published.quarantined, published.held) == (20_100, [], [])
    assert published.warnings == []
    assert_every_row_has_one_fate(published)


def test_published_grades(published):
    definitions = Counter(item.grade_reported for study in published.studies for item in study.dlt_definitions)
    assert (definitions["4-Mar"], definitions["4-Feb"], definitions["3-Feb"], definitions["3 or 4"]) == (17, 4, 1, 469)
    damaged = [
        (item.grade_reported, item.grade_min, item.grade_max)
        for study in published.studies
        for item in (*study.dlt_definitions, *study.dlt_observations)
        if item.flag and "made by a spreadsheet" in item.flag
    ]
    assert Counter(damaged) == {("4-Mar", 3, 4): 21, ("4-Feb", 2, 4): 4, ("3-Feb", 2, 3): 1}
    unread = {
        item.grade_reported
        for study in published.studies
        for item in (*study.dlt_definitions, *study.dlt_observations)
        if item.grade_reported and item.grade_min is None
    }
    assert unread == {">6 weeks"}


def test_published_registry_numbers(published):
    unread = [study.registry_id_reported for study in published.studies if study.registry_id is None]
    named = [text for text in unread if text]
    assert (len(published.studies), len(unread), len(named)) == (826, 456, 9)
    assert {text for text in named if len(text) < 40} == {
        *("132071", "CCI-06-00092", "UMIN_CTR00002845", "EudraCT Number: 2009-017817-3"),
        *("NCCCTS-09-387", "ChiECRCT2014025", "NCT0110429", "26616225"),
    }
    joined = {study.registry_id_reported: study for study in published.studies}
    assert joined["NCT 00544063"].registry_id == "NCT00544063"
    both = joined[" UMIN000001141 and UMIN000001142"]
    assert (both.registry_id, both.details["other_registry_ids"]) == ("UMIN000001141", ["UMIN000001142"])


def test_published_levels_and_doses(published):
    levels = [level for study in published.studies for level in study.dose_levels]
    doses = [dose for level in levels for dose in level.doses]
    assert len(doses) == 10_053 - 1701
    assert Counter(dose.unit_reported for dose in doses if dose.unit is None and dose.unit_reported) == {
        **{"mg; um": 5, "AUC": 8, "mg or mg/m2/day": 1}
    }
    assert sum(len(study.arms) for study in published.studies) == 903
    assert all(dose.molecule is None for dose in doses if dose.name in {"radiotherapy", "radiation", "imrt", "rtrt"})


def test_the_one_impossible_count(published):
    impossible = [
        (study.code, item.level, item.affected_reported, item.treated)
        for study in published.studies
        for item in study.dlt_observations
        if item.flag and "subjects with a toxicity among" in item.flag
    ]
    assert impossible == [("PMID 20837944", "4", "3", 2)]


def test_bounds_hold_on_all_published_levels(published):
    for study in published.studies:
        for level in study.dose_levels:
            if level.with_dlt is not None:
                assert level.with_dlt_min == level.with_dlt == level.with_dlt_max
            if level.with_dlt_max is not None and level.treated is not None:
                assert (level.with_dlt_min or 0) <= level.with_dlt_max <= level.treated


def test_control_characters_of_the_published_rows_are_flagged(published):
    shown = [flag for flag in published.flags if "control character" in flag.reason]
    # trial.csv 6 in 3 cells of 3 rows, counted per cell and sign; the other files likewise.
    assert Counter(flag.place.file for flag in shown) == {
        **{"trial.csv": 3, "schema.csv": 20, "dlt_definition.csv": 23, "dose_level.csv": 16, "observed_dlt.csv": 2}
    }


def test_an_mtd_that_was_not_reached_says_so_in_its_value_too():
    row = b"90000001,NCT00000011,5,17-aag,the MTD was not reached,NA,NA,NA,NA\n"
    reading = read_phase1(a_set(mtd=lambda data: data + row))
    told = [
        dose
        for study in reading.studies
        for dose in study.recommended_doses
        if dose.reported == "the MTD was not reached"
    ]
    assert [(dose.kind, dose.amount_low) for dose in told] == [("MTD_NOT_REACHED", None)]
