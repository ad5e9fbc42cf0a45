"""Exposures beside what is reported, margins from animal to man, and first doses, as the API gives them."""

from __future__ import annotations

import math

import orjson
import pytest
from sqlalchemy import select

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, utc_now
from pipeline.commands.monitoring_changes import CorrectMonitoring
from pipeline.reports import study_exposures
from pipeline.store import study_tables
from pipeline.store.journal import Act
from pipeline.store.tables import studies
from tests.graphql.test_mappings import CONFIRM
from tests.imports.conftest import IMPORT, Sent, counts, decide, reviews

PHARMACOLOGY = Actor.of("P. Unit", Role.PHARMACOLOGY)
HOURS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 24.0)


def concentration(hours: float, peak: float) -> float:
    """Fall with a half-life of 4 h from `peak` at 1 h; nothing is there at the time of the dose."""
    if hours < 1:
        return peak * hours
    return peak * 2 ** (-(hours - 1) / 4)


def table_of(name: str):
    return getattr(study_tables, name)


def add(act: Act, table: str, **row):
    return act.add(table_of(table), row)


def a_study(act: Act, code: str, species: str | None) -> int:
    row = {"code": code, "title": code, "species": species, "phases": "[]", "status": "COMPLETED"}
    return act.add(studies, row)


def a_profile(act: Act, molecule: int, study: int, subject: int, peak: float, *, unit: str = "ng/mL", day: float = 1.0):
    columns = (
        *("molecule_id", "study_id", "subject_id", "analyte", "specimen", "day", "hours_after_dose", "concentration"),
        *("unit", "below_limit", "state", "entered_by", "sorted_on"),
    )
    rows = [
        (
            *(molecule, study, subject, "Testib", "PLASMA", day, hours, concentration(hours, peak) or None),
            *(unit, hours == 0, "REGISTERED", "A. Lead", ""),
        )
        for hours in HOURS
    ]
    act.add_all(study_tables.monitoring_records, columns, rows)


def a_subject(act: Act, study: int, code: str, species: str, **more) -> int:
    row = {"study_id": study, "code": code, "species": species, "erased": False, "opposed_to_reuse": False}
    return add(act, "subjects", **row, **more)


def a_dose(act: Act, study: int, subject: int, amount: float, unit: str):
    row = {"study_id": study, "subject_id": subject, "treatment": "Testib", "amount": amount, "unit": unit}
    more = {"route": "ORAL", "frequency": "QD", "started_day": 1.0, "ended_day": 28.0, "sorted_on": ""}
    add(act, "administrations", **row, **more)


def reported(act: Act, study: int, subject: int, code: str, value: float, unit: str, **more):
    row = {"study_id": study, "subject_id": subject, "analyte": "Testib", "specimen": "PLASMA", "day": 1.0}
    add(act, "reported_parameters", **row, code=code, value=value, reported=f"{value:.6g}", unit=unit, **more)


@pytest.fixture
def molecule(api) -> str:
    """A molecule with a rat study (two animals at 10 mg/kg, one at 30) and a human study at two dose levels."""
    found = api.molecule(name="Testib", smiles="CCO")

    def write(act: Act):
        rats = a_study(act, "TOX-1", "rat")
        for code, group, peak in (("R1", "1", 100.0), ("R2", "1", 300.0), ("R3", "2", 900.0)):
            subject = a_subject(act, rats, code, "rat", group_code=group, sex="F")
            a_profile(act, 1, rats, subject, peak)
            a_dose(act, rats, subject, 10.0, "mg/kg")
        reported(act, rats, 1, "CMAX", 100.0, "ng/mL")
        reported(act, rats, 1, "TMAX", 1.0 / 24, "d")
        reported(act, rats, 1, "AUCLST", 616.355, "h.ug/mL")
        reported(act, rats, 1, "MRTLST", 5.0, "h")
        people = a_study(act, "CLIN-1", None)
        for code, level, peak in (("01-001", 1, 0.02), ("01-002", 2, 0.25)):
            subject = a_subject(act, people, code, "human", dose_level=level)
            a_profile(act, 1, people, subject, peak, unit="ug/mL")
            a_dose(act, people, subject, 50.0, "mg")
        add(
            act,
            "toxicity_bases",
            **{"molecule_id": 1, "study_id": rats, "basis": "NOAEL", "relation": "=", "dose": 10.0},
            **{"dose_unit": "mg/kg", "group_codes": orjson.dumps(["1"]).decode(), "parameter": "AUCTAU"},
            threshold=5.0,
        )
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())
    return found["id"]


EXPOSURES = """
query ($code: String!, $specimen: String) {
  study(code: $code) {
    exposures(specimen: $specimen) {
      subject { code } pool analyte specimen interval day tauHours samples terminalTimes
      parameters { code value unit flag method reported reportedUnit comparison cause inReportedUnit }
    }
  }
}
"""


def parameters(exposure) -> dict[str, dict]:
    return {row["code"]: row for row in exposure["parameters"]}


def test_exposures_stand_beside_the_reported_ones(api, molecule):
    exposures = api(EXPOSURES, code="TOX-1", as_=PHARMACOLOGY)["study"]["exposures"]
    assert [(e["subject"]["code"], e["interval"], e["tauHours"], e["samples"]) for e in exposures] == [
        ("R1", "day 1", 24.0, 7),
        ("R2", "day 1", 24.0, 7),
        ("R3", "day 1", 24.0, 7),
    ]
    first = parameters(exposures[0])
    assert exposures[0]["terminalTimes"] == [2.0, 4.0, 8.0, 24.0]
    assert first["LAMZHL"]["value"] == pytest.approx(4.0)
    assert (first["CMAX"]["value"], first["CMAX"]["comparison"]) == (100.0, "AGREES")
    assert (first["TMAX"]["comparison"], first["TMAX"]["inReportedUnit"]) == ("AGREES", pytest.approx(1 / 24))
    assert first["AUCLST"]["comparison"] == "DISAGREES"
    assert "ng against ug" in first["AUCLST"]["cause"]
    assert (first["MRTLST"]["comparison"], first["MRTLST"]["flag"]) == ("NOT_COMPUTED", "not computed here")
    assert first["AUCIFO"]["comparison"] == "NOT_REPORTED"
    assert all(row["flag"] for row in first.values() if row["value"] is None)


def test_only_of_the_specimen_asked_for(api, molecule):
    assert api(EXPOSURES, code="TOX-1", specimen="urine")["study"]["exposures"] == []
    assert len(api(EXPOSURES, code="TOX-1", specimen="Plasma")["study"]["exposures"]) == 3


def test_a_record_that_does_not_count_leaves_the_analysis(api, molecule):
    def exclude(act: Act):
        for row in act.current(study_tables.monitoring_records, study_tables.monitoring_records.c.subject_id == 1):
            if row["hours_after_dose"] == 1.0:
                act.revise(
                    study_tables.monitoring_records, row, {"exclusion_scope": "CALCULATION", "exclusion_reason": "x"}
                )
        return {}

    api.centre.journal.perform("Test", exclude, actor=SYSTEM, now=utc_now())
    first = parameters(api(EXPOSURES, code="TOX-1")["study"]["exposures"][0])
    assert first["CMAX"]["value"] == pytest.approx(concentration(2.0, 100.0))
    assert first["CMAX"]["comparison"] == "DISAGREES"


MARGINS = """
{ molecule(code: "IUCT-0001") {
    exposureMargins {
      basis species study { code } parameter animal animals human people unit humanDoseLevel margin threshold crossed
    }
    exposureMarginDoubts
    firstDoses { method basis mgPerKg mg doubts }
} }
"""


def test_margins_and_first_doses_follow_from_the_records(api, molecule):
    found = api(MARGINS)["molecule"]
    assert [(m["humanDoseLevel"], m["animals"], m["people"], m["crossed"]) for m in found["exposureMargins"]] == [
        ("dose level 1", 2, 1, False),
        ("dose level 2", 2, 1, True),
    ]
    low, high = found["exposureMargins"]
    # The curves have one shape: the margin is the ratio of the peaks, 200 ng/mL over 20 and over 250.
    assert (low["margin"], high["margin"]) == (pytest.approx(10.0), pytest.approx(0.8))
    assert (low["unit"], low["study"]["code"], low["species"], low["threshold"]) == ("h.ug/mL", "TOX-1", "rat", 5.0)
    assert math.isclose(low["animal"] / low["human"], low["margin"])
    assert found["exposureMarginDoubts"] == []
    (dose,) = found["firstDoses"]
    assert (dose["method"], dose["basis"]) == ("A2_mrsd", "rat")
    assert dose["mgPerKg"] == pytest.approx(10.0 * 6 / 37 / 10)


def test_a_correction_shows_in_the_margins_at_once(api, molecule):
    def correct(act: Act):
        table = study_tables.monitoring_records
        for row in act.current(table, table.c.subject_id == 4, table.c.concentration.is_not(None)):
            act.revise(table, row, {"concentration": row["concentration"] * 10})
        return {}

    api.centre.journal.perform("Test", correct, actor=SYSTEM, now=utc_now())
    margins = api(MARGINS)["molecule"]["exposureMargins"]
    assert [(m["humanDoseLevel"], m["crossed"]) for m in margins] == [("dose level 1", True), ("dose level 2", True)]


def a_target(api, **more):
    row = {"molecule_id": 1, "kind": "TARGET", "parameter": "CTROUGH", "relation": ">=", "lower": 2.0, "unit": "ng/mL"}

    def write(act: Act):
        add(act, "exposure_limits", **row | {"source": "protocol"} | more)
        people = {row["code"]: row["id"] for row in act.current(study_tables.subjects)}
        for code, response in (("01-001", "SD"), ("01-001", "PD"), ("01-002", "PR")):
            row_of = {"study_id": 2, "subject_id": people[code], "criteria": "RECIST 1.1", "response": response}
            add(act, "tumour_responses", **row_of, sorted_on="")
        return {}

    api.centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now())


def test_who_is_below_target_has_not_shown_inefficacy(api, molecule):
    a_target(api)  # of the molecule: the three rats are not held against it
    query = """{ molecule(code: "IUCT-0001") { targetAttainment {
        parameter lower unit k n rate low high notTold withoutResponse withoutResponseBelow conclusion } } }"""
    (found,) = api(query)["molecule"]["targetAttainment"]
    # 20 and 250 ng/mL at the peak leave 0.37 and 4.6 at 24 h.
    assert (found["k"], found["n"], found["notTold"], found["rate"], found["low"]) == (1, 2, 0, None, None)
    assert (found["withoutResponse"], found["withoutResponseBelow"]) == (1, 1)
    assert found["conclusion"].startswith("1 of 1 subjects without a response were below the target")
    assert api.result(query).data == api.result(query, plain=True).data


def test_what_waits_on_the_review_list_is_said_beside_the_profile(api, molecule):
    query = """{ study(code: "CLIN-1") { exposures { subject { code } waiting } } }"""

    def told() -> list[str | None]:
        return [exposure["waiting"] for exposure in api(query)["study"]["exposures"]]

    assert told() == [None, None]
    mapping = {
        "kind": "CONCENTRATIONS",
        "columns": {
            **{"P": "subject", "D": "day", "T": {"field": "nominal_time", "unit": "h"}},
            "C": {"field": "concentration", "unit": "ng/mL"},
        },
        "constants": {"analyte": "testib", "specimen": "plasma"},
    }
    text = orjson.dumps(mapping).decode()
    assert api(CONFIRM, input={"name": "LAB", "text": text})["confirmMapping"]["errors"] == []
    table = Sent("more.csv", b"P,D,T,C\n01-001,1,12,0\n01-001,1,16,0\n01-002,2,30,0\n01-002,8,12,0\n")
    about = {"format": "auto", "mapping": "LAB", "study": "CLIN-1"}
    assert counts(api(IMPORT, file=table, input=about)["importFile"]["report"]) == (0, 0, 4, 0)
    assert told() == [
        "2 records wait on the review list for a decision: 2 not in these figures.",
        "1 record waits on the review list for a decision: 1 not in these figures.",
    ]
    for item in reviews(api):
        assert decide(api, item["id"], "REJECTED")["errors"] == []
    assert told() == [None, None]


def test_a_programme_is_judged_by_the_targets_for_its_indication(api, molecule):
    query = """{ molecule(code: "IUCT-0001") { targetAttainment { indication lower judges } } }"""
    for indication, target, lower in (("NSCLC", "nsclc", 1.0), ("Melanoma", None, 2.0), (None, "AML", 3.0)):
        input = {"molecule": molecule, "indication": indication}
        if indication is not None:
            assert api(OPEN, input=input)["openProgramme"]["errors"] == []
        a_target(api, indication=target, lower=lower)
    found = {row["lower"]: row["judges"] for row in api(query)["molecule"]["targetAttainment"]}
    assert found == {1.0: ["NSCLC"], 2.0: ["no indication yet", "Melanoma"], 3.0: []}


def test_a_study_is_analysed_once_whatever_asks(api, molecule, monkeypatch):
    analysed: list[int] = []
    analyse = study_exposures.study_exposures

    def counting(samples, *more):
        analysed.append(len(samples))
        return analyse(samples, *more)

    monkeypatch.setattr(study_exposures, "study_exposures", counting)
    a_target(api)
    for plain in (False, True):
        analysed.clear()
        result = api.result(EVERYTHING, plain=plain)
        assert result.errors is None
        assert sorted(analysed) == [14, 21]


def test_a_target_of_an_animal_study_holds_in_it(api, molecule):
    a_target(api, study_id=1)
    found = api("""{ molecule(code: "IUCT-0001") { targetAttainment { k n } } }""")["molecule"]["targetAttainment"]
    # 100, 300 and 900 ng/mL at the peak leave 1.9, 5.6 and 16.7 at 24 h.
    assert found == [{"k": 2, "n": 3}]


OPEN = """
mutation O($input: OpenProgrammeInput!) { openProgramme(input: $input) { errors { message } } }
"""
EVERYTHING = """{
  molecule(code: "IUCT-0001") {
    exposureMargins { margin } exposureMarginDoubts targetAttainment { k }
    programmes { molecule { targetAttainment { n } exposureMarginDoubts } }
  }
  all: study(code: "CLIN-1") { exposures { interval } doseProportionality { slope } }
  again: study(code: "CLIN-1") { exposures(analyte: "testib") { samples } }
}"""


def test_how_exposure_grows_with_dose(api, molecule):
    def double(act: Act):
        table = study_tables.administrations
        for row in act.current(table, table.c.subject_id == 3):
            act.revise(table, row, {"amount": 30.0})
        return {}

    api.centre.journal.perform("Test", double, actor=SYSTEM, now=utc_now())
    query = """{ study(code: "TOX-1") { doseProportionality {
        analyte specimen parameter doseUnit subjects slope low high conclusion reason } } }"""
    found = {row["parameter"]: row for row in api(query)["study"]["doseProportionality"]}
    assert set(found) == {"CMAX", "AUCIFO", "AUCTAU", "AUCLST"}
    slope = math.log(900 / math.sqrt(100 * 300)) / math.log(3)
    assert (found["CMAX"]["slope"], found["CMAX"]["subjects"]) == (pytest.approx(slope), 3)
    assert found["CMAX"]["conclusion"] == "exploratory"


def test_a_correction_that_crosses_a_margin_raises_an_alert_in_the_same_act(api, molecule):
    alerts = "{ alerts(kinds: [MARGIN_CROSSED]) { nodes { kind message value threshold study { code } } } }"
    assert api(alerts)["alerts"]["nodes"] == []
    with api.centre.database.read() as connection:
        table = study_tables.monitoring_records
        wanted = select(table.c.id).where(table.c.subject_id == 5, table.c.hours_after_dose == 24.0)
        record = connection.execute(wanted).scalar_one()
    command = CorrectMonitoring(record, "a digit was lost", reported="0.4", unit="ug/mL")
    recorded = api.centre.execute(command, actor=PHARMACOLOGY)
    found = {alert["message"].split(" leaves")[0]: alert for alert in api(alerts)["alerts"]["nodes"]}
    assert set(found) == {"AUCTAU of people at dose level 2"}
    (alert,) = found.values()
    assert (alert["threshold"], alert["study"]["code"]) == (5.0, "TOX-1")
    margins = api(MARGINS)["molecule"]["exposureMargins"]
    assert alert["value"] == margins[1]["margin"] < 5
    with api.centre.database.read() as connection:
        since = connection.execute(select(study_tables.alerts.c.since_act)).scalars().all()
    assert since == [recorded.number]


def test_areas_over_other_intervals_are_not_divided(api, molecule):
    def every_two_days(act: Act):
        table = study_tables.administrations
        for row in act.current(table, table.c.unit == "mg"):
            act.revise(table, row, {"frequency": "Q12H"})
        return {}

    api.centre.journal.perform("Test", every_two_days, actor=SYSTEM, now=utc_now())
    found = api(MARGINS)["molecule"]
    assert found["exposureMargins"] == []
    assert "over different intervals must not be divided" in found["exposureMarginDoubts"][0]


def test_planned_and_plain_answers_are_equal_and_statements_do_not_grow(api, molecule, statements):
    assert api.result(MARGINS).data == api.result(MARGINS, plain=True).data
    without_subject = EXPOSURES.replace("subject { code }", "")
    assert api.result(without_subject, code="TOX-1").data == api.result(without_subject, code="TOX-1", plain=True).data
    statements.clear()
    api(EXPOSURES, code="CLIN-1")
    few = len(statements)
    statements.clear()
    api(EXPOSURES, code="TOX-1")
    assert len(statements) == few
