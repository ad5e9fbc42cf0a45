"""What records of a batch stand on: the molecules, studies, subjects and samples on record, each read at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, select

from pipeline.pseudonyms import own_words_of
from pipeline.store.counted import VALID
from pipeline.store.journal import Act
from pipeline.store.study_tables import administrations, monitoring_records, subjects
from pipeline.store.tables import molecules, studies, study_molecules

_AT_ONCE = 500  # values of one statement

SampleKey = tuple[Any, ...]
"""What makes two results results of one sample."""


@dataclass(slots=True)
class Ground:
    """What is on record. Ids that are missing from a mapping are of nothing that exists."""

    molecules: dict[int, dict[str, Any]]
    studies: dict[int, dict[str, Any]]
    gives: set[tuple[int, int]]
    """(study, molecule) for every molecule a study gives."""
    subjects: dict[tuple[int, str], int]
    """(study, code) -> id of the subjects named in the batch."""
    retested: dict[int, dict[str, Any]]
    own_words: dict[int, frozenset[str]]
    spelled: dict[tuple[int, str], str] = field(default_factory=dict)
    """(study, code whatever its case) -> the code as it is written on record, or first in the batch."""


def ground_of(
    act: Act, *, molecule_ids: set[int], study_ids: set[int], codes: dict[int, set[str]], retests: set[int]
) -> Ground:
    """Read what a batch speaks of; the number of statements does not depend on the number of its records."""
    studied = {row["id"]: row for row in _rows(act, studies, studies.c.id, study_ids)}
    gives = {
        (row.study_id, row.molecule_id)
        for row in _columns(act, study_molecules, ("study_id", "molecule_id"), study_molecules.c.study_id, study_ids)
    }
    unlisted = {(study, molecule) for study in study_ids for molecule in molecule_ids} - gives
    gives |= _given(act, unlisted)
    known = {row["id"]: row for row in _rows(act, molecules, molecules.c.id, molecule_ids)}
    named = {
        (row["study_id"], row["code"]): row["id"]
        for study, wanted in codes.items()
        for row in _rows(act, subjects, subjects.c.code, wanted, subjects.c.study_id == study)
    }
    names: dict[int, list[str | None]] = {
        id: [row["code"], row["title"], row["registry_id"]] for id, row in studied.items()
    }
    for study, molecule in gives:
        if molecule in known and study in names:
            names[study] += [known[molecule]["code"], known[molecule]["name"]]
    return Ground(
        molecules=known,
        studies=studied,
        gives=gives,
        subjects=named,
        retested={row["id"]: row for row in _rows(act, monitoring_records, monitoring_records.c.id, retests)},
        own_words={id: own_words_of(*words) for id, words in names.items()},
    )


_KEYS = (
    *("molecule_id", "study_id", "subject_id", "analyte", "specimen", "profile", "day", "reference_dose_at"),
    *("sampled_at", "hours_after_dose", "nominal_time"),
)


def sample_key(row: Mapping[str, Any]) -> SampleKey | None:
    """Return what identifies a sample and what was measured in it; None where nobody said when it was taken."""
    when = (row["sampled_at"], row["hours_after_dose"], row["nominal_time"])
    if row["subject_id"] is None or when == (None, None, None):
        return None
    what = (row["analyte"].casefold(), row["specimen"].casefold(), row["profile"], row["day"], row["reference_dose_at"])
    return (row["molecule_id"], row["study_id"], row["subject_id"], *what, *when)


def known_samples(
    act: Act, subject_ids: Collection[int], sorted_on: Collection[str], *, besides: int | None = None
) -> dict[SampleKey, int]:
    """Return the samples of subjects that have a result that stands, at any of the times.

    besides: a record that does not count for itself, nor do retests beside it.
    """
    found: dict[SampleKey, int] = {}
    table = monitoring_records
    times = list(_parts(sorted_on))
    for some in _parts(subject_ids):
        for at in times:
            statement = select(*(table.c[name] for name in ("id", "retest_of", *_KEYS))).where(
                table.c.subject_id.in_(some),
                table.c.sorted_on.in_(at),
                table.c.state.in_(VALID),
                table.c.until_act.is_(None),
            )
            for row in act.connection.execute(statement).mappings():
                key = sample_key(dict(row))
                own = besides is not None and (row["id"] == besides or row["retest_of"] is not None)
                if key is not None and not own:
                    found.setdefault(key, row["id"])
    return found


def _given(act: Act, pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return those (study, molecule) that an administration speaks for, where no list of the study does."""
    table = administrations
    return {
        (study, molecule)
        for study, molecule in sorted(pairs)
        if act.connection.execute(
            select(table.c.id)
            .where(table.c.molecule_id == molecule, table.c.study_id == study, table.c.until_act.is_(None))
            .limit(1)
        ).first()
    }


def _rows(
    act: Act, table: Table, column: Column[Any], values: Collection[Any], *conditions: Any
) -> Iterator[dict[str, Any]]:
    for some in _parts(values):
        yield from act.current(table, column.in_(some), *conditions)


def _columns(
    act: Act, table: Table, names: Sequence[str], column: Column[Any], values: Collection[Any]
) -> Iterator[Any]:
    for some in _parts(values):
        statement = select(*(table.c[name] for name in names)).where(table.c.until_act.is_(None), column.in_(some))
        yield from act.connection.execute(statement)


def _parts(values: Collection[Any]) -> Iterator[list[Any]]:
    ordered = sorted(values)
    for first in range(0, len(ordered), _AT_ONCE):
        yield ordered[first : first + _AT_ONCE]
