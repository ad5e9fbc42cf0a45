"""Whether the mechanism was tested when a programme stopped for lack of efficacy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import graphene
import orjson
from sqlalchemy import select

from pipeline import words
from pipeline.stages.inefficacy import Said, is_conclusive
from pipeline.store.checkpoint_tables import inefficacy_answers
from pipeline.store.nodes import among, visible
from pipeline.store.reader import Reader
from schema.reading import given
from schema.words import InefficacyQuestion, Shown


class SeenRecord(graphene.ObjectType):
    """A record version an answer rests on."""

    kind = given(graphene.String, required=True, description="What kind of record.")
    number = given(graphene.Int, required=True, description="Its number.")
    version = given(graphene.Int, required=True, description="The version that was seen.")


class InefficacyAnswer(graphene.ObjectType):
    """One of the three questions, answered."""

    question = given(InefficacyQuestion, required=True, description="What was asked.")
    answer = given(Shown, required=True, description="What is known of it.")
    found = given(Shown, description="What the records said; null where they said nothing.")
    explanation = given(graphene.String, required=True, description="What the records say, in words.")
    justification = given(graphene.String, description="Why the answer is another than the records give.")
    records = given(graphene.List(graphene.NonNull(SeenRecord)), required=True, description="The records it rests on.")


class Inefficacy(graphene.ObjectType):
    """Whether a lack of efficacy is the molecule's, or its mechanism was not tested."""

    conclusive = given(
        graphene.Boolean, required=True, description="True where exposure, target and function are all shown."
    )
    answers = given(
        graphene.List(graphene.NonNull(InefficacyAnswer)), required=True, description="The three questions, answered."
    )


class InefficacyInput(graphene.InputObjectType):
    """What is known of the mechanism; what is left out is taken from the records."""

    exposure_reached = Shown(description="Whether the target exposure was reached.")
    target_engaged = Shown(description="Whether the target was engaged.")
    function_affected = Shown(description="Whether the function of the target was affected.")
    justification = graphene.String(description="Asked for where an answer is another than the records give.")


def said_of(input: Any) -> Said | None:
    """Return what an input says."""
    if input is None:
        return None
    told = {question: input.get(question.value.lower()) for question in words.InefficacyQuestion}
    return Said(
        {question: answer for question, answer in told.items() if answer is not None}, input.get("justification")
    )


def inefficacies(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[dict[str, Any] | None]:
    """Return the answers kept with transitions, in their order; one statement."""
    table = inefficacy_answers
    statement = select(table).where(
        visible(table, reader.view), among(table.c.transition_id, sorted({row["id"] for row in rows}))
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in reader.connection.execute(statement.order_by(table.c.id)).mappings():
        records = [dict(zip(("kind", "number", "version"), one, strict=True)) for one in orjson.loads(row["records"])]
        shown = {name: row[name] for name in ("question", "answer", "found", "explanation", "justification")}
        found[row["transition_id"]].append(shown | {"records": records})
    return [_shown(found[row["id"]]) if row["id"] in found else None for row in rows]


def _shown(answers: list[dict[str, Any]]) -> dict[str, Any]:
    told = {words.InefficacyQuestion(each["question"]): words.Shown(each["answer"]) for each in answers}
    return {"conclusive": is_conclusive(told), "answers": answers}
