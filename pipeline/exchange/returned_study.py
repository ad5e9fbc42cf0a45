"""Studies that were exported from here and come back: read as they were on record, nothing is interpreted again.

A set of data sets is taken for such a study where the seal in its trial summary holds. Otherwise it is read as SDTM
like any other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

import orjson

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_table import Chunk, DataSet
from pipeline.exchange.export_layouts import (
    FIELD_OF,
    LAYOUTS,
    NOT_EXPORTED,
    ORIGIN,
    OWN,
    RETEST,
    STATE,
    SUBJECTS,
    Cell,
    Form,
    Layout,
)
from pipeline.exchange.export_records import CONTINUES, decoded, kinds_of, read_back
from pipeline.exchange.export_seal import SEAL, seal_of
from pipeline.exchange.export_study import GROUP_FIELDS, GROUP_PARAMETERS, MOLECULE, MORE
from pipeline.exchange.facts import MoleculeFact
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.sdtm import SdtmReading
from pipeline.exchange.sdtm_relations import read_links
from pipeline.exchange.sdtm_rows import Rows
from pipeline.exchange.sdtm_study import StudyView, personal
from pipeline.exchange.sdtm_trial import Trial
from pipeline.exchange.study_facts import (
    KEPT,
    Batch,
    Fact,
    GroupFact,
    PoolFact,
    QualifierFact,
    RecordLinkFact,
    Related,
    StudyRecords,
    SubjectFact,
)
from pipeline.names import canonical_key
from pipeline.pseudonyms import own_words_of

CHANGED = (
    "this is an export of a centre that was changed since, or is not whole; it is read as any other study in SDTM."
)


@dataclass(slots=True)
class Returned:
    """What a set of data sets is found to be: an export (`reading`), or none; and what is to be said about it."""

    reading: SdtmReading | None = None
    warnings: list[str] = field(default_factory=list)


def read_returned(datasets: Sequence[DataSet]) -> Returned:
    """Read an export that comes back as it was.

    Raises:
        FileRefused: a file is damaged.
    """
    summaries = [dataset for dataset in datasets if dataset.name.upper() == "TS"]
    if len(summaries) != 1 or len({dataset.name.upper() for dataset in datasets}) < len(datasets):
        return Returned()
    told = _summary(summaries[0])
    sealed = told.values.pop(SEAL, None)
    if sealed is None:
        return Returned()
    if sealed != [seal_of(datasets)]:
        return Returned(warnings=[CHANGED])
    return Returned(_Returned({dataset.name.upper(): dataset for dataset in datasets}, told).reading())


@dataclass(slots=True)
class _Summary(Trial):
    """The trial summary of an export. study: its code; length: how many rows it has."""

    code: str = ""


def _summary(dataset: DataSet) -> _Summary:
    told = _Summary()
    names = [dataset.at.get(name) for name in ("STUDYID", "TSPARMCD", "TSVAL")]
    if None in names:
        return told
    for chunk in dataset.chunks():
        told.rows += len(chunk) + len(chunk.bad)
        cells = zip(chunk.rows, *(chunk.texts(at) for at in names if at is not None), strict=True)
        last: list[str] = []
        for row, study, code, value in cells:
            told.code = told.code or study or ""
            told.place = told.place or Place(dataset.place, row)
            if code == MORE and last:
                last[-1] += value or ""
            elif code is not None and value is not None:
                last = told.values.setdefault(code, [])
                last.append(value)
    return told


class _Returned:
    """One study that comes back."""

    def __init__(self, datasets: dict[str, DataSet], told: _Summary) -> None:
        self.datasets, self.told = datasets, told
        self.view = StudyView(told.code)
        names = told.values.pop(MOLECULE, [])
        self.molecules = {
            canonical_key(name): MoleculeFact(name, canonical_key(name), file=datasets["TS"].place) for name in names
        }
        self.head: list[Batch] = [Batch(RecordLinkFact, datasets["TS"].place, told.rows)]
        self.measured_again: set[tuple[str | None, str | None, str | None]] = set()
        """Subject, pool and number of the concentrations that others measure again."""

    def reading(self) -> SdtmReading:
        told = self.told
        treatments = told.treatments
        self.view.own_words = own_words_of(told.code, told.first("STITLE", "TITLE"), *treatments, *self.molecules)
        groups, pools = self._groups(), self._pools()
        subjects: list[SubjectFact] = []
        if "DM" in self.datasets:
            for batch in self._records(SUBJECTS):
                if batch.kind is SubjectFact:
                    subjects += [fact for fact in batch.facts if isinstance(fact, SubjectFact)]
                    batch.facts = ()
                self.head.append(batch)
        study = told.study(told.code)
        records = StudyRecords(
            study,
            self.molecules,
            groups,
            subjects,
            pools,
            self._stream,
            investigated=frozenset(map(canonical_key, treatments)) & self.molecules.keys(),
        )
        return SdtmReading([records], warnings=self._warnings())

    def _warnings(self) -> list[str]:
        """Look for what is told of the standing of concentrations, and say what does not come along."""
        verified = 0
        if "SUPPPC" in self.datasets:
            for chunk in self.datasets["SUPPPC"].chunks():
                columns = (chunk.texts(name) for name in ("USUBJID", "POOLID", "QNAM", "QVAL", "QEVAL"))
                for subject, pool, name, value, by in zip(*columns, strict=True):
                    verified += by == OWN and name == STATE
                    if by == OWN and name == RETEST and value != NOT_EXPORTED:
                        self.measured_again.add((subject, pool, value))
        if not verified:
            return []
        return [
            f"{verified:,} concentrations had been verified where they were exported; they are REGISTERED here, until "
            "somebody here verifies them."
        ]

    def _stream(self) -> Iterator[Batch]:
        qualifiers = [batch for batch in self.head if batch.kind is QualifierFact]
        yield from (batch for batch in self.head if batch.kind is not QualifierFact)
        yield from qualifiers
        for code, layout in LAYOUTS.items():
            if code in self.datasets:
                yield from self._records(layout)
        if "RELREC" in self.datasets:
            relations = self.datasets["RELREC"]
            for chunk in relations.chunks():
                outcomes = read_links(Rows(relations, chunk), self.view)
                yield Batch(
                    RecordLinkFact,
                    relations.place,
                    len(chunk),
                    [outcome for outcome in outcomes if isinstance(outcome, RecordLinkFact)],
                    quarantined=[outcome for outcome in outcomes if isinstance(outcome, Quarantined)],
                )
        known = {
            "TS",
            "TX",
            "DM",
            "POOLDEF",
            "RELREC",
            "ABOUT",
            *LAYOUTS,
            *(f"SUPP{code}" for code in ("DM", *LAYOUTS)),
        }
        for name, dataset in self.datasets.items():
            if name not in known:
                yield Batch(RecordLinkFact, dataset.place, sum(len(c) for c in dataset.chunks()), domain=KEPT)

    # ------------------------------------------------------------ groups and pools

    def _groups(self) -> list[GroupFact]:
        if "TX" not in self.datasets:
            return []
        dataset = self.datasets["TX"]
        told: dict[str, list[tuple[Place, str | None, str]]] = {}
        rows = 0
        for chunk in dataset.chunks():
            rows += len(chunk)
            columns = (chunk.texts(name) for name in ("SETCD", "TXPARMCD", "TXVAL"))
            for row, code, name, value in zip(chunk.rows, *columns, strict=True):
                known = told.setdefault(code or "", [])
                if name == MORE and known:
                    place, before, start = known[-1]
                    known[-1] = (place, before, start + (value or ""))
                else:
                    known.append((Place(dataset.place, row), name, value or ""))
        self.head.append(Batch(GroupFact, dataset.place, rows))
        try:
            return [_group(code, said) for code, said in told.items()]
        except ValueError as wrong:
            raise FileRefused(f"{dataset.place} holds no groups as exports have them: {wrong}") from wrong

    def _pools(self) -> list[PoolFact]:
        if "POOLDEF" not in self.datasets:
            return []
        dataset = self.datasets["POOLDEF"]
        told: dict[str, tuple[Place, list[str]]] = {}
        rows = 0
        bad: list[Quarantined] = []
        for chunk in dataset.chunks():
            rows += len(chunk)
            for row, pool, subject in zip(chunk.rows, chunk.texts("POOLID"), chunk.texts("USUBJID"), strict=True):
                _, members = told.setdefault(pool or "", (Place(dataset.place, row), []))
                what = self.view.identifying(subject) if subject is not None else None
                if what is not None:
                    bad.append(personal(Place(dataset.place, row), what))
                elif subject is not None:
                    members.append(subject)
        self.head.append(Batch(PoolFact, dataset.place, rows, quarantined=bad))
        return [
            PoolFact(code, orjson.dumps(sorted(members)).decode(), place, max(1, len(members)))
            for code, (place, members) in told.items()
        ]

    # ------------------------------------------------------------ records

    def _records(self, layout: Layout) -> Iterator[Batch]:
        """Yield the records of a domain, each batch followed by one of the qualifiers that hang on its records."""
        dataset = self.datasets[layout.code]
        supplement = _Supplement(self.datasets.get(f"SUPP{layout.code}"))
        first: dict[tuple[str | None, str | None, str | None], Place] = {}
        for chunk in dataset.chunks():
            facts: list[Fact] = []
            bad: list[Quarantined] = []
            qualifiers: list[Fact] = []
            before = supplement.taken
            again: dict[Place, Place] = {}
            for place, who, number, cells in _cells(layout, dataset, chunk):
                own, theirs = supplement.of(who[0], who[1], number)
                what = self.view.identifying(who[0]) if who[0] is not None else None
                if what is not None:
                    bad.append(personal(place, what))
                    continue
                if ORIGIN in own:
                    continue  # worked out when it was exported, no record
                try:
                    fact = _fact(layout, place, who, cells, own)
                except ValueError as wrong:
                    bad.append(Quarantined(place, None, None, f"it is no record as exports have them: {wrong}"))
                    continue
                facts.append(fact)
                if (*who, number) in self.measured_again:
                    first[*who, number] = place
                if (*who, own.get(RETEST)) in first:
                    again[place] = first[*who, own[RETEST]]
                sequence = getattr(fact, "sequence", None)
                of = Related(layout.code, *who, sequence)
                qualifiers += [QualifierFact(of, *said, place=at) for said, at in theirs]
            yield Batch(layout.fact, dataset.place, len(chunk), facts, quarantined=bad, domain=layout.code, again=again)
            if qualifiers:
                yield Batch(QualifierFact, supplement.place, len(qualifiers), qualifiers, domain="SUPP")
            ours = supplement.taken - before - len(qualifiers)
            if ours:
                # They say something of a record and are none: known where the file is.
                yield Batch(QualifierFact, supplement.place, ours, domain=KEPT)


def _group(code: str, said: list[tuple[Place, str | None, str]]) -> GroupFact:
    values: dict[str, list[str]] = {}
    for _, name, value in said:
        values.setdefault(name or "", []).append(value)
    found: dict[str, Any] = {}
    kinds = kinds_of(GroupFact)
    for name, parameter in GROUP_FIELDS.items():
        told = values.pop(parameter, None)
        found[name] = decoded(told[0], kinds[name]) if told else None
    whole = values.pop(GROUP_PARAMETERS, None)
    values.pop("", None)
    parameters = {name: one[0] if len(one) == 1 else one for name, one in sorted(values.items())}
    text = whole[0] if whole else orjson.dumps(parameters).decode()
    return GroupFact(code=code, parameters=text, place=said[0][0], rows=len(said), **found)


def _cells(
    layout: Layout, dataset: DataSet, chunk: Chunk
) -> Iterator[tuple[Place, tuple[str | None, str | None], str | None, dict[str, Cell]]]:
    """Yield the rows of a chunk: their place, subject and pool, number, and cells by variable."""
    number = f"{layout.code}SEQ"
    names = ["DOMAIN", *([number] if layout is not SUBJECTS else []), *(v.name for v in layout.variables)]
    numeric = {v.name for v in layout.variables if v.form is Form.NUMBER}
    nothing: list[str | None] = [None] * len(chunk)
    columns: list[Sequence[Cell]] = []
    for name in names:
        there = name in dataset
        columns.append((chunk.numbers(name) if name in numeric else chunk.texts(name)) if there else nothing)
    subjects = chunk.texts("USUBJID")
    pools = chunk.texts("POOLID") if "POOLID" in dataset else nothing
    for row, subject, pool, *found in zip(chunk.rows, subjects, pools, *columns, strict=True):
        cells = dict(zip(names, found, strict=True))
        at = cells.get(number)
        yield Place(dataset.place, row), (subject, pool), None if at is None else str(at), cells


def _fact(
    layout: Layout,
    place: Place,
    who: tuple[str | None, str | None],
    cells: dict[str, Cell],
    own: dict[str, str | None],
) -> Fact:
    stated = {}
    for name, text in own.items():
        if name in FIELD_OF:
            stated[FIELD_OF[name]] = text
        elif name in cells:
            cells[name] = f"{cells[name] or ''}{text or ''}"
    found = read_back(layout, cells)
    kinds = kinds_of(layout.fact)
    found |= {name: decoded(text, kinds[name]) for name, text in stated.items() if name in found}
    empty = next((name for name, value in found.items() if value is None and NoneType not in kinds[name]), None)
    if empty is not None:
        raise ValueError(f"{empty} is empty")
    if found.get("molecule") is not None:
        found["molecule"] = canonical_key(found["molecule"])
    names = layout.fact._fields
    whose: dict[str, Any] = {"subject": who[0], "pool": who[1], "place": place}
    if layout is SUBJECTS:
        whose["code"] = who[0] or ""
    found |= {name: value for name, value in whose.items() if name in names}
    return layout.fact(**{name: found[name] for name in names})


_Said = tuple[str, str | None, str | None, str | None]


class _Supplement:
    """The supplemental qualifiers of a domain, in the order of the records they belong to."""

    def __init__(self, dataset: DataSet | None) -> None:
        self.place = "" if dataset is None else dataset.place
        self.taken = 0
        self._rows = iter(()) if dataset is None else self._read(dataset)
        self._next = next(self._rows, None)

    @staticmethod
    def _read(dataset: DataSet) -> Iterator[tuple[int, list[str | None]]]:
        names = ("USUBJID", "POOLID", "IDVARVAL", "QNAM", "QLABEL", "QVAL", "QORIG", "QEVAL")
        for chunk in dataset.chunks():
            nothing: list[str | None] = [None] * len(chunk)
            columns = [chunk.texts(name) if name in dataset else nothing for name in names]
            for row, *cells in zip(chunk.rows, *columns, strict=True):
                yield row, cells

    def of(
        self, subject: str | None, pool: str | None, number: str | None
    ) -> tuple[dict[str, str | None], list[tuple[_Said, Place]]]:
        """Return what is said beside one record: by us, by name; and by its source."""
        own: dict[str, str | None] = {}
        theirs: list[tuple[_Said, Place]] = []
        while self._next is not None and self._next[1][:3] == [subject, pool, number]:
            row, (_, _, _, name, label, value, origin, by) = self._next
            self._next = next(self._rows, None)
            self.taken += 1
            if by != OWN:
                theirs.append(((name or "", label, value, origin), Place(self.place, row)))
            elif label is not None and label.startswith(CONTINUES):
                of = label.removeprefix(CONTINUES)
                if theirs and theirs[-1][0][0] == of:
                    (known, known_label, start, known_origin), at = theirs[-1]
                    theirs[-1] = ((known, known_label, f"{start or ''}{value or ''}", known_origin), at)
                else:
                    own[of] = f"{own.get(of) or ''}{value or ''}"
            else:
                own[name or ""] = value
        return own, [((n, lab, _plain(text), origin), at) for (n, lab, text, origin), at in theirs]


def _plain(text: str | None) -> str | None:
    """Return a qualifier of a source as it was: those that no cell holds as they are were written as JSON."""
    if text is not None and text.startswith('"'):
        with contextlib.suppress(ValueError):
            return str(decoded(text, (str,)))
    return text
