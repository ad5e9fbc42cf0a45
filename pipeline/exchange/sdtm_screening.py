"""What has to hold for a row of any domain: a subject that is a pseudonym, something it is about, dates that exist."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.exchange.moments import Moment
from pipeline.exchange.reading import Quarantined
from pipeline.exchange.sdtm_rows import Outcome, Rows
from pipeline.exchange.sdtm_study import StudyView, personal


def screen(
    outcomes: list[Outcome],
    rows: Rows,
    study: StudyView,
    *,
    topic: str,
    topics: Sequence[str | None],
    moments: Sequence[tuple[str, Sequence[Moment]]] = (),
) -> list[Outcome]:
    """Put rows aside that lack a subject or what they are about, name a person, or have a date that does not exist.

    Args:
        outcomes: what was made of the rows; changed in place.
        rows: the rows.
        study: their study.
        topic: the variable that says what a row is about.
        topics: its texts.
        moments: (variable, what was read in it) for every date.
    """
    subjects, pools = rows.texts("USUBJID", "SUBJID"), rows.texts("POOLID")
    places = rows.places()
    refused = study.refused(subjects)
    if refused:
        for at, subject in enumerate(subjects):
            if subject in refused:
                outcomes[at] = personal(places[at], refused[subject])

    def put_aside(at: int, variable: str, value: str | None, why: str) -> None:
        known = outcomes[at]
        if not isinstance(known, Quarantined):
            outcomes[at] = Quarantined(places[at], variable, value, why)
        elif subjects[at] not in refused:
            outcomes[at] = known.also(variable, why)

    if None in subjects:
        for at, subject in enumerate(subjects):
            if subject is None and pools[at] is None:
                put_aside(at, "USUBJID", None, "the row names no subject and no pool; give USUBJID or POOLID")
    if None in topics:
        for at, about in enumerate(topics):
            if about is None:
                put_aside(at, topic, None, f"{topic} is empty; the row says nothing without it")
    for variable, read in moments:
        for at, moment in enumerate(read):
            if moment.error is not None:
                put_aside(at, variable, rows.texts(variable)[at], moment.error)
    return outcomes


def flagged(*columns: Sequence[str | None]) -> list[str | None]:
    """Return the notes of each row as one text."""
    return ["; ".join(note for note in notes if note) or None for notes in zip(*columns, strict=True)]


def notes_of(*moments: Sequence[Moment]) -> list[str | None]:
    """Return what was put right in the dates of each row."""
    return flagged(*([moment.note for moment in read] for read in moments))
