"""Tables of trials: a trial in each row with its phase, drugs, conditions, how it stands, and why it stopped.

Registers export such tables, and people compile them; headings are known by trial_headings.py. A trial that takes
several rows (one for each drug or condition) is one study. Where a table also tells when trials stopped and restarted,
its stops are read as those of a list of stops (trial_stops.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from pipeline.dates import PartialDate
from pipeline.errors import FileRefused
from pipeline.exchange.cells import DateHabit, habit_of, is_formula, is_nothing, read_date
from pipeline.exchange.collection import uncollected
from pipeline.exchange.facts import StudyFact
from pipeline.exchange.reading import Duplicate, Held, Place, Quarantined, Reading
from pipeline.exchange.registry_status import STOPPED, read_status
from pipeline.exchange.tables import Row, Table, read_tables
from pipeline.exchange.trial_cells import read_enrolment, read_list, read_phases, read_treatments
from pipeline.exchange.trial_headings import TRIAL, columns_of, tells_trials
from pipeline.exchange.trial_stops import StopColumns, Unreadable, read_stop, registry_id_of, settle, stop_columns
from pipeline.words import StudyStatus

SOURCE = "trial-table"
_NOT_BEGUN = (StudyStatus.PLANNED, StudyStatus.WITHDRAWN)
_ONE_EACH = ("status", "why_stopped", "phases", "started_on", "ended_on")
"""What a trial has one of: two rows that differ in it contradict each other."""
_EACH_STOP = ("status", "why_stopped")
"""What each of its stops has of its own."""
_DESCRIBING = ("sponsor", "enrolment", "title")
"""What may be told in several ways: the first stands."""
_LONGEST_WORDS = 10_000

Flags = list[tuple[str, str]]
"""(column, what to mind)."""


@dataclass(slots=True)
class _Sheet:
    """A table, where its columns stand, and how its dates are written."""

    table: Table
    at: dict[str, int]
    stops: StopColumns | None
    today: str
    habits: dict[str, DateHabit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """See how each column of dates is written, or else how the others are."""
        epoch = self.table.epoch_1904
        texts = {
            column: {row.cells[self.at[column]] for row in self.table.rows}
            for column in ("started", "ended", "stop_date", "restart_date")
            if column in self.at
        }
        common = habit_of(set().union(*texts.values()), epoch_1904=epoch)
        for column in texts.keys() & {"started", "ended"}:
            own = habit_of(texts[column], epoch_1904=epoch)
            self.habits[column] = common if own.day_first is None else own

    def cell(self, row: Row, column: str) -> str:
        """Return the text of a cell, empty where it says nothing."""
        text = row.cells[self.at[column]] if column in self.at else ""
        return "" if is_nothing(text) else text

    def heading(self, column: str) -> str:
        """Return the heading of a column."""
        return self.table.headings[self.at[column]] if column in self.at else column


def read_trial_tables(files: Sequence[tuple[str, bytes]], *, today: date | None = None) -> Reading:
    """Read tables of trials (delimited text or .xlsx) into one study for each registry number.

    Every row is accepted, quarantined (no registry number, a stop that cannot be), held (it
    contradicts a row before) or a duplicate (it adds nothing). `today` is the day in UTC if not given.

    Raises:
        FileRefused: no file holds a table of trials.
    """
    reading = Reading(SOURCE)
    last_day = (today or datetime.now(UTC).date()).isoformat()
    studies: dict[str, StudyFact] = {}
    with uncollected():
        found = [table for name, data in files for table in read_tables(data, name, lambda row: len(columns_of(row)))]
        known = [table for table in found if tells_trials(table.headings)]
        if not known:
            there = ", ".join(repr(heading[:40]) for heading in found[0].headings[:20] if heading) if found else "none"
            raise FileRefused(
                "a table of trials needs a registry number, a status or reason of the stop, and the phase, drugs, "
                f"conditions or title (headings such as NCT Number, Status, Phases, Interventions); found are {there}."
            )
        for table in found:
            reading.warnings += table.warnings
            if all(table is not one for one in known):
                reading.warnings.append(f"{table.file} has not the columns of a table of trials and was not read.")
                continue
            at = columns_of(table.headings)
            _read_table(_Sheet(table, at, stop_columns(table, last_day), last_day), reading, studies)
    for study in studies.values():
        if study.stops:
            settle(study)
    reading.studies = list(studies.values())
    return reading


def _read_table(sheet: _Sheet, reading: Reading, studies: dict[str, StudyFact]) -> None:
    table = sheet.table
    reading.rows += table.count
    reading.quarantined += table.bad
    unread = [heading for at, heading in enumerate(table.headings) if heading and at not in sheet.at.values()]
    if unread:
        listed = ", ".join(repr(heading[:60]) for heading in unread[:20])
        reading.warnings.append(f"{table.file}: {len(unread)} column(s) are not kept: {listed}.")
    for row in table.rows:
        place = Place(table.file, row.number)
        try:
            study, flags = _read_row(row, place, sheet)
        except Unreadable as wrong:
            column = sheet.heading("status" if wrong.column == "stop_status" else wrong.column)
            if wrong.proposals:
                proposed = " or ".join(wrong.proposals)
                reading.held.append(Held(place, column, wrong.value[:200], proposed, wrong.reason))
            else:
                reading.quarantined.append(Quarantined(place, column, wrong.value[:200], wrong.reason))
            continue
        before = studies.get(study.code)
        if before is None:
            studies[study.code] = study
        else:
            contradicted = _contradiction(before, study)
            if contradicted is not None:
                first = f"{before.file}, row {before.row}"
                why = f"{first} says otherwise of {study.code}: {contradicted}; keep one of the two"
                reading.held.append(Held(place, None, study.code, f"keep what {first} says", why))
                continue
            if not _add(before, study):
                reading.duplicates.append(Duplicate(place, Place(before.file or "", before.row or 0)))
                continue
        reading.flags += [Quarantined(place, sheet.heading(column), None, text) for column, text in flags]


def _read_row(row: Row, place: Place, sheet: _Sheet) -> tuple[StudyFact, Flags]:
    flags: Flags = []
    reported = row.cells[sheet.at[TRIAL]]
    code = registry_id_of(reported, flags)
    study = StudyFact(
        code=code, source=SOURCE, registry_id=code, registry_id_reported=reported, partial=True, row=place.row,
        file=place.file, title=sheet.cell(row, "title") or None, sponsor=sheet.cell(row, "sponsor") or None,
        conditions=read_list(sheet.cell(row, "conditions")),
    )  # fmt: skip
    words = " ".join(sheet.cell(row, "why_stopped").split())
    if is_formula(words):
        flags.append(("why_stopped", "looks like a formula; kept as text and never computed"))
    study.why_stopped = words[:_LONGEST_WORDS] or None
    _standing(study, row, sheet, flags)
    phases = read_phases(sheet.cell(row, "phases"))
    study.phases = list(phases.codes)
    if phases.flag:
        flags.append(("phases", phases.flag))
    _treatments(study, row, place, sheet, flags)
    _dates(study, row, sheet, flags)
    enrolled, planned, problem = read_enrolment(sheet.cell(row, "enrolment"))
    if problem:
        flags.append(("enrolment", problem))
    study.enrolment = None if planned else enrolled
    said: dict[str, Any] = {"phases_reported": read_list(sheet.cell(row, "phases"))}
    said["enrolment_planned"] = enrolled if planned else None
    study.details |= {name: value for name, value in said.items() if value not in (None, [])}
    return study, flags


def _standing(study: StudyFact, row: Row, sheet: _Sheet, flags: Flags) -> None:
    """Say how a trial stands: by its status, or by its stop where the table tells of stops."""
    reported = sheet.cell(row, "status") or sheet.cell(row, "stop_status")
    study.status = read_status(reported) if reported else None
    if sheet.stops is not None and (sheet.cell(row, "stop_date") or study.status in STOPPED):
        _, stop, more = read_stop(row, sheet.stops)
        flags += more
        study.stops = [stop]
        settle(study)
        return
    if reported and study.status is None:
        study.status = StudyStatus.UNKNOWN
        flags.append(("status", f"{reported[:60]!r} is no known status; kept as reported"))
    if reported:
        study.details["overall_status"] = reported
    elif study.why_stopped:
        flags.append(("status", "why it stopped is told, and not how it stands"))
    if study.why_stopped and study.status not in (None, StudyStatus.UNKNOWN, *STOPPED):
        flags.append(("why_stopped", f"why it stopped is told, and it stands as {study.status.value.lower()}"))


def _treatments(study: StudyFact, row: Row, place: Place, sheet: _Sheet, flags: Flags) -> None:
    types = sheet.cell(row, "intervention_type")
    others: list[dict[str, str]] = []
    seen: set[str] = set()
    for column in ("drugs", "interventions"):
        found = read_treatments(sheet.cell(row, column), types, drugs=column == "drugs", place=place)
        study.molecules += [part for part in found.molecules if part.molecule.key not in seen]
        seen |= {part.molecule.key for part in found.molecules}
        others += found.others
        flags += [(column, f"{value[:100]!r}: {reason}") for _, value, reason in found.flags]
    if others:
        study.details["other_interventions"] = others


def _dates(study: StudyFact, row: Row, sheet: _Sheet, flags: Flags) -> None:
    """Take the dates that have come; those to come, or of trials that never began, are plans."""
    for column, planned in (("started", "start_date_planned"), ("ended", "completion_date_planned")):
        text = sheet.cell(row, column)
        if not text:
            continue
        read = read_date(text, sheet.habits[column])
        if read.value is None:
            flags.append((column, f"{text[:60]!r}: {read.doubt or read.error}; kept as reported"))
            study.details[f"{column}_reported"] = text[:200]
            continue
        if read.note:
            flags.append((column, read.note))
        day: PartialDate = read.value
        if day.earliest > sheet.today or (column == "started" and study.status in _NOT_BEGUN):
            study.details[planned] = day.text
        elif column == "started":
            study.started_on = day
        else:
            study.ended_on = day


def _contradiction(before: StudyFact, after: StudyFact) -> str | None:
    """Return what two rows of a trial say differently where only one can be true, in words."""
    told = _EACH_STOP if before.stops and after.stops else ()
    for name in _ONE_EACH:
        one, other = (_text(getattr(study, name)) for study in (before, after))
        # A month is no contradiction to a day of it.
        if name not in told and one and other and not (one.startswith(other) or other.startswith(one)):
            return f"{name.replace('_', ' ')} {one[:60]!r} and {other[:60]!r}"
    known = {(stop.status, stop.stopped_on): stop for stop in before.stops}
    for stop in after.stops:
        same = known.get((stop.status, stop.stopped_on))
        if same and (same.restarted_on, same.why_stopped) != (stop.restarted_on, stop.why_stopped):
            return "another reason or restart of the same stop"
    return None


def _text(said: Any) -> str:
    return said.text if isinstance(said, PartialDate) else ", ".join(said) if isinstance(said, list) else said or ""


def _add(study: StudyFact, more: StudyFact) -> bool:
    """Add what a further row says of a trial; return whether it is anything new."""
    new = False
    for name in (*_ONE_EACH, *_DESCRIBING):
        if not getattr(study, name) and getattr(more, name):
            setattr(study, name, getattr(more, name))
            new = True
    keys = {part.molecule.key for part in study.molecules}
    molecules = [part for part in more.molecules if part.molecule.key not in keys]
    conditions = [one for one in more.conditions if one not in study.conditions]
    known = {(stop.status, stop.stopped_on) for stop in study.stops}
    stops = [stop for stop in more.stops if (stop.status, stop.stopped_on) not in known]
    others = _merged(study.details, more.details)
    study.molecules += molecules
    study.conditions += conditions
    study.stops += stops
    new = new or bool(molecules or conditions or stops or others)
    study.rows += new
    return new


def _merged(details: dict[str, Any], more: Mapping[str, Any]) -> bool:
    """Add details that are not there yet; a list goes on with its new items."""
    new = False
    for name, value in more.items():
        if isinstance(value, list):
            added = [item for item in value if item not in details.get(name, [])]
            details[name] = [*details.get(name, []), *added]
            new = new or bool(added)
        elif name not in details:
            details[name] = value
            new = True
    return new
