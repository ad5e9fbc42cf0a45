"""Imported histories: from what a source says about stages and statuses to the moves that must have led there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from pipeline.dates import PartialDate
from pipeline.stages.graph import StageGraph
from pipeline.stages.moves import Moved, Position, date_faults, latest_of, onward, replay
from pipeline.words import MoveKind, Status

_BEGUN_AGAIN = frozenset({MoveKind.RESUME, MoveKind.RESTART})
_STOPPED_FOR_NOW = frozenset({Status.ON_HOLD, Status.STALLED})
_STATUS_MEANT = {
    MoveKind.HOLD: Status.ON_HOLD,
    MoveKind.DISCONTINUE: Status.DISCONTINUED,
    MoveKind.COMPLETE: Status.COMPLETED,
}


class Entry(Protocol):
    """What a source says: at this date the programme stood at this stage with this status. kind None: not said."""

    @property
    def stage(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> Status: ...  # noqa: D102
    @property
    def occurred_on(self) -> PartialDate: ...  # noqa: D102
    @property
    def kind(self) -> MoveKind | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Step:
    """A move and the entry (from 0) it was read from.

    `implied`: the entry does not state the move, but presupposes it; the entry's date is the latest it can have.
    """

    moved: Moved
    entry: int
    implied: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry (from 0) that does not fit, and why. `correction`: it can only be right if the entry before is wrong."""

    entry: int
    sentence: str
    correction: bool


@dataclass(frozen=True, slots=True)
class InferredPath:
    """The moves of a history as far as it can be read, and every entry that was left out of it."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]

    @property
    def moves(self) -> list[Moved]:
        """The moves alone, oldest first."""
        return [step.moved for step in self.steps]


class _Misfit(Exception):
    def __init__(self, sentence: str, *, correction: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.correction = correction


def infer_path(
    graph: StageGraph, entries: Iterable[Entry], *, history: Sequence[Moved] = (), today: date | None = None
) -> InferredPath:
    """Return the moves that lead through entries, oldest first, going on from a history already known.

    The first entry may be at any stage. Stages passed over are recorded with the move. A status tells a hold, a
    resumption, a stop, a completion or a restart; a repeated entry tells nothing. No checkpoint is asked. A step back
    without a stop in between, an unknown stage, or a date that cannot be is a problem, never a guess; the entries
    after it are read as if it were not there.
    """
    now = replay(history)
    latest = latest_of(history)
    steps: list[Step] = []
    problems: list[Problem] = []
    for number, entry in enumerate(entries):
        try:
            moves = _moves_to(graph, now, latest, entry, today)
        except _Misfit as misfit:
            problems.append(Problem(number, misfit.sentence, misfit.correction))
            continue
        steps += [Step(move, number, move is not moves[-1]) for move in moves]
        for move in moves:
            now = move.position
            latest = latest_of([move] if latest is None else [latest, move])
    return InferredPath(tuple(steps), tuple(problems))


def _moves_to(
    graph: StageGraph, now: Position | None, latest: Moved | None, entry: Entry, today: date | None
) -> list[Moved]:
    if entry.stage not in graph:
        stages = ", ".join(stage.code for stage in graph.stages)
        raise _Misfit(f"{entry.stage[:60]!r} is not a stage; the stages are {stages}")
    faults = date_faults(entry.occurred_on, latest, today)
    if faults:
        raise _Misfit("; ".join(fault.explanation for fault in faults))
    if entry.kind is MoveKind.CORRECT:
        raise _Misfit(f"the correction to {entry.stage} has to be confirmed as a correction", correction=True)
    walk = _Walk(graph, now, entry.occurred_on)
    walk.to_stage(entry.stage)
    walk.to_status(_status_meant(graph, entry))
    _agree(now, entry, walk.moves)
    return walk.moves


def _step_back(here: Position, stage: str) -> str:
    if here.status in (Status.DISCONTINUED, Status.COMPLETED):
        reason = "the graph lets no programme restart there from here"
        advice = "check both entries, and correct the one before if it is wrong"
    else:
        reason = "no stop is recorded in between"
        advice = "the entry before is wrong and needs a correction, or a discontinuation is missing"
    return f"{stage} does not lie ahead of {here.stage} ({here.status}), and {reason}; {advice}"


def _status_meant(graph: StageGraph, entry: Entry) -> Status:
    if entry.status is not Status.ACTIVE:
        return entry.status
    if entry.kind in _STATUS_MEANT:
        return _STATUS_MEANT[entry.kind]
    return graph.stage(entry.stage).entry_status


def _agree(now: Position | None, entry: Entry, moves: Sequence[Moved]) -> None:
    """Refuse an entry whose stated kind is none of the moves it makes; a source says resume and restart alike."""
    if entry.kind is None or now is None:
        return
    made = {move.kind for move in moves}
    if entry.kind in made or (entry.kind in _BEGUN_AGAIN and made & _BEGUN_AGAIN):
        return
    told = " then ".join(move.kind for move in moves) or "no move at all"
    raise _Misfit(
        f"the entry says {entry.kind}, but from {now.stage} ({now.status}) to {entry.stage} ({entry.status}) is {told}"
    )


@dataclass(slots=True)
class _Walk:
    """Moves added one by one, each an edge of the graph or a way ahead over several."""

    graph: StageGraph
    now: Position | None
    on: PartialDate
    moves: list[Moved]

    def __init__(self, graph: StageGraph, now: Position | None, on: PartialDate) -> None:
        self.graph, self.now, self.on, self.moves = graph, now, on, []

    def _add(self, move: Moved) -> None:
        self.moves.append(move)
        self.now = move.position

    def to_stage(self, stage: str) -> None:
        """Go to a stage: enter it, advance to it, or restart in it."""
        if self.now is None:
            entered = self.graph.stage(stage).entry_status
            self._add(Moved(MoveKind.ADVANCE, None, stage, None, entered, self.on, imported=True))
            return
        here = self.now
        if here.stage == stage:
            return
        again = self.graph.edge(MoveKind.RESTART, here.stage, stage)
        ahead = self.graph.reachable_by_advances(here.stage, stage) is not None
        if here.status is Status.DISCONTINUED or (here.status is Status.COMPLETED and not ahead):
            if again is not None:
                self._loop(MoveKind.RESTART, stage, Status.ACTIVE)
                return
            if ahead:
                self._loop(MoveKind.RESTART, here.stage, Status.ACTIVE)
        elif here.status in _STOPPED_FOR_NOW and ahead:
            self._loop(MoveKind.RESUME, here.stage, Status.ACTIVE)
        move = onward(self.graph, self.now, stage, self.on)
        if move is None:
            raise _Misfit(_step_back(here, stage), correction=True)
        self._add(move)

    def to_status(self, status: Status) -> None:
        """Reach a status where the programme stands."""
        assert self.now is not None
        stage, has = self.now.stage, self.now.status
        if has is status:
            return
        if status in _STOPPED_FOR_NOW:
            if has not in _STOPPED_FOR_NOW:
                self.to_status(Status.ACTIVE)
            self._loop(MoveKind.HOLD, stage, status)
        elif status is Status.DISCONTINUED:
            self._loop(MoveKind.DISCONTINUE, stage, status)
        elif status is Status.COMPLETED:
            self.to_status(Status.ACTIVE)
            self._loop(MoveKind.COMPLETE, stage, status)
        elif has in _STOPPED_FOR_NOW:
            self._loop(MoveKind.RESUME, stage, status)
        else:
            self._loop(MoveKind.RESTART, stage, status)

    def _loop(self, kind: MoveKind, stage: str, status: Status) -> None:
        assert self.now is not None
        here = self.now
        if self.graph.edge(kind, here.stage, stage) is None:
            raise _Misfit(
                f"the graph knows no {kind} from {here.stage} ({here.status}) to {stage}; "
                f"check the status, or whether {here.stage} is right"
            )
        self._add(Moved(kind, here.stage, stage, here.status, status, self.on, imported=True))
