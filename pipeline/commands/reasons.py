"""Record why something stopped: a proposal, by the reason rules or a person, and its verification by somebody else.

A proposal is one record for each reason, one of them the main one. It can be replaced until it is verified. Verified
reasons stand: the main one becomes the reason of the move or study itself, which is what all reports count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Table, select

from pipeline.access import Permission
from pipeline.attrition.reason_proposal import FoundReason, Proposal, propose_reasons
from pipeline.attrition.reason_rules import PROPOSER
from pipeline.commands import handles
from pipeline.commands.texts import checked
from pipeline.errors import InputError, NotPermitted, PipelineError, StaleVersion, refuse
from pipeline.exchange import registry_status
from pipeline.store.journal import Act
from pipeline.store.study_tables import attrition_reasons
from pipeline.store.tables import programmes, studies, transitions
from pipeline.words import AttritionReason, EventKind, MoveKind

STOPS = (MoveKind.DISCONTINUE.value, MoveKind.HOLD.value)
STOPPED = tuple(status.value for status in registry_status.STOPPED)
COLUMNS = ("transition_id", "study_id", "reason", "main", "verbatim", "words", "proposed_by", "comment")


@dataclass(frozen=True, slots=True)
class ProposeReasons:
    """Propose why a programme (its transition) or a study stopped: `reasons`, the main one first, or by the rules.

    verbatim: the words of the source; those on record where left out.
    """

    transition: int | None = None
    study: int | None = None
    reasons: tuple[AttritionReason, ...] = ()
    verbatim: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ProposeMissingReasons:
    """Let the rules propose for every stop that has words and no proposal yet."""


@dataclass(frozen=True, slots=True)
class VerifyReason:
    """Say what the reason is that a record proposes; UNSPECIFIED for a further reason says that it is none."""

    record: int
    reason: AttritionReason
    comment: str | None = None
    expected_version: int | None = None


@handles(ProposeReasons, Permission.OPEN_PROGRAMME)
def propose(act: Act, command: ProposeReasons) -> Mapping[str, Any]:
    """Put a proposal on record, in the place of one that nobody has verified."""
    errors: list[PipelineError] = []
    verbatim = checked(command.verbatim, "verbatim", errors, longest=10_000)
    comment = checked(command.comment, "comment", errors, longest=2_000)
    refuse(errors)
    kind, id = _subject(command)
    row = act.find(_TABLES[kind], id)
    _refuse_unless_stopped(kind, row)
    before = act.current(attrition_reasons, attrition_reasons.c[f"{kind}_id"] == id)
    if done := [one for one in before if one["verified_by"] is not None]:
        raise InputError(
            f"its reasons were verified by {done[0]['verified_by']} on {done[0]['verified_at'][:10]}; "
            "to change one, verify it again with another reason and a comment",
            path=("input", kind),
        )
    for one in before:
        act.close(attrition_reasons, one)
    words = verbatim or row[_VERBATIM[kind]]
    if command.reasons:
        rows = _by_person(act, command.reasons, words, comment)
    elif words is None:
        raise InputError("there are no words to read; give verbatim, or reasons", path=("input", "verbatim"))
    else:
        rows = _by_rules(propose_reasons(words), words)
    ids = act.add_all(attrition_reasons, COLUMNS, [_tuple(kind, id, one) for one in rows])
    return {"first": ids.start, "count": len(ids), kind: id}


@handles(ProposeMissingReasons, Permission.IMPORT)
def propose_missing(act: Act, _command: ProposeMissingReasons) -> Mapping[str, Any]:
    """Propose by the rules for every move and study that stopped, has words, and has no proposal."""
    rows: list[tuple[Any, ...]] = []
    stops = 0
    for kind, table in _TABLES.items():
        words, stopped = _VERBATIM[kind], _STATE[kind]
        proposed = select(attrition_reasons.c[f"{kind}_id"]).where(
            attrition_reasons.c.until_act.is_(None), attrition_reasons.c[f"{kind}_id"].is_not(None)
        )
        waiting = select(table.c.id, table.c[words]).where(
            table.c.until_act.is_(None),
            table.c[words].is_not(None),
            table.c[stopped[0]].in_(stopped[1]),
            table.c.id.not_in(proposed),
        )
        for id, verbatim in act.connection.execute(waiting.order_by(table.c.id)):
            stops += 1
            rows += [_tuple(kind, id, one) for one in _by_rules(propose_reasons(verbatim), verbatim)]
    ids = act.add_all(attrition_reasons, COLUMNS, rows)
    return {"first": ids.start, "count": len(ids), "stops": stops}


@handles(VerifyReason, Permission.MOVE_PROGRAMME)
def verify(act: Act, command: VerifyReason) -> Mapping[str, Any]:
    """Verify one reason; where it is the main one, it becomes the reason of the move or study."""
    row = act.find(attrition_reasons, command.record)
    if command.expected_version not in (None, row["version"]):
        raise StaleVersion(
            f"the reason is at version {row['version']} and not {command.expected_version}; read it again",
            current=row["version"],
        )
    errors: list[PipelineError] = []
    comment = checked_verification(act, row, command.reason, command.comment, errors)
    refuse(errors)
    write_verification(act, row, command.reason, comment)
    return {"record": row["id"], _kind(row): row[f"{_kind(row)}_id"]}


def checked_verification(
    act: Act, row: Mapping[str, Any], reason: AttritionReason, comment: str | None, errors: list[PipelineError]
) -> str | None:
    """Note in `errors` why the actor cannot verify a record as this reason; return the comment, checked."""
    if row["proposed_by"] == act.actor.name:
        errors.append(
            NotPermitted(
                f"{act.actor.name} proposed this reason; somebody else has to verify it",
                permission=Permission.MOVE_PROGRAMME,
            )
        )
    stands = row["verified_reason"] or row["reason"]
    return checked(comment, "comment", errors, required=reason != stands, longest=2_000)


def write_verification(act: Act, row: Mapping[str, Any], reason: AttritionReason, comment: str | None) -> None:
    """Put a verification on record; that of a main reason becomes the reason of the move or study."""
    act.revise(
        attrition_reasons,
        row,
        {
            "verified_reason": reason.value,
            "verified_by": act.actor.name,
            "verified_at": act.recorded_at,
            "comment": comment or row["comment"],
        },
    )
    if row["main"]:
        _settle(act, _kind(row), row[f"{_kind(row)}_id"], reason, comment)


def _kind(row: Mapping[str, Any]) -> str:
    return "study" if row["transition_id"] is None else "transition"


def verified_reason(act: Act, study: int) -> str | None:
    """Return the verified main reason why a study stopped, None where there is none."""
    of = attrition_reasons.c
    rows = act.current(attrition_reasons, of.study_id == study, of.main, of.verified_reason.is_not(None))
    return rows[0]["verified_reason"] if rows else None


_TABLES: Mapping[str, Table] = {"transition": transitions, "study": studies}
_VERBATIM = {"transition": "reason_verbatim", "study": "why_stopped"}
_STATE = {"transition": ("kind", STOPS), "study": ("status", STOPPED)}


def _subject(command: ProposeReasons) -> tuple[str, int]:
    given = [
        (kind, id) for kind, id in (("transition", command.transition), ("study", command.study)) if id is not None
    ]
    if len(given) != 1:
        raise InputError("say what stopped: a transition or a study, one of the two", path=("input",))
    return given[0]


def _refuse_unless_stopped(kind: str, row: Mapping[str, Any]) -> None:
    column, stops = _STATE[kind]
    if row[column] not in stops and not (kind == "study" and row["why_stopped"]):
        raise InputError(
            f"this {kind} is no stop ({row[column]}); reasons are recorded for {', '.join(stops)}", path=("input", kind)
        )


def _by_person(
    act: Act, reasons: Sequence[AttritionReason], words: str | None, comment: str | None
) -> list[dict[str, Any]]:
    """Return the records of reasons a person gives, with the words the rules find for each."""
    named = list(dict.fromkeys(reasons))
    if AttritionReason.UNSPECIFIED in named and len(named) > 1:
        raise InputError("UNSPECIFIED says that nothing is known; it stands alone", path=("input", "reasons"))
    spoken = {one.reason: one for one in propose_reasons(words).found}
    return [
        _record(reason, at == 0, words, spoken.get(reason), act.actor.name, comment) for at, reason in enumerate(named)
    ]


def _by_rules(proposal: Proposal, words: str) -> list[dict[str, Any]]:
    """Return the records of what the rules propose."""
    if proposal.primary is not AttritionReason.UNSPECIFIED:
        return [_record(one.reason, at == 0, words, one, PROPOSER, None) for at, one in enumerate(proposal.found)]
    hint = proposal.hints[0] if proposal.hints else None
    first = _record(AttritionReason.UNSPECIFIED, True, words, hint, PROPOSER, f"cannot tell: {proposal.why}")
    return [first, *(_record(one.reason, False, words, one, PROPOSER, None) for one in proposal.found)]


def _record(
    reason: AttritionReason, main: bool, verbatim: str | None, found: FoundReason | None, by: str, comment: str | None
) -> dict[str, Any]:
    triggers = [] if found is None else list(dict.fromkeys(one.words for one in found.triggers))
    return {
        "reason": reason.value,
        "main": main,
        "verbatim": verbatim,
        "words": orjson.dumps(triggers).decode(),
        "proposed_by": by,
        "comment": comment,
    }


def _tuple(kind: str, id: int, record: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(id if name == f"{kind}_id" else record.get(name) for name in COLUMNS)


def _settle(act: Act, kind: str, id: int, reason: AttritionReason, comment: str | None) -> None:
    """Make a verified reason that of the move or study; the history tells where it was another."""
    row = act.find(_TABLES[kind], id)
    if row["reason"] == reason:
        return
    act.revise(_TABLES[kind], row, {"reason": reason.value})
    before = f" instead of {row['reason']}" if row["reason"] else ""
    summary = f"reason of the stop: {reason}{before}, verified"
    if kind == "study":
        act.event(EventKind.CORRECTED, summary, node="Study", node_id=id, reason_for_change=comment)
        return
    programme = act.find(programmes, row["programme_id"])
    act.event(
        EventKind.CORRECTED,
        summary,
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
        node="Transition",
        node_id=id,
        reason_for_change=comment,
    )
