"""Ask before a stop for lack of efficacy whether the mechanism was tested, and keep the answers with the stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pipeline.commands.texts import checked
from pipeline.errors import CheckpointNotMet, PipelineError, refuse
from pipeline.reports.inefficacy_evidence import what_records_say
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.stages.inefficacy import FOR_EFFICACY, Answer, Said, answered, is_conclusive
from pipeline.stages.moves import Moved
from pipeline.store.checkpoint_tables import inefficacy_answers
from pipeline.store.journal import Act
from pipeline.store.reader import Reader
from pipeline.words import AttritionReason, MoveKind, Shown


def ask(
    act: Act,
    programme: Mapping[str, Any],
    rules: Sequence[CheckpointRule],
    moved: Moved,
    reason: AttritionReason | None,
    said: Said,
) -> list[Answer]:
    """Return the answers for a stop for lack of efficacy; none for any other move.

    Raises:
        CheckpointNotMet: a question is not answered and the records do not tell, or what is said needs a justification.
    """
    if moved.kind is not MoveKind.DISCONTINUE or reason not in FOR_EFFICACY:
        return []
    errors: list[PipelineError] = []
    justification = checked(said.justification, "justification", errors, longest=10_000)
    refuse(errors)
    found = what_records_say(Reader(act.connection, act.actor, act.graphs), programme, rules)
    answers, unmet = answered(found, Said(said.answers, justification))
    if unmet:
        raise CheckpointNotMet(
            f"a stop for {reason} is refused until it is said whether the mechanism was tested: "
            + "; ".join(each.explanation for each in unmet),
            unmet=unmet,
            path=("input", "inefficacy"),
        )
    return answers


def note_of(answers: Sequence[Answer]) -> str:
    """Return what to mind about the stop: whether it is conclusive, and what is not shown."""
    if is_conclusive({each.question: each.answer for each in answers}):
        return "conclusive: exposure, target and function are shown"
    lacking = [each for each in answers if each.answer is not Shown.SHOWN]
    told = ", ".join(f"{each.question.replace('_', ' ').lower()} {_word(each.answer)}" for each in lacking)
    return f"inconclusive: {told}"


def _word(answer: Shown) -> str:
    return answer.value.replace("_", " ").lower()


def keep(act: Act, transition: int, answers: Sequence[Answer]) -> None:
    """Keep the answers with the stop."""
    columns = ("transition_id", "question", "answer", "found", "explanation", "records", "justification")
    rows = [
        (
            transition,
            each.question.value,
            each.answer.value,
            None if each.found is None else each.found.value,
            each.explanation,
            orjson.dumps([list(record) for record in each.records]).decode(),
            each.justification,
        )
        for each in answers
    ]
    act.add_all(inefficacy_answers, columns, rows)
