"""Correcting a wrong entry. A correction is not a move: it mends the last transition of a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipeline.dates import PartialDate
from pipeline.errors import CheckpointNotMet, InputError, Unmet
from pipeline.stages.checkpoints import Standing, unmet_checkpoints
from pipeline.stages.graph import StageGraph
from pipeline.stages.moves import (
    Moved,
    MoveRequest,
    Position,
    date_faults,
    latest_of,
    onward,
    reason_faults,
    replay,
    status_after,
)
from pipeline.words import MoveKind


@dataclass(frozen=True, slots=True)
class Correction:
    """The transition at `index` of the history is replaced, or taken out when `replacement` is None."""

    index: int
    replacement: Moved | None

    def applied_to(self, history: Sequence[Moved]) -> list[Moved]:
        """Return the history as it reads after the correction."""
        mended = [] if self.replacement is None else [self.replacement]
        return [*history[: self.index], *mended, *history[self.index + 1 :]]


def correct(
    graph: StageGraph,
    history: Sequence[Moved],
    verdicts: Mapping[str, Standing],
    request: MoveRequest,
    *,
    today: date,
) -> Correction:
    """Return the correction of the last transition, or raise CheckpointNotMet with all that is unmet.

    What `request` says:
        `occurred_on` alone, or with the present stage: the last move is right but happened on that date;
        neither, or the stage before: the last move never happened (not for the first entry);
        another stage: the last move led there; its date is kept unless `occurred_on` gives another.

    The corrected history is again a path of the graph. A live advance is only corrected to an advance whose
    checkpoints pass, so that no correction goes round a checkpoint; an imported one to any stage ahead. The first
    entry may be corrected to any stage: what a programme brings along from elsewhere is declared, not assessed here.
    """
    if not history:
        raise InputError("there is no entry to correct; open the programme first")
    if request.kind is not MoveKind.CORRECT:
        raise InputError(f"{request.kind} is a move, not a correction", path=("kind",))
    if request.to is not None:
        graph.stage(request.to)
    *before, last = history
    unmet = [*_not_correctable(graph, last), *reason_faults(request)]
    replay(history)
    index = len(before)
    to = request.to
    if to is None and request.occurred_on is not None:
        to = last.to_stage  # whoever gives a day does not say that it never happened
    elif _strikes(last, request):
        if last.from_stage is None:
            unmet.append(_not_struck())
        return _unless(unmet, request, last, Correction(index, None))
    if to == last.to_stage:
        if request.occurred_on is None or request.occurred_on.text == last.occurred_on.text:
            unmet.append(_nothing_changes(last))
        mended: Moved | None = replace(last, occurred_on=request.occurred_on or last.occurred_on)
    else:
        mended = _led_elsewhere(graph, last, str(to), request.occurred_on or last.occurred_on)
        targets = dict(correction_targets(graph, last, verdicts))
        if mended is None:
            unmet.append(_no_such_target(last, str(to), list(targets)))
        unmet += targets.get(str(to), ())
    if mended is not None:
        unmet += date_faults(mended.occurred_on, latest_of(before), today)
    return _unless(unmet, request, last, Correction(index, mended))


def correction_targets(
    graph: StageGraph, last: Moved, verdicts: Mapping[str, Standing]
) -> list[tuple[str, tuple[Unmet, ...]]]:
    """Return each stage the last transition may be corrected to, with what is unmet; the stage before strikes it."""
    if _not_correctable(graph, last):
        return []
    if last.from_stage is None:
        return [(stage.code, ()) for stage in graph.stages if stage.code != last.to_stage]
    targets: list[tuple[str, tuple[Unmet, ...]]] = [(last.from_stage, ())]
    for stage in graph.stages:
        if stage.code in (last.to_stage, last.from_stage):
            continue
        if _led_elsewhere(graph, last, stage.code, last.occurred_on) is not None:
            edge = None if last.imported else graph.edge(last.kind, last.from_stage, stage.code)
            rules = [graph.rules[code] for code in edge.requires] if edge else []
            targets.append((stage.code, unmet_checkpoints(rules, verdicts)))
    return targets


def _strikes(last: Moved, request: MoveRequest) -> bool:
    if request.to is None:
        return True
    if request.to != last.from_stage:
        return False
    return last.from_stage != last.to_stage or request.occurred_on in (None, last.occurred_on)


def _led_elsewhere(graph: StageGraph, last: Moved, to: str, on: PartialDate) -> Moved | None:
    """Return the last move as it reads when it led to another stage, or None where the graph knows no such move."""
    if last.from_stage is None or last.from_status is None:
        return replace(last, to_stage=to, to_status=graph.stage(to).entry_status, occurred_on=on)
    if last.imported and last.from_stage != last.to_stage and last.kind is not MoveKind.RESTART:
        return onward(graph, Position(last.from_stage, last.from_status), to, on)
    edge = graph.edge(last.kind, last.from_stage, to)
    if edge is None:
        return None
    return replace(last, to_stage=to, to_status=status_after(graph, edge), occurred_on=on)


def _not_correctable(graph: StageGraph, last: Moved) -> list[Unmet]:
    if graph.edge(MoveKind.CORRECT, last.to_stage, last.to_stage) is not None:
        return []
    explanation = f"the graph does not let entries at {last.to_stage} be corrected"
    return [Unmet("to", "a stage whose entries may be corrected", last.to_stage, explanation)]


def _not_struck() -> Unmet:
    explanation = (
        "the first entry cannot be taken out, because a programme stands somewhere; name the right stage in to"
    )
    return Unmet("to", "the stage where the programme began", None, explanation)


def _nothing_changes(last: Moved) -> Unmet:
    explanation = f"the last entry already says {last.to_stage} on {last.occurred_on.text}; name another stage or date"
    return Unmet("to", "another stage or another date", last.to_stage, explanation)


def _no_such_target(last: Moved, to: str, targets: Sequence[str]) -> Unmet:
    came = f"{last.kind} from {last.from_stage}"
    explanation = f"{came} cannot have led to {to}; it may be corrected to {', '.join(targets) or 'no other stage'}"
    return Unmet("to", f"one of {', '.join(targets)}" if targets else "no other stage", to, explanation)


def _unless(unmet: Sequence[Unmet], request: MoveRequest, last: Moved, correction: Correction) -> Correction:
    if not unmet:
        return correction
    to = f" to {request.to}" if request.to else ""
    reasons = "; ".join(item.explanation for item in unmet)
    raise CheckpointNotMet(f"correcting {last.kind} at {last.to_stage}{to} is refused: {reasons}", unmet=unmet)
