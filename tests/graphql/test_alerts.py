"""Alerts: raised in the act of the record that causes them, once for one matter, open until somebody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM
from pipeline.commands.alerts import Touched, watch
from pipeline.store.journal import Act
from pipeline.store.study_tables import adverse_events, laboratory_results, study_groups, subjects
from pipeline.store.tables import study_molecules
from schema.node import id_of
from tests.graphql.conftest import Api
from tests.graphql.test_events import START, follow
from tests.graphql.test_programmes import OPEN
from tests.support.monitored import ANA, BEN, Monitored, monitored

ALERTS = """
query A($open: Boolean, $kinds: [AlertKind!], $molecule: ID) {
  alerts(open: $open, kinds: $kinds, molecule: $molecule, first: 100) {
    totalCount
    nodes {
      id kind message value threshold unit version acknowledgedBy comment raisedAt
      molecule { code } study { code } evidence { __typename id }
    }
  }
}
"""
LIMIT = "mutation L($input: SetExposureLimitInput!) { setExposureLimit(input: $input) { errors { message path } } }"
SETTINGS = (
    "mutation S($input: SetMonitoringSettingsInput!) { setMonitoringSettings(input: $input) { errors { code } } }"
)
ANSWER = """
mutation A($input: AcknowledgeAlertInput!) {
  acknowledgeAlert(input: $input) {
    alert { acknowledgedBy comment version }
    errors { __typename message path ... on StaleVersion { currentVersion } ... on NotPermitted { permission } }
  }
}
"""
CORRECT = """
mutation C($input: CorrectMonitoringInput!) { correctMonitoring(input: $input) { errors { message } } }
"""


@pytest.fixture
def unit(api: Api) -> Monitored:
    return monitored(api)


def limit(unit: Monitored, parameter: str, *, unit_of: str = "ng/mL", **bounds: Any) -> list[str]:
    """Set a limit, and return what was wrong with it."""
    content = {"molecule": unit.molecule, "parameter": parameter, "unit": unit_of, "source": "protocol 1"} | bounds
    answer = unit.api(LIMIT, as_=ANA, input=content)["setExposureLimit"]
    return [error["message"] for error in answer["errors"]]


def settle(unit: Monitored, **settings: Any) -> None:
    answer = unit.api(SETTINGS, as_=ANA, input={"study": unit.study, "settings": settings})["setMonitoringSettings"]
    assert answer["errors"] == []


def alerts(unit: Monitored, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = unit.api(ALERTS, as_=ANA, **filters)["alerts"]["nodes"]
    return found


def answer_for(unit: Monitored, alert: Mapping[str, Any], comment: str = "seen, dose held", **more: Any) -> Any:
    content = {"alert": alert["id"], "comment": comment} | more
    return unit.api(ANSWER, as_=BEN, input=content)["acknowledgeAlert"]


def logged(unit: Monitored, reported: str, hours: float, /, **more: Any) -> str:
    answer = unit.log(unit.record(reported, hoursAfterDose=hours, **more))
    assert answer["errors"] == []
    id: str = answer["records"][0]["id"]
    return id


def written(unit: Monitored, table: Any, node: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write records of a study as an import does, with the watch in the same act."""
    study = id_of(unit.study, "Study")

    def write(act: Act) -> dict[str, Any]:
        ids = [act.add(table, {"study_id": study} | dict(row)) for row in rows]
        watch(act, Touched(frozenset({node}), studies=frozenset({study})))
        return {"ids": ids}

    recorded = unit.api.centre.journal.perform("Write", write, actor=SYSTEM, now=datetime.now(UTC))
    return list(recorded.result["ids"])


def people(unit: Monitored, count: int = 1, **more: Any) -> list[int]:
    row = {"species": "human", "erased": False, "opposed_to_reuse": False} | more
    return written(unit, subjects, "Subject", [row | {"code": f"P-{n}"} for n in range(count)])


# ------------------------------------------------------------ one matter, one alert


def test_a_concentration_above_its_cap_raises_an_alert_in_the_same_act(unit: Monitored):
    assert limit(unit, "CMAX", upper=100) == []
    logged(unit, "100", 1)
    assert alerts(unit) == []
    record = logged(unit, "120.5", 2)
    [alert] = alerts(unit)
    assert (alert["kind"], alert["value"], alert["threshold"], alert["unit"]) == (
        "EXPOSURE_ABOVE_LIMIT", 120.5, 100, "ng/mL",
    )  # fmt: skip
    assert alert["evidence"] == {"__typename": "MonitoringRecord", "id": record}
    assert (alert["molecule"], alert["study"]) == ({"code": "IUCT-0001"}, {"code": "ST-1"})
    assert "120.5 ng/mL is above the limit of 100 ng/mL (protocol 1)" in alert["message"]


def test_an_open_alert_is_told_again_only_when_it_gets_worse(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    logged(unit, "150", 1)
    logged(unit, "140", 2)
    [alert] = alerts(unit)
    assert (alert["value"], alert["version"]) == (150, 1)
    worse = logged(unit, "190", 3)
    [alert] = alerts(unit)
    assert (alert["value"], alert["version"], alert["evidence"]["id"]) == (190, 2, worse)
    logged(unit, "160", 1, subject="S-002")
    assert [alert["value"] for alert in alerts(unit)] == [190, 160]


def test_one_batch_raises_one_alert_for_the_worst_of_its_records(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    unit.log(*(unit.record(str(100 + n), hoursAfterDose=n) for n in (3, 9, 5)))
    assert [alert["value"] for alert in alerts(unit)] == [109]


def test_an_alert_is_open_until_it_is_answered_with_a_comment(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    logged(unit, "150", 1)
    [alert] = alerts(unit, open=True)
    before = unit.api.acts()
    [error] = answer_for(unit, alert, " ")["errors"]
    assert error["path"] == ["input", "comment"]
    [error] = answer_for(unit, alert, expectedVersion=7)["errors"]
    assert (error["__typename"], error["currentVersion"]) == ("StaleVersion", 1)
    content = {"alert": alert["id"], "comment": "seen"}
    refusal = unit.api(ANSWER, as_=Actor.of("R", Role.RESEARCHER), input=content)["acknowledgeAlert"]
    assert refusal["errors"][0]["permission"] == "answer alerts"
    assert unit.api.acts() == before
    answered = answer_for(unit, alert)
    assert answered == {
        "alert": {"acknowledgedBy": BEN.name, "comment": "seen, dose held", "version": 2},
        "errors": [],
    }
    assert alerts(unit, open=True) == []
    assert len(alerts(unit, open=False)) == 1
    assert "Ben answered" in answer_for(unit, alert)["errors"][0]["message"]


def test_what_was_answered_for_comes_again_when_it_occurs_anew(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    record = logged(unit, "150", 1)
    answer_for(unit, alerts(unit)[0])
    change = {"record": record, "reported": "150.0", "reasonForChange": "as printed"}
    assert unit.api(CORRECT, as_=BEN, input=change)["correctMonitoring"]["errors"] == []
    assert alerts(unit, open=True) == []
    logged(unit, "130", 2)
    [again] = alerts(unit, open=True)
    assert again["value"] == 130
    assert len(alerts(unit)) == 2


def test_a_correction_that_makes_it_worse_raises_it_again(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    record = logged(unit, "150", 1)
    answer_for(unit, alerts(unit)[0])
    unit.api(CORRECT, as_=BEN, input={"record": record, "reported": "510", "reasonForChange": "misread"})
    [again] = alerts(unit, open=True)
    assert again["value"] == 510


@pytest.mark.parametrize("how", ["correct", "retract"])
def test_taking_the_cause_away_does_not_close_the_alert_but_its_message_says_so(unit: Monitored, how):
    limit(unit, "CMAX", upper=100)
    record = logged(unit, "150", 1)
    if how == "correct":
        unit.api(CORRECT, as_=BEN, input={"record": record, "reported": "15.0", "reasonForChange": "decimal point"})
    else:
        unit.state(record, "RETRACTED")
    [alert] = alerts(unit, open=True)
    assert (alert["value"], alert["version"]) == (150, 2)
    assert alert["message"].endswith("the record was changed and no longer does: answer for the alert all the same]")


def test_a_corrected_record_that_still_crosses_says_so(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    record = logged(unit, "150", 1)
    unit.api(CORRECT, as_=BEN, input={"record": record, "reported": "140", "reasonForChange": "misread"})
    [alert] = alerts(unit, open=True)
    assert alert["message"].endswith("the record was changed and still crosses it]")


def test_verification_changes_nothing_about_an_alert(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    record = logged(unit, "150", 1)
    answer_for(unit, alerts(unit)[0])
    unit.state(record, "VERIFIED")
    assert alerts(unit, open=True) == []


def test_a_refused_batch_raises_nothing(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    unit.log(unit.record("150", hoursAfterDose=1), unit.record("abc", hoursAfterDose=2))
    assert alerts(unit) == []


def test_alerts_are_events_that_can_be_followed_and_name_no_subject(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    logged(unit, "150", 1)
    answer_for(unit, alerts(unit)[0])
    unit.api.actor = ANA
    told = asyncio.run(follow(unit.api, 5, after=START, kinds=["ALERT_RAISED", "ALERT_ACKNOWLEDGED"]))
    assert [event["node"]["kind"] for event in told] == ["ALERT_RAISED", "ALERT_ACKNOWLEDGED"]
    assert {event["node"]["subject"]["__typename"] for event in told} == {"Alert"}
    assert "S-001" not in str(told) + str(alerts(unit))


def test_the_watch_costs_the_same_whatever_is_on_record(unit: Monitored, statements):
    limit(unit, "CMAX", upper=100)
    limit(unit, "CTROUGH", lower=10)
    counts = []
    for number in range(4):
        for other in range(number):
            unit.api.molecule(f"M-{number}-{other}")
            logged(unit, "150", 1, subject=f"T-{number}-{other}", day=number)
        statements.clear()
        logged(unit, "50", 24, subject="S-7", nominalTime="trough", day=float(number + 2))
        counts.append(len(statements))
    assert len(set(counts[1:])) == 1


# ------------------------------------------------------------ limits


@pytest.mark.parametrize(
    ("parameter", "more", "says"),
    [
        ("CMAX", {"lower": 1}, "target cannot be set on CMAX"),
        ("AUCLST", {"lower": 1, "unit_of": "h*ng/mL"}, "target cannot be set on AUCLST"),
        ("TMAX", {"upper": 1}, "cannot be limited"),
        ("CMAX", {"upper": -1}, "above 0"),
        ("CTROUGH", {"lower": 5, "upper": 5}, "below the upper"),
        ("CMAX", {"upper": 5, "unit_of": "mg"}, "no unit of CMAX"),
        ("AUCTAU", {"upper": 5, "unit_of": "ng/mL"}, "no unit of AUCTAU"),
        ("CMAX", {"upper": 5, "unit_of": "nmol/L"}, "no molar mass"),
        ("CMAX", {"upper": 5, "unit_of": "furlong"}, "not known"),
        ("CMAX", {}, "no such limit"),
    ],
)
def test_limits_that_mean_nothing_are_refused(unit: Monitored, parameter, more, says):
    before = unit.api.acts()
    [message] = limit(unit, parameter, **more)
    assert says in message
    assert unit.api.acts() == before


def test_a_limit_is_changed_and_taken_back(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    assert limit(unit, "CMAX", upper=200) == []
    logged(unit, "150", 1)
    assert limit(unit, "CMAX") == []
    logged(unit, "900", 2)
    assert alerts(unit) == []


def test_a_new_limit_is_held_against_what_is_on_record(unit: Monitored):
    for hours, value in ((1, "150"), (2, "120"), (24, "90")):
        logged(unit, value, hours)
    logged(unit, "130", 1, subject="S-002")
    assert limit(unit, "CMAX", upper=100) == []
    assert [alert["value"] for alert in alerts(unit)] == [150, 130]
    assert limit(unit, "CMAX", upper=110) == []
    assert len(alerts(unit)) == 2


def test_a_limit_holds_where_it_says(unit: Monitored):
    limit(unit, "CMAX", upper=100, specimen="plasma")
    limit(unit, "CMAX", upper=50, analyte="M-1")
    logged(unit, "90", 1)
    logged(unit, "900", 2, specimen="URINE")
    assert alerts(unit) == []
    logged(unit, "60", 3, analyte="m-1")
    assert [alert["threshold"] for alert in alerts(unit)] == [50]


def test_a_limit_found_in_another_indication_raises_nothing(unit: Monitored):
    for indication, upper in (("AML", 10), ("NSCLC", 50), (None, 100)):
        assert limit(unit, "CMAX", upper=upper, indication=indication) == []
    logged(unit, "70", 1)
    assert alerts(unit) == []  # the one programme has no indication yet
    assert unit.api(OPEN, input={"molecule": unit.molecule, "indication": "nsclc"})["openProgramme"]["errors"] == []
    logged(unit, "71", 2)
    assert [(alert["value"], alert["threshold"]) for alert in alerts(unit)] == [(71, 50)]
    logged(unit, "110", 3)
    assert sorted(alert["threshold"] for alert in alerts(unit)) == [50, 100]


def test_units_are_converted_mass_and_moles_by_the_molar_mass(api: Api):
    molecule = api.molecule(smiles="CC(=O)Oc1ccccc1C(=O)O")  # 180.16 g/mol
    unit = monitored_again(api, molecule["id"])
    assert limit(unit, "CMAX", upper=1, unit_of="umol/L") == []
    logged(unit, "0.18", 1, unit="mg/L")
    assert alerts(unit) == []
    logged(unit, "0.1802", 2, unit="mg/L")
    [alert] = alerts(unit)
    assert alert["value"] == pytest.approx(180.2 / 180.159, rel=1e-4)
    logged(unit, "900", 3, unit="mg/L", analyte="a metabolite")
    assert [alert["version"] for alert in alerts(unit)] == [1]


def monitored_again(api: Api, molecule: str) -> Monitored:
    from schema.node import global_id
    from tests.support.monitored import add_study

    return Monitored(api, molecule, global_id("Study", add_study(api.centre, id_of(molecule, "Molecule"))))


def test_above_what_could_be_measured_is_above_the_cap(unit: Monitored):
    limit(unit, "CMAX", upper=100)
    logged(unit, "> 500", 1)
    assert [alert["value"] for alert in alerts(unit)] == [500]


# ------------------------------------------------------------ troughs and areas


def test_a_trough_below_target_and_the_second_in_a_row(unit: Monitored):
    limit(unit, "CTROUGH", lower=1000)
    low = {"nominalTime": "trough"}
    logged(unit, "900", 0, day=1, nominalTime="pre-dose")  # before the first dose
    logged(unit, "1200", 24, day=8, **low)
    assert alerts(unit) == []
    logged(unit, "800", 24, day=15, **low)
    assert [(a["kind"], a["value"]) for a in alerts(unit)] == [("EXPOSURE_BELOW_TARGET", 800)]
    logged(unit, "850", 24, day=22, **low)
    second = alerts(unit)[-1]
    assert second["value"] == 850
    assert "the second in a row" in second["message"]
    logged(unit, "1100", 24, day=29, **low)
    assert len(alerts(unit)) == 2


def test_a_trough_entered_late_makes_the_next_the_second_in_a_row(unit: Monitored):
    limit(unit, "CTROUGH", lower=1000)
    logged(unit, "800", 24, day=15, nominalTime="trough")
    answer_for(unit, alerts(unit)[0])
    logged(unit, "900", 24, day=8, nominalTime="trough")
    assert ["second in a row" in alert["message"] for alert in alerts(unit, open=True)] == [False, True]


def test_a_sample_measured_again_is_one_trough(unit: Monitored):
    limit(unit, "CTROUGH", lower=1000)
    first = logged(unit, "800", 24, day=15, nominalTime="trough")
    again = logged(unit, "850", 24, day=15, nominalTime="trough", retestOf=first)
    assert ["second in a row" in alert["message"] for alert in alerts(unit)] == [False]
    logged(unit, "700", 24, day=22, nominalTime="trough", retestOf=again)  # of the same sample, whose day it takes
    assert ["second in a row" in alert["message"] for alert in alerts(unit)] == [False]


@pytest.mark.parametrize(("rule", "raised"), [("LATEST", [900]), ("FIRST", [])])
def test_the_value_that_counts_is_held_against_limits(unit: Monitored, rule, raised):
    settle(unit, retest=rule)
    limit(unit, "CMAX", upper=600)
    first = logged(unit, "800", 2)
    assert [alert["value"] for alert in alerts(unit)] == [800]
    answer_for(unit, alerts(unit)[0])
    logged(unit, "900", 2, retestOf=first)
    assert [alert["value"] for alert in alerts(unit, open=True)] == raised


def test_a_trough_below_the_limit_of_quantification(unit: Monitored):
    limit(unit, "CTROUGH", lower=10)
    logged(unit, "BLQ", 24, day=8, nominalTime="trough", lowerLimit=20)  # may still be above 10
    assert alerts(unit) == []
    logged(unit, "BLQ", 24, day=15, nominalTime="trough", lowerLimit=1)
    [alert] = alerts(unit)
    assert (alert["value"], alert["threshold"]) == (None, 10)
    assert "below the limit of quantification" in alert["message"]


def test_a_sample_of_the_elimination_phase_is_carried_on_to_the_trough(unit: Monitored):
    limit(unit, "CTROUGH", lower=1000)
    settle(unit, tau_h=24, half_life_h=12, tmax_h=3)
    logged(unit, "1500", 12, day=1)  # before steady state
    logged(unit, "1500", 2, day=8)  # before tmax
    assert alerts(unit) == []
    logged(unit, "1500", 12, day=8)
    assert [alert["value"] for alert in alerts(unit)] == [750]


def test_a_toxic_trough(unit: Monitored):
    limit(unit, "CTROUGH", lower=10, upper=60)
    logged(unit, "61", 24, day=8, nominalTime="trough")
    assert [(a["kind"], a["threshold"]) for a in alerts(unit)] == [("EXPOSURE_ABOVE_LIMIT", 60)]


def test_an_area_above_its_cap(unit: Monitored):
    limit(unit, "AUCLST", upper=100, unit_of="h*ng/mL")
    for hours, value in ((0, "0.0001"), (1, "30"), (2, "20")):
        logged(unit, value, hours, day=1)
    assert alerts(unit) == []
    logged(unit, "10", 12, day=1)
    [alert] = alerts(unit)
    assert alert["kind"] == "EXPOSURE_ABOVE_LIMIT"
    # 0 to 1 h linear, then logarithmic: 15.00005 + 10 / ln(3/2) + 100 / ln 2
    assert alert["value"] == pytest.approx(15.00005 + 10 / 0.4054651081 + 100 / 0.6931471806, rel=1e-9)


# ------------------------------------------------------------ safety


def labs(subject: int, day: float, **times_upper: float) -> list[dict[str, Any]]:
    return [
        {"subject_id": subject, "test": test, "value": 40.0 * times, "upper_normal": 40.0, "day": day, "sorted_on": ""}
        for test, times in times_upper.items()
    ]


def lab_alerts(unit: Monitored, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    written(unit, laboratory_results, "LaboratoryResult", rows)
    return alerts(unit)


@pytest.mark.parametrize(
    ("enzyme", "bilirubin", "phosphatase", "later", "raised"),
    [
        ({"ALT": 3.0}, 2.1, 1.2, 0, True),
        ({"AST": 5.0}, 2.5, 1.9, 30, True),
        ({"ALT": 2.9}, 2.1, 1.2, 0, False),
        ({"ALT": 3.0}, 2.0, 1.2, 0, False),
        ({"ALT": 8.0}, 3.0, 2.0, 0, False),  # cholestatic
        ({"ALT": 3.5}, 2.5, 1.0, 31, False),
        ({"ALT": 3.5}, 2.5, 1.0, -1, False),
    ],
)
def test_hys_law(unit: Monitored, enzyme, bilirubin, phosphatase, later, raised):
    [subject] = people(unit)
    first = [*labs(subject, 15, ALP=phosphatase, **enzyme)]
    assert lab_alerts(unit, *first) == []
    found = lab_alerts(unit, *labs(subject, 15 + later, BILI=bilirubin))
    assert [alert["kind"] for alert in found] == ["HYS_LAW"] * raised
    if raised:
        assert found[0]["value"] == next(iter(enzyme.values()))
        assert found[0]["molecule"] == {"code": "IUCT-0001"}


def test_a_candidate_without_alkaline_phosphatase_is_told_with_what_is_missing(unit: Monitored):
    [subject] = people(unit)
    [alert] = lab_alerts(unit, *labs(subject, 15, ALT=4, BILI=3))
    assert "alkaline phosphatase is not on record: measure it" in alert["message"]


def test_what_was_abnormal_before_treatment_or_in_an_animal_is_no_candidate(unit: Monitored):
    [subject] = people(unit)
    assert lab_alerts(unit, *labs(subject, -1, ALT=9, BILI=9, ALP=1)) == []
    [animal] = written(
        unit, subjects, "Subject", [{"code": "R1", "species": "rat", "erased": False, "opposed_to_reuse": False}]
    )
    assert lab_alerts(unit, *labs(animal, 15, ALT=9, BILI=9, ALP=1)) == []


def test_a_long_qtc(unit: Monitored):
    [subject, other] = people(unit, 2)
    row = {"test": "QTCF", "unit": "ms", "sorted_on": ""}
    assert lab_alerts(unit, row | {"subject_id": subject, "day": 8, "value": 500.0}) == []
    [alert] = lab_alerts(unit, row | {"subject_id": subject, "day": 15, "value": 501.0})
    assert (alert["kind"], alert["value"], alert["threshold"], alert["unit"]) == ("QTC", 501, 500, "ms")
    rows = [row | {"subject_id": other, "day": day, "value": value} for day, value in ((-1, 400.0), (8, 460.0))]
    assert len(lab_alerts(unit, *rows)) == 1
    found = lab_alerts(unit, row | {"subject_id": other, "day": 9, "value": 0.4605, "unit": "s"})
    assert [round(alert["value"], 6) for alert in found] == [501, 60.5]


def test_a_qtc_is_the_mean_of_the_readings_taken_together(unit: Monitored):
    [subject] = people(unit)
    row = {"test": "QTCF", "unit": "ms", "sorted_on": "2024-01-08", "day": 8, "subject_id": subject}

    def taken(*readings: tuple[str, float]) -> list[dict[str, Any]]:
        return lab_alerts(unit, *(row | {"sampled_at": f"2024-01-08T{at}", "value": ms} for at, ms in readings))

    assert taken(("08:00", 505.0), ("08:01", 498.0), ("08:03", 494.0)) == []
    assert taken(("12:00", 505.0), ("12:01", 498.0), ("12:20", 494.0))[0]["value"] == 501.5
    [alert] = taken(("16:00", 506.0), ("16:05:30", 500.0), ("16:10", 509.0))
    assert (alert["value"], "QTCF of 505 ms (mean of 3 taken together)" in alert["message"]) == (505, True)


def test_a_signal_of_a_study_that_lists_no_molecule_goes_to_the_one_that_was_measured(unit: Monitored):
    logged(unit, "5", 1)
    [listed] = unit.api.centre.journal.perform("Close", closed_list, actor=SYSTEM, now=datetime.now(UTC)).result["rows"]
    assert listed == 1
    [subject] = people(unit)
    [alert] = lab_alerts(unit, *labs(subject, 15, ALT=4, BILI=3, ALP=1))
    assert alert["molecule"] == {"code": "IUCT-0001"}


def closed_list(act: Act) -> dict[str, Any]:
    rows = act.current(study_molecules)
    for row in rows:
        act.close(study_molecules, row)
    return {"rows": [len(rows)]}


def test_dose_limiting_toxicities_over_the_boundary(unit: Monitored):
    treated = people(unit, 6, dose_level=2)
    event = {"term": "febrile neutropenia", "dlt": True, "sorted_on": ""}
    for subject in treated[:3]:
        written(unit, adverse_events, "AdverseEvent", [event | {"subject_id": subject}])
    assert alerts(unit) == []  # 3 of 6: P(rate > 0.3) is below 0.95
    written(unit, adverse_events, "AdverseEvent", [event | {"subject_id": treated[0]}])  # the same subject again
    assert alerts(unit) == []
    written(unit, adverse_events, "AdverseEvent", [event | {"subject_id": treated[3]}])
    [alert] = alerts(unit)
    assert (alert["kind"], alert["threshold"], alert["evidence"]["__typename"]) == ("DLT_RATE", 0.95, "AdverseEvent")
    assert "4 of 6 subjects" in alert["message"]


def test_those_with_placebo_do_not_make_a_level_look_safer(unit: Monitored):
    treated = people(unit, 6, dose_level=2)

    def as_control(act: Act) -> dict[str, Any]:
        group = {"study_id": act.find(subjects, treated[0])["study_id"], "code": "P", "control": True}
        act.add(study_groups, group | {"parameters": "{}"})
        for id in treated[3:]:
            act.revise(subjects, act.find(subjects, id), {"group_code": "P"})
        return {}

    unit.api.centre.journal.perform("Test", as_control, actor=SYSTEM, now=datetime.now(UTC))
    event = {"term": "febrile neutropenia", "dlt": True, "sorted_on": ""}
    written(unit, adverse_events, "AdverseEvent", [event | {"subject_id": subject} for subject in treated[:3]])
    [alert] = alerts(unit)
    assert "3 of 3 subjects" in alert["message"]


def test_the_study_says_what_rate_is_too_high(unit: Monitored):
    settle(unit, dlt={"target": 0.1, "cutoff": 0.9})
    treated = people(unit, 6, dose_level=1)
    event = {"term": "rash", "dlt": True, "sorted_on": ""}
    written(unit, adverse_events, "AdverseEvent", [event | {"subject_id": subject} for subject in treated[:2]])
    [alert] = alerts(unit, kinds=["DLT_RATE"])
    assert (alert["threshold"], "above 10%" in alert["message"]) == (0.9, True)
