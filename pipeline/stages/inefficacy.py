"""What a stop for lack of efficacy has to say first: was the mechanism tested at all (three pillars; Morgan 2012).

Exposure reached, target engaged, function affected: only where all three are shown has the molecule, and not its
dose or its target, been found without effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import Unmet
from pipeline.words import AttritionReason, InefficacyQuestion, Shown

FOR_EFFICACY = frozenset({AttritionReason.EFFICACY_LACK, AttritionReason.EFFICACY_INFERIOR})
"""The reasons that are asked the three questions."""

ASKED: Mapping[InefficacyQuestion, str] = {
    InefficacyQuestion.EXPOSURE_REACHED: "was the target exposure reached",
    InefficacyQuestion.TARGET_ENGAGED: "was the target engaged",
    InefficacyQuestion.FUNCTION_AFFECTED: "was its function affected",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the records say to one question. `records`: (node, id, version) each."""

    answer: Shown
    explanation: str
    records: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says to the three; None leaves it to the records. One justification for whatever differs."""

    answers: Mapping[InefficacyQuestion, Shown]
    justification: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One question answered: by whom, and on what."""

    question: InefficacyQuestion
    answer: Shown
    found: Shown | None
    explanation: str
    records: tuple[tuple[str, int, int], ...]
    justification: str | None


def is_conclusive(answers: Mapping[InefficacyQuestion, Shown]) -> bool:
    """Whether the lack of efficacy is the molecule's: all three are shown."""
    return all(answers.get(question) is Shown.SHOWN for question in InefficacyQuestion)


def answered(found: Mapping[InefficacyQuestion, Found], said: Said) -> tuple[list[Answer], list[Unmet]]:
    """Return the answers, and what is still unmet.

    Unmet are questions nobody answers, and answers that say something the records do not, without a justification:
    that nothing was measured needs none where there are no records.
    """
    answers, unmet = [], []
    for question, asked in ASKED.items():
        told, record = said.answers.get(question), found.get(question)
        if told is None and record is None:
            unmet.append(
                Unmet(
                    question.value,
                    "SHOWN, NOT_SHOWN or NOT_MEASURED",
                    None,
                    f"{asked}? The records do not tell: answer {question.value} as SHOWN, NOT_SHOWN or NOT_MEASURED",
                )
            )
            continue
        answer = told or (record.answer if record else Shown.NOT_MEASURED)
        nothing = record is None and answer is Shown.NOT_MEASURED
        differs = not nothing and (record is None or record.answer is not answer)
        if differs and not said.justification:
            says = "nothing" if record is None else f"{record.answer} ({record.explanation})"
            unmet.append(
                Unmet(
                    question.value,
                    "a justification",
                    None,
                    f"{asked}? {answer} is answered and the records say {says}: give a justification",
                )
            )
            continue
        answers.append(
            Answer(
                question,
                answer,
                None if record is None else record.answer,
                "nothing on record" if record is None else record.explanation,
                () if record is None else record.records,
                said.justification if differs else None,
            )
        )
    return answers, unmet
