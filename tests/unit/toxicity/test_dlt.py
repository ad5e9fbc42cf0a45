"""Dose-limiting toxicity: the default definition, its edges, and definitions of a protocol's own."""

import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import find_method
from pipeline.toxicity.dlt import (
    DltEvent,
    DltObservation,
    DltStatus,
    default_rules,
    dose_limiting_toxicity,
    rules_from,
)

COMPLETE = DltObservation(followup_days=28, dose_fraction_received=1.0, on_study=True)


def reasons(event: DltEvent, observation: DltObservation = COMPLETE) -> tuple[str, ...]:
    return dose_limiting_toxicity([event], observation).reasons


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (DltEvent("neutropenia", 4, 9, 7), ()),
        (DltEvent("neutropenia", 4, 9, 7.5), ("g4_neutropenia_gt7d",)),
        (DltEvent("neutropenia", 3, 9, 20), ()),
        (DltEvent("Febrile neutropenia", 3, 28, 1), ("febrile_neutropenia",)),
        (DltEvent("thrombocytopenia", 4, 3, 1), ("thrombocytopenia",)),
        (DltEvent("thrombocytopenia", 3, 3, 1, bleeding=True), ("thrombocytopenia",)),
        (DltEvent("anaemia", 4, 3, 1), ("g4_anemia",)),
        (DltEvent("anemia", 3, 3, 30), ()),
        (DltEvent("Haemoglobin decreased", 3, 3, 30, lab_only=True), ()),
        (DltEvent("White blood cell count decreased", 4, 3, 20, lab_only=True), ()),
        (DltEvent("vomiting", 3, 3, 3), ()),
        (DltEvent("vomiting", 3, 3, 4), ("g3plus_vomiting",)),
        (DltEvent("diarrhoea", 4, 3, 1), ("g3plus_diarrhea",)),
        (DltEvent("fatigue", 3, 3, 7), ()),
        (DltEvent("fatigue", 3, 3, 8), ("g3plus_fatigue",)),
        (DltEvent("lipase_increased", 3, 3, 4, lab_only=True), ("g3plus_nonhematologic",)),
        (DltEvent("lipase_increased", 4, 3, 1, lab_only=True), ("g3plus_nonhematologic",)),
        (DltEvent("rash", 3, 3, 1), ("g3plus_nonhematologic",)),
        (DltEvent("rash", 2, 3, 20), ()),
        (DltEvent("alopecia", 3, 3, 20), ()),
        (DltEvent("lymphopenia", 4, 3, 20), ()),
        (DltEvent("lymphopenia", 5, 3, 20), ("grade_5",)),
        (DltEvent("rash", 3, 28, 1), ("g3plus_nonhematologic",)),
        (DltEvent("rash", 3, 29, 1), ()),
        (DltEvent("rash", 3, 0, 1), ()),
        (DltEvent("rash", 5, 3, 1, related=False), ()),
    ],
)
def test_the_default_definition(event: DltEvent, expected: tuple[str, ...]) -> None:
    assert reasons(event) == expected


def test_the_same_event_graded_twice_counts_once_at_its_worst() -> None:
    found = dose_limiting_toxicity([DltEvent("nausea", 4, 3, 1), DltEvent("Nausea", 3, 3, 5)], COMPLETE)
    assert found.reasons == ("g3plus_nausea",)


def test_what_one_grading_of_an_event_leaves_out_another_adds() -> None:
    """B2: the same event counts once, at its worst; what is unrelated does not hide what is related."""
    bled = [DltEvent("thrombocytopenia", 3, 3, 2, bleeding=True), DltEvent("thrombocytopenia", 3, 3, 6)]
    for order in (bled, bled[::-1]):
        assert dose_limiting_toxicity(order, COMPLETE).reasons == ("thrombocytopenia",)
    related = [DltEvent("rash", 3, 3, 2), DltEvent("rash", 4, 3, 2, related=False)]
    for order in (related, related[::-1]):
        assert dose_limiting_toxicity(order, COMPLETE).reasons == ("g3plus_nonhematologic",)
    seen = [DltEvent("lipase_increased", 3, 3, 2, lab_only=True), DltEvent("lipase_increased", 3, 3, 1)]
    assert dose_limiting_toxicity(seen, COMPLETE).reasons == ("g3plus_nonhematologic",)


def test_an_event_that_goes_on_counts_the_days_so_far_and_stays_provisional() -> None:
    event = DltEvent("neutropenia", 4, 20, None)
    early = dose_limiting_toxicity([event], replace(COMPLETE, followup_days=26))
    assert (early.status, early.provisional) == (DltStatus.PENDING, True)
    late = dose_limiting_toxicity([event], COMPLETE)
    assert (late.status, late.provisional) == (DltStatus.DLT, False)
    mild = dose_limiting_toxicity([DltEvent("neutropenia", 3, 20, None)], COMPLETE)
    assert not mild.provisional
    assert dose_limiting_toxicity([DltEvent("rash", None, 20, 1)], COMPLETE).provisional


@pytest.mark.parametrize(
    ("followup", "fraction", "on_study", "status"),
    [
        (28, 0.75, False, "no_dlt"),
        (28, 0.74, True, "replace"),
        (27, 0.75, True, "pending"),
        (27, 1.0, False, "replace"),
        (40, 1.0, True, "no_dlt"),
        (0, 0.0, True, "replace"),
    ],
)
def test_the_status_without_toxicity(followup: float, fraction: float, on_study: bool, status: str) -> None:
    found = dose_limiting_toxicity([], DltObservation(followup, fraction, on_study))
    assert found.status == status
    assert found.evaluable == (status == "no_dlt")


def test_a_toxicity_counts_whatever_the_dose_received() -> None:
    found = dose_limiting_toxicity([DltEvent("rash", 3, 2, 5)], DltObservation(3, 0.1, False))
    assert (found.status, found.evaluable) == (DltStatus.DLT, True)


def test_what_is_not_an_event_counts_too() -> None:
    hys = dose_limiting_toxicity([], replace(COMPLETE, hys_law=True, next_cycle_delay_days=15))
    assert hys.reasons == ("hys_law", "cycle_delay")
    assert dose_limiting_toxicity([], replace(COMPLETE, next_cycle_delay_days=14)).status is DltStatus.NO_DLT


def test_a_protocol_brings_its_own_definition() -> None:
    content = tomllib.loads(files("pipeline.toxicity").joinpath("dlt_default.toml").read_text(encoding="utf-8"))
    own = rules_from({**content, "name": "protocol 7", "window_days": 42, "other": [{"code": "any_g2", "grade": 2}]})
    found = dose_limiting_toxicity([DltEvent("rash", 2, 40, 1)], replace(COMPLETE, followup_days=42), own)
    assert found.reasons == ("any_g2",)
    assert found.parameters["rules"] == own
    assert default_rules().name == "default"


@pytest.mark.parametrize(
    "event",
    [
        {"term": "rash", "grade": 6, "onset_day": 1},
        {"term": "rash", "grade": -1, "onset_day": 1},
        {"term": "rash", "grade": "severe", "onset_day": 1},
        {"term": "rash", "grade": 3, "onset_day": 1, "duration_days": -2},
        {"term": "rash", "grade": 3},
        {"term": "rash", "grade": 3, "onset_day": 1, "colour": "red"},
        "rash",
    ],
)
def test_impossible_events_are_refused(event: object) -> None:
    observation = {"followup_days": 28, "dose_fraction_received": 1, "on_study": True}
    with pytest.raises(InputError, match=r"events|grade|duration"):
        find_method("B2_dlt").calculate({"events": [event], "observation": observation})


EVENTS = st.builds(
    DltEvent,
    st.sampled_from(["neutropenia", "rash", "nausea", "alopecia", "anemia", "fatigue"]),
    st.integers(0, 5),
    st.integers(-5, 40),
    st.none() | st.integers(0, 30),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=50)
@given(st.lists(EVENTS, max_size=5), EVENTS)
def test_one_more_event_never_takes_a_toxicity_away(events: list[DltEvent], more: DltEvent) -> None:
    before = dose_limiting_toxicity(events, COMPLETE)
    after = dose_limiting_toxicity([*events, more], COMPLETE)
    assert before.is_dlt <= after.is_dlt
    assert after.is_dlt == bool(after.reasons) == (after.status is DltStatus.DLT)
    assert len(set(after.reasons)) == len(after.reasons)
