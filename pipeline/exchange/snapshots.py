"""Dated snapshots of a portfolio (name, phase): what moved is inferred from how one snapshot differs from the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pipeline.dates import PartialDate
from pipeline.errors import FileRefused
from pipeline.exchange.cells import DateHabit, habit_of, is_formula, is_nothing, read_date
from pipeline.exchange.collection import uncollected
from pipeline.exchange.headings import Columns, find_columns, recogniser
from pipeline.exchange.portfolio_molecules import IDENTIFIERS
from pipeline.exchange.portfolio_rows import STATUS_OF
from pipeline.exchange.reading import Held, Place, Quarantined, Reading
from pipeline.exchange.snapshot_dates import dates_in_name, snapshot_date
from pipeline.exchange.snapshot_moves import Sight, Snapshot, follow
from pipeline.exchange.stage_names import StageNames, fold_words
from pipeline.exchange.tables import Table, read_tables, shown
from pipeline.names import canonical_key, fold, tidy
from pipeline.words import Status

FORMAT = "snapshots"
_KEPT = (
    *("name", "inn", "code", "stage", "status", "reason", "indication", "disease_group"),
    *("targets", "smiles", "synonyms", *IDENTIFIERS),
)
_STANDS = (Status.DISCONTINUED, Status.ON_HOLD, Status.STALLED)
"""What a snapshot can say of a programme in place of its stage, or beside it."""


def read_snapshots(
    files: Sequence[tuple[str, bytes]],
    graph_stages: Mapping[str, str],
    *,
    dates: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Reading:
    """Read snapshots of one portfolio, in any order of files, and infer the moves between them.

    A first sight is an entry on the day of that snapshot (a start in the middle); a later stage is an entry dated to
    the later snapshot, with the span it must lie in as its note; the same stage again is a duplicate; an earlier stage
    is held, as a correction to be confirmed. A name that disappears is told in a warning: it is not a stop; one that is
    said to be discontinued, on hold or stalled stops in the stage it was last seen in.

    Args:
        files: (name, content) of each snapshot; the date is in the name, in a comment, or in a column.
        graph_stages: stage code -> name of the state graph in use, earliest stage first.
        dates: file name -> ISO date, for files that do not say it certainly.
        mapping: heading -> column, where the headings are not among the known ones.
        today: the day after which a date lies in the future (UTC today if not given).

    Raises:
        FileRefused: a file that is not a table, has no name or phase column, or no certain date.
    """
    if not files:
        raise FileRefused("there is no snapshot to read; send at least one file.")
    with uncollected():
        return _read(files, StageNames(graph_stages), dates, mapping, today or datetime.now(UTC).date())


def _read(
    files: Sequence[tuple[str, bytes]],
    names: StageNames,
    dates: Mapping[str, str] | None,
    mapping: Mapping[str, str] | None,
    today: date,
) -> Reading:
    reading = Reading(FORMAT)
    snapshots: dict[str, Snapshot] = {}
    tables = [
        (filename, table)
        for filename, data in _apart(files)
        for table in _tables(filename, data, names, mapping, reading)
    ]
    whole = _tells_of_molecules(tables, names, mapping)
    if whole:
        reading.warnings.append(
            "the indication column lists several indications in a cell, so that a phase is the molecule's furthest for "
            "any of them: programmes are opened without an indication, and the list is kept as a note."
        )
    for filename, table in tables:
        _read_table(filename, table, _Context(names, mapping, dates, today, whole), snapshots, reading)
    ordered = sorted(snapshots.values(), key=lambda snapshot: (snapshot.day.earliest, snapshot.day.latest))
    follow(ordered, names, reading, whole=whole)
    return reading


def _apart(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Give files of one name from several folders different names, so that a place names one row."""
    named: dict[str, bytes] = {}
    for filename, data in files:
        name, number = shown(filename), 2
        while name in named:
            name = f"{shown(filename)} ({number})"
            number += 1
        named[name] = data
    return list(named.items())


@dataclass(slots=True)
class _Context:
    names: StageNames
    mapping: Mapping[str, str] | None
    dates: Mapping[str, str] | None
    today: date
    whole: bool


def _tables(
    filename: str, data: bytes, names: StageNames, mapping: Mapping[str, str] | None, reading: Reading
) -> list[Table]:
    """Return the sheets of a file that are snapshots; refuse a file that has none."""
    found = read_tables(data, filename, recogniser(names, mapping))
    usable = []
    for table in found:
        columns = find_columns(table.headings, names, mapping)
        if columns.at.keys() & {"name", "code", "inn"} and "stage" in columns.at:
            usable.append(table)
        elif len(found) > 1:
            reading.warnings.append(f"{table.file} was left out: it has no columns for a name and a phase.")
    if not usable:
        headings = ", ".join(repr(heading[:40]) for heading in found[0].headings[:20] if heading) or "none"
        raise FileRefused(
            f"{filename} has no columns for a name and a phase (such as Name and Phase, Molécule and Stade); the "
            f"headings found in row {found[0].heading_row} are {headings}."
        )
    return usable


def _tells_of_molecules(
    tables: Sequence[tuple[str, Table]], names: StageNames, mapping: Mapping[str, str] | None
) -> bool:
    """Whether indication cells hold lists: then a row is about a molecule, not about one programme."""
    for _, table in tables:
        at = find_columns(table.headings, names, mapping).at.get("indication")
        if at is not None and any("|" in row.cells[at] or ";" in row.cells[at] for row in table.rows):
            return True
    return False


def _read_table(
    filename: str, table: Table, context: _Context, snapshots: dict[str, Snapshot], reading: Reading
) -> None:
    columns = find_columns(table.headings, context.names, context.mapping)
    reading.rows += table.count
    reading.quarantined += table.bad
    reading.warnings += table.warnings
    at_day = _day_column(filename, table, columns, context)
    kept = {columns.at[name] for name in _KEPT if name in columns.at} | {at_day}
    unused = [heading for at, heading in enumerate(table.headings) if heading and at not in kept]
    if unused:
        reading.warnings.append(
            f"{table.file}: {len(unused)} column(s) are not kept: {', '.join(repr(name[:60]) for name in unused[:20])}."
        )
    day = snapshot_date(filename, table.above, context.today, context.dates) if at_day is None else None
    if day is not None:
        _snapshot(snapshots, day, table.file)
    habit = habit_of((row.cells[at_day or 0] for row in table.rows), epoch_1904=table.epoch_1904)
    notes: dict[str, int] = {}
    for number, cells in table.rows:
        place = Place(table.file, number)
        seen = _read_row(place, cells, table, columns, context.names, notes)
        if isinstance(seen, Quarantined):
            reading.quarantined.append(seen)
            continue
        own = day or _day_of_row(place, cells[at_day or 0], table.headings[at_day or 0], habit, context.today)
        if isinstance(own, PartialDate):
            key = (canonical_key(seen.name), "" if context.whole else fold_words(seen.indication))
            _snapshot(snapshots, own, table.file).seen.setdefault(key, []).append(seen)
        elif isinstance(own, Quarantined):
            reading.quarantined.append(own)
        else:
            reading.held.append(own)
    reading.warnings += [f"{table.file}: {note} ({rows} row(s))." for note, rows in notes.items()]


def _day_column(filename: str, table: Table, columns: Columns, context: _Context) -> int | None:
    """Return the column that dates the rows: one called so, or one called just "date" if the file's name has none."""
    told = columns.at.get("snapshot_date")
    if told is not None and any(read_date(row.cells[told]).error is None for row in table.rows[:20]):
        return told
    at = columns.at.get("since")
    if at is None or fold_words(table.headings[at]) != "date" or filename in (context.dates or {}):
        return None
    return None if dates_in_name(filename) else at


def _snapshot(snapshots: dict[str, Snapshot], day: PartialDate, file: str) -> Snapshot:
    snapshot = snapshots.setdefault(day.text, Snapshot(day, []))
    if file not in snapshot.files:
        snapshot.files.append(file)
    return snapshot


def _day_of_row(
    place: Place, text: str, heading: str, habit: DateHabit, today: date
) -> PartialDate | Quarantined | Held:
    read = read_date(text, habit)
    if read.doubt is not None:
        return Held(place, heading, text[:200], " or ".join(read.proposals) or "write the date in full", read.doubt)
    if read.value is None:
        return Quarantined(place, heading, text[:200], read.error or "this is no date")
    if read.value.earliest > today.isoformat():
        return Quarantined(place, heading, text[:200], "the snapshot's date lies in the future")
    return read.value


def _read_row(
    place: Place, cells: Sequence[str], table: Table, columns: Columns, names: StageNames, notes: dict[str, int]
) -> Sight | Quarantined:
    at_name = next(columns.at[column] for column in ("name", "inn", "code") if column in columns.at)
    at_stage = columns.at["stage"]
    for at in (at_name, at_stage):
        if is_formula(cells[at]) or (place.row, at) in table.marks:
            reason = "a formula or an error stands where a value belongs; write the value"
            return Quarantined(place, table.headings[at], cells[at][:200], reason)
    name = tidy(cells[at_name])
    if not fold(name) or is_nothing(name):
        return Quarantined(place, table.headings[at_name], name[:200] or None, "the row names no molecule")
    text = cells[at_stage]
    if is_nothing(text):
        return Quarantined(place, table.headings[at_stage], text or None, "the row names no phase")
    read = names.read(text)
    status = STATUS_OF.get(fold_words(text), Status.ACTIVE) if read.code is None else _status(cells, columns, notes)
    if read.code is None and status not in _STANDS:
        return Quarantined(place, table.headings[at_stage], text[:200], read.problem or "this is no stage")
    if read.note is not None:
        notes[read.note] = notes.get(read.note, 0) + 1
    at_indication = columns.at.get("indication")
    indication = cells[at_indication] if at_indication is not None else ""
    if is_nothing(indication):
        indication = ""
    return Sight(place, table.headings[at_stage], name, read.code or "", indication, cells, columns, status)


def _status(cells: Sequence[str], columns: Columns, notes: dict[str, int]) -> Status:
    """Return how a programme stands by its column of statuses; a word that says no status is noted."""
    text = cells[columns.at["status"]] if "status" in columns.at else ""
    status = Status.ACTIVE if is_nothing(text) else STATUS_OF.get(fold_words(text))
    if status is None:
        said = f"status {text[:40]!r} is not known and was not read"
        notes[said] = notes.get(said, 0) + 1
    return status if status in _STANDS else Status.ACTIVE
