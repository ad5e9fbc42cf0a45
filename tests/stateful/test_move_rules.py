"""Whatever is tried, in whatever order, the history stays a path of the graph, and a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.dates import PartialDate
from pipeline.errors import CheckpointNotMet, InputError
from pipeline.stages.checkpoints import PASSING
from pipeline.stages.graph import default_graph
from pipeline.stages.rules import (
    LEAVES,
    NEEDS_REASON,
    Moved,
    MoveRequest,
    correct,
    decide_move,
    enter,
    infer_path,
    possible_moves,
    replay,
)
from pipeline.words import AttritionReason, MoveKind, Status, Verdict

GRAPH = default_graph()
FIRST_DAY = date(2018, 1, 1)
STATUS_OF = {
    MoveKind.HOLD: {Status.ON_HOLD},
    MoveKind.RESUME: {Status.ACTIVE},
    MoveKind.DISCONTINUE: {Status.DISCONTINUED},
    MoveKind.COMPLETE: {Status.COMPLETED},
}

codes = st.sampled_from([stage.code for stage in GRAPH.stages])
verdicts_of = st.dictionaries(
    st.sampled_from(sorted(GRAPH.rules)),
    st.one_of(st.none(), st.sampled_from(list(Verdict))),
    max_size=len(GRAPH.rules),
)


@st.composite
def partial_dates(draw: st.DrawFn, around: date) -> PartialDate:
    day = around + timedelta(days=draw(st.integers(-500, 40)))
    text = day.isoformat()[: draw(st.sampled_from([4, 7, 10]))]
    return PartialDate.parse(text)


def assert_path(history: Sequence[Moved]) -> None:
    """Every live move is an edge of the graph, every imported one an edge or a way ahead; written apart from rules."""
    for number, move in enumerate(history):
        assert move.to_stage in GRAPH
        if number == 0:
            assert (move.from_stage, move.from_status, move.kind) == (None, None, MoveKind.ADVANCE)
            assert move.to_status is GRAPH.stage(move.to_stage).entry_status
            continue
        assert move.from_stage is not None
        assert (move.from_stage, move.from_status) == (history[number - 1].to_stage, history[number - 1].to_status)
        edge = GRAPH.edge(move.kind, move.from_stage, move.to_stage)
        if edge is None:
            assert move.imported
            assert move.kind in (MoveKind.ADVANCE, MoveKind.DISCONTINUE)
            assert move.skipped
            assert GRAPH.reachable_by_advances(move.from_stage, move.to_stage) == move.skipped
        else:
            assert move.skipped == ()
        held = move.imported and move.kind is MoveKind.HOLD  # a source may call a hold stalled
        if move.from_stage == move.to_stage and move.kind in STATUS_OF:
            assert move.to_status in STATUS_OF[move.kind] or (held and move.to_status is Status.STALLED)
        else:
            assert move.to_status is GRAPH.stage(move.to_stage).entry_status
        assert move.from_status in LEAVES[move.kind] or (held and move.from_status is Status.ON_HOLD)


def certainly_unordered(history: Sequence[Moved]) -> bool:
    return any(
        later.occurred_on.latest < earlier.occurred_on.earliest
        for number, earlier in enumerate(history)
        for later in history[number + 1 :]
    )


class ProgrammeLife(RuleBasedStateMachine):
    """One programme, moved, corrected and read from sources in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[Moved] = []
        self.today = FIRST_DAY

    @initialize(stage=st.one_of(st.none(), codes))
    def begin(self, stage: str | None) -> None:
        self.history = [enter(GRAPH, today=self.today, stage=stage)]

    @rule(days=st.integers(0, 400))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(
        data=st.data(),
        kind=st.sampled_from(list(MoveKind)),
        to=st.one_of(st.none(), codes, st.just("LIMBO")),
        reason=st.one_of(st.none(), st.sampled_from(list(AttritionReason))),
        verdicts=verdicts_of,
    )
    def try_anything(
        self,
        data: st.DataObject,
        kind: MoveKind,
        to: str | None,
        reason: AttritionReason | None,
        verdicts: dict[str, Verdict | None],
    ) -> None:
        when = data.draw(st.one_of(st.none(), partial_dates(self.today)))
        self._try(MoveRequest(kind, to, reason, None, when), verdicts)

    @rule(data=st.data(), verdicts=verdicts_of)
    def try_to_correct(self, data: st.DataObject, verdicts: dict[str, Verdict | None]) -> None:
        """Name a stage the graph knows from the one before, the likeliest mistake, on whatever date."""
        before = self.history[-1].from_stage
        near = [edge.target for edge in GRAPH.edges_from(before)] if before else [s.code for s in GRAPH.stages]
        when = data.draw(st.one_of(st.none(), partial_dates(self.today)))
        to = data.draw(st.sampled_from(near))
        self._try(MoveRequest(MoveKind.CORRECT, to, AttritionReason.LOGISTICS, None, when), verdicts)

    @rule(data=st.data(), go=st.sampled_from(sorted(PASSING)))
    def do_what_is_allowed(self, data: st.DataObject, go: Verdict) -> None:
        """Follow a listed move, so that histories grow long; what is listed as allowed must succeed."""
        verdicts: dict[str, Verdict | None] = dict.fromkeys(GRAPH.rules, go)
        moves = possible_moves(GRAPH, self.history[-1].position, verdicts, last=self.history[-1])
        allowed = [move for move in moves if move.allowed]
        assert allowed  # there is always a way on: every position can at least be corrected
        move = data.draw(st.sampled_from(allowed))
        before = list(self.history)
        assert self._try(MoveRequest(move.kind, move.to, AttritionReason.STRATEGIC), verdicts)
        if move.kind is not MoveKind.CORRECT:
            assert self.history == [*before, self.history[-1]]
            assert self.history[-1].to_stage == move.to

    def _try(self, request: MoveRequest, verdicts: dict[str, Verdict | None]) -> bool:
        before = tuple(self.history)
        try:
            if request.kind is MoveKind.CORRECT:
                correction = correct(GRAPH, self.history, verdicts, request, today=self.today)
                after = correction.applied_to(self.history)
                assert after[:-1] == list(before[: len(after) - 1])  # nothing but the last entry is touched
            else:
                after = [*self.history, decide_move(GRAPH, self.history, verdicts, request, today=self.today)]
        except (CheckpointNotMet, InputError):  # anything else is a bug
            assert tuple(self.history) == before
            return False
        assert request.reason is not None or request.kind not in NEEDS_REASON
        live = after[-1]
        if not live.imported and live.kind is MoveKind.ADVANCE and live.from_stage and len(after) >= len(before):
            edge = GRAPH.edge(MoveKind.ADVANCE, live.from_stage, live.to_stage)
            assert edge is not None
            moved_elsewhere = live.to_stage != before[-1].to_stage
            assert not moved_elsewhere or all(verdicts.get(code) in PASSING for code in edge.requires)
        self.history = after
        return True

    @rule(data=st.data(), entries=st.lists(st.tuples(codes, st.sampled_from(list(Status))), min_size=1, max_size=4))
    def read_from_a_source(self, data: st.DataObject, entries: list[tuple[str, Status]]) -> None:
        said = [Said(stage, data.draw(partial_dates(self.today)), status) for stage, status in entries]
        path = infer_path(GRAPH, said, history=self.history, today=self.today)
        assert all(move.imported for move in path.moves)
        told = {step.entry for step in path.steps} | {problem.entry for problem in path.problems}
        position = replay(self.history)
        for number, entry in enumerate(said):
            steps = [step for step in path.steps if step.entry == number]
            if steps:
                position = steps[-1].moved.position
            elif number not in told:  # an entry that makes neither a move nor a problem repeats what is known
                assert position is not None
                assert position.stage == entry.stage
        self.history += path.moves

    @invariant()
    def the_history_is_a_path(self) -> None:
        assert_path(self.history)

    @invariant()
    def replaying_gives_the_present(self) -> None:
        if self.history:
            assert replay(self.history) == self.history[-1].position

    @invariant()
    def nothing_lies_in_the_future_or_certainly_out_of_order(self) -> None:
        assert all(move.occurred_on.earliest <= self.today.isoformat() for move in self.history)
        assert not certainly_unordered(self.history)


ProgrammeLife.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestProgrammeLife = ProgrammeLife.TestCase


@dataclass(frozen=True)
class Said:
    """What a source says."""

    stage: str
    occurred_on: PartialDate
    status: Status = Status.ACTIVE
    kind: MoveKind | None = None


anything_said = st.builds(
    Said,
    stage=st.one_of(codes, st.text(max_size=5)),
    occurred_on=partial_dates(date(2020, 6, 1)),
    status=st.sampled_from(list(Status)),
    kind=st.one_of(st.none(), st.sampled_from(list(MoveKind))),
)


@given(st.lists(anything_said, max_size=8))
def test_whatever_a_source_says_becomes_a_path_and_problems(said: list[Said]) -> None:
    path = infer_path(GRAPH, said, today=date(2020, 6, 1))
    assert_path(path.moves)
    assert not certainly_unordered(path.moves)
    assert {step.entry for step in path.steps}.isdisjoint(problem.entry for problem in path.problems)
    assert all(problem.sentence.strip() for problem in path.problems)
    for number, entry in enumerate(said):
        steps = [step for step in path.steps if step.entry == number]
        if steps:
            assert steps[-1].moved.to_stage == entry.stage
            assert [step.implied for step in steps] == [True] * (len(steps) - 1) + [False]
