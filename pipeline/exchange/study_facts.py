"""Facts of a study as readers find them in files: who was studied, what was given, measured and seen.

Every fact is a tuple whose fields are named like the columns of its table (pipeline/store/study_tables.py), with four
exceptions that the writer turns into ids: `subject` and `pool` are codes of the source, `molecule` is the key of one of
the molecules of `StudyRecords`, and `place` is the file and row. They are tuples because a study has a million of them:
`map(ConcentrationFact._make, zip(...))` makes them of whole columns.

Text is kept as the source gave it (`..._reported`, `reported`); what we read in it stands beside, None where it could
not be read without doubt. Hours are since the reference dose, days are study days of the source. `sorted_on` is the
earliest moment a time can mean (`2013-07` -> `2013-07-01`), "" where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.exchange.facts import MoleculeFact, StudyFact
from pipeline.exchange.reading import Duplicate, Place, Quarantined


class GroupFact(NamedTuple):
    """A group of subjects treated alike (a trial set of SEND, an arm). `parameters` is a JSON object."""

    code: str
    label: str | None
    arm: str | None
    dose_reported: str | None
    dose: float | None
    dose_unit: str | None
    control: bool | None
    satellite: bool | None
    recovery: bool | None
    parameters: str
    place: Place
    rows: int = 1
    """How many rows of the file it is told in."""


class SubjectFact(NamedTuple):
    """A subject: a pseudonym, never anything that identifies a person."""

    code: str
    species: str
    strain: str | None
    sex: str | None
    age: float | None
    age_unit: str | None
    arm: str | None
    arm_planned: str | None
    group_code: str | None
    dose_level: int | None
    site: str | None
    reference_start: str | None
    reference_end: str | None
    died_on: str | None
    screen_failure: bool | None
    place: Place


class PoolFact(NamedTuple):
    """Subjects whose specimens were measured together. `members` is a JSON list of their codes."""

    code: str
    members: str
    place: Place
    rows: int = 1


class AdministrationFact(NamedTuple):
    """A dose, or a period of equal doses, of one treatment to one subject or pool."""

    subject: str | None
    pool: str | None
    molecule: str | None
    """None: not a molecule under study (placebo, vehicle, background therapy)."""
    treatment: str
    sequence: str | None
    amount_reported: str | None
    amount: float | None
    unit_reported: str | None
    unit: str | None
    form: str | None
    route: str | None
    frequency: str | None
    visit: str | None
    started_on: str | None
    ended_on: str | None
    started_day: float | None
    ended_day: float | None
    duration_reported: str | None
    duration_hours: float | None
    sorted_on: str
    place: Place


class ConcentrationFact(NamedTuple):
    """One concentration in one specimen. `below_limit`: under the limit of quantification, never a number then."""

    subject: str | None
    pool: str | None
    molecule: str | None
    """Which molecule the analyte speaks of (the analyte may be a metabolite); None: the only one of the study."""
    sequence: str | None
    analyte: str
    analyte_code: str | None
    specimen: str
    profile: str | None
    day: float | None
    reference_dose_at: str | None
    sampled_at: str | None
    sorted_on: str
    hours_after_dose: float | None
    end_hours_after_dose: float | None
    """End of the collection interval, where the specimen was collected over one."""
    time_source: str | None
    """Which of the source's statements the hours were read from: PCELTM, PCTPTNUM, PCTPT, PCDTC; None without hours."""
    nominal_time: str | None
    reported: str | None
    reported_unit: str | None
    concentration: float | None
    unit: str | None
    lower_limit: float | None
    below_limit: bool
    not_done: str | None
    """Why there is no result, where the source says that there is none."""
    amount_of_specimen: float | None
    amount_unit: str | None
    exclusion_reason: str | None
    exclusion_scope: str | None
    """CALCULATION or SUMMARIES, with a reason only."""
    flag: str | None
    """What was repaired or disagrees, in words."""
    place: Place


class ReportedParameterFact(NamedTuple):
    """An exposure parameter as the source computed it. `code` is the CDISC code where the source gives one."""

    subject: str | None
    pool: str | None
    molecule: str | None
    sequence: str | None
    analyte: str
    specimen: str
    profile: str | None
    day: float | None
    reference_dose_at: str | None
    code: str
    name: str | None
    reported: str | None
    reported_unit: str | None
    value: float | None
    unit: str | None
    not_done: str | None
    exclusion_reason: str | None
    flag: str | None
    place: Place


class AdverseEventFact(NamedTuple):
    """An adverse event. `grade` is a CTCAE grade, never made from a verbal severity."""

    subject: str | None
    sequence: str | None
    term: str
    coded_term: str | None
    organ_class: str | None
    grade_reported: str | None
    grade: int | None
    severity: str | None
    serious: bool | None
    dlt: bool
    relatedness: str | None
    action: str | None
    outcome: str | None
    started_on: str | None
    ended_on: str | None
    ongoing: str | None
    started_day: float | None
    ended_day: float | None
    sorted_on: str
    flag: str | None
    place: Place


class LaboratoryFact(NamedTuple):
    """One laboratory value. `grade_flag` says what a reader of the grade has to know, or why there is none."""

    subject: str | None
    sequence: str | None
    test: str
    test_name: str | None
    category: str | None
    specimen: str | None
    reported: str | None
    reported_unit: str | None
    value: float | None
    unit: str | None
    lower_normal: float | None
    upper_normal: float | None
    range_flag: str | None
    grade: int | None
    grade_flag: str | None
    baseline: bool | None
    not_done: str | None
    visit: str | None
    day: float | None
    sampled_at: str | None
    sorted_on: str
    flag: str | None
    place: Place


class FindingFact(NamedTuple):
    """What was seen in an organ or an animal. `severity_rank` orders verbal severities: 1 minimal to 5 severe."""

    subject: str | None
    sequence: str | None
    domain: str
    test: str
    organ: str | None
    organ_class: str | None
    reported: str | None
    severity_reported: str | None
    severity_rank: int | None
    day: float | None
    found_on: str | None
    sorted_on: str
    not_done: str | None
    flag: str | None
    place: Place


class DispositionFact(NamedTuple):
    """How a subject went on: completed, withdrew, died, was sacrificed; or a milestone."""

    subject: str | None
    sequence: str | None
    category: str | None
    term_reported: str
    term: str | None
    happened_on: str | None
    day: float | None
    sorted_on: str
    place: Place


class MeasurementFact(NamedTuple):
    """A lesion identified or measured, a tumour volume, a body weight. `what` is the test code of the source."""

    subject: str | None
    sequence: str | None
    what: str
    lesion: str | None
    lesion_kind: str | None
    location: str | None
    method: str | None
    reported: str | None
    reported_unit: str | None
    value: float | None
    unit: str | None
    finding: str | None
    assessor: str | None
    accepted: bool | None
    not_done: str | None
    visit: str | None
    day: float | None
    measured_at: str | None
    sorted_on: str
    flag: str | None
    place: Place


class ResponseFact(NamedTuple):
    """A response as one assessor gave it. `accepted`: the one that counts, where several assessors gave one."""

    subject: str | None
    sequence: str | None
    criteria: str
    test: str | None
    reported: str | None
    response: str | None
    assessor: str | None
    accepted: bool | None
    visit: str | None
    day: float | None
    assessed_on: str | None
    sorted_on: str
    flag: str | None
    place: Place


class BiomarkerFact(NamedTuple):
    """A biomarker measured or judged in one subject."""

    subject: str | None
    sequence: str | None
    marker: str
    assay: str | None
    reported: str | None
    reported_unit: str | None
    value: float | None
    unit: str | None
    cut_off: float | None
    positive: bool | None
    sampled_at: str | None
    sorted_on: str
    flag: str | None
    place: Place


class Related(NamedTuple):
    """A record of the source by its own words: domain, subject or pool, and its sequence number."""

    domain: str
    subject: str | None
    pool: str | None
    sequence: str | None


class QualifierFact(NamedTuple):
    """What a source says beside a record, in a supplemental data set. `of` names the record it belongs to."""

    of: Related
    name: str
    label: str | None
    value: str | None
    origin: str | None
    place: Place


class RecordLinkFact(NamedTuple):
    """One end of a relation between records. `of.sequence` None: the link is between whole data sets or groups."""

    of: Related
    relation: str
    reported: str
    place: Place


Fact = (
    GroupFact
    | SubjectFact
    | PoolFact
    | AdministrationFact
    | ConcentrationFact
    | ReportedParameterFact
    | AdverseEventFact
    | LaboratoryFact
    | FindingFact
    | DispositionFact
    | MeasurementFact
    | ResponseFact
    | BiomarkerFact
    | QualifierFact
    | RecordLinkFact
)
"""What a batch holds; groups, subjects and pools come before what is streamed, in lists of their own."""


class HeldFact(NamedTuple):
    """A row in doubt, with the fact it would be if the proposal were accepted.

    A person who decides otherwise gives another value for `column`; it goes to the fact's `field`.
    """

    fact: Fact
    column: str | None
    value: str | None
    proposed: str
    explanation: str
    field: str | None = None


KEPT = "-"
"""Domain of rows that are kept with their file and become nothing by themselves."""


@dataclass(slots=True)
class Batch:
    """Some rows of one data set: the facts of one kind read in them, and what became of the other rows.

    rows = facts + quarantined + held + duplicates, except where several rows tell one fact, where the facts stand in
    the lists of `StudyRecords`, and where rows that had to wait for later ones come in a batch of 0 rows.
    """

    kind: type[Fact]
    file: str
    rows: int
    facts: Sequence[Fact] = ()
    held: Sequence[HeldFact] = ()
    quarantined: Sequence[Quarantined] = ()
    duplicates: Sequence[Duplicate] = ()
    flags: Sequence[Quarantined] = ()
    """What has to be minded beside the flags of the facts."""
    domain: str = ""
    """The source's name of this kind of records: qualifiers and links name it."""
    again: Mapping[Place, Place] = field(default_factory=dict)
    """Row of a concentration -> the row, here or before, of the result of the same sample it measures again."""


@dataclass(slots=True)
class StudyRecords:
    """A study with all that a set of files says of it.

    `study` says what holds for it as a whole. `molecules` by key; the facts name them so. `stream` begins a new pass
    over the records, batch by batch in constant memory, as often as it is called; parents come before the qualifiers
    and links that name them.
    """

    study: StudyFact
    molecules: dict[str, MoleculeFact] = field(default_factory=dict)
    groups: list[GroupFact] = field(default_factory=list)
    subjects: list[SubjectFact] = field(default_factory=list)
    pools: list[PoolFact] = field(default_factory=list)
    stream: Callable[[], Iterator[Batch]] = field(default=lambda: iter(()))
    analytes: frozenset[str] = frozenset()
    """Analytes of which the files do not say whose they are."""
    investigated: frozenset[str] = frozenset()
    """Keys of the molecules the study says it is about, where it says so."""
    shared_rows: bool = False
    """Whether a row tells several facts: what becomes of it is then told by all of them together."""
