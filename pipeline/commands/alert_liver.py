"""Candidates for Hy's law among the laboratory results of people (B9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from pipeline.commands.alerts import Matter, Touched
from pipeline.rounding import above, at_least
from pipeline.store.journal import Act
from pipeline.store.species import PEOPLE
from pipeline.store.study_tables import laboratory_results, subjects
from pipeline.store.tables import studies
from pipeline.toxicity.liver import AMINOTRANSFERASE_X, BILIRUBIN_WITHIN_DAYS, BILIRUBIN_X, hys_law
from pipeline.words import AlertKind

ALT = frozenset({"ALT", "ALAT", "SGPT", "GPT"})
AST = frozenset({"AST", "ASAT", "SGOT", "GOT"})
BILIRUBIN = frozenset({"BILI", "BILT", "TBILI", "TBIL", "BILITOT", "BILIRUBIN"})
ALP = frozenset({"ALP", "ALKP", "ALKPH", "PAL"})


@dataclass(frozen=True, slots=True)
class LiverTest:
    """One result as a multiple of its upper limit of normal, at a day."""

    id: int
    test: str
    day: float
    times_upper: float


def hys_law_candidates(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the subjects of whom a result of this act completes a candidate, or makes it worse."""
    if "LaboratoryResult" not in touched.kinds:
        return
    labs = laboratory_results
    tests = sorted(ALT | AST | BILIRUBIN | ALP)
    written = (
        select(labs.c.subject_id)
        .distinct()
        .where(labs.c.since_act == act.number, labs.c.until_act.is_(None), labs.c.test.in_(tests))
    )
    concerned = {id for id in act.connection.execute(written).scalars() if id is not None}
    for subject, of_subject in _results(act, concerned, tests).items():
        worst = candidate(of_subject)
        if worst is not None:
            yield _matter(act, subject, *worst)


def _results(act: Act, subject_ids: Collection[int], tests: list[str]) -> dict[int, list[LiverTest]]:
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
                labs.c.test.in_(tests),
                labs.c.until_act.is_(None),
                subjects.c.until_act.is_(None),
                subjects.c.species.in_(sorted({*PEOPLE, *map(str.upper, PEOPLE), *map(str.title, PEOPLE)})),
            )
        )
        rows: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for row in act.connection.execute(statement).mappings():
            rows[row["subject_id"]].append(dict(row))
        for subject, of_subject in rows.items():
            found[subject] = list(_dated(of_subject))
    return found


def _dated(rows: list[Mapping[str, Any]]) -> Iterator[LiverTest]:
    by_day = all(row["day"] is not None for row in rows)
    for row in rows:
        before = row["baseline"] or (row["day"] is not None and row["day"] < 1)
        if before or row["value"] is None or not row["upper_normal"] or row["upper_normal"] <= 0 or row["value"] < 0:
            continue
        if by_day:
            day = row["day"]
        elif row["sampled_at"] is not None and len(row["sampled_at"]) >= 10:
            day = float(date.fromisoformat(row["sampled_at"][:10]).toordinal())
        else:
            continue
        yield LiverTest(row["id"], row["test"].upper(), day, row["value"] / row["upper_normal"])


def candidate(results: Iterable[LiverTest]) -> tuple[LiverTest, LiverTest, LiverTest | None] | None:
    """Return the aminotransferase, the bilirubin and the ALP of the worst candidate; None where there is none.

    Bilirubin counts from the day of the aminotransferase to 30 days later. The ALP is the one nearest in time to the
    aminotransferase, within 30 days; where there is none the candidate stands, to be completed.
    """
    tests = list(results)
    found = []
    for enzyme in tests:
        if enzyme.test not in ALT | AST or not at_least(enzyme.times_upper, AMINOTRANSFERASE_X):
            continue
        for bilirubin in tests:
            days = bilirubin.day - enzyme.day
            in_time = 0 <= days <= BILIRUBIN_WITHIN_DAYS
            if bilirubin.test not in BILIRUBIN or not in_time or not above(bilirubin.times_upper, BILIRUBIN_X):
                continue
            near = [t for t in tests if t.test in ALP and abs(t.day - enzyme.day) <= BILIRUBIN_WITHIN_DAYS]
            alp = min(near, key=lambda t: (abs(t.day - enzyme.day), t.id), default=None)
            signal = hys_law(
                enzyme.times_upper if enzyme.test in ALT else None,
                enzyme.times_upper if enzyme.test in AST else None,
                bilirubin.times_upper,
                None if alp is None or alp.times_upper <= 0 else alp.times_upper,
                days,
            )
            if signal.potential_hys_law or signal.needs_alp:
                found.append((enzyme, bilirubin, alp))
    return max(found, key=lambda c: (c[0].times_upper, c[1].times_upper, -c[1].id), default=None)


def _matter(act: Act, subject: int, enzyme: LiverTest, bilirubin: LiverTest, alp: LiverTest | None) -> Matter:
    study = act.find(subjects, subject)["study_id"]
    phosphatase = (
        "alkaline phosphatase is not on record: measure it"
        if alp is None
        else f"alkaline phosphatase {alp.times_upper:.2g} times"
    )
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
