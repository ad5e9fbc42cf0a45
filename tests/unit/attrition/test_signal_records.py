"""Which records carry a signal, and of what."""

import pytest

from pipeline.attrition.organ_systems import organ_systems, systems_named, systems_of
from pipeline.attrition.signal_records import (
    count_keys,
    event_keys,
    finding_keys,
    first_futile,
    futile,
    key_name,
    keys_of_text,
    laboratory_keys,
    limiting_keys,
)


@pytest.mark.parametrize(
    ("text", "systems"),
    [
        ("HEPATOBILIARY DISORDERS", ("HEPATOBILIARY",)),
        ("Blood and lymphatic system disorders", ("BLOOD",)),
        ("GLAND, ADRENAL", ("ENDOCRINE",)),
        ("toxicité hépatique et rénale", ("HEPATOBILIARY", "RENAL")),
        ("LYMPH NODE, MESENTERIC", ("BLOOD",)),
        ("Respiratory, thoracic and mediastinal disorders", ("RESPIRATORY",)),
        ("Electrocardiogram QT prolonged", ("CARDIAC",)),
        ("response rate", ()),
        ("hepatotoxicity in patients with lung cancer", ("HEPATOBILIARY",)),
        ("toxicité cardiaque, cancer du sein", ("CARDIAC",)),
        ("œdème", ("GENERAL",)),
        ("", ()),
        ("\x00\x01 %% 漢字", ()),
    ],
)
def test_the_systems_a_text_names(text, systems):
    assert systems_named(text) == systems


def test_a_class_without_an_organ_leaves_it_to_the_term():
    assert systems_of("Investigations", "Blood bilirubin increased") == ("HEPATOBILIARY",)
    assert systems_of("General disorders and administration site conditions", "Fatigue") == ("GENERAL",)
    assert systems_of("Eye disorders", "Blood in eye") == ("EYE",)
    assert systems_of(None, None, "RASH") == ("SKIN",)


def test_the_table_of_systems_is_sound():
    codes = [system.code for system in organ_systems()]
    assert len(codes) == len(set(codes)) == 21
    assert all(key_name(f"ORGAN:{system.code}") == system.name for system in organ_systems())


def event(**more):
    row = {"grade": None, "severity": None, "serious": None, "dlt": False, "organ_class": None, "coded_term": None}
    return row | {"term": "Rash"} | more


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({"grade": 3}, ("ORGAN:SKIN",)),
        ({"grade": 2}, ()),
        ({"grade": 2, "severity": "SEVERE"}, ()),
        ({"severity": "Sévère"}, ("ORGAN:SKIN",)),
        ({"severity": "MODERATE"}, ()),
        ({"grade": 1, "serious": True}, ("ORGAN:SKIN",)),
        ({"dlt": True, "term": "something else"}, ("TOXICITY",)),
        ({}, ()),
    ],
)
def test_events(more, keys):
    assert event_keys(event(**more)) == keys


def finding(**more):
    row = {"organ": "LIVER", "organ_class": None, "reported": "Necrosis", "severity_rank": None}
    return row | {"not_done": None, "control": None} | more


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({}, ("ORGAN:HEPATOBILIARY",)),
        ({"severity_rank": 2}, ("ORGAN:HEPATOBILIARY",)),
        ({"severity_rank": 1}, ()),
        ({"control": True}, ()),
        ({"reported": "WITHIN NORMAL LIMITS"}, ()),
        ({"reported": None}, ()),
        ({"not_done": "NOT DONE"}, ()),
        ({"organ": None, "reported": "Diarrhoea"}, ("ORGAN:GASTROINTESTINAL",)),
    ],
)
def test_findings(more, keys):
    assert finding_keys(finding(**more)) == keys


def result(**more):
    row = {"test": "ALT", "test_name": None, "value": 120.0, "upper_normal": 40.0, "grade": None}
    return row | {"baseline": None, "not_done": None, "day": 8.0} | more


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({}, ("ORGAN:HEPATOBILIARY",)),
        ({"value": 119.9}, ()),
        ({"baseline": True}, ()),
        ({"day": -3.0}, ()),
        ({"upper_normal": None}, ()),
        ({"test": "NEUT", "value": 0.4, "grade": 4}, ("ORGAN:BLOOD",)),
        ({"test": "CREAT", "test_name": "Creatinine", "value": 300.0, "upper_normal": 90.0, "grade": 2}, ()),
    ],
)
def test_laboratory_results(more, keys):
    assert laboratory_keys(result(**more)) == keys


def test_counted_events():
    row = {"serious": True, "affected": 2, "events": None, "organ_class": "Cardiac disorders", "term": "x"}
    row["term_reported"] = None
    assert count_keys(row) == ("ORGAN:CARDIAC",)
    assert count_keys(row | {"serious": False}) == count_keys(row | {"affected": 0}) == ()
    limiting = {"affected": None, "affected_reported": None, "term": "febrile neutropenia"}
    assert limiting_keys(limiting) == ("ORGAN:BLOOD",)
    assert limiting_keys(limiting | {"affected_reported": "0"}) == limiting_keys(limiting | {"affected": 0}) == ()


def test_what_a_stop_names():
    assert keys_of_text("TOXICITY", "two cases of liver failure") == ("ORGAN:HEPATOBILIARY",)
    assert keys_of_text("EFFICACY", "PFS and objective response not met") == ("ENDPOINT:RESPONSE", "ENDPOINT:SURVIVAL")
    assert keys_of_text("EFFICACY", "lack of efficacy") == ()
    assert keys_of_text("EXPOSURE", "") == ("SHORTFALL",)


def test_a_response_rate_is_futile_when_its_upper_limit_is_below_the_bar():
    # Without a response 1 - 0.05 ** (1 / n) < 0.2 first holds at n = 14.
    assert [futile(0, n) for n in (13, 14)] == [False, True]
    assert not futile(1, 1)


def test_the_first_futile_response_and_best_responses():
    progressing = [(n, n, "PD") for n in range(1, 20)]
    assert first_futile(progressing) == 14
    assert first_futile([(0, 0, "NE"), *progressing]) == 14
    later_responder = [(1, 1, "SD"), (2, 1, "PR"), *[(n, n, "SD") for n in range(3, 40)]]
    assert first_futile(later_responder) == 23  # of 22, one
    assert first_futile([(n, n, "PR") for n in range(30)]) is None
