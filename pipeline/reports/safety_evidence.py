"""What the records of people say to the rules of toxicity at any stage: events, liver tests, QTc."""

from __future__ import annotations

from collections import defaultdict

from pipeline.reports import event_evidence
from pipeline.reports.escalation_evidence import counted_levels
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import Record
from pipeline.store.nodes import among
from pipeline.store.study_tables import laboratory_results, measurements
from pipeline.toxicity.liver_course import LIVER_TESTS, liver_tests, telling
from pipeline.toxicity.qtc import CODES, UNTOLD_CODES
from pipeline.toxicity.qtc_course import COLUMNS, Reading, ReadingSet, reading_sets

_OF_THE_LIVER = (
    among(laboratory_results.c.test, LIVER_TESTS),
    laboratory_results.c.value.is_not(None),
    laboratory_results.c.upper_normal > 0,
    laboratory_results.c.subject_id.is_not(None),
)
_OF_THE_HEART = {
    node: (table.c.value.is_not(None), table.c.subject_id.is_not(None), among(table.c[COLUMNS[node][0]], CODES))
    for node, table in (("LaboratoryResult", laboratory_results), ("Measurement", measurements))
}


def continued_toxicity(gathering: Gathering) -> None:
    """Collect subjects treated, and with a dose-limiting toxicity or the event the rule names (B8)."""
    if "event" in gathering.rule.parameters:
        event_evidence.affected(gathering)
        return
    counted = counted_levels(gathering)
    if counted:
        gathering.inputs["treated"] = sum(row["treated"] for row in counted)
        gathering.inputs["with_dlt"] = sum(row["with_dlt"] for row in counted)


def liver(gathering: Gathering) -> None:
    """Collect the liver tests on treatment of all clinical studies, as multiples of their limits (B9)."""
    studies = gathering.clinical_studies(of_stage=False)
    rows = gathering.rows("LaboratoryResult", "study_id", studies, *_OF_THE_LIVER)
    by_subject: dict[int, list[Record]] = defaultdict(list)
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


PREFIXES = {"Fridericia": "QTCF", "Bazett": "QTCB"}
"""How the names of intervals begin, by the correction a rule asks for."""


def heart(gathering: Gathering) -> None:
    """Collect the longest QTc on treatment of each subject of all clinical studies, ms, and its greatest change (B10).

    Values count that were corrected as the rule says, or of a subject that has none such those whose correction is
    not told: Bazett's are too long at a fast heart rate. Readings taken together count as their mean. A change is from
    the last value before treatment of the same correction.
    """
    correction = str(gathering.rule.parameters.get("correction", "Fridericia"))
    studies = gathering.clinical_studies(of_stage=False)
    found: dict[tuple[int, str], list[Reading]] = defaultdict(list)
    for node, conditions in _OF_THE_HEART.items():
        for row in gathering.rows(node, "study_id", studies, *conditions):
            reading = Reading.of(node, row)
            if reading is not None:
                found[row["subject_id"], reading.code].append(reading)
    before: dict[tuple[int, str], list[float]] = defaultdict(list)
    since: dict[tuple[int, str], list[float]] = defaultdict(list)
    for key, readings in sorted(found.items()):
        for taken in reading_sets(readings):
            _note(gathering, taken)
            (before if taken.before else since)[key].append(taken.ms)
    longest: dict[int, float] = {}
    change: dict[int, float] = {}
    wanted = {(subject, code) for subject, code in since if code.startswith(PREFIXES.get(correction, "-"))}
    told = {subject for subject, _ in wanted}
    wanted |= {(subject, code) for subject, code in since if code in UNTOLD_CODES and subject not in told}
    otherwise = {subject for subject, _ in since} - {subject for subject, _ in wanted}
    if otherwise:
        gathering.missing.append(f"QTc corrected as {correction} did, of {len(otherwise)} subjects")
    for subject, code in sorted(wanted):
        of_code = since[subject, code]
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


def _note(gathering: Gathering, taken: ReadingSet) -> None:
    """Note every single value of a set, with the mean it goes into."""
    n = len(taken.readings)
    mean = f", in a mean of {n}: {taken.ms:g} ms" if n > 1 else ""
    for reading in taken.readings:
        gathering.note(reading.node, reading.row, reading.code, f"{reading.ms:g} ms{mean}")
