"""A corrected QT interval above 500 ms, or more than 60 ms above baseline (B10); of a set taken together, the mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from pipeline.commands.alerts import Matter, Touched
from pipeline.rounding import above
from pipeline.store.journal import Act
from pipeline.store.study_tables import laboratory_results, measurements
from pipeline.store.tables import studies
from pipeline.toxicity.qtc import ABSOLUTE_MS, CHANGE_MS, CODES
from pipeline.toxicity.qtc_course import COLUMNS, Reading, ReadingSet, reading_sets
from pipeline.words import AlertKind

LONGEST_MS, GREATEST_CHANGE_MS = ABSOLUTE_MS[-1], CHANGE_MS[-1]


def long_qtc(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the readings of this act that are too long, or too far above the subject's baseline."""
    for node, table in (("LaboratoryResult", laboratory_results), ("Measurement", measurements)):
        if node not in touched.kinds:
            continue
        code = table.c[COLUMNS[node][0]]
        written = (
            select(table.c.subject_id)
            .distinct()
            .where(table.c.since_act == act.number, table.c.until_act.is_(None), code.in_(CODES))
        )
        concerned = {id for id in act.connection.execute(written).scalars() if id is not None}
        for readings in _readings(act, node, table, code, concerned).values():
            yield from _judged(act, reading_sets(readings))


def _readings(
    act: Act, node: str, table: Any, code: Any, subject_ids: Collection[int]
) -> dict[tuple[int, str], list[Reading]]:
    found: dict[tuple[int, str], list[Reading]] = defaultdict(list)
    ordered = sorted(subject_ids)
    for first in range(0, len(ordered), 500):
        for row in act.current(table, table.c.subject_id.in_(ordered[first : first + 500]), code.in_(CODES)):
            reading = Reading.of(node, row)
            if reading is not None:
                found[row["subject_id"], reading.code].append(reading)
    return found


def _judged(act: Act, sets: Sequence[ReadingSet]) -> Iterator[Matter]:
    """Judge what the act added to the sets of one interval of a subject, against the limit and the last baseline."""
    baselines = [taken.ms for taken in sets if taken.before]
    for taken in sets:
        new = [reading for reading in taken.readings if reading.row["since_act"] == act.number]
        if not new or taken.before:
            continue
        study = act.find(studies, new[-1].row["study_id"])["code"]
        shown = f"{new[-1].code} of {taken.ms:.0f} ms"
        if len(taken.readings) > 1:
            shown += f" (mean of {len(taken.readings)} taken together)"
        if above(taken.ms, LONGEST_MS):
            message = f"{shown} in study {study}, above {LONGEST_MS:g} ms"
            yield _matter(new[-1], "longest", message, taken.ms, LONGEST_MS)
        if baselines and above(taken.ms - baselines[-1], GREATEST_CHANGE_MS):
            change = taken.ms - baselines[-1]
            message = f"{shown} in study {study}, {change:.0f} ms above baseline; more than {GREATEST_CHANGE_MS:g} ms"
            yield _matter(new[-1], "change", message, change, GREATEST_CHANGE_MS)


def _matter(reading: Reading, what: str, message: str, value: float, threshold: float) -> Matter:
    subject = reading.row["subject_id"]
    return Matter(
        AlertKind.QTC,
        f"QTC:{subject}:{reading.code}:{what}",
        message,
        reading.node,
        reading.row["id"],
        value=value,
        threshold=threshold,
        unit="ms",
        study_id=reading.row["study_id"],
        subject_id=subject,
    )
