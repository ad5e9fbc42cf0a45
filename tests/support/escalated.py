"""Programmes in phase 1 with an escalation that is recorded level by level, act by act."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.centre import SYSTEM, Centre, utc_now
from pipeline.store import tables
from pipeline.store.journal import Act


def perform(centre: Centre, write) -> dict:
    """Do something as an act, and return what it says."""
    return dict(centre.journal.perform("Test", write, actor=SYSTEM, now=utc_now()).result)


def phase_one(centre: Centre, name: str = "T") -> tuple[int, int, int]:
    """Add a molecule with a programme in phase 1 and a study; return programme, study and its source."""

    def write(act: Act):
        molecule = act.add(
            tables.molecules,
            {"code": name, "name": name, "name_key": name.lower(), "modality": "SMALL_MOLECULE"},
        )
        graph, _ = act.graphs.in_force(act.connection)
        programme = act.add(
            tables.programmes,
            {
                "molecule_id": molecule,
                "indication_key": "",
                "graph_id": graph,
                "stage": "PHASE_1",
                "stage_ordinal": 40,
                "status": "ACTIVE",
                "stage_since": "2020-01-01",
                "stage_since_reported": "2020-01-01",
            },
        )
        _transition(act, programme, graph, 1, "ADVANCE", None, "PHASE_1", "ACTIVE")
        study = act.add(
            tables.studies,
            {"code": f"{name}-1", "title": name, "species": "human", "phases": '["PHASE_1"]', "status": "RECRUITING"},
        )
        said = {"study_id": study, "source": "test", "code": f"{name}-1", "statement": "{}", "content_digest": "x"}
        source = act.add(tables.study_sources, said)
        act.add(
            tables.study_molecules,
            {"study_id": study, "source_id": source, "molecule_id": molecule, "name": name},
        )
        return {"programme": programme, "study": study, "source": source}

    made = perform(centre, write)
    return made["programme"], made["study"], made["source"]


def _transition(act: Act, programme, graph, position, kind, left, to, status, reason=None, day="2020-01-01"):
    act.add(
        tables.transitions,
        {
            "programme_id": programme,
            "graph_id": graph,
            "position": position,
            "kind": kind,
            "from_stage": left,
            "to_stage": to,
            "from_status": None if left is None else "ACTIVE",
            "to_status": status,
            "skipped": "[]",
            "imported": False,
            "occurred_on": day,
            "occurred_from": day,
            "occurred_to": day,
            "reason": reason,
        },
    )


def level(centre: Centre, study: int, source: int, ordinal: int, treated: int, with_dlt: int) -> int:
    """Record a dose level, or correct it where it is there."""

    def write(act: Act):
        table = tables.dose_levels
        held = act.current(table, table.c.study_id == study, table.c.ordinal == ordinal)
        if held:
            act.revise(table, held[0], {"treated": treated, "with_dlt": with_dlt})
            return {"level": held[0]["id"]}
        row = {"study_id": study, "source_id": source, "ordinal": ordinal, "label": f"level {ordinal}"}
        return {"level": act.add(table, row | {"treated": treated, "with_dlt": with_dlt})}

    return int(perform(centre, write)["level"])


def escalate(centre: Centre, study: int, source: int, counts: Sequence[tuple[int, int]]) -> None:
    """Record the levels, lowest first: subjects treated, and with a dose-limiting toxicity."""
    for ordinal, (treated, with_dlt) in enumerate(counts, 1):
        level(centre, study, source, ordinal, treated, with_dlt)


def end(centre: Centre, programme: int, *, stage: str = "PHASE_1", status: str, reason: str | None = None, day: str):
    """Move a programme on, or stop it."""

    def write(act: Act):
        row = act.current(tables.programmes, tables.programmes.c.id == programme)[0]
        ordinal = {"PHASE_1": 40, "PHASE_2": 60}[stage]
        act.revise(tables.programmes, row, {"stage": stage, "stage_ordinal": ordinal, "status": status})
        kind = "DISCONTINUE" if status == "DISCONTINUED" else "ADVANCE"
        _transition(act, programme, row["graph_id"], 2, kind, row["stage"], stage, status, reason, day)
        return {}

    perform(centre, write)
