"""Exposure parameters of published data sets against the ones reported with them."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from pipeline.outcome import Reason
from pipeline.pharmacology.exposure_table import exposure_table
from pipeline.pharmacology.nca import Exposure, non_compartmental
from pipeline.pharmacology.profile import Route
from tests.support.datasets import dataset

Samples = list[tuple[float, float | None]]


def read_csv(folder: str, name: str) -> list[dict[str, str]]:
    with (dataset(folder) / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def analysed(samples: Samples, **more: object) -> Exposure:
    times, conc = zip(*sorted(samples, key=lambda sample: sample[0]), strict=True)
    return non_compartmental(times, conc, **more)  # type: ignore[arg-type]


def test_a_rat_study_gives_the_reported_parameters() -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    folder = dataset("send-xpt") / "PDS2014"
    pc, _ = pyreadstat.read_xport(str(folder / "pc.xpt"), output_format="dict")
    pp, _ = pyreadstat.read_xport(str(folder / "pp.xpt"), output_format="dict")
    profiles: dict[tuple[str, float], Samples] = defaultdict(list)
    for animal, day, hour, conc in zip(*(pc[k] for k in ("USUBJID", "VISITDY", "PCTPTNUM", "PCSTRESN")), strict=True):
        profiles[animal, day - 1 if hour == 24 else day].append((hour, 0.0 if conc is None else conc))
    found = {key: analysed(samples, zero_at_dose=key[1] == 1) for key, samples in profiles.items()}
    agree: Counter[str] = Counter()
    for animal, day, code, value in zip(*(pp[k] for k in ("USUBJID", "VISITDY", "PPTESTCD", "PPSTRESN")), strict=True):
        names = {"CMAX": "cmax", "TMAX": "tmax", "AUCLST": "auc_last"}
        if code in names:
            ours = getattr(found[animal, day], names[code])
            agree[code] += abs(ours - value) <= 0.5  # areas are reported as whole numbers
    # the one other AUCLST counts a sample at 72 h that the concentrations do not hold
    assert agree == {"CMAX": 36, "TMAX": 36, "AUCLST": 17}


def test_clinical_profiles_give_the_reported_parameters() -> None:
    profiles: dict[str, Samples] = defaultdict(list)
    for row in read_csv("sdtm-csv", "pc.csv"):
        if row["PCSPEC"] == "PLASMA":
            conc = 0.0 if row["PCSTRESC"] == "<BLQ" else float(row["PCSTRESN"])
            profiles[row["USUBJID"]].append((float(row["PCTPTNUM"]), conc))
    reported: dict[str, dict[str, float]] = defaultdict(dict)
    for row in read_csv("sdtm-csv", "pp.csv"):
        reported[row["USUBJID"]][row["PPTESTCD"]] = float(row["PPSTRESN"])
    found = {subject: analysed(samples) for subject, samples in profiles.items()}
    assert len(found) == 254
    assert Counter(exposure.reason for exposure in found.values()) == {None: 168, Reason.NO_DATA: 86}
    agree: Counter[str] = Counter()
    names = {"CMAX": "cmax", "TMAX": "tmax", "LAMZ": "lambda_z", "CLST": "clast", "AUCLST": "auc_last_linear"}
    for subject, values in reported.items():
        for code, name in names.items():
            agree[code] += getattr(found[subject], name) == pytest.approx(values[code], rel=1e-3)
    # the reported AUCLST is the all-linear one
    assert agree == dict.fromkeys(names, 168)


def serum_profiles() -> Iterator[tuple[Route, float, float, Samples]]:
    """Yield route, dose, infusion duration and samples of every subject, analyte and dose of the analysis data set."""
    groups: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for row in read_csv("nca-analysis", "adnca_example.csv"):
        if row["PCSPEC"] == "SERUM" and not row["NCA1XRS"] and not row["NCA2XRS"]:
            groups[row["USUBJID"], row["PARAM"], row["ATPTREF"]].append(row)
    for rows in groups.values():
        infused = rows[0]["ROUTE"] == "INTRAVENOUS DRIP"
        samples: Samples = [(float(row["ARRLT"]), float(row["AVAL"])) for row in rows]
        route = Route.IV_INFUSION if infused else Route.IV_BOLUS
        yield route, float(rows[0]["DOSEA"]), float(rows[0]["ADOSEDUR"]), samples


def test_every_dose_of_the_analysis_data_set_is_computed() -> None:
    profiles = list(serum_profiles())
    assert len(profiles) == 120
    singles = [analysed(s, dose=dose, route=route, infusion_duration_h=h) for route, dose, h, s in profiles]
    assert all(exposure.reason is None for exposure in singles)
    without_area = [exposure for exposure in singles if exposure.auc_last is None]
    # the sample before the dose is missing or was excluded
    assert [exposure.missing["auc_last"] for exposure in without_area] == [Reason.NO_DATA] * 4
    width = max(len(samples) for *_, samples in profiles)
    matrix = [
        sorted(samples, key=lambda sample: sample[0]) + [(float("nan"), float("nan"))] * (width - len(samples))
        for *_, samples in profiles
    ]
    table = exposure_table(
        [[time for time, _ in row] for row in matrix],
        [[conc for _, conc in row] for row in matrix],
        [dose for _, dose, _, _ in profiles],
        [route for route, *_ in profiles],
        [duration for _, _, duration, _ in profiles],
    )
    for index, single in enumerate(singles):
        for name, value in table.row(index).items():
            expected = getattr(single, name)
            assert value == (None if expected is None else pytest.approx(expected, rel=1e-9)), name
