"""PC201708, a synthetic rat study whose reported parameters do not follow from its concentrations.

They were taken from another study, so whoever reviews the data has to be told: every greatest concentration and every
area disagrees. The recomputed ones stand, and beside each of them what the source says.
"""

from collections import Counter
from functools import cache

import pytest

from pipeline.pharmacology.nca import Exposure, non_compartmental
from tests.real_data.profiles import Samples, Verdict, analysed, finite, same, verdict
from tests.real_data.sources import transport

STUDY = "PC201708"
HOURS = {"Predose": 0.0, "0.5H": 0.5, "2H": 2.0, "4H": 4.0, "24H": 24.0}
"""The time of a sample is its PCTPT; PCTPTNUM only numbers the samples."""
AS_PRINTED = 0.5


@cache
def profiles() -> dict[str, Samples]:
    found: dict[str, Samples] = {}
    for row in transport(STUDY, "pc"):
        conc = 0.0 if row["PCSTRESC"] == "BQL" else row["PCSTRESN"]
        # a repeated dose on day 91: what is there before it was left by the doses before
        found.setdefault(row["USUBJID"], Samples(first_period=False)).points.append((HOURS[row["PCTPT"]], conc))
    return found


@cache
def exposures() -> dict[str, Exposure]:
    return analysed(profiles())


def reported(code: str) -> dict[str, float | None]:
    return {row["USUBJID"]: row["PPSTRESN"] for row in transport(STUDY, "pp") if row["PPTESTCD"] == code}


def test_every_animal_is_computed() -> None:
    assert len(exposures()) == 30
    assert [animal for animal, exposure in exposures().items() if exposure.reason is not None] == []
    assert all(finite(exposure) for exposure in exposures().values())
    assert all(exposure.auc_last is not None for exposure in exposures().values())


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("CMAX", "cmax", {Verdict.DISAGREES: 30}),
        ("AUCLST", "auc_last", {Verdict.DISAGREES: 15}),
        ("AUCTAU", "auc_last", {Verdict.DISAGREES: 24}),
        ("AUCTAU", "auc_all", {Verdict.DISAGREES: 24}),
        ("TLST", "tlast", {Verdict.AGREES: 25, Verdict.DISAGREES: 5}),
        ("TMAX", "tmax", {Verdict.AGREES: 11, Verdict.DISAGREES: 19}),
    ],
)
def test_what_a_reviewer_is_told(code: str, name: str, expected: dict[Verdict, int]) -> None:
    found = Counter(
        verdict(value, getattr(exposures()[animal], name), within=AS_PRINTED if code.startswith("AUC") else 1e-9)
        for animal, value in reported(code).items()
    )
    assert found == expected


def test_no_area_to_infinity_agrees() -> None:
    """Five samples leave two points after the maximum: there is no terminal slope, and the reported ones are not it."""
    rows = reported("AUCIFO")
    found = Counter(
        verdict(value, exposures()[animal].auc_inf_obs, within=AS_PRINTED) for animal, value in rows.items()
    )
    assert found == {Verdict.NOT_COMPUTED: 18, Verdict.NOT_REPORTED: 3}
    not_done = [row for row in transport(STUDY, "pp") if row["PPSTAT"] == "NOT DONE"]
    assert {row["PPTESTCD"] for row in not_done} == {"AUCIFO"}
    assert len(not_done) == 3


def test_the_reported_parameters_are_those_of_another_study() -> None:
    """The likely cause: each greatest concentration and each area stands, digit for digit, in PDS2014."""
    other = {(row["PPTESTCD"], row["PPSTRESC"]) for row in transport("PDS2014", "pp")}
    copied = Counter(row["PPTESTCD"] for row in transport(STUDY, "pp") if (row["PPTESTCD"], row["PPSTRESC"]) in other)
    assert {code: copied[code] for code in ("CMAX", "AUCLST", "AUCTAU")} == {"CMAX": 30, "AUCLST": 15, "AUCTAU": 24}


def test_an_ordinal_is_not_an_hour() -> None:
    rows = transport(STUDY, "pc")
    assert {(row["PCTPT"], row["PCTPTNUM"]) for row in rows} == {
        (text, ordinal) for ordinal, text in enumerate(HOURS, start=1)
    }
    # the elapsed time agrees with the text, and is left out before the dose
    assert {(row["PCTPT"], row["PCELTM"]) for row in rows} == {("Predose", "")} | {
        (text, f"PT{text}") for text in HOURS if text != "Predose"
    }
    # read as hours, the ordinals give areas that are wrong for every animal without one of them looking so
    for samples, exposure in zip(profiles().values(), exposures().values(), strict=True):
        by_ordinal = non_compartmental([1, 2, 3, 4, 5], samples.concentrations, zero_at_dose=True)
        assert by_ordinal.auc_last is not None
        assert exposure.auc_last is not None
        assert by_ordinal.auc_last < 0.8 * exposure.auc_last


def test_sampling_days_agree_with_each_other_and_not_with_the_reference_date() -> None:
    rows = transport(STUDY, "pc")
    assert Counter((row["PCDTC"], row["PCDY"], row["PCTPT"] == "24H") for row in rows) == {
        ("2016-05-01", 91.0, False): 120,
        ("2016-05-02", 92.0, True): 30,
    }
    assert {row["PCRFTDTC"] for row in rows} == {"2016-02-01"}
    assert {row["VISITDY"] for row in rows} == {91.0}


def test_numbers_and_texts_agree() -> None:
    rows = transport(STUDY, "pc")
    below = [row for row in rows if row["PCSTRESC"] == "BQL"]
    assert (len(below), {row["PCSTRESN"] for row in below}) == (10, {None})
    measured = [row for row in rows if row["PCSTRESC"] != "BQL"]
    assert {same(row["PCSTRESN"], float(row["PCSTRESC"])) for row in measured} == {Verdict.AGREES}
