"""One row of a portfolio: what it says of a programme, or why it cannot be taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from pipeline.dates import PartialDate
from pipeline.exchange.cells import DateHabit, armed, is_formula, is_nothing, literal, read_date
from pipeline.exchange.facts import StageEntry
from pipeline.exchange.headings import Columns
from pipeline.exchange.reading import Held, Place, Quarantined
from pipeline.exchange.sheets import ERROR_VALUE, FORMULA, NO_RESULT
from pipeline.exchange.stage_names import StageNames, fold_words
from pipeline.exchange.tables import Row, Table
from pipeline.names import fold, tidy
from pipeline.words import AttritionReason, Status

_STATUS_WORDS = {
    Status.ACTIVE: "active|ongoing|on going|in progress|running|recruiting|open|actif|active|en cours|ouvert|ouverte"
    "|initiated|started|entered|begun|restarted|resumed|reinitiated|demarre|demarree|debute|debutee|initie|initiee"
    "|relance|relancee|repris|reprise",
    Status.ON_HOLD: "on hold|hold|held|suspended|paused|clinical hold|suspendu|suspendue|en pause|en suspens|gele",
    Status.STALLED: "stalled|dormant|no development reported|no recent development|no recent reports"
    "|au point mort|en sommeil",
    Status.DISCONTINUED: "discontinued|stopped|terminated|dropped|abandoned|halted|failed|cancelled|canceled|no go"
    "|arrete|arretee|abandonne|abandonnee|annule|annulee|arret|interrompu definitivement",
    Status.COMPLETED: "completed|complete|finished|termine|terminee|acheve|achevee|fini|finie",
}
STATUS_OF = {word: status for status, words in _STATUS_WORDS.items() for word in words.split("|")}
STATUS_OF |= {fold_words(status): status for status in Status}
_REASONS = {fold_words(reason): reason for reason in AttritionReason}
_ESSENTIAL = ("name", "code", "inn", "indication", "stage", "since", "status", "stopped_on")
_ENTRY_WORDS = re.compile(r"\b(?:start|started|entry|entered|begin|began|entree|debut|demarrage|passage)\b")
"""Words of a heading that say of its date that it is the day the stage was entered, and nothing else."""
_FORMULA_START = re.compile("(?:^|\x1f)'?[=+\\-@]")


class Stopped(Exception):
    """A row that is not taken: it carries its fate."""

    def __init__(self, fate: Quarantined | Held) -> None:
        super().__init__(fate)
        self.fate = fate


@dataclass(slots=True)
class Line:
    """A row that can be read: which programme it is about and which entries it states."""

    place: Place
    name: str
    key: str
    code: str
    code_key: str
    indication: str
    entries: list[StageEntry] = field(default_factory=list)
    cells: Sequence[str] = ()
    """The cells as they were, for the columns that describe the molecule."""
    date_column: str | None = None
    """The heading of the date, for messages."""
    undated: Held | None = None
    """Set where the row says how the programme stands, but gives only the day the stage was entered."""


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one table whose columns are known."""

    table: Table
    columns: Columns
    names: StageNames
    habits: dict[int, DateHabit]
    today: date
    flags: list[Quarantined]
    notes: dict[str, int] = field(default_factory=dict)
    """Sentences true of many rows, with how many."""

    def read(self, row: Row) -> Line:
        """Return what a row says; raise `Stopped` with its fate where it says nothing certain."""
        place = Place(self.table.file, row.number)
        cells = self._plain(place, row.cells) if self._suspicious(row) else row.cells
        name = _tidy(self._cell(cells, "name") or self._cell(cells, "inn"))
        code = _tidy(self._cell(cells, "code"))
        code_key = fold(code) if code else ""
        key = fold(name) if name else code_key
        if not key:
            column = self._heading("name") or self._heading("code")
            raise Stopped(Quarantined(place, column, name or code or None, "the row names no molecule"))
        line = Line(place, name or code, key, code, code_key, self._cell(cells, "indication"), cells=cells)
        line.date_column = self._heading("since")
        self._dated_columns(line, cells)
        self._present(line, cells)
        self._status(line, cells)
        self._check_order(line)
        return line

    def _heading(self, column: str) -> str | None:
        at = self.columns.at.get(column)
        return self.table.headings[at] if at is not None else None

    def _cell(self, cells: Sequence[str], column: str) -> str:
        at = self.columns.at.get(column)
        if at is None:
            return ""
        text = cells[at]
        return "" if is_nothing(text) else text

    # ------------------------------------------------------------------------------------------------ formulas

    def _suspicious(self, row: Row) -> bool:
        if self.table.marks and any((row.number, at) in self.table.marks for at in range(len(row.cells))):
            return True
        return _FORMULA_START.search("\x1f".join(row.cells)) is not None

    def _plain(self, place: Place, cells: Sequence[str]) -> list[str]:
        """Replace formulas by what they stand for where that is certain; refuse the row where it is not."""
        essential = {self.columns.at[column] for column in _ESSENTIAL if column in self.columns.at}
        essential |= set(self.columns.stage_dates.values())
        used = essential | set(self.columns.at.values())
        plain = list(cells)
        for at in sorted(used):
            heading = self.table.headings[at]
            kind, source = self.table.marks.get((place.row, at), ("", ""))
            if kind == FORMULA:
                reason = "the value is the stored result of a formula; it was taken, not computed"
                self.flags.append(Quarantined(place, heading, source[:200], reason))
            elif kind == NO_RESULT or (not kind and is_formula(cells[at])):
                plain[at] = self._formula_text(place, heading, cells[at], essential=at in essential)
            elif kind == ERROR_VALUE:
                if at in essential:
                    raise Stopped(Quarantined(place, heading, source[:200], "the cell holds an error, not a value"))
                plain[at] = ""
            else:
                plain[at] = armed(plain[at])  # as our own exports write it
        return plain

    def _formula_text(self, place: Place, heading: str, text: str, *, essential: bool) -> str:
        inner = literal(text)
        if inner is not None:
            self.flags.append(Quarantined(place, heading, text[:200], f"taken as the text {inner!r}"))
            return inner.strip()
        if essential:
            reason = "a formula stands where a value belongs; it is not computed: write the value"
            raise Stopped(Quarantined(place, heading, text[:200], reason))
        self.flags.append(Quarantined(place, heading, text[:200], "looks like a formula; kept as text, not computed"))
        return text

    # ------------------------------------------------------------------------------------------------ entries

    def _date(self, line: Line, at: int, text: str, propose: Mapping[str, object]) -> tuple[PartialDate, str | None]:
        """Read one date or stop the row; `propose` says what a person would accept with a date filled in."""
        reading = read_date(text, self.habits[at])
        heading = self.table.headings[at]
        if reading.doubt is not None:
            proposed = " or ".join(reading.proposals) or "write the date in full"
            single = reading.proposals[0] if len(reading.proposals) == 1 else None
            act = {**self._enter(line, at), **propose, "occurred_on": single, "choices": list(reading.proposals)}
            raise Stopped(Held(line.place, heading, text[:200], proposed, reading.doubt, act))
        if reading.value is None:
            raise Stopped(Quarantined(line.place, heading, text[:200], reading.error or "this is no date"))
        if reading.value.earliest > self.today.isoformat():
            reason = "the date lies in the future; enter it when it has happened"
            raise Stopped(Quarantined(line.place, heading, text[:200], reason))
        if reading.note is not None:
            self.flags.append(Quarantined(line.place, heading, text[:200], reading.note))
        return reading.value, reading.note

    def _enter(self, line: Line, at: int | None) -> dict[str, object]:
        """Return what accepting the row would enter: all it says, with the date that is decided under `column`.

        The cells stand under the names of their columns, dates as they were read, so that the row can be read again
        by itself. `at` None: the file has no column for the date.
        """
        names = {where: name for name, where in (*self.columns.at.items(), *self.columns.stage_dates.items())}
        row = {}
        for where, name in names.items():
            text = line.cells[where]
            if where in self.habits and (read := read_date(text, self.habits[where])).value is not None:
                text = read.value.text
            if not is_nothing(text):
                row[name] = text
        if self._entry_only(""):
            row.setdefault("stopped_on", "")
        return {
            "kind": "enter",
            "molecule": line.name,
            "code": line.code or None,
            "indication": line.indication or None,
            "row": row,
            "column": "stopped_on" if at is None else names[at],
        }

    def _dated_columns(self, line: Line, cells: Sequence[str]) -> None:
        for stage, at in self.columns.stage_dates.items():
            text = cells[at]
            if not is_nothing(text):
                occurred_on, note = self._date(line, at, text, {"stage": stage})
                line.entries.append(StageEntry(stage, occurred_on, note=note, row=line.place.row, file=line.place.file))

    def _present(self, line: Line, cells: Sequence[str]) -> None:
        text, since = self._cell(cells, "stage"), self._cell(cells, "since")
        if not text:
            if not line.entries:
                raise Stopped(Quarantined(line.place, self._heading("stage"), None, "the row names no stage"))
            return
        read = self.names.read(text)
        if read.code is None:
            raise Stopped(Quarantined(line.place, self._heading("stage"), text[:200], read.problem or "no stage"))
        if read.note is not None:
            self.notes[read.note] = self.notes.get(read.note, 0) + 1
        dated = [entry for entry in line.entries if entry.stage == read.code]
        if not since:
            if dated:
                return
            raise Stopped(
                Held(
                    line.place,
                    self._heading("since"),
                    text[:200],
                    f"the date it entered {self.names.name(read.code)}",
                    f"when did it enter this stage? {line.name} stands in {self.names.name(read.code)} without a date",
                    {**self._enter(line, self.columns.at.get("since")), "stage": read.code, "occurred_on": None},
                )
            )
        occurred_on, note = self._date(line, self.columns.at["since"], since, {"stage": read.code})
        if dated and not _agree(dated[0].occurred_on, occurred_on):
            raise Stopped(
                Held(
                    line.place,
                    self._heading("since"),
                    since[:200],
                    f"{dated[0].occurred_on.text} or {occurred_on.text}",
                    f"the row gives two dates for entering {self.names.name(read.code)}",
                )
            )
        if not dated:
            line.entries.append(StageEntry(read.code, occurred_on, note=note, row=line.place.row, file=line.place.file))

    def _status(self, line: Line, cells: Sequence[str]) -> None:
        last = max(line.entries, key=lambda entry: self.names.rank(entry.stage))
        status = self._status_word(line, self._cell(cells, "status"))
        stopped = self._cell(cells, "stopped_on")
        if stopped:
            propose = {"stage": last.stage, "status": (status or Status.DISCONTINUED).value}
            occurred_on, note = self._date(line, self.columns.at["stopped_on"], stopped, propose)
            if status is Status.ACTIVE and "stat" in fold_words(self._heading("stopped_on") or ""):
                said = "the date of an active status is not kept; nothing stopped on it"
                self.flags.append(Quarantined(line.place, self._heading("stopped_on"), stopped[:200], said))
            elif status in (None, Status.ACTIVE):
                explanation = (
                    f"the row gives a date of stopping, but its status is {'active' if status else 'not given'}"
                )
                proposed = "DISCONTINUED or COMPLETED; write the status"
                raise Stopped(Held(line.place, self._heading("stopped_on"), stopped[:200], proposed, explanation))
            else:
                last = StageEntry(last.stage, occurred_on, status, note=note, row=line.place.row, file=line.place.file)
                line.entries.append(last)
        elif status is not None and status is not Status.ACTIVE:
            last.status = status
            if self._entry_only(last.stage):
                line.undated = self._undated(line, last, cells)
            else:
                sentence = "one date is given for the stage and its status; it is taken for both"
                self.notes[sentence] = self.notes.get(sentence, 0) + 1
        self._reason(line, last, self._cell(cells, "reason"), self._cell(cells, "reason_verbatim"))
        note_text = self._cell(cells, "note")
        if note_text:
            last.note = f"{last.note}; {note_text}" if last.note else note_text

    def _entry_only(self, stage: str) -> bool:
        """Whether the date of a stage can only be the day it was entered, not the day of the status beside it."""
        if stage == "WITHDRAWAL":  # entering it is the stop
            return False
        since = self._heading("since")
        told = since is not None and _ENTRY_WORDS.search(fold_words(since)) is not None
        return told or "stopped_on" in self.columns.at or bool(self.columns.stage_dates)

    def _undated(self, line: Line, last: StageEntry, cells: Sequence[str]) -> Held:
        stage = self.names.name(last.stage)
        explanation = (
            f"since when? {line.name} is {last.status} in {stage}, and {last.occurred_on.text} is the day it entered "
            f"that stage; give the date under {self._heading('stopped_on') or 'a column Stopped on'}"
        )
        act = self._enter(line, self.columns.at.get("stopped_on"))
        return Held(
            line.place,
            self._heading("stopped_on") or self._heading("status"),
            self._cell(cells, "status")[:200],
            f"the date it became {last.status}",
            explanation,
            {**act, "stage": last.stage, "status": last.status.value, "occurred_on": None},
        )

    def _status_word(self, line: Line, text: str) -> Status | None:
        if not text:
            return None
        folded = fold_words(text)
        status = STATUS_OF.get(folded)
        if status is not None:
            return status
        heading = self._heading("status")
        if re.fullmatch("withdrawn|retiree?", folded):
            raise Stopped(
                Held(
                    line.place,
                    heading,
                    text[:200],
                    "status DISCONTINUED, or stage Withdrawal",
                    "withdrawn can mean the programme was stopped or the product was taken off the market; say which",
                )
            )
        known = ", ".join(status.value for status in Status)
        raise Stopped(Quarantined(line.place, heading, text[:200], f"no status is called this; write one of {known}"))

    def _reason(self, line: Line, last: StageEntry, text: str, words: str) -> None:
        """Take the reason, a code or words; where both are given the words stand beside the code."""
        if text or words:
            last.reason = _REASONS.get(fold_words(text))
            last.reason_verbatim = words if last.reason and words else "; ".join(filter(None, (text, words)))
            if last.status is Status.ACTIVE:
                said = "a reason is given though the programme is active; it was kept"
                self.flags.append(Quarantined(line.place, self._heading("reason"), (text or words)[:200], said))
        # Words that are no code of ours are a reason all the same, to be classified; only silence is unspecified.
        if last.status is Status.DISCONTINUED and last.reason is None and not last.reason_verbatim:
            last.reason = AttritionReason.UNSPECIFIED

    def _check_order(self, line: Line) -> None:
        """Refuse a row that contradicts itself: a later stage, or a stop, before an earlier stage."""
        if len(line.entries) < 2:
            return
        line.entries.sort(key=lambda entry: (self.names.rank(entry.stage), entry.status is not Status.ACTIVE))
        for before, after in pairwise(line.entries):
            if after.occurred_on.latest < before.occurred_on.earliest:
                what = self.names.name(after.stage) + ("" if after.status is Status.ACTIVE else f" {after.status}")
                reason = (
                    f"{what} on {after.occurred_on.text} comes before {self.names.name(before.stage)} on "
                    f"{before.occurred_on.text}; correct one of the dates"
                )
                raise Stopped(Quarantined(line.place, None, after.occurred_on.text, reason))


def _tidy(text: str) -> str:
    """Return a name as it is shown; most are so already."""
    return text if text.isascii() and text.isprintable() and "  " not in text else tidy(text)


def _agree(one: PartialDate, other: PartialDate) -> bool:
    """Whether two dates can be the same day: one lies within the other."""
    return (one.earliest <= other.earliest and other.latest <= one.latest) or (
        other.earliest <= one.earliest and one.latest <= other.latest
    )
