"""Decide on an item of the review list: do what is proposed, do something else, or leave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.programmes import MoveProgramme, move_programme
from pipeline.commands.texts import checked
from pipeline.dates import PartialDate
from pipeline.errors import InputError, NotPermitted, PipelineError, refuse
from pipeline.store.journal import Act
from pipeline.store.tables import programmes, review_items
from pipeline.words import MoveKind, ReviewStatus


@dataclass(frozen=True, slots=True)
class DecideReview:
    """ACCEPTED does what is proposed, CHANGED does it with `value` in its place, REJECTED does nothing."""

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
        errors.append(
            InputError(
                "nothing can be done by itself here: mend the source and import it again, then decide REJECTED",
                path=("input", "status"),
            )
        )
    refuse(errors)
    if command.status is not ReviewStatus.REJECTED:
        assert proposal is not None
        _do(act, proposal, value if command.status is ReviewStatus.CHANGED else None, comment, item)
    act.revise(
        review_items,
        item,
        {
            "status": command.status.value,
            "decided_by": act.actor.name,
            "decided_at": act.recorded_at,
            "comment": comment,
        },
    )
    return {"item": item["id"]}


def _do(act: Act, proposal: Mapping[str, Any], value: str | None, comment: str | None, item: Mapping[str, Any]) -> None:
    """Correct the last entry of a programme as proposed."""
    if proposal.get("kind") != "correct" or "programme" not in proposal:
        raise InputError("the proposal cannot be done by itself; make the change by hand, then decide REJECTED")
    if Permission.MOVE_PROGRAMME not in act.actor.permissions:
        raise NotPermitted(
            f"{act.actor.name} may not {Permission.MOVE_PROGRAMME}; ask a programme lead to decide this item",
            permission=Permission.MOVE_PROGRAMME,
        )
    programme = act.find(programmes, int(proposal["programme"]))
    occurred_on = proposal.get("occurred_on")
    move_programme(
        act,
        MoveProgramme(
            programme=programme["id"],
            kind=MoveKind.CORRECT,
            expected_version=programme["version"],
            to=value or str(proposal["to"]),
            reason_verbatim=comment or f"{item['explanation']} ({item['file']}, row {item['row']})",
            occurred_on=PartialDate.parse(occurred_on) if occurred_on else None,
        ),
    )
