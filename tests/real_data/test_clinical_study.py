"""Plasma and urine of a clinical trial: every subject and specimen computed, the reported parameters explained.

What the source reports follows from its concentrations, but not all of it under the names it gives: AUCLST is the
all-linear area, AUCALL the area to infinity, the half-life 0.693 over the slope, and what was excreted in urine takes
one litre for every collection.
"""

import re
from collections import Counter, defaultdict
from functools import cache

import pytest

from pipeline.outcome import Reason
from pipeline.pharmacology.below_limit import compare_below_limit
from pipeline.pharmacology.excretion import urinary_excretion
from pipeline.pharmacology.nca import Exposure, non_compartmental
from tests.real_data.profiles import Samples, analysed, finite
from tests.real_data.sources import delimited, number

EXACT = 1e-12
"""Relative: sums of a dozen doubles."""
LLOQ = 0.01
LITRE_ML = 1000.0
MG_PER_UG = 1e-3


@cache
def samples(specimen: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in delimited("sdtm-csv", "pc"):
        if row["PCSPEC"] == specimen:
            found[row["USUBJID"]].append(row)
    return found


def concentration(row: dict[str, str]) -> float | None:
    """`<BLQ` is below the limit whether its number is written 0 or NA; anything else has to be a number."""
    return 0.0 if row["PCSTRESC"] == "<BLQ" else number(row["PCSTRESN"])


@cache
def profiles() -> dict[str, Samples]:
    return {
        subject: Samples([(float(row["PCTPTNUM"]), concentration(row)) for row in rows])
        for subject, rows in samples("PLASMA").items()
    }


@cache
def exposures() -> dict[str, Exposure]:
    return analysed(profiles())


@cache
def reported() -> dict[str, dict[str, float]]:
    """Subject -> parameter -> value; the repeats of a parameter are equal."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in delimited("sdtm-csv", "pp"):
        value = float(row["PPSTRESN"])
        assert found[row["USUBJID"]].setdefault(row["PPTESTCD"], value) == value
    return found


def agreeing(code: str, computed: dict[str, float | None], rel: float = EXACT) -> int:
    return sum(computed[subject] == pytest.approx(values[code], rel=rel) for subject, values in reported().items())


def test_every_subject_is_computed_or_has_a_reason() -> None:
    assert len(exposures()) == 254
    assert all(finite(exposure) for exposure in exposures().values())
    assert Counter(exposure.reason for exposure in exposures().values()) == {None: 168, Reason.NO_DATA: 86}
    arm = {row["USUBJID"]: row["ACTARM"] for row in delimited("sdtm-csv", "dm")}
    without = {subject for subject, exposure in exposures().items() if exposure.reason is not None}
    # the whole placebo arm was sampled, and is below the limit throughout
    assert {arm[subject] for subject in without} == {"Placebo"}
    assert set(reported()) == set(exposures()) - without


def test_below_limit_is_told_by_its_text() -> None:
    rows = delimited("sdtm-csv", "pc")
    below = Counter(row["PCSTRESN"] for row in rows if row["PCSTRESC"] == "<BLQ")
    assert (len(rows), below) == (4572, {"0": 254, "NA": 1925})
    # the zeros are the samples before the dose, one a subject
    assert {row["PCTPTNUM"] for row in rows if row["PCSTRESN"] == "0"} == {"-0.5"}
    measured = [row for row in rows if row["PCSTRESC"] != "<BLQ"]
    assert all(float(row["PCSTRESC"]) == float(row["PCSTRESN"]) >= LLOQ for row in measured)
    assert {row["PCLLOQ"] for row in rows} == {"0.01"}


def test_the_sample_before_the_dose_stands_at_the_dose() -> None:
    for subject in reported():
        assert profiles()[subject].times[0] == -0.5
        assert exposures()[subject].flags == ("pre_dose_at_zero",)
        # without it there is no area from the time of the dose
        late = non_compartmental(profiles()[subject].times[1:], profiles()[subject].concentrations[1:])
        assert (late.auc_last, late.missing["auc_last"]) == (None, Reason.NO_DATA)


def test_the_limit_of_quantification_changes_nothing_more() -> None:
    """The values below 0.01 are all marked in the source; giving the limit as a number as well has no effect."""
    for subject in reported():
        rules = compare_below_limit(profiles()[subject].times, profiles()[subject].concentrations, LLOQ)
        assert rules.default.auc_last == rules.keep_zero.auc_last == exposures()[subject].auc_last
        # left out before the dose as everywhere, zeros leave no area from the time of the dose
        assert rules.drop_all.auc_last is None


@pytest.mark.parametrize(
    ("code", "name"), [("CMAX", "cmax"), ("TMAX", "tmax"), ("CLST", "clast"), ("AUCLST", "auc_last_linear")]
)
def test_parameters_equal_to_the_reported_ones(code: str, name: str) -> None:
    assert agreeing(code, {subject: getattr(exposure, name) for subject, exposure in exposures().items()}) == 168


def test_the_reported_slope_takes_the_maximum_with_it() -> None:
    """All 168 name four points; the fourth from the end is the maximum, which the method leaves out by default."""
    assert {values["LAMZNPT"] for values in reported().values()} == {4}
    assert {exposures()[subject].lambda_z_n_points for subject in reported()} == {3}
    ours = {subject: exposure.lambda_z for subject, exposure in exposures().items()}
    assert agreeing("LAMZ", ours) == 0
    assert agreeing("LAMZ", ours, rel=1e-3) == 168
    theirs = {
        subject: non_compartmental(
            profiles()[subject].times,
            profiles()[subject].concentrations,
            include_tmax_in_lambda_z=True,
            lambda_z_n_points=4,
        ).lambda_z
        for subject in reported()
    }
    assert agreeing("LAMZ", theirs, rel=1e-9) == 168


def test_reported_half_lives_and_areas_follow_from_the_reported_slope() -> None:
    slope = {subject: values["LAMZ"] for subject, values in reported().items()}
    assert agreeing("LAMZHL", {subject: 0.693 / lz for subject, lz in slope.items()}) == 168
    assert agreeing("LAMZHL", {subject: exposures()[subject].half_life for subject in slope}, rel=1e-3) == 168
    # what is called AUCALL is the area to infinity; the area that counts the first sample below the limit differs
    to_infinity = {
        subject: values["AUCLST"] + values["CLST"] / slope[subject] for subject, values in reported().items()
    }
    assert agreeing("AUCALL", to_infinity) == 168
    assert agreeing("AUCALL", {subject: exposures()[subject].auc_all for subject in slope}, rel=0.01) == 0


def collections(subject: str) -> tuple[list[float], list[float], list[float | None]]:
    rows = samples("URINE")[subject]
    spans = [re.fullmatch(r"(\d+)-(\d+)h Post-dose", row["PCTPT"]) for row in rows]
    starts, ends = zip(*((float(span[1]), float(span[2])) for span in spans if span), strict=True)
    return list(starts), list(ends), [concentration(row) for row in rows]


def test_urine_is_collected_over_intervals_without_a_volume() -> None:
    assert len(samples("URINE")) == 254
    assert {(tuple(collections(subject)[0]), tuple(collections(subject)[1])) for subject in samples("URINE")} == {
        ((0, 6, 12, 24), (6, 12, 24, 48))
    }
    # the numeric time is the middle of the collection, but for the last one, where it is an hour late
    assert {(row["PCTPT"][:5].rstrip("h "), row["PCTPTNUM"]) for row in samples("URINE")["01-701-1028"]} == {
        ("0-6", "3"),
        ("6-12", "9"),
        ("12-24", "18"),
        ("24-48", "37"),
    }
    assert not any("VOL" in column for column in delimited("sdtm-csv", "pc")[0])
    found = [urinary_excretion(*collections(subject), volume=[None] * 4) for subject in samples("URINE")]
    assert Counter(each.reason for each in found) == {Reason.NO_DATA: 254}


def test_reported_excretion_takes_a_litre_for_every_collection() -> None:
    """1,000 mL each, whatever was collected, give the reported amounts (mg) and clearances (mL/min) of all 168."""
    amounts, clearances = {}, {}
    for subject in reported():
        start, end, conc = collections(subject)
        found = urinary_excretion(
            start,
            end,
            [None if c is None else MG_PER_UG * c for c in conc],
            [LITRE_ML] * 4,
            auc=MG_PER_UG * reported()[subject]["AUCLST"],
        )
        assert found.renal_clearance is not None
        amounts[subject], clearances[subject] = found.amount_total, found.renal_clearance / 60
    assert agreeing("RCAMINT", amounts) == 168
    assert agreeing("RENALCL", clearances) == 168


def test_the_litre_lets_every_subject_excrete_more_than_was_given() -> None:
    """One more reason to doubt it: the first dose was a patch of 54 mg."""
    assert {row["EXDOSE"] for row in delimited("sdtm-csv", "ex") if row["EXSEQ"] == "1"} == {"0", "54"}
    for subject in reported():
        start, end, conc = collections(subject)
        found = urinary_excretion(start, end, conc, [LITRE_ML * MG_PER_UG] * 4, dose=54)
        assert found.flags == ("more_than_dose",)
