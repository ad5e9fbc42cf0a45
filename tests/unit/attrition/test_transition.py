import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.transition import PHASE_OF_STAGE, ProgrammePath, phase_transitions, transition_interval
from pipeline.errors import InputError
from pipeline.outcome import Reason

paths = st.builds(
    ProgrammePath,
    st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True).map(tuple),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.floats(0, 4000)),
)


@given(st.lists(paths, max_size=30), st.floats(0, 1000))
@settings(max_examples=50)
def test_counts_hang_together(programmes: list[ProgrammePath], longer: float) -> None:
    found = phase_transitions(programmes, 4000)
    assert found.reached["1"] == len(programmes)
    for phase in "123":
        following = found.reached[str(int(phase) + 1)]
        assert found.reached[phase] == following + found.in_progress[phase] + found.terminated[phase]
        assert found.reached[phase] == found.observed[phase] + found.missing_phases[phase]
    for rate in (*found.path_by_path, *found.phase_by_phase, found.path_by_path_loa, found.phase_by_phase_loa):
        assert rate is None or 0 <= rate <= 1
    patient = phase_transitions(programmes, 4000, {"1": 360 + longer, "2": 540 + longer, "3": 900 + longer})
    assert all(patient.in_progress[phase] >= found.in_progress[phase] for phase in "123")


def test_silence_has_to_be_longer_than_the_waiting_time() -> None:
    def state(days: float) -> tuple[int, int]:
        found = phase_transitions([ProgrammePath((1,), last_phase_end_day=1000 - days)], 1000)
        return found.in_progress["1"], found.terminated["1"]

    assert state(360) == (1, 0)
    assert state(361) == (0, 1)
    assert state(-50) == (1, 0)
    assert 512.2 - 152.2 > 360  # in doubles; waiting times are compared to 12 digits
    assert phase_transitions([ProgrammePath((1,), last_phase_end_day=152.2)], 512.2).terminated["1"] == 0


def test_an_approval_passes_every_phase_seen_or_not() -> None:
    found = phase_transitions([ProgrammePath((2,), approved=True)], 0)
    assert found.reached == {"1": 1, "2": 1, "3": 1, "4": 1}
    assert found.missing_phases == {"1": 1, "2": 0, "3": 1}
    assert (found.path_by_path_loa, found.phase_by_phase) == (1, (None, 1, None))
    assert found.phase_by_phase_loa is None
    unseen = phase_transitions([ProgrammePath((), approved=True)], 0)
    assert (unseen.reached, unseen.observed) == ({"1": 1, "2": 1, "3": 1, "4": 1}, {"1": 0, "2": 0, "3": 0})
    assert unseen.in_progress == unseen.terminated == {"1": 0, "2": 0, "3": 0}


def test_no_programme_is_no_rate() -> None:
    found = phase_transitions([], 0)
    assert (found.reason, found.path_by_path, found.in_progress_share) == (Reason.NO_DATA, (None,) * 3, (None,) * 3)
    assert found.missing["in_progress_share"] is Reason.NO_DATA
    assert transition_interval(0, 0).reason is Reason.NO_DATA


def test_combined_phases_count_as_the_later_one() -> None:
    assert (PHASE_OF_STAGE["PHASE_1_2"], PHASE_OF_STAGE["PHASE_2_3"]) == (2, 3)


def test_what_cannot_be_is_refused() -> None:
    for programme in (ProgrammePath(()), ProgrammePath((4,)), ProgrammePath((0, 1))):
        with pytest.raises(InputError):
            phase_transitions([programme], 0)
    with pytest.raises(InputError):
        phase_transitions([], 0, {"1": 360, "2": 540})
    with pytest.raises(InputError):
        transition_interval(5, 4)
