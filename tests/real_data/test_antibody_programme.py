"""An antibody in phase I: greatest concentrations and areas of cycles 1 and 3 against what WinNonlin gave.

The results name no cycle and no analyte. A subject's first block is cycle 1 of ABC123, the second cycle 3; further
blocks of combination arms are of DEF456, whose concentrations are not in the data set.
"""

import re
from collections import Counter, defaultdict
from datetime import datetime
from functools import cache

import pytest

from pipeline.pharmacology.nca import Exposure
from tests.real_data.profiles import Samples, analysed, finite
from tests.real_data.sources import delimited

Cycle = tuple[str, int]
HOURS_PER_DAY = 24.0
ORDER = ("HL_Lambda_z", "Tmax", "Cmax", "AUCINF_obs", "AUClast", "AUCtau", "Tlast")
"""Within a block the parameters stand in this order, some of them left out: one that does not follow begins a block."""
LAST_OF_CYCLE = {15: "336", 28: "672"}
"""On these days a dose was given as well: the sample of the dose before is the one at this nominal time."""


@cache
def reported() -> dict[Cycle, dict[str, float]]:
    blocks: dict[str, list[dict[str, float]]] = defaultdict(list)
    for row in delimited("onc-pkpd", "PPtmp_NCA"):
        of_subject = blocks[row["SUBJID"]]
        if not of_subject or ORDER.index(row["WNLPARM"]) <= ORDER.index(list(of_subject[-1])[-1]):
            of_subject.append({})
        of_subject[-1][row["WNLPARM"]] = float(row["PPORRESN"])
    return {
        (subject, cycle): block
        for subject, of_subject in blocks.items()
        for cycle, block in zip((1, 3), of_subject, strict=False)
    }


@cache
def samples() -> dict[Cycle, list[dict[str, str]]]:
    """The samples after the first dose of cycles 1 and 3; the next dose's own samples are left out."""
    found: dict[Cycle, list[dict[str, str]]] = defaultdict(list)
    for row in delimited("onc-pkpd", "dzz_PKConc"):
        visit = re.fullmatch(r"CYCLE ([13]) DAY (\d+)", row["VISIT"])
        if visit and row["TMTPT"] == LAST_OF_CYCLE.get(int(visit[2]), row["TMTPT"]):
            found[row["SUBJID"], int(visit[1])].append(row)
    return found


def hours_to(row: dict[str, str], origin: dict[str, str]) -> float:
    since = datetime.fromisoformat(row["PCDTC"]) - datetime.fromisoformat(origin["PCDTC"])
    return since.total_seconds() / 3600


@cache
def profiles() -> dict[Cycle, Samples]:
    """Actual times since the dose, which is not recorded: the reported Tmax before the greatest concentration.

    The sample before the dose then is a little early, and counts as the value at the dose.
    """
    found = {}
    for key, rows in samples().items():
        top = max(rows, key=lambda row: float(row["RESN"]))
        tmax = reported()[key]["Tmax"]
        points = [(hours_to(row, top) + tmax, float(row["RESN"])) for row in rows]
        found[key] = Samples(points, first_period=key[1] == 1)
    return found


@cache
def exposures() -> dict[Cycle, Exposure]:
    return analysed(profiles())


def complete() -> list[Cycle]:
    """The cycles whose last reported sample is in the data set."""
    return [
        key
        for key, exposure in exposures().items()
        if exposure.tlast is not None and exposure.tlast == pytest.approx(reported()[key]["Tlast"], abs=0.1)
    ]


def test_every_cycle_with_samples_is_computed() -> None:
    assert Counter(cycle for _, cycle in samples()) == {1: 36, 3: 11}
    assert all(exposure.reason is None and finite(exposure) for exposure in exposures().values())


def test_greatest_concentrations_are_the_reported_ones() -> None:
    assert Counter(exposure.cmax == reported()[key]["Cmax"] for key, exposure in exposures().items()) == {True: 47}


def test_areas_are_the_reported_all_linear_ones() -> None:
    """37 of 37 within the rounding of the printed times; with logarithmic pieces they are up to 10 % smaller."""
    assert len(complete()) == 37
    for key in complete():
        days = HOURS_PER_DAY * reported()[key]["AUClast"]
        assert exposures()[key].auc_last_linear == pytest.approx(days, rel=3e-5)
        assert exposures()[key].auc_last == pytest.approx(days, rel=0.1)
        assert exposures()[key].auc_last <= exposures()[key].auc_last_linear


def test_areas_of_cycles_without_their_last_samples_are_smaller() -> None:
    """Ten cycles were reported to a time later than any sample the data set still has."""
    cut = set(exposures()) - set(complete())
    assert len(cut) == 10
    for key in cut:
        tlast, area = exposures()[key].tlast, exposures()[key].auc_last_linear
        assert tlast is not None
        assert area is not None
        assert tlast < reported()[key]["Tlast"] - 24
        assert area < 0.95 * HOURS_PER_DAY * reported()[key]["AUClast"]


def test_half_lives_are_the_reported_ones() -> None:
    """Wherever one was reported, one is found, and the other way round: the same points are chosen."""
    known = [key for key in complete() if exposures()[key].half_life is not None]
    assert known == [key for key in complete() if "HL_Lambda_z" in reported()[key]]
    assert len(known) == 30
    for key in known:
        assert exposures()[key].half_life == pytest.approx(HOURS_PER_DAY * reported()[key]["HL_Lambda_z"], rel=1e-3)


def test_areas_to_infinity_are_the_reported_ones_on_linear_pieces() -> None:
    known = [key for key in complete() if "AUCINF_obs" in reported()[key]]
    for key in known:
        found = exposures()[key]
        assert found.auc_last_linear is not None
        assert found.clast is not None
        assert found.lambda_z is not None
        to_infinity = found.auc_last_linear + found.clast / found.lambda_z
        assert to_infinity == pytest.approx(HOURS_PER_DAY * reported()[key]["AUCINF_obs"], rel=1e-3)
    assert len(known) == 30


def test_the_same_sample_under_two_nominal_times_counts_once() -> None:
    rows = delimited("onc-pkpd", "dzz_PKConc")
    taken: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if row["PCDTC"]:
            taken[row["SUBJID"], row["PCDTC"]].append(row)
    twice = [same for same in taken.values() if len(same) > 1]
    assert all(len({row["RESN"] for row in same}) == 1 for same in twice)
    assert Counter(tuple(sorted(row["TMTPT"] for row in same)) for same in twice) == {("0", "336"): 24, ("0", "672"): 6}
    # below the limit is stored as 0, and two samples have no date
    assert (sum(row["RESN"] == "0" for row in rows), sum(row["PCDTC"] == "" for row in rows)) == (64, 2)
    assert all(row["PCDTC"] for cycle in samples().values() for row in cycle)
