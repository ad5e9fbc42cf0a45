"""Made-up ways of programmes along the default state graph, worked out once for a graph and then only dated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.errors import InputError
from pipeline.stages.graph import StageGraph
from pipeline.stages.moves import status_after
from pipeline.words import AttritionReason, EventKind, MoveKind, Status, Verdict

_A, _D, _H, _R = MoveKind.ADVANCE, MoveKind.DISCONTINUE, MoveKind.HOLD, MoveKind.RESUME
_TOX = (_A, "PRECLINICAL_TOXICOLOGY")
_CTA = (_A, "CTA")
_LIVES: tuple[tuple[tuple[MoveKind, str | None], ...], ...] = (
    (_TOX,),
    (_TOX, (_D, None)),
    (_TOX, _CTA, (_A, "PHASE_1")),
    (_TOX, _CTA, (_A, "PHASE_1_2"), (_D, None)),
    (_TOX, _CTA, (_A, "PHASE_1"), (_A, "PHASE_2"), (_A, "PHASE_3")),
    (_TOX, _CTA, (_D, None)),
    ((_H, None), (_R, None), _TOX),
    (_TOX, (_H, None)),
    (_TOX, _CTA, (_A, "PHASE_1"), (_A, "PHASE_2")),
)
"""What follows the entry: four transitions on average, the entry counted."""
_EVENT = {_A: EventKind.ADVANCED, _D: EventKind.DISCONTINUED, _H: EventKind.HELD, _R: EventKind.RESUMED}
_WHY = {_D: (AttritionReason.EFFICACY_LACK, "no activity at the highest dose"), _H: (AttritionReason.FUNDING, "funds")}


@dataclass(frozen=True, slots=True)
class Step:
    """One transition without its day.

    columns: of `transitions` from `kind` to `imported`. checkpoint: of `checkpoints` from `stage` to `recommendation`,
    for the one that let it pass. told: the kind of its event and the event's summary.
    """

    columns: tuple[Any, ...]
    reason: tuple[str | None, str | None]
    checkpoint: tuple[Any, ...] | None
    told: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Life:
    """A programme's way. entered: which step led to its present stage. pending: a checkpoint still to be decided."""

    steps: tuple[Step, ...]
    stage: str
    stage_ordinal: int
    status: str
    entered: int
    pending: tuple[Any, ...] | None


def lives_of(graph: StageGraph) -> tuple[Life, ...]:
    """Return the ways through a graph.

    Raises:
        InputError: the graph does not know one of the moves.
    """
    return tuple(_life(graph, moves) for moves in _LIVES)


def _life(graph: StageGraph, moves: Sequence[tuple[MoveKind, str | None]]) -> Life:
    stage, status = graph.initial, graph.initial.entry_status
    steps = [_step(_A, None, stage.code, None, status, None, "entered")]
    entered = 0
    for place, (kind, to) in enumerate(moves, 1):
        edge = next((e for e in graph.edges_from(stage.code, kind) if e.target == (to or stage.code)), None)
        if edge is None:
            raise InputError(
                f"the state graph in force knows no {kind} from {stage.code} to {to or stage.code}; "
                "generate into records that have the default graph"
            )
        after = status_after(graph, edge)
        passed = _checkpoint(graph, stage.code, edge.requires[0]) if edge.requires else None
        steps.append(_step(kind, stage.code, edge.target, status, after, passed, kind.value.lower()))
        if edge.target != stage.code:
            entered = place
        stage, status = graph.stage(edge.target), after
    onwards = [edge for edge in graph.advances_from(stage.code) if edge.requires]
    pending = _checkpoint(graph, stage.code, onwards[0].requires[-1]) if onwards and status is Status.ACTIVE else None
    return Life(tuple(steps), stage.code, stage.ordinal, status.value, entered, pending)


def _step(
    kind: MoveKind,
    source: str | None,
    target: str,
    before: Status | None,
    after: Status,
    checkpoint: tuple[Any, ...] | None,
    word: str,
) -> Step:
    reason = _WHY.get(kind)
    return Step(
        (kind.value, source, target, before and before.value, after.value, orjson.dumps([]).decode(), False),
        (None, None) if reason is None else (reason[0].value, reason[1]),
        checkpoint,
        (_EVENT[kind].value, f"{word.capitalize()} at {target}"),
    )


def _checkpoint(graph: StageGraph, stage: str, code: str) -> tuple[Any, ...]:
    rule = graph.rules[code]
    return stage, rule.kind.value, rule.code, rule.version, Verdict.GO.value
