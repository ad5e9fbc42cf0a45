"""What moves are made of: where a programme stands, what is asked, what was done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.dates import PartialDate
from pipeline.errors import Unmet
from pipeline.stages.graph import Edge, StageGraph
from pipeline.words import AttritionReason, MoveKind, Status

LEAVES: dict[MoveKind, frozenset[Status]] = {
    MoveKind.ADVANCE: frozenset({Status.ACTIVE, Status.COMPLETED}),
    MoveKind.HOLD: frozenset({Status.ACTIVE, Status.STALLED}),
    MoveKind.RESUME: frozenset({Status.ON_HOLD, Status.STALLED}),
    MoveKind.DISCONTINUE: frozenset({Status.ACTIVE, Status.ON_HOLD, Status.STALLED, Status.COMPLETED}),
    MoveKind.COMPLETE: frozenset({Status.ACTIVE}),
    MoveKind.RESTART: frozenset({Status.DISCONTINUED, Status.COMPLETED}),
}
"""The statuses each kind of move may leave. A correction may mend an entry of any status."""

_STATUS_AFTER = {
    MoveKind.HOLD: Status.ON_HOLD,
    MoveKind.RESUME: Status.ACTIVE,
    MoveKind.DISCONTINUE: Status.DISCONTINUED,
    MoveKind.COMPLETE: Status.COMPLETED,
}

NEEDS_REASON = frozenset({MoveKind.HOLD, MoveKind.DISCONTINUE, MoveKind.RESTART, MoveKind.CORRECT})
"""The kinds that are refused without a reason."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a programme got, and where it stands there."""

    stage: str
    status: Status


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """A move somebody asks for.

    `to` may be left out where the graph knows one target only. `occurred_on` left out is today; for a correction it is
    the date the corrected entry keeps, and `to` left out says that the last move never happened.
    """

    kind: MoveKind
    to: str | None = None
    reason: AttritionReason | None = None
    reason_verbatim: str | None = None
    occurred_on: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """One transition of a history. The first has neither `from_stage` nor `from_status`.

    `skipped` are stages passed over on the way, known to no record. `imported` marks a transition taken from a source
    without asking the checkpoints; a live move always had them.
    """

    kind: MoveKind
    from_stage: str | None
    to_stage: str
    from_status: Status | None
    to_status: Status
    occurred_on: PartialDate
    skipped: tuple[str, ...] = ()
    imported: bool = False

    @property
    def position(self) -> Position:
        """Where the programme stands after it."""
        return Position(self.to_stage, self.to_status)


def replay(moves: Sequence[Moved]) -> Position | None:
    """Fold a history into the present position; None before the first move.

    Raises ValueError where a move does not begin where the one before it ended: such a history was tampered with.
    """
    now: Position | None = None
    for number, move in enumerate(moves, start=1):
        begins = None if move.from_stage is None or move.from_status is None else (move.from_stage, move.from_status)
        if begins != (None if now is None else (now.stage, now.status)):
            raise ValueError(f"move {number} begins at {begins}, but the history stands at {now}")
        now = move.position
    return now


def status_after(graph: StageGraph, edge: Edge) -> Status:
    """Return the status a programme has after taking an edge."""
    if edge.kind in _STATUS_AFTER and not edge.forward:
        return _STATUS_AFTER[edge.kind]
    return graph.stage(edge.target).entry_status


def onward(graph: StageGraph, now: Position, to: str, occurred_on: PartialDate) -> Moved | None:
    """Return the imported move to a stage ahead, near or far, or None when it is not ahead."""
    skipped = graph.reachable_by_advances(now.stage, to)
    if skipped is None:
        return None
    kinds = {edge.kind for edge in graph.edges if edge.target == to and edge.forward}
    direct = {edge.kind for edge in graph.edges_from(now.stage) if edge.target == to and edge.forward}
    kind = MoveKind.ADVANCE if MoveKind.ADVANCE in (direct or kinds) else MoveKind.DISCONTINUE
    after = graph.stage(to).entry_status
    return Moved(kind, now.stage, to, now.status, after, occurred_on, skipped, imported=True)


def latest_of(history: Iterable[Moved]) -> Moved | None:
    """Return the move that certainly happened last; None for no history."""
    return max(history, key=lambda move: move.occurred_on.earliest, default=None)


def date_faults(occurred_on: PartialDate, latest: Moved | None, today: date | None) -> list[Unmet]:
    """Return what is certainly wrong with a date: after today, or before the latest move so far.

    A partial date is only held to what it says: 2013 may lie before or after 2013-07-09, so it passes.
    """
    faults = []
    if today is not None and occurred_on.earliest > today.isoformat():
        faults.append(
            Unmet(
                "occurredOn",
                f"not after today, {today.isoformat()}",
                occurred_on.text,
                f"{occurred_on.text} lies in the future; record a move when it has happened",
            )
        )
    if latest is not None and occurred_on.latest < latest.occurred_on.earliest:
        faults.append(
            Unmet(
                "occurredOn",
                f"not before {latest.occurred_on.text}",
                occurred_on.text,
                f"{occurred_on.text} lies before the move to {latest.to_stage} ({latest.kind}) on "
                f"{latest.occurred_on.text}; check both dates, and correct the earlier entry if it is wrong",
            )
        )
    return faults


def reason_faults(request: MoveRequest) -> list[Unmet]:
    """Return what is missing where a kind of move needs its reason: a listed reason, or the decision's own words."""
    said = request.reason is not None or bool((request.reason_verbatim or "").strip())
    if said or request.kind not in NEEDS_REASON:
        return []
    explanation = f"{request.kind} needs a reason: give one of the listed reasons, or the words of the decision"
    return [Unmet("reason", "a reason", None, explanation)]
