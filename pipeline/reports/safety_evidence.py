"""What the records of people say to the rules of toxicity: dose levels, liver tests, QTc."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import literal

from pipeline.errors import InputError
from pipeline.reports import event_evidence
from pipeline.reports.gathering import Gathering
from pipeline.store import study_tables, tables
from pipeline.store.columns import Flag
from pipeline.store.nodes import among
from pipeline.toxicity.liver_course import LIVER_TESTS, liver_tests, telling
from pipeline.toxicity.qtc import CODES
from pipeline.units import convert


def _levels(gathering: Gathering, *, uncounted: bool = False) -> list[dict[str, Any]]:
    """Return the dose levels: as recorded, or of a study that records none by the levels its subjects are in.

    `uncounted`: also those of which no counts are on record, as levels nobody had.
    """
    studies = gathering.clinical_studies()
    table = tables.dose_levels
    rows = gathering.rows("DoseLevel", among(table.c.study_id, studies), table.c.ordinal > 0)
    counted = [row for row in rows if row["treated"] is not None and row["with_dlt"] is not None]
    for row in counted:
        gathering.note("DoseLevel", row, row["label"], f"{row['with_dlt']} of {row['treated']}")
    left_out = len(rows) - len(counted)
    by_subject = _by_subject(gathering, sorted(set(studies) - {row["study_id"] for row in rows}))
    if left_out:
        gathering.missing.append(f"subjects treated and with a dose-limiting toxicity at {left_out} dose levels")
    elif not rows and not by_subject:
        gathering.missing.append("dose levels with subjects treated and dose-limiting toxicities")
    if uncounted:
        counted = [row if row in counted else {**row, "treated": 0, "with_dlt": 0} for row in rows]
    return counted + by_subject


def _by_subject(gathering: Gathering, studies: Sequence[int]) -> list[dict[str, Any]]:
    """Return the dose levels of studies by subject: who was in each, and who had a dose-limiting toxicity there."""
    of, events = study_tables.subjects, study_tables.adverse_events
    treated = gathering.rows(
        "Subject",
        among(of.c.study_id, studies),
        of.c.dose_level > 0,
        of.c.screen_failure.is_distinct_from(literal(True, Flag)),
    )
    if not treated:
        return []
    limiting = gathering.rows("AdverseEvent", among(events.c.study_id, studies), events.c.dlt == literal(True, Flag))
    with_dlt = {row["subject_id"] for row in limiting}
    for row in treated:
        gathering.note("Subject", row, "dose level", row["dose_level"])
    for row in limiting:
        gathering.note("AdverseEvent", row, "dose-limiting toxicity", row["term"])
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in treated:
        members[row["study_id"], row["dose_level"]].append(row["id"])
    return [
        {
            "id": level,
            "study_id": study,
            "arm": None,
            "ordinal": level,
            "label": f"level {level}",
            "treated": len(ids),
            "with_dlt": len(with_dlt.intersection(ids)),
        }
        for (study, level), ids in sorted(members.items())
    ]


def escalation(gathering: Gathering) -> None:
    """Collect the dose levels of the largest escalation, lowest first (B4, B5)."""
    _largest(gathering, _levels(gathering))


def planned_escalation(gathering: Gathering) -> None:
    """Collect the dose levels of the largest escalation, lowest first, also those nobody had (B3, B6)."""
    _largest(gathering, _levels(gathering, uncounted=True))


def _largest(gathering: Gathering, counted: list[dict[str, Any]]) -> None:
    arms = sorted({(row["study_id"], row["arm"] or "") for row in counted})
    if len(arms) > 1:
        # Dose levels of several escalations have no common order: the one with most subjects is judged.
        sizes = {arm: sum(r["treated"] for r in counted if (r["study_id"], r["arm"] or "") == arm) for arm in arms}
        chosen = max(arms, key=lambda arm: sizes[arm])
        counted = [row for row in counted if (row["study_id"], row["arm"] or "") == chosen]
        gathering.missing.append(f"one order for the levels of {len(arms)} escalations: the largest is judged")
    gathering.inputs["levels"] = [
        {"label": row["label"], "treated": row["treated"], "with_dlt": row["with_dlt"]}
        for row in sorted(counted, key=lambda row: row["ordinal"])
    ]


def continued_toxicity(gathering: Gathering) -> None:
    """Collect subjects treated, and with a dose-limiting toxicity or the event the rule names (B8)."""
    if "event" in gathering.rule.parameters:
        event_evidence.affected(gathering)
        return
    counted = _levels(gathering)
    if counted:
        gathering.inputs["treated"] = sum(row["treated"] for row in counted)
        gathering.inputs["with_dlt"] = sum(row["with_dlt"] for row in counted)


def liver(gathering: Gathering) -> None:
    """Collect the liver tests on treatment of all clinical studies, as multiples of their limits (B9)."""
    table = study_tables.laboratory_results
    rows = gathering.rows(
        "LaboratoryResult",
        among(table.c.study_id, gathering.clinical_studies(of_stage=False)),
        among(table.c.test, LIVER_TESTS),
        table.c.value.is_not(None),
        table.c.upper_normal > 0,
        table.c.subject_id.is_not(None),
    )
    by_subject: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_subject[row["subject_id"]].append(row)
    by_id = {row["id"]: row for row in rows}
    subjects: list[dict[str, object]] = []
    for subject, of_subject in sorted(by_subject.items()):
        tests = liver_tests(of_subject)
        for test in tests:
            gathering.note("LaboratoryResult", by_id[test.id], test.test, f"{test.times_upper:.3g} x ULN")
        if tests:
            told = [[test.id, test.test, test.day, test.times_upper] for test in telling(tests)]
            subjects.append({"id": subject, "tests": told})
    gathering.inputs["subjects"] = subjects
    if not subjects:
        gathering.missing.append("liver tests on treatment with their upper limits of normal")


def heart(gathering: Gathering) -> None:
    """Collect the longest QTc on treatment of each subject of all clinical studies, ms, and its greatest change (B10).

    A change is from the last value before treatment of the same correction.
    """
    studies = gathering.clinical_studies(of_stage=False)
    before: dict[tuple[int, str], list[float]] = defaultdict(list)
    since: dict[tuple[int, str], list[float]] = defaultdict(list)
    for node, table, code in (
        ("LaboratoryResult", study_tables.laboratory_results, "test"),
        ("Measurement", study_tables.measurements, "what"),
    ):
        conditions = table.c.value.is_not(None), table.c.subject_id.is_not(None), among(table.c[code], CODES)
        rows = gathering.rows(node, among(table.c.study_id, studies), *conditions)
        for row in sorted(rows, key=lambda row: (row["sorted_on"], row["day"] or 0.0, row["id"])):
            try:
                ms = convert(row["value"], row["unit"] or "ms", "ms")
            except InputError:
                continue  # no time
            gathering.note(node, row, row[code], f"{ms:g} ms")
            early = row.get("baseline") or (row["day"] is not None and row["day"] < 1)
            (before if early else since)[row["subject_id"], row[code]].append(ms)
    longest: dict[int, float] = {}
    change: dict[int, float] = {}
    for (subject, code), of_code in since.items():
        highest = max(of_code)
        longest[subject] = max(highest, longest.get(subject, highest))
        if before[subject, code]:
            rise = highest - before[subject, code][-1]
            change[subject] = max(rise, change.get(subject, rise))
    gathering.inputs["subjects"] = [
        {"id": id, "longest_ms": ms, "longest_change_ms": change.get(id)} for id, ms in sorted(longest.items())
    ]
    if not longest:
        gathering.missing.append("QTc readings on treatment")
