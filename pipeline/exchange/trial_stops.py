"""Stopped trials: one row per stop, with what is known of a restart, joined to studies by registry number.

Columns, in any order: the registry number, when and how it stopped, when and into which status it restarted, and the
reason as the sponsor gave it. "NA" and an empty cell mean missing. "Terminated" and "withdrawn" are not always final:
such trials do restart. The reason is kept word for word; what it means is for the classification of reasons to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from pipeline.dates import PartialDate
from pipeline.errors import FileRefused
from pipeline.exchange.cells import DateHabit, DateReading, habit_of, is_formula, read_date
from pipeline.exchange.facts import Stop, StudyFact
from pipeline.exchange.reading import Duplicate, Held, Place, Quarantined, Reading
from pipeline.exchange.registry_ids import read_registry_ids
from pipeline.exchange.registry_status import FINAL, STOPPED, read_status
from pipeline.exchange.tables import Row, Table, read_tables
from pipeline.exchange.trial_headings import columns_of
from pipeline.words import StudyStatus

SOURCE = "trial-stops"

_NEEDED = ("trial", "stop_date", "stop_status")
_MISSING = {"", "na", "n/a"}


class StopColumns(NamedTuple):
    """Where each column stands; None where the file has none. `..._habit` is how its dates are written."""

    trial: int
    stop_date: int
    stop_status: int
    restart_date: int | None
    restart_status: int | None
    why_stopped: int | None
    stop_habit: DateHabit
    restart_habit: DateHabit
    today: str

    def headings(self, table: Table) -> dict[str, str]:
        """Return column -> its heading in the table."""
        return {name: table.headings[at] for name, at in self._asdict().items() if isinstance(at, int)}


class Unreadable(Exception):
    """A row that cannot be taken; `proposals` where a person could decide what it says."""

    def __init__(self, column: str, value: str, reason: str, proposals: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason, self.proposals = column, value, reason, proposals


def read_trial_stops(data: bytes, filename: str, *, today: date | None = None) -> Reading:
    """Read a list of stopped trials (delimited text or .xlsx) into one partial study per trial, stops by date.

    Every row is accepted, quarantined (no registry number, no such status or day, a day after `today`, restart before
    stop), held (a date that can mean two days, a second row that says otherwise of the same stop) or counted as an
    exact duplicate. `today` is the day in UTC if not given.

    Raises:
        FileRefused: the file is no table, is empty, or lacks a column that is needed.
    """
    reading = Reading(SOURCE)
    tables = read_tables(data, filename, lambda headings: len(columns_of(headings)))
    last_day = (today or datetime.now(UTC).date()).isoformat()
    known = [(table, columns) for table in tables if (columns := stop_columns(table, last_day)) is not None]
    if not known:
        lacking = min((_lacking(table) for table in tables), key=len)
        raise FileRefused(
            f"{tables[0].file} has no column for {', '.join(lacking)}; a list of stopped trials needs "
            f"{', '.join(_NEEDED[:-1])} and {_NEEDED[-1]} (headings such as nctid, stop_date, stop_status)."
        )
    for table in tables:
        reading.warnings += table.warnings
        if all(table is not one for one, _ in known):
            reading.warnings.append(f"{table.file} has not the columns of a list of stopped trials and was not read.")
    studies: dict[str, StudyFact] = {}
    seen: dict[tuple[object, ...], tuple[Place, tuple[object, ...]]] = {}
    for table, columns in known:
        _read_table(table, columns, reading, studies, seen)
    for study in studies.values():
        settle(study)
    reading.studies = list(studies.values())
    return reading


def _read_table(
    table: Table,
    columns: StopColumns,
    reading: Reading,
    studies: dict[str, StudyFact],
    seen: dict[tuple[object, ...], tuple[Place, tuple[object, ...]]],
) -> None:
    reading.rows += table.count
    reading.quarantined += table.bad
    headings = columns.headings(table)
    unread = [heading for at, heading in enumerate(table.headings) if heading and at not in columns]
    if unread:
        reading.warnings.append(f"{table.file}: not read: {', '.join(map(repr, unread[:10]))}.")
    for row in table.rows:
        place = Place(table.file, row.number)
        try:
            registry_id, stop, flags = read_stop(row, columns)
        except Unreadable as wrong:
            column, value = headings[wrong.column], wrong.value[:200]
            if wrong.proposals:
                reading.held.append(Held(place, column, value, " or ".join(wrong.proposals), wrong.reason))
            else:
                reading.quarantined.append(Quarantined(place, column, value, wrong.reason))
            continue
        same_stop = (registry_id, stop.status, stop.stopped_on)
        content = (stop.restarted_on, stop.restart_status_reported, stop.why_stopped)
        if same_stop in seen:
            first, told = seen[same_stop]
            if told == content:
                reading.duplicates.append(Duplicate(place, first))
            else:
                reading.held.append(
                    Held(
                        place, None, registry_id, f"keep what row {first.row} says",
                        f"row {first.row} tells the same stop of {registry_id} with another reason or restart; "
                        "keep one of the two",
                    )
                )  # fmt: skip
            continue
        seen[same_stop] = (place, content)
        flags = [(headings.get(meaning, meaning), text) for meaning, text in flags]
        minded = {heading for heading, _ in flags}
        flags += [
            (table.headings[at], f"a spreadsheet cell that is a {mark[0]}; its text is kept and nothing computed")
            for at in range(len(row.cells))
            if (mark := table.marks.get((row.number, at))) is not None and table.headings[at] not in minded
        ]
        stop.flag = "; ".join(text for _, text in flags) or None
        reading.flags += [Quarantined(place, column, None, text) for column, text in flags]
        study = studies.get(registry_id)
        if study is None:
            study = studies[registry_id] = StudyFact(
                code=registry_id, source=SOURCE, registry_id=registry_id, registry_id_reported=row.cells[columns.trial],
                partial=True, row=row.number, file=table.file,
            )  # fmt: skip
        study.stops.append(stop)


def read_stop(row: Row, columns: StopColumns) -> tuple[str, Stop, list[tuple[str, str]]]:
    """Return the registry number, the stop, and (column, what to mind) of one row."""
    flags: list[tuple[str, str]] = []
    registry_id = registry_id_of(row.cells[columns.trial], flags)
    status_reported = row.cells[columns.stop_status]
    status = read_status(status_reported)
    if status not in STOPPED:
        reason = f"{status_reported[:60]!r} is no way to stop; known are Terminated, Withdrawn and Suspended"
        raise Unreadable("stop_status", status_reported, reason)
    stopped_on = _date("stop_date", row.cells[columns.stop_date], columns.stop_habit, columns.today, flags)
    restart_text = _cell(row, columns.restart_date) or ""
    restarted_on = _date("restart_date", restart_text, columns.restart_habit, columns.today, flags)
    if stopped_on is None:
        flags.append(("stop_date", "it is not known when the trial stopped"))
    elif restarted_on is not None and restarted_on.latest < stopped_on.earliest:
        reason = f"it restarted on {restarted_on.text}, before it stopped on {stopped_on.text}; correct one of the two"
        raise Unreadable("restart_date", restart_text, reason)
    restart_reported = _cell(row, columns.restart_status)
    restart_status = read_status(restart_reported) if restart_reported else None
    flags += _restart_flags(status, restarted_on, restart_reported, restart_status)
    why_stopped = _cell(row, columns.why_stopped)
    if why_stopped and is_formula(why_stopped):
        flags.append(("why_stopped", "looks like a formula; kept as text and never computed"))
    stop = Stop(
        stopped_on=stopped_on, status=status, why_stopped=why_stopped, restarted_on=restarted_on,
        restart_status_reported=restart_reported, restart_status=restart_status, row=row.number,
    )  # fmt: skip
    return registry_id, stop, flags


def registry_id_of(text: str, flags: list[tuple[str, str]]) -> str:
    """Return the registry number a cell holds; add to the flags how it was read; raise `Unreadable` for none or two."""
    ids = read_registry_ids(text).ids
    if len(ids) != 1:
        found = f"{len(ids)} registry numbers" if ids else "no registry number"
        raise Unreadable("trial", text, f"{text[:60]!r} is {found}; a row needs one, such as NCT01234567")
    if ids[0] != text:
        flags.append(("trial", f"{text[:60]!r} was read as {ids[0]}"))
    return ids[0]


def _date(column: str, text: str, habit: DateHabit, today: str, flags: list[tuple[str, str]]) -> PartialDate | None:
    if text.casefold() in _MISSING:
        return None
    found: DateReading = read_date(text, habit)
    if found.value is None:
        raise Unreadable(column, text, f"{text[:60]!r}: {found.doubt or found.error}", found.proposals)
    if found.value.earliest > today:
        raise Unreadable(column, text, f"{found.value.text} lies in the future; enter it when it has happened")
    if found.note:
        flags.append((column, found.note))
    return found.value


def _restart_flags(
    status: StudyStatus, restarted_on: PartialDate | None, reported: str | None, restart_status: StudyStatus | None
) -> list[tuple[str, str]]:
    flags = []
    if restarted_on is not None and reported is None:
        flags.append(("restart_status", "it restarted, but into which status is not said"))
    if reported is not None and restarted_on is None:
        flags.append(("restart_date", "it restarted, but when is not said"))
    if reported is not None and restart_status is None:
        flags.append(("restart_status", f"{reported[:60]!r} is no known status; kept as reported"))
    if restart_status in STOPPED:
        flags.append(("restart_status", f"{reported} is itself a stop, not a restart; kept as reported"))
    elif (restarted_on is not None or reported is not None) and status in FINAL:
        flags.append(("stop_status", f"{status.value.lower()} is meant to be final, and yet the trial restarted"))
    return flags


def _cell(row: Row, at: int | None) -> str | None:
    """Return the text of a cell, None where it or its column is missing."""
    return None if at is None or row.cells[at].casefold() in _MISSING else row.cells[at]


def settle(study: StudyFact) -> None:
    """Put the stops in the order of their dates (undated ones first) and say where the study stands after the last."""
    study.stops.sort(key=lambda stop: stop.stopped_on.earliest if stop.stopped_on else "")
    last = study.stops[-1]
    study.rows = len(study.stops)
    restarted = last.restarted_on is not None or last.restart_status is not None
    study.status = (last.restart_status or StudyStatus.UNKNOWN) if restarted else last.status
    study.why_stopped = last.why_stopped if study.status in STOPPED else None


def stop_columns(table: Table, today: str) -> StopColumns | None:
    """Return where a table tells of stops; None where it does not. `today` is a day, ISO 8601."""
    at = columns_of(table.headings)
    status = at.get("stop_status", at.get("status"))
    if "trial" not in at or "stop_date" not in at or status is None:
        return None
    restart_date = at.get("restart_date")
    return StopColumns(
        trial=at["trial"],
        stop_date=at["stop_date"],
        stop_status=status,
        restart_date=restart_date,
        restart_status=at.get("restart_status"),
        why_stopped=at.get("why_stopped"),
        stop_habit=_habit(table, at["stop_date"]),
        restart_habit=_habit(table, restart_date),
        today=today,
    )


def _lacking(table: Table) -> list[str]:
    at = columns_of(table.headings)
    return [one for one in _NEEDED if one not in at and not (one == "stop_status" and "status" in at)]


def _habit(table: Table, at: int | None) -> DateHabit:
    return habit_of((row.cells[at] for row in table.rows) if at is not None else (), epoch_1904=table.epoch_1904)
