"""Candidates for Hy's law among the laboratory results of people (B9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import select

from pipeline.commands.alerts import Matter, Touched
from pipeline.store.journal import Act
from pipeline.store.species import PEOPLE
from pipeline.store.study_tables import laboratory_results, subjects
from pipeline.store.tables import studies
from pipeline.toxicity.liver import AMINOTRANSFERASE_X
from pipeline.toxicity.liver_course import LIVER_TESTS, Candidate, LiverTest, candidate, liver_tests
from pipeline.words import AlertKind


def hys_law_candidates(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the subjects of whom a result of this act completes a candidate, or makes it worse."""
    if "LaboratoryResult" not in touched.kinds:
        return
    labs = laboratory_results
    written = (
        select(labs.c.subject_id)
        .distinct()
        .where(labs.c.since_act == act.number, labs.c.until_act.is_(None), labs.c.test.in_(LIVER_TESTS))
    )
    concerned = {id for id in act.connection.execute(written).scalars() if id is not None}
    for subject, of_subject in _results(act, concerned).items():
        worst = candidate(of_subject)
        if worst is not None:
            yield _matter(act, subject, worst)


def _results(act: Act, subject_ids: Collection[int]) -> dict[int, list[LiverTest]]:
    """Return the usable results of people, by subject; those before treatment left out."""
    labs = laboratory_results
    found: dict[int, list[LiverTest]] = defaultdict(list)
    ordered = sorted(subject_ids)
    for first in range(0, len(ordered), 500):
        statement = (
            select(labs)
            .join(subjects, subjects.c.id == labs.c.subject_id)
            .where(
                labs.c.subject_id.in_(ordered[first : first + 500]),
                labs.c.test.in_(LIVER_TESTS),
                labs.c.until_act.is_(None),
                subjects.c.until_act.is_(None),
                subjects.c.species.in_(sorted({*PEOPLE, *map(str.upper, PEOPLE), *map(str.title, PEOPLE)})),
            )
        )
        rows: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for row in act.connection.execute(statement).mappings():
            rows[row["subject_id"]].append(dict(row))
        for subject, of_subject in rows.items():
            found[subject] = liver_tests(of_subject)
    return found


def _matter(act: Act, subject: int, worst: Candidate) -> Matter:
    enzyme, bilirubin, alp = worst.enzyme, worst.bilirubin, worst.alp
    study = act.find(subjects, subject)["study_id"]
    phosphatase = (
        "alkaline phosphatase is not on record: measure it"
        if alp is None
        else f"alkaline phosphatase {alp.times_upper:.2g} times"
    )
    if bilirubin.day is None or enzyme.day is None:
        later = "on a day that is not on record"
    else:
        days = bilirubin.day - enzyme.day
        later = "the same day" if days == 0 else f"{days:g} days later"
    return Matter(
        AlertKind.HYS_LAW,
        f"HYS_LAW:{subject}",
        f"Candidate for Hy's law in study {act.find(studies, study)['code']}: {enzyme.test} {enzyme.times_upper:.3g} "
        f"times the upper limit of normal, bilirubin {bilirubin.times_upper:.3g} times {later}, {phosphatase}; "
        "look for another cause, which does not take the signal away",
        "LaboratoryResult",
        bilirubin.id,
        value=enzyme.times_upper,
        threshold=AMINOTRANSFERASE_X,
        unit="{ULN}",
        study_id=study,
        subject_id=subject,
    )
