"""Decide on an item of the review list: do what is proposed, do something else, or leave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.import_record_proposals import RECORD
from pipeline.commands.import_record_reviews import decide_record
from pipeline.commands.import_sources import Sources
from pipeline.commands.imports import take_in
from pipeline.commands.programmes import MoveProgramme, latest_day, move_programme
from pipeline.commands.texts import checked
from pipeline.dates import PartialDate
from pipeline.errors import InputError, NotPermitted, PipelineError, refuse
from pipeline.exchange.portfolio import read_row
from pipeline.exchange.reading import Place, Reading
from pipeline.store.journal import Act
from pipeline.store.tables import programmes, review_items, source_files, transitions
from pipeline.words import MoveKind, ReviewStatus


@dataclass(frozen=True, slots=True)
class DecideReview:
    """ACCEPTED does what is proposed, CHANGED does it with `value` in its place, REJECTED does nothing.

    `value` is a stage, or a date where the proposal is about one; for a record of a study what is in doubt in it: a
    concentration (a number or BLQ), hours after the dose, a unit, a date.
    """

    item: int
    status: ReviewStatus
    value: str | None = None
    comment: str | None = None


@handles(DecideReview, Permission.IMPORT)
def decide_review(act: Act, command: DecideReview) -> Mapping[str, Any]:
    """Decide once; what is done is done in the same act."""
    item = act.find(review_items, command.item)
    errors: list[PipelineError] = []
    comment = checked(command.comment, "comment", errors, longest=2000)
    value = checked(command.value, "value", errors)
    if item["status"] != ReviewStatus.OPEN:
        errors.append(InputError(f"the item was decided {item['status']} by {item['decided_by']}", path=("input",)))
    if command.status is ReviewStatus.OPEN:
        errors.append(InputError("decide ACCEPTED, CHANGED or REJECTED", path=("input", "status")))
    if command.status is ReviewStatus.CHANGED and value is None:
        errors.append(InputError("CHANGED needs the value to take instead", path=("input", "value")))
    proposal = None if item["proposal"] is None else orjson.loads(item["proposal"])
    if command.status in (ReviewStatus.ACCEPTED, ReviewStatus.CHANGED) and proposal is None:
        errors.append(_by_hand())
    refuse(errors)
    if command.status is not ReviewStatus.REJECTED and proposal is not None:
        instead = value if command.status is ReviewStatus.CHANGED else None
        if proposal.get("kind") == "correct":
            _correct(act, proposal, instead, comment, item)
        elif proposal.get("kind") == "enter" and "row" in proposal:
            _enter(act, proposal, instead, comment, item)
        elif proposal.get("kind") == RECORD:
            decide_record(act, proposal, instead, comment, item)
        else:
            raise _by_hand()
    decision = {"status": command.status.value, "decided_by": act.actor.name, "decided_at": act.recorded_at}
    act.revise(review_items, item, decision | {"comment": comment})
    return {"item": item["id"]}


def _by_hand() -> InputError:
    return InputError(
        "nothing can be done by itself here: mend the source and import it again, or make the change by hand, "
        "then decide REJECTED",
        path=("input", "status"),
    )


def _correct(
    act: Act, proposal: Mapping[str, Any], value: str | None, comment: str | None, item: Mapping[str, Any]
) -> None:
    """Correct the last entry of a programme, if it is still the one the proposal is about."""
    if "programme" not in proposal:
        raise _by_hand()
    if Permission.MOVE_PROGRAMME not in act.actor.permissions:
        raise NotPermitted(
            f"{act.actor.name} may not {Permission.MOVE_PROGRAMME}; ask a programme lead to decide this item",
            permission=Permission.MOVE_PROGRAMME,
        )
    programme = act.find(programmes, int(proposal["programme"]))
    last = act.current(
        transitions, transitions.c.programme_id == programme["id"], order_by=[transitions.c.position.desc()]
    )[0]
    meant, stands = (
        (proposal["from_stage"], proposal["from_date"]),
        (last["to_stage"], last["occurred_on"]),
    )
    if meant != stands:
        raise InputError(
            f"the proposal corrects {meant[0]} on {meant[1]}, but the last entry is now {stands[0]} on {stands[1]}, "
            "and only the last entry can be corrected; look at the programme, then decide REJECTED",
            path=("input", "item"),
        )
    day = _date(value)
    occurred_on = day or (PartialDate.parse(proposal["occurred_on"]) if proposal.get("occurred_on") else None)
    move_programme(
        act,
        MoveProgramme(
            programme=programme["id"],
            kind=MoveKind.CORRECT,
            expected_version=programme["version"],
            to=value if value and not day else str(proposal["to"]),
            reason_verbatim=comment or f"{item['explanation']} ({item['file']}, row {item['row']})",
            occurred_on=occurred_on,
        ),
    )


def _enter(
    act: Act, proposal: Mapping[str, Any], value: str | None, comment: str | None, item: Mapping[str, Any]
) -> None:
    """Take in all that a row says, now that the date that was in doubt is decided."""
    text = value or proposal.get("occurred_on")
    if not text:
        choices = " or ".join(proposal.get("choices") or ()) or "the date"
        raise InputError(f"say which date it is: decide CHANGED with {choices} as the value", path=("input", "value"))
    graph = act.graphs.in_force(act.connection)[1]
    row = {**proposal["row"], str(proposal["column"]): str(text)}
    stages = {stage.code: stage.name for stage in graph.stages}
    reading = read_row(row, Place(item["file"], item["row"]), stages, today=latest_day(act.recorded_at))
    _refuse_unfit(reading)
    for fact in reading.programmes:
        fact.entries[-1].note = "; ".join(filter(None, (fact.entries[-1].note, comment))) or None
    kept = act.connection.execute(
        source_files.select()
        .with_only_columns(source_files.c.id)
        .where(source_files.c.name == item["file"])
        .order_by(source_files.c.id.desc())
    ).scalar()
    sources = Sources({} if kept is None else {item["file"]: kept})
    take_in(act, reading, source=f"the review of {item['file']}", sources=sources)
    _refuse_unfit(reading)


def _refuse_unfit(reading: Reading) -> None:
    unfit = [*(found.reason for found in reading.quarantined), *(found.explanation for found in reading.held)]
    if unfit:
        raise InputError(f"the row cannot be entered so: {unfit[0]}", path=("input", "value"))


def _date(value: str | None) -> PartialDate | None:
    """Return the date a value is, None where it is none."""
    try:
        return None if value is None else PartialDate.parse(value)
    except InputError:
        return None
