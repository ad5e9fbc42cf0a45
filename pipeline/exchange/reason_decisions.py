"""Decisions on proposed reasons, as a person hands them back: the exported table with its last columns filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import FileRefused, PipelineError, RowError
from pipeline.exchange.cells import armed
from pipeline.exchange.tables import Row, Table, read_tables
from pipeline.words import AttritionReason

RECORD, VERSION, PROPOSED, DECISION, COMMENT = "record", "version", "proposed", "decision", "comment"
NEEDED = (RECORD, VERSION, DECISION)
AGREES = frozenset({"agree", "agreed", "agrees", "ok", "yes", "y", "oui", "daccord", "accepted", "true", "vrai", "x"})
"""How people write that they agree (casefolded, without signs)."""
CHOICES = ("agree", *AttritionReason)
"""What a decision can be."""


@dataclass(frozen=True, slots=True)
class ReasonDecision:
    """What a row decides. reason: None where it agrees; proposed: what the row says was proposed, None if it does not.

    place: file and row, for messages.
    """

    row: int
    place: str
    record: int
    version: int
    reason: AttritionReason | None = None
    comment: str | None = None
    proposed: str | None = None


@dataclass(slots=True)
class ReasonDecisions:
    """What a table says: decisions, the rows that decide nothing, and everything that cannot be read."""

    decisions: list[ReasonDecision] = field(default_factory=list)
    undecided: int = 0
    remarks: int = 0
    """Rows without a decision that nevertheless have a comment: it is not kept."""
    problems: list[PipelineError] = field(default_factory=list)


def read_reason_decisions(data: bytes, filename: str) -> ReasonDecisions:
    """Read the decisions of a table that was exported; what is wrong with its rows is collected.

    Raises:
        FileRefused: it is no table, or lacks the columns record, version and decision.
    """
    known = {RECORD, VERSION, PROPOSED, DECISION, COMMENT}
    tables = read_tables(data, filename, lambda headings: sum(_key(one) in known for one in headings))
    found = [(table, at) for table in tables if set(NEEDED) <= set(at := _columns(table))]
    if not found:
        lacking = [name for name in NEEDED if name not in _columns(tables[-1])]
        raise FileRefused(
            f"{tables[-1].file} has no column {', '.join(map(repr, lacking))}; fill in the table as "
            "`moltrail export waiting-reasons` writes it, with its headings"
        )
    said = ReasonDecisions()
    for table, at in found:
        for bad in table.bad:
            said.problems.append(
                RowError(f"{table.file}, row {bad.place.row}: {bad.reason}", row=bad.place.row, value=bad.value)
            )
        for row in table.rows:
            _read(table, row, at, said)
    return said


def _columns(table: Table) -> Mapping[str, int]:
    return {_key(heading): at for at, heading in reversed(list(enumerate(table.headings)))}


def _read(table: Table, row: Row, at: Mapping[str, int], said: ReasonDecisions) -> None:
    cells = {name: armed(row.cells[column]) for name, column in at.items()}
    comment = cells.get(COMMENT) or None
    if not cells[DECISION]:
        said.undecided += 1
        said.remarks += comment is not None
        return
    place = f"{table.file}, row {row.number}"
    numbers = [_whole(cells[name]) for name in (RECORD, VERSION)]
    problems = [
        (name, f"{cells[name][:40]!r} is no number of a {name}; leave the column as it was exported")
        for name, number in zip((RECORD, VERSION), numbers, strict=True)
        if number is None
    ]
    decision = _key(cells[DECISION])
    reason = None if decision in AGREES else _REASONS.get(decision)
    if reason is None and decision not in AGREES:
        problems.append((DECISION, f"{cells[DECISION][:40]!r} is no decision; write one of {', '.join(CHOICES)}"))
    said.problems += [
        RowError(f"{place}: {what}", row=row.number, column=name, value=cells[name][:200]) for name, what in problems
    ]
    record, version = numbers
    if record is not None and version is not None and not problems:
        proposed = cells.get(PROPOSED) or None
        said.decisions.append(ReasonDecision(row.number, place, record, version, reason, comment, proposed))


def _whole(text: str) -> int | None:
    """Return a whole number of at most 15 digits, also as spreadsheets may write it ("12.0"); None for others."""
    found = re.fullmatch(r"(\d{1,15})(?:[.,]0+)?", text, re.ASCII)
    return int(found[1]) if found else None


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


_REASONS: Mapping[str, AttritionReason] = {_key(one): one for one in AttritionReason}
