"""What the records of people say to the rules of toxicity: dose levels, liver tests, QTc."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipeline.reports.gathering import Gathering
from pipeline.store import study_tables, tables
from pipeline.store.nodes import among

LIVER = {
    **dict.fromkeys(("ALT", "ALAT", "SGPT", "GPT"), "alt"),
    **dict.fromkeys(("AST", "ASAT", "SGOT", "GOT"), "ast"),
    **dict.fromkeys(("BILI", "BILT", "TBILI", "TBIL", "BILITOT", "BILIRUBIN"), "bilirubin"),
    **dict.fromkeys(("ALP", "ALKP", "ALKPH", "PAL"), "alp"),
}
QTC = frozenset({"QTCF", "QTC", "QTCFAG", "EGQTCF"})


def _levels(gathering: Gathering) -> list[dict[str, Any]]:
    studies = gathering.clinical_studies()
    table = tables.dose_levels
    rows = gathering.rows("DoseLevel", among(table.c.study_id, studies), table.c.ordinal > 0)
    counted = [row for row in rows if row["treated"] is not None and row["with_dlt"] is not None]
    for row in counted:
        gathering.note("DoseLevel", row, row["label"], f"{row['with_dlt']} of {row['treated']}")
    left_out = len(rows) - len(counted)
    if left_out:
        gathering.missing.append(f"subjects treated and with a dose-limiting toxicity at {left_out} dose levels")
    elif not rows:
        gathering.missing.append("dose levels with subjects treated and dose-limiting toxicities")
    return counted


def escalation(gathering: Gathering) -> None:
    """Collect the dose levels of the largest escalation, lowest first (B4)."""
    counted = _levels(gathering)
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
    """Collect subjects treated and with a dose-limiting toxicity over all levels (B8)."""
    counted = _levels(gathering)
    if counted:
        gathering.inputs["treated"] = sum(row["treated"] for row in counted)
        gathering.inputs["with_dlt"] = sum(row["with_dlt"] for row in counted)


def liver(gathering: Gathering) -> None:
    """Collect the peaks on treatment of the liver tests of all clinical studies, as multiples of their limits (B9)."""
    table = study_tables.laboratory_results
    rows = gathering.rows(
        "LaboratoryResult",
        among(table.c.study_id, gathering.clinical_studies(of_stage=False)),
        among(table.c.test, sorted(LIVER)),
        table.c.value.is_not(None),
        table.c.upper_normal > 0,
        table.c.subject_id.is_not(None),
    )
    peaks: dict[int, dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row["baseline"] or row["value"] < 0 or (row["day"] is not None and row["day"] < 1):
            continue  # before treatment, or no concentration
        times = row["value"] / row["upper_normal"]
        gathering.note("LaboratoryResult", row, row["test"], f"{times:.3g} x ULN")
        name = LIVER[row["test"]]
        peaks[row["subject_id"]][name] = max(times, peaks[row["subject_id"]].get(name, 0.0))
    gathering.inputs["subjects"] = [{"id": id, **tests} for id, tests in sorted(peaks.items())]
    if not peaks:
        gathering.missing.append("liver tests on treatment with their upper limits of normal")


def heart(gathering: Gathering) -> None:
    """Collect the longest QTc of each subject of all clinical studies, ms, and its change from baseline (B10)."""
    table = study_tables.laboratory_results
    rows = gathering.rows(
        "LaboratoryResult",
        among(table.c.study_id, gathering.clinical_studies(of_stage=False)),
        among(table.c.test, sorted(QTC)),
        table.c.value.is_not(None),
        table.c.subject_id.is_not(None),
    )
    readings: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        gathering.note("LaboratoryResult", row, row["test"], f"{row['value']:g} ms")
        readings[row["subject_id"]].append(row)
    subjects: list[dict[str, object]] = []
    for id, of_subject in sorted(readings.items()):
        before = [row["value"] for row in of_subject if row["baseline"]]
        longest = max(row["value"] for row in of_subject)
        subjects.append(
            {"id": id, "longest_ms": longest, "longest_change_ms": longest - before[-1] if before else None}
        )
    gathering.inputs["subjects"] = subjects
    if not rows:
        gathering.missing.append("QTc readings")
