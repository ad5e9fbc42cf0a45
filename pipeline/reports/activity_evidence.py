"""What the records of people say to the rules of activity: responses, and responses by marker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from pipeline.names import fold
from pipeline.reports.exposure_summaries import RESPONSES
from pipeline.reports.gathering import Gathering
from pipeline.store.study_tables import biomarker_results, tumour_responses

_RESPONSES = tumour_responses.c
TOLD = (
    _RESPONSES.response.is_not(None),
    _RESPONSES.subject_id.is_not(None),
    _RESPONSES.accepted.is_distinct_from(False),
)
"""Conditions of the tumour responses that tell of a subject."""
_PRESENCE = (biomarker_results.c.positive.is_not(None),)


def response(gathering: Gathering) -> None:
    """Collect best responses, of all treated subjects and by each biomarker. Subjects of control groups stand apart."""
    rows = gathering.rows("TumourResponse", "study_id", gathering.clinical_studies(), *TOLD)
    best: dict[int, bool] = {}
    for row in rows:
        gathering.note("TumourResponse", row, row["criteria"], row["response"])
        if row["response"] != "NE":
            best[row["subject_id"]] = best.get(row["subject_id"], False) or row["response"] in RESPONSES
    controls = controls_among(gathering, sorted(best))
    treated = {id: responded for id, responded in best.items() if id not in controls}
    if not treated:
        gathering.missing.append("tumour responses of treated subjects")
        return
    gathering.inputs["responders"], gathering.inputs["evaluable"] = sum(treated.values()), len(treated)
    planned = gathering.rule.parameters.get("planned")
    enrolled = [row["enrolment"] for row in gathering.studies() if row["enrolment"]]
    gathering.inputs["planned"] = planned or (max(enrolled) if enrolled else None)
    if gathering.rule.method == "C6" and gathering.inputs["planned"] is None:
        gathering.missing.append("the planned number of subjects")
    gathering.inputs["markers"] = _markers(gathering, best, controls)


def controls_among(gathering: Gathering, subject_ids: Sequence[int]) -> set[int]:
    """Return which subjects belong to a group that is marked as control."""
    subjects = gathering.rows("Subject", "id", subject_ids)
    studies = sorted({row["study_id"] for row in subjects})
    groups = gathering.rows("StudyGroup", "study_id", studies)
    control = {
        (group["study_id"], name)
        for group in groups
        if group["control"]
        for name in (group["code"], group["arm"], group["label"])
        if name
    }
    return {
        row["id"] for row in subjects if {(row["study_id"], row["group_code"]), (row["study_id"], row["arm"])} & control
    }


def _markers(gathering: Gathering, best: Mapping[int, bool], controls: Collection[int]) -> list[dict[str, object]]:
    """Return responses by the presence of each marker; the latest result of a subject tells."""
    rows = gathering.rows("BiomarkerResult", "subject_id", sorted(best), *_PRESENCE)
    present: dict[str, dict[int, bool]] = defaultdict(dict)
    told: dict[str, set[tuple[str, float | None]]] = defaultdict(set)
    for row in sorted(rows, key=lambda row: (row["sorted_on"], row["id"])):
        gathering.note("BiomarkerResult", row, row["marker"], "present" if row["positive"] else "absent")
        present[row["marker"]][row["subject_id"]] = row["positive"]
        told[row["marker"]].add((row["assay"] or "", row["cut_off"]))
    found: list[dict[str, object]] = []
    for marker, of_marker in sorted(present.items()):
        one: dict[str, object] = {
            "marker": marker,
            "assays": [{"assay": assay, "cut_off": cut} for assay, cut in sorted(told[marker], key=str)],
        }
        for name, ids in (("treated", set(best) - set(controls)), ("control", set(best) & set(controls))):
            one[name] = {
                state: {"responders": sum(best[id] for id in of_state), "evaluable": len(of_state)}
                for state, wanted in (("present", True), ("absent", False), ("unknown", None))
                for of_state in [[id for id in ids if of_marker.get(id) is wanted]]
            }
        found.append(one)
    wanted = gathering.rule.parameters.get("biomarker")
    if isinstance(wanted, str) and fold(wanted) not in map(fold, present):
        gathering.missing.append(f"results of the biomarker {wanted}")
    return found
