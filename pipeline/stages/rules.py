"""Deciding on a move: pure rules over the state graph, the history, the checkpoint verdicts and the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.dates import PartialDate
from pipeline.errors import CheckpointNotMet, InputError, Unmet
from pipeline.stages.checkpoints import Overdue, Standing, unmet_checkpoints, unmet_conditions
from pipeline.stages.corrections import Correction, correct, correction_targets
from pipeline.stages.graph import Edge, StageGraph
from pipeline.stages.histories import InferredPath, Problem, Step, infer_path
from pipeline.stages.moves import (
    LEAVES,
    NEEDS_REASON,
    Moved,
    MoveRequest,
    Position,
    date_faults,
    latest_of,
    reason_faults,
    replay,
    status_after,
)
from pipeline.words import MoveKind, Status

__all__ = [
    "LEAVES", "NEEDS_REASON", "Correction", "InferredPath", "MoveRequest", "Moved", "Position", "PossibleMove",
    "Problem", "Step", "correct", "correction_targets", "decide_move", "enter", "infer_path", "possible_moves",
    "replay",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PossibleMove:
    """A move the graph knows from a position: allowed, or what it still lacks (its reason and date apart)."""

    kind: MoveKind
    to: str
    allowed: bool
    unmet: tuple[Unmet, ...]


def enter(graph: StageGraph, *, today: date, stage: str | None = None, occurred_on: PartialDate | None = None) -> Moved:
    """Return the first move of a programme: into the initial stage, or into the stage of the one it branches from."""
    begun = graph.initial if stage is None else graph.stage(stage)
    on = occurred_on or PartialDate.of(today)
    faults = date_faults(on, None, today)
    if faults:
        raise InputError(faults[0].explanation, path=("occurredOn",))
    return Moved(MoveKind.ADVANCE, None, begun.code, None, begun.entry_status, on)


def decide_move(
    graph: StageGraph,
    history: Sequence[Moved],
    verdicts: Mapping[str, Standing],
    request: MoveRequest,
    *,
    today: date,
    overdue: Sequence[Overdue] = (),
) -> Moved:
    """Return the move, or raise CheckpointNotMet with all that is unmet. Corrections are decided by `correct`.

    Args:
        graph: the version the programme began under.
        history: its moves so far, oldest first, corrections already applied.
        verdicts: the decision in force per rule code; see `unmet_checkpoints`.
        request: what is asked.
        today: the day at the centre; nothing later can have happened.
        overdue: conditions of earlier decisions that were not settled in time; they stand against every advance.

    Raises:
        InputError: the stage asked for is none of the graph's, the programme has no history, or it is a correction.
        CheckpointNotMet: status, target, checkpoints, reason or date do not allow it.
    """
    now = replay(history)
    if now is None:
        raise InputError("the programme has no stage yet; open it before it moves")
    if request.kind is MoveKind.CORRECT:
        raise InputError("a correction is not a move; it mends the last entry of the history", path=("kind",))
    if request.to is not None:
        graph.stage(request.to)
    edge, unmet = _edge_for(graph, now.stage, request)
    unmet = [*_status_faults(request.kind, now.status), *unmet]
    if edge is not None:
        unmet += _checkpoint_faults(graph, edge, verdicts, overdue)
    unmet += reason_faults(request)
    on = request.occurred_on or PartialDate.of(today)
    unmet += date_faults(on, latest_of(history), today)
    if unmet or edge is None:
        raise CheckpointNotMet(_refusal(request, now, unmet), unmet=unmet)
    return Moved(edge.kind, now.stage, edge.target, now.status, status_after(graph, edge), on)


def possible_moves(
    graph: StageGraph,
    position: Position,
    verdicts: Mapping[str, Standing],
    *,
    last: Moved | None = None,
    overdue: Sequence[Overdue] = (),
) -> list[PossibleMove]:
    """Return every move the graph knows from a position, allowed or not, in the order of the kinds and the file.

    `last` is the move that led here: with it, the stages it may be corrected to are listed too, where no checkpoint
    stands against them; the stage before it stands for "the move never happened".
    """
    moves = []
    for edge in graph.edges_from(position.stage, *LEAVES):
        unmet = _status_faults(edge.kind, position.status)
        unmet += _checkpoint_faults(graph, edge, verdicts, overdue)
        moves.append(PossibleMove(edge.kind, edge.target, not unmet, tuple(unmet)))
    if last is not None:
        for to, missing in correction_targets(graph, last, verdicts):
            moves.append(PossibleMove(MoveKind.CORRECT, to, not missing, missing))
    order = list(MoveKind)
    return sorted(moves, key=lambda move: order.index(move.kind))


def _checkpoint_faults(
    graph: StageGraph, edge: Edge, verdicts: Mapping[str, Standing], overdue: Sequence[Overdue]
) -> list[Unmet]:
    unmet = list(unmet_checkpoints((graph.rules[code] for code in edge.requires), verdicts))
    return unmet + unmet_conditions(overdue) if edge.kind is MoveKind.ADVANCE else unmet


def _edge_for(graph: StageGraph, stage: str, request: MoveRequest) -> tuple[Edge | None, list[Unmet]]:
    edges = graph.edges_from(stage, request.kind)
    targets = [edge.target for edge in edges]
    wanted = request.to
    if wanted is None:
        wanted = stage if stage in targets else targets[0] if len(targets) == 1 else None
    if wanted in targets:
        return edges[targets.index(wanted)], []
    known = f"one of {', '.join(targets)}" if targets else f"a stage that knows {request.kind}"
    meant = f"from {stage} the graph knows no {request.kind}" + (f" to {wanted}" if wanted else " without a target")
    advice = f"; it leads to {', '.join(targets)}" if targets else ""
    return None, [Unmet("to", known, wanted, meant + advice)]


def _status_faults(kind: MoveKind, status: Status) -> list[Unmet]:
    if status in LEAVES[kind]:
        return []
    allowed = " or ".join(s.value for s in Status if s in LEAVES[kind])
    return [
        Unmet("status", allowed, status.value, f"{kind} is for a programme that is {allowed}; this one is {status}")
    ]


def _refusal(request: MoveRequest, now: Position, unmet: Sequence[Unmet]) -> str:
    where = f" to {request.to}" if request.to else ""
    return f"{request.kind}{where} is refused at {now.stage} ({now.status}): " + "; ".join(u.explanation for u in unmet)
