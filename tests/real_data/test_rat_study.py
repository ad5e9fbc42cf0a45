"""PDS2014, a one-month rat study: what its concentrations give against what it reports.

Every exposure area it reports for a sampled interval follows from the concentrations. The areas beyond the last
measurable sample rest on a terminal slope from two points, where the method asks for three; twelve of them came out
negative, and the last two points do not give those either.
"""

import math
from collections import Counter, defaultdict
from functools import cache

import pytest

from pipeline.outcome import Reason
from pipeline.pharmacology.nca import Exposure
from pipeline.pharmacology.steady_state import steady_state
from tests.real_data.profiles import Samples, Verdict, analysed, finite, same, verdict
from tests.real_data.sources import Row, transport

STUDY = "PDS2014"
TAU_H = 24.0
AS_PRINTED = 0.5
"""The study prints areas as whole numbers."""

AnimalDay = tuple[str, float]


def dosing_day(row: Row) -> float:
    """The 24, 48 and 72 h samples are filed under the study day they were taken on, not that of the dose."""
    return float(row["VISITDY"] - row["PCTPTNUM"] // TAU_H)


def concentration(row: Row) -> float | None:
    """BQL (below 20 ng/mL) is 0 within an analysis; the source leaves its number empty."""
    return 0.0 if row["PCSTRESC"] == "BQL" else row["PCSTRESN"]


@cache
def profiles() -> dict[AnimalDay, Samples]:
    found: dict[AnimalDay, Samples] = {}
    for row in transport(STUDY, "pc"):
        key = (row["USUBJID"], dosing_day(row))
        first = key[1] == 1  # nothing was sampled before the first dose, and nothing can be there
        samples = found.setdefault(key, Samples(zero_at_dose=first, first_period=first))
        samples.points.append((row["PCTPTNUM"], concentration(row)))
    return found


@cache
def exposures() -> dict[AnimalDay, Exposure]:
    return analysed(profiles())


def reported(code: str) -> dict[AnimalDay, Row]:
    return {(row["USUBJID"], row["VISITDY"]): row for row in transport(STUDY, "pp") if row["PPTESTCD"] == code}


def excluded() -> set[tuple[str, float]]:
    """Animal and sequence number of the parameters the study keeps out of its summaries."""
    rows = transport(STUDY, "supppp")
    assert {(row["RDOMAIN"], row["IDVAR"], row["QNAM"]) for row in rows} == {("PP", "PPSEQ", "RSDSEXCL")}
    return {(row["USUBJID"], float(row["IDVARVAL"])) for row in rows}


def verdicts(code: str, name: str, within: float) -> Counter[Verdict]:
    return Counter(
        verdict(row["PPSTRESN"], getattr(exposures()[key], name), within=within) for key, row in reported(code).items()
    )


def test_every_animal_day_is_computed() -> None:
    assert len(exposures()) == 36
    assert set(exposures()) == set(reported("CMAX"))
    assert [key for key, exposure in exposures().items() if exposure.reason is not None] == []
    assert all(finite(exposure) for exposure in exposures().values())


def test_below_limit_results_have_a_text_and_no_number() -> None:
    below = [row for row in transport(STUDY, "pc") if row["PCSTRESC"] == "BQL"]
    assert len(below) == 20
    assert {row["PCSTRESN"] for row in below} == {None}
    measured = [row["PCSTRESN"] for row in transport(STUDY, "pc") if row["PCSTRESC"] != "BQL"]
    assert min(measured) >= 20.0 == min(row["PCLLOQ"] for row in below)


def test_numbers_carry_the_rounding_of_ibm_floats() -> None:
    """Four of the 226 numbers differ from their own text, in the last place."""
    rows = [row for row in transport(STUDY, "pc") if row["PCSTRESN"] is not None]
    unlike = [row for row in rows if row["PCSTRESN"] != float(row["PCSTRESC"])]
    assert (len(rows), len(unlike)) == (226, 4)
    assert {same(row["PCSTRESN"], float(row["PCSTRESC"])) for row in unlike} == {Verdict.AGREES}


def test_samples_of_a_later_day_belong_to_the_dose_before() -> None:
    filed = Counter((row["VISITDY"], dosing_day(row)) for row in transport(STUDY, "pc") if row["PCTPTNUM"] >= TAU_H)
    assert filed == {(2, 1): 18, (30, 29): 18, (31, 29): 6, (32, 29): 6}
    assert Counter(len(samples.points) for samples in profiles().values()) == {6: 18, 7: 12, 9: 6}


def test_greatest_concentrations_and_their_times_are_the_reported_ones() -> None:
    for code, name in (("CMAX", "cmax"), ("TMAX", "tmax"), ("TLST", "tlast")):
        rows = reported(code)
        assert Counter(same(row["PPSTRESN"], getattr(exposures()[key], name)) for key, row in rows.items()) == {
            Verdict.AGREES: 36
        }, code


def test_areas_to_the_last_measurable_sample_are_the_reported_ones() -> None:
    assert verdicts("AUCLST", "auc_last", AS_PRINTED) == {Verdict.AGREES: 18}


def test_the_area_that_differs_when_later_days_are_left_out() -> None:
    """17 of 18 without the samples filed under days 31 and 32: the other animal was measurable until 72 h."""
    short = {
        key: Samples(
            [point for point in samples.points if point[0] <= TAU_H],
            zero_at_dose=samples.zero_at_dose,
            first_period=samples.first_period,
        ).analysed()
        for key, samples in profiles().items()
    }
    differences = {
        key: row["PPSTRESN"] - short[key].auc_last
        for key, row in reported("AUCLST").items()
        if verdict(row["PPSTRESN"], short[key].auc_last, within=AS_PRINTED) is not Verdict.AGREES
    }
    assert list(differences) == [("PDS2014-0176", 29)]
    assert differences["PDS2014-0176", 29] == pytest.approx(20232.4, abs=AS_PRINTED)
    assert exposures()["PDS2014-0176", 29].tlast == 72


def test_areas_over_the_dosing_interval_are_the_reported_ones_where_it_was_measured_to_its_end() -> None:
    found: dict[bool, Counter[Verdict]] = defaultdict(Counter)
    for (animal, day), row in reported("AUCTAU").items():
        samples, exposure = profiles()[animal, day], exposures()[animal, day]
        start = [(0.0, 0.0)] if samples.zero_at_dose else []
        times, concentrations = zip(*start, *zip(samples.times, samples.concentrations, strict=True), strict=True)
        interval = steady_state(times, concentrations, TAU_H)
        assert exposure.tlast is not None
        assert ("tau_below_limit" in interval.flags) == (exposure.tlast < TAU_H)
        found[exposure.tlast >= TAU_H][verdict(row["PPSTRESN"], interval.auc_tau, within=AS_PRINTED)] += 1
    # in the other six the 24 h sample is below the limit; the study extrapolated there from two points
    assert found == {True: {Verdict.AGREES: 30}, False: {Verdict.DISAGREES: 6}}


def test_the_negative_areas_are_the_ones_the_study_excludes() -> None:
    negative = [row for row in transport(STUDY, "pp") if (row["PPSTRESN"] or 0) < 0]
    assert Counter(row["PPTESTCD"] for row in negative) == {"AUCIFO": 10, "AUCTAU": 2}
    assert {(row["USUBJID"], row["PPSEQ"]) for row in negative} == excluded()
    assert len(excluded()) == 12


def test_no_area_is_ever_negative_or_taken_from_two_points() -> None:
    rows = reported("AUCIFO")
    assert len(rows) == 18
    assert {key[1] for key in rows} == {1.0}
    computed = {key: exposures()[key].auc_inf_obs for key in rows}
    known = {key: area for key, area in computed.items() if area is not None}
    # one animal had three samples after its maximum; the study reports 14570 there, from the last two of them
    assert known == {("PDS2014-0133", 1): pytest.approx(14567.3, abs=AS_PRINTED)}
    missing = Counter(exposures()[key].missing["auc_inf_obs"] for key in rows if key not in known)
    assert missing == {Reason.TOO_FEW_POINTS: 17}
    # the study itself could not compute two of them
    assert Counter(row["PPSTRESC"] for row in rows.values() if row["PPSTRESN"] is None) == {"NC": 2}


def two_point_tail(samples: Samples, until_h: float) -> float:
    """The area from the last measurable sample on, with the slope of the last two."""
    measured = [(time, conc) for time, conc in zip(samples.times, samples.concentrations, strict=True) if conc]
    (t1, c1), (t2, c2) = measured[-2:]
    slope = math.log(c1 / c2) / (t2 - t1)
    return c2 / slope * -math.expm1(-slope * (until_h - t2))


def test_reported_extrapolations_take_the_slope_from_two_points() -> None:
    explained: Counter[tuple[str, bool]] = Counter()
    for code, until_h in (("AUCIFO", math.inf), ("AUCTAU", TAU_H)):
        for key, row in reported(code).items():
            exposure = exposures()[key]
            assert exposure.tlast is not None
            assert exposure.auc_last is not None
            if row["PPSTRESN"] is None or exposure.tlast >= until_h:
                continue
            found = exposure.auc_last + two_point_tail(profiles()[key], until_h)
            negative = row["PPSTRESN"] < 0
            explained[code, negative] += verdict(row["PPSTRESN"], found, within=AS_PRINTED) is Verdict.AGREES
    assert explained == {("AUCIFO", False): 6, ("AUCTAU", False): 4, ("AUCIFO", True): 0, ("AUCTAU", True): 0}


def test_concentrations_and_parameters_are_of_single_animals() -> None:
    """The study defines pools of animals; none of its concentrations or parameters was measured in one."""
    pools = transport(STUDY, "pooldef")
    assert (len(pools), len({row["POOLID"] for row in pools})) == (100, 20)
    assert {row["POOLID"] for row in (*transport(STUDY, "pc"), *transport(STUDY, "pp"))} == {""}
    pooled = {row["USUBJID"] for row in pools}
    assert pooled.isdisjoint({animal for animal, _ in profiles()})


def test_only_treated_toxicokinetic_animals_were_sampled() -> None:
    sets = {row["SETCD"]: row["SET"] for row in transport(STUDY, "tx")}
    of_animal = {row["USUBJID"]: sets[row["SETCD"]] for row in transport(STUDY, "dm")}
    sampled = Counter(of_animal[animal] for animal in {animal for animal, _ in profiles()})
    assert len(sampled) == 6
    assert set(sampled.values()) == {3}
    assert all(name.endswith(", TK") for name in sampled), sampled
