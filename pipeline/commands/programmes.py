"""Open programmes, branch them by indication, move them, and mend what was entered wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.inefficacy import ask, keep, note_of
from pipeline.commands.texts import checked
from pipeline.dates import PartialDate
from pipeline.errors import Conflict, InputError, PipelineError, StaleVersion, refuse
from pipeline.names import fold
from pipeline.stages.inefficacy import Said
from pipeline.stages.rules import Moved, MoveRequest, correct, decide_move, enter, replay
from pipeline.store.journal import Act
from pipeline.store.questions import overdue_conditions, verdicts_in_force
from pipeline.store.selection import View
from pipeline.store.tables import checkpoints, events, molecules, programmes, transitions
from pipeline.words import AttritionReason, EventKind, MoveKind, Status

EVENT_OF = {
    MoveKind.ADVANCE: EventKind.ADVANCED,
    MoveKind.HOLD: EventKind.HELD,
    MoveKind.RESUME: EventKind.RESUMED,
    MoveKind.DISCONTINUE: EventKind.DISCONTINUED,
    MoveKind.RESTART: EventKind.RESTARTED,
    MoveKind.COMPLETE: EventKind.COMPLETED,
    MoveKind.CORRECT: EventKind.CORRECTED,
}


@dataclass(frozen=True, slots=True)
class OpenProgramme:
    """Develop a molecule for one more indication, from the start or branching from a programme under way."""

    molecule: int
    indication: str
    disease_group: str | None = None
    biomarker: str | None = None
    branch_from: int | None = None


@dataclass(frozen=True, slots=True)
class MoveProgramme:
    """Move a programme, or (CORRECT) mend its last entry."""

    programme: int
    kind: MoveKind
    expected_version: int
    to: str | None = None
    reason: AttritionReason | None = None
    reason_verbatim: str | None = None
    occurred_on: PartialDate | None = None
    inefficacy: Said | None = None
    """What is said to the three questions a stop for lack of efficacy is asked."""


def indication_key(indication: str | None) -> str:
    """Return the key under which two spellings are one indication; empty for the open trunk."""
    return fold(indication) if indication else ""


@handles(OpenProgramme, Permission.OPEN_PROGRAMME)
def open_programme_command(act: Act, command: OpenProgramme) -> Mapping[str, Any]:
    """Open a programme; the one that exists for the indication is handed back in the Conflict."""
    molecule = act.find(molecules, command.molecule)
    errors: list[PipelineError] = []
    if molecule["merged_into"] is not None:
        kept = act.find(molecules, molecule["merged_into"])
        errors.append(
            InputError(
                f"{molecule['code']} was merged into {kept['code']}; open the programme there",
                path=("input", "molecule"),
            )
        )
    checked(command.indication, "indication", errors, required=True)
    refuse(errors)
    programme = open_programme(
        act,
        molecule_id=molecule["id"],
        molecule_name=molecule["name"],
        indication=command.indication,
        disease_group=command.disease_group,
        biomarker=command.biomarker,
        branch_from=command.branch_from,
    )
    return {"programme": programme}


def open_programme(
    act: Act,
    *,
    molecule_id: int,
    molecule_name: str,
    indication: str | None,
    disease_group: str | None,
    biomarker: str | None,
    branch_from: int | None = None,
) -> int:
    """Record a programme and its first transition, and return its id."""
    errors: list[PipelineError] = []
    indication = checked(indication, "indication", errors)
    disease_group = checked(disease_group, "diseaseGroup", errors)
    biomarker = checked(biomarker, "biomarker", errors)
    key = indication_key(indication)
    if indication and not key:
        errors.append(InputError("indication has neither letter nor digit; name a disease", path=("input",)))
    for row in act.current(programmes, programmes.c.molecule_id == molecule_id, programmes.c.indication_key == key):
        errors.append(
            Conflict(
                f"{molecule_name} has a programme for {indication or 'an open indication'} already; move that one",
                node="Programme",
                id=row["id"],
                path=("input", "indication"),
            )
        )
    graph_id, graph = act.graphs.in_force(act.connection)
    stage = None
    if branch_from is not None:
        trunk = act.find(programmes, branch_from)
        if trunk["molecule_id"] != molecule_id:
            errors.append(
                InputError("a programme branches from one of the same molecule", path=("input", "branchFrom"))
            )
        if trunk["status"] != Status.ACTIVE:
            errors.append(
                InputError(
                    f"a programme branches from one that is ACTIVE; this one is {trunk['status']}",
                    path=("input", "branchFrom"),
                )
            )
        graph_id, graph = trunk["graph_id"], act.graphs.of(act.connection, trunk["graph_id"])
        stage = trunk["stage"]
    refuse(errors)
    today = PartialDate.parse(act.recorded_at[:10])
    first = enter(graph, today=latest_day(act.recorded_at), stage=stage, occurred_on=today)
    id = act.add(
        programmes,
        {
            "molecule_id": molecule_id,
            "indication": indication,
            "indication_key": key,
            "disease_group": disease_group,
            "biomarker": biomarker,
            "graph_id": graph_id,
            "branched_from": branch_from,
            **position_columns(act, graph_id, [first]),
        },
    )
    add_transitions(act, id, graph_id, 1, [(first, {})])
    act.event(
        EventKind.REGISTERED,
        f"{molecule_name}: programme for {indication or 'an indication still open'} opened at {first.to_stage}",
        molecule_id=molecule_id,
        programme_id=id,
        node="Programme",
        node_id=id,
        occurred_on=first.occurred_on,
    )
    return id


def latest_day(recorded_at: str) -> date:
    """Return the latest calendar day it can be anywhere at an instant: nobody's today lies in the future."""
    return (datetime.fromisoformat(recorded_at) + timedelta(hours=14)).date()


def position_columns(act: Act, graph_id: int, moves: Sequence[Moved]) -> dict[str, Any]:
    """Return where a history leaves a programme, as columns of `programmes`."""
    position = replay(moves)
    assert position is not None
    entered = next(m for m in reversed(moves) if m.from_stage != m.to_stage)
    return {
        "stage": position.stage,
        "stage_ordinal": act.graphs.of(act.connection, graph_id).stage(position.stage).ordinal,
        "status": position.status.value,
        "stage_since": entered.occurred_on.earliest,
        "stage_since_reported": entered.occurred_on.text,
    }


def transition_columns(moved: Moved) -> dict[str, Any]:
    """Return a move as columns of `transitions`."""
    return {
        "kind": moved.kind.value,
        "from_stage": moved.from_stage,
        "to_stage": moved.to_stage,
        "from_status": None if moved.from_status is None else moved.from_status.value,
        "to_status": moved.to_status.value,
        "skipped": orjson.dumps(list(moved.skipped)).decode(),
        "imported": moved.imported,
        "occurred_on": moved.occurred_on.text,
        "occurred_from": moved.occurred_on.earliest,
        "occurred_to": moved.occurred_on.latest,
    }


_MORE = ("reason", "reason_verbatim", "note", "checkpoint_id", "source_file", "source_row")


Told = tuple[Moved, Mapping[str, Any]]
"""A move with its reason, note and source."""


def add_transitions(act: Act, programme_id: int, graph_id: int, first_position: int, moves: Sequence[Told]) -> range:
    """Append moves to a programme's history and return the transitions' ids."""
    return add_histories(act, [(programme_id, graph_id, first_position, moves)])


def add_histories(act: Act, histories: Sequence[tuple[int, int, int, Sequence[Told]]]) -> range:
    """Append moves to many histories, given as (programme, graph, first position, moves); return the ids in order."""
    rows = [
        (programme, graph, place, *transition_columns(moved).values(), *(more.get(name) for name in _MORE))
        for programme, graph, first, moves in histories
        for place, (moved, more) in enumerate(moves, start=first)
    ]
    made = next((moved for *_, moves in histories for moved, _ in moves), None)
    columns = ("programme_id", "graph_id", "position", *(transition_columns(made) if made else ()), *_MORE)
    return act.add_all(transitions, columns, rows)


def as_moved(row: Mapping[str, Any]) -> Moved:
    """Return a recorded transition as the rules see it."""
    return Moved(
        kind=MoveKind(row["kind"]),
        from_stage=row["from_stage"],
        to_stage=row["to_stage"],
        from_status=None if row["from_status"] is None else Status(row["from_status"]),
        to_status=Status(row["to_status"]),
        occurred_on=PartialDate(row["occurred_on"], row["occurred_from"], row["occurred_to"]),
        skipped=tuple(orjson.loads(row["skipped"])),
        imported=bool(row["imported"]),
    )


@handles(MoveProgramme, Permission.MOVE_PROGRAMME)
def move_programme(act: Act, command: MoveProgramme) -> Mapping[str, Any]:
    """Move a programme along its graph, or refuse with everything that is unmet."""
    programme = act.find(programmes, command.programme)
    errors: list[PipelineError] = []
    verbatim = checked(command.reason_verbatim, "reasonVerbatim", errors, longest=10_000)
    if programme["version"] != command.expected_version:
        errors.append(
            StaleVersion(
                f"the programme is at version {programme['version']}, not {command.expected_version}; "
                "read it again and decide anew",
                current=programme["version"],
                path=("input", "expectedVersion"),
            )
        )
    refuse(errors)
    rows = act.current(transitions, transitions.c.programme_id == programme["id"], order_by=[transitions.c.position])
    history = [as_moved(row) for row in rows]
    held = act.current(checkpoints, checkpoints.c.programme_id == programme["id"])
    graph = act.graphs.of(act.connection, programme["graph_id"])
    today = latest_day(act.recorded_at)
    # A correction without a date keeps the one it mends; a move without one happened on the day it is recorded.
    recorded = None if command.kind is MoveKind.CORRECT else PartialDate.parse(act.recorded_at[:10])
    request = MoveRequest(command.kind, command.to, command.reason, verbatim, command.occurred_on or recorded)
    more = {"reason": None if command.reason is None else command.reason.value, "reason_verbatim": verbatim}
    if command.kind is MoveKind.CORRECT:
        passed = verdicts_in_force(act.connection, [programme["id"]], View(), before_last=True)
        mended = correct(graph, history, passed[programme["id"]], request, today=today)
        return _correct(act, programme, rows, history, mended.index, mended.replacement, more)
    happened = None if command.occurred_on is None else command.occurred_on.latest
    verdicts = verdicts_in_force(act.connection, [programme["id"]], View(), by=happened)
    overdue = overdue_conditions(act.connection, [programme["id"]], View(), happened or act.recorded_at[:10])
    moved = decide_move(
        graph, history, verdicts[programme["id"]], request, today=today, overdue=overdue[programme["id"]]
    )
    answers = ask(act, programme, tuple(graph.rules.values()), moved, command.reason, command.inefficacy or Said({}))
    done = _append(act, programme, history, moved, more | ({"note": note_of(answers)} if answers else {}), held)
    keep(act, done["transition"], answers)
    return done


def _append(
    act: Act,
    programme: Mapping[str, Any],
    history: list[Moved],
    moved: Moved,
    more: dict[str, Any],
    held: Sequence[Mapping[str, Any]],
) -> Mapping[str, Any]:
    passed = [row["id"] for row in held if row["stage"] == programme["stage"] and row["verdict"] is not None]
    if moved.kind is MoveKind.ADVANCE and passed:
        more["checkpoint_id"] = passed[-1]
    position = len(history) + 1
    ids = add_transitions(act, programme["id"], programme["graph_id"], position, [(moved, more)])
    version = act.revise(programmes, programme, position_columns(act, programme["graph_id"], [*history, moved]))
    tell_move(act, programme, ids.start, moved, more)
    return {"programme": programme["id"], "transition": ids.start, "version": version}


def summary_of(moved: Moved) -> str:
    """Return a move as the history tells it."""
    if moved.from_stage is None:
        return f"Entered at {moved.to_stage}"
    if moved.from_stage == moved.to_stage:
        return f"{EVENT_OF[moved.kind].value.capitalize()} at {moved.to_stage}"
    passed = f", passing over {', '.join(moved.skipped)}" if moved.skipped else ""
    return f"{EVENT_OF[moved.kind].value.capitalize()} from {moved.from_stage} to {moved.to_stage}{passed}"


def tell_move(
    act: Act, programme: Mapping[str, Any], transition_id: int, moved: Moved, more: Mapping[str, Any]
) -> None:
    """Tell the history of a move."""
    act.event(
        EVENT_OF[moved.kind],
        summary_of(moved),
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
        node="Transition",
        node_id=transition_id,
        occurred_on=moved.occurred_on,
        reason_for_change=more.get("reason_verbatim") or more.get("reason"),
    )


def _correct(
    act: Act,
    programme: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    history: list[Moved],
    index: int,
    replacement: Moved | None,
    more: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Mend one entry: its row is replaced or closed, the event that told of it too, and what was mended is told."""
    wrong = rows[index]
    told = act.current(events, events.c.node == "Transition", events.c.node_id == wrong["id"])
    if replacement is None:
        act.close(transitions, wrong)
        for event in told:
            act.close(events, event)
    else:
        act.revise(transitions, wrong, transition_columns(replacement))
        for event in told:
            if event["kind"] != EventKind.CORRECTED:
                act.revise(
                    events,
                    event,
                    {
                        "kind": EVENT_OF[replacement.kind].value,
                        "summary": summary_of(replacement),
                        "occurred_on": replacement.occurred_on.text,
                        "sorted_on": replacement.occurred_on.earliest,
                    },
                )
    mended = [*history[:index], *([] if replacement is None else [replacement]), *history[index + 1 :]]
    version = act.revise(programmes, programme, position_columns(act, programme["graph_id"], mended))
    was = summary_of(history[index])
    now = "it never happened" if replacement is None else summary_of(replacement)
    act.event(
        EventKind.CORRECTED,
        f"Corrected: was “{was}” ({history[index].occurred_on.text}); {now}"
        + (f" ({replacement.occurred_on.text})" if replacement else ""),
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
        node="Programme",
        node_id=programme["id"],
        reason_for_change=more.get("reason_verbatim") or more.get("reason"),
    )
    left = wrong["id"] if replacement is not None else None
    return {"programme": programme["id"], "transition": left, "version": version}
