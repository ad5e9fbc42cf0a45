from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.incidence import cumulative_incidence
from pipeline.attrition.occupation import STATES, StatePath, stage_occupation
from pipeline.errors import InputError
from pipeline.outcome import Reason

AHEAD = {"CREFRE": ("CLIPP", "DROPPED"), "CLIPP": ("PHASE3", "DROPPED"), "PHASE3": ("APPROVED", "DROPPED")}


@st.composite
def paths(draw: st.DrawFn) -> StatePath:
    states = [draw(st.sampled_from(["CREFRE", "CREFRE", "CLIPP"]))]
    while states[-1] in AHEAD and draw(st.booleans()):
        states.append(draw(st.sampled_from(AHEAD[states[-1]])))
    start = 0 if states[0] == "CREFRE" else draw(st.integers(0, 5))
    gaps = draw(st.lists(st.integers(1, 6), min_size=len(states), max_size=len(states)))
    times = list(accumulate([start, *gaps]))
    return StatePath(tuple(states), tuple(times[:-1]), times[-1] if states[-1] in AHEAD else times[-2])


def by_matrices(drawn: list[StatePath], start: str, since: float, asked: list[float]) -> list[list[float]]:
    """Multiply the matrices of the definition, one by one."""
    moves, stays = [], []
    for path in drawn:
        ends = [*path.entry_times[1:], path.last_follow_up]
        for place, (name, begin, end) in enumerate(zip(path.states, path.entry_times, ends, strict=True)):
            stays.append((name, begin, end))
            if place + 1 < len(path.states):
                moves.append((end, name, path.states[place + 1]))
    found = []
    for time in asked:
        product = np.eye(len(STATES))
        for t in sorted({move[0] for move in moves if since < move[0] <= time}):
            step = np.eye(len(STATES))
            for _, left, entered in (move for move in moves if move[0] == t):
                n = sum(name == left and begin < t <= end for name, begin, end in stays)
                step[STATES.index(left), STATES.index(entered)] += 1 / n
                step[STATES.index(left), STATES.index(left)] -= 1 / n
            product = product @ step
        found.append(product[STATES.index(start)].tolist())
    return found


@given(st.lists(paths(), min_size=1, max_size=15), st.sampled_from(STATES[:3]), st.integers(0, 6))
@settings(max_examples=50, deadline=None)
def test_occupation_is_the_product_of_the_matrices_and_sums_to_one(
    drawn: list[StatePath], start: str, since: int
) -> None:
    asked = [float(time) for time in range(since, 24, 3)]
    found = stage_occupation(drawn, asked, start, since)
    rows = list(zip(*(found.occupation[state] for state in STATES), strict=True))
    for row, expected in zip(rows, by_matrices(drawn, start, since, asked), strict=True):
        assert row == pytest.approx(tuple(expected), abs=1e-12)
        assert sum(value for value in row if value is not None) == pytest.approx(1)
    assert ("markov" in found.flags) is (since > 0)


@given(st.lists(paths(), min_size=1, max_size=15), st.sampled_from(STATES[:3]), st.integers(0, 6))
@settings(max_examples=50, deadline=None)
def test_a_landmark_counts_those_in_the_state_at_that_time(drawn: list[StatePath], start: str, since: int) -> None:
    def there(path: StatePath) -> bool:
        ends = [*path.entry_times[1:], path.last_follow_up]
        stays = zip(path.states, path.entry_times, ends, strict=True)
        return any(name == start and begin <= since < end for name, begin, end in stays)

    asked = [float(time) for time in range(since, 24, 3)]
    found = stage_occupation(drawn, asked, start, since, landmark=True)
    kept = [path for path in drawn if there(path)]
    assert found.occupation == stage_occupation(kept, asked, start, since).occupation
    assert (found.reason is None) is ("landmark" in found.flags) is bool(kept)
    assert "markov" not in found.flags


def test_a_landmark_differs_where_the_past_matters() -> None:
    quick = StatePath(("CREFRE", "CLIPP"), (0, 2), 20)
    slow = StatePath(("CREFRE", "CLIPP", "DROPPED"), (0, 6, 8), 8)
    assert stage_occupation([quick, slow], [9], "CLIPP", 5).occupation["DROPPED"] == (0.5,)
    assert stage_occupation([quick, slow], [9], "CLIPP", 5, landmark=True).occupation["DROPPED"] == (0,)


def test_one_stage_is_the_cumulative_incidence() -> None:
    generator = np.random.default_rng(5)
    time = generator.integers(1, 50, 80).tolist()
    ends = generator.choice(["CLIPP", "DROPPED", ""], 80).tolist()
    drawn = [
        StatePath(("CREFRE", end), (0, t), t) if end else StatePath(("CREFRE",), (0,), t)
        for t, end in zip(time, ends, strict=True)
    ]
    causes = [{"CLIPP": "advance", "DROPPED": "drop_other", "": "censored"}[end] for end in ends]
    asked = list(range(0, 50, 5))
    occupied, incidence = stage_occupation(drawn, asked), cumulative_incidence(time, causes, asked)  # type: ignore[arg-type]
    assert occupied.occupation["CLIPP"] == pytest.approx(incidence.cif["advance"])
    assert occupied.occupation["DROPPED"] == pytest.approx(incidence.cif["drop_other"])
    assert occupied.occupation["CREFRE"] == pytest.approx(incidence.event_free)


def test_a_stay_of_no_length_is_passed_over() -> None:
    skipped = StatePath(("CREFRE", "CLIPP", "PHASE3"), (0, 5, 5), 9)
    assert stage_occupation([skipped], [4, 6]).occupation["PHASE3"] == (0, 1)
    assert stage_occupation([StatePath(("CREFRE", "CREFRE", "CLIPP"), (0, 2, 5), 9)], [3, 5]).at_risk["CREFRE"] == (
        1,
        1,
    )


def test_what_nobody_is_left_to_show_is_marked() -> None:
    drawn = [StatePath(("CREFRE", "CLIPP"), (0, 2), 4), StatePath(("CREFRE",), (0,), 3)]
    found = stage_occupation(drawn, [3, 5])
    assert found.occupation["CREFRE"] == (0.5, 0.5)
    assert set(found.flags) == {"beyond_horizon", "empty_risk_set"}
    assert found.horizon == 4
    assert stage_occupation(drawn, [3]).flags == ()


def test_no_molecule_is_no_occupation() -> None:
    found = stage_occupation([], [5])
    assert (found.reason, found.occupation["CREFRE"], found.at_risk["CREFRE"]) == (Reason.NO_DATA, (None,), (0,))
    left = StatePath(("CREFRE", "DROPPED"), (0, 3), 3)
    assert stage_occupation([left], [5], "CREFRE", 4).occupation["CREFRE"] == (1,)
    assert stage_occupation([left], [5], "CREFRE", 4, landmark=True).occupation["CREFRE"] == (None,)


def test_other_states_may_be_named() -> None:
    drawn = [StatePath(("PHASE_1", "PHASE_2"), (0, 3), 9)]
    found = stage_occupation(drawn, [2, 4], "PHASE_1", states=["PHASE_1", "PHASE_2"])
    assert found.occupation == {"PHASE_1": (1, 0), "PHASE_2": (0, 1)}


@pytest.mark.parametrize(
    "path",
    [
        StatePath((), (), 0),
        StatePath(("CREFRE",), (0, 1), 2),
        StatePath(("MOON",), (0,), 2),
        StatePath(("CREFRE", "CLIPP"), (5, 2), 9),
        StatePath(("CREFRE", "CLIPP"), (0, 5), 4),
    ],
)
def test_an_impossible_path_is_refused(path: StatePath) -> None:
    with pytest.raises(InputError, match="path 1"):
        stage_occupation([StatePath(("CREFRE",), (0,), 2), path], [1])


def test_an_impossible_question_is_refused() -> None:
    with pytest.raises(InputError):
        stage_occupation([], [1], "MOON")
    with pytest.raises(InputError):
        stage_occupation([], [1], from_time=2)
