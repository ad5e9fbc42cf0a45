"""Raise alerts in the act that causes them, and answer for them.

`watch` is called by every command that writes records of studies, in the same act, after they are written. Its rules
look only at what the act wrote (rows of which `since_act` is this act) and at what one such row can change; each says
which matters stand, and `watch` decides what is new about them:

- a matter (`about`) that is not open becomes an alert, once;
- an open one that got worse is told again under the same alert, its message made anew;
- one that was answered for comes again only when it is worse, or rests on a record the answer could not know of;
- a corrected record that was the reason of an open alert does not close it: the message says what became of it.

A message never holds a pseudonym: it is read by people who may not see them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.texts import checked
from pipeline.errors import InputError, PipelineError, StaleVersion, refuse
from pipeline.pseudonyms import identifier_in
from pipeline.rounding import above, below
from pipeline.store.journal import Act
from pipeline.store.study_tables import administrations, alerts, monitoring_records
from pipeline.store.tables import programmes, study_molecules
from pipeline.words import AlertKind, EventKind

_AT_ONCE = 500
_LONGEST_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class Touched:
    """What an act wrote: kinds of records (by node name) and what they belong to.

    revised: node -> ids of records that were there before and were changed, excluded, retracted or taken back.
    all_records: what is judged by has changed, so that all records of the molecules are looked at, not only new ones.
    """

    kinds: frozenset[str]
    molecules: frozenset[int] = frozenset()
    studies: frozenset[int] = frozenset()
    subjects: frozenset[int] = frozenset()
    revised: Mapping[str, frozenset[int]] | None = None
    all_records: bool = False


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that has to be answered for. `about` is the same for the same matter, whoever finds it again.

    node, node_id: the record that shows it. molecule_id None: of all molecules the study develops.
    """

    kind: AlertKind
    about: str
    message: str
    node: str
    node_id: int
    value: float | None = None
    threshold: float | None = None
    unit: str | None = None
    molecule_id: int | None = None
    programme_id: int | None = None
    study_id: int | None = None
    subject_id: int | None = None


Rule = Callable[[Act, Touched], Iterable[Matter]]


def rules() -> Sequence[Rule]:
    """Return the rules, loaded when they are first needed."""
    from pipeline.commands.alert_rules import RULES

    return RULES


def watch(act: Act, touched: Touched) -> list[int]:
    """Look for what the act's records cross, and return the ids of the alerts that were raised or told again."""
    matters = [matter for rule in rules() for matter in rule(act, touched)]
    raised = raise_alerts(act, matters)
    _tell_what_became(act, touched, {matter.about for matter in matters})
    return raised


def raise_alerts(act: Act, matters: Sequence[Matter]) -> list[int]:
    """Raise what is new among the matters, or worse than it was; return the ids of the alerts concerned."""
    wanted = [each for matter in _worst(matters) for each in _for_molecules(act, matter)]
    before: dict[str, list[dict[str, Any]]] = {}
    keys = sorted({matter.about for matter in wanted})
    for first in range(0, len(keys), _AT_ONCE):
        statement = select(alerts).where(alerts.c.about.in_(keys[first : first + _AT_ONCE]))
        for row in act.connection.execute(statement.order_by(alerts.c.id, alerts.c.version)).mappings():
            before.setdefault(row["about"], []).append(dict(row))
    told: list[int] = []
    for matter in wanted:
        history = before.get(matter.about, [])
        current = history[-1] if history else None
        if current is None or _is_anew(matter, history):
            told.append(_raise(act, matter, again=current is not None))
        elif current["acknowledged_at"] is None and _is_worse(matter, current):
            changes = {"message": _short(matter.message), "value": matter.value, "threshold": matter.threshold}
            act.revise(alerts, current, changes | {"node": matter.node, "node_id": matter.node_id})
            _event(act, EventKind.ALERT_RAISED, f"Worse: {matter.message}", current)
            told.append(current["id"])
    return told


def _worst(matters: Sequence[Matter]) -> list[Matter]:
    """Return each matter once, as the worst of its records shows it."""
    found: dict[str, Matter] = {}
    for matter in matters:
        known = found.get(matter.about)
        if known is None or _is_worse(matter, {"value": known.value}):
            found[matter.about] = matter
    return list(found.values())


LOWER_IS_WORSE = frozenset({AlertKind.EXPOSURE_BELOW_TARGET, AlertKind.MARGIN_CROSSED, AlertKind.FUTILITY})


def _is_worse(matter: Matter, than: Mapping[str, Any]) -> bool:
    """Whether a matter lies further beyond its threshold. Below the limit of quantification is lower than any value."""
    value, other = matter.value, than["value"]
    if matter.kind in LOWER_IS_WORSE:
        return below(0.0 if value is None else value, 0.0 if other is None else other)
    return value is not None and other is not None and above(value, other)


def _is_anew(matter: Matter, history: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a matter that was answered for is worse now, or shown by a record that no answer was about."""
    current = history[-1]
    if current["acknowledged_at"] is None:
        return False
    seen = {(row["node"], row["node_id"]) for row in history}
    return (matter.node, matter.node_id) not in seen or _is_worse(matter, current)


def _for_molecules(act: Act, matter: Matter) -> list[Matter]:
    """Return a matter of a study once for each molecule it develops: a signal concerns the molecule.

    Those with a programme here, or the first the study names where none has one.
    """
    if matter.molecule_id is not None or matter.study_id is None:
        return [matter]
    named = _molecules_of(act, matter.study_id)
    developed = set(
        act.connection.execute(
            select(programmes.c.molecule_id).where(
                programmes.c.molecule_id.in_(named), programmes.c.until_act.is_(None)
            )
        ).scalars()
    )
    chosen = [molecule for molecule in named if molecule in developed] or named[:1]
    if not chosen:
        # An alert is about a molecule; where the study names none, the history at least tells of it.
        act.event(EventKind.ALERT_RAISED, _short(matter.message), node=matter.node, node_id=matter.node_id)
    return [replace(matter, molecule_id=molecule, about=f"{matter.about}:{molecule}") for molecule in chosen]


def _molecules_of(act: Act, study_id: int) -> list[int]:
    """Return the molecules a study gives: those it lists, else those that were administered or measured."""
    for table in (study_molecules, administrations, monitoring_records):
        statement = select(table.c.molecule_id).distinct()
        statement = statement.where(
            table.c.study_id == study_id, table.c.until_act.is_(None), table.c.molecule_id.is_not(None)
        )
        found = sorted(act.connection.execute(statement).scalars())
        if found:
            return found
    return []


def _raise(act: Act, matter: Matter, *, again: bool) -> int:
    row = {
        "kind": matter.kind.value,
        "about": matter.about,
        "molecule_id": matter.molecule_id,
        "programme_id": matter.programme_id,
        "study_id": matter.study_id,
        "subject_id": matter.subject_id,
        "message": _short(matter.message),
        "value": matter.value,
        "threshold": matter.threshold,
        "unit": matter.unit,
        "node": matter.node,
        "node_id": matter.node_id,
        "raised_at": act.recorded_at,
    }
    id = act.add(alerts, row)
    _event(act, EventKind.ALERT_RAISED, f"Again: {matter.message}" if again else matter.message, row | {"id": id})
    return id


def _tell_what_became(act: Act, touched: Touched, standing: set[str]) -> None:
    """Say in open alerts that the record they rest on was changed, and whether the reason still stands."""
    for node, ids in (touched.revised or {}).items():
        if not ids:
            continue
        resting = act.current(
            alerts, alerts.c.node == node, alerts.c.node_id.in_(sorted(ids)), alerts.c.acknowledged_at.is_(None)
        )
        for alert in resting:
            if alert["since_act"] == act.number:
                continue
            stands = any(about == alert["about"] or alert["about"].startswith(f"{about}:") for about in standing)
            became = "still crosses it" if stands else "no longer does: answer for the alert all the same"
            note = f"[{act.recorded_at[:10]}: the record was changed and {became}]"
            act.revise(alerts, alert, {"message": _short(f"{alert['message']} {note}")})


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"


def _event(act: Act, kind: EventKind, summary: str, alert: Mapping[str, Any], reason: str | None = None) -> None:
    act.event(
        kind,
        _short(summary),
        molecule_id=alert["molecule_id"],
        programme_id=alert["programme_id"],
        node="Alert",
        node_id=alert["id"],
        reason_for_change=reason,
    )


# ------------------------------------------------------------ answering


@dataclass(frozen=True, slots=True)
class AcknowledgeAlert:
    """Answer for an alert: somebody has seen it, and says what is done."""

    alert: int
    comment: str
    expected_version: int | None = None


@handles(AcknowledgeAlert, Permission.ANSWER_ALERTS)
def acknowledge_alert(act: Act, command: AcknowledgeAlert) -> Mapping[str, Any]:
    """Close an alert with a comment; an alert is answered for once."""
    alert = act.find(alerts, command.alert)
    errors: list[PipelineError] = []
    comment = checked(command.comment, "comment", errors, required=True, longest=2000)
    if comment is not None and (found := identifier_in(comment)) is not None:
        errors.append(InputError(f"the comment seems to hold {found}; leave it out", path=("input", "comment")))
    if alert["acknowledged_at"] is not None:
        errors.append(
            InputError(
                f"{alert['acknowledged_by']} answered for the alert on {alert['acknowledged_at'][:10]}",
                path=("input", "alert"),
            )
        )
    if command.expected_version is not None and command.expected_version != alert["version"]:
        errors.append(
            StaleVersion(
                f"the alert is at version {alert['version']}: it was told again since you read it; read it anew",
                current=alert["version"],
                path=("input", "expectedVersion"),
            )
        )
    refuse(errors)
    answer = {"acknowledged_by": act.actor.name, "acknowledged_at": act.recorded_at, "comment": comment}
    act.revise(alerts, alert, answer)
    _event(act, EventKind.ALERT_ACKNOWLEDGED, f"Answered for: {alert['message']}", alert, comment)
    return {"alert": alert["id"]}
