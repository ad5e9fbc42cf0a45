"""Concentrations, doses and settings as they stand on record, as the analysis takes them: one reading for all who ask.

A row may come from any source, as long as it can be asked for its columns by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.names import fold
from pipeline.pharmacology.profile import Route
from pipeline.pharmacology.study_profiles import GivenDose, Sample, Whose, interval_hours

SAMPLED = (
    *("id", "subject_id", "pool_id", "analyte", "specimen", "profile", "day", "reference_dose_at", "hours_after_dose"),
    *("end_hours_after_dose", "concentration", "unit", "below_limit", "amount_of_specimen", "amount_unit", "retest_of"),
)
"""The columns of `monitoring_records` that `sample_of` reads."""

GIVEN = (
    *("subject_id", "pool_id", "amount", "unit", "route", "frequency", "duration_hours"),
    *("started_day", "ended_day", "started_on"),
)
"""The columns of `administrations` that `given_dose` reads."""


def sample_of(row: Mapping[Any, Any]) -> Sample:
    """Return a concentration on record as a sample; below the limit is 0."""
    return Sample(
        record=row["id"],
        whose=Whose(row["subject_id"], row["pool_id"], row["analyte"], row["specimen"]),
        day=row["day"],
        hours=row["hours_after_dose"],
        conc=0.0 if row["below_limit"] else row["concentration"],
        unit=row["unit"],
        end_hours=row["end_hours_after_dose"],
        reference=row["reference_dose_at"],
        amount=row["amount_of_specimen"],
        amount_unit=row["amount_unit"],
        label=row["profile"],
        retest_of=row["retest_of"],
    )


def given_dose(row: Mapping[Any, Any]) -> GivenDose:
    """Return an administration on record as a dose."""
    return GivenDose(
        subject=row["subject_id"],
        pool=row["pool_id"],
        amount=row["amount"],
        unit=row["unit"],
        route=route_of(row["route"], row["duration_hours"]),
        infusion_h=row["duration_hours"],
        first_day=row["started_day"],
        last_day=row["ended_day"],
        started_on=row["started_on"],
        every_h=interval_hours(row["frequency"]),
    )


def route_of(text: str | None, duration_h: float | None) -> Route:
    """Return the route as far as the analysis differs: intravenous at once, over a time, or anything else."""
    words = (text or "").upper()
    if not re.search(r"\bIV\b|INTRAVEN", words):
        return Route.EXTRAVASCULAR
    if duration_h:
        return Route.IV_INFUSION
    return Route.IV_BOLUS if re.search(r"BOLUS|PUSH|INJECT", words) else Route.IV_INFUSION


def settings_for(kept: Mapping[str, Mapping[str, Any]], analyte: str) -> dict[str, Any]:
    """Return what a study goes by for an analyte: its settings for all, and over them those for the one.

    kept: analyte, in any spelling, or "" for all -> settings.
    """
    merged = dict(kept.get("", {}))
    for name, settings in kept.items():
        if name and fold(name) == fold(analyte):
            merged |= settings
    return merged
