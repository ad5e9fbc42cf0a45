"""An analysis-ready data set: every subject, analyte, specimen and dose gets its parameters, or the reason why not."""

import re
from collections import Counter, defaultdict
from datetime import datetime
from functools import cache

import pytest

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.excretion import Excretion, urinary_excretion
from pipeline.pharmacology.nca import Exposure, non_compartmental
from pipeline.pharmacology.profile import Route
from tests.real_data.profiles import Samples, analysed, finite
from tests.real_data.sources import delimited, number

Key = tuple[str, str, str, str]
"""Subject, analyte, specimen, dose."""
ROUTES = {"INTRAVENOUS DRIP": Route.IV_INFUSION, "INTRAVENOUS BOLUS": Route.IV_BOLUS}
MG_PER_UG = 1e-3


@cache
def intervals() -> dict[Key, list[dict[str, str]]]:
    found: dict[Key, list[dict[str, str]]] = defaultdict(list)
    for row in delimited("nca-analysis", "adnca_example"):
        found[row["USUBJID"], row["PARAM"], row["PCSPEC"], row["ATPTREF"]].append(row)
    return found


def kept(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The records that nobody excluded."""
    return [row for row in rows if not row["NCA1XRS"] and not row["NCA2XRS"]]


@cache
def serum() -> dict[Key, Exposure]:
    profiles = {}
    for key, rows in intervals().items():
        if key[2] != "SERUM":
            continue
        # a metabolite is formed after the dose, so it never has a concentration at its end as a bolus has
        route = Route.EXTRAVASCULAR if rows[0]["METABFL"] == "Y" else ROUTES[rows[0]["ROUTE"]]
        profiles[key] = Samples(
            [(float(row["ARRLT"]), number(row["AVAL"])) for row in kept(rows)],
            dose=None if rows[0]["METABFL"] == "Y" else float(rows[0]["DOSEA"]),
            route=route,
            infusion_h=float(rows[0]["ADOSEDUR"]) if route is Route.IV_INFUSION else 0.0,
            first_period=key[3] == "DOSE 1",
        )
    return analysed(profiles)


def urine(rows: list[dict[str, str]], unit: float = 1.0) -> Excretion:
    return urinary_excretion(
        [float(row["ARRLT"]) for row in rows],
        [float(row["AERRLT"]) for row in rows],
        [unit * float(row["AVAL"]) for row in rows],
        [float(row["VOLUME"]) for row in rows],
        float(rows[0]["DOSEA"]) if rows else None,
    )


def test_every_subject_analyte_specimen_and_dose_is_there() -> None:
    assert Counter((analyte, specimen) for _, analyte, specimen, _ in intervals()) == {
        ("DrugA", "SERUM"): 64,
        ("Metab-DrugA", "SERUM"): 64,
        ("DrugA", "URINE"): 40,
    }
    assert len({subject for subject, *_ in intervals()}) == 8
    # the three subjects given a bolus have no urine
    assert {key[0] for key in intervals() if key[2] == "URINE"} == {f"S1-0{number}" for number in range(1, 6)}


def test_excluded_records_stay_out() -> None:
    excluded = [row for rows in intervals().values() for row in rows if row not in kept(rows)]
    assert Counter((row["NCA1XRS"], row["NCA2XRS"]) for row in excluded) == {
        ("Invalid administration", ""): 89,
        ("Invalid administration", "Missing AVAL value"): 1,
    }
    lost = {key: len(rows) - len(kept(rows)) for key, rows in intervals().items()}
    emptied = Counter(key[2] for key, rows in intervals().items() if not kept(rows))
    assert emptied == {"SERUM": 8, "URINE": 4}
    # of four more profiles the sample before the dose belongs to the excluded dose before it
    partly = [key for key, rows in intervals().items() if 0 < lost[key] < len(rows)]
    assert len(partly) == 4
    assert {key[3] for key in partly} == {"DOSE 3"}
    assert {row["NRRLT"] for key in partly for row in intervals()[key] if row["NCA1XRS"]} == {"-0.083"}


def test_every_serum_profile_has_parameters_or_a_reason() -> None:
    found = serum()
    assert len(found) == 128
    assert all(finite(exposure) for exposure in found.values())
    assert Counter(exposure.reason for exposure in found.values()) == {None: 120, Reason.NO_DATA: 8}
    emptied = {key for key, rows in intervals().items() if not kept(rows)}
    assert {key for key, exposure in found.items() if exposure.reason} == {key for key in emptied if key[2] == "SERUM"}
    computed = [exposure for exposure in found.values() if exposure.reason is None]
    assert Counter(exposure.missing.get("auc_last") for exposure in computed) == {None: 116, Reason.NO_DATA: 4}
    # a metabolite at its greatest at 3 h and below the limit from 7.5 h on: two points after its maximum
    without_slope = {key for key, exposure in found.items() if "lambda_z" in exposure.missing}
    assert {found[key].missing["lambda_z"] for key in without_slope} == {Reason.TOO_FEW_POINTS}
    assert len(without_slope) == 1


def test_clearance_is_given_for_the_parent_alone() -> None:
    with_area = {key: exposure for key, exposure in serum().items() if exposure.auc_inf_obs is not None}
    for (_, analyte, _, _), exposure in with_area.items():
        assert (exposure.cl_or_cl_f is None) == (analyte == "Metab-DrugA")
        assert exposure.missing.get("cl_or_cl_f") in (None, Reason.NO_DATA)
    assert Counter(analyte for _, analyte, _, _ in with_area) == {"DrugA": 58, "Metab-DrugA": 57}


def test_the_sample_before_the_dose_stands_at_the_dose() -> None:
    """Samples 5 minutes early count at time 0, except of a bolus, where the concentration at its end does."""
    before = {key for key in serum() if any(float(row["ARRLT"]) < 0 for row in kept(intervals()[key]))}
    assert len(before) == 116
    bolus = {key for key in serum() if serum()[key].c0 is not None}
    assert len(bolus) == 24
    assert {key for key, exposure in serum().items() if "pre_dose_at_zero" in exposure.flags} == before - bolus
    assert {key for key, exposure in serum().items() if "c0_extrapolated" in exposure.flags} == bolus


def test_results_below_the_limit_are_zeros_of_the_source() -> None:
    zeros = Counter(
        (row["PARAM"], row["PCSPEC"], float(row["NRRLT"]))
        for rows in intervals().values()
        for row in rows
        if row["AVAL"] == "0"
    )
    assert sum(zeros.values()) == 198
    assert {time for _, specimen, time in zeros if specimen == "SERUM"} == {-0.083, 7.5, 12.0}
    # after the last measurable sample they end the profile: tlast lies before them
    for key, exposure in serum().items():
        last = max((float(row["ARRLT"]) for row in kept(intervals()[key]) if row["AVAL"] != "0"), default=None)
        assert exposure.tlast == last


def test_nominal_times_repeat_and_are_refused() -> None:
    rows = intervals()["S1-01", "DrugA", "SERUM", "DOSE 1"]
    assert [row["NRRLT"] for row in rows].count("1.5") == 2
    with pytest.raises(InputError, match="times must rise"):
        non_compartmental([float(row["NRRLT"]) for row in rows], [number(row["AVAL"]) for row in rows])


def test_every_urine_collection_has_amounts_or_a_reason() -> None:
    found = {key: urine(kept(rows)) for key, rows in intervals().items() if key[2] == "URINE"}
    assert Counter(each.reason for each in found.values()) == {None: 36, Reason.NO_DATA: 4}
    computed = [each for each in found.values() if each.reason is None]
    assert {len(each.amount) for each in computed} == {4}
    # collections of about an hour with hours between them: what is excreted in all is not known
    assert all("incomplete" in each.flags for each in computed)


def test_the_unit_of_urine_concentrations_is_in_doubt() -> None:
    """In mg/mL, as the source says, each dose comes out more than tenfold; in the ug/mL of serum it would be little."""
    as_stated = [urine(kept(rows)) for key, rows in intervals().items() if key[2] == "URINE" and kept(rows)]
    assert all("more_than_dose" in each.flags for each in as_stated)
    assert min(each.pct_of_dose or 0 for each in as_stated) > 1000
    as_serum = [urine(kept(rows), MG_PER_UG) for key, rows in intervals().items() if key[2] == "URINE" and kept(rows)]
    assert not any("more_than_dose" in each.flags for each in as_serum)
    assert max(each.pct_of_dose or 0 for each in as_serum) < 20


def test_elapsed_times_keep_the_sign_inside_the_duration() -> None:
    """PCELTM `PT-0.083H` is before the dose; it is nominal and counts from the first dose, PCDTC from the last one."""
    samples = delimited("nca-analysis", "pc_example")
    rows = delimited("nca-analysis", "adnca_example")
    assert len(samples) == len(rows) == 1308
    negative = 0
    for sample, row in zip(samples, rows, strict=True):
        written = re.fullmatch(r"PT(-?[0-9.]+)H", sample["PCELTM"])
        assert written is not None
        assert float(written[1]) == float(row["NFRLT"])
        negative += float(written[1]) < 0
        since = datetime.fromisoformat(sample["PCDTC"]) - datetime.fromisoformat(sample["PCRFTDTC"])
        assert since.total_seconds() / 3600 == pytest.approx(float(row["ARRLT"]), abs=0.005)
    assert negative == 16
