import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.lead_time import FollowedMolecule, detection_lead_time
from pipeline.errors import InputError
from pipeline.outcome import Reason

followed = st.lists(
    st.tuples(
        st.integers(0, 500),
        st.integers(0, 1000),
        st.sampled_from(["dropped", "dropped_strategic", "advanced", "active"]),
        st.lists(st.integers(-100, 1600), max_size=4),
    ),
    max_size=12,
).map(
    lambda rows: [
        FollowedMolecule(f"M{index}", entry, entry + length, outcome, tuple(fires))  # type: ignore[arg-type]
        for index, (entry, length, outcome, fires) in enumerate(rows)
    ]
)


@given(followed, st.integers(0, 300))
@settings(max_examples=50)
def test_figures_hang_together(molecules: list[FollowedMolecule], lead: int) -> None:
    found = detection_lead_time(molecules, lead)
    assert len(found.per_molecule) == len(molecules)
    if found.dropped:
        assert found.sensitivity is not None
        assert found.sensitivity_at_lead is not None
        assert 0 <= found.sensitivity_at_lead <= found.sensitivity <= 1
    else:
        assert found.missing["sensitivity"] is Reason.NO_DATA
    if found.mean_relative_lead is not None:
        assert 0 <= found.mean_relative_lead <= 1
    others = sum(molecule.outcome in ("advanced", "active") for molecule in molecules)
    assert 0 <= found.false_alarm_count <= others
    earlier = [
        FollowedMolecule(m.id, m.entry_day, m.end_day, m.outcome, (*m.fire_days, m.entry_day)) for m in molecules
    ]
    always = detection_lead_time(earlier, lead)
    assert always.sensitivity in (None, 1)
    assert always.false_alarm_count == others


def test_a_drop_for_strategy_stands_apart() -> None:
    found = detection_lead_time([FollowedMolecule("S", 0, 100, "dropped_strategic", (50,))])
    assert (found.apart, found.dropped, found.sensitivity, found.false_alarm_count) == (("S",), 0, None, 0)
    assert found.per_molecule[0].detected


def test_nobody_followed() -> None:
    found = detection_lead_time([])
    assert (found.reason, found.false_alarm_rate_per_molecule_year) == (Reason.NO_DATA, None)


def test_a_day_of_no_length_has_a_lead_but_no_relative_one() -> None:
    found = detection_lead_time([FollowedMolecule("A", 5, 5, "dropped", (5,))])
    assert (found.median_lead_days_detected, found.mean_relative_lead) == (0, None)


def test_impossible_lives_are_refused() -> None:
    with pytest.raises(InputError):
        detection_lead_time([FollowedMolecule("A", 5, 4, "active")])
    with pytest.raises(InputError):
        detection_lead_time([FollowedMolecule("A", 5, 6, "active")] * 2)
    with pytest.raises(InputError):
        detection_lead_time([], -1)
