"""The words of the field, each spelled once: the codes the store keeps and the API shows."""

from __future__ import annotations

from enum import StrEnum


class Modality(StrEnum):
    """What kind of entity a molecule is."""

    SMALL_MOLECULE = "SMALL_MOLECULE"
    ANTIBODY = "ANTIBODY"
    ANTIBODY_DRUG_CONJUGATE = "ANTIBODY_DRUG_CONJUGATE"
    CELL_THERAPY = "CELL_THERAPY"
    GENE_THERAPY = "GENE_THERAPY"
    PEPTIDE = "PEPTIDE"
    OLIGONUCLEOTIDE = "OLIGONUCLEOTIDE"
    VACCINE = "VACCINE"
    RADIOPHARMACEUTICAL = "RADIOPHARMACEUTICAL"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class Status(StrEnum):
    """Where a programme stands apart from its stage: a stopped programme keeps the stage it reached."""

    ACTIVE = "ACTIVE"
    ON_HOLD = "ON_HOLD"
    STALLED = "STALLED"
    DISCONTINUED = "DISCONTINUED"
    COMPLETED = "COMPLETED"


class MoveKind(StrEnum):
    """How a programme moves. CORRECT mends a wrong entry and is not a move of the programme itself."""

    ADVANCE = "ADVANCE"
    HOLD = "HOLD"
    RESUME = "RESUME"
    DISCONTINUE = "DISCONTINUE"
    RESTART = "RESTART"
    CORRECT = "CORRECT"
    COMPLETE = "COMPLETE"


class CheckpointKind(StrEnum):
    """What a checkpoint rule looks at."""

    TOXICITY = "TOXICITY"
    EFFICACY = "EFFICACY"


class Verdict(StrEnum):
    """The vote at a checkpoint."""

    GO = "GO"
    CONDITIONAL_GO = "CONDITIONAL_GO"
    HOLD = "HOLD"
    RECYCLE = "RECYCLE"
    NO_GO = "NO_GO"


class ConditionOutcome(StrEnum):
    """What became of a condition of a decision."""

    MET = "MET"
    LIFTED = "LIFTED"
    SUPERSEDED = "SUPERSEDED"


class ConditionState(StrEnum):
    """How a condition of a decision stands on a day: what became of it, or whether it is due."""

    OPEN = "OPEN"
    OVERDUE = "OVERDUE"
    MET = "MET"
    LIFTED = "LIFTED"
    SUPERSEDED = "SUPERSEDED"


class StudyStatus(StrEnum):
    """Where a study stands."""

    PLANNED = "PLANNED"
    RECRUITING = "RECRUITING"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    COMPLETED = "COMPLETED"
    TERMINATED = "TERMINATED"
    WITHDRAWN = "WITHDRAWN"
    UNKNOWN = "UNKNOWN"


class AttritionReason(StrEnum):
    """Why a programme, study or dose level stopped."""

    TOX_NONCLINICAL = "TOX_NONCLINICAL"
    TOX_CLINICAL = "TOX_CLINICAL"
    EFFICACY_LACK = "EFFICACY_LACK"
    EFFICACY_INFERIOR = "EFFICACY_INFERIOR"
    PK_EXPOSURE = "PK_EXPOSURE"
    TARGET_INVALID = "TARGET_INVALID"
    MECHANISM_UNTESTED = "MECHANISM_UNTESTED"
    BIOMARKER_ABSENT = "BIOMARKER_ABSENT"
    CMC_FORMULATION = "CMC_FORMULATION"
    ACCRUAL = "ACCRUAL"
    DESIGN = "DESIGN"
    SUPERSEDED = "SUPERSEDED"
    STRATEGIC = "STRATEGIC"
    FUNDING = "FUNDING"
    STAFF_SITE = "STAFF_SITE"
    LOGISTICS = "LOGISTICS"
    REGULATORY = "REGULATORY"
    ETHICS = "ETHICS"
    EXTERNAL_EVENT = "EXTERNAL_EVENT"
    SUCCESS_EARLY = "SUCCESS_EARLY"
    UNSPECIFIED = "UNSPECIFIED"


class InefficacyQuestion(StrEnum):
    """What is asked before a programme stops for lack of efficacy: whether its mechanism was tested."""

    EXPOSURE_REACHED = "EXPOSURE_REACHED"
    TARGET_ENGAGED = "TARGET_ENGAGED"
    FUNCTION_AFFECTED = "FUNCTION_AFFECTED"


class Shown(StrEnum):
    """What is known of such a question."""

    SHOWN = "SHOWN"
    NOT_SHOWN = "NOT_SHOWN"
    NOT_MEASURED = "NOT_MEASURED"


class EventKind(StrEnum):
    """What happened, as the history tells it."""

    REGISTERED = "REGISTERED"
    ADVANCED = "ADVANCED"
    HELD = "HELD"
    RESUMED = "RESUMED"
    DISCONTINUED = "DISCONTINUED"
    RESTARTED = "RESTARTED"
    CORRECTED = "CORRECTED"
    COMPLETED = "COMPLETED"
    MERGED = "MERGED"
    CHECKPOINT_ASSESSED = "CHECKPOINT_ASSESSED"
    CHECKPOINT_DECIDED = "CHECKPOINT_DECIDED"
    CONDITION_SETTLED = "CONDITION_SETTLED"
    MONITORING_LOGGED = "MONITORING_LOGGED"
    MONITORING_CORRECTED = "MONITORING_CORRECTED"
    ADVERSE_EVENT = "ADVERSE_EVENT"
    STUDY_STARTED = "STUDY_STARTED"
    STUDY_STOPPED = "STUDY_STOPPED"
    STUDY_RESTARTED = "STUDY_RESTARTED"
    STUDY_COMPLETED = "STUDY_COMPLETED"
    IMPORTED = "IMPORTED"
    SIGNED = "SIGNED"
    ALERT_RAISED = "ALERT_RAISED"
    ALERT_ACKNOWLEDGED = "ALERT_ACKNOWLEDGED"


class ReviewStatus(StrEnum):
    """What became of an item of the review list."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    CHANGED = "CHANGED"
    REJECTED = "REJECTED"


class MonitoringState(StrEnum):
    """Where a monitoring record stands."""

    REGISTERED = "REGISTERED"
    VERIFIED = "VERIFIED"
    RETRACTED = "RETRACTED"
    REJECTED = "REJECTED"


class ExclusionScope(StrEnum):
    """What an excluded record is left out of: calculations (and what is summed up of them), or summaries only."""

    CALCULATION = "CALCULATION"
    SUMMARIES = "SUMMARIES"


class AlertKind(StrEnum):
    """What an alert is about."""

    EXPOSURE_ABOVE_LIMIT = "EXPOSURE_ABOVE_LIMIT"
    EXPOSURE_BELOW_TARGET = "EXPOSURE_BELOW_TARGET"
    MARGIN_CROSSED = "MARGIN_CROSSED"
    DLT_RATE = "DLT_RATE"
    HYS_LAW = "HYS_LAW"
    QTC = "QTC"
    FUTILITY = "FUTILITY"
    STALLED = "STALLED"
    BASIS_CHANGED = "BASIS_CHANGED"
    CONDITION_OVERDUE = "CONDITION_OVERDUE"
