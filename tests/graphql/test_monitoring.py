"""Logging concentrations by hand and by API, and what becomes of the records."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.access import Actor, Role
from pipeline.store.study_tables import monitoring_records, subjects
from pipeline.store.tables import events
from tests.graphql.conftest import Api
from tests.support.monitored import ANA, BEN, LOG, Monitored, monitored

CORRECT = """
mutation C($input: CorrectMonitoringInput!) {
  correctMonitoring(input: $input) {
    record { reported concentration unit belowLimit hoursAfterDose state version enteredBy }
    errors { __typename code message path ... on StaleVersion { currentVersion } }
  }
}
"""
EXCLUDE = """
mutation E($input: ExcludeMonitoringInput!) {
  excludeMonitoring(input: $input) {
    record { exclusion { reason scope by } state version } errors { message path }
  }
}
"""
INCLUDE = """
mutation I($input: IncludeMonitoringInput!) {
  includeMonitoring(input: $input) { record { exclusion { reason } version } errors { message path } }
}
"""
STATE = """
mutation S($input: SetMonitoringStateInput!) {
  setMonitoringState(input: $input) {
    record { state verifiedBy version } errors { __typename message path ... on NotPermitted { permission } }
  }
}
"""
SETTINGS = """
mutation S($input: SetMonitoringSettingsInput!) { setMonitoringSettings(input: $input) { errors { message path } } }
"""


@pytest.fixture
def unit(api: Api) -> Monitored:
    """The pharmacology unit's records: one molecule given in one study."""
    return monitored(api)


def rows(api: Api, table: Any = monitoring_records) -> int:
    with api.centre.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def refused(unit: Monitored, *records: dict[str, Any]) -> list[tuple[int, str, str | None, str]]:
    """Log records that must be refused, and return row, column, value and message of each problem."""
    before = unit.api.acts(), rows(unit.api), rows(unit.api, subjects)
    answer = unit.log(*records)
    assert answer["records"] == []
    assert (unit.api.acts(), rows(unit.api), rows(unit.api, subjects)) == before
    return [(e["row"], e["column"], e["value"], e["message"]) for e in answer["errors"]]


def test_a_record_is_kept_as_reported_and_read(unit: Monitored):
    answer = unit.log(
        unit.record("12,5", hoursAfterDose=2, lowerLimit=0.5, profile="C1D1", day=1),
        unit.record("< BLQ", subject="S-002", hoursAfterDose=24, lowerLimit=0.5),
    )
    assert answer["errors"] == []
    first, second = answer["records"]
    assert (first["reported"], first["reportedUnit"], first["concentration"], first["unit"]) == (
        "12,5", "ng/mL", 12.5, "ng/mL",
    )  # fmt: skip
    assert (first["belowLimit"], first["lowerLimit"], first["hoursAfterDose"], first["timeSource"]) == (
        False, 0.5, 2, "ENTERED",
    )  # fmt: skip
    assert (first["state"], first["version"], first["recordedBy"]) == ("REGISTERED", 1, ANA.name)
    assert first["subject"]["code"] == "S-001"
    assert (second["reported"], second["concentration"], second["belowLimit"]) == ("< BLQ", None, True)
    assert second["subject"] == {"code": "S-002", "species": "human", "erased": False, "opposedToReuse": False}


def test_records_of_a_known_subject_join_it(unit: Monitored):
    unit.log(unit.record("1", hoursAfterDose=1))
    unit.log(unit.record("2", hoursAfterDose=2))
    assert rows(unit.api, subjects) == 1


def test_a_subject_is_written_the_same_way_everywhere(unit: Monitored):
    unit.log(unit.record("1", hoursAfterDose=1))
    [(row, column, value, message)] = refused(unit, unit.record("2", subject="s-001", hoursAfterDose=2))
    assert (row, column, value) == (1, "subject", "s-001")
    assert "written S-001 elsewhere" in message
    new = [unit.record("3", subject=code, hoursAfterDose=3) for code in ("a-7", "A-7", "a-7")]
    assert [row for row, *_ in refused(unit, *new)] == [2]


def test_hours_are_counted_from_the_dose_where_both_are_known_to_the_minute(unit: Monitored):
    [record] = unit.log(unit.record("1", referenceDoseAt="2024-03-01T08:00", sampledAt="2024-03-01T14:30"))["records"]
    assert (record["hoursAfterDose"], record["timeSource"], record["sampledAt"]) == (
        6.5, "SAMPLED_AT", "2024-03-01T14:30",
    )  # fmt: skip


def test_every_bad_row_is_named_and_nothing_is_written(unit: Monitored):
    found = refused(
        unit,
        unit.record("12.5", hoursAfterDose=1),
        unit.record("1,250", subject="Jean Dupont", hoursAfterDose=-3),
        unit.record("abc", unit="mg", analyte=" "),
    )
    assert [(row, column) for row, column, *_ in found] == [
        (2, "reported"), (2, "hoursAfterDose"), (2, "subject"), (3, "analyte"), (3, "unit"), (3, "reported"),
    ]  # fmt: skip
    by_column = {column: (value, message) for row, column, value, message in found if row == 2}
    assert by_column["reported"] == ("1,250", "row 2: '1,250' can be 1250 or 1.25; write 1250 if that is meant")
    assert by_column["subject"][0] is None
    assert "Dupont" not in str(found)


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"reported": "-3"}, "reported", "cannot be -3"),
        ({"reported": "NaN"}, "reported", "not understood"),
        ({"reported": ""}, "reported", "not understood"),
        ({"reported": "x" * 201}, "reported", "200 characters"),
        ({"unit": "furlong"}, "unit", "not known"),
        ({"unit": "h"}, "unit", "no unit of a concentration"),
        ({"lowerLimit": -1}, "lowerLimit", "from 0 up"),
        ({"sampledAt": "2199-01-01"}, "sampledAt", "in the future"),
        ({"sampledAt": "1024-01-01"}, "sampledAt", "before 1950"),
        ({"hoursAfterDose": -0.5}, "hoursAfterDose", "before the dose"),
        ({"hoursAfterDose": 10080}, "hoursAfterDose", "168 h"),
        ({"referenceDoseAt": "2024-03-02", "sampledAt": "2024-03-01"}, "sampledAt", "before the dose"),
        (
            {"referenceDoseAt": "2024-03-01T08:00", "sampledAt": "2024-03-01T10:00", "hoursAfterDose": 20},
            "hoursAfterDose",
            "it is 2 h",
        ),
        ({"subject": "jean.dupont@chu.fr"}, "subject", "e-mail"),
        ({"subject": "1 85 05 78 006 084 91"}, "subject", "social-security"),
        ({"subject": "12/04/1985"}, "subject", "birth date"),
        ({"nominalTime": "call 06 12 34 56 78"}, "nominalTime", "telephone"),
        ({"specimen": ""}, "specimen", "empty"),
        ({"day": 1e9}, "day", "between"),
        ({"molecule": "nonsense"}, "molecule", "not the id"),
        ({"retestOf": "TW9uaXRvcmluZ1JlY29yZA.99"}, "retestOf", "no such record"),
    ],
)
def test_what_is_refused(unit: Monitored, change, column, says):
    found = refused(unit, unit.record("1") | change)
    assert [(row, name) for row, name, *_ in found] == [(1, column)]
    assert says in found[0][3]


def test_all_that_is_wrong_with_a_row_is_said_at_once(unit: Monitored):
    times = {"sampledAt": "2199-01-01", "referenceDoseAt": "1024-01-01", "hoursAfterDose": 10080}
    found = refused(unit, unit.record("-3", unit="furlong", lowerLimit=-1) | times)
    assert [(column, value) for _, column, value, _ in found] == [
        ("lowerLimit", "-1.0"), ("unit", "furlong"), ("reported", "-3"),
        ("sampledAt", "2199-01-01"), ("referenceDoseAt", "1024-01-01"), ("hoursAfterDose", "10080"),
    ]  # fmt: skip


def test_all_that_is_wrong_with_a_correction_is_said_at_once(unit: Monitored):
    [record] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    wrong = {"reported": "-3", "unit": "furlong", "sampledAt": "2199-01-01", "hoursAfterDose": -4}
    content = {"record": record["id"], "reasonForChange": " "} | wrong
    errors = unit.api(CORRECT, as_=BEN, input=content)["correctMonitoring"]["errors"]
    assert [error["path"][-1] for error in errors] == [
        "reasonForChange", "unit", "reported", "sampledAt", "hoursAfterDose",
    ]  # fmt: skip


def test_a_pre_dose_sample_may_lie_before_the_dose_when_it_is_called_so(unit: Monitored):
    [record] = unit.log(unit.record("BLQ", hoursAfterDose=-0.25, nominalTime="Pre-dose"))["records"]
    assert record["hoursAfterDose"] == -0.25


def test_a_molecule_the_study_does_not_give_is_refused(unit: Monitored):
    other = unit.api.molecule("IUCT-0099")["id"]
    [(row, column, _, message)] = refused(unit, unit.record("1", molecule=other))
    assert (row, column) == (1, "molecule")
    assert "does not give IUCT-0099" in message


def test_no_record_and_too_many_are_refused(unit: Monitored):
    answer = unit.log()
    assert [e["__typename"] for e in answer["errors"]] == ["InputError"]
    assert "1 to 10,000" in answer["errors"][0]["message"]


def test_a_sample_is_logged_once_and_again_only_as_a_retest(unit: Monitored):
    [first] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    [(row, column, value, message)] = refused(unit, unit.record("6", hoursAfterDose=4))
    assert (row, column, value) == (1, "reported", "6")
    assert "retestOf" in message
    twice = refused(unit, unit.record("7", hoursAfterDose=8), unit.record("8", hoursAfterDose=8))
    assert [(row, "row 1" in message) for row, _, _, message in twice] == [(2, True)]
    [again] = unit.log(unit.record("6", retestOf=first["id"]))["records"]
    assert (again["retestOf"], again["hoursAfterDose"]) == ({"id": first["id"]}, 4)
    assert [r["state"] for r in unit.records()] == ["REGISTERED", "REGISTERED"]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"analyte": "Other"}, "analyte"),
        ({"specimen": "URINE"}, "specimen"),
        ({"subject": "S-009"}, "subject"),
        ({"hoursAfterDose": 9}, "hoursAfterDose"),
    ],
)
def test_a_retest_is_of_the_same_sample(unit: Monitored, change, column):
    [first] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    found = refused(unit, unit.record("6", retestOf=first["id"]) | change)
    assert [name for _, name, *_ in found] == [column]


def test_what_was_retracted_is_not_tested_again_but_what_was_rejected_is(unit: Monitored):
    [one, other] = unit.log(unit.record("5", hoursAfterDose=1), unit.record("6", hoursAfterDose=2))["records"]
    unit.state(one["id"], "RETRACTED")
    unit.state(other["id"], "REJECTED")
    assert [name for _, name, *_ in refused(unit, unit.record("5", retestOf=one["id"]))] == ["retestOf"]
    assert unit.log(unit.record("7", retestOf=other["id"]))["errors"] == []


def test_repeating_a_batch_under_its_key_has_no_second_effect(unit: Monitored):
    record = unit.record("5", hoursAfterDose=4)
    first = unit.log(record, key="k")
    before = unit.api.acts()
    assert unit.log(record, key="k") == first
    assert unit.api.acts() == before
    [error] = unit.log(record | {"reported": "6"}, key="k")["errors"]
    assert error["code"] == "IDEMPOTENCY_MISMATCH"


def test_only_the_pharmacology_unit_logs(unit: Monitored):
    answer = unit.api(LOG, as_=Actor.of("R", Role.RESEARCHER), input={"records": [unit.record("1")]})["logMonitoring"]
    assert [(e["__typename"], e["permission"]) for e in answer["errors"]] == [("NotPermitted", "log monitoring")]


def test_the_history_tells_of_a_batch_once_without_naming_a_subject(unit: Monitored):
    unit.log(unit.record("1", hoursAfterDose=1), unit.record("2", hoursAfterDose=2))
    with unit.api.centre.database.read() as connection:
        told = connection.execute(select(events.c.summary).where(events.c.kind == "MONITORING_LOGGED")).scalars().all()
    assert told == ["2 concentrations logged in study ST-1"]


def test_a_correction_keeps_what_was_and_says_why(unit: Monitored):
    [record] = unit.log(unit.record("5", hoursAfterDose=4, lowerLimit=0.5))["records"]
    change = {"record": record["id"], "reported": "0.2", "reasonForChange": "dilution", "expectedVersion": 1}
    answer = unit.api(CORRECT, as_=BEN, input=change)["correctMonitoring"]
    assert answer["errors"] == []
    assert answer["record"] == {
        "reported": "0.2", "concentration": None, "unit": "ng/mL", "belowLimit": True, "hoursAfterDose": 4,
        "state": "REGISTERED", "version": 2, "enteredBy": ANA.name,
    }  # fmt: skip
    before = unit.api.acts()
    [stale] = unit.api(CORRECT, as_=BEN, input=change | {"reported": "3"})["correctMonitoring"]["errors"]
    assert (stale["__typename"], stale["currentVersion"]) == ("StaleVersion", 2)
    for wrong in (
        {"reported": "0.2"},
        {"reported": "1,250"},
        {"hoursAfterDose": -4},
        {"sampledAt": "2199-01-01"},
        {},
        {"reported": "3", "reasonForChange": " "},
        {"reported": "3", "reasonForChange": "call 06 12 34 56 78"},
    ):
        content = {"record": record["id"], "reasonForChange": "typo"} | wrong
        answer = unit.api(CORRECT, as_=BEN, input=content)["correctMonitoring"]
        assert (answer["record"], len(answer["errors"])) == (None, 1), wrong
    assert unit.api.acts() == before
    with unit.api.centre.database.read() as connection:
        [told] = connection.execute(select(events).where(events.c.kind == "MONITORING_CORRECTED")).mappings()
    assert (told["reason_for_change"], told["summary"]) == (
        "dilution", "IUCT-0001 in PLASMA. Corrected: was 5 ng/mL at 4 h; 0.2 ng/mL at 4 h",
    )  # fmt: skip


def test_exclusion_and_inclusion_are_acts_of_their_own(unit: Monitored):
    [record] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    id = record["id"]
    answer = unit.api(EXCLUDE, as_=BEN, input={"record": id, "reason": "haemolysed", "scope": "summaries"})
    assert answer["excludeMonitoring"]["record"] == {
        "exclusion": {"reason": "haemolysed", "scope": "SUMMARIES", "by": BEN.name},
        "state": "REGISTERED",
        "version": 2,
    }
    before = unit.api.acts()
    for scope in ("SUMMARIES", "everything"):
        answer = unit.api(EXCLUDE, as_=BEN, input={"record": id, "reason": "again", "scope": scope})
        assert len(answer["excludeMonitoring"]["errors"]) == 1
    assert unit.api.acts() == before
    unit.api(EXCLUDE, as_=BEN, input={"record": id, "reason": "haemolysed", "scope": "CALCULATION"})
    answer = unit.api(INCLUDE, as_=BEN, input={"record": id, "reason": "looked at again"})["includeMonitoring"]
    assert answer["record"] == {"exclusion": None, "version": 4}
    assert len(unit.api(INCLUDE, as_=BEN, input={"record": id, "reason": "x"})["includeMonitoring"]["errors"]) == 1


def test_whoever_entered_a_record_cannot_verify_it(unit: Monitored):
    [record] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    before = unit.api.acts()
    refusal = unit.state(record["id"], "VERIFIED", as_=ANA)
    assert "somebody else" in refusal["errors"][0]["message"]
    assert unit.api.acts() == before
    answer = unit.state(record["id"], "VERIFIED", as_=BEN)
    assert answer["record"] == {"state": "VERIFIED", "verifiedBy": BEN.name, "version": 2}
    change = {"record": record["id"], "reported": "6", "reasonForChange": "typo"}
    assert unit.api(CORRECT, as_=BEN, input=change)["correctMonitoring"]["record"]["state"] == "REGISTERED"


def test_where_two_persons_are_asked_for_who_corrected_cannot_verify_either(unit: Monitored):
    [record] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    change = {"record": record["id"], "reported": "6", "reasonForChange": "typo"}
    unit.api(CORRECT, as_=BEN, input=change)
    assert unit.state(record["id"], "VERIFIED", as_=BEN)["errors"] == []
    unit.state(record["id"], "REGISTERED", as_=BEN)
    settings = {"study": unit.study, "settings": {"two_person": True}}
    assert unit.api(SETTINGS, as_=ANA, input=settings)["setMonitoringSettings"]["errors"] == []
    assert len(unit.state(record["id"], "VERIFIED", as_=BEN)["errors"]) == 1
    assert unit.state(record["id"], "VERIFIED", as_=Actor.of("Cem", Role.PHARMACOLOGY))["errors"] == []


@pytest.mark.parametrize(
    ("path", "refused_at"),
    [
        (["VERIFIED", "RETRACTED", "REGISTERED", "REJECTED", "RETRACTED"], None),
        (["REGISTERED"], 0),
        (["RETRACTED", "VERIFIED"], 1),
        (["RETRACTED", "REJECTED"], 1),
        (["REJECTED", "VERIFIED"], 1),
    ],
)
def test_states_follow_one_another(unit: Monitored, path, refused_at):
    [record] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    for place, state in enumerate(path):
        answer = unit.state(record["id"], state, as_=BEN)
        assert bool(answer["errors"]) is (place == refused_at), answer


def test_a_retracted_record_is_not_corrected_or_excluded(unit: Monitored):
    [record] = unit.log(unit.record("5", hoursAfterDose=4))["records"]
    unit.state(record["id"], "RETRACTED")
    before = unit.api.acts()
    change = {"record": record["id"], "reported": "6", "reasonForChange": "typo"}
    assert len(unit.api(CORRECT, as_=BEN, input=change)["correctMonitoring"]["errors"]) == 1
    exclusion = {"record": record["id"], "reason": "x", "scope": "CALCULATION"}
    assert len(unit.api(EXCLUDE, as_=BEN, input=exclusion)["excludeMonitoring"]["errors"]) == 1
    assert unit.api.acts() == before
    assert unit.log(unit.record("5", hoursAfterDose=4))["errors"] == []  # the sample can be logged anew


def test_a_sample_does_not_come_to_have_two_results(unit: Monitored):
    [one, other] = unit.log(unit.record("5", hoursAfterDose=4), unit.record("6", hoursAfterDose=6))["records"]
    change = {"record": other["id"], "hoursAfterDose": 4, "reasonForChange": "typo"}
    before = unit.api.acts()
    [error] = unit.api(CORRECT, as_=BEN, input=change)["correctMonitoring"]["errors"]
    assert "two results" in error["message"]
    assert unit.api.acts() == before
    unit.state(one["id"], "RETRACTED")
    assert unit.api(CORRECT, as_=BEN, input=change)["correctMonitoring"]["errors"] == []
    [error] = unit.state(one["id"], "REGISTERED")["errors"]
    assert "two results" in error["message"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"colour": 1},
        {"two_person": "yes"},
        {"tau_h": -1},
        {"below_limit": "guess"},
        {"dlt": {"target": 2}},
        {"retest": "BEST"},
        {"nca": {"retest": ["FIRST"]}},
        [1],
    ],
)
def test_settings_that_mean_nothing_are_refused(unit: Monitored, settings):
    before = unit.api.acts()
    answer = unit.api(SETTINGS, as_=ANA, input={"study": unit.study, "settings": settings})["setMonitoringSettings"]
    assert len(answer["errors"]) == 1
    assert unit.api.acts() == before


def test_what_was_monitored_moves_with_a_merged_molecule(unit: Monitored):
    unit.log(unit.record("5", hoursAfterDose=4))
    other = unit.api.molecule("IUCT-0002")["id"]
    merge = "mutation M($input: MergeMoleculesInput!) { mergeMolecules(input: $input) { errors { message } } }"
    content = {"keep": other, "merge": unit.molecule, "reason": "one compound"}
    assert unit.api(merge, input=content)["mergeMolecules"]["errors"] == []
    kept = "query K($id: ID!) { node(id: $id) { ... on Molecule { monitoring { totalCount } } } }"
    assert unit.api(kept, id=other)["node"] == {"monitoring": {"totalCount": 1}}
    [(_, column, _, message)] = refused(unit, unit.record("6", hoursAfterDose=5))
    assert (column, "log it for that one" in message) == ("molecule", True)
    assert unit.log(unit.record("6", hoursAfterDose=5, molecule=other))["errors"] == []


SET_SETTINGS = """
mutation S($input: SetMonitoringSettingsInput!) {
  setMonitoringSettings(input: $input) { settings { analyte settings version } errors { message } }
}
"""
SET_LIMIT = """
mutation L($input: SetExposureLimitInput!) {
  setExposureLimit(input: $input) { limit { kind relation lower upper unit version } errors { message } }
}
"""
SET_BASIS = """
mutation B($input: SetToxicityBasisInput!) {
  setToxicityBasis(input: $input) {
    basis { basis relation dose doseUnit groups threshold version } errors { message path }
  }
}
"""


def test_settings_of_an_analyte_are_one_however_it_is_written(unit: Monitored):
    def change(analyte: str, **settings: Any) -> Any:
        content = {"study": unit.study, "analyte": analyte, "settings": settings}
        return unit.api(SET_SETTINGS, as_=ANA, input=content)["setMonitoringSettings"]["settings"]

    assert change("IUCT-0001", retest="FIRST")["analyte"] == "IUCT-0001"
    found = change("iuct-0001", tau_h=12)
    assert (found["analyte"], found["settings"]) == ("IUCT-0001", {"retest": "FIRST", "tau_h": 12})


def test_settings_are_merged_and_read_back(unit: Monitored):
    def change(**settings: Any) -> Any:
        content = {"study": unit.study, "settings": settings}
        return unit.api(SET_SETTINGS, as_=ANA, input=content)["setMonitoringSettings"]["settings"]

    assert change(two_person=True, tau_h=24)["settings"] == {"two_person": True, "tau_h": 24}
    found = change(tau_h=None, nca={"below_limit": "drop_all"})
    assert found == {"analyte": "", "settings": {"two_person": True, "nca": {"below_limit": "drop_all"}}, "version": 2}
    query = "query S($id: ID!) { node(id: $id) { ... on Study { monitoringSettings { totalCount } } } }"
    assert unit.api(query, id=unit.study)["node"]["monitoringSettings"]["totalCount"] == 1


def test_a_limit_and_a_basis_are_read_back(unit: Monitored):
    content = {"molecule": unit.molecule, "parameter": "ctrough", "unit": "µg/L", "source": "label", "lower": 10}
    found = unit.api(SET_LIMIT, as_=ANA, input=content)["setExposureLimit"]
    assert found["limit"] == {
        "kind": "TARGET", "relation": "AT_LEAST", "lower": 10, "upper": None, "unit": "ug/L", "version": 1,
    }  # fmt: skip
    taken_back = unit.api(SET_LIMIT, as_=ANA, input=content | {"lower": None})["setExposureLimit"]
    assert taken_back == {"limit": None, "errors": []}
    basis = {"molecule": unit.molecule, "study": unit.study, "basis": "noael", "parameter": "auctau"}
    stated = basis | {"dose": 10, "doseUnit": "mg/kg", "groups": ["2"], "threshold": 10}
    found = unit.api(SET_BASIS, as_=ANA, input=stated)["setToxicityBasis"]["basis"]
    assert found == {
        "basis": "NOAEL", "relation": "=", "dose": 10, "doseUnit": "mg/kg", "groups": ["2"], "threshold": 10,
        "version": 1,
    }  # fmt: skip
    again = unit.api(SET_BASIS, as_=ANA, input=stated | {"dose": 5})["setToxicityBasis"]["basis"]
    assert (again["dose"], again["version"]) == (5, 2)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"basis": "LOAEL2"}, "basis"),
        ({"relation": "~"}, "relation"),
        ({"dose": -1, "doseUnit": "mg/kg"}, "dose"),
        ({"dose": 1}, "doseUnit"),
        ({"threshold": 0}, "threshold"),
        ({"parameter": "A;B"}, "parameter"),
    ],
)
def test_a_basis_that_means_nothing_is_refused(unit: Monitored, change, path):
    before = unit.api.acts()
    content = {"molecule": unit.molecule, "study": unit.study, "basis": "NOAEL", "parameter": "AUCTAU"} | change
    [error] = unit.api(SET_BASIS, as_=ANA, input=content)["setToxicityBasis"]["errors"]
    assert error["path"] == ["input", path]
    assert unit.api.acts() == before
