"""Names, levels and kinds of dose in the published phase I trials, each alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.facts import Arm, DltObservation, DoseLevelFact
from pipeline.exchange.phase1_components import Components, key_of, matching
from pipeline.exchange.phase1_levels import Combination, Count, count_subjects, level_order, read_count
from pipeline.exchange.phase1_recommended import dose_kind


def component(name, *, irradiated=False):
    return Components().read(name, irradiated=irradiated, file="drug.csv", row=2)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "radiotherapy",
            "Radiation therapy",
            "standard\nradiotherapy",
            "external beamradiation therapy",
            "IMRT",
            "SBRT",
        ),
        *("RT", "3D-CRT", "whole brain RT", "TBI", "brachytherapy", "proton beam therapy", "concurrent chemoradiation"),
        *("external beam radiation", "sib‑imrt", "intensity-modulated rt (imrt", "lcaf rt", "90Y radioembolization"),
    ],
)
def test_radiation_is_no_molecule(name):
    assert (component(name).kind, component(name).molecule) == ("radiation", None)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "radium-223",
            "radotinib",
            "131I-MIBG",
            "177Lu-DOTATATE",
            "y-90-ibritumomab \ntiuxetan",
            "5-FU",
            "carmustine",
        ),
        *("ad5.sstr/tk.rgd", "4-hpr/lxs", "PTK787/ZK222584", "tegafur/uracil", "arsenic trioxide", "vorinostat"),
    ],
)
def test_a_molecule_is_a_molecule(name):
    assert component(name).kind == "molecule"
    assert component(name, irradiated=True).kind in {"molecule", "radiation"}


def test_what_is_given_in_gray_is_radiation_unless_it_carries_an_isotope():
    assert component("rtx 12").kind == "molecule"
    assert component("rtx 12", irradiated=True).kind == "radiation"
    assert component("131 i-tositumomab", irradiated=True).kind == "molecule"


@pytest.mark.parametrize(
    "name", ["FOLFIRI", "mFOLFOX6", "docetaxel + gcsf", "siltuximab+docetaxel", "tpf regimen", "a or b"]
)
def test_several_molecules_in_one_name_are_kept_by_that_name(name):
    found = component(name)
    assert (found.kind, found.molecule) == ("several", None)
    assert found.flag


def test_procedures_are_no_molecules():
    assert component("radiofrequency ablation").kind == "procedure"


@pytest.mark.parametrize("name", ["-", "...", "\u200b", "x" * 301])
def test_what_is_no_name_is_none(name):
    assert component(name) is None


@pytest.mark.parametrize(
    ("printed", "name", "note"),
    [
        ("5 FU", "5‑fu", None),
        ("erlotinib dose", "erlotinib", "'erlotinib dose' is taken for 'erlotinib' of drug.csv"),
        ("lap（lapatinib）", "lap", "'lap（lapatinib）' is taken for 'lap' of drug.csv"),
        (
            "erlotini",
            "erlotini",
            "'erlotini' is not listed for this combination in drug.csv; nearest there: 'erlotinib'",
        ),
        ("cisplatin", "cisplatin", "'cisplatin' is not listed for this combination in drug.csv"),
    ],
)
def test_a_spelling_is_matched_within_its_combination(printed, name, note):
    listed = {key_of(found): found for found in map(component, ("5‑fu", "erlotinib", "lap"))}
    found, said = matching(component(printed), listed)
    assert (found.name, said) == (name, note)


@pytest.mark.parametrize(
    ("label", "order"),
    [
        ("1", (1.0, "")),
        ("-1", (-1.0, "")),
        ("−1", (-1.0, "")),
        ("2.5", (2.5, "")),
        ("1a", (1.0, "a")),
        ("-2B", (-2.0, "b")),
        ("Level 3", (3.0, "")),
        ("DL2", (2.0, "")),
        ("IV", (4.0, "")),
        ("expansion", None),
        ("1, 2", None),
    ],
)
def test_what_orders_a_level(label, order):
    assert level_order(label) == order


def test_levels_are_ordered_and_spellings_are_one():
    combination = Combination(Arm("1"))
    for row, label in enumerate(["2", "10", "-1", "2a", "expansion", "1", "2.5", "-2B", "2A", "1.0", None], 2):
        combination.level(label, row)
    assert [(level.label, level.ordinal) for level in combination.ordered()] == [
        *(("not stated", 0), ("-2B", 1), ("-1", 2), ("1", 3), ("2", 4), ("2a", 5), ("2.5", 6), ("10", 7)),
        ("expansion", 8),
    ]


def test_2b_is_2_5_only_where_asked_and_only_that_is_known():
    combination = Combination(Arm("1"))
    half = combination.level("2.5", 2)
    assert combination.level("2b", 3, halves=True) is half
    assert Combination(Arm("1")).level("2b", 3, halves=True).label == "2b"
    other = Combination(Arm("1"))
    assert other.level("2.5", 2) is not other.level("2b", 3)


@given(st.lists(st.sampled_from(["-2", "-1b", "-1a", "0", "1", "1.5", "2", "2a", "3"]), min_size=1))
def test_ordinals_rise_with_the_labels(labels):
    combination = Combination(Arm("1"))
    for row, label in enumerate(labels, 2):
        combination.level(label, row)
    levels = combination.ordered()
    assert [level.ordinal for level in levels] == list(range(1, len(set(labels)) + 1))
    orders = [level_order(level.label) for level in levels]
    assert orders == sorted(orders)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("6", Count(6)),
        ("6.0", Count(6)),
        (" 0 ", Count(0)),
        ("NA", Count(None)),
        ("N/A", Count(None)),
        (None, Count(None)),
    ],
)
def test_a_count_is_read(text, count):
    assert read_count(text) == count


@pytest.mark.parametrize("text", ["six", "-1", "1/6", "6.5", "9" * 12, "?", "4-Mar"])
def test_what_is_no_count_is_flagged(text):
    assert read_count(text) == Count(None, f"{text!r} is not a number of subjects; kept as reported")


def counted(*observations):
    """Count (affected, treated, comment) on one level; return treated, certain, least, most, and what was said."""
    level = DoseLevelFact("1", "1", 1)
    told = [
        DltObservation(
            "1", "1", "rash", "3", 3, 3, None if hit is None else str(hit), hit, None, total, comment=comment
        )
        for hit, total, comment in observations
    ]
    note = count_subjects(level, told)
    return level.treated, level.with_dlt, level.with_dlt_min, level.with_dlt_max, note


def test_subjects_with_a_toxicity_are_bounded_or_certain():
    assert counted((1, 6, None)) == (6, 1, 1, 1, None)
    assert counted((0, 6, None), (0, 6, None)) == (6, 0, 0, 0, None)
    assert counted((2, 6, None), (1, 6, None)) == (6, None, 2, 3, None)
    assert counted((3, 3, None), (1, 3, None)) == (3, 3, 3, 3, None)
    assert counted((4, 6, None), (4, 6, None)) == (6, None, 4, 6, None)
    assert counted((None, 6, None)) == (6, None, None, 6, None)
    assert counted((2, 6, None), (None, 6, None)) == (6, None, 2, 6, None)


def test_groups_on_one_level_leave_the_number_treated_open():
    treated, certain, least, most, note = counted((1, 6, "arm A"), (2, 6, "arm B"))
    assert (treated, certain, least, most) == (None, None, 2, 3)
    assert note == "several groups share the level ('arm A', 'arm B'); the number treated is left open"


@pytest.mark.parametrize(
    ("comment", "kind"),
    [
        (None, "MTD"),
        ("fixed dose", "MTD"),
        ("schedule 2/1", "MTD"),
        ("MTD", "MTD"),
        ("RP2D", "RP2D"),
        ("RD", "RP2D"),
        ("RD for Group 1", "RP2D"),
        ("PR2D for adults", "RP2D"),
        ("recommended dose", "RP2D"),
        ("MTD not reached", "MTD_NOT_REACHED"),
        ("The MTD was never reached", "MTD_NOT_REACHED"),
        ("MTD for schedule B not reached", "MTD_NOT_REACHED"),
        ("did not reach the MTD", "MTD_NOT_REACHED"),
        ("MTD could not be determined", "MTD_NOT_REACHED"),
        ("MAD", "OTHER"),
        ("not tolerated", "OTHER"),
    ],
)
def test_the_comment_tells_what_a_dose_is(comment, kind):
    assert dose_kind(comment).code == kind


def test_a_recommended_dose_without_an_mtd_says_so():
    assert dose_kind("MTD not reached, this is RP2D") == ("RP2D", "the comment says that the MTD was not found")
