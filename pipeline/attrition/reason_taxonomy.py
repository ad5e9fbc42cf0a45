"""What each attrition reason means, and its place in the frames of others: Open Targets, 5R, published mixes."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from pipeline.words import AttritionReason


class OpenTargetsClass(StrEnum):
    """The classes of stopped trials of Razuvayevskaya et al, Nat Genet 2024;56:1862-1867."""

    ANOTHER_STUDY = "Another study"
    BUSINESS = "Business or administrative"
    COVID_19 = "Covid-19"
    ENDPOINT_MET = "Endpoint met"
    ETHICAL = "Ethical reason"
    INSUFFICIENT_DATA = "Insufficient data"
    INSUFFICIENT_ENROLLMENT = "Insufficient enrollment"
    INTERIM_ANALYSIS = "Interim analysis"
    INVALID_REASON = "Invalid reason"
    LOGISTICS = "Logistics or resources"
    NEGATIVE = "Negative"
    NO_CONTEXT = "No context"
    REGULATORY = "Regulatory"
    SAFETY = "Safety or side effects"
    STUDY_DESIGN = "Study design"
    STAFF_MOVED = "Study staff moved"
    SUCCESS = "Success"


class FiveR(StrEnum):
    """The frame of Cook et al, Nat Rev Drug Discov 2014;13:419-431; NONE is outside of it."""

    TARGET = "target"
    TISSUE = "tissue"
    SAFETY = "safety"
    PATIENT = "patient"
    COMMERCIAL = "commercial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ReasonMeaning:
    """One reason: what it means, the classes it falls into, and how it stands beside others in one text.

    `first`: named as primary before reasons that are not. `set_off`: often only the consequence of another, so where a
    text says "because of", the other is primary.
    """

    meaning: str
    open_targets: OpenTargetsClass
    five_r: FiveR
    published: str
    first: bool = False
    set_off: bool = False


@functools.cache
def reason_meanings() -> Mapping[AttritionReason, ReasonMeaning]:
    """Return the taxonomy, every reason once, in the order of the codes.

    Raises:
        ValueError: the file lacks a reason or names a class that there is none of.
    """
    rows = tomllib.loads(
        files("pipeline.attrition").joinpath("reason_taxonomy.toml").read_text(encoding="utf-8"),
    )
    if set(rows) != set(AttritionReason):
        raise ValueError(f"the taxonomy and the codes differ in {sorted(set(rows) ^ set(AttritionReason))}")
    return {
        reason: ReasonMeaning(
            meaning=rows[reason]["meaning"],
            open_targets=OpenTargetsClass(rows[reason]["open_targets"]),
            five_r=FiveR(rows[reason]["five_r"]),
            published=rows[reason]["published"],
            first=rows[reason].get("first", False),
            set_off=rows[reason].get("set_off", False),
        )
        for reason in AttritionReason
    }
