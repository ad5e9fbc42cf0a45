"""A portfolio as one table: a row per programme with its present stage, or a row per stage entry; read into facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from pipeline.errors import FileRefused
from pipeline.exchange.cells import DateHabit, habit_of, is_nothing, read_date
from pipeline.exchange.collection import uncollected
from pipeline.exchange.headings import Columns, find_columns, order_told, recogniser
from pipeline.exchange.portfolio_merge import merge
from pipeline.exchange.portfolio_molecules import Described, describe
from pipeline.exchange.portfolio_rows import STATUS_OF, Line, RowReader, Stopped
from pipeline.exchange.reading import Place, Quarantined, Reading
from pipeline.exchange.stage_names import StageNames, fold_words
from pipeline.exchange.tables import Row, Table, read_tables

FORMAT = "portfolio"


def read_portfolio(
    data: bytes,
    filename: str,
    graph_stages: Mapping[str, str],
    *,
    mapping: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Reading:
    """Read a portfolio workbook or delimited text.

    Args:
        data: the file as sent.
        filename: its name, for places and messages.
        graph_stages: stage code -> name of the state graph in use, earliest stage first.
        mapping: heading -> column or stage code, where the headings are not among the known ones.
        today: the day after which a date lies in the future (UTC today if not given).

    Raises:
        FileRefused: not a table, too large, or without the columns it needs.
    """
    with uncollected():
        return _read(data, filename, StageNames(graph_stages), mapping, today or datetime.now(UTC).date())


def read_row(
    cells: Mapping[str, str], place: Place, graph_stages: Mapping[str, str], *, today: date | None = None
) -> Reading:
    """Read one row by itself: what stands under the names of the columns, or under the codes of stages."""
    names = StageNames(graph_stages)
    columns = list(cells)
    table = Table(place.file, columns, 1, [Row(place.row, list(cells.values()))])
    reading = Reading(FORMAT)
    found = find_columns(columns, names, {name: name for name in columns})
    lines = _read_rows(table, found, names, today or datetime.now(UTC).date(), reading)
    merged = merge(lines, names)
    reading.held += merged.held
    reading.programmes += describe(merged.programmes, {table.file: Described(table, found, reading.flags)})
    return reading


def _read(data: bytes, filename: str, names: StageNames, mapping: Mapping[str, str] | None, today: date) -> Reading:
    tables = read_tables(data, filename, recogniser(names, mapping))
    reading = Reading(FORMAT)
    lines: list[Line] = []
    described: dict[str, Described] = {}
    found = [(table, _columns(table, names, mapping)) for table in tables]
    usable = [(table, columns) for table, columns in found if not _missing(columns)]
    if not usable:
        raise _refusal(*max(found, key=lambda item: len(item[1].at)))
    for table, columns in found:
        if _missing(columns):
            reading.warnings.append(f"{table.file} was left out: it has no {' and no '.join(_missing(columns))}.")
            continue
        described[table.file] = Described(table, columns, reading.flags)
        lines += _read_rows(table, columns, names, today, reading)
    merged = merge(lines, names)
    reading.held += merged.held
    reading.duplicates += merged.duplicates
    reading.programmes += describe(merged.programmes, described)
    if merged.completed_on_the_way:
        reading.warnings.append(
            f"{merged.completed_on_the_way} stage(s) said to be completed before a later one began were read as "
            f"stages completed, not as the end of the programme."
        )
    if not reading.rows:
        reading.warnings.append(f"{usable[0][0].file} has a heading and no rows below it.")
    return reading


def _columns(table: Table, names: StageNames, mapping: Mapping[str, str] | None) -> Columns:
    """Find the columns; a heading that is only a stage ("Phase II") counts where most of its cells are dates."""
    columns = find_columns(table.headings, names, mapping)
    for stage in set(columns.stage_dates) - columns.worded:
        at = columns.stage_dates[stage]
        texts = [row.cells[at] for row in table.rows if not is_nothing(row.cells[at])][:200]
        dates = sum(reading.value is not None or reading.doubt is not None for reading in map(read_date, texts))
        if dates * 2 <= len(texts):
            del columns.stage_dates[stage]
            columns.unused.append(table.headings[at])
    return columns


def _missing(columns: Columns) -> list[str]:
    """Return what a portfolio cannot do without, in words."""
    missing = []
    if not columns.at.keys() & {"name", "code", "inn"}:
        missing.append("molecule (a column such as Name, Code, Molécule)")
    if not columns.stage_dates and "stage" not in columns.at:
        missing.append("stage (a column such as Stage, Phase, or dates per stage such as Phase 1 start)")
    if not columns.stage_dates and "since" not in columns.at:
        missing.append("date of entering it (a column such as Since, Start date, Depuis)")
    return missing


def _refusal(table: Table, columns: Columns) -> FileRefused:
    headings = ", ".join(repr(heading[:40]) for heading in table.headings[:20] if heading) or "none"
    snapshot = (
        " A dated list of names and phases can be imported as snapshots."
        if columns.at.keys() >= {"stage"} and len(_missing(columns)) == 1
        else ""
    )
    return FileRefused(
        f"{table.file} has no {' and no '.join(_missing(columns))}; the headings found in row {table.heading_row} are "
        f"{headings}. `moltrail import --template` writes a workbook to fill in.{snapshot}"
    )


def _read_rows(table: Table, columns: Columns, names: StageNames, today: date, reading: Reading) -> list[Line]:
    reading.rows += table.count
    reading.quarantined += table.bad
    reading.warnings += table.warnings
    unused = columns.unused + [
        table.headings[columns.at[name]] for name in ("moa", "snapshot_date") if name in columns.at
    ]
    if unused:
        reading.warnings.append(
            f"{table.file}: {len(unused)} column(s) are not kept: {', '.join(repr(name[:60]) for name in unused[:20])}."
        )
    reading.warnings += _unread_status(table, columns)
    dated = list(columns.stage_dates.values()) + [
        columns.at[name] for name in ("since", "stopped_on") if name in columns.at
    ]
    habits = _habits(table, dated)
    reader = RowReader(table, columns, names, habits, today, reading.flags)
    lines = []
    for row in table.rows:
        try:
            lines.append(reader.read(row))
        except Stopped as stopped:
            if isinstance(stopped.fate, Quarantined):
                reading.quarantined.append(stopped.fate)
            else:
                reading.held.append(stopped.fate)
    reading.warnings += [f"{table.file}: {note} ({rows} row(s))." for note, rows in reader.notes.items()]
    return lines


def _unread_status(table: Table, columns: Columns) -> list[str]:
    """Return what to do where nothing is read as a status, but a column that is not kept is full of such words."""
    if "status" in columns.at:
        return []
    found = []
    for heading in columns.unused:
        at = table.headings.index(heading)
        said = [row.cells[at] for row in table.rows if not is_nothing(row.cells[at])]
        if said and all(fold_words(text) in STATUS_OF for text in said):
            found.append(
                f"{table.file}: the column {heading[:60]!r} tells how programmes stand ({said[0][:30]!r}) under a name "
                f"that is not known; without it they are taken as active. Name it Status and import the file again."
            )
    return found


def _habits(table: Table, dated: Sequence[int]) -> dict[int, DateHabit]:
    """Return how each date column orders day and month: as its heading says, as it shows, or as the others show."""
    texts = {at: {row.cells[at] for row in table.rows} for at in dated}
    habits = {at: habit_of(texts[at], epoch_1904=table.epoch_1904) for at in dated}
    common = habit_of(set().union(*texts.values()), epoch_1904=table.epoch_1904)
    for at, habit in habits.items():
        told = order_told(table.headings[at])
        if told is not None:
            habits[at] = DateHabit(told, told, table.epoch_1904)
        elif habit.day_first is None:
            habits[at] = common
    return habits
