"""The enums of the API, made from the words of the domain."""

from __future__ import annotations

from enum import Enum
from typing import Any

import graphene

from pipeline import words


def enum_of(source: type[Enum], name: str, meaning: str, values: dict[str, str]) -> Any:
    """Return the GraphQL enum of a domain enum, each value described."""
    missing = set(source.__members__) ^ set(values)
    assert not missing, missing

    def describe(value: Any) -> str:
        return meaning if value is None else values[value.name]

    return graphene.Enum.from_enum(source, name=name, description=describe)


Modality = enum_of(
    words.Modality,
    "Modality",
    "What kind of entity a molecule is.",
    {
        "SMALL_MOLECULE": "A chemically synthesised small molecule.",
        "ANTIBODY": "A monoclonal or bispecific antibody.",
        "ANTIBODY_DRUG_CONJUGATE": "An antibody carrying a cytotoxic payload.",
        "CELL_THERAPY": "Living cells, for example CAR-T.",
        "GENE_THERAPY": "A vector or nucleic acid that changes genes.",
        "PEPTIDE": "A peptide.",
        "OLIGONUCLEOTIDE": "An antisense or interfering oligonucleotide.",
        "VACCINE": "A vaccine.",
        "RADIOPHARMACEUTICAL": "A molecule carrying a radionuclide.",
        "OTHER": "None of these.",
        "UNKNOWN": "The source does not say.",
    },
)
InefficacyQuestion = enum_of(
    words.InefficacyQuestion,
    "InefficacyQuestion",
    "What is asked before a programme stops for lack of efficacy: whether its mechanism was tested.",
    {
        "EXPOSURE_REACHED": "Was the target exposure reached?",
        "TARGET_ENGAGED": "Was the target engaged?",
        "FUNCTION_AFFECTED": "Was the function of the target affected?",
    },
)
Shown = enum_of(
    words.Shown,
    "Shown",
    "What is known of a question.",
    {
        "SHOWN": "It was measured, and it is so.",
        "NOT_SHOWN": "It was measured, and it is not so.",
        "NOT_MEASURED": "Nobody measured it.",
    },
)
ProgrammeStatus = enum_of(
    words.Status,
    "ProgrammeStatus",
    "Where a programme stands apart from its stage: a stopped programme keeps the stage it reached.",
    {
        "ACTIVE": "Under way.",
        "ON_HOLD": "Paused by a decision.",
        "STALLED": "Silent for longer than the stage allows; nobody decided anything.",
        "DISCONTINUED": "Stopped.",
        "COMPLETED": "Done, with success.",
    },
)
MoveKind = enum_of(
    words.MoveKind,
    "MoveKind",
    "How a programme moves.",
    {
        "ADVANCE": "To a later stage, past its checkpoints.",
        "HOLD": "Pause.",
        "RESUME": "Go on after a pause.",
        "DISCONTINUE": "Stop; the stage reached is kept.",
        "RESTART": "Go on after a stop.",
        "CORRECT": "Mend the last entry, which was wrong; not a move of the programme.",
        "COMPLETE": "Say that development is done, with success.",
    },
)
CheckpointKind = enum_of(
    words.CheckpointKind,
    "CheckpointKind",
    "What a checkpoint rule looks at.",
    {"TOXICITY": "Harm.", "EFFICACY": "Benefit."},
)
Verdict = enum_of(
    words.Verdict,
    "Verdict",
    "The vote at a checkpoint.",
    {
        "GO": "Advance.",
        "CONDITIONAL_GO": "Advance under conditions.",
        "HOLD": "Wait.",
        "RECYCLE": "Do the stage again.",
        "NO_GO": "Do not advance.",
    },
)
ConditionState = enum_of(
    words.ConditionState,
    "ConditionState",
    "How a condition of a decision stands.",
    {
        "OPEN": "Not due yet.",
        "OVERDUE": "The day it was due is over, and nobody settled it.",
        "MET": "It was met.",
        "LIFTED": "It is no longer asked for.",
        "SUPERSEDED": "The rule was decided anew at the same stage.",
    },
)
StudyStatus = enum_of(
    words.StudyStatus,
    "StudyStatus",
    "Where a study stands.",
    {
        "PLANNED": "Not begun.",
        "RECRUITING": "Enrolling subjects.",
        "ACTIVE": "Under way, enrolment closed.",
        "SUSPENDED": "Paused.",
        "COMPLETED": "Ended as planned.",
        "TERMINATED": "Stopped early, after enrolment began.",
        "WITHDRAWN": "Stopped before the first subject.",
        "UNKNOWN": "The source does not say, or says it does not know.",
    },
)
AttritionReason = enum_of(
    words.AttritionReason,
    "AttritionReason",
    "Why a programme, study or dose level stopped.",
    {
        "TOX_NONCLINICAL": "Toxicity in animals or in vitro.",
        "TOX_CLINICAL": "Toxicity in man.",
        "EFFICACY_LACK": "No sufficient effect.",
        "EFFICACY_INFERIOR": "Less effect than what exists.",
        "PK_EXPOSURE": "Exposure not reached or not borne.",
        "TARGET_INVALID": "The target does not drive the disease.",
        "MECHANISM_UNTESTED": "Stopped before the mechanism was tested.",
        "BIOMARKER_ABSENT": "Too few subjects with the biomarker.",
        "CMC_FORMULATION": "Chemistry, manufacturing or formulation.",
        "ACCRUAL": "Too few subjects could be enrolled.",
        "DESIGN": "The study's design.",
        "SUPERSEDED": "Overtaken by another study or treatment.",
        "STRATEGIC": "A business or portfolio decision.",
        "FUNDING": "No money.",
        "STAFF_SITE": "Staff or site left.",
        "LOGISTICS": "Supply or organisation.",
        "REGULATORY": "An authority's decision.",
        "ETHICS": "An ethics committee's decision.",
        "EXTERNAL_EVENT": "An event outside, such as a pandemic.",
        "SUCCESS_EARLY": "The aim was reached early.",
        "UNSPECIFIED": "Stopped, and no reason given.",
    },
)
EventKind = enum_of(
    words.EventKind,
    "EventKind",
    "What happened, as the history tells it.",
    {
        "REGISTERED": "A molecule or programme was put on record.",
        "ADVANCED": "A programme entered a later stage.",
        "HELD": "A programme was paused.",
        "RESUMED": "A programme went on after a pause.",
        "DISCONTINUED": "A programme stopped.",
        "RESTARTED": "A programme went on after a stop.",
        "CORRECTED": "A wrong entry was mended.",
        "COMPLETED": "A programme was completed.",
        "MERGED": "Two records of one molecule became one.",
        "CHECKPOINT_ASSESSED": "A rule was assessed.",
        "CHECKPOINT_DECIDED": "A checkpoint was decided.",
        "CONDITION_SETTLED": "A condition of a decision was met, or is no longer asked for.",
        "MONITORING_LOGGED": "Pharmacology records were logged.",
        "MONITORING_CORRECTED": "A pharmacology record was corrected.",
        "ADVERSE_EVENT": "An adverse event was recorded.",
        "STUDY_STARTED": "A study began.",
        "STUDY_STOPPED": "A study stopped early.",
        "STUDY_RESTARTED": "A stopped study went on.",
        "STUDY_COMPLETED": "A study ended as planned.",
        "IMPORTED": "A file brought something in.",
        "SIGNED": "A record was signed.",
        "ALERT_RAISED": "A record crossed a limit, or an alert that was open got worse.",
        "ALERT_ACKNOWLEDGED": "Somebody answered for an alert.",
    },
)
