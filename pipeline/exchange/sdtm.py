"""Studies in SDTM and SEND data sets, read in two passes: first what holds for all records, then the records.

The first pass finds the studies, counts rows, and learns what has to be known before a record can be read: what the
numbers of sampling times are, how decimals are written, which records are named twice. Nothing but the people, groups
and pools of a study is kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_table import DataSet
from pipeline.exchange.reading import Duplicate, Place, Quarantined
from pipeline.exchange.sdtm_concentrations import ConcentrationSurvey, read_concentrations
from pipeline.exchange.sdtm_domains import DOMAINS, ORDER, Domain, domain_of
from pipeline.exchange.sdtm_exposure import read_administrations, read_parameters
from pipeline.exchange.sdtm_laboratory import Baselines, read_laboratory
from pipeline.exchange.sdtm_relations import note_exclusions, read_links, read_qualifiers
from pipeline.exchange.sdtm_repeats import Repeats
from pipeline.exchange.sdtm_response import read_measurements, read_responses
from pipeline.exchange.sdtm_rows import Outcome, Rows
from pipeline.exchange.sdtm_safety import read_dispositions, read_events, read_findings
from pipeline.exchange.sdtm_study import DoseTimes, StudyView, analyte_name
from pipeline.exchange.sdtm_subjects import Head, name_groups, read_pools, read_sets, read_subjects
from pipeline.exchange.sdtm_trial import Trial
from pipeline.exchange.study_facts import (
    KEPT,
    Batch,
    Fact,
    GroupFact,
    HeldFact,
    PoolFact,
    RecordLinkFact,
    StudyRecords,
    SubjectFact,
)
from pipeline.pseudonyms import own_words_of

FORMAT = "sdtm"


@dataclass(slots=True)
class _Study:
    """One study while its data sets are read."""

    code: str
    view: StudyView
    repeats: dict[str, Repeats] = field(default_factory=dict)
    survey: ConcentrationSurvey = field(default_factory=ConcentrationSurvey)
    baselines: Baselines = field(default_factory=Baselines)
    treatments: dict[str, Place] = field(default_factory=dict)
    trial: Trial = field(default_factory=Trial)
    head: Head = field(default_factory=Head)
    arms: dict[str, str] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    """What became of the rows of people, groups and pools."""


@dataclass(slots=True)
class SdtmReading:
    """What a set of data sets holds: its studies, and what a reader of the import has to know."""

    studies: list[StudyRecords] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    outside: list[Batch] = field(default_factory=list)
    """Rows that belong to no study that could be told, and those of data sets that are only kept."""


def is_sdtm(datasets: Sequence[DataSet]) -> bool:
    """Whether a set of data sets is SDTM or SEND: at least one of a domain that is read."""
    return any(domain_of(dataset.name, dataset.at) in DOMAINS for dataset in datasets)


def read_sdtm(datasets: Sequence[DataSet], *, study: str | None = None) -> SdtmReading:
    """Read data sets of one or several studies. What was exported from here and comes back is taken as it was.

    Args:
        datasets: the data sets, opened.
        study: code of the study of rows that name none.

    Raises:
        FileRefused: a data set is damaged, or no row says to which study it belongs.
    """
    from pipeline.exchange.returned_study import read_returned

    returned = read_returned(datasets)
    if returned.reading is not None:
        return returned.reading
    found = _Set(datasets, study).reading()
    found.warnings[:0] = returned.warnings
    return found


class _Set:
    """The data sets of one import."""

    def __init__(self, datasets: Sequence[DataSet], study: str | None) -> None:
        self.datasets: dict[str, list[DataSet]] = {code: [] for code in ORDER}
        self.kept: list[DataSet] = []
        self.result = SdtmReading()
        for dataset in datasets:
            code = domain_of(dataset.name, dataset.at)
            if code in DOMAINS:
                self.datasets[code].append(dataset)
            else:
                self.kept.append(dataset)
        self.study = study
        self.studies: dict[str, _Study] = {}
        self.nameless = self._home_of_the_nameless()

    def reading(self) -> SdtmReading:
        """Do the first pass and return the studies, their records still to be streamed."""
        columns = {code: {name for ds in found for name in ds.at} for code, found in self.datasets.items()}
        for code in ORDER:
            for dataset in self.datasets[code]:
                self._look_at(DOMAINS[code], dataset, columns[code])
        self._keep_unread()
        for study in self.studies.values():
            self._prepare(study)
            self.result.studies.append(self._records(study))
        return self.result

    # ------------------------------------------------------------ first pass

    def _look_at(self, domain: Domain, dataset: DataSet, columns: set[str]) -> None:
        self.result.warnings += dataset.warnings
        empty = True
        for chunk in dataset.chunks():
            self.result.warnings += chunk.warnings
            empty = empty and not chunk.rows and not chunk.bad
            if chunk.bad:
                self.result.outside.append(Batch(RecordLinkFact, dataset.place, len(chunk.bad), quarantined=chunk.bad))
            for code, rows in self._by_study(dataset, Rows(dataset, chunk)):
                if code is None:
                    why = "STUDYID is empty, and the files hold several studies; say which"
                    bad = [Quarantined(place, "STUDYID", None, why) for place in rows.places()]
                    if bad:
                        self.result.outside.append(Batch(RecordLinkFact, dataset.place, len(bad), quarantined=bad))
                    continue
                study = self._study(code)
                if domain.kind is not None and domain.code not in ("TX", "POOLDEF"):
                    study.repeats.setdefault(domain.code, _repeats_of(domain, columns)).note(rows)
                self._learn(study, domain.code, rows)
        if empty:
            self.result.warnings.append(f"{dataset.place} holds no rows.")

    def _study(self, code: str) -> _Study:
        if code not in self.studies:
            self.studies[code] = _Study(code, StudyView(code))
        return self.studies[code]

    def _learn(self, study: _Study, domain: str, rows: Rows) -> None:
        """Take from some rows what has to be known before records are read."""
        if domain == "TS":
            study.trial.add(rows)
        elif domain in ("TA", "DM"):
            study.arms |= {code: arm for code, arm in rows.tuples(("ARMCD", "ARM")) if code and arm}
        elif domain == "PC":
            study.survey.add(rows)
        elif domain == "EX":
            named = dict.fromkeys(name for name in rows.texts("EXTRT") if name)
            for name in named:
                study.treatments.setdefault(name, Place(rows.file, rows.numbers_of_rows[0]))
        elif domain == "LB":
            study.baselines.add(rows, "LB")
        elif domain == "SUPP":
            note_exclusions(rows, study.view)

    def _keep_unread(self) -> None:
        """Count the rows of data sets that are kept as they came and not read."""
        for dataset in self.kept:
            count = 0
            bad: list[Quarantined] = []
            for chunk in dataset.chunks():
                count += len(chunk) + len(chunk.bad)
                bad += chunk.bad
            self.result.outside.append(Batch(RecordLinkFact, dataset.place, count, quarantined=bad))
            code = domain_of(dataset.name, dataset.at)
            what = f"domain {code[1:]}" if code else "no domain of SDTM or SEND"
            self.result.warnings.append(
                f"{dataset.place} ({what}, {count:,} rows) is kept as it came; nothing in it is read."
            )

    def _home_of_the_nameless(self) -> str | None:
        """Return the study of rows without a STUDYID: the only one there is, or the one that was said."""
        named: set[str] = set()
        nameless = False
        for dataset in chain.from_iterable(self.datasets.values()):
            for chunk in islice(dataset.chunks(), 1):
                codes = set(Rows(dataset, chunk).texts("STUDYID"))
                nameless = nameless or None in codes
                named |= {code for code in codes if code is not None}
        if nameless and not named and not self.study:
            raise FileRefused("no row says which study it is of (STUDYID is empty); say the study beside the file")
        if nameless and len(named) == 1 and not self.study:
            self.result.warnings.append(
                f"rows without STUDYID are taken for {min(named)}, the only study in the files."
            )
        return self.study if self.study and len(named) <= 1 and not named else min(named) if len(named) == 1 else None

    def _by_study(self, dataset: DataSet, rows: Rows) -> Iterator[tuple[str | None, Rows]]:
        """Yield the rows of each study in some rows; None for those of which it cannot be told."""
        codes = rows.texts("STUDYID")
        distinct = dict.fromkeys(codes)
        if len(distinct) <= 1:
            yield next(iter(distinct), None) or self.nameless, rows
            return
        for code in distinct:
            yield code or self.nameless, rows.only([at for at, said in enumerate(codes) if said == code])

    # ------------------------------------------------------------ people, groups, pools

    def _prepare(self, study: _Study) -> None:
        view, trial = study.view, study.trial
        # Demographics of people have no species, and those of animals have a trial set.
        animals = any(self.datasets[code] for code in ("TX", "POOLDEF", "BW", "MI", "MA")) or any(
            "SETCD" in dataset for dataset in self.datasets["DM"]
        )
        view.species = trial.species or ("unknown" if animals else "human")
        view.own_words = own_words_of(study.code, trial.first("STITLE", "TITLE"), *trial.treatments, *study.treatments)
        for name in trial.treatments:
            view.name_treatment(name, trial.place or Place("", 0), investigated=True)
        for name, place in study.treatments.items():
            view.name_treatment(name, place)
        for repeats in study.repeats.values():
            repeats.settle()
        self.result.warnings += [
            f"{study.code}: {warning}" for warning in study.survey.settle() if "PC" in study.repeats
        ]
        study.batches += [batch for batch, _ in self._rows("TS", study)]
        for batch, _ in self._rows("TA", study):
            batch.domain = KEPT
            study.batches.append(batch)
        self._read_told("TX", GroupFact, study, lambda rows: read_sets(rows, study.head, study.arms))
        self._read_told("POOLDEF", PoolFact, study, lambda rows: read_pools(rows, view, study.head))
        if "DM" in study.repeats:
            study.batches += self._batches("DM", study, lambda rows: read_subjects(rows, view, study.head))
        for batch in study.batches:
            if batch.kind is SubjectFact:
                study.head.subjects |= {fact.code: fact for fact in batch.facts if isinstance(fact, SubjectFact)}
                batch.facts = ()
        species = {subject.species for subject in study.head.subjects.values()}
        if len(species) == 1:
            view.species = species.pop()
        name_groups(study.head)
        if study.head.flags:
            study.batches.append(Batch(SubjectFact, study.head.flags[0].place.file, 0, flags=study.head.flags))

    def _read_told(
        self,
        domain: str,
        kind: type[Fact],
        study: _Study,
        read: Callable[[list[Rows]], list[Quarantined | Duplicate]],
    ) -> None:
        """Read a domain that tells one thing in several rows; all of its rows are read together."""
        told: list[Rows] = []
        for batch, rows in self._rows(domain, study):
            batch.kind = kind
            study.batches.append(batch)
            told.append(rows)
        outcomes = read(told)
        study.batches.append(
            Batch(
                kind,
                "",
                0,
                quarantined=[outcome for outcome in outcomes if isinstance(outcome, Quarantined)],
                duplicates=[outcome for outcome in outcomes if isinstance(outcome, Duplicate)],
            )
        )

    # ------------------------------------------------------------ second pass

    def _records(self, study: _Study) -> StudyRecords:
        head = study.head
        told = study.trial.study(study.code)
        if study.view.species != "human":
            told.details.setdefault("species", study.view.species)  # the subjects' own, where the study names none
        return StudyRecords(
            told,
            study.view.molecules,
            list(head.groups.values()),
            list(head.subjects.values()),
            list(head.pools.values()),
            lambda: self._stream(study),
            frozenset(
                analyte_name(test)
                for test, code in study.survey.analytes
                if test and study.view.molecule_of(analyte_name(test), code) is None
            ),
            frozenset(study.view.investigated),
        )

    def _stream(self, study: _Study) -> Iterator[Batch]:
        yield from study.batches
        study.view.doses = DoseTimes()
        for code in ORDER:
            domain = DOMAINS[code]
            if domain.kind is None or code in ("TX", "DM", "POOLDEF") or code not in study.repeats:
                continue
            yield from self._batches(code, study, self._reader(study, code))

    def _batches(self, code: str, study: _Study, read: Callable[[Rows], list[Outcome]]) -> Iterator[Batch]:
        """Yield what the rows of a domain become; those that repeat each other come last."""
        repeats, kind = study.repeats[code], DOMAINS[code].kind or RecordLinkFact
        file = ""
        for batch, rows in self._rows(code, study):
            batch.kind, batch.domain, file = kind, code, batch.file
            _sort_out(batch, repeats.split(rows, read(rows)))
            yield batch
        outcomes, duplicates = repeats.rest()
        if outcomes or duplicates:
            rest = Batch(kind, file, 0, duplicates=duplicates, domain=code)
            _sort_out(rest, outcomes)
            yield rest

    def _reader(self, study: _Study, code: str) -> Callable[[Rows], list[Outcome]]:
        view = study.view
        simple: dict[str, Callable[[Rows, StudyView], list[Outcome]]] = {
            "EX": read_administrations,
            "PP": read_parameters,
            "AE": read_events,
            "DS": read_dispositions,
            "RS": read_responses,
            "SUPP": read_qualifiers,
            "RELREC": read_links,
        }
        if code in simple:
            return lambda rows: simple[code](rows, view)
        if code == "PC":
            return lambda rows: read_concentrations(rows, view, study.survey)
        if code in ("LB", "EG"):
            return lambda rows: read_laboratory(rows, view, code, study.baselines)
        if code in ("BW", "TU", "TR"):
            return lambda rows: read_measurements(rows, view, code)
        return lambda rows: read_findings(rows, view, code)

    # ------------------------------------------------------------ rows of one study

    def _rows(self, domain: str, study: _Study) -> Iterator[tuple[Batch, Rows]]:
        """Yield the rows of a domain of one study, each with a batch that counts them."""
        for dataset in self.datasets[domain]:
            for chunk in dataset.chunks():
                for code, rows in self._by_study(dataset, Rows(dataset, chunk)):
                    if code == study.code and len(rows):
                        yield Batch(RecordLinkFact, dataset.place, len(rows)), rows


def _repeats_of(domain: Domain, columns: set[str]) -> Repeats:
    prefix = "" if domain.code in ("SUPP", "RELREC") else domain.code
    names = ("USUBJID", "SUBJID") if domain.code == "DM" else domain.names
    return Repeats(prefix, names, domain.times, not names, columns)


def _sort_out(batch: Batch, outcomes: Iterable[Outcome]) -> None:
    """Put what became of some rows where it belongs."""
    facts: list[Fact] = []
    held: list[HeldFact] = []
    quarantined: list[Quarantined] = []
    for outcome in outcomes:
        if isinstance(outcome, Quarantined):
            quarantined.append(outcome)
        elif isinstance(outcome, HeldFact):
            held.append(outcome)
        else:
            facts.append(outcome)
    batch.facts, batch.held, batch.quarantined = facts, held, quarantined
