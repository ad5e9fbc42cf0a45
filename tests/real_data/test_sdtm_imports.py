"""The public studies brought into the store: every row accounted for, every quirk their descriptions name handled."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.access import Actor, Role
from pipeline.centre import Centre
from pipeline.commands.import_record_kinds import NODES
from pipeline.commands.imports import ImportFiles
from pipeline.exchange.formats import read_files
from pipeline.exchange.reading import Reading
from pipeline.store.tables import molecules
from tests.support.datasets import dataset

LEAD = Actor.of("A. Lead", Role.LEAD)
FOLDERS = ("send-xpt/PDS2014", "send-xpt/PC201708", "sdtm-csv", "dataset-json/sdtm")


def brought_in(centre: Centre, folder: str) -> tuple[Reading, dict[str, Any]]:
    """Import a folder and return the reading with the result."""
    name, _, below = folder.partition("/")
    files = [(path.name, path.read_bytes()) for path in sorted((dataset(name) / below).iterdir()) if path.is_file()]
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files("auto", files, graph)
    result = centre.execute(ImportFiles.of(reading, files, name=folder), actor=LEAD).result
    report = result["report"]
    fates = [report[fate] for fate in ("accepted", "quarantined", "held", "duplicates")]
    assert (min(fates) >= 0, sum(fates)) == (True, report["rows"])
    return reading, result


@dataclass(frozen=True, slots=True)
class Brought:
    """A folder brought into a centre of its own, twice."""

    centre: Centre
    reading: Reading
    first: dict[str, Any]
    again: dict[str, Any]

    def __call__(self, node: str) -> list[dict[str, Any]]:
        """Return the current records of a node."""
        table = NODES[node].table
        with self.centre.database.read() as connection:
            statement = select(table).where(table.c.until_act.is_(None)).order_by(table.c.id)
            return [dict(row) for row in connection.execute(statement).mappings()]


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Brought]]:
    with ExitStack() as opened:
        found = {}
        for folder in FOLDERS:
            centre = opened.enter_context(Centre.open(tmp_path_factory.mktemp("centre")))
            reading, first = brought_in(centre, folder)
            found[folder] = Brought(centre, reading, first, brought_in(centre, folder)[1])
        yield found


@pytest.fixture(scope="module")
def rats(brought: dict[str, Brought]) -> Brought:
    return brought["send-xpt/PDS2014"]


@pytest.fixture(scope="module")
def other_rats(brought: dict[str, Brought]) -> Brought:
    return brought["send-xpt/PC201708"]


@pytest.fixture(scope="module")
def people(brought: dict[str, Brought]) -> Brought:
    return brought["sdtm-csv"]


def fates(result: dict[str, Any]) -> tuple[int, ...]:
    report = result["report"]
    return tuple(report[fate] for fate in ("rows", "accepted", "quarantined", "held", "duplicates"))


def test_every_row_is_accounted_for(brought: dict[str, Brought]) -> None:
    assert {folder: fates(one.first) for folder, one in brought.items()} == {
        "send-xpt/PDS2014": (11_422, 11_422, 0, 0, 0),
        "send-xpt/PC201708": (912, 912, 0, 0, 0),
        # 1,008 repeats of AUCALL and CLST, 39 lesions told twice
        "sdtm-csv": (10_918, 9_871, 0, 0, 1_047),
        # the adverse events come in three forms
        "dataset-json/sdtm": (1_927, 1_779, 0, 0, 148),
    }


def test_what_became_of_them(brought: dict[str, Brought]) -> None:
    assert brought["send-xpt/PDS2014"].first["records"] == {
        **{"StudyGroup": 20, "Subject": 124, "Pool": 20, "Administration": 3_668, "MonitoringRecord": 246},
        **{"ReportedParameter": 180, "Disposition": 124, "Finding": 2_447, "Measurement": 4_075},
        **{"Qualifier": 12, "RecordLink": 112},
    }
    assert brought["send-xpt/PC201708"].first["records"] == {
        **{"StudyGroup": 11, "Subject": 150, "Administration": 150, "MonitoringRecord": 150},
        **{"ReportedParameter": 150, "Disposition": 150},
    }
    assert brought["sdtm-csv"].first["records"] == {
        **{"StudyGroup": 3, "Subject": 306, "Administration": 591, "MonitoringRecord": 4_572},
        **{"ReportedParameter": 1_680, "AdverseEvent": 1_191, "Disposition": 850, "Measurement": 582},
        "TumourResponse": 66,
    }


def test_again_is_no_news(brought: dict[str, Brought]) -> None:
    for folder, one in brought.items():
        rows = fates(one.first)[0]
        assert (one.again["records"], fates(one.again)) == ({}, (rows, 0, 0, 0, rows)), folder


def test_molecules_are_the_treatments_and_not_the_analytes(brought: dict[str, Brought]) -> None:
    for folder, name in zip(FOLDERS, ("PDS-FAKEDRUG-111", "PCDRUG", "Xanomeline", "Zanomaline"), strict=True):
        with brought[folder].centre.database.read() as connection:
            names = connection.execute(select(molecules.c.name).where(molecules.c.until_act.is_(None))).scalars()
            assert list(names) == [name]


# ---------------------------------------------------------------- rats: PDS2014


def test_times_are_hours_and_the_clock_at_noon_is_not_believed(rats: Brought) -> None:
    found = rats("MonitoringRecord")
    assert Counter((row["day"], row["hours_after_dose"]) for row in found) == {
        **{(1.0, hours): 18 for hours in (0.5, 1.0, 2.0, 4.0, 7.0, 24.0)},
        **{(29.0, hours): 18 for hours in (0.0, 0.5, 1.0, 2.0, 4.0, 7.0, 24.0)},
        **{(29.0, hours): 6 for hours in (48.0, 72.0)},
    }
    assert {row["time_source"] for row in found} == {"PCTPTNUM"}
    assert not any(row["flag"] for row in found)
    assert any("PCDTC gives 12:00 for every sample" in text for text in rats.first["report"]["warnings"])


def test_below_the_limit_and_the_noise_of_ibm_floats(rats: Brought) -> None:
    found = rats("MonitoringRecord")
    below = [row for row in found if row["below_limit"]]
    assert {(row["reported"], row["concentration"], row["lower_limit"], row["unit"]) for row in below} == {
        ("BQL", None, 20.0, "ng/mL")
    }
    assert all(row["concentration"] == float(row["reported"]) for row in found if not row["below_limit"])


def test_twelve_negative_areas_are_left_out_by_the_source(rats: Brought) -> None:
    excluded = [row for row in rats("ReportedParameter") if row["exclusion_reason"]]
    assert len(excluded) == 12
    assert {row["exclusion_reason"] for row in excluded} == {"Not included per SOP - AUC extrapolation > 25%"}
    assert all(row["value"] < 0 and row["code"] in ("AUCIFO", "AUCTAU") for row in excluded)
    ids = {row["id"] for row in excluded}
    hung = {(row["node"], row["node_id"]) for row in rats("Qualifier")}
    assert hung == {("ReportedParameter", id) for id in ids}


def test_sets_of_the_rats(rats: Brought) -> None:
    groups = rats("StudyGroup")
    marks = Counter((group["dose"], group["control"], group["satellite"], group["recovery"]) for group in groups)
    assert marks[0.0, True, False, False] >= 2
    assert {dose for dose, _, satellite, _ in marks if satellite} == {0.0, 20.0, 200.0, 400.0}
    assert any(recovery for _, _, _, recovery in marks)
    animals = rats("Subject")
    assert {(row["species"], row["age"]) for row in animals} == {("rat", None)}
    assert {row["group_code"] for row in animals} == {group["code"] for group in groups}


def test_pathology_of_the_rats(rats: Brought) -> None:
    found = rats("Finding")
    assert Counter(row["severity_rank"] for row in found if row["severity_rank"]) == {2: 292, 3: 42, 5: 1}
    assert sum(row["not_done"] is not None for row in found) == 6
    weights = rats("Measurement")
    assert Counter(row["not_done"] for row in weights) == {None: 4_067, "perfusion animal": 4, "weight not needed": 4}


# ---------------------------------------------------------------- rats: PC201708


def test_an_order_of_samples_and_a_reference_far_away(other_rats: Brought) -> None:
    found = other_rats("MonitoringRecord")
    assert {row["hours_after_dose"] for row in found} == {0.0, 0.5, 2.0, 4.0, 24.0}
    assert {row["time_source"] for row in found} == {"PCELTM", "PCTPT"}
    assert {(row["day"], row["profile"], row["reference_dose_at"]) for row in found} == {(91.0, "Day 91", None)}
    assert all("PCRFTDTC is not used" in row["flag"] for row in found)
    warnings = other_rats.first["report"]["warnings"]
    assert "PC201708: PCTPTNUM only numbers the samples; it is not used as hours." in warnings


def test_results_that_were_corrected_are_flagged(other_rats: Brought) -> None:
    found = [row for row in other_rats("MonitoringRecord") if "are not the same" in row["flag"]]
    assert len(found) == 56
    assert {round(row["concentration"] / float(row["reported"]), 1) for row in found} == {1.1}


def test_parameters_that_cannot_be_computed(other_rats: Brought) -> None:
    found = other_rats("ReportedParameter")
    undone = [row for row in found if row["not_done"]]
    assert {(row["code"], row["reported"], row["value"]) for row in undone} == {("AUCIFO", None, None)}
    assert [row["not_done"] for row in undone] == ["Not calculated"] * 3


# ---------------------------------------------------------------- people


def test_people_and_the_arms_they_were_in(people: Brought) -> None:
    found = people("Subject")
    assert len(found) == 306
    assert sum(row["screen_failure"] for row in found) == 52
    assert any(row["arm"] != row["arm_planned"] for row in found)
    assert sum(row["died_on"] is not None for row in found) == 3


def test_concentrations_of_people(people: Brought) -> None:
    found = people("MonitoringRecord")
    assert len(found) == 4_572
    below = [row for row in found if row["below_limit"]]
    assert (len(below), {row["concentration"] for row in below}) == (254 + 1_925, {None})
    assert {row["unit"] for row in found} == {"ug/mL"}
    urine = {(row["hours_after_dose"], row["end_hours_after_dose"]) for row in found if row["specimen"] == "URINE"}
    assert urine == {(0.0, 6.0), (6.0, 12.0), (12.0, 24.0), (24.0, 48.0)}
    plasma = {row["hours_after_dose"] for row in found if row["specimen"] == "PLASMA"}
    assert plasma == {-0.5, 0.08, 0.5, 1.0, 1.5, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 36.0, 48.0}
    assert {row["profile"] for row in found} == {"Day 1"}
    assert not any(row["flag"] for row in found)
    parameters = people("ReportedParameter")
    assert {(row["profile"], row["analyte"]) for row in parameters} == {("Day 1", "XANOMELINE")}


def test_events_of_people(people: Brought) -> None:
    found = [row for row in people("AdverseEvent") if row["severity"]]
    assert {row["grade"] for row in found} == {None}
    assert {row["severity"] for row in found} == {"MILD", "MODERATE", "SEVERE"}
    partial = {
        row["started_on"]: row["sorted_on"] for row in found if row["started_on"] and len(row["started_on"]) < 10
    }
    assert partial
    assert all(sorted_on.startswith(text) and len(sorted_on) == 10 for text, sorted_on in partial.items())
    assert sum(row["outcome"] == "FATAL" for row in found) == 3


def test_accepted_assessments(people: Brought) -> None:
    found = people("TumourResponse")
    assert Counter(row["accepted"] for row in found) == {True: 22, False: 22, None: 22}
    assert {row["response"] for row in found} == {"CR", "PR", "SD", "PD", "NE", "NON-CR/NON-PD"}
