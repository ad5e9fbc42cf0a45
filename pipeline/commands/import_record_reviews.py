"""What a person decides about a record of a study that was held: it is written as proposed, or with another value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.commands.alerts import Touched, watch
from pipeline.commands.import_record_kinds import NODES, RecordKind
from pipeline.errors import InputError
from pipeline.exchange.elapsed_times import iso_hours, worded_hours
from pipeline.exchange.moments import read_moment
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.written_numbers import read_number
from pipeline.exchange.written_units import unit_code
from pipeline.store.journal import Act
from pipeline.store.study_tables import subjects
from pipeline.store.tables import studies
from pipeline.words import EventKind, MonitoringState

_EVENTS = {"MonitoringRecord": EventKind.MONITORING_LOGGED, "AdverseEvent": EventKind.ADVERSE_EVENT}


def decide_record(
    act: Act, proposal: Mapping[str, Any], value: str | None, comment: str | None, item: Mapping[str, Any]
) -> int:
    """Write a held record and return its id.

    Args:
        act: the act of the decision.
        proposal: what the import proposed.
        value: what to take instead for the field in doubt; None takes what is proposed.
        comment: why.
        item: the item of the review list.

    Raises:
        InputError: the value cannot be read, the record stands already, or its subject is gone.
    """
    kind = NODES[proposal["node"]]
    row: dict[str, Any] = dict(proposal["row"])
    if value is not None:
        row |= _instead(proposal.get("field"), value)
    _check_subject(act, row)
    if "flag" in kind.table.c:
        row["flag"] = "; ".join(
            filter(None, (row.get("flag"), item["explanation"], _decided(value, act.actor.name), comment))
        )
    there = _standing(act, kind, proposal, row)
    if there is not None and "replaces" not in proposal and kind.names != ("code",):
        raise InputError(
            f"a record of this name stands already (id {there['id']}); decide REJECTED, or change that record by hand",
            path=("input", "status"),
        )
    if there is None:
        place = {"study_id": proposal["study"], "source_file": proposal.get("source"), "source_row": item["row"]}
        id = act.add(kind.table, place | row)
    else:
        id = int(there["id"])
        if kind.node == "MonitoringRecord" and there["state"] == MonitoringState.VERIFIED:
            row |= {"state": MonitoringState.REGISTERED.value, "verified_by": None}
        act.revise(kind.table, there, {name: given for name, given in row.items() if name in kind.table.c})
    _tell(act, kind, proposal, row, comment, revised=None if there is None else id)
    return id


def _decided(value: str | None, by: str) -> str:
    return f"taken as proposed by {by}" if value is None else f"decided as {value} by {by}"


def _standing(act: Act, kind: RecordKind, proposal: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the current record that is to be replaced, or that has the same name."""
    if "replaces" in proposal:
        return act.find(kind.table, int(proposal["replaces"]))
    names = list(kind.names) + [instead for empty, instead in kind.without if row.get(empty) is None]
    conditions = [
        kind.table.c[name].is_(None) if row.get(name) is None else kind.table.c[name] == row[name] for name in names
    ]
    found = act.current(kind.table, kind.table.c.study_id == proposal["study"], *conditions)
    return found[0] if found else None


def _check_subject(act: Act, row: Mapping[str, Any]) -> None:
    id = row.get("subject_id")
    if id is not None and act.find(subjects, int(id))["erased"]:
        raise InputError("the subject of this record was erased; decide REJECTED", path=("input", "status"))


def _instead(field: str | None, value: str) -> dict[str, Any]:
    """Read what a person gives in place of what was proposed."""
    if field == "concentration":
        return _concentration(value)
    if field == "hours_after_dose":
        bare = read_number(value).value
        hours = bare if bare is not None else iso_hours(value)
        hours = worded_hours(value).hours if hours is None else hours
        if hours is None:
            raise _unread(value, "hours after the dose, such as 0.5 or 30 min")
        return {"hours_after_dose": hours, "end_hours_after_dose": None, "time_source": "REVIEW"}
    if field == "unit":
        code = unit_code(value)
        if code is None:
            raise _unread(value, "a unit, such as ng/mL")
        return {"unit": code}
    if field in ("started_on", "ended_on"):
        moment = read_moment(value)
        if moment.text is None:
            raise _unread(value, "a date, such as 2024-03-09")
        return {field: moment.text}
    if field is None:
        raise InputError(
            "here one of several statements has to be chosen: decide ACCEPTED or REJECTED", path=("input", "status")
        )
    figure = read_number(value).value
    if figure is None:
        raise _unread(value, "a number, such as 12.5")
    return {field: figure}


def _concentration(value: str) -> dict[str, Any]:
    figure = read_number(value).value
    if figure is not None and figure >= 0:
        return {"concentration": figure, "below_limit": False}
    words = read_words(value)
    if words.kind is Kind.BELOW:
        return {"concentration": None, "below_limit": True}
    if words.kind is Kind.NOT_DONE:
        return {"concentration": None, "below_limit": False, "not_done": value}
    raise _unread(value, "a concentration: a number from 0 on, or BLQ")


def _unread(value: str, wanted: str) -> InputError:
    return InputError(f"{value[:60]!r} is not understood here; give {wanted}", path=("input", "value"))


def _tell(
    act: Act,
    kind: RecordKind,
    proposal: Mapping[str, Any],
    row: Mapping[str, Any],
    comment: str | None,
    *,
    revised: int | None,
) -> None:
    study = act.find(studies, int(proposal["study"]))
    what = "changed" if revised is not None else "taken"
    act.event(
        _EVENTS.get(kind.node, EventKind.IMPORTED),
        f"{study['code']}: one of the {kind.title} held for review was {what}",
        molecule_id=row.get("molecule_id"),
        node="Study",
        node_id=study["id"],
        reason_for_change=comment,
    )
    watch(
        act,
        Touched(
            frozenset({kind.node}),
            frozenset(id for id in (row.get("molecule_id"),) if id is not None),
            frozenset({study["id"]}),
            frozenset(id for id in (row.get("subject_id"),) if id is not None),
            None if revised is None else {kind.node: frozenset({revised})},
        ),
    )
