"""What the records of people say to the rules of escalation: who was treated at each dose level, and with what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import literal

from pipeline.reports.activity_evidence import controls_among
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import Record
from pipeline.store.columns import Flag
from pipeline.store.study_tables import adverse_events, subjects
from pipeline.store.tables import dose_levels

Escalation = tuple[int, str]
"""The study and the arm whose dose levels have one order."""

GIVEN_LEVELS = (dose_levels.c.ordinal > 0,)
_AT_LEVELS = (subjects.c.dose_level.is_not(None), subjects.c.screen_failure.is_distinct_from(literal(True, Flag)))
_LIMITING = (adverse_events.c.dlt == literal(True, Flag),)


def escalation(gathering: Gathering) -> None:
    """Collect the dose levels of the largest escalation, lowest first (B4, B5)."""
    _largest(gathering, counted_levels(gathering))


def planned_escalation(gathering: Gathering) -> None:
    """Collect the dose levels of the largest escalation, lowest first, also those nobody had (B3, B6)."""
    _largest(gathering, counted_levels(gathering, uncounted=True))


def counted_levels(gathering: Gathering, *, uncounted: bool = False) -> list[Record]:
    """Return the dose levels: as recorded, or of a study that records none by the levels its subjects are in.

    `uncounted`: also those nobody had, or of which no counts are on record, as levels nobody had.
    """
    studies = gathering.clinical_studies()
    rows = gathering.rows("DoseLevel", "study_id", studies, *GIVEN_LEVELS)
    counted = [row for row in rows if row["treated"] is not None and row["with_dlt"] is not None]
    for row in counted:
        gathering.note("DoseLevel", row, row["label"], f"{row['with_dlt']} of {row['treated']}")
    left_out = len(rows) - len(counted)
    by_subject = _by_subject(gathering, sorted(set(studies) - {row["study_id"] for row in rows}), uncounted=uncounted)
    if left_out:
        gathering.missing.append(f"subjects treated and with a dose-limiting toxicity at {left_out} dose levels")
    elif not rows and not by_subject:
        gathering.missing.append("dose levels with subjects treated and dose-limiting toxicities")
    if uncounted:
        counted = [row if row in counted else {**row, "treated": 0, "with_dlt": 0} for row in rows]
    return counted + by_subject


def subjects_at_levels(gathering: Gathering, studies: Sequence[int]) -> dict[Escalation, list[Record]]:
    """Return the subjects treated at a dose level, by escalation and id; those of control groups stand apart.

    The arms of a study are escalations of their own where one of them has several levels; else each is a level, or
    more subjects at one.
    """
    rows = gathering.rows("Subject", "study_id", studies, *_AT_LEVELS)
    control = controls_among(gathering, [row["id"] for row in rows]) if rows else set()
    treated = [row for row in rows if row["id"] not in control]
    levels: dict[Escalation, set[int]] = defaultdict(set)
    for row in treated:
        gathering.note("Subject", row, "dose level", row["dose_level"])
        levels[row["study_id"], row["arm"] or ""].add(row["dose_level"])
    apart = {study for (study, _), of_arm in levels.items() if len(of_arm) > 1}
    found: dict[Escalation, list[Record]] = defaultdict(list)
    for row in treated:
        study = row["study_id"]
        found[study, (row["arm"] or "") if study in apart else ""].append(row)
    return found


def limiting_events(gathering: Gathering, studies: Sequence[int]) -> Sequence[Record]:
    """Return the adverse events of studies that are marked as dose-limiting."""
    found = gathering.rows("AdverseEvent", "study_id", studies, *_LIMITING)
    for row in found:
        gathering.note("AdverseEvent", row, "dose-limiting toxicity", row["term"])
    return found


def with_those_skipped(levels: Sequence[int]) -> list[int]:
    """Return level numbers in order, with those between them that nobody had.

    Below level 1 the numbers -1, -2, ... come next: only a trial that has a level 0 has one.
    """
    return sorted({*levels, *(set(range(min(levels), max(levels) + 1)) - {0})}) if levels else []


def _by_subject(gathering: Gathering, studies: Sequence[int], *, uncounted: bool) -> list[Record]:
    """Return the dose levels of studies by subject: who was in each, and who had a dose-limiting toxicity there."""
    escalations = subjects_at_levels(gathering, studies)
    if not escalations:
        return []
    with_dlt = {row["subject_id"] for row in limiting_events(gathering, studies)}
    found: list[Record] = []
    for (study, arm), rows in sorted(escalations.items()):
        members: dict[int, set[int]] = defaultdict(set)
        for row in rows:
            members[row["dose_level"]].add(row["id"])
        for level in with_those_skipped(list(members)) if uncounted else sorted(members):
            counts = {"treated": len(members[level]), "with_dlt": len(with_dlt & members[level])}
            place = {"id": level, "study_id": study, "arm": arm, "ordinal": level, "label": f"level {level}"}
            found.append({**place, **counts})
    return found


def _largest(gathering: Gathering, counted: list[Record]) -> None:
    sizes: dict[Escalation, int] = defaultdict(int)
    for row in counted:
        sizes[row["study_id"], row["arm"] or ""] += row["treated"]
    chosen = the_largest(gathering, sizes)
    gathering.inputs["levels"] = [
        {"label": row["label"], "treated": row["treated"], "with_dlt": row["with_dlt"]}
        for row in sorted(counted, key=lambda row: row["ordinal"])
        if (row["study_id"], row["arm"] or "") == chosen
    ]


def the_largest(gathering: Gathering, sizes: Mapping[Escalation, int]) -> Escalation | None:
    """Return the escalation with most subjects: dose levels of several have no common order, so one is judged."""
    if len(sizes) > 1:
        gathering.missing.append(f"one order for the levels of {len(sizes)} escalations: the largest is judged")
    return max(sorted(sizes), key=lambda each: sizes[each], default=None)
