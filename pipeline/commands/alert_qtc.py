"""A corrected QT interval above 500 ms, or more than 60 ms above baseline (B10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipeline.commands.alerts import Matter, Touched
from pipeline.errors import InputError
from pipeline.rounding import above
from pipeline.store.journal import Act
from pipeline.store.study_tables import laboratory_results, measurements
from pipeline.store.tables import studies
from pipeline.toxicity.qtc import ABSOLUTE_MS, CHANGE_MS, CODES
from pipeline.units import convert
from pipeline.words import AlertKind

LONGEST_MS, GREATEST_CHANGE_MS = ABSOLUTE_MS[-1], CHANGE_MS[-1]


@dataclass(frozen=True, slots=True)
class Reading:
    """One corrected QT interval in ms."""

    node: str
    id: int
    study: int
    subject: int
    code: str
    ms: float
    before: bool
    order: tuple[str, float, int]
    is_new: bool


def long_qtc(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the readings of this act that are too long, or too far above the subject's baseline."""
    for node, table, code in (
        ("LaboratoryResult", laboratory_results, laboratory_results.c.test),
        ("Measurement", measurements, measurements.c.what),
    ):
        if node not in touched.kinds:
            continue
        written = (
            select(table.c.subject_id)
            .distinct()
            .where(table.c.since_act == act.number, table.c.until_act.is_(None), code.in_(CODES))
        )
        concerned = {id for id in act.connection.execute(written).scalars() if id is not None}
        for readings in _readings(act, node, table, code, concerned).values():
            yield from judge(readings, lambda study: str(act.find(studies, study)["code"]))


def _readings(
    act: Act, node: str, table: Any, code: Any, subject_ids: Collection[int]
) -> dict[tuple[int, str], list[Reading]]:
    found: dict[tuple[int, str], list[Reading]] = defaultdict(list)
    ordered = sorted(subject_ids)
    for first in range(0, len(ordered), 500):
        for row in act.current(table, table.c.subject_id.in_(ordered[first : first + 500]), code.in_(CODES)):
            reading = _reading(act, node, row, row[code.name])
            if reading is not None:
                found[row["subject_id"], reading.code].append(reading)
    return found


def _reading(act: Act, node: str, row: Mapping[str, Any], code: str) -> Reading | None:
    if row["value"] is None:
        return None
    try:
        ms = convert(row["value"], row["unit"] or "ms", "ms")
    except InputError:
        return None
    before = bool(row.get("baseline")) or (row["day"] is not None and row["day"] < 1)
    order = (row["sorted_on"], 0.0 if row["day"] is None else row["day"], row["id"])
    is_new = row["since_act"] == act.number
    return Reading(node, row["id"], row["study_id"], row["subject_id"], code, ms, before, order, is_new)


def judge(readings: list[Reading], study_code: Any) -> Iterator[Matter]:
    """Judge the new readings of one subject and correction against the limit and against the last before treatment."""
    ordered = sorted(readings, key=lambda reading: reading.order)
    baselines = [reading.ms for reading in ordered if reading.before]
    for reading in ordered:
        if not reading.is_new or reading.before:
            continue
        if above(reading.ms, LONGEST_MS):
            message = (
                f"{reading.code} of {reading.ms:.0f} ms in study {study_code(reading.study)}, above {LONGEST_MS:g} ms"
            )
            yield _matter(reading, "longest", message, reading.ms, LONGEST_MS)
        if baselines and above(reading.ms - baselines[-1], GREATEST_CHANGE_MS):
            change = reading.ms - baselines[-1]
            message = (
                f"{reading.code} of {reading.ms:.0f} ms in study {study_code(reading.study)}, {change:.0f} ms above "
                f"baseline; more than {GREATEST_CHANGE_MS:g} ms"
            )
            yield _matter(reading, "change", message, change, GREATEST_CHANGE_MS)


def _matter(reading: Reading, what: str, message: str, value: float, threshold: float) -> Matter:
    return Matter(
        AlertKind.QTC,
        f"QTC:{reading.subject}:{reading.code}:{what}",
        message,
        reading.node,
        reading.id,
        value=value,
        threshold=threshold,
        unit="ms",
        study_id=reading.study,
        subject_id=reading.subject,
    )
