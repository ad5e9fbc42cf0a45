"""Facts as readers find them in files, before they meet what is recorded: plain, without ids, with their place.

Text is kept as the source gave it (`..._reported`, `name`); what we read in it stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.dates import PartialDate
from pipeline.words import AttritionReason, Modality, MoveKind, Status, StudyStatus


@dataclass(slots=True)
class MoleculeFact:
    """A molecule a source names. Equal keys are one molecule.

    `key` is pipeline.names.canonical_key(name), or fold(name), which the writer makes canonical.
    """

    name: str
    key: str
    code: str | None = None
    modality: Modality = Modality.UNKNOWN
    synonyms: list[str] = field(default_factory=list)
    external_ids: list[tuple[str, str]] = field(default_factory=list)
    """(scheme, value), for example ("CHEMBL", "CHEMBL25")."""
    targets: list[str] = field(default_factory=list)
    smiles: str | None = None
    row: int | None = None
    file: str | None = None


@dataclass(slots=True)
class StageEntry:
    """A programme entered a stage, or changed its status there, on a date.

    kind None: the writer infers it from the state graph (entry, advance, skip).
    """

    stage: str
    occurred_on: PartialDate
    status: Status = Status.ACTIVE
    kind: MoveKind | None = None
    reason: AttritionReason | None = None
    reason_verbatim: str | None = None
    note: str | None = None
    row: int | None = None
    file: str | None = None
    """The file of `row`, where a programme's entries come from several; None: the programme's own."""


@dataclass(slots=True)
class ProgrammeFact:
    """One molecule for one indication with the stage entries a source knows, oldest first."""

    molecule: MoleculeFact
    indication: str | None
    disease_group: str | None = None
    biomarker: str | None = None
    entries: list[StageEntry] = field(default_factory=list)
    row: int | None = None
    file: str | None = None


@dataclass(slots=True)
class StudyMolecule:
    """A molecule's part in a study, under the name the study prints. arm None: in all arms."""

    molecule: MoleculeFact
    name: str
    arm: str | None = None
    route: str | None = None
    form: str | None = None
    row: int | None = None


@dataclass(slots=True)
class Arm:
    """A group of subjects treated alike, or a combination under escalation."""

    label: str
    kind: str | None = None
    description: str | None = None
    row: int | None = None


@dataclass(slots=True)
class DoseFact:
    """What one dose level gives of one molecule (or of something that is not a molecule, such as radiation)."""

    name: str
    molecule: MoleculeFact | None
    amount_reported: str | None
    amount: float | None
    unit_reported: str | None
    unit: str | None
    """UCUM code; None when the spelling cannot be read without doubt."""
    schedule: str | None = None
    frequency: str | None = None
    route: str | None = None
    comment: str | None = None
    row: int | None = None


@dataclass(slots=True)
class DoseLevelFact:
    """One level of an escalation. `ordinal` orders the levels within the arm, lowest first, from 1; 0: no level."""

    arm: str | None
    label: str
    ordinal: int
    doses: list[DoseFact] = field(default_factory=list)
    treated: int | None = None
    with_dlt: int | None = None
    """Subjects with at least one DLT, only where the source makes it certain; else the bounds below."""
    with_dlt_min: int | None = None
    with_dlt_max: int | None = None
    row: int | None = None


@dataclass(slots=True)
class DltDefinition:
    """What a study counts as a dose-limiting toxicity."""

    arm: str | None
    term: str
    grade_reported: str | None
    grade_min: int | None
    grade_max: int | None
    duration: str | None = None
    exclusion: str | None = None
    comment: str | None = None
    flag: str | None = None
    """What was repaired or could not be read, in words."""
    row: int | None = None


@dataclass(slots=True)
class DltObservation:
    """A toxicity counted at a dose level: events, not subjects (one subject may account for several rows)."""

    arm: str | None
    level: str | None
    term: str
    grade_reported: str | None
    grade_min: int | None
    grade_max: int | None
    affected_reported: str | None = None
    affected: int | None = None
    treated_reported: str | None = None
    treated: int | None = None
    duration: str | None = None
    occurrence: str | None = None
    comment: str | None = None
    flag: str | None = None
    row: int | None = None


@dataclass(slots=True)
class RecommendedDose:
    """The maximum tolerated or recommended dose a study reports for one molecule of one arm."""

    arm: str | None
    kind: str
    """MTD, RP2D, MTD_NOT_REACHED, OTHER or UNKNOWN."""
    name: str
    molecule: MoleculeFact | None
    reported: str | None
    amount_low: float | None
    amount_high: float | None
    unit_reported: str | None
    unit: str | None
    frequency: str | None = None
    schedule: str | None = None
    comment: str | None = None
    flag: str | None = None
    row: int | None = None


@dataclass(slots=True)
class EventCount:
    """Adverse events counted per arm, as registers publish them."""

    arm: str
    term: str
    organ_class: str | None
    vocabulary: str | None
    serious: bool
    affected: int | None
    at_risk: int | None
    events: int | None
    term_reported: str | None = None
    row: int | None = None


@dataclass(slots=True)
class Stop:
    """A study stopped (terminated, withdrawn, suspended), and perhaps went on again."""

    stopped_on: PartialDate | None
    status: StudyStatus
    why_stopped: str | None = None
    restarted_on: PartialDate | None = None
    restart_status_reported: str | None = None
    restart_status: StudyStatus | None = None
    flag: str | None = None
    row: int | None = None


@dataclass(slots=True)
class StudyFact:
    """One study as a source tells it. Sources are joined by `registry_id`, within a source by `code`.

    None means "the source does not say", never "none". `partial` sources (a list of stops) add to a study
    and never take away what another source said.
    """

    code: str
    """Stable in the source: "PMID 27311401", "NCT03275402"."""
    source: str
    """The source's short name: "phase1-dlt", "ctgov", "trial-stops"."""
    registry_id: str | None = None
    """NCT00000000, EudraCT, UMIN, ACTRN ..., cleaned."""
    registry_id_reported: str | None = None
    title: str | None = None
    phases: list[str] = field(default_factory=list)
    """PHASE_1, PHASE_1_2, PHASE_2, PHASE_2_3, PHASE_3, PHASE_4 as stage codes; combined phases as one code."""
    status: StudyStatus | None = None
    why_stopped: str | None = None
    reason: AttritionReason | None = None
    started_on: PartialDate | None = None
    ended_on: PartialDate | None = None
    sponsor: str | None = None
    design: str | None = None
    population: str | None = None
    conditions: list[str] = field(default_factory=list)
    dlt_window: str | None = None
    comment: str | None = None
    enrolment: int | None = None
    molecules: list[StudyMolecule] = field(default_factory=list)
    arms: list[Arm] = field(default_factory=list)
    dose_levels: list[DoseLevelFact] = field(default_factory=list)
    dlt_definitions: list[DltDefinition] = field(default_factory=list)
    dlt_observations: list[DltObservation] = field(default_factory=list)
    recommended_doses: list[RecommendedDose] = field(default_factory=list)
    event_counts: list[EventCount] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    """Anything else worth keeping, as the source gave it (schemas, secondary ids), JSON values only."""
    partial: bool = False
    home: str | None = None
    """Code of the study it belongs to, where somebody said so; no statement of the source."""
    row: int | None = None
    file: str | None = None
    rows: int = 1
    """How many rows of the file or files went into it."""
