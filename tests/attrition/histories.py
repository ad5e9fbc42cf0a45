"""Histories written as plain moves, and portfolios in columns made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.attrition.portfolio import KINDS, REASONS, STATUSES, Coded, Portfolio, StageOf
from pipeline.attrition.review_times import number_of
from pipeline.stages.graph import default_graph

STAGES = tuple(StageOf(s.code, s.ordinal, s.initial, s.combines) for s in default_graph().stages)
CODES = [stage.code for stage in STAGES]


@dataclass(frozen=True)
class Move:
    """One move: what kind, to which stage and status, when (first and last day it can have been), why."""

    kind: str
    stage: str
    status: str
    day: int
    last_day: int | None = None
    reason: str | None = None

    @property
    def until(self) -> int:
        return self.day if self.last_day is None else self.last_day


def told(text: str) -> list[Move]:
    """Read moves written as `PHASE_1 2010-01-01; STOP 2011-03-01 TOX_CLINICAL`, `2010-01-01/2010-12-31` for a span."""
    moves: list[Move] = []
    for part in text.split(";"):
        what, when, *why = part.split()
        first, _, last = when.partition("/")
        days = (number_of(first), number_of(last) if last else None)
        stage = moves[-1].stage if moves else ""
        match what:
            case "STOP":
                move = Move("DISCONTINUE", stage, "DISCONTINUED", *days, reason=why[0] if why else None)
            case "HOLD":
                move = Move("HOLD", stage, "ON_HOLD", *days)
            case "STALL":
                move = Move("HOLD", stage, "STALLED", *days)
            case "RESUME":
                move = Move("RESUME", stage, "ACTIVE", *days)
            case "COMPLETE":
                move = Move("COMPLETE", stage, "COMPLETED", *days)
            case "RESTART":
                move = Move("RESTART", why[0] if why else stage, "ACTIVE", *days)
            case "WITHDRAWAL":
                move = Move("DISCONTINUE", "WITHDRAWAL", "DISCONTINUED", *days, reason=why[0] if why else None)
            case _:
                move = Move("ADVANCE", what, "ACTIVE", *days)
        moves.append(move)
    return moves


def portfolio(
    histories: Sequence[str | Sequence[Move]],
    *,
    groups: dict[str, Sequence[str]] | None = None,
    sighted: Sequence[int] = (),
    recorded: Sequence[str] | None = None,
) -> Portfolio:
    """Return a portfolio of histories; programmes are numbered from 1 and called P1, P2 and so on."""
    moves = [told(one) if isinstance(one, str) else list(one) for one in histories]
    flat = [move for one in moves for move in one]
    size = len(moves)
    seen = np.zeros(size, dtype=bool)
    seen[list(sighted)] = True
    return Portfolio(
        stages=STAGES,
        ids=np.arange(1, size + 1),
        molecule=np.arange(1, size + 1),
        names=tuple(f"P{number}" for number in range(1, size + 1)),
        groups={name: Coded.of(list(values)) for name, values in (groups or {}).items()},
        recorded=np.array([number_of(day) for day in recorded or ["2000-01-01"] * size], dtype=np.int64),
        sighted=seen,
        owner=np.array([place for place, one in enumerate(moves) for _ in one], dtype=np.int64),
        stage=np.array([CODES.index(move.stage) if move.stage in CODES else -1 for move in flat], dtype=np.int16),
        status=np.array([STATUSES.index(move.status) for move in flat], dtype=np.int16),
        kind=np.array([KINDS.index(move.kind) for move in flat], dtype=np.int16),
        reason=np.array([REASONS.index(m.reason) if m.reason else -1 for m in flat], dtype=np.int16),
        earliest=np.array([move.day for move in flat], dtype=np.int64),
        latest=np.array([move.until for move in flat], dtype=np.int64),
        record=np.zeros(len(flat), dtype=np.int64),
        words={},
    )
