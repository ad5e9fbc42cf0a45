"""Tables read through mappings: each becomes data sets of SDTM, is read as such, and put back into its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipeline.errors import FileRefused
from pipeline.exchange.column_mapping import Mapping, folded, lacking
from pipeline.exchange.column_mapping_drafts import draft
from pipeline.exchange.column_mapping_kinds import KINDS
from pipeline.exchange.column_mapping_people import tell_people
from pipeline.exchange.column_mapping_records import Drafts, Rows, rows_of
from pipeline.exchange.column_mapping_spread import Part, parts_of
from pipeline.exchange.dataset_table import DataSet
from pipeline.exchange.reading import Duplicate, Place, Quarantined
from pipeline.exchange.sdtm import SdtmReading, read_sdtm
from pipeline.exchange.study_facts import (
    Batch,
    ConcentrationFact,
    Fact,
    HeldFact,
    RecordLinkFact,
    StudyRecords,
)

_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]{3,7}\b")


def read_mapped(tables: Sequence[Part], *, study: str | None = None) -> SdtmReading:
    """Read tables through their mappings.

    Args:
        tables: the tables, opened.
        study: code of the study of rows that name none.

    Raises:
        FileRefused: a table lacks what its kind needs, or no row says to which study it belongs.
    """
    read: list[_Table] = []
    warnings: list[str] = []
    for dataset, mapping in tables:
        parts, told = parts_of(dataset, mapping)
        some = [_Table(part) for part in parts]
        warnings += [*told, *_of_columns(dataset, mapping), *(warning for table in some for warning in table.warnings)]
        if not any(table.rows.count for table in some):
            warnings.append(f"{dataset.place} holds no rows.")
        read += some
    tell_people([table.drafts for table in read])
    datasets = [dataset for table in read for dataset in table.drafts.datasets]
    found = read_sdtm(datasets, study=study) if datasets else SdtmReading()
    words = _words_of_all(read)
    by_place = {table.drafts.place: table for table in read}
    result = SdtmReading(warnings=list(dict.fromkeys(warnings)))
    result.warnings += [_in_own_words(warning, words) for warning in found.warnings]
    lost = [item for batch in found.outside for item in batch.quarantined]
    for table in read:
        table.put_aside(item for item in lost if item.place.file == table.drafts.place)
    for number, records in enumerate(found.studies):
        result.studies.append(_put_back(records, by_place, counted=number == 0))
    if not found.studies:
        result.outside = [batch for table in read for batch in table.counted()]
    return result


class _Table:
    """One table while it is read."""

    def __init__(self, part: Part) -> None:
        dataset, mapping = part
        self.rows: Rows = rows_of(dataset, mapping)
        lacks = lacking(KINDS[mapping.kind], self.rows.has)
        if lacks:
            there = ", ".join(repr(column.name[:40]) for column in dataset.columns[:12])
            raise FileRefused(
                f"{dataset.place} gives no {', '.join(lacks)}; its columns are {there}. Give it as a "
                "constant of a mapping; a treatment may be said as the molecule beside the file"
            )
        self.drafts: Drafts = draft(self.rows)
        self.warnings = [f"{dataset.place}: {note}." for note in self.drafts.notes]

    def put_aside(self, items: Iterable[Quarantined]) -> None:
        """Take over rows that belong to no study."""
        for item in items:
            self.rows.bad.setdefault(item.place.row, item)

    def counted(self) -> Iterator[Batch]:
        """Yield what counts the rows of the table, with those that cannot be read."""
        place = self.drafts.place
        again = [Duplicate(Place(place, row), None) for row in self.drafts.silent if row not in self.rows.bad]
        yield Batch(RecordLinkFact, place, self.rows.count, quarantined=list(self.rows.bad.values()), duplicates=again)


def _of_columns(dataset: DataSet, mapping: Mapping) -> Iterator[str]:
    """Yield which columns of a table are not read, and which are missing."""
    there = {folded(column.name): column.name for column in dataset.columns}
    read = {folded(heading): heading for heading, column in mapping.columns.items() if column.field}
    unread = [name for key, name in there.items() if key not in read]
    if unread:
        listed = ", ".join(repr(name[:40]) for name in unread[:12]) + (" ..." if len(unread) > 12 else "")
        yield f"{dataset.place}: not read: {listed}."
    absent = [heading for key, heading in read.items() if key not in there]
    if absent:
        yield f"{dataset.place} has no column {', '.join(map(repr, absent[:8]))}."


def _put_back(records: StudyRecords, tables: dict[str, _Table], *, counted: bool) -> StudyRecords:
    """Return a study's records with the places, words and further fields of the tables they came from."""
    lost = _lost(records, tables)
    records.study.rows = 0
    again = records.stream

    def stream() -> Iterator[Batch]:
        if counted:
            for table in tables.values():
                yield from table.counted()
        for batch in again():
            yield _restored(batch, tables, lost)

    return replace(records, stream=stream, shared_rows=True)


def _lost(records: StudyRecords, tables: dict[str, _Table]) -> frozenset[Place]:
    """Return the rows of which some part cannot be read, where a row becomes several records: none of it is taken."""
    if all(len(table.drafts.datasets) <= 1 for table in tables.values()):
        return frozenset()
    return frozenset(item.place for batch in records.stream() for item in batch.quarantined)


def _restored(batch: Batch, tables: dict[str, _Table], lost: frozenset[Place]) -> Batch:
    facts: list[Fact] = []
    held: list[HeldFact] = []
    for fact in batch.facts:
        taken = _said(fact, tables, batch.domain, lost)
        if isinstance(taken, HeldFact):
            held.append(_worded(taken, tables))
        elif taken is not None:
            facts.append(taken)
    for item in batch.held:
        taken = _said(item.fact, tables, batch.domain, lost)
        if isinstance(taken, HeldFact):
            held.append(_worded(taken._replace(explanation=f"{item.explanation}; {taken.explanation}"), tables))
        elif taken is not None:
            held.append(_worded(item._replace(fact=taken), tables))
    quarantined = [
        item._replace(
            column=_heading(item.column, item.place, tables),
            reason=_in_own_words(item.reason, tables[item.place.file].drafts.words),
        )
        for item in batch.quarantined
    ]
    return replace(batch, rows=0, facts=facts, held=held, quarantined=quarantined)


def _said(fact: Fact, tables: dict[str, _Table], domain: str, lost: frozenset[Place]) -> Fact | HeldFact | None:
    """Return a fact with what its table says beside the variables; None where its row is not taken at all."""
    place: Place = fact.place
    table = tables[place.file]
    if place in lost and domain not in table.drafts.derived:
        return None
    extras = dict(table.drafts.extras.get(place.row, {}))
    doubt = extras.pop("doubt", None)
    note = extras.pop("flag", None)
    own = isinstance(fact, ConcentrationFact) or domain not in table.drafts.derived
    fields = {name: value for name, value in extras.items() if own and name in fact._fields}
    if isinstance(fact, ConcentrationFact):
        fields |= _true_time(fact, extras)
    said: Any = fact._replace(**fields) if fields else fact
    words = table.drafts.words
    notes = [_in_own_words(text, words) for text in (getattr(said, "flag", None), note) if text]
    if notes and own and "flag" in fact._fields:
        said = said._replace(flag="; ".join(notes))
    if doubt is not None and isinstance(fact, doubt.kind):
        return HeldFact(
            said._replace(**doubt.instead), doubt.column, doubt.value, doubt.proposed, doubt.why, doubt.field
        )
    return said  # type: ignore[no-any-return]  # one of the facts, as it came


def _true_time(fact: ConcentrationFact, extras: dict[str, Any]) -> dict[str, Any]:
    """Take the true time after the dose where the table gives it, and say where it is far from the planned one."""
    true = extras.get("true_hours")
    if true is None:
        return {}
    found = {"hours_after_dose": true, "time_source": extras.get("true_source")}
    planned = fact.hours_after_dose
    if planned is not None and abs(true - planned) > max(0.25, 0.2 * abs(planned)):
        said = f"{extras.get('true_source')} is {true:g} h after the dose, planned is {planned:g} h"
        found["flag"] = f"{fact.flag}; {said}" if fact.flag else said
    if fact.end_hours_after_dose is not None or "end_hours" in extras:
        found["end_hours_after_dose"] = extras.get("end_hours", fact.end_hours_after_dose)
    return found


def _worded(item: HeldFact, tables: dict[str, _Table]) -> HeldFact:
    place = item.fact.place
    words = tables[place.file].drafts.words
    return item._replace(
        column=_heading(item.column, place, tables),
        explanation=_in_own_words(item.explanation, words),
        proposed=_in_own_words(item.proposed, words),
    )


def _heading(column: str | None, place: Place, tables: dict[str, _Table]) -> str | None:
    return None if column is None else tables[place.file].drafts.words.get(column, column)


def _words_of_all(read: Sequence[_Table]) -> dict[str, str]:
    """Return variable -> the headings it was read from in all tables."""
    headings: dict[str, dict[str, None]] = {}
    for table in read:
        for variable, heading in table.drafts.words.items():
            headings.setdefault(variable, {})[heading] = None
    return {variable: ", ".join([*some][:3]) + (" ..." if len(some) > 3 else "") for variable, some in headings.items()}


def _in_own_words(text: str, words: dict[str, str]) -> str:
    """Return a sentence with the headings of the table in place of the names of variables."""
    return _VARIABLE.sub(lambda found: words.get(found[0], found[0]), text)
